//! Chance that a seed reproduces, and how much of it a test is given.

/// SplitMix64: small, fast, and the same everywhere.
#[derive(Clone, Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`, which is above 0.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }
}

/// A number from the environment: the targets of the Makefile set it to run a test at its full length.
pub(crate) fn number(variable: &str, without: u64) -> u64 {
    let Ok(text) = std::env::var(variable) else { return without };
    if text.is_empty() {
        return without;
    }
    text.parse().unwrap_or_else(|_| panic!("{variable}={text} is no number"))
}

/// The seed of the run: a failure names it.
pub(crate) fn seed() -> u64 {
    number("ZUGZWANG_SEED", 1)
}
