//! Applies the engine's effects: to the store in one transaction, then to the outside.

use super::{Notice, Service, ServiceError};
use crate::{
    apps::{Next, Occurrence},
    chain::{
        submit::{self, Change},
        types::Address,
        watcher::{self, Batch, Found},
    },
    engine::{self, Effect, Event},
    store::{Answer, Errand, Job, JobKey, State, StoreError, Tx, Write},
};

/// Stores what the engine decided. `proof` is what the state `proved` needs.
pub(super) async fn effects(
    write: &mut Write,
    key: &JobKey,
    effects: &[Effect],
    proof: Option<(&Answer, u64)>,
) -> Result<(), StoreError> {
    for effect in effects {
        match effect {
            Effect::Ask { round, block } => write.ask(&JobKey { round: *round, ..*key }, *block).await?,
            Effect::Set { job, state: State::Proved, .. } if let Some((answer, ms)) = proof => {
                write.set_proved(*job, answer, ms).await?
            }
            Effect::Set { job, state, note } => write.set_state(*job, *state, note).await?,
            Effect::Cancel { .. } | Effect::Report { .. } => {}
        }
    }
    Ok(())
}

impl Service {
    /// A proof that was interrupted by the last stop starts again.
    pub(super) async fn restart(&self) -> Result<(), ServiceError> {
        let mut open = self.store.open_jobs(self.config.chain.chain_id).await?;
        open.retain(|job| !self.proving.contains_key(&job.id));
        let Some(first) = open.first() else { return Ok(()) };
        let decided = engine::step(&open, &Event::Restarted);
        let mut write = self.store.write().await?;
        effects(&mut write, &first.key, &decided, None).await?;
        write.commit().await?;
        tracing::info!(open = open.len(), "going on with open jobs");
        Ok(())
    }

    /// Takes up contracts that the store doesn't follow yet. Where it has a cursor already, what they said before it is read
    /// first: if one of those blocks is undone, the first turn finds out.
    pub(super) async fn take_up(&self) -> Result<(), ServiceError> {
        let chain_id = self.config.chain.chain_id;
        let cursor = self.store.cursor(chain_id).await?;
        let contracts: Vec<Address> = self.apps.iter().map(|app| app.contract()).collect();
        let mut write = self.store.write().await?;
        write.follow_only(chain_id, &contracts).await?;
        write.commit().await?;
        for app in &self.apps {
            let contract = app.contract();
            if self.store.follows(chain_id, contract).await? && !app.is_read_anew() {
                continue;
            }
            let past = match cursor {
                Some(cursor) => watcher::past(&self.client, &self.config.chain, contract, cursor).await?,
                None => Vec::new(),
            };
            let mut write = self.store.write().await?;
            for found in &past {
                if let Some((key, event)) = self.event_of(&mut write, found).await? {
                    let jobs = write.jobs_of(chain_id, key.contract, key.subject).await?;
                    effects(&mut write, &key, &engine::step(&jobs, &event), None).await?;
                }
            }
            write.follow(chain_id, contract).await?;
            write.note_ends(chain_id).await?;
            write.commit().await?;
            if let Some(cursor) = cursor {
                tracing::info!(app = app.name(), %contract, logs = past.len(), to = cursor.number, "taken up");
            }
        }
        Ok(())
    }

    /// One event of one subject.
    pub(super) async fn happened(&mut self, key: JobKey, event: Event) -> Result<(), ServiceError> {
        let mut write = self.store.write().await?;
        let jobs = write.jobs_of(key.chain_id, key.contract, key.subject).await?;
        let decided = engine::step(&jobs, &event);
        effects(&mut write, &key, &decided, None).await?;
        write.note_ends(key.chain_id).await?;
        write.commit().await?;
        self.outside(&jobs, &decided);
        Ok(())
    }

    /// A proof with the event that says so.
    pub(super) async fn proved(
        &mut self,
        job: &Job,
        model: [u8; 32],
        answer: &Answer,
        ms: u64,
    ) -> Result<(), ServiceError> {
        let (key, round) = (job.key, job.key.round);
        let mut write = self.store.write().await?;
        let jobs = write.jobs_of(key.chain_id, key.contract, key.subject).await?;
        let decided = engine::step(&jobs, &Event::Proved { round, asked: job.block });
        effects(&mut write, &key, &decided, Some((answer, ms))).await?;
        write.commit().await?;
        if !decided.is_empty() {
            let (subject, outputs) = (self.subject(&key), answer.outputs.clone());
            self.tell(Notice::Proved { subject, round, model, ms, outputs });
        }
        Ok(())
    }

    /// A batch of the watcher: undo, blocks and consequences in one transaction.
    pub(super) async fn take_in(&mut self, batch: Batch) -> Result<(), ServiceError> {
        if batch.is_empty() {
            return Ok(());
        }
        let chain_id = self.config.chain.chain_id;
        let before = self.store.cursor(chain_id).await?.map_or(0, |cursor| cursor.number);
        let mut after: Vec<(Vec<Job>, Vec<Effect>)> = Vec::new();
        let mut asked: Vec<JobKey> = Vec::new();
        let mut write = self.store.write().await?;
        if let Some(ancestor) = batch.undo {
            write.look_above(chain_id, ancestor.number).await?;
            let jobs = write.jobs_above(chain_id, ancestor.number).await?;
            let decided = engine::step(&jobs, &Event::Undone { above: ancestor.number });
            if let Some(first) = jobs.first() {
                effects(&mut write, &first.key, &decided, None).await?;
            }
            after.push((jobs, decided));
            for job in write.jobs_ended_above(chain_id, ancestor.number).await? {
                let jobs = vec![job];
                let decided = engine::step(&jobs, &Event::Reopened);
                effects(&mut write, &jobs[0].key, &decided, None).await?;
                after.push((jobs, decided));
            }
            write.reopen_above(chain_id, ancestor.number).await?;
            write.undo_to(chain_id, ancestor).await?;
        }
        for found in &batch.logs {
            let Some((key, event)) = self.event_of(&mut write, found).await? else {
                continue;
            };
            let jobs = write.jobs_of(chain_id, key.contract, key.subject).await?;
            let decided = engine::step(&jobs, &event);
            effects(&mut write, &key, &decided, None).await?;
            asked.extend(decided.iter().filter_map(|effect| match effect {
                Effect::Ask { round, .. } => Some(JobKey { round: *round, ..key }),
                _ => None,
            }));
            after.push((jobs, decided));
        }
        for block in &batch.blocks {
            write.advance(chain_id, *block, self.watcher.remembered()).await?;
        }
        write.note_ends(chain_id).await?;
        write.commit().await?;
        if let Some(ancestor) = batch.undo {
            self.tell(Notice::Undone { from: before, to: ancestor.number });
        }
        for key in asked {
            self.tell(Notice::Asked { subject: self.subject(&key), round: key.round });
        }
        for (jobs, decided) in after {
            self.outside(&jobs, &decided);
        }
        Ok(())
    }

    /// What a log means for the jobs of its subject. When it is looked at next is stored at once.
    pub(super) async fn event_of(
        &self,
        write: &mut Write,
        found: &Found,
    ) -> Result<Option<(JobKey, Event)>, ServiceError> {
        let Some(app) = self.app_of(found.log.address()) else { return Ok(None) };
        let Some(told) = app.read(&found.log)? else { return Ok(None) };
        let (chain_id, contract, subject) = (self.config.chain.chain_id, app.contract(), told.subject);
        if let Some((publisher, bulletin)) = &told.bulletin {
            self.keep(write, *publisher, bulletin).await?;
        }
        let look_at = match told.look {
            Next::AsBefore => None,
            Next::Now => Some(Some(0)),
            Next::Never => Some(None),
        };
        if let Some(look_at) = look_at {
            write.watch(chain_id, contract, subject, found.block.number, look_at).await?;
        }
        let (round, event) = match told.what {
            None => return Ok(None),
            Some(Occurrence::Asked { round }) => (round, Event::Asked { round, block: found.block }),
            Some(Occurrence::Answered { .. }) if write.is_ours(found.tx).await? => return Ok(None),
            Some(Occurrence::Answered { round }) => (round, Event::AnsweredByOther { round }),
            Some(Occurrence::Over { forfeited, how }) => (0, Event::Over { forfeited, how }),
        };
        Ok(Some((JobKey { chain_id, contract, subject, round }, event)))
    }

    /// What became of a transaction, and what that means for its job, as one.
    pub(super) async fn transaction_changed(
        &mut self,
        tx: &Tx,
        job: Option<Job>,
        change: &Change,
    ) -> Result<(), ServiceError> {
        let cancelled = match change {
            Change::Included { hash, .. } => {
                tx.attempts.iter().any(|a| a.hash == *hash && submit::is_cancellation(tx, a))
            }
            _ => false,
        };
        let event = match (&job, change) {
            (None, _) => None,
            // Nobody may want the answer any more; but if it was asked for again meanwhile, it needs another nonce.
            (Some(job), Change::Included { .. }) if cancelled => Some(Event::NonceLost { round: job.key.round }),
            (Some(job), Change::Included { mined, .. }) if mined.ok => Some(Event::Mined { round: job.key.round }),
            // In another block it may do what it should: only a deep one decides. Until then it answers as little as an unmined one.
            (Some(job), Change::Included { .. }) => Some(Event::Unmined { round: job.key.round }),
            (Some(job), Change::Unmined) => Some(Event::Unmined { round: job.key.round }),
            (Some(job), Change::Final { mined }) if mined.ok => Some(Event::Deep { round: job.key.round }),
            // Asked again or sent again meanwhile, the job is no longer about this one.
            (Some(job), Change::Final { .. }) if job.state != State::Submitted => None,
            (Some(job), Change::Final { .. }) if !self.is_newest(tx, job).await? => None,
            (Some(job), Change::Final { mined }) => Some(Event::Refused {
                round: job.key.round,
                why: format!("the transaction was mined in block {} but reverted", mined.block.number),
                still_asked: self.is_asked(job).await?,
            }),
            (Some(job), Change::Dropped) => Some(Event::NonceLost { round: job.key.round }),
        };
        let mut write = self.store.write().await?;
        submit::store_change(&mut write, tx.id, change).await?;
        if cancelled {
            write.detach(tx.id).await?;
        }
        let mut after = None;
        if let (Some(job), Some(event)) = (&job, &event) {
            let jobs = write.jobs_of(job.key.chain_id, job.key.contract, job.key.subject).await?;
            let decided = engine::step(&jobs, event);
            effects(&mut write, &job.key, &decided, None).await?;
            write.note_ends(job.key.chain_id).await?;
            after = Some((jobs, decided));
        }
        write.commit().await?;
        if let Change::Included { hash, mined } = change
            && mined.ok
            && !cancelled
        {
            let (hash, gas, block) = (*hash, mined.gas_used, mined.block.number);
            if let Some(job) = &job {
                let (subject, round) = (self.subject(&job.key), job.key.round);
                self.tell(Notice::Mined { subject, round, hash, gas, block });
            }
            if let Some(Errand::Claim(id)) = tx.errand {
                let (contract, subject) = self.store.watched_by_id(id).await?;
                let subject =
                    self.subject(&JobKey { chain_id: self.config.chain.chain_id, contract, subject, round: 0 });
                self.tell(Notice::Claimed { subject, hash, gas, block });
            }
        }
        if let Some((jobs, decided)) = after {
            self.outside(&jobs, &decided);
        }
        Ok(())
    }

    async fn is_newest(&self, tx: &Tx, job: &Job) -> Result<bool, ServiceError> {
        let all = self.store.transactions_of(Errand::Job(job.id)).await?;
        Ok(all.last().is_none_or(|newest| newest.id == tx.id))
    }

    /// The effects that aren't in the store.
    pub(super) fn outside(&mut self, jobs: &[Job], decided: &[Effect]) {
        for effect in decided {
            match effect {
                Effect::Cancel { job } => {
                    if let Some((_, ticket)) = self.proving.remove(job) {
                        ticket.cancel();
                    }
                }
                Effect::Set { job, state: State::Final, .. } => {
                    if let Some(job) = jobs.iter().find(|j| j.id == *job) {
                        self.tell(Notice::Settled { subject: self.subject(&job.key), round: job.key.round });
                    }
                }
                Effect::Set { job, state: state @ (State::Moot | State::Forfeited | State::Failed), note } => {
                    if let Some(job) = jobs.iter().find(|j| j.id == *job) {
                        self.tell(Notice::Ended {
                            subject: self.subject(&job.key),
                            round: job.key.round,
                            state: *state,
                            why: note.clone(),
                        });
                    }
                }
                _ => {}
            }
        }
    }
}
