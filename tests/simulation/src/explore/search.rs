//! The search: breadth first through all states.

use std::fmt;

use responder_core::rules::RulesError;

use super::choice::{Choice, choices};
use super::index::States;
use super::oracle;
use super::process::{Number, Processes, count, place};
use super::scene::Scene;
use super::state::{Cause, State};
use super::step::World;
use super::trace;

/// What an exploration found.
#[derive(Clone, Debug)]
pub struct Found {
    /// What was explored.
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
    pub keys: usize,
    /// How often one more page was sent, by what allowed it.
    pub again: Vec<(&'static str, u64)>,
    /// What is wrong first, with a shortest way there.
    pub wrong: Option<String>,
}

/// Visits every state of a scene, or stops at the first that is wrong.
///
/// # Errors
/// If the scene's rules cannot be loaded.
pub fn explore(scene: &Scene) -> Result<Found, RulesError> {
    let mut search = Search {
        world: World::new(scene, Processes::new(scene)?),
        states: States::default(),
        ways: vec![(Number::MIN, Choice::Wait)],
        steps: 0,
        ends: 0,
    };
    search.states.insert(State::first(scene.messages.len(), scene.bounds));
    let (mut number, mut depth, mut level) = (0, 0, 1);
    let mut wrong = None;
    while wrong.is_none() && number < search.states.all.len() {
        if number == level {
            (depth, level) = (depth + 1, search.states.all.len());
        }
        wrong = search.visit(number).err();
        if search.states.all.len() > scene.most {
            wrong = wrong.or_else(|| Some(format!("more than {} states", scene.most)));
        }
        number += 1;
    }
    let Search { world, states, steps, ends, .. } = search;
    let again = Cause::ALL.into_iter().map(|cause| (cause.name(), world.again[cause as usize])).collect();
    let (name, states) = (scene.name, states.all.len());
    let (histories, keys) = (world.processes.count(), world.processes.keys.len());
    Ok(Found { name, states, steps, histories, ends, depth, keys, again, wrong })
}

struct Search {
    world: World,
    states: States,
    /// By number of the state: from which state it was reached first, and how.
    ways: Vec<(Number, Choice)>,
    steps: u64,
    ends: u64,
}

impl Search {
    /// Takes every step from a state.
    fn visit(&mut self, number: usize) -> Result<(), String> {
        let state = self.states.all[number];
        if state.is_quiet() {
            self.ends += 1;
            oracle::end(&self.world.scene, &state).map_err(|wrong| self.tell(number, None, &wrong))?;
        }
        let World { scene, processes, leases, .. } = &self.world;
        let choices = choices(scene, processes, leases, &state);
        if choices.is_empty() && !state.is_quiet() {
            return Err(self.tell(number, None, "a message never ends"));
        }
        for choice in choices {
            self.steps += 1;
            let next = self.world.step(state, choice);
            let next = next.map_err(|wrong| self.tell(number, Some(choice), &wrong))?;
            if self.states.insert(next) {
                self.ways.push((count(number + 1), choice));
            }
        }
        Ok(())
    }

    /// What is wrong after a choice in a state, and a shortest way there.
    fn tell(&mut self, number: usize, last: Option<Choice>, wrong: &str) -> String {
        let mut way: Vec<(usize, Choice)> = last.into_iter().map(|choice| (number, choice)).collect();
        let mut number = number;
        while number > 0 {
            let (before, choice) = self.ways[number];
            number = place(before);
            way.push((number, choice));
        }
        let (world, states) = (&mut self.world, &self.states.all);
        let lines = way.into_iter().rev().map(|(number, choice)| trace::line(world, &states[number], choice));
        format!("{wrong}\n{}", lines.collect::<Vec<_>>().join("\n"))
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, states, steps, histories, ends, depth, .. } = self;
        write!(
            f,
            "{name}: {states} states, {steps} steps, {ends} ends, {histories} histories, at most {depth} steps long"
        )?;
        let again = self.again.iter().filter(|(_, times)| *times > 0);
        again
            .into_iter()
            .try_for_each(|(cause, times)| write!(f, "\n  one more page {times} times: {cause}"))?;
        self.wrong.iter().try_for_each(|wrong| write!(f, "\n{wrong}"))
    }
}
