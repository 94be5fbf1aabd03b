//! How each job is getting on, for those who wait for its answer: the newest phase of its proof, and when it came to what.
//! What a restart loses (phases, some times) is left out until the next phase begins.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    chain::types::{Address, U256},
    prover::Phase as Step,
    service::{Notice, Subject},
    store::{Job, State, Tx},
};

/// Rounds that are remembered; the oldest are forgotten first.
const MOST: usize = 20_000;

/// Where a job stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// The question was seen on the chain.
    Seen,
    /// A proof is being made.
    Proving,
    /// The proof is stored.
    Proved,
    /// A signed transaction is stored.
    Submitted,
    /// The answer is in a block.
    Included,
    /// The answer is in a block that is deep enough.
    Final,
    /// It needs a person.
    Failed,
    /// It needs no answer any more.
    Moot,
    /// Its time ran out.
    Forfeited,
}

impl From<State> for Phase {
    fn from(state: State) -> Self {
        match state {
            State::Seen => Self::Seen,
            State::Proving => Self::Proving,
            State::Proved => Self::Proved,
            State::Submitted => Self::Submitted,
            State::Included => Self::Included,
            State::Final => Self::Final,
            State::Failed => Self::Failed,
            State::Moot => Self::Moot,
            State::Forfeited => Self::Forfeited,
        }
    }
}

/// How a job is getting on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Progress {
    /// The job's row.
    pub job: i64,
    /// Which question about its subject: a ply, a round.
    pub round: u64,
    /// Where it stands.
    pub phase: Phase,
    /// The step of the proof in the making, in words.
    pub step: Option<String>,
    /// How much of the proof is done, from 0 to 1, by what its steps usually take.
    pub fraction: f64,
    /// When it came to what.
    pub times: Times,
    /// Hash of the newest version of its transaction.
    pub tx: Option<String>,
    /// Why it stands so, where that needs words.
    pub note: Option<String>,
}

/// When a job came to what, in Unix milliseconds; null where it didn't, or where that was before a restart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Times {
    /// The question was stored.
    pub seen_ms: Option<i64>,
    /// The network had run.
    pub inferred_ms: Option<i64>,
    /// The proof was stored.
    pub proved_ms: Option<i64>,
    /// The transaction was signed and stored.
    pub submitted_ms: Option<i64>,
    /// It was in a block.
    pub included_ms: Option<i64>,
    /// It was final.
    pub final_ms: Option<i64>,
}

/// What is remembered of one round.
#[derive(Clone, Debug, Default)]
struct Track {
    step: Option<Step>,
    times: Times,
}

/// A round of a subject of a contract.
type Key = (Address, U256, u64);

/// What is remembered of all of them.
#[derive(Debug, Default)]
pub(super) struct Tracks {
    of: BTreeMap<Key, Track>,
    order: VecDeque<Key>,
}

impl Tracks {
    /// Notes what the service tells.
    pub(super) fn notice(&mut self, notice: &Notice, now_ms: i64) {
        let (subject, round) = match notice {
            Notice::Asked { subject, round }
            | Notice::Proving { subject, round, .. }
            | Notice::Proved { subject, round, .. }
            | Notice::ProofFailed { subject, round, .. }
            | Notice::Signed { subject, round, .. }
            | Notice::Mined { subject, round, .. }
            | Notice::Settled { subject, round } => (subject, *round),
            _ => return,
        };
        let track = self.track(subject, round);
        let times = &mut track.times;
        match notice {
            // Asked again after a reorganisation: what was before doesn't count.
            Notice::Asked { .. } => {
                *track = Track { times: Times { seen_ms: Some(now_ms), ..Times::default() }, ..Track::default() }
            }
            Notice::Proving { phase, .. } => {
                if share(phase).is_some_and(|share| share > 0.0) && times.inferred_ms.is_none() {
                    times.inferred_ms = Some(now_ms);
                }
                track.step = Some(phase);
            }
            Notice::ProofFailed { .. } => (track.step, times.inferred_ms) = (None, None),
            Notice::Proved { .. } => times.proved_ms = Some(now_ms),
            // A replacement is signed too; the first one counts.
            Notice::Signed { .. } => times.submitted_ms = times.submitted_ms.or(Some(now_ms)),
            Notice::Mined { .. } => times.included_ms = Some(now_ms),
            Notice::Settled { .. } => times.final_ms = Some(now_ms),
            _ => {}
        }
    }

    fn track(&mut self, subject: &Subject, round: u64) -> &mut Track {
        let key = (subject.contract, subject.id, round);
        if !self.of.contains_key(&key) {
            self.order.push_back(key);
            if self.order.len() > MOST
                && let Some(oldest) = self.order.pop_front()
            {
                self.of.remove(&oldest);
            }
        }
        self.of.entry(key).or_default()
    }

    /// How a job is getting on: what is stored decides, what is remembered adds to it.
    pub(super) fn progress(&self, job: &Job, transactions: &[Tx]) -> Progress {
        let track = self.of.get(&(job.key.contract, job.key.subject, job.key.round)).cloned().unwrap_or_default();
        let newest = transactions.last();
        let times = Times {
            seen_ms: Some(job.created_at),
            submitted_ms: track.times.submitted_ms.or_else(|| Some(newest?.attempts.first()?.signed_at)),
            ..track.times
        };
        let step = track.step.filter(|_| job.state == State::Proving);
        let fraction = match job.state {
            State::Seen => 0.0,
            State::Proving => step.and_then(share).unwrap_or(0.0),
            _ if times.proved_ms.is_some() || job.proving_ms.is_some() => 1.0,
            _ => 0.0,
        };
        Progress {
            job: job.id,
            round: job.key.round,
            phase: job.state.into(),
            step: step.map(str::to_owned),
            fraction,
            times,
            tx: newest.and_then(|tx| Some(tx.attempts.last()?.hash.to_string())),
            note: Some(job.note.clone()).filter(|note| !note.is_empty()),
        }
    }
}

/// How much of a proof is usually done as a step begins, of its whole time; `None` for what comes before it. Measured with
/// `bench --profile` of chess-s and chess-m, which differ by less than 0.05.
fn share(step: Step) -> Option<f64> {
    const SHARES: [(&str, f64); 6] = [
        ("running the network", 0.0),
        ("committing to its integers", 0.002),
        ("checking every layer at a random point", 0.02),
        ("dividing out the constraints", 0.41),
        ("opening the commitments", 0.8),
        ("verifying", 0.99),
    ];
    SHARES.iter().find(|(name, _)| *name == step).map(|(_, share)| *share)
}

#[cfg(test)]
mod tests {
    use zugzwang_circuits::prover::Phase as Circuit;

    use super::*;
    use crate::store::{BlockRef, JobKey};

    #[test]
    fn every_phase_has_its_share_and_they_grow() {
        let shares: Vec<f64> = Circuit::ALL.iter().map(|phase| share(phase.name()).expect("a share")).collect();
        assert!(shares.is_sorted_by(|a, b| a < b) && shares[0] == 0.0, "{shares:?}");
        assert_eq!(share("waiting for memory"), None);
    }

    fn subject() -> Subject {
        Subject { app: "chess", contract: Address::repeat_byte(1), id: U256::from(3) }
    }

    fn job(state: State) -> Job {
        let subject = subject();
        Job {
            id: 8,
            key: JobKey { chain_id: 1, contract: subject.contract, subject: subject.id, round: 7 },
            block: BlockRef { number: 0, hash: Default::default() },
            state,
            note: String::new(),
            attempts: 1,
            proving_ms: None,
            created_at: 5,
        }
    }

    #[test]
    fn progress_follows_what_the_service_tells() {
        let (mut tracks, subject, round) = (Tracks::default(), subject(), 7);
        let fresh = tracks.progress(&job(State::Proving), &[]);
        assert_eq!((fresh.fraction, fresh.step, fresh.times.seen_ms), (0.0, None, Some(5)), "after a restart");
        tracks.notice(&Notice::Asked { subject, round }, 10);
        tracks.notice(&Notice::Proving { subject, round, phase: "running the network" }, 20);
        assert_eq!(tracks.progress(&job(State::Proving), &[]).times.inferred_ms, None);
        tracks.notice(&Notice::Proving { subject, round, phase: "opening the commitments" }, 30);
        let proving = tracks.progress(&job(State::Proving), &[]);
        assert_eq!((proving.step.as_deref(), proving.times.inferred_ms), (Some("opening the commitments"), Some(30)));
        assert!(proving.fraction > 0.5 && proving.fraction < 1.0);
        tracks.notice(&Notice::Proved { subject, round, model: [0; 32], ms: 1, outputs: vec![] }, 40);
        tracks.notice(&Notice::Settled { subject, round }, 50);
        let done = tracks.progress(&job(State::Final), &[]);
        assert_eq!((done.phase, done.fraction, done.step), (Phase::Final, 1.0, None));
        assert_eq!((done.times.proved_ms, done.times.final_ms), (Some(40), Some(50)));
        // Another round of the same subject has nothing of it.
        let other = Job { key: JobKey { round: 9, ..job(State::Seen).key }, ..job(State::Seen) };
        assert_eq!(tracks.progress(&other, &[]).times, Times { seen_ms: Some(5), ..Times::default() });
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut tracks = Tracks::default();
        for round in 0..(MOST as u64 + 50) {
            tracks.notice(&Notice::Asked { subject: subject(), round }, 0);
        }
        assert_eq!((tracks.of.len(), tracks.order.len()), (MOST, MOST));
    }
}
