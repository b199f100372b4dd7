//! Rotations: every service that uses the secret gets a newer deployment, or a reason why not.

use super::{Draft, incident_key};
use crate::control::{Control, Mode};
use crate::facts::{Facts, Question};
use crate::incident::Detail;
use crate::plan::{SkipReason, Step};
use crate::principal::UNKNOWN;
use crate::rules::{Case, Response};
use crate::secret::SecretRef;
use crate::service::{Service, Version};
use crate::text::Untrusted;
use crate::time::Timestamp;

pub(super) fn questions(case: &Case<'_>, response: &Response) -> Vec<Question> {
    let Some(secret) = case.event.secrets.first() else {
        return vec![Question::Incident { key: incident_key(response, UNKNOWN) }];
    };
    vec![
        Question::Services { account: secret.account.clone(), region: secret.region.clone() },
        Question::Incident { key: incident_key(response, &secret.key()) },
        Question::Incident { key: incident_key(response, &unlearned(&secret.key())) },
    ]
}

pub(super) fn respond(draft: &mut Draft<'_, '_>, response: &Response) {
    let event = draft.event();
    let own = |secret: &&SecretRef| event.time_known && secret.account == event.account;
    let Some(secret) = event.secrets.first().filter(own).cloned() else {
        let why = match event.secrets.first() {
            None => "the event names no secret",
            Some(_) if event.time_known => "the event of one account names a secret of another",
            Some(_) => "the event does not say when",
        };
        draft.steps.push(Step::Unknown { why: why.to_owned() });
        let what = Detail { label: "nothing was redeployed", value: Untrusted::new(why) };
        draft.page_once(response, UNKNOWN, vec![what]);
        return;
    };
    let Some(services) = &draft.facts.services else {
        draft.steps.push(Step::Unknown { why: "the services that use the secret are unknown".to_owned() });
        tell(draft, response, &secret, Vec::new());
        return;
    };
    let changed_at = draft.event().time;
    let mut consumers: Vec<(&Service, Vec<Version>)> =
        services.iter().map(|service| (service, service.uses(&secret))).collect();
    consumers.retain(|(_, versions)| !versions.is_empty());
    consumers.sort_by(|(a, _), (b, _)| a.arn.cmp(&b.arn));
    let (mut told, mut redeploys) = (Vec::new(), Vec::new());
    for (service, versions) in &consumers {
        let mut tell = |label, why: &str| {
            let what = format!("{}: {why}", service.label().raw());
            told.push(Detail { label, value: Untrusted::new(what) });
        };
        if let Some((reason, why)) = skip(service, versions, changed_at, draft.facts) {
            if reason.needs_human() {
                tell("not redeployed", &why);
            }
            draft.steps.push(Step::Skip { service: service.arn.clone(), reason, why });
        } else {
            redeploys.push(redeploy(response, service, &secret, changed_at, draft.facts));
            if versions.iter().any(|version| *version != Version::Current) {
                tell(
                    "redeployed in part",
                    "another of its references asks for a fixed version or another label",
                );
            }
        }
    }
    if consumers.is_empty() {
        draft.steps.push(Step::Nothing { why: "no known service uses the secret".to_owned() });
    }
    // People first: redeploying many services may take longer than the invocation has.
    tell(draft, response, &secret, told);
    draft.steps.extend(redeploys);
}

fn redeploy(
    response: &Response,
    service: &Service,
    secret: &SecretRef,
    changed_at: Timestamp,
    facts: &Facts,
) -> Step {
    let why = match &service.primary {
        Some(primary) => format!("its deployment of {} is older than the change", primary.created_at),
        None => "it has no PRIMARY deployment that could be newer than the change".to_owned(),
    };
    Step::Redeploy {
        rule: response.id.clone(),
        cluster: service.cluster.clone(),
        service: service.arn.clone(),
        secret: secret.clone(),
        changed_at,
        not_before: changed_at.plus(facts.settings.settle),
        fresh_from: changed_at.plus(facts.settings.margin.min(facts.settings.settle)),
        why,
    }
}

/// Why a consumer is left alone; `None` if it is to be redeployed. What needs no human comes first.
fn skip(
    service: &Service,
    versions: &[Version],
    changed_at: Timestamp,
    facts: &Facts,
) -> Option<(SkipReason, String)> {
    if service.status != "ACTIVE" {
        return Some((
            SkipReason::Inactive,
            format!("its status is {}", Untrusted::new(&*service.status).show(20)),
        ));
    }
    let control = Control::of(&service.tags);
    if control.redeploy == Mode::Off {
        return Some((SkipReason::OptedOut, "its tag `secrets-responder:redeploy` is `off`".to_owned()));
    }
    if let Some(reason) = SkipReason::of_versions(versions) {
        let why = match reason {
            SkipReason::PinnedVersion => "it asks for one version by id; a redeploy does not help",
            _ => "it asks for another staging label than AWSCURRENT; a redeploy does not help",
        };
        return Some((reason, why.to_owned()));
    }
    let fresh_from = changed_at.plus(facts.settings.margin.min(facts.settings.settle));
    if let Some(primary) = service.primary.as_ref().filter(|primary| primary.created_at >= fresh_from) {
        let why = format!("its deployment of {} is newer than the change", primary.created_at);
        return Some((SkipReason::AlreadyNewer, why));
    }
    match service.controller.as_str() {
        "CODE_DEPLOY" => {
            let why = "CodeDeploy deploys it, and ECS refuses to force a deployment; start one in CodeDeploy";
            return Some((SkipReason::CodeDeploy, why.to_owned()));
        }
        "EXTERNAL" => {
            let why = "an external controller deploys it; start a deployment there";
            return Some((SkipReason::External, why.to_owned()));
        }
        _ => {}
    }
    if !control.problems.is_empty() {
        return Some((SkipReason::UnclearTag, control.problems.join("; ")));
    }
    (control.redeploy == Mode::Notify)
        .then(|| (SkipReason::NotifyOnly, "its tag `secrets-responder:redeploy` is `notify`".to_owned()))
}

/// Tells a human about services that were not redeployed, and about what could not be learned; asks for another look
/// where that may help. Replays have no gaps: there the plan alone says what is unknown.
fn tell(draft: &mut Draft<'_, '_>, response: &Response, secret: &SecretRef, told: Vec<Detail>) {
    let facts = draft.facts;
    if !facts.gaps.is_empty() || !facts.limits.is_empty() {
        let gap = |gap: &String| Detail { label: "could not be learned", value: Untrusted::new(gap) };
        let gaps = facts.limits.iter().chain(&facts.gaps).map(gap).collect();
        // In a page of its own: the next look may have more to tell.
        draft.page_once(response, &unlearned(&secret.key()), gaps);
    }
    if !facts.gaps.is_empty() {
        draft.retry = Some("not everything about the services could be learned".to_owned());
    }
    if !told.is_empty() {
        draft.page_once(response, &secret.key(), told);
    }
}

/// Tells a human about services whose redeployment was refused: their ARNs, and why.
pub(super) fn undone(draft: &mut Draft<'_, '_>, response: &Response, refused: &[(String, String)]) {
    let Some(secret) = draft.event().secrets.first().cloned() else { return };
    let detail = |(service, why): &(String, String)| {
        let what = Untrusted::new(format!("{service}: {why}"));
        Detail { label: "not redeployed, ECS refused", value: what }
    };
    draft.page_once(response, &format!("{} refused", secret.key()), refused.iter().map(detail).collect());
}

fn unlearned(secret: &str) -> String {
    format!("{secret} unlearned")
}
