//! The primitive types that the rest of the daemon may use, so that only this room, and the ABI of each app, names alloy.

pub use alloy::primitives::{Address, B256, Bytes, U256, keccak256};
/// A log of a contract, undecoded.
pub use alloy::rpc::types::Log;

/// 32 unforeseeable bytes.
pub fn random() -> B256 {
    B256::from(rand::random::<[u8; 32]>())
}
