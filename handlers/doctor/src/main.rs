//! `doctor`: checks what is deployed, and fetches what the replay needs. It changes nothing but a drill's own queue.

mod aws_session;
mod check;
mod cli;
mod clock;
mod commands;
mod drill;
mod events;
mod expected;
mod finding;
mod gather;
mod matcher_cases;
mod progress;
mod report;
mod services;
mod snapshot;

use std::process::ExitCode;

use clap::Parser as _;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    commands::run_command(&cli::DoctorCli::parse()).await
}
