//! The attributes of the secrets of an event.

use serde::Serialize;

use crate::aws::secret_ref::SecretRef;
use crate::event::Event;
use crate::settings::Settings;

/// The attributes of the secrets of an event (`derived.secret`).
#[derive(PartialEq, Eq, Serialize)]
pub(super) struct SecretAttributes {
    /// `production` or `other`.
    #[serde(skip_serializing_if = "Option::is_none")]
    environment: Option<&'static str>,
    /// `yes`, or absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    decoy: Option<&'static str>,
}

impl SecretAttributes {
    pub(super) fn from_event(event: &Event, settings: &Settings) -> Self {
        let is_decoy = event.secrets.iter().any(|secret| is_decoy(secret, settings));
        Self { environment: find_environment(event, settings), decoy: is_decoy.then_some("yes") }
    }

    pub(super) fn is_empty(&self) -> bool {
        *self == Self { environment: None, decoy: None }
    }
}

/// Production if one of the secrets is; another environment only where the event names all of them.
fn find_environment(event: &Event, settings: &Settings) -> Option<&'static str> {
    if event.secrets.iter().any(|secret| is_production(secret, settings)) {
        return Some("production");
    }
    if event.secrets_known && !event.secrets.is_empty() { Some("other") } else { None }
}

fn is_production(secret: &SecretRef, settings: &Settings) -> bool {
    // In an ARN, a name that itself ends like the random suffix is whole in `text` only: `prod/stripe-apikey`.
    let name = secret.friendly_name();
    for pattern in &settings.production.secrets {
        if pattern.value.matches(name.raw()) || pattern.value.matches(secret.text.raw()) {
            return true;
        }
    }
    false
}

fn is_decoy(secret: &SecretRef, settings: &Settings) -> bool {
    for decoy in &settings.decoys {
        // A decoy that is given by its name is one in every account and Region.
        let decoy = SecretRef::from_name_or_arn(decoy.raw(), &secret.account, &secret.region);
        if decoy.is_some_and(|decoy| decoy.may_be_same_secret(secret)) {
            return true;
        }
    }
    false
}
