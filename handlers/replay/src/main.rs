//! `replay`: the decisions again, offline. Reads files, decides, prints; it cannot reach a network.

mod baseline;
mod cli;
mod explain;
mod output;
mod patterns;
mod proof;
mod readers;
mod reads;
mod report;
mod rules;
mod run;
mod settings;
mod source;
mod story;
mod table;
mod verify;

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use cli::{Cli, Command};
use responder_core::text::Untrusted;

/// How a command ends; the numbers are in `--help`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// Done.
    Done = 0,
    /// No match, a case that differs, a service that is not proved, or an exception that ran out.
    Differs = 1,
    /// Rules, facts, a pattern or an argument that cannot be used; nothing was decided.
    Unusable = 2,
    /// Some of the input could not be read; the rest was decided.
    Parked = 3,
}

fn main() -> ExitCode {
    let end = match Cli::parse().command {
        Command::Run(args) => run::run(&args),
        Command::Proof(args) => proof::proof(&args),
        Command::Reads(args) => reads::reads(&args),
        Command::Explain(args) => explain::explain(&args),
        Command::Match(args) => patterns::run(&args),
        Command::Rules(args) => rules::list(&args),
        Command::Verify(args) => verify::verify(&args),
        Command::Baseline(args) => baseline::baseline(&args),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "replay", &mut script);
            io::stdout().write_all(&script).map(|()| End::Done).map_err(Failure::from)
        }
    };
    match end {
        Ok(end) => ExitCode::from(end as u8),
        // Somebody closed the pipe, `head` for example: that is not an error.
        Err(Failure::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(failure) => {
            warn(&failure.to_string());
            ExitCode::from(End::Unusable as u8)
        }
    }
}

/// Tells a person something beside the output. That nobody listens any more is no reason to fail.
fn warn(text: &str) {
    let lines: Vec<String> = text.lines().map(|line| Untrusted::new(line).show(2_000)).collect();
    let _ = writeln!(io::stderr(), "replay: {}", lines.join("\n"));
}

/// Why a command could not do its work at all.
#[derive(Debug, thiserror::Error)]
enum Failure {
    /// The output cannot be written.
    #[error("cannot write the output: {0}")]
    Output(#[from] io::Error),
    /// A file that the command cannot do without.
    #[error("cannot read {file}: {error}")]
    File {
        /// Its path.
        file: String,
        /// Why.
        error: io::Error,
    },
    /// A file that does not hold what it should.
    #[error("{file}: {reason}")]
    Content {
        /// Its path.
        file: String,
        /// What is wrong.
        reason: String,
    },
    /// The rules cannot be used.
    #[error("the rules in {folder} cannot be used:\n{error}")]
    Rules {
        /// Where they come from.
        folder: String,
        /// Every problem, one a line.
        error: responder_core::rules::RulesError,
    },
}
