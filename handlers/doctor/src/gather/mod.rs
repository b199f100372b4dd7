//! Looking: every call only reads. What may not be looked at is noted, and costs nothing else.

mod alarms;
mod functions;
mod queues;
mod rules;
mod stacks;
mod table;
mod topics;
mod trails;

use std::collections::BTreeMap;

use responder_core::time::Timestamp;

use crate::aws::Aws;
use crate::cases::Case;
use crate::progress::Progress;
use crate::snapshot::{Look, Matched, Observed, Snapshot};
use crate::wiring::Wiring;

/// How often AWS's matcher is asked in a second: the control plane takes 50, and others need it too (EventBridge quotas).
const TESTS_A_SECOND: u64 = 20;

/// Looks at the home Region and the others.
pub(crate) async fn look(
    aws: &Aws,
    wiring: &Wiring,
    others: &[String],
    cases: &[Case<'_>],
    now: Timestamp,
    progress: &Progress,
) -> Snapshot {
    let mut regions = BTreeMap::new();
    progress.start(others.len() + 1 + usize::from(!cases.is_empty()));
    progress.step(&aws.home);
    regions.insert(aws.home.clone(), home(aws, wiring, now).await);
    for region in others.iter().filter(|region| **region != aws.home) {
        progress.step(region);
        regions.insert(region.clone(), other(aws, wiring, region).await);
    }
    if !cases.is_empty() {
        progress.step("TestEventPattern");
    }
    let matched = matched(aws, wiring, cases).await;
    progress.done();
    Snapshot { account: aws.account.clone(), home: aws.home.clone(), at: now, regions, matched }
}

async fn home(aws: &Aws, wiring: &Wiring, now: Timestamp) -> Observed {
    let region = aws.home.as_str();
    let topic = format!("arn:{}:sns:{region}:{}:{}", aws.partition, aws.account, wiring.pages);
    let functions = wiring.workers.iter().map(|worker| worker.function.clone());
    let topics = topics::topics(aws, region, std::iter::once(topic)).await;
    let keys = topics.seen().into_iter().flatten().filter_map(|(_, topic)| topic.key.clone());
    Observed {
        trails: trails::trails(aws, region).await,
        rules: rules::rules(aws, region, &wiring.prefix).await,
        bus: rules::bus(aws, region).await,
        queues: queues::queues(aws, region, &wiring.prefix).await,
        functions: functions::functions(aws, region, functions).await,
        table: table::table(aws, region, &wiring.table).await,
        keys: topics::keys(aws, region, keys).await,
        topics,
        alarms: alarms::alarms(aws, region, &wiring.prefix).await,
        heartbeats: alarms::heartbeats(aws, region, &wiring.heartbeats, now).await,
        stacks: stacks::stacks(aws, region, &wiring.stacks).await,
    }
}

/// A Region that forwards has no functions.
async fn other(aws: &Aws, wiring: &Wiring, region: &str) -> Observed {
    Observed {
        trails: trails::trails(aws, region).await,
        rules: rules::rules(aws, region, &wiring.prefix).await,
        queues: queues::queues(aws, region, &wiring.prefix).await,
        alarms: alarms::alarms(aws, region, &wiring.prefix).await,
        stacks: stacks::stacks(aws, region, &wiring.stacks).await,
        ..Observed::default()
    }
}

/// What AWS's matcher says of every case of a rule's fixtures.
async fn matched(aws: &Aws, wiring: &Wiring, cases: &[Case<'_>]) -> Look<Vec<Matched>> {
    let client = aws_sdk_eventbridge::Client::new(&aws.of(&aws.home));
    let mut matched = Vec::new();
    for case in cases {
        let Some(rule) = wiring.rules.iter().find(|rule| rule.id == case.rule) else { continue };
        match rules::test(&client, &rule.pattern.to_string(), case.event).await {
            Ok(theirs) => matched.push(Matched {
                rule: rule.name.clone(),
                case: case.name.to_owned(),
                ours: case.matches,
                theirs,
            }),
            Err(why) => return Look::Unseen(why),
        }
        tokio::time::sleep(std::time::Duration::from_millis(1_000 / TESTS_A_SECOND)).await;
    }
    Look::Seen(matched)
}
