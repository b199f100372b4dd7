//! The questions of one round, sorted by the source that answers them.

use std::collections::{BTreeMap, BTreeSet};

use responder_core::aws::arn::Arn;
use responder_core::aws::secret_ref::SecretRef;
use responder_core::question::Question;
use responder_core::time::{Date, Timestamp};

use crate::discovery::DiscoveryRequest;
use crate::store::{ObservationQuery, StoredFactKeys};

/// An account and a Region.
pub(super) type AccountRegion = (String, String);

/// The ARNs of ECS services are shorter than this: the names of cluster and service have at most 255 characters each. A longer key would be refused, and the others that are read with it.
const MAX_SERVICE_ARN_BYTES: usize = 700;

/// Questions by source.
#[derive(Default)]
pub(super) struct QuestionBatch {
    /// For the ledger, by key.
    pub(super) stored: StoredFactKeys,
    /// For the ledger, in other ways.
    pub(super) ledger: LedgerQuestions,
    /// For Secrets Manager.
    pub(super) secrets: SecretQuestions,
    /// For ECS, by account and Region.
    pub(super) consumers: BTreeMap<AccountRegion, DiscoveryRequest>,
}

/// Questions for the ledger that need more than keys.
#[derive(Default)]
pub(super) struct LedgerQuestions {
    pub(super) observations: Vec<ObservationQuery>,
    /// Groups to read, and from when to when.
    pub(super) windows: BTreeMap<String, (Timestamp, Timestamp)>,
    /// Whether the index of open incidents is wanted.
    pub(super) open_incidents: bool,
    pub(super) digest_days: BTreeSet<Date>,
    pub(super) last_seen: BTreeSet<String>,
    pub(super) rotation_states: BTreeSet<AccountRegion>,
}

/// Questions for Secrets Manager.
#[derive(Default)]
pub(super) struct SecretQuestions {
    /// Secrets to describe, each with the version that should be AWSCURRENT.
    pub(super) described: Vec<(SecretRef, Option<String>)>,
    /// ARNs of which it is asked whether a secret has exactly that one.
    pub(super) exact_arns: Vec<SecretRef>,
    /// Accounts and Regions whose secrets are listed.
    pub(super) listed: BTreeSet<AccountRegion>,
}

impl QuestionBatch {
    pub(super) fn sort_questions(questions: BTreeSet<Question>) -> Self {
        let mut batch = Self::default();
        for question in questions {
            batch.add_question(question);
        }
        batch
    }

    fn add_question(&mut self, question: Question) {
        match question {
            Question::Observations { group, observation, from, to } => {
                self.ledger.observations.push(ObservationQuery { group, observation, from, to });
            }
            Question::GroupWindow { group, from, to } => {
                let range = self.ledger.windows.entry(group).or_insert((from, to));
                *range = (range.0.min(from), range.1.max(to));
            }
            Question::OpenIncidents => self.ledger.open_incidents = true,
            Question::DigestDay { date } => {
                self.ledger.digest_days.insert(date);
            }
            Question::LastSeen { key } => {
                self.ledger.last_seen.insert(key);
            }
            Question::RotationState { account, region } => {
                self.ledger.rotation_states.insert((account, region));
            }
            Question::Incident { key } => {
                self.stored.incidents.insert(key);
            }
            Question::Deployment { service } => {
                if service.len() <= MAX_SERVICE_ARN_BYTES {
                    self.stored.services.insert(service);
                }
            }
            Question::PendingEvidence { key } => {
                self.stored.evidence.insert(key);
            }
            Question::LaunchSecrets { role } => {
                self.stored.roles.insert(role);
            }
            Question::Secret { secret, version } => self.secrets.described.push((secret, version)),
            Question::SecretWithArn { secret } => self.secrets.exact_arns.push(secret),
            Question::Secrets { account, region } => {
                self.secrets.listed.insert((account, region));
            }
            Question::Consumers { account, region, secret, since } => {
                self.consumers.entry((account, region)).or_default().secrets.push((secret, since));
            }
            Question::Service { cluster, service } => {
                let location = match Arn::parse_for_service("ecs", &service) {
                    Some(arn) => (arn.account.to_owned(), arn.region.to_owned()),
                    None => AccountRegion::default(),
                };
                self.consumers.entry(location).or_default().services.push((cluster, service));
            }
        }
    }
}
