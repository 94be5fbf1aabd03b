//! From a question to a proof, and from a proof to a transaction: what is started, and what becomes of it.

use std::{collections::BTreeSet, sync::Arc};

use super::{Done, Notice, Service, ServiceError, apply};
use crate::{
    apps::{App, Question, Reply, Task},
    chain::{contract, types::Address},
    code::{Code, Coded},
    engine::{self, Event, Priority, Work},
    prover::{Made, Order, Progress, Ticket},
    store::{Answer, Errand, Job, State, StoreError, TxState},
};

/// Jobs of a state and a priority that are started in one turn. Where there are more the next turn comes at once; in between
/// the chain is looked at, and what has become urgent goes first.
const AT_ONCE: usize = 4;

impl Service {
    /// Starts what is to be done next; whether there may be more of it.
    pub(super) async fn start_work(&mut self) -> Result<bool, ServiceError> {
        let contracts: Vec<Address> = self.apps.iter().map(|app| app.contract()).collect();
        let most = AT_ONCE + self.proving.len();
        let proving = self.store.oldest_jobs(self.config.chain.chain_id, State::Proving, &contracts, most).await?;
        if proving.iter().any(|job| self.is_stranded(job)) {
            self.restart().await?;
        }
        let now = self.clock.steady();
        self.resting.retain(|_, until| *until > now);
        self.forget_what_ended().await?;
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

    /// What was doubted or refused of a job counts no more once it has ended: it may be asked again.
    async fn forget_what_ended(&mut self) -> Result<(), ServiceError> {
        let known: BTreeSet<i64> = self.doubts.keys().chain(self.refusals.keys()).copied().collect();
        for id in known {
            if !self.store.job_by_id(id).await?.is_some_and(|job| job.state.is_open()) {
                self.doubts.remove(&id);
                self.refusals.remove(&id);
            }
        }
        Ok(())
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
    pub(super) async fn is_confirmed(&mut self, job: &Job) -> Result<bool, ServiceError> {
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
    pub(super) async fn store_proofs(&mut self) -> Result<(), ServiceError> {
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
    pub(super) async fn broadcast(&self, errand: Errand) -> Result<(), ServiceError> {
        let stored = self.store.transactions_of(errand).await?;
        for tx in stored.iter().filter(|tx| matches!(tx.state, TxState::Signed | TxState::Broadcast)) {
            if let Some(submitter) = self.submitter_by(tx.signer) {
                submitter.broadcast(tx).await?;
            }
        }
        Ok(())
    }
}
