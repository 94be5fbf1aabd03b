//! The fraud guard: a withdrawal that its contract delays is scored by the committed model, and the proof releases it or pauses
//! the vault. Before all other apps: money may be on its way out.

mod contract;
mod features;
mod players;
pub(super) mod routes;
pub mod view;

pub use contract::words;
pub use players::{Judgement, Terms, coin_code, vault_code};

use self::contract::{Guard, GuardEvent, Thresholds};
use super::{App, AppError, Async, Ground, Next, Occurrence, Question, Reply, Task, Told};
use crate::{
    chain::{
        ChainError,
        contract::Words,
        policy::Permit,
        types::{Address, Log, U256},
    },
    engine::Priority,
    prover::Models,
    store::{Answer, Job},
};

/// The app, for one guarded contract.
#[derive(Debug)]
pub struct FraudGuard {
    guard: Guard,
    models: Models,
    signer: Address,
    thresholds: Thresholds,
    /// For those who look.
    known: view::Known,
}

impl FraudGuard {
    /// Makes sure that there is a guarded contract at the address, and reads its terms, which never change.
    pub async fn open(address: Address, ground: &Ground) -> Result<Self, ChainError> {
        let guard = Guard::open(ground.client.clone(), address).await?;
        let thresholds = guard.thresholds().await?;
        Ok(Self {
            guard,
            models: ground.models.clone(),
            signer: ground.signer,
            thresholds,
            known: view::Known::default(),
        })
    }

    async fn asked(&self, id: U256, round: u64) -> Result<Question, AppError> {
        let nothing = |why: &str| Ok(Question::Nothing { why: why.to_owned() });
        let Some(incident) = self.guard.incident(id).await? else { return Ok(Question::NotYet) };
        if !incident.is_open {
            return nothing("it is released or claimed");
        }
        if incident.round > round {
            return nothing("its account has appealed: a later round is to be judged");
        }
        if incident.round < round {
            return Ok(Question::NotYet);
        }
        let Some(prover) = self.models.get(self.thresholds.model_id.0) else {
            return nothing("the guard's model isn't one of this daemon's");
        };
        let instances = self.guard.instances(id, self.signer).await?;
        match Task::of_limbs(prover, &instances) {
            Ok(task) => Ok(Question::Prove(task)),
            Err(why) => nothing(&why),
        }
    }

    async fn replied(&self, job: &Job, answer: &Answer) -> Result<Reply, AppError> {
        let (id, round) = (job.key.subject, job.key.round);
        let declined = |why: String| Ok(Reply::Nothing { why });
        let Some(incident) = self.guard.incident(id).await? else {
            return Ok(Reply::NotYet);
        };
        let [score] = answer.outputs[..] else {
            return declined(format!("the model gives {} outputs, a guard takes one score", answer.outputs.len()));
        };
        let score = U256::from_be_bytes(score);
        let Thresholds { release_below, pause_at, .. } = self.thresholds;
        let acts = score < release_below || (score >= pause_at && !incident.is_held);
        if !acts {
            let until = incident.release_at;
            return declined(format!(
                "a score of {score} neither releases (below {release_below}) nor pauses (from {pause_at}): it stays delayed until {until}"
            ));
        }
        Ok(Reply::Send(self.guard.judge(id, round, score, answer.proof.clone())))
    }
}

impl App for FraudGuard {
    fn name(&self) -> &'static str {
        "guard"
    }

    fn contract(&self) -> Address {
        self.guard.address()
    }

    fn lacks(&self) -> Option<String> {
        let id = self.thresholds.model_id;
        let why = || format!("its model {id} is in none of the folders of guard.models: name its folder");
        self.models.get(id.0).is_none().then(why)
    }

    fn priority(&self) -> Priority {
        Priority::Urgent
    }

    fn read(&self, log: &Log) -> Result<Option<Told>, ChainError> {
        Ok(self.guard.event(log)?.map(|(subject, event)| {
            let what = match event {
                GuardEvent::Flagged { round } => Occurrence::Asked { round },
                GuardEvent::Judged { round } => Occurrence::Answered { round },
            };
            Told { subject, what: Some(what), look: Next::AsBefore, bulletin: None }
        }))
    }

    fn question<'a>(&'a self, job: &'a Job) -> Async<'a, Result<Question, AppError>> {
        Box::pin(self.asked(job.key.subject, job.key.round))
    }

    fn is_asked<'a>(&'a self, job: &'a Job) -> Async<'a, Result<bool, AppError>> {
        Box::pin(async {
            let incident = self.guard.incident(job.key.subject).await?;
            Ok(incident.is_some_and(|incident| incident.is_open && incident.round == job.key.round))
        })
    }

    fn reply<'a>(&'a self, job: &'a Job, answer: &'a Answer) -> Async<'a, Result<Reply, AppError>> {
        Box::pin(self.replied(job, answer))
    }

    fn words(&self) -> Words {
        words
    }

    fn permits(&self) -> Vec<Permit> {
        contract::permits()
    }
}
