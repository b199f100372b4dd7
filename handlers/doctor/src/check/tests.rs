//! Faults, planted one by one into an installation that is as it should be: each is named, and nothing else.

mod healthy;
mod settings;

use responder_core::rules::builtin;
use responder_core::time::Span;
use serde_json::{Value, json};

use super::check_installation;
use crate::expected::{ExpectedInstallation, InstallationLayout};
use crate::finding::CheckFinding;
use crate::finding::FindingLevel::{self, Fail, Warn};
use crate::snapshot::{
    AccountSnapshot, BasicTrailSelector, Inspection, ObservedAlarm, ObservedFunction, ObservedKey,
    ObservedQueue, ObservedRule, ObservedStack, ObservedSubscription, ObservedTable, ObservedTarget,
    ObservedTopic, ObservedTrail, RegionSnapshot, TrailFieldSelector, TrailSelectors,
};
use healthy::{AWAY, HOME, healthy};

#[test]
fn an_installation_as_the_templates_make_it_is_healthy() {
    let all = findings(&healthy());
    assert_eq!(wrong(&all), Vec::<&CheckFinding>::new());
    assert!(all.len() > 100, "much is checked: {}", all.len());
}

#[test]
fn a_saved_snapshot_is_read_back_unchanged() {
    let snapshot = healthy();
    let text = serde_json::to_string(&snapshot).unwrap();
    assert_eq!(serde_json::from_str::<AccountSnapshot>(&text).unwrap(), snapshot);
}

#[test]
fn parameters_of_the_stack_change_the_expected_resources() {
    let mut snapshot = healthy();
    stack(&mut snapshot).parameters.insert("TrustedAccounts".to_owned(), "444455556666".to_owned());
    let all = findings(&snapshot);
    // Rules that were deployed for this account alone do not see events of the other one.
    let named: Vec<&str> = wrong(&all).iter().map(|finding| finding.check).collect();
    assert!(!named.is_empty() && named.iter().all(|check| *check == "rule-pattern"), "{all:#?}");
}

#[test]
fn an_unseen_resource_is_not_reported_as_well() {
    let mut snapshot = healthy();
    let home = home(&mut snapshot);
    home.rules = Inspection::Unseen("events:ListRules: AccessDeniedException".to_owned());
    home.keys = Inspection::Unseen("kms:DescribeKey: AccessDeniedException".to_owned());
    let all = findings(&snapshot);
    let named: Vec<(FindingLevel, &str)> = wrong(&all).iter().map(|one| (one.level, one.check)).collect();
    assert_eq!(named, [(Warn, "rule"), (Warn, "topic-key")]);
}

#[test]
fn every_planted_fault_is_named_and_nothing_else() {
    println!("{} faults", FAULTS.len());
    for (what, level, named, resource, plant) in FAULTS {
        let mut snapshot = healthy();
        plant(&mut snapshot);
        assert_ne!(snapshot, healthy(), "`{what}` changes something");
        let all = findings(&snapshot);
        let wrong = wrong(&all);
        let found: Vec<_> = wrong.iter().map(|one| (one.level, one.check, one.resource.as_str())).collect();
        assert_eq!(found, [(*level, *named, *resource)], "{what}: {wrong:#?}");
        let CheckFinding { what: seen, means, fix, .. } = wrong[0];
        assert!(!fix.is_empty() && !means.is_empty(), "{what}: {wrong:#?}");
        assert!(![seen, means, fix].iter().any(|text| text.contains('{')), "{what}: {wrong:#?}");
        println!("{:<4} {named:<20} {what}: {}", level.word(), wrong[0].what);
    }
}

type PlantFault = fn(&mut AccountSnapshot);
const READ: &str = "secrets-responder-access-secret-read";
const ROTATION: &str = "secrets-responder-rotation";
const PAGES: &str = "secrets-responder-pages";
const LEDGER: &str = "secrets-responder-ledger";
const STACK: &str = "secrets-responder";

/// The fault in words, the level, check and resource of its finding, and how to plant it.
const FAULTS: &[(&str, FindingLevel, &str, &str, PlantFault)] = &[
    ("a rule is missing", Fail, "rule", READ, |s| {
        let Inspection::Seen(rules) = &mut home(s).rules else { return };
        rules.remove(READ);
    }),
    ("a rule is disabled", Fail, "rule-state", READ, |s| rule(s).state = "DISABLED".to_owned()),
    ("a rule is in plain ENABLED", Fail, "rule-state", READ, |s| rule(s).state = "ENABLED".to_owned()),
    ("a pattern was narrowed", Fail, "rule-pattern", READ, |s| edit_pattern(s, "errorCode")),
    ("a pattern takes every account", Fail, "rule-pattern", READ, |s| {
        let pattern: Value = serde_json::from_str(rule(s).pattern.as_deref().unwrap()).unwrap();
        let mut open = pattern;
        open.as_object_mut().unwrap().remove("account");
        rule(s).pattern = Some(open.to_string());
    }),
    ("a rule has no target", Fail, "rule-target", READ, |s| rule(s).targets = Inspection::Seen(Vec::new())),
    ("a rule has another target", Fail, "rule-target", READ, |s| target(s).arn.push_str("-old")),
    ("a rule has one target more", Warn, "rule-target", READ, |s| {
        let other =
            ObservedTarget { arn: "arn:aws:sqs:eu-west-1:999988887777:mine".to_owned(), ..target(s).clone() };
        let Inspection::Seen(targets) = &mut rule(s).targets else { return };
        targets.push(other);
    }),
    ("a target has no dead-letter queue", Fail, "rule-dlq", READ, |s| target(s).dlq = None),
    ("a target has no retry policy", Warn, "rule-retry", READ, |s| {
        (target(s).max_age, target(s).max_attempts) = (None, None);
    }),
    ("the rules' dead-letter queue has no policy", Fail, "dlq-policy", "secrets-responder-rules-dlq", |s| {
        queue(s, "secrets-responder-rules-dlq").policy = None;
    }),
    ("a queue has no policy", Fail, "queue-policy", ROTATION, |s| queue(s, ROTATION).policy = None),
    ("a queue's policy asks for the account", Fail, "queue-policy", ROTATION, |s| {
        let policy = queue(s, ROTATION).policy.as_mut().unwrap();
        policy["Statement"][0]["Condition"] =
            json!({"StringEquals": {"aws:SourceAccount": healthy::ACCOUNT}});
    }),
    ("a queue has no dead-letter queue", Fail, "queue-dlq", ROTATION, |s| {
        queue(s, ROTATION).dlq = None;
    }),
    ("messages are given up after one try", Fail, "queue-receives", ROTATION, |s| {
        queue(s, ROTATION).max_receives = Some(1);
    }),
    ("a queue is not encrypted", Warn, "queue-encryption", ROTATION, |s| {
        queue(s, ROTATION).encrypted = false;
    }),
    ("a dead-letter queue is not empty", Fail, "dlq-depth", "secrets-responder-rotation-dlq", |s| {
        queue(s, "secrets-responder-rotation-dlq").depth = 2;
    }),
    ("a dead-letter queue forgets", Fail, "dlq-retention", "secrets-responder-rotation-dlq", |s| {
        queue(s, "secrets-responder-rotation-dlq").retention = 345_600;
    }),
    ("a function is missing", Fail, "function", ROTATION, |s| {
        let Inspection::Seen(functions) = &mut home(s).functions else { return };
        functions.remove(ROTATION);
    }),
    ("a function cannot run", Fail, "function", ROTATION, |s| function(s).state = "Failed".to_owned()),
    ("a function outlives its lease", Fail, "timing", ROTATION, |s| function(s).timeout = 90),
    ("a message comes back too early", Fail, "timing", ROTATION, |s| {
        queue(s, ROTATION).visibility = 90;
    }),
    ("a function has Lambda's default timeout", Fail, "timing", ROTATION, |s| function(s).timeout = 3),
    ("a function is switched off", Fail, "function-concurrency", ROTATION, |s| {
        function(s).reserved = Some(0);
    }),
    ("a function pages elsewhere", Fail, "function-topic", ROTATION, |s| {
        let topic = "arn:aws:sns:eu-west-1:111122223333:other".to_owned();
        function(s).environment.insert("PAGE_TOPIC_ARN".to_owned(), topic);
    }),
    ("a function has no topic for pages", Fail, "function-settings", ROTATION, |s| {
        function(s).environment.remove("PAGE_TOPIC_ARN");
    }),
    ("a function has no ledger", Fail, "function-settings", ROTATION, |s| {
        function(s).environment.remove("LEDGER_TABLE");
    }),
    ("the margin is longer than what is waited", Fail, "function-settings", ROTATION, |s| {
        function(s).environment.insert("SETTLE_SECONDS".to_owned(), "0".to_owned());
    }),
    ("a mode is no mode", Fail, "function-settings", ROTATION, |s| {
        function(s).environment.insert("MODE".to_owned(), "forced".to_owned());
    }),
    ("a function counts elsewhere", Fail, "function-ledger", ROTATION, |s| {
        function(s).environment.insert("LEDGER_TABLE".to_owned(), "other".to_owned());
    }),
    ("a mapping is disabled", Fail, "mapping", ROTATION, |s| {
        let Inspection::Seen(mappings) = &mut function(s).mappings else { return };
        mappings[0].state = "Disabled".to_owned();
    }),
    ("ReportBatchItemFailures is missing", Fail, "mapping", ROTATION, |s| {
        let Inspection::Seen(mappings) = &mut function(s).mappings else { return };
        mappings[0].partial = false;
    }),
    ("nothing feeds a function", Fail, "mapping", ROTATION, |s| {
        function(s).mappings = Inspection::Seen(Vec::new());
    }),
    ("the ledger is missing", Fail, "ledger", LEDGER, |s| home(s).table = Inspection::Seen(None)),
    ("the ledger does not expire", Fail, "ledger-ttl", LEDGER, |s| table(s).ttl = None),
    ("the ledger has no backups", Warn, "ledger-recovery", LEDGER, |s| table(s).recovery = false),
    ("the ledger can be deleted", Warn, "ledger-protection", LEDGER, |s| table(s).protected = false),
    ("the page topic is missing", Fail, "topic", PAGES, |s| home(s).topics = Inspection::default()),
    ("nobody is subscribed", Fail, "topic-subscribers", PAGES, |s| {
        topic(s).subscriptions = Inspection::Seen(Vec::new());
    }),
    ("the subscription is not confirmed", Fail, "topic-subscribers", PAGES, |s| {
        let pending = ObservedSubscription { protocol: "email".to_owned(), confirmed: false };
        topic(s).subscriptions = Inspection::Seen(vec![pending]);
    }),
    ("one subscription is not confirmed", Warn, "topic-subscribers", PAGES, |s| {
        let Inspection::Seen(some) = &mut topic(s).subscriptions else { return };
        some.push(ObservedSubscription { protocol: "email".to_owned(), confirmed: false });
    }),
    ("the topic lets no alarm publish", Fail, "topic-policy", PAGES, |s| {
        let policy = topic(s).policy.as_mut().unwrap();
        policy["Statement"].as_array_mut().unwrap().remove(0);
    }),
    ("the topic is not encrypted", Warn, "topic-encryption", PAGES, |s| topic(s).key = None),
    ("the topic has the key of AWS", Fail, "topic-key", PAGES, |s| {
        topic(s).key = Some("alias/aws/sns".to_owned());
    }),
    ("the key's policy asks EventBridge for its account", Fail, "topic-key", PAGES, |s| {
        let Inspection::Seen(Some(policy)) = &mut key(s).policy else { return };
        policy["Statement"].as_array_mut().unwrap().push(json!({
            "Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"},
            "Action": ["kms:Decrypt", "kms:GenerateDataKey*"], "Resource": "*",
            "Condition": {"StringEquals": {"aws:SourceAccount": healthy::ACCOUNT}}}));
        policy["Statement"][1]["Principal"]["Service"] = json!("cloudwatch.amazonaws.com");
    }),
    ("the key is disabled", Fail, "topic-key", PAGES, |s| key(s).enabled = false),
    ("there is no trail", Fail, "trail", "trails", |s| home(s).trails = Inspection::Seen(Vec::new())),
    ("the trail is stopped", Fail, "trail", "all", |s| trail(s).logging = Inspection::Seen(false)),
    ("basic selectors leave reads out", Fail, "trail", "all", |s| {
        let writes = BasicTrailSelector { management: true, read_write: "WriteOnly".to_owned() };
        trail(s).selectors = Inspection::Seen(TrailSelectors { basic: vec![writes], advanced: Vec::new() });
    }),
    ("basic selectors leave management events out", Fail, "trail", "all", |s| {
        let none = BasicTrailSelector { management: false, read_write: "All".to_owned() };
        trail(s).selectors = Inspection::Seen(TrailSelectors { basic: vec![none], advanced: Vec::new() });
    }),
    ("advanced selectors leave reads out", Fail, "trail", "all", |s| {
        let field = |field: &str, value: &str| TrailFieldSelector {
            field: field.to_owned(),
            equals: vec![value.to_owned()],
            ..TrailFieldSelector::default()
        };
        let writes = vec![field("eventCategory", "Management"), field("readOnly", "false")];
        trail(s).selectors = Inspection::Seen(TrailSelectors { basic: Vec::new(), advanced: vec![writes] });
    }),
    ("the trail does not record this Region", Fail, "trail", "trails", |s| {
        (trail(s).multi_region, trail(s).home) = (false, "eu-north-1".to_owned());
    }),
    ("the trail cannot deliver", Warn, "trail-delivery", "all", |s| {
        trail(s).delivery_error = Some("AccessDenied".to_owned());
    }),
    ("a second trail is stopped", Warn, "trail", "old", |s| {
        let mut old = trail(s).clone();
        (old.arn, old.logging) =
            ("arn:aws:cloudtrail:eu-west-1:1:trail/old".to_owned(), Inspection::Seen(false));
        let Inspection::Seen(trails) = &mut home(s).trails else { return };
        trails.push(old);
    }),
    ("the trail's log files are not validated", Warn, "trail-validation", "all", |s| {
        trail(s).validated = false;
    }),
    ("there is no forwarder", Fail, "forwarder", "secrets-responder-forwarder", |s| {
        (away(s).rules, away(s).alarms) = (Inspection::default(), Inspection::default());
    }),
    ("a forwarder sends elsewhere", Fail, "rule-target", FORWARD, |s| {
        forward(s).arn = forward(s).arn.replace(HOME, "eu-north-1");
    }),
    ("a forwarder has no role", Fail, "rule-role", FORWARD, |s| forward(s).role = None),
    ("an alarm is missing", Fail, "alarm", "secrets-responder-canary-silent", |s| {
        let Inspection::Seen(alarms) = &mut home(s).alarms else { return };
        alarms.remove("secrets-responder-canary-silent");
    }),
    ("an alarm has no action", Fail, "alarm-action", QUEUE_ALARM, |s| alarm(s).actions.clear()),
    ("an alarm's actions are switched off", Fail, "alarm-action", QUEUE_ALARM, |s| {
        alarm(s).enabled = false;
    }),
    ("an alarm watches another metric", Fail, "alarm-metric", QUEUE_ALARM, |s| {
        alarm(s).dimensions.clear();
    }),
    ("an alarm rings", Warn, "alarm-state", QUEUE_ALARM, |s| alarm(s).state = "ALARM".to_owned()),
    ("an alarm watches what does not exist", Fail, "alarm-dead", "rotations", |s| {
        let metric = ("AWS/SecretsManager".to_owned(), "RotationFailed".to_owned());
        let dead = ObservedAlarm { namespace: metric.0, metric: metric.1, ..alarm(s).clone() };
        let Inspection::Seen(alarms) = &mut home(s).alarms else { return };
        alarms.insert("rotations".to_owned(), dead);
    }),
    ("a heartbeat is old", Fail, "heartbeat", "secrets-responder-rotation-silent", |s| {
        let old = s.at.minus(Span::from_secs(3_600));
        let Inspection::Seen(beats) = &mut home(s).heartbeats else { return };
        beats.insert("secrets-responder-rotation-silent".to_owned(), old);
    }),
    ("the canary never came", Fail, "heartbeat", "secrets-responder-canary-silent", |s| {
        let Inspection::Seen(beats) = &mut home(s).heartbeats else { return };
        beats.remove("secrets-responder-canary-silent");
    }),
    ("a stack has drifted", Fail, "stack-drift", STACK, |s| stack(s).drift = "DRIFTED".to_owned()),
    ("a stack was rolled back", Fail, "stack", STACK, |s| {
        stack(s).status = "UPDATE_ROLLBACK_COMPLETE".to_owned();
    }),
    ("there is no stack", Warn, "stack", STACK, |s| home(s).stacks = Inspection::default()),
    ("nothing was ever deployed", Fail, "responder", STACK, |s| remove_responder(s, None)),
    ("its creation was rolled back", Fail, "responder", STACK, |s| {
        remove_responder(s, Some("ROLLBACK_COMPLETE"));
    }),
    ("the bus is open to everybody", Fail, "bus", "default", |s| {
        home(s).bus = Inspection::Seen(Some(json!({"Statement": [
            {"Effect": "Allow", "Principal": "*", "Action": "events:PutEvents", "Resource": "*"}]})));
    }),
    ("AWS matches otherwise", Fail, "matcher", "secret-read", |s| {
        let Inspection::Seen(matched) = &mut s.matched else { return };
        matched[0].theirs = false;
    }),
];

const FORWARD: &str = "secrets-responder-forward-secretsmanager-api-call";
const QUEUE_ALARM: &str = "secrets-responder-rotation-dlq";

/// Leaves of the home Region what is there without the stack: the trails of others, and the ledger, which outlives it.
fn remove_responder(snapshot: &mut AccountSnapshot, status: Option<&str>) {
    let home = home(snapshot);
    let stack = |status: &str| ObservedStack { status: status.to_owned(), ..ObservedStack::default() };
    let stacks = status.map(|status| (STACK.to_owned(), stack(status)));
    *home = RegionSnapshot {
        trails: home.trails.clone(),
        table: home.table.clone(),
        stacks: Inspection::Seen(stacks.into_iter().collect()),
        ..RegionSnapshot::default()
    };
}

fn findings(snapshot: &AccountSnapshot) -> Vec<CheckFinding> {
    let layout = InstallationLayout::from_snapshot(snapshot);
    let expected = ExpectedInstallation::generate(&builtin().unwrap(), &layout).unwrap();
    check_installation(&expected, snapshot)
}

fn wrong(findings: &[CheckFinding]) -> Vec<&CheckFinding> {
    findings.iter().filter(|finding| finding.level > FindingLevel::Ok).collect()
}

fn seen<T>(look: &mut Inspection<T>) -> &mut T {
    let Inspection::Seen(seen) = look else { panic!("it was seen") };
    seen
}

fn home(snapshot: &mut AccountSnapshot) -> &mut RegionSnapshot {
    snapshot.regions.get_mut(HOME).unwrap()
}

fn away(snapshot: &mut AccountSnapshot) -> &mut RegionSnapshot {
    snapshot.regions.get_mut(AWAY).unwrap()
}

fn rule(snapshot: &mut AccountSnapshot) -> &mut ObservedRule {
    seen(&mut home(snapshot).rules).get_mut(READ).unwrap()
}

fn target(snapshot: &mut AccountSnapshot) -> &mut ObservedTarget {
    &mut seen(&mut rule(snapshot).targets)[0]
}

fn forward(snapshot: &mut AccountSnapshot) -> &mut ObservedTarget {
    &mut seen(&mut seen(&mut away(snapshot).rules).get_mut(FORWARD).unwrap().targets)[0]
}

fn edit_pattern(snapshot: &mut AccountSnapshot, field: &str) {
    let mut pattern: Value = serde_json::from_str(rule(snapshot).pattern.as_deref().unwrap()).unwrap();
    pattern["detail"][field] = json!([{"anything-but": "AccessDenied"}]);
    rule(snapshot).pattern = Some(pattern.to_string());
}

fn queue<'s>(snapshot: &'s mut AccountSnapshot, name: &str) -> &'s mut ObservedQueue {
    seen(&mut home(snapshot).queues).get_mut(name).unwrap()
}

fn function(snapshot: &mut AccountSnapshot) -> &mut ObservedFunction {
    seen(&mut home(snapshot).functions).get_mut(ROTATION).unwrap()
}

fn table(snapshot: &mut AccountSnapshot) -> &mut ObservedTable {
    seen(&mut home(snapshot).table).as_mut().unwrap()
}

fn topic(snapshot: &mut AccountSnapshot) -> &mut ObservedTopic {
    seen(&mut home(snapshot).topics).get_mut(PAGES).unwrap()
}

fn key(snapshot: &mut AccountSnapshot) -> &mut ObservedKey {
    seen(&mut home(snapshot).keys).get_mut("PageKey").unwrap()
}

fn trail(snapshot: &mut AccountSnapshot) -> &mut ObservedTrail {
    &mut seen(&mut home(snapshot).trails)[0]
}

fn alarm(snapshot: &mut AccountSnapshot) -> &mut ObservedAlarm {
    seen(&mut home(snapshot).alarms).get_mut(QUEUE_ALARM).unwrap()
}

fn stack(snapshot: &mut AccountSnapshot) -> &mut ObservedStack {
    seen(&mut home(snapshot).stacks).get_mut(STACK).unwrap()
}
