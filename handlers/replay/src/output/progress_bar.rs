//! A progress bar on the terminal.

use std::io::{self, IsTerminal as _};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use responder_audit::input::ReadProgress;

/// An input that is smaller than this has been read before anybody could look at a bar.
const BAR_INPUT_BYTES_MIN: u64 = 8 << 20;

const BAR_TEMPLATE: &str = "{bar:40} {bytes}/{total_bytes} {bytes_per_sec} {eta}";

/// Shows a bar if standard error is a terminal and the input is large.
pub(crate) struct TerminalProgress {
    bar: ProgressBar,
}

impl TerminalProgress {
    /// A bar that is not shown yet.
    pub(crate) fn new() -> Self {
        Self { bar: ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden()) }
    }
}

impl ReadProgress for TerminalProgress {
    fn start(&mut self, total_bytes: u64) {
        self.bar.set_length(total_bytes);
        if total_bytes > BAR_INPUT_BYTES_MIN && io::stderr().is_terminal() {
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
            if let Ok(style) = ProgressStyle::with_template(BAR_TEMPLATE) {
                self.bar.set_style(style);
            }
        }
    }

    fn advance(&mut self, bytes: u64) {
        self.bar.inc(bytes);
    }

    fn finish(&mut self) {
        self.bar.finish_and_clear();
    }
}
