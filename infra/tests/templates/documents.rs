//! `CONFIGURATION.md` and `METRICS.md` list every setting, metric and alarm once, and nothing else.

use std::collections::BTreeSet;

use infra::metrics::list_metrics;
use infra::settings::{PARAMETER_VARIABLES, RESOURCE_VARIABLES};
use serde_json::Value;

use super::code::read_source;
use super::lint::{TEMPLATE_NAMES, read_template};

/// A row of a table, with the headings of its columns.
struct TableRow {
    /// The heading of the section, without `## `.
    section: String,
    columns: Vec<String>,
    cells: Vec<String>,
}

impl TableRow {
    /// The cell below a heading; `None` in a table without that column.
    fn cell(&self, column: &str) -> Option<&str> {
        let index = self.columns.iter().position(|name| name == column)?;
        Some(self.cells.get(index).map_or("", String::as_str))
    }

    /// The cell below a heading without its backticks.
    fn name(&self, column: &str) -> Option<&str> {
        self.cell(column).map(|cell| cell.trim_matches('`'))
    }
}

/// Reads the rows of all tables of a document in `infra/`.
fn read_tables(document: &str) -> Vec<TableRow> {
    let mut rows = Vec::new();
    let mut section = String::new();
    let mut columns: Vec<String> = Vec::new();
    for line in read_source(&format!("infra/{document}")).lines() {
        if let Some(heading) = line.strip_prefix("## ") {
            heading.clone_into(&mut section);
        }
        let Some(row) = line.strip_prefix('|') else {
            columns.clear();
            continue;
        };
        let cells: Vec<String> =
            row.trim_end_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect();
        if columns.is_empty() {
            columns = cells;
        } else if cells.iter().any(|cell| !cell.trim_matches('-').is_empty()) {
            rows.push(TableRow { section: section.clone(), columns: columns.clone(), cells });
        }
    }
    assert!(!rows.is_empty(), "{document} has tables");
    rows
}

/// The template that a row of `CONFIGURATION.md` is about.
fn template_of(row: &TableRow) -> &str {
    let named = row.section.strip_prefix("Template `").and_then(|rest| rest.strip_suffix('`'));
    named.unwrap_or("responder")
}

#[test]
fn the_configuration_lists_every_variable_and_parameter_of_the_responder_once() {
    let mut expected: Vec<(String, String)> = Vec::new();
    for (variable, parameter) in PARAMETER_VARIABLES {
        expected.push((parameter.to_owned(), variable.to_owned()));
    }
    for variable in RESOURCE_VARIABLES {
        expected.push((String::new(), variable.to_owned()));
    }
    for parameter in read_template("responder")["Parameters"].as_object().unwrap().keys() {
        if !PARAMETER_VARIABLES.iter().any(|(_, name)| name == parameter) {
            expected.push((parameter.clone(), String::new()));
        }
    }
    let mut listed = Vec::new();
    for row in read_tables("CONFIGURATION.md") {
        if let (Some(parameter), Some(variable)) = (row.name("parameter"), row.name("variable")) {
            listed.push((parameter.to_owned(), variable.to_owned()));
        }
    }
    expected.sort();
    listed.sort();
    assert_eq!(
        listed, expected,
        "the rows of CONFIGURATION.md, and the settings of the template `responder`"
    );
}

#[test]
fn the_configuration_lists_every_parameter_of_the_other_templates_once() {
    let rows = read_tables("CONFIGURATION.md");
    for template in TEMPLATE_NAMES {
        let mut listed: Vec<&str> = Vec::new();
        for row in rows.iter().filter(|row| template_of(row) == template) {
            listed.extend(row.name("parameter").filter(|parameter| !parameter.is_empty()));
        }
        listed.sort_unstable();
        let parameters = read_template(template);
        let expected: Vec<&String> = parameters["Parameters"].as_object().unwrap().keys().collect();
        assert_eq!(listed, expected, "the parameters of `{template}`");
    }
}

#[test]
fn the_configuration_has_the_defaults_and_bounds_of_the_templates() {
    for row in read_tables("CONFIGURATION.md") {
        let Some(name) = row.name("parameter").filter(|name| !name.is_empty()) else { continue };
        let template = read_template(template_of(&row));
        let parameter = &template["Parameters"][name];
        let place = format!("`{name}` of `{}`", template_of(&row));
        assert_eq!(row.cell("default"), Some(describe_default(&parameter["Default"]).as_str()), "{place}");
        if let Some(bounds) = describe_bounds(parameter) {
            assert_eq!(row.cell("bounds"), Some(bounds.as_str()), "{place}");
        }
        for column in ["bounds", "example", "meaning"] {
            assert_ne!(row.cell(column), Some(""), "{place} has a cell `{column}`");
        }
    }
}

fn describe_default(default: &Value) -> String {
    match default {
        Value::Null => "required".to_owned(),
        Value::String(text) if text.is_empty() => "none".to_owned(),
        Value::String(text) => format!("`{text}`"),
        other => format!("`{other}`"),
    }
}

/// The bounds that a template gives a parameter, other than a pattern.
fn describe_bounds(parameter: &Value) -> Option<String> {
    if let Some(values) = parameter["AllowedValues"].as_array() {
        let words: Vec<String> = values.iter().map(describe_default).collect();
        return Some(words.join(", "));
    }
    let (least, most) = (parameter["MinValue"].as_i64()?, parameter["MaxValue"].as_i64()?);
    Some(format!("{least} to {most}"))
}

#[test]
fn the_document_of_metrics_lists_every_metric_once() {
    let mut listed = Vec::new();
    for row in read_tables("METRICS.md") {
        listed.extend(row.name("metric").map(str::to_owned));
    }
    listed.sort();
    let mut expected = list_metrics();
    expected.sort_unstable();
    assert_eq!(listed, expected, "the rows of METRICS.md, and infra/src/metrics.rs");
}

#[test]
fn the_document_of_metrics_lists_every_metric_that_an_alarm_watches() {
    let mut listed = Vec::new();
    for row in read_tables("METRICS.md") {
        listed.extend(row.cell("AWS metric").map(|cell| cell.replace('`', "")));
    }
    let mut watched = BTreeSet::new();
    for template in ["responder", "forwarder"] {
        let template = read_template(template);
        for resource in template["Resources"].as_object().unwrap().values() {
            if resource["Type"] == "AWS::CloudWatch::Alarm" {
                let property = |name: &str| resource["Properties"][name].as_str().unwrap().to_owned();
                watched.insert(format!("{} {}", property("Namespace"), property("MetricName")));
            }
        }
    }
    listed.sort();
    assert_eq!(listed, Vec::from_iter(watched), "the table of alarms in METRICS.md, and the templates");
}
