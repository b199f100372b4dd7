//! Counted responses: reads, denials and failures become incidents.

use std::collections::BTreeSet;

use super::incident_details::event_details;
use super::plan_builder::PlanBuilder;
use crate::detection::correlate::{Detection, lead_response, merge_into_incident};
use crate::detection::membership::{GroupMembership, memberships_of_responses};
use crate::detection::window_match::{WindowMatch, count_distinct, find_window_matches};
use crate::facts::{Facts, IncidentState};
use crate::incident::Incident;
use crate::plan::PlanStep;
use crate::question::Question;
use crate::rules::{AppliedResponse, MatchedEvent, Response};
use crate::severity::Severity;
use crate::state::incident_extent::IncidentExtent;
use crate::state::observation::{Observation, ObservationRole};
use crate::state::origin_set::OriginSet;
use crate::time::{Span, Timestamp};

/// What the counts of an event need to know.
pub(super) fn questions(
    event: &MatchedEvent<'_>,
    applied: &[AppliedResponse<'_>],
    facts: &Facts,
) -> Vec<Question> {
    let mut questions = Vec::new();
    // Whether a read is a task launch decides what its observation says: until that is known, none is stored.
    let awaited_role = event.find_role_with_unknown_launches(facts);
    let stores = awaited_role.is_none();
    if let Some(role) = awaited_role {
        questions.push(Question::LaunchSecrets { role });
    }
    let at = event.event.time;
    for membership in memberships_of_responses(event, applied) {
        let reach = reach(membership.response);
        if stores && membership.is_stored() && !is_within_top_incident(facts, &membership, at) {
            questions.push(Question::Observations {
                group: membership.group,
                observation: membership.observation,
                from: at.minus(reach),
                to: at.plus(reach),
            });
        }
        questions.push(Question::Incident { key: membership.incident_key });
    }
    questions
}

/// Adds what a response counts of an event.
pub(super) fn respond(builder: &mut PlanBuilder<'_, '_>, response: &Response) {
    if !builder.event().time_known && response.when.at_least > 1 {
        let why = format!("the event does not say when: not counted for {}", response.id);
        builder.steps.push(PlanStep::Unknown { why });
    }
    let mut own = Vec::new();
    for membership in &builder.memberships {
        if membership.response.id == response.id && !membership.resolves {
            own.push(membership.clone());
        }
    }
    for membership in own {
        match evaluate(builder, &membership) {
            DetectionOutcome::BelowThreshold(step) => builder.steps.push(step),
            DetectionOutcome::Ongoing { .. } | DetectionOutcome::Fires(_) => {
                add_detections(builder, &membership);
            }
        }
    }
}

/// Resolves the incidents that this event ends, however long ago they began.
pub(super) fn resolve(builder: &mut PlanBuilder<'_, '_>) {
    let mut resolved = BTreeSet::new();
    for membership in builder.memberships.clone() {
        // Responses that share the incident resolve it once.
        if !membership.resolves || !resolved.insert(membership.incident_key.clone()) {
            continue;
        }
        let own = &membership.observation;
        let Some(state) = builder.facts.incidents.get(&membership.incident_key) else { continue };
        if state.resolved >= Some(state.last) || state.first > own.at {
            continue;
        }
        let known = builder.facts.observations(&membership.group, own.at, reach(membership.response));
        let matches = find_window_matches(membership.response, known.chain([own]));
        let ended = matches.into_iter().rev().find(|found| found.resolved == Some(own.at));
        // The observations of an incident that began long ago may have expired.
        let window_match = ended.unwrap_or_else(|| WindowMatch::resolved_by(own, state.severity));
        let details = event_details(builder, &[]);
        let key = membership.incident_key.clone();
        let mut incident = Incident::from_match(membership.response, key.clone(), &window_match, details);
        incident.first = state.first;
        incident.last = state.last;
        builder.steps.push(PlanStep::Resolve {
            rule: membership.response.id.clone(),
            key,
            at: own.at,
            last_event: None,
            notice: Some(Box::new(incident)),
            severity: state.severity,
        });
    }
}

/// What an event means to one count.
enum DetectionOutcome<'m> {
    /// Nothing more than this step.
    BelowThreshold(PlanStep),
    /// It belongs to an incident of which there is nothing new to notify.
    Ongoing { first: Timestamp, last: Timestamp },
    /// It is among the observations that fire.
    Fires(WindowMatch<'m>),
}

/// Adds what the responses that share an incident detected about one subject. The first of them that detected anything adds
/// it for all.
fn add_detections(builder: &mut PlanBuilder<'_, '_>, membership: &GroupMembership<'_>) {
    let mut sharing = Vec::new();
    for other in &builder.memberships {
        if !other.resolves && other.incident_key == membership.incident_key {
            sharing.push(other.clone());
        }
    }
    let mut detections = Vec::new();
    let mut ongoing: Option<(Timestamp, Timestamp)> = None;
    let mut first_response = None;
    for other in &sharing {
        match evaluate(builder, other) {
            DetectionOutcome::BelowThreshold(_) => continue,
            DetectionOutcome::Fires(window_match) => {
                detections.push(Detection { response: other.response, window_match });
            }
            DetectionOutcome::Ongoing { first, last } => {
                let (from, to) = ongoing.unwrap_or((first, last));
                ongoing = Some((first.min(from), last.max(to)));
            }
        }
        first_response.get_or_insert(&other.response.id);
    }
    if first_response != Some(&membership.response.id) {
        return;
    }
    let key = membership.incident_key.clone();
    let Some(lead) = lead_response(&detections) else {
        if let Some((first, last)) = ongoing {
            let rule = membership.response.id.clone();
            builder.steps.push(PlanStep::ExtendIncident { rule, key, first, last, consumers: Vec::new() });
        }
        return;
    };
    let groups: BTreeSet<&String> = sharing.iter().map(|other| &other.group).collect();
    let known = groups.into_iter().filter_map(|group| builder.facts.observations.get(group)).flatten();
    let details = event_details(builder, &detections);
    let incident = merge_into_incident(lead, key, &detections, known, details);
    builder.add_counted_incident(lead, incident);
}

/// What an event means to one count. The checks run in this order:
///
/// 1. an exception suppresses it: it never counts;
/// 2. it lies within an open incident, and all that is known around it can add nothing to what was notified: ongoing;
/// 3. it is the newest known event, and carries such an incident on: ongoing;
/// 4. a window that holds it reaches the threshold: it fires;
/// 5. otherwise it is counted, below the threshold.
fn evaluate<'m>(builder: &PlanBuilder<'m, '_>, membership: &'m GroupMembership<'_>) -> DetectionOutcome<'m> {
    let GroupMembership { response, incident_key, observation: own, .. } = membership;
    // 1. Suppressed.
    if let Some(step) = suppression(builder, membership) {
        return DetectionOutcome::BelowThreshold(step);
    }
    let observations = known_observations(builder, membership);
    // 2. Within an incident that was notified in full: no need to look at its windows again.
    let notified = find_incident_without_news(builder.facts, response, incident_key, &observations);
    if let Some(state) = notified
        && own.at >= state.first
        && own.at <= state.last
    {
        return DetectionOutcome::Ongoing { first: state.first, last: state.last };
    }
    let start = own.at.minus(response.when.within);
    let mut in_window = Vec::new();
    let mut has_later = false;
    let mut has_earlier = false;
    for observation in &observations {
        has_later |= observation.at > own.at;
        has_earlier |= observation.at < start;
        if !observation.resolves && observation.at >= start && observation.at <= own.at {
            in_window.push(*observation);
        }
    }
    let count = count_distinct(response, in_window);
    // 3. It carries such an incident on. Where later events are known, they extend it all at once.
    if let Some(state) = notified
        && !has_later
        && response.when.principals == 1
        && own.at > state.last
        && own.at <= state.last.plus(response.when.within)
        && count >= response.when.at_least
    {
        return DetectionOutcome::Ongoing { first: state.first, last: own.at };
    }
    // 4. A window fires. Most events are far below the threshold: the count of everything near is cheap and never too low.
    let near =
        if has_later || has_earlier { count_distinct(response, observations.iter().copied()) } else { count };
    if near >= response.when.at_least
        && let Some(found) = match_with(response, own, observations.iter().copied())
    {
        return DetectionOutcome::Fires(with_later(builder, membership, &observations, found));
    }
    // 5. Below the threshold.
    DetectionOutcome::BelowThreshold(PlanStep::Count {
        rule: response.id.clone(),
        count,
        at_least: response.when.at_least,
        within: response.when.within,
        principals: Some(response.when.principals).filter(|principals| *principals > 1),
    })
}

/// The step of an event that an exception suppresses for a response.
fn suppression(builder: &PlanBuilder<'_, '_>, membership: &GroupMembership<'_>) -> Option<PlanStep> {
    let response = membership.response;
    let Some(ObservationRole::Suppressed(_)) = membership.observation.role_for(&response.id) else {
        return None;
    };
    let applied = builder.applied.iter().find(|applied| applied.response.id == response.id)?;
    let exception = applied.exception?;
    Some(PlanStep::Suppress {
        rule: response.id.clone(),
        exception: exception.id.clone(),
        why: exception.why.clone(),
    })
}

/// The observations near an event. Its own counts also where the ledger could not be asked.
fn known_observations<'m>(
    builder: &PlanBuilder<'m, '_>,
    membership: &'m GroupMembership<'_>,
) -> Vec<&'m Observation> {
    let own = &membership.observation;
    let mut observations: Vec<&Observation> = Vec::new();
    if membership.is_stored() {
        let reach = reach(membership.response);
        observations.extend(builder.facts.observations(&membership.group, own.at, reach));
    }
    let is_known =
        observations.iter().rev().take_while(|known| known.at >= own.at).any(|known| *known == own);
    if !is_known {
        observations.push(own);
    }
    observations
}

/// The match among some observations that holds an event.
fn match_with<'m>(
    response: &Response,
    own: &Observation,
    observations: impl IntoIterator<Item = &'m Observation>,
) -> Option<WindowMatch<'m>> {
    let holds_own =
        |found: &WindowMatch<'_>| found.observations.iter().any(|observation| observation.key == own.key);
    find_window_matches(response, observations).into_iter().find(holds_own)
}

/// The match together with what is known of later: the other events of a batch, however much later they happened. When their
/// turn comes they find that the incident was paged with them.
fn with_later<'m>(
    builder: &PlanBuilder<'m, '_>,
    membership: &'m GroupMembership<'_>,
    observations: &[&'m Observation],
    found: WindowMatch<'m>,
) -> WindowMatch<'m> {
    if !membership.is_stored() {
        return found;
    }
    let own = &membership.observation;
    let beyond = own.at.plus(reach(membership.response));
    let later: Vec<&Observation> = builder.facts.observations_after(&membership.group, beyond).collect();
    if later.is_empty() {
        return found;
    }
    let all = observations.iter().chain(&later).copied();
    match_with(membership.response, own, all).unwrap_or(found)
}

/// Whether nothing depends on an event's observation: every window that holds it lies within an incident that was paged and
/// can neither become more severe nor grow.
fn is_within_top_incident(facts: &Facts, membership: &GroupMembership<'_>, at: Timestamp) -> bool {
    let response = membership.response;
    let Some(state) = facts.incidents.get(&membership.incident_key) else { return false };
    state.resolved.is_none()
        && state.severity >= response.highest_severity()
        && !response.can_grow()
        && response.resolved_by.is_empty()
        && at >= state.first.plus(response.when.within)
        && at <= state.last.minus(response.when.within)
}

/// The state of an open incident to which some observations can add nothing: neither a higher severity nor a further step of its
/// extent. All of them together are at least as much as any window of them.
fn find_incident_without_news<'f>(
    facts: &'f Facts,
    response: &Response,
    key: &str,
    observations: &[&Observation],
) -> Option<&'f IncidentState> {
    let state = facts.incidents.get(key)?;
    if state.resolved.is_some() {
        return None;
    }
    let mut secrets = BTreeSet::new();
    let mut regions = BTreeSet::new();
    let mut lists = 0;
    let mut origins = OriginSet::default();
    for observation in observations {
        for origin in &observation.origins {
            origins.insert(*origin);
        }
        secrets.extend(&observation.secrets);
        regions.insert(&observation.region);
        lists |= usize::from(observation.only_precedes());
    }
    // Spellings of one secret count once in the incident, so this is never too low.
    let bound =
        IncidentExtent { secrets: secrets.len(), regions: regions.len(), lists, reminders: 0, origins };
    let last = observations.iter().map(|observation| observation.at).max().unwrap_or(state.last);
    // Whether these make it more severe is looked at below.
    if bound.lasting(state.first, last.max(state.last)).is_news_after(state.extent, Severity::Critical) {
        return None;
    }
    if state.severity < response.highest_severity() {
        let count = count_distinct(response, observations.iter().copied());
        if response.severity_at(count) > Some(state.severity) {
            return None;
        }
    }
    Some(state)
}

/// How far from an event other observations matter. A window that holds it starts at most `within` before it and ends at most
/// `within` after it. An incident that an event can resolve matters for as long as it may still be the same one.
fn reach(response: &Response) -> Span {
    let mut reach = response.when.within;
    if response.when.after.is_some() {
        // What must come first may lie a window before what counts.
        reach = Span::from_millis(reach.millis().saturating_mul(2));
    }
    if response.resolved_by.is_empty() { reach } else { reach.max(response.resolve_after) }
}
