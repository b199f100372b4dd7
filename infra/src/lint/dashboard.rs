//! The dashboard: its body can be read, and names only rules that there are.

use serde_json::Value;

use super::template_check::TemplateCheck;
use crate::event_rules::deployed_rules;
use crate::json::{list_items, read_text};

/// Checks the body of the dashboard.
pub(super) fn check_dashboard(check: &mut TemplateCheck<'_>) {
    let template = check.template;
    let mut body = Value::Null;
    for (_, dashboard) in template.resources_of_type("AWS::CloudWatch::Dashboard") {
        body = serde_json::from_str(read_text(&dashboard["DashboardBody"])).unwrap_or_default();
    }
    let has_widgets = list_items(&body["widgets"]).len() > 10;
    check.require(has_widgets, "Dashboard", "`DashboardBody` must be JSON with widgets");
    let mut rule_names = Vec::new();
    for rule in deployed_rules(check.rules) {
        rule_names.push(template.prefixed(&format!("{}-{}", rule.handler, rule.id)));
    }
    for rest in body.to_string().split("\"RuleName\",\"").skip(1) {
        let name = rest.split('"').next().unwrap_or_default();
        let is_known = rule_names.iter().any(|known| known == name);
        check.require(is_known, "Dashboard", format_args!("there is no rule `{name}`"));
    }
}
