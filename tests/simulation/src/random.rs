//! Randomness from a seed: `SplitMix64` (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014).

use responder_core::time::Span;

/// A sequence of numbers that is determined by its seed.
#[derive(Clone, Debug)]
pub struct SeededRandom(u64);

impl SeededRandom {
    /// The sequence of a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`; 0 if `bound` is 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        // The bias is `bound` in 2^64, which no test here could notice.
        self.next_u64().checked_rem(bound).unwrap_or_default()
    }

    /// A number below `bound`, as a signed one; the largest one if it is too large for that.
    pub fn signed_below(&mut self, bound: u64) -> i64 {
        i64::try_from(self.below(bound)).unwrap_or(i64::MAX)
    }

    /// A length of time below `bound`, in whole milliseconds.
    pub fn span_below(&mut self, bound: Span) -> Span {
        Span::from_millis(self.signed_below(u64::try_from(bound.millis()).unwrap_or_default()))
    }

    /// An index into a list of this length; 0 if the list is empty.
    pub fn index(&mut self, length: usize) -> usize {
        usize::try_from(self.below(length as u64)).unwrap_or_default()
    }

    /// True `per_mille` times in a thousand.
    pub fn chance(&mut self, per_mille: u64) -> bool {
        self.below(1_000) < per_mille
    }

    /// A text in the shape of a version 4 UUID.
    pub fn uuid(&mut self) -> String {
        let hex = self.hex(32);
        let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
        format!("{}-{}-4{}-a{}-{}", part(0, 8), part(8, 12), part(13, 16), part(17, 20), part(20, 32))
    }

    /// This many lower-case hexadecimal digits.
    pub fn hex(&mut self, count: usize) -> String {
        self.letters(count, b"0123456789abcdef")
    }

    /// This many decimal digits, the first of them not 0.
    pub fn digits(&mut self, count: usize) -> String {
        self.letters(1.min(count), b"123456789") + &self.letters(count.saturating_sub(1), b"0123456789")
    }

    /// The six letters and digits at the end of a secret's ARN.
    pub fn arn_suffix(&mut self) -> String {
        self.letters(6, b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")
    }

    fn letters(&mut self, count: usize, alphabet: &[u8]) -> String {
        let mut letters = String::with_capacity(count);
        for _ in 0..count {
            if let Some(letter) = alphabet.get(self.index(alphabet.len())) {
                letters.push(char::from(*letter));
            }
        }
        letters
    }
}

#[cfg(test)]
mod tests {
    use super::SeededRandom;

    #[test]
    fn the_sequence_is_the_published_one() {
        // The reference implementation's first outputs for the seed 1234567 (Vigna, splitmix64.c).
        let mut random = SeededRandom::new(1_234_567);
        let outputs = [random.next_u64(), random.next_u64(), random.next_u64()];
        assert_eq!(
            outputs,
            [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]
        );
    }

    #[test]
    fn identifiers_have_their_shapes() {
        let mut random = SeededRandom::new(1);
        for _ in 0..100 {
            let uuid = random.uuid();
            let lengths: Vec<usize> = uuid.split('-').map(str::len).collect();
            assert_eq!(lengths, [8, 4, 4, 4, 12], "{uuid}");
            let digits = random.digits(19);
            assert!(digits.len() == 19 && !digits.starts_with('0'), "{digits}");
            assert_eq!(random.arn_suffix().len(), 6);
        }
        assert_eq!(random.below(0), 0);
    }
}
