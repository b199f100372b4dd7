//! Steps in words.

use super::choice::{CallEnding, ExplorationChoice};
use super::request::{RequestMeaning, WorkerRequest};
use super::scene::ExploredScene;
use super::state::{ExploredState, MessageFate};
use super::worker::DeliveryCounts;
use super::world::ExploredWorld;

/// A step from a state in words.
pub(super) fn describe_step(
    world: &mut ExploredWorld,
    state: &ExploredState,
    choice: ExplorationChoice,
) -> String {
    let step = match choice {
        ExplorationChoice::Receive(messages) => {
            format!("received: {}", describe_deliveries(&world.scene, count_deliveries(state, messages)))
        }
        ExplorationChoice::Copy(messages) => {
            let deliveries = describe_deliveries(&world.scene, count_deliveries(state, messages));
            format!("delivered, although hidden or deleted: {deliveries}")
        }
        ExplorationChoice::Call(worker, call, ending) => {
            describe_call(world, state, usize::from(worker), usize::from(call), choice, ending)
        }
        ExplorationChoice::Die(number) => {
            format!("{}: dies", describe_worker(world, state, usize::from(number)))
        }
        ExplorationChoice::Land => {
            let request = state.late_request.map(|request| world.workers.request(request).describe());
            format!("late, and nobody waits for it: {}", request.unwrap_or_default())
        }
        ExplorationChoice::Wait => "time goes on".to_owned(),
    };
    format!("  {:>7.3} s  {step}", f64::from(state.now) / 1_000.0)
}

fn describe_call(
    world: &mut ExploredWorld,
    state: &ExploredState,
    number: usize,
    call: usize,
    choice: ExplorationChoice,
    ending: CallEnding,
) -> String {
    let after = world.take_step(*state, choice).ok();
    let Some(worker) = state.workers[number] else { return String::new() };
    let caller = describe_worker(world, state, number);
    let request = world.workers.request(world.workers.pending_requests(worker)[call].request);
    let mut line = format!("{caller}: {}", request.describe());
    if let Some(after) = after
        && after.table == state.table
        && ending == CallEnding::Success
        && is_write(request)
    {
        line.push_str("; changes nothing");
    }
    line.push_str(describe_ending(ending));
    if let Some(after) = after {
        line.push_str(describe_end(&after, state, ending, world.workers.deliveries(worker)));
    }
    line
}

/// The deliveries of a worker in words.
fn describe_worker(world: &ExploredWorld, state: &ExploredState, number: usize) -> String {
    match state.workers[number] {
        Some(worker) => describe_deliveries(&world.scene, world.workers.deliveries(worker)),
        None => String::new(),
    }
}

/// The deliveries that a receive makes.
fn count_deliveries(state: &ExploredState, messages: u8) -> DeliveryCounts {
    let mut after = *state;
    after.receive(messages, 0)
}

fn describe_deliveries(scene: &ExploredScene, deliveries: DeliveryCounts) -> String {
    let mut parts = Vec::new();
    for ((name, _), delivery) in scene.messages.iter().zip(deliveries) {
        if delivery > 0 {
            parts.push(format!("{name} (delivery {delivery})"));
        }
    }
    parts.join(" and ")
}

fn is_write(request: &WorkerRequest) -> bool {
    !matches!(request.meaning(), RequestMeaning::Page(_) | RequestMeaning::Read)
}

/// The report to the queue, if the invocation ended with this call.
fn describe_end(
    after: &ExploredState,
    before: &ExploredState,
    ending: CallEnding,
    deliveries: DeliveryCounts,
) -> &'static str {
    if ending.is_death() || count_workers(after) == count_workers(before) {
        return "";
    }
    for (delivery, message) in deliveries.iter().zip(&after.messages) {
        if *delivery > 0 && message.fate != MessageFate::Deleted {
            return "; ends, and asks to be called again";
        }
    }
    "; ends, and is done"
}

fn count_workers(state: &ExploredState) -> usize {
    state.workers.iter().flatten().count()
}

fn describe_ending(ending: CallEnding) -> &'static str {
    match ending {
        CallEnding::Success => "",
        CallEnding::Unheard => "; takes effect, and the process dies before the answer",
        CallEnding::Failed => "; fails without effect",
        CallEnding::AnswerLost => "; takes effect, and the answer is lost",
        CallEnding::Repeated => "; the answer is lost, and the SDK sends it again",
        CallEnding::Late => "; no answer, the request is still under way",
        CallEnding::Adrift => "; the process dies, the request is still under way",
        CallEnding::Hung => "; no answer until the deadline, no effect",
        CallEnding::HungAfterEffect => "; takes effect, and no answer comes until the deadline",
    }
}
