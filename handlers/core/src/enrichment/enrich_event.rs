//! Puts all attributes of an event together.

use serde::Serialize;
use serde_json::Value;

use super::caller::CallerAttributes;
use super::kms_key::find_key_owner;
use super::region_kind::{find_region_kind, find_replica_kind};
use super::resource_policy::find_policy_exposure;
use super::secret_attributes::SecretAttributes;
use super::secret_version::find_unusual_version;
use super::trail_selectors::find_trail_scope;
use crate::event::Event;
use crate::facts::Facts;
use crate::settings::Settings;

/// The attributes of an event. An attribute that cannot be known is absent.
#[derive(Serialize)]
struct EventAttributes {
    #[serde(skip_serializing_if = "SecretAttributes::is_empty")]
    secret: SecretAttributes,
    #[serde(skip_serializing_if = "CallerAttributes::is_empty")]
    caller: CallerAttributes,
    /// `business` or `off`.
    #[serde(skip_serializing_if = "Option::is_none")]
    hours: Option<&'static str>,
    /// `home` or `outside`.
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<&'static str>,
    /// `home`, `outside` or `unknown`.
    #[serde(skip_serializing_if = "Option::is_none")]
    replica: Option<&'static str>,
    /// `own`, `foreign` or `public`.
    #[serde(skip_serializing_if = "Option::is_none")]
    policy: Option<&'static str>,
    /// `all`, `narrowed` or `reads-lost`.
    #[serde(skip_serializing_if = "Option::is_none")]
    trail: Option<&'static str>,
    /// `own` or `foreign`.
    #[serde(skip_serializing_if = "Option::is_none")]
    kms: Option<&'static str>,
    /// `previous` or `explicit`.
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<&'static str>,
}

/// The object that narrowing patterns see as the event's `derived`. Its leaves are strings.
pub fn enrich_event(event: &Event, facts: &Facts) -> Value {
    let settings = &facts.settings;
    let attributes = EventAttributes {
        secret: SecretAttributes::from_event(event, settings),
        caller: CallerAttributes::from_event(event, facts),
        hours: find_hours(event, settings),
        region: find_region_kind(event, settings),
        replica: find_replica_kind(event, settings),
        policy: find_policy_exposure(event, settings),
        trail: find_trail_scope(event),
        kms: find_key_owner(event),
        version: find_unusual_version(event),
    };
    // Strings below names that are strings can always be written.
    serde_json::to_value(attributes).unwrap_or_default()
}

/// Whether the event happened in business hours; absent where the operator set none, or the event has no time.
fn find_hours(event: &Event, settings: &Settings) -> Option<&'static str> {
    let business_hours = settings.business_hours.as_ref()?;
    if !event.time_known {
        return None;
    }
    Some(if business_hours.value.is_open(event.time) { "business" } else { "off" })
}
