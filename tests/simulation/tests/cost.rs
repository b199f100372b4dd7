//! What a month costs is as committed. `cargo run --profile simulation -p simulation --bin cost > infra/COST.md` writes it.

use std::fs;
use std::path::Path;

use simulation::cost::{ESTATES, document, measure};

#[test]
#[cfg_attr(not(optimized), ignore = "takes minutes where it was not built to be quick")]
fn the_document_is_as_committed() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../infra/COST.md");
    let known = fs::read_to_string(file).unwrap();
    assert!(
        known == document().unwrap(),
        "infra/COST.md is stale: the first lines of this file say what writes it"
    );
}

#[test]
fn a_small_estate_uses_what_its_parts_use() {
    let used = measure(ESTATES[0]).unwrap();
    // A batch of its own for each of these few reads, at most.
    let invocations = used.reads.invocations / 100_000.0;
    assert!((0.1..=1.01).contains(&invocations), "{invocations}");
    assert!(used.idle.invocations >= 43_200.0, "a sweep a minute");
    assert!(used.idle.writes < 1.0, "a sweep with nothing to do writes nothing: {}", used.idle.writes);
    let deployments = used.rotations.calls.get("UpdateService").copied().unwrap_or_default();
    assert!(
        (15.0..=20.0).contains(&deployments),
        "each secret has one consumer, most are rotated once: {deployments}"
    );
    // Each function writes the heartbeat and how its events end, and nothing that is zero.
    for handler in ["rotation", "access", "failure", "sweep"] {
        let own = used.steady.iter().filter(|name| name.ends_with(&format!("Handler=\"{handler}\"")));
        let own: Vec<&String> = own.collect();
        assert!((2..=3).contains(&own.len()), "{own:?}");
        assert!(own.iter().any(|name| name.contains("EventsReceived")), "{own:?}");
    }
    assert!(used.passing.iter().any(|name| name.contains("DeploymentsForced")), "{:?}", used.passing);
}
