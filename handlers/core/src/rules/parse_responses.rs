//! Parses `responses.json`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::event_rule::EventRule;
use super::handler::Handler;
use super::narrowing_patterns::{NarrowingIndex, NarrowingPatterns};
use super::page_text::{WITHOUT_PREFIX, find_placeholders};
use super::parse_exceptions::{SHARED_EXCEPTIONS_KEY, parse_row_exceptions, parse_shared_exceptions};
use super::problem_list::{ProblemList, RESPONSES_FILE, RuleFile};
use super::response::Response;
use super::response_exception::ResponseException;
use super::response_row::ResponseRow;
use super::row_problems::find_row_problems;
use super::rule_id::{RULE_ID_FORMAT, is_rule_id};

/// Parses the responses by id, with the narrowing patterns that they use.
pub(super) fn parse_responses(
    files: &[RuleFile],
    rules: &[EventRule],
    problems: &mut ProblemList,
) -> (BTreeMap<String, Response>, NarrowingPatterns) {
    let mut parser = ResponseParser {
        rules,
        shared_exceptions: BTreeMap::new(),
        narrowing: NarrowingPatterns::new(rules.len()),
        problems,
    };
    let responses = parser.parse_file(files);
    (responses, parser.narrowing)
}

struct ResponseParser<'l> {
    rules: &'l [EventRule],
    shared_exceptions: BTreeMap<String, ResponseException>,
    narrowing: NarrowingPatterns,
    problems: &'l mut ProblemList,
}

impl ResponseParser<'_> {
    fn parse_file(&mut self, files: &[RuleFile]) -> BTreeMap<String, Response> {
        let mut responses = BTreeMap::new();
        let Some(file) = files.iter().find(|file| file.path == RESPONSES_FILE) else {
            self.problems.add_for_file(RESPONSES_FILE, "missing; it defines the responses to the rules");
            return responses;
        };
        self.problems.check_duplicate_keys(file);
        let mut rows: BTreeMap<String, Value> = match serde_json::from_str(&file.text) {
            Ok(rows) => rows,
            Err(error) => {
                self.problems.add_for_file(RESPONSES_FILE, error.to_string());
                return responses;
            }
        };
        let shared_rows = rows.remove(SHARED_EXCEPTIONS_KEY);
        self.shared_exceptions = parse_shared_exceptions(shared_rows, &mut self.narrowing, self.problems);
        let row_count = rows.len();
        for (id, row) in rows {
            if !is_rule_id(&id) {
                self.problems.add_for_response(format!("`{id}`"), RULE_ID_FORMAT);
            }
            match serde_json::from_value::<ResponseRow>(row) {
                Ok(row) => {
                    let response = self.parse_row(&id, row);
                    responses.extend(response.map(|response| (id, response)));
                }
                Err(error) => self.problems.add_for_response(format!("`{id}`"), error.to_string()),
            }
        }
        // A row that could not be read may have named any rule.
        if responses.len() == row_count {
            self.check_every_rule_is_named(&responses);
        }
        self.check_shared_incidents(&responses);
        self.check_excluding_lines(&responses);
        responses
    }

    fn parse_row(&mut self, id: &str, row: ResponseRow) -> Option<Response> {
        for name in row.on.iter().chain(&row.resolved_by) {
            if !self.rules.iter().any(|rule| rule.id == *name) {
                self.problems.add_for_response(format!("`{id}`"), format!("there is no rule `{name}`"));
            }
        }
        let mut rule_handlers: BTreeSet<Handler> = BTreeSet::new();
        for rule in self.rules {
            if row.on.contains(&rule.id) {
                rule_handlers.insert(rule.handler);
            }
        }
        for problem in find_row_problems(&row, &rule_handlers) {
            self.problems.add_for_response(format!("`{id}`.{}", problem.field), problem.reason);
        }
        let handler = row.find_handler(&rule_handlers)?;
        if row.incident.as_ref().is_some_and(|incident| !is_rule_id(incident)) {
            self.problems.add_for_response(format!("`{id}`.incident"), RULE_ID_FORMAT);
        }
        let threshold = row.threshold_or_default(handler);
        let resolve_after = row.resolve_after_or_default(handler);
        let exceptions = parse_row_exceptions(
            id,
            row.exceptions,
            &self.shared_exceptions,
            &mut self.narrowing,
            self.problems,
        );
        Some(Response {
            id: id.to_owned(),
            incident: row.incident.unwrap_or_else(|| id.to_owned()),
            handler,
            on: row.on,
            action: row.action,
            severity: row.severity,
            title: row.title,
            runbook: row.runbook,
            counted: row.when.is_some(),
            when: threshold,
            resolve_after,
            resolves_when_quiet: row.resolves_when_quiet,
            resolved_by: row.resolved_by,
            meaning: row.meaning,
            certainty: row.certainty,
            next_steps: row.next_steps,
            exceptions,
            where_pattern: self.parse_narrowing_pattern(id, "where", row.where_pattern),
            unless_pattern: self.parse_narrowing_pattern(id, "unless", row.unless_pattern),
        })
    }

    fn parse_narrowing_pattern(
        &mut self,
        id: &str,
        field: &str,
        pattern: Option<Value>,
    ) -> Option<NarrowingIndex> {
        match self.narrowing.add(&pattern?) {
            Ok(index) => Some(index),
            Err(reason) => {
                self.problems.add_for_response(format!("`{id}`.{field}"), reason);
                None
            }
        }
    }

    fn check_every_rule_is_named(&mut self, responses: &BTreeMap<String, Response>) {
        let mut named: BTreeSet<&String> = BTreeSet::new();
        for response in responses.values() {
            named.extend(&response.on);
            named.extend(&response.resolved_by);
        }
        for rule in self.rules {
            if !named.contains(&rule.id) {
                let path = format!("{}/{}.json", rule.handler, rule.id);
                let reason = "no response in responses.json has it in `on`: its events would have no effect";
                self.problems.add_for_file(&path, reason);
            }
        }
    }

    /// A line that another response's detection keeps off the page must name one that can find the same incident.
    fn check_excluding_lines(&mut self, responses: &BTreeMap<String, Response>) {
        for response in responses.values() {
            for line in &response.next_steps {
                for name in find_placeholders(line) {
                    let Some(other) = name.strip_prefix(WITHOUT_PREFIX) else { continue };
                    let shares =
                        responses.get(other).is_some_and(|other| other.incident == response.incident);
                    if !shares {
                        let reason = format!("`{{{name}}}`: no response `{other}` shares the incident");
                        self.problems.add_for_response(format!("`{}`.next_steps", response.id), reason);
                    }
                }
            }
        }
    }

    /// Responses that share an incident must agree on its subject and its end.
    fn check_shared_incidents(&mut self, responses: &BTreeMap<String, Response>) {
        let mut first_responses: BTreeMap<&str, &Response> = BTreeMap::new();
        for response in responses.values() {
            let first = *first_responses.entry(&response.incident).or_insert(response);
            let agrees = response.handler == first.handler
                && response.when.per == first.when.per
                && response.resolve_after == first.resolve_after
                && response.resolves_when_quiet == first.resolves_when_quiet
                && response.resolved_by == first.resolved_by;
            if !agrees {
                let reason = format!(
                    "shares an incident with `{}`: `when.per`, `resolve_after`, `resolves_when_quiet`, `resolved_by` and the folder must be the same",
                    first.id
                );
                self.problems.add_for_response(format!("`{}`.incident", response.id), reason);
            }
        }
    }
}
