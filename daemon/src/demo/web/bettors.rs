//! Life of the markets: matches on which accounts bet, results that the publisher signs, winners who take their money. Every fourth
//! match has no result, so that its market expires and everybody gets their bets back. One market is for visitors, and stays open.

use std::{path::PathBuf, sync::Arc, time::Duration};

use tokio::time::sleep;

use super::{
    super::{DemoError, market::CLASSES, stand::Stand},
    Fixture,
};
use crate::{
    apps::market::{self, Terms},
    chain::{
        Key, Wallet,
        types::{Address, B256, U256},
    },
    feed::{Bulletin, Text, file},
};

/// The class that decides nothing.
const NO_RESULT: u8 = 3;
/// Seconds in which bets are taken: on the first match, which a visitor waits for, and on the others.
const FIRST: u64 = 40;
const OPEN: u64 = 90;
/// Seconds until a market without a result expires: some, and else.
const IMPATIENT: u64 = 30;
const PATIENT: u64 = 3600;
/// The visitors' market: its bulletin's number, which never comes, and how long bets are taken.
const VISITORS: u64 = 1_000_000;
const DAY: u64 = 86_400;
/// How long the daemon's decision is waited for.
const DECISION: Duration = Duration::from_secs(180);
/// Between two matches.
const REST: Duration = Duration::from_secs(45);
/// After something that failed.
const AGAIN: Duration = Duration::from_secs(10);
/// Who bets on which class, in thousandths of a coin; turned by one class from match to match.
const BETS: [(u8, u64); 6] = [(0, 3000), (2, 1200), (1, 800), (0, 500), (2, 2100), (1, 350)];

/// What bettors and the publisher need to know.
#[derive(Clone, Debug)]
pub(super) struct Bets {
    pub(super) contract: Address,
    pub(super) verifier: Address,
    pub(super) model_id: B256,
    pub(super) min_margin: u32,
    pub(super) fixtures: Vec<Fixture>,
    pub(super) publisher: Key,
    pub(super) feed_id: B256,
    pub(super) folder: PathBuf,
}

/// Goes on until it is dropped. What fails is tried again with the next match.
pub(super) async fn live(bets: Bets, stand: Arc<Stand>) {
    let bettors = loop {
        match bets.settle(&stand).await {
            Ok(bettors) => break bettors,
            Err(error) => tracing::error!("the markets' bettors: {error}"),
        }
        sleep(AGAIN).await;
    };
    for (number, fixture) in (1..).zip(bets.fixtures.iter().cycle()) {
        if let Err(error) = bets.match_day(&stand, &bettors, number, fixture).await {
            tracing::error!("the market of match {number}: {error}");
            sleep(AGAIN).await;
        }
        sleep(REST).await;
    }
}

impl Bets {
    /// Accounts with money, and the visitors' market with some bets.
    async fn settle(&self, stand: &Stand) -> Result<Vec<Wallet>, DemoError> {
        let mut bettors = Vec::with_capacity(BETS.len());
        for _ in BETS {
            bettors.push(stand.account(market::words).await?);
        }
        let now = stand.client.head().await?.timestamp;
        let question = "Yours to bet on: who wins the final?".to_owned();
        let terms = self.terms(VISITORS, now + DAY, now + 2 * DAY, question);
        let Some(opener) = bettors.first() else { return Ok(bettors) };
        let (id, _) = opener.open_market(self.contract, &terms).await?;
        for (bettor, (class, thousandths)) in bettors.iter().zip(BETS) {
            bettor.bet(self.contract, id, class, thousandths_of_a_coin(thousandths)).await?;
        }
        Ok(bettors)
    }

    async fn match_day(
        &self,
        stand: &Stand,
        bettors: &[Wallet],
        number: u64,
        fixture: &Fixture,
    ) -> Result<(), DemoError> {
        let Some(opener) = bettors.first() else { return Ok(()) };
        let is_told = !number.is_multiple_of(4);
        let open = if number == 1 { FIRST } else { OPEN };
        let close = stand.client.head().await?.timestamp + open;
        let deadline = close + if is_told { PATIENT } else { IMPATIENT };
        let question = format!("{} against {}: who wins?", fixture.home, fixture.away);
        let terms = self.terms(number, close, deadline, question);
        let (id, _) = opener.open_market(self.contract, &terms).await?;
        let pause = Duration::from_millis(open * 700 / BETS.len() as u64);
        for (bettor, (class, thousandths)) in bettors.iter().zip(BETS) {
            let class = (u64::from(class) + number) as u8 % NO_RESULT;
            bettor.bet(self.contract, id, class, thousandths_of_a_coin(thousandths)).await?;
            sleep(pause).await;
        }
        while stand.client.head().await?.timestamp < close {
            sleep(Duration::from_secs(1)).await;
        }
        if is_told {
            let text = Text::new(fixture.text.as_bytes())?;
            let bulletin = Bulletin::sign(&self.publisher, self.feed_id, number, close, text)?;
            file::write_new(&bulletin, &self.folder)?;
        }
        let waited = tokio::time::timeout(DECISION, async {
            while opener.market_is_open(self.contract, id).await? {
                sleep(Duration::from_secs(1)).await;
            }
            Ok::<_, DemoError>(())
        });
        waited.await.map_err(|_| DemoError::NoAnswer {
            what: format!("for market {id}"),
            why: format!("it isn't decided after {} s", DECISION.as_secs()),
        })??;
        for bettor in bettors {
            match bettor.claim_bets(self.contract, id).await {
                Ok((amount, _)) => drop(bettor.withdraw(self.contract, amount).await?),
                // Those who have lost.
                Err(error) if error.to_string().contains("NothingToClaim") => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    fn terms(&self, sequence: u64, close: u64, deadline: u64, question: String) -> Terms {
        Terms {
            publisher: self.publisher.address(),
            feed_id: self.feed_id,
            sequence,
            close,
            deadline,
            verifier: self.verifier,
            model_id: self.model_id,
            min_margin: self.min_margin,
            classes: CLASSES.len() as u8,
            no_result: NO_RESULT,
            question,
        }
    }
}

fn thousandths_of_a_coin(n: u64) -> U256 {
    U256::from(n) * U256::from(10u64).pow(U256::from(15u64))
}
