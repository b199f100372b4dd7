//! `infra`: writes the generated templates, or checks that the committed ones are up to date.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, fs};

use clap::{Parser, Subcommand};

/// Generate the `CloudFormation` templates of secrets-responder.
#[derive(Parser)]
#[command(version, about)]
struct InfraCli {
    #[command(subcommand)]
    command: InfraCommand,
    /// The folder of the templates.
    #[arg(long, global = true, default_value_os_t = default_folder())]
    folder: PathBuf,
}

#[derive(Subcommand)]
enum InfraCommand {
    /// Write the templates, and the picture of the dashboard.
    Generate,
    /// Exit with 1 if a committed file differs from what `generate` would write.
    Check,
}

/// `infra/` of the workspace, or of the current folder.
fn default_folder() -> PathBuf {
    env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| PathBuf::from("infra"), PathBuf::from)
}

fn main() -> ExitCode {
    match run_command(&InfraCli::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            print_message(&error.to_string());
            ExitCode::from(2)
        }
    }
}

/// Writes or checks each file; returns whether all of them are up to date.
fn run_command(cli: &InfraCli) -> Result<bool, Box<dyn std::error::Error>> {
    let rules = responder_core::rules::builtin()?;
    let mut files = vec![("dashboard.svg".to_owned(), infra::draw_dashboard())];
    for template in infra::generate_templates(&rules)? {
        files.push((format!("{}.yaml", template.name), template.text));
    }
    let mut are_up_to_date = true;
    for (name, text) in files {
        let file = cli.folder.join(name);
        match cli.command {
            InfraCommand::Generate => {
                fs::write(&file, &text)?;
                print_message(&format!("wrote {}", file.display()));
            }
            InfraCommand::Check => {
                if !has_text(&file, &text) {
                    are_up_to_date = false;
                    let file = file.display();
                    print_message(&format!("{file} is out of date: run `cargo run -p infra -- generate`"));
                }
            }
        }
    }
    Ok(are_up_to_date)
}

fn has_text(file: &Path, text: &str) -> bool {
    fs::read_to_string(file).is_ok_and(|found| found == text)
}

fn print_message(message: &str) {
    // Messages are for people: the work goes on where nobody can read them.
    drop(writeln!(io::stderr(), "{message}"));
}
