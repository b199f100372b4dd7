//! The event bus, from what the models send to what arrives in the queues. It loses, repeats, delays and so reorders events.

use std::rc::Rc;

use responder_core::rules::Handler;
use responder_core::time::{Span, Timestamp};
use serde_json::{Value, json};

use crate::ecs::TaskLaunch;
use crate::event_envelope::{EventKind, wrap_event};
use crate::location::AwsLocation;
use crate::queue::SimulatedQueue;
use crate::random::SeededRandom;

/// The bus and its queues.
#[derive(Debug)]
pub(crate) struct SimulatedBus {
    random: SeededRandom,
    location: AwsLocation,
    /// How many of a thousand events get lost.
    pub(crate) lost: u64,
    /// How many of a thousand events come twice.
    pub(crate) twice: u64,
    /// The longest time that an event of `CloudTrail` takes. Others take a few seconds.
    pub(crate) trail_delay: Span,
    /// How long messages for the function `access` are gathered.
    pub(crate) batching_window: Span,
    pub(crate) rotation_queue: SimulatedQueue,
    pub(crate) access_queue: SimulatedQueue,
    /// How many events were sent that a rule has.
    pub(crate) sent: u64,
    /// How many of them got lost.
    pub(crate) lost_count: u64,
}

/// The delivery of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EventDelivery {
    /// No rule has it.
    Unmatched,
    /// It got lost.
    Lost,
    /// It comes once.
    Once,
    /// It comes twice.
    Twice,
}

impl EventDelivery {
    /// The delivery in words, for the trace.
    pub(crate) fn describe(self) -> &'static str {
        match self {
            Self::Unmatched => "no rule has it",
            Self::Lost => "lost",
            Self::Once => "once",
            Self::Twice => "twice",
        }
    }
}

/// The longest time that an event takes which does not come through `CloudTrail`.
const NATIVE_EVENT_DELAY: Span = Span::from_secs(5);
/// The shortest time that an event takes, in milliseconds.
const MIN_DELAY_MILLIS: i64 = 200;

impl SimulatedBus {
    pub(crate) fn new(location: AwsLocation, seed: u64) -> Self {
        Self {
            random: SeededRandom::new(seed),
            location,
            lost: 0,
            twice: 0,
            trail_delay: Span::from_secs(120),
            batching_window: Span::from_millis(1),
            rotation_queue: SimulatedQueue::default(),
            access_queue: SimulatedQueue::default(),
            sent: 0,
            lost_count: 0,
        }
    }

    /// The queue of a handler.
    pub(crate) fn queue_mut(&mut self, handler: Handler) -> &mut SimulatedQueue {
        if handler == Handler::Access { &mut self.access_queue } else { &mut self.rotation_queue }
    }

    /// When a message that arrives at an instant can be received: messages for `access` are gathered in windows.
    pub(crate) fn end_of_window(&self, handler: Handler, at: Timestamp) -> Timestamp {
        let window = self.batching_window.millis().max(1);
        let after_begin = at.millis().rem_euclid(window);
        if handler != Handler::Access || after_begin == 0 {
            return at;
        }
        at.plus(Span::from_millis(window - after_begin))
    }

    /// Takes an event, and says what becomes of it.
    pub(crate) fn deliver(&mut self, at: Timestamp, event: &Value) -> EventDelivery {
        let detail_type = event["detail-type"].as_str().unwrap_or_default();
        let name = event["detail"]["eventName"].as_str().unwrap_or_default();
        let (handler, slowest) = match (detail_type, name) {
            ("AWS Service Event via CloudTrail", "RotationSucceeded") => {
                (Handler::Rotation, self.trail_delay)
            }
            ("AWS API Call via CloudTrail", _) => (Handler::Access, self.trail_delay),
            ("Secret Label Updated" | "ECS Deployment State Change", _) => {
                (Handler::Rotation, NATIVE_EVENT_DELAY)
            }
            _ => return EventDelivery::Unmatched,
        };
        self.sent += 1;
        if self.random.chance(self.lost) {
            self.lost_count += 1;
            return EventDelivery::Lost;
        }
        let delivery =
            if self.random.chance(self.twice) { EventDelivery::Twice } else { EventDelivery::Once };
        let copies = if delivery == EventDelivery::Twice { 2 } else { 1 };
        let text: Rc<str> = event.to_string().into();
        for _ in 0..copies {
            let more = self.random.signed_below(u64::try_from(slowest.millis()).unwrap_or_default());
            let arrives_at = at.plus(Span::from_millis(more + MIN_DELAY_MILLIS));
            let visible_at = self.end_of_window(handler, arrives_at);
            self.queue_mut(handler).send(Rc::clone(&text), visible_at);
        }
        delivery
    }

    /// The records of `CloudTrail` about a task's start: its role reads its secrets, under the task's id as the session's name.
    pub(crate) fn record_launch(&mut self, launch: &TaskLaunch) -> Vec<Value> {
        const KIND: EventKind = ("aws.secretsmanager", "AWS API Call via CloudTrail");
        let Some(role) = &launch.execution_role else { return Vec::new() };
        let name = role.rsplit('/').next().unwrap_or_default();
        let account = self.location.account.clone();
        let mut events = Vec::new();
        for reference in &launch.reads {
            let detail = json!({
                "eventVersion": "1.11",
                "userIdentity": {
                    "type": "AssumedRole",
                    "principalId": format!("AROAEXAMPLE:{}", launch.task),
                    "arn": format!("arn:aws:sts::{account}:assumed-role/{name}/{}", launch.task),
                    "accountId": account,
                    "sessionContext": { "sessionIssuer": {
                        "type": "Role", "arn": role, "accountId": account, "userName": name,
                    } },
                },
                "eventTime": launch.started_at.truncate_to_second(),
                "eventSource": "secretsmanager.amazonaws.com",
                "eventName": "GetSecretValue",
                "awsRegion": self.location.region,
                "requestParameters": { "secretId": strip_json_key(reference) },
                "responseElements": null,
                "requestID": self.random.uuid(),
                "eventID": self.random.uuid(),
                "readOnly": true,
                "eventType": "AwsApiCall",
                "managementEvent": true,
                "recipientAccountId": account,
                "eventCategory": "Management",
            });
            let at = launch.started_at;
            events.push(wrap_event(&mut self.random, &self.location, at, KIND, &[], &detail));
        }
        events
    }

    /// The event by which the schedule invokes the sweep.
    pub(crate) fn schedule_sweep(&mut self, at: Timestamp) -> Value {
        let rule = self.location.arn("events", "rule/responder-sweep");
        let kind = ("aws.events", "Scheduled Event");
        wrap_event(&mut self.random, &self.location, at, kind, &[&rule], &json!({}))
    }
}

/// The secret of a reference: its ARN without a JSON key, a version stage and a version id.
pub(crate) fn strip_json_key(reference: &str) -> String {
    let parts: Vec<&str> = reference.split(':').take(7).collect();
    parts.join(":")
}
