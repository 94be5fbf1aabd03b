//! The daemon: one loop that waits, asks the engine and does what it says.
//!
//! ```text
//! watcher ──batch──► engine ──effects──► store ──states──► next_work ──► workshop ─────┐
//!    ▲                                      ▲                    └─────► submitter     │
//!    └── poll ── loop ◄── proof done ───────┴──────────────────────────────────────────┘
//! ```
//! Nothing is remembered outside the store but which proofs are in the making; a restart reads the
//! states and goes on. Sends go one by one, because only this loop sends.

mod apply;
mod error;
mod looks;
mod notice;
pub mod orders;
mod transactions;
mod troubles;
mod work;

use std::{
    collections::{BTreeMap, VecDeque},
    ops::Range,
    sync::Arc,
    time::Duration,
};

use tokio::sync::{mpsc, watch};

use crate::{
    apps::App,
    chain::{ChainError, Client, Keys, hint::Hints, signer, submit::Submitter, types::Address, watcher::Watcher},
    clock::Clock,
    code::Coded,
    config::Config,
    feed::Bulletin,
    prover::{Made, ProveError, Ticket, Workshop},
    store::{Job, JobKey, Pruned, Store, TxState},
};

use self::{transactions::submitters, troubles::Troubles};

pub use error::ServiceError;
pub use notice::{Notice, Observer, Subject, log_only};
use orders::Placed;
pub use orders::{Desk, Done as OrderDone, OrderError, bump, cancel, drop_job, retry};

/// How often the store is looked through for what is over for long.
const PRUNE: Duration = Duration::from_secs(3600);

/// Least time until a job is tried again that can't go on.
const MOMENT: Duration = Duration::from_millis(100);

struct Done {
    job: i64,
    model: [u8; 32],
    ticket: Ticket,
    outputs: Range<usize>,
    made: Result<Made, ProveError>,
}

/// A daemon that is ready to run.
pub struct Service {
    config: Config,
    client: Client,
    apps: Vec<Arc<dyn App>>,
    store: Store,
    /// One for each key, by its name.
    submitters: BTreeMap<String, Submitter>,
    watcher: Watcher,
    workshop: Arc<dyn Workshop>,
    observer: Observer,
    clock: Clock,
    proving: BTreeMap<i64, (Job, Ticket)>,
    /// Jobs that wait until this moment of the steady clock before they are tried again.
    resting: BTreeMap<i64, Duration>,
    /// Jobs that seem to be over by a block that isn't confirmed yet, and its height.
    doubts: BTreeMap<i64, u64>,
    /// How often the contract has refused a job's answer in simulation.
    refusals: BTreeMap<i64, u32>,
    done: (mpsc::UnboundedSender<Done>, mpsc::UnboundedReceiver<Done>),
    /// Proofs that are made and not stored yet: they wait here while the store is in trouble.
    made: VecDeque<Done>,
    /// Bulletins that have come and are not stored yet.
    unstored: Vec<(Address, Bulletin)>,
    troubles: Troubles,
    heartbeat: Duration,
    pruned: Duration,
    desk: (Desk, mpsc::Receiver<Placed>),
    /// Whether the store is somebody else's to close.
    keeps_store_open: bool,
}

impl std::fmt::Debug for Service {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Service")
            .field("apps", &self.apps)
            .field("store", &self.store)
            .field("signers", &self.submitters.values().map(Submitter::address).collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

impl Service {
    /// Checks the genesis, and takes up interrupted work.
    pub async fn start(
        config: Config,
        client: Client,
        keys: impl Into<Keys>,
        apps: Vec<Arc<dyn App>>,
        store: Store,
        workshop: Arc<dyn Workshop>,
        observer: Observer,
    ) -> Result<Self, ServiceError> {
        store.claim_chain(config.chain.chain_id, client.known_block(0).await?.block.hash).await?;
        let submitters = submitters(&config, &keys.into(), &apps, &client, &store)?;
        let signer = submitters.get(signer::DEFAULT).map(Submitter::address).unwrap_or_default();
        let clock = store.clock().clone();
        let watcher = Watcher::new(client.clone(), config.chain.clone());
        let service = Self {
            client,
            apps,
            store,
            submitters,
            watcher,
            workshop,
            observer,
            proving: BTreeMap::new(),
            resting: BTreeMap::new(),
            doubts: BTreeMap::new(),
            refusals: BTreeMap::new(),
            done: mpsc::unbounded_channel(),
            made: VecDeque::new(),
            unstored: Vec::new(),
            troubles: Troubles::default(),
            heartbeat: clock.steady(),
            pruned: clock.steady(),
            desk: Desk::new(),
            keeps_store_open: false,
            clock,
            config,
        };
        service.restart().await?;
        service.take_up().await?;
        service.tell(Notice::Ready {
            signer,
            apps: service.apps.iter().map(|app| (app.name(), app.contract())).collect(),
        });
        Ok(service)
    }

    /// Runs until `stop` says so or something happens that needs a person. A proof in the making
    /// is given up: its job starts again with the next run.
    pub async fn run(mut self, mut stop: watch::Receiver<bool>) -> Result<(), ServiceError> {
        let mut poll = tokio::time::interval(self.config.chain.poll);
        let hints = Hints::listen(self.config.chain.ws.clone());
        poll.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let mut order = None;
            tokio::select! {
                _ = stop.wait_for(|stop| *stop) => break,
                _ = poll.tick() => {}
                _ = hints.next() => {}
                done = self.done.1.recv() => self.made.extend(done),
                placed = self.desk.1.recv() => order = placed,
            }
            if let Some(placed) = order {
                self.carry_out(placed).await;
            }
            match self.turn().await {
                Ok(true) => poll.reset_immediately(),
                Ok(false) => {}
                Err(error) => {
                    self.close_store().await;
                    return Err(error);
                }
            }
        }
        for (_, ticket) in self.proving.values() {
            ticket.leave();
        }
        if let Err(error) = self.send_what_is_signed().await {
            tracing::warn!("not everything that is signed was sent: {error}; the next run sends it");
        }
        self.close_store().await;
        tracing::info!("stopped; open jobs go on with the next run");
        Ok(())
    }

    /// The same service, whose store is left open at its end: others use it too.
    pub fn keeping_store_open(self) -> Self {
        Self { keeps_store_open: true, ..self }
    }

    async fn close_store(&self) {
        if !self.keeps_store_open {
            self.store.close().await;
        }
    }

    /// What is stored, and no node has yet: it is better sent now than by the next run, which may be far.
    async fn send_what_is_signed(&self) -> Result<(), ServiceError> {
        let live = self.store.all_live_transactions(self.config.chain.chain_id).await?;
        for tx in live.iter().filter(|tx| tx.state == TxState::Signed) {
            if let Some(submitter) = self.submitter_by(tx.signer) {
                submitter.broadcast(tx).await?;
            }
        }
        Ok(())
    }

    /// One turn of the loop that [`Service::run`] is: everything that is to be done now. Says whether there is more to be done
    /// at once. Whoever drives a daemon turn by turn decides himself when the next one comes.
    ///
    /// # Errors
    /// What needs a person. Passing trouble is told, and the next turn tries again.
    pub async fn turn(&mut self) -> Result<bool, ServiceError> {
        let done = self.all_in_turn().await;
        let behind = self.let_pass(done)?;
        let beaten = self.beat().await;
        self.let_pass(beaten)?;
        Ok(behind)
    }

    async fn all_in_turn(&mut self) -> Result<bool, ServiceError> {
        self.store_proofs().await?;
        let contracts: Vec<Address> = self.apps.iter().map(|app| app.contract()).collect();
        let batch = self.watcher.poll(&contracts, &self.store).await?;
        let (behind, now, head) = (!batch.caught_up, batch.time, batch.head);
        self.take_in(batch).await?;
        self.follow_transactions().await?;
        self.take_in_news().await?;
        let more = self.start_work().await?;
        if !behind {
            self.look_around(now).await?;
        }
        let cursor = self.store.cursor(self.config.chain.chain_id).await?.map_or(0, |cursor| cursor.number);
        self.tell(Notice::Turn { head, cursor, proving: self.proving.len() });
        Ok(behind || more)
    }

    /// One job's trouble, of whatever kind, must not stop the daemon: others' contracts decide what it reads and what they
    /// refuse. It is told, and the job rests a moment.
    fn let_pass_of(&mut self, job: i64, done: Result<(), ServiceError>) -> Result<(), ServiceError> {
        match done {
            Err(ServiceError::Chain(error)) => {
                self.complain(&error);
                self.rest(job);
                Ok(())
            }
            other => other,
        }
    }

    /// The job is tried again in a moment, and others before it.
    fn rest(&mut self, job: i64) {
        self.resting.insert(job, self.clock.steady() + self.config.chain.poll.max(MOMENT));
    }

    fn app_of(&self, contract: Address) -> Option<&Arc<dyn App>> {
        self.apps.iter().find(|app| app.contract() == contract)
    }

    /// What to call the subject of a job.
    fn subject(&self, key: &JobKey) -> Subject {
        let app = self.app_of(key.contract).map_or("", |app| app.name());
        Subject { app, contract: key.contract, id: key.subject }
    }

    async fn is_asked(&self, job: &Job) -> Result<bool, ServiceError> {
        match self.app_of(job.key.contract) {
            Some(app) => Ok(app.is_asked(job).await?),
            None => Ok(false),
        }
    }

    /// Passing trouble of the node or the store must not end the daemon: it is told, and the next turn does again what this
    /// one left undone.
    fn let_pass<T: Default>(&mut self, done: Result<T, ServiceError>) -> Result<T, ServiceError> {
        match done {
            Err(ServiceError::Chain(error)) if error.is_passing() => {
                self.complain(&error);
                Ok(T::default())
            }
            Err(error) if error.is_passing() => {
                self.complain_of(&error);
                Ok(T::default())
            }
            other => other,
        }
    }

    /// Idle and stuck must not look the same.
    async fn beat(&mut self) -> Result<(), ServiceError> {
        if self.clock.since(self.heartbeat) >= Duration::from_secs(60) {
            self.heartbeat = self.clock.steady();
            let open = self.store.open_jobs(self.config.chain.chain_id).await?.len();
            let block = self.store.cursor(self.config.chain.chain_id).await?.map_or(0, |c| c.number);
            tracing::info!(block, open, proving = self.proving.len(), "alive");
            self.forget_the_old().await?;
        }
        Ok(())
    }

    /// A store must stay small over months.
    async fn forget_the_old(&mut self) -> Result<(), ServiceError> {
        if self.clock.since(self.pruned) < PRUNE {
            return Ok(());
        }
        self.pruned = self.clock.steady();
        let (config, now) = (&self.config.store, self.clock.now_ms());
        let done = self.store.prune(config.keep_proofs_days, config.keep_days, now).await?;
        if done != Pruned::default() {
            tracing::info!(
                proofs = done.proofs,
                versions = done.versions,
                jobs = done.jobs,
                "forgot what is over for long"
            );
        }
        Ok(())
    }

    /// Tells a trouble, unless it was told a moment ago.
    fn complain(&mut self, error: &ChainError) {
        if self.troubles.is_news(error, self.clock.steady()) {
            self.tell(Notice::Trouble { code: error.code(), what: error.to_string() });
        }
    }

    /// The same for a trouble that is not the chain's.
    fn complain_of(&mut self, error: &ServiceError) {
        if self.troubles.is_new_text(error.to_string(), self.clock.steady()) {
            self.tell(Notice::Trouble { code: error.code(), what: error.to_string() });
        }
    }

    fn tell(&self, notice: Notice) {
        notice.log();
        (self.observer)(&notice);
    }
}
