//! What an operator may set.

mod worded;

use std::collections::BTreeMap;

use eventbridge_pattern::Wildcard;
use serde::{Deserialize, Serialize};

pub use worded::ParsedText;

use crate::text::Untrusted;
use crate::time::Span;
use crate::time_window::TimeWindow;

/// What an operator may set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Whether to redeploy, or only to say what would be redeployed.
    pub mode: ResponseMode,
    /// How long after a change to wait before redeploying, so that the native event and the `CloudTrail` event of one
    /// rotation, seconds apart, are answered by one deployment.
    pub settle: Span,
    /// How much newer than the change a deployment must be to run the new value: Secrets Manager is eventually
    /// consistent. Shorter than `settle`, or our own deployment would not count.
    pub margin: Span,
    /// How long after one of our deployments of a service the next one waits. Two in a row could leave the circuit breaker
    /// nothing to roll back to; a service's own tag says otherwise.
    pub cooldown: Span,
    /// How many of our deployments may be in flight in one cluster.
    pub in_flight: u32,
    /// How long a rollout may take before a human is told.
    pub rollout: Span,
    /// How long a consumer may run the old value before a human is told why.
    pub answer: Span,
    /// How long a rotation may be overdue, or under way, before a human is told.
    pub overdue: Span,
    /// What to do about what is found on a service; by default what [`DeploymentRisk::policy`] says.
    #[serde(alias = "findings")]
    pub deployment_risks: BTreeMap<DeploymentRisk, RiskPolicy>,
    /// Secrets that services read by themselves, by the service's ARN or `cluster/service`: names or ARNs.
    pub readers: BTreeMap<String, Vec<Untrusted>>,
    /// The Region whose sweep looks at its own secrets and services; none where nobody sweeps.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub home: Option<String>,
    /// Further Regions whose secrets and services that sweep looks at, for replicas.
    pub regions: Vec<String>,
    /// What is put before a runbook's path in pages.
    pub runbooks: String,
    /// What production is.
    pub production: ProductionScope,
    /// Secrets that nobody has a reason to touch, by name or ARN.
    pub decoys: Vec<Untrusted>,
    /// The names of roles that people work in, beside those of IAM Identity Center: `*` stands for anything.
    pub humans: Vec<ParsedText<Wildcard>>,
    /// The ARNs of roles and users that automation works in: `*` stands for anything.
    pub automation: Vec<ParsedText<Wildcard>>,
    /// When people work, as a window of a service is written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub business_hours: Option<ParsedText<TimeWindow>>,
    /// Whether the first read of a secret by a principal is told: meaningful once a baseline is learned.
    pub first_reads: bool,
    /// From which hour on, in UTC, the summary of the day before is sent.
    pub summary_hour: u8,
}

/// What production is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ProductionScope {
    /// Its accounts; none if nobody said.
    pub accounts: Vec<String>,
    /// The names of its secrets: `*` stands for anything.
    pub secrets: Vec<ParsedText<Wildcard>>,
}

impl Default for ProductionScope {
    fn default() -> Self {
        let names = ["prod/*", "production/*", "prd/*"];
        Self { accounts: Vec::new(), secrets: names.iter().filter_map(|name| name.parse().ok()).collect() }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            mode: ResponseMode::Enforce,
            settle: Span::from_secs(15),
            margin: Span::from_secs(5),
            cooldown: Span::from_secs(300),
            in_flight: 5,
            rollout: Span::from_secs(1_800),
            // A sweep's interval less than the 15 minutes that are promised.
            answer: Span::from_secs(840),
            overdue: Span::from_secs(7_200),
            deployment_risks: BTreeMap::new(),
            readers: BTreeMap::new(),
            home: None,
            regions: Vec::new(),
            runbooks: String::new(),
            production: ProductionScope::default(),
            decoys: Vec::new(),
            humans: Vec::new(),
            automation: Vec::new(),
            business_hours: None,
            first_reads: false,
            summary_hour: 6,
        }
    }
}

impl Settings {
    /// Whether a sweep looks at a Region; `None` if that is not known.
    pub(crate) fn is_swept(&self, region: &str) -> Option<bool> {
        self.home.as_ref().map(|home| home == region || self.regions.iter().any(|one| one == region))
    }

    /// How much newer than a change a deployment must be.
    pub fn fresh_after(&self) -> Span {
        self.margin.min(self.settle)
    }

    /// What to do about a finding.
    pub fn policy(&self, finding: DeploymentRisk) -> RiskPolicy {
        self.deployment_risks.get(&finding).copied().unwrap_or_else(|| finding.policy())
    }
}

/// Whether services are redeployed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ResponseMode {
    /// Redeploy.
    #[default]
    Enforce,
    /// Say what would be redeployed.
    Notify,
}

/// Something about a service that makes a forced deployment less harmless.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeploymentRisk {
    /// A deployment is in progress: a forced one would supersede it (`API_UpdateService`).
    InProgress,
    /// An image is named by a tag: a new deployment pulls what the tag means now (`API_UpdateService`).
    MutableImage,
    /// The platform version is LATEST: a new deployment may get a newer one.
    LatestPlatform,
    /// No circuit breaker and no alarm: a rollout that fails is silent and is not rolled back.
    NoCircuitBreaker,
    /// Secrets Manager did not say that the new version is AWSCURRENT.
    Unconfirmed,
}

impl DeploymentRisk {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::InProgress,
        Self::MutableImage,
        Self::LatestPlatform,
        Self::NoCircuitBreaker,
        Self::Unconfirmed,
    ];

    /// What is done about it unless the operator says otherwise: nobody is helped by a service that keeps a dead
    /// password because its image has a tag.
    pub fn policy(self) -> RiskPolicy {
        match self {
            Self::InProgress => RiskPolicy::Wait,
            Self::MutableImage | Self::LatestPlatform | Self::NoCircuitBreaker | Self::Unconfirmed => {
                RiskPolicy::Go
            }
        }
    }

    /// The word in settings and plans.
    pub fn name(self) -> &'static str {
        match self {
            Self::InProgress => "in-progress",
            Self::MutableImage => "mutable-image",
            Self::LatestPlatform => "latest-platform",
            Self::NoCircuitBreaker => "no-circuit-breaker",
            Self::Unconfirmed => "unconfirmed",
        }
    }

    /// What it means for a forced deployment.
    pub(crate) fn sentence(self) -> &'static str {
        match self {
            Self::InProgress => "a deployment of it is in progress",
            Self::MutableImage => "an image of it is named by a tag, which may mean other code by now",
            Self::LatestPlatform => "its platform version is LATEST, which may be a newer one by now",
            Self::NoCircuitBreaker => "it has no circuit breaker: a failing rollout is not rolled back",
            Self::Unconfirmed => "Secrets Manager did not say that the new version is AWSCURRENT",
        }
    }
}

/// What to do about a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RiskPolicy {
    /// Redeploy, and note it.
    Go,
    /// Wait until it is over; of what is never over by itself, the same as `notify`.
    Wait,
    /// Do not redeploy; tell a human.
    Notify,
}
