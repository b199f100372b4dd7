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
use crate::wiring::{Part, Site, Wiring};

/// How often AWS's matcher is asked in a second: the control plane takes 50, and others need it too (EventBridge quotas).
const TESTS_A_SECOND: u64 = 20;

/// Looks at the Regions of a site.
pub(crate) async fn look(
    aws: &Aws,
    site: &Site,
    wiring: &Wiring,
    cases: &[Case<'_>],
    now: Timestamp,
    progress: &Progress,
) -> Snapshot {
    let mut regions = BTreeMap::new();
    progress.start(wiring.others.len() + 1 + usize::from(!cases.is_empty()));
    progress.step(&aws.home);
    let mut home = shared(aws, &aws.home, &site.prefix, &wiring.home, now).await;
    responder(aws, &wiring.home, &mut home).await;
    regions.insert(aws.home.clone(), home);
    for (region, part) in &wiring.others {
        progress.step(region);
        regions.insert(region.clone(), shared(aws, region, &site.prefix, part, now).await);
    }
    if !cases.is_empty() {
        progress.step("TestEventPattern");
    }
    let matched = matched(aws, cases).await;
    progress.done();
    Snapshot {
        prefix: site.prefix.clone(),
        partition: aws.partition.clone(),
        account: aws.account.clone(),
        home: aws.home.clone(),
        at: now,
        regions,
        matched,
    }
}

/// What every Region has.
async fn shared(aws: &Aws, region: &str, prefix: &str, part: &Part, now: Timestamp) -> Observed {
    Observed {
        trails: trails::trails(aws, region).await,
        rules: rules::rules(aws, region, prefix).await,
        queues: queues::queues(aws, region, prefix).await,
        alarms: alarms::alarms(aws, region, prefix).await,
        heartbeats: alarms::heartbeats(aws, region, part.heartbeats(), now).await,
        stacks: stacks::stacks(aws, region, &part.stack).await,
        ..Observed::default()
    }
}

/// What only the home Region has.
async fn responder(aws: &Aws, part: &Part, home: &mut Observed) {
    let region = aws.home.as_str();
    let topic = |name: &String| format!("arn:{}:sns:{region}:{}:{name}", aws.partition, aws.account);
    let functions = part.workers.iter().map(|worker| worker.function.clone());
    home.bus = rules::bus(aws, region).await;
    home.functions = functions::functions(aws, region, functions).await;
    home.table = table::table(aws, region, &part.table).await;
    home.topics = topics::topics(aws, region, part.topics.iter().map(topic)).await;
    let keys = home.topics.seen().into_iter().flatten().filter_map(|(_, topic)| topic.key.clone());
    home.keys = topics::keys(aws, region, keys).await;
}

/// What AWS's matcher says of every case of a rule's fixtures.
async fn matched(aws: &Aws, cases: &[Case<'_>]) -> Look<Vec<Matched>> {
    let client = aws_sdk_eventbridge::Client::new(&aws.of(&aws.home));
    let mut matched = Vec::new();
    for case in cases {
        match rules::test(&client, case.pattern, case.event).await {
            Ok(theirs) => matched.push(Matched {
                rule: case.rule.to_owned(),
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
