//! Steps in words.

use super::choice::{Choice, How};
use super::process::Deliveries;
use super::request::{Meaning, Request};
use super::scene::Scene;
use super::state::{Fate, State};
use super::step::World;

/// A step from a state in words.
pub(super) fn line(world: &mut World, state: &State, choice: Choice) -> String {
    let after = world.step(*state, choice).ok();
    let what = match choice {
        Choice::Receive(messages) => format!("received: {}", deliveries(&world.scene, next(state, messages))),
        Choice::Copy(messages) => {
            format!(
                "delivered, although hidden or deleted: {}",
                deliveries(&world.scene, next(state, messages))
            )
        }
        Choice::Call(number, call, how) => {
            let Some(worker) = state.workers[usize::from(number)] else { return String::new() };
            let ask = &world.processes.asks(worker)[usize::from(call)];
            let request = world.processes.request(ask.request);
            let who = deliveries(&world.scene, world.processes.deliveries(worker));
            let ended = after.map(|after| ended(&after, state, how, world.processes.deliveries(worker)));
            let same = after.is_some_and(|after| after.table == state.table) && how == How::Well;
            let vain = if same && is_write(request) { "; changes nothing" } else { "" };
            format!("{who}: {}{vain}{}{}", request.describe(), way(how), ended.unwrap_or_default())
        }
        Choice::Die(number) => {
            let worker = state.workers[usize::from(number)];
            let who = worker.map(|worker| deliveries(&world.scene, world.processes.deliveries(worker)));
            format!("{}: dies", who.unwrap_or_default())
        }
        Choice::Land => {
            let request = state.late.map(|request| world.processes.request(request).describe());
            format!("late, and nobody waits for it: {}", request.unwrap_or_default())
        }
        Choice::Wait => "time goes on".to_owned(),
    };
    format!("  {:>7.3} s  {what}", f64::from(state.now) / 1_000.0)
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

fn is_write(request: &Request) -> bool {
    !matches!(request.meaning(), Meaning::Page(_) | Meaning::Read)
}

/// What the queue hears, if the invocation ended with this call.
fn ended(after: &State, before: &State, how: How, deliveries: Deliveries) -> &'static str {
    let busy = |state: &State| state.workers.iter().flatten().count();
    if how.dies() || busy(after) == busy(before) {
        return "";
    }
    let deleted = |index: usize| deliveries[index] == 0 || after.messages[index].fate == Fate::Deleted;
    if (0..2).all(deleted) { "; ends, and is done" } else { "; ends, and asks to be called again" }
}

fn way(how: How) -> &'static str {
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
