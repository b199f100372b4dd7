//! `EventBridge`: the rules of the default bus with their targets, the bus's policy, and AWS's own matcher.

use std::collections::BTreeMap;

use aws_sdk_eventbridge::Client;
use serde_json::Value;

use super::account::RegionGatherer;
use crate::aws_session::{CallAnswer as _, CallResult};
use crate::snapshot::{ObservedRule, ObservedTarget};

impl RegionGatherer<'_> {
    /// The rules whose names begin with the prefix.
    pub(super) async fn gather_rules(&self) -> CallResult<BTreeMap<String, ObservedRule>> {
        let client = Client::new(&self.config);
        let mut rules = BTreeMap::new();
        let mut token = None;
        loop {
            let page = client.list_rules().name_prefix(self.prefix).set_next_token(token).send().await;
            let page = page.for_call("events:ListRules")?;
            for rule in page.rules() {
                let name = rule.name().unwrap_or_default();
                let observed = ObservedRule {
                    arn: rule.arn().unwrap_or_default().to_owned(),
                    state: rule.state().map_or("", |state| state.as_str()).to_owned(),
                    pattern: rule.event_pattern().map(str::to_owned),
                    schedule: rule.schedule_expression().map(str::to_owned),
                    targets: gather_targets(&client, name).await.into(),
                };
                rules.insert(name.to_owned(), observed);
            }
            token = page.next_token().map(str::to_owned);
            if token.is_none() {
                return Ok(rules);
            }
        }
    }

    /// The policy of the default bus.
    pub(super) async fn gather_bus_policy(&self) -> CallResult<Option<Value>> {
        let client = Client::new(&self.config);
        let bus =
            client.describe_event_bus().name("default").send().await.for_call("events:DescribeEventBus")?;
        Ok(serde_json::from_str(bus.policy().unwrap_or_default()).ok())
    }

    /// Whether AWS's matcher matches a pattern with an event (`TestEventPattern`).
    pub(super) async fn test_pattern(&self, pattern: &str, event: &str) -> CallResult<bool> {
        let client = Client::new(&self.config);
        let answer = client.test_event_pattern().event_pattern(pattern).event(event).send().await;
        Ok(answer.for_call("events:TestEventPattern")?.result())
    }
}

/// The targets of a rule. A rule has at most five: they are one page.
async fn gather_targets(client: &Client, rule: &str) -> CallResult<Vec<ObservedTarget>> {
    let answer = client.list_targets_by_rule().rule(rule).send().await;
    let mut targets = Vec::new();
    for target in answer.for_call("events:ListTargetsByRule")?.targets() {
        let retry = target.retry_policy().cloned();
        targets.push(ObservedTarget {
            arn: target.arn().to_owned(),
            role: target.role_arn().map(str::to_owned),
            dlq: target.dead_letter_config().and_then(|config| config.arn()).map(str::to_owned),
            max_age: retry.as_ref().and_then(|retry| retry.maximum_event_age_in_seconds).map(i64::from),
            max_attempts: retry.and_then(|retry| retry.maximum_retry_attempts).map(i64::from),
        });
    }
    Ok(targets)
}
