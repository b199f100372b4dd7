//! Functions: whether they run, are fed by their queues, and have the settings and the timing that keep an event from being lost or
//! paged twice.

use infra::invariants::{ClaimTiming, ClaimTimingFault, MAX_RECEIVE_COUNT};
use infra::settings::PARAMETER_VARIABLES;
use responder_aws::FunctionConfig;

use super::fault::WiringFault;
use super::region_check::RegionCheck;
use crate::snapshot::{ObservedFunction, ObservedQueue};

/// How long a claim is held where the function's environment does not say, in seconds.
const DEFAULT_LEASE_SECONDS: i64 = 60;
/// Lambda's default timeout, in seconds.
const LAMBDA_TIMEOUT_SECONDS: i64 = 3;

/// Checks every function with the queue that feeds it.
pub(super) fn check_functions(check: &mut RegionCheck<'_>) {
    let functions = check.require_seen("function", "functions", &check.observed.functions);
    let Some(functions) = functions else { return };
    for expected in &check.expected.functions {
        let name = &expected.name;
        let queue = check.observed.queues.seen().and_then(|queues| queues.get(&expected.queue));
        if let Some(queue) = queue {
            check_redrive(check, &expected.queue, queue);
        }
        let Some(function) = functions.get(name) else {
            check.report(WiringFault::FunctionMissing, name, &[]);
            continue;
        };
        check_state(check, name, function);
        check_mapping(check, name, function, queue);
        if let Some(queue) = queue {
            check_timing(check, name, function, queue);
        }
        check_settings(check, name, function);
        check_destinations(check, name, function);
    }
}

/// Checks where the queue moves the messages that fail, and when.
fn check_redrive(check: &mut RegionCheck<'_>, name: &str, queue: &ObservedQueue) {
    let Some(dlq) = &queue.dlq else {
        return check.report(WiringFault::QueueWithoutDlq, name, &[]);
    };
    let mut queues = check.observed.queues.seen().into_iter().flatten();
    if !queues.any(|(_, other)| other.arn == *dlq) {
        return check.report(WiringFault::QueueDlqMissing, name, &[]);
    }
    let receives = queue.max_receives.unwrap_or_default();
    if receives >= *MAX_RECEIVE_COUNT.start() {
        check.ok("queue-receives", name, format!("to the dead-letter queue after {receives} receives"));
    } else {
        check.report(WiringFault::QueueReceivesFew, name, &[("receives", &receives.to_string())]);
    }
}

fn check_state(check: &mut RegionCheck<'_>, name: &str, function: &ObservedFunction) {
    if function.state == "Active" {
        check.ok("function", name, "active");
    } else {
        check.report(WiringFault::FunctionInactive, name, &[("state", &function.state)]);
    }
    if function.reserved == Some(0) {
        check.report(WiringFault::FunctionOff, name, &[("function", name)]);
    }
}

/// Checks the mapping that feeds the function from its queue. A queue that was not seen may be the source of any mapping.
fn check_mapping(
    check: &mut RegionCheck<'_>,
    name: &str,
    function: &ObservedFunction,
    queue: Option<&ObservedQueue>,
) {
    let Some(mappings) = check.require_seen("mapping", name, &function.mappings) else { return };
    let mapping = mappings.iter().find(|mapping| queue.is_none_or(|queue| queue.arn == mapping.source));
    let Some(mapping) = mapping else {
        return check.report(WiringFault::MappingMissing, name, &[]);
    };
    if mapping.state != "Enabled" && mapping.state != "Enabling" {
        check.report(WiringFault::MappingDisabled, name, &[("state", &mapping.state)]);
    } else if mapping.partial {
        check.ok("mapping", name, "enabled, single messages may fail");
    } else {
        check.report(WiringFault::MappingWholeBatches, name, &[]);
    }
}

/// Checks `timeout <= lease` and `lease + timeout <= visibility`: otherwise a page can be sent twice, or never.
fn check_timing(check: &mut RegionCheck<'_>, name: &str, function: &ObservedFunction, queue: &ObservedQueue) {
    let lease = function.environment.get("LEASE_SECONDS").and_then(|text| text.parse().ok());
    let timing = ClaimTiming {
        timeout: function.timeout,
        lease: lease.unwrap_or(DEFAULT_LEASE_SECONDS),
        visibility: queue.visibility,
        batching_window: 0,
    };
    let ClaimTiming { timeout, lease, visibility, .. } = timing;
    let times = format!("timeout {timeout} s, lease {lease} s, visibility {visibility} s");
    let fault = match timing.find_fault() {
        Some(ClaimTimingFault::OutlivesClaim) => WiringFault::TimeoutOutlivesLease,
        Some(ClaimTimingFault::ReturnsWhileClaimed) => WiringFault::MessageReturnsEarly,
        None if timeout <= LAMBDA_TIMEOUT_SECONDS => WiringFault::TimeoutIsDefault,
        None => return check.ok("timing", name, times),
    };
    check.report(fault, name, &[("times", &times)]);
}

/// Checks that the function starts with its settings, with the code with which the function reads them.
fn check_settings(check: &mut RegionCheck<'_>, name: &str, function: &ObservedFunction) {
    let problems = FunctionConfig::problems(|variable| function.environment.get(variable).cloned());
    if problems.is_empty() {
        check.ok("function-settings", name, "the function accepts them");
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
            let stack = &check.expected.stack;
            let parameters = parameters.join(" or ");
            format!("infra/deploy responder --bucket BUCKET --stack {stack} {parameters} --execute")
        };
        check.report(WiringFault::SettingsRefused, name, &[("problem", &problem), ("fix", &fix)]);
    }
}

/// Checks that the function pages to the topic, and writes to the table, of this installation.
fn check_destinations(check: &mut RegionCheck<'_>, name: &str, function: &ObservedFunction) {
    // A variable that is missing keeps the function from starting: `check_settings` reports it.
    let variable = |name: &str| function.environment.get(name).filter(|value| !value.trim().is_empty());
    if let Some(topic) = variable("PAGE_TOPIC_ARN")
        && topic.rsplit(':').next() != Some(check.expected.page_topic())
    {
        check.report(WiringFault::PagesElsewhere, name, &[("topic", topic)]);
    }
    if let Some(table) = variable("LEDGER_TABLE")
        && *table != check.expected.table
    {
        check.report(WiringFault::LedgerElsewhere, name, &[("table", table)]);
    }
}
