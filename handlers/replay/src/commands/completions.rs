//! `replay completions`: a completion script for a shell.

use std::io::{self, Write as _};

use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::cli::ReplayCli;
use crate::command_outcome::{CommandError, CommandOutcome};

pub(crate) fn print_completions(shell: Shell) -> Result<CommandOutcome, CommandError> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut ReplayCli::command(), "replay", &mut script);
    io::stdout().write_all(&script)?;
    Ok(CommandOutcome::Done)
}
