//! `[prover]`: how proofs are made in this process.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{ConfigError, at_least};

/// `[prover]` as written.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct RawProver {
    /// Proofs made at the same time.
    pub slots: usize,
    /// Seconds after which a proof is reported and ended, and the job tried again.
    pub budget_s: u64,
    /// Tries before a job is reported as failed.
    pub attempts: u32,
    /// Most MiB of memory that the process may take; 0 for what the machine or its control group has.
    pub memory_mb: u64,
}

impl Default for RawProver {
    fn default() -> Self {
        Self { slots: 1, budget_s: 120, attempts: 3, memory_mb: 0 }
    }
}

/// How proofs are made.
#[derive(Clone, Debug)]
pub struct ProverConfig {
    /// Proofs made at the same time.
    pub slots: usize,
    /// A proof that takes longer is reported and ended.
    pub budget: Duration,
    /// Tries before a job is reported as failed.
    pub attempts: u32,
    /// Most bytes of memory that the process may take; `None` for what the machine or its control group has.
    pub memory: Option<u64>,
}

impl ProverConfig {
    /// Checks what was written.
    ///
    /// # Errors
    /// [`ConfigError::BadValue`] for a number that is out of its range.
    pub fn from_raw(raw: &RawProver) -> Result<Self, ConfigError> {
        Ok(Self {
            slots: at_least("prover.slots", raw.slots as u64, 1)? as usize,
            budget: Duration::from_secs(at_least("prover.budget_s", raw.budget_s, 1)?),
            attempts: at_least("prover.attempts", raw.attempts.into(), 1)? as u32,
            memory: (raw.memory_mb > 0).then(|| raw.memory_mb.saturating_mul(1 << 20)),
        })
    }
}
