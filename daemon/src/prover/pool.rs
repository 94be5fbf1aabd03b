//! The workshop of this process: threads with as many places as the configuration allows.
//!
//! A thread can't be ended from outside. What can be done is done: a proof that isn't wanted any more, or that is out of its
//! time, ends as its next phase begins; one that doesn't come to its next phase for as long again loses its place to others,
//! and is reported. Its thread and its memory it keeps until it ends: what it takes isn't there for others.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::{sync::Semaphore, time::timeout};

use super::{
    Facts, Making, Memory, Models, Order, Place, Progress, Proof, ProveError, Tell, Ticket, Workshop, memory,
    prove_while_and_check,
};
use crate::{config::ProverConfig, engine::Priority};

/// More places than any machine has cores for.
const MOST_SLOTS: usize = 1024;
/// What a process takes beside models and proofs, in bytes.
const ASIDE: u64 = 64 << 20;

/// Makes proofs on threads of their own. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Pool {
    slots: Arc<Semaphore>,
    urgent: Arc<Semaphore>,
    memory: Memory,
    budget: Duration,
    /// Bytes that the whole process may take.
    limit: u64,
}

impl Pool {
    /// A pool of as many places as are configured, and one more for urgent proofs, which would else wait for one that was
    /// begun before. Proofs share the memory that the models' keys leave.
    ///
    /// # Errors
    /// [`ProveError::Memory`] if a model's proof can never fit.
    pub fn new(config: &ProverConfig, models: &Models) -> Result<Self, ProveError> {
        let limit = config.memory.or_else(memory::available).unwrap_or(u64::MAX);
        let pool = Self {
            slots: Arc::new(Semaphore::new(config.slots.clamp(1, MOST_SLOTS))),
            urgent: Arc::new(Semaphore::new(1)),
            memory: Memory::of(limit.saturating_sub(ASIDE)),
            budget: config.budget,
            limit,
        };
        let mut facts: Vec<_> = models.provers().map(|prover| prover.facts()).collect();
        facts.sort_by_key(|facts| facts.proof_memory_bytes);
        facts.iter().try_for_each(|facts| pool.keep(facts))?;
        Ok(pool)
    }

    /// Takes the memory of one more model's keys off what is there for proofs.
    ///
    /// # Errors
    /// [`ProveError::NeverFits`] if what is left doesn't do for a proof of it; then nothing is taken.
    pub fn keep(&self, facts: &Facts) -> Result<(), ProveError> {
        let (keys, proof) = (facts.key_memory_bytes, facts.proof_memory_bytes);
        if !self.memory.keep(keys, proof) {
            let kept = self.limit - self.memory.limit().min(self.limit);
            return Err(ProveError::NeverFits {
                model: facts.model.clone(),
                proof: mib(proof),
                keys: mib(kept.saturating_add(keys)),
                limit: mib(self.limit),
            });
        }
        metrics::gauge!("zugzwang_prover_memory_limit_bytes").set(self.memory.limit() as f64);
        Ok(())
    }

    /// The same pool for a proof that may take at most so long.
    pub fn within(mut self, budget: Duration) -> Self {
        self.budget = self.budget.min(budget);
        self
    }

    async fn make(self, place: Place, order: Order, ticket: Ticket, tell: Tell) -> Result<super::Made, ProveError> {
        let facts = order.prover.facts();
        let needs = facts.proof_memory_bytes;
        if needs > self.memory.limit().saturating_sub(self.memory.taken()) {
            tell(Progress::Phase("waiting for memory"));
        }
        let share = tokio::select! {
            share = self.memory.take(needs, order.priority, &facts.model) => share?,
            () = ticket.left() => return Err(ProveError::Stopped),
        };
        let running = Running::default();
        metrics::gauge!("zugzwang_prover_running_count").increment(1.0);
        let place = Arc::new(Mutex::new(Some(place)));
        let mut thread = tokio::task::spawn_blocking({
            let (place, running, ticket, tell) = (place.clone(), running.clone(), ticket.clone(), tell.clone());
            move || {
                let goes_on = |phase| {
                    let wanted = ticket.is_wanted() && !running.is_late();
                    if wanted {
                        tell(Progress::Phase(phase));
                    }
                    wanted
                };
                let start = Instant::now();
                let Order { prover, input, request, .. } = &order;
                let proof = catch_unwind(AssertUnwindSafe(|| {
                    prove_while_and_check(prover.as_ref(), input, *request, &goes_on)
                }));
                let took = start.elapsed();
                drop((share, take(&place)));
                metrics::gauge!("zugzwang_prover_running_count").decrement(1.0);
                let proof = proof.unwrap_or_else(|panic| Err(ProveError::Panicked(panic_text(&panic))))?;
                metrics::histogram!("zugzwang_prover_proof_seconds").record(took.as_secs_f64());
                Ok::<(Proof, Duration), ProveError>((proof, took))
            }
        });
        let ended = |ended: Result<Result<(Proof, Duration), ProveError>, tokio::task::JoinError>| {
            let (proof, took) = ended.unwrap_or_else(|e| Err(ProveError::Panicked(e.to_string())))?;
            Ok(super::Made { proof, took, worker: None })
        };
        if let Ok(made) = timeout(self.budget, &mut thread).await {
            return ended(made);
        }
        running.hurry();
        metrics::counter!("zugzwang_prover_late_total").increment(1);
        let seconds = self.budget.as_secs_f64();
        let wanted = ticket.is_wanted();
        if wanted {
            tell(Progress::Trouble(format!(
                "model {}: a proof takes longer than prover.budget_s = {seconds}; it ends as its next phase begins",
                facts.model
            )));
        }
        match timeout(self.budget, &mut thread).await {
            // It was in its last phase: a proof that came late is a proof.
            Ok(made) => match ended(made) {
                Err(ProveError::Stopped) if wanted => Err(ProveError::OverBudget { seconds }),
                made => made,
            },
            Err(_) => {
                drop(take(&place));
                Err(ProveError::RunsAway { seconds: 2.0 * seconds })
            }
        }
    }
}

impl Workshop for Pool {
    fn admit(&self, priority: Priority) -> Option<Place> {
        let own = match priority {
            Priority::Urgent => self.urgent.clone().try_acquire_owned().ok(),
            Priority::Normal => None,
        };
        own.or_else(|| self.slots.clone().try_acquire_owned().ok()).map(Place::holding)
    }

    /// The proof goes on where it is if the future is dropped, and keeps its place.
    fn prove(&self, place: Place, order: Order, ticket: Ticket, tell: Tell) -> Making {
        let task = tokio::spawn(self.clone().make(place, order, ticket, tell));
        Box::pin(async move { task.await.unwrap_or_else(|e| Err(ProveError::Panicked(e.to_string()))) })
    }
}

/// Whether a proof is still within its time.
#[derive(Clone, Debug, Default)]
struct Running(Arc<AtomicBool>);

impl Running {
    fn hurry(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn is_late(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

fn take(place: &Mutex<Option<Place>>) -> Option<Place> {
    place.lock().unwrap_or_else(PoisonError::into_inner).take()
}

fn mib(bytes: u64) -> u64 {
    bytes.div_ceil(1 << 20)
}

fn panic_text(panic: &Box<dyn std::any::Any + Send>) -> String {
    let text =
        panic.downcast_ref::<&str>().map(ToString::to_string).or_else(|| panic.downcast_ref::<String>().cloned());
    crate::chain::error::one_line(&text.unwrap_or_else(|| "no message".into()))
}

#[cfg(test)]
mod tests;
