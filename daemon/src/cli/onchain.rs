//! A proof before its contract: on a local chain of its own, or where the contract has been deployed.

use std::time::Duration;

use serde::Serialize;

use super::CliError;
use crate::{
    chain::{
        Client, Key, Wallet, bytecode,
        types::{Address, U256, random},
    },
    config::SubmitConfig,
    demo::anvil::Anvil,
    prover::{Proof, Prove, verifier},
};

/// Ample: a verifier that runs short of gas answers no.
const GAS_LIMIT: u64 = 10_000_000;
const TIMEOUT: Duration = Duration::from_secs(30);

/// What a contract said.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Verdict {
    /// Where it stands.
    pub(super) contract: Address,
    /// Whether it takes the proof.
    pub(super) valid: bool,
    /// Gas of a transaction that asks it; only where one was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) gas: Option<u64>,
    /// Bytes of its code.
    pub(super) code_bytes: usize,
}

/// Starts a local chain, deploys the verifier, and sends it the proof in a transaction.
pub(super) async fn on_local_chain(prover: &dyn Prove, proof: &Proof) -> Result<Verdict, CliError> {
    let code = verifier::compile(prover.model_id(), &prover.solidity()?).await?;
    let chain = Anvil::start(None, &[]).await?;
    let client = Client::connect(&chain.url, TIMEOUT).await?;
    let key = Key::from_bytes(random())?;
    client.raw("anvil_setBalance", serde_json::json!([key.address(), U256::from(u64::MAX)])).await?;
    let prices = SubmitConfig {
        max_fee: 100_000_000_000,
        max_priority: 1,
        bump_after: Duration::from_secs(60),
        bump_percent: 13,
        gas_margin_percent: 10,
        ..SubmitConfig::default()
    };
    let wallet = Wallet::new(client.clone(), key, prices);
    let code_bytes = code.deployed_bytecode.len();
    let contract = wallet.deploy("the verifier's deployment", code.bytecode).await?.contract;
    let valid = accepts(&client, contract, proof).await?;
    let call = bytecode::verify_call(&proof.bytes, &proof.instances);
    let receipt = wallet.call_with_gas("verifyProof", contract, call, GAS_LIMIT).await?;
    chain.stop().await;
    Ok(Verdict { contract, valid, gas: Some(receipt.mined.gas_used), code_bytes })
}

/// Asks the verifier at `contract`, after comparing its code with the one that is generated here.
pub(super) async fn at(rpc: &str, contract: Address, prover: &dyn Prove, proof: &Proof) -> Result<Verdict, CliError> {
    let generated = verifier::compile(prover.model_id(), &prover.solidity()?).await?;
    let client = Client::connect(rpc, TIMEOUT).await?;
    let code = client.code(contract).await?;
    if code != generated.deployed_bytecode {
        return Err(CliError::model(format!(
            "contract {contract} has other code ({} bytes) than this model's verifier ({} bytes); give the verifier's address, or the model and --shape that it was made from",
            code.len(),
            generated.deployed_bytecode.len()
        )));
    }
    let valid = accepts(&client, contract, proof).await?;
    Ok(Verdict { contract, valid, gas: None, code_bytes: code.len() })
}

async fn accepts(client: &Client, contract: Address, proof: &Proof) -> Result<bool, CliError> {
    let call = bytecode::verify_call(&proof.bytes, &proof.instances);
    let answer = client.call(None, contract, call, None).await?;
    Ok(U256::try_from_be_slice(&answer) == Some(U256::from(1)))
}
