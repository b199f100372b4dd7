//! `replay rules`: the responses and their exceptions, and whose have run out.

use std::io::{self, BufWriter, Write};

use responder_core::rules::{CalendarDay, ExceptionEffect, Response, RuleSet};
use serde::Serialize;

use crate::cli::ListArgs;
use crate::output::line;
use crate::{End, Failure, settings, warn};

pub(crate) fn list(args: &ListArgs) -> Result<End, Failure> {
    let rules = settings::rules(&args.rules)?;
    let rows = rows(&rules, args.on);
    let mut out = BufWriter::new(io::stdout().lock());
    if args.json {
        rows.iter().try_for_each(|row| line("response", row, &mut out))?;
    } else {
        table(&rows, &mut out)?;
    }
    out.flush()?;
    let expired = rows.iter().flat_map(|row| row.exceptions.iter().map(move |exception| (row, exception)));
    let mut end = End::Done;
    for (row, exception) in expired.filter(|(_, exception)| exception.expired) {
        let (id, owner) = (exception.id, exception.owner.unwrap_or_default());
        let until = exception.until.map(|until| until.to_string()).unwrap_or_default();
        warn(&format!("exception {id} of {} ran out on {until}: {owner} answers for it", row.response));
        end = End::Differs;
    }
    Ok(end)
}

/// A response with its exceptions.
#[derive(Serialize)]
struct Row<'r> {
    response: &'r str,
    handler: &'static str,
    severity: &'static str,
    incident: &'r str,
    on: &'r [String],
    title: &'r str,
    exceptions: Vec<Excepted<'r>>,
}

#[derive(Serialize)]
struct Excepted<'r> {
    id: &'r str,
    effect: ExceptionEffect,
    why: &'r str,
    owner: Option<&'r str>,
    until: Option<CalendarDay>,
    expired: bool,
}

fn rows(rules: &RuleSet, on: Option<CalendarDay>) -> Vec<Row<'_>> {
    rules.responses.values().map(|response| row(response, on)).collect()
}

fn row(response: &Response, on: Option<CalendarDay>) -> Row<'_> {
    let exceptions = response.exceptions.iter().map(|exception| Excepted {
        id: &exception.id,
        effect: exception.effect,
        why: &exception.why,
        owner: exception.owner.as_deref(),
        until: exception.until,
        expired: on.is_some_and(|on| exception.is_expired(on.start())),
    });
    Row {
        response: &response.id,
        handler: response.handler.name(),
        severity: response.severity.name(),
        incident: &response.incident,
        on: &response.on,
        title: &response.title,
        exceptions: exceptions.collect(),
    }
}

fn table(rows: &[Row<'_>], out: &mut impl Write) -> io::Result<()> {
    let width = |of: &dyn Fn(&Row<'_>) -> usize| rows.iter().map(of).max().unwrap_or_default();
    let (ids, incidents) = (width(&|row| row.response.len()), width(&|row| row.incident.len()));
    for row in rows {
        let Row { response, handler, severity, incident, title, .. } = row;
        writeln!(out, "{handler:<9} {response:<ids$}  {severity:<8}  {incident:<incidents$}  {title}")?;
        for Excepted { id, effect, why, owner, until, expired } in &row.exceptions {
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
            writeln!(out)?;
        }
    }
    Ok(())
}
