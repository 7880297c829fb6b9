//! Random numbers that are the same for a seed for ever.

/// SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).
///
/// Ten lines of our own, because a test that names a seed must lose the same packets with every
/// version of gridtap; crates of random numbers change their generators when better ones come.
pub struct Chance(u64);

impl Chance {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// True with this probability.
    pub fn happens(&mut self, probability: f64) -> bool {
        // 53 bits are what a float can tell apart between 0 and 1.
        ((self.next() >> 11) as f64) < probability * (1_u64 << 53) as f64
    }

    /// 0 to `most`, each as likely.
    pub fn up_to(&mut self, most: u32) -> u64 {
        ((u128::from(self.next()) * (u128::from(most) + 1)) >> 64) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_those_of_the_published_generator() {
        // From the reference implementation, seed 1234567.
        let mut chance = Chance::new(1_234_567);
        let numbers = [
            6_457_827_717_110_365_317,
            3_203_168_211_198_807_973,
            9_817_491_932_198_370_423,
            4_593_380_528_125_082_431,
        ];
        assert_eq!(numbers.map(|_| chance.next()), numbers);
    }

    #[test]
    fn nothing_and_everything_are_exact() {
        let mut chance = Chance::new(7);
        assert!((0..1000).all(|_| !chance.happens(0.0)));
        assert!((0..1000).all(|_| chance.happens(1.0)));
        assert!((0..1000).all(|_| chance.up_to(3) <= 3));
        assert!((0..1000).all(|_| chance.up_to(0) == 0));
        assert!((0..=3).all(|wanted| (0..1000).any(|_| chance.up_to(3) == wanted)));
    }
}
