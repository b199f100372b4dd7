//! Deployment risks: what makes a forced deployment of a service less harmless, and what is done about that.

use serde::{Deserialize, Serialize};

/// Something about a service that makes a forced deployment less harmless.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeploymentRisk {
    /// A deployment is in progress: a forced one would supersede it (`API_UpdateService`).
    InProgress,
    /// An image is named by a tag: a new deployment pulls the image that has the tag now (`API_UpdateService`).
    MutableImage,
    /// The platform version is LATEST: a new deployment may get a newer one.
    LatestPlatform,
    /// No circuit breaker and no alarm: a rollout that fails is silent and is not rolled back.
    NoCircuitBreaker,
    /// Secrets Manager did not say that the new version is AWSCURRENT.
    Unconfirmed,
    /// It refers to the secret by a partial ARN that ends like a full one: Secrets Manager may refuse it ("Names ending with a
    /// hyphen and six characters", Secrets Manager's troubleshooting page).
    PartialArn,
}

impl DeploymentRisk {
    /// All risks, in the order of the documentation.
    pub const ALL: [Self; 6] = [
        Self::InProgress,
        Self::MutableImage,
        Self::LatestPlatform,
        Self::NoCircuitBreaker,
        Self::Unconfirmed,
        Self::PartialArn,
    ];

    /// The policy where the operator sets none. It is to redeploy, except over another deployment: a service that keeps
    /// a dead password because its image has a tag helps nobody.
    pub fn default_policy(self) -> RiskPolicy {
        match self {
            Self::InProgress => RiskPolicy::Wait,
            Self::MutableImage
            | Self::LatestPlatform
            | Self::NoCircuitBreaker
            | Self::Unconfirmed
            | Self::PartialArn => RiskPolicy::Go,
        }
    }

    /// The word in settings and plans.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InProgress => "in-progress",
            Self::MutableImage => "mutable-image",
            Self::LatestPlatform => "latest-platform",
            Self::NoCircuitBreaker => "no-circuit-breaker",
            Self::Unconfirmed => "unconfirmed",
            Self::PartialArn => "partial-arn",
        }
    }

    /// A clause that says what is risky, for a page.
    pub(crate) fn describe(self) -> &'static str {
        match self {
            Self::InProgress => "a deployment of it is in progress",
            Self::MutableImage => "an image of it is named by a tag, which may mean other code by now",
            Self::LatestPlatform => "its platform version is LATEST, which may be a newer one by now",
            Self::NoCircuitBreaker => "it has no circuit breaker: a failing rollout is not rolled back",
            Self::Unconfirmed => "Secrets Manager did not say that the new version is AWSCURRENT",
            Self::PartialArn => {
                "it refers to the secret by a partial ARN that ends like a full one, which Secrets Manager may refuse"
            }
        }
    }
}

/// The reaction to a deployment risk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RiskPolicy {
    /// Redeploy, and mention the risk in the plan.
    Go,
    /// Wait until the risk is gone; the same as `notify` for a risk that does not go away by itself.
    Wait,
    /// Do not redeploy; notify a human.
    Notify,
}
