//! A worker's side: takes jobs, proves them, and says what came of it.
//!
//! A job is acknowledged once its result is stored. Until then its worker says every so often that it is at work; a worker
//! that dies says nothing more, and the queue gives its job to another.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_nats::jetstream::{AckKind, Message, consumer::PullConsumer};
use futures_util::StreamExt;
use tokio::{
    sync::{Notify, watch},
    task::JoinSet,
    time::timeout,
};

use super::{
    FleetError, Job, Outcome, Presence,
    library::{self, Volume},
    link::{HEARTBEAT, Link, Stores, TIMEOUT},
    message::{decode, encode, id_of},
    one_line,
};
use crate::{
    chain::types::{B256, random},
    config::WorkerConfig,
    engine::Priority,
    prover::{Made, Models, Order, Place, Pool, Progress, Prove, ProveError, Ticket, Workshop},
};

/// How often the queue is asked without being told that there is something.
const LOOK: Duration = Duration::from_secs(1);
/// How often the list of models is read.
const LIST: Duration = Duration::from_secs(10);
/// How long a job rests that this worker may not take.
const NOT_MINE: Duration = Duration::from_millis(500);

/// A worker. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Worker(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    id: String,
    config: WorkerConfig,
    link: Link,
    pool: Pool,
    loaded: Mutex<BTreeMap<B256, Arc<dyn Prove>>>,
    /// What can't be proven here, so that it isn't tried for ever.
    refused: Mutex<BTreeSet<Volume>>,
    running: Mutex<BTreeMap<String, Ticket>>,
    busy: AtomicUsize,
    bell: Notify,
}

/// The queues of one model.
#[derive(Clone)]
struct Queue {
    prover: Arc<dyn Prove>,
    urgent: PullConsumer,
    normal: PullConsumer,
}

impl Worker {
    /// Begins to connect.
    ///
    /// # Errors
    /// If the configuration's files can't be read.
    pub async fn open(config: WorkerConfig) -> Result<Self, FleetError> {
        let pool = Pool::new(&config.prover, &Models::default())?;
        let link = Link::open(&config.fleet).await?;
        // Two workers of one machine are two.
        let id = format!("{}-{}", config.fleet.name, &random().to_string()[2..10]);
        Ok(Self(Arc::new(Inner {
            id,
            config,
            link,
            pool,
            loaded: Mutex::default(),
            refused: Mutex::default(),
            running: Mutex::default(),
            busy: AtomicUsize::new(0),
            bell: Notify::new(),
        })))
    }

    /// What it is called.
    pub fn id(&self) -> &str {
        &self.0.id
    }

    /// Works until `stop` says so. Proofs in the making then have the configured time; what isn't done goes back to the queue.
    pub async fn run(&self, mut stop: watch::Receiver<bool>) {
        let mut proofs = JoinSet::new();
        tracing::info!(worker = self.0.id, "a worker is there");
        loop {
            let session = async {
                self.0.link.until(true).await;
                let ended = self.0.session(&mut proofs).await;
                if let Err(error) = ended {
                    tracing::warn!("{error}");
                }
                tokio::time::sleep(LOOK).await;
            };
            tokio::select! {
                _ = stop.wait_for(|stop| *stop) => break,
                () = session => {}
            }
        }
        if !proofs.is_empty() {
            tracing::info!(proofs = proofs.len(), "finishing proofs");
        }
        let drained = async { while proofs.join_next().await.is_some() {} };
        if timeout(self.0.config.drain, drained).await.is_err() {
            for ticket in self.0.running().values() {
                ticket.leave();
            }
            let given_back = async { while proofs.join_next().await.is_some() {} };
            // A proof ends as its next phase begins; its job is given back at once.
            let _ = timeout(TIMEOUT, given_back).await;
        }
        if let Ok(stores) = self.0.link.set_up().await {
            let _ = timeout(TIMEOUT, stores.workers.purge(&self.0.id)).await;
        }
        let _ = timeout(TIMEOUT, self.0.link.client.flush()).await;
        tracing::info!("stopped");
    }
}

impl Inner {
    /// Takes jobs until the servers are away.
    async fn session(self: &Arc<Self>, proofs: &mut JoinSet<()>) -> Result<(), FleetError> {
        let stores = self.link.set_up().await?;
        let listen = async |subject: String| {
            let listening = self.link.client.subscribe(subject).await;
            listening.map_err(|e| FleetError::server("listening")(e.into()))
        };
        let mut bells = listen(self.link.names.all_jobs()).await?;
        let mut cancellations = listen(self.link.names.all_cancellations()).await?;
        let hear = async {
            loop {
                tokio::select! {
                    Some(_) = bells.next() => self.bell.notify_one(),
                    Some(message) = cancellations.next() => {
                        if let Some(ticket) = self.running().get(id_of(&message.subject)) {
                            ticket.cancel();
                        }
                    }
                    else => return,
                }
            }
        };
        let beat = async {
            let mut beat = tokio::time::interval(HEARTBEAT);
            loop {
                beat.tick().await;
                self.show(&stores).await;
            }
        };
        let (grown, queues) = watch::channel(Vec::new());
        let collect = async {
            loop {
                if let Err(error) = self.collect(&stores, &grown).await {
                    tracing::warn!("{error}");
                }
                tokio::time::sleep(LIST).await;
            }
        };
        let work = async {
            loop {
                while proofs.try_join_next().is_some() {}
                let some = self.take_one(&queues, proofs).await?;
                if !some {
                    tokio::select! {
                        () = self.bell.notified() => {}
                        () = tokio::time::sleep(LOOK) => {}
                    }
                }
            }
        };
        tokio::select! {
            () = self.link.until(false) => Ok(()),
            () = hear => Ok(()),
            () = beat => Ok(()),
            () = collect => Ok(()),
            ended = work => ended,
        }
    }

    /// Loads models that have come to the store, and opens their queues.
    async fn collect(&self, stores: &Stores, grown: &watch::Sender<Vec<Queue>>) -> Result<(), FleetError> {
        for volume in library::volumes(&stores.models).await? {
            let wanted = library::is_wanted(&self.config.models, volume.model, &volume.title);
            if !wanted || self.loaded().contains_key(&volume.model) || self.refused().contains(&volume) {
                continue;
            }
            match self.load(stores, &volume).await {
                Ok(prover) => {
                    tracing::info!(model = %volume.model, name = volume.title, "serving");
                    self.loaded().insert(volume.model, prover);
                }
                Err(error @ FleetError::Server { .. }) => return Err(error),
                Err(error) => {
                    tracing::warn!("{error}; it is left to others");
                    self.refused().insert(volume);
                }
            }
        }
        let loaded: Vec<_> = self.loaded().iter().map(|(model, prover)| (*model, prover.clone())).collect();
        if loaded.len() == grown.borrow().len() {
            return Ok(());
        }
        let mut queues = Vec::with_capacity(loaded.len());
        for (model, prover) in loaded {
            let queue = |priority| self.link.consumer(&stores.jobs, priority, model, self.config.fleet.ack_wait);
            let (urgent, normal) = (queue(Priority::Urgent).await?, queue(Priority::Normal).await?);
            queues.push(Queue { prover, urgent, normal });
        }
        grown.send_replace(queues);
        self.bell.notify_one();
        self.show(stores).await;
        Ok(())
    }

    async fn load(&self, stores: &Stores, volume: &Volume) -> Result<Arc<dyn Prove>, FleetError> {
        let prover = library::take(&stores.models, volume, &self.config.model, &self.config.prover).await?;
        self.pool.keep(&prover.facts())?;
        Ok(prover)
    }

    /// Takes one job if there are a place and a job: urgent ones first, and no model always first.
    async fn take_one(
        self: &Arc<Self>,
        queues: &watch::Receiver<Vec<Queue>>,
        proofs: &mut JoinSet<()>,
    ) -> Result<bool, FleetError> {
        let mut queues = queues.borrow().clone();
        if !queues.is_empty() {
            let first = usize::from(random()[0]) % queues.len();
            queues.rotate_left(first);
        }
        for priority in [Priority::Urgent, Priority::Normal] {
            let Some(place) = self.pool.admit(priority) else { continue };
            for queue in &queues {
                let consumer = if priority == Priority::Urgent { &queue.urgent } else { &queue.normal };
                if let Some(message) = next(consumer).await? {
                    let (inner, prover) = (self.clone(), queue.prover.clone());
                    proofs.spawn(async move { inner.work(message, prover, priority, place).await });
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    async fn work(&self, message: Message, prover: Arc<dyn Prove>, priority: Priority, place: Place) {
        let id = id_of(&message.subject).to_owned();
        let delivered = message.info().map_or(1, |info| info.delivered);
        let job = match decode::<Job>("a job", &message.payload) {
            Ok(job) if job.id() == id && job.model.0 == prover.model_id() => job,
            read => {
                let why = read.err().map_or_else(|| "it stands in another's place".into(), |e| e.to_string());
                tracing::warn!(id, why, "a job that can't be read is taken out of the queue");
                self.answer(&message, AckKind::Term).await;
                return;
            }
        };
        let most = i64::from(self.config.fleet.deliveries);
        if delivered > most {
            let why = format!(
                "it was given to workers {most} times and none was heard of again: they may lack memory for the model, see their logs"
            );
            let outcome = Outcome::new(&self.id, Duration::ZERO, Err(why));
            self.deliver(&message, &id, &outcome).await;
            return;
        }
        // It comes again while it is being proven if the server was away for long.
        if job.avoid.contains(&self.id) || self.running().contains_key(&id) {
            self.answer(&message, AckKind::Nak(Some(NOT_MINE))).await;
            return;
        }
        let ticket = Ticket::default();
        self.running().insert(id.clone(), ticket.clone());
        let busy = self.busy.fetch_add(1, Ordering::Relaxed) + 1;
        metrics::gauge!("zugzwang_worker_busy_count").set(busy as f64);
        tracing::info!(id, delivered, model = %job.model, "proving");
        self.prove(&message, &id, &job, prover, priority, place, ticket).await;
        self.running().remove(&id);
        let busy = self.busy.fetch_sub(1, Ordering::Relaxed) - 1;
        metrics::gauge!("zugzwang_worker_busy_count").set(busy as f64);
    }

    #[allow(clippy::too_many_arguments, reason = "a job's parts, each from elsewhere")]
    async fn prove(
        &self,
        message: &Message,
        id: &str,
        job: &Job,
        prover: Arc<dyn Prove>,
        priority: Priority,
        place: Place,
        ticket: Ticket,
    ) {
        let said = id.to_owned();
        let tell = Arc::new(move |progress| match progress {
            Progress::Phase(phase) => tracing::debug!(id = said, phase),
            Progress::Trouble(what) => tracing::warn!(id = said, "{what}"),
        });
        let order = Order { prover, input: job.tensor(), request: job.request.0, priority };
        let budget = Duration::from_millis(job.budget_ms);
        let mut making = self.pool.clone().within(budget).prove(place, order, ticket.clone(), tell);
        let mut alive = tokio::time::interval(self.config.fleet.ack_wait / 3);
        let made = loop {
            tokio::select! {
                made = &mut making => break made,
                _ = alive.tick() => self.answer(message, AckKind::Progress).await,
                // It is given back before the proof has come to its next phase.
                () = ticket.left() => break Err(ProveError::Stopped),
            }
        };
        let counted =
            |state: &'static str| metrics::counter!("zugzwang_worker_proofs_total", "state" => state).increment(1);
        let outcome = match made {
            Ok(Made { proof, took, .. }) => {
                counted("proved");
                tracing::info!(id, seconds = took.as_secs_f64(), "proved");
                Outcome::new(&self.id, took, Ok(proof.into()))
            }
            Err(ProveError::Stopped) if ticket.is_cancelled() => {
                counted("cancelled");
                tracing::info!(id, "called off");
                return self.answer(message, AckKind::Term).await;
            }
            Err(ProveError::Stopped) => {
                counted("given back");
                return self.answer(message, AckKind::Nak(None)).await;
            }
            Err(error) => {
                counted("failed");
                tracing::warn!(id, "{error}");
                Outcome::new(&self.id, Duration::ZERO, Err(error.to_string()))
            }
        };
        self.deliver(message, id, &outcome).await;
    }

    /// Stores a result, then takes the job out of the queue. A server that is away is waited for: the proof is made.
    async fn deliver(&self, message: &Message, id: &str, outcome: &Outcome) {
        let payload = encode(outcome);
        loop {
            let stored = async {
                let subject = self.link.names.result(id);
                self.link.context.publish(subject, payload.clone().into()).await?.await
            };
            match timeout(TIMEOUT, stored).await {
                Ok(Ok(_)) => break,
                Ok(Err(error)) => tracing::warn!(id, "a result can't be stored yet: {}", one_line(&error)),
                Err(_) => tracing::warn!(id, "a result can't be stored yet: the server doesn't answer"),
            }
            tokio::time::sleep(LOOK).await;
            self.link.until(true).await;
        }
        // If this is lost, the job comes once more, and its result is stored twice: one replaces the other.
        if let Ok(Err(error)) = timeout(TIMEOUT, message.double_ack()).await {
            tracing::debug!(id, "confirming: {}", one_line(error.as_ref()));
        }
    }

    async fn answer(&self, message: &Message, kind: AckKind) {
        // What isn't heard is made up for: the queue gives the job to somebody again.
        if let Ok(Err(error)) = timeout(TIMEOUT, message.ack_with(kind)).await {
            tracing::debug!("answering the queue: {}", one_line(error.as_ref()));
        }
    }

    /// Says that it is there.
    async fn show(&self, stores: &Stores) {
        let models = self.loaded().keys().copied().collect();
        let presence = Presence::new(&self.id, models, self.config.prover.slots, self.busy.load(Ordering::Relaxed));
        match timeout(TIMEOUT, stores.workers.put(&self.id, encode(&presence).into())).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => tracing::warn!("saying that this worker is there: {}", one_line(&error)),
            Err(_) => tracing::warn!("saying that this worker is there: the server doesn't answer"),
        }
    }

    fn loaded(&self) -> MutexGuard<'_, BTreeMap<B256, Arc<dyn Prove>>> {
        self.loaded.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn refused(&self) -> MutexGuard<'_, BTreeSet<Volume>> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn running(&self) -> MutexGuard<'_, BTreeMap<String, Ticket>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A job, if there is one now.
async fn next(consumer: &PullConsumer) -> Result<Option<Message>, FleetError> {
    let failed = || FleetError::server("taking a job");
    let taken = async {
        let mut batch = consumer.fetch().max_messages(1).messages().await.map_err(|e| failed()(e.into()))?;
        batch.next().await.transpose().map_err(failed())
    };
    timeout(TIMEOUT, taken).await.unwrap_or_else(|e| Err(failed()(e.into())))
}
