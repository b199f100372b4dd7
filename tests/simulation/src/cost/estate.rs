//! The three estates, and a stretch of a month of each.

use std::rc::Rc;

use responder_core::rules::{Handler, RulesError};
use responder_core::time::{Span, Timestamp};
use serde_json::json;

use crate::Random;
use crate::event::{event, seconds};
use crate::place::Place;
use crate::random_world::start;
use crate::storm::service;
use crate::world::{ACCOUNT, Conditions, REGION, World};

/// What is there, and what happens in a month of 30 days.
#[derive(Clone, Copy, Debug)]
pub struct Estate {
    /// Its name.
    pub name: &'static str,
    /// Regions; secrets and reads are spread evenly, services and rotations are all at home.
    pub regions: u64,
    /// Clusters.
    pub clusters: u64,
    /// Services; each uses two secrets.
    pub services: u64,
    /// Secrets.
    pub secrets: u64,
    /// Roles that read by themselves, as often as each other.
    pub readers: u64,
    /// Reads a month, without those of tasks that start.
    pub reads: u64,
    /// Rotations a month.
    pub rotations: u64,
    /// Pages a month, updates and closings included.
    pub pages: u64,
    /// How many minutes of reads are lived through, and how many rotations.
    pub sample: (u64, u64),
}

/// Small, medium and large.
pub const ESTATES: [Estate; 3] = [
    Estate {
        name: "small",
        regions: 1,
        clusters: 1,
        services: 10,
        secrets: 20,
        readers: 10,
        reads: 100_000,
        rotations: 20,
        pages: 5,
        sample: (240, 20),
    },
    Estate {
        name: "medium",
        regions: 3,
        clusters: 5,
        services: 200,
        secrets: 300,
        readers: 150,
        reads: 3_000_000,
        rotations: 600,
        pages: 20,
        sample: (30, 30),
    },
    Estate {
        name: "large",
        regions: 8,
        clusters: 20,
        services: 1_000,
        secrets: 2_000,
        readers: 1_500,
        reads: 30_000_000,
        rotations: 6_000,
        pages: 100,
        sample: (10, 30),
    },
];

/// Minutes in a month of 30 days.
pub(super) const MONTH: u64 = 43_200;
/// How long the functions' environments and the ledger warm up, in minutes.
const WARM: u64 = 15;
/// How long the mapping of the function `access` gathers (`MaximumBatchingWindowInSeconds`), and what a mapping hands over
/// at most: as in `infra/responder.yaml`.
const WINDOW: Span = Span::from_secs(5);

/// A warmed-up world with the estate in it, and when its stretch begins.
pub(super) fn world(
    estate: &Estate,
    settings: responder_core::settings::Settings,
) -> Result<(World, Timestamp), RulesError> {
    let conditions = Conditions { settings, workers: 10, window: WINDOW, ..Conditions::calm(1) };
    let mut world = World::new(conditions, start());
    let secrets = secrets(&mut world, estate);
    services(&mut world, estate, &secrets);
    // Something is discovered, so that the definitions are known.
    if let Some(secret) = secrets.first() {
        world.rotate(start().plus(minutes(1)), secret);
    }
    let from = start().plus(minutes(WARM));
    world.run(from)?;
    Ok((world, from))
}

/// So many minutes.
pub(super) fn minutes(count: u64) -> Span {
    Span::from_secs(i64::try_from(count * 60).unwrap_or_default())
}

fn secrets(world: &mut World, estate: &Estate) -> Vec<String> {
    let long_ago = start().minus(minutes(40 * 1_440));
    let create =
        |i| world.secrets(|secrets| secrets.create(REGION, &format!("team/app-{i:04}/db"), long_ago));
    (0..estate.secrets).map(create).collect()
}

fn services(world: &mut World, estate: &Estate, secrets: &[String]) {
    let recently = start().minus(minutes(10 * 1_440));
    for i in 0..estate.services {
        let own = [2 * i, 2 * i + 1].map(|at| usize::try_from(at).unwrap_or_default() % secrets.len().max(1));
        let own = own.into_iter().filter_map(|at| secrets.get(at));
        let place = [i, estate.clusters].map(|number| usize::try_from(number).unwrap_or_default());
        service(world, place.into(), own, recently);
    }
}

/// Puts so many reads into the stretch, evenly in time, each by another role of its own few secrets.
pub(super) fn read(world: &mut World, estate: &Estate, from: Timestamp, (count, within): (u64, u64)) {
    let mut random = Random::new(2);
    let place = Place::new(ACCOUNT, REGION);
    for i in 0..count {
        let at = i128::from(minutes(within).millis()) * i128::from(i) / i128::from(count.max(1));
        let at = from.plus(Span::from_millis(i64::try_from(at).unwrap_or_default()));
        let role = random.below(estate.readers.max(1));
        let secret = (role * 3 + random.below(3)) % estate.secrets.max(1);
        let key = format!("ASIA{role:016}");
        let detail = json!({
            "eventVersion": "1.11",
            "userIdentity": {
                "type": "AssumedRole",
                "principalId": format!("AROA{role:017}:i-0123456789abcdef0"),
                "arn": format!("arn:aws:sts::{ACCOUNT}:assumed-role/reader-{role}/i-0123456789abcdef0"),
                "accountId": ACCOUNT,
                "accessKeyId": key,
                "sessionContext": { "sessionIssuer": {
                    "type": "Role", "principalId": format!("AROA{role:017}"),
                    "arn": format!("arn:aws:iam::{ACCOUNT}:role/reader-{role}"),
                    "accountId": ACCOUNT, "userName": format!("reader-{role}"),
                }, "attributes": { "creationDate": seconds(at), "mfaAuthenticated": "false" } },
            },
            "eventTime": seconds(at),
            "eventSource": "secretsmanager.amazonaws.com",
            "eventName": "GetSecretValue",
            "awsRegion": REGION,
            "sourceIPAddress": "198.51.100.7",
            "userAgent": "aws-sdk-go-v2/1.32.6 ua/2.1 os/linux lang/go#1.23.4",
            "requestParameters": { "secretId": format!("team/app-{secret:04}/db") },
            "responseElements": null,
            "requestID": random.uuid(),
            "eventID": random.uuid(),
            "readOnly": true,
            "eventType": "AwsApiCall",
            "managementEvent": true,
            "recipientAccountId": ACCOUNT,
            "eventCategory": "Management",
            "tlsDetails": { "tlsVersion": "TLSv1.3", "cipherSuite": "TLS_AES_128_GCM_SHA256",
                "clientProvidedHostHeader": "secretsmanager.us-west-2.amazonaws.com" },
        });
        let kind = ("aws.secretsmanager", "AWS API Call via CloudTrail");
        let text: Rc<str> = event(&mut random, &place, at, kind, &[], &detail).to_string().into();
        // CloudTrail takes its time: none of it matters here.
        world.deliver(Handler::Access, text, at);
    }
}

/// A heartbeat of the functions that have a queue here.
pub(super) fn beat(world: &mut World, at: Timestamp) {
    let mut random = Random::new(3);
    let place = Place::new(ACCOUNT, REGION);
    for handler in [Handler::Rotation, Handler::Access] {
        let kind = ("aws.events", "Scheduled Event");
        let text = event(&mut random, &place, at, kind, &[], &json!({})).to_string();
        world.deliver(handler, text.into(), at);
    }
}

/// Puts so many rotations into the stretch, of one secret after the other.
pub(super) fn rotate(world: &mut World, estate: &Estate, from: Timestamp, (count, within): (u64, u64)) {
    let arns: Vec<String> = world.secrets(|secrets| secrets.arns().map(str::to_owned).collect());
    for i in 0..count {
        let at = from.plus(Span::from_millis(
            minutes(within).millis() / i64::try_from(count).unwrap_or(1)
                * i64::try_from(i).unwrap_or_default(),
        ));
        // Those that services use are the first ones.
        let used = (estate.services * 2).min(estate.secrets).max(1);
        if let Some(secret) =
            arns.get(usize::try_from(1 + i * 7 % used).unwrap_or_default() % arns.len().max(1))
        {
            world.rotate(at, secret);
        }
    }
}
