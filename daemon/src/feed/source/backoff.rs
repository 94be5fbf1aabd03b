//! How long to wait after a failure.

use std::time::Duration;

use rand::Rng;

use super::Limits;

/// Pauses that double from [`Limits::first_pause`] to [`Limits::longest_pause`], less up to a half at random, so that
/// many who lost one server don't come back at once.
#[derive(Debug)]
pub(super) struct Backoff {
    first: Duration,
    most: Duration,
    failures: u32,
}

impl Backoff {
    /// Before any failure.
    pub(super) fn new(limits: Limits) -> Self {
        Self { first: limits.first_pause, most: limits.longest_pause, failures: 0 }
    }

    /// Something worked.
    pub(super) fn reset(&mut self) {
        self.failures = 0;
    }

    /// A first pause as the server wants it, as far as it is within reason.
    pub(super) fn set_first(&mut self, first: Duration) {
        self.first = first.clamp(super::SHORTEST_PAUSE.min(self.most), self.most);
    }

    /// The pause after one more failure.
    pub(super) fn next(&mut self, random: &mut impl Rng) -> Duration {
        let doubled = 1u32.checked_shl(self.failures).and_then(|factor| self.first.checked_mul(factor));
        let longest = doubled.unwrap_or(self.most).min(self.most);
        self.failures = self.failures.saturating_add(1);
        longest.mul_f64(random.gen_range(0.5..=1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_within_their_bounds_and_start_again() {
        let (first, most) = (Duration::from_millis(100), Duration::from_secs(2));
        let mut backoff = Backoff::new(Limits { first_pause: first, longest_pause: most, ..Limits::default() });
        let mut random = rand::thread_rng();
        let mut check = |backoff: &mut Backoff, full: u64| {
            let (pause, full) = (backoff.next(&mut random), Duration::from_millis(full));
            assert!(pause >= full / 2 && pause <= full, "{pause:?} of {full:?}");
            pause
        };
        for full in [100, 200, 400, 800, 1600, 2000, 2000] {
            check(&mut backoff, full);
        }
        let many: Vec<_> = (0..100).map(|_| check(&mut backoff, 2000)).collect();
        assert!(many.iter().any(|pause| *pause != many[0]), "no jitter");
        backoff.reset();
        check(&mut backoff, 100);
        backoff.reset();
        // A server's wish.
        backoff.set_first(Duration::from_millis(300));
        check(&mut backoff, 300);
        backoff.reset();
        backoff.set_first(Duration::from_secs(1 << 40));
        check(&mut backoff, 2000);
    }
}
