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
mod looks;
mod notice;
pub mod orders;
mod quiet;
mod transactions;
mod troubles;

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    ops::Range,
    sync::Arc,
    time::Duration,
};

use tokio::sync::{mpsc, watch};

use crate::{
    apps::{App, AppError, Question, Reply, Task},
    chain::{
        ChainError, Client, Keys, contract,
        hint::Hints,
        signer,
        submit::{SubmitError, Submitter},
        types::Address,
        watcher::{WatchError, Watcher},
    },
    clock::Clock,
    code::{Code, Coded},
    config::Config,
    engine::{self, Event, Priority, Work},
    feed::Bulletin,
    prover::{Made, Order, Progress, ProveError, Ticket, Workshop},
    store::{Answer, Errand, Job, JobKey, Pruned, State, Store, StoreError, TxState},
};

use self::{transactions::submitters, troubles::Troubles};

pub use notice::{Notice, Observer, Subject, log_only};
use orders::Placed;
pub use orders::{Desk, Done as OrderDone, OrderError, bump, cancel, drop_job, retry};

/// Why the daemon stops by itself.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// The node, beyond what trying again mends.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An app can't do its work with what the configuration names.
    #[error("{0}")]
    Lacking(String),
}

crate::code::codes!(ServiceError { Lacking = 105; Chain, Store });

impl ServiceError {
    /// Whether trying again may mend it.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Chain(error) => error.is_passing(),
            Self::Store(error) => error.is_passing(),
            Self::Lacking(_) => false,
        }
    }
}

impl From<WatchError> for ServiceError {
    fn from(error: WatchError) -> Self {
        match error {
            WatchError::Chain(e) => Self::Chain(e),
            WatchError::Store(e) => Self::Store(e),
        }
    }
}

impl From<AppError> for ServiceError {
    fn from(error: AppError) -> Self {
        match error {
            AppError::Chain(e) => Self::Chain(e),
            AppError::Store(e) => Self::Store(e),
            e @ AppError::Lacking { .. } => Self::Lacking(e.to_string()),
        }
    }
}

impl From<SubmitError> for ServiceError {
    fn from(error: SubmitError) -> Self {
        match error {
            SubmitError::Chain(e) => Self::Chain(e),
            SubmitError::Store(e) => Self::Store(e),
        }
    }
}

/// How often the store is looked through for what is over for long.
const PRUNE: Duration = Duration::from_secs(3600);

/// Least time until a job is tried again that can't go on.
const MOMENT: Duration = Duration::from_millis(100);

/// Jobs of a state and a priority that are started in one turn. Where there are more the next turn comes at once; in between
/// the chain is looked at, and what has become urgent goes first.
const AT_ONCE: usize = 4;

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

    /// Starts what is to be done next; whether there may be more of it.
    async fn start_work(&mut self) -> Result<bool, ServiceError> {
        let contracts: Vec<Address> = self.apps.iter().map(|app| app.contract()).collect();
        let most = AT_ONCE + self.proving.len();
        let proving = self.store.oldest_jobs(self.config.chain.chain_id, State::Proving, &contracts, most).await?;
        if proving.iter().any(|job| self.is_stranded(job)) {
            self.restart().await?;
        }
        let now = self.clock.steady();
        self.resting.retain(|_, until| *until > now);
        let busy: BTreeSet<i64> = self.proving.keys().chain(self.resting.keys()).copied().collect();
        let open = self.next_jobs(&busy).await?;
        let priority = |job: &Job| self.app_of(job.key.contract).map_or(Priority::Normal, |app| app.priority());
        let (mut submitted, before) = (0, self.proving.len());
        for work in engine::next_work(&open, &busy, priority) {
            let (Work::Prove(id) | Work::Submit(id)) = work;
            let Some(job) = open.iter().find(|job| job.id == id).cloned() else { continue };
            // The job of an app that is not configured any more waits until it is again.
            let Some(app) = self.app_of(job.key.contract).cloned() else { continue };
            let done = match work {
                Work::Prove(_) => self.start_proof(&app, job).await,
                Work::Submit(_) if submitted == AT_ONCE => continue,
                Work::Submit(_) => {
                    submitted += 1;
                    self.submit(&app, job).await
                }
            };
            self.let_pass_of(id, done)?;
        }
        Ok(submitted >= AT_ONCE || self.proving.len() >= before + AT_ONCE)
    }

    /// Of each priority the oldest jobs that are to be proven or sent, `busy` ones aside.
    async fn next_jobs(&self, busy: &BTreeSet<i64>) -> Result<Vec<Job>, ServiceError> {
        let mut next = Vec::new();
        for priority in [Priority::Urgent, Priority::Normal] {
            let apps = self.apps.iter().filter(|app| app.priority() == priority);
            let contracts: Vec<Address> = apps.map(|app| app.contract()).collect();
            for state in [State::Proved, State::Seen] {
                let most = AT_ONCE + busy.len();
                next.extend(self.store.oldest_jobs(self.config.chain.chain_id, state, &contracts, most).await?);
            }
        }
        Ok(next)
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

    /// Reads the question from the chain and starts a proof, if it is still asked.
    async fn start_proof(&mut self, app: &Arc<dyn App>, job: Job) -> Result<(), ServiceError> {
        let (key, round) = (job.key, job.key.round);
        let Some(place) = self.workshop.admit(app.priority()) else {
            return Ok(());
        };
        let task = match app.question(&job).await? {
            Question::Prove(task) => task,
            Question::Nothing { why } => return self.nothing_to_answer(&job, why).await,
            Question::NotYet => {
                self.rest(job.id);
                return Ok(());
            }
        };
        self.doubts.remove(&job.id);
        self.happened(key, Event::ProofStarted { round }).await?;

        let ticket = Ticket::default();
        let (id, subject) = (job.id, self.subject(&key));
        self.proving.insert(id, (job, ticket.clone()));
        let (watched, observer) = (ticket.clone(), self.observer.clone());
        let tell = Arc::new(move |progress| match progress {
            Progress::Phase(phase) if watched.is_wanted() => observer(&Notice::Proving { subject, round, phase }),
            Progress::Phase(_) => {}
            Progress::Trouble(what) => {
                let what = format!("{subject} round {round}: {what}");
                let notice = Notice::Trouble { code: Code::PROVER, what };
                notice.log();
                observer(&notice);
            }
        });
        let Task { prover, input, request, outputs } = task;
        let model = prover.model_id();
        let order = Order { prover, input, request, priority: app.priority() };
        let making = self.workshop.prove(place, order, ticket.clone(), tell);
        let sender = self.done.0.clone();
        tokio::spawn(async move {
            let made = making.await;
            // The receiver is gone when the daemon stops: then the proof is made again.
            let _ = sender.send(Done { job: id, model, ticket, outputs, made });
        });
        Ok(())
    }

    async fn nothing_to_answer(&mut self, job: &Job, why: String) -> Result<(), ServiceError> {
        if !self.is_confirmed(job).await? {
            return Ok(());
        }
        self.happened(job.key, Event::NothingToAnswer { round: job.key.round, why }).await
    }

    /// Whether the chain has said for so long that nothing is to be answered that the watcher has read the block that says so.
    /// Until then that block may go again without a trace, and the job rests to be asked once more.
    async fn is_confirmed(&mut self, job: &Job) -> Result<bool, ServiceError> {
        let cursor = self.store.cursor(job.key.chain_id).await?.map_or(0, |cursor| cursor.number);
        let said_at = match self.doubts.get(&job.id) {
            Some(height) => *height,
            None => self.client.head().await?.block.number,
        };
        if cursor < said_at {
            self.doubts.insert(job.id, said_at);
            self.rest(job.id);
            return Ok(false);
        }
        Ok(true)
    }

    /// A proof is forgotten only once it is stored.
    async fn store_proofs(&mut self) -> Result<(), ServiceError> {
        while let Ok(done) = self.done.1.try_recv() {
            self.made.push_back(done);
        }
        while let Some(done) = self.made.pop_front() {
            if let Err(error) = self.proof_done(&done).await {
                self.made.push_front(done);
                return Err(error);
            }
            // A cancelled proof has left the list already; the entry there may be its successor's.
            if !done.ticket.is_cancelled() {
                self.proving.remove(&done.job);
            }
        }
        Ok(())
    }

    /// Whether a job's proof should be in the making and isn't: the store broke down while it said that it had stored so.
    fn is_stranded(&self, job: &Job) -> bool {
        job.state == State::Proving && !self.proving.contains_key(&job.id)
    }

    async fn proof_done(&mut self, done: &Done) -> Result<(), ServiceError> {
        if done.ticket.is_cancelled() {
            return Ok(());
        }
        let Some((job, _)) = self.proving.get(&done.job).cloned() else {
            return Ok(());
        };
        let (key, round) = (job.key, job.key.round);
        let failed = |why: String| Event::ProofFailed { round, why, attempts: self.config.prover.attempts };
        match &done.made {
            Ok(Made { proof, took, .. }) => {
                let Some(outputs) = proof.instances.get(done.outputs.clone()).map(<[_]>::to_vec) else {
                    return self.happened(key, failed("the proof has no outputs".into())).await;
                };
                let ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
                self.proved(&job, done.model, &Answer { outputs, proof: proof.bytes.clone() }, ms).await
            }
            Err(error) => {
                let (subject, why) = (self.subject(&key), error.to_string());
                self.tell(Notice::ProofFailed { subject, round, code: error.code(), why: why.clone() });
                self.happened(key, failed(why)).await
            }
        }
    }

    /// Simulates, signs and stores, then sends.
    async fn submit(&mut self, app: &Arc<dyn App>, job: Job) -> Result<(), ServiceError> {
        let (key, round) = (job.key, job.key.round);
        let Some(answer) = self.store.answer(job.id).await? else {
            return self.happened(key, Event::ProofLost { round }).await;
        };
        let earlier = self.store.transactions_of(Errand::Job(job.id)).await?;
        if earlier.iter().any(|tx| tx.state == TxState::Included && tx.mined.is_some_and(|mined| mined.ok)) {
            // An earlier answer is in a block: what becomes of it decides.
            self.rest(job.id);
            return Ok(());
        }
        let call = match app.reply(&job, &answer).await? {
            Reply::Send(call) => call,
            Reply::NotYet => {
                self.rest(job.id);
                return Ok(());
            }
            Reply::Nothing { why } => return self.happened(key, Event::Declined { round, why }).await,
        };
        let submitter = self.submitter_of(key.contract)?.clone();
        let gas = match submitter.simulate(&call).await {
            Ok(gas) => {
                self.doubts.remove(&job.id);
                gas
            }
            Err(error) => {
                let Some(why) = contract::refusal(&error, app.words()) else {
                    return Err(error.into());
                };
                if app.is_forfeited(&why) {
                    return match self.is_confirmed(&job).await? {
                        true => self.happened(key, Event::Over { forfeited: true, how: why }).await,
                        false => Ok(()),
                    };
                }
                let still_asked = app.is_asked(&job).await?;
                // Another node's state, or a block that comes and goes, may have said so.
                let refusals = self.refusals.entry(job.id).or_default();
                *refusals += 1;
                if still_asked && *refusals < self.config.prover.attempts {
                    self.rest(job.id);
                    return Ok(());
                }
                if !still_asked && !self.is_confirmed(&job).await? {
                    return Ok(());
                }
                return self.happened(key, Event::Refused { round, why, still_asked }).await;
            }
        };
        let stored = async |write: &mut crate::store::Write| -> Result<(), StoreError> {
            let jobs = write.jobs_of(key.chain_id, key.contract, key.subject).await?;
            apply::effects(write, &key, &engine::step(&jobs, &Event::Stored { round }), None).await
        };
        let hash = submitter.sign_and_store(Errand::Job(job.id), &call, gas, stored).await?;
        self.troubles.over(&submitter.address().to_string());
        self.tell(Notice::Signed { subject: self.subject(&key), round, hash });
        self.broadcast(Errand::Job(job.id)).await
    }

    /// Sends at once what was just stored for an errand; if that fails, the next look at it does.
    async fn broadcast(&self, errand: Errand) -> Result<(), ServiceError> {
        let stored = self.store.transactions_of(errand).await?;
        for tx in stored.iter().filter(|tx| matches!(tx.state, TxState::Signed | TxState::Broadcast)) {
            if let Some(submitter) = self.submitter_by(tx.signer) {
                submitter.broadcast(tx).await?;
            }
        }
        Ok(())
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
