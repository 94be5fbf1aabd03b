//! What hosts and voters send to the World arena, for deployments, demos and tests.

use alloy::sol_types::{SolCall, SolEvent};
use zugzwang_contracts::WorldArena as abi;

use crate::chain::{
    ChainError, Wallet, bytecode,
    types::{Address, B256, Bytes, U256},
    wallet::Receipt,
};

/// What a host offers.
#[derive(Clone, Debug)]
pub struct Terms {
    /// The verifier contract.
    pub verifier: Address,
    /// The model.
    pub model_id: B256,
    /// The World's colour.
    pub world_is_white: bool,
    /// Seconds in which votes are taken for each move, from 1 to 2^22 − 1.
    pub window: u64,
    /// Seconds for each move of the NPC, from 1 to 2^22 − 1.
    pub move_time: u64,
    /// The least that a vote must bring, in wei, at least 1.
    pub least_stake: U256,
}

/// A move that somebody voted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vote {
    /// The half-move's number, from 0.
    pub ply: u64,
    /// The move, as arenas write moves.
    pub word: u16,
}

/// Init code of an arena. Its constructor takes no arguments.
pub fn creation_code() -> Bytes {
    abi::BYTECODE.clone()
}

impl Wallet {
    /// Opens a game of the World with a pot, in wei; gives its number.
    pub async fn open_world(&self, arena: Address, terms: &Terms, pot: U256) -> Result<(U256, Receipt), ChainError> {
        let call = abi::openGameCall {
            terms: abi::Terms {
                verifier: terms.verifier,
                modelId: terms.model_id,
                worldIsWhite: terms.world_is_white,
                window: U256::from(terms.window),
                moveTime: U256::from(terms.move_time),
                leastStake: terms.least_stake,
            },
        };
        let receipt = self.call("openGame", arena, call.abi_encode().into(), pot).await?;
        let opened = receipt.logs.iter().find_map(|log| abi::GameOpened::decode_log(&log.inner).ok());
        let game =
            opened.map(|log| log.gameId).ok_or_else(|| bytecode::no_event("World arena", arena, "GameOpened"))?;
        Ok((game, receipt))
    }

    /// Stakes on a move.
    pub async fn vote(&self, arena: Address, game: U256, vote: Vote, wei: U256) -> Result<Receipt, ChainError> {
        let call = abi::voteCall { gameId: game, ply: U256::from(vote.ply), r#move: U256::from(vote.word) };
        self.call("vote", arena, call.abi_encode().into(), wei).await
    }

    /// Plays the leading move of a window that is over.
    pub async fn close_round(&self, arena: Address, game: U256, ply: u64) -> Result<Receipt, ChainError> {
        let call = abi::closeRoundCall { gameId: game, ply: U256::from(ply) };
        self.call("closeRound", arena, call.abi_encode().into(), U256::ZERO).await
    }

    /// Takes what votes bring now; gives how much, in wei.
    pub async fn claim_votes(&self, arena: Address, game: U256, votes: &[Vote]) -> Result<(U256, Receipt), ChainError> {
        let vote = |vote: &Vote| abi::Vote { ply: U256::from(vote.ply), r#move: U256::from(vote.word) };
        let call = abi::claimCall { gameId: game, votes: votes.iter().map(vote).collect() };
        let receipt = self.call("claim", arena, call.abi_encode().into(), U256::ZERO).await?;
        let claimed = receipt.logs.iter().find_map(|log| abi::Claimed::decode_log(&log.inner).ok());
        let amount =
            claimed.map(|log| log.amount).ok_or_else(|| bytecode::no_event("World arena", arena, "Claimed"))?;
        Ok((amount, receipt))
    }
}
