//! Warns of patterns that are valid and can never match: EventBridge accepts them without a word.

use serde_json::{Map, Value};

use super::known_fields::{
    API_CALL, CLOUDTRAIL_SUFFIX, DETAIL_TYPES, ENVELOPE_FIELDS, IDENTITY_FIELDS, RECORD_FIELDS,
    SECRET_API_CALLS, SECRET_SERVICE_EVENTS, SERVICE_EVENT, find_meant_name,
};
use super::narrowing_patterns::ENRICHMENT_FIELD;
use super::parse_exceptions::SHARED_EXCEPTIONS_KEY;
use super::problem_list::{RESPONSES_FILE, RuleFile, RuleProblem};

/// Finds the parts of rules and responses that can never match an event, with the name that was meant where there is one.
/// The files are those that [`super::parse_rules`] accepts. Checks of each pattern:
///
/// 1. A rule names the `source`: otherwise anybody who may put events can trigger it.
/// 2. The first name of each path is a field of every event.
/// 3. Below `detail`, the name is a field of a CloudTrail record, if the detail type is CloudTrail's; otherwise only a
///    name that is like one is reported.
/// 4. The values of `source`, `detail-type`, `eventSource` and `eventName` are written as events have them.
/// 5. A service event is not asked for as an API call, nor a call as a service event.
pub fn find_pattern_warnings(files: &[RuleFile]) -> Vec<RuleProblem> {
    let mut warnings = Vec::new();
    for file in files {
        let Ok(Value::Object(content)) = serde_json::from_str(&file.text) else { continue };
        if file.path == RESPONSES_FILE {
            check_responses(&content, &mut warnings);
        } else if file.path.contains('/') {
            let mut checker = PatternChecker::new(&file.path, "", &mut warnings);
            checker.check_rule(&content);
        }
    }
    warnings
}

/// Checks `where` and `unless` of each row, and `where` of each exception.
fn check_responses(rows: &Map<String, Value>, warnings: &mut Vec<RuleProblem>) {
    for (id, row) in rows {
        if id == SHARED_EXCEPTIONS_KEY {
            for (name, exception) in row.as_object().into_iter().flatten() {
                check_narrowing(exception, "where", &format!("`{id}`.`{name}`"), warnings);
            }
            continue;
        }
        check_narrowing(row, "where", &format!("`{id}`"), warnings);
        check_narrowing(row, "unless", &format!("`{id}`"), warnings);
        let exceptions = row.get("exceptions").and_then(Value::as_array);
        for (index, exception) in exceptions.into_iter().flatten().enumerate() {
            check_narrowing(exception, "where", &format!("`{id}`.exceptions[{index}]"), warnings);
        }
    }
}

fn check_narrowing(row: &Value, field: &str, entry: &str, warnings: &mut Vec<RuleProblem>) {
    if let Some(Value::Object(pattern)) = row.get(field) {
        let mut checker = PatternChecker::new(RESPONSES_FILE, &format!("{entry}.{field}"), warnings);
        checker.is_narrowing = true;
        checker.check_envelope(pattern, DetailKindAsked::Unknown);
    }
}

/// The kind of event that a pattern asks for, by its detail types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum DetailKindAsked {
    /// API calls only.
    Call,
    /// Service events only.
    ServiceEvent,
    /// Other events of CloudTrail, or several kinds of them.
    Record,
    /// Anything else.
    Unknown,
}

/// Checks one pattern.
struct PatternChecker<'w> {
    file: &'w str,
    /// The entry of the file.
    entry: String,
    /// Whether it is a `where` or `unless`, which may look at the enrichment.
    is_narrowing: bool,
    warnings: &'w mut Vec<RuleProblem>,
}

impl<'w> PatternChecker<'w> {
    fn new(file: &'w str, entry: &str, warnings: &'w mut Vec<RuleProblem>) -> Self {
        Self { file, entry: entry.to_owned(), is_narrowing: false, warnings }
    }

    fn warn(&mut self, path: &str, reason: String) {
        let position =
            if self.entry.is_empty() { path.to_owned() } else { format!("{}: {path}", self.entry) };
        self.warnings.push(RuleProblem { file: self.file.to_owned(), position, reason });
    }

    fn check_rule(&mut self, pattern: &Map<String, Value>) {
        // 1. The source.
        if !names_source(pattern) {
            let reason = "the pattern names no `source`: everybody who may put events can trigger the rule";
            self.warn("source", reason.to_owned());
        }
        self.check_envelope(pattern, find_detail_kind(pattern));
    }

    /// Checks the alternatives of one level: `$or` holds further ones.
    fn check_envelope(&mut self, pattern: &Map<String, Value>, kind: DetailKindAsked) {
        for (key, value) in pattern {
            if key == "$or" {
                for alternative in list_alternatives(value) {
                    self.check_envelope(alternative, kind);
                }
                continue;
            }
            // A dot in a name separates names.
            let first = key.split('.').next().unwrap_or(key);
            let rest = key.split_once('.').map(|(_, rest)| rest);
            // 2. The first name.
            if !(ENVELOPE_FIELDS.contains(&first) || self.is_narrowing && first == ENRICHMENT_FIELD) {
                self.warn_of_field(key, first, &ENVELOPE_FIELDS, "event");
                continue;
            }
            match (first, rest, value) {
                ("detail", None, Value::Object(detail)) => self.check_detail(detail, kind),
                ("detail", Some(rest), _) => {
                    let mut nested = Map::new();
                    nested.insert(rest.to_owned(), value.clone());
                    self.check_detail(&nested, kind);
                }
                ("source", None, _) => self.check_source(value),
                ("detail-type", None, _) => self.check_detail_type(value),
                _ => {}
            }
        }
    }

    fn check_detail(&mut self, detail: &Map<String, Value>, kind: DetailKindAsked) {
        for (key, value) in detail {
            if key == "$or" {
                for alternative in list_alternatives(value) {
                    self.check_detail(alternative, kind);
                }
                continue;
            }
            let first = key.split('.').next().unwrap_or(key);
            // 3. The fields of a record.
            if !RECORD_FIELDS.contains(&first) {
                let meant = find_meant_name(first, &RECORD_FIELDS);
                if kind != DetailKindAsked::Unknown || meant.is_some() {
                    self.warn_of_field(
                        &format!("detail.{key}"),
                        first,
                        &RECORD_FIELDS,
                        "record of CloudTrail",
                    );
                }
                continue;
            }
            match (key.as_str(), value) {
                ("userIdentity", Value::Object(identity)) => self.check_identity(identity),
                ("eventSource", _) => self.check_event_source(value),
                ("eventName", _) => self.check_event_names(value, kind),
                _ => {}
            }
        }
    }

    fn check_identity(&mut self, identity: &Map<String, Value>) {
        for (key, value) in identity {
            if key == "$or" {
                for alternative in list_alternatives(value) {
                    self.check_identity(alternative);
                }
                continue;
            }
            let first = key.split('.').next().unwrap_or(key);
            // 3. Identities of services have more fields than the guide lists: only a likeness is reported.
            if !IDENTITY_FIELDS.contains(&first) && find_meant_name(first, &IDENTITY_FIELDS).is_some() {
                let path = format!("detail.userIdentity.{key}");
                self.warn_of_field(&path, first, &IDENTITY_FIELDS, "`userIdentity`");
            }
        }
    }

    fn warn_of_field(&mut self, path: &str, name: &str, known: &[&'static str], owner: &str) {
        let meant = match find_meant_name(name, known) {
            Some(meant) => format!("; `{meant}` is meant"),
            None => String::new(),
        };
        self.warn(path, format!("no {owner} has the field `{name}`{meant}"));
    }

    // 4. The values.
    fn check_source(&mut self, value: &Value) {
        for text in list_literals(value) {
            if let Some(service) = text.strip_suffix(".amazonaws.com") {
                let reason = format!("never matches: the source of these events is `aws.{service}`");
                self.warn("source", reason);
            } else if text != text.to_lowercase() && text.to_lowercase().starts_with("aws.") {
                self.warn(
                    "source",
                    format!("never matches: the source is written `{}`", text.to_lowercase()),
                );
            }
        }
    }

    fn check_event_source(&mut self, value: &Value) {
        for text in list_literals(value) {
            if let Some(service) = text.strip_prefix("aws.") {
                let reason = format!("never matches: CloudTrail writes `{service}.amazonaws.com` here");
                self.warn("detail.eventSource", reason);
            }
        }
    }

    fn check_detail_type(&mut self, value: &Value) {
        for text in list_literals(value) {
            let meant = find_meant_name(text, &DETAIL_TYPES);
            if let Some(meant) = meant
                && meant != text
            {
                self.warn("detail-type", format!("never matches: it is written `{meant}`"));
            }
        }
    }

    fn check_event_names(&mut self, value: &Value, kind: DetailKindAsked) {
        for name in list_literals(value) {
            // 5. The other detail type.
            let is_service_event = SECRET_SERVICE_EVENTS.contains(&name);
            let is_call = SECRET_API_CALLS.contains(&name);
            let needed = match kind {
                DetailKindAsked::Call if is_service_event => Some(SERVICE_EVENT),
                DetailKindAsked::ServiceEvent if is_call => Some(API_CALL),
                _ => None,
            };
            if let Some(needed) = needed {
                let reason = format!("`{name}` never matches: its detail type is `{needed}`");
                self.warn("detail.eventName", reason);
            }
            // 4. The case. Names of other services may differ by a letter or two.
            for known in SECRET_SERVICE_EVENTS.iter().chain(&SECRET_API_CALLS) {
                if name != *known && name.eq_ignore_ascii_case(known) {
                    self.warn("detail.eventName", format!("`{name}` never matches: it is written `{known}`"));
                }
            }
        }
    }
}

/// Whether each alternative of a pattern names the source.
fn names_source(pattern: &Map<String, Value>) -> bool {
    if pattern.contains_key("source") {
        return true;
    }
    let alternatives = pattern.get("$or").map(list_alternatives).unwrap_or_default();
    !alternatives.is_empty() && alternatives.iter().all(|alternative| names_source(alternative))
}

/// Finds the kind of event that a pattern asks for. One that does not name it in words asks for unknown events.
fn find_detail_kind(pattern: &Map<String, Value>) -> DetailKindAsked {
    let Some(Value::Array(values)) = pattern.get("detail-type") else { return DetailKindAsked::Unknown };
    let literals: Vec<&str> = values.iter().filter_map(Value::as_str).collect();
    let is_plain = literals.len() == values.len() && !literals.is_empty();
    match literals.as_slice() {
        [API_CALL] if is_plain => DetailKindAsked::Call,
        [SERVICE_EVENT] if is_plain => DetailKindAsked::ServiceEvent,
        _ if is_plain && literals.iter().all(|text| text.ends_with(CLOUDTRAIL_SUFFIX)) => {
            DetailKindAsked::Record
        }
        _ => DetailKindAsked::Unknown,
    }
}

fn list_alternatives(value: &Value) -> Vec<&Map<String, Value>> {
    let alternatives = value.as_array().into_iter().flatten();
    alternatives.filter_map(Value::as_object).collect()
}

fn list_literals(value: &Value) -> Vec<&str> {
    let values = value.as_array().into_iter().flatten();
    values.filter_map(Value::as_str).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::builtin_rules::builtin_files;

    fn warnings_of(path: &str, text: &str) -> Vec<String> {
        let file = RuleFile { path: path.to_owned(), text: text.to_owned() };
        find_pattern_warnings(&[file]).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_rules_of_this_release_can_match() {
        assert_eq!(find_pattern_warnings(&builtin_files()), []);
    }

    #[test]
    fn a_pattern_that_can_never_match_is_reported_with_what_was_meant() {
        for (pattern, place, reason) in [
            (
                r#"{"source": ["aws.secretsmanager"], "detail-type": ["AWS API Call via CloudTrail"],
                    "detail": {"eventName": ["RotationSucceeded"]}}"#,
                "detail.eventName",
                "its detail type is `AWS Service Event via CloudTrail`",
            ),
            (
                r#"{"source": ["aws.secretsmanager"], "detail-type": ["AWS Service Event via CloudTrail"],
                    "detail": {"$or": [{"eventName": ["GetSecretValue"]}]}}"#,
                "detail.eventName",
                "its detail type is `AWS API Call via CloudTrail`",
            ),
            (r#"{"source": ["a"], "detail_type": ["x"]}"#, "detail_type", "`detail-type` is meant"),
            (r#"{"source": ["a"], "Detail": {"x": ["y"]}}"#, "Detail", "`detail` is meant"),
            (r#"{"source": ["a"], "eventName": ["x"]}"#, "eventName", "no event has the field `eventName`"),
            (
                r#"{"source": ["a"], "detail": {"eventname": ["x"]}}"#,
                "detail.eventname",
                "`eventName` is meant",
            ),
            (
                r#"{"source": ["a"], "detail.useridentity.arn": ["x"]}"#,
                "detail.useridentity",
                "`userIdentity` is meant",
            ),
            (
                r#"{"source": ["a"], "detail": {"userIdentity": {"accountID": ["1"]}}}"#,
                "accountID",
                "`accountId` is meant",
            ),
            (
                r#"{"source": ["a"], "detail-type": ["AWS API Call via CloudTrail"], "detail": {"labelUpdated": ["x"]}}"#,
                "detail.labelUpdated",
                "no record of CloudTrail has the field",
            ),
            (r#"{"detail-type": ["x"]}"#, "source", "names no `source`"),
            (r#"{"$or": [{"source": ["a"]}, {"detail-type": ["x"]}]}"#, "source", "names no `source`"),
            (r#"{"source": ["secretsmanager.amazonaws.com"]}"#, "source", "is `aws.secretsmanager`"),
            (r#"{"source": ["AWS.SecretsManager"]}"#, "source", "written `aws.secretsmanager`"),
            (
                r#"{"source": ["a"], "detail": {"eventSource": ["aws.ecs"]}}"#,
                "eventSource",
                "`ecs.amazonaws.com`",
            ),
            (
                r#"{"source": ["a"], "detail-type": ["AWS API call via Cloudtrail"]}"#,
                "detail-type",
                "written `AWS API Call via",
            ),
            (
                r#"{"source": ["a"], "detail": {"eventName": ["getSecretValue"]}}"#,
                "eventName",
                "written `GetSecretValue`",
            ),
        ] {
            let warnings = warnings_of("access/rule.json", pattern);
            assert_eq!(warnings.len(), 1, "{pattern}: {warnings:?}");
            let warning = &warnings[0];
            assert!(
                warning.starts_with("access/rule.json: ") && warning.contains(place),
                "{pattern}: {warning}"
            );
            assert!(warning.contains(reason), "{pattern}: {warning}");
        }
    }

    #[test]
    fn a_pattern_that_may_match_is_not_reported() {
        for pattern in [
            r#"{"source": ["my.app"], "detail-type": ["Order Placed"], "detail": {"order": {"id": ["x"]}}}"#,
            r#"{"$or": [{"source": ["a"]}, {"source": ["b"]}], "account": ["1"], "resources": ["x"]}"#,
            r#"{"source": ["aws.ecs"], "detail-type": ["ECS Task State Change"], "detail": {"lastStatus": ["STOPPED"]}}"#,
            r#"{"source": ["aws.secretsmanager"], "detail-type": ["AWS API Call via CloudTrail", "AWS Service Event via CloudTrail"],
                "detail": {"eventName": ["PutSecretValue", "RotationSucceeded", {"prefix": "Rot"}], "requestParameters": {"anything": ["x"]}}}"#,
        ] {
            assert_eq!(warnings_of("access/rule.json", pattern), Vec::<String>::new(), "{pattern}");
        }
    }

    #[test]
    fn rows_and_exceptions_are_checked_and_may_look_at_the_enrichment() {
        let text = r#"{
            "_exceptions": {"shared": {"where": {"detail": {"useridentity": {"arn": ["x"]}}}}},
            "row": {"where": {"derived": {"caller": {"kind": ["human"]}}}, "unless": {"detial": {"x": ["y"]}},
                    "exceptions": ["shared", {"where": {"detail": {"userIdentity": {"ARN": ["x"]}}}}]}
        }"#;
        assert_eq!(
            warnings_of("responses.json", text),
            [
                "responses.json: `_exceptions`.`shared`.where: detail.useridentity: no record of CloudTrail has the field `useridentity`; `userIdentity` is meant",
                "responses.json: `row`.unless: detial: no event has the field `detial`; `detail` is meant",
                "responses.json: `row`.exceptions[1].where: detail.userIdentity.ARN: no `userIdentity` has the field `ARN`; `arn` is meant",
            ]
        );
    }
}
