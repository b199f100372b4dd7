//! The last figures of an incident, once nothing follows.

use responder_core::notify::Renderer;
use responder_core::plan::PlanStep;
use responder_core::settings::Settings;

use crate::calls::*;
#[test]
fn last_figures_are_told_once_if_the_pages_told_less_than_nine_tenths() {
    let (plans, _) = decide_with_sweeps(&theft(0, 0..33), 1..180);
    assert_eq!(told_by_minute(&plans), [(0, 10), (0, 20), (11, 33)]);
    let steps = page_steps(&plans);
    let settings = Settings::default();
    let body = Renderer::new(rules(), &settings).render_step(steps[2]).unwrap().body;
    let expected = "33 calls for 33 different secrets within 32 seconds.\nThe page before said: high, 20 secrets, one Region. Nothing followed for 10 minutes: these are the last figures.";
    assert!(body.contains(expected), "{body}");
    // Of 22 secrets the pages told 20: that is enough. Of 23 it is not.
    assert_eq!(told_by_minute(&decide_with_sweeps(&theft(0, 0..22), 1..180).0).len(), 2);
    assert_eq!(told_by_minute(&decide_with_sweeps(&theft(0, 0..23), 1..180).0).len(), 3);
}

#[test]
fn last_figures_are_told_before_the_end_if_no_sweep_came_in_time() {
    let (plans, _) = decide_with_sweeps(&theft(0, 0..33), 90..180);
    assert_eq!(told_by_minute(&plans), [(0, 10), (0, 20), (90, 33)]);
    let last: Vec<&str> = plans
        .iter()
        .filter(|plan| plan.time.millis() == START + 90 * 60_000)
        .flat_map(|plan| &plan.steps)
        .filter_map(|step| match step {
            PlanStep::Page { .. } => Some("page"),
            PlanStep::Resolve { .. } => Some("resolve"),
            _ => None,
        })
        .collect();
    assert_eq!(last, ["page", "resolve"]);
}

#[test]
fn last_figures_of_a_slow_theft_hold_its_hours() {
    let calls: Vec<Call> = (0..300).map(|secret| read(secret * 70, secret)).collect();
    let (plans, _) = decide_with_sweeps(&calls, 1..500);
    assert_eq!(told_by_minute(&plans).last(), Some(&(359, 300)));
}

#[test]
fn last_figures_hold_two_waves_of_different_secrets() {
    let calls = [theft(0, 0..25), theft(3_000, 100..125)].concat();
    let (plans, _) = decide_with_sweeps(&calls, 1..180);
    assert_eq!(told_by_minute(&plans), [(0, 10), (0, 20), (11, 25), (50, 50)]);
    // The same secrets again are no news.
    let calls = [theft(0, 0..25), theft(3_000, 0..25)].concat();
    assert_eq!(told_by_minute(&decide_with_sweeps(&calls, 1..180).0), [(0, 10), (0, 20), (11, 25)]);
}
