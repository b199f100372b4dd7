//! Trails: without one that logs and records reads, no rule about an API call ever fires, and nothing says so.

use crate::finding::Findings;
use crate::snapshot::{FieldSelector, Look, Observed, Selectors, Trail};

const TRAIL: &str = "trail";
const EVENTS: &str =
    "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail.html";

/// Whether some trail records the management events of this Region, reads included, and delivers them.
pub(super) fn check(region: &str, observed: &Observed, found: &mut Findings<'_>) {
    let trails = match &observed.trails {
        Look::Seen(trails) => trails,
        Look::Unseen(why) => return found.unseen(TRAIL, "trails", why),
    };
    let here: Vec<&Trail> =
        trails.iter().filter(|trail| trail.multi_region || trail.home == region).collect();
    if here.is_empty() {
        let what = match trails.len() {
            0 => "there is no trail".to_owned(),
            some => format!("none of the {some} trails records this Region"),
        };
        return found.fail(
            TRAIL,
            "trails",
            what,
            "EventBridge gets `… via CloudTrail` events only where a trail logs: nothing is detected here",
            "deploy infra/trail.yaml (a multi-Region trail), or make a trail of yours multi-Region",
        );
    }
    let before = here.iter().any(|trail| judge(trail) == Verdict::Good);
    for trail in here {
        say(trail, before, found);
    }
}

/// What a trail is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Good,
    Stopped,
    Undelivered,
    NoReads,
    NoWrites,
    Nothing,
    Unknown,
}

fn judge(trail: &Trail) -> Verdict {
    match (&trail.logging, &trail.selectors) {
        (Look::Seen(false), _) => Verdict::Stopped,
        (Look::Unseen(_), _) | (_, Look::Unseen(_)) => Verdict::Unknown,
        (Look::Seen(true), Look::Seen(selectors)) => {
            match (records(selectors, true), records(selectors, false)) {
                (true, true) if trail.delivery_error.is_some() => Verdict::Undelivered,
                (true, true) => Verdict::Good,
                (true, false) => Verdict::NoWrites,
                (false, true) => Verdict::NoReads,
                (false, false) => Verdict::Nothing,
            }
        }
    }
}

/// A trail that is not as it should be is no failure where another one does the work.
fn say(trail: &Trail, redundant: bool, found: &mut Findings<'_>) {
    let name = trail.arn.rsplit('/').next().unwrap_or(&trail.arn);
    let mut bad = |what: &str, means: &str, fix: String| {
        if redundant {
            found.warn(TRAIL, name, what, "another trail records what is needed", fix);
        } else {
            found.fail(TRAIL, name, what, means, fix);
        }
    };
    match judge(trail) {
        Verdict::Good => {
            let kind = if trail.organization { "the organization's" } else { "the account's" };
            found.ok(TRAIL, name, format!("{kind} trail logs, with reads"));
            if !trail.validated {
                found.warn(
                    "trail-validation",
                    name,
                    "log files are not validated",
                    "who can write to the bucket can change the evidence unseen",
                    format!("aws cloudtrail update-trail --name {} --enable-log-file-validation", trail.arn),
                );
            }
        }
        Verdict::Stopped => bad(
            "it does not log",
            "no rule about an API call fires while no trail logs",
            format!("aws cloudtrail start-logging --name {} --region {}", trail.arn, trail.home),
        ),
        Verdict::Undelivered => found.warn(
            "trail-delivery",
            name,
            format!("it cannot deliver: {}", trail.delivery_error.as_deref().unwrap_or_default()),
            "events reach EventBridge, but no log is kept that could be replayed",
            "look at the bucket's policy and key: `aws cloudtrail get-trail-status` names the error",
        ),
        Verdict::NoReads => bad(
            "its selectors leave out read-only management events",
            "GetSecretValue and BatchGetSecretValue are read-only: who steals secrets is not seen",
            format!("record all management events: aws cloudtrail put-event-selectors ({EVENTS})"),
        ),
        Verdict::NoWrites => bad(
            "its selectors leave out write management events",
            "changes of secrets, of their protection and of this responder are not seen",
            format!("record all management events: aws cloudtrail put-event-selectors ({EVENTS})"),
        ),
        Verdict::Nothing => bad(
            "its selectors leave out the management events of Secrets Manager",
            "the trail logs, and every rule is blind",
            format!("record all management events: aws cloudtrail put-event-selectors ({EVENTS})"),
        ),
        Verdict::Unknown => {
            let why = [Some(&trail.logging).and_then(unseen), unseen(&trail.selectors)];
            found.unseen(TRAIL, name, why.into_iter().flatten().next().unwrap_or_default());
        }
    }
}

fn unseen<T>(look: &Look<T>) -> Option<&str> {
    match look {
        Look::Seen(_) => None,
        Look::Unseen(why) => Some(why),
    }
}

/// Whether the selectors take Secrets Manager's management events that are reads, or that are none. A trail has basic or
/// advanced selectors (`API_GetEventSelectors`); without any it records all management events.
fn records(selectors: &Selectors, reads: bool) -> bool {
    let kind = if reads { "ReadOnly" } else { "WriteOnly" };
    if selectors.basic.is_empty() && selectors.advanced.is_empty() {
        return true;
    }
    selectors
        .basic
        .iter()
        .any(|selector| selector.management && (selector.read_write == "All" || selector.read_write == kind))
        || selectors.advanced.iter().any(|fields| {
            fields.iter().any(|field| field.field == "eventCategory" && takes(field, "Management"))
                && fields.iter().all(|field| match field.field.as_str() {
                    "eventCategory" => takes(field, "Management"),
                    "readOnly" => takes(field, if reads { "true" } else { "false" }),
                    "eventSource" => takes(field, "secretsmanager.amazonaws.com"),
                    "eventName" if reads => {
                        takes(field, "GetSecretValue") && takes(field, "BatchGetSecretValue")
                    }
                    "eventName" => takes(field, "PutResourcePolicy"),
                    // Other fields narrow it further: towards a human.
                    _ => false,
                })
        })
}

/// Whether a condition takes a value: one of what it asks for, none of what it excludes.
fn takes(field: &FieldSelector, value: &str) -> bool {
    let asks = !(field.equals.is_empty() && field.starts_with.is_empty() && field.ends_with.is_empty());
    let asked = field.equals.iter().any(|text| text == value)
        || field.starts_with.iter().any(|text| value.starts_with(text.as_str()))
        || field.ends_with.iter().any(|text| value.ends_with(text.as_str()));
    let excluded = field.not_equals.iter().any(|text| text == value)
        || field.not_starts_with.iter().any(|text| value.starts_with(text.as_str()))
        || field.not_ends_with.iter().any(|text| value.ends_with(text.as_str()));
    (!asks || asked) && !excluded
}
