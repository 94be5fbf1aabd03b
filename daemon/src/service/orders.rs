//! What a person asks of the daemon: a job tried again or dropped, a transaction pushed or cancelled, a block read again.
//!
//! A running daemon does it between two turns of its loop, so that there is still one writer; of a stopped one the store is
//! changed by the command itself, through the same functions.

use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, oneshot};

use super::{Notice, Service, ServiceError, apply};
use crate::{
    chain::{ChainError, watcher},
    config::{KeyConfig, SubmitConfig},
    engine::{self, Effect, Event},
    store::{Errand, Job, JobKey, State, Store, StoreError, TxState, Wanted},
};

/// Orders that wait for the loop.
const QUEUE: usize = 16;

/// What a person asks.
#[derive(Clone, Debug)]
pub enum Order {
    /// Work on a job again that ended without an answer.
    Retry {
        /// Its row.
        job: i64,
    },
    /// Give a job up.
    Drop {
        /// Its row.
        job: i64,
    },
    /// Replace a transaction now by a version that pays more.
    Bump {
        /// Its row.
        tx: i64,
    },
    /// Give a transaction up: its nonce is used by a payment of nothing to ourselves.
    Cancel {
        /// Its row.
        tx: i64,
    },
    /// Read a block's logs again and do what they ask.
    Replay {
        /// Its height.
        block: u64,
        /// Only say what they ask.
        dry_run: bool,
    },
    /// Go on with other limits.
    Policy {
        /// How transactions are priced and limited.
        submit: Box<SubmitConfig>,
        /// The keys, of which the limits count.
        keys: Vec<KeyConfig>,
        /// Tries before a job fails.
        attempts: u32,
    },
}

/// What came of an order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Done {
    /// In words, one line for each thing.
    pub said: Vec<String>,
}

/// Why an order was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum OrderError {
    /// No such job.
    #[error("job {job}: there is none; `zugzwang job list --all` shows all")]
    NoJob {
        /// The row that was asked for.
        job: i64,
    },
    /// A job that isn't at an end, or has its answer.
    #[error("job {job}: it is {state}; only jobs that failed, or are forfeited or moot, are tried again")]
    NotEnded {
        /// Its row.
        job: i64,
        /// Where it stands.
        state: State,
    },
    /// A job that can't be given up any more.
    #[error("job {job}: it is {state}; only jobs that are open and not in a block are dropped")]
    NotOpen {
        /// Its row.
        job: i64,
        /// Where it stands.
        state: State,
    },
    /// No such transaction.
    #[error("transaction {tx}: there is none; `zugzwang tx list --all` shows all")]
    NoTransaction {
        /// The row that was asked for.
        tx: i64,
    },
    /// A transaction that is in a block or lost.
    #[error("transaction {tx}: it is {state}; only transactions that are signed or broadcast can be changed")]
    NotLive {
        /// Its row.
        tx: i64,
        /// Where it stands.
        state: &'static str,
    },
    /// A block whose events aren't stored yet.
    #[error("block {block}: the daemon has read up to block {cursor} only; it comes by itself")]
    NotRead {
        /// The height that was asked for.
        block: u64,
        /// The cursor.
        cursor: u64,
    },
    /// The daemon is ending.
    #[error("the daemon is stopping; try again when it has, or runs again")]
    Stopping,
    /// What the service met.
    #[error(transparent)]
    Service(#[from] ServiceError),
}

crate::code::codes!(OrderError {
    NoJob = 621,
    NotEnded = 622,
    NotOpen = 623,
    NoTransaction = 624,
    NotLive = 625,
    NotRead = 626,
    Stopping = 627;
    Service
});

impl From<StoreError> for OrderError {
    fn from(error: StoreError) -> Self {
        Self::Service(error.into())
    }
}

impl From<ChainError> for OrderError {
    fn from(error: ChainError) -> Self {
        Self::Service(error.into())
    }
}

/// An order with the way back.
pub(super) struct Placed {
    order: Order,
    reply: oneshot::Sender<Result<Done, OrderError>>,
}

/// Where orders to a running service are placed. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Desk(mpsc::Sender<Placed>);

impl Desk {
    /// A desk, and where its orders arrive.
    pub(super) fn new() -> (Self, mpsc::Receiver<Placed>) {
        let (sender, receiver) = mpsc::channel(QUEUE);
        (Self(sender), receiver)
    }

    /// Places an order and waits until it is carried out.
    ///
    /// # Errors
    /// Why it wasn't.
    pub async fn place(&self, order: Order) -> Result<Done, OrderError> {
        let (reply, answer) = oneshot::channel();
        self.0.send(Placed { order, reply }).await.map_err(|_| OrderError::Stopping)?;
        answer.await.map_err(|_| OrderError::Stopping)?
    }
}

impl Service {
    /// Where orders to this service are placed.
    pub fn desk(&self) -> Desk {
        self.desk.0.clone()
    }

    /// Carries out an order and says what came of it.
    pub(super) async fn carry_out(&mut self, placed: Placed) {
        let done = self.obey(placed.order).await;
        if let Err(error) = &done {
            tracing::warn!("an order was not carried out: {error}");
        }
        // Whoever asked may have gone.
        let _ = placed.reply.send(done);
    }

    /// Carries out an order, for a daemon whose loop doesn't run.
    ///
    /// # Errors
    /// Why it wasn't.
    pub async fn obey(&mut self, order: Order) -> Result<Done, OrderError> {
        tracing::info!(?order, "an order of the operator");
        match order {
            Order::Retry { job } => retry(&self.store, self.config.chain.chain_id, job).await,
            Order::Drop { job } => {
                let (done, jobs, decided) = drop_job(&self.store, self.config.chain.chain_id, job).await?;
                self.outside(&jobs, &decided);
                Ok(done)
            }
            Order::Bump { tx } => bump(&self.store, tx).await,
            Order::Cancel { tx } => {
                let (done, after) = cancel(&self.store, self.config.chain.chain_id, tx).await?;
                if let Some((jobs, decided)) = after {
                    self.outside(&jobs, &decided);
                }
                Ok(done)
            }
            Order::Replay { block, dry_run } => self.replay(block, dry_run).await,
            Order::Policy { submit, keys, attempts } => {
                for key in keys {
                    if let Some(submitter) = self.submitters.get_mut(&key.name) {
                        submitter.set_policy(*submit.clone(), key.limits);
                    }
                }
                self.config.submit = *submit;
                self.config.prover.attempts = attempts;
                Ok(Done { said: vec!["the new limits hold from the next turn on".into()] })
            }
        }
    }

    /// Reads a block's logs again. What they ask and has a job already isn't doubled: the engine decides as it did the first
    /// time.
    async fn replay(&mut self, block: u64, dry_run: bool) -> Result<Done, OrderError> {
        let chain_id = self.config.chain.chain_id;
        let cursor = self.store.cursor(chain_id).await?.map_or(0, |cursor| cursor.number);
        if block > cursor {
            return Err(OrderError::NotRead { block, cursor });
        }
        let header = self.client.known_block(block).await?;
        let contracts: Vec<_> = self.apps.iter().map(|app| app.contract()).collect();
        let logs: Vec<_> = watcher::found(self.client.logs_in(&contracts, header.block.hash).await?).collect();
        let mut said = vec![format!("block {block} ({}): {} logs of our contracts", header.block.hash, logs.len())];
        let mut after = Vec::new();
        let mut asked = Vec::new();
        let mut write = self.store.write().await?;
        for found in &logs {
            let Some((key, event)) = self.event_of(&mut write, found).await? else {
                said.push(format!("transaction {}: asks nothing", found.tx));
                continue;
            };
            let jobs = write.jobs_of(chain_id, key.contract, key.subject).await?;
            let decided = engine::step(&jobs, &event);
            said.push(format!("{} round {}: {}", self.subject(&key), key.round, in_words(&decided)));
            apply::effects(&mut write, &key, &decided, None).await?;
            asked.extend(decided.iter().filter_map(|effect| match effect {
                Effect::Ask { round, .. } => Some(JobKey { round: *round, ..key }),
                _ => None,
            }));
            after.push((jobs, decided));
        }
        if dry_run {
            // Dropped without a commit, nothing of it happened.
            said.push("nothing was changed".into());
            return Ok(Done { said });
        }
        write.note_ends(chain_id).await?;
        write.commit().await?;
        for key in asked {
            self.tell(Notice::Asked { subject: self.subject(&key), round: key.round });
        }
        for (jobs, decided) in after {
            self.outside(&jobs, &decided);
        }
        Ok(Done { said })
    }
}

fn in_words(decided: &[Effect]) -> String {
    let words: Vec<String> = decided
        .iter()
        .map(|effect| match effect {
            Effect::Ask { round, .. } => format!("round {round} is asked"),
            Effect::Set { job, state, note } => format!("job {job} becomes {state} {note}").trim_end().to_owned(),
            Effect::Cancel { job } => format!("the proof of job {job} is given up"),
            Effect::Report { job, what } => format!("job {job} is reported: {what}"),
        })
        .collect();
    if words.is_empty() { "nothing new".into() } else { words.join(", ") }
}

/// Applies an event of the operator to a job's subject.
async fn apply_to(store: &Store, job: &Job, event: &Event) -> Result<(Vec<Job>, Vec<Effect>), OrderError> {
    let key = job.key;
    let mut write = store.write().await?;
    let jobs = write.jobs_of(key.chain_id, key.contract, key.subject).await?;
    let decided = engine::step(&jobs, event);
    apply::effects(&mut write, &key, &decided, None).await?;
    write.note_ends(key.chain_id).await?;
    write.commit().await?;
    Ok((jobs, decided))
}

/// Has a job worked on again that ended without an answer.
///
/// # Errors
/// If there is no such job, or it isn't at such an end.
pub async fn retry(store: &Store, chain_id: u64, job: i64) -> Result<Done, OrderError> {
    let found = store.job_by_id(job).await?.filter(|found| found.key.chain_id == chain_id);
    let found = found.ok_or(OrderError::NoJob { job })?;
    let (_, decided) = apply_to(store, &found, &Event::Retried { round: found.key.round }).await?;
    if decided.is_empty() {
        return Err(OrderError::NotEnded { job, state: found.state });
    }
    Ok(Done { said: vec![format!("job {job} is asked again; it was {}", found.state)] })
}

/// Gives a job up.
///
/// # Errors
/// If there is no such job, or it is in a block or at an end.
pub async fn drop_job(store: &Store, chain_id: u64, job: i64) -> Result<(Done, Vec<Job>, Vec<Effect>), OrderError> {
    let found = store.job_by_id(job).await?.filter(|found| found.key.chain_id == chain_id);
    let found = found.ok_or(OrderError::NoJob { job })?;
    let why = "dropped by the operator".to_owned();
    let (jobs, decided) = apply_to(store, &found, &Event::Dropped { round: found.key.round, why }).await?;
    if decided.is_empty() {
        return Err(OrderError::NotOpen { job, state: found.state });
    }
    let mut said = vec![format!("job {job} is dropped; it was {}", found.state)];
    if found.state == State::Submitted {
        said.push("its transaction is replaced by a payment of nothing, if it isn't mined before".into());
    }
    Ok((Done { said }, jobs, decided))
}

/// Has a transaction replaced at the next turn.
///
/// # Errors
/// If there is no such transaction, or it is in a block or lost.
pub async fn bump(store: &Store, tx: i64) -> Result<Done, OrderError> {
    live(store, tx).await?;
    let mut write = store.write().await?;
    write.want(tx, Wanted::Bump).await?;
    write.commit().await?;
    Ok(Done { said: vec![format!("transaction {tx} is replaced by one that pays more, within the caps")] })
}

/// Gives a transaction up, and with it the job that it answers.
///
/// # Errors
/// If there is no such transaction, or it is in a block or lost.
pub async fn cancel(
    store: &Store,
    chain_id: u64,
    tx: i64,
) -> Result<(Done, Option<(Vec<Job>, Vec<Effect>)>), OrderError> {
    let errand = live(store, tx).await?;
    let what = format!("transaction {tx} is replaced by a payment of nothing, if it isn't mined before");
    match errand {
        Some(Errand::Job(job)) => {
            let (done, jobs, decided) = drop_job(store, chain_id, job).await?;
            let said = done.said.into_iter().take(1).chain([what]).collect();
            Ok((Done { said }, Some((jobs, decided))))
        }
        _ => {
            let mut write = store.write().await?;
            write.want(tx, Wanted::Cancel).await?;
            write.commit().await?;
            let again = "its app may send another one at its next look";
            Ok((Done { said: vec![what, again.to_owned()] }, None))
        }
    }
}

/// What a transaction is for that can still be changed.
async fn live(store: &Store, tx: i64) -> Result<Option<Errand>, OrderError> {
    let found = store.transaction(tx).await?.ok_or(OrderError::NoTransaction { tx })?;
    match found.state {
        TxState::Included | TxState::Final | TxState::Dropped => {
            Err(OrderError::NotLive { tx, state: found.state.name() })
        }
        _ => Ok(found.errand),
    }
}
