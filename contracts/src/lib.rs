//! Bindings and bytecode of Zugzwang's contracts, and the words they speak in.
//!
//! ```text
//! src/**/*.sol ── node build.mjs ──► artifacts/*.json ──► bindings here (ABI and creation bytecode)
//! ```
//!
//! The artifacts are committed, so that neither building this crate nor deploying needs a Solidity compiler.
//! `node build.mjs --check` fails when they are older than the sources.
//!
//! - [`ChessArena`] and [`IVerifier`]: calls, events, errors; `ChessArena::deploy` deploys.
//! - [`WorldArena`]: the same, for games that anybody may vote in.
//! - [`InferenceOracle`]: the same; [`IInferenceConsumer`] and [`IInferenceInput`] are what its users offer.
//! - [`PredictionMarket`], [`ConditionalTokensAdapter`], [`BulletinBoard`]: markets that signed bulletins decide.
//! - [`FraudGuard`] and [`GuardedVault`]: a vault that delays withdrawals and pauses on a proof; the former is what every
//!   guarded contract has, the latter can be deployed.
//! - [`LendingPool`] and [`ModelContest`]: examples of users of the oracle; [`IArchitecture`] verifies a contest's models.
//! - [`MoveWord`]: a move as the arena writes it.
//! - [`Position`]: a board word and a state word, to and from FEN.
//! - [`History`]: what a claim of threefold repetition is made of.
//!
//! No rules of chess are in here: which moves are legal is for the contract, or another crate, to say.

mod history;
mod moves;
mod position;

/// What a guarded vault is made with: the struct of its constructor.
pub use bindings::vault::FraudGuard::Terms as GuardTerms;
pub use bindings::{
    BulletinBoard, ChessArena, ConditionalTokensAdapter, FraudGuard, IArchitecture, IInferenceConsumer,
    IInferenceInput, IVerifier, InferenceOracle, LendingPool, ModelContest, PredictionMarket, WorldArena, WrappedCoin,
    vault::GuardedVault,
};
pub use history::{History, position_hash};
pub use moves::{MoveWord, ParseMoveError, Promotion};
pub use position::{ParseFenError, Position};

use alloy::primitives::Bytes;

/// The types that the `sol!` macro makes of the artifacts.
#[allow(missing_docs, missing_debug_implementations, unreachable_pub, clippy::all)]
mod bindings {
    alloy::sol!(
        #[sol(rpc)]
        #[derive(Debug, PartialEq, Eq)]
        ChessArena,
        "artifacts/ChessArena.json"
    );

    alloy::sol!(
        #[sol(rpc)]
        #[derive(Debug, PartialEq, Eq)]
        WorldArena,
        "artifacts/WorldArena.json"
    );

    alloy::sol!(
        #[sol(rpc)]
        #[derive(Debug, PartialEq, Eq)]
        IVerifier,
        "artifacts/IVerifier.json"
    );

    alloy::sol!(
        #[sol(rpc)]
        #[derive(Debug, PartialEq, Eq)]
        InferenceOracle,
        "artifacts/InferenceOracle.json"
    );

    alloy::sol!(
        #[sol(rpc)]
        #[derive(Debug, PartialEq, Eq)]
        IInferenceConsumer,
        "artifacts/IInferenceConsumer.json"
    );

    alloy::sol!(
        #[sol(rpc)]
        #[derive(Debug, PartialEq, Eq)]
        IInferenceInput,
        "artifacts/IInferenceInput.json"
    );

    alloy::sol!(
        #[sol(rpc)]
        #[derive(Debug, PartialEq, Eq)]
        PredictionMarket,
        "artifacts/PredictionMarket.json"
    );

    alloy::sol!(
        #[sol(rpc)]
        #[derive(Debug, PartialEq, Eq)]
        ConditionalTokensAdapter,
        "artifacts/ConditionalTokensAdapter.json"
    );

    alloy::sol!(
        #[sol(rpc)]
        #[derive(Debug, PartialEq, Eq)]
        BulletinBoard,
        "artifacts/BulletinBoard.json"
    );

    alloy::sol!(
        #[sol(rpc)]
        #[derive(Debug, PartialEq, Eq)]
        FraudGuard,
        "artifacts/FraudGuard.json"
    );

    alloy::sol!(
        #[sol(rpc)]
        #[derive(Debug, PartialEq, Eq)]
        WrappedCoin,
        "artifacts/WrappedCoin.json"
    );

    alloy::sol!(
        #[sol(rpc)]
        #[derive(Debug, PartialEq, Eq)]
        LendingPool,
        "artifacts/LendingPool.json"
    );

    alloy::sol!(
        #[sol(rpc)]
        #[derive(Debug, PartialEq, Eq)]
        ModelContest,
        "artifacts/ModelContest.json"
    );

    alloy::sol!(
        #[sol(rpc)]
        #[derive(Debug, PartialEq, Eq)]
        IArchitecture,
        "artifacts/IArchitecture.json"
    );

    /// Apart, because the vault's constructor takes a struct of the guard, which the macro puts into a module of its name.
    pub(super) mod vault {
        alloy::sol!(
            #[sol(rpc)]
            #[derive(Debug, PartialEq, Eq)]
            GuardedVault,
            "artifacts/GuardedVault.json"
        );
    }
}

/// Contracts for tests. Never deploy them where money is: [`MockVerifier`](testing::MockVerifier) accepts
/// everything.
#[allow(missing_docs, missing_debug_implementations, unreachable_pub, clippy::all)]
pub mod testing {
    alloy::sol!(
        #[sol(rpc)]
        #[derive(Debug, PartialEq, Eq)]
        ChessHarness,
        "artifacts/ChessHarness.json"
    );

    alloy::sol!(
        #[sol(rpc)]
        #[derive(Debug, PartialEq, Eq)]
        FakeConditionalTokens,
        "artifacts/FakeConditionalTokens.json"
    );

    alloy::sol!(
        #[sol(rpc)]
        #[derive(Debug, PartialEq, Eq)]
        MockVerifier,
        "artifacts/MockVerifier.json"
    );

    alloy::sol!(
        #[sol(rpc)]
        #[derive(Debug, PartialEq, Eq)]
        TestToken,
        "artifacts/TestToken.json"
    );
}

/// The code that deploys a [`ChessArena`]. Its constructor takes no arguments.
pub fn chess_arena_creation_code() -> &'static Bytes {
    &ChessArena::BYTECODE
}

/// The code of a deployed [`ChessArena`]: it has no immutables, so every deployment's is the same.
pub fn chess_arena_runtime_code() -> &'static Bytes {
    &ChessArena::DEPLOYED_BYTECODE
}
