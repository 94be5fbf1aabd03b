//! Code and calldata of the contracts.

use alloy::sol_types::SolCall;
use zugzwang_contracts::{IVerifier, chess_arena_creation_code};

use super::{
    ChainError,
    types::{Address, Bytes, U256},
};

/// Init code of the arena.
pub fn arena() -> Bytes {
    chess_arena_creation_code().clone()
}

/// Calldata that asks a verifier about a proof.
pub fn verify_call(proof: &[u8], instances: &[[u8; 32]]) -> Bytes {
    let instances = instances.iter().map(|word| U256::from_be_bytes(*word)).collect();
    IVerifier::verifyProofCall { proof: proof.to_vec().into(), instances }.abi_encode().into()
}

/// Selector of a verifier's `modelId()`.
pub fn model_id_selector() -> [u8; 4] {
    IVerifier::modelIdCall::SELECTOR
}

/// A transaction that succeeded without the event that says so.
pub fn no_event(name: &'static str, address: Address, event: &str) -> ChainError {
    let why = "the transaction has no such event".into();
    ChainError::Undecodable { name, address, what: event.to_owned(), why }
}
