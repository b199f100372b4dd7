//! Checks a value against a JSON Schema, for the keywords that the committed schemas use.
//!
//! It is stricter than the standard in one place: a member that `properties` does not describe is a violation, so that
//! no member of an output is left out of the contract.

use serde_json::{Map, Value};

/// The keywords that say nothing about a value.
const ANNOTATIONS: [&str; 5] = ["$schema", "$defs", "title", "description", "deprecated"];

/// Returns the first place where a value is not as a schema says, and why.
pub(crate) fn find_violation(root: &Value, value: &Value) -> Option<String> {
    check(root, root, value, "")
}

fn check(root: &Value, schema: &Value, value: &Value, path: &str) -> Option<String> {
    for (keyword, argument) in schema.as_object().unwrap() {
        let violation = match keyword.as_str() {
            "$ref" => {
                let pointer = argument.as_str().unwrap().strip_prefix('#').unwrap();
                check(root, root.pointer(pointer).unwrap(), value, path)
            }
            "const" => (argument != value).then(|| format!("{path}: not {argument}")),
            "enum" => {
                let is_known = argument.as_array().unwrap().contains(value);
                (!is_known).then(|| format!("{path}: {value} is none of {argument}"))
            }
            "type" => {
                let is_of_type = is_of_type(value, argument.as_str().unwrap());
                (!is_of_type).then(|| format!("{path}: {value} is not of type {argument}"))
            }
            "minimum" => (value.as_i64() < argument.as_i64()).then(|| format!("{path}: too low")),
            "oneOf" | "anyOf" => check_branches(root, keyword, argument, value, path),
            "items" => check_items(root, argument, value, path),
            "required" => check_required(argument, value, path),
            "properties" => check_properties(root, schema, argument, value, path),
            "additionalProperties" => {
                let described = schema.get("properties").is_some() || argument.is_boolean();
                if described { None } else { check_members(root, argument, value, path) }
            }
            other if ANNOTATIONS.contains(&other) => None,
            other => Some(format!("{path}: the keyword {other} is not known to this check")),
        };
        if violation.is_some() {
            return violation;
        }
    }
    None
}

/// A type that this check does not know is the type of no value.
fn is_of_type(value: &Value, name: &str) -> bool {
    match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        _ => false,
    }
}

fn check_branches(
    root: &Value,
    keyword: &str,
    branches: &Value,
    value: &Value,
    path: &str,
) -> Option<String> {
    let mut violations = Vec::new();
    let branches = branches.as_array().unwrap();
    for branch in branches {
        violations.extend(check(root, branch, value, path));
    }
    let matching = branches.len() - violations.len();
    let holds = if keyword == "oneOf" { matching == 1 } else { matching > 0 };
    (!holds).then(|| format!("{path}: {matching} branches match: {violations:?}"))
}

fn check_items(root: &Value, items: &Value, value: &Value, path: &str) -> Option<String> {
    let values = value.as_array()?;
    values.iter().enumerate().find_map(|(index, value)| check(root, items, value, &format!("{path}/{index}")))
}

fn check_required(required: &Value, value: &Value, path: &str) -> Option<String> {
    let members = value.as_object()?;
    let mut names = required.as_array().unwrap().iter().map(|name| name.as_str().unwrap());
    names.find(|name| !members.contains_key(*name)).map(|name| format!("{path}: no {name}"))
}

fn check_properties(
    root: &Value,
    schema: &Value,
    properties: &Value,
    value: &Value,
    path: &str,
) -> Option<String> {
    assert!(!schema["additionalProperties"].is_object(), "not known to this check");
    let properties: &Map<String, Value> = properties.as_object().unwrap();
    for (name, member) in value.as_object()? {
        let place = format!("{path}/{name}");
        let Some(property) = properties.get(name) else { return Some(format!("{place}: not described")) };
        if let Some(violation) = check(root, property, member, &place) {
            return Some(violation);
        }
    }
    None
}

fn check_members(root: &Value, schema: &Value, value: &Value, path: &str) -> Option<String> {
    value
        .as_object()?
        .iter()
        .find_map(|(name, member)| check(root, schema, member, &format!("{path}/{name}")))
}
