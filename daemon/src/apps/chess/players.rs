//! What hosts and humans send to the arena, for deployments, demos and tests.

use alloy::sol_types::SolCall;
use zugzwang_contracts::ChessArena;

use crate::chain::{
    ChainError, Wallet, bytecode,
    types::{Address, B256, U256},
    wallet::Receipt,
};

impl Wallet {
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
        Ok((offer.ok_or_else(|| bytecode::no_event("arena", arena, "OfferOpened"))?, receipt))
    }

    /// Gives the arena money for the host's side of stakes.
    pub async fn deposit_bankroll(&self, arena: Address, wei: U256) -> Result<Receipt, ChainError> {
        self.call("deposit", arena, ChessArena::depositCall {}.abi_encode().into(), wei).await
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
        Ok((game.ok_or_else(|| bytecode::no_event("arena", arena, "GameCreated"))?, receipt))
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
