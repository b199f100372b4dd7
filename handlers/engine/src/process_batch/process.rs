//! One batch, step by step.

use responder_core::decide;
use responder_core::facts::Facts;
use responder_core::notify::Renderer;
use responder_core::plan::Plan;
use responder_core::rules::MatchedEvent;
use responder_core::time::Span;

use super::engine::Engine;
use super::invocation::{EventResult, Invocation};
use super::persist::{DecidedEvent, persist_events};
use super::sort_events::sort_events;
use crate::deadline::{Deadline, span_between};
use crate::error::EngineError;
use crate::execute_plan::PlanExecutor;
use crate::gather_facts::{FactSources, GatheredFacts, gather_facts};
use crate::log::{self, EventLog};
use crate::metrics::Counters;
use crate::outcome::{EventOutcome, ExecutionResult, conclude_event};
use crate::port::AwsPort;
use crate::store::Ledger;

impl<A: AwsPort> Engine<A> {
    /// Reads the events, decides and executes. Returns the result of each text, in their order, and what was counted. Prints
    /// a line for each event, and the counters.
    pub async fn process_batch(
        &self,
        invocation: &Invocation,
        texts: &[&str],
    ) -> (Vec<EventResult>, Counters) {
        // The future is large, so it goes to the heap.
        let (results, counters) = Box::pin(self.process_events(invocation, texts)).await;
        log::print_counters(&self.aws, self.handler, &counters);
        (results, counters)
    }

    async fn process_events(&self, invocation: &Invocation, texts: &[&str]) -> (Vec<EventResult>, Counters) {
        let aws = &self.aws;
        let mut counters = Counters::default();
        let deadline = Deadline::from_invocation(invocation.until, self.lease, aws.now());

        // 1. Read and sort.
        let mut batch = sort_events(self, &invocation.function_arn, texts);

        // 2. Gather facts. Half of the time is for that, so that time is left to notify on-call if a source hangs.
        let gathering_deadline = deadline.halved(aws.now());
        let settings = self.settings.clone().in_account(&invocation.account);
        let ledger = Ledger::new(aws, &invocation.owner, self.lease, gathering_deadline, &settings);
        let sources = FactSources {
            aws,
            ledger: &ledger,
            cache: &self.cache,
            account: &invocation.account,
            deadline: gathering_deadline,
        };
        let mut gathered = gather_facts(&batch.matched_events, settings.clone(), &sources).await;
        counters.observations_dropped += gathered.observations_dropped;

        // 3. Decide about each event, and execute its plan.
        let ledger = ledger.with_deadline(deadline);
        let mut executor = PlanExecutor {
            aws,
            rules: &self.rules,
            renderer: Renderer::new(&self.rules, &settings),
            ledger: &ledger,
            cache: &self.cache,
            deadline,
            counters: &mut counters,
        };
        let mut decided_events = Vec::new();
        for matched_event in &batch.matched_events {
            let decided =
                decide_event(matched_event, &mut gathered, &mut executor, invocation.keeps_facts).await;
            decided_events.push(decided);
        }

        // 4. Persist what all of them leave for later.
        persist_events(&mut decided_events, &ledger, aws.now(), &settings).await;

        // 5. Log each event.
        let mut decided_results = Vec::new();
        for event in decided_events {
            self.print_event(&event.plan, event.outcome, &event.errors, event.duration);
            if let Some(index) = batch.text_index(&event.matched_event.event) {
                let DecidedEvent { outcome, errors, known_facts: facts, plan, .. } = event;
                decided_results.push((index, EventResult { outcome, errors, facts, plan: Some(plan) }));
            }
        }
        for (index, result) in decided_results {
            batch.set_result(index, result);
        }

        // 6. Quarantine the texts that are no events.
        for (index, plan) in std::mem::take(&mut batch.quarantined) {
            let started = aws.now();
            let ExecutionResult { mut errors, .. } = executor.execute_plan(&plan, &Facts::default()).await;
            errors.push(EngineError::EventUnreadable);
            let duration = span_between(started, aws.now());
            self.print_event(&plan, EventOutcome::Quarantined, &errors, duration);
            let result = EventResult::with_outcome(EventOutcome::Quarantined);
            batch.set_result(index, EventResult { errors, plan: Some(plan), ..result });
        }

        // 7. Count.
        for result in &batch.results {
            counters.count_event(result.outcome);
        }
        (batch.results, counters)
    }

    fn print_event(&self, plan: &Plan, outcome: EventOutcome, errors: &[EngineError], duration: Span) {
        let event = EventLog { key: &plan.event, plan: Some(plan), outcome, errors, duration };
        log::print_event(&self.aws, self.handler, &event);
    }
}

/// Decides about an event, executes its plan, and applies the plan to the facts that the next events are decided with.
async fn decide_event<'c, 'r, A: AwsPort>(
    matched_event: &'c MatchedEvent<'r>,
    gathered: &mut GatheredFacts,
    executor: &mut PlanExecutor<'_, A>,
    keeps_facts: bool,
) -> DecidedEvent<'c, 'r> {
    let started = executor.aws.now();
    let facts = &mut gathered.facts;
    let plan = decide::respond(matched_event, facts);
    let known_facts = if keeps_facts { facts.clone() } else { Facts::default() };
    let executed = if gathered.is_cut_off {
        let errors = vec![EngineError::RoundsExhausted];
        ExecutionResult { errors, ..ExecutionResult::default() }
    } else {
        execute_with_refusals(matched_event, &plan, facts, executor).await
    };
    // A plan that was executed only in part is not applied: the event comes again, and the next ones are decided without it.
    if executed.errors.is_empty() {
        decide::apply(&plan, facts);
    }
    let is_answered = gathered.is_answered(matched_event, &executed.paged);
    let is_notified = !executed.paged.is_empty();
    let (outcome, errors) = conclude_event(&plan, executed, is_answered);
    if outcome != EventOutcome::Failed {
        executor.counters.count_plan(&plan, &matched_event.event.account, &matched_event.event.region);
    }
    let duration = span_between(started, executor.aws.now());
    DecidedEvent { matched_event, plan, outcome, errors, duration, is_notified, is_answered, known_facts }
}

/// Executes a plan; and after it, the steps that the core plans for redeployments that ECS refused.
async fn execute_with_refusals<A: AwsPort>(
    matched_event: &MatchedEvent<'_>,
    plan: &Plan,
    facts: &Facts,
    executor: &mut PlanExecutor<'_, A>,
) -> ExecutionResult {
    if executor.deadline.remaining(executor.aws) == Span::default() {
        let errors = vec![EngineError::DeadlineReached("the event")];
        return ExecutionResult { errors, ..ExecutionResult::default() };
    }
    let mut executed = executor.execute_plan(plan, facts).await;
    if !executed.refused.is_empty() {
        let steps = decide::notify_refusals(matched_event, facts, &executed.refused);
        let notified = executor.execute_plan(&Plan { steps, ..plan.clone() }, facts).await;
        executed.applied += notified.applied;
        executed.already_applied += notified.already_applied;
        executed.errors.extend(notified.errors);
    }
    executed
}
