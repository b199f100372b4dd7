//! `replay facts`: writes facts that are guessed from the input, to be edited by an auditor without access to AWS.

use std::io::{self, Write as _};

use responder_audit::input::read_events;
use responder_core::event::Event;

use crate::cli::FactsArgs;
use crate::command_outcome::{CommandError, CommandOutcome, check_paths};
use crate::output::{TerminalProgress, warn, warn_of_problems};
use crate::report::SeenParties;

pub(crate) fn guess_facts(args: &FactsArgs) -> Result<CommandOutcome, CommandError> {
    check_paths(&args.paths)?;
    let mut seen = SeenParties::default();
    let reading = read_events(&args.paths, &mut TerminalProgress::new(), &mut |located| {
        let event = Event::parse(located.text).map_err(|error| error.to_string())?;
        seen.see(&event);
        Ok(())
    });
    warn_of_problems(&reading.problems);
    // A facts file has no place for comments: they go to standard error, beside it.
    warn(&seen.explain());
    writeln!(io::stdout(), "{}", seen.to_json())?;
    Ok(CommandOutcome::after_reading(reading.coverage.report().events, reading.problems.len()))
}
