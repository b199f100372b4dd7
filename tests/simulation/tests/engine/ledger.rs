//! The ledger's table as invocations use it when it is slow, busy or away.

use responder_core::rules::Handler;
use responder_core::settings::Settings;
use responder_core::time::Span;
use responder_engine::FailureCause;
use simulation::cloud::{CallFault, CloudBuilder};

use crate::functions::{CloudView as _, FunctionSet};
use crate::life::{at, read};

/// The reads of a theft.
fn theft() -> Vec<String> {
    (0..12).map(|i| read(i, i)).collect()
}

fn functions() -> FunctionSet {
    let cloud = CloudBuilder::new(at(60)).journal().build();
    FunctionSet::new(&cloud, Handler::Access, Settings { first_reads: true, ..Settings::default() })
}

fn count_table_calls(functions: &FunctionSet) -> u64 {
    ["UpdateItem", "BatchGetItem", "Query"]
        .map(|operation| functions.cloud.count_calls(operation))
        .iter()
        .sum()
}

#[test]
fn a_table_that_does_not_answer_is_asked_once_and_again_with_another_deadline() {
    let count_calls = |fault| {
        let mut functions = functions();
        functions.cloud.set_fault("dynamodb", Some(fault));
        functions.process(&theft());
        assert_eq!(functions.cloud.pages().len(), 1, "{fault:?}: the theft is paged without the ledger");
        count_table_calls(&functions)
    };
    // Calls that began together find out together. None follows before the deadline is another one.
    let unreachable = count_calls(CallFault::Unreachable(FailureCause::ConnectionTimeout));
    let hanging = count_calls(CallFault::Hangs { late: false });
    let refusing = count_calls(CallFault::Denied);
    assert_eq!((unreachable, hanging), (UNANSWERED_CALLS, UNANSWERED_CALLS));
    assert!(refusing > 3 * UNANSWERED_CALLS, "a table that refuses is asked for everything: {refusing}");
}

/// One with the deadline of gathering, and one with that of executing.
const UNANSWERED_CALLS: u64 = 2;

#[test]
fn what_a_busy_table_leaves_is_asked_for_again_until_the_deadline() {
    let mut functions = functions();
    functions.process(&theft());
    let began = functions.cloud.now();
    // Two reads leave keys: a pause of 100 ms each, or one of 100 ms and one of 200 ms if they are of one batch.
    functions.cloud.with_state(|state| state.faults.busy_reads = 2);
    functions.process(&theft());
    assert_eq!(functions.cloud.pages().len(), 1, "all that was done is known");
    let waited = functions.cloud.now().millis() - began.millis();
    assert!((100..=300).contains(&waited), "{waited}");
    // Always busy: the ledger counts as unanswered, and the invocation ends long before its timeout.
    let began = functions.cloud.now();
    functions.cloud.with_state(|state| state.faults.busy_reads = 1_000);
    functions.process(&theft());
    assert!(functions.cloud.now() < began.plus(Span::from_secs(30)));
}
