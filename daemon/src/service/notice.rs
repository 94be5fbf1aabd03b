//! What the daemon tells whoever watches it: the log, the demo, later metrics.

use std::{fmt, sync::Arc};

use crate::{
    chain::types::{Address, B256, U256},
    prover::Phase,
    store::State,
};

/// What a notice is about: a game, a request, a market, an incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subject {
    /// The app.
    pub app: &'static str,
    /// Its number at the app's contract.
    pub id: U256,
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.app, self.id)
    }
}

/// Something worth telling.
#[derive(Clone, Debug)]
pub enum Notice {
    /// Keys are loaded, chain and contracts are right.
    Ready {
        /// The address that signs.
        signer: Address,
        /// Each app's name and contract.
        apps: Vec<(&'static str, Address)>,
    },
    /// Blocks were undone.
    Undone {
        /// Down to this height.
        to: u64,
    },
    /// The chain asks.
    Asked {
        /// Whose.
        subject: Subject,
        /// Which question.
        round: u64,
    },
    /// A proof enters a phase.
    Proving {
        /// Whose.
        subject: Subject,
        /// Which question.
        round: u64,
        /// Which phase.
        phase: Phase,
    },
    /// A proof is stored.
    Proved {
        /// Whose.
        subject: Subject,
        /// Which question.
        round: u64,
        /// How long it took.
        ms: u64,
        /// The outputs that go with it.
        outputs: Vec<[u8; 32]>,
    },
    /// A transaction is signed and stored.
    Signed {
        /// Whose.
        subject: Subject,
        /// Which question.
        round: u64,
        /// Its hash.
        hash: B256,
    },
    /// The answer is in a block.
    Mined {
        /// Whose.
        subject: Subject,
        /// Which question.
        round: u64,
        /// The transaction.
        hash: B256,
        /// Gas that it used.
        gas: u64,
        /// The block.
        block: u64,
    },
    /// A job came to an end other than by being answered.
    Ended {
        /// Whose.
        subject: Subject,
        /// Which question.
        round: u64,
        /// Moot, forfeited or failed.
        state: State,
        /// Why.
        why: String,
    },
    /// A transaction that needs no proof is in a block: a claim, an expiry.
    Claimed {
        /// Whose.
        subject: Subject,
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
            Self::Ready { signer, apps } => {
                for (app, contract) in apps {
                    tracing::info!(%signer, app, %contract, "ready");
                }
            }
            Self::Undone { to } => tracing::warn!(to, "blocks undone"),
            Self::Asked { subject, round } => tracing::info!(%subject, round, "asked"),
            Self::Proving { subject, round, phase } => tracing::debug!(%subject, round, phase, "proving"),
            Self::Proved { subject, round, ms, .. } => tracing::info!(%subject, round, ms, "proved"),
            Self::Signed { subject, round, hash } => {
                tracing::info!(%subject, round, %hash, "signed and stored")
            }
            Self::Mined { subject, round, hash, gas, block } => {
                tracing::info!(%subject, round, %hash, gas, block, "answered")
            }
            Self::Ended { subject, round, state, why } if *state == State::Failed => {
                tracing::error!(%subject, round, why, "needs a person")
            }
            Self::Ended { subject, round, state, why } => tracing::info!(%subject, round, %state, why, "ended"),
            Self::Claimed { subject, hash, gas, block } => {
                tracing::info!(%subject, %hash, gas, block, "claimed or expired")
            }
            Self::Trouble { what } => tracing::warn!("{what}"),
        }
    }
}
