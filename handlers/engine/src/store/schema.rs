//! The ledger's schema: every key, attribute and lifetime of an item. No other file builds a key or names an attribute.
//!
//! The ledger is one table with the keys `pk` and `sk`. Every item has a `ttl` (seconds since 1970), and every write is
//! conditional or idempotent. Instants are numbers, in milliseconds since 1970-01-01T00:00:00Z. Attributes in brackets are
//! not always there; a claim is the pair `owner` (the request id of an invocation) and `lease_until`.
//!
//! | item | `pk` | `sk` | attributes | kept for |
//! | --- | --- | --- | --- | --- |
//! | observations that one invocation added to ten minutes of a group | `observations#<group>` | `<start of the ten minutes>#<hash of the content>` | `observations` | the longest window that may ask for them |
//! | state of an incident | `incident#<incident key>` | `state` | `first`, `last`, `paged`, [`paged_secrets`, `paged_regions`, `paged_lists`, `paged_reminders`, `paged_origins`, `origins`, `resolved`, `auto_resolved_after`, claim] | 180 days |
//! | entry of the index of open incidents | `open#incidents` | `<incident key>` | `rule`, `last`, `pages`, `resolve_after`, [`groups`, `resolved`] | 180 days; 3 days if it is resolved or never auto-resolves |
//! | last known change of a secret | `location#<account>/<region>`: of the secret, or of the sweep's home if no sweep examines the secret | `change#<secret key>` | `at`, [`arn`, `version`, `waiting_since`, `is_resolved`] | 400 days |
//! | last requested deployment of a service | `location#<account>/<region>` | `service#<service ARN>` | `cluster`, `changes`, `slot`, `requested_at`, [`deployment`, `outcome`, `ended_at`, claim] | 90 days |
//! | concurrency slot of a cluster | `location#<account>/<region>` | `slot#<cluster ARN>#<number>` | [`service`, `owner`, `until`] | the rollout |
//! | last change that on-call was notified of, for one consumer | `location#<account>/<region>` | `notified#<service ARN>#<secret key>`, or a hash of both if they are too long | `at`, [`service`, `secret_key`] | 400 days |
//! | consumers whose read of a secret is pending evidence | `evidence#<hash of role and secret>` | `pending` | [`consumers`] | 7 days |
//! | proof: one consumer of one change | `proof#<secret key>` | `<time of the change>#<service ARN>` | `service`, `secret`, `changed_at`, `decided_at`, `decision`, [`why`, `version`, `deployment`, `deployed_at`, `completed_at`, `failed_at`, `superseded_at`, `fetched_at`, `shared`] | 400 days |
//! | digest entries that one batch added to a day | `digest#<date>` | `<hash of the content>` | [`entries`, `suppressed`] | 7 days |
//! | last read of a secret by a principal | `seen#<hash of the principal>` | `<hash of the secret>` | `at` | 35 days |
//! | task definition | `task-definition#<ARN with revision>` | `read` | `definition`, `format` | 400 days |
//! | secrets of an execution role | `role#<role ARN>` | `launches` | `secrets` | 400 days |
//!
//! A secret key is `<account>/<region>/<name>`. The core defines the `seen#` item ([`LastSeenItem`]), because `replay
//! baseline` writes it too and links no engine.

use responder_core::aws::arn::Arn;
use responder_core::aws::location::Location;
use responder_core::aws::secret_ref::SecretRef;
use responder_core::decide::LastSeenItem;
use responder_core::hash;
use responder_core::settings::Settings;
use responder_core::state::deployment::SecretChange;
use responder_core::time::{Date, Span, Timestamp};

use crate::port::{ItemKey, SortKeyRange};

// The attributes of every item, and of a claim.
pub(super) const TTL: &str = "ttl";
pub(super) const OWNER: &str = "owner";
pub(super) const LEASE_UNTIL: &str = "lease_until";

// The attribute of observations: their text, as the codec writes it.
pub(super) const OBSERVATIONS: &str = "observations";

// The attributes of an incident and of its entry in the index.
/// The first event of the incident.
pub(super) const FIRST: &str = "first";
/// The last event of the incident.
pub(super) const LAST: &str = "last";
/// The rank of the highest severity that was paged.
pub(super) const PAGED: &str = "paged";
/// How many distinct secrets the last page named.
pub(super) const PAGED_SECRETS: &str = "paged_secrets";
/// How many Regions the last page named.
pub(super) const PAGED_REGIONS: &str = "paged_regions";
/// 1 if the last page said that the caller listed secrets, else 0.
pub(super) const PAGED_LISTS: &str = "paged_lists";
/// 1 if the incident was reminded of after a day, else 0.
pub(super) const PAGED_REMINDERS: &str = "paged_reminders";
/// How many addresses and access keys the pages named.
pub(super) const PAGED_ORIGINS: &str = "paged_origins";
/// The hashes of these addresses and access keys, as a JSON list.
pub(super) const ORIGINS: &str = "origins";
/// When the incident was resolved.
pub(super) const RESOLVED: &str = "resolved";
/// The last event of an incident that auto-resolution closed.
pub(super) const AUTO_RESOLVED_AFTER: &str = "auto_resolved_after";
pub(super) const RULE: &str = "rule";
/// A set of `<date> <rank of the severity>`.
pub(super) const PAGES: &str = "pages";
/// Milliseconds.
pub(super) const RESOLVE_AFTER: &str = "resolve_after";
pub(super) const GROUPS: &str = "groups";

// The attributes of the items of an account and Region.
/// The time of a change; of a read in a last-seen item.
pub(super) const AT: &str = "at";
pub(super) const VERSION: &str = "version";
/// The full ARN of a secret that changed.
pub(super) const ARN: &str = "arn";
pub(super) const WAITING_SINCE: &str = "waiting_since";
/// The key of a secret, beside [`SERVICE`], where they are too long for the item's key.
pub(super) const SECRET_KEY: &str = "secret_key";
/// 1, or absent.
pub(super) const IS_RESOLVED: &str = "is_resolved";
pub(super) const CLUSTER: &str = "cluster";
/// The JSON of a list of changes.
pub(super) const CHANGES: &str = "changes";
pub(super) const SLOT: &str = "slot";
pub(super) const REQUESTED_AT: &str = "requested_at";
pub(super) const DEPLOYMENT: &str = "deployment";
pub(super) const OUTCOME: &str = "outcome";
pub(super) const ENDED_AT: &str = "ended_at";
pub(super) const SERVICE: &str = "service";
pub(super) const UNTIL: &str = "until";

// The attribute of pending read evidence: a set of the JSON of consumers.
pub(super) const CONSUMERS: &str = "consumers";

// The attributes of a proof, which `replay proof` reads as well.
/// The JSON of a secret's reference.
pub(super) const SECRET: &str = "secret";
pub(super) const CHANGED_AT: &str = "changed_at";
pub(super) const DECIDED_AT: &str = "decided_at";
pub(super) const DECISION: &str = "decision";
pub(super) const WHY: &str = "why";
pub(super) const DEPLOYED_AT: &str = "deployed_at";
pub(super) const COMPLETED_AT: &str = "completed_at";
pub(super) const FAILED_AT: &str = "failed_at";
pub(super) const SUPERSEDED_AT: &str = "superseded_at";
pub(super) const FETCHED_AT: &str = "fetched_at";
/// 1, or absent.
pub(super) const SHARED: &str = "shared";

// The attributes of a digest: sets of the JSON of entries, and of `<exception> <event>`.
pub(super) const ENTRIES: &str = "entries";
pub(super) const SUPPRESSED: &str = "suppressed";

// The attributes of a task definition and of an execution role.
/// The JSON of a task definition.
pub(super) const DEFINITION: &str = "definition";
pub(super) const FORMAT: &str = "format";
/// A set of secret keys.
pub(super) const SECRETS: &str = "secrets";

/// The longest sort key (developer guide of DynamoDB, "Constraints").
const MAX_SORT_KEY_BYTES: usize = 1_024;

/// An event that closes an incident may come months after its page.
pub(super) const INCIDENT_LIFETIME: Span = Span::from_secs(180 * 86_400);
/// The daily digest counts resolved incidents, and those that no sweep closes.
pub(super) const ENDED_INCIDENT_LIFETIME: Span = Span::from_secs(3 * 86_400);
/// Longer than any rotation schedule but the rarest.
pub(super) const CHANGE_LIFETIME: Span = Span::from_secs(400 * 86_400);
pub(super) const DEPLOYMENT_LIFETIME: Span = Span::from_secs(90 * 86_400);
/// Tasks may start long after the deployment.
pub(super) const EVIDENCE_LIFETIME: Span = Span::from_secs(7 * 86_400);
/// Auditors come once a year.
pub(super) const PROOF_LIFETIME: Span = Span::from_secs(400 * 86_400);
pub(super) const DIGEST_LIFETIME: Span = Span::from_secs(7 * 86_400);
/// After that a task definition is read from ECS again.
pub(super) const TASK_DEFINITION_LIFETIME: Span = Span::from_secs(400 * 86_400);
/// Every item is kept for longer than needed by this: clocks differ, and deliveries are late.
const EXPIRY_SLACK: Span = Span::from_secs(86_400);

/// The `ttl` of an item that is needed for `lifetime` after the present or `last`, whichever is later.
pub(super) fn expiry_seconds(now: Timestamp, last: Timestamp, lifetime: Span) -> i64 {
    now.max(last).plus(lifetime).plus(EXPIRY_SLACK).millis() / 1_000
}

/// The kind of an item, with the names that its key holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StoredItemKind<'k> {
    /// The state of an incident, with the incident's key.
    Incident(&'k str),
    /// Pending read evidence, with its key.
    Evidence(&'k str),
    /// The secrets of an execution role, with the role's ARN.
    Role(&'k str),
    /// The last known change of a secret, with the secret's key.
    Change(&'k str),
    /// The last requested deployment of a service, with the service's ARN.
    Deployment(&'k str),
    /// A concurrency slot.
    Slot { cluster: &'k str, number: u32 },
    /// The last change that on-call was notified of.
    Notified { service: &'k str, secret: &'k str },
}

/// Reads the kind of an item from its key; `None` for kinds that have readers of their own.
pub(super) fn parse_item_kind(key: &ItemKey) -> Option<StoredItemKind<'_>> {
    let (partition_kind, name) = key.pk.split_once('#')?;
    match partition_kind {
        "incident" => Some(StoredItemKind::Incident(name)),
        "evidence" => Some(StoredItemKind::Evidence(name)),
        "role" => Some(StoredItemKind::Role(name)),
        "location" => parse_location_sort_key(&key.sk),
        _ => None,
    }
}

fn parse_location_sort_key(sort_key: &str) -> Option<StoredItemKind<'_>> {
    let (kind, name) = sort_key.split_once('#')?;
    match kind {
        "change" => Some(StoredItemKind::Change(name)),
        "service" => Some(StoredItemKind::Deployment(name)),
        "slot" => {
            let (cluster, number) = name.rsplit_once('#')?;
            Some(StoredItemKind::Slot { cluster, number: number.parse().ok()? })
        }
        "notified" => {
            // Neither the ARN of a service nor the name of a secret holds a `#`.
            let (service, secret) = name.split_once('#')?;
            Some(StoredItemKind::Notified { service, secret })
        }
        _ => None,
    }
}

/// The partition of a group's observations.
pub(super) fn observation_partition(group: &str) -> String {
    format!("observations#{group}")
}

/// The key of an item of observations. Equal content has an equal key, so that a batch that is delivered again writes the
/// same item.
pub(super) fn observation_key(group: &str, chunk_start: Timestamp, content: &str) -> ItemKey {
    let chunk_start = chunk_start.to_string();
    let sk = format!("{}{}", first_sort_key_of_chunk(&chunk_start), hash::hash_bytes(content.as_bytes()));
    ItemKey { pk: observation_partition(group), sk }
}

/// The text that sorts before the items of a chunk.
pub(super) fn first_sort_key_of_chunk(chunk_start: &str) -> String {
    format!("{chunk_start}#")
}

/// The text that sorts after the items of a chunk, and before those of the next: `$` follows `#` in ASCII.
pub(super) fn last_sort_key_of_chunk(chunk_start: &str) -> String {
    format!("{chunk_start}$")
}

/// The start of the chunk of an item of observations, as the text of a timestamp.
pub(super) fn chunk_start_of(key: &ItemKey) -> &str {
    key.sk.split('#').next().unwrap_or_default()
}

/// The key of an incident's state.
pub(super) fn incident_key(incident: &str) -> ItemKey {
    ItemKey { pk: format!("incident#{incident}"), sk: "state".to_owned() }
}

/// The partition of the index of open incidents. Its sort keys are incident keys.
pub(super) const OPEN_INCIDENTS_PARTITION: &str = "open#incidents";

/// The key of an incident's entry in the index of open incidents.
pub(super) fn open_incident_key(incident: &str) -> ItemKey {
    ItemKey { pk: OPEN_INCIDENTS_PARTITION.to_owned(), sk: incident.to_owned() }
}

/// The partition of an account and Region.
pub(super) fn location_partition(account: &str, region: &str) -> String {
    format!("location#{}", Location::new(account, region))
}

/// The key of the last known change of a secret. A secret that no sweep examines has it in the partition of the sweep's home.
pub(super) fn change_key(secret: &SecretRef, settings: &Settings) -> ItemKey {
    let pk = format!("location#{}", settings.change_location(secret));
    ItemKey { pk, sk: format!("change#{}", secret.key()) }
}

/// The key of the last requested deployment of a service.
pub(super) fn deployment_key(service: &str) -> ItemKey {
    ItemKey { pk: partition_of_ecs_arn(service), sk: format!("service#{service}") }
}

/// The key of a concurrency slot.
pub(super) fn slot_key(cluster: &str, number: u32) -> ItemKey {
    ItemKey { pk: partition_of_ecs_arn(cluster), sk: format!("slot#{cluster}#{number:05}") }
}

/// The key of the last change that on-call was notified of, for one service and secret. Where the names are too long for a sort key,
/// it holds a hash, and the names are attributes.
pub(super) fn notified_key(service: &str, secret: &SecretRef) -> ItemKey {
    let pk = partition_of_ecs_arn(service);
    let sk = format!("notified#{service}#{}", secret.key());
    if sk.len() <= MAX_SORT_KEY_BYTES {
        return ItemKey { pk, sk };
    }
    ItemKey { pk, sk: format!("notified#{}#", hash::hash_parts(&[service, &secret.key()])) }
}

/// Whether the key of a notified consumer holds the names of service and secret. A hashed one ends with the separator.
pub(super) fn holds_names(notified_key: &ItemKey) -> bool {
    !notified_key.sk.ends_with('#')
}

fn partition_of_ecs_arn(arn: &str) -> String {
    match Arn::parse_for_service("ecs", arn) {
        Some(arn) => location_partition(arn.account, arn.region),
        None => location_partition("", ""),
    }
}

/// The key of pending read evidence.
pub(super) fn evidence_key(evidence: &str) -> ItemKey {
    ItemKey { pk: format!("evidence#{evidence}"), sk: "pending".to_owned() }
}

/// The key of the proof of one consumer of one change.
pub(super) fn proof_key(service: &str, change: &SecretChange) -> ItemKey {
    ItemKey { pk: format!("proof#{}", change.secret.key()), sk: format!("{}#{service}", change.at) }
}

/// The partition of a day's digest entries.
pub(super) fn digest_partition(date: Date) -> String {
    format!("digest#{date}")
}

/// The key of an item of digest entries. Equal content has an equal key.
pub(super) fn digest_key(date: Date, content: &[&str]) -> ItemKey {
    ItemKey { pk: digest_partition(date), sk: hash::hash_parts(content) }
}

/// The key and the `ttl` of a principal's last read of a secret, as the core writes them.
pub(super) fn last_seen_key_and_ttl(key: &str, at: Timestamp) -> (ItemKey, i64) {
    let item = LastSeenItem::of(key, at);
    (ItemKey { pk: item.pk, sk: item.sk }, item.ttl)
}

/// The core's key of a last-seen item; `None` for another item.
pub(super) fn parse_last_seen_key(key: &ItemKey) -> Option<String> {
    LastSeenItem::key(&key.pk, &key.sk)
}

const TASK_DEFINITION_PREFIX: &str = "task-definition#";

/// The key of a task definition.
pub(super) fn task_definition_key(arn: &str) -> ItemKey {
    ItemKey { pk: format!("{TASK_DEFINITION_PREFIX}{arn}"), sk: "read".to_owned() }
}

/// The ARN of a task definition's item.
pub(super) fn parse_task_definition_key(key: &ItemKey) -> Option<&str> {
    key.pk.strip_prefix(TASK_DEFINITION_PREFIX)
}

/// The key of the secrets of an execution role.
pub(super) fn role_key(role: &str) -> ItemKey {
    ItemKey { pk: format!("role#{role}"), sk: "launches".to_owned() }
}

/// All items of a partition. Every sort key begins with a digit or a lowercase letter, and `~` sorts after both.
pub(super) fn whole_partition(pk: String) -> SortKeyRange {
    SortKeyRange { pk, from: "0".to_owned(), to: "~".to_owned(), after: None }
}
