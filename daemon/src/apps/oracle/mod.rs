//! The general oracle: any contract asks a registered model, the first valid proof takes the bounty.

mod contract;
mod cost;
mod players;

pub use contract::words;
pub use players::{Schema, creation_code};

use self::{
    contract::{Oracle, OracleEvent, Request},
    cost::Cost,
};
use super::{App, AppError, Async, Ground, Look, Next, Occurrence, Question, Reply, Task, Told};
use crate::{
    chain::{
        ChainError,
        client::Header,
        contract::Words,
        policy::Permit,
        types::{Address, Log, U256},
    },
    config::OracleConfig,
    prover::{Models, Prove},
    store::{Answer, Job, Store},
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
    store: Store,
    chain_id: u64,
    min_bounty: U256,
    /// Whether requests are answered that pay less than they cost.
    at_a_loss: bool,
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
            store: ground.store.clone(),
            chain_id: ground.client.chain_id(),
            min_bounty: config.min_bounty,
            at_a_loss: config.at_a_loss,
            registered: config.registered.clone(),
        })
    }

    /// The input that goes along with an answer: none for a request that reads a view. `None` if its event is gone.
    async fn input(&self, job: &Job, reads_view: bool) -> Result<Option<Vec<U256>>, AppError> {
        if reads_view {
            return Ok(Some(Vec::new()));
        }
        let id = job.key.subject;
        if let Some(input) = self.oracle.input(id, job.block).await? {
            return Ok(Some(input));
        }
        // A job that a look has asked again is of a later block than its event.
        match self.store.watched_since(self.chain_id, self.oracle.address(), id).await? {
            Some(number) => Ok(self.oracle.input_at(id, number).await?),
            None => Ok(None),
        }
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

    /// What an answer costs on top of a block, if that is more than its bounty. The callback is reckoned with all the gas that it
    /// may take, and a view with what reading it takes now.
    async fn loses(
        &self,
        id: U256,
        request: &Request,
        prover: &dyn Prove,
        head: &Header,
    ) -> Result<Option<Cost>, ChainError> {
        if self.at_a_loss {
            return Ok(None);
        }
        let mut called = request.callback_gas;
        if request.view_of.is_some() {
            called = called.saturating_add(match self.oracle.reading_gas(id, self.signer).await {
                // A source that gives no input is found out elsewhere.
                Err(ChainError::Refused { .. } | ChainError::Reverts { .. }) => 0,
                read => read?,
            });
        }
        let cost = Cost::new(prover.facts().gas, called, self.oracle.price(head).await);
        Ok((request.bounty < cost.wei()).then_some(cost))
    }

    async fn asked(&self, job: &Job) -> Result<Question, AppError> {
        let id = job.key.subject;
        let nothing = |why: String| Ok(Question::Nothing { why });
        let Some(request) = self.oracle.request(id).await? else { return Ok(Question::NotYet) };
        if !request.is_open {
            return nothing("it has been answered or refunded".into());
        }
        let head = self.oracle.head().await?;
        if head.timestamp > request.deadline {
            return nothing(format!("its deadline was at {}", request.deadline));
        }
        if let Some(why) = self.declines(&request).await? {
            return nothing(why);
        }
        let model_id = self.oracle.model_id(request.model).await?;
        let Some(prover) = self.models.get(model_id.0) else { return Ok(Question::NotYet) };
        // Asked again by a look once gas is cheaper.
        if let Some(why) =
            self.loses(id, &request, prover.as_ref(), &head).await?.and_then(|cost| cost.exceeds(request.bounty))
        {
            return nothing(why);
        }
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
        if now > request.deadline || self.declines(&request).await?.is_some() {
            return Ok(Look::Never);
        }
        if !request.is_open {
            return Ok(Look::At(now.saturating_add(LATER)));
        }
        let head = self.oracle.head().await?;
        if let Some(ahead) = request.view_of.and_then(|block| block.checked_sub(head.block.number)) {
            // A block a second at most.
            return Ok(Look::At(now.saturating_add(ahead.clamp(SOON, LATER))));
        }
        let model_id = self.oracle.model_id(request.model).await?;
        let Some(prover) = self.models.get(model_id.0) else { return Ok(Look::Never) };
        if let Some(cost) = self.loses(id, &request, prover.as_ref(), &head).await? {
            return Ok(match cost.patience(request.bounty) {
                Some(seconds) => Look::At(now.saturating_add(seconds)),
                None => Look::Never,
            });
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
                // Looked at too: its bounty may be too little now, and enough when gas is cheaper.
                OracleEvent::Requested { .. } => (Some(Occurrence::Asked { round: 0 }), Next::Now),
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
