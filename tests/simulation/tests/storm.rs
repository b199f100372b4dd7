//! A thousand rotations at once are a hundred deployments at most, in any arrangement of clusters.

use responder_core::settings::{ResponseMode, Settings};
use responder_core::time::Span;
use simulation::location::HOME_REGION;
use simulation::storm::{StormFigures, StormSize, run_storm};

#[expect(clippy::unwrap_used, reason = "a test's helper")]
fn run(clusters: usize, mode: ResponseMode) -> StormFigures {
    let size = StormSize {
        clusters,
        services: 50,
        secrets_per_service: 20,
        secrets: 400,
        rotations: 1_000,
        // A rotation takes up to 20 s: the last one has ended after five minutes.
        within: Span::from_secs(279),
    };
    let settings = Settings { mode, home_region: Some(HOME_REGION.to_owned()), ..Settings::default() };
    let figures = run_storm(size, &settings, 1).unwrap();
    println!("{figures}");
    figures
}

fn assert_bounded(figures: &StormFigures) {
    assert!(figures.violations.is_empty(), "{}", figures.violations.join("\n"));
    assert!(
        figures.deployments <= 100 && figures.most_of_one_service <= 2,
        "a leading and a trailing one a service"
    );
    assert!(figures.most_in_flight <= 5, "the slots of a cluster");
    // ECS allows a burst of 50 and 5 a second. Each process stays below that by itself, and a few may call in the same second.
    assert!(figures.most_updates_a_second <= 10, "a fifth of the burst that ECS allows");
}

#[test]
fn a_thousand_rotations_are_a_leading_and_a_trailing_deployment_a_service() {
    assert_bounded(&run(5, ResponseMode::Enforce));
}

#[test]
fn a_storm_in_one_cluster_takes_longer_and_deploys_no_more_at_once() {
    assert_bounded(&run(1, ResponseMode::Enforce));
}

#[test]
fn a_storm_with_notifications_only_is_few_pages() {
    let figures = run(5, ResponseMode::Notify);
    assert!(figures.violations.is_empty(), "{}", figures.violations.join("\n"));
    let pages = figures.pages["redeploy-consumers"];
    // A service of which people were notified moments ago is left to the sweep: without that there was a page a rotation.
    assert!(figures.deployments == 0 && pages <= 150, "{pages} pages");
}
