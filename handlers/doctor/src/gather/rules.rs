//! EventBridge: the rules of the default bus with their targets, the bus's policy, and AWS's own matcher.

use std::collections::BTreeMap;

use aws_sdk_eventbridge::Client;
use serde_json::Value;

use crate::aws::{Aws, why};
use crate::snapshot::{Look, Rule, Target};

/// The rules whose names begin with the prefix.
pub(super) async fn rules(aws: &Aws, region: &str, prefix: &str) -> Look<BTreeMap<String, Rule>> {
    let client = Client::new(&aws.of(region));
    let (mut rules, mut token) = (BTreeMap::new(), None);
    loop {
        let page = client.list_rules().name_prefix(prefix).set_next_token(token).send().await;
        let page = match page {
            Ok(page) => page,
            Err(error) => return Look::Unseen(why("events:ListRules", &error)),
        };
        for rule in page.rules() {
            let name = rule.name().unwrap_or_default();
            let rule = Rule {
                arn: rule.arn().unwrap_or_default().to_owned(),
                state: rule.state().map_or("", |state| state.as_str()).to_owned(),
                pattern: rule.event_pattern().map(str::to_owned),
                schedule: rule.schedule_expression().map(str::to_owned),
                targets: targets(&client, name).await,
            };
            rules.insert(name.to_owned(), rule);
        }
        token = page.next_token().map(str::to_owned);
        if token.is_none() {
            return Look::Seen(rules);
        }
    }
}

/// A rule has at most five targets: one page.
async fn targets(client: &Client, rule: &str) -> Look<Vec<Target>> {
    match client.list_targets_by_rule().rule(rule).send().await {
        Ok(page) => {
            let targets = page.targets().iter().map(|target| Target {
                arn: target.arn().to_owned(),
                role: target.role_arn().map(str::to_owned),
                dlq: target.dead_letter_config().and_then(|config| config.arn()).map(str::to_owned),
                max_age: target
                    .retry_policy()
                    .and_then(aws_sdk_eventbridge::types::RetryPolicy::maximum_event_age_in_seconds)
                    .map(i64::from),
                max_attempts: target
                    .retry_policy()
                    .and_then(aws_sdk_eventbridge::types::RetryPolicy::maximum_retry_attempts)
                    .map(i64::from),
            });
            Look::Seen(targets.collect())
        }
        Err(error) => Look::Unseen(why("events:ListTargetsByRule", &error)),
    }
}

/// The policy of the default bus.
pub(super) async fn bus(aws: &Aws, region: &str) -> Look<Option<Value>> {
    match Client::new(&aws.of(region)).describe_event_bus().name("default").send().await {
        Ok(bus) => Look::Seen(bus.policy().and_then(|policy| serde_json::from_str(policy).ok())),
        Err(error) => Look::Unseen(why("events:DescribeEventBus", &error)),
    }
}

/// Whether AWS's matcher matches (`TestEventPattern`).
pub(super) async fn test(client: &Client, pattern: &str, event: &str) -> Result<bool, String> {
    let tested = client.test_event_pattern().event_pattern(pattern).event(event).send().await;
    tested.map(|tested| tested.result()).map_err(|error| why("events:TestEventPattern", &error))
}
