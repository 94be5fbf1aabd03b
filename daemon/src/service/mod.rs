//! The daemon: one loop that waits, asks the engine and does what it says.
//!
//! ```text
//! watcher ──batch──► engine ──effects──► store ──states──► next_work ──► prover pool ──┐
//!    ▲                                      ▲                    └─────► submitter     │
//!    └── poll ── loop ◄── proof done ───────┴──────────────────────────────────────────┘
//! ```
//! Nothing is remembered outside the store but which proofs are in the making; a restart reads the
//! states and goes on. Sends go one by one, because only this loop sends.

mod apply;
mod clocks;
mod notice;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::sync::{mpsc, watch};

use crate::{
    apps::chess,
    chain::{
        ChainError, Client, Key,
        arena::{self, Arena},
        submit::{SubmitError, Submitter, Wish},
        types::{Address, U256},
        watcher::{self, WatchError},
    },
    config::Config,
    engine::{self, Event, Work},
    prover::{Pool, Proof, Prove, ProveError, Ticket},
    store::{Answer, Errand, Job, State, Store, StoreError, Tx, TxState},
};

pub use notice::{Notice, Observer, log_only};

/// Why the daemon stops by itself.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// The node, beyond what trying again mends.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<WatchError> for ServiceError {
    fn from(error: WatchError) -> Self {
        match error {
            WatchError::Chain(e) => Self::Chain(e),
            WatchError::Store(e) => Self::Store(e),
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

struct Done {
    job: i64,
    ticket: Ticket,
    made: Result<(Proof, Duration), ProveError>,
}

/// A daemon that is ready to run.
pub struct Service {
    config: Config,
    client: Client,
    arena: Arena,
    store: Store,
    submitter: Submitter,
    pool: Pool,
    observer: Observer,
    proving: BTreeMap<i64, (Job, Ticket, Instant)>,
    done: (mpsc::UnboundedSender<Done>, mpsc::UnboundedReceiver<Done>),
    trouble: Option<(String, Instant)>,
    heartbeat: Instant,
}

impl std::fmt::Debug for Service {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Service")
            .field("arena", &self.arena)
            .field("store", &self.store)
            .field("signer", &self.submitter.address())
            .finish_non_exhaustive()
    }
}

impl Service {
    /// Connects, checks chain id, genesis and arena, and takes up interrupted work.
    pub async fn start(
        config: Config,
        key: Key,
        prover: Arc<dyn Prove>,
        store: Store,
        observer: Observer,
    ) -> Result<Self, ServiceError> {
        let client = Client::connect_to(&config.chain.rpc, config.chain.chain_id, config.chain.timeout).await?;
        store.claim_chain(config.chain.chain_id, client.known_block(0).await?.block.hash).await?;
        let arena = Arena::open(client.clone(), config.chain.arena).await?;
        let submitter =
            Submitter::new(client.clone(), store.clone(), key, config.submit.clone(), config.chain.finality);
        let pool = Pool::new(prover, config.prover.slots);
        let service = Self {
            client,
            arena,
            store,
            submitter,
            pool,
            observer,
            proving: BTreeMap::new(),
            done: mpsc::unbounded_channel(),
            trouble: None,
            heartbeat: Instant::now(),
            config,
        };
        service.restart().await?;
        service.tell(Notice::Ready {
            signer: service.submitter.address(),
            arena: service.arena.address(),
            model_id: service.pool.prover().model_id(),
        });
        Ok(service)
    }

    /// Runs until `stop` says so or something happens that needs a person. A proof in the making
    /// is given up: its job starts again with the next run.
    pub async fn run(mut self, mut stop: watch::Receiver<bool>) -> Result<(), ServiceError> {
        let mut poll = tokio::time::interval(self.config.chain.poll);
        poll.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let done = tokio::select! {
                _ = stop.wait_for(|stop| *stop) => break,
                _ = poll.tick() => None,
                done = self.done.1.recv() => done,
            };
            let turn = match done {
                Some(done) => self.proof_done(done).await,
                None => Ok(()),
            };
            let turn = match turn {
                Ok(()) => self.turn().await,
                error => error,
            };
            if let Err(error) = self.let_pass(turn) {
                self.store.close().await;
                return Err(error);
            }
            self.beat().await?;
        }
        for (_, ticket, _) in self.proving.values() {
            ticket.cancel();
        }
        self.store.close().await;
        tracing::info!("stopped; open jobs go on with the next run");
        Ok(())
    }

    /// Everything that is to be done now.
    async fn turn(&mut self) -> Result<(), ServiceError> {
        let now = loop {
            let batch = watcher::poll(&self.client, &self.config.chain, &self.store).await?;
            let (caught_up, time) = (batch.caught_up, batch.time);
            self.take_in(batch).await?;
            if caught_up {
                break time;
            }
        };
        self.follow_transactions().await?;
        let open = self.store.open_jobs(self.config.chain.chain_id).await?;
        let busy: BTreeSet<i64> = self.proving.keys().copied().collect();
        for work in engine::next_work(&open, &busy, self.pool.free()) {
            let (Work::Prove(id) | Work::Submit(id)) = work;
            let Some(job) = open.iter().find(|job| job.id == id).cloned() else { continue };
            let done = match work {
                Work::Prove(_) => self.start_proof(job).await,
                Work::Submit(_) => self.submit(job).await,
            };
            self.let_pass(done)?;
        }
        if self.config.claims.timeouts { self.look_at_games(now).await } else { Ok(()) }
    }

    /// Whose games are played.
    fn host(&self) -> Address {
        if self.config.chain.host.is_zero() { self.submitter.address() } else { self.config.chain.host }
    }

    /// One job's passing trouble must not hold up the others: it is told, and tried again with the
    /// next turn.
    fn let_pass(&mut self, done: Result<(), ServiceError>) -> Result<(), ServiceError> {
        match done {
            Err(ServiceError::Chain(error)) if error.is_passing() => {
                self.complain(error.to_string());
                Ok(())
            }
            other => other,
        }
    }

    /// Reads the question from the chain and starts a proof, if it is still asked.
    async fn start_proof(&mut self, job: Job) -> Result<(), ServiceError> {
        let (game, ply) = (job.key.game, job.key.ply);
        let state = self.arena.game(game, None).await?;
        let moot = |why: String| Event::NothingToPlay { ply, why };
        if let Some(how) = &state.ended {
            return self.happened(game, moot(how.clone())).await;
        }
        if state.ply > ply {
            return self.happened(game, moot(format!("the game is at ply {} already", state.ply))).await;
        }
        if !state.asks(ply) {
            // The node is behind the block that asked; the next poll knows more.
            return Ok(());
        }
        let ours = self.pool.prover().model_id();
        if state.model_id.0 != ours {
            return self.happened(game, moot("the game is played by another model".into())).await;
        }
        if state.host != self.host() {
            return self.happened(game, moot(format!("the game is hosted by {}", state.host))).await;
        }
        match chess::is_over(&state.board, state.white_to_move()) {
            Ok(false) => {}
            Ok(true) => {
                let why = "the NPC has no legal move: the human may claim the end of the game";
                return self.happened(game, moot(why.into())).await;
            }
            Err(error) => return self.happened(game, moot(error.to_string())).await,
        }
        let Some(slot) = self.pool.slot() else {
            return Ok(());
        };
        let instances = self.arena.instances(game, self.submitter.address()).await?;
        let mut request = [0u8; 32];
        request[..16].copy_from_slice(&instances[0][16..]);
        request[16..].copy_from_slice(&instances[1][16..]);
        self.happened(game, Event::ProofStarted { ply }).await?;

        let ticket = Ticket::default();
        self.proving.insert(job.id, (job.clone(), ticket.clone(), Instant::now()));
        let (pool, sender, observer, id) = (self.pool.clone(), self.done.0.clone(), self.observer.clone(), job.id);
        tokio::spawn(async move {
            let watched = ticket.clone();
            let on_phase = move |phase| {
                if !watched.is_cancelled() {
                    observer(&Notice::Proving { game, ply, phase });
                }
            };
            let made = pool.prove(slot, state.board.to_tensor(), request, on_phase).await;
            // The receiver is gone when the daemon stops: then the proof is made again.
            let _ = sender.send(Done { job: id, ticket, made });
        });
        Ok(())
    }

    async fn proof_done(&mut self, done: Done) -> Result<(), ServiceError> {
        // A cancelled proof has left the list already; the entry there may be its successor's.
        if done.ticket.is_cancelled() {
            return Ok(());
        }
        let Some((job, _, started)) = self.proving.remove(&done.job) else {
            return Ok(());
        };
        let (game, ply) = (job.key.game, job.key.ply);
        if started.elapsed() > self.config.prover.budget {
            self.tell(Notice::Trouble {
                what: format!(
                    "game {game} ply {ply}: the proof took {:.1} s, over prover.budget_s",
                    started.elapsed().as_secs_f64()
                ),
            });
        }
        match done.made {
            Ok((proof, took)) => {
                let Some(ranking) = proof.instances.get(2).copied() else {
                    return self.happened(game, self.proof_failed(ply, "the proof has no ranking".into())).await;
                };
                let answer = Answer { ranking, proof: proof.bytes };
                let ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
                self.proved(game, Event::Proved { ply, asked: job.block }, &answer, ms).await
            }
            Err(error) => self.happened(game, self.proof_failed(ply, error.to_string())).await,
        }
    }

    fn proof_failed(&self, ply: u64, why: String) -> Event {
        Event::ProofFailed { ply, why, attempts: self.config.prover.attempts }
    }

    /// Simulates, signs and stores, then sends.
    async fn submit(&mut self, job: Job) -> Result<(), ServiceError> {
        let (game, ply) = (job.key.game, job.key.ply);
        let Some(answer) = self.store.answer(job.id).await? else {
            return Ok(());
        };
        let call = self.arena.play_npc(game, ply, answer.ranking, answer.proof);
        let gas = match self.submitter.simulate(&call).await {
            Ok(gas) => gas,
            Err(error) => {
                let Some(why) = arena::refusal(&error) else {
                    return Err(error.into());
                };
                return self.refused(game, ply, why).await;
            }
        };
        let (chain_id, contract) = (job.key.chain_id, job.key.contract);
        let stored = async |write: &mut crate::store::Write| -> Result<(), StoreError> {
            let jobs = write.jobs_of_game(chain_id, contract, game).await?;
            apply::effects(write, &job.key, &engine::step(&jobs, &Event::Stored { ply }), None).await
        };
        let hash = self.submitter.sign_and_store(Errand::Job(job.id), &call, gas, stored).await?;
        self.tell(Notice::Signed { game, ply, hash });
        self.follow_transactions().await
    }

    async fn refused(&mut self, game: U256, ply: u64, why: String) -> Result<(), ServiceError> {
        if arena::is_time_up(&why) {
            return self.happened(game, Event::Over { forfeited: true, how: why }).await;
        }
        let still_asked = self.arena.game(game, None).await?.asks(ply);
        self.happened(game, Event::Refused { ply, why, still_asked }).await
    }

    /// Looks after every transaction that isn't final yet.
    async fn follow_transactions(&mut self) -> Result<(), ServiceError> {
        let live = self.store.live_transactions(self.config.chain.chain_id, self.submitter.address()).await?;
        if live.is_empty() {
            return Ok(());
        }
        let head = self.client.head().await?.block.number;
        for tx in live {
            let done = self.follow(&tx, head).await;
            self.let_pass(done)?;
        }
        Ok(())
    }

    async fn follow(&mut self, tx: &Tx, head: u64) -> Result<(), ServiceError> {
        let job = match tx.errand {
            Some(Errand::Job(id)) => self.store.job_by_id(id).await?,
            Some(Errand::Claim(_)) | None => None,
        };
        let wish = match (tx.errand, job.as_ref().map(|job| job.state)) {
            (Some(Errand::Claim(_)), _) if tx.state == TxState::Included => Wish::Hold,
            (Some(Errand::Claim(row)), _) => self.wish_for_claim(row).await?,
            (_, Some(State::Submitted | State::Included | State::Final)) => Wish::Push,
            (_, Some(State::Seen | State::Proving | State::Proved)) => Wish::Hold,
            (_, Some(State::Moot | State::Forfeited | State::Failed) | None) => Wish::Cancel,
        };
        match self.submitter.follow(tx, head, wish).await? {
            Some(change) => self.transaction_changed(tx, job, &change).await,
            None => Ok(()),
        }
    }

    /// Says the same trouble at most twice a minute.
    fn complain(&mut self, what: String) {
        let repeated =
            self.trouble.as_ref().is_some_and(|(last, at)| *last == what && at.elapsed() < Duration::from_secs(30));
        if !repeated {
            self.tell(Notice::Trouble { what: what.clone() });
            self.trouble = Some((what, Instant::now()));
        }
    }

    /// Idle and stuck must not look the same.
    async fn beat(&mut self) -> Result<(), ServiceError> {
        if self.heartbeat.elapsed() >= Duration::from_secs(60) {
            self.heartbeat = Instant::now();
            let open = self.store.open_jobs(self.config.chain.chain_id).await?.len();
            let block = self.store.cursor(self.config.chain.chain_id).await?.map_or(0, |c| c.number);
            tracing::info!(block, open, proving = self.proving.len(), "alive");
        }
        Ok(())
    }

    fn tell(&self, notice: Notice) {
        notice.log();
        (self.observer)(&notice);
    }
}
