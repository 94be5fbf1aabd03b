//! Applies the engine's effects: to the store in one transaction, then to the outside.

use super::{Notice, Service, ServiceError};
use crate::{
    chain::{
        arena::{ArenaEvent, Seen},
        submit::{self, Change},
        types::U256,
        watcher::Batch,
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
            Effect::Ask { ply, block } => write.ask(&JobKey { ply: *ply, ..*key }, *block).await?,
            Effect::Set { job, state: State::Proved, .. } if let Some((answer, ms)) = proof => {
                write.set_proved(*job, answer, ms).await?
            }
            Effect::Set { job, state, note } => write.set_state(*job, *state, note).await?,
            Effect::Cancel { .. } | Effect::Report { .. } => {}
        }
    }
    Ok(())
}

/// When a game is to be looked at after an event, if the event says so: at once, or (`Some(None)`) never again.
fn look_at(event: &ArenaEvent) -> Option<Option<u64>> {
    match event {
        ArenaEvent::Created { .. } | ArenaEvent::NpcMoved { .. } => Some(Some(0)),
        ArenaEvent::Over { .. } => Some(None),
        // The NPC's answer is what sets the human's clock going again.
        ArenaEvent::HumanMoved { .. } => None,
    }
}

impl Service {
    fn key(&self, game: U256, ply: u64) -> JobKey {
        JobKey { chain_id: self.config.chain.chain_id, contract: self.arena.address(), game, ply }
    }

    /// A proof that was interrupted by the last stop starts again.
    pub(super) async fn restart(&self) -> Result<(), ServiceError> {
        let open = self.store.open_jobs(self.config.chain.chain_id).await?;
        let decided = engine::step(&open, &Event::Restarted);
        let mut write = self.store.write().await?;
        effects(&mut write, &self.key(U256::ZERO, 0), &decided, None).await?;
        write.commit().await?;
        if !open.is_empty() {
            tracing::info!(open = open.len(), "going on with open jobs");
        }
        Ok(())
    }

    /// One event of one game.
    pub(super) async fn happened(&mut self, game: U256, event: Event) -> Result<(), ServiceError> {
        let mut write = self.store.write().await?;
        let jobs = write.jobs_of_game(self.config.chain.chain_id, self.arena.address(), game).await?;
        let decided = engine::step(&jobs, &event);
        effects(&mut write, &self.key(game, 0), &decided, None).await?;
        write.commit().await?;
        self.outside(&jobs, &decided);
        Ok(())
    }

    /// A proof with the event that says so.
    pub(super) async fn proved(
        &mut self,
        game: U256,
        event: Event,
        answer: &Answer,
        ms: u64,
    ) -> Result<(), ServiceError> {
        let mut write = self.store.write().await?;
        let jobs = write.jobs_of_game(self.config.chain.chain_id, self.arena.address(), game).await?;
        let decided = engine::step(&jobs, &event);
        effects(&mut write, &self.key(game, 0), &decided, Some((answer, ms))).await?;
        write.commit().await?;
        if let (Event::Proved { ply, .. }, false) = (&event, decided.is_empty()) {
            self.tell(Notice::Proved { game, ply: *ply, ms, ranking: answer.ranking });
        }
        Ok(())
    }

    /// A batch of the watcher: undo, blocks and consequences in one transaction.
    pub(super) async fn take_in(&mut self, batch: Batch) -> Result<(), ServiceError> {
        if batch.is_empty() {
            return Ok(());
        }
        let chain_id = self.config.chain.chain_id;
        let mut after: Vec<(Vec<Job>, Vec<Effect>)> = Vec::new();
        let mut asked: Vec<(U256, u64)> = Vec::new();
        let mut write = self.store.write().await?;
        if let Some(ancestor) = batch.undo {
            let jobs = write.jobs_above(chain_id, ancestor.number).await?;
            let decided = engine::step(&jobs, &Event::Undone { above: ancestor.number });
            effects(&mut write, &self.key(U256::ZERO, 0), &decided, None).await?;
            write.look_at_games_above(chain_id, ancestor.number).await?;
            write.undo_to(chain_id, ancestor).await?;
            after.push((jobs, decided));
        }
        for seen in &batch.events {
            if let Some(look_at) = look_at(&seen.event) {
                write.watch(chain_id, self.arena.address(), seen.game, seen.block.number, look_at).await?;
            }
            let Some(event) = self.event_of(&mut write, seen).await? else {
                continue;
            };
            let jobs = write.jobs_of_game(chain_id, self.arena.address(), seen.game).await?;
            let decided = engine::step(&jobs, &event);
            effects(&mut write, &self.key(seen.game, 0), &decided, None).await?;
            asked.extend(decided.iter().filter_map(|effect| match effect {
                Effect::Ask { ply, .. } => Some((seen.game, *ply)),
                _ => None,
            }));
            after.push((jobs, decided));
        }
        for block in &batch.blocks {
            write.advance(chain_id, *block, self.config.chain.max_reorg).await?;
        }
        write.commit().await?;
        if let Some(ancestor) = batch.undo {
            self.tell(Notice::Undone { to: ancestor.number });
        }
        for (game, ply) in asked {
            self.tell(Notice::Asked { game, ply });
        }
        for (jobs, decided) in after {
            self.outside(&jobs, &decided);
        }
        Ok(())
    }

    async fn event_of(&self, write: &mut Write, seen: &Seen) -> Result<Option<Event>, StoreError> {
        Ok(match &seen.event {
            ArenaEvent::Created { npc_is_white: true } => Some(Event::Turn { ply: 0, block: seen.block }),
            ArenaEvent::Created { npc_is_white: false } => None,
            ArenaEvent::HumanMoved { ply } => Some(Event::Turn { ply: ply.saturating_add(1), block: seen.block }),
            ArenaEvent::NpcMoved { .. } if write.is_ours(seen.tx).await? => None,
            ArenaEvent::NpcMoved { ply } => Some(Event::AnsweredByOther { ply: *ply }),
            ArenaEvent::Over { forfeited, how } => Some(Event::Over { forfeited: *forfeited, how: how.clone() }),
        })
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
                tx.attempts.iter().any(|a| a.hash == *hash && self.submitter.is_cancellation(a))
            }
            _ => false,
        };
        let event = match (&job, change) {
            (None, _) => None,
            (Some(_), Change::Included { .. }) if cancelled => None,
            (Some(job), Change::Included { mined, .. }) if mined.ok => Some(Event::Mined { ply: job.key.ply }),
            (Some(job), Change::Included { mined, .. }) => {
                let still_asked = self.arena.game(job.key.game, None).await?.asks(job.key.ply);
                Some(Event::Refused {
                    ply: job.key.ply,
                    why: format!("the transaction was mined in block {} but reverted", mined.block.number),
                    still_asked,
                })
            }
            (Some(job), Change::Unmined) => Some(Event::Unmined { ply: job.key.ply }),
            (Some(job), Change::Final { mined }) => mined.ok.then_some(Event::Deep { ply: job.key.ply }),
            (Some(job), Change::Dropped) => Some(Event::NonceLost { ply: job.key.ply }),
        };
        let mut write = self.store.write().await?;
        submit::store_change(&mut write, tx.id, change).await?;
        let mut after = None;
        if let (Some(job), Some(event)) = (&job, &event) {
            let jobs = write.jobs_of_game(job.key.chain_id, job.key.contract, job.key.game).await?;
            let decided = engine::step(&jobs, event);
            effects(&mut write, &job.key, &decided, None).await?;
            after = Some((jobs, decided));
        }
        write.commit().await?;
        if let (Some(job), Change::Included { hash, mined }) = (&job, change)
            && mined.ok
            && !cancelled
        {
            self.tell(Notice::Mined {
                game: job.key.game,
                ply: job.key.ply,
                hash: *hash,
                gas: mined.gas_used,
                block: mined.block.number,
            });
        }
        if let (Some(Errand::Claim(id)), Change::Included { hash, mined }) = (tx.errand, change)
            && mined.ok
            && !cancelled
        {
            let game = self.store.game_of(id).await?;
            self.tell(Notice::Claimed { game, hash: *hash, gas: mined.gas_used, block: mined.block.number });
        }
        if let Some((jobs, decided)) = after {
            self.outside(&jobs, &decided);
        }
        Ok(())
    }

    /// The effects that aren't in the store.
    fn outside(&mut self, jobs: &[Job], decided: &[Effect]) {
        for effect in decided {
            match effect {
                Effect::Cancel { job } => {
                    if let Some((_, ticket, _)) = self.proving.remove(job) {
                        ticket.cancel();
                    }
                }
                Effect::Set { job, state: state @ (State::Moot | State::Forfeited | State::Failed), note } => {
                    if let Some(job) = jobs.iter().find(|j| j.id == *job) {
                        self.tell(Notice::Ended {
                            game: job.key.game,
                            ply: job.key.ply,
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
