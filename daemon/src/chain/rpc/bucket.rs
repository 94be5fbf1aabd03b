//! A limit of requests per second, as a token bucket of one second's size. Pure.

use std::{num::NonZeroU32, time::Duration};

/// Millionths of a token, so that a microsecond at one request per second counts.
const TOKEN: u64 = 1_000_000;

/// How many requests an endpoint may still be sent.
#[derive(Clone, Debug)]
pub(super) struct Bucket {
    /// Requests per second.
    rate: u64,
    level: u64,
    /// When it was last filled, by the steady clock.
    filled: Duration,
}

impl Bucket {
    pub(super) fn new(rate: NonZeroU32, now: Duration) -> Self {
        let rate = u64::from(rate.get());
        Self { rate, level: rate * TOKEN, filled: now }
    }

    /// Takes a token; else how long until there is one.
    pub(super) fn take(&mut self, now: Duration) -> Result<(), Duration> {
        let passed = u64::try_from(now.saturating_sub(self.filled).as_micros()).unwrap_or(u64::MAX);
        self.level = self.level.saturating_add(passed.saturating_mul(self.rate)).min(self.rate * TOKEN);
        self.filled = now;
        if self.level >= TOKEN {
            self.level -= TOKEN;
            Ok(())
        } else {
            Err(Duration::from_micros((TOKEN - self.level).div_ceil(self.rate)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bucket(rate: u32) -> Bucket {
        Bucket::new(NonZeroU32::new(rate).expect("rate"), Duration::ZERO)
    }

    #[test]
    fn no_second_has_more() {
        // A second's worth at once, then as fast as it fills: rate, milliseconds of trying, requests let through.
        for (rate, until, expected) in [(10, 0, 10), (10, 999, 19), (10, 10_000, 110), (1, 5_000, 6), (3, 1_000, 6)] {
            let mut bucket = bucket(rate);
            let mut taken = 0;
            for now in (0..=until).map(Duration::from_millis) {
                while bucket.take(now).is_ok() {
                    taken += 1;
                }
            }
            assert_eq!(taken, expected, "{rate} per second until {until} ms");
        }
    }

    #[test]
    fn the_wait_is_enough() {
        for rate in [1, 3, 7, 1000, 5000] {
            let (mut bucket, mut now) = (bucket(rate), Duration::ZERO);
            for _ in 0..3 * rate {
                if let Err(wait) = bucket.take(now) {
                    now += wait;
                    bucket.take(now).expect("after the wait");
                }
            }
        }
    }
}
