//! The sweep: what no event told, found by comparing what is with what should be. Idempotent, and cheap where nothing
//! happened: services are only asked for where a change is open.

use std::collections::BTreeSet;

use super::invalid_tags;
use super::plan_builder::PlanBuilder;
use super::redeploy::{reconcile, unlearned, unlearned_key};
use crate::aws::secret_metadata::SecretMetadata;
use crate::aws::secret_ref::SecretRef;
use crate::facts::{Facts, place};
use crate::incident::incident_key;
use crate::plan::PlanStep;
use crate::question::Question;
use crate::rules::{MatchedEvent, Response};
use crate::state::deployment::{KnownChange, SecretChange};
use crate::time::{Span, Timestamp};

/// The Regions that the sweep looks at.
fn regions(case: &MatchedEvent<'_>, facts: &Facts) -> BTreeSet<String> {
    let all = std::iter::once(&case.event.region).chain(&facts.settings.regions);
    // Who does not know what was said would say it again, every time.
    all.filter(|region| facts.is_remembered(&case.event.account, region)).cloned().collect()
}

/// What to ask first, and then what the answers make worth asking.
pub(super) fn questions(case: &MatchedEvent<'_>, response: &Response, facts: &Facts) -> Vec<Question> {
    let account = &case.event.account;
    let mut questions = Vec::new();
    for region in regions(case, facts) {
        let (account, region) = (account.clone(), region);
        let key = incident_key(response, &unlearned_key(&place(&account, &region)));
        questions.push(Question::Incident { key });
        questions.push(Question::RotationState { account: account.clone(), region: region.clone() });
        questions.push(Question::Secrets { account, region });
    }
    questions.extend(
        open_changes(case, facts)
            .into_iter()
            .map(|(changed, _)| Question::Consumers { secret: changed.secret, since: changed.at }),
    );
    questions.extend(invalid_tags::questions(response, facts));
    questions
}

pub(super) fn respond(draft: &mut PlanBuilder<'_, '_>, response: &Response) {
    let open = open_changes(draft.case, draft.facts);
    for (changed, _) in open.iter().filter(|(_, is_news)| *is_news) {
        draft.steps.push(PlanStep::RecordChange { change: changed.clone() });
    }
    let changes: Vec<SecretChange> = open.into_iter().map(|(changed, _)| changed).collect();
    let account = draft.event().account.clone();
    for region in regions(draft.case, draft.facts) {
        unlearned(draft, response, &account, &region);
    }
    // The next sweep is the next look.
    draft.retry = None;
    if draft.facts.services.is_none() && !changes.is_empty() {
        let why = "the services that use the changed secrets are unknown";
        draft.steps.push(PlanStep::Unknown { why: why.to_owned() });
    } else if !changes.is_empty() {
        reconcile(draft, response, &changes, &BTreeSet::new());
    }
}

/// The changes that are not answered for, each with whether it is news to the ledger.
fn open_changes(case: &MatchedEvent<'_>, facts: &Facts) -> Vec<(SecretChange, bool)> {
    let (account, regions) = (&case.event.account, regions(case, facts));
    let swept = |secret: &SecretRef| secret.account == *account && regions.contains(&secret.region);
    let mut open = Vec::new();
    for metadata in facts.secrets.values().filter(|metadata| metadata.is_readable()) {
        let secret = SecretRef::from_arn(&metadata.arn).filter(swept);
        let (Some(secret), Some(version)) = (secret, metadata.current()) else { continue };
        let known = facts.changes.get(&secret.key());
        if let Some(known) = known.filter(|known| known.version.as_deref() == Some(version)) {
            let changed = SecretChange { secret, at: known.at, version: known.version.clone() };
            open.extend((!known.resolved).then_some((changed, false)));
        } else if let Some(at) = changed_at(metadata, known) {
            let changed = SecretChange { secret, at, version: Some(version.to_owned()) };
            open.push((changed, true));
        }
    }
    open.extend(unlisted(facts).filter(|changed| swept(&changed.secret)).map(|changed| (changed, false)));
    open
}

/// The open changes of which Secrets Manager says nothing: it did not answer, or the secret is gone.
fn unlisted(facts: &Facts) -> impl Iterator<Item = SecretChange> {
    let said = |key: &String| {
        let metadata = facts.secrets.get(key);
        metadata.is_some_and(|metadata| metadata.is_readable() && metadata.current().is_some())
    };
    facts.changes.iter().filter(move |(key, change)| !change.resolved && !said(key)).filter_map(
        |(key, change)| {
            let mut parts = key.splitn(3, '/');
            let (account, region, name) = (parts.next()?, parts.next()?, parts.next()?);
            let secret = SecretRef::typed(name, account, region)?;
            Some(SecretChange { secret, at: change.at, version: change.version.clone() })
        },
    )
}

/// When a version of which no event told became current. `LastChangedDate` is never too early, but moves with tags too:
/// where nothing was known before, the last rotation or the creation is what counts.
fn changed_at(metadata: &SecretMetadata, known: Option<&KnownChange>) -> Option<Timestamp> {
    let first = metadata.rotated_at.max(metadata.created_at);
    let Some(known) = known else { return first.or(metadata.modified_at) };
    // Two changes may be dated alike; the later one is the one that is current.
    let after = Span::from_millis(i64::from(known.version.is_some()));
    metadata.modified_at.or(first).max(Some(known.at.plus(after)))
}
