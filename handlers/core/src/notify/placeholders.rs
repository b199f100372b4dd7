//! The values of the placeholders in the next steps of an incident.

use std::collections::{BTreeMap, BTreeSet};

use super::console_pages::{ConsolePage, find_console_pages};
use super::incident_subject::{IncidentSubject, LocatedService};
use super::phrases::{format_count, join_with_and, parse_account_id, parse_region_name};
use super::template::TemplatePiece;
use crate::aws::ecs_service::DeploymentController;
use crate::aws::secret_ref::SecretRef;
use crate::detail_kind::DetailKind;
use crate::incident::Incident;
use crate::rules::WITHOUT_PREFIX;
use crate::time::Timestamp;

/// The end of the name of a function's dead-letter queue, which begins like that of its queue (`infra/responder.yaml`).
const DEAD_LETTER_SUFFIX: &str = "-dlq";

/// The most other Regions that a step lists.
const OTHER_REGIONS_MAX: usize = 20;

/// The values of an incident, raw; absent where it has none.
#[derive(Debug, Default)]
pub(super) struct PlaceholderValues {
    /// The values of all placeholders but those for links, by name.
    values: BTreeMap<&'static str, String>,
    /// The responses that found the incident.
    found_by: BTreeSet<String>,
    /// The Regions of the incident without the one in the values.
    other_regions: Vec<String>,
    /// How many further secrets there are, without the one in the values.
    other_secrets: usize,
    /// How many further services there are, without the one in the values.
    other_services: usize,
    /// The same of the services of which ECS takes a forced deployment.
    other_forced_services: usize,
    /// The same of the services that `CodeDeploy` deploys.
    other_code_deploy_services: usize,
    /// The pages of the console, of which each is the value of a placeholder for a link.
    pub(super) console_pages: Vec<ConsolePage>,
}

impl PlaceholderValues {
    pub(super) fn from_incident(incident: &Incident, subject: &IncidentSubject<'_>) -> Self {
        let secret_id = subject.secret.map(|secret| format_secret_id(secret, &incident.account));
        let values = [
            ("account", parse_account_id(&incident.account).map(str::to_owned)),
            ("region", subject.region.map(str::to_owned)),
            ("secret", secret_id),
            ("rds-secret", subject.secret.and_then(find_rds_secret)),
            ("principal", subject.principal.map(str::to_owned)),
            ("role", subject.role.map(str::to_owned)),
            ("identity-center-user", subject.identity_center_user.map(str::to_owned)),
            ("user", subject.user.map(str::to_owned)),
            ("session-user", subject.session_user.map(str::to_owned)),
            ("access-key", subject.access_key_id.map(str::to_owned)),
            ("start", Some(format_second(subject.start))),
            ("end", Some(format_second(subject.end))),
            ("function", subject.rotation_function.map(|function| function.name.to_owned())),
            ("service", subject.service.map(|service| service.name.to_owned())),
            ("cluster", subject.service.map(|service| service.cluster.to_owned())),
            ("service-region", find_service_region(subject.service)),
            ("forced-region", find_service_region(subject.forced_service)),
            ("code-deploy-region", find_service_region(subject.code_deploy_service)),
            ("forced-service", subject.forced_service.map(|service| service.name.to_owned())),
            ("forced-cluster", subject.forced_service.map(|service| service.cluster.to_owned())),
            ("code-deploy-service", subject.code_deploy_service.map(|service| service.name.to_owned())),
            ("queue-address", find_queue_address(incident, subject, "")),
            ("dead-letter-queue-address", find_queue_address(incident, subject, DEAD_LETTER_SUFFIX)),
            ("code-deploy-cluster", subject.code_deploy_service.map(|service| service.cluster.to_owned())),
        ];
        let mut known = Self {
            other_secrets: incident.secret_refs.len().saturating_sub(1),
            other_services: incident.services.len().saturating_sub(1),
            other_forced_services: count_other_services(incident, None),
            other_code_deploy_services: count_other_services(
                incident,
                Some(&DeploymentController::CodeDeploy),
            ),
            console_pages: find_console_pages(subject),
            found_by: incident.also.iter().chain([&incident.rule]).cloned().collect(),
            ..Self::default()
        };
        for (name, value) in values {
            if let Some(value) = value {
                known.values.insert(name, value);
            }
        }
        for region in &incident.regions {
            let name = parse_region_name(region);
            if name.is_some() && name != subject.region {
                known.other_regions.push(region.clone());
            }
        }
        known
    }

    /// A remark for a line that names one of several: the others need the same.
    pub(super) fn describe_others(&self, line: &[TemplatePiece<'_>]) -> Option<String> {
        // The most specific name in the line counts.
        if line.contains(&TemplatePiece::Placeholder("secret")) {
            return describe_other_count(self.other_secrets, "secret");
        }
        if line.contains(&TemplatePiece::Placeholder("service")) {
            return describe_other_count(self.other_services, "service");
        }
        if line.contains(&TemplatePiece::Placeholder("forced-service")) {
            return describe_other_count(self.other_forced_services, "service");
        }
        if line.contains(&TemplatePiece::Placeholder("code-deploy-service")) {
            return describe_other_count(self.other_code_deploy_services, "service");
        }
        let names_region = line.contains(&TemplatePiece::Placeholder("region"));
        if names_region && (1..=OTHER_REGIONS_MAX).contains(&self.other_regions.len()) {
            return Some(format!("and likewise in {}", join_with_and(&self.other_regions)));
        }
        None
    }

    /// The value of a placeholder.
    pub(super) fn find_value(&self, name: &str) -> Option<&str> {
        if let Some(page_name) = name.strip_prefix("link:") {
            return self.find_link(page_name);
        }
        if let Some(response) = name.strip_prefix(WITHOUT_PREFIX) {
            return if self.found_by.contains(response) { None } else { Some("") };
        }
        self.values.get(name).map(String::as_str)
    }

    /// The address of a page of the console, by the name after `link:`.
    pub(super) fn find_link(&self, page_name: &str) -> Option<&str> {
        let page = self.console_pages.iter().find(|page| page.name == page_name)?;
        Some(&page.url)
    }
}

/// How many services with this other controller there are beside the first.
fn count_other_services(incident: &Incident, controller: Option<&DeploymentController>) -> usize {
    let mut services = incident.services.clone();
    services.retain(|service| incident.deployed_elsewhere.get(service) == controller);
    services.len().saturating_sub(1)
}

fn describe_other_count(count: usize, noun: &str) -> Option<String> {
    match count {
        0 => None,
        1 => Some(format!("and likewise for the other {noun}")),
        _ => Some(format!("and likewise for the other {}", format_count(count, noun))),
    }
}

/// Formats an instant to the second: the CLI and the console take no more.
fn format_second(at: Timestamp) -> String {
    at.truncate_to_second().to_string()
}

/// The Region of a service: it may use a secret of another one.
fn find_service_region(service: Option<LocatedService<'_>>) -> Option<String> {
    parse_region_name(service?.region).map(str::to_owned)
}

/// The address of the queue of a function, or of its dead-letter queue, without its scheme: a value with a scheme may make the CLI
/// fetch what is there. Regions of China have another domain.
fn find_queue_address(incident: &Incident, subject: &IncidentSubject<'_>, suffix: &str) -> Option<String> {
    let queue = incident.detail(DetailKind::Queue)?.raw();
    let account = parse_account_id(&incident.account)?;
    let region = subject.region?;
    let domain = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
    Some(format!("sqs.{region}.{domain}/{account}/{queue}{suffix}"))
}

/// The name of a secret that RDS manages for a database: it begins with `rds!`.
fn find_rds_secret(secret: &SecretRef) -> Option<String> {
    let name = secret.friendly_name().raw().to_owned();
    name.starts_with("rds!").then_some(name)
}

/// The name of a secret in its own account, if it is certain; else its ARN.
fn format_secret_id(secret: &SecretRef, account: &str) -> String {
    if secret.account == account && !secret.may_be_partial_arn() {
        secret.friendly_name().raw().to_owned()
    } else {
        secret.to_arn()
    }
}
