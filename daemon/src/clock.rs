//! Time, as the daemon sees it: the system's, or hands that a test moves.
//!
//! Service, store and submitter ask nobody else what time it is, so that a simulation decides how fast time goes, and whether the
//! wall clock jumps. There are two times: the wall clock's, which is stored and may jump; and the steady time since the clock was
//! made, which never goes back, for everything that waits.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// A clock. Clones show the same time.
#[derive(Clone, Debug)]
pub struct Clock(Source);

#[derive(Clone, Debug)]
enum Source {
    System { made: Instant },
    Manual(Arc<Hands>),
}

#[derive(Debug)]
struct Hands {
    /// Unix milliseconds.
    wall: AtomicI64,
    /// Milliseconds since the clock was made.
    steady: AtomicU64,
}

impl Default for Clock {
    fn default() -> Self {
        Self::system()
    }
}

impl Clock {
    /// The system's clock.
    pub fn system() -> Self {
        Self(Source::System { made: Instant::now() })
    }

    /// A clock that stands still at this unix time, in milliseconds, until [`Clock::advance`], [`Clock::jump`] or a
    /// [`Clock::sleep`] moves it.
    pub fn manual(ms: i64) -> Self {
        Self(Source::Manual(Arc::new(Hands { wall: AtomicI64::new(ms), steady: AtomicU64::new(0) })))
    }

    /// Unix time in milliseconds. It may go back, when somebody sets the clock.
    pub fn now_ms(&self) -> i64 {
        match &self.0 {
            Source::System { .. } => {
                let wall = SystemTime::now().duration_since(UNIX_EPOCH);
                wall.map_or(0, |d| i64::try_from(d.as_millis()).unwrap_or(i64::MAX))
            }
            Source::Manual(hands) => hands.wall.load(Ordering::SeqCst),
        }
    }

    /// Time since the clock was made. It never goes back.
    pub fn steady(&self) -> Duration {
        match &self.0 {
            Source::System { made } => made.elapsed(),
            Source::Manual(hands) => Duration::from_millis(hands.steady.load(Ordering::SeqCst)),
        }
    }

    /// Steady time since a moment that [`Clock::steady`] gave.
    pub fn since(&self, moment: Duration) -> Duration {
        self.steady().saturating_sub(moment)
    }

    /// Lets a manual clock go on by so much, wall clock and steady time. The system's isn't moved.
    pub fn advance(&self, by: Duration) {
        if let Source::Manual(hands) = &self.0 {
            let ms = u64::try_from(by.as_millis()).unwrap_or(u64::MAX);
            hands.steady.fetch_add(ms, Ordering::SeqCst);
            hands.wall.fetch_add(i64::try_from(ms).unwrap_or(i64::MAX), Ordering::SeqCst);
        }
    }

    /// Sets a manual clock's wall clock forward or back by so many milliseconds, as a correction of the time would. The steady
    /// time stays, and the system's clock isn't moved.
    pub fn jump(&self, ms: i64) {
        if let Source::Manual(hands) = &self.0 {
            hands.wall.fetch_add(ms, Ordering::SeqCst);
        }
    }

    /// Waits. Nobody else moves a manual clock meanwhile, so it goes on by itself: the wait is over at once.
    pub async fn sleep(&self, duration: Duration) {
        match &self.0 {
            Source::System { .. } => tokio::time::sleep(duration).await,
            Source::Manual(_) => {
                self.advance(duration);
                tokio::task::yield_now().await;
            }
        }
    }

    /// Waits for `future`, but no longer than this; `None` if it took longer. By a manual clock nothing takes time by itself.
    pub async fn timeout<T>(&self, limit: Duration, future: impl Future<Output = T>) -> Option<T> {
        match &self.0 {
            Source::System { .. } => tokio::time::timeout(limit, future).await.ok(),
            Source::Manual(_) => Some(future.await),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_manual_clock_moves_only_when_it_is_moved() {
        let clock = Clock::manual(1_000);
        let shown = clock.clone();
        let start = shown.steady();
        clock.advance(Duration::from_millis(500));
        assert_eq!((shown.now_ms(), shown.since(start)), (1_500, Duration::from_millis(500)));
        clock.jump(-1_400);
        assert_eq!(
            (shown.now_ms(), shown.since(start)),
            (100, Duration::from_millis(500)),
            "only the wall clock jumps"
        );
        clock.sleep(Duration::from_secs(3600)).await;
        assert_eq!(shown.since(start), Duration::from_millis(3_600_500));
        assert_eq!(clock.timeout(Duration::ZERO, async { 7 }).await, Some(7));
    }

    #[test]
    fn the_systems_clock_is_not_moved() {
        let clock = Clock::system();
        let before = clock.now_ms();
        clock.jump(-1_000_000_000);
        clock.advance(Duration::from_secs(1_000_000));
        assert!(clock.now_ms() >= before - 1_000 && clock.steady() < Duration::from_secs(100_000));
    }
}
