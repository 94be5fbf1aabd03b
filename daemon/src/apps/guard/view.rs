//! What everybody may see of guarded vaults: rules, what is in them, pauses, and each flagged withdrawal with what the model read
//! and said.

use std::{
    collections::BTreeMap,
    sync::{Arc, OnceLock},
};

use serde::{Deserialize, Serialize};
use tokio::sync::OnceCell;
use utoipa::ToSchema;

use super::{
    FraudGuard,
    contract::{Case, Fate, Rules, Told},
    features::{self, Feature, Spread},
};
use crate::{
    apps::history::{Chapter, History},
    chain::{
        client::Header,
        types::{B256, U256},
    },
    http::{ApiError, Live, live::Cache},
    monitor::{Phase, Progress},
};

/// Incidents that are remembered, and blocks with their times.
const REMEMBERED: usize = 2000;

/// What is remembered between requests.
#[derive(Debug)]
pub(super) struct Known {
    history: OnceLock<History<Told>>,
    rules: OnceCell<Rules>,
    spread: OnceLock<Spread>,
    /// Each incident, as of the last event about it.
    cases: Cache<U256, Option<Case>>,
    /// The time of each transaction's block.
    times: Cache<B256, u64>,
}

impl Default for Known {
    fn default() -> Self {
        Self {
            history: OnceLock::new(),
            rules: OnceCell::new(),
            spread: OnceLock::new(),
            cases: Cache::new(REMEMBERED),
            times: Cache::new(REMEMBERED),
        }
    }
}

/// A guarded vault.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct GuardView {
    /// Chain id.
    pub chain_id: u64,
    /// The vault.
    pub vault: String,
    /// Its name; empty of a guarded contract that is no vault.
    pub name: String,
    /// The symbol of its asset.
    pub symbol: String,
    /// Its asset.
    pub asset: String,
    /// Decimals of the asset.
    pub decimals: u8,
    /// What belongs to the shares, in the asset's smallest unit.
    pub total_assets: String,
    /// What flagged withdrawals wait for, in the asset's smallest unit.
    pub escrowed: String,
    /// Whether nothing may leave now.
    pub paused: bool,
    /// Unix time at which the last pause ends or ended; null if there was none.
    pub paused_until: Option<u64>,
    /// The incident that began the last pause.
    pub paused_by: Option<String>,
    /// Who may end a pause.
    pub governance: String,
    /// The contract that checks proofs.
    pub verifier: String,
    /// The model that scores accounts.
    pub model_id: String,
    /// Lower scores release.
    pub release_below: u64,
    /// These and higher scores hold, and pause.
    pub pause_at: u64,
    /// Seconds that a flagged withdrawal waits at most.
    pub delay: u64,
    /// Seconds that a pause lasts.
    pub pause: u64,
    /// Seconds after a pause in which no other begins.
    pub grace: u64,
    /// Seconds in which the window's bucket leaks empty.
    pub window: u64,
    /// Ten-thousandths of the vault above which one withdrawal is flagged.
    pub single_bps: u64,
    /// Ten-thousandths of the vault above which the withdrawals of a window are.
    pub window_bps: u64,
    /// How many withdrawals were flagged.
    pub incidents: u64,
}

/// What became of a flagged withdrawal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum IncidentState {
    /// It waits for a proof, or for its time.
    Delayed,
    /// It may be taken out.
    Released,
    /// It is held.
    Held,
    /// It was taken out.
    Claimed,
}

/// What the model's score meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It isn't proven yet.
    Pending,
    /// It was released.
    Released,
    /// It was held.
    Held,
    /// The score decided nothing, or nobody proved one in time.
    Waits,
}

/// A flagged withdrawal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct IncidentView {
    /// Its number in the vault.
    pub id: String,
    /// Which snapshot of its account is the last to be judged: one more for each appeal.
    pub round: u64,
    /// Whose money.
    pub account: String,
    /// Who gets it.
    pub receiver: String,
    /// How much, in the asset's smallest unit.
    pub amount: String,
    /// Whether it was flagged for its own size, not for what else left within the window.
    pub large: bool,
    /// What became of it.
    pub state: IncidentState,
    /// What the score meant.
    pub verdict: Verdict,
    /// The last proven score.
    pub score: Option<u64>,
    /// Unix time of the withdrawal, or of the last appeal.
    pub asked_at: u64,
    /// Unix time from which it may be taken out in any case.
    pub release_at: u64,
    /// What the model reads of the account, as of the last snapshot.
    pub features: Vec<Feature>,
    /// What happened, in order.
    pub txs: Vec<IncidentTx>,
    /// How this daemon's judgement is getting on; null if it has nothing to judge.
    pub progress: Option<Progress>,
}

/// A transaction that changed an incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct IncidentTx {
    /// `flagged`, `appealed`, `released`, `held`, `paused`, `claimed` or `pause_ended`.
    pub kind: String,
    /// Its hash.
    pub tx: String,
    /// Its block.
    pub block: u64,
    /// The block's Unix time.
    pub timestamp: u64,
}

/// What happened to an incident, in order.
pub(super) type File = Vec<Arc<Chapter<Told>>>;

impl FraudGuard {
    pub(super) async fn view(&self, live: &Live, head: &Header) -> Result<GuardView, ApiError> {
        let rules: &Rules = self.known.rules.get_or_try_init(async || self.guard.rules().await).await?;
        let standing = self.guard.standing(head.block.hash).await?;
        let seconds = |value: U256| -> u64 { value.saturating_to() };
        let had_pause = standing.until > 0;
        Ok(GuardView {
            chain_id: live.chain_id(),
            vault: self.guard.address().to_string(),
            name: rules.name.clone(),
            symbol: rules.symbol.clone(),
            asset: rules.asset.to_string(),
            decimals: rules.decimals,
            total_assets: standing.total.to_string(),
            escrowed: standing.escrowed.to_string(),
            paused: standing.is_paused,
            paused_until: had_pause.then_some(standing.until),
            paused_by: had_pause.then(|| standing.by.to_string()),
            governance: rules.governance.to_string(),
            verifier: rules.verifier.to_string(),
            model_id: self.thresholds.model_id.to_string(),
            release_below: self.thresholds.release_below.saturating_to(),
            pause_at: self.thresholds.pause_at.saturating_to(),
            delay: seconds(rules.delay),
            pause: seconds(rules.pause),
            grace: seconds(rules.grace),
            window: seconds(rules.window),
            single_bps: seconds(rules.single_bps),
            window_bps: seconds(rules.window_bps),
            incidents: standing.incidents.saturating_to(),
        })
    }

    /// All incidents as of a block, each with what happened to it. The end of a pause belongs to the incident that began it.
    pub(super) async fn files(&self, live: &Live, head: &Header) -> Result<BTreeMap<U256, File>, ApiError> {
        let history = self.known.history.get_or_init(|| History::of(live.config(), self.guard.address()));
        let told = history.up_to(live.client(), head.block, |log| self.guard.told(log)).await?;
        Ok(filed(&told))
    }

    pub(super) async fn incident_view(
        &self,
        live: &Live,
        head: &Header,
        id: U256,
        file: &File,
    ) -> Result<IncidentView, ApiError> {
        let case = self.known.cases.at(&id, mark(file), async |_| self.guard.case(id, head.block.hash).await).await?;
        let case = (*case).ok_or_else(|| ApiError::not_there(format!("incident {id}")))?;
        let progress = live.progress(self.guard.address(), id).await?;
        let judged = file.iter().rev().find_map(|chapter| match &chapter.event {
            Told::Judged { score, is_held, .. } => Some((*score, *is_held)),
            _ => None,
        });
        let limbs = file.iter().rev().find_map(|chapter| match &chapter.event {
            Told::Flagged { limbs, .. } => Some(limbs.as_slice()),
            _ => None,
        });
        let spread = self.known.spread.get_or_init(|| {
            let own = |prover: &Arc<dyn crate::prover::Prove>| prover.model_id() == self.thresholds.model_id.0;
            let folder = self.models.sources().find(|(prover, _)| own(prover)).map(|(_, source)| source.dir.clone());
            folder.map(|folder| Spread::of(&folder)).unwrap_or_default()
        });
        let mut txs = Vec::with_capacity(file.len());
        for chapter in file {
            txs.push(IncidentTx {
                kind: kind(&chapter.event).to_owned(),
                tx: chapter.tx.to_string(),
                block: chapter.block,
                timestamp: self.time_of(live, chapter).await?,
            });
        }
        let gave_up =
            progress.as_ref().is_some_and(|progress| matches!(progress.phase, Phase::Forfeited | Phase::Moot));
        Ok(IncidentView {
            id: id.to_string(),
            round: case.round,
            account: case.account.to_string(),
            receiver: case.receiver.to_string(),
            amount: case.assets.to_string(),
            large: case.is_large,
            state: match case.fate {
                Fate::Delayed => IncidentState::Delayed,
                Fate::Released => IncidentState::Released,
                Fate::Held => IncidentState::Held,
                Fate::Claimed => IncidentState::Claimed,
            },
            verdict: verdict(&case, judged.map(|(_, is_held)| is_held), gave_up || head.timestamp >= case.release_at),
            score: judged.map(|(score, _)| score.saturating_to()),
            asked_at: case.asked_at,
            release_at: case.release_at,
            features: features::read(limbs.unwrap_or_default(), spread),
            txs,
            progress,
        })
    }

    /// The time of a chapter's block: nodes may leave it out of logs.
    async fn time_of(&self, live: &Live, chapter: &Chapter<Told>) -> Result<u64, ApiError> {
        if let Some(time) = chapter.time {
            return Ok(time);
        }
        let read = self.known.times.at(&chapter.tx, chapter.tx, async |_| {
            let block = live.client().block(chapter.block).await?;
            Ok::<_, ApiError>(block.map(|header| header.timestamp).unwrap_or_default())
        });
        Ok(*read.await?)
    }
}

fn filed(told: &[Arc<Chapter<Told>>]) -> BTreeMap<U256, File> {
    let mut files: BTreeMap<U256, File> = BTreeMap::new();
    let mut pauser = None;
    for chapter in told {
        if let Told::PauseBegan { incident } = chapter.event {
            pauser = Some(incident);
        }
        if let Some(id) = chapter.event.incident().or(pauser) {
            files.entry(id).or_default().push(chapter.clone());
        }
    }
    files
}

/// What changes with each event of an incident, as a word.
fn mark(file: &File) -> B256 {
    let last = file.last().map(|chapter| chapter.tx).unwrap_or_default();
    crate::chain::types::keccak256([last.as_slice(), &file.len().to_be_bytes()].concat())
}

/// What the score meant. `is_late` says that nobody will judge it any more.
fn verdict(case: &Case, held: Option<bool>, is_late: bool) -> Verdict {
    match (case.fate, held) {
        (Fate::Released, _) => Verdict::Released,
        (Fate::Held, _) => Verdict::Held,
        (Fate::Claimed, Some(true)) => Verdict::Held,
        (Fate::Claimed, Some(false)) => Verdict::Released,
        (Fate::Claimed, None) => Verdict::Waits,
        (Fate::Delayed, _) if is_late => Verdict::Waits,
        (Fate::Delayed, _) => Verdict::Pending,
    }
}

fn kind(event: &Told) -> &'static str {
    match event {
        Told::Flagged { round: 0, .. } => "flagged",
        Told::Flagged { .. } => "appealed",
        Told::Judged { is_held: true, .. } => "held",
        Told::Judged { .. } => "released",
        Told::Claimed { .. } => "claimed",
        Told::PauseBegan { .. } => "paused",
        Told::PauseEnded => "pause_ended",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::types::Address;

    #[test]
    fn a_verdict_follows_fate_and_score() {
        let case = |fate| Case {
            round: 0,
            account: Address::ZERO,
            receiver: Address::ZERO,
            assets: U256::ZERO,
            is_large: true,
            asked_at: 0,
            release_at: 9,
            fate,
        };
        for (fate, held, is_late, expected) in [
            (Fate::Delayed, None, false, Verdict::Pending),
            (Fate::Delayed, None, true, Verdict::Waits),
            (Fate::Released, Some(false), true, Verdict::Released),
            (Fate::Held, Some(true), true, Verdict::Held),
            (Fate::Claimed, Some(true), true, Verdict::Held),
            (Fate::Claimed, Some(false), true, Verdict::Released),
            (Fate::Claimed, None, true, Verdict::Waits),
        ] {
            assert_eq!(verdict(&case(fate), held, is_late), expected, "{fate:?} {held:?} {is_late}");
        }
    }

    #[test]
    fn the_end_of_a_pause_belongs_to_the_incident_that_began_it() {
        let (first, second) = (U256::from(1), U256::from(2));
        let flagged = |incident| Told::Flagged { incident, round: 0, account: Address::ZERO, limbs: vec![] };
        let held = |incident| Told::Judged { incident, score: U256::from(900), is_held: true };
        let told = [
            Told::PauseEnded,
            flagged(first),
            held(first),
            Told::PauseBegan { incident: first },
            flagged(second),
            Told::PauseEnded,
        ];
        let told: Vec<_> = (1u64..)
            .zip(told)
            .map(|(block, event)| Arc::new(Chapter { block, time: None, tx: B256::ZERO, event }))
            .collect();
        let kinds: Vec<Vec<&str>> =
            filed(&told).values().map(|file| file.iter().map(|chapter| kind(&chapter.event)).collect()).collect();
        assert_eq!(kinds, [vec!["flagged", "held", "paused", "pause_ended"], vec!["flagged"]]);
    }
}
