//! `replay match`: matches one pattern against one event, or a file of such pairs.

use std::borrow::Cow;
use std::io::{self, BufWriter, Write as _};
use std::path::Path;

use eventbridge_pattern::{EventFormatError, Pattern};
use responder_audit::input::{MissingMember, find_events, read_content};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::cli::MatchArgs;
use crate::command_outcome::{CommandError, CommandOutcome, unreadable_file, unusable_content};
use crate::output::{warn, write_json};

pub(crate) fn match_pattern(args: &MatchArgs) -> Result<CommandOutcome, CommandError> {
    match (&args.vectors, &args.pattern, &args.event) {
        (Some(vectors), _, _) => match_vectors(vectors),
        (None, Some(pattern), Some(event)) => match_pair(pattern, event),
        // The command line demands one or the other.
        _ => Ok(CommandOutcome::Unusable),
    }
}

fn match_pair(pattern_path: &Path, event_path: &Path) -> Result<CommandOutcome, CommandError> {
    let pattern = read_pattern(pattern_path)?;
    let bytes = wrap_bare_record(event_path, read_whole_file(event_path)?)?;
    let explanation =
        pattern.explain(&bytes).map_err(|error| unusable_content(event_path, error.to_string()))?;
    writeln!(io::stdout(), "{explanation}")?;
    Ok(if explanation.is_match() { CommandOutcome::Done } else { CommandOutcome::Differs })
}

/// The members of an event's envelope, which no CloudTrail record has. A text with one of them is matched as it is, so
/// that a pattern can be tried on a part of an event.
const ENVELOPE_MEMBERS: [&str; 3] = ["source", "detail-type", "detail"];

/// Puts a bare CloudTrail record into the envelope that EventBridge gives it, as `replay run` does. Every other text
/// stays as it is.
fn wrap_bare_record(path: &Path, bytes: Vec<u8>) -> Result<Vec<u8>, CommandError> {
    // A text that is not an object is reported in the words of the matcher.
    if let Ok(members) = serde_json::from_slice::<Map<String, Value>>(&bytes)
        && ENVELOPE_MEMBERS.iter().any(|name| members.contains_key(*name))
    {
        return Ok(bytes);
    }
    let mut events = Vec::new();
    find_events(&bytes, &mut |found| events.extend(found));
    match events.as_slice() {
        [] => Ok(bytes),
        // Every record of CloudTrail names its source: this is an object that has a member of the same name as one.
        [event] if event.origin.missing == Some(MissingMember::Source) => Ok(bytes),
        [event] => {
            warn("the file holds a CloudTrail record: it is matched in its EventBridge envelope");
            Ok(event.text.as_bytes().to_vec())
        }
        _ => Err(unusable_content(path, format!("{} events: `match` takes one", events.len()))),
    }
}

fn read_pattern(path: &Path) -> Result<Pattern, CommandError> {
    let bytes = read_whole_file(path)?;
    let text = str::from_utf8(&bytes).map_err(|error| unusable_content(path, error.to_string()))?;
    Pattern::parse(text).map_err(|error| unusable_content(path, error.to_string()))
}

/// A line of a file of pairs. Other members are for other readers.
#[derive(Deserialize)]
struct PatternVector<'a> {
    #[serde(default)]
    id: Value,
    #[serde(borrow)]
    pattern: Cow<'a, str>,
    #[serde(borrow)]
    event: Cow<'a, str>,
}

/// The result of a pair, as it is printed.
#[derive(Serialize)]
struct VectorResult {
    id: Value,
    result: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

fn match_vectors(path: &Path) -> Result<CommandOutcome, CommandError> {
    let bytes = read_whole_file(path)?;
    let mut out = BufWriter::new(io::stdout().lock());
    let mut outcome = CommandOutcome::Done;
    for (index, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        if line.trim_ascii().is_empty() {
            continue;
        }
        match serde_json::from_slice::<PatternVector<'_>>(line) {
            Ok(vector) => write_json(&match_vector(&vector), &mut out)?,
            Err(error) => {
                warn(&format!("{}: line {}: {error}", path.display(), index + 1));
                outcome = CommandOutcome::PartlyRead;
            }
        }
    }
    out.flush()?;
    Ok(outcome)
}

fn match_vector(vector: &PatternVector<'_>) -> VectorResult {
    let (result, error) = match Pattern::parse(&vector.pattern) {
        Err(error) => ("invalid", Some(error.to_string())),
        Ok(pattern) => match pattern.matches(vector.event.as_bytes()) {
            Err(EventFormatError::NotJson(error)) => ("event_error", Some(error.message().to_owned())),
            Err(error @ EventFormatError::NotAnObject) => ("event_error", Some(error.to_string())),
            Ok(true) => ("match", None),
            Ok(false) => ("no_match", None),
        },
    };
    VectorResult { id: vector.id.clone(), result, error }
}

/// Reads a file that must be read as a whole.
fn read_whole_file(path: &Path) -> Result<Vec<u8>, CommandError> {
    let content = read_content(path).map_err(|error| unreadable_file(path, error))?;
    match content.cut {
        None => Ok(content.bytes),
        Some(reason) => Err(unusable_content(path, reason)),
    }
}
