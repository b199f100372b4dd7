//! All checks of one template, and the deployments in which it is looked at.

use responder_core::rules::RuleSet;
use serde_json::Value;

use super::template_check::{TemplateCheck, TemplateFinding};
use super::{
    access, alarms, dashboard, event_rules, functions, inventory, properties, queues, reference, trail,
};
use crate::deployment_site::DeploymentSite;
use crate::resolved_template::ResolvedTemplate;

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
