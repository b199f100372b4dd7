//! A stretch of an estate's month: its world, and the events in it.

use std::rc::Rc;

use responder_core::rules::{Handler, RulesError};
use responder_core::settings::Settings;
use responder_core::time::{Span, Timestamp};
use serde_json::{Value, json};

use super::estate::{CostEstate, minutes};
use crate::event_envelope::{EventKind, wrap_event};
use crate::location::{AwsLocation, HOME_ACCOUNT, HOME_REGION};
use crate::random::SeededRandom;
use crate::random_world::world_start;
use crate::storm::create_numbered_service;
use crate::world::{SimulatedWorld, WorldConditions};

/// How long the functions' environments and the ledger warm up, in minutes.
const WARM_UP_MINUTES: u64 = 15;
/// How long the mapping of the function `access` gathers (`MaximumBatchingWindowInSeconds`): as in `infra/responder.yaml`.
const BATCHING_WINDOW: Span = Span::from_secs(5);
/// The age of the secrets, in minutes.
const SECRET_AGE_MINUTES: u64 = 40 * 1_440;
/// The age of the services, in minutes.
const SERVICE_AGE_MINUTES: u64 = 10 * 1_440;
/// Each service uses so many secrets.
const SECRETS_PER_SERVICE: u64 = 2;
/// Each role reads so many secrets.
const SECRETS_PER_READER: u64 = 3;

/// A warmed-up world of an estate, and when its stretch begins.
pub(super) struct EstateMonth {
    pub(super) world: SimulatedWorld,
    pub(super) from: Timestamp,
    estate: CostEstate,
}

impl EstateMonth {
    pub(super) fn new(estate: &CostEstate) -> Result<Self, RulesError> {
        let conditions = WorldConditions {
            settings: Settings::default(),
            workers: 10,
            batching_window: BATCHING_WINDOW,
            ..WorldConditions::calm(1)
        };
        let mut world = SimulatedWorld::new(conditions, world_start())?;
        let secrets = create_secrets(&world, estate);
        create_services(&world, estate, &secrets);
        // Something is discovered, so that the definitions are known.
        if let Some(secret) = secrets.first() {
            world.rotate_at(world_start().plus(minutes(1)), secret);
        }
        let from = world_start().plus(minutes(WARM_UP_MINUTES));
        world.run_until(from);
        Ok(Self { world, from, estate: *estate })
    }

    /// Puts so many reads into so many minutes, evenly in time, each by another role of its own few secrets.
    pub(super) fn add_reads(&mut self, count: u64, within_minutes: u64) {
        const KIND: EventKind = ("aws.secretsmanager", "AWS API Call via CloudTrail");
        let mut random = SeededRandom::new(2);
        let location = AwsLocation::new(HOME_ACCOUNT, HOME_REGION);
        for number in 0..count {
            let at = self.from.plus(divide_span(minutes(within_minutes), number, count));
            let role = random.below(self.estate.readers.max(1));
            let secret_of_role = random.below(SECRETS_PER_READER);
            let secret = (role * SECRETS_PER_READER + secret_of_role) % self.estate.secrets.max(1);
            let detail = describe_read(&mut random, role, secret, at);
            let event = wrap_event(&mut random, &location, at, KIND, &[], &detail);
            // CloudTrail takes its time: none of it matters here.
            self.world.send_message(Handler::Access, event.to_string().into(), at);
        }
    }

    /// Puts so many rotations into so many minutes, of one secret that a service uses after the other.
    pub(super) fn add_rotations(&mut self, count: u64, within_minutes: u64) {
        let arns: Vec<String> =
            self.world.with_secrets(|secrets| secrets.arns().map(str::to_owned).collect());
        let used = (self.estate.services * SECRETS_PER_SERVICE).min(self.estate.secrets).max(1);
        for number in 0..count {
            let every = minutes(within_minutes).millis() / i64::try_from(count).unwrap_or(1);
            let after = Span::from_millis(every * i64::try_from(number).unwrap_or_default());
            let index = usize::try_from(1 + number * 7 % used).unwrap_or_default() % arns.len().max(1);
            if let Some(secret) = arns.get(index) {
                self.world.rotate_at(self.from.plus(after), secret);
            }
        }
    }

    /// Sends a heartbeat to the functions that have a queue here.
    pub(super) fn add_heartbeats(&mut self) {
        let mut random = SeededRandom::new(3);
        let location = AwsLocation::new(HOME_ACCOUNT, HOME_REGION);
        for handler in [Handler::Rotation, Handler::Access] {
            let kind = ("aws.events", "Scheduled Event");
            let event = wrap_event(&mut random, &location, self.from, kind, &[], &json!({}));
            let text: Rc<str> = event.to_string().into();
            self.world.send_message(handler, text, self.from);
        }
    }
}

/// The part `number` / `count` of a span.
fn divide_span(span: Span, number: u64, count: u64) -> Span {
    let millis = i128::from(span.millis()) * i128::from(number) / i128::from(count.max(1));
    Span::from_millis(i64::try_from(millis).unwrap_or_default())
}

fn create_secrets(world: &SimulatedWorld, estate: &CostEstate) -> Vec<String> {
    let created = world_start().minus(minutes(SECRET_AGE_MINUTES));
    world.with_secrets(|secrets| {
        let mut arns = Vec::new();
        for number in 0..estate.secrets {
            arns.push(secrets.create(HOME_REGION, &format!("team/app-{number:04}/db"), created));
        }
        arns
    })
}

fn create_services(world: &SimulatedWorld, estate: &CostEstate, secrets: &[String]) {
    let created = world_start().minus(minutes(SERVICE_AGE_MINUTES));
    let clusters = usize::try_from(estate.clusters).unwrap_or_default();
    for number in 0..usize::try_from(estate.services).unwrap_or_default() {
        let mut own = Vec::new();
        for index in [2 * number, 2 * number + 1] {
            own.extend(secrets.get(index % secrets.len().max(1)).cloned());
        }
        create_numbered_service(world, number, clusters, &own, created);
    }
}

/// The `detail` of a read by a role.
fn describe_read(random: &mut SeededRandom, role: u64, secret: u64, at: Timestamp) -> Value {
    let at = at.truncate_to_second();
    json!({
        "eventVersion": "1.11",
        "userIdentity": {
            "type": "AssumedRole",
            "principalId": format!("AROA{role:017}:i-0123456789abcdef0"),
            "arn": format!("arn:aws:sts::{HOME_ACCOUNT}:assumed-role/reader-{role}/i-0123456789abcdef0"),
            "accountId": HOME_ACCOUNT,
            "accessKeyId": format!("ASIA{role:016}"),
            "sessionContext": { "sessionIssuer": {
                "type": "Role", "principalId": format!("AROA{role:017}"),
                "arn": format!("arn:aws:iam::{HOME_ACCOUNT}:role/reader-{role}"),
                "accountId": HOME_ACCOUNT, "userName": format!("reader-{role}"),
            }, "attributes": { "creationDate": at, "mfaAuthenticated": "false" }, "ec2RoleDelivery": "2.0" },
        },
        "eventTime": at,
        "eventSource": "secretsmanager.amazonaws.com",
        "eventName": "GetSecretValue",
        "awsRegion": HOME_REGION,
        "sourceIPAddress": "198.51.100.7",
        "userAgent": "aws-sdk-go-v2/1.32.6 ua/2.1 os/linux lang/go#1.23.4",
        "requestParameters": { "secretId": format!("team/app-{secret:04}/db") },
        "responseElements": null,
        "requestID": random.uuid(),
        "eventID": random.uuid(),
        "readOnly": true,
        "eventType": "AwsApiCall",
        "managementEvent": true,
        "recipientAccountId": HOME_ACCOUNT,
        "eventCategory": "Management",
        "tlsDetails": { "tlsVersion": "TLSv1.3", "cipherSuite": "TLS_AES_128_GCM_SHA256",
            "clientProvidedHostHeader": "secretsmanager.us-west-2.amazonaws.com" },
    })
}
