//! `[world]`: an arena in which the World plays against the NPC.

use serde::{Deserialize, Serialize};

use super::{ConfigError, address};
use crate::chain::types::Address;

/// `[world]`: games that anybody votes in. They are played by the model of `[model]`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct RawWorld {
    /// Address of the WorldArena; empty for none.
    pub contract: String,
    /// Whose games are played; empty for those that the signing key hosts.
    pub host: String,
    /// Whether rounds are closed whose window is over.
    pub close_rounds: bool,
    /// Whether games are claimed in which nobody has voted in time.
    pub claim_timeouts: bool,
    /// Name of the key that signs for it; empty for `[key]`.
    pub key: String,
}

impl Default for RawWorld {
    fn default() -> Self {
        Self {
            contract: String::new(),
            host: String::new(),
            close_rounds: true,
            claim_timeouts: true,
            key: String::new(),
        }
    }
}

/// The arena in which the World plays.
#[derive(Clone, Debug)]
pub struct WorldConfig {
    /// The arena.
    pub contract: Address,
    /// Whose games are played; zero stands for the signing key's.
    pub host: Address,
    /// Whether rounds are closed whose window is over.
    pub close_rounds: bool,
    /// Whether games are claimed in which nobody has voted in time.
    pub timeouts: bool,
}

impl WorldConfig {
    pub(super) fn from_raw(raw: &RawWorld) -> Result<Self, ConfigError> {
        Ok(Self {
            contract: address("world.contract", &raw.contract)?,
            host: if raw.host.is_empty() { Address::ZERO } else { address("world.host", &raw.host)? },
            close_rounds: raw.close_rounds,
            timeouts: raw.claim_timeouts,
        })
    }
}
