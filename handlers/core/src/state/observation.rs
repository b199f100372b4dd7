//! Observations: what is kept of an event for counting, bounded whatever the event says.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::origin_set::Origin;
use crate::aws::secret_ref::SecretRef;
use crate::event::Event;
use crate::hash;
use crate::text::Untrusted;
use crate::time::Timestamp;

/// What is kept of an event for counting and for the incident's text.
///
/// Observations are a set: adding one twice changes nothing, and so neither the order nor the duplication of events does.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Observation {
    /// When the event happened.
    pub at: Timestamp,
    /// The event's key.
    pub key: String,
    /// Whether it resolves the incident instead of adding to it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub resolves: bool,
    /// The event's id, for people.
    pub id: Untrusted,
    /// The account.
    pub account: String,
    /// The Region.
    pub region: String,
    /// The caller.
    pub principal: Untrusted,
    /// The secrets that it concerns.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<SecretRef>,
    /// Whether `secrets` is all of them.
    pub secrets_known: bool,
    /// Whether the call was refused or failed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub error: bool,
    /// The source address, and the access key if it lasts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub origins: Vec<Origin>,
    /// What it is to each response that observes it, by the response's id: responses that share an incident share it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub roles: BTreeMap<String, ObservationRole>,
}

/// What an event is to a response.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ObservationRole {
    /// It counts.
    Counts,
    /// It counts, and an incident of such events is less severe, by this exception.
    #[serde(alias = "eased")]
    Downgraded(String),
    /// It is what [`crate::rules::Threshold::after`] waits for; by this exception it means less.
    #[serde(alias = "opens")]
    Precedes(Option<String>),
    /// It never counts, by this exception.
    #[serde(alias = "dropped")]
    Suppressed(String),
}

/// How many secrets of one event are kept: `BatchGetSecretValue` takes 20 (`API_BatchGetSecretValue`).
const EVENT_SECRETS_MAX: usize = 32;
/// How many bytes of a text are kept: a secret's name has at most 512 characters (`API_CreateSecret`), a role's ARN
/// less than 640 (512 of path and 64 of name, `API_CreateRole`).
const TEXT_MAX_BYTES: usize = 640;
/// How many bytes of the name of an account or a Region are kept.
const LOCATION_MAX_BYTES: usize = 64;
/// How many bytes of text take the room of one further observation.
const WEIGHT_UNIT_BYTES: usize = 512;

impl Observation {
    /// The observation that an event leaves, without roles: each text cut to a bound, whatever the event says.
    pub fn from_event(event: &Event) -> Self {
        let mut secrets = Vec::new();
        for secret in event.secrets.iter().take(EVENT_SECRETS_MAX) {
            secrets.push(SecretRef {
                account: bound_text(&secret.account, LOCATION_MAX_BYTES),
                region: bound_text(&secret.region, LOCATION_MAX_BYTES),
                text: bound_untrusted(&secret.text),
                from_arn: secret.from_arn,
            });
        }
        Self {
            at: event.time,
            key: event.key().to_owned(),
            resolves: false,
            id: bound_untrusted(&event.id()),
            account: bound_text(&event.account, LOCATION_MAX_BYTES),
            region: bound_text(&event.region, LOCATION_MAX_BYTES),
            principal: bound_untrusted(&event.principal.id),
            secrets,
            secrets_known: event.secrets_known && event.secrets.len() <= EVENT_SECRETS_MAX,
            error: event.is_error(),
            origins: find_origins(event),
            roles: BTreeMap::new(),
        }
    }

    /// A value that sorts before every observation of that instant: the bound of a range.
    pub(crate) fn first_at(at: Timestamp) -> Self {
        Self {
            at,
            key: String::new(),
            resolves: false,
            id: Untrusted::default(),
            account: String::new(),
            region: String::new(),
            principal: Untrusted::default(),
            secrets: Vec::new(),
            secrets_known: false,
            error: false,
            origins: Vec::new(),
            roles: BTreeMap::new(),
        }
    }

    /// How much room it takes in the ledger, in ordinary observations: one, and more for long texts.
    pub fn weight(&self) -> usize {
        let secrets: usize = self.secrets.iter().map(|secret| secret.text.raw().len()).sum();
        1 + (self.principal.raw().len() + secrets) / WEIGHT_UNIT_BYTES
    }

    /// What it is to a response, if the response observes it.
    pub(crate) fn role_for(&self, response_id: &str) -> Option<&ObservationRole> {
        self.roles.get(response_id)
    }

    /// Whether it counts for none of its responses, but is what one of them waits for.
    pub(crate) fn only_precedes(&self) -> bool {
        !self.roles.is_empty() && self.roles.values().all(|role| matches!(role, ObservationRole::Precedes(_)))
    }

    /// The exception by which it means less to all of its responses; `None` if it counts for one as it is.
    pub(crate) fn downgraded_by(&self) -> Option<&String> {
        let mut downgraded_by = None;
        for role in self.roles.values() {
            match role {
                ObservationRole::Counts | ObservationRole::Precedes(None) => return None,
                ObservationRole::Downgraded(exception) if downgraded_by.is_none() => {
                    downgraded_by = Some(exception);
                }
                _ => {}
            }
        }
        downgraded_by
    }

    /// The exception by which it counts for none of its responses; `None` if it counts for one.
    pub(crate) fn suppressed_by(&self) -> Option<&String> {
        let mut suppressed_by = None;
        for role in self.roles.values() {
            match role {
                ObservationRole::Counts | ObservationRole::Downgraded(_) => return None,
                ObservationRole::Suppressed(exception) if suppressed_by.is_none() => {
                    suppressed_by = Some(exception);
                }
                ObservationRole::Suppressed(_) | ObservationRole::Precedes(_) => {}
            }
        }
        suppressed_by
    }
}

fn bound_untrusted(text: &Untrusted) -> Untrusted {
    Untrusted::new(bound_text(text.raw(), TEXT_MAX_BYTES))
}

/// A text that is too long to be what it should be is cut; a hash keeps it apart from others with the same beginning.
fn bound_text(text: &str, max_bytes: usize) -> String {
    if text.len() <= max_bytes {
        return text.to_owned();
    }
    let kept = text.floor_char_boundary(max_bytes - 33);
    format!("{}#{}", text.get(..kept).unwrap_or_default(), hash::hash_bytes(text.as_bytes()))
}
/// The source address and the access key of an event, as far as the record names them.
fn find_origins(event: &Event) -> Vec<Origin> {
    let mut origins = Vec::new();
    if let Some(address) = event.find_text("/detail/sourceIPAddress") {
        origins.push(Origin::of_address(address.raw()));
    }
    let key = event.principal.access_key_id.as_ref();
    origins.extend(key.and_then(|key| Origin::of_access_key(key.raw())));
    origins
}
