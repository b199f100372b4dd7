//! The cost of a month is as committed. `cargo run --profile simulation -p simulation --bin cost > infra/COST.md` writes it.

use std::fs;
use std::path::Path;

use simulation::cost::{COST_ESTATES, measure_month, write_document};

#[test]
#[cfg_attr(not(optimized), ignore = "takes minutes where it was not built to be quick")]
fn the_document_is_as_committed() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../infra/COST.md");
    let committed = fs::read_to_string(file).unwrap();
    assert!(
        committed == write_document().unwrap(),
        "infra/COST.md is stale: the first lines of this file say how to write it"
    );
}

#[test]
fn a_small_estate_uses_the_sum_of_its_parts() {
    let month = measure_month(COST_ESTATES[0]).unwrap();
    // At most each of these few reads is a batch of its own.
    let invocations = month.reads.invocations / 100_000.0;
    assert!((0.1..=1.01).contains(&invocations), "{invocations}");
    assert!(month.idle.invocations >= 43_200.0, "a sweep a minute");
    let writes = month.idle.write_units;
    assert!(writes < 1.0, "a sweep with nothing to do writes nothing: {writes}");
    let deployments = month.rotations.calls.get("UpdateService").copied().unwrap_or_default();
    assert!(
        (15.0..=20.0).contains(&deployments),
        "each secret has one consumer, most are rotated once: {deployments}"
    );
    // Each function writes the heartbeat and how its events end, and nothing that is zero.
    for handler in ["rotation", "access", "failure", "sweep"] {
        let dimension = format!("Handler=\"{handler}\"");
        let mut own = month.steady_metrics.clone();
        own.retain(|name| name.ends_with(&dimension));
        assert!((2..=3).contains(&own.len()), "{own:?}");
        assert!(own.iter().any(|name| name.contains("EventsReceived")), "{own:?}");
    }
    let passing = &month.passing_metrics;
    assert!(passing.iter().any(|name| name.contains("DeploymentsForced")), "{passing:?}");
}
