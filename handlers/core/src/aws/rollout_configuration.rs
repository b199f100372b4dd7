//! How a service is deployed (`deploymentConfiguration` in the API reference of ECS), as far as that says how long a healthy
//! deployment takes.

use serde::{Deserialize, Serialize};

use crate::time::Span;

/// The deployment configuration of a service. The spans are those for which ECS waits by itself, however healthy the new
/// tasks are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RolloutConfiguration {
    /// How old tasks give way to new ones.
    pub strategy: RolloutStrategy,
    /// For how long the old tasks are kept after the traffic has shifted (`bakeTimeInMinutes`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bake_time: Option<Span>,
    /// The steps of a canary or linear deployment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub steps: Option<TrafficSteps>,
    /// How long the pause hooks wait at most for a person, all together; absent without such a hook.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pause_hook_timeout: Option<Span>,
    /// How long the other lifecycle hooks may take at most, all together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hook_timeout: Option<Span>,
}

/// How old tasks give way to new ones (`strategy`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RolloutStrategy {
    /// `ROLLING`: a few at a time.
    #[default]
    Rolling,
    /// `BLUE_GREEN`: all at once, beside the old ones.
    BlueGreen,
    /// `LINEAR`: the traffic shifts in equal steps.
    Linear,
    /// `CANARY`: a part of the traffic shifts first.
    Canary,
    /// A strategy of later versions of the API.
    #[serde(other)]
    Other,
}

/// The steps in which traffic shifts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrafficSteps {
    /// The part of the traffic that the first step, or each step, shifts, in percent (rounded down).
    pub percent: u32,
    /// How long each step lasts.
    pub bake_time: Span,
}

impl RolloutConfiguration {
    /// Whether it says nothing.
    pub(crate) fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// Whether a deployment may wait for a person.
    pub(crate) fn has_pause_hook(&self) -> bool {
        self.pause_hook_timeout.is_some()
    }

    /// How long ECS waits by itself in a healthy deployment that nobody has to approve.
    pub(crate) fn waiting_time(&self) -> Span {
        let mut waiting = self.bake_time.unwrap_or_default();
        if let Some(TrafficSteps { percent, bake_time }) = self.steps {
            let count = match self.strategy {
                RolloutStrategy::Linear => 100_u32.div_ceil(percent.clamp(1, 100)),
                _ => 1,
            };
            waiting = waiting.plus(Span::from_millis(bake_time.millis().saturating_mul(count.into())));
        }
        waiting.plus(self.hook_timeout.unwrap_or_default())
    }

    /// The strategy, for people.
    pub(crate) fn describe_strategy(&self) -> String {
        match (self.strategy, self.steps) {
            (RolloutStrategy::Canary, Some(steps)) => format!("canary at {} %", steps.percent),
            (RolloutStrategy::Linear, Some(steps)) => format!("linear, in steps of {} %", steps.percent),
            (RolloutStrategy::Canary, None) => "canary".to_owned(),
            (RolloutStrategy::Linear, None) => "linear".to_owned(),
            (RolloutStrategy::BlueGreen, _) => "blue/green".to_owned(),
            (RolloutStrategy::Rolling | RolloutStrategy::Other, _) => "it goes on".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Span = Span::from_secs(3_600);

    #[test]
    fn the_configuration_says_how_long_ecs_waits() {
        let steps = |percent| Some(TrafficSteps { percent, bake_time: HOUR });
        for (strategy, bake_time, steps, hours) in [
            (RolloutStrategy::Rolling, None, None, 0),
            (RolloutStrategy::BlueGreen, Some(HOUR), None, 1),
            (RolloutStrategy::Canary, Some(HOUR), steps(10), 2),
            (RolloutStrategy::Linear, None, steps(25), 4),
            (RolloutStrategy::Linear, Some(HOUR), steps(30), 5),
            (RolloutStrategy::Linear, None, steps(0), 100),
        ] {
            let configuration = RolloutConfiguration { strategy, bake_time, steps, ..Default::default() };
            assert_eq!(configuration.waiting_time(), Span::from_secs(hours * 3_600), "{configuration:?}");
        }
        let approved = RolloutConfiguration { pause_hook_timeout: Some(HOUR), ..Default::default() };
        assert_eq!(approved.waiting_time(), Span::default());
    }
}
