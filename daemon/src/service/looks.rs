//! Looks at subjects at times of the chain's clock: what an app decides of one is asked, sent and stored here.

use std::sync::Arc;

use super::{Notice, Service, ServiceError, apply};
use crate::{
    apps::{App, Look},
    chain::{
        contract,
        submit::{Call, Wish},
        types::Address,
    },
    code::Code,
    engine::{self, Event},
    feed::Bulletin,
    store::{Errand, JobKey, State, StoreError, TxState, Watched, Write},
};

/// Transactions without proofs that may wait for a block at a time.
const MOST_SENT: usize = 4;
/// Seconds until a subject is looked at again whose transaction the contract refuses.
const LATER: u64 = 60;

impl Service {
    /// Takes in what came from outside the chain.
    pub(super) async fn take_in_news(&mut self) -> Result<(), ServiceError> {
        for app in self.apps.clone() {
            let news = app.news().await?;
            for what in news.troubles {
                self.tell(Notice::Trouble { code: Code::FEED, what });
            }
            // The source doesn't bring them again, so that they wait here for the store.
            self.unstored.extend(news.bulletins);
        }
        if !self.unstored.is_empty() {
            let mut write = self.store.write().await?;
            for (publisher, bulletin) in &self.unstored {
                self.keep(&mut write, *publisher, bulletin).await?;
            }
            write.commit().await?;
            self.unstored.clear();
        }
        Ok(())
    }

    /// Stores a bulletin, and has every subject looked at if it is new.
    pub(super) async fn keep(
        &self,
        write: &mut Write,
        publisher: Address,
        bulletin: &Bulletin,
    ) -> Result<(), StoreError> {
        if write.add_bulletin(publisher, bulletin).await? {
            for app in self.apps.iter().filter(|app| app.reads_bulletins()) {
                write.look_now(self.config.chain.chain_id, app.contract()).await?;
            }
            tracing::info!(%publisher, feed = %bulletin.feed_id, sequence = bulletin.sequence, text = bulletin.text.as_str(), "bulletin");
        }
        Ok(())
    }

    /// Looks at every subject whose time has come. `now` is the time of the chain's newest block.
    pub(super) async fn look_around(&mut self, now: u64) -> Result<(), ServiceError> {
        for app in self.apps.clone().iter().filter(|app| app.looks()) {
            for watched in self.store.due(self.config.chain.chain_id, app.contract(), now).await? {
                match self.look_at(app, watched, now).await {
                    Err(ServiceError::Chain(error)) => {
                        self.complain(&error);
                        self.look_again(watched, Some(now.saturating_add(LATER))).await?;
                    }
                    done => done?,
                }
            }
        }
        Ok(())
    }

    async fn look_at(&mut self, app: &Arc<dyn App>, watched: Watched, now: u64) -> Result<(), ServiceError> {
        match app.look(watched.subject, watched.claimed, now).await? {
            Look::Never => self.look_again(watched, None).await,
            Look::At(time) => self.look_again(watched, Some(time)).await,
            Look::Ask { round, again } => self.ask(app, watched, round, again).await,
            Look::Send { call, what, again } => self.send(app, watched, &call, what, again, now).await,
        }
    }

    async fn look_again(&self, watched: Watched, at: Option<u64>) -> Result<(), ServiceError> {
        let mut write = self.store.write().await?;
        write.look_again(watched.id, at).await?;
        Ok(write.commit().await?)
    }

    /// A question that no event of the contract announces. It is asked once: what has a job already, answered or failed, is left
    /// to it, unless its block was undone.
    async fn ask(&mut self, app: &Arc<dyn App>, watched: Watched, round: u64, again: u64) -> Result<(), ServiceError> {
        let chain_id = self.config.chain.chain_id;
        let Some(block) = self.store.cursor(chain_id).await? else { return Ok(()) };
        let key = JobKey { chain_id, contract: app.contract(), subject: watched.subject, round };
        let mut write = self.store.write().await?;
        write.look_again(watched.id, Some(again)).await?;
        let known = write.job(&key).await?.is_some_and(|job| job.state != State::Moot);
        if !known {
            let jobs = write.jobs_of(chain_id, key.contract, key.subject).await?;
            apply::effects(&mut write, &key, &engine::step(&jobs, &Event::Asked { round, block }), None).await?;
        }
        write.commit().await?;
        if !known {
            self.tell(Notice::Asked { subject: self.subject(&key), round });
        }
        Ok(())
    }

    /// What is to become of a transaction without a proof that isn't in a block.
    pub(super) async fn wish_for_claim(&self, row: i64) -> Result<Wish, ServiceError> {
        let (contract, subject) = self.store.watched_by_id(row).await?;
        // An open nonce would hold up all that come after it.
        let Some(app) = self.app_of(contract) else { return Ok(Wish::Cancel) };
        Ok(if app.holds(subject).await? { Wish::Push } else { Wish::Cancel })
    }

    /// Simulates a call, then stores it with the time of the next look, then sends it.
    async fn send(
        &mut self,
        app: &Arc<dyn App>,
        watched: Watched,
        call: &Call,
        what: &'static str,
        again: u64,
        now: u64,
    ) -> Result<(), ServiceError> {
        let (name, subject) = (app.name(), watched.subject);
        // Answers, above all urgent ones, must not wait behind a crowd of these.
        let submitter = self.submitter_of(app.contract())?.clone();
        let live = self.store.live_transactions(self.config.chain.chain_id, submitter.address()).await?;
        let crowd =
            live.iter().filter(|tx| matches!(tx.errand, Some(Errand::Claim(_))) && tx.state != TxState::Included);
        if crowd.count() >= MOST_SENT {
            return self.look_again(watched, Some(now.saturating_add(1))).await;
        }
        let gas = match submitter.simulate(call).await {
            Ok(gas) => gas,
            Err(error) => {
                let Some(why) = contract::refusal(&error, app.words()) else {
                    return Err(error.into());
                };
                let what = format!("{name} {subject}: {what}: {why}");
                self.tell(Notice::Trouble { code: Code::CLAIM_REFUSED, what });
                return self.look_again(watched, Some(now.saturating_add(LATER))).await;
            }
        };
        let stored =
            async |write: &mut Write| -> Result<(), StoreError> { write.look_again(watched.id, Some(again)).await };
        let hash = submitter.sign_and_store(Errand::Claim(watched.id), call, gas, stored).await?;
        self.troubles.over(&submitter.address().to_string());
        tracing::info!(app = name, %subject, %hash, what, "signed and stored");
        self.broadcast(Errand::Claim(watched.id)).await
    }
}
