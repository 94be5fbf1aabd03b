//! The arena: its calls, its events, its errors in words.

use alloy::{rpc::types::Log, sol, sol_types::SolEventInterface};

use super::{
    error::ChainError,
    types::{Address, B256, U256},
};
use crate::store::BlockRef;

sol! {
    #[derive(Debug)]
    interface ChessArena {
        event GameCreated(uint256 indexed gameId);
        event HumanMoved(uint256 indexed gameId, uint256 ply, uint16 move);
        event NpcMoved(uint256 indexed gameId, uint256 ply, uint16 move);
        event GameOver(uint256 indexed gameId, uint8 result);
    }
}

/// An event with its place on the chain.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The block.
    pub block: BlockRef,
    /// The transaction.
    pub tx: B256,
    /// What happened.
    pub event: ArenaEvent,
}

/// What the arena tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ArenaEvent {
    /// A game exists.
    Created { game: U256 },
    /// A person moved.
    HumanMoved { game: U256, ply: u64 },
    /// The NPC moved.
    NpcMoved { game: U256, ply: u64 },
    /// A game has ended.
    Over { game: U256, result: u8 },
}

/// Decodes logs; events of the arena that don't matter here are left out.
pub fn decode_all(arena: Address, logs: &[Log]) -> Result<Vec<Seen>, ChainError> {
    let mut seen = Vec::new();
    for log in logs {
        let (Some(number), Some(hash), Some(tx)) =
            (log.block_number, log.block_hash, log.transaction_hash)
        else {
            continue;
        };
        let Ok(event) = ChessArena::ChessArenaEvents::decode_log(&log.inner) else {
            continue;
        };
        let _ = arena;
        use ChessArena::ChessArenaEvents as E;
        let event = match event.data {
            E::GameCreated(e) => ArenaEvent::Created { game: e.gameId },
            E::HumanMoved(e) => ArenaEvent::HumanMoved {
                game: e.gameId,
                ply: e.ply.saturating_to(),
            },
            E::NpcMoved(e) => ArenaEvent::NpcMoved {
                game: e.gameId,
                ply: e.ply.saturating_to(),
            },
            E::GameOver(e) => ArenaEvent::Over {
                game: e.gameId,
                result: e.result,
            },
        };
        seen.push(Seen {
            block: BlockRef { number, hash },
            tx,
            event,
        });
    }
    Ok(seen)
}
