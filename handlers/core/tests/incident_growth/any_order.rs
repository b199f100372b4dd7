//! The steps that are paged, in whatever order events arrive.

use proptest::prelude::*;
use responder_core::incident::Incident;

use crate::calls::*;
fn any_call() -> impl Strategy<Value = Call> {
    let regions = ["us-west-2", "us-west-2", "us-west-2", "eu-west-1", "us-east-1"];
    (0u32..600, proptest::option::weighted(0.97, 0u32..60), 0..regions.len()).prop_map(
        move |(second, secret, region)| Call {
            region: regions[region],
            ..Call { secret, ..read(second, 0) }
        },
    )
}

/// How much a page names in steps: severity, secrets, Regions, lists.
fn steps_of(incident: &Incident) -> [usize; 4] {
    let step = |steps: &[usize], count: usize| steps.iter().filter(|step| **step <= count).count();
    [
        usize::from(incident.severity.rank()),
        // One name in two Regions is two secrets.
        step(&[10, 20, 50, 100, 300, 1_000], incident.secret_refs.len()),
        step(&[2, 3, 4, 5, 10, 20], incident.regions.len()),
        incident.lists.min(1),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(24) })]

    /// In whatever order events arrive: each page names a step that no page before it named, and together they name every step
    /// of the incident as it is in the end.
    #[test]
    fn each_step_is_paged_once_and_none_is_lost(
        calls in proptest::collection::vec(any_call(), 10..120),
        turn in any::<usize>(),
    ) {
        let middle = turn % calls.len();
        let mut turned: Vec<Call> = calls[middle..].to_vec();
        turned.extend(&calls[..middle]);
        turned.extend(&calls[..middle / 2]);
        for (calls, ordered) in [(&calls, true), (&turned, false)] {
            let (plans, store) = decide(calls, ordered);
            let mut told = [0; 4];
            for page in pages(&plans) {
                let steps = steps_of(page);
                prop_assert!((0..4).any(|part| steps[part] > told[part]), "{steps:?} after {told:?}");
                for part in 0..4 {
                    told[part] = told[part].max(steps[part]);
                }
            }
            for incident in store.incidents() {
                let steps = steps_of(&incident);
                prop_assert!((0..4).all(|part| steps[part] <= told[part]), "{steps:?}, but {told:?} was told");
            }
        }
    }
}
