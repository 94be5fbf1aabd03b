//! How long a guard takes from a flagged withdrawal to the judgement, with and without other requests in the queue.

use std::{path::PathBuf, sync::Arc, time::Instant};

use serde::Serialize;

use super::{
    super::{
        DemoError,
        screen::Screen,
        stand::{Daemon, Stand},
    },
    Thresholds,
    replay::{self, Account},
    vault::Vault,
};
use crate::{
    apps::{guard, oracle},
    chain::{
        Wallet,
        types::{Address, Bytes, U256},
    },
    config::Config,
    out,
    prover::{Models, Prove},
    service::Notice,
    store::State,
};

/// Incidents after which the operator is told how far it is.
const REPORTED: usize = 25;

/// What is measured.
#[derive(Clone, Debug)]
pub struct Options {
    /// The table of labelled accounts; its frauds are replayed in turn.
    pub accounts: PathBuf,
    /// The folder of the model that scores them.
    pub model: PathBuf,
    /// From which scores the guard acts.
    pub thresholds: Thresholds,
    /// How many withdrawals are judged.
    pub incidents: usize,
    /// How many other requests wait at each of them.
    pub queue: usize,
    /// The anvil binary, where it isn't found by itself.
    pub anvil: Option<PathBuf>,
}

/// A model that others ask, with what a contract needs to know of it.
#[derive(Clone, Debug)]
pub struct Other {
    /// Its folder.
    pub model: PathBuf,
    /// Its keys.
    pub prover: Arc<dyn Prove>,
    /// Init code of its verifier.
    pub verifier: Bytes,
    /// Numbers and bits of inputs and outputs.
    pub schema: (oracle::Schema, oracle::Schema),
    /// Some input's limbs.
    pub input: Vec<U256>,
}

/// What came of it. Times in seconds, from before the withdrawal was sent to the judgement in a block: more than what the daemon
/// takes.
#[derive(Clone, Debug, Serialize)]
pub struct Latency {
    /// How many withdrawals were judged.
    pub incidents: usize,
    /// How many of them paused the vault.
    pub paused: usize,
    /// How many other requests waited.
    pub queue: usize,
    /// How many of those were answered meanwhile.
    pub answered: usize,
    /// Half took less.
    pub median_s: f64,
    /// One in a hundred took more.
    pub p99_s: f64,
    /// The slowest.
    pub most_s: f64,
    /// Median of the proofs alone.
    pub prove_s: f64,
}

/// Measures.
pub async fn measure(
    options: Options,
    prover: Arc<dyn Prove>,
    verifier: Bytes,
    other: Option<Other>,
) -> Result<Latency, DemoError> {
    Stand::with(options.anvil.as_deref(), None, true, async |stand, screen| {
        run(stand, screen, &options, prover, verifier, other).await
    })
    .await
}

/// Requests of others that wait.
struct Queue {
    asker: Wallet,
    oracle: Address,
    model: U256,
    input: Vec<U256>,
    waiting: usize,
}

impl Queue {
    async fn set(stand: &Stand, other: &Other) -> Result<Self, DemoError> {
        let verifier = stand.operator.deploy("the other verifier", other.verifier.clone()).await?.contract;
        let oracle = stand.operator.deploy("the oracle", oracle::creation_code()).await?.contract;
        let model_id = other.prover.model_id().into();
        let (model, _) = stand.operator.register_model(oracle, verifier, model_id, &other.schema).await?;
        let asker = stand.account(oracle::words).await?;
        Ok(Self { asker, oracle, model, input: other.input.clone(), waiting: 0 })
    }

    async fn fill(&mut self, most: usize) -> Result<(), DemoError> {
        while self.waiting < most {
            self.asker.ask_model(self.oracle, self.model, self.input.clone(), u64::MAX, U256::ZERO).await?;
            self.waiting += 1;
        }
        Ok(())
    }
}

async fn run(
    stand: &Stand,
    screen: &Screen,
    options: &Options,
    prover: Arc<dyn Prove>,
    verifier: Bytes,
    other: Option<Other>,
) -> Result<Latency, DemoError> {
    let accounts = replay::read(&options.accounts).map_err(DemoError::Accounts)?;
    // Every withdrawal is flagged, so accounts with one alone are replayed.
    let fits = |account: &&Account| account.is_fraud && account.sent.count == 1 && replay::fits(account);
    let frauds: Vec<&Account> = accounts.iter().filter(fits).collect();
    if frauds.is_empty() {
        return Err(DemoError::Accounts(format!("{}: it has no fraud to replay", options.accounts.display())));
    }
    let mut vault =
        Vault::set(stand, screen, prover.model_id(), verifier, options.thresholds, 0, &stand.operator).await?;
    let mut raw = stand.config();
    raw.guard.contracts = vec![vault.address.to_string()];
    raw.guard.models = vec![options.model.display().to_string()];
    let mut queue = None;
    if let Some(other) = &other {
        let set = Queue::set(stand, other).await?;
        raw.oracle.contract = set.oracle.to_string();
        raw.oracle.models = vec![other.model.display().to_string()];
        // They offer nothing.
        raw.oracle.at_a_loss = true;
        queue = Some(set);
    }
    let models = Models::of([Some(prover), other.map(|other| other.prover)].into_iter().flatten());
    let mut daemon = stand.run(Config::from_raw(raw)?, models).await?;

    let (mut times, mut proofs, mut paused, mut answered) = (Vec::new(), Vec::new(), 0, 0);
    for fraud in frauds.iter().cycle().take(options.incidents) {
        let wallet = vault.lead_up(stand, fraud).await?;
        if let Some(queue) = &mut queue {
            queue.fill(options.queue).await?;
        }
        let since = Instant::now();
        vault.last_withdrawal(&wallet, fraud).await?;
        let (held, prove_s) = judged(stand, &mut daemon, queue.as_mut(), &mut answered).await?;
        times.push(since.elapsed().as_secs_f64());
        proofs.push(prove_s);
        if held {
            paused += 1;
            vault.end_pause().await?;
        }
        if times.len() % REPORTED == 0 {
            let done = times.len();
            out::note(&format!(
                "{done} of {} incidents, {paused} paused, {answered} others answered",
                options.incidents
            ));
        }
    }
    times.sort_by(f64::total_cmp);
    proofs.sort_by(f64::total_cmp);
    let at = |sorted: &[f64], share: f64| {
        let place = (sorted.len() as f64 * share).ceil() as usize;
        sorted.get(place.saturating_sub(1)).copied().unwrap_or_default()
    };
    Ok(Latency {
        incidents: times.len(),
        paused,
        queue: options.queue,
        answered,
        median_s: at(&times, 0.5),
        p99_s: at(&times, 0.99),
        most_s: at(&times, 1.0),
        prove_s: at(&proofs, 0.5),
    })
}

/// Waits for a judgement; whether it paused the vault, and how long the proof took.
async fn judged(
    stand: &Stand,
    daemon: &mut Daemon,
    mut queue: Option<&mut Queue>,
    answered: &mut usize,
) -> Result<(bool, f64), DemoError> {
    let mut prove_s = 0.0;
    loop {
        match daemon.heard().await? {
            Notice::Proved { subject, ms, .. } if subject.app == "guard" => prove_s = ms as f64 / 1000.0,
            Notice::Mined { subject, hash, .. } if subject.app == "guard" => {
                let judgement: Option<guard::Judgement> = stand.operator.judgement_in(hash).await?;
                return Ok((judgement.is_some_and(|judgement| judgement.paused), prove_s));
            }
            Notice::Mined { subject, .. } if subject.app == "oracle" => {
                *answered += 1;
                if let Some(queue) = queue.as_deref_mut() {
                    queue.waiting = queue.waiting.saturating_sub(1);
                }
            }
            // A score in between ends without a judgement, and counts as long as it took to say so.
            Notice::Ended { subject, state: State::Forfeited, .. } if subject.app == "guard" => {
                return Ok((false, prove_s));
            }
            Notice::Ended { subject, why, .. } if subject.app == "guard" => {
                return Err(DemoError::NoAnswer { what: format!("to incident {}", subject.id), why });
            }
            _ => {}
        }
    }
}
