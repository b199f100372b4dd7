//! `replay page`: shows the page of a response, as an e-mail has it.

use std::io::{self, Write as _};

use responder_audit::input::{NoProgress, read_events};
use responder_core::incident::Incident;
use responder_core::memory_store::order_and_deduplicate;
use responder_core::notify::Renderer;
use responder_core::rules::{MatchedEvent, Response, ResponseAction, RuleSet};

use crate::cli::PageArgs;
use crate::command_outcome::{CommandError, CommandOutcome, check_paths};
use crate::output::{warn, warn_of_problems};
use crate::report::{example_incident, find_incident, incident_below_threshold};
use crate::rules_and_facts::{load_facts, load_rules};

pub(crate) fn show_page(args: &PageArgs) -> Result<CommandOutcome, CommandError> {
    let rules = load_rules(&args.rules)?;
    let facts = load_facts(args.facts.as_deref())?;
    let response = find_response(&rules, &args.response)?;
    let settings = facts.settings.clone();
    let mut outcome = CommandOutcome::Done;
    let incident = if args.events.is_empty() {
        warn("without --event, the page is about an invented incident");
        example_incident(&rules, response)
    } else {
        check_paths(&args.events)?;
        let (events, problems) = read_matched_events(&rules, args);
        outcome = CommandOutcome::after_problems(problems);
        let fired = find_incident(&events, facts, response);
        fired.or_else(|| show_below_threshold(&events, response))
    };
    let Some(incident) = incident else {
        let rules = response.on.join(", ");
        return Err(unusable(
            "--event",
            format!("no event is one of {}: its rules are {rules}", response.id),
        ));
    };
    let notification = Renderer::new(&rules, &settings).render_incident(&incident);
    writeln!(io::stdout(), "{}\n\n{}", notification.subject, notification.body.trim_end())?;
    Ok(outcome)
}

/// Finds a response by its id.
fn find_response<'r>(rules: &'r RuleSet, id: &str) -> Result<&'r Response, CommandError> {
    let Some(response) = rules.responses.get(id) else {
        let ids: Vec<&str> = rules.responses.keys().map(String::as_str).collect();
        let reason = format!("there is no such response; the responses are {}", ids.join(", "));
        return Err(unusable(&format!("--response {id}"), reason));
    };
    if response.action == ResponseAction::Prove {
        return Err(unusable(&format!("--response {id}"), "it records a proof, and never pages".to_owned()));
    }
    Ok(response)
}

/// Reads the events that a rule matches, in order of time. Returns also how many parts could not be read.
fn read_matched_events<'r>(rules: &'r RuleSet, args: &PageArgs) -> (Vec<MatchedEvent<'r>>, usize) {
    let mut events = Vec::new();
    let reading = read_events(&args.events, &mut NoProgress, &mut |located| {
        events.extend(rules.match_event(located.text).map_err(|error| error.to_string())?);
        Ok(())
    });
    warn_of_problems(&reading.problems);
    (order_and_deduplicate(events).0, reading.problems.len())
}

/// Returns the incident as if the events were enough for the response, and says so.
fn show_below_threshold(events: &[MatchedEvent<'_>], response: &Response) -> Option<Incident> {
    let incident = incident_below_threshold(events, response)?;
    let id = &response.id;
    warn(&format!(
        "{id} does not fire for these events (`replay explain` says why); this is its page as if it did"
    ));
    Some(incident)
}

fn unusable(argument: &str, reason: String) -> CommandError {
    CommandError::UnusableContent { file: argument.to_owned(), reason }
}
