//! `replay baseline`: who read which secret last when, learned from past events.

use std::collections::BTreeMap;
use std::io::{self, BufWriter, Write as _};

use responder_core::decide::{LastSeenItem, reads};
use responder_core::text::json_line;
use responder_core::time::Timestamp;
use serde_json::{Value, json};

use crate::cli::{BaselineArgs, BaselineFormat};
use crate::source::each_event;
use crate::{End, Failure, report, settings, warn};

/// How many items `BatchWriteItem` takes (`API_BatchWriteItem`).
const BATCH: usize = 25;

pub(crate) fn baseline(args: &BaselineArgs) -> Result<End, Failure> {
    let table = args.table.as_ref();
    if args.format == BaselineFormat::Items && table.is_none() {
        let reason = "name the ledger's table; without one there is `--format facts`".to_owned();
        return Err(Failure::Content { file: "--table".to_owned(), reason });
    }
    let rules = settings::rules(&args.rules)?;
    let mut seen: BTreeMap<String, Timestamp> = BTreeMap::new();
    let problems = each_event(&args.paths, &mut |text| {
        for (key, at) in rules.cases(text).map_err(|error| error.to_string())?.iter().flat_map(reads) {
            let last = seen.entry(key).or_insert(at);
            *last = (*last).max(at);
        }
        Ok(())
    });
    for problem in &problems {
        warn(&report::problem(problem));
    }
    let mut out = BufWriter::new(io::stdout().lock());
    match args.format {
        BaselineFormat::Facts => {
            let facts = json!({ "settings": { "first_reads": true }, "seen": seen });
            writeln!(out, "{}", json_line(&facts).map_err(io::Error::from)?)?;
        }
        BaselineFormat::Items => {
            let items: Vec<Value> = seen.iter().map(|(key, at)| put(&LastSeenItem::of(key, *at))).collect();
            for some in items.chunks(BATCH) {
                let request = BTreeMap::from([(table.map_or("", String::as_str), some)]);
                writeln!(out, "{}", json_line(&request).map_err(io::Error::from)?)?;
            }
        }
    }
    out.flush()?;
    Ok(if problems.is_empty() { End::Done } else { End::Parked })
}

fn put(item: &LastSeenItem) -> Value {
    let number = |number: i64| json!({ "N": number.to_string() });
    json!({ "PutRequest": { "Item": {
        "pk": { "S": item.pk }, "sk": { "S": item.sk }, "at": number(item.at), "ttl": number(item.ttl),
    } } })
}
