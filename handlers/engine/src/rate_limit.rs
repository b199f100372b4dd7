//! The rate limit of ECS calls: they are spread, so that deployments and consoles of the same account are served too.
//!
//! ECS counts calls by family, for each account and Region, with a burst and a rate ("Request throttling" in ECS's API
//! reference). A process stays below both. It cannot know how many calls other processes make; there ECS's own throttling
//! decides.

use std::sync::{Mutex, PoisonError};

use responder_core::hash;
use responder_core::time::{Span, Timestamp};

use crate::deadline::span_between;
use crate::error::EngineError;
use crate::port::AwsPort;

/// The calls that ECS counts together.
#[derive(Clone, Copy, Debug)]
pub(crate) enum EcsCallFamily {
    /// `ListClusters`: ECS allows a burst of 50 and 20 a second.
    ClusterRead,
    /// `ListServices` and `DescribeServices`: a burst of 100 and 20 a second.
    ServiceRead,
    /// `DescribeTaskDefinition`: a burst of 50 and 20 a second.
    DefinitionRead,
    /// `UpdateService`: a burst of 50 and 5 a second, which deployment pipelines need most.
    ServiceModify,
}

/// The rate limit of one process in one Region.
#[derive(Debug, Default)]
pub(crate) struct EcsRateLimit {
    cluster_reads: TokenBucket,
    service_reads: TokenBucket,
    definition_reads: TokenBucket,
    service_modifications: TokenBucket,
}

/// A token bucket, as the instant at which it is full again, in microseconds since 1970.
#[derive(Debug, Default)]
struct TokenBucket {
    full_at: Mutex<i64>,
}

/// The limit that a process keeps for a family of calls.
#[derive(Clone, Copy, Debug)]
struct FamilyLimit {
    /// How many calls may follow each other at once.
    burst: i64,
    /// How many calls a second may follow after that.
    calls_per_second: i64,
    /// The purpose of the calls, for [`EngineError::DeadlineReached`].
    purpose: &'static str,
}

/// Deployments of several services are spread over less than this, so that functions that were woken together do not call
/// ECS together.
const DEPLOYMENT_JITTER_MILLIS: i64 = 250;

impl EcsRateLimit {
    /// Waits until a call of this family may be made.
    ///
    /// # Errors
    /// [`EngineError::DeadlineReached`], at once, if that would be after `until`; the limit then counts no call.
    pub(crate) async fn wait_for_call(
        &self,
        family: EcsCallFamily,
        aws: &impl AwsPort,
        until: Timestamp,
    ) -> Result<(), EngineError> {
        self.wait_with_delay(family, Span::default(), aws, until).await
    }

    /// Waits until a deployment of this service may be requested. The wait depends a little on the service's name, and is
    /// the same each time.
    ///
    /// # Errors
    /// As [`EcsRateLimit::wait_for_call`].
    pub(crate) async fn wait_for_deployment(
        &self,
        aws: &impl AwsPort,
        service: &str,
        until: Timestamp,
    ) -> Result<(), EngineError> {
        let hash = hash::hash_parts(&["pace", service]);
        let digits = hash.get(..8).unwrap_or_default();
        let delay = i64::from_str_radix(digits, 16).unwrap_or_default() % DEPLOYMENT_JITTER_MILLIS;
        self.wait_with_delay(EcsCallFamily::ServiceModify, Span::from_millis(delay), aws, until).await
    }

    async fn wait_with_delay(
        &self,
        family: EcsCallFamily,
        delay: Span,
        aws: &impl AwsPort,
        until: Timestamp,
    ) -> Result<(), EngineError> {
        let now = aws.now();
        let limit = family.limit();
        let Some(allowed_at) = self.bucket(family).take_token(now, until.minus(delay), limit) else {
            return Err(EngineError::DeadlineReached(limit.purpose));
        };
        let call_at = allowed_at.plus(delay);
        if call_at > now {
            aws.sleep(span_between(now, call_at)).await;
        }
        Ok(())
    }

    fn bucket(&self, family: EcsCallFamily) -> &TokenBucket {
        match family {
            EcsCallFamily::ClusterRead => &self.cluster_reads,
            EcsCallFamily::ServiceRead => &self.service_reads,
            EcsCallFamily::DefinitionRead => &self.definition_reads,
            EcsCallFamily::ServiceModify => &self.service_modifications,
        }
    }
}

impl EcsCallFamily {
    /// A little less than ECS allows; for `UpdateService` much less, because pipelines need it.
    fn limit(self) -> FamilyLimit {
        match self {
            Self::ClusterRead => FamilyLimit { burst: 40, calls_per_second: 18, purpose: "listing clusters" },
            Self::ServiceRead => {
                FamilyLimit { burst: 80, calls_per_second: 18, purpose: "describing services" }
            }
            Self::DefinitionRead => {
                FamilyLimit { burst: 40, calls_per_second: 18, purpose: "reading task definitions" }
            }
            Self::ServiceModify => {
                FamilyLimit { burst: 3, calls_per_second: 1, purpose: "asking for a deployment" }
            }
        }
    }
}

impl TokenBucket {
    /// Takes the next token and returns the instant at which its call may be made; takes none if that is after `latest`.
    ///
    /// The bucket is stored as the instant at which it is full again: each token moves that instant by `1 / rate`, and a
    /// call may be made as soon as the instant is less than a burst ahead. With a burst of 3 and 1 call a second, three
    /// calls go at once, and the bucket is then full in three seconds; the fourth call waits for one second.
    fn take_token(&self, now: Timestamp, latest: Timestamp, limit: FamilyLimit) -> Option<Timestamp> {
        let now_micros = now.millis().saturating_mul(1_000);
        let micros_per_call = 1_000_000 / limit.calls_per_second;
        let mut full_at = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        let full_before = (*full_at).max(now_micros);
        let allowed_at = full_before.saturating_sub((limit.burst - 1) * micros_per_call).max(now_micros);
        // Rounded up: a call is never made a fraction of a millisecond too early.
        let allowed_at = Timestamp::from_millis(allowed_at.saturating_add(999) / 1_000);
        if allowed_at > latest {
            return None;
        }
        *full_at = full_before.saturating_add(micros_per_call);
        Some(allowed_at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::Fleet;

    const START: i64 = 1_800_000_000_000;

    fn limit(burst: i64, calls_per_second: i64) -> FamilyLimit {
        FamilyLimit { burst, calls_per_second, purpose: "a test" }
    }

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(START + millis)
    }

    #[test]
    fn a_burst_goes_at_once_and_the_rest_at_the_rate() {
        let (bucket, never) = (TokenBucket::default(), at(1_000_000));
        let turns: Vec<i64> =
            (0..8).map(|_| bucket.take_token(at(0), never, limit(5, 2)).unwrap().millis() - START).collect();
        assert_eq!(turns, [0, 0, 0, 0, 0, 500, 1_000, 1_500]);
        // It fills while nobody calls, and never with more than the burst.
        let later: Vec<i64> = (0..7)
            .map(|_| bucket.take_token(at(60_000), never, limit(5, 2)).unwrap().millis() - START)
            .collect();
        assert_eq!(later, [60_000, 60_000, 60_000, 60_000, 60_000, 60_500, 61_000]);
    }

    #[test]
    fn in_no_stretch_of_time_are_there_more_calls_than_burst_and_rate_allow() {
        let (bucket, mut turns) = (TokenBucket::default(), Vec::new());
        for step in 0..400 {
            // Calls come in waves.
            let now = at((step / 40) * 1_700);
            turns.push(bucket.take_token(now, at(10_000_000), limit(40, 18)).unwrap());
        }
        for (from, first) in turns.iter().enumerate() {
            for (to, last) in turns.iter().enumerate().skip(from) {
                let (count, took) =
                    (i64::try_from(to - from).unwrap() + 1, span_between(*first, *last).millis());
                assert!(count <= 40 + took * 18 / 1_000 + 1, "{count} calls in {took} ms");
            }
        }
    }

    #[test]
    fn nobody_waits_beyond_the_deadline_and_a_turn_that_is_not_taken_is_not_lost() {
        let fleet = Fleet::default();
        let pace = EcsRateLimit::default();
        let until = fleet.now().plus(Span::from_millis(1_200));
        let slot = |until| fleet.block_on(pace.wait_for_call(EcsCallFamily::ServiceModify, &fleet, until));
        let start = fleet.now();
        for _ in 0..4 {
            slot(until).unwrap();
        }
        assert_eq!(span_between(start, fleet.now()), Span::from_secs(1));
        for _ in 0..3 {
            assert_eq!(slot(until), Err(EngineError::DeadlineReached("asking for a deployment")));
        }
        assert_eq!(span_between(start, fleet.now()), Span::from_secs(1));
        slot(start.plus(Span::from_secs(60))).unwrap();
        assert_eq!(span_between(start, fleet.now()), Span::from_secs(2));
    }

    #[test]
    fn deployments_are_spread_by_their_service_and_always_alike() {
        let wait = |service: &str| {
            let (fleet, pace) = (Fleet::default(), EcsRateLimit::default());
            let start = fleet.now();
            fleet
                .block_on(pace.wait_for_deployment(&fleet, service, start.plus(Span::from_secs(9))))
                .unwrap();
            span_between(start, fleet.now()).millis()
        };
        let waits: Vec<i64> = (0..20).map(|n| wait(&format!("service-{n}"))).collect();
        assert!(waits.iter().all(|wait| (0..DEPLOYMENT_JITTER_MILLIS).contains(wait)), "{waits:?}");
        assert!(waits.iter().any(|wait| *wait != waits[0]), "{waits:?}");
        assert_eq!(wait("service-7"), waits[7]);
    }
}
