//! InferenceOracle: its calls, its events, its errors in words.

use alloy::sol_types::{SolCall, SolInterface};
use zugzwang_contracts::InferenceOracle::{
    self as abi, InferenceOracleErrors as Errors, InferenceOracleEvents as Events,
};

use crate::{
    chain::{
        ChainError, Client, Contract,
        client::Header,
        policy::Permit,
        submit::Call,
        types::{Address, B256, Bytes, Log, U256},
    },
    store::BlockRef,
};

/// What the oracle tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum OracleEvent {
    /// Somebody asked.
    Requested {
        /// The input's limbs, unless a view is to be read.
        input: Vec<U256>,
        /// Whether a view is to be read, of a block that may not be over yet.
        reads_view: bool,
    },
    /// Somebody answered.
    Answered,
    /// The requester took the bounty back.
    Refunded,
}

/// A request as it stands.
#[derive(Clone, Debug)]
pub(super) struct Request {
    /// The number of the model that is asked.
    pub(super) model: U256,
    /// Wei for the answer.
    pub(super) bounty: U256,
    /// Unix time of the last second in which an answer is taken.
    pub(super) deadline: u64,
    /// Whether it waits for one.
    pub(super) is_open: bool,
    /// The block whose view is read, if one is.
    pub(super) view_of: Option<u64>,
    /// Gas that the callback may take.
    pub(super) callback_gas: u64,
}

const OPEN: u8 = 1;
/// Gas of a transaction that does nothing.
const TRANSACTION: u64 = 21_000;

/// The oracle at an address.
#[derive(Clone, Debug)]
pub(super) struct Oracle(Contract);

impl Oracle {
    pub(super) async fn open(client: Client, address: Address) -> Result<Self, ChainError> {
        let oracle = Self(Contract::open(client, address, "oracle", "oracle.contract", words).await?);
        oracle.0.read(abi::requestCountCall {}, "requestCount", None).await?;
        Ok(oracle)
    }

    pub(super) fn address(&self) -> Address {
        self.0.address()
    }

    /// The newest block.
    pub(super) async fn head(&self) -> Result<Header, ChainError> {
        self.0.client().head().await
    }

    /// What a transaction on top of this block pays for gas, in wei.
    pub(super) async fn price(&self, head: &Header) -> u128 {
        head.base_fee.saturating_add(self.0.client().suggested_tip().await.unwrap_or(0))
    }

    pub(super) fn event(&self, log: &Log) -> Result<Option<(U256, OracleEvent)>, ChainError> {
        Ok(self.0.event::<Events>(log)?.and_then(|event| match event {
            Events::Requested(e) => {
                Some((e.id, OracleEvent::Requested { input: e.input, reads_view: !e.source.is_zero() }))
            }
            Events::Answered(e) => Some((e.id, OracleEvent::Answered)),
            Events::Refunded(e) => Some((e.id, OracleEvent::Refunded)),
            _ => None,
        }))
    }

    /// A request's input, from the event of the block that asked: the contract keeps only its hash. `None` if the block has no
    /// such event, as after a reorganisation, or if another block has it.
    pub(super) async fn input(&self, id: U256, asked: BlockRef) -> Result<Option<Vec<U256>>, ChainError> {
        self.input_in(id, self.0.client().logs_in(&[self.address()], asked.hash).await?)
    }

    /// The same by the block's number.
    pub(super) async fn input_at(&self, id: U256, number: u64) -> Result<Option<Vec<U256>>, ChainError> {
        self.input_in(id, self.0.client().logs_between(&[self.address()], number, number).await?)
    }

    fn input_in(&self, id: U256, logs: Vec<Log>) -> Result<Option<Vec<U256>>, ChainError> {
        for log in logs {
            if let Some((found, OracleEvent::Requested { input, .. })) = self.event(&log)?
                && found == id
            {
                return Ok(Some(input));
            }
        }
        Ok(None)
    }

    /// A request; `None` if there is none, as after a reorganisation.
    pub(super) async fn request(&self, id: U256) -> Result<Option<Request>, ChainError> {
        let view = match self.0.read(abi::requestOfCall { id }, "requestOf", None).await {
            Err(ChainError::Reverts { .. }) => return Ok(None),
            read => read?,
        };
        Ok(Some(Request {
            model: view.model,
            bounty: view.bounty,
            deadline: view.deadline.saturating_to(),
            is_open: view.status == OPEN,
            callback_gas: view.callback.gasLimit.into(),
            view_of: (!view.source.is_zero()).then(|| view.blockNumber.saturating_to()),
        }))
    }

    /// The id of a registered model.
    pub(super) async fn model_id(&self, model: U256) -> Result<B256, ChainError> {
        Ok(self.0.read(abi::modelOfCall { model }, "modelOf", None).await?.modelId)
    }

    /// The request's and the input's instances, as the contract makes them.
    pub(super) async fn instances(
        &self,
        id: U256,
        input: Vec<U256>,
        submitter: Address,
    ) -> Result<Vec<U256>, ChainError> {
        self.0.read(abi::instancesCall { id, input, submitter }, "instances", None).await
    }

    /// Gas that reading a request's view takes, with a little of the contract's own work around it.
    pub(super) async fn reading_gas(&self, id: U256, submitter: Address) -> Result<u64, ChainError> {
        let call = abi::instancesCall { id, input: vec![], submitter }.abi_encode();
        let gas = self.0.client().estimate(submitter, Some(self.address()), call.into(), U256::ZERO).await?;
        Ok(gas.saturating_sub(TRANSACTION))
    }

    pub(super) fn answer(&self, id: U256, input: Vec<U256>, output: Vec<U256>, proof: Vec<u8>) -> Call {
        let call = abi::answerCall { id, input, output, proof: proof.into() };
        Call { to: self.address(), data: call.abi_encode().into(), value: U256::ZERO }
    }
}

/// Every call that the app makes.
pub(super) fn permits() -> Vec<Permit> {
    vec![Permit::of(abi::answerCall::SELECTOR, "answer")]
}

/// The oracle's own errors in words; `None` for data that is none of them.
pub fn words(data: &Bytes) -> Option<String> {
    let error = Errors::abi_decode(data).ok()?;
    Some(match error {
        Errors::NotOpen(e) => format!("NotOpen: request {} has been answered or refunded", e.id),
        Errors::DeadlinePassed(e) => format!("DeadlinePassed: the deadline was at {}", e.deadline),
        Errors::ProofRejected(_) => "ProofRejected: the verifier doesn't accept the proof".into(),
        Errors::NotAVerifier(e) => format!("NotAVerifier: {} has other code than was registered", e.verifier),
        Errors::NotEnoughGas(e) => format!("NotEnoughGas: the callback needs {} more", e.missing),
        Errors::SourceFailed(e) => format!("SourceFailed: {} gives no input", e.source),
        Errors::BlockNotOver(e) => format!("BlockNotOver: block {} isn't over", e.blockNumber),
        Errors::WrongInput(e) => format!("WrongInput: request {} was about another input", e.id),
        Errors::NoSuchRequest(e) => format!("NoSuchRequest: there is no request {}", e.id),
        Errors::NoSuchModel(e) => format!("NoSuchModel: there is no model {}", e.model),
        Errors::InsufficientBalance(e) => format!("InsufficientBalance: the balance is {} wei", e.balance),
        other => format!("{other:?}"),
    })
}

/// Whether a refusal says that the deadline has passed.
pub(super) fn is_late(words: &str) -> bool {
    words.starts_with("DeadlinePassed")
}
