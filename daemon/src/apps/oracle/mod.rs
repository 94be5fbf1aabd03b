//! The general oracle: any contract asks a registered model, the first valid proof takes the bounty.

mod contract;
mod players;

pub use contract::words;
pub use players::{Schema, creation_code};

use self::contract::{Oracle, OracleEvent, Request};
use super::{App, AppError, Async, Ground, Look, Next, Occurrence, Question, Reply, Task, Told};
use crate::{
    chain::{
        ChainError,
        contract::Words,
        policy::Permit,
        types::{Address, Log, U256},
    },
    config::OracleConfig,
    prover::Models,
    store::{Answer, Job},
};

/// Seconds until a request is looked at again whose block isn't over.
const SOON: u64 = 2;
/// Seconds until one is looked at again that has its job.
const LATER: u64 = 600;

/// The app.
#[derive(Debug)]
pub struct InferenceOracle {
    oracle: Oracle,
    models: Models,
    signer: Address,
    min_bounty: U256,
    /// The registered models that are answered for; all that this daemon has if empty.
    registered: Vec<u64>,
}

impl InferenceOracle {
    /// Makes sure that there is an oracle.
    pub async fn open(config: &OracleConfig, ground: &Ground) -> Result<Self, ChainError> {
        Ok(Self {
            oracle: Oracle::open(ground.client.clone(), config.contract).await?,
            models: ground.models.clone(),
            signer: ground.signer,
            min_bounty: config.min_bounty,
            registered: config.registered.clone(),
        })
    }

    /// The input that goes along with an answer: none for a request that reads a view. `None` if its event is gone.
    async fn input(&self, job: &Job, reads_view: bool) -> Result<Option<Vec<U256>>, ChainError> {
        if reads_view { Ok(Some(Vec::new())) } else { self.oracle.input(job.key.subject, job.block).await }
    }

    /// Why a request is left to others, if it is.
    async fn declines(&self, request: &Request) -> Result<Option<String>, ChainError> {
        if request.bounty < self.min_bounty {
            return Ok(Some(format!("its bounty of {} wei is below oracle.min_bounty_gwei", request.bounty)));
        }
        if !self.registered.is_empty() && !self.registered.iter().any(|model| U256::from(*model) == request.model) {
            return Ok(Some(format!("model {} isn't in oracle.registered", request.model)));
        }
        let model_id = self.oracle.model_id(request.model).await?;
        let known = self.models.get(model_id.0).is_some();
        Ok((!known).then(|| format!("model {} ({model_id}) isn't one of this daemon's", request.model)))
    }

    async fn asked(&self, job: &Job) -> Result<Question, AppError> {
        let id = job.key.subject;
        let nothing = |why: String| Ok(Question::Nothing { why });
        let Some(request) = self.oracle.request(id).await? else { return Ok(Question::NotYet) };
        if !request.is_open {
            return nothing("it has been answered or refunded".into());
        }
        if self.oracle.now().await? > request.deadline {
            return nothing(format!("its deadline was at {}", request.deadline));
        }
        if let Some(why) = self.declines(&request).await? {
            return nothing(why);
        }
        let model_id = self.oracle.model_id(request.model).await?;
        let Some(prover) = self.models.get(model_id.0) else { return Ok(Question::NotYet) };
        let Some(input) = self.input(job, request.view_of.is_some()).await? else { return Ok(Question::NotYet) };
        let instances = match self.oracle.instances(id, input, self.signer).await {
            // A source that gives no input, now or ever: nobody can answer.
            Err(ChainError::Reverts { why, .. }) => return nothing(why),
            read => read?,
        };
        match Task::of_limbs(prover, &instances) {
            Ok(task) => Ok(Question::Prove(task)),
            Err(why) => nothing(why),
        }
    }

    async fn look_at(&self, id: U256, now: u64) -> Result<Look, AppError> {
        // A request that isn't there or isn't open may be so by a block that goes again; the event of its end says never.
        let Some(request) = self.oracle.request(id).await? else { return Ok(Look::At(now.saturating_add(LATER))) };
        let Some(block) = request.view_of else { return Ok(Look::Never) };
        if now > request.deadline || self.declines(&request).await?.is_some() {
            return Ok(Look::Never);
        }
        if !request.is_open {
            return Ok(Look::At(now.saturating_add(LATER)));
        }
        let height = self.oracle.height().await?;
        if height <= block {
            // A block a second at most.
            return Ok(Look::At(now.saturating_add((block - height).clamp(SOON, LATER))));
        }
        Ok(Look::Ask { round: 0, again: now.saturating_add(LATER) })
    }
}

impl App for InferenceOracle {
    fn name(&self) -> &'static str {
        "oracle"
    }

    fn contract(&self) -> Address {
        self.oracle.address()
    }

    fn read(&self, log: &Log) -> Result<Option<Told>, ChainError> {
        Ok(self.oracle.event(log)?.map(|(subject, event)| {
            let (what, look) = match event {
                // The block whose view it reads may be yet to come.
                OracleEvent::Requested { reads_view: true, .. } => (None, Next::Now),
                OracleEvent::Requested { .. } => (Some(Occurrence::Asked { round: 0 }), Next::AsBefore),
                OracleEvent::Answered => (Some(Occurrence::Answered { round: 0 }), Next::Never),
                OracleEvent::Refunded => {
                    (Some(Occurrence::Over { forfeited: true, how: "refunded".into() }), Next::Never)
                }
            };
            Told { subject, what, look, bulletin: None }
        }))
    }

    fn question<'a>(&'a self, job: &'a Job) -> Async<'a, Result<Question, AppError>> {
        Box::pin(self.asked(job))
    }

    fn is_asked<'a>(&'a self, job: &'a Job) -> Async<'a, Result<bool, AppError>> {
        Box::pin(async { Ok(self.oracle.request(job.key.subject).await?.is_some_and(|request| request.is_open)) })
    }

    fn reply<'a>(&'a self, job: &'a Job, answer: &'a Answer) -> Async<'a, Result<Reply, AppError>> {
        Box::pin(async {
            let id = job.key.subject;
            let reads_view = self.oracle.request(id).await?.is_some_and(|request| request.view_of.is_some());
            let Some(input) = self.input(job, reads_view).await? else {
                return Ok(Reply::NotYet);
            };
            let output = answer.outputs.iter().map(|word| U256::from_be_bytes(*word)).collect();
            Ok(Reply::Send(self.oracle.answer(id, input, output, answer.proof.clone())))
        })
    }

    fn words(&self) -> Words {
        words
    }

    fn permits(&self) -> Vec<Permit> {
        contract::permits()
    }

    fn is_forfeited(&self, words: &str) -> bool {
        contract::is_late(words)
    }

    fn look<'a>(&'a self, id: U256, _sent: bool, now: u64) -> Async<'a, Result<Look, AppError>> {
        Box::pin(self.look_at(id, now))
    }
}
