//! Counted responses: reads, denials and failures become incidents.

use std::collections::BTreeSet;

use super::{PlanBuilder, incident_key};
use crate::detection::correlate::{self, Detection, lead};
use crate::facts::{Facts, IncidentState, Question};
use crate::hash;
use crate::incident::{Incident, IncidentDetail};
use crate::plan::PlanStep;
use crate::rules::{
    AppliedResponse, CountPer, ExceptionEffect, MatchedEvent, Response, ResponseAction, ResponseException,
};
use crate::state::observation::{Observation, ObservationRole, WindowMatch, distinct, find_window_matches};
use crate::text::Untrusted;
use crate::time::{Span, Timestamp};

/// One count that an event belongs to.
#[derive(Clone, Debug)]
pub struct GroupMembership<'r> {
    /// The response that counts.
    pub response: &'r Response,
    /// The key of the incident that the count may open.
    pub incident_key: String,
    /// The stream of marks.
    pub group: String,
    /// Whether the event closes the incident instead.
    pub resolves: bool,
    /// What the event leaves there.
    pub observation: Observation,
}

impl GroupMembership<'_> {
    /// Whether the mark is kept for the events that follow: what nobody is paged for is noted event by event.
    pub(crate) fn keeps_mark(&self) -> bool {
        self.resolves || !self.response.is_only_noted()
    }
}

/// The counts that an event belongs to, by response.
pub fn watches<'r>(case: &MatchedEvent<'r>, facts: &Facts) -> Vec<GroupMembership<'r>> {
    watched(case, &case.applied(facts))
}

pub(super) fn watched<'r>(
    case: &MatchedEvent<'r>,
    applied: &[AppliedResponse<'r>],
) -> Vec<GroupMembership<'r>> {
    // What says no time has no place in a window; where one event is enough it needs none.
    let counts = |applied: &&AppliedResponse<'r>| {
        let AppliedResponse { response, .. } = applied;
        response.action == ResponseAction::Page && (case.event.time_known || response.when.at_least == 1)
    };
    let adds: Vec<&AppliedResponse<'r>> = applied.iter().filter(counts).collect();
    let observations = adds.iter().map(|one| (one.response, false, observation(case, one.response, &adds)));
    let closes = case.resolves.iter().map(|response| (*response, true, Observation::of(&case.event, true)));
    observations
        .chain(closes)
        .flat_map(|(response, resolves, observation)| {
            subjects(case, response.when.per).into_iter().map(move |subject| GroupMembership {
                response,
                incident_key: incident_key(response, &subject),
                group: group(response, &subject),
                resolves,
                observation: observation.clone(),
            })
        })
        .collect()
}

/// What the event leaves in the stream of an incident: the same for all responses that share it.
fn observation(case: &MatchedEvent<'_>, response: &Response, all: &[&AppliedResponse<'_>]) -> Observation {
    let sharing = all.iter().filter(|applied| applied.response.incident == response.incident);
    let roles = sharing.map(|applied| (applied.response.id.clone(), role(case, applied)));
    Observation { roles: roles.collect(), ..Observation::of(&case.event, false) }
}

fn role(case: &MatchedEvent<'_>, applied: &AppliedResponse<'_>) -> ObservationRole {
    let after = applied.response.when.after.as_ref();
    let opens = after.is_some_and(|after| case.rules.iter().any(|rule| rule.id == *after));
    let eased = match applied.exception {
        Some(exception) if exception.effect == ExceptionEffect::Drop => {
            return ObservationRole::Suppressed(exception.id.clone());
        }
        exception => exception.map(|exception| exception.id.clone()),
    };
    match eased {
        eased if opens => ObservationRole::Precedes(eased),
        Some(exception) => ObservationRole::Downgraded(exception),
        None => ObservationRole::Counts,
    }
}

pub(super) fn questions(
    case: &MatchedEvent<'_>,
    applied: &[AppliedResponse<'_>],
    facts: &Facts,
) -> Vec<Question> {
    // The mark of an event that never counts is another one.
    let role = case.awaits_launches(facts);
    let waits = role.is_some();
    let launches = role.map(|role| Question::LaunchSecrets { role });
    let at = case.event.time;
    let ask = |watch: GroupMembership<'_>| {
        let asks = !waits && watch.keeps_mark() && !is_spared(facts, &watch, at);
        let GroupMembership { response, incident_key, group, observation, .. } = watch;
        let reach = reach(response);
        let (from, to) = (at.minus(reach), at.plus(reach));
        let observations = asks.then_some(Question::Observations { group, observation, from, to });
        observations.into_iter().chain([Question::Incident { key: incident_key }])
    };
    launches.into_iter().chain(watched(case, applied).into_iter().flat_map(ask)).collect()
}

/// Whether nothing depends on an event's mark: every window that holds it lies amid an incident that was paged and can
/// become no more severe.
fn is_spared(facts: &Facts, watch: &GroupMembership<'_>, at: Timestamp) -> bool {
    let within = watch.response.when.within;
    let amid = |state: &IncidentState| at >= state.first.plus(within) && at <= state.last.minus(within);
    watch.response.resolved_by.is_empty()
        && at_top(facts, watch.response, &watch.incident_key).is_some_and(amid)
}

/// How far from an event the marks matter. A window that holds it starts at most `within` before it and ends at most
/// `within` after it; what can be resolved matters for as long as it may still be the same incident.
fn reach(response: &Response) -> Span {
    let within = response.when.within;
    // What comes first may lie a window before what counts.
    let within = if response.when.after.is_some() {
        Span::from_millis(within.millis().saturating_mul(2))
    } else {
        within
    };
    if response.resolved_by.is_empty() { within } else { within.max(response.resolve_after) }
}

pub(super) fn respond(draft: &mut PlanBuilder<'_, '_>, response: &Response) {
    if !draft.event().time_known && response.when.at_least > 1 {
        let why = format!("the event does not say when: not counted for {}", response.id);
        draft.steps.push(PlanStep::Unknown { why });
    }
    let own = draft.watches.iter().filter(|watch| watch.response.id == response.id && !watch.resolves);
    for watch in own.cloned().collect::<Vec<_>>() {
        match verdict(draft, &watch) {
            DetectionOutcome::BelowThreshold(step) => draft.steps.push(step),
            DetectionOutcome::Ongoing { .. } | DetectionOutcome::Fires(_) => found(draft, &watch),
        }
    }
}

/// What an event means to one count.
enum DetectionOutcome<'m> {
    /// Nothing more than this.
    BelowThreshold(PlanStep),
    /// It belongs to an incident that can become no more severe.
    Ongoing { first: Timestamp, last: Timestamp },
    /// It is among what fires.
    Fires(WindowMatch<'m>),
}

/// Pages about what this response and those after it found about the same subject.
fn found(draft: &mut PlanBuilder<'_, '_>, watch: &GroupMembership<'_>) {
    let same = |other: &&GroupMembership<'_>| !other.resolves && other.incident_key == watch.incident_key;
    let family: Vec<GroupMembership<'_>> = draft.watches.iter().filter(same).cloned().collect();
    let verdicts: Vec<_> = family.iter().map(|watch| (watch, verdict(draft, watch))).collect();
    let below = |(_, verdict): &&(&GroupMembership<'_>, DetectionOutcome<'_>)| {
        !matches!(verdict, DetectionOutcome::BelowThreshold(_))
    };
    // The first of them has said it for all.
    if verdicts.iter().find(below).is_none_or(|(first, _)| first.response.id != watch.response.id) {
        return;
    }
    let (mut findings, mut amid) = (Vec::new(), None);
    for (watch, verdict) in verdicts {
        match verdict {
            DetectionOutcome::Fires(window_match) => {
                findings.push(Detection { response: watch.response, window_match: window_match })
            }
            DetectionOutcome::Ongoing { first, last } => {
                let (from, to) = amid.unwrap_or((first, last));
                amid = Some((first.min(from), last.max(to)));
            }
            DetectionOutcome::BelowThreshold(_) => {}
        }
    }
    let Some(lead) = lead(&findings) else {
        let Some((first, last)) = amid else { return };
        let (rule, key) = (watch.response.id.clone(), watch.incident_key.clone());
        return draft.steps.push(PlanStep::ExtendIncident { rule, key, first, last, consumers: Vec::new() });
    };
    let facts = draft.facts;
    let groups: BTreeSet<&String> = family.iter().map(|watch| &watch.group).collect();
    let known = groups.into_iter().filter_map(|group| facts.observations.get(group)).flatten();
    let details = details(draft, &findings);
    let incident = correlate::incident(lead, watch.incident_key.clone(), &findings, known, details);
    draft.page(lead, incident, Vec::new());
}

fn verdict<'m>(draft: &PlanBuilder<'m, '_>, watch: &'m GroupMembership<'_>) -> DetectionOutcome<'m> {
    let GroupMembership { response, incident_key, group, observation: own, .. } = watch;
    let dropped = draft.applied.iter().find(|applied| applied.response.id == response.id);
    let is_dropped = matches!(own.roles.get(&response.id), Some(ObservationRole::Suppressed(_)));
    let dropped = dropped.and_then(|applied| applied.exception).filter(|_| is_dropped);
    if let Some(ResponseException { id, why, .. }) = dropped {
        let (rule, exception, why) = (response.id.clone(), id.clone(), why.clone());
        return DetectionOutcome::BelowThreshold(PlanStep::Suppress { rule, exception, why });
    }
    if let Some((first, last)) = joins(draft, response, incident_key, own.at) {
        return DetectionOutcome::Ongoing { first, last };
    }
    // The event itself counts also where the ledger could not be asked.
    let known = draft.facts.observations(group, own.at, reach(response)).filter(|_| watch.keeps_mark());
    let mut observations: Vec<&Observation> = known.collect();
    if !observations
        .iter()
        .rev()
        .take_while(|observation| observation.at >= own.at)
        .any(|observation| *observation == own)
    {
        observations.push(own);
    }
    let start = own.at.minus(response.when.within);
    let window = || {
        observations.iter().copied().filter(|observation| {
            !observation.resolves && observation.at >= start && observation.at <= own.at
        })
    };
    let count = distinct(response, window());
    // What is known of later is said at once: the events of a batch stretch their incident one time.
    let ahead = observations.iter().any(|observation| observation.at > own.at);
    if !ahead && let Some((first, last)) = extends(draft, response, incident_key, own.at, count) {
        return DetectionOutcome::Ongoing { first, last };
    }
    // Most events are far below the threshold: the count of everything near is cheap and never too low.
    let later = ahead || observations.iter().any(|observation| observation.at < start);
    let near = if later { distinct(response, observations.iter().copied()) } else { count };
    let found = if near < response.when.at_least {
        Vec::new()
    } else {
        find_window_matches(response, observations.iter().copied())
    };
    let holds_own = |window_match: &WindowMatch<'_>| {
        window_match.observations.iter().any(|observation| observation.key == own.key)
    };
    if let Some(window_match) = found.into_iter().find(holds_own) {
        // The others of its batch, however much later: they then find that they were told of.
        let beyond = own.at.plus(reach(response));
        let rest = draft.facts.marks_after(group, beyond).filter(|_| watch.keeps_mark());
        let rest: Vec<&Observation> = rest.collect();
        let all = || {
            find_window_matches(response, observations.iter().chain(&rest).copied())
                .into_iter()
                .find(holds_own)
        };
        return DetectionOutcome::Fires(if rest.is_empty() {
            window_match
        } else {
            all().unwrap_or(window_match)
        });
    }
    let (at_least, within) = (response.when.at_least, response.when.within);
    DetectionOutcome::BelowThreshold(PlanStep::Count { rule: response.id.clone(), count, at_least, within })
}

/// The times of an incident that can become no more severe, for an event amid it: no need to look at its windows again.
fn joins(
    draft: &PlanBuilder<'_, '_>,
    response: &Response,
    key: &str,
    at: Timestamp,
) -> Option<(Timestamp, Timestamp)> {
    let state = at_top(draft.facts, response, key)?;
    let amid = at >= state.first && at <= state.last;
    amid.then_some((state.first, state.last))
}

/// The times of such an incident for an event that carries it on: the window that ends with it fires.
fn extends(
    draft: &PlanBuilder<'_, '_>,
    response: &Response,
    key: &str,
    at: Timestamp,
    count: usize,
) -> Option<(Timestamp, Timestamp)> {
    let state = at_top(draft.facts, response, key)?;
    let on =
        at > state.last && at <= state.last.plus(response.when.within) && count >= response.when.at_least;
    on.then_some((state.first, at))
}

/// What was said about an incident, if it goes on and can become no more severe.
fn at_top<'f>(facts: &'f Facts, response: &Response, key: &str) -> Option<&'f IncidentState> {
    let top = response.when.escalate.last().map_or(response.severity, |step| step.severity);
    facts.incidents.get(key).filter(|state| state.resolved.is_none() && state.severity >= top)
}

/// Closes the incidents that this event ends, however long ago they began.
pub(super) fn resolve(draft: &mut PlanBuilder<'_, '_>) {
    let mut closed = BTreeSet::new();
    for watch in draft.watches.iter().filter(|watch| watch.resolves).cloned().collect::<Vec<_>>() {
        // Responses may share the incident.
        if !closed.insert(watch.incident_key.clone()) {
            continue;
        }
        let own = watch.observation.clone();
        let state = draft.facts.incidents.get(&watch.incident_key);
        let open = state.filter(|state| state.resolved < Some(state.last) && state.first <= own.at);
        let Some(open) = open else { continue };
        let known = draft.facts.observations(&watch.group, own.at, reach(watch.response));
        let found = find_window_matches(watch.response, known.chain([&own]));
        let ended = found.into_iter().rev().find(|window_match| window_match.resolved == Some(own.at));
        // The marks of what began long ago may be gone.
        let window_match = ended.unwrap_or_else(|| WindowMatch::closed(&own, open.severity));
        let mut incident =
            Incident::of(watch.response, watch.incident_key.clone(), &window_match, details(draft, &[]));
        (incident.first, incident.last) = (open.first, open.last);
        draft.steps.push(PlanStep::Resolve {
            rule: watch.response.id.clone(),
            key: watch.incident_key,
            at: own.at,
            last_event: None,
            notice: Some(Box::new(incident)),
            severity: open.severity,
        });
    }
}

/// Whose count: the principal with its account, each secret, or the account.
fn subjects(case: &MatchedEvent<'_>, per: CountPer) -> Vec<String> {
    let event = &case.event;
    match per {
        CountPer::Principal => vec![event.principal.subject(&event.account)],
        CountPer::Account => vec![event.account.clone()],
        CountPer::Secret if event.secrets.is_empty() => {
            vec![format!("{}/{}/unknown", event.account, event.region)]
        }
        CountPer::Secret => {
            let mut keys: Vec<String> =
                event.secrets.iter().map(crate::aws::secret_ref::SecretRef::key).collect();
            keys.sort();
            keys.dedup();
            keys
        }
    }
}

/// Responses that share an incident share a stream, and so a write: a mark says what it is to each of them.
fn group(response: &Response, subject: &str) -> String {
    let per = match response.when.per {
        CountPer::Principal => "principal",
        CountPer::Secret => "secret",
        CountPer::Account => "account",
    };
    hash::id(&["stream", &response.incident, per, subject])
}

/// What is not about secrets says in one of these what it is about (`CloudTrail`, `EventBridge`, Lambda, SNS, SQS, `DynamoDB`).
const TARGETS: [&str; 7] = ["name", "rule", "functionName", "topicArn", "trailName", "queueUrl", "tableName"];

/// What the event itself tells a human beyond the counts, and what of the exceptions.
fn details(draft: &PlanBuilder<'_, '_>, findings: &[Detection<'_, '_>]) -> Vec<IncidentDetail> {
    let event = draft.event();
    let mut details = Vec::new();
    // Secrets Manager's own events repeat its name in every field.
    let mut add = |label, value: Option<Untrusted>| {
        let news = value.filter(|value| *value != event.principal.id);
        details.extend(news.map(|value| IncidentDetail { label, value }));
    };
    add("event", Some(event.name()));
    // By it a drill knows its own page again.
    add("drill", event.text("/detail/drill"));
    add("session", event.principal.session.clone());
    add("access key id", event.principal.access_key.clone());
    add("called by service", event.principal.invoked_by.clone());
    add("source address", event.text("/detail/sourceIPAddress"));
    add("user agent", event.text("/detail/userAgent"));
    if event.secrets.is_empty() {
        let mut targets =
            TARGETS.iter().filter_map(|key| event.text(&format!("/detail/requestParameters/{key}")));
        add("acted on", targets.next());
    }
    if let Some(message) = event.text("/detail/errorMessage") {
        let (function, step) = rotation_failure(message.raw());
        add("failed step", step.map(Untrusted::new));
        add("rotation function", function.map(Untrusted::new));
    }
    let found = |applied: &&AppliedResponse<'_>| {
        findings.iter().any(|found| found.response.id == applied.response.id)
    };
    for applied in draft.applied.iter().filter(found) {
        let expired = applied.expired.iter().filter_map(|exception| {
            let (id, owner, until) = (&exception.id, exception.owner.as_ref()?, exception.until?);
            Some(format!("{id} of {}, which {owner} answers for, ended on {until}", applied.response.id))
        });
        details.extend(
            expired.map(|text| IncidentDetail { label: "expired exception", value: Untrusted::new(text) }),
        );
    }
    details
}

/// Takes "Error when executing lambda ARN during STEP step" apart (recorded `RotationFailed` events; the same words
/// head Secrets Manager's page on troubleshooting rotation).
fn rotation_failure(message: &str) -> (Option<&str>, Option<&'static str>) {
    const STEPS: [&str; 4] = ["createSecret", "setSecret", "testSecret", "finishSecret"];
    let function = message.split_whitespace().map(|word| word.trim_end_matches([',', '.', ';']));
    let function = function.into_iter().find(|word| crate::aws::arn::Arn::of("lambda", word).is_some());
    let step = STEPS.into_iter().find(|step| message.contains(&format!("during {step} step")));
    (function, step)
}

#[cfg(test)]
mod tests {
    use super::rotation_failure;

    #[test]
    fn the_failed_step_and_its_function_are_read_from_the_message() {
        let arn = "arn:aws:lambda:us-west-2:111122223333:function:rotate-db";
        let message = format!("Error when executing lambda {arn} during createSecret step");
        assert_eq!(rotation_failure(&message), (Some(arn), Some("createSecret")));
        assert_eq!(rotation_failure("during lunch step"), (None, None));
    }
}
