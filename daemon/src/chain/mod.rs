//! The only room that knows alloy, besides each app's file of its contract's calls and events: nodes, keys, sending.

pub mod bytecode;
pub mod client;
pub mod contract;
pub mod error;
pub mod fees;
#[cfg(test)]
pub(crate) mod fuzz;
pub mod held;
pub mod hint;
pub mod key;
pub mod limits;
pub mod policy;
pub mod rpc;
pub mod signature;
pub mod signer;
pub mod span;
pub mod submit;
pub mod types;
pub mod wallet;
pub mod watcher;

pub use client::Client;
pub use contract::Contract;
pub use error::ChainError;
pub use held::Held;
pub use key::Key;
pub use signer::Keys;
pub use wallet::Wallet;

/// Chooses the TLS provider for https endpoints, once per process.
pub(crate) fn install_tls() {
    // An error means that one is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
}
