//! Prediction markets: a bulletin that the market's publisher signed is read by the committed classifier, and the proof of its
//! answer decides the market. What no bulletin decides expires.
//!
//! No event of the contract announces that there is something to answer: a market is looked at when it opens, when a bulletin
//! comes in, when it closes, and after its deadline.

mod board;
mod book;
mod contract;
mod feeds;
mod players;
pub mod view;

pub use board::BulletinBoard;
pub use contract::words;
pub use feeds::Feeds;
pub use players::{Decision, Terms, adapter_code, board_code, creation_code};

use std::sync::Arc;

use self::contract::{Market, MarketEvent, Markets};
use super::{App, AppError, Async, Ground, Look, News, Next, Occurrence, Question, Reply, Task, Told};
use crate::{
    chain::{
        ChainError,
        contract::Words,
        policy::Permit,
        types::{Address, Log, U256},
    },
    config::MarketConfig,
    feed::Bulletin,
    prover::Models,
    store::{Answer, Job, Store, StoreError},
};

/// Seconds that a bulletin may be ahead of the chain's clock: `CLOCK_SKEW` of the contract.
const CLOCK_SKEW: u64 = 60;
/// Seconds until a market is looked at again whose expiry is under way.
const LATER: u64 = 60;

/// The app, for one contract of markets.
#[derive(Debug)]
pub struct PredictionMarket {
    markets: Markets,
    models: Models,
    signer: Address,
    store: Store,
    /// Shared by all contracts of markets.
    feeds: Arc<Feeds>,
    /// Whether markets are ended that nothing decided in time.
    expire: bool,
    /// Markets with less in their pool are left to others.
    min_pool: U256,
    /// For those who look.
    known: view::Known,
}

impl PredictionMarket {
    /// Makes sure that there is a contract of markets at the address.
    pub async fn open(
        address: Address,
        config: &MarketConfig,
        feeds: &Arc<Feeds>,
        ground: &Ground,
    ) -> Result<Self, ChainError> {
        Ok(Self {
            markets: Markets::open(ground.client.clone(), address).await?,
            models: ground.models.clone(),
            signer: ground.signer,
            store: ground.store.clone(),
            feeds: feeds.clone(),
            expire: config.expire,
            min_pool: config.min_pool,
            known: view::Known::default(),
        })
    }

    /// Whether too little was bet on a market for its resolution to be this daemon's concern. To be asked after its close.
    async fn is_poor(&self, id: U256) -> Result<bool, ChainError> {
        if self.min_pool.is_zero() {
            return Ok(false);
        }
        let pool = self.markets.pool(id).await?;
        let is_poor = pool.is_some_and(|pool| pool < self.min_pool);
        if let (true, Some(pool)) = (is_poor, pool) {
            tracing::info!(market = %id, %pool, least = %self.min_pool,
                "its pool is below market.min_pool_gwei: it is left to others");
        }
        Ok(is_poor)
    }

    /// The bulletin that decides a market, if it has come.
    async fn bulletin(&self, market: &Market) -> Result<Option<Bulletin>, StoreError> {
        self.store.bulletin(market.publisher, market.feed_id, market.sequence).await
    }

    async fn asked(&self, id: U256) -> Result<Question, AppError> {
        let nothing = |why: &str| Ok(Question::Nothing { why: why.to_owned() });
        let Some(market) = self.markets.market(id).await? else { return Ok(Question::NotYet) };
        if !market.is_open {
            return nothing("it is decided or has expired");
        }
        let Some(prover) = self.models.get(market.model_id.0) else {
            return nothing("its model isn't one of this daemon's");
        };
        let Some(bulletin) = self.bulletin(&market).await? else { return nothing("its bulletin hasn't come") };
        let instances = self.markets.instances(id, bulletin.text.as_str(), self.signer).await?;
        match Task::of_limbs(prover, &instances) {
            Ok(task) => Ok(Question::Prove(task)),
            Err(why) => nothing(&why),
        }
    }

    async fn replied(&self, job: &Job, answer: &Answer) -> Result<Reply, AppError> {
        let id = job.key.subject;
        let declined = |why: String| Ok(Reply::Nothing { why });
        let Some(market) = self.markets.market(id).await? else {
            return Ok(Reply::NotYet);
        };
        let Some(bulletin) = self.bulletin(&market).await? else {
            return Ok(Reply::NotYet);
        };
        let [class, margin] = answer.outputs[..] else {
            return declined(format!(
                "the model gives {} outputs, a market takes class and margin",
                answer.outputs.len()
            ));
        };
        let [class, margin] = [class, margin].map(U256::from_be_bytes);
        if class >= U256::from(market.classes) {
            return declined(format!("the model says class {class}, the market has {}", market.classes));
        }
        if margin < U256::from(market.min_margin) {
            let (least, deadline) = (market.min_margin, market.deadline);
            return declined(format!(
                "class {class} by a margin of {margin}, and at least {least} decides: it stays undecided and is refunded after {deadline}"
            ));
        }
        Ok(Reply::Send(self.markets.resolve(id, &bulletin, [class, margin], answer.proof.clone())))
    }

    async fn look_at(&self, id: U256, sent: bool, now: u64) -> Result<Look, AppError> {
        // A market that isn't there or isn't open may be so by a block that goes again; the event of its end says never.
        let Some(market) = self.markets.market(id).await? else { return Ok(Look::At(now.saturating_add(LATER * 10))) };
        let after = market.deadline.saturating_add(1);
        if !market.is_open {
            return Ok(Look::At(now.saturating_add(LATER * 10)));
        }
        // Anybody may open any market: those of other models or feeds are others' to resolve and to end.
        if self.models.get(market.model_id.0).is_none() || !self.feeds.reads(market.publisher, market.feed_id) {
            return Ok(Look::Never);
        }
        // No bets are taken any more: what the pool is now it stays.
        if now >= market.close && !sent && self.is_poor(id).await? {
            return Ok(Look::Never);
        }
        if now > market.deadline {
            return Ok(match (self.expire, sent) {
                (false, _) => Look::Never,
                (true, true) => Look::At(now.saturating_add(LATER)),
                (true, false) => Look::Send {
                    call: self.markets.expire(id),
                    what: "the expiry of a market that nothing decided",
                    again: now.saturating_add(LATER),
                },
            });
        }
        Ok(match self.bulletin(&market).await? {
            None => Look::At(after),
            Some(bulletin) if bulletin.timestamp < market.close => {
                tracing::warn!(market = %id, at = bulletin.timestamp, close = market.close,
                    "its bulletin is from before the close: it decides nothing");
                Look::At(after)
            }
            // The contract takes no bulletin from further ahead than this.
            Some(bulletin) if bulletin.timestamp > now.saturating_add(CLOCK_SKEW) => {
                Look::At(bulletin.timestamp.saturating_sub(CLOCK_SKEW).min(after))
            }
            Some(_) if now < market.close => Look::At(market.close),
            Some(_) => Look::Ask { round: 0, again: after },
        })
    }
}

impl App for PredictionMarket {
    fn name(&self) -> &'static str {
        "market"
    }

    fn contract(&self) -> Address {
        self.markets.address()
    }

    fn read(&self, log: &Log) -> Result<Option<Told>, ChainError> {
        Ok(self.markets.event(log)?.map(|(subject, event)| {
            let (what, look) = match event {
                MarketEvent::Opened => (None, Next::Now),
                MarketEvent::Resolved => (Some(Occurrence::Answered { round: 0 }), Next::Never),
                MarketEvent::Undecided => {
                    (Some(Occurrence::Over { forfeited: true, how: "it expired undecided".into() }), Next::Never)
                }
            };
            Told { subject, what, look, bulletin: None }
        }))
    }

    fn question<'a>(&'a self, job: &'a Job) -> Async<'a, Result<Question, AppError>> {
        Box::pin(self.asked(job.key.subject))
    }

    fn is_asked<'a>(&'a self, job: &'a Job) -> Async<'a, Result<bool, AppError>> {
        Box::pin(async { Ok(self.markets.market(job.key.subject).await?.is_some_and(|market| market.is_open)) })
    }

    fn reply<'a>(&'a self, job: &'a Job, answer: &'a Answer) -> Async<'a, Result<Reply, AppError>> {
        Box::pin(self.replied(job, answer))
    }

    fn reads_bulletins(&self) -> bool {
        true
    }

    fn words(&self) -> Words {
        words
    }

    fn permits(&self) -> Vec<Permit> {
        contract::permits()
    }

    fn is_forfeited(&self, words: &str) -> bool {
        contract::is_late(words)
    }

    fn look<'a>(&'a self, market: U256, sent: bool, now: u64) -> Async<'a, Result<Look, AppError>> {
        Box::pin(self.look_at(market, sent, now))
    }

    fn holds(&self, market: U256) -> Async<'_, Result<bool, AppError>> {
        Box::pin(async move { Ok(self.markets.market(market).await?.is_some_and(|market| market.is_open)) })
    }

    fn news(&self) -> Async<'_, Result<News, AppError>> {
        Box::pin(async { Ok(self.feeds.news(&self.store).await?) })
    }
}
