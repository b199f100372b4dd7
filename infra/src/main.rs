//! `infra`: writes the templates, or checks that those that are committed are what would be written.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, fs};

use clap::{Parser, Subcommand};

/// The CloudFormation templates of secrets-responder.
#[derive(Parser)]
#[command(version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// The folder of the templates.
    #[arg(long, global = true, default_value_os_t = folder())]
    folder: PathBuf,
}

#[derive(Subcommand)]
enum Command {
    /// Write the templates, and the picture of the dashboard.
    Generate,
    /// Fail if one of them is not what would be written.
    Check,
}

/// `infra/` of the workspace, or of where one stands.
fn folder() -> PathBuf {
    env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| PathBuf::from("infra"), PathBuf::from)
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(&cli) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            say(&error.to_string());
            ExitCode::from(2)
        }
    }
}

/// Whether all is well.
fn run(cli: &Cli) -> Result<bool, Box<dyn std::error::Error>> {
    let rules = responder_core::rules::builtin()?;
    let mut is_well = true;
    let templates = infra::templates(&rules)?.into_iter();
    let templates = templates.map(|template| (format!("{}.yaml", template.name), template.text));
    let picture = ("dashboard.svg".to_owned(), infra::picture());
    for (name, text) in templates.chain([picture]) {
        let file = cli.folder.join(name);
        match cli.command {
            Command::Generate => {
                fs::write(&file, &text)?;
                say(&format!("wrote {}", file.display()));
            }
            Command::Check if is_same(&file, &text) => {}
            Command::Check => {
                is_well = false;
                say(&format!("{} is stale: run `cargo run -p infra -- generate`", file.display()));
            }
        }
    }
    Ok(is_well)
}

fn is_same(file: &Path, text: &str) -> bool {
    fs::read_to_string(file).is_ok_and(|found| found == text)
}

fn say(line: &str) {
    // For people; nobody can be told that nobody is there.
    drop(writeln!(io::stderr(), "{line}"));
}
