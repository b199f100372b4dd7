//! Counted responses: reads, denials and failures become incidents.

use super::{Draft, incident_key};
use crate::facts::{Facts, IncidentState, Question};
use crate::hash;
use crate::incident::{Detail, Incident};
use crate::mark::{Burst, Mark, bursts, distinct};
use crate::page;
use crate::plan::Step;
use crate::rules::{Action, Applied, Case, Per, Response};
use crate::text::Untrusted;
use crate::time::{Span, Timestamp};

/// One count that an event belongs to.
#[derive(Clone, Debug)]
pub struct Watch<'r> {
    /// The response that counts.
    pub response: &'r Response,
    /// The key of the incident that the count may open.
    pub key: String,
    /// The stream of marks.
    pub stream: String,
    /// Whether the event closes the incident instead.
    pub resolves: bool,
}

/// The counts that an event belongs to, by response.
pub fn watches<'r>(case: &Case<'r>, facts: &Facts) -> Vec<Watch<'r>> {
    watched(case, &case.applied(facts))
}

fn watched<'r>(case: &Case<'r>, applied: &[Applied<'r>]) -> Vec<Watch<'r>> {
    // What says no time has no place in a window; where one event is enough it needs none.
    let counts = |applied: &&Applied<'r>| {
        let Applied { response, .. } = applied;
        response.action == Action::Page && (case.event.time_known || response.when.at_least == 1)
    };
    let adds = applied.iter().filter(counts).map(|applied| (applied.response, false));
    let closes = case.resolves.iter().map(|response| (*response, true));
    adds.chain(closes)
        .flat_map(|(response, resolves)| {
            subjects(case, response.when.per).into_iter().map(move |subject| Watch {
                response,
                key: incident_key(response, &subject),
                stream: stream(response, &subject),
                resolves,
            })
        })
        .collect()
}

pub(super) fn questions(case: &Case<'_>, applied: &[Applied<'_>]) -> Vec<Question> {
    let at = case.event.time;
    let ask = |watch: Watch<'_>| {
        let mark = Mark::of(&case.event, watch.resolves);
        let reach = reach(watch.response);
        let (from, to) = (at.minus(reach), at.plus(reach));
        [Question::Marks { stream: watch.stream, mark, from, to }, Question::Incident { key: watch.key }]
    };
    watched(case, applied).into_iter().flat_map(ask).collect()
}

/// How far from an event the marks matter. A window that holds it starts at most `within` before it and ends at most
/// `within` after it; what can be resolved matters for as long as it may still be the same incident.
fn reach(response: &Response) -> Span {
    if response.resolved_by.is_empty() { response.when.within } else { response.quiet }
}

pub(super) fn respond(draft: &mut Draft<'_, '_>, response: &Response) {
    if !draft.event().time_known && response.when.at_least > 1 {
        let why = format!("the event does not say when: not counted for {}", response.id);
        draft.steps.push(Step::Unknown { why });
    }
    let own_watches =
        draft.watches.iter().filter(|watch| watch.response.id == response.id && !watch.resolves);
    for watch in own_watches.cloned().collect::<Vec<_>>() {
        let own = Mark::of(draft.event(), false);
        if let Some(step) = joins(draft, response, &watch.key, own.at) {
            draft.steps.push(step);
            continue;
        }
        // The event itself counts also where the ledger could not be asked.
        let mut marks: Vec<&Mark> = draft.facts.marks(&watch.stream, own.at, reach(response)).collect();
        if !marks.iter().rev().take_while(|mark| mark.at >= own.at).any(|mark| **mark == own) {
            marks.push(&own);
        }
        let start = own.at.minus(response.when.within);
        let window =
            || marks.iter().copied().filter(|mark| !mark.resolves && mark.at >= start && mark.at <= own.at);
        let count = distinct(response, window());
        if let Some(step) = extends(draft, response, &watch.key, own.at, count) {
            draft.steps.push(step);
            continue;
        }
        // Most events are far below the threshold: the count of everything near is cheap and never too low.
        let later = marks.iter().any(|mark| mark.at > own.at || mark.at < start);
        let near = if later { distinct(response, marks.iter().copied()) } else { count };
        let found =
            if near < response.when.at_least { Vec::new() } else { bursts(response, marks.iter().copied()) };
        let fired = found.iter().find(|burst| burst.marks.iter().any(|mark| mark.key == own.key));
        if let Some(burst) = fired {
            let incident = Incident::of(response, watch.key, burst, details(draft));
            draft.page(response, incident, Vec::new());
        } else {
            let (at_least, within) = (response.when.at_least, response.when.within);
            draft.steps.push(Step::Count { rule: response.id.clone(), count, at_least, within });
        }
    }
}

/// The step for an event amid an incident that can become no more severe: no need to look at its windows again.
fn joins(draft: &Draft<'_, '_>, response: &Response, key: &str, at: Timestamp) -> Option<Step> {
    let state = at_top(draft, response, key)?;
    let amid = at >= state.first && at <= state.last;
    amid.then(|| join(response, key, state.first, state.last))
}

/// The step for an event that carries such an incident on: the window that ends with it fires.
fn extends(
    draft: &Draft<'_, '_>,
    response: &Response,
    key: &str,
    at: Timestamp,
    count: usize,
) -> Option<Step> {
    let state = at_top(draft, response, key)?;
    let on =
        at > state.last && at <= state.last.plus(response.when.within) && count >= response.when.at_least;
    on.then(|| join(response, key, state.first, at))
}

/// What was said about an incident, if it goes on and can become no more severe.
fn at_top<'d>(draft: &'d Draft<'_, '_>, response: &Response, key: &str) -> Option<&'d IncidentState> {
    let top = response.when.escalate.last().map_or(response.severity, |step| step.severity);
    draft.facts.incidents.get(key).filter(|state| state.resolved.is_none() && state.severity >= top)
}

fn join(response: &Response, key: &str, first: Timestamp, last: Timestamp) -> Step {
    Step::Join { rule: response.id.clone(), key: key.to_owned(), first, last, about: Vec::new() }
}

/// Closes the incidents that this event ends, however long ago they began.
pub(super) fn resolve(draft: &mut Draft<'_, '_>) {
    for watch in draft.watches.iter().filter(|watch| watch.resolves).cloned().collect::<Vec<_>>() {
        let own = Mark::of(draft.event(), true);
        let state = draft.facts.incidents.get(&watch.key);
        let open = state.filter(|state| state.resolved < Some(state.last) && state.first <= own.at);
        let Some(open) = open else { continue };
        let known = draft.facts.marks(&watch.stream, own.at, reach(watch.response));
        let found = bursts(watch.response, known.chain([&own]));
        let ended = found.into_iter().rev().find(|burst| burst.resolved == Some(own.at));
        // The marks of what began long ago may be gone.
        let burst = ended.unwrap_or_else(|| Burst::closed(&own, open.severity));
        let mut incident = Incident::of(watch.response, watch.key.clone(), &burst, details(draft));
        (incident.first, incident.last) = (open.first, open.last);
        draft.steps.push(Step::Resolve {
            rule: watch.response.id.clone(),
            key: watch.key,
            at: own.at,
            notice: Some(page::render(&incident, watch.response, &draft.facts.settings)),
            severity: open.severity,
        });
    }
}

/// Whose count: the principal with its account, each secret, or the account.
fn subjects(case: &Case<'_>, per: Per) -> Vec<String> {
    let event = &case.event;
    match per {
        Per::Principal => vec![format!("{} {}", event.account, event.principal.id.raw())],
        Per::Account => vec![event.account.clone()],
        Per::Secret if event.secrets.is_empty() => {
            vec![format!("{}/{}/unknown", event.account, event.region)]
        }
        Per::Secret => {
            let mut keys: Vec<String> = event.secrets.iter().map(crate::secret::SecretRef::key).collect();
            keys.sort();
            keys.dedup();
            keys
        }
    }
}

/// Responses that count the same events share a stream, and so a write.
fn stream(response: &Response, subject: &str) -> String {
    let per = match response.when.per {
        Per::Principal => "principal",
        Per::Secret => "secret",
        Per::Account => "account",
    };
    let shared = response.on.len() == 1 && !response.is_narrowed() && response.resolved_by.is_empty();
    match response.on.first() {
        Some(rule) if shared => hash::id(&["stream", "rule", rule, per, subject]),
        _ => hash::id(&["stream", "response", &response.id, per, subject]),
    }
}

/// What is not about secrets says in one of these what it is about (`CloudTrail`, `EventBridge`, Lambda, SNS, SQS, `DynamoDB`).
const TARGETS: [&str; 7] = ["name", "rule", "functionName", "topicArn", "trailName", "queueUrl", "tableName"];

/// What the event itself tells a human beyond the counts.
fn details(draft: &Draft<'_, '_>) -> Vec<Detail> {
    let event = draft.event();
    let mut details = Vec::new();
    // Secrets Manager's own events repeat its name in every field.
    let mut add = |label, value: Option<Untrusted>| {
        let news = value.filter(|value| *value != event.principal.id);
        details.extend(news.map(|value| Detail { label, value }));
    };
    add("event", Some(event.name()));
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
    details
}

/// Takes "Error when executing lambda ARN during STEP step" apart (recorded `RotationFailed` events; the same words
/// head Secrets Manager's page on troubleshooting rotation).
fn rotation_failure(message: &str) -> (Option<&str>, Option<&'static str>) {
    const STEPS: [&str; 4] = ["createSecret", "setSecret", "testSecret", "finishSecret"];
    let function = message.split_whitespace().map(|word| word.trim_end_matches([',', '.', ';']));
    let function = function.into_iter().find(|word| crate::arn::Arn::of("lambda", word).is_some());
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
