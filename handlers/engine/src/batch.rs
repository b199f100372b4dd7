//! A batch: from texts to ends. Every event ends in exactly one way, and none costs another.

use std::collections::BTreeMap;
use std::sync::Arc;

use responder_core::decide;
use responder_core::event::Event;
use responder_core::facts::{Facts, Settings};
use responder_core::hash;
use responder_core::memory_store::order_and_deduplicate;
use responder_core::notify::Renderer;
use responder_core::plan::{Plan, PlanOutcome};
use responder_core::rules::{Handler, MatchedEvent, RuleSet};
use responder_core::time::{Span, Timestamp};

use crate::deadline::{Deadline, between};
use crate::discover::ProcessCache;
use crate::error::EngineError;
use crate::execute::{ExecutionResult, PlanExecutor};
use crate::gather::{FactSources, gather};
use crate::ledger::Ledger;
use crate::log::{self, EventOutcome};
use crate::metrics::Counters;
use crate::port::AwsPort;
use crate::record::{DecidedEvent, record};

/// What a process keeps between invocations.
#[derive(Debug)]
pub struct Engine<A> {
    /// The world.
    pub aws: A,
    /// Whose rules are applied.
    pub handler: Handler,
    /// The rules: they may be another engine's, too.
    pub rules: Arc<RuleSet>,
    /// What the operator set.
    pub settings: Settings,
    /// How long a claim is held; no invocation works for longer.
    pub lease: Span,
    cache: ProcessCache,
}

/// What belongs to one invocation.
#[derive(Clone, Debug)]
pub struct Invocation {
    /// When Lambda ends it.
    pub until: Timestamp,
    /// In whose name claims are made: the invocation's request id.
    pub owner: String,
    /// The function's own account; services of others are out of its reach. Empty if nobody knows it.
    pub account: String,
    /// Whether it is to be told what was known.
    pub keeps_facts: bool,
}

/// What became of one text.
#[derive(Debug)]
pub struct EventResult {
    /// How it ended.
    pub end: EventOutcome,
    /// Why it failed, if it did.
    pub errors: Vec<EngineError>,
    /// What was known when it was decided, if that is to be told.
    pub facts: Facts,
    /// What was decided, if any rule matches.
    pub plan: Option<Plan>,
}

impl EventResult {
    /// Whether the queue must keep the message: to deliver it again, or to put it aside.
    pub fn is_kept(&self) -> bool {
        matches!(self.end, EventOutcome::Failed | EventOutcome::Quarantined)
    }

    fn new(end: EventOutcome) -> Self {
        Self { end, errors: Vec::new(), facts: Facts::default(), plan: None }
    }
}

impl<A: AwsPort> Engine<A> {
    /// An engine that has not learned anything yet.
    pub fn new(
        aws: A,
        handler: Handler,
        rules: impl Into<Arc<RuleSet>>,
        settings: Settings,
        lease: Span,
    ) -> Self {
        Self { aws, handler, rules: rules.into(), settings, lease, cache: ProcessCache::default() }
    }

    /// Reads, decides and executes; returns what became of each text, in their order. Prints a line for each, and the
    /// counters.
    pub async fn run(&self, turn: &Invocation, texts: &[&str]) -> (Vec<EventResult>, Counters) {
        // It is large, and there is one of it.
        let (ended, counters) = Box::pin(run(self, turn, texts)).await;
        log::metrics(&self.aws, self.handler, &counters);
        (ended, counters)
    }
}

async fn run<A: AwsPort>(
    engine: &Engine<A>,
    turn: &Invocation,
    texts: &[&str],
) -> (Vec<EventResult>, Counters) {
    let Engine { aws, handler, .. } = engine;
    let deadline = Deadline::of(turn.until, engine.lease, aws.now());
    let mut counters = Counters::default();
    let SortedBatch { cases, origins, mut ended, quarantined } = sort(engine, texts);
    // Half of the time is for learning, so that whatever hangs there leaves time for telling a human.
    let learning = deadline.half(aws.now());
    let ledger = Ledger::new(aws, &turn.owner, engine.lease, learning);
    let (cache, account) = (&engine.cache, turn.account.as_str());
    let sources = FactSources { aws, ledger: &ledger, cache, account, deadline: learning };
    let mut world = gather(&cases, engine.settings.clone(), &sources).await;
    counters.observations_dropped += world.observations_dropped;
    let ledger = ledger.until(deadline);
    let rules = &engine.rules;
    let renderer = Renderer::new(rules, &engine.settings);
    let mut executor =
        PlanExecutor { aws, rules, renderer, ledger: &ledger, cache, deadline, counters: &mut counters };
    let mut done: Vec<DecidedEvent<'_, '_>> = Vec::with_capacity(cases.len());
    for case in &cases {
        let started = aws.now();
        let facts = &mut world.facts;
        let plan = decide::respond(case, facts);
        let known = if turn.keeps_facts { facts.clone() } else { Facts::default() };
        let mut executed = if deadline.left(aws) == Span::default() {
            ExecutionResult { errors: vec![EngineError::Deadline("the event")], ..ExecutionResult::default() }
        } else {
            executor.execute(&plan, facts).await
        };
        if !executed.refused.is_empty() {
            let steps = decide::notify_refusals(case, facts, &executed.refused);
            let notified = executor.execute(&Plan { steps, ..plan.clone() }, facts).await;
            executed.acted += notified.acted;
            executed.already += notified.already;
            executed.errors.extend(notified.errors);
        }
        if executed.errors.is_empty() {
            decide::apply(&plan, facts);
        }
        let answered = world.is_answered(case, &executed.paged);
        let notified = !executed.paged.is_empty();
        let (end, errors) = conclude(&plan, executed, answered);
        if end != EventOutcome::Failed {
            executor.counters.planned(&plan, (&case.event.account, &case.event.region));
        }
        let took = between(started, aws.now());
        done.push(DecidedEvent { case, plan, end, errors, took, notified, answered, known });
    }
    record(&mut done, &ledger, aws.now(), &engine.settings).await;
    for DecidedEvent { case, plan, end, errors, took, known, .. } in done {
        log::event(aws, *handler, &plan.event, Some(&plan), (end, &errors), took);
        if let Some(ended) = origins.get(&identity(&case.event)).and_then(|index| ended.get_mut(*index)) {
            *ended = EventResult { end, errors, facts: known, plan: Some(plan) };
        }
    }
    for (index, plan) in quarantined {
        let started = aws.now();
        let ExecutionResult { mut errors, .. } = executor.execute(&plan, &Facts::default()).await;
        errors.push(EngineError::Unreadable);
        let took = between(started, aws.now());
        log::event(aws, *handler, &plan.event, Some(&plan), (EventOutcome::Quarantined, &errors), took);
        if let Some(ended) = ended.get_mut(index) {
            *ended = EventResult { errors, plan: Some(plan), ..EventResult::new(EventOutcome::Quarantined) };
        }
    }
    for ended in &ended {
        counters.end(ended.end);
    }
    (ended, counters)
}

/// Texts as cases.
struct SortedBatch<'r> {
    /// In the order in which they are decided, each event once.
    cases: Vec<MatchedEvent<'r>>,
    /// From which text a case's event comes.
    origins: BTreeMap<usize, usize>,
    /// One for each text; as if it were a copy of another, until something else is known.
    ended: Vec<EventResult>,
    /// What cannot be read, with its plan.
    quarantined: Vec<(usize, Plan)>,
}

fn sort<'r, A: AwsPort>(engine: &'r Engine<A>, texts: &[&str]) -> SortedBatch<'r> {
    let Engine { aws, handler, rules, .. } = engine;
    let (mut cases, mut quarantined) = (Vec::new(), Vec::new());
    let (mut origins, mut ended) = (BTreeMap::new(), Vec::new());
    for (index, text) in texts.iter().enumerate() {
        let end = match rules.match_event_for(*handler, text) {
            Ok(Some(case)) => {
                origins.insert(identity(&case.event), index);
                cases.push(case);
                EventOutcome::Coalesced
            }
            Ok(None) => {
                let key = hash::hash_bytes(text.as_bytes());
                log::event(aws, *handler, &key, None, (EventOutcome::Ignored, &[]), Span::default());
                EventOutcome::Ignored
            }
            Err(error) => {
                let (body, why) = (text.as_bytes(), error.to_string());
                let plan = decide::quarantine(rules, *handler, body, &why, aws.now());
                quarantined.push((index, plan));
                EventOutcome::Quarantined
            }
        };
        ended.push(EventResult::new(end));
    }
    let (cases, _) = order_and_deduplicate(cases);
    SortedBatch { cases, origins, ended, quarantined }
}

/// What tells the events of this batch apart, copies of one event too.
fn identity(event: &Arc<Event>) -> usize {
    Arc::as_ptr(event).addr()
}

/// How an event ended, from what was planned and what came of it.
fn conclude(plan: &Plan, executed: ExecutionResult, answered: bool) -> (EventOutcome, Vec<EngineError>) {
    let ExecutionResult { acted, already, mut errors, .. } = executed;
    if plan.retry.is_some() {
        errors.push(EngineError::Again);
    }
    // What was to be counted or looked up is lost unless the event comes again.
    if !answered {
        errors.push(EngineError::Unanswered);
    }
    let end = match plan.outcome {
        _ if !errors.is_empty() => EventOutcome::Failed,
        PlanOutcome::Answered if acted == 0 && already > 0 => EventOutcome::Coalesced,
        PlanOutcome::Answered => EventOutcome::Answered,
        PlanOutcome::Coalesced => EventOutcome::Coalesced,
        PlanOutcome::Ignored => EventOutcome::Ignored,
        PlanOutcome::Quarantined => EventOutcome::Quarantined,
    };
    (end, errors)
}

#[cfg(test)]
mod tests {
    use responder_core::aws::secret_reference::{ReferenceKind, SecretReference};
    use responder_core::text::Untrusted;

    use super::*;
    use crate::fake::{EngineFake, block_on};
    use crate::ledger::{DeploymentClaimResult, DeploymentRequest};
    use crate::port::{DescribedService, TaskDefinition};

    fn plan(outcome: PlanOutcome) -> Plan {
        let rules = responder_core::rules::builtin().unwrap();
        let mut plan = decide::quarantine(&rules, Handler::Access, b"", "", Timestamp::default());
        plan.outcome = outcome;
        plan
    }

    fn end(plan: &Plan, executed: ExecutionResult, answered: bool) -> EventOutcome {
        conclude(plan, executed, answered).0
    }

    #[test]
    fn what_was_done_before_is_coalesced() {
        let plan = plan(PlanOutcome::Answered);
        assert_eq!(
            end(&plan, ExecutionResult { already: 2, ..ExecutionResult::default() }, true),
            EventOutcome::Coalesced
        );
        assert_eq!(
            end(&plan, ExecutionResult { already: 2, acted: 1, ..ExecutionResult::default() }, true),
            EventOutcome::Answered
        );
        assert_eq!(end(&plan, ExecutionResult::default(), true), EventOutcome::Answered);
    }

    #[test]
    fn an_error_or_a_wish_for_another_look_fails_the_event() {
        let mut plan = plan(PlanOutcome::Answered);
        let executed =
            ExecutionResult { acted: 1, errors: vec![EngineError::Held], ..ExecutionResult::default() };
        assert_eq!(end(&plan, executed, true), EventOutcome::Failed);
        plan.retry = Some("look again".to_owned());
        assert_eq!(
            end(&plan, ExecutionResult { acted: 1, ..ExecutionResult::default() }, true),
            EventOutcome::Failed
        );
    }

    #[test]
    fn what_could_not_be_counted_comes_again() {
        assert_eq!(
            end(&plan(PlanOutcome::Answered), ExecutionResult::default(), false),
            EventOutcome::Failed
        );
    }

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
                TaskDefinition { references: vec![reference], ..TaskDefinition::default() },
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
        let (ended, counters) = block_on(engine.run(&turn, texts));
        (ended.iter().map(|ended| ended.end).collect(), counters)
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
        let arn = service("web").arn;
        let (lease, start) = (engine.lease, engine.aws.now());
        let deadline = Deadline::of(start.plus(lease), lease, start);
        let wish = DeploymentRequest {
            cluster: &service("web").cluster,
            service: &arn,
            secrets: &[],
            fresh_from: start,
            cooled_from: start,
            slot: 0,
            rollout: Span::from_secs(600),
        };
        let claimed = block_on(Ledger::new(&engine.aws, "dead", lease, deadline).claim_deployment(&wish));
        assert!(matches!(claimed, Ok(DeploymentClaimResult::Yes(_))));
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
