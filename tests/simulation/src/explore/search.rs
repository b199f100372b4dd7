//! The search: breadth first through all states.

use std::fmt;

use responder_core::rules::RulesError;

use super::choice::ExplorationChoice;
use super::index::StateIndex;
use super::number::{ValueNumber, number_last, to_index};
use super::oracle::judge_end;
use super::scene::ExploredScene;
use super::state::{ExploredState, RepeatCause};
use super::trace::describe_step;
use super::worker::WorkerModel;
use super::world::ExploredWorld;

/// The result of an exploration.
#[derive(Clone, Debug)]
pub struct ExplorationResult {
    /// The name of the scene.
    pub name: &'static str,
    /// Different states.
    pub states: usize,
    /// Steps between them.
    pub steps: u64,
    /// Different histories of a worker, for each of which the engine was run.
    pub histories: usize,
    /// States in which nothing goes on any more.
    pub ends: u64,
    /// The longest path.
    pub depth: usize,
    /// Incident keys of the pages.
    pub incident_keys: usize,
    /// How often one more page was sent, by the cause that allowed it.
    pub repeats: Vec<(&'static str, u64)>,
    /// The first violation, with a shortest way there.
    pub violation: Option<String>,
}

/// Visits every state of a scene, or stops at the first violation.
///
/// # Errors
///
/// If the scene's rules cannot be loaded.
pub fn explore_scene(scene: &ExploredScene) -> Result<ExplorationResult, RulesError> {
    let mut search = StateSearch {
        world: ExploredWorld::new(scene, WorkerModel::new(scene)?),
        index: StateIndex::default(),
        ways: vec![(ValueNumber::MIN, ExplorationChoice::Wait)],
        steps: 0,
        ends: 0,
    };
    search.index.insert(ExploredState::first(scene.messages.len(), scene.bounds));
    let mut violation = None;
    let mut next = 0;
    let mut depth = 0;
    // The first state that is a step further away.
    let mut next_level = 1;
    while violation.is_none() && next < search.index.states.len() {
        if next == next_level {
            depth += 1;
            next_level = search.index.states.len();
        }
        violation = search.visit(next).err();
        if violation.is_none() && search.index.states.len() > scene.max_states {
            violation = Some(format!("more than {} states", scene.max_states));
        }
        next += 1;
    }
    let StateSearch { world, index, steps, ends, .. } = search;
    let mut repeats = Vec::new();
    for cause in RepeatCause::ALL {
        repeats.push((cause.describe(), world.repeats[cause as usize]));
    }
    Ok(ExplorationResult {
        name: scene.name,
        states: index.states.len(),
        steps,
        histories: world.workers.count_histories(),
        ends,
        depth,
        incident_keys: world.workers.incident_keys.len(),
        repeats,
        violation,
    })
}

struct StateSearch {
    world: ExploredWorld,
    index: StateIndex,
    /// By number of the state: the state from which it was reached first, and how.
    ways: Vec<(ValueNumber, ExplorationChoice)>,
    steps: u64,
    ends: u64,
}

impl StateSearch {
    /// Takes every step from a state.
    fn visit(&mut self, number: usize) -> Result<(), String> {
        let state = self.index.states[number];
        if state.is_at_rest() {
            self.ends += 1;
            if let Err(violation) = judge_end(&self.world.scene, &state) {
                return Err(self.explain(number, None, &violation));
            }
        }
        let choices = self.world.list_choices(&state);
        if choices.is_empty() && !state.is_at_rest() {
            return Err(self.explain(number, None, "a message never ends"));
        }
        for choice in choices {
            self.steps += 1;
            match self.world.take_step(state, choice) {
                Ok(next) => {
                    if self.index.insert(next) {
                        self.ways.push((number_last(number + 1), choice));
                    }
                }
                Err(violation) => return Err(self.explain(number, Some(choice), &violation)),
            }
        }
        Ok(())
    }

    /// A violation after a choice in a state, and a shortest way there.
    fn explain(&mut self, number: usize, last: Option<ExplorationChoice>, violation: &str) -> String {
        let mut way = Vec::new();
        if let Some(choice) = last {
            way.push((number, choice));
        }
        let mut number = number;
        while number > 0 {
            let (before, choice) = self.ways[number];
            number = to_index(before);
            way.push((number, choice));
        }
        let mut text = violation.to_owned();
        for (number, choice) in way.into_iter().rev() {
            let state = self.index.states[number];
            text.push('\n');
            text.push_str(&describe_step(&mut self.world, &state, choice));
        }
        text
    }
}

impl fmt::Display for ExplorationResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, states, steps, histories, ends, depth, .. } = self;
        write!(
            f,
            "{name}: {states} states, {steps} steps, {ends} ends, {histories} histories, at most {depth} steps long"
        )?;
        for (cause, times) in &self.repeats {
            if *times > 0 {
                write!(f, "\n  one more page {times} times: {cause}")?;
            }
        }
        if let Some(violation) = &self.violation {
            write!(f, "\n{violation}")?;
        }
        Ok(())
    }
}
