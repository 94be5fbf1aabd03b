//! The daemon's side: a workshop whose proofs are made elsewhere.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use async_nats::jetstream::{
    message::PublishMessage,
    stream::{LastRawMessageErrorKind, Stream},
};
use futures_util::StreamExt;
use tokio::{
    sync::{Notify, Semaphore, watch},
    time::timeout,
};

use super::{
    FleetError, Job, Outcome, Presence, Shown,
    library::Shelf,
    link::{HEARTBEAT, Link, Stores, TIMEOUT},
    message::{decode, encode, id_of},
    one_line,
};
use crate::{
    chain::types::B256,
    config::{Fallback, FleetConfig, ProverConfig},
    engine::Priority,
    prover::{
        Expected, Made, Making, Models, Order, Place, Pool, Progress, Proof, Prove, ProveError, Tell, Ticket, Workshop,
    },
};

/// How often the server is asked about a question that nothing is heard of.
const LOOK: Duration = Duration::from_secs(5);
/// The least time between two of the same words to the operator.
const NAG: Duration = Duration::from_secs(60);
/// Wrong proofs of one question after which it is given up. The job is tried again, as after any failure.
const MOST_WRONG: usize = 3;
/// Urgent proofs that may be with the fleet at a time.
const URGENT: usize = 1024;

/// A fleet that this process gives its proofs to. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Fleet(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    link: Link,
    config: FleetConfig,
    budget: Duration,
    /// Proves what the fleet can't.
    local: Pool,
    shelf: Shelf,
    stores: watch::Receiver<Option<Stores>>,
    workers: watch::Receiver<Vec<Presence>>,
    bells: Mutex<BTreeMap<String, Arc<Notify>>>,
    normal: Arc<Semaphore>,
    urgent: Arc<Semaphore>,
    /// Gone with the last of the fleet's owners.
    _owned: watch::Sender<()>,
}

impl Fleet {
    /// Joins a fleet, and returns before its servers answer. `models` are offered to its workers.
    ///
    /// # Errors
    /// If the configuration's files can't be read, or a model can never be proven here while the fleet is away.
    pub async fn join(config: FleetConfig, prover: &ProverConfig, models: &Models) -> Result<Self, FleetError> {
        let local = Pool::new(prover, models)?;
        let (packing, private_too) = (models.clone(), config.private_models);
        let shelf = tokio::task::spawn_blocking(move || Shelf::of(&packing, private_too)).await.unwrap_or_default();
        let link = Link::open(&config).await?;
        let (set_up, stores) = watch::channel(None);
        let (seen, workers) = watch::channel(Vec::new());
        let (owned, mut given_up) = watch::channel(());
        let inner = Arc::new(Inner {
            link,
            budget: prover.budget,
            local,
            shelf,
            stores,
            workers,
            bells: Mutex::default(),
            normal: Arc::new(Semaphore::new(config.in_flight)),
            urgent: Arc::new(Semaphore::new(URGENT)),
            _owned: owned,
            config,
        });
        let tended = Arc::downgrade(&inner);
        let link = inner.link.clone();
        tokio::spawn(async move {
            // Ends with the last of the fleet's owners.
            loop {
                tokio::select! {
                    () = link.until(true) => {}
                    // Nothing is ever sent.
                    _ = given_up.changed() => return,
                }
                let Some(inner) = tended.upgrade() else { return };
                if let Err(error) = inner.tend(&set_up, &seen, &tended).await {
                    tracing::warn!("{error}");
                }
                drop(inner);
                set_up.send_replace(None);
                metrics::gauge!("zugzwang_fleet_up").set(0.0);
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        });
        Ok(Self(inner))
    }

    /// The workers that have been heard of lately.
    pub fn workers(&self) -> Vec<Presence> {
        self.0.workers.borrow().clone()
    }

    /// Whether the servers are there and set up.
    pub fn is_up(&self) -> bool {
        self.0.stores.borrow().is_some()
    }
}

impl Workshop for Fleet {
    fn workers(&self) -> Vec<Presence> {
        Fleet::workers(self)
    }

    fn admit(&self, priority: Priority) -> Option<Place> {
        let places = match priority {
            Priority::Urgent => &self.0.urgent,
            Priority::Normal => &self.0.normal,
        };
        places.clone().try_acquire_owned().ok().map(Place::holding)
    }

    fn prove(&self, place: Place, order: Order, ticket: Ticket, tell: Tell) -> Making {
        let inner = self.0.clone();
        Box::pin(async move {
            let made = inner.prove(order, &ticket, &tell).await;
            drop(place);
            made
        })
    }
}

/// A question that is with the fleet.
struct Asked {
    id: String,
    job: Job,
    subject: String,
    order: Order,
    expected: Expected,
    wrong: usize,
    told: Option<(String, Instant)>,
}

impl Inner {
    /// Sets the servers up, then listens until they are away.
    async fn tend(
        &self,
        set_up: &watch::Sender<Option<Stores>>,
        seen: &watch::Sender<Vec<Presence>>,
        owned: &std::sync::Weak<Self>,
    ) -> Result<(), FleetError> {
        let stores = self.link.set_up().await?;
        for model in self.shelf.models() {
            for priority in [Priority::Urgent, Priority::Normal] {
                self.link.consumer(&stores.jobs, priority, model, self.config.ack_wait).await?;
            }
        }
        self.shelf.publish(&stores.models).await?;
        let listening = self.link.client.subscribe(self.link.names.all_results()).await;
        let mut results = listening.map_err(|e| FleetError::server("listening to results")(e.into()))?;
        set_up.send_replace(Some(stores.clone()));
        metrics::gauge!("zugzwang_fleet_up").set(1.0);
        tracing::info!("the fleet is there");
        let mut beat = tokio::time::interval(HEARTBEAT);
        loop {
            tokio::select! {
                () = self.link.until(false) => return Ok(()),
                result = results.next() => match result {
                    Some(message) => self.ring(id_of(&message.subject)),
                    None => return Ok(()),
                },
                _ = beat.tick() => {
                    let workers = present(&stores).await;
                    metrics::gauge!("zugzwang_fleet_workers_count").set(workers.len() as f64);
                    seen.send_replace(workers);
                    // Only this task is left.
                    if owned.strong_count() <= 1 {
                        return Ok(());
                    }
                }
            }
        }
    }

    async fn prove(&self, order: Order, ticket: &Ticket, tell: &Tell) -> Result<Made, ProveError> {
        let model = B256::from(order.prover.model_id());
        let running = (order.prover.clone(), order.input.clone(), order.request);
        let expected = tokio::task::spawn_blocking(move || running.0.expected(&running.1, running.2)).await;
        let expected = match expected.unwrap_or_else(|e| Err(ProveError::Panicked(e.to_string()))) {
            Ok(expected) if self.shelf.has(model) && expected.instances.iter().all(Option::is_some) => expected,
            // It may not leave this machine, or nobody else's proofs of it can be checked: one could commit to another input.
            _ => return self.prove_here(&order, ticket, tell).await,
        };
        let job = Job::new(order.prover.model_id(), order.request, &order.input, self.budget);
        let id = job.id();
        let subject = self.link.names.job(order.priority, model, &id);
        let mut asked = Asked { id, job, subject, order, expected, wrong: 0, told: None };
        let bell = self.bell(&asked.id);
        let made = self.wait(&mut asked, model, &bell, ticket, tell).await;
        self.hang_up(&asked.id, bell);
        made
    }

    /// Until the question is answered, or isn't asked any more.
    async fn wait(
        &self,
        asked: &mut Asked,
        model: B256,
        bell: &Notify,
        ticket: &Ticket,
        tell: &Tell,
    ) -> Result<Made, ProveError> {
        let mut stores = self.stores.clone();
        let mut alone_since: Option<Instant> = None;
        tell(Progress::Phase("waiting for a worker"));
        loop {
            let there = stores.borrow_and_update().clone();
            if let Some(there) = &there {
                match self.look(there, asked, tell).await {
                    Ok(Some(made)) => return made,
                    Ok(None) => {}
                    Err(FleetError::TooLarge { .. }) => return self.prove_here(&asked.order, ticket, tell).await,
                    Err(error) => asked.nag(tell, error.to_string()),
                }
            }
            let served = self.workers.borrow().iter().any(|worker| worker.models.contains(&model));
            let alone = match there {
                None => Some("NATS is away"),
                Some(_) if !served => Some("no worker of the fleet serves the model"),
                Some(_) => None,
            };
            let mut rest = LOOK;
            alone_since = alone.map(|_| *alone_since.get_or_insert_with(Instant::now));
            if let (Some(why), Some(since)) = (alone, alone_since) {
                let left = self.config.patience.saturating_sub(since.elapsed());
                rest = rest.min(left.max(Duration::from_millis(100)));
                if left.is_zero() && self.config.fallback == Fallback::Wait {
                    asked.nag(tell, format!("{why}: its proof waits (fleet.fallback = \"wait\")"));
                    rest = LOOK;
                } else if left.is_zero()
                    && let Some(place) = self.local.admit(asked.order.priority)
                {
                    tell(Progress::Trouble(format!("{why}: its proof is made here (fleet.fallback = \"local\")")));
                    metrics::counter!("zugzwang_fleet_local_total").increment(1);
                    let made = self.local.prove(place, asked.order.clone(), ticket.clone(), tell.clone()).await;
                    self.withdraw(asked).await;
                    return made;
                }
            }
            tokio::select! {
                () = bell.notified() => {}
                () = tokio::time::sleep(rest) => {}
                // Its sender is gone only with the fleet.
                _ = stores.changed() => {}
                () = ticket.left() => {
                    if ticket.is_cancelled() {
                        self.withdraw(asked).await;
                        metrics::counter!("zugzwang_fleet_cancelled_total").increment(1);
                    }
                    return Err(ProveError::Stopped);
                }
            }
        }
    }

    /// What has become of a question. One that is neither answered nor in the queue is put there.
    async fn look(
        &self,
        stores: &Stores,
        asked: &mut Asked,
        tell: &Tell,
    ) -> Result<Option<Result<Made, ProveError>>, FleetError> {
        let last = stores.results.get_last_raw_message_by_subject(&self.link.names.result(&asked.id)).await;
        let message = match last {
            Ok(message) => Some(message),
            Err(error) if error.kind() == LastRawMessageErrorKind::NoMessageFound => None,
            Err(error) => return Err(FleetError::server("the last result")(error.into())),
        };
        if let Some(message) = message {
            let outcome = match decode::<Outcome>("a result", &message.payload) {
                Ok(outcome) => outcome,
                Err(error) => Outcome::new("unknown", Duration::ZERO, Err(error.to_string())),
            };
            match asked.judge(outcome).await {
                Verdict::Right(made) => {
                    metrics::histogram!("zugzwang_fleet_proof_seconds").record(made.took.as_secs_f64());
                    return Ok(Some(Ok(made)));
                }
                Verdict::Failed(error) => {
                    self.forget(&stores.results, message.sequence).await;
                    return Ok(Some(Err(error)));
                }
                Verdict::Wrong { worker } => {
                    self.forget(&stores.results, message.sequence).await;
                    metrics::counter!("zugzwang_fleet_wrong_proofs_total").increment(1);
                    asked.wrong += 1;
                    tell(Progress::Trouble(format!(
                        "worker {worker} sent a wrong proof, which was thrown away; its machine is broken or it cheats: stop it, and take its credentials if it isn't yours"
                    )));
                    if asked.wrong >= MOST_WRONG {
                        return Ok(Some(Err(ProveError::Wrong { worker, wrong: asked.wrong })));
                    }
                    if !asked.job.avoid.contains(&worker) {
                        asked.job.avoid.push(worker);
                    }
                }
            }
        }
        self.publish(asked).await?;
        Ok(None)
    }

    /// Puts a question into the queue, unless it is there.
    async fn publish(&self, asked: &Asked) -> Result<(), FleetError> {
        let payload = encode(&asked.job);
        let most = self.link.client.server_info().max_payload;
        let bytes = payload.len() + 512;
        if most > 0 && bytes > most {
            let model = asked.order.prover.facts().model;
            return Err(FleetError::TooLarge { model, bytes, most });
        }
        // After a wrong proof it is another message.
        let message_id = match asked.wrong {
            0 => asked.id.clone(),
            wrong => format!("{}.{wrong}", asked.id),
        };
        let message = PublishMessage::build().payload(payload.into()).message_id(message_id);
        let sent = async { self.link.context.send_publish(asked.subject.clone(), message).await?.await };
        match timeout(TIMEOUT, sent).await {
            Ok(Ok(ack)) => {
                if !ack.duplicate {
                    metrics::counter!("zugzwang_fleet_published_total").increment(1);
                    tracing::debug!(id = asked.id, "with the fleet");
                }
                Ok(())
            }
            // The queue takes one copy.
            Ok(Err(error)) if one_line(&error).contains("maximum messages per subject") => Ok(()),
            Ok(Err(error)) => Err(FleetError::server("publishing a job")(error.into())),
            Err(error) => Err(FleetError::server("publishing a job")(error.into())),
        }
    }

    /// Takes a question out of the queue, and tells whoever works on it. What isn't heard costs a worker's time.
    async fn withdraw(&self, asked: &Asked) {
        let Some(stores) = self.stores.borrow().clone() else { return };
        // By its number: a server of version 2.9 loses sight of the others' jobs when it purges by subject.
        let found = timeout(TIMEOUT, stores.jobs.get_last_raw_message_by_subject(&asked.subject)).await;
        if let Ok(Ok(message)) = found {
            self.forget(&stores.jobs, message.sequence).await;
        }
        let told = self.link.client.publish(self.link.names.cancellation(&asked.id), Vec::new().into()).await;
        if let Err(error) = told {
            tracing::debug!(id = asked.id, "calling a job off: {}", one_line(&error));
        }
    }

    async fn forget(&self, stream: &Stream, sequence: u64) {
        if let Ok(Err(error)) = timeout(TIMEOUT, stream.delete_message(sequence)).await {
            tracing::debug!(sequence, "removing a message: {}", one_line(&error));
        }
    }

    async fn prove_here(&self, order: &Order, ticket: &Ticket, tell: &Tell) -> Result<Made, ProveError> {
        loop {
            if let Some(place) = self.local.admit(order.priority) {
                return self.local.prove(place, order.clone(), ticket.clone(), tell.clone()).await;
            }
            tokio::select! {
                () = ticket.left() => return Err(ProveError::Stopped),
                () = tokio::time::sleep(Duration::from_millis(100)) => {}
            }
        }
    }

    fn bells(&self) -> MutexGuard<'_, BTreeMap<String, Arc<Notify>>> {
        self.bells.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn bell(&self, id: &str) -> Arc<Notify> {
        self.bells().entry(id.to_owned()).or_default().clone()
    }

    fn ring(&self, id: &str) {
        if let Some(bell) = self.bells().get(id) {
            // Two chains may wait for the same question; who doesn't wait yet looks at once when it does.
            bell.notify_waiters();
            bell.notify_one();
        }
    }

    fn hang_up(&self, id: &str, bell: Arc<Notify>) {
        let mut bells = self.bells();
        drop(bell);
        if bells.get(id).is_some_and(|bell| Arc::strong_count(bell) == 1) {
            bells.remove(id);
        }
    }
}

/// What a result is worth.
enum Verdict {
    Right(Made),
    Wrong { worker: String },
    Failed(ProveError),
}

impl Asked {
    /// Checks a result against all that is known of it here.
    async fn judge(&self, outcome: Outcome) -> Verdict {
        let Outcome { worker, took_ms, shown, .. } = outcome;
        let shown = match shown {
            Ok(shown) => shown,
            Err(why) => {
                return Verdict::Failed(ProveError::Worker { worker, why: crate::chain::error::one_line(&why) });
            }
        };
        let (prover, expected) = (self.order.prover.clone(), self.expected.clone());
        let proof = tokio::task::spawn_blocking(move || right(prover.as_ref(), &expected, shown)).await;
        match proof {
            Ok(Some(proof)) => {
                Verdict::Right(Made { proof, took: Duration::from_millis(took_ms), worker: Some(worker) })
            }
            // A proof that makes the verifier panic is none.
            Ok(None) | Err(_) => Verdict::Wrong { worker },
        }
    }

    /// Tells the operator, but not the same thing all the time.
    fn nag(&mut self, tell: &Tell, what: String) {
        let repeated = self.told.as_ref().is_some_and(|(last, at)| *last == what && at.elapsed() < NAG);
        if !repeated {
            tell(Progress::Trouble(what.clone()));
            self.told = Some((what, Instant::now()));
        }
    }
}

/// The proof that was sent, if it is a right one of what was asked.
fn right(prover: &dyn Prove, expected: &Expected, shown: Shown) -> Option<Proof> {
    let instances: Vec<[u8; 32]> = shown.instances.iter().map(|word| word.0).collect();
    let proof = Proof { bytes: shown.proof.to_vec(), instances, ranking: expected.ranking.clone() };
    (expected.is_shown_by(&proof.instances) && prover.verify(&proof)).then_some(proof)
}

/// The workers that are there. Empty if that can't be had.
async fn present(stores: &Stores) -> Vec<Presence> {
    let read = async {
        let mut workers = Vec::new();
        let mut keys = stores.workers.keys().await.ok()?;
        let mut names = BTreeSet::new();
        while let Some(key) = keys.next().await {
            names.extend(key.ok());
        }
        for name in names {
            let entry = stores.workers.get(name).await.ok().flatten();
            workers.extend(entry.and_then(|bytes| decode::<Presence>("a worker's sign of life", &bytes).ok()));
        }
        Some(workers)
    };
    timeout(TIMEOUT, read).await.ok().flatten().unwrap_or_default()
}
