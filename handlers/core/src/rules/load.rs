//! Loads rules from text and says everything that is wrong with them at once.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use eventbridge_pattern::json::find_duplicate_key;
use eventbridge_pattern::{MAX_PATTERN_CHARACTERS, Pattern, PatternSet};
use serde_json::{Value, json};

use super::exception::{ExceptionRow, ResponseException};
use super::narrowing::{DERIVED, NarrowingPatterns};
use super::response::Response;
use super::row::ResponseRow;
use super::{EventRule, Handler, RuleSet};

/// One file of the rules folder.
#[derive(Clone, Debug)]
pub struct RuleFile {
    /// The path below the rules folder, with `/`: `access/secret-read.json`.
    pub path: String,
    /// Its text.
    pub text: String,
}

/// One thing that is wrong with the rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleProblem {
    /// The file's path below the rules folder.
    pub file: String,
    /// Where in it: a byte, or the name of an entry; empty for the whole file.
    pub place: String,
    /// What is wrong and, where it is not plain, what to do.
    pub reason: String,
}

impl fmt::Display for RuleProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place.as_str() {
            "" => write!(f, "{}: {}", self.file, self.reason),
            place => write!(f, "{}: {place}: {}", self.file, self.reason),
        }
    }
}

/// Everything that is wrong with the rules.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct RulesError(pub Vec<RuleProblem>);

/// Loads `<handler>/<id>.json` patterns and `responses.json`; other files are passed over.
///
/// # Errors
/// Every problem of every file.
pub fn load(files: &[RuleFile]) -> Result<RuleSet, RulesError> {
    let mut loader = RuleLoader { problems: Vec::new() };
    let rules = loader.rules(files);
    let (responses, narrowing) = loader.responses(files, &rules);
    if loader.problems.is_empty() {
        let envelope = rules.len() + narrowing.event.len();
        let patterns = rules.iter().map(|rule| rule.pattern.clone()).chain(narrowing.event);
        let set: PatternSet = patterns.chain(Pattern::parse(ENVELOPE)).collect();
        let later = PatternSet::new(narrowing.derived);
        Ok(RuleSet { rules, responses, set, envelope, enriched_patterns: later })
    } else {
        Err(RulesError(loader.problems))
    }
}

/// Matches what has the strings that every event from EventBridge has.
const ENVELOPE: &str = r#"{"source": [{"prefix": ""}], "detail-type": [{"prefix": ""}]}"#;

struct RuleLoader {
    problems: Vec<RuleProblem>,
}

impl RuleLoader {
    fn problem(&mut self, file: &str, place: impl Into<String>, reason: impl Into<String>) {
        self.problems.push(RuleProblem { file: file.to_owned(), place: place.into(), reason: reason.into() });
    }

    fn problems_at(&mut self, place: &str, reasons: Vec<String>) {
        for reason in reasons {
            self.problem(RESPONSES, place, reason);
        }
    }

    fn rules(&mut self, files: &[RuleFile]) -> Vec<EventRule> {
        let mut rules = BTreeMap::new();
        for file in files {
            let Some((folder, name)) = file.path.split_once('/') else { continue };
            let Some(id) = name.strip_suffix(".json") else { continue };
            let Some(handler) = Handler::ALL.into_iter().find(|handler| handler.name() == folder) else {
                self.problem(
                    &file.path,
                    "",
                    "no such handler; patterns belong in rotation/, access/, failure/ or sweep/",
                );
                continue;
            };
            if !is_id(id) {
                self.problem(&file.path, "", IS_ID);
            }
            self.no_duplicate_keys(file);
            let pattern = match Pattern::parse(&file.text) {
                Ok(pattern) => pattern,
                Err(error) => {
                    let place = place_of(&file.text, error.offset());
                    self.problem(&file.path, place, error.to_string());
                    continue;
                }
            };
            if pattern.mentions(DERIVED) {
                let reason = "EventBridge knows no `derived`; narrow by it in `where` of responses.json";
                self.problem(&file.path, "", reason);
            }
            let length = pattern.minified_length();
            if length > MAX_PATTERN_CHARACTERS {
                let reason = format!(
                    "the pattern has {length} characters without white space; EventBridge takes {MAX_PATTERN_CHARACTERS}"
                );
                self.problem(&file.path, "", reason);
            }
            let rule = EventRule { id: id.to_owned(), handler, pattern };
            if rules.insert(id.to_owned(), rule).is_some() {
                self.problem(&file.path, "", "another folder has a rule of this name");
            }
        }
        let mut rules: Vec<EventRule> = rules.into_values().collect();
        rules.sort_by(|a, b| (a.handler, &a.id).cmp(&(b.handler, &b.id)));
        rules
    }

    fn responses(
        &mut self,
        files: &[RuleFile],
        rules: &[EventRule],
    ) -> (BTreeMap<String, Response>, NarrowingPatterns) {
        let mut responses = BTreeMap::new();
        let mut narrowing = NarrowingPatterns { rules: rules.len(), ..NarrowingPatterns::default() };
        let Some(file) = files.iter().find(|file| file.path == RESPONSES) else {
            self.problem(RESPONSES, "", "missing; it says what each rule means");
            return (responses, narrowing);
        };
        self.no_duplicate_keys(file);
        let mut rows: BTreeMap<String, Value> = match serde_json::from_str(&file.text) {
            Ok(rows) => rows,
            Err(error) => {
                self.problem(RESPONSES, "", error.to_string());
                return (responses, narrowing);
            }
        };
        let shared = self.shared_exceptions(rows.remove(EXCEPTIONS), &mut narrowing);
        let count = rows.len();
        for (id, row) in rows {
            if !is_id(&id) {
                self.problem(RESPONSES, format!("`{id}`"), IS_ID);
            }
            match serde_json::from_value::<ResponseRow>(row) {
                Ok(row) => {
                    let response = self.response(&id, row, rules, &shared, &mut narrowing);
                    responses.extend(response.map(|response| (id, response)));
                }
                Err(error) => self.problem(RESPONSES, format!("`{id}`"), error.to_string()),
            }
        }
        let named: BTreeSet<&String> =
            responses.values().flat_map(|response| response.on.iter().chain(&response.resolved_by)).collect();
        // A row that could not be read may have named any rule.
        if responses.len() == count {
            for rule in rules.iter().filter(|rule| !named.contains(&rule.id)) {
                let reason = "no response in responses.json has it in `on`: its events would mean nothing";
                self.problem(&format!("{}/{}.json", rule.handler, rule.id), "", reason);
            }
        }
        self.incidents(&responses);
        (responses, narrowing)
    }

    /// The exceptions that rows may name.
    fn shared_exceptions(
        &mut self,
        rows: Option<Value>,
        narrowing: &mut NarrowingPatterns,
    ) -> BTreeMap<String, ResponseException> {
        let rows =
            serde_json::from_value::<BTreeMap<String, ExceptionRow>>(rows.unwrap_or_else(|| json!({})));
        let rows =
            rows.map_err(|error| self.problem(RESPONSES, format!("`{EXCEPTIONS}`"), error.to_string()));
        let mut shared = BTreeMap::new();
        for (id, row) in rows.unwrap_or_default() {
            let place = format!("`{EXCEPTIONS}`.`{id}`");
            if !is_id(&id) {
                self.problem(RESPONSES, &place, IS_ID);
            }
            if row.id.is_some() {
                self.problem(RESPONSES, &place, "`id`: here the key is its name");
            }
            match row.load(id.clone(), narrowing) {
                Ok(exception) => drop(shared.insert(id, exception)),
                Err(reasons) => self.problems_at(&place, reasons),
            }
        }
        shared
    }

    /// The exceptions of a row, by name or its own.
    fn exceptions(
        &mut self,
        row: &str,
        values: Vec<Value>,
        shared: &BTreeMap<String, ResponseException>,
        narrowing: &mut NarrowingPatterns,
    ) -> Vec<ResponseException> {
        let mut exceptions: Vec<ResponseException> = Vec::new();
        for (index, value) in values.into_iter().enumerate() {
            let found = match value {
                Value::String(name) => {
                    let reason = format!("there is no exception `{name}` in `{EXCEPTIONS}`");
                    shared.get(&name).cloned().ok_or_else(|| vec![reason])
                }
                own => serde_json::from_value::<ExceptionRow>(own)
                    .map_err(|error| vec![error.to_string()])
                    .and_then(|own| {
                        let id = own.id.clone().filter(|id| is_id(id) && !shared.contains_key(id));
                        let id =
                            id.ok_or_else(|| vec![format!("`id`: {IS_ID}, and no name in `{EXCEPTIONS}`")])?;
                        own.load(id, narrowing)
                    }),
            };
            let place = format!("`{row}`.exceptions[{index}]");
            match found {
                Ok(found) if exceptions.iter().any(|known| known.id == found.id) => {
                    self.problem(RESPONSES, place, "an exception of this name stands here twice");
                }
                Ok(found) => exceptions.push(found),
                Err(reasons) => self.problems_at(&place, reasons),
            }
        }
        exceptions
    }

    /// Responses that share an incident must agree on what it is about and when it is over.
    fn incidents(&mut self, responses: &BTreeMap<String, Response>) {
        let mut first: BTreeMap<&str, &Response> = BTreeMap::new();
        for response in responses.values() {
            let of = |response: &Response| {
                let Response { handler, when, resolve_after, resolved_by, .. } = response;
                (*handler, when.per, *resolve_after, resolved_by.clone())
            };
            let known = *first.entry(&response.incident).or_insert(response);
            if of(known) != of(response) {
                let reason = format!(
                    "shares an incident with `{}`: `when.per`, `resolve_after`, `resolved_by` and the folder must be the same",
                    known.id
                );
                self.problem(RESPONSES, format!("`{}`.incident", response.id), reason);
            }
        }
    }

    fn response(
        &mut self,
        id: &str,
        row: ResponseRow,
        rules: &[EventRule],
        shared: &BTreeMap<String, ResponseException>,
        narrowing: &mut NarrowingPatterns,
    ) -> Option<Response> {
        let place = |field: &str| format!("`{id}`.{field}");
        for name in row.on.iter().chain(&row.resolved_by) {
            if !rules.iter().any(|rule| rule.id == *name) {
                self.problem(RESPONSES, format!("`{id}`"), format!("there is no rule `{name}`"));
            }
        }
        let handlers: BTreeSet<Handler> =
            rules.iter().filter(|rule| row.on.contains(&rule.id)).map(|rule| rule.handler).collect();
        for (field, reason) in row.problems(&handlers) {
            self.problem(RESPONSES, place(field), reason);
        }
        let handler = row.handler(&handlers)?;
        let counted = row.when.is_some();
        let (when, resolve_after) = (row.when_or_default(handler), row.resolve_after(handler));
        if row.incident.as_deref().is_some_and(|name| !is_id(name)) {
            self.problem(RESPONSES, place("incident"), IS_ID);
        }
        let exceptions = self.exceptions(id, row.exceptions, shared, narrowing);
        let mut narrow = |field: &str, pattern: Option<Value>| {
            let added = narrowing.add(&pattern?);
            added.map_err(|reason| self.problem(RESPONSES, place(field), reason)).ok()
        };
        let (only_if, unless) = (narrow("where", row.only_if), narrow("unless", row.unless));
        Some(Response {
            id: id.to_owned(),
            incident: row.incident.unwrap_or_else(|| id.to_owned()),
            handler,
            on: row.on,
            action: row.action,
            severity: row.severity,
            title: row.title,
            runbook: row.runbook,
            when,
            counted,
            resolve_after: resolve_after,
            resolved_by: row.resolved_by,
            means: row.means,
            sure: row.sure,
            next_steps: row.next_steps,
            exceptions,
            only_if,
            unless,
        })
    }

    /// EventBridge silently takes the last of two equal keys, and so would everybody who reads the file later.
    fn no_duplicate_keys(&mut self, file: &RuleFile) {
        if let Some(offset) = find_duplicate_key(&file.text) {
            let reason = "the same key stands here twice; EventBridge would silently take the last";
            self.problem(&file.path, place_of(&file.text, offset), reason);
        }
    }
}

const RESPONSES: &str = "responses.json";
/// The reserved key of the exceptions that rows may name.
const EXCEPTIONS: &str = "_exceptions";
const IS_ID: &str = "an id is lower-case letters, digits and hyphens, at most 64";

fn is_id(id: &str) -> bool {
    (1..=64).contains(&id.len())
        && id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && !id.starts_with('-')
}

fn place_of(text: &str, offset: usize) -> String {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    format!("line {line}, column {column}")
}
