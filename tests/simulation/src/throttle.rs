//! Token buckets: how AWS throttles.

use responder_core::time::Timestamp;

/// A bucket that holds `burst` tokens and gets `per_second` new ones.
#[derive(Clone, Debug)]
pub struct Bucket {
    window_match: i64,
    per_second: i64,
    thousandths: i64,
    filled: Option<Timestamp>,
}

impl Bucket {
    /// A full bucket.
    pub fn new(window_match: u32, per_second: u32) -> Self {
        let window_match = i64::from(window_match) * 1_000;
        Self { window_match, per_second: per_second.into(), thousandths: window_match, filled: None }
    }

    /// Takes a token; false if there is none.
    pub fn take(&mut self, now: Timestamp) -> bool {
        let passed = self.filled.map_or(0, |filled| now.millis().saturating_sub(filled.millis()).max(0));
        let new = passed.saturating_mul(self.per_second);
        self.thousandths = self.thousandths.saturating_add(new).min(self.window_match);
        // A clock that was set back adds nothing twice.
        self.filled = self.filled.max(Some(now));
        let has = self.thousandths >= 1_000;
        if has {
            self.thousandths -= 1_000;
        }
        has
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use responder_core::time::Timestamp;

    use super::Bucket;

    fn taken(bucket: &mut Bucket, at: i64, tries: usize) -> usize {
        (0..tries).filter(|_| bucket.take(Timestamp::from_millis(at))).count()
    }

    #[test]
    fn a_burst_and_then_what_is_refilled() {
        let mut bucket = Bucket::new(50, 5);
        assert_eq!(taken(&mut bucket, 0, 60), 50);
        assert_eq!(taken(&mut bucket, 199, 1), 0);
        assert_eq!(taken(&mut bucket, 200, 2), 1);
        assert_eq!(taken(&mut bucket, 1_200, 60), 5);
        assert_eq!(taken(&mut bucket, 3_600_000, 60), 50, "no more than the burst is saved up");
    }

    #[test]
    fn a_clock_that_is_set_back_fills_nothing() {
        let mut bucket = Bucket::new(1, 1);
        assert_eq!(taken(&mut bucket, 10_000, 2), 1);
        assert_eq!(taken(&mut bucket, 0, 1), 0);
        assert_eq!(taken(&mut bucket, 10_000, 1), 0);
    }

    proptest! {
        #[test]
        fn never_more_than_the_burst_and_the_refill(mut times in prop::collection::vec(0_i64..20_000, 1..400)) {
            times.sort_unstable();
            let mut bucket = Bucket::new(10, 7);
            let passed = times.last().unwrap() - times[0];
            let served = times.iter().filter(|at| bucket.take(Timestamp::from_millis(**at))).count();
            let most = 10 + usize::try_from(passed * 7 / 1_000).unwrap();
            prop_assert!(served <= most, "{} of {}", served, most);
        }
    }
}
