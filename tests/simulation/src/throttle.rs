//! Token buckets, by which AWS throttles calls.

use responder_core::time::Timestamp;

/// A bucket that holds at most `burst` tokens and gets `per_second` new ones.
#[derive(Clone, Debug)]
pub struct ThrottleBucket {
    burst_thousandths: i64,
    per_second: i64,
    /// The tokens in it, in thousandths.
    thousandths: i64,
    filled_at: Option<Timestamp>,
}

impl ThrottleBucket {
    /// A full bucket.
    pub fn new(burst: u32, per_second: u32) -> Self {
        let burst_thousandths = i64::from(burst) * 1_000;
        Self {
            burst_thousandths,
            per_second: per_second.into(),
            thousandths: burst_thousandths,
            filled_at: None,
        }
    }

    /// Takes a token; false if there is none.
    pub fn take_token(&mut self, now: Timestamp) -> bool {
        let filled_at = self.filled_at.unwrap_or(now);
        let passed_millis = now.millis().saturating_sub(filled_at.millis()).max(0);
        let new = passed_millis.saturating_mul(self.per_second);
        self.thousandths = self.thousandths.saturating_add(new).min(self.burst_thousandths);
        // A clock that was set back fills nothing twice.
        self.filled_at = Some(now.max(filled_at));
        let has_token = self.thousandths >= 1_000;
        if has_token {
            self.thousandths -= 1_000;
        }
        has_token
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use responder_core::time::Timestamp;

    use super::ThrottleBucket;

    fn take_tokens(bucket: &mut ThrottleBucket, at: i64, tries: usize) -> usize {
        (0..tries).filter(|_| bucket.take_token(Timestamp::from_millis(at))).count()
    }

    #[test]
    fn a_bucket_serves_a_burst_and_then_its_refill() {
        let mut bucket = ThrottleBucket::new(50, 5);
        assert_eq!(take_tokens(&mut bucket, 0, 60), 50);
        assert_eq!(take_tokens(&mut bucket, 199, 1), 0);
        assert_eq!(take_tokens(&mut bucket, 200, 2), 1);
        assert_eq!(take_tokens(&mut bucket, 1_200, 60), 5);
        assert_eq!(take_tokens(&mut bucket, 3_600_000, 60), 50, "no more than the burst is saved up");
    }

    #[test]
    fn a_clock_that_is_set_back_fills_nothing() {
        let mut bucket = ThrottleBucket::new(1, 1);
        assert_eq!(take_tokens(&mut bucket, 10_000, 2), 1);
        assert_eq!(take_tokens(&mut bucket, 0, 1), 0);
        assert_eq!(take_tokens(&mut bucket, 10_000, 1), 0);
    }

    proptest! {
        #[test]
        fn a_bucket_never_serves_more_than_the_burst_and_the_refill(mut times in prop::collection::vec(0_i64..20_000, 1..400)) {
            times.sort_unstable();
            let mut bucket = ThrottleBucket::new(10, 7);
            let passed = times.last().unwrap() - times[0];
            let served = times.iter().filter(|at| bucket.take_token(Timestamp::from_millis(**at))).count();
            let most = 10 + usize::try_from(passed * 7 / 1_000).unwrap();
            prop_assert!(served <= most, "{} of {}", served, most);
        }
    }
}
