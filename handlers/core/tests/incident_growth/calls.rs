//! Made-up calls, and the pages about them.

use std::sync::LazyLock;

use responder_core::facts::Facts;
use responder_core::incident::Incident;
use responder_core::memory_store::{MemoryStore, order_and_deduplicate};
use responder_core::plan::{Plan, PlanStep};
use responder_core::rules::{RuleSet, builtin};
use responder_core::severity::Severity;
use responder_core::time::Timestamp;
use serde_json::{Value, json};
pub(crate) const START: i64 = 1_772_323_200_000;

pub(crate) fn rules() -> &'static RuleSet {
    static RULES: LazyLock<RuleSet> = LazyLock::new(|| builtin().unwrap());
    &RULES
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Call {
    pub(crate) second: u32,
    /// `None` for a list.
    pub(crate) secret: Option<u32>,
    pub(crate) region: &'static str,
    pub(crate) agent: &'static str,
    pub(crate) address: u8,
    pub(crate) key: &'static str,
}

pub(crate) const TEMPORARY_KEY: &str = "ASIAIOSFODNN7EXAMPLE";

pub(crate) fn read(second: u32, secret: u32) -> Call {
    Call {
        second,
        secret: Some(secret),
        region: "us-west-2",
        agent: "aws-cli/2.22",
        address: 9,
        key: TEMPORARY_KEY,
    }
}

pub(crate) fn list(second: u32) -> Call {
    Call { secret: None, ..read(second, 0) }
}

/// One read a second of secrets that nobody read before.
pub(crate) fn theft(from: u32, secrets: std::ops::Range<u32>) -> Vec<Call> {
    let begin = secrets.start;
    secrets.map(|secret| read(from + secret - begin, secret)).collect()
}

impl Call {
    pub(crate) fn text(self) -> String {
        let Self { second, secret, region, agent, address, key } = self;
        let time = Timestamp::from_millis(START + i64::from(second) * 1_000).to_string();
        let (name, parameters) = match secret {
            Some(secret) => ("GetSecretValue", json!({"secretId": format!("app/s{secret}")})),
            None => ("ListSecrets", Value::Null),
        };
        json!({
            "version": "0", "id": "i", "detail-type": "AWS API Call via CloudTrail", "source": "aws.secretsmanager",
            "account": "111122223333", "region": region, "time": time, "resources": [],
            "detail": {
                "eventSource": "secretsmanager.amazonaws.com", "eventName": name, "awsRegion": region, "eventTime": time,
                "eventID": format!("{self:?}"), "recipientAccountId": "111122223333", "requestParameters": parameters,
                "userAgent": agent, "eventType": "AwsApiCall", "sourceIPAddress": format!("203.0.113.{address}"),
                "userIdentity": {"type": "AssumedRole", "accountId": "111122223333", "accessKeyId": key,
                    "arn": "arn:aws:sts::111122223333:assumed-role/refresher/i-0123456789abcdef0",
                    "sessionContext": {"sessionIssuer": {"type": "Role", "arn": "arn:aws:iam::111122223333:role/refresher",
                        "accountId": "111122223333", "userName": "refresher"}}},
            },
        })
        .to_string()
    }
}

pub(crate) fn decide(calls: &[Call], ordered: bool) -> (Vec<Plan>, MemoryStore<'static>) {
    decide_texts(calls.iter().map(|call| call.text()).collect(), ordered)
}

/// The same, with a sweep in each of some minutes.
pub(crate) fn decide_with_sweeps(
    calls: &[Call],
    minutes: std::ops::Range<i64>,
) -> (Vec<Plan>, MemoryStore<'static>) {
    let mut texts: Vec<String> = calls.iter().map(|call| call.text()).collect();
    texts.extend(minutes.map(sweep));
    decide_texts(texts, true)
}

pub(crate) fn sweep(minute: i64) -> String {
    let time = Timestamp::from_millis(START + minute * 60_000).to_string();
    json!({"id": format!("sweep-{minute}"), "source": "aws.events", "detail-type": "Scheduled Event",
        "account": "111122223333", "region": "us-west-2", "time": time, "resources": [], "detail": {}})
    .to_string()
}

pub(crate) fn decide_texts(texts: Vec<String>, ordered: bool) -> (Vec<Plan>, MemoryStore<'static>) {
    let mut events = Vec::new();
    for text in texts {
        events.extend(rules().match_event(&text).unwrap());
    }
    if ordered {
        events = order_and_deduplicate(events).0;
    }
    let mut store = MemoryStore::new(Facts::default());
    let plans = events.iter().map(|event| store.decide(event)).collect();
    (plans, store)
}

pub(crate) fn page_steps(plans: &[Plan]) -> Vec<&PlanStep> {
    let steps = plans.iter().flat_map(|plan| &plan.steps);
    steps.filter(|step| matches!(step, PlanStep::Page { .. })).collect()
}

pub(crate) fn pages(plans: &[Plan]) -> Vec<&Incident> {
    let mut incidents = Vec::new();
    for step in page_steps(plans) {
        if let PlanStep::Page { incident, .. } = step {
            incidents.push(&**incident);
        }
    }
    incidents
}

/// The severity and the number of secrets of each page.
pub(crate) fn summaries(plans: &[Plan]) -> Vec<(Severity, usize)> {
    pages(plans).iter().map(|incident| (incident.severity, incident.secrets.len())).collect()
}

/// How many secrets each page tells, and when it was decided, in minutes.
pub(crate) fn told_by_minute(plans: &[Plan]) -> Vec<(i64, usize)> {
    let mut told = Vec::new();
    for plan in plans {
        let minute = (plan.time.millis() - START) / 60_000;
        for page in pages(std::slice::from_ref(plan)) {
            told.push((minute, page.secret_refs.len()));
        }
    }
    told
}
