//! Read evidence: which reads prove that a consumer has the new value.

use responder_core::facts::Facts;
use responder_core::plan::PlanStep;
use responder_core::state::deployment::{PendingReadEvidence, read_evidence_key};
use responder_core::text::Untrusted;

use crate::vocabulary::*;

#[test]
fn a_read_by_a_new_task_proves_the_new_value_once() {
    const ROLE: &str = "arn:aws:iam::111122223333:role/exec";
    const TASK: &str = "0123456789abcdef0123456789abcdef";
    let awaiting = || {
        let mut facts = Facts::default();
        let evidence = PendingReadEvidence {
            service: service_arn("a"),
            change: change("s1", "12:00:00"),
            since: at("12:00:15"),
        };
        facts
            .pending_evidence
            .insert(read_evidence_key(&Untrusted::new(ROLE), &secret("s1")), [evidence].into());
        facts
    };
    let proves = |facts: &mut Facts, event: &str| {
        let plan = decide(facts, event);
        plan.steps.iter().filter(|step| matches!(step, PlanStep::Prove { .. })).count()
    };
    let proof = secret_read("s1", "12:01:00", ROLE, TASK);
    let mut facts = awaiting();
    assert_eq!((proves(&mut facts, &proof), proves(&mut facts, &proof)), (1, 0));
    for other in [
        secret_read("s1", "12:00:14", ROLE, TASK),
        secret_read("s2", "12:01:00", ROLE, TASK),
        secret_read("s1", "12:01:00", "arn:aws:iam::111122223333:role/other", TASK),
        secret_read("s1", "12:01:00", ROLE, "dana@example.com"),
        secret_read("s1", "12:01:00", ROLE, &TASK[1..]),
    ] {
        assert_eq!(proves(&mut awaiting(), &other), 0, "{other}");
    }
    assert_eq!(proves(&mut awaiting(), &secret_read("s1", "12:00:15", ROLE, TASK)), 1);
}
