//! The calls of one AWS service: they are counted, and tests plant faults in them.

use std::collections::{BTreeMap, VecDeque};

use crate::random::SeededRandom;

/// An error as AWS answers it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct ApiRefusal {
    /// The code, such as `ThrottlingException`.
    pub code: &'static str,
    /// The message of AWS.
    pub message: String,
}

impl ApiRefusal {
    /// An error of this code.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    /// The HTTP status of the answer.
    pub fn status(&self) -> u16 {
        if matches!(self.code, "ServerException" | "InternalServiceError") { 500 } else { 400 }
    }
}

/// A reason for which a service refuses a call. The call has no effect then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServiceFault {
    /// There were too many calls.
    Throttled,
    /// The service itself failed: `ServerException` or `InternalServiceError`, as the service calls it.
    Internal(&'static str),
    /// The caller's role does not allow the call.
    Denied,
}

impl ServiceFault {
    /// The answer of AWS to a call with this fault.
    pub fn refusal(self) -> ApiRefusal {
        match self {
            Self::Throttled => ApiRefusal::new("ThrottlingException", "Rate exceeded"),
            Self::Internal(code) => ApiRefusal::new(code, "Service Unavailable. Please try again later."),
            Self::Denied => ApiRefusal::new(
                "AccessDeniedException",
                "User is not authorized to perform this action because no identity-based policy allows it",
            ),
        }
    }
}

/// The calls of one service, by operation.
#[derive(Clone, Debug)]
pub struct ServiceCalls<O> {
    counts: BTreeMap<O, u64>,
    planted: BTreeMap<O, VecDeque<Option<ServiceFault>>>,
    fault_rates: BTreeMap<O, FaultRate>,
}

/// A fault, and how many of a thousand calls it hits.
type FaultRate = (ServiceFault, u64);

impl<O: Copy + Ord> ServiceCalls<O> {
    /// How often an operation was called, whatever the answer.
    pub fn count(&self, operation: O) -> u64 {
        self.counts.get(&operation).copied().unwrap_or_default()
    }

    /// How often each operation was called.
    pub fn counts(&self) -> &BTreeMap<O, u64> {
        &self.counts
    }

    /// Plants faults in the next calls of an operation that have none yet: `None` is a call that works.
    pub fn plant(&mut self, operation: O, faults: impl IntoIterator<Item = Option<ServiceFault>>) {
        self.planted.entry(operation).or_default().extend(faults);
    }

    /// From now on, `per_mille` of a thousand calls of an operation fail; 0 ends it.
    pub fn set_fault_rate(&mut self, operation: O, fault: ServiceFault, per_mille: u64) {
        self.fault_rates.insert(operation, (fault, per_mille));
    }

    /// Counts a call.
    ///
    /// # Errors
    ///
    /// The refusal, if the call has a fault.
    pub fn enter(&mut self, operation: O, random: &mut SeededRandom) -> Result<(), ApiRefusal> {
        *self.counts.entry(operation).or_default() += 1;
        match self.next_fault(operation, random) {
            Some(fault) => Err(fault.refusal()),
            None => Ok(()),
        }
    }

    fn next_fault(&mut self, operation: O, random: &mut SeededRandom) -> Option<ServiceFault> {
        if let Some(planted) = self.planted.get_mut(&operation).and_then(VecDeque::pop_front) {
            return planted;
        }
        let (fault, per_mille) = self.fault_rates.get(&operation)?;
        if random.chance(*per_mille) { Some(*fault) } else { None }
    }
}

impl<O> Default for ServiceCalls<O> {
    fn default() -> Self {
        Self { counts: BTreeMap::new(), planted: BTreeMap::new(), fault_rates: BTreeMap::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::{ServiceCalls, ServiceFault};
    use crate::random::SeededRandom;

    #[test]
    fn planted_faults_come_in_their_order_and_every_call_counts() {
        let mut calls = ServiceCalls::default();
        let mut random = SeededRandom::new(1);
        let faults = [Some(ServiceFault::Throttled), None, Some(ServiceFault::Internal("ServerException"))];
        calls.plant("a", faults);
        let mut answers = Vec::new();
        for _ in 0..4 {
            let refusal = calls.enter("a", &mut random).err();
            answers.push(refusal.map(|refusal| (refusal.code, refusal.status())));
        }
        let expected = [Some(("ThrottlingException", 400)), None, Some(("ServerException", 500)), None];
        assert_eq!(answers, expected);
        calls.enter("b", &mut random).unwrap();
        assert_eq!((calls.count("a"), calls.count("b"), calls.count("c")), (4, 1, 0));
    }

    #[test]
    fn an_operation_fails_at_its_fault_rate_and_in_the_same_way_for_a_seed() {
        let run = |seed| {
            let mut calls = ServiceCalls::default();
            let mut random = SeededRandom::new(seed);
            calls.set_fault_rate((), ServiceFault::Denied, 250);
            (0..1_000).map(|_| calls.enter((), &mut random).is_err()).collect::<Vec<bool>>()
        };
        let failed = run(7).into_iter().filter(|failed| *failed).count();
        assert!((200..300).contains(&failed), "{failed}");
        assert_eq!(run(7), run(7));
        assert_ne!(run(7), run(8));
    }
}
