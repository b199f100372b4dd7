//! Progress on a terminal; silence in a pipe.

use std::io::{self, IsTerminal as _};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar of steps.
#[derive(Debug)]
pub(crate) struct Progress(ProgressBar);

impl Progress {
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

    /// So many steps are to come.
    pub(crate) fn start(&self, steps: usize) {
        self.0.set_length(steps as u64);
    }

    /// The next step begins.
    pub(crate) fn step(&self, what: &str) {
        self.0.set_message(what.to_owned());
        self.0.inc(1);
    }

    /// What is being done, without a step.
    pub(crate) fn say(&self, what: String) {
        self.0.set_message(what);
    }

    /// The end.
    pub(crate) fn done(&self) {
        self.0.finish_and_clear();
    }
}
