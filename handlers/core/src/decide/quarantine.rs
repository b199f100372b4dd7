//! Quarantine: a message that cannot be understood is kept, and a human is notified.

use std::collections::BTreeSet;

use crate::aws::arn::Arn;
use crate::detail_kind::DetailKind;
use crate::detection::window_match::WindowMatch;
use crate::hash;
use crate::incident::{Incident, IncidentDetail, incident_key};
use crate::plan::{Plan, PlanOutcome, PlanStep};
use crate::rules::{Handler, ResponseAction, RuleSet};
use crate::state::incident_extent::IncidentExtent;
use crate::text::Untrusted;
use crate::time::Timestamp;

/// The plan for a message that arrived at `now` and is no event: page, and keep it. However many such messages a function
/// gets, they are one incident.
///
/// `body` is only hashed: nothing of it goes into the plan. `function_arn` is the ARN of the function that got it, or empty: it says
/// where the queues are.
pub fn quarantine(
    rules: &RuleSet,
    handler: Handler,
    function_arn: &str,
    body: &[u8],
    why: &str,
    now: Timestamp,
) -> Plan {
    let id = hash::hash_bytes(body);
    let mut plan = Plan {
        event: id.clone(),
        event_id: Untrusted::new(id.clone()),
        name: Untrusted::default(),
        time: now,
        secrets: Vec::new(),
        handler,
        rules: Vec::new(),
        outcome: PlanOutcome::Quarantined,
        steps: vec![PlanStep::Unknown { why: why.to_owned() }],
        retry: None,
    };
    let response = rules.responses.values().find(|response| response.action == ResponseAction::Quarantine);
    if let Some(response) = response {
        let mut details = vec![
            IncidentDetail { kind: DetailKind::Function, value: Untrusted::new(handler.as_str()) },
            IncidentDetail { kind: DetailKind::MessageProblem, value: Untrusted::new(why) },
            IncidentDetail { kind: DetailKind::MessageHash, value: Untrusted::new(id) },
        ];
        let arn = Arn::parse_for_service("lambda", function_arn);
        let queue = arn.as_ref().and_then(find_queue_name);
        if let Some(queue) = queue {
            details.push(IncidentDetail { kind: DetailKind::Queue, value: Untrusted::new(queue) });
        }
        let window_match =
            WindowMatch { observations: Vec::new(), severity: response.severity, resolved: None };
        let key = incident_key(response, handler.as_str());
        let mut incident = Incident::from_match(response, key, &window_match, details);
        incident.handler = handler;
        if let Some(arn) = arn {
            arn.account.clone_into(&mut incident.account);
            incident.regions = vec![arn.region.to_owned()];
        }
        incident.first = now;
        incident.last = now;
        plan.steps.push(PlanStep::Page {
            incident: Box::new(incident),
            extent: IncidentExtent::default(),
            digest: None,
            resolve_after: response.resolve_after,
            groups: BTreeSet::new(),
            consumers: Vec::new(),
        });
    }
    plan
}

/// The queue of a function has the function's name (`infra/responder.yaml`), which an alias or a version may follow in the ARN.
fn find_queue_name<'a>(function: &Arn<'a>) -> Option<&'a str> {
    function.resource.strip_prefix("function:")?.split(':').next()
}
