//! PredictionMarket, ConditionalTokensAdapter and BulletinBoard: their calls, their events, their errors in words.

use alloy::sol_types::{SolCall, SolInterface};
use zugzwang_contracts::{
    BulletinBoard::{BulletinBoardEvents, BulletinPosted},
    PredictionMarket::{self as abi, PredictionMarketErrors as Errors, PredictionMarketEvents as Events},
};

use super::Terms;
use crate::{
    chain::{
        ChainError, Client, Contract,
        policy::Permit,
        submit::Call,
        types::{Address, B256, Bytes, Log, U256},
    },
    feed::Bulletin,
};

/// What a market's contract tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MarketEvent {
    /// It opened.
    Opened,
    /// A proven bulletin decided it.
    Resolved,
    /// Its deadline passed without one.
    Undecided,
}

/// What a contract's history is made of, for views.
#[derive(Clone, Debug)]
pub(super) enum Told {
    /// A market opened.
    Opened {
        /// Its number.
        market: U256,
        /// Its terms, which never change.
        terms: Terms,
    },
    /// Somebody bet on an outcome, in wei.
    Bet { market: U256, outcome: u8, wei: U256 },
    /// A proven bulletin decided it.
    Resolved { market: U256, class: u8, margin: U256 },
    /// Nothing did.
    Undecided { market: U256 },
}

/// A market as it stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Market {
    /// Who signs the bulletin that decides it.
    pub(super) publisher: Address,
    /// The feed.
    pub(super) feed_id: B256,
    /// The bulletin's number in it.
    pub(super) sequence: u64,
    /// Unix time from which bulletins count.
    pub(super) close: u64,
    /// Unix time until which it can be decided.
    pub(super) deadline: u64,
    /// The model that reads the bulletin.
    pub(super) model_id: B256,
    /// The least margin that decides.
    pub(super) min_margin: u32,
    /// How many classes there are.
    pub(super) classes: u8,
    /// Whether it is neither decided nor expired.
    pub(super) is_open: bool,
}

/// The status of a market that is neither decided nor expired.
pub(super) const OPEN: u8 = 1;

/// A contract of markets: parimutuel ones, or the oracle of Conditional Tokens. Both share what is used of them here.
#[derive(Clone, Debug)]
pub(super) struct Markets(Contract);

impl Markets {
    pub(super) async fn open(client: Client, address: Address) -> Result<Self, ChainError> {
        let markets = Self(Contract::open(client, address, "market", "market.contracts", words).await?);
        markets.0.read(abi::marketCountCall {}, "marketCount", None).await?;
        Ok(markets)
    }

    pub(super) fn address(&self) -> Address {
        self.0.address()
    }

    pub(super) fn event(&self, log: &Log) -> Result<Option<(U256, MarketEvent)>, ChainError> {
        Ok(self.0.event::<Events>(log)?.and_then(|event| match event {
            Events::MarketOpened(e) => Some((e.market, MarketEvent::Opened)),
            Events::Resolved(e) => Some((e.market, MarketEvent::Resolved)),
            Events::Undecided(e) => Some((e.market, MarketEvent::Undecided)),
            _ => None,
        }))
    }

    /// What a log says for the history.
    pub(super) fn told(&self, log: &Log) -> Result<Option<Told>, ChainError> {
        Ok(self.0.event::<Events>(log)?.and_then(|event| match event {
            Events::MarketOpened(e) => Some(Told::Opened {
                market: e.market,
                terms: Terms {
                    publisher: e.publisher,
                    feed_id: e.feedId,
                    sequence: e.sequence,
                    close: e.close,
                    deadline: e.deadline,
                    verifier: e.verifier,
                    model_id: e.modelId,
                    min_margin: e.minMargin,
                    classes: e.classes,
                    no_result: e.noResult,
                    question: e.question,
                },
            }),
            Events::BetPlaced(e) => Some(Told::Bet { market: e.market, outcome: e.outcome, wei: e.amount }),
            Events::Resolved(e) => Some(Told::Resolved { market: e.market, class: e.class, margin: e.margin }),
            Events::Undecided(e) => Some(Told::Undecided { market: e.market }),
            _ => None,
        }))
    }

    /// The bulletin that a transaction resolved a market with, as its calldata has it: who signed it the contract has checked.
    pub(super) fn bulletin_in(input: &[u8], feed_id: B256, sequence: u64) -> Option<Bulletin> {
        let abi::Bulletin { timestamp, text, signature } = abi::resolveCall::abi_decode(input).ok()?.bulletin;
        Bulletin::from_parts(feed_id, sequence, timestamp, &text, &signature).ok()
    }

    /// A market; `None` if there is none, as after a reorganisation.
    pub(super) async fn market(&self, id: U256) -> Result<Option<Market>, ChainError> {
        let m = match self.0.read(abi::marketOfCall { market: id }, "marketOf", None).await {
            Err(ChainError::Reverts { .. }) => return Ok(None),
            read => read?,
        };
        Ok(Some(Market {
            publisher: m.publisher,
            feed_id: m.feedId,
            sequence: m.sequence,
            close: m.close,
            deadline: m.deadline,
            model_id: m.modelId,
            min_margin: m.minMargin,
            classes: m.classes,
            is_open: m.status == OPEN,
        }))
    }

    /// What was bet on a market, in wei; `None` of a contract that keeps no bets, as the adapter.
    pub(super) async fn pool(&self, market: U256) -> Result<Option<U256>, ChainError> {
        match self.0.read(abi::totalOfCall { market }, "totalOf", None).await {
            Ok(pool) => Ok(Some(pool)),
            Err(ChainError::Refused { .. } | ChainError::Reverts { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The request's and the text's instances, as the contract makes them.
    pub(super) async fn instances(
        &self,
        market: U256,
        text: &str,
        submitter: Address,
    ) -> Result<Vec<U256>, ChainError> {
        let call = abi::instancesCall { market, text: text.as_bytes().to_vec().into(), submitter };
        self.0.read(call, "instances", None).await
    }

    pub(super) fn resolve(&self, market: U256, bulletin: &Bulletin, outputs: [U256; 2], proof: Vec<u8>) -> Call {
        let [class, margin] = outputs;
        let bulletin = abi::Bulletin {
            timestamp: bulletin.timestamp,
            text: bulletin.text.as_str().as_bytes().to_vec().into(),
            signature: bulletin.signature.to_vec().into(),
        };
        let call = abi::resolveCall { market, bulletin, class, margin, proof: proof.into() };
        Call { to: self.address(), data: call.abi_encode().into(), value: U256::ZERO }
    }

    pub(super) fn expire(&self, market: U256) -> Call {
        Call { to: self.address(), data: abi::expireCall { market }.abi_encode().into(), value: U256::ZERO }
    }
}

/// A contract to which anybody posts signed bulletins.
#[derive(Clone, Debug)]
pub(super) struct Board(Contract);

impl Board {
    pub(super) async fn open(client: Client, address: Address) -> Result<Self, ChainError> {
        Ok(Self(Contract::open(client, address, "bulletin board", "market.board", |_| None).await?))
    }

    pub(super) fn address(&self) -> Address {
        self.0.address()
    }

    /// The bulletin of an event. The contract has recovered its publisher; it is checked again all the same.
    pub(super) fn bulletin(&self, log: &Log) -> Result<Option<Bulletin>, ChainError> {
        let Some(BulletinBoardEvents::BulletinPosted(posted)) = self.0.event(log)? else { return Ok(None) };
        let BulletinPosted { feedId, sequence, timestamp, text, signature, .. } = posted;
        let bulletin = Bulletin::from_parts(feedId, sequence, timestamp, &text, &signature).ok();
        Ok(bulletin.filter(Bulletin::is_storable))
    }
}

/// Every call that the app makes.
pub(super) fn permits() -> Vec<Permit> {
    vec![Permit::of(abi::resolveCall::SELECTOR, "resolve"), Permit::of(abi::expireCall::SELECTOR, "expire")]
}

/// A market's own errors in words; `None` for data that is none of them.
pub fn words(data: &Bytes) -> Option<String> {
    let error = Errors::abi_decode(data).ok()?;
    Some(match error {
        Errors::NotOpen(e) => format!("NotOpen: market {} is decided or has expired", e.market),
        Errors::NoSuchMarket(e) => format!("NoSuchMarket: there is no market {}", e.market),
        Errors::NotClosed(e) => format!("NotClosed: bets are taken until {}", e.close),
        Errors::Closed(e) => format!("Closed: bets were taken until {}", e.close),
        Errors::DeadlinePassed(e) => format!("DeadlinePassed: the deadline was at {}", e.deadline),
        Errors::DeadlineNotPassed(e) => format!("DeadlineNotPassed: the deadline is at {}", e.deadline),
        Errors::BulletinTooEarly(e) => {
            format!("BulletinTooEarly: it is of {}, the market closed at {}", e.timestamp, e.close)
        }
        Errors::BulletinFromTheFuture(e) => {
            format!("BulletinFromTheFuture: it is of {}, now is {}", e.timestamp, e.now_)
        }
        Errors::WrongPublisher(e) => format!(
            "WrongPublisher: {} signed it, or another feed, number, time or text was signed; the publisher is {}",
            e.signer, e.publisher
        ),
        Errors::MarginTooLow(e) => {
            format!("MarginTooLow: the margin is {}, at least {} decides", e.margin, e.minMargin)
        }
        Errors::NoSuchClass(e) => format!("NoSuchClass: class {} of {}", e.class, e.classes),
        Errors::ProofRejected(_) => "ProofRejected: the verifier doesn't accept the proof".into(),
        Errors::NotAVerifier(e) => format!("NotAVerifier: {} has other code than when the market opened", e.verifier),
        Errors::NothingToClaim(e) => {
            format!("NothingToClaim: this account has nothing to get from market {}", e.market)
        }
        Errors::NoSuchOutcome(e) => format!("NoSuchOutcome: {} can't be bet on", e.outcome),
        Errors::InsufficientBalance(e) => format!("InsufficientBalance: the balance is {} wei", e.balance),
        other => format!("{other:?}"),
    })
}

/// Whether a refusal says that the deadline has passed.
pub(super) fn is_late(words: &str) -> bool {
    words.starts_with("DeadlinePassed")
}
