//! How a call of the port is made: it takes its time, others run meanwhile, and it may go wrong.

use std::future::pending;
use std::rc::Rc;

use responder_core::time::{Span, Timestamp};
use responder_engine::EngineError;
use responder_engine::port::Region;

use super::call_fault::{CallFault, refuse_with_code};
use super::simulated_cloud::SimulatedCloud;
use super::state::CloudState;
use crate::service_calls::ApiRefusal;

/// How long a call waits for an answer, with all attempts: the operation timeout of the SDK's clients in the functions.
const CALL_TIMEOUT: Span = Span::from_secs(12);

/// A cloud, as one execution environment sees it.
#[derive(Clone, Debug)]
pub struct SimulatedPort {
    /// The cloud.
    pub cloud: Rc<SimulatedCloud>,
    /// The number of the invocation that runs in the environment.
    pub invocation: u64,
}

/// An operation of a service, and how long it typically takes.
#[derive(Clone, Copy)]
pub(super) struct CallProfile {
    service: &'static str,
    operation: &'static str,
    millis: i64,
    /// Whether the SDK repeats it after a lost answer. Modelled for the table alone, where it is done once and where it matters.
    repeats: bool,
}

impl CallProfile {
    pub(super) const fn table(operation: &'static str) -> Self {
        Self { service: "dynamodb", operation, millis: 6, repeats: true }
    }

    pub(super) const fn ecs(operation: &'static str) -> Self {
        Self { service: "ecs", operation, millis: 60, repeats: false }
    }

    pub(super) const fn secrets(operation: &'static str) -> Self {
        Self { service: "secretsmanager", operation, millis: 25, repeats: false }
    }

    pub(super) const fn sns(operation: &'static str) -> Self {
        Self { service: "sns", operation, millis: 25, repeats: false }
    }

    /// Whether a call that goes wrong may cause one more page.
    fn disturbs(self) -> bool {
        matches!(self.service, "dynamodb" | "sns")
    }

    /// An answer of a model, as the adapter to the SDKs says it.
    pub(super) fn translate<T>(self, answer: Result<T, ApiRefusal>) -> Result<T, EngineError> {
        let Self { service, operation, .. } = self;
        match answer {
            Ok(answer) => Ok(answer),
            Err(refusal) => {
                Err(EngineError::CallFailed { service, operation, failure: refuse_with_code(refusal.code) })
            }
        }
    }
}

impl SimulatedPort {
    /// A port for an invocation of this number.
    pub fn new(cloud: &Rc<SimulatedCloud>, invocation: u64) -> Self {
        Self { cloud: Rc::clone(cloud), invocation }
    }

    /// Makes a call. It has its effect at one instant of its time, if it has one.
    pub(super) async fn call<T>(
        &self,
        profile: CallProfile,
        until: Timestamp,
        mut act: impl FnMut(&mut CloudState, Timestamp) -> Result<T, EngineError>,
    ) -> Result<T, EngineError> {
        let CallProfile { service, operation, millis, repeats } = profile;
        let clock = &self.cloud.clock;
        let (before, after, fault) = {
            let state = &mut *self.cloud.state.borrow_mut();
            *state.record.calls.entry(operation).or_default() += 1;
            let fault = state.faults.draw(service, operation, repeats, &mut state.random);
            if let Some(fault) = fault {
                *state.record.faults.entry(fault.name()).or_default() += 1;
            }
            let (before, after) = state.latency.draw(millis, &mut state.random);
            (before, after, fault)
        };
        if fault.is_some() {
            self.note_disturbance(profile);
        }
        let effect_at = clock.now().plus(before);
        clock.sleep_until(effect_at.min(until)).await;
        if effect_at > until {
            self.note_disturbance(profile);
            return Err(EngineError::DeadlineReached(operation));
        }
        let mut perform = || act(&mut self.cloud.state.borrow_mut(), clock.now());
        let answer = match fault {
            None => Some(perform()),
            Some(CallFault::Repeated) => {
                drop(perform());
                clock.sleep_until(clock.now().plus(after)).await;
                Some(perform())
            }
            Some(fault) => {
                if fault.has_effect() {
                    drop(perform());
                }
                if fault.is_death() {
                    self.cloud.has_death.set(true);
                    pending::<()>().await;
                }
                if matches!(fault, CallFault::Hangs { .. }) {
                    clock.sleep_until(clock.now().plus(CALL_TIMEOUT).min(until)).await;
                }
                fault.to_error(service, operation).map(Err)
            }
        };
        clock.sleep_until(clock.now().plus(after).min(until)).await;
        let is_late = clock.now() >= until && fault.is_none();
        let answer = match answer {
            Some(answer) if !is_late => answer,
            _ => {
                self.note_disturbance(profile);
                Err(EngineError::DeadlineReached(operation))
            }
        };
        if let Err(error) = &answer {
            let fault = fault.map(CallFault::name).unwrap_or_default();
            self.cloud.trace(|| format!("#{} {operation}: {error} ({fault})", self.invocation));
        }
        answer
    }

    /// Records that a call went wrong that may cause one more page.
    fn note_disturbance(&self, profile: CallProfile) {
        if profile.disturbs() {
            self.cloud.state.borrow_mut().record.disturbed.insert(self.invocation);
        }
    }

    pub(super) fn is_home(&self, region: &Region) -> bool {
        region.as_str() == self.cloud.state.borrow().ecs.location.region
    }

    pub(super) fn note_answered(&self, deployment: &str) {
        let deployments = &mut self.cloud.state.borrow_mut().record.deployments;
        for requested in deployments.iter_mut().rev() {
            if requested.deployment == deployment {
                requested.answered = true;
                return;
            }
        }
    }
}
