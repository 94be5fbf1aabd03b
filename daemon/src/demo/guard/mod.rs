//! A guarded vault: honest accounts use it, an account replays what a labelled fraud did, is delayed, proven and held; the
//! honest ones lose nothing.

pub mod latency;
pub(super) mod replay;
pub(super) mod vault;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Instant,
};

use serde::Serialize;

use self::{
    replay::{Account, Limits, Timing},
    vault::{Vault, WINDOW_BPS, coins},
};
use super::{
    DemoError,
    screen::Screen,
    stand::{Daemon, Stand},
};
use crate::{
    apps::guard::Judgement,
    chain::{
        Wallet,
        types::{Bytes, U256},
    },
    config::Config,
    prover::{Models, Prove},
    service::Notice,
    store::State,
};

pub use vault::Thresholds;

/// A withdrawal of more than 8 % is delayed.
pub(super) const SINGLE_BPS: u16 = 800;

/// How the demo is run.
#[derive(Clone, Debug)]
pub struct Options {
    /// The table of labelled accounts.
    pub accounts: PathBuf,
    /// The folder of the model that scores them.
    pub model: PathBuf,
    /// Which of them.
    pub seed: u64,
    /// From which scores the guard acts.
    pub thresholds: Thresholds,
    /// The anvil binary, where it isn't found by itself.
    pub anvil: Option<PathBuf>,
    /// Where the daemon's files go; a temporary folder if not set.
    pub dir: Option<PathBuf>,
    /// Nothing but the result is printed.
    pub quiet: bool,
}

/// What a guard does with a withdrawal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// It may be taken out.
    Released,
    /// It is held, and the vault is paused.
    Held,
    /// The score decides nothing: it waits for its time.
    Waits,
}

/// A judged withdrawal.
#[derive(Clone, Debug, Serialize)]
pub struct Judged {
    /// The account of the data set whose behaviour was replayed.
    pub account: String,
    /// Whether it is labelled as fraud.
    pub fraud: bool,
    /// The model's score.
    pub score: String,
    /// What the guard did.
    pub outcome: Outcome,
    /// Seconds that the proof took.
    pub prove_s: f64,
    /// Seconds from the withdrawal's block to the judgement's.
    pub answer_s: f64,
    /// Gas of the judgement.
    pub gas: u64,
}

/// A demo's outcome.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// The honest account's withdrawal, then the fraud's.
    pub judged: Vec<Judged>,
    /// What the honest accounts can take out in the end, in wei, beside what they have put in.
    pub honest: Vec<(String, String)>,
    /// Gas of a deposit, a withdrawal that isn't flagged, a flagged one and a claim.
    pub gas: [u64; 4],
}

/// Runs the demo to its end. `verifier` is the init code of the model's verifier.
pub async fn play(options: Options, prover: Arc<dyn Prove>, verifier: Bytes) -> Result<Summary, DemoError> {
    Stand::with(options.anvil.as_deref(), options.dir.clone(), options.quiet, async |stand, screen| {
        Demo { options: &options, screen, stand }.play(prover, verifier).await
    })
    .await
}

struct Demo<'a> {
    options: &'a Options,
    screen: &'a Screen,
    stand: &'a Stand,
}

/// A fraud and an honest account that the model is right about, as their records stand in the table, and savings in gwei with
/// which one vault flags the last withdrawals of both. Its figures over all accounts are in the model's README.
pub(super) fn accounts(
    file: &Path,
    thresholds: Thresholds,
    seed: u64,
    prover: &dyn Prove,
    timing: Timing,
) -> Result<(Account, Account, u64), DemoError> {
    let mut accounts = replay::read(file).map_err(DemoError::Accounts)?;
    let Thresholds { release_below, pause_at } = thresholds;
    let is_right = |account: &Account| {
        let score = prover.unpack(&account.limbs).and_then(|input| prover.infer(&input));
        let score = score.ok().and_then(|outputs| outputs.first()?.first().copied());
        score.is_some_and(|score| match account.is_fraud {
            true => score >= i64::from(pause_at),
            false => score < i64::from(release_below),
        })
    };
    accounts.retain(|account| replay::fits(account) && is_right(account));
    let limits = Limits { single_bps: SINGLE_BPS.into(), window_bps: WINDOW_BPS.into() };
    let planned: Vec<_> = accounts
        .iter()
        .filter(|account| account.is_fraud)
        .filter_map(|fraud| {
            replay::plan(fraud, &accounts, limits, timing).map(|(honest, savings)| (fraud, honest, savings))
        })
        .collect();
    let index = usize::try_from(seed).unwrap_or_default() % planned.len().max(1);
    let (fraud, honest, savings) = planned.get(index).ok_or_else(|| {
        DemoError::Accounts(format!(
            "{}: it has no two accounts that the model is right about and one vault can flag",
            file.display()
        ))
    })?;
    Ok(((*fraud).clone(), honest.clone(), *savings))
}

/// Somebody who puts money in and leaves it there.
struct Saver {
    name: &'static str,
    wallet: Wallet,
    assets: U256,
}

impl Demo<'_> {
    async fn play(&self, prover: Arc<dyn Prove>, verifier: Bytes) -> Result<Summary, DemoError> {
        let (screen, stand) = (self.screen, self.stand);
        let Options { accounts: file, thresholds, seed, .. } = self.options;
        let (fraud, honest, savings) = accounts(file, *thresholds, *seed, prover.as_ref(), Timing::InTurn)?;
        let model_id = prover.model_id();
        let mut vault = Vault::set(stand, screen, model_id, verifier, *thresholds, SINGLE_BPS, &stand.operator).await?;
        let mut raw = stand.config();
        raw.guard.contracts = vec![vault.address.to_string()];
        raw.guard.models = vec![self.options.model.display().to_string()];
        let mut daemon = stand.run(Config::from_raw(raw)?, Models::of([prover])).await?;

        screen.say("\nHonest accounts put money in:");
        let mut savers = Vec::new();
        for (name, part) in [("Anna", 6), ("Boris", 3), ("Chen", 1)] {
            let wallet = vault.account(stand).await?;
            let assets = vault::wei(savings) * U256::from(part) / U256::from(10);
            vault.put_in(&wallet, assets).await?;
            screen.say(&format!("  {name} puts in {} ({} gas)", coins(assets), vault.gas[0]));
            savers.push(Saver { name, wallet, assets });
        }
        let small = vault::wei(savings) / U256::from(60);
        let saver = &mut savers[0];
        vault.take_out(&saver.wallet, small).await?;
        saver.assets -= small;
        screen.say(&format!("  {} takes {} out again, at once ({} gas)", saver.name, coins(small), vault.gas[1]));

        let mut judged = Vec::new();
        screen.say(&format!("\nAn account does what {} did, which is labelled as honest:", honest.address));
        let (wallet, incident, since) = self.replayed(&mut vault, &honest).await?;
        judged.push(self.judgement(&mut daemon, &honest, since).await?);
        match judged[0].outcome {
            Outcome::Released => {
                vault.claim(&wallet, incident).await?;
                screen.say(&format!("  the account takes it out ({} gas)", vault.gas[3]));
            }
            Outcome::Held => {
                vault.end_pause().await?;
                screen.say("  a false alarm: governance ends the pause");
            }
            Outcome::Waits => {}
        }

        screen.say(&format!("\nAn account does what {} did, which is labelled as fraud:", fraud.address));
        let (wallet, incident, since) = self.replayed(&mut vault, &fraud).await?;
        judged.push(self.judgement(&mut daemon, &fraud, since).await?);
        for (who, tried) in [
            ("the account claims its withdrawal", vault.claim(&wallet, incident).await.err()),
            ("Anna takes a little out", vault.take_out(&savers[0].wallet, small).await.err()),
        ] {
            if let Some(why) = tried {
                screen.say(&format!("  {who}: {why}"));
            }
        }
        if judged[1].outcome == Outcome::Held {
            vault.end_pause().await?;
            screen.say("\nGovernance has looked at it and ends the pause, which is all that it can do. The honest accounts' money:");
        } else {
            screen
                .say("\nThe model doesn't see it; of frauds it finds about two in three. The honest accounts' money:");
        }
        let mut left = Vec::new();
        for saver in &savers {
            let share = saver.wallet.share_of(vault.address).await?;
            screen.say(&format!("  {}: {} of {}", saver.name, coins(share), coins(saver.assets)));
            left.push((saver.assets.to_string(), share.to_string()));
        }
        vault.take_out(&savers[0].wallet, small).await?;
        screen.say(&format!("  Anna takes {} out ({} gas)", coins(small), vault.gas[1]));
        Ok(Summary { judged, honest: left, gas: vault.gas })
    }

    /// Replays an account up to its largest withdrawal, which is flagged.
    async fn replayed(&self, vault: &mut Vault, account: &Account) -> Result<(Wallet, U256, Instant), DemoError> {
        let wallet = vault.lead_up(self.stand, account).await?;
        let since = Instant::now();
        let incident = vault.last_withdrawal(&wallet, account).await?;
        self.screen.say(&format!(
            "  {} deposits, {} withdrawals; the last one of {} is delayed as incident {incident} ({} gas)",
            account.received.count,
            account.sent.count,
            coins(vault::wei(account.sent.largest)),
            vault.gas[2]
        ));
        Ok((wallet, incident, since))
    }

    /// Waits for the daemon's judgement.
    async fn judgement(&self, daemon: &mut Daemon, account: &Account, since: Instant) -> Result<Judged, DemoError> {
        let waiting = self.screen.wait("guard: sees the incident");
        let mut prove_s = 0.0;
        loop {
            match daemon.heard().await? {
                Notice::Proving { phase, .. } => waiting.phase(&format!("proves: {phase}")),
                Notice::Proved { ms, .. } => {
                    prove_s = ms as f64 / 1000.0;
                    waiting.phase("simulates and submits");
                }
                Notice::Ended { state: State::Forfeited, why, .. } => {
                    drop(waiting);
                    self.screen.say(&format!("  {why}"));
                    return Ok(judged(account, String::new(), Outcome::Waits, prove_s, since, 0));
                }
                Notice::Ended { why, .. } => {
                    return Err(DemoError::NoAnswer { what: "to the incident".into(), why });
                }
                Notice::Trouble { what, .. } => self.screen.say(&format!("  the daemon says: {what}")),
                Notice::Mined { hash, gas, .. } => {
                    let Some(Judgement { score, paused }) = self.stand.operator.judgement_in(hash).await? else {
                        continue;
                    };
                    drop(waiting);
                    let answer_s = since.elapsed().as_secs_f64();
                    let (outcome, what) = match paused {
                        true => (Outcome::Held, "held, and the vault is paused"),
                        false => (Outcome::Released, "released"),
                    };
                    self.screen.say(&format!(
                        "  the daemon proves a score of {score}: {what} ({gas} gas, proved in {prove_s:.2} s, {answer_s:.2} s after the withdrawal was mined)"
                    ));
                    return Ok(judged(account, score.to_string(), outcome, prove_s, since, gas));
                }
                _ => {}
            }
        }
    }
}

fn judged(account: &Account, score: String, outcome: Outcome, prove_s: f64, since: Instant, gas: u64) -> Judged {
    let (account, fraud) = (account.address.clone(), account.is_fraud);
    Judged { account, fraud, score, outcome, prove_s, answer_s: since.elapsed().as_secs_f64(), gas }
}
