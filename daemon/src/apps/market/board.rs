//! Bulletins that were posted on the chain: kept in the same database transaction as the cursor, so that none is missed.

use std::sync::Arc;

use super::{
    super::{App, AppError, Async, Ground, Next, Question, Reply, Told},
    contract::Board,
    feeds::Feeds,
};
use crate::{
    chain::{
        ChainError,
        contract::Words,
        policy::Permit,
        types::{Address, Log, U256},
    },
    store::{Answer, Job},
};

/// A board asks nothing; what is posted there wakes the markets.
#[derive(Debug)]
pub struct BulletinBoard {
    board: Board,
    feeds: Arc<Feeds>,
}

impl BulletinBoard {
    /// Makes sure that there is a contract at the address.
    pub async fn open(address: Address, feeds: &Arc<Feeds>, ground: &Ground) -> Result<Self, ChainError> {
        Ok(Self { board: Board::open(ground.client.clone(), address).await?, feeds: feeds.clone() })
    }
}

impl App for BulletinBoard {
    fn name(&self) -> &'static str {
        "board"
    }

    fn contract(&self) -> Address {
        self.board.address()
    }

    /// Anybody may post anything that somebody signed; only the feeds of the configuration are kept.
    fn read(&self, log: &Log) -> Result<Option<Told>, ChainError> {
        let bulletin = self.board.bulletin(log)?;
        let signed = bulletin.and_then(|bulletin| Some((bulletin.publisher().ok()?, bulletin)));
        Ok(signed.filter(|(publisher, bulletin)| self.feeds.reads(*publisher, bulletin.feed_id)).map(|signed| Told {
            subject: U256::from(signed.1.sequence),
            what: None,
            look: Next::AsBefore,
            bulletin: Some(signed),
        }))
    }

    fn is_read_anew(&self) -> bool {
        true
    }

    fn question<'a>(&'a self, _job: &'a Job) -> Async<'a, Result<Question, AppError>> {
        Box::pin(async { Ok(Question::Nothing { why: "a board asks nothing".into() }) })
    }

    fn is_asked<'a>(&'a self, _job: &'a Job) -> Async<'a, Result<bool, AppError>> {
        Box::pin(async { Ok(false) })
    }

    fn reply<'a>(&'a self, _job: &'a Job, _answer: &'a Answer) -> Async<'a, Result<Reply, AppError>> {
        Box::pin(async { Ok(Reply::Nothing { why: "a board asks nothing".into() }) })
    }

    fn words(&self) -> Words {
        |_| None
    }

    fn permits(&self) -> Vec<Permit> {
        vec![]
    }
}
