//! A blocking pool with as many slots as the configuration allows.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use zugzwang_circuits::graph::Tensor;

use super::{Phase, Proof, Prove, ProveError, prove_and_check};
use crate::engine::Priority;

/// More places than any machine has cores for.
const MOST_SLOTS: usize = 1024;

/// Makes proofs on threads of their own.
#[derive(Clone, Debug)]
pub struct Pool {
    slots: Arc<Semaphore>,
    urgent: Arc<Semaphore>,
}

/// A proof that is being made. Cancelling it means that its result is thrown away: a proof can't
/// be stopped half way.
#[derive(Clone, Debug, Default)]
pub struct Ticket {
    cancelled: Arc<AtomicBool>,
}

impl Ticket {
    /// The result isn't wanted any more.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }

    /// Whether it was cancelled.
    pub fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }
}

impl Pool {
    /// A pool of `slots` places, and one more for urgent proofs, which would else wait for one that was begun before.
    pub fn new(slots: usize) -> Self {
        Self { slots: Arc::new(Semaphore::new(slots.clamp(1, MOST_SLOTS))), urgent: Arc::new(Semaphore::new(1)) }
    }

    /// Takes a slot if one is free.
    pub fn slot(&self, priority: Priority) -> Option<OwnedSemaphorePermit> {
        let own = match priority {
            Priority::Urgent => self.urgent.clone().try_acquire_owned().ok(),
            Priority::Normal => None,
        };
        own.or_else(|| self.slots.clone().try_acquire_owned().ok())
    }

    /// Makes a proof in a slot. A panic within becomes an error.
    pub async fn prove(
        &self,
        slot: OwnedSemaphorePermit,
        prover: Arc<dyn Prove>,
        input: Tensor,
        request: [u8; 32],
        on_phase: impl Fn(Phase) + Send + 'static,
    ) -> Result<(Proof, Duration), ProveError> {
        let made = tokio::task::spawn_blocking(move || {
            let _slot = slot;
            let start = Instant::now();
            let proof = catch_unwind(AssertUnwindSafe(|| prove_and_check(prover.as_ref(), &input, request, &on_phase)));
            proof
                .unwrap_or_else(|panic| Err(ProveError::Panicked(panic_text(&panic))))
                .map(|proof| (proof, start.elapsed()))
        });
        made.await.unwrap_or_else(|e| Err(ProveError::Panicked(e.to_string())))
    }
}

fn panic_text(panic: &Box<dyn std::any::Any + Send>) -> String {
    let text =
        panic.downcast_ref::<&str>().map(ToString::to_string).or_else(|| panic.downcast_ref::<String>().cloned());
    crate::chain::error::one_line(&text.unwrap_or_else(|| "no message".into()))
}
