//! FraudGuard: its calls, its events, its errors in words.

use alloy::sol_types::{SolCall, SolInterface};
use zugzwang_contracts::{
    FraudGuard::{self as abi, FraudGuardErrors as Errors, FraudGuardEvents as Events},
    GuardedVault::{self as vault, GuardedVaultEvents as VaultEvents},
    WrappedCoin as coin,
};

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

/// What a guard's history is made of, for views.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// A withdrawal is delayed, or its account asks again.
    Flagged {
        /// Which one.
        incident: U256,
        /// Which snapshot of the account's features.
        round: u64,
        /// Whose.
        account: Address,
        /// The snapshot.
        limbs: Vec<U256>,
    },
    /// A proof decided.
    Judged {
        /// What.
        incident: U256,
        /// By which score.
        score: U256,
        /// Whether it is held, rather than released.
        is_held: bool,
    },
    /// It was paid out.
    Claimed {
        /// Which one.
        incident: U256,
    },
    /// Nothing leaves any more.
    PauseBegan {
        /// Because of which one.
        incident: U256,
    },
    /// Before its time.
    PauseEnded,
}

impl Told {
    /// The incident that it is about.
    pub(super) fn incident(&self) -> Option<U256> {
        match self {
            Self::Flagged { incident, .. }
            | Self::Judged { incident, .. }
            | Self::Claimed { incident }
            | Self::PauseBegan { incident } => Some(*incident),
            Self::PauseEnded => None,
        }
    }
}

/// All of a guard's terms, which never change, and its token's words.
#[derive(Clone, Debug)]
pub(super) struct Rules {
    pub(super) name: String,
    pub(super) symbol: String,
    pub(super) asset: Address,
    pub(super) decimals: u8,
    pub(super) governance: Address,
    pub(super) verifier: Address,
    pub(super) delay: U256,
    pub(super) pause: U256,
    pub(super) grace: U256,
    pub(super) window: U256,
    pub(super) single_bps: U256,
    pub(super) window_bps: U256,
}

/// What is in a vault, and whether anything may leave it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Standing {
    pub(super) total: U256,
    pub(super) escrowed: U256,
    pub(super) is_paused: bool,
    pub(super) until: u64,
    pub(super) by: U256,
    pub(super) incidents: U256,
}

/// What became of a flagged withdrawal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Delayed,
    Released,
    Held,
    Claimed,
}

/// A flagged withdrawal for people.
#[derive(Clone, Copy, Debug)]
pub(super) struct Case {
    pub(super) round: u64,
    pub(super) account: Address,
    pub(super) receiver: Address,
    pub(super) assets: U256,
    pub(super) is_large: bool,
    pub(super) asked_at: u64,
    pub(super) release_at: u64,
    pub(super) fate: Fate,
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
const RELEASED: u8 = 2;
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

    /// What a log says for the history.
    pub(super) fn told(&self, log: &Log) -> Result<Option<Told>, ChainError> {
        Ok(self.0.event::<VaultEvents>(log)?.and_then(|event| match event {
            VaultEvents::Flagged(e) => {
                Some(Told::Flagged { incident: e.incident, round: e.round, account: e.account, limbs: e.features })
            }
            VaultEvents::Judged(e) => Some(Told::Judged { incident: e.incident, score: e.score, is_held: e.paused }),
            VaultEvents::Claimed(e) => Some(Told::Claimed { incident: e.incident }),
            VaultEvents::PauseBegan(e) => Some(Told::PauseBegan { incident: e.incident }),
            VaultEvents::PauseEnded(_) => Some(Told::PauseEnded),
            _ => None,
        }))
    }

    /// Everything that never changes. A guard that is no vault has no name and no asset.
    pub(super) async fn rules(&self) -> Result<Rules, ChainError> {
        let asset = absent_is(Address::ZERO, self.0.read(vault::assetCall {}, "asset", None).await)?;
        let (decimals, symbol) = if asset.is_zero() {
            (0, String::new())
        } else {
            let token = Contract::open(self.0.client().clone(), asset, "asset", "guard.contracts", words).await?;
            let decimals = absent_is(0, token.read(coin::decimalsCall {}, "decimals", None).await)?;
            (decimals, absent_is(String::new(), token.read(coin::symbolCall {}, "symbol", None).await)?)
        };
        Ok(Rules {
            name: absent_is(String::new(), self.0.read(vault::nameCall {}, "name", None).await)?,
            symbol,
            asset,
            decimals,
            governance: self.0.read(abi::governanceCall {}, "governance", None).await?,
            verifier: self.0.read(abi::verifierCall {}, "verifier", None).await?,
            delay: self.0.read(abi::delayCall {}, "delay", None).await?,
            pause: self.0.read(abi::pauseCall {}, "pause", None).await?,
            grace: self.0.read(abi::graceCall {}, "grace", None).await?,
            window: self.0.read(abi::windowCall {}, "window", None).await?,
            single_bps: self.0.read(abi::singleBpsCall {}, "singleBps", None).await?,
            window_bps: self.0.read(abi::windowBpsCall {}, "windowBps", None).await?,
        })
    }

    /// How it stands at a block.
    pub(super) async fn standing(&self, at: B256) -> Result<Standing, ChainError> {
        let at = Some(at);
        let paused = self.0.read(abi::pausedCall {}, "paused", at).await?;
        Ok(Standing {
            total: absent_is(U256::ZERO, self.0.read(vault::totalAssetsCall {}, "totalAssets", at).await)?,
            escrowed: absent_is(U256::ZERO, self.0.read(vault::escrowedCall {}, "escrowed", at).await)?,
            is_paused: paused.now_,
            until: paused.until.saturating_to(),
            by: paused.incident,
            incidents: self.0.read(abi::incidentCountCall {}, "incidentCount", at).await?,
        })
    }

    /// A flagged withdrawal at a block, for people; `None` if there is none.
    pub(super) async fn case(&self, id: U256, at: B256) -> Result<Option<Case>, ChainError> {
        let i = self.0.read(abi::incidentsCall { incident: id }, "incidents", Some(at)).await?;
        let fate = match i.status {
            0 => return Ok(None),
            DELAYED => Fate::Delayed,
            RELEASED => Fate::Released,
            HELD => Fate::Held,
            _ => Fate::Claimed,
        };
        Ok(Some(Case {
            round: i.round.into(),
            account: i.account,
            receiver: i.receiver,
            assets: i.assets.to(),
            is_large: i.large,
            asked_at: i.askedAt.into(),
            release_at: i.releaseAt.saturating_to(),
            fate,
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

/// What a view of a contract answers that may not have it.
fn absent_is<T>(value: T, answer: Result<T, ChainError>) -> Result<T, ChainError> {
    match answer {
        Err(ChainError::Refused { .. } | ChainError::Reverts { .. } | ChainError::Undecodable { .. }) => Ok(value),
        answer => answer,
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
