//! The settings of an operator, with their defaults.

use std::collections::BTreeMap;

use eventbridge_pattern::Wildcard;
use serde::{Deserialize, Serialize};

use super::deployment_risk::{DeploymentRisk, RiskPolicy};
use super::parsed_text::ParsedText;
use super::response_mode::ResponseMode;
use crate::aws::location::Location;
use crate::aws::secret_ref::SecretRef;
use crate::text::Untrusted;
use crate::time::Span;
use crate::time_window::TimeWindow;

/// The settings of an operator.
///
/// In JSON the fields keep the short names of the first release: files of facts and tools of operators have them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Whether to redeploy, or only to notify of each service that would be redeployed.
    pub mode: ResponseMode,
    /// How long after a change to wait before redeploying, so that the native event and the `CloudTrail` event of one
    /// rotation, seconds apart, are answered by one deployment.
    #[serde(rename = "settle")]
    pub settle_delay: Span,
    /// How much newer than the change a deployment must be to run the new value: Secrets Manager is eventually
    /// consistent. Shorter than the settle delay, or our own deployment would not count.
    #[serde(rename = "margin")]
    pub propagation_margin: Span,
    /// How long after one of our deployments of a service the next one waits. Two in a row could leave the circuit breaker
    /// nothing to roll back to. A tag of the service overrides it.
    pub cooldown: Span,
    /// How many of our deployments may be in flight in one cluster.
    #[serde(rename = "in_flight")]
    pub rollout_limit: u32,
    /// How long a rollout may take before a human is notified of it.
    #[serde(rename = "rollout")]
    pub rollout_timeout: Span,
    /// How long a consumer may run the old value before a human is notified of it, with the reason.
    #[serde(rename = "answer")]
    pub answer_deadline: Span,
    /// How long a rotation may be overdue, or in progress, before a human is notified of it.
    #[serde(rename = "overdue")]
    pub overdue_grace_period: Span,
    /// The policy for each deployment risk; by default [`DeploymentRisk::default_policy`].
    #[serde(alias = "findings")]
    pub deployment_risks: BTreeMap<DeploymentRisk, RiskPolicy>,
    /// Secrets (names or ARNs) that services read by themselves, by the service's ARN or `cluster/service`.
    #[serde(rename = "readers")]
    pub declared_secrets: BTreeMap<String, Vec<Untrusted>>,
    /// The account of the functions, which is the only one whose services they see; absent where no function runs.
    #[serde(rename = "account", skip_serializing_if = "Option::is_none")]
    pub home_account: Option<String>,
    /// The Region in which the sweep runs, and whose secrets and services it examines; absent where no sweep runs.
    #[serde(rename = "home", skip_serializing_if = "Option::is_none")]
    pub home_region: Option<String>,
    /// Further Regions whose secrets and services that sweep examines, for replicas.
    #[serde(rename = "regions")]
    pub further_regions: Vec<String>,
    /// The text before the path of a runbook in pages: the URL of the repository, with its last slash.
    #[serde(rename = "runbooks")]
    pub runbook_base_url: String,
    /// Which accounts and secrets are production.
    pub production: ProductionScope,
    /// The operator's organisation, such as `o-a1b2c3d4e5`: policies may let it in. Absent if the operator names none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organization: Option<String>,
    /// Secrets that nobody has a reason to touch, by name or ARN.
    pub decoys: Vec<Untrusted>,
    /// The names of roles that people work in, in addition to those of IAM Identity Center: `*` stands for anything.
    #[serde(rename = "humans")]
    pub human_roles: Vec<ParsedText<Wildcard>>,
    /// The ARNs of roles and users that automation works in: `*` stands for anything.
    #[serde(rename = "automation")]
    pub automation_principals: Vec<ParsedText<Wildcard>>,
    /// When people work, written like the window of a service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub business_hours: Option<ParsedText<TimeWindow>>,
    /// Whether the daily summary lists first reads of a secret by a principal: meaningful once a baseline is learned.
    pub first_reads: bool,
    /// From which hour on, in UTC, the summary of the day before is sent.
    pub summary_hour: u8,
}

/// Which accounts and secrets are production.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ProductionScope {
    /// The accounts of production; empty if the operator names none.
    pub accounts: Vec<String>,
    /// The names of the secrets of production: `*` stands for anything.
    pub secrets: Vec<ParsedText<Wildcard>>,
}

impl Default for ProductionScope {
    fn default() -> Self {
        let patterns = ["prod/*", "production/*", "prd/*"];
        // A test below shows that all of them parse.
        Self { accounts: Vec::new(), secrets: patterns.iter().flat_map(|pattern| pattern.parse()).collect() }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            mode: ResponseMode::Enforce,
            settle_delay: Span::from_secs(15),
            propagation_margin: Span::from_secs(5),
            cooldown: Span::from_secs(300),
            rollout_limit: 5,
            rollout_timeout: Span::from_secs(1_800),
            // The 15 minutes that are promised, less a minute: the interval of the sweep.
            answer_deadline: Span::from_secs(840),
            overdue_grace_period: Span::from_secs(7_200),
            deployment_risks: BTreeMap::new(),
            declared_secrets: BTreeMap::new(),
            home_account: None,
            home_region: None,
            further_regions: Vec::new(),
            runbook_base_url: String::new(),
            production: ProductionScope::default(),
            organization: None,
            decoys: Vec::new(),
            human_roles: Vec::new(),
            automation_principals: Vec::new(),
            business_hours: None,
            first_reads: false,
            summary_hour: 6,
        }
    }
}

impl Settings {
    /// Whether a sweep examines a Region; `None` where the home Region is not known.
    pub(crate) fn is_swept(&self, region: &str) -> Option<bool> {
        let home = self.home_region.as_ref()?;
        Some(home == region || self.further_regions.iter().any(|further| further == region))
    }

    /// The settings for functions of an account; empty where they do not know it.
    #[must_use]
    pub fn in_account(mut self, account: &str) -> Self {
        if !account.is_empty() {
            self.home_account = Some(account.to_owned());
        }
        self
    }

    /// The Regions that a sweep examines; none where the home Region is not known.
    pub(crate) fn swept_regions(&self) -> impl Iterator<Item = &str> {
        let further = if self.home_region.is_some() { self.further_regions.as_slice() } else { &[] };
        self.home_region.iter().chain(further).map(String::as_str)
    }

    /// Whether a sweep lists the secrets of an account and Region, so that no change there is missed; `None` where the home Region
    /// is not known. The account counts as the functions' own where that is not known.
    pub(crate) fn is_location_swept(&self, account: &str, region: &str) -> Option<bool> {
        let is_own = self.home_account.as_deref().is_none_or(|home| home == account);
        Some(self.is_swept(region)? && is_own)
    }

    /// The location under which the ledger keeps the changes of a secret: its own, if a sweep examines it; else the home of the
    /// sweep, so that the sweep finds the consumers that wait for them.
    pub fn change_location(&self, secret: &SecretRef) -> Location {
        let SecretRef { account, region, .. } = secret;
        match &self.home_region {
            Some(home_region) if self.is_location_swept(account, region) == Some(false) => {
                Location::new(self.home_account.as_ref().unwrap_or(account), home_region)
            }
            _ => Location::new(account, region),
        }
    }

    /// How much newer than a change a deployment must be to run the new value.
    pub fn freshness_margin(&self) -> Span {
        self.propagation_margin.min(self.settle_delay)
    }

    /// The policy for a deployment risk.
    pub fn risk_policy(&self, risk: DeploymentRisk) -> RiskPolicy {
        match self.deployment_risks.get(&risk) {
            Some(policy) => *policy,
            None => risk.default_policy(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_pattern_of_production_parses() {
        assert_eq!(ProductionScope::default().secrets.len(), 3);
    }

    #[test]
    fn settings_are_read_as_they_are_written() {
        let written = serde_json::to_value(Settings::default()).unwrap();
        for name in ["settle", "margin", "in_flight", "rollout", "answer", "overdue", "runbooks", "humans"] {
            assert!(written.get(name).is_some(), "{name}");
        }
        assert_eq!(serde_json::from_value::<Settings>(written).unwrap(), Settings::default());
    }
}
