//! What publishers of models and those who ask them send, for demos, benchmarks and tests.

use alloy::sol_types::{SolCall, SolEvent};
use zugzwang_contracts::InferenceOracle::{self as abi};

use crate::chain::{
    ChainError, Wallet, bytecode,
    types::{Address, B256, Bytes, U256},
    wallet::Receipt,
};

/// Numbers and their bits, for each tensor.
pub type Schema = Vec<(u32, u8)>;

/// Init code of an oracle.
pub fn creation_code() -> Bytes {
    abi::BYTECODE.clone()
}

fn tensors(schema: &Schema) -> Vec<abi::Tensor> {
    schema.iter().map(|(count, bits)| abi::Tensor { count: *count, bits: *bits }).collect()
}

impl Wallet {
    /// Registers a model; gives its number.
    pub async fn register_model(
        &self,
        oracle: Address,
        verifier: Address,
        model_id: B256,
        (inputs, outputs): &(Schema, Schema),
    ) -> Result<(U256, Receipt), ChainError> {
        let (inputs, outputs) = (tensors(inputs), tensors(outputs));
        let call = abi::registerCall { verifier, modelId: model_id, inputs, outputs, uri: String::new() };
        let receipt = self.call("register", oracle, call.abi_encode().into(), U256::ZERO).await?;
        let event = receipt.logs.iter().find_map(|log| abi::ModelRegistered::decode_log(&log.inner).ok());
        let model = event.map(|e| e.model).ok_or_else(|| bytecode::no_event("oracle", oracle, "ModelRegistered"))?;
        Ok((model, receipt))
    }

    /// Asks a model about an input's limbs, with no callback; gives the request's number.
    pub async fn ask_model(
        &self,
        oracle: Address,
        model: U256,
        input: Vec<U256>,
        deadline: u64,
        bounty: U256,
    ) -> Result<(U256, Receipt), ChainError> {
        let callback = abi::Callback { target: Address::ZERO, gasLimit: 0 };
        let call = abi::requestCall { model, input, callback, deadline };
        let receipt = self.call("request", oracle, call.abi_encode().into(), bounty).await?;
        let event = receipt.logs.iter().find_map(|log| abi::Requested::decode_log(&log.inner).ok());
        let id = event.map(|e| e.id).ok_or_else(|| bytecode::no_event("oracle", oracle, "Requested"))?;
        Ok((id, receipt))
    }
}
