//! Sends a transaction and waits for it: for deployments and for the demo's human, where a person
//! looks on. The daemon's own answers go through [`super::submit`], which stores them first.

use std::time::{Duration, Instant};

use alloy::{rpc::types::Log, sol_types::SolCall};

use super::{
    Client, Key, arena,
    bindings::ChessArena,
    error::ChainError,
    fees,
    key::Plan,
    types::{Address, B256, Bytes, U256},
};
use crate::{config::SubmitConfig, store::Mined};

/// How long a transaction is waited for.
const PATIENCE: Duration = Duration::from_secs(120);

/// A key on a chain.
#[derive(Clone, Debug)]
pub struct Wallet {
    /// The node.
    pub client: Client,
    key: Key,
    prices: SubmitConfig,
}

/// A transaction that was mined and succeeded.
#[derive(Clone, Debug)]
pub struct Receipt {
    /// Its hash.
    pub hash: B256,
    /// Where.
    pub mined: Mined,
    /// The address of the contract that it made, if it made one.
    pub contract: Address,
    /// Its logs.
    pub logs: Vec<Log>,
}

impl Wallet {
    /// A wallet that pays at most what the configuration allows.
    pub fn new(client: Client, key: Key, prices: SubmitConfig) -> Self {
        Self { client, key, prices }
    }

    /// The address.
    pub fn address(&self) -> Address {
        self.key.address()
    }

    /// Deploys a contract.
    pub async fn deploy(&self, what: &str, init_code: Bytes) -> Result<Receipt, ChainError> {
        self.send(what, None, init_code, U256::ZERO).await
    }

    /// Calls a contract.
    pub async fn call(&self, what: &str, to: Address, data: Bytes, value: U256) -> Result<Receipt, ChainError> {
        self.send(what, Some(to), data, value).await
    }

    async fn send(&self, what: &str, to: Option<Address>, data: Bytes, value: U256) -> Result<Receipt, ChainError> {
        let reverts = |error: ChainError| match arena::refusal(&error) {
            Some(why) => ChainError::Reverts { what: what.to_owned(), why },
            None => error,
        };
        let gas = self.client.estimate(self.address(), to, data.clone(), value).await.map_err(reverts)?;
        self.send_with(what, to, data, value, gas.saturating_mul(100 + self.prices.gas_margin_percent).div_ceil(100))
            .await
    }

    /// Calls a contract with a gas limit of the caller's: for contracts that answer otherwise, but
    /// don't revert, when gas runs short, so that an estimate would be too low.
    pub async fn call_with_gas(&self, what: &str, to: Address, data: Bytes, gas: u64) -> Result<Receipt, ChainError> {
        self.send_with(what, Some(to), data, U256::ZERO, gas).await
    }

    async fn send_with(
        &self,
        what: &str,
        to: Option<Address>,
        data: Bytes,
        value: U256,
        gas_limit: u64,
    ) -> Result<Receipt, ChainError> {
        let head = self.client.head().await?;
        let fees = fees::first(&self.prices, head.base_fee, self.client.suggested_tip().await).ok_or(
            ChainError::FeeAboveCap {
                chain_id: self.client.chain_id(),
                base_fee: head.base_fee,
                cap: self.prices.max_fee,
            },
        )?;
        let nonce = self.client.nonce(self.address()).await?;
        let plan = Plan { chain_id: self.client.chain_id(), to, data, value, gas_limit };
        let signed = self
            .key
            .sign(&plan, nonce, fees)
            .map_err(|why| ChainError::Key { path: self.address().to_string(), why })?;
        self.client.send(&signed.raw).await?;
        let started = Instant::now();
        let mut pause = Duration::from_millis(20);
        while started.elapsed() < PATIENCE {
            if let Some(mined) = self.client.mined(signed.hash).await? {
                if !mined.ok {
                    return Err(ChainError::Reverts {
                        what: what.to_owned(),
                        why: format!("it was mined in block {} but reverted", mined.block.number),
                    });
                }
                let logs = self.client.logs_of(signed.hash).await?;
                return Ok(Receipt { hash: signed.hash, mined, contract: self.address().create(nonce), logs });
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_secs(2));
        }
        Err(ChainError::NotMined { hash: signed.hash.to_string(), seconds: PATIENCE.as_secs() })
    }

    /// Offers games against a model; gives the offer's number.
    pub async fn open_offer(&self, arena: Address, terms: &Terms) -> Result<(U256, Receipt), ChainError> {
        let call = ChessArena::openOfferCall {
            verifier: terms.verifier,
            modelId: terms.model_id,
            stake: terms.stake,
            moveTime: U256::from(terms.move_time),
            maxGames: U256::from(terms.max_games),
        };
        let receipt = self.call("openOffer", arena, call.abi_encode().into(), U256::ZERO).await?;
        let offer = receipt
            .logs
            .iter()
            .find_map(|log| log.log_decode::<ChessArena::OfferOpened>().ok())
            .map(|log| log.inner.offerId);
        Ok((offer.ok_or_else(|| no_event(arena, "OfferOpened"))?, receipt))
    }

    /// Takes up an offer; gives the game's number.
    pub async fn create_game(
        &self,
        arena: Address,
        offer: U256,
        human_is_white: bool,
        stake: U256,
    ) -> Result<(U256, Receipt), ChainError> {
        let call = ChessArena::createGameCall { offerId: offer, humanIsWhite: human_is_white };
        let receipt = self.call("createGame", arena, call.abi_encode().into(), stake).await?;
        let game = receipt
            .logs
            .iter()
            .find_map(|log| log.log_decode::<ChessArena::GameCreated>().ok())
            .map(|log| log.inner.gameId);
        Ok((game.ok_or_else(|| no_event(arena, "GameCreated"))?, receipt))
    }

    /// Plays a human's move.
    pub async fn play_human(&self, arena: Address, game: U256, ply: u64, word: u16) -> Result<Receipt, ChainError> {
        let call = ChessArena::playHumanCall { gameId: game, ply: U256::from(ply), r#move: U256::from(word) };
        self.call("playHuman", arena, call.abi_encode().into(), U256::ZERO).await
    }

    /// Ends a game in one of the ways that the arena has.
    pub async fn end(&self, arena: Address, game: U256, how: Ending) -> Result<Receipt, ChainError> {
        let (what, data) = match how {
            Ending::Mate => ("claimMate", ChessArena::claimMateCall { gameId: game }.abi_encode()),
            Ending::Stalemate => ("claimStalemate", ChessArena::claimStalemateCall { gameId: game }.abi_encode()),
            Ending::Draw => ("claimDraw", ChessArena::claimDrawCall { gameId: game }.abi_encode()),
            Ending::Timeout => ("claimTimeout", ChessArena::claimTimeoutCall { gameId: game }.abi_encode()),
            Ending::Resign => ("resign", ChessArena::resignCall { gameId: game }.abi_encode()),
        };
        self.call(what, arena, data.into(), U256::ZERO).await
    }
}

/// What a host offers.
#[derive(Clone, Debug)]
pub struct Terms {
    /// The verifier contract.
    pub verifier: Address,
    /// The model.
    pub model_id: B256,
    /// Stake of each side, in wei.
    pub stake: U256,
    /// Seconds for each move.
    pub move_time: u64,
    /// Games that may run at a time.
    pub max_games: u64,
}

/// Ways to end a game.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The side to move is checkmated.
    Mate,
    /// The side to move is stalemated.
    Stalemate,
    /// Fifty moves, or too little material.
    Draw,
    /// The side to move has exceeded its time.
    Timeout,
    /// The human gives up.
    Resign,
}

fn no_event(address: Address, event: &str) -> ChainError {
    ChainError::Undecodable { address, what: event.to_owned(), why: "the transaction has no such event".into() }
}
