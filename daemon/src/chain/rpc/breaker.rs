//! A circuit breaker: an endpoint that fails again and again is left alone for a while, then tried once. Pure.

use std::time::Duration;

/// Failures in a row that open it.
const FAILURES: u32 = 5;
/// The first pause, doubled by each failed trial up to [`LONGEST`].
const SHORTEST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(30);
/// A trial of which nothing is heard for so long was given up.
const TRIAL: Duration = Duration::from_secs(60);

/// A span of steady time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pause {
    until: Duration,
}

impl Pause {
    pub(super) fn new(now: Duration, length: Duration) -> Self {
        Self { until: now.saturating_add(length) }
    }

    /// What is left of it.
    pub(super) fn left(self, now: Duration) -> Option<Duration> {
        self.until.checked_sub(now).filter(|left| !left.is_zero())
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Closed,
    Open(Pause),
    /// One request is under way, to see whether it is well again.
    Trial(Pause),
}

/// Whether an endpoint may be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Permit {
    Yes,
    /// As the one request that finds out whether it is well again.
    Trial,
    NotFor(Duration),
}

/// The breaker of one endpoint.
#[derive(Clone, Debug, Default)]
pub(super) struct Breaker {
    state: State,
    failures: u32,
    /// Pauses since it was last well.
    pauses: u32,
}

impl Breaker {
    /// Whether the endpoint may be asked now.
    pub(super) fn permit(&mut self, now: Duration) -> Permit {
        match self.state {
            State::Closed => Permit::Yes,
            State::Open(pause) | State::Trial(pause) => match pause.left(now) {
                Some(left) => Permit::NotFor(left),
                None => {
                    self.state = State::Trial(Pause::new(now, TRIAL));
                    Permit::Trial
                }
            },
        }
    }

    /// Whether the endpoint would be asked now.
    pub(super) fn is_open(&self, now: Duration) -> bool {
        matches!(self.state, State::Open(pause) | State::Trial(pause) if pause.left(now).is_some())
    }

    /// Whether it is anything but well.
    pub(super) fn is_closed(&self) -> bool {
        self.state == State::Closed
    }

    /// An answer came; whether that ends a pause.
    pub(super) fn succeeded(&mut self) -> bool {
        let ended = self.state != State::Closed;
        *self = Self::default();
        ended
    }

    /// No answer came; the pause, if one begins.
    pub(super) fn failed(&mut self, now: Duration) -> Option<Duration> {
        self.failures = self.failures.saturating_add(1);
        let opens = match self.state {
            State::Closed => self.failures >= FAILURES,
            State::Trial(_) => true,
            // A request that was under way when it opened.
            State::Open(_) => false,
        };
        if !opens {
            return None;
        }
        let pause = SHORTEST.saturating_mul(1 << self.pauses.min(16)).min(LONGEST);
        self.pauses = self.pauses.saturating_add(1);
        self.state = State::Open(Pause::new(now, pause));
        Some(pause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn it_opens_tries_once_and_closes() {
        let mut breaker = Breaker::default();
        for _ in 1..FAILURES {
            assert_eq!(breaker.failed(at(0)), None);
            assert_eq!(breaker.permit(at(0)), Permit::Yes);
        }
        assert_eq!(breaker.failed(at(0)), Some(SHORTEST));
        assert_eq!(breaker.permit(at(100)), Permit::NotFor(at(400)));
        // Half open: one request, and no second one beside it.
        assert_eq!(breaker.permit(at(500)), Permit::Trial);
        assert_eq!(breaker.permit(at(501)), Permit::NotFor(TRIAL - at(1)));
        assert_eq!(breaker.failed(at(600)), Some(2 * SHORTEST));
        assert_eq!(breaker.permit(at(1600)), Permit::Trial);
        assert!(breaker.succeeded());
        assert_eq!(breaker.permit(at(1600)), Permit::Yes);
        assert!(!breaker.succeeded());
    }

    #[test]
    fn a_success_in_between_counts() {
        let mut breaker = Breaker::default();
        for _ in 0..100 {
            assert_eq!(breaker.failed(at(0)), None);
            breaker.succeeded();
        }
    }

    #[test]
    fn pauses_grow_to_a_bound() {
        let mut breaker = Breaker::default();
        let (mut now, mut longest) = (Duration::ZERO, Duration::ZERO);
        for _ in 0..100 {
            if let Some(pause) = breaker.failed(now) {
                longest = longest.max(pause);
                now += pause;
                assert_eq!(breaker.permit(now), Permit::Trial);
            }
        }
        assert_eq!(longest, LONGEST);
    }

    #[test]
    fn a_trial_that_is_given_up_is_not_waited_for() {
        let mut breaker = Breaker::default();
        for _ in 0..FAILURES {
            breaker.failed(at(0));
        }
        assert_eq!(breaker.permit(at(500)), Permit::Trial);
        assert_eq!(breaker.permit(at(60_500)), Permit::Trial);
    }
}
