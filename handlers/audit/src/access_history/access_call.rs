//! One call that may have read the secret, and the kind of its caller.

use std::sync::Arc;

use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::query::{EventFilter, SecretQuery};
use responder_core::aws::secret_ref::SecretRef;
use responder_core::enrichment::{enrich_event, may_be_task_launch};
use responder_core::event::Event;
use responder_core::facts::Facts;
use responder_core::text::Untrusted;
use responder_core::time::Timestamp;

/// A read that may be one of the secret, in an event that has no time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a read without a time")]
pub struct UndatedRead;

/// A record of a call, and where it was found.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct CountedCall {
    /// The id of the event.
    pub event_id: Untrusted,
    /// The file; of several copies, that of the one that says most.
    #[serde(serialize_with = "write_shared_text")]
    pub file: Arc<str>,
}

fn write_shared_text<S: Serializer>(text: &Arc<str>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(text)
}

/// The kind of a caller. The least expected kind comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CallerKind {
    /// A person, known by the session or by the role.
    Human,
    /// A caller that the record does not describe.
    Unknown,
    /// A program.
    Workload,
    /// A session that is named like an ECS task. It is not known whether its role starts tasks with this secret.
    Task,
    /// ECS, as it starts a task whose definition refers to the secret.
    Launch,
    /// An AWS service.
    Service,
}

impl CallerKind {
    /// The word for it in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Human => "human",
            Self::Unknown => "unknown",
            Self::Workload => "workload",
            Self::Task => "task",
            Self::Launch => "launch",
            Self::Service => "service",
        }
    }

    /// Whether each of its calls comes from another address: every task and every host of a service has its own.
    pub(super) fn has_many_addresses(self) -> bool {
        matches!(self, Self::Launch | Self::Service)
    }
}

/// A call that read the secret or may have. The derived order is by time first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct AccessCall {
    pub(super) at: Timestamp,
    pub(super) is_batch: bool,
    pub(super) refused: bool,
    pub(super) principal: Untrusted,
    pub(super) caller: CallerKind,
    pub(super) invoked_by: Option<Untrusted>,
    pub(super) caller_account: Option<String>,
    /// The account of the secret; the account of the event while no secret is known.
    pub(super) account: String,
    /// The Region of the secret; the Region of the event while no secret is known.
    pub(super) region: String,
    pub(super) address: Option<Untrusted>,
    pub(super) access_key: Option<Untrusted>,
    pub(super) session: Option<Untrusted>,
    /// Those of the secrets in the event that may be the one that is asked about.
    pub(super) secrets: Vec<SecretRef>,
    /// The name of the secret that was read; absent while none is known.
    pub(super) secret: Option<Untrusted>,
    /// The records of the call, if each read is listed: of a batch, that of its read as well.
    pub(super) records: Vec<CountedCall>,
    /// The identity of the caller: the same in every copy of the event and in every session.
    subject: String,
}

/// The caller, the account and the Region of a call: the same for a batch and the records of its reads.
pub(super) type CallOrigin = (String, String, String);

impl AccessCall {
    /// Reads an event as a call that read the secret or may have. Returns `None` if it certainly did not, because
    ///
    /// 1. its source is not Secrets Manager (anybody can put events on a bus, but not with a source of AWS),
    /// 2. it is neither `GetSecretValue` nor `BatchGetSecretValue`,
    /// 3. it names secrets, and none of them can be the one; or it hides them, in an account that the query excludes.
    pub(super) fn from_event(event: &Event, query: &SecretQuery, facts: &Facts) -> Option<Self> {
        // 1. Another source.
        if event.find_text("/source")?.raw() != "aws.secretsmanager" {
            return None;
        }
        // 2. Another call.
        let is_batch = match event.event_name().raw() {
            "GetSecretValue" => false,
            "BatchGetSecretValue" => true,
            _ => return None,
        };
        // 3. Other secrets.
        let secrets: Vec<SecretRef> =
            event.secrets.iter().filter(|secret| query.may_mean(secret)).cloned().collect();
        let may_hide_it = !event.secrets_known && query.includes_account(&event.account);
        if secrets.is_empty() && !may_hide_it {
            return None;
        }
        let principal = &event.principal;
        let caller = classify_caller(event, &enrich_event(event, facts));
        // Of a batch, Secrets Manager itself calls for the reader: its name says nothing about the caller.
        let invoked_by = if caller == CallerKind::Service { principal.invoked_by.clone() } else { None };
        Some(Self {
            at: event.time,
            is_batch,
            refused: event.is_error(),
            principal: principal.id.clone(),
            caller,
            invoked_by,
            caller_account: principal.account.clone(),
            account: event.account.clone(),
            region: event.region.clone(),
            address: event.find_text("/detail/sourceIPAddress"),
            access_key: principal.access_key_id.clone(),
            session: principal.session_name.clone(),
            secrets,
            secret: None,
            records: Vec::new(),
            subject: principal.count_subject(&event.account),
        })
    }

    /// The same call, as a read of `secret` of this name: with the account and Region of the secret.
    pub(super) fn as_read_of(&self, secret: &SecretRef, name: &str) -> Self {
        Self {
            account: secret.account.clone(),
            region: secret.region.clone(),
            secret: Some(Untrusted::new(name)),
            ..self.clone()
        }
    }

    /// Whether time, place and principal fit. An account and a Region may be those of the event or of the secret.
    pub(super) fn fits(&self, filter: &EventFilter) -> bool {
        let mut accounts = vec![&self.account];
        let mut regions = vec![&self.region];
        for secret in &self.secrets {
            accounts.push(&secret.account);
            regions.push(&secret.region);
        }
        filter.includes_time(self.at)
            && filter.fits_places(&accounts, &regions)
            && filter.fits_principal(&self.principal, self.session.as_ref())
    }

    /// The caller, and where it called.
    pub(super) fn origin(&self) -> CallOrigin {
        (self.subject.clone(), self.account.clone(), self.region.clone())
    }
}

/// Decides the kind of the caller by what enrichment found. Checks run in this order: launch, service, human, task,
/// workload; everything else is unknown.
fn classify_caller(event: &Event, enrichment: &Value) -> CallerKind {
    if enrichment.pointer("/caller/launch").and_then(Value::as_str) == Some("yes") {
        return CallerKind::Launch;
    }
    match enrichment.pointer("/caller/kind").and_then(Value::as_str) {
        Some("service") => CallerKind::Service,
        Some("human") => CallerKind::Human,
        _ if may_be_task_launch(event) => CallerKind::Task,
        Some("workload") => CallerKind::Workload,
        _ => CallerKind::Unknown,
    }
}
