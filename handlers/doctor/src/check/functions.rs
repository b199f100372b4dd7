//! Functions: whether they run, are fed by their queues, and have the settings and the timing that keep an event from being lost or
//! paged twice.

use infra::invariants::{ClaimTiming, ClaimTimingFault, MAX_RECEIVE_COUNT};
use infra::settings::PARAMETER_VARIABLES;
use responder_aws::Config;

use crate::expected::{ExpectedFunction, ExpectedRegion};
use crate::finding::RegionFindings;
use crate::snapshot::{ObservedFunction, ObservedQueue, RegionSnapshot};

/// How long a claim is held where the function's environment does not say, in seconds.
const DEFAULT_LEASE_SECONDS: i64 = 60;
/// Lambda's default timeout, in seconds.
const LAMBDA_TIMEOUT_SECONDS: i64 = 3;

/// Checks every function with the queue that feeds it.
pub(super) fn check_functions(
    expected: &ExpectedRegion,
    observed: &RegionSnapshot,
    findings: &mut RegionFindings<'_>,
) {
    let Some(functions) = findings.require_seen("function", "functions", &observed.functions) else { return };
    for wanted in &expected.functions {
        let name = &wanted.name;
        let queue = observed.queues.seen().and_then(|queues| queues.get(&wanted.queue));
        if let Some(queue) = queue {
            check_redrive(wanted, queue, observed, findings);
        }
        let Some(function) = functions.get(name) else {
            findings.fail(
                "function",
                name,
                "it does not exist",
                "events wait in its queue until they are given up",
                "deploy the stack again",
            );
            continue;
        };
        check_state(name, function, findings);
        check_mapping(name, function, queue, findings);
        if let Some(queue) = queue {
            check_timing(name, function, queue, findings);
        }
        check_settings(name, function, &expected.stack, findings);
        check_destinations(name, function, expected, findings);
    }
}

/// Checks where the queue moves the messages that fail, and when.
fn check_redrive(
    expected: &ExpectedFunction,
    queue: &ObservedQueue,
    observed: &RegionSnapshot,
    findings: &mut RegionFindings<'_>,
) {
    let name = &expected.queue;
    let mut queues = observed.queues.seen().into_iter().flatten();
    let fault = match &queue.dlq {
        None => Some("it has no dead-letter queue"),
        Some(dlq) if !queues.any(|(_, other)| other.arn == *dlq) => {
            Some("its dead-letter queue does not exist")
        }
        Some(_) => None,
    };
    if let Some(fault) = fault {
        return findings.fail(
            "queue-dlq",
            name,
            fault,
            "an event that fails again and again is gone in the end, and no alarm knows",
            "deploy the stack again",
        );
    }
    let receives = queue.max_receives.unwrap_or_default();
    if receives >= *MAX_RECEIVE_COUNT.start() {
        findings.ok("queue-receives", name, format!("gives up after {receives} tries"));
    } else {
        findings.fail(
            "queue-receives",
            name,
            format!("a message is given up after {receives} tries"),
            "a claim that another invocation holds costs a try: pages can be lost",
            "set maxReceiveCount to 5 at least",
        );
    }
}

fn check_state(name: &str, function: &ObservedFunction, findings: &mut RegionFindings<'_>) {
    if function.state == "Active" {
        findings.ok("function", name, "active");
    } else {
        findings.fail(
            "function",
            name,
            format!("its state is {}", function.state),
            "it cannot be invoked",
            "aws lambda get-function-configuration names the reason (StateReason)",
        );
    }
    if function.reserved == Some(0) {
        findings.fail(
            "function-concurrency",
            name,
            "its reserved concurrency is 0",
            "it is switched off: every event goes to the dead-letter queue",
            format!("aws lambda delete-function-concurrency --function-name {name}; find out who did it"),
        );
    }
}

/// Checks the mapping that feeds the function from its queue.
fn check_mapping(
    name: &str,
    function: &ObservedFunction,
    queue: Option<&ObservedQueue>,
    findings: &mut RegionFindings<'_>,
) {
    let Some(mappings) = findings.require_seen("mapping", name, &function.mappings) else { return };
    // A queue that was not seen is taken for the source of any mapping.
    let Some(mapping) = mappings.iter().find(|mapping| queue.is_none_or(|queue| queue.arn == mapping.source))
    else {
        return findings.fail(
            "mapping",
            name,
            "nothing feeds it from its queue",
            "events wait in the queue until they are given up",
            "deploy the stack again",
        );
    };
    if mapping.state != "Enabled" && mapping.state != "Enabling" {
        findings.fail(
            "mapping",
            name,
            format!("its event source mapping is {}", mapping.state),
            "events wait in the queue until they are given up",
            "enable it: aws lambda update-event-source-mapping --enabled; find out who disabled it",
        );
    } else if mapping.partial {
        findings.ok("mapping", name, "enabled, single messages may fail");
    } else {
        findings.fail(
            "mapping",
            name,
            "single messages cannot fail (ReportBatchItemFailures is missing)",
            "a message that must come again is taken for done: events are lost",
            "deploy the stack again",
        );
    }
}

/// Checks `timeout <= lease` and `lease + timeout <= visibility`: otherwise a page can be sent twice, or never.
fn check_timing(
    name: &str,
    function: &ObservedFunction,
    queue: &ObservedQueue,
    findings: &mut RegionFindings<'_>,
) {
    let lease = function.environment.get("LEASE_SECONDS").and_then(|text| text.parse().ok());
    let lease = lease.unwrap_or(DEFAULT_LEASE_SECONDS);
    let timeout = function.timeout;
    let visibility = queue.visibility;
    let figures = format!("timeout {timeout} s, lease {lease} s, visibility {visibility} s");
    let timing = ClaimTiming { timeout, lease, visibility, batching_window: 0 };
    let (means, fix) = match timing.find_fault() {
        Some(ClaimTimingFault::OutlivesClaim) => (
            "the function may still work when its claim is free again: two pages for one incident",
            "set the timeout to the lease at most",
        ),
        Some(ClaimTimingFault::ReturnsWhileClaimed) => (
            "a message comes back while its claim is still held, and is given up too early",
            "set the queue's visibility timeout to lease and timeout together at least",
        ),
        None if timeout <= LAMBDA_TIMEOUT_SECONDS => (
            "3 s is Lambda's default: long enough to die in the middle",
            "set the timeout as the template does",
        ),
        None => return findings.ok("timing", name, figures),
    };
    findings.fail("timing", name, figures, means, fix);
}

/// Checks that the function starts with its settings: they are read by the code that it reads them with.
fn check_settings(name: &str, function: &ObservedFunction, stack: &str, findings: &mut RegionFindings<'_>) {
    let problems = Config::problems(|variable| function.environment.get(variable).cloned());
    if problems.is_empty() {
        return findings.ok("function-settings", name, "the function takes them");
    }
    for problem in problems {
        let mut parameters = Vec::new();
        for (variable, parameter) in PARAMETER_VARIABLES {
            if problem.contains(variable) {
                parameters.push(format!("{parameter}=VALUE"));
            }
        }
        let fix = if parameters.is_empty() {
            "deploy the stack again".to_owned()
        } else {
            let parameters = parameters.join(" or ");
            format!("infra/deploy responder --bucket BUCKET --stack {stack} {parameters} --execute")
        };
        let means = "the function refuses to start: events wait in its queue until they are given up";
        findings.fail("function-settings", name, problem, means, fix);
    }
}

/// Checks that the function pages to the topic, and writes to the table, of this installation.
fn check_destinations(
    name: &str,
    function: &ObservedFunction,
    expected: &ExpectedRegion,
    findings: &mut RegionFindings<'_>,
) {
    // A variable that is missing keeps the function from starting: `check_settings` reports it.
    let variable = |name: &str| function.environment.get(name).filter(|value| !value.trim().is_empty());
    if let Some(topic) = variable("PAGE_TOPIC_ARN")
        && topic.rsplit(':').next() != Some(expected.page_topic())
    {
        findings.fail(
            "function-topic",
            name,
            format!("PAGE_TOPIC_ARN is `{topic}`"),
            "its pages go to a topic that nobody looks after here",
            "deploy the stack again",
        );
    }
    if let Some(table) = variable("LEDGER_TABLE")
        && *table != expected.table
    {
        findings.fail(
            "function-ledger",
            name,
            format!("LEDGER_TABLE is `{table}`"),
            "it counts by itself: what the others saw is not known to it",
            "deploy the stack again",
        );
    }
}
