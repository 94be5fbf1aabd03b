//! `[chess]`, checked: the arena whose NPC is played.

use std::path::PathBuf;

use super::{ConfigError, address, raw::RawChess};
use crate::chain::types::Address;

/// The arena whose NPC is played.
#[derive(Clone, Debug)]
pub struct ChessConfig {
    /// The arena.
    pub arena: Address,
    /// Whose games are played; zero stands for the signing key's.
    pub host: Address,
    /// Whether games are claimed whose human has let the clock run out.
    pub timeouts: bool,
    /// The folders of the models that play; `model.dir` plays if there are none.
    pub models: Vec<PathBuf>,
}

impl ChessConfig {
    pub(super) fn from_raw(raw: &RawChess) -> Result<Self, ConfigError> {
        Ok(Self {
            arena: address("chess.arena", &raw.arena)?,
            host: if raw.host.is_empty() { Address::ZERO } else { address("chess.host", &raw.host)? },
            timeouts: raw.claim_timeouts,
            models: raw.models.iter().map(PathBuf::from).collect(),
        })
    }
}
