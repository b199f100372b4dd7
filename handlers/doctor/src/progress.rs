//! Shows progress on a terminal, and nothing in a pipe.

use std::io::{self, IsTerminal as _};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar of steps on a terminal, or nothing.
#[derive(Debug)]
pub(crate) struct ProgressDisplay(ProgressBar);

impl ProgressDisplay {
    /// A bar on standard error, if that is a terminal.
    pub(crate) fn new() -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        if io::stderr().is_terminal() {
            bar.set_draw_target(ProgressDrawTarget::stderr());
            if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} {msg} {elapsed}") {
                bar.set_style(style);
            }
        }
        Self(bar)
    }

    /// Sets how many steps are to come.
    pub(crate) fn start_steps(&self, steps: usize) {
        self.0.set_length(steps as u64);
    }

    /// Begins the next step, and says which it is.
    pub(crate) fn begin_step(&self, step: &str) {
        self.0.set_message(step.to_owned());
        self.0.inc(1);
    }

    /// Shows how far the current step is.
    pub(crate) fn show_message(&self, message: String) {
        self.0.set_message(message);
    }

    /// Removes the bar.
    pub(crate) fn finish(&self) {
        self.0.finish_and_clear();
    }
}
