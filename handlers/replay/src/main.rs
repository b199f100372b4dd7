//! `replay`: makes the decisions of the functions again, offline. It reads files, decides and prints; it cannot reach a
//! network.

mod cli;
mod command_outcome;
mod commands;
mod output;
mod report;
mod rules_and_facts;

use std::io;
use std::process::ExitCode;

use clap::Parser;

use cli::{ReplayCli, ReplayCommand};
use command_outcome::{CommandError, CommandOutcome};
use output::warn;

fn main() -> ExitCode {
    match run_command(ReplayCli::parse().command) {
        Ok(outcome) => ExitCode::from(outcome as u8),
        // The reader closed the pipe, as `head` does. That is not an error.
        Err(CommandError::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            warn(&error.to_string());
            ExitCode::from(CommandOutcome::Unusable as u8)
        }
    }
}

fn run_command(command: ReplayCommand) -> Result<CommandOutcome, CommandError> {
    match command {
        ReplayCommand::Run(args) => commands::run_replay(&args),
        ReplayCommand::Proof(args) => commands::prove_rotations(&args),
        ReplayCommand::Reads(args) => commands::list_reads(&args),
        ReplayCommand::Explain(args) => commands::explain_events(&args),
        ReplayCommand::Match(args) => commands::match_pattern(&args),
        ReplayCommand::Page(args) => commands::show_page(&args),
        ReplayCommand::Rules(args) => commands::list_rules(&args),
        ReplayCommand::Verify(args) => commands::verify_fixtures(&args),
        ReplayCommand::Baseline(args) => commands::learn_baseline(&args),
        ReplayCommand::Facts(args) => commands::guess_facts(&args),
        ReplayCommand::Completions { shell } => commands::print_completions(shell),
    }
}
