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
        let mut batch = sort_events(self, texts);

        // 2. Gather facts. Half of the time is for that, so that time is left to notify on-call if a source hangs.
        let gathering_deadline = deadline.halved(aws.now());
        let ledger = Ledger::new(aws, &invocation.owner, self.lease, gathering_deadline);
        let sources = FactSources {
            aws,
            ledger: &ledger,
            cache: &self.cache,
            account: &invocation.account,
            deadline: gathering_deadline,
        };
        let mut gathered = gather_facts(&batch.matched_events, self.settings.clone(), &sources).await;
        counters.observations_dropped += gathered.observations_dropped;

        // 3. Decide about each event, and execute its plan.
        let ledger = ledger.with_deadline(deadline);
        let mut executor = PlanExecutor {
            aws,
            rules: &self.rules,
            renderer: Renderer::new(&self.rules, &self.settings),
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
        persist_events(&mut decided_events, &ledger, aws.now(), &self.settings).await;

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
    let executed = execute_with_refusals(matched_event, &plan, facts, executor).await;
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use responder_core::aws::ecs_arn::{ClusterArn, ServiceArn};
    use responder_core::aws::secret_reference::{ReferenceKind, SecretReference};
    use responder_core::facts::Settings;
    use responder_core::rules::Handler;
    use responder_core::text::Untrusted;

    use super::*;
    use crate::fake::{EngineFake, block_on};
    use crate::port::{DescribedService, DescribedTaskDefinition};
    use crate::store::{DeploymentClaimResult, DeploymentRequest};

    const EVENT: &str = r#"{"source":"aws.secretsmanager","detail-type":"AWS Service Event via CloudTrail",
        "account":"111122223333","region":"us-west-2","time":"2026-05-04T03:00:20Z","detail":{
        "eventSource":"secretsmanager.amazonaws.com","eventName":"RotationSucceeded","awsRegion":"us-west-2",
        "eventTime":"2026-05-04T03:00:20Z","eventType":"AwsServiceEvent","recipientAccountId":"111122223333",
        "additionalEventData":{"SecretId":"arn:aws:secretsmanager:us-west-2:111122223333:secret:prod/db-a1B2c3"}}}"#;

    fn service(name: &str) -> DescribedService {
        DescribedService {
            arn: format!("arn:aws:ecs:us-west-2:111122223333:service/shop/{name}"),
            cluster: "arn:aws:ecs:us-west-2:111122223333:cluster/shop".to_owned(),
            status: "ACTIVE".to_owned(),
            controller: "ECS".to_owned(),
            task_definitions: ["app:1".to_owned()].into(),
            ..DescribedService::default()
        }
    }

    fn engine(services: &[&str]) -> Engine<EngineFake> {
        let secret = "arn:aws:secretsmanager:us-west-2:111122223333:secret:prod/db-a1B2c3";
        let reference =
            SecretReference { kind: ReferenceKind::ContainerSecret, value: Untrusted::new(secret) };
        let services = services.iter().map(|name| service(name)).collect();
        let aws = EngineFake {
            clusters: BTreeMap::from([(
                "arn:aws:ecs:us-west-2:111122223333:cluster/shop".to_owned(),
                services,
            )]),
            definitions: BTreeMap::from([(
                "app:1".to_owned(),
                DescribedTaskDefinition { references: vec![reference], ..DescribedTaskDefinition::default() },
            )]),
            ..EngineFake::default()
        };
        aws.clock.set("2026-05-04T03:00:21Z".parse().unwrap());
        let rules = responder_core::rules::builtin().unwrap();
        Engine::new(aws, Handler::Rotation, rules, Settings::default(), Span::from_secs(60))
    }

    fn run_at(engine: &Engine<EngineFake>, owner: &str, texts: &[&str]) -> (Vec<EventOutcome>, Counters) {
        let until = engine.aws.now().plus(Span::from_secs(60));
        let turn = Invocation {
            until,
            owner: owner.to_owned(),
            account: "111122223333".to_owned(),
            keeps_facts: false,
        };
        let (ended, counters) = block_on(engine.process_batch(&turn, texts));
        (ended.iter().map(|ended| ended.outcome).collect(), counters)
    }

    #[test]
    fn a_rotation_waits_until_the_change_has_settled_and_is_answered_once() {
        let engine = engine(&["web"]);
        let (ends, counters) = run_at(&engine, "one", &[EVENT, EVENT, "{}"]);
        assert_eq!(
            (ends, counters.deployments_forced),
            (vec![EventOutcome::Answered, EventOutcome::Coalesced, EventOutcome::Quarantined], 1)
        );
        // A little later than that, for not all services are deployed in the same instant.
        let now = engine.aws.now().to_string();
        assert!(now.starts_with("2026-05-04T03:00:35."), "{now}");
        // One line for the event, one for what is none, the counters, and those of the incident.
        assert_eq!(engine.aws.lines.borrow().len(), 4);
        // The service still looks as it did: the claim alone says that it was done.
        let (ends, counters) = run_at(&engine, "two", &[EVENT]);
        assert_eq!((ends, counters.deployments_forced), (vec![EventOutcome::Coalesced], 0));
    }

    #[test]
    fn a_refused_redeployment_is_told_once_and_costs_no_other() {
        let engine = engine(&["draining", "web"]);
        let (ends, counters) = run_at(&engine, "one", &[EVENT]);
        assert_eq!((ends, counters.deployments_forced), (vec![EventOutcome::Answered], 1));
        assert_eq!((counters.redeploys_refused, engine.aws.pages.borrow().len()), (1, 1));
        let (ends, counters) = run_at(&engine, "two", &[EVENT]);
        assert_eq!((ends, counters.pages_sent), (vec![EventOutcome::Coalesced], 0));
    }

    #[test]
    fn chats_are_told_once_after_the_page_and_what_goes_wrong_there_costs_nothing() {
        let engine = engine(&["draining"]);
        engine.aws.no_chat.set(true);
        let (ends, counters) = run_at(&engine, "one", &[EVENT]);
        assert_eq!((ends, counters.pages_sent), (vec![EventOutcome::Answered], 1));
        assert_eq!((counters.chats_sent, counters.chats_failed, engine.aws.chats.borrow().len()), (0, 1, 1));
        assert!(engine.aws.lines.borrow().iter().any(|line| line.contains("\"chat\":\"failed\"")));
        let (_, counters) = run_at(&engine, "two", &[EVENT]);
        assert_eq!((counters.pages_sent, engine.aws.chats.borrow().len()), (0, 1));
    }

    const SWEEP: &str = r#"{"source":"aws.events","detail-type":"Scheduled Event","account":"111122223333",
        "region":"us-west-2","time":"2026-05-04T03:10:00Z","id":"s","resources":[],"detail":{}}"#;

    #[test]
    fn what_an_invocation_claimed_before_it_died_is_done_by_the_sweep() {
        let mut engine = engine(&["web"]);
        let cluster = ClusterArn::from(service("web").cluster);
        let arn = ServiceArn::from(service("web").arn);
        let (lease, start) = (engine.lease, engine.aws.now());
        let deadline = Deadline::from_invocation(start.plus(lease), lease, start);
        let wish = DeploymentRequest {
            cluster: &cluster,
            service: &arn,
            changes: &[],
            fresh_from: start,
            cooldown_from: start,
            slot: 0,
            rollout: Span::from_secs(600),
        };
        let claimed = block_on(Ledger::new(&engine.aws, "dead", lease, deadline).claim_deployment(&wish));
        assert!(matches!(claimed, Ok(DeploymentClaimResult::Granted(_))));
        // The event is noted and left to whoever looks next.
        assert_eq!(run_at(&engine, "one", &[EVENT]).1.deployments_forced, 0);
        engine.handler = Handler::Sweep;
        let mut forced = Vec::new();
        for minute in 1..8 {
            engine.aws.clock.set(start.plus(Span::from_secs(60 * minute + 1)));
            forced.push(run_at(&engine, "sweep", &[SWEEP]).1.deployments_forced);
        }
        assert_eq!(forced.iter().sum::<usize>(), 1, "{forced:?}");
    }
}
