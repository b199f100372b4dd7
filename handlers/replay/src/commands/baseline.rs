//! `replay baseline`: learns from past events who last read which secret, and when.

use std::collections::BTreeMap;
use std::io::{self, BufWriter, Write};

use responder_audit::input::read_events;
use responder_core::decide::{LastSeenItem, reads};
use responder_core::time::Timestamp;
use serde_json::{Value, json};

use crate::cli::{BaselineArgs, BaselineFormat};
use crate::command_outcome::{CommandError, CommandOutcome, check_paths};
use crate::output::{TerminalProgress, warn_of_problems, write_json};
use crate::rules_and_facts::load_rules;

/// How many items one request may write (`API_BatchWriteItem`).
const BATCH_WRITE_ITEMS_MAX: usize = 25;

pub(crate) fn learn_baseline(args: &BaselineArgs) -> Result<CommandOutcome, CommandError> {
    if args.format == BaselineFormat::Items && args.table.is_none() {
        return Err(CommandError::UnusableContent {
            file: "--table".to_owned(),
            reason: "items need the name of the ledger's table; `--format facts` needs none".to_owned(),
        });
    }
    let rules = load_rules(&args.rules)?;
    check_paths(&args.paths)?;
    let mut last_seen: BTreeMap<String, Timestamp> = BTreeMap::new();
    let reading = read_events(&args.paths, &mut TerminalProgress::new(), &mut |event| {
        let matched_events = rules.match_event(event.text).map_err(|error| error.to_string())?;
        for (key, at) in matched_events.iter().flat_map(reads) {
            let last = last_seen.entry(key).or_insert(at);
            *last = at.max(*last);
        }
        Ok(())
    });
    warn_of_problems(&reading.problems);
    let mut out = BufWriter::new(io::stdout().lock());
    match (&args.table, args.format) {
        (Some(table), BaselineFormat::Items) => write_items(table, &last_seen, &mut out)?,
        _ => write_json(&json!({ "settings": { "first_reads": true }, "seen": last_seen }), &mut out)?,
    }
    out.flush()?;
    Ok(CommandOutcome::after_reading(reading.coverage.report().events, reading.problems.len()))
}

/// Writes requests for `batch-write-item`, one a line.
fn write_items(table: &str, last_seen: &BTreeMap<String, Timestamp>, out: &mut impl Write) -> io::Result<()> {
    let mut requests = Vec::new();
    for (key, at) in last_seen {
        requests.push(put_request(&LastSeenItem::of(key, *at)));
    }
    for batch in requests.chunks(BATCH_WRITE_ITEMS_MAX) {
        write_json(&BTreeMap::from([(table, batch)]), out)?;
    }
    Ok(())
}

fn put_request(item: &LastSeenItem) -> Value {
    json!({ "PutRequest": { "Item": {
        "pk": { "S": item.pk },
        "sk": { "S": item.sk },
        "at": { "N": item.at.to_string() },
        "ttl": { "N": item.ttl.to_string() },
    } } })
}
