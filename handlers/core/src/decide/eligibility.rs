//! One service that uses changed secrets: redeploy it, wait, or leave it, and why.

use std::collections::{BTreeMap, BTreeSet};

use crate::aws::ecs_service::{EcsService, ReferenceKind, RequestedVersion, RolloutState, SecretReference};
use crate::aws::secret_ref::SecretRef;
use crate::aws::service_tags::{RedeployTag as Wish, ServiceTags};
use crate::facts::Facts;
use crate::plan::{DeferReason, SkipReason};
use crate::settings::{DeploymentRisk, ResponseMode, RiskPolicy, Settings};
use crate::state::deployment::{DeploymentOutcome, DeploymentRecord, SecretChange};
use crate::text::Untrusted;
use crate::time::{Span, Timestamp};

/// The longest that the shell waits for a change to settle before it redeploys.
pub const LONGEST_WAIT: Span = Span::from_secs(20);

/// A service with the changes of secrets that it uses: of those that a new deployment reads, or of those that it does not.
pub(super) struct SecretConsumer<'f> {
    pub(super) service: &'f EcsService,
    pub(super) control: ServiceTags,
    /// The changes, with the versions of the secret that it asks for.
    pub(super) uses: Vec<(SecretChange, Vec<RequestedVersion>)>,
}

/// Changes, to be found by a secret however it is spelled: an account has thousands of each.
#[derive(Debug)]
pub struct ChangeIndex {
    all: Vec<SecretChange>,
    by_name: BTreeMap<(String, String, String), Vec<usize>>,
}

impl ChangeIndex {
    /// These changes.
    pub fn new(all: Vec<SecretChange>) -> Self {
        let mut by_name: BTreeMap<_, Vec<usize>> = BTreeMap::new();
        for (place, SecretChange { secret, .. }) in all.iter().enumerate() {
            for name in spellings(secret) {
                let name = (secret.account.clone(), secret.region.clone(), name);
                by_name.entry(name).or_default().push(place);
            }
        }
        Self { all, by_name }
    }

    /// Whether a service uses one of the secrets: by its references, its tags or the settings.
    pub fn are_used_by(&self, service: &EcsService, settings: &Settings) -> bool {
        !SecretConsumer::of(service, self, settings).is_empty()
    }

    /// Where the changes of what may be this secret stand.
    fn of(&self, secret: &SecretRef) -> BTreeSet<usize> {
        let found = spellings(secret)
            .into_iter()
            .filter_map(|name| self.by_name.get(&(secret.account.clone(), secret.region.clone(), name)));
        let may_be = |place: &usize| self.all.get(*place).is_some_and(|other| other.secret.may_be(secret));
        found.flatten().copied().filter(may_be).collect()
    }
}

/// As it is spelled, and without what may be an ARN's random suffix.
fn spellings(secret: &SecretRef) -> BTreeSet<String> {
    BTreeSet::from([secret.text.raw().to_owned(), secret.name().raw().to_owned()])
}

/// What is to be done about a consumer.
pub(super) enum Eligibility {
    /// Leave it.
    Skip(SkipReason, String),
    /// Redeploy it later.
    Defer(DeferReason, Option<Timestamp>, String),
    /// Redeploy it.
    Redeploy(RedeployTerms),
}

/// How to redeploy it.
pub(super) struct RedeployTerms {
    pub(super) not_before: Timestamp,
    pub(super) fresh_from: Timestamp,
    pub(super) cooled_from: Timestamp,
    pub(super) findings: BTreeSet<DeploymentRisk>,
    pub(super) why: String,
}

impl<'f> SecretConsumer<'f> {
    /// The service as a consumer of these changes: none if it uses none of the secrets, two if a new deployment helps with
    /// some only.
    pub(super) fn of(service: &'f EcsService, changes: &ChangeIndex, settings: &Settings) -> Vec<Self> {
        let control = ServiceTags::of(&service.tags);
        let declared = declared(service, &control, settings);
        let mut uses: BTreeMap<usize, Vec<RequestedVersion>> = BTreeMap::new();
        for (used, version) in service.secrets_with(&declared) {
            for place in changes.of(&used) {
                uses.entry(place).or_default().push(version.clone());
            }
        }
        let (helped, beyond): (Vec<_>, Vec<_>) = uses
            .into_iter()
            .filter_map(|(place, versions)| Some((changes.all.get(place)?.clone(), versions)))
            .partition(|(_, versions)| versions.contains(&RequestedVersion::Current));
        let groups = [helped, beyond].into_iter().filter(|uses| !uses.is_empty());
        groups.map(|uses| Self { service, control: control.clone(), uses }).collect()
    }

    /// The changes, newest last.
    pub(super) fn changes(&self) -> Vec<SecretChange> {
        self.uses.iter().map(|(changed, _)| changed.clone()).collect()
    }

    /// The changes that its deployment does not answer; all, if it answers all and there is still something to say.
    pub(super) fn open(&self, facts: &Facts) -> Vec<SecretChange> {
        let (answered, open): (Vec<SecretChange>, Vec<SecretChange>) =
            self.changes().into_iter().partition(|changed| self.answers(changed.at, facts));
        if open.is_empty() { answered } else { open }
    }

    /// Since when it has run an old value, at the earliest: of several changes in a row only the first and the last are known.
    pub(super) fn waits_since(&self, facts: &Facts) -> Timestamp {
        let deployed = self.service.primary.as_ref().map(|primary| primary.created_at).unwrap_or_default();
        let since = self.open(facts).into_iter().map(|changed| {
            let first = facts.changes.get(&changed.secret.key()).and_then(|known| known.waiting_since);
            first.map_or(changed.at, |first| first.max(deployed).min(changed.at))
        });
        since.min().unwrap_or_default()
    }

    /// Whether its PRIMARY deployment is newer than a change.
    fn answers(&self, changed_at: Timestamp, facts: &Facts) -> bool {
        let fresh_from = changed_at.plus(facts.settings.fresh_after());
        self.service.primary.as_ref().is_some_and(|primary| primary.created_at >= fresh_from)
    }

    /// Whether a new deployment reads the new values.
    pub(super) fn is_helped(&self) -> bool {
        self.uses.iter().all(|(_, versions)| versions.contains(&RequestedVersion::Current))
    }

    /// The changes of secrets of which some references ask for AWSCURRENT and some do not.
    pub(super) fn in_part(&self) -> Vec<SecretChange> {
        let mixed = |versions: &Vec<RequestedVersion>| {
            versions.contains(&RequestedVersion::Current)
                && versions.iter().any(|version| *version != RequestedVersion::Current)
        };
        self.uses.iter().filter(|(_, versions)| mixed(versions)).map(|(changed, _)| changed.clone()).collect()
    }

    /// What to do. What needs no human comes first, then what does, then what waits.
    pub(super) fn verdict(&self, facts: &Facts, now: Timestamp, unconfirmed: bool) -> Eligibility {
        let service = self.service;
        if service.status != "ACTIVE" {
            let why = format!("its status is {}", Untrusted::new(&*service.status).show(20));
            return Eligibility::Skip(SkipReason::Inactive, why);
        }
        if self.control.redeploy == Wish::Off && self.control.problems.is_empty() {
            let why = "its tag `secrets-responder:redeploy` is `off`".to_owned();
            return Eligibility::Skip(SkipReason::OptedOut, why);
        }
        let all: Vec<RequestedVersion> =
            self.uses.iter().flat_map(|(_, versions)| versions.clone()).collect();
        if let Some(reason) = SkipReason::of_versions(&all) {
            let why = match reason {
                SkipReason::PinnedVersion => "it asks for one version by id; a redeploy does not help",
                _ => "it asks for another staging label than AWSCURRENT; a redeploy does not help",
            };
            return Eligibility::Skip(reason, why.to_owned());
        }
        let readable = |changed: &SecretChange| {
            facts
                .secrets
                .get(&changed.secret.key())
                .is_none_or(crate::aws::secret_metadata::SecretMetadata::is_readable)
        };
        if !self.uses.iter().all(|(changed, _)| readable(changed)) {
            let why = "a secret that it uses is deleted: its new tasks could not start".to_owned();
            return Eligibility::Skip(SkipReason::SecretGone, why);
        }
        let changed_at = self.uses.iter().map(|(changed, _)| changed.at).max().unwrap_or_default();
        let fresh_from = changed_at.plus(facts.settings.fresh_after());
        if let Some(primary) = service.primary.as_ref().filter(|primary| primary.created_at >= fresh_from) {
            // Of one of ours, the page about it told.
            let ours = facts.deployments.get(&service.arn).is_some_and(|requested| {
                requested.deployment.as_deref().is_none_or(|id| id == primary.id)
                    && requested.requested_at >= fresh_from
            });
            if primary.rollout_state == Some(RolloutState::Failed) && !ours {
                let why = "its newest deployment failed: its tasks may still run the old value".to_owned();
                return Eligibility::Skip(SkipReason::RolloutFailed, why);
            }
            let why = format!("its deployment of {} is newer than the change", primary.created_at);
            return Eligibility::Skip(SkipReason::AlreadyNewer, why);
        }
        let findings = self.findings(facts, now, unconfirmed);
        self.answered(facts, fresh_from, now)
            .or_else(|| self.for_a_human(facts, &findings))
            .or_else(|| self.waits(facts, now, changed_at, &findings))
            .unwrap_or_else(|| self.go(facts, now, changed_at, findings))
    }

    /// A deployment of ours that should answer the change is not what is PRIMARY: it failed, or is about to be seen.
    fn answered(&self, facts: &Facts, fresh_from: Timestamp, now: Timestamp) -> Option<Eligibility> {
        let requested = facts.deployments.get(&self.service.arn)?;
        if requested.requested_at >= fresh_from
            && requested.end.as_ref().is_some_and(|ended| ended.outcome == DeploymentOutcome::Denied)
        {
            let why = format!("ECS refused to deploy it at {}", requested.requested_at);
            return Some(Eligibility::Skip(SkipReason::Refused, why));
        }
        if requested.requested_at < fresh_from || !requested.was_asked() {
            return None;
        }
        if requested.failed() {
            let why =
                format!("the deployment of {} that should answer the change failed", requested.requested_at);
            return Some(Eligibility::Skip(SkipReason::RolloutFailed, why));
        }
        // An answer that was lost may mean a call that was: that shows within minutes.
        let known = requested.deployment.is_some()
            || requested.is_held(now)
            || now < requested.requested_at.plus(UNSEEN);
        (requested.is_open() && known).then(|| {
            let why = format!("a deployment was asked for at {} and is not seen yet", requested.requested_at);
            Eligibility::Skip(SkipReason::AlreadyRequested, why)
        })
    }

    fn findings(&self, facts: &Facts, now: Timestamp, unconfirmed: bool) -> BTreeSet<DeploymentRisk> {
        let mut findings = self.service.risks.clone();
        let primary = self.service.primary.as_ref();
        let going = primary.is_some_and(|primary| {
            primary.rollout_state == Some(RolloutState::InProgress)
                && now < primary.created_at.plus(facts.settings.rollout)
        });
        findings.extend(going.then_some(DeploymentRisk::InProgress));
        findings.extend(unconfirmed.then_some(DeploymentRisk::Unconfirmed));
        findings
    }

    fn for_a_human(&self, facts: &Facts, findings: &BTreeSet<DeploymentRisk>) -> Option<Eligibility> {
        let skip = |reason, why: &str| Some(Eligibility::Skip(reason, why.to_owned()));
        match self.service.controller.as_str() {
            "CODE_DEPLOY" => {
                let why =
                    "CodeDeploy deploys it, and ECS refuses to force a deployment; start one in CodeDeploy";
                return skip(SkipReason::CodeDeploy, why);
            }
            "EXTERNAL" => {
                let why = "an external controller deploys it; start a deployment there";
                return skip(SkipReason::External, why);
            }
            _ => {}
        }
        if self.service.managed {
            return skip(SkipReason::Managed, "another AWS service manages it; update it there");
        }
        if !self.control.problems.is_empty() {
            return skip(SkipReason::UnclearTag, &self.control.problems.join("; "));
        }
        if self.control.redeploy == Wish::Notify {
            return skip(SkipReason::NotifyOnly, "its tag `secrets-responder:redeploy` is `notify`");
        }
        let by_policy = findings.iter().find(|finding| match facts.settings.policy(**finding) {
            RiskPolicy::Go => false,
            RiskPolicy::Notify => true,
            RiskPolicy::Wait => **finding != DeploymentRisk::InProgress,
        });
        if let Some(finding) = by_policy {
            let why = format!("{}; the settings leave that to a human", finding.sentence());
            return skip(SkipReason::Finding, &why);
        }
        if facts.settings.mode == ResponseMode::Notify {
            return skip(SkipReason::NotifyMode, "it would be redeployed; the mode is `notify`");
        }
        None
    }

    fn waits(
        &self,
        facts: &Facts,
        now: Timestamp,
        changed_at: Timestamp,
        findings: &BTreeSet<DeploymentRisk>,
    ) -> Option<Eligibility> {
        let hold = |reason, until, why: String| Some(Eligibility::Defer(reason, until, why));
        let (region, account) = self.service.place();
        if !facts.is_remembered(account, region) {
            let why = "what was done before is not known: the ledger did not answer";
            return hold(DeferReason::InProgress, None, why.to_owned());
        }
        let settled = changed_at.plus(facts.settings.settle);
        // The shell waits this long by itself.
        let then = now.max(settled);
        if settled > now.plus(LONGEST_WAIT) {
            return hold(
                DeferReason::SettleDelay,
                Some(settled),
                format!("the change settles until {settled}"),
            );
        }
        let going = findings.contains(&DeploymentRisk::InProgress);
        let waits = facts.settings.policy(DeploymentRisk::InProgress) == RiskPolicy::Wait;
        if going && waits {
            let why = "a deployment of it is in progress; another one would leave nothing to roll back to";
            return hold(DeferReason::InProgress, None, why.to_owned());
        }
        let requested = facts.deployments.get(&self.service.arn).filter(|requested| requested.was_asked());
        if waits && requested.is_some_and(|requested| self.is_hidden(requested, facts, now)) {
            let why = "how the deployment before ended is not known; another one would hide it";
            return hold(DeferReason::InProgress, None, why.to_owned());
        }
        let cooled = requested.map(|requested| requested.requested_at.plus(self.cooldown(facts)));
        if let Some(cooled) = cooled.filter(|cooled| *cooled > then) {
            let why = format!("we redeployed it a short while ago; it waits until {cooled}");
            return hold(DeferReason::Cooldown, Some(cooled), why);
        }
        if let Some(window) = self.control.window.as_ref().filter(|window| !window.is_open(then)) {
            let opens = window.next_open(then);
            let until = opens.map_or("for longer than a week".to_owned(), |at| format!("until {at}"));
            return hold(DeferReason::Window, opens, format!("its window is closed {until}"));
        }
        None
    }

    /// Whether our deployment before has failed, was rolled back or does not end, and nobody was told yet.
    fn is_hidden(&self, requested: &DeploymentRecord, facts: &Facts, now: Timestamp) -> bool {
        let primary = self.service.primary.as_ref();
        let ended = primary.is_none_or(|primary| {
            primary.created_at < requested.requested_at.minus(CLOCKS)
                || primary.rollout_state == Some(RolloutState::Failed)
                || primary.rollout_state == Some(RolloutState::InProgress)
                    && now >= requested.requested_at.plus(facts.settings.rollout)
        });
        let followed = now < requested.requested_at.plus(FOLLOWED).plus(facts.settings.rollout);
        requested.is_open() && ended && followed
    }

    fn go(
        &self,
        facts: &Facts,
        now: Timestamp,
        changed_at: Timestamp,
        findings: BTreeSet<DeploymentRisk>,
    ) -> Eligibility {
        let why = match &self.service.primary {
            Some(primary) => format!("its deployment of {} is older than the change", primary.created_at),
            None => "it has no PRIMARY deployment that could be newer than the change".to_owned(),
        };
        let not_before = changed_at.plus(facts.settings.settle);
        Eligibility::Redeploy(RedeployTerms {
            not_before,
            fresh_from: changed_at.plus(facts.settings.fresh_after()),
            cooled_from: now.max(not_before).minus(self.cooldown(facts)),
            findings,
            why,
        })
    }

    /// How long one of our deployments of it keeps off the next.
    fn cooldown(&self, facts: &Facts) -> Span {
        self.control.cooldown.unwrap_or(facts.settings.cooldown)
    }
}

/// The secrets that the service reads by itself, as tags and settings say.
fn declared(service: &EcsService, control: &ServiceTags, settings: &Settings) -> Vec<SecretReference> {
    let label = service.label();
    let configured = [service.arn.as_str(), label.raw()].into_iter();
    let configured = configured.filter_map(|name| settings.readers.get(name)).flatten();
    let values = control.secrets.iter().chain(configured);
    values.map(|value| SecretReference { kind: ReferenceKind::Declared, value: value.clone() }).collect()
}

/// For how long after a rollout may take its end is waited for: the sweep tells of it and ends it, unless there is no sweep.
const FOLLOWED: Span = Span::from_secs(900);
/// How far the clock of ECS may be behind ours.
pub(super) const CLOCKS: Span = Span::from_secs(5);
/// How long after a call without an answer its effect may still show.
const UNSEEN: Span = Span::from_secs(120);
