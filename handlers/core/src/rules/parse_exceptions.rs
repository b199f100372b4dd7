//! Parses the exceptions of responses: those in `_exceptions`, which rows may name, and those of a row alone.

use std::collections::BTreeMap;

use serde_json::Value;

use super::narrowing_patterns::NarrowingPatterns;
use super::problem_list::ProblemList;
use super::response_exception::{ExceptionRow, ResponseException};
use super::rule_id::{RULE_ID_FORMAT, is_rule_id};

/// The key of `responses.json` with the exceptions that rows may name.
pub(super) const SHARED_EXCEPTIONS_KEY: &str = "_exceptions";

/// Parses the exceptions that rows may name.
pub(super) fn parse_shared_exceptions(
    rows: Option<Value>,
    narrowing: &mut NarrowingPatterns,
    problems: &mut ProblemList,
) -> BTreeMap<String, ResponseException> {
    let mut shared = BTreeMap::new();
    let Some(rows) = rows else { return shared };
    let rows = match serde_json::from_value::<BTreeMap<String, ExceptionRow>>(rows) {
        Ok(rows) => rows,
        Err(error) => {
            problems.add_for_response(format!("`{SHARED_EXCEPTIONS_KEY}`"), error.to_string());
            return shared;
        }
    };
    for (id, row) in rows {
        let entry = format!("`{SHARED_EXCEPTIONS_KEY}`.`{id}`");
        if !is_rule_id(&id) {
            problems.add_for_response(&entry, RULE_ID_FORMAT);
        }
        if row.id.is_some() {
            problems.add_for_response(&entry, "`id`: here the key is its name");
        }
        match row.check(id.clone(), narrowing) {
            Ok(exception) => {
                shared.insert(id, exception);
            }
            Err(reasons) => {
                for reason in reasons {
                    problems.add_for_response(&entry, reason);
                }
            }
        }
    }
    shared
}

/// Parses the exceptions of a row: names of shared ones, and its own.
pub(super) fn parse_row_exceptions(
    row_id: &str,
    values: Vec<Value>,
    shared: &BTreeMap<String, ResponseException>,
    narrowing: &mut NarrowingPatterns,
    problems: &mut ProblemList,
) -> Vec<ResponseException> {
    let mut exceptions: Vec<ResponseException> = Vec::new();
    for (index, value) in values.into_iter().enumerate() {
        let entry = format!("`{row_id}`.exceptions[{index}]");
        let parsed = match value {
            Value::String(name) => find_shared_exception(&name, shared),
            own => parse_own_exception(own, shared, narrowing),
        };
        match parsed {
            Ok(exception) if exceptions.iter().any(|known| known.id == exception.id) => {
                problems.add_for_response(entry, "an exception of this name stands here twice");
            }
            Ok(exception) => exceptions.push(exception),
            Err(reasons) => {
                for reason in reasons {
                    problems.add_for_response(&entry, reason);
                }
            }
        }
    }
    exceptions
}

fn find_shared_exception(
    name: &str,
    shared: &BTreeMap<String, ResponseException>,
) -> Result<ResponseException, Vec<String>> {
    match shared.get(name) {
        Some(exception) => Ok(exception.clone()),
        None => Err(vec![format!("there is no exception `{name}` in `{SHARED_EXCEPTIONS_KEY}`")]),
    }
}

fn parse_own_exception(
    value: Value,
    shared: &BTreeMap<String, ResponseException>,
    narrowing: &mut NarrowingPatterns,
) -> Result<ResponseException, Vec<String>> {
    let row: ExceptionRow = match serde_json::from_value(value) {
        Ok(row) => row,
        Err(error) => return Err(vec![error.to_string()]),
    };
    match row.id.clone() {
        Some(id) if is_rule_id(&id) && !shared.contains_key(&id) => row.check(id, narrowing),
        _ => Err(vec![format!("`id`: {RULE_ID_FORMAT}, and no name in `{SHARED_EXCEPTIONS_KEY}`")]),
    }
}
