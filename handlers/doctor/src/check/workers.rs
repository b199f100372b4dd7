//! Functions and queues: what an event passes on its way, and the timing that keeps it from being lost or told twice.

use crate::finding::Findings;
use crate::snapshot::{Function, Look, Observed, Queue};
use crate::wiring::{Wiring, Worker};

/// How often a message must be tried before it is given up: a claim that another invocation holds is not a failure.
const RECEIVES_MIN: i64 = 5;
/// The lease where the function's environment sets none.
const LEASE: i64 = 60;

/// Every function with its queues.
pub(super) fn check(wiring: &Wiring, observed: &Observed, found: &mut Findings<'_>) {
    let functions = match &observed.functions {
        Look::Seen(functions) => Some(functions),
        Look::Unseen(why) => {
            found.unseen("function", "functions", why);
            None
        }
    };
    let queues = match &observed.queues {
        Look::Seen(queues) => Some(queues),
        Look::Unseen(why) => {
            found.unseen("queue", "queues", why);
            None
        }
    };
    for worker in &wiring.workers {
        let queue = queues.map(|queues| queues.get(&worker.queue));
        if let Some(queue) = queue {
            feeds(worker, queue, observed, found);
        }
        let Some(functions) = functions else { continue };
        let Some(function) = functions.get(&worker.function) else {
            found.fail(
                "function",
                &worker.function,
                "it does not exist",
                "events wait in its queue until they are given up",
                "deploy the stack again",
            );
            continue;
        };
        runs(worker, function, found);
        fed(worker, function, queue.flatten(), found);
        if let Some(queue) = queue.flatten() {
            timing(worker, function, queue, found);
        }
        let topic = function.environment.get("PAGE_TOPIC_ARN").map(String::as_str).unwrap_or_default();
        if !topic.ends_with(&format!(":{}", wiring.pages)) {
            found.fail(
                "function-topic",
                &worker.function,
                format!("PAGE_TOPIC_ARN is `{topic}`"),
                "its pages go to a topic that nobody looks after here, or nowhere",
                "deploy the stack again",
            );
        }
    }
    // A dead-letter queue that is not empty is something that nobody answered.
    for (name, queue) in queues.into_iter().flatten().filter(|(name, _)| name.ends_with("dlq")) {
        if queue.depth > 0 {
            found.fail(
                "dlq-depth",
                name,
                format!("{} messages wait in it", queue.depth),
                "these events were not answered",
                "read them, fix the cause, then start a redrive: rules/README.md#event-parked",
            );
        } else {
            found.ok("dlq-depth", name, "empty");
        }
    }
}

fn runs(worker: &Worker, function: &Function, found: &mut Findings<'_>) {
    if function.state == "Active" {
        found.ok("function", &worker.function, "active");
    } else {
        found.fail(
            "function",
            &worker.function,
            format!("its state is {}", function.state),
            "it cannot be invoked",
            "aws lambda get-function-configuration names the reason (StateReason)",
        );
    }
    if function.reserved == Some(0) {
        found.fail(
            "function-concurrency",
            &worker.function,
            "its reserved concurrency is 0",
            "it is switched off: every event goes to the dead-letter queue",
            format!(
                "aws lambda delete-function-concurrency --function-name {}; find out who did it",
                worker.function
            ),
        );
    }
}

/// What feeds the function.
fn fed(worker: &Worker, function: &Function, queue: Option<&Queue>, found: &mut Findings<'_>) {
    let mappings = match &function.mappings {
        Look::Seen(mappings) => mappings,
        Look::Unseen(why) => return found.unseen("mapping", &worker.function, why),
    };
    let Some(mapping) = mappings.iter().find(|one| queue.is_none_or(|queue| queue.arn == one.source)) else {
        found.fail(
            "mapping",
            &worker.function,
            "nothing feeds it from its queue",
            "events wait in the queue until they are given up",
            "deploy the stack again",
        );
        return;
    };
    if mapping.state != "Enabled" && mapping.state != "Enabling" {
        found.fail(
            "mapping",
            &worker.function,
            format!("its event source mapping is {}", mapping.state),
            "events wait in the queue until they are given up",
            "enable it: aws lambda update-event-source-mapping --enabled; find out who disabled it",
        );
    } else if mapping.partial {
        found.ok("mapping", &worker.function, "enabled, single messages may fail");
    } else {
        found.fail(
            "mapping",
            &worker.function,
            "single messages cannot fail (ReportBatchItemFailures is missing)",
            "a message that must come again is taken for done: events are lost",
            "deploy the stack again",
        );
    }
}

/// `timeout <= lease`, `lease + timeout <= visibility`: otherwise a page can be sent twice, or never.
fn timing(worker: &Worker, function: &Function, queue: &Queue, found: &mut Findings<'_>) {
    let lease = function.environment.get("LEASE_SECONDS").and_then(|text| text.parse().ok()).unwrap_or(LEASE);
    let (timeout, visibility) = (function.timeout, queue.visibility);
    let figures = format!("timeout {timeout} s, lease {lease} s, visibility {visibility} s");
    let name = &worker.function;
    if timeout > lease {
        found.fail(
            "timing",
            name,
            figures,
            "the function may still work when its claim is free again: two pages for one incident",
            "set the timeout to the lease at most",
        );
    } else if lease + timeout > visibility {
        found.fail(
            "timing",
            name,
            figures,
            "a message comes back while its claim is still held, and is given up too early",
            "set the queue's visibility timeout to lease and timeout together at least",
        );
    } else if timeout <= 3 {
        found.fail(
            "timing",
            name,
            figures,
            "3 s is Lambda's default: long enough to die in the middle",
            "set the timeout as the template does",
        );
    } else {
        found.ok("timing", name, figures);
    }
}

/// The queue and where it gives up to.
fn feeds(worker: &Worker, queue: Option<&Queue>, observed: &Observed, found: &mut Findings<'_>) {
    let name = &worker.queue;
    let Some(queue) = queue else {
        found.fail(
            "queue",
            name,
            "it does not exist",
            "events have no way to the function",
            "deploy the stack again",
        );
        return;
    };
    if !queue.encrypted {
        found.warn(
            "queue-encryption",
            name,
            "it is not encrypted at rest",
            "events name secrets and principals",
            "deploy the stack again (SqsManagedSseEnabled)",
        );
    }
    let queues = observed.queues.seen();
    let dlq = queue.dlq.as_ref().and_then(|arn| queues?.values().find(|one| one.arn == *arn));
    match (&queue.dlq, dlq) {
        (None, _) => found.fail(
            "queue-dlq",
            name,
            "it has no dead-letter queue",
            "an event that fails again and again is gone after the retention, and no alarm knows",
            "deploy the stack again",
        ),
        (Some(_), None) => found.fail(
            "queue-dlq",
            name,
            "its dead-letter queue does not exist",
            "an event that fails again and again is gone, and no alarm knows",
            "deploy the stack again",
        ),
        (Some(_), Some(dlq)) if dlq.retention < queue.retention => found.fail(
            "queue-dlq",
            name,
            "its dead-letter queue keeps messages for less long than it does",
            "the time counts from the first sending: what arrives there may be gone at once",
            "set the retention of the dead-letter queue to 14 days",
        ),
        _ => match queue.max_receives {
            Some(receives) if receives >= RECEIVES_MIN => {
                found.ok("queue-dlq", name, format!("after {receives} tries"));
            }
            receives => found.fail(
                "queue-dlq",
                name,
                format!("a message is given up after {} tries", receives.unwrap_or_default()),
                "a claim that another invocation holds costs a try: pages can be lost",
                "set maxReceiveCount to 5 at least",
            ),
        },
    }
}
