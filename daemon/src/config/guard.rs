//! `[guard]`, checked: contracts whose delayed withdrawals are judged.

use std::path::PathBuf;

use super::{ConfigError, address, bad, raw::RawGuard};
use crate::chain::types::Address;

/// Contracts whose delayed withdrawals are judged.
#[derive(Clone, Debug)]
pub struct GuardConfig {
    /// The contracts.
    pub contracts: Vec<Address>,
    /// The folders of the models that score accounts.
    pub models: Vec<PathBuf>,
}

impl GuardConfig {
    pub(super) fn from_raw(raw: RawGuard) -> Result<Self, ConfigError> {
        if raw.models.is_empty() {
            return Err(bad("guard.models", "", "names no folder: list those of the models that score accounts"));
        }
        let contract = |text: &String| address("guard.contracts", text);
        Ok(Self {
            contracts: raw.contracts.iter().map(contract).collect::<Result<_, _>>()?,
            models: raw.models.into_iter().map(PathBuf::from).collect(),
        })
    }
}
