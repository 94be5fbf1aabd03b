//! The one source of chance of a run.

use std::ops::RangeInclusive;

use rand::{Rng, SeedableRng, rngs::StdRng};

/// Dice that fall the same way for the same seed.
#[derive(Debug)]
pub(super) struct Dice(StdRng);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(StdRng::seed_from_u64(seed))
    }

    /// True so often in a thousand.
    pub(super) fn permille(&mut self, often: u32) -> bool {
        self.0.gen_range(0..1000) < often
    }

    pub(super) fn between(&mut self, range: RangeInclusive<u64>) -> u64 {
        self.0.gen_range(range)
    }

    pub(super) fn pick<'a, T>(&mut self, of: &'a [T]) -> Option<&'a T> {
        if of.is_empty() { None } else { of.get(self.0.gen_range(0..of.len())) }
    }

    /// One of these, each as often as its weight says.
    pub(super) fn weighted<T: Copy>(&mut self, of: &[(u32, T)]) -> T {
        let mut left = self.0.gen_range(0..of.iter().map(|(weight, _)| weight).sum::<u32>());
        for (weight, thing) in of {
            if left < *weight {
                return *thing;
            }
            left -= weight;
        }
        of[0].1
    }

    pub(super) fn word(&mut self) -> [u8; 32] {
        self.0.r#gen()
    }

    pub(super) fn shuffle<T>(&mut self, things: &mut [T]) {
        for last in (1..things.len()).rev() {
            things.swap(last, self.0.gen_range(0..=last));
        }
    }
}
