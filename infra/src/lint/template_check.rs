//! The check of one template: the deployments in which it is looked at, and what is wrong with it there.

use std::fmt;

use responder_core::rules::{Handler, RuleSet};
use serde_json::Value;

use super::{
    access, alarms, dashboard, event_rules, functions, inventory, properties, queues, reference, trail,
};
use crate::deployment_site::DeploymentSite;
use crate::resolved_template::ResolvedTemplate;

/// Something that is wrong with a template.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TemplateFinding {
    /// The resource, or another part of the template.
    pub resource: String,
    /// The problem.
    pub problem: String,
}

impl fmt::Display for TemplateFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.resource, self.problem)
    }
}

/// Everything that is wrong with a template of this name: `responder`, `forwarder`, `trail`, `dashboard` or `reference`.
pub fn check_template(name: &str, template: &Value, rules: &RuleSet) -> Vec<TemplateFinding> {
    let mut findings = Vec::new();
    for site in sample_sites(name) {
        match ResolvedTemplate::resolve(template, site) {
            Ok(resolved) => {
                let mut check = TemplateCheck { template: &resolved, rules, findings: Vec::new() };
                check_resources(name, &mut check);
                findings.append(&mut check.findings);
            }
            Err(error) => findings.push(TemplateFinding { resource: error.location, problem: error.reason }),
        }
    }
    findings.sort();
    findings.dedup();
    findings
}

fn check_resources(name: &str, check: &mut TemplateCheck<'_>) {
    properties::check_properties(check);
    match name {
        "responder" | "forwarder" => {
            if name == "responder" {
                inventory::check_responder(check);
                access::check_responder(check);
            } else {
                inventory::check_forwarder(check);
                access::check_forwarder(check);
            }
            event_rules::check_event_rules(check);
            queues::check_queues(check);
            functions::check_functions(check);
            alarms::check_alarms(check);
        }
        "trail" => trail::check_trail(check),
        "reference" => reference::check_reference(check),
        _ => dashboard::check_dashboard(check),
    }
}

/// A template while it is checked.
pub(super) struct TemplateCheck<'t> {
    /// The template in one deployment.
    pub(super) template: &'t ResolvedTemplate,
    /// The rules that it was generated from.
    pub(super) rules: &'t RuleSet,
    findings: Vec<TemplateFinding>,
}

impl TemplateCheck<'_> {
    /// Notes a problem of a resource, unless it is right.
    pub(super) fn require(&mut self, is_right: bool, resource: &str, problem: impl fmt::Display) {
        if !is_right {
            let problem = problem.to_string();
            self.findings.push(TemplateFinding { resource: resource.to_owned(), problem });
        }
    }

    /// Requires that a part of a JSON document has a value. The path leads through keys and indices: `Targets/0/Arn`.
    pub(super) fn require_value(
        &mut self,
        resource: &str,
        document: &Value,
        path: &str,
        wanted: impl Into<Value>,
    ) {
        let wanted = wanted.into();
        let is_right = document.pointer(&format!("/{path}")) == Some(&wanted);
        self.require(is_right, resource, format_args!("`{path}` must be {wanted}"));
    }

    /// Requires that there are as many resources of a type.
    pub(super) fn require_count(&mut self, kind: &str, wanted: usize) {
        let count = self.template.resources_of_type(kind).count();
        self.require(count == wanted, "Resources", format_args!("there must be {wanted} {kind}"));
    }
}

/// The handler whose name this is.
pub(super) fn find_handler(name: &str) -> Option<Handler> {
    Handler::ALL.into_iter().find(|handler| handler.as_str() == name)
}

/// The deployments in which a template is looked at: as it is by default, and with everything that can be switched on.
fn sample_sites(name: &str) -> Vec<DeploymentSite> {
    let home = DeploymentSite::new("111122223333", "eu-west-1");
    let away = DeploymentSite::new("111122223333", "us-east-1").with_parameter("HomeRegion", "eu-west-1");
    match name {
        "responder" => {
            let plain = home.with_parameter("CodeBucket", "code").with_parameter("CodePrefix", "build/");
            let full = plain
                .clone()
                .with_parameter("Prefix", "other")
                .with_parameter("Chat", "on")
                .with_parameter("PageEmail", "on-call@example.org")
                .with_parameter("BackupTopicArn", "arn:aws:sns:eu-west-1:111122223333:backup")
                .with_parameter("TrustedAccounts", "444455556666,777788889999")
                .with_parameter("OrganizationId", "o-a1b2c3d4e5")
                .with_parameter("Timing", "large")
                .with_parameter("Architecture", "x86_64")
                .with_parameter("SettleSeconds", "30");
            vec![plain, full]
        }
        "forwarder" => {
            let full = away
                .clone()
                .with_parameter("HomeAccount", "999988887777")
                .with_parameter("Heartbeat", "off")
                .with_parameter("Prefix", "other")
                .with_parameter("AlarmEmail", "on-call@example.org");
            vec![away, full]
        }
        "reference" => {
            let image = format!("example.org/app@sha256:{}", "0".repeat(64));
            vec![
                home.with_parameter("VpcId", "vpc-1")
                    .with_parameter("SubnetIds", "subnet-1,subnet-2")
                    .with_parameter("Image", &image),
            ]
        }
        _ => vec![home],
    }
}
