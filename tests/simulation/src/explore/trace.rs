//! Steps in words.

use super::choice::{Choice, How};
use super::process::{Deliveries, Local};
use super::scene::Scene;
use super::state::State;
use super::step::World;

/// A step from a state in words.
pub(super) fn line(world: &World, state: &State, choice: Choice) -> String {
    let at = format!("{:>7.3} s ", f64::from(state.now) / 1_000.0);
    let who = |number: u8| {
        let worker = state.workers[usize::from(number)];
        worker.map(|worker| deliveries(&world.scene, world.processes.deliveries(worker))).unwrap_or_default()
    };
    let what = match choice {
        Choice::Receive(messages) => format!("received: {}", deliveries(&world.scene, next(state, messages))),
        Choice::Copy(messages) => {
            format!(
                "delivered once more than it should be: {}",
                deliveries(&world.scene, next(state, messages))
            )
        }
        Choice::Call(number, call, how) => {
            let worker = state.workers[usize::from(number)];
            let asks = worker.map(|worker| world.processes.local(worker));
            let request = match asks {
                Some(Local::Asks(asks)) => {
                    asks.get(usize::from(call)).map(|ask| world.processes.request(ask.request).describe())
                }
                _ => None,
            };
            format!("{}: {}{}", who(number), request.unwrap_or_default(), ended(how))
        }
        Choice::Die(number) => format!("{}: dies", who(number)),
        Choice::Report(number) => {
            let worker = state.workers[usize::from(number)];
            let kept = worker.map(|worker| world.processes.local(worker));
            let kept = matches!(kept, Some(Local::Ended(kept)) if kept.contains(&true));
            format!("{}: ends, and {}", who(number), if kept { "asks to be called again" } else { "is done" })
        }
        Choice::Land => {
            let request = state.late.map(|request| world.processes.request(request).describe());
            format!("late, and nobody waits for it: {}", request.unwrap_or_default())
        }
        Choice::Wait => "time goes on".to_owned(),
    };
    format!("  {at} {what}")
}

/// The deliveries that a receive makes.
fn next(state: &State, messages: u8) -> Deliveries {
    let mut state = *state;
    state.receive(messages, 0)
}

fn deliveries(scene: &Scene, deliveries: Deliveries) -> String {
    let named = scene.messages.iter().zip(deliveries).filter(|(_, delivery)| *delivery > 0);
    let named = named.map(|((name, _), delivery)| format!("{name} (delivery {delivery})"));
    named.collect::<Vec<_>>().join(" and ")
}

fn ended(how: How) -> &'static str {
    match how {
        How::Well => "",
        How::Unheard => "; takes effect, and the process dies before the answer",
        How::Failed => "; fails without effect",
        How::Lost => "; takes effect, and the answer is lost",
        How::Twice => "; the answer is lost, and the SDK sends it again",
        How::Late => "; no answer, the request is still under way",
        How::Adrift => "; the process dies, the request is still under way",
        How::Hung => "; no answer until the deadline, no effect",
        How::HungLost => "; takes effect, and no answer comes until the deadline",
    }
}
