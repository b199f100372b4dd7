//! Gathering: questions in, facts out; some answers make more worth asking.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::{join, join3};
use responder_core::aws::secret_metadata::SecretMetadata;
use responder_core::aws::secret_ref::SecretRef;
use responder_core::decide::{group_memberships, questions};
use responder_core::facts::{Facts, LEDGER_GAP, Settings, place};
use responder_core::question::Question;
use responder_core::rules::{Handler, MatchedEvent};
use responder_core::time::{Date, Span, Timestamp};

use crate::deadline::Deadline;
use crate::discover::{DiscoveryRequest, ProcessCache, RegionDiscovery};
use crate::error::EngineError;
use crate::ledger::{Ledger, ObservationQuery};
use crate::parallel::parallel;
use crate::port::{AwsPort, Region};

/// An account and a Region.
type AccountRegion = (String, String);

/// How often is asked again with what was learned. The longest chain: the sweep's incidents, their states, their marks; or a
/// role's launches, what was said, the marks.
const ROUNDS: usize = 6;
/// What the index of open incidents is called among what is not answered.
const OPEN: &str = "open";
/// How many secrets are described at the same time.
const PARALLEL: usize = 4;
/// How often a secret is described until its new version is AWSCURRENT, and how long between: Secrets Manager is eventually
/// consistent.
const LOOKS: usize = 3;
const BETWEEN_LOOKS: Span = Span::from_secs(1);

/// Whom to ask.
pub(crate) struct FactSources<'s, A> {
    pub(crate) aws: &'s A,
    pub(crate) ledger: &'s Ledger<'s, A>,
    pub(crate) cache: &'s ProcessCache,
    /// The function's own account; services of others are out of its reach.
    pub(crate) account: &'s str,
    pub(crate) deadline: Deadline,
}

/// Everything that was learned for a batch.
#[derive(Debug, Default)]
pub(crate) struct GatheredFacts {
    /// What is known.
    pub(crate) facts: Facts,
    /// Streams, incidents, services, places and awaited keys for which the ledger had no answer.
    unanswered: BTreeSet<String>,
    /// Marks for which the ledger had no room.
    pub(crate) observations_dropped: usize,
    requested: BTreeSet<Question>,
}

/// Asks everybody at the same time. Never fails: what could not be learned is noted.
pub(crate) async fn gather<A: AwsPort>(
    cases: &[MatchedEvent<'_>],
    settings: Settings,
    from: &FactSources<'_, A>,
) -> GatheredFacts {
    let mut world =
        GatheredFacts { facts: Facts { settings, ..Facts::default() }, ..GatheredFacts::default() };
    world.facts.now = Some(from.aws.now());
    for _ in 0..ROUNDS {
        let wanted = cases.iter().flat_map(|case| questions(case, &world.facts));
        let mut new: BTreeSet<Question> =
            wanted.filter(|question| !world.requested.contains(question)).collect();
        // What was said about an incident may make its marks unnecessary; and a day may hold much.
        if new.iter().any(|question| matches!(question, Question::Incident { .. })) {
            new.retain(|question| {
                !matches!(question, Question::Observations { .. } | Question::DigestDay { .. })
            });
        }
        if new.is_empty() {
            break;
        }
        world.requested.extend(new.iter().cloned());
        world.answer(new, from).await;
        world.facts.now = Some(from.aws.now());
    }
    world
}

/// Questions by whom they are for.
#[derive(Default)]
struct QuestionBatch {
    observations: Vec<ObservationQuery>,
    /// Streams to read, and from when to when.
    windows: BTreeMap<String, (Timestamp, Timestamp)>,
    /// Whether the incidents that may be open are wanted.
    open: bool,
    days: BTreeSet<Date>,
    seen: BTreeSet<String>,
    incidents: BTreeSet<String>,
    services: BTreeSet<String>,
    evidence: BTreeSet<String>,
    roles: BTreeSet<String>,
    progress: BTreeSet<AccountRegion>,
    all_secrets: BTreeSet<AccountRegion>,
    secrets: Vec<(SecretRef, Option<String>)>,
    consumers: BTreeMap<AccountRegion, DiscoveryRequest>,
}

impl QuestionBatch {
    fn of(questions: BTreeSet<Question>) -> Self {
        let mut asks = Self::default();
        for question in questions {
            match question {
                Question::Observations { group, observation, from, to } => {
                    asks.observations.push(ObservationQuery { group, observation, from, to })
                }
                Question::GroupWindow { group, from, to } => {
                    let range = asks.windows.entry(group).or_insert((from, to));
                    *range = (range.0.min(from), range.1.max(to));
                }
                Question::OpenIncidents => asks.open = true,
                Question::DigestDay { date } => {
                    asks.days.insert(date);
                }
                Question::LastSeen { key } => {
                    asks.seen.insert(key);
                }
                Question::Incident { key } => {
                    asks.incidents.insert(key);
                }
                // ARNs are shorter; a longer key would be refused, and the others asked with it.
                Question::Deployment { service } if service.len() <= 512 => {
                    asks.services.insert(service);
                }
                Question::Deployment { .. } => {}
                Question::PendingEvidence { key } => {
                    asks.evidence.insert(key);
                }
                Question::LaunchSecrets { role } => {
                    asks.roles.insert(role);
                }
                Question::RotationState { account, region } => {
                    asks.progress.insert((account, region));
                }
                Question::Secrets { account, region } => {
                    asks.all_secrets.insert((account, region));
                }
                Question::Secret { secret, version } => asks.secrets.push((secret, version)),
                Question::Consumers { secret, since } => {
                    let place = (secret.account.clone(), secret.region.clone());
                    asks.consumers.entry(place).or_default().secrets.push((secret, since));
                }
                Question::Service { cluster, service } => {
                    let arn = responder_core::aws::arn::Arn::parse_for_service("ecs", &service);
                    let place = arn.map(|arn| (arn.account.to_owned(), arn.region.to_owned()));
                    let wanted = asks.consumers.entry(place.unwrap_or_default()).or_default();
                    wanted.services.push((cluster, service));
                }
            }
        }
        asks
    }
}

impl GatheredFacts {
    async fn answer<A: AwsPort>(&mut self, questions: BTreeSet<Question>, from: &FactSources<'_, A>) {
        let asks = QuestionBatch::of(questions);
        let (mut progress, mut metadata) = (Facts::default(), Facts::default());
        let settings = self.facts.settings.clone();
        let ledger = async {
            let remembered =
                from.ledger.remember(&asks.incidents, &asks.services, &asks.evidence, &asks.roles);
            let (observations, remembered) = join(from.ledger.exchange(asks.observations), remembered).await;
            let mut silent = Vec::new();
            let read = from.ledger.windows(&asks.windows).await;
            let mut mute = from.ledger.seen(&asks.seen, &mut progress).await;
            if asks.open && from.ledger.opened(&mut progress).await.is_err() {
                mute.insert(OPEN.to_owned());
            }
            for date in asks.days {
                if from.ledger.day(date, &mut progress).await.is_err() {
                    mute.insert(date.to_string());
                }
            }
            for (account, region) in &asks.progress {
                if from.ledger.progress(account, region, &mut progress).await.is_err() {
                    silent.push(place(account, region));
                }
            }
            (observations, read, remembered, silent, mute)
        };
        let secrets = secrets(&asks.secrets, &asks.all_secrets, from, &mut metadata);
        let ((observations, read, remembered, silent, mute), (), lands) =
            join3(ledger, secrets, consumers(&asks.consumers, &settings, from)).await;
        self.unanswered.extend(observations.unanswered);
        self.unanswered.extend(remembered.unanswered);
        self.observations_dropped += observations.dropped;
        self.unanswered.extend(mute);
        for place in silent {
            self.facts.discovery_failures.entry(place.clone()).or_default().insert(LEDGER_GAP.to_owned());
            self.unanswered.insert(place);
        }
        // What nobody knows is no launch.
        for role in asks.roles {
            self.facts.launch_secrets.entry(role).or_default();
        }
        self.facts.observations.extend(observations.groups);
        self.facts.observations.extend(read);
        for more in [remembered.facts, progress, metadata, lands] {
            merge(&mut self.facts, more);
        }
    }

    /// Whether the ledger answered all that a case counts and looks up. What it did not answer about an incident that a
    /// human is told of anyway is not missed.
    pub(crate) fn is_answered(&self, case: &MatchedEvent<'_>, paged: &BTreeSet<String>) -> bool {
        let missing = |name: &String| self.unanswered.contains(name);
        let counted = group_memberships(case, &self.facts).iter().all(|watch| {
            paged.contains(&watch.incident_key) || !missing(&watch.incident_key) && !missing(&watch.group)
        });
        // Without it, not even what to ask is known.
        let remembered = |question: &Question| match question {
            Question::RotationState { account, region } => !missing(&place(account, region)),
            _ => true,
        };
        let works = matches!(case.handler, Handler::Rotation | Handler::Sweep);
        counted
            && (!works || self.requested.iter().all(remembered))
            && !questions(case, &self.facts).iter().any(|question| match question {
                Question::Deployment { service } => missing(service),
                Question::PendingEvidence { key } | Question::LastSeen { key } => missing(key),
                Question::RotationState { account, region } => missing(&place(account, region)),
                Question::DigestDay { date } => missing(&date.to_string()),
                Question::OpenIncidents => missing(&OPEN.to_owned()),
                // Without its marks an incident is closed by a later sweep.
                Question::GroupWindow { group, .. } => !self.facts.observations.contains_key(group),
                // Counted above; or only to say nothing twice, which the claims see to; or a gap.
                Question::Observations { .. }
                | Question::LaunchSecrets { .. }
                | Question::Incident { .. }
                | Question::Consumers { .. }
                | Question::Service { .. }
                | Question::Secret { .. }
                | Question::Secrets { .. } => false,
            })
    }
}

fn merge(facts: &mut Facts, more: Facts) {
    facts.incidents.extend(more.incidents);
    facts.open_incidents.extend(more.open_incidents);
    facts.digest_days.extend(more.digest_days);
    facts.last_seen.extend(more.last_seen);
    facts.launch_secrets.extend(more.launch_secrets);
    facts.pending_evidence.extend(more.pending_evidence);
    facts.deployments.extend(more.deployments);
    facts.changes.extend(more.changes);
    for (key, metadata) in more.secrets {
        know(facts, key, metadata);
    }
    for (cluster, slots) in more.concurrency_slots {
        facts.concurrency_slots.entry(cluster).or_default().extend(slots);
    }
    for (service, notified) in more.notified {
        facts.notified.entry(service).or_default().extend(notified);
    }
    for (place, gaps) in more.discovery_failures {
        facts.discovery_failures.entry(place).or_default().extend(gaps);
    }
    for (place, limits) in more.discovery_limits {
        facts.discovery_limits.entry(place).or_default().extend(limits);
    }
    if more.services.is_some() {
        // To have looked and found nobody is not the same as not to know.
        facts.services.get_or_insert_default();
    }
    for service in more.services.into_iter().flatten() {
        let services = facts.services.get_or_insert_default();
        services.retain(|known| known.arn != service.arn);
        services.push(service);
    }
}

/// Notes what is known of a secret: nothing takes the place of something.
fn know(facts: &mut Facts, key: String, metadata: SecretMetadata) {
    let known = facts.secrets.entry(key).or_default();
    if metadata != SecretMetadata::default() {
        *known = metadata;
    }
}

/// The services that use the secrets, and those that are named. Nobody but their own account sees them.
async fn consumers<A: AwsPort>(
    wanted: &BTreeMap<AccountRegion, DiscoveryRequest>,
    settings: &Settings,
    from: &FactSources<'_, A>,
) -> Facts {
    let mut facts = Facts::default();
    for ((account, region), wanted) in wanted {
        facts.services.get_or_insert_default();
        let place = place(account, region);
        let mut limit = |what: &str| {
            facts.discovery_limits.entry(place.clone()).or_default().insert(what.to_owned());
        };
        if !from.account.is_empty() && account != from.account {
            limit("the secret is another account's; services there cannot be seen from here");
            continue;
        }
        let Some(named) = Region::of(region) else {
            limit("the secret's Region has no name that ECS could be asked in");
            continue;
        };
        let FactSources { aws, ledger, cache, deadline, .. } = from;
        let discovery =
            RegionDiscovery { aws: *aws, region: &named, cache, ledger, settings, until: deadline.at() };
        let land = discovery.look(wanted).await;
        facts.services.get_or_insert_default().extend(land.services.into_iter().flatten());
        for gap in land.gaps {
            facts.add_discovery_failure(account, region, gap);
        }
        if !land.limits.is_empty() {
            facts.discovery_limits.entry(place).or_default().extend(land.limits);
        }
    }
    facts
}

/// What Secrets Manager says. What it does not say about one secret is no gap: the event's word counts, and is noted as
/// unconfirmed.
async fn secrets<A: AwsPort>(
    some: &[(SecretRef, Option<String>)],
    all: &BTreeSet<AccountRegion>,
    from: &FactSources<'_, A>,
    facts: &mut Facts,
) {
    let own = |account: &str| from.account.is_empty() || account == from.account;
    let some = some.iter().filter(|(secret, _)| own(&secret.account));
    let described = some.map(|(secret, version)| async move {
        let metadata = describe(secret, version.as_deref(), from).await;
        (secret.key(), metadata.unwrap_or_default())
    });
    for (key, metadata) in parallel(described, PARALLEL).await {
        know(facts, key, metadata);
    }
    for (account, region) in all.iter().filter(|(account, _)| own(account)) {
        if let Err(error) = list(region, from, facts).await {
            facts.add_discovery_failure(account, region, format!("the secrets could not be listed: {error}"));
        }
    }
}

async fn describe<A: AwsPort>(
    secret: &SecretRef,
    version: Option<&str>,
    from: &FactSources<'_, A>,
) -> Result<SecretMetadata, EngineError> {
    let region = Region::of(&secret.region).ok_or(EngineError::Unanswered)?;
    let id = secret.secret_id();
    for _ in 1..LOOKS {
        let metadata = from.aws.describe_secret(&region, &id, from.deadline.at()).await?;
        let is_current = version.is_none() || metadata.current_version() == version;
        if is_current || from.deadline.left(from.aws) <= BETWEEN_LOOKS {
            return Ok(metadata);
        }
        from.aws.sleep(BETWEEN_LOOKS).await;
    }
    from.aws.describe_secret(&region, &id, from.deadline.at()).await
}

async fn list<A: AwsPort>(
    region: &str,
    from: &FactSources<'_, A>,
    facts: &mut Facts,
) -> Result<(), EngineError> {
    let region = Region::of(region).ok_or(EngineError::Unanswered)?;
    let mut token = None;
    loop {
        let page = from.aws.list_secrets(&region, token.as_deref(), from.deadline.at()).await?;
        for metadata in page.secrets {
            if let Some(secret) = SecretRef::from_arn(&metadata.arn) {
                facts.secrets.insert(secret.key(), metadata);
            }
        }
        token = page.next;
        if token.is_none() {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_secrets_manager_does_not_say_is_noted_and_takes_no_place() {
        let (mut facts, key) = (Facts::default(), "111122223333/us-west-2/prod/db".to_owned());
        let said = SecretMetadata { arn: "arn".to_owned(), ..SecretMetadata::default() };
        for (metadata, expected) in [
            (SecretMetadata::default(), SecretMetadata::default()),
            (said.clone(), said.clone()),
            (SecretMetadata::default(), said),
        ] {
            know(&mut facts, key.clone(), metadata);
            assert_eq!(facts.secrets[&key], expected);
        }
    }
}
