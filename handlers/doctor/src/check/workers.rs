//! Functions and queues: what an event passes on its way, and the timing that keeps it from being lost or told twice.

use infra::settings::SETTINGS;
use responder_aws::FunctionConfig;

use crate::finding::Findings;
use crate::snapshot::{Function, Look, Observed, Queue};
use crate::wiring::{Part, Worker};

/// How often a message must be tried before it is given up: a claim that another invocation holds is not a failure.
const RECEIVES_MIN: i64 = 5;
/// The lease where the function's environment sets none.
const LEASE: i64 = 60;

/// Every function with its queue.
pub(super) fn check(part: &Part, observed: &Observed, found: &mut Findings<'_>) {
    let functions = match &observed.functions {
        Look::Seen(functions) => functions,
        Look::Unseen(why) => return found.unseen("function", "functions", why),
    };
    for worker in &part.workers {
        let queue = observed.queues.seen().and_then(|queues| queues.get(&worker.queue));
        if let Some(queue) = queue {
            gives_up(worker, queue, observed, found);
        }
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
        fed(worker, function, queue, found);
        if let Some(queue) = queue {
            timing(worker, function, queue, found);
        }
        starts(part, worker, function, found);
        speaks(part, worker, function, found);
    }
}

/// Whether its settings are such that it starts: they are read as it reads them.
fn starts(part: &Part, worker: &Worker, function: &Function, found: &mut Findings<'_>) {
    let problems = FunctionConfig::problems(|name| function.environment.get(name).cloned());
    if problems.is_empty() {
        return found.ok("function-settings", &worker.function, "the function takes them");
    }
    for problem in problems {
        let parameters = SETTINGS.iter().filter(|(variable, _)| problem.contains(variable));
        let parameters: Vec<String> = parameters.map(|(_, name)| format!("{name}=VALUE")).collect();
        let fix = if parameters.is_empty() {
            "deploy the stack again".to_owned()
        } else {
            let (stack, parameters) = (&part.stack, parameters.join(" or "));
            format!("infra/deploy responder --bucket BUCKET --stack {stack} {parameters} --execute")
        };
        let means = "the function refuses to start: events wait in its queue until they are given up";
        found.fail("function-settings", &worker.function, problem, means, fix);
    }
}

/// Whether it writes and pages where this installation looks.
fn speaks(part: &Part, worker: &Worker, function: &Function, found: &mut Findings<'_>) {
    // What is missing keeps the function from starting, and is told there.
    let variable = |name: &str| function.environment.get(name).filter(|value| !value.trim().is_empty());
    let (topic, table) = (variable("PAGE_TOPIC_ARN"), variable("LEDGER_TABLE"));
    if let Some(topic) = topic.filter(|topic| topic.rsplit(':').next() != Some(part.pages())) {
        found.fail(
            "function-topic",
            &worker.function,
            format!("PAGE_TOPIC_ARN is `{topic}`"),
            "its pages go to a topic that nobody looks after here",
            "deploy the stack again",
        );
    }
    if let Some(table) = table.filter(|table| **table != part.table) {
        found.fail(
            "function-ledger",
            &worker.function,
            format!("LEDGER_TABLE is `{table}`"),
            "it counts by itself: what the others saw is not known to it",
            "deploy the stack again",
        );
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

/// Where the queue gives up to, and when.
fn gives_up(worker: &Worker, queue: &Queue, observed: &Observed, found: &mut Findings<'_>) {
    let name = &worker.queue;
    let mut exist = observed.queues.seen().into_iter().flat_map(|queues| queues.values());
    let what = match &queue.dlq {
        None => Some("it has no dead-letter queue"),
        Some(arn) if exist.all(|one| one.arn != *arn) => Some("its dead-letter queue does not exist"),
        Some(_) => None,
    };
    if let Some(what) = what {
        found.fail(
            "queue-dlq",
            name,
            what,
            "an event that fails again and again is gone in the end, and no alarm knows",
            "deploy the stack again",
        );
        return;
    }
    match queue.max_receives {
        Some(receives) if receives >= RECEIVES_MIN => {
            found.ok("queue-receives", name, format!("gives up after {receives} tries"));
        }
        receives => found.fail(
            "queue-receives",
            name,
            format!("a message is given up after {} tries", receives.unwrap_or_default()),
            "a claim that another invocation holds costs a try: pages can be lost",
            "set maxReceiveCount to 5 at least",
        ),
    }
}
