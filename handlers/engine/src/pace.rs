//! Pace: calls of ECS are spread so that deployments and consoles of the same account are served too.
//!
//! ECS counts calls by family, for each account and Region, with a burst and a rate ("Request throttling" in ECS's API
//! reference). A process keeps below both; what other processes take it cannot know, and there ECS's own throttling has
//! the last word.

use std::sync::{Mutex, PoisonError};

use responder_core::hash;
use responder_core::time::{Span, Timestamp};

use crate::deadline::between;
use crate::error::EngineError;
use crate::port::AwsPort;

/// The calls that ECS counts together.
#[derive(Clone, Copy, Debug)]
pub(crate) enum EcsCallFamily {
    /// `ListClusters`: ECS allows 50 at once and 20 a second.
    ClusterRead,
    /// `ListServices` and `DescribeServices`: 100 and 20.
    ServiceRead,
    /// `DescribeTaskDefinition`: 50 and 20.
    DefinitionRead,
    /// `UpdateService`: 50 and 5, which deployment pipelines need most.
    ServiceModify,
}

/// The pace of one process in one Region.
#[derive(Debug, Default)]
pub(crate) struct EcsRateLimit([TokenBucket; 4]);

/// A token bucket, as the instant at which it is full again, in microseconds since 1970.
#[derive(Debug, Default)]
struct TokenBucket(Mutex<i64>);

/// By how much deployments of several services are spread at most, in milliseconds: functions that were woken together
/// then do not ask together.
const JITTER: i64 = 250;

impl EcsRateLimit {
    /// Waits until a call of this family may be made.
    ///
    /// # Errors
    /// [`EngineError::Deadline`], at once, if that would be after `until`; no turn is used up then.
    pub(crate) async fn turn(
        &self,
        family: EcsCallFamily,
        aws: &impl AwsPort,
        until: Timestamp,
    ) -> Result<(), EngineError> {
        self.wait(family, Span::default(), aws, until).await
    }

    /// Waits until a deployment of this service may be asked for: a little later for some than for others.
    ///
    /// # Errors
    /// As [`EcsRateLimit::turn`].
    pub(crate) async fn deploy_slot(
        &self,
        aws: &impl AwsPort,
        service: &str,
        until: Timestamp,
    ) -> Result<(), EngineError> {
        let hash = hash::hash_parts(&["pace", service]);
        let draw = hash.get(..8).and_then(|digits| i64::from_str_radix(digits, 16).ok()).unwrap_or_default();
        self.wait(EcsCallFamily::ServiceModify, Span::from_millis(draw % JITTER), aws, until).await
    }

    async fn wait(
        &self,
        family: EcsCallFamily,
        more: Span,
        aws: &impl AwsPort,
        until: Timestamp,
    ) -> Result<(), EngineError> {
        let now = aws.now();
        let bucket = match family {
            EcsCallFamily::ClusterRead => &self.0[0],
            EcsCallFamily::ServiceRead => &self.0[1],
            EcsCallFamily::DefinitionRead => &self.0[2],
            EcsCallFamily::ServiceModify => &self.0[3],
        };
        let (window_match, rate, what) = family.limits();
        let latest = until.minus(more);
        let turn =
            bucket.take(now, latest, window_match, rate).ok_or(EngineError::Deadline(what))?.plus(more);
        if turn > now {
            aws.sleep(between(now, turn)).await;
        }
        Ok(())
    }
}

impl EcsCallFamily {
    /// How many calls at once, how many a second, and what they are for.
    fn limits(self) -> (i64, i64, &'static str) {
        match self {
            Self::ClusterRead => (40, 18, "listing clusters"),
            Self::ServiceRead => (80, 18, "describing services"),
            Self::DefinitionRead => (40, 18, "reading task definitions"),
            Self::ServiceModify => (3, 1, "asking for a deployment"),
        }
    }
}

impl TokenBucket {
    /// Takes the next turn, if that is not after `latest`.
    fn take(&self, now: Timestamp, latest: Timestamp, window_match: i64, rate: i64) -> Option<Timestamp> {
        let mut full = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (now, each) = (now.millis().saturating_mul(1_000), 1_000_000 / rate);
        let level = (*full).max(now);
        let turn = level.saturating_sub((window_match - 1) * each).max(now);
        let turn = Timestamp::from_millis(turn.saturating_add(999) / 1_000);
        (turn <= latest).then(|| {
            *full = level.saturating_add(each);
            turn
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::Fleet;

    const START: i64 = 1_800_000_000_000;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(START + millis)
    }

    #[test]
    fn a_burst_goes_at_once_and_the_rest_at_the_rate() {
        let (bucket, never) = (TokenBucket::default(), at(1_000_000));
        let turns: Vec<i64> =
            (0..8).map(|_| bucket.take(at(0), never, 5, 2).unwrap().millis() - START).collect();
        assert_eq!(turns, [0, 0, 0, 0, 0, 500, 1_000, 1_500]);
        // It fills while nobody calls, and never with more than the burst.
        let later: Vec<i64> =
            (0..7).map(|_| bucket.take(at(60_000), never, 5, 2).unwrap().millis() - START).collect();
        assert_eq!(later, [60_000, 60_000, 60_000, 60_000, 60_000, 60_500, 61_000]);
    }

    #[test]
    fn in_no_stretch_of_time_are_there_more_calls_than_burst_and_rate_allow() {
        let (bucket, mut turns) = (TokenBucket::default(), Vec::new());
        for step in 0..400 {
            // Calls come in waves.
            let now = at((step / 40) * 1_700);
            turns.push(bucket.take(now, at(10_000_000), 40, 18).unwrap());
        }
        for (from, first) in turns.iter().enumerate() {
            for (to, last) in turns.iter().enumerate().skip(from) {
                let (count, took) = (i64::try_from(to - from).unwrap() + 1, between(*first, *last).millis());
                assert!(count <= 40 + took * 18 / 1_000 + 1, "{count} calls in {took} ms");
            }
        }
    }

    #[test]
    fn nobody_waits_beyond_the_deadline_and_a_turn_that_is_not_taken_is_not_lost() {
        let fleet = Fleet::default();
        let pace = EcsRateLimit::default();
        let until = fleet.now().plus(Span::from_millis(1_200));
        let slot = |until| fleet.block_on(pace.turn(EcsCallFamily::ServiceModify, &fleet, until));
        let start = fleet.now();
        for _ in 0..4 {
            slot(until).unwrap();
        }
        assert_eq!(between(start, fleet.now()), Span::from_secs(1));
        for _ in 0..3 {
            assert_eq!(slot(until), Err(EngineError::Deadline("asking for a deployment")));
        }
        assert_eq!(between(start, fleet.now()), Span::from_secs(1));
        slot(start.plus(Span::from_secs(60))).unwrap();
        assert_eq!(between(start, fleet.now()), Span::from_secs(2));
    }

    #[test]
    fn deployments_are_spread_by_their_service_and_always_alike() {
        let wait = |service: &str| {
            let (fleet, pace) = (Fleet::default(), EcsRateLimit::default());
            let start = fleet.now();
            fleet.block_on(pace.deploy_slot(&fleet, service, start.plus(Span::from_secs(9)))).unwrap();
            between(start, fleet.now()).millis()
        };
        let waits: Vec<i64> = (0..20).map(|n| wait(&format!("service-{n}"))).collect();
        assert!(waits.iter().all(|wait| (0..JITTER).contains(wait)), "{waits:?}");
        assert!(waits.iter().any(|wait| *wait != waits[0]), "{waits:?}");
        assert_eq!(wait("service-7"), waits[7]);
    }
}
