//! What the daemon is used for. Each app is one module behind one trait: what an event of its contract asks, what is to be
//! proven, and the transaction that answers. Engine, store, prover and service know none of them; [`open`] is the list.
//!
//! ```text
//! log ──read──► Told ──► engine ──► question ──► proof ──► reply ──► transaction
//!                 └──► watched ──look──► Ask, or a transaction of another kind (a claim, an expiry)
//! ```
//! An app keeps no state of its own that matters: what it needs to know is on the chain or in the store.

pub mod chess;
#[cfg(test)]
mod fuzz;
pub mod guard;
pub mod history;
pub mod market;
pub mod oracle;
mod views;
pub mod world;

use std::{any::Any, collections::BTreeMap, fmt, ops::Range, pin::Pin, sync::Arc};

use crate::{
    chain::{
        ChainError, Client,
        contract::Words,
        policy::Permit,
        signer,
        submit::Call,
        types::{Address, Log, U256},
    },
    config::Config,
    engine::Priority,
    feed::Bulletin,
    http::Shared,
    prover::{Models, Prove},
    store::{Answer, Job, Store, StoreError},
};
use utoipa_axum::router::OpenApiRouter;
use zugzwang_circuits::graph::Tensor;

/// A future that a trait object gives.
pub type Async<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Why an app can't say what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// The node.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The configuration and the chain don't go together.
    #[error("{app} {contract}: {why}")]
    Lacking {
        /// The app.
        app: &'static str,
        /// Its contract.
        contract: Address,
        /// What is missing, and where to name it.
        why: String,
    },
}

crate::code::codes!(AppError { Lacking = 105; Chain, Store });

/// What a log tells of one subject (a game, a request, a market, an incident).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// The subject.
    pub subject: U256,
    /// What happened, if it concerns jobs.
    pub what: Option<Occurrence>,
    /// When the subject is looked at.
    pub look: Next,
    /// A signed bulletin with its publisher, to be stored as one with the cursor.
    pub bulletin: Option<(Address, Bulletin)>,
}

/// What happened to a subject, as far as jobs are concerned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Occurrence {
    /// The contract waits for an answer.
    Asked {
        /// Which question.
        round: u64,
    },
    /// It has an answer, ours or another's.
    Answered {
        /// Which question.
        round: u64,
    },
    /// It waits for nothing any more.
    Over {
        /// Whether because our time ran out.
        forfeited: bool,
        /// How, in words.
        how: String,
    },
}

/// When a subject is to be looked at after an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// As was decided before.
    AsBefore,
    /// At once.
    Now,
    /// Not again, unless another event asks for it.
    Never,
}

/// What the chain asks, as read from it now.
#[derive(Debug)]
pub enum Question {
    /// Something to prove.
    Prove(Task),
    /// Nothing that this daemon answers.
    Nothing {
        /// Why.
        why: String,
    },
    /// The node is behind the block that asked: the next poll knows more.
    NotYet,
}

/// What is to be proven.
#[derive(Debug)]
pub struct Task {
    /// The model.
    pub prover: Arc<dyn Prove>,
    /// Its input.
    pub input: Tensor,
    /// What binds the proof to the question and to the submitter.
    pub request: [u8; 32],
    /// Which of the proof's instances the contract is given with it.
    pub outputs: Range<usize>,
}

impl Task {
    /// The task of a general net that a contract asks: `instances` are the request and the input's limbs, as the contract makes
    /// them; all that follows them in a proof are outputs.
    ///
    /// # Errors
    /// In words, if the limbs are no input of the model.
    pub fn of_limbs(prover: &Arc<dyn Prove>, instances: &[U256]) -> Result<Self, String> {
        let words: Vec<[u8; 32]> = instances.iter().map(|word| word.to_be_bytes()).collect();
        let ([hi, lo], limbs) = words.split_first_chunk().ok_or("the contract gives no request")?;
        let input = prover.unpack(limbs).map_err(|e| e.to_string())?;
        let outputs = words.len()..prover.facts().instances;
        Ok(Self { prover: prover.clone(), input, request: request_of(hi, lo), outputs })
    }
}

/// The request that a proof's first two instances stand for.
pub fn request_of(hi: &[u8; 32], lo: &[u8; 32]) -> [u8; 32] {
    let mut request = [0u8; 32];
    request[..16].copy_from_slice(&hi[16..]);
    request[16..].copy_from_slice(&lo[16..]);
    request
}

/// What becomes of a proven answer.
#[derive(Clone, Debug)]
pub enum Reply {
    /// It is sent.
    Send(Call),
    /// The node is behind, or the store: the next turn knows more.
    NotYet,
    /// The contract would not take it, and that is right so: the question is left without an answer.
    Nothing {
        /// Why.
        why: String,
    },
}

/// What a look at a subject decides.
#[derive(Clone, Debug)]
pub enum Look {
    /// No more looks, unless an event asks for one.
    Never,
    /// Look again when the chain's clock shows this.
    At(u64),
    /// The contract waits for an answer that no event of its own announces. Looked at again at `again`.
    Ask {
        /// Which question.
        round: u64,
        /// Unix time of the next look.
        again: u64,
    },
    /// A transaction that needs no proof. Looked at again at `again`.
    Send {
        /// The call.
        call: Call,
        /// What it does, in words.
        what: &'static str,
        /// Unix time of the next look.
        again: u64,
    },
}

/// A use of the daemon: one contract, and what it asks.
///
/// What it shows to everybody are routes of its kind, see [`routes`]; they find the apps of their kind by [`crate::http::Live::apps`].
pub trait App: Any + Send + Sync + fmt::Debug {
    /// Its name in logs.
    fn name(&self) -> &'static str;

    /// The contract whose events are read and whose questions are answered.
    fn contract(&self) -> Address;

    /// Whether its proofs go before others'.
    fn priority(&self) -> Priority {
        Priority::Normal
    }

    /// What a log of the contract says; `None` if it doesn't matter.
    fn read(&self, log: &Log) -> Result<Option<Told>, ChainError>;

    /// Reads from the chain what a job asks now.
    fn question<'a>(&'a self, job: &'a Job) -> Async<'a, Result<Question, AppError>>;

    /// Whether the chain still waits for this job's answer.
    fn is_asked<'a>(&'a self, job: &'a Job) -> Async<'a, Result<bool, AppError>>;

    /// The transaction that gives a proven answer.
    fn reply<'a>(&'a self, job: &'a Job, answer: &'a Answer) -> Async<'a, Result<Reply, AppError>>;

    /// The contract's own errors in words.
    fn words(&self) -> Words;

    /// Every call of the contract that [`App::reply`] and [`App::look`] make. Nothing else is signed.
    fn permits(&self) -> Vec<Permit>;

    /// Whether a refusal in these words says that our time ran out.
    fn is_forfeited(&self, _words: &str) -> bool {
        false
    }

    /// What is wrong with the models that the daemon has, if this app can't do its work with them. Asked once they are loaded.
    fn lacks(&self) -> Option<String> {
        None
    }

    /// Whether its contract is read from the start at each start: what counts of it depends on the configuration.
    fn is_read_anew(&self) -> bool {
        false
    }

    /// Whether bulletins are of interest to its subjects.
    fn reads_bulletins(&self) -> bool {
        false
    }

    /// Whether subjects are looked at by their clocks at all.
    fn looks(&self) -> bool {
        true
    }

    /// Looks at a subject whose time has come. `sent` says whether a transaction of an earlier look is under way; `now` is the
    /// time of the chain's newest block.
    fn look<'a>(&'a self, _subject: U256, _sent: bool, _now: u64) -> Async<'a, Result<Look, AppError>> {
        Box::pin(async { Ok(Look::Never) })
    }

    /// Whether what an earlier look sent, and isn't in a block, is still right.
    fn holds(&self, _subject: U256) -> Async<'_, Result<bool, AppError>> {
        Box::pin(async { Ok(true) })
    }

    /// What came from outside the chain since the last turn.
    fn news(&self) -> Async<'_, Result<News, AppError>> {
        Box::pin(async { Ok(News::default()) })
    }
}

/// What came from outside the chain.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct News {
    /// Signed bulletins with their publishers: they are stored, and every subject is looked at.
    pub bulletins: Vec<(Address, Bulletin)>,
    /// For the operator.
    pub troubles: Vec<String>,
}

/// What apps stand on.
#[derive(Clone, Debug)]
pub struct Ground {
    /// The node.
    pub client: Client,
    /// The address that signs for the app that is opened; by default that of `[key]`.
    pub signer: Address,
    /// The addresses of all keys by name, for apps that name one of `[[keys]]`.
    pub signers: BTreeMap<String, Address>,
    /// The models with their keys.
    pub models: Models,
    /// The store, for what came from outside the chain.
    pub store: Store,
}

impl Ground {
    /// The same, with the address that signs for a contract.
    fn of(&self, config: &Config, app: &'static str, contract: Address) -> Result<Self, AppError> {
        let signer = match (config.key_of(contract), self.signers.get(config.key_of(contract))) {
            (_, Some(signer)) => *signer,
            (signer::DEFAULT, None) => self.signer,
            (name, None) => {
                let why = format!("its key {name} was not opened; add it as [[keys]] with this name");
                return Err(AppError::Lacking { app, contract, why });
            }
        };
        Ok(Self { signer, ..self.clone() })
    }
}

/// What the apps show to everybody, each kind's routes once, however many contracts there are: below `/api/v1`.
pub fn routes() -> OpenApiRouter<Shared> {
    let games = chess::routes().merge(world::routes());
    OpenApiRouter::new().merge(games).merge(market::view::routes()).merge(guard::routes::routes())
}

/// The apps that the configuration names, each with its contract checked.
///
/// # Errors
/// If a contract isn't there, or isn't what it should be.
pub async fn open(config: &Config, ground: &Ground) -> Result<Vec<Arc<dyn App>>, AppError> {
    let mut apps: Vec<Arc<dyn App>> = Vec::new();
    if let Some(chess) = &config.chess {
        let ground = ground.of(config, "chess", chess.arena)?;
        apps.push(Arc::new(chess::Chess::open(chess, &ground).await?));
    }
    if let Some(world) = &config.world {
        let ground = ground.of(config, "world", world.contract)?;
        apps.push(Arc::new(world::World::open(world, &ground).await?));
    }
    if let Some(oracle) = &config.oracle {
        let ground = ground.of(config, "oracle", oracle.contract)?;
        apps.push(Arc::new(oracle::InferenceOracle::open(oracle, &ground).await?));
    }
    if let Some(guard) = &config.guard {
        for contract in &guard.contracts {
            let ground = ground.of(config, "guard", *contract)?;
            apps.push(Arc::new(guard::FraudGuard::open(*contract, &ground).await?));
        }
    }
    if let Some(market) = &config.market {
        let feeds = Arc::new(market::Feeds::new(market.feeds.clone()));
        for contract in &market.contracts {
            let ground = ground.of(config, "market", *contract)?;
            apps.push(Arc::new(market::PredictionMarket::open(*contract, market, &feeds, &ground).await?));
        }
        if let Some(board) = market.board {
            apps.push(Arc::new(market::BulletinBoard::open(board, &feeds, ground).await?));
        }
    }
    // Without models the contracts alone are checked.
    let lacking = apps.iter().filter(|_| ground.models.ids().next().is_some());
    if let Some((app, why)) = lacking.filter_map(|app| Some((app, app.lacks()?))).next() {
        return Err(AppError::Lacking { app: app.name(), contract: app.contract(), why });
    }
    Ok(apps)
}
