//! The order in which the steps of a plan are executed.

use responder_core::facts::Facts;
use responder_core::notify::Notification;
use responder_core::plan::{Plan, PlanStep, RefusedDeployment};
use responder_core::time::Span;

use super::plan_executor::{ExecutionProgress, PlanExecutor, StepEffect};
use crate::error::EngineError;
use crate::log;
use crate::outcome::ExecutionResult;
use crate::port::AwsPort;
use crate::run_parallel::run_parallel;

/// How long the notifications of a plan for the chats may take: other events wait meanwhile.
const MAX_CHAT_TIME: Span = Span::from_secs(3);

/// How many steps are recorded at the same time.
const MAX_PARALLEL_RECORDS: usize = 8;

impl<A: AwsPort> PlanExecutor<'_, A> {
    /// Executes every step. A step that fails keeps no other from being executed. The order is:
    ///
    /// 1. changes are recorded, so that they are known before anything is done about them;
    /// 2. all steps with effects, as the plan orders them;
    /// 3. the steps that only leave a record: an account may have thousands of services that are skipped, and these must not
    ///    keep the others waiting;
    /// 4. notifications for the chats.
    pub(crate) async fn execute_plan(&mut self, plan: &Plan, facts: &Facts) -> ExecutionResult {
        let mut progress = ExecutionProgress::default();
        // 1. Changes.
        let mut changes = Vec::new();
        for step in &plan.steps {
            if matches!(step, PlanStep::RecordChange { .. }) {
                changes.push(step);
            }
        }
        progress.result.applied += self.record_steps(&changes, &mut progress.result.errors).await;
        // 2. Effects.
        for step in &plan.steps {
            let effect = self.execute_step(step, facts, &mut progress).await;
            self.count_effect(effect, &mut progress.result);
        }
        // 3. Records.
        let mut records = Vec::new();
        for step in &plan.steps {
            if matches!(step, PlanStep::Skip { .. } | PlanStep::Defer { .. } | PlanStep::ResolveChange { .. })
            {
                records.push(step);
            }
        }
        self.record_steps(&records, &mut progress.result.errors).await;
        // 4. Chats.
        self.send_chats(&progress.chats).await;
        progress.result
    }

    async fn execute_step(
        &mut self,
        step: &PlanStep,
        facts: &Facts,
        progress: &mut ExecutionProgress,
    ) -> Result<StepEffect, EngineError> {
        match step {
            PlanStep::Redeploy { .. } => match self.redeploy(step).await {
                // A repetition at once does not help: the core plans to notify on-call.
                Err(EngineError::DeploymentRefused(refused)) => {
                    let (refusal, why) = (refused.refusal, refused.describe());
                    progress.result.refused.push(RefusedDeployment { step: step.clone(), refusal, why });
                    Ok(StepEffect::Uncounted)
                }
                effect => effect,
            },
            PlanStep::Page { .. } => self.execute_page(step, facts, progress).await,
            PlanStep::Resolve { .. } => self.execute_resolution(step, facts, progress).await,
            PlanStep::ExtendIncident { .. } => {
                self.execute_extension(step, facts, &mut progress.result.errors).await;
                Ok(StepEffect::Uncounted)
            }
            // A failed deployment whose page could not be sent stays open: the event fails, comes again, and pages then. A
            // deployment that has ended is not looked at again.
            PlanStep::EndDeployment { end, .. } if progress.is_page_missing && end.awaits_page() => {
                Ok(StepEffect::Uncounted)
            }
            PlanStep::ReconcileDeployment { .. }
            | PlanStep::EndDeployment { .. }
            | PlanStep::Prove { .. } => {
                self.record_rollout_step(step, facts).await?;
                Ok(StepEffect::Applied)
            }
            // These are written together with those of the whole batch.
            PlanStep::Digest { .. } | PlanStep::UpdateLastSeen { .. } | PlanStep::Suppress { .. } => {
                Ok(StepEffect::Applied)
            }
            // The first four are executed before and after the others. The last four only explain the plan.
            PlanStep::RecordChange { .. }
            | PlanStep::Skip { .. }
            | PlanStep::Defer { .. }
            | PlanStep::ResolveChange { .. }
            | PlanStep::Count { .. }
            | PlanStep::Unknown { .. }
            | PlanStep::Nothing { .. }
            | PlanStep::Ignore { .. } => Ok(StepEffect::Uncounted),
        }
    }

    /// Records steps in any order, and returns how many were recorded.
    async fn record_steps(&self, steps: &[&PlanStep], errors: &mut Vec<EngineError>) -> usize {
        let records = steps.iter().map(|step| self.record_step(step));
        let mut recorded = 0;
        for record in run_parallel(records, MAX_PARALLEL_RECORDS).await {
            match record {
                Ok(()) => recorded += 1,
                Err(error) => errors.push(error),
            }
        }
        recorded
    }

    /// Sends the notifications to the chats: once and last. The event is answered whatever becomes of that.
    async fn send_chats(&mut self, notifications: &[Notification]) {
        let until = self.deadline.instant().min(self.aws.now().plus(MAX_CHAT_TIME));
        for notification in notifications {
            match self.aws.publish_chat(notification, until).await {
                Ok(()) => self.counters.chats_sent += 1,
                Err(error) => {
                    self.counters.chats_failed += 1;
                    log::print_failed_chat(self.aws, &error);
                }
            }
        }
    }
}
