//! `replay match`: one pattern and one event, or a file of such pairs.

use std::borrow::Cow;
use std::io::{self, BufWriter, Write as _};
use std::path::Path;

use eventbridge_pattern::{EventFormatError, Pattern};
use responder_core::text::json_line;
use serde::{Deserialize, Serialize};

use crate::cli::MatchArgs;
use crate::{End, Failure, source, warn};

pub(crate) fn run(args: &MatchArgs) -> Result<End, Failure> {
    match (&args.vectors, &args.pattern, &args.event) {
        (Some(vectors), _, _) => self::vectors(vectors),
        (None, Some(pattern), Some(event)) => pair(pattern, event),
        // The command line demands one or the other.
        _ => Ok(End::Unusable),
    }
}

fn pair(pattern: &Path, event: &Path) -> Result<End, Failure> {
    let name = pattern.display().to_string();
    let text = String::from_utf8(bytes(pattern)?)
        .map_err(|error| Failure::Content { file: name.clone(), reason: error.utf8_error().to_string() })?;
    let pattern =
        Pattern::parse(&text).map_err(|error| Failure::Content { file: name, reason: error.to_string() })?;
    let name = event.display().to_string();
    let explanation = pattern
        .explain(bytes(event)?)
        .map_err(|error| Failure::Content { file: name, reason: error.to_string() })?;
    writeln!(io::stdout(), "{explanation}")?;
    Ok(if explanation.is_match() { End::Done } else { End::Differs })
}

/// A line of a file of vectors; other members are for other readers.
#[derive(Deserialize)]
struct Vector<'a> {
    #[serde(default)]
    id: serde_json::Value,
    #[serde(borrow)]
    pattern: Cow<'a, str>,
    #[serde(borrow)]
    event: Cow<'a, str>,
}

#[derive(Serialize)]
struct Verdict {
    id: serde_json::Value,
    result: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

fn vectors(path: &Path) -> Result<End, Failure> {
    let file = path.display().to_string();
    let bytes = bytes(path)?;
    let mut out = BufWriter::new(io::stdout().lock());
    let mut end = End::Done;
    for (number, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        if line.trim_ascii().is_empty() {
            continue;
        }
        match serde_json::from_slice::<Vector<'_>>(line) {
            Ok(vector) => writeln!(out, "{}", json_line(&verdict(&vector)).map_err(io::Error::from)?)?,
            Err(error) => {
                warn(&format!("{file}: line {}: {error}", number + 1));
                end = End::Parked;
            }
        }
    }
    out.flush()?;
    Ok(end)
}

fn verdict(vector: &Vector<'_>) -> Verdict {
    let (result, error) = match Pattern::parse(&vector.pattern) {
        Err(error) => ("invalid", Some(error.to_string())),
        Ok(pattern) => match pattern.matches(vector.event.as_bytes()) {
            Err(EventFormatError::NotJson(error)) => ("event_error", Some(error.message().to_owned())),
            Err(error @ EventFormatError::NotAnObject) => ("event_error", Some(error.to_string())),
            Ok(true) => ("match", None),
            Ok(false) => ("no_match", None),
        },
    };
    Verdict { id: vector.id.clone(), result, error }
}

fn bytes(path: &Path) -> Result<Vec<u8>, Failure> {
    let file = path.display().to_string();
    let (bytes, complete) =
        source::read(path).map_err(|error| Failure::File { file: file.clone(), error })?;
    match complete {
        Ok(()) => Ok(bytes),
        Err(reason) => Err(Failure::Content { file, reason }),
    }
}
