//! What the daemon tells whoever watches it: the log, the demo, later metrics.

use std::{fmt, sync::Arc};

use serde_json::json;

use crate::{
    chain::types::{Address, B256, U256},
    code::Code,
    prover::Phase,
    store::State,
};

/// What a notice is about: a game, a request, a market, an incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subject {
    /// The app.
    pub app: &'static str,
    /// The app's contract.
    pub contract: Address,
    /// Its number there.
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
    /// A turn of the loop was finished, whether or not there was anything to do: the sign that it isn't stuck.
    Turn {
        /// The node's newest block.
        head: u64,
        /// The last block whose events are stored.
        cursor: u64,
        /// Proofs in the making.
        proving: usize,
    },
    /// Blocks were undone.
    Undone {
        /// The cursor before.
        from: u64,
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
        /// The model's id.
        model: [u8; 32],
        /// How long it took.
        ms: u64,
        /// The outputs that go with it.
        outputs: Vec<[u8; 32]>,
    },
    /// A try at a proof came to nothing.
    ProofFailed {
        /// Whose.
        subject: Subject,
        /// Which question.
        round: u64,
        /// The code of its error.
        code: Code,
        /// Why.
        why: String,
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
    /// The answer's block is deep enough.
    Settled {
        /// Whose.
        subject: Subject,
        /// Which question.
        round: u64,
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
        /// Which kind of trouble.
        code: Code,
        /// What, where, what to do.
        what: String,
    },
}

fn with(mut object: serde_json::Value, key: &str, value: impl Into<serde_json::Value>) -> serde_json::Value {
    object[key] = value.into();
    object
}

/// Who is told.
pub type Observer = Arc<dyn Fn(&Notice) + Send + Sync>;

/// Nobody but the log is told.
pub fn log_only() -> Observer {
    Arc::new(|_| ())
}

impl Notice {
    /// As a JSON object for those who follow: the kind, the chain, the time, and what it is about.
    pub fn json(&self, chain_id: u64, time_ms: i64) -> serde_json::Value {
        let about = |subject: &Subject, round: &u64| json!({ "app": subject.app, "subject": subject.id.to_string(), "round": round });
        let (kind, mut object) = match self {
            Self::Ready { signer, apps } => {
                let apps: Vec<String> = apps.iter().map(|(app, contract)| format!("{app} {contract}")).collect();
                ("ready", json!({ "signer": signer.to_string(), "apps": apps }))
            }
            Self::Turn { head, cursor, proving } => {
                ("turn", json!({ "head": head, "cursor": cursor, "proving": proving }))
            }
            Self::Undone { from, to } => ("undone", json!({ "from": from, "to": to })),
            Self::Asked { subject, round } => ("asked", about(subject, round)),
            Self::Proving { subject, round, phase } => ("proving", with(about(subject, round), "phase", *phase)),
            Self::Proved { subject, round, ms, .. } => ("proved", with(about(subject, round), "ms", *ms)),
            Self::ProofFailed { subject, round, why, .. } => {
                ("proof_failed", with(about(subject, round), "why", why.clone()))
            }
            Self::Signed { subject, round, hash } => ("signed", with(about(subject, round), "hash", hash.to_string())),
            Self::Mined { subject, round, hash, gas, block } => {
                let mined = with(with(about(subject, round), "hash", hash.to_string()), "gas", *gas);
                ("answered", with(mined, "block", *block))
            }
            Self::Settled { subject, round } => ("final", about(subject, round)),
            Self::Ended { subject, round, state, why } => {
                ("ended", with(with(about(subject, round), "state", state.to_string()), "why", why.clone()))
            }
            Self::Claimed { subject, hash, gas, block } => {
                let claimed =
                    json!({ "app": subject.app, "subject": subject.id.to_string(), "hash": hash.to_string() });
                ("claimed", with(with(claimed, "gas", *gas), "block", *block))
            }
            Self::Trouble { code, what } => ("trouble", json!({ "code": code.to_string(), "what": what })),
        };
        object = with(object, "event", kind);
        object = with(object, "chain_id", chain_id);
        with(object, "time_ms", time_ms)
    }

    /// Writes it to the log.
    pub(super) fn log(&self) {
        match self {
            Self::Ready { signer, apps } => {
                for (app, contract) in apps {
                    tracing::info!(%signer, app, %contract, "ready");
                }
            }
            Self::Turn { .. } => {}
            Self::Undone { from, to } => tracing::warn!(from, to, "blocks undone"),
            Self::ProofFailed { subject, round, code, why } => tracing::warn!(%subject, round, %code, why, "no proof"),
            Self::Asked { subject, round } => tracing::info!(%subject, round, "asked"),
            Self::Proving { subject, round, phase } => tracing::debug!(%subject, round, phase, "proving"),
            Self::Proved { subject, round, ms, .. } => tracing::info!(%subject, round, ms, "proved"),
            Self::Signed { subject, round, hash } => {
                tracing::info!(%subject, round, %hash, "signed and stored")
            }
            Self::Mined { subject, round, hash, gas, block } => {
                tracing::info!(%subject, round, %hash, gas, block, "answered")
            }
            Self::Settled { subject, round } => tracing::debug!(%subject, round, "final"),
            Self::Ended { subject, round, state, why } if *state == State::Failed => {
                tracing::error!(%subject, round, why, "needs a person")
            }
            Self::Ended { subject, round, state, why } => tracing::info!(%subject, round, %state, why, "ended"),
            Self::Claimed { subject, hash, gas, block } => {
                tracing::info!(%subject, %hash, gas, block, "claimed or expired")
            }
            Self::Trouble { code, what } => tracing::warn!(%code, "{what}"),
        }
    }
}
