//! What follows from an event, the settings and the facts, in words that the patterns of responses can match.

mod caller;
mod resource_policy;

use serde_json::{Map, Value};

use crate::aws::arn::Arn;
use crate::aws::secret_ref::SecretRef;
use crate::event::Event;
use crate::facts::{Facts, Settings};

pub use caller::may_launch;

/// The object that narrowing patterns see as the event's `derived`. Strings only; absent is what nobody knows.
pub fn derive(event: &Event, facts: &Facts) -> Value {
    let settings = &facts.settings;
    let secret = [("environment", environment(event, settings)), ("decoy", decoy(event, settings))];
    let found = [
        ("secret", object(secret)),
        ("caller", object(caller::derive(event, facts))),
        ("hours", hours(event, settings).map(Value::from)),
        ("policy", resource_policy::derive(event).map(Value::from)),
        ("kms", kms(event).map(Value::from)),
        ("version", version(event).map(Value::from)),
    ];
    let known = found.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Value::Object(known.collect())
}

fn object<const N: usize>(words: [(&str, Option<&'static str>); N]) -> Option<Value> {
    let known = words.into_iter().filter_map(|(name, word)| Some((name.to_owned(), Value::from(word?))));
    let known: Map<String, Value> = known.collect();
    (!known.is_empty()).then_some(Value::Object(known))
}

/// Production if one of its secrets is; the rest only where the event names all of them.
fn environment(event: &Event, settings: &Settings) -> Option<&'static str> {
    let patterns = &settings.production.secrets;
    let is_production = |secret: &SecretRef| {
        // A name that ends like an ARN's random suffix is cut in one of the two.
        let names = [secret.name(), secret.text.clone()];
        patterns.iter().any(|pattern| names.iter().any(|name| pattern.meaning.matches(name.raw())))
    };
    if event.secrets.iter().any(is_production) {
        Some("production")
    } else {
        (event.secrets_known && !event.secrets.is_empty()).then_some("other")
    }
}

fn decoy(event: &Event, settings: &Settings) -> Option<&'static str> {
    let is_decoy = |secret: &SecretRef| {
        settings.decoys.iter().any(|decoy| {
            let decoy = SecretRef::typed(decoy.raw(), &secret.account, &secret.region);
            decoy.is_some_and(|decoy| decoy.may_be(secret))
        })
    };
    event.secrets.iter().any(is_decoy).then_some("yes")
}

fn hours(event: &Event, settings: &Settings) -> Option<&'static str> {
    let hours = settings.business_hours.as_ref().filter(|_| event.time_known)?;
    Some(if hours.meaning.is_open(event.time) { "business" } else { "off" })
}

/// Whose key encrypts the secret, or one of its replicas. What is no ARN is a key of the same account (`API_UpdateSecret`).
fn kms(event: &Event) -> Option<&'static str> {
    let request = event.value("/detail/requestParameters")?;
    let replicas = request.get("addReplicaRegions").and_then(Value::as_array);
    let places = [request].into_iter().chain(replicas.into_iter().flatten());
    let keys: Vec<&str> =
        places.filter_map(|place| place.get("kmsKeyId")?.as_str()).filter(|key| !key.is_empty()).collect();
    let owner = owner(event);
    let is_foreign = |key: &&str| Arn::of("kms", key).is_some_and(|arn| arn.account != owner);
    (!keys.is_empty()).then(|| if keys.iter().any(is_foreign) { "foreign" } else { "own" })
}

/// Which version was read, if not the one that everybody reads.
fn version(event: &Event) -> Option<&'static str> {
    let text = |name: &str| event.text(&format!("/detail/requestParameters/{name}"));
    let stage = text("versionStage");
    let stage = stage.as_ref().map_or("", |stage| stage.raw());
    if event.name().raw() != "GetSecretValue" {
        None
    } else if stage == "AWSPREVIOUS" {
        Some("previous")
    } else {
        let explicit = text("versionId").is_some() && !matches!(stage, "AWSPENDING" | "AWSCURRENT");
        explicit.then_some("explicit")
    }
}

/// The account of the secret, else the one that the event is about.
fn owner(event: &Event) -> &str {
    event.secrets.first().map_or(&event.account, |secret| &secret.account)
}
