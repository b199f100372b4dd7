//! Chance from a seed: `SplitMix64` (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014).

/// A sequence of numbers that its seed determines.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
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

    /// A number below `bound`; 0 if there is none.
    pub fn below(&mut self, bound: u64) -> u64 {
        // The bias is `bound` in 2^64: nothing here could tell.
        self.next_u64().checked_rem(bound).unwrap_or_default()
    }

    /// True `per_mille` times in a thousand.
    pub fn chance(&mut self, per_mille: u64) -> bool {
        self.below(1_000) < per_mille
    }

    /// A version 4 UUID, in shape.
    pub fn uuid(&mut self) -> String {
        let hex = self.hex(32);
        let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
        format!("{}-{}-4{}-a{}-{}", part(0, 8), part(8, 12), part(13, 16), part(17, 20), part(20, 32))
    }

    /// This many lower-case hexadecimal digits.
    pub fn hex(&mut self, count: usize) -> String {
        self.text(count, "0123456789abcdef")
    }

    /// This many decimal digits, the first not 0.
    pub fn digits(&mut self, count: usize) -> String {
        self.text(1.min(count), "123456789") + &self.text(count.saturating_sub(1), "0123456789")
    }

    /// The six letters and digits that end a secret's ARN.
    pub fn suffix(&mut self) -> String {
        self.text(6, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")
    }

    fn text(&mut self, count: usize, alphabet: &str) -> String {
        let alphabet: Vec<char> = alphabet.chars().collect();
        let count = 0..count;
        count
            .filter_map(|_| {
                let index = self.below(alphabet.len() as u64);
                usize::try_from(index).ok().and_then(|index| alphabet.get(index))
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Random;

    #[test]
    fn the_sequence_is_the_published_one() {
        // The reference implementation's first outputs for the seed 1234567 (Vigna, splitmix64.c).
        let mut random = Random::new(1_234_567);
        let outputs = [random.next_u64(), random.next_u64(), random.next_u64()];
        assert_eq!(
            outputs,
            [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]
        );
    }

    #[test]
    fn identifiers_have_their_shapes() {
        let mut random = Random::new(1);
        for _ in 0..100 {
            let uuid = random.uuid();
            let lengths: Vec<usize> = uuid.split('-').map(str::len).collect();
            assert_eq!(lengths, [8, 4, 4, 4, 12], "{uuid}");
            let digits = random.digits(19);
            assert!(digits.len() == 19 && !digits.starts_with('0'), "{digits}");
            assert_eq!(random.suffix().len(), 6);
        }
        assert_eq!(random.below(0), 0);
    }
}
