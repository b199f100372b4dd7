//! One call that may have read the secret, and what its caller is.

use serde::Serialize;
use serde_json::Value;

use super::SecretQuery;
use responder_core::aws::secret_ref::SecretRef;
use responder_core::enrichment::{derive, may_launch};
use responder_core::event::Event;
use responder_core::facts::Facts;
use responder_core::text::Untrusted;
use responder_core::time::Timestamp;

/// A read that may be one of the secret, without a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a read that does not say when")]
pub struct UndatedRead;

/// What a caller is, whom nobody expects first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CallerKind {
    /// A person, by session or by role.
    Human,
    /// The record does not say.
    Unknown,
    /// A program.
    Workload,
    /// A session that is named like an ECS task; that its role launches tasks with this secret is not known.
    Task,
    /// ECS, when it starts a task whose definition refers to the secret.
    Launch,
    /// An AWS service.
    Service,
}

impl CallerKind {
    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Self::Human => "human",
            Self::Unknown => "unknown",
            Self::Workload => "workload",
            Self::Task => "task",
            Self::Launch => "launch",
            Self::Service => "service",
        }
    }

    /// Whether each of its calls comes from another place.
    pub(super) fn is_expected_anywhere(self) -> bool {
        matches!(self, Self::Launch | Self::Service)
    }
}

/// A call; ordered by time first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct AccessCall {
    pub(super) at: Timestamp,
    pub(super) is_batch: bool,
    pub(super) refused: bool,
    pub(super) principal: Untrusted,
    pub(super) caller: CallerKind,
    pub(super) invoked_by: Option<Untrusted>,
    pub(super) caller_account: Option<String>,
    /// The secret's account and Region; the event's while no secret is known.
    pub(super) account: String,
    pub(super) region: String,
    pub(super) address: Option<Untrusted>,
    pub(super) access_key: Option<Untrusted>,
    pub(super) session: Option<Untrusted>,
    /// Those of its secrets that may be the one.
    pub(super) secrets: Vec<SecretRef>,
    /// Whose call it is, in every copy and in every session.
    subject: String,
}

impl AccessCall {
    /// It as a call for `secret`.
    pub(super) fn of(&self, secret: &SecretRef) -> Self {
        Self { account: secret.account.clone(), region: secret.region.clone(), ..self.clone() }
    }

    /// Who called where: the same for a batch and its children.
    pub(super) fn place(&self) -> (String, String, String) {
        (self.subject.clone(), self.account.clone(), self.region.clone())
    }
}

/// Whether `secret` can be the one, as far as its spelling tells.
pub(super) fn concerns(requested: &SecretQuery, secret: &SecretRef) -> bool {
    requested.beside(secret).is_some_and(|own| own.may_be(secret))
}

/// The event as a call that read the secret or may have; `None` if it certainly did not.
pub(super) fn observe(event: &Event, requested: &SecretQuery, facts: &Facts) -> Option<AccessCall> {
    // Anybody can put events on a bus, but not with a source of AWS.
    let is_own = event.text("/source").is_some_and(|source| source.raw() == "aws.secretsmanager");
    let name = event.name();
    let is_batch = name.raw() == "BatchGetSecretValue";
    if !is_own || !(is_batch || name.raw() == "GetSecretValue") {
        return None;
    }
    let secrets: Vec<SecretRef> =
        event.secrets.iter().filter(|secret| concerns(requested, secret)).cloned().collect();
    let may = !event.secrets_known && requested.is_of(&event.account);
    if secrets.is_empty() && !may {
        return None;
    }
    let principal = &event.principal;
    let derived = derive(event, facts);
    let caller = caller(event, &derived);
    Some(AccessCall {
        at: event.time,
        is_batch,
        refused: event.is_error(),
        principal: principal.id.clone(),
        caller,
        // Secrets Manager itself calls for whoever reads a batch.
        invoked_by: principal.invoked_by.clone().filter(|_| caller == CallerKind::Service),
        caller_account: principal.account.clone(),
        account: event.account.clone(),
        region: event.region.clone(),
        address: event.text("/detail/sourceIPAddress"),
        access_key: principal.access_key.clone(),
        session: principal.session.clone(),
        secrets,
        subject: principal.subject(&event.account),
    })
}

fn caller(event: &Event, derived: &Value) -> CallerKind {
    let word = |name: &str| derived.pointer(&format!("/caller/{name}")).and_then(Value::as_str);
    match word("kind") {
        _ if word("launch") == Some("yes") => CallerKind::Launch,
        Some("service") => CallerKind::Service,
        Some("human") => CallerKind::Human,
        _ if may_launch(event) => CallerKind::Task,
        Some("workload") => CallerKind::Workload,
        _ => CallerKind::Unknown,
    }
}
