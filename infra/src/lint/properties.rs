//! The properties that every resource of a type must have, in every template: the table `properties.json`.
//!
//! A path of the table leads through keys and indices, such as `Targets/0`. For each type, `exact` has the values that must stand
//! somewhere, `present` the paths where something must stand that is not empty, and `ranges` the least and the greatest value of a
//! number. A type that the table does not have is a finding.

use std::sync::LazyLock;

use serde_json::{Value, json};

use super::template_check::TemplateCheck;
use crate::json::{list_items, read_text};

static INVARIANTS: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("properties.json")).unwrap_or_default());

/// These stand beside a resource's properties, not among them.
const RESOURCE_ATTRIBUTES: [&str; 3] = ["DeletionPolicy", "DependsOn", "UpdateReplacePolicy"];

/// Checks every resource against the row of its type.
pub(super) fn check_properties(check: &mut TemplateCheck<'_>) {
    for (id, resource) in &check.template.resources {
        let kind = read_text(&resource["Type"]);
        let Some(row) = INVARIANTS.get(kind) else {
            let problem = format!("infra/src/lint/properties.json has no row for the type {kind}");
            check.require(false, id, problem);
            continue;
        };
        for (path, wanted) in row["exact"].as_object().into_iter().flatten() {
            let is_right = find_value(resource, path) == Some(wanted);
            check.require(is_right, id, format_args!("`{path}` must be {wanted}"));
        }
        for path in list_items(&row["present"]) {
            let is_present = find_value(resource, read_text(path)).is_some_and(|value| !is_empty(value));
            check.require(is_present, id, format_args!("{path} must be there"));
        }
        for (path, range) in row["ranges"].as_object().into_iter().flatten() {
            let number = find_value(resource, path).and_then(Value::as_i64);
            let is_right = number >= range[0].as_i64() && number <= range[1].as_i64();
            check.require(is_right, id, format_args!("`{path}` must be in the range {range}"));
        }
    }
}

fn find_value<'r>(resource: &'r Value, path: &str) -> Option<&'r Value> {
    let stands_in = if RESOURCE_ATTRIBUTES.contains(&path) { resource } else { &resource["Properties"] };
    stands_in.pointer(&format!("/{path}"))
}

fn is_empty(value: &Value) -> bool {
    *value == json!("") || *value == json!([]) || *value == json!({}) || value.is_null()
}
