//! Faults, planted one by one into an installation that is as it should be: each is named, and nothing else.

mod healthy;
mod settings;

use responder_core::rules::builtin;
use responder_core::time::Span;
use serde_json::{Value, json};

use super::check;
use crate::finding::{Finding, Level};
use crate::snapshot::{
    Alarm, BasicSelector, FieldSelector, Function, Key, Look, Observed, Queue, Rule, Selectors, Snapshot,
    Stack, Subscription, Table, Target, Topic, Trail,
};
use crate::wiring::{Site, Wiring};
use healthy::{AWAY, HOME, healthy};

#[test]
fn what_the_templates_make_is_healthy() {
    let all = findings(&healthy());
    assert_eq!(wrong(&all), Vec::<&Finding>::new());
    assert!(all.len() > 100, "much was looked at: {}", all.len());
}

#[test]
fn what_was_saved_is_judged_alike() {
    let snapshot = healthy();
    let text = serde_json::to_string(&snapshot).unwrap();
    assert_eq!(serde_json::from_str::<Snapshot>(&text).unwrap(), snapshot);
}

#[test]
fn parameters_of_the_stack_change_what_should_be_there() {
    let mut snapshot = healthy();
    stack(&mut snapshot).parameters.insert("TrustedAccounts".to_owned(), "444455556666".to_owned());
    let all = findings(&snapshot);
    // Rules that were made for this account alone do not see the other one.
    let named: Vec<&str> = wrong(&all).iter().map(|finding| finding.check).collect();
    assert!(!named.is_empty() && named.iter().all(|check| *check == "rule-pattern"), "{all:#?}");
}

#[test]
fn what_cannot_be_looked_at_is_not_called_well() {
    let mut snapshot = healthy();
    let home = home(&mut snapshot);
    home.rules = Look::Unseen("events:ListRules: AccessDeniedException".to_owned());
    home.keys = Look::Unseen("kms:DescribeKey: AccessDeniedException".to_owned());
    let all = findings(&snapshot);
    let named: Vec<(Level, &str)> = wrong(&all).iter().map(|one| (one.level, one.check)).collect();
    assert_eq!(named, [(Level::Warn, "rule"), (Level::Warn, "topic-key")]);
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
        assert!(!wrong[0].fix.is_empty() && !wrong[0].means.is_empty(), "{what}: {wrong:#?}");
        println!("{:<4} {named:<20} {what}: {}", level.word(), wrong[0].what);
    }
}

type Plant = fn(&mut Snapshot);
const READ: &str = "secrets-responder-access-secret-read";
const ROTATION: &str = "secrets-responder-rotation";
const PAGES: &str = "secrets-responder-pages";
const LEDGER: &str = "secrets-responder-ledger";
const STACK: &str = "secrets-responder";

/// What is wrong, how bad it is, the check's name, the resource, and how to plant it.
const FAULTS: &[(&str, Level, &str, &str, Plant)] = &[
    ("a rule is missing", Level::Fail, "rule", READ, |s| {
        let Look::Seen(rules) = &mut home(s).rules else { return };
        rules.remove(READ);
    }),
    ("a rule is disabled", Level::Fail, "rule-state", READ, |s| rule(s).state = "DISABLED".to_owned()),
    ("a rule is in plain ENABLED", Level::Fail, "rule-state", READ, |s| rule(s).state = "ENABLED".to_owned()),
    ("a pattern was narrowed", Level::Fail, "rule-pattern", READ, |s| edit_pattern(s, "errorCode")),
    ("a pattern takes every account", Level::Fail, "rule-pattern", READ, |s| {
        let pattern: Value = serde_json::from_str(rule(s).pattern.as_deref().unwrap()).unwrap();
        let mut open = pattern;
        open.as_object_mut().unwrap().remove("account");
        rule(s).pattern = Some(open.to_string());
    }),
    ("a rule has no target", Level::Fail, "rule-target", READ, |s| rule(s).targets = Look::Seen(Vec::new())),
    ("a rule has another target", Level::Fail, "rule-target", READ, |s| target(s).arn.push_str("-old")),
    ("a rule has one target more", Level::Warn, "rule-target", READ, |s| {
        let other = Target { arn: "arn:aws:sqs:eu-west-1:999988887777:mine".to_owned(), ..target(s).clone() };
        let Look::Seen(targets) = &mut rule(s).targets else { return };
        targets.push(other);
    }),
    ("a target has no dead-letter queue", Level::Fail, "rule-dlq", READ, |s| target(s).dlq = None),
    ("a target has no retry policy", Level::Warn, "rule-retry", READ, |s| {
        (target(s).max_age, target(s).max_attempts) = (None, None);
    }),
    (
        "the rules' dead-letter queue has no policy",
        Level::Fail,
        "dlq-policy",
        "secrets-responder-rules-dlq",
        |s| {
            queue(s, "secrets-responder-rules-dlq").policy = None;
        },
    ),
    ("a queue has no policy", Level::Fail, "queue-policy", ROTATION, |s| queue(s, ROTATION).policy = None),
    ("a queue's policy asks for the account", Level::Fail, "queue-policy", ROTATION, |s| {
        let policy = queue(s, ROTATION).policy.as_mut().unwrap();
        policy["Statement"][0]["Condition"] =
            json!({"StringEquals": {"aws:SourceAccount": healthy::ACCOUNT}});
    }),
    ("a queue has no dead-letter queue", Level::Fail, "queue-dlq", ROTATION, |s| {
        queue(s, ROTATION).dlq = None;
    }),
    ("messages are given up after one try", Level::Fail, "queue-receives", ROTATION, |s| {
        queue(s, ROTATION).max_receives = Some(1);
    }),
    ("a queue is not encrypted", Level::Warn, "queue-encryption", ROTATION, |s| {
        queue(s, ROTATION).encrypted = false;
    }),
    ("a dead-letter queue is not empty", Level::Fail, "dlq-depth", "secrets-responder-rotation-dlq", |s| {
        queue(s, "secrets-responder-rotation-dlq").depth = 2;
    }),
    ("a dead-letter queue forgets", Level::Fail, "dlq-retention", "secrets-responder-rotation-dlq", |s| {
        queue(s, "secrets-responder-rotation-dlq").retention = 345_600;
    }),
    ("a function is missing", Level::Fail, "function", ROTATION, |s| {
        let Look::Seen(functions) = &mut home(s).functions else { return };
        functions.remove(ROTATION);
    }),
    ("a function cannot run", Level::Fail, "function", ROTATION, |s| function(s).state = "Failed".to_owned()),
    ("a function outlives its lease", Level::Fail, "timing", ROTATION, |s| function(s).timeout = 90),
    ("a message comes back too early", Level::Fail, "timing", ROTATION, |s| {
        queue(s, ROTATION).visibility = 90;
    }),
    ("a function has Lambda's default timeout", Level::Fail, "timing", ROTATION, |s| function(s).timeout = 3),
    ("a function is switched off", Level::Fail, "function-concurrency", ROTATION, |s| {
        function(s).reserved = Some(0);
    }),
    ("a function pages elsewhere", Level::Fail, "function-topic", ROTATION, |s| {
        let topic = "arn:aws:sns:eu-west-1:111122223333:other".to_owned();
        function(s).environment.insert("PAGE_TOPIC_ARN".to_owned(), topic);
    }),
    ("a function has no topic for pages", Level::Fail, "function-settings", ROTATION, |s| {
        function(s).environment.remove("PAGE_TOPIC_ARN");
    }),
    ("a function has no ledger", Level::Fail, "function-settings", ROTATION, |s| {
        function(s).environment.remove("LEDGER_TABLE");
    }),
    ("the margin is longer than what is waited", Level::Fail, "function-settings", ROTATION, |s| {
        function(s).environment.insert("SETTLE_SECONDS".to_owned(), "0".to_owned());
    }),
    ("a mode is no mode", Level::Fail, "function-settings", ROTATION, |s| {
        function(s).environment.insert("MODE".to_owned(), "forced".to_owned());
    }),
    ("a function counts elsewhere", Level::Fail, "function-ledger", ROTATION, |s| {
        function(s).environment.insert("LEDGER_TABLE".to_owned(), "other".to_owned());
    }),
    ("a mapping is disabled", Level::Fail, "mapping", ROTATION, |s| {
        let Look::Seen(mappings) = &mut function(s).mappings else { return };
        mappings[0].state = "Disabled".to_owned();
    }),
    ("ReportBatchItemFailures is missing", Level::Fail, "mapping", ROTATION, |s| {
        let Look::Seen(mappings) = &mut function(s).mappings else { return };
        mappings[0].partial = false;
    }),
    ("nothing feeds a function", Level::Fail, "mapping", ROTATION, |s| {
        function(s).mappings = Look::Seen(Vec::new());
    }),
    ("the ledger is missing", Level::Fail, "ledger", LEDGER, |s| home(s).table = Look::Seen(None)),
    ("the ledger does not expire", Level::Fail, "ledger-ttl", LEDGER, |s| table(s).ttl = None),
    ("the ledger has no backups", Level::Warn, "ledger-recovery", LEDGER, |s| table(s).recovery = false),
    ("the ledger can be deleted", Level::Warn, "ledger-protection", LEDGER, |s| table(s).protected = false),
    ("the page topic is missing", Level::Fail, "topic", PAGES, |s| home(s).topics = Look::default()),
    ("nobody is subscribed", Level::Fail, "topic-subscribers", PAGES, |s| {
        topic(s).subscriptions = Look::Seen(Vec::new());
    }),
    ("the subscription is not confirmed", Level::Fail, "topic-subscribers", PAGES, |s| {
        let pending = Subscription { protocol: "email".to_owned(), confirmed: false };
        topic(s).subscriptions = Look::Seen(vec![pending]);
    }),
    ("one subscription is not confirmed", Level::Warn, "topic-subscribers", PAGES, |s| {
        let Look::Seen(some) = &mut topic(s).subscriptions else { return };
        some.push(Subscription { protocol: "email".to_owned(), confirmed: false });
    }),
    ("the topic lets no alarm publish", Level::Fail, "topic-policy", PAGES, |s| {
        let policy = topic(s).policy.as_mut().unwrap();
        policy["Statement"].as_array_mut().unwrap().remove(0);
    }),
    ("the topic is not encrypted", Level::Warn, "topic-encryption", PAGES, |s| topic(s).key = None),
    ("the topic has the key of AWS", Level::Fail, "topic-key", PAGES, |s| {
        topic(s).key = Some("alias/aws/sns".to_owned());
    }),
    ("the key's policy asks EventBridge for its account", Level::Fail, "topic-key", PAGES, |s| {
        let Look::Seen(Some(policy)) = &mut key(s).policy else { return };
        policy["Statement"].as_array_mut().unwrap().push(json!({
            "Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"},
            "Action": ["kms:Decrypt", "kms:GenerateDataKey*"], "Resource": "*",
            "Condition": {"StringEquals": {"aws:SourceAccount": healthy::ACCOUNT}}}));
        policy["Statement"][1]["Principal"]["Service"] = json!("cloudwatch.amazonaws.com");
    }),
    ("the key is disabled", Level::Fail, "topic-key", PAGES, |s| key(s).enabled = false),
    ("there is no trail", Level::Fail, "trail", "trails", |s| home(s).trails = Look::Seen(Vec::new())),
    ("the trail is stopped", Level::Fail, "trail", "all", |s| trail(s).logging = Look::Seen(false)),
    ("basic selectors leave reads out", Level::Fail, "trail", "all", |s| {
        let writes = BasicSelector { management: true, read_write: "WriteOnly".to_owned() };
        trail(s).selectors = Look::Seen(Selectors { basic: vec![writes], advanced: Vec::new() });
    }),
    ("basic selectors leave management events out", Level::Fail, "trail", "all", |s| {
        let none = BasicSelector { management: false, read_write: "All".to_owned() };
        trail(s).selectors = Look::Seen(Selectors { basic: vec![none], advanced: Vec::new() });
    }),
    ("advanced selectors leave reads out", Level::Fail, "trail", "all", |s| {
        let field = |field: &str, value: &str| FieldSelector {
            field: field.to_owned(),
            equals: vec![value.to_owned()],
            ..FieldSelector::default()
        };
        let writes = vec![field("eventCategory", "Management"), field("readOnly", "false")];
        trail(s).selectors = Look::Seen(Selectors { basic: Vec::new(), advanced: vec![writes] });
    }),
    ("the trail does not record this Region", Level::Fail, "trail", "trails", |s| {
        (trail(s).multi_region, trail(s).home) = (false, "eu-north-1".to_owned());
    }),
    ("the trail cannot deliver", Level::Warn, "trail-delivery", "all", |s| {
        trail(s).delivery_error = Some("AccessDenied".to_owned());
    }),
    ("a second trail is stopped", Level::Warn, "trail", "old", |s| {
        let mut old = trail(s).clone();
        (old.arn, old.logging) = ("arn:aws:cloudtrail:eu-west-1:1:trail/old".to_owned(), Look::Seen(false));
        let Look::Seen(trails) = &mut home(s).trails else { return };
        trails.push(old);
    }),
    ("the trail's log files are not validated", Level::Warn, "trail-validation", "all", |s| {
        trail(s).validated = false;
    }),
    ("there is no forwarder", Level::Fail, "forwarder", "secrets-responder-forwarder", |s| {
        (away(s).rules, away(s).alarms) = (Look::default(), Look::default());
    }),
    ("a forwarder sends elsewhere", Level::Fail, "rule-target", FORWARD, |s| {
        forward(s).arn = forward(s).arn.replace(HOME, "eu-north-1");
    }),
    ("a forwarder has no role", Level::Fail, "rule-role", FORWARD, |s| forward(s).role = None),
    ("an alarm is missing", Level::Fail, "alarm", "secrets-responder-canary-silent", |s| {
        let Look::Seen(alarms) = &mut home(s).alarms else { return };
        alarms.remove("secrets-responder-canary-silent");
    }),
    ("an alarm has no action", Level::Fail, "alarm-action", QUEUE_ALARM, |s| alarm(s).actions.clear()),
    ("an alarm's actions are switched off", Level::Fail, "alarm-action", QUEUE_ALARM, |s| {
        alarm(s).enabled = false;
    }),
    ("an alarm watches another metric", Level::Fail, "alarm-metric", QUEUE_ALARM, |s| {
        alarm(s).dimensions.clear();
    }),
    ("an alarm rings", Level::Warn, "alarm-state", QUEUE_ALARM, |s| alarm(s).state = "ALARM".to_owned()),
    ("an alarm watches what does not exist", Level::Fail, "alarm-dead", "rotations", |s| {
        let metric = ("AWS/SecretsManager".to_owned(), "RotationFailed".to_owned());
        let dead = Alarm { namespace: metric.0, metric: metric.1, ..alarm(s).clone() };
        let Look::Seen(alarms) = &mut home(s).alarms else { return };
        alarms.insert("rotations".to_owned(), dead);
    }),
    ("a heartbeat is old", Level::Fail, "heartbeat", "secrets-responder-rotation-silent", |s| {
        let old = s.at.minus(Span::from_secs(3_600));
        let Look::Seen(beats) = &mut home(s).heartbeats else { return };
        beats.insert("secrets-responder-rotation-silent".to_owned(), old);
    }),
    ("the canary never came", Level::Fail, "heartbeat", "secrets-responder-canary-silent", |s| {
        let Look::Seen(beats) = &mut home(s).heartbeats else { return };
        beats.remove("secrets-responder-canary-silent");
    }),
    ("a stack has drifted", Level::Fail, "stack-drift", STACK, |s| stack(s).drift = "DRIFTED".to_owned()),
    ("a stack was rolled back", Level::Fail, "stack", STACK, |s| {
        stack(s).status = "UPDATE_ROLLBACK_COMPLETE".to_owned();
    }),
    ("there is no stack", Level::Warn, "stack", STACK, |s| home(s).stacks = Look::default()),
    ("nothing was ever deployed", Level::Fail, "responder", STACK, |s| nothing(s, None)),
    ("its creation was rolled back", Level::Fail, "responder", STACK, |s| {
        nothing(s, Some("ROLLBACK_COMPLETE"));
    }),
    ("the bus is open to everybody", Level::Fail, "bus", "default", |s| {
        home(s).bus = Look::Seen(Some(json!({"Statement": [
            {"Effect": "Allow", "Principal": "*", "Action": "events:PutEvents", "Resource": "*"}]})));
    }),
    ("AWS matches otherwise", Level::Fail, "matcher", "secret-read", |s| {
        let Look::Seen(matched) = &mut s.matched else { return };
        matched[0].theirs = false;
    }),
];

const FORWARD: &str = "secrets-responder-forward-secretsmanager-api-call";
const QUEUE_ALARM: &str = "secrets-responder-rotation-dlq";

/// What is left of the home Region when the stack is not there: the trails of others, and the ledger, which is kept.
fn nothing(snapshot: &mut Snapshot, status: Option<&str>) {
    let home = home(snapshot);
    let stack = |status: &str| Stack { status: status.to_owned(), ..Stack::default() };
    let stacks = status.map(|status| (STACK.to_owned(), stack(status)));
    *home = Observed {
        trails: home.trails.clone(),
        table: home.table.clone(),
        stacks: Look::Seen(stacks.into_iter().collect()),
        ..Observed::default()
    };
}

fn findings(snapshot: &Snapshot) -> Vec<Finding> {
    let wiring = Wiring::of(&builtin().unwrap(), &Site::seen(snapshot)).unwrap();
    check(&wiring, snapshot)
}

fn wrong(findings: &[Finding]) -> Vec<&Finding> {
    findings.iter().filter(|finding| finding.level > Level::Ok).collect()
}

fn seen<T>(look: &mut Look<T>) -> &mut T {
    let Look::Seen(seen) = look else { panic!("it was seen") };
    seen
}

fn home(snapshot: &mut Snapshot) -> &mut Observed {
    snapshot.regions.get_mut(HOME).unwrap()
}

fn away(snapshot: &mut Snapshot) -> &mut Observed {
    snapshot.regions.get_mut(AWAY).unwrap()
}

fn rule(snapshot: &mut Snapshot) -> &mut Rule {
    seen(&mut home(snapshot).rules).get_mut(READ).unwrap()
}

fn target(snapshot: &mut Snapshot) -> &mut Target {
    &mut seen(&mut rule(snapshot).targets)[0]
}

fn forward(snapshot: &mut Snapshot) -> &mut Target {
    &mut seen(&mut seen(&mut away(snapshot).rules).get_mut(FORWARD).unwrap().targets)[0]
}

fn edit_pattern(snapshot: &mut Snapshot, field: &str) {
    let mut pattern: Value = serde_json::from_str(rule(snapshot).pattern.as_deref().unwrap()).unwrap();
    pattern["detail"][field] = json!([{"anything-but": "AccessDenied"}]);
    rule(snapshot).pattern = Some(pattern.to_string());
}

fn queue<'s>(snapshot: &'s mut Snapshot, name: &str) -> &'s mut Queue {
    seen(&mut home(snapshot).queues).get_mut(name).unwrap()
}

fn function(snapshot: &mut Snapshot) -> &mut Function {
    seen(&mut home(snapshot).functions).get_mut(ROTATION).unwrap()
}

fn table(snapshot: &mut Snapshot) -> &mut Table {
    seen(&mut home(snapshot).table).as_mut().unwrap()
}

fn topic(snapshot: &mut Snapshot) -> &mut Topic {
    seen(&mut home(snapshot).topics).get_mut(PAGES).unwrap()
}

fn key(snapshot: &mut Snapshot) -> &mut Key {
    seen(&mut home(snapshot).keys).get_mut("PageKey").unwrap()
}

fn trail(snapshot: &mut Snapshot) -> &mut Trail {
    &mut seen(&mut home(snapshot).trails)[0]
}

fn alarm(snapshot: &mut Snapshot) -> &mut Alarm {
    seen(&mut home(snapshot).alarms).get_mut(QUEUE_ALARM).unwrap()
}

fn stack(snapshot: &mut Snapshot) -> &mut Stack {
    seen(&mut home(snapshot).stacks).get_mut(STACK).unwrap()
}
