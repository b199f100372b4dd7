//! What every service has: calls that are counted, and faults that a test plants in them.

use std::collections::{BTreeMap, VecDeque};

use crate::Random;

/// An error as AWS answers it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct Refusal {
    /// The code, such as `ThrottlingException`.
    pub code: &'static str,
    /// What AWS says about it.
    pub message: String,
}

impl Refusal {
    /// An error of this code.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    /// The HTTP status that it comes with.
    pub fn status(&self) -> u16 {
        if matches!(self.code, "ServerException" | "InternalServiceError") { 500 } else { 400 }
    }
}

/// What goes wrong with a call. It has no effect then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Too many calls.
    Throttled,
    /// The service's own fault: `ServerException` or `InternalServiceError`, as the service calls it.
    Internal(&'static str),
    /// The caller's role may not do this.
    Denied,
}

impl Fault {
    fn refusal(self) -> Refusal {
        match self {
            Self::Throttled => Refusal::new("ThrottlingException", "Rate exceeded"),
            Self::Internal(code) => Refusal::new(code, "Service Unavailable. Please try again later."),
            Self::Denied => Refusal::new(
                "AccessDeniedException",
                "User is not authorized to perform this action because no identity-based policy allows it",
            ),
        }
    }
}

/// The calls of one service, by operation.
#[derive(Clone, Debug)]
pub struct Calls<O> {
    made: BTreeMap<O, u64>,
    planted: BTreeMap<O, VecDeque<Option<Fault>>>,
    flaky: BTreeMap<O, (Fault, u64)>,
}

impl<O: Copy + Ord> Calls<O> {
    /// How often an operation was called, whatever the answer.
    pub fn made(&self, operation: O) -> u64 {
        self.made.get(&operation).copied().unwrap_or_default()
    }

    /// How often each operation was called.
    pub fn all(&self) -> &BTreeMap<O, u64> {
        &self.made
    }

    /// Decides about the next calls of an operation that nothing was decided about: `None` is one that works.
    pub fn plant(&mut self, operation: O, faults: impl IntoIterator<Item = Option<Fault>>) {
        self.planted.entry(operation).or_default().extend(faults);
    }

    /// From now on, `per_mille` of a thousand calls of an operation go wrong; 0 ends it.
    pub fn flaky(&mut self, operation: O, fault: Fault, per_mille: u64) {
        self.flaky.insert(operation, (fault, per_mille));
    }

    /// Counts a call and says whether it may go on.
    pub(crate) fn enter(&mut self, operation: O, random: &mut Random) -> Result<(), Refusal> {
        *self.made.entry(operation).or_default() += 1;
        let planted = self.planted.get_mut(&operation).and_then(VecDeque::pop_front);
        let fault = planted.unwrap_or_else(|| {
            let (fault, per_mille) = self.flaky.get(&operation)?;
            random.chance(*per_mille).then_some(*fault)
        });
        fault.map_or(Ok(()), |fault| Err(fault.refusal()))
    }
}

impl<O> Default for Calls<O> {
    fn default() -> Self {
        Self { made: BTreeMap::new(), planted: BTreeMap::new(), flaky: BTreeMap::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::{Calls, Fault};
    use crate::Random;

    #[test]
    fn planted_faults_come_in_their_order_and_every_call_counts() {
        let (mut calls, mut random) = (Calls::default(), Random::new(1));
        calls.plant("a", [Some(Fault::Throttled), None, Some(Fault::Internal("ServerException"))]);
        let mut codes = Vec::new();
        for _ in 0..4 {
            codes.push(calls.enter("a", &mut random).err().map(|refusal| (refusal.code, refusal.status())));
        }
        assert_eq!(codes, [Some(("ThrottlingException", 400)), None, Some(("ServerException", 500)), None]);
        calls.enter("b", &mut random).unwrap();
        assert_eq!((calls.made("a"), calls.made("b"), calls.made("c")), (4, 1, 0));
    }

    #[test]
    fn a_flaky_operation_fails_as_often_as_was_asked_and_the_same_way_for_a_seed() {
        let run = |seed| {
            let (mut calls, mut random) = (Calls::default(), Random::new(seed));
            calls.flaky((), Fault::Denied, 250);
            (0..1_000).map(|_| calls.enter((), &mut random).is_err()).collect::<Vec<bool>>()
        };
        let failed = run(7).into_iter().filter(|failed| *failed).count();
        assert!((200..300).contains(&failed), "{failed}");
        assert_eq!(run(7), run(7));
        assert_ne!(run(7), run(8));
    }
}
