//! The event bus: from what the models tell to what arrives in the queues. It loses, repeats, delays and so reorders.

use std::rc::Rc;

use responder_core::rules::Handler;
use responder_core::time::{Span, Timestamp};
use serde_json::{Value, json};

use crate::ecs::TaskLaunch;
use crate::event::{event, seconds};
use crate::queue::Queue;
use crate::{Place, Random};

/// The bus and its queues.
#[derive(Debug)]
pub(crate) struct Bus {
    random: Random,
    place: Place,
    /// How many of a thousand events get lost, and how many come twice.
    pub(crate) lost: u64,
    pub(crate) twice: u64,
    /// The longest time that an event of `CloudTrail` takes. Others take a few seconds.
    pub(crate) trail: Span,
    /// How long messages for the function `access` are gathered.
    pub(crate) window: Span,
    pub(crate) rotation: Queue,
    pub(crate) access: Queue,
    /// How many events were told, and how many of them got lost.
    pub(crate) notified: (u64, u64),
}

impl Bus {
    pub(crate) fn new(place: Place, seed: u64) -> Self {
        let random = Random::new(seed);
        let (rotation, access) = (Queue::default(), Queue::default());
        let trail = Span::from_secs(120);
        Self {
            random,
            place,
            lost: 0,
            twice: 0,
            trail,
            window: Span::from_millis(1),
            rotation,
            access,
            notified: (0, 0),
        }
    }

    /// The queue of a handler.
    pub(crate) fn queue(&mut self, handler: Handler) -> &mut Queue {
        if handler == Handler::Access { &mut self.access } else { &mut self.rotation }
    }

    /// When a message that comes at an instant can be received.
    pub(crate) fn gathered(&self, handler: Handler, at: Timestamp) -> Timestamp {
        let window = self.window.millis().max(1);
        let early = at.millis().rem_euclid(window);
        let gathers = handler == Handler::Access && early > 0;
        if gathers { at.plus(Span::from_millis(window - early)) } else { at }
    }

    /// Takes an event; returns what becomes of it, for the trace.
    pub(crate) fn put(&mut self, at: Timestamp, event: &Value) -> &'static str {
        let kind = event["detail-type"].as_str().unwrap_or_default();
        let name = event["detail"]["eventName"].as_str().unwrap_or_default();
        let (handler, slowest) = match (kind, name) {
            ("AWS Service Event via CloudTrail", "RotationSucceeded") => (Handler::Rotation, self.trail),
            ("AWS API Call via CloudTrail", _) => (Handler::Access, self.trail),
            ("Secret Label Updated" | "ECS Deployment State Change", _) => {
                (Handler::Rotation, Span::from_secs(5))
            }
            _ => return "no rule has it",
        };
        self.notified.0 += 1;
        if self.random.chance(self.lost) {
            self.notified.1 += 1;
            return "lost";
        }
        let twice = self.random.chance(self.twice);
        let text: Rc<str> = event.to_string().into();
        for _ in 0..=u64::from(twice) {
            let slowest = u64::try_from(slowest.millis()).unwrap_or_default();
            let delay =
                Span::from_millis(i64::try_from(self.random.below(slowest)).unwrap_or_default() + 200);
            let at = self.gathered(handler, at.plus(delay));
            self.queue(handler).send(Rc::clone(&text), at);
        }
        if twice { "twice" } else { "once" }
    }

    /// What `CloudTrail` tells of a task's start: its role reads its secrets, under the task's id as the session's name.
    pub(crate) fn launched(&mut self, launch: &TaskLaunch) -> Vec<Value> {
        let Some(role) = &launch.execution_role else { return Vec::new() };
        let name = role.rsplit('/').next().unwrap_or_default();
        let (account, at) = (self.place.account.clone(), seconds(launch.started_at));
        let mut events = Vec::new();
        for reference in &launch.reads {
            let secret: Vec<&str> = reference.split(':').take(7).collect();
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
                "eventTime": at,
                "eventSource": "secretsmanager.amazonaws.com",
                "eventName": "GetSecretValue",
                "awsRegion": self.place.region,
                "requestParameters": { "secretId": secret.join(":") },
                "responseElements": null,
                "requestID": self.random.uuid(),
                "eventID": self.random.uuid(),
                "readOnly": true,
                "eventType": "AwsApiCall",
                "managementEvent": true,
                "recipientAccountId": account,
                "eventCategory": "Management",
            });
            let kind = ("aws.secretsmanager", "AWS API Call via CloudTrail");
            events.push(event(&mut self.random, &self.place, launch.started_at, kind, &[], &detail));
        }
        events
    }

    /// What the schedule sends to the sweep.
    pub(crate) fn sweep(&mut self, at: Timestamp) -> Value {
        let rule = self.place.arn("events", "rule/responder-sweep");
        let kind = ("aws.events", "Scheduled Event");
        event(&mut self.random, &self.place, at, kind, &[&rule], &json!({}))
    }
}
