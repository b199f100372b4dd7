//! Prints the cost of a month as Markdown: `infra/COST.md`.

use std::io::{self, Write as _};
use std::process::ExitCode;

fn main() -> ExitCode {
    let text = match simulation::cost::write_document() {
        Ok(text) => text,
        Err(error) => {
            let _unwritten = writeln!(io::stderr(), "cost: {error}");
            return ExitCode::from(2);
        }
    };
    match io::stdout().write_all(text.as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}
