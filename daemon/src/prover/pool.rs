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

/// Makes proofs on threads of their own.
#[derive(Clone, Debug)]
pub struct Pool {
    prover: Arc<dyn Prove>,
    slots: Arc<Semaphore>,
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
    /// A pool of `slots` provers that share their keys.
    pub fn new(prover: Arc<dyn Prove>, slots: usize) -> Self {
        Self { prover, slots: Arc::new(Semaphore::new(slots.max(1))) }
    }

    /// What proves.
    pub fn prover(&self) -> &Arc<dyn Prove> {
        &self.prover
    }

    /// Proofs that could start now.
    pub fn free(&self) -> usize {
        self.slots.available_permits()
    }

    /// Takes a slot if one is free.
    pub fn slot(&self) -> Option<OwnedSemaphorePermit> {
        self.slots.clone().try_acquire_owned().ok()
    }

    /// Makes a proof in a slot. A panic within becomes an error.
    pub async fn prove(
        &self,
        slot: OwnedSemaphorePermit,
        input: Tensor,
        request: [u8; 32],
        on_phase: impl Fn(Phase) + Send + 'static,
    ) -> Result<(Proof, Duration), ProveError> {
        let prover = self.prover.clone();
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
