//! `[oracle]`, checked: the inference oracle whose requests are answered.

use std::path::PathBuf;

use super::{ConfigError, address, bad, gwei_or_none, raw::RawOracle};
use crate::chain::types::{Address, U256};

/// The inference oracle whose requests are answered.
#[derive(Clone, Debug)]
pub struct OracleConfig {
    /// The oracle.
    pub contract: Address,
    /// The folders of the models that are proven for it.
    pub models: Vec<PathBuf>,
    /// The registered models that are answered for; all that the folders hold if empty.
    pub registered: Vec<u64>,
    /// Requests that pay less are left to others, in wei.
    pub min_bounty: U256,
    /// Whether requests are answered whose bounty is below the cost of the answer.
    pub at_a_loss: bool,
}

impl OracleConfig {
    pub(super) fn from_raw(raw: RawOracle) -> Result<Self, ConfigError> {
        if raw.models.is_empty() {
            return Err(bad("oracle.models", "", "names no folder: list those of the models that are to be proven"));
        }
        Ok(Self {
            contract: address("oracle.contract", &raw.contract)?,
            models: raw.models.into_iter().map(PathBuf::from).collect(),
            registered: raw.registered,
            min_bounty: gwei_or_none("oracle.min_bounty_gwei", raw.min_bounty_gwei)?,
            at_a_loss: raw.at_a_loss,
        })
    }
}
