//! A batch: from texts to ends. Every event ends in exactly one way, and none costs another.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Instant;

use responder_core::decide;
use responder_core::event::Event;
use responder_core::facts::{Facts, Question};
use responder_core::hash;
use responder_core::ledger::in_order;
use responder_core::plan::{Outcome, Plan};
use responder_core::rules::Case;

use crate::deadline::now;
use crate::error::Error;
use crate::execute::{Executed, Executor};
use crate::function::{App, Turn};
use crate::gather::{Sources, gather};
use crate::log::{self, Counters, End};

/// What became of one text.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) end: End,
    /// Why it failed, if it did.
    pub(crate) errors: Vec<Error>,
    /// What was known when it was decided.
    pub(crate) facts: Facts,
    /// What was decided, if any rule matches.
    pub(crate) plan: Option<Plan>,
}

impl Ended {
    /// Whether the queue must keep the message: to deliver it again, or to put it aside.
    pub(crate) fn is_kept(&self) -> bool {
        matches!(self.end, End::Failed | End::Parked)
    }

    fn new(end: End) -> Self {
        Self { end, errors: Vec::new(), facts: Facts::default(), plan: None }
    }
}

/// Reads, decides and executes; returns what became of each text, in their order.
pub(crate) async fn run(app: &App, turn: &Turn, texts: &[&str]) -> (Vec<Ended>, Counters) {
    let mut counters = Counters::default();
    let Sorted { cases, origins, mut ended, parked } = sort(app, texts);
    let asked: Vec<Vec<Question>> = cases.iter().map(decide::questions).collect();
    let merged: BTreeSet<Question> = asked.iter().flatten().cloned().collect();
    // Half of the time is for learning, so that whatever hangs there leaves time for telling a human.
    let learning = turn.deadline.half();
    let ledger = turn.ledger(app, learning);
    let sources = Sources {
        ledger: &ledger,
        clients: &app.clients,
        cache: &app.cache,
        account: turn.account(app),
        deadline: learning,
    };
    let mut world = gather(merged, app.config.settings.clone(), &sources).await;
    counters.marks_dropped += world.marks_dropped;
    let ledger = ledger.until(turn.deadline);
    let mut executor = Executor {
        rules: &app.rules,
        ledger: &ledger,
        clients: &app.clients,
        cache: &app.cache,
        topic: &app.config.topic,
        deadline: turn.deadline,
        counters: &mut counters,
    };
    for (case, questions) in cases.iter().zip(&asked) {
        let started = Instant::now();
        let facts = world.enter(questions);
        let plan = decide::respond(case, facts);
        let known = if turn.keeps_facts { facts.clone() } else { Facts::default() };
        let mut executed = if turn.deadline.left().is_zero() {
            Executed { errors: vec![Error::Deadline("the event")], ..Executed::default() }
        } else {
            executor.execute(&plan, facts).await
        };
        if !executed.refused.is_empty() {
            let steps = decide::undone(case, facts, &executed.refused);
            let told = executor.execute(&Plan { steps, ..plan.clone() }, facts).await;
            executed.acted += told.acted;
            executed.already += told.already;
            executed.errors.extend(told.errors);
        }
        if executed.errors.is_empty() {
            decide::apply(&plan, facts);
        }
        let answered = world.is_answered(case, questions, &executed.paged);
        let (end, errors) = conclude(&plan, executed, answered);
        log::event(app.handler, &plan.event, Some(&plan), end, &errors, started.elapsed());
        if let Some(ended) = origins.get(&identity(&case.event)).and_then(|index| ended.get_mut(*index)) {
            *ended = Ended { end, errors, facts: known, plan: Some(plan) };
        }
    }
    for (index, plan) in parked {
        let started = Instant::now();
        let mut executed = executor.execute(&plan, &Facts::default()).await;
        executed.errors.push(Error::Unreadable);
        log::event(app.handler, &plan.event, Some(&plan), End::Parked, &executed.errors, started.elapsed());
        if let Some(ended) = ended.get_mut(index) {
            *ended = Ended { errors: executed.errors, plan: Some(plan), ..Ended::new(End::Parked) };
        }
    }
    for ended in &ended {
        counters.end(ended.end);
    }
    (ended, counters)
}

/// Texts as cases.
struct Sorted<'r> {
    /// In the order in which they are decided, each event once.
    cases: Vec<Case<'r>>,
    /// From which text a case's event comes.
    origins: BTreeMap<usize, usize>,
    /// One for each text; as if it were a copy of another, until something else is known.
    ended: Vec<Ended>,
    /// What cannot be read, with its plan.
    parked: Vec<(usize, Plan)>,
}

fn sort<'r>(app: &'r App, texts: &[&str]) -> Sorted<'r> {
    let (mut cases, mut parked) = (Vec::new(), Vec::new());
    let (mut origins, mut ended) = (BTreeMap::new(), Vec::new());
    for (index, text) in texts.iter().enumerate() {
        let end = match app.rules.case(app.handler, text) {
            Ok(Some(case)) => {
                origins.insert(identity(&case.event), index);
                cases.push(case);
                End::Coalesced
            }
            Ok(None) => {
                let key = hash::id_of(text.as_bytes());
                log::event(app.handler, &key, None, End::Ignored, &[], std::time::Duration::ZERO);
                End::Ignored
            }
            Err(error) => {
                let (body, why) = (text.as_bytes(), error.to_string());
                let settings = &app.config.settings;
                let plan = decide::park(&app.rules, app.handler, body, &why, now(), settings);
                parked.push((index, plan));
                End::Parked
            }
        };
        ended.push(Ended::new(end));
    }
    let (cases, _) = in_order(cases);
    Sorted { cases, origins, ended, parked }
}

/// What tells the events of this batch apart, copies of one event too.
fn identity(event: &Arc<Event>) -> usize {
    Arc::as_ptr(event).addr()
}

/// How an event ended, from what was planned and what came of it.
fn conclude(plan: &Plan, executed: Executed, answered: bool) -> (End, Vec<Error>) {
    let Executed { acted, already, mut errors, .. } = executed;
    if plan.retry.is_some() {
        errors.push(Error::Again);
    }
    // What was to be counted or looked up is lost unless the event comes again.
    if !answered {
        errors.push(Error::Unanswered);
    }
    let end = match plan.outcome {
        _ if !errors.is_empty() => End::Failed,
        Outcome::Answered if acted == 0 && already > 0 => End::Coalesced,
        Outcome::Answered => End::Answered,
        Outcome::Coalesced => End::Coalesced,
        Outcome::Ignored => End::Ignored,
        Outcome::Parked => End::Parked,
    };
    (end, errors)
}

#[cfg(test)]
mod tests {
    use responder_core::facts::Settings;
    use responder_core::rules::Handler;

    use super::*;

    fn plan(outcome: Outcome) -> Plan {
        let rules = responder_core::rules::builtin().unwrap();
        let mut plan = decide::park(&rules, Handler::Access, b"", "", now(), &Settings::default());
        plan.outcome = outcome;
        plan
    }

    fn end(plan: &Plan, executed: Executed, answered: bool) -> End {
        conclude(plan, executed, answered).0
    }

    #[test]
    fn what_was_done_before_is_coalesced() {
        let plan = plan(Outcome::Answered);
        assert_eq!(end(&plan, Executed { already: 2, ..Executed::default() }, true), End::Coalesced);
        assert_eq!(end(&plan, Executed { already: 2, acted: 1, ..Executed::default() }, true), End::Answered);
        assert_eq!(end(&plan, Executed::default(), true), End::Answered);
    }

    #[test]
    fn an_error_or_a_wish_for_another_look_fails_the_event() {
        let mut plan = plan(Outcome::Answered);
        let executed = Executed { acted: 1, errors: vec![Error::Held], ..Executed::default() };
        assert_eq!(end(&plan, executed, true), End::Failed);
        plan.retry = Some("look again".to_owned());
        assert_eq!(end(&plan, Executed { acted: 1, ..Executed::default() }, true), End::Failed);
    }

    #[test]
    fn what_could_not_be_counted_comes_again() {
        assert_eq!(end(&plan(Outcome::Answered), Executed::default(), false), End::Failed);
    }
}
