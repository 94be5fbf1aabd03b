//! FraudGuard: its calls, its events, its errors in words.

use alloy::sol_types::{SolCall, SolInterface};
use zugzwang_contracts::FraudGuard::{self as abi, FraudGuardErrors as Errors, FraudGuardEvents as Events};

use crate::chain::{
    ChainError, Client, Contract,
    policy::Permit,
    submit::Call,
    types::{Address, B256, Bytes, Log, U256},
};

/// What a guard tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum GuardEvent {
    /// A withdrawal is delayed, or a held one is to be judged anew.
    Flagged {
        /// Which snapshot of the account's features.
        round: u64,
    },
    /// A proof released it, or paused the vault.
    Judged {
        /// Which snapshot was judged.
        round: u64,
    },
}

/// A flagged withdrawal as it stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Incident {
    /// The snapshot that is to be judged.
    pub(super) round: u64,
    /// Unix time at which it can be taken out unless it is judged.
    pub(super) release_at: u64,
    /// Whether a judgement is taken.
    pub(super) is_open: bool,
    /// Whether it has paused the vault: then only its release is of use.
    pub(super) is_held: bool,
}

/// From which scores the guard acts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Thresholds {
    /// Lower scores release.
    pub(super) release_below: U256,
    /// These and higher ones pause.
    pub(super) pause_at: U256,
    /// The model that scores.
    pub(super) model_id: B256,
}

const DELAYED: u8 = 1;
const HELD: u8 = 3;

/// A guarded contract at an address.
#[derive(Clone, Debug)]
pub(super) struct Guard(Contract);

impl Guard {
    pub(super) async fn open(client: Client, address: Address) -> Result<Self, ChainError> {
        Ok(Self(Contract::open(client, address, "guard", "guard.contracts", words).await?))
    }

    pub(super) fn address(&self) -> Address {
        self.0.address()
    }

    /// The terms never change.
    pub(super) async fn thresholds(&self) -> Result<Thresholds, ChainError> {
        Ok(Thresholds {
            release_below: self.0.read(abi::releaseBelowCall {}, "releaseBelow", None).await?,
            pause_at: self.0.read(abi::pauseAtCall {}, "pauseAt", None).await?,
            model_id: self.0.read(abi::modelIdCall {}, "modelId", None).await?,
        })
    }

    pub(super) fn event(&self, log: &Log) -> Result<Option<(U256, GuardEvent)>, ChainError> {
        Ok(self.0.event::<Events>(log)?.and_then(|event| match event {
            Events::Flagged(e) => Some((e.incident, GuardEvent::Flagged { round: e.round })),
            Events::Judged(e) => Some((e.incident, GuardEvent::Judged { round: e.round })),
            _ => None,
        }))
    }

    /// A flagged withdrawal; `None` if there is none, as after a reorganisation.
    pub(super) async fn incident(&self, id: U256) -> Result<Option<Incident>, ChainError> {
        let i = self.0.read(abi::incidentsCall { incident: id }, "incidents", None).await?;
        Ok((i.status != 0).then(|| Incident {
            round: i.round.into(),
            release_at: i.releaseAt.saturating_to(),
            is_open: matches!(i.status, DELAYED | HELD),
            is_held: i.status == HELD,
        }))
    }

    /// The request's and the features' instances, as the contract makes them from its storage.
    pub(super) async fn instances(&self, incident: U256, submitter: Address) -> Result<Vec<U256>, ChainError> {
        self.0.read(abi::instancesCall { incident, submitter }, "instances", None).await
    }

    pub(super) fn judge(&self, incident: U256, round: u64, score: U256, proof: Vec<u8>) -> Call {
        let call = abi::judgeCall { incident, round, score, proof: proof.into() };
        Call { to: self.address(), data: call.abi_encode().into(), value: U256::ZERO }
    }
}

/// Every call that the app makes.
pub(super) fn permits() -> Vec<Permit> {
    vec![Permit::of(abi::judgeCall::SELECTOR, "judge")]
}

/// The guard's own errors in words; `None` for data that is none of them.
pub fn words(data: &Bytes) -> Option<String> {
    let error = Errors::abi_decode(data).ok()?;
    Some(match error {
        Errors::Paused(e) => format!("Paused: the vault is paused until {}", e.until),
        Errors::WrongStatus(e) => format!("WrongStatus: incident {} is judged or claimed already", e.incident),
        Errors::WrongRound(e) => format!("WrongRound: round {} is the one to be judged", e.round),
        Errors::Inconclusive(e) => format!("Inconclusive: a score of {} neither releases nor pauses", e.score),
        Errors::TooEarly(e) => format!("TooEarly: not before {}", e.time),
        Errors::NotPaused(_) => "NotPaused: there is no pause to end".into(),
        Errors::NotAllowed(_) => "NotAllowed: this account may not do that".into(),
        Errors::ProofRejected(_) => "ProofRejected: the verifier doesn't accept the proof".into(),
        other => format!("{other:?}"),
    })
}
