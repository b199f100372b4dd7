//! `replay rules`: lists the responses and their exceptions, and names the owners of expired ones.

use std::io::{self, BufWriter, Write};

use responder_core::rules::{ExceptionEffect, Response, ResponseException};
use responder_core::time::Date;
use serde::Serialize;

use crate::cli::RuleListArgs;
use crate::command_outcome::{CommandError, CommandOutcome};
use crate::output::{JsonLines, warn};
use crate::rules_and_facts::load_rules;

pub(crate) fn list_rules(args: &RuleListArgs) -> Result<CommandOutcome, CommandError> {
    let rules = load_rules(&args.rules)?;
    let rows: Vec<ResponseLine<'_>> =
        rules.responses.values().map(|response| ResponseLine::new(response, args.on)).collect();
    let mut out = BufWriter::new(io::stdout().lock());
    if args.json {
        JsonLines::new(&mut out).write_all("response", &rows)?;
    } else {
        write_rows(&rows, &mut out)?;
    }
    out.flush()?;
    Ok(warn_of_expired(&rows))
}

/// Names the owner of each expired exception.
fn warn_of_expired(rows: &[ResponseLine<'_>]) -> CommandOutcome {
    let mut outcome = CommandOutcome::Done;
    for row in rows {
        for exception in &row.exceptions {
            if let Some(until) = exception.until
                && exception.expired
            {
                let owner = exception.owner.unwrap_or_default();
                let response = row.response;
                let id = exception.id;
                warn(&format!("exception {id} of {response} expired on {until}; its owner is {owner}"));
                outcome = CommandOutcome::Differs;
            }
        }
    }
    outcome
}

/// A response with its exceptions, as it is printed.
#[derive(Serialize)]
struct ResponseLine<'r> {
    response: &'r str,
    handler: &'static str,
    severity: &'static str,
    incident: &'r str,
    on: &'r [String],
    title: &'r str,
    exceptions: Vec<ExceptionLine<'r>>,
}

/// An exception, as it is printed.
#[derive(Serialize)]
struct ExceptionLine<'r> {
    id: &'r str,
    effect: ExceptionEffect,
    why: &'r str,
    owner: Option<&'r str>,
    until: Option<Date>,
    expired: bool,
}

impl<'r> ResponseLine<'r> {
    fn new(response: &'r Response, on: Option<Date>) -> Self {
        Self {
            response: &response.id,
            handler: response.handler.as_str(),
            severity: response.severity.as_str(),
            incident: &response.incident,
            on: &response.on,
            title: &response.title,
            exceptions: response
                .exceptions
                .iter()
                .map(|exception| ExceptionLine::new(exception, on))
                .collect(),
        }
    }
}

impl<'r> ExceptionLine<'r> {
    fn new(exception: &'r ResponseException, on: Option<Date>) -> Self {
        Self {
            id: &exception.id,
            effect: exception.effect,
            why: &exception.why,
            owner: exception.owner.as_deref(),
            until: exception.until,
            expired: on.is_some_and(|on| exception.is_expired(on.start())),
        }
    }
}

fn write_rows(rows: &[ResponseLine<'_>], out: &mut impl Write) -> io::Result<()> {
    let response_width = rows.iter().map(|row| row.response.len()).max().unwrap_or_default();
    let incident_width = rows.iter().map(|row| row.incident.len()).max().unwrap_or_default();
    for ResponseLine { response, handler, severity, incident, title, exceptions, .. } in rows {
        writeln!(
            out,
            "{handler:<9} {response:<response_width$}  {severity:<8}  {incident:<incident_width$}  {title}"
        )?;
        for exception in exceptions {
            write_exception(exception, out)?;
        }
    }
    Ok(())
}

fn write_exception(exception: &ExceptionLine<'_>, out: &mut impl Write) -> io::Result<()> {
    let ExceptionLine { id, effect, why, owner, until, expired } = exception;
    let effect = match effect {
        ExceptionEffect::Lower => "lower",
        ExceptionEffect::Info => "info",
        ExceptionEffect::Drop => "drop",
    };
    write!(out, "          except {id} ({effect}): {why}")?;
    if let (Some(owner), Some(until)) = (owner, until) {
        let state = if *expired { "EXPIRED" } else { "until" };
        write!(out, " {owner}, {state} {until}.")?;
    }
    writeln!(out)
}
