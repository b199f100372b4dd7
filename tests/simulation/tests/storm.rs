//! A thousand rotations at once are a hundred deployments at most, in any arrangement of clusters.

use responder_core::settings::{ResponseMode, Settings};
use responder_core::time::Span;
use simulation::storm::{Figures, Size, live};
use simulation::world::REGION;

#[expect(clippy::unwrap_used, reason = "a test's helper")]
fn storm(clusters: usize, mode: ResponseMode) -> Figures {
    // A rotation takes up to 20 s: the last one has ended after five minutes.
    let within = Span::from_secs(279);
    let size = Size { clusters, services: 50, uses: 20, secrets: 400, rotations: 1_000, within };
    let settings = Settings { mode, home_region: Some(REGION.to_owned()), ..Settings::default() };
    let figures = live(size, &settings, 1).unwrap();
    println!("{figures}");
    figures
}

fn assert_bounded(figures: &Figures) {
    assert!(figures.wrong.is_empty(), "{}", figures.wrong.join("\n"));
    assert!(
        figures.deployments <= 100 && figures.of_one_service <= 2,
        "a leading and a trailing one a service"
    );
    assert!(figures.in_flight <= 5 && figures.updates_a_second <= 5);
}

#[test]
fn a_thousand_rotations_are_a_leading_and_a_trailing_deployment_a_service() {
    assert_bounded(&storm(5, ResponseMode::Enforce));
}

#[test]
fn the_same_in_one_cluster_takes_longer_and_no_more_at_once() {
    assert_bounded(&storm(1, ResponseMode::Enforce));
}

#[test]
fn the_same_where_people_are_only_told_is_few_pages() {
    let figures = storm(5, ResponseMode::Notify);
    assert!(figures.wrong.is_empty(), "{}", figures.wrong.join("\n"));
    let notified = figures.pages["redeploy-consumers"];
    // What was told of a service moments ago is left to the sweep: without that there was a page a rotation.
    assert!(figures.deployments == 0 && notified <= 150, "{notified} pages");
}
