//! What the daemon tells whoever watches it: the log, the demo, later metrics.

use std::sync::Arc;

use crate::{
    chain::types::{Address, B256, U256},
    prover::Phase,
    store::State,
};

/// Something worth telling.
#[derive(Clone, Debug)]
pub enum Notice {
    /// Keys are loaded, chain and arena are right.
    Ready {
        /// The address that signs.
        signer: Address,
        /// The arena.
        arena: Address,
        /// The model.
        model_id: [u8; 32],
    },
    /// Blocks were undone.
    Undone {
        /// Down to this height.
        to: u64,
    },
    /// The chain asks for a move.
    Asked {
        /// Game.
        game: U256,
        /// Half-move.
        ply: u64,
    },
    /// A proof enters a phase.
    Proving {
        /// Game.
        game: U256,
        /// Half-move.
        ply: u64,
        /// Which phase.
        phase: Phase,
    },
    /// A proof is stored.
    Proved {
        /// Game.
        game: U256,
        /// Half-move.
        ply: u64,
        /// How long it took.
        ms: u64,
        /// The packed ranking.
        ranking: [u8; 32],
    },
    /// A transaction is signed and stored.
    Signed {
        /// Game.
        game: U256,
        /// Half-move.
        ply: u64,
        /// Its hash.
        hash: B256,
    },
    /// The answer is in a block.
    Mined {
        /// Game.
        game: U256,
        /// Half-move.
        ply: u64,
        /// The transaction.
        hash: B256,
        /// Gas that it used.
        gas: u64,
        /// The block.
        block: u64,
    },
    /// A job came to an end other than by being answered.
    Ended {
        /// Game.
        game: U256,
        /// Half-move.
        ply: u64,
        /// Moot, forfeited or failed.
        state: State,
        /// Why.
        why: String,
    },
    /// A claim of the human's lost time is in a block.
    Claimed {
        /// Game.
        game: U256,
        /// The transaction.
        hash: B256,
        /// Gas that it used.
        gas: u64,
        /// The block.
        block: u64,
    },
    /// Something is wrong that may pass or needs a person.
    Trouble {
        /// What, where, what to do.
        what: String,
    },
}

/// Who is told.
pub type Observer = Arc<dyn Fn(&Notice) + Send + Sync>;

/// Nobody but the log is told.
pub fn log_only() -> Observer {
    Arc::new(|_| ())
}

impl Notice {
    /// Writes it to the log.
    pub(super) fn log(&self) {
        match self {
            Self::Ready { signer, arena, model_id } => {
                tracing::info!(%signer, %arena, model = %B256::from(*model_id), "ready");
            }
            Self::Undone { to } => tracing::warn!(to, "blocks undone"),
            Self::Asked { game, ply } => tracing::info!(%game, ply, "the NPC is to move"),
            Self::Proving { game, ply, phase } => tracing::debug!(%game, ply, phase, "proving"),
            Self::Proved { game, ply, ms, .. } => tracing::info!(%game, ply, ms, "proved"),
            Self::Signed { game, ply, hash } => {
                tracing::info!(%game, ply, %hash, "signed and stored")
            }
            Self::Mined { game, ply, hash, gas, block } => tracing::info!(%game, ply, %hash, gas, block, "answered"),
            Self::Ended { game, ply, state, why } if *state == State::Failed => {
                tracing::error!(%game, ply, why, "needs a person")
            }
            Self::Ended { game, ply, state, why } => tracing::info!(%game, ply, %state, why, "ended"),
            Self::Claimed { game, hash, gas, block } => {
                tracing::info!(%game, %hash, gas, block, "claimed: the human's time was up")
            }
            Self::Trouble { what } => tracing::warn!("{what}"),
        }
    }
}
