//! Who signs: a key in this process, or one elsewhere that is asked for each signature.
//!
//! Whatever signs, [`seal`] puts our own transaction and the signature together, and only if the signature is of exactly
//! these bytes and by the expected address: a signer elsewhere can refuse, but it can't have us send something else.

mod cloud;
mod env;
mod keys;
mod web3signer;

use std::{fmt, pin::Pin, sync::Arc};

use alloy::{
    consensus::{SignableTransaction, TxEip1559},
    eips::eip2718::Encodable2718,
    primitives::{Signature, TxKind},
};

use super::{
    fees::Fees,
    key::{Key, Plan},
    types::{Address, B256},
};
use crate::store::Signed;

pub use keys::{DEFAULT, Keys, open};
pub use web3signer::Web3Signer;

/// A signature that is being made.
pub type Signing<'a> = Pin<Box<dyn Future<Output = Result<Signature, SignerError>> + Send + 'a>>;

/// Something that signs transactions for one address. Its `Debug` shows no secret.
pub trait Signer: fmt::Debug + Send + Sync {
    /// The address whose signatures it makes.
    fn address(&self) -> Address;

    /// What it is, as `key.signer` names it.
    fn kind(&self) -> &'static str;

    /// Signs one transaction. What it gives is checked by [`seal`].
    ///
    /// # Errors
    /// If it can't be reached or refuses.
    fn sign<'a>(&'a self, tx: &'a Unsigned) -> Signing<'a>;
}

/// Why there is no signature.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignerError {
    /// No answer, or one that is none.
    #[error("{signer}: {why}; is it running, and does it hold this key?")]
    Unreachable {
        /// Kind and place.
        signer: String,
        /// Why.
        why: String,
    },
    /// It answered with another transaction than the one that it was given.
    #[error("{signer} signed another {field} than it was asked to; don't trust it before you know why")]
    OtherTransaction {
        /// Kind and place.
        signer: String,
        /// What differs.
        field: &'static str,
    },
    /// The signature is somebody else's, or of other bytes.
    #[error(
        "the signature is by {found}, not by {expected}, or of other bytes than those to be signed; check key.address"
    )]
    OtherKey {
        /// Whose it should be.
        expected: Address,
        /// Whose it is.
        found: String,
    },
}

/// A transaction that has everything but its signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsigned {
    pub(super) tx: TxEip1559,
}

impl Unsigned {
    /// A planned transaction with its nonce and price.
    pub fn new(plan: &Plan, nonce: u64, fees: Fees) -> Self {
        Self {
            tx: TxEip1559 {
                chain_id: plan.chain_id,
                nonce,
                gas_limit: plan.gas_limit,
                max_fee_per_gas: fees.max_fee,
                max_priority_fee_per_gas: fees.max_priority,
                to: plan.to.map_or(TxKind::Create, TxKind::Call),
                value: plan.value,
                access_list: Default::default(),
                input: plan.data.clone(),
            },
        }
    }

    /// The 32 bytes that are signed.
    pub fn digest(&self) -> B256 {
        self.tx.signature_hash()
    }

    /// The bytes whose keccak is the digest.
    pub fn payload(&self) -> Vec<u8> {
        self.tx.encoded_for_signing()
    }
}

/// Puts a transaction and its signature together.
///
/// # Errors
/// If the signature isn't `signer`'s, or not of this transaction.
pub fn seal(unsigned: Unsigned, signature: Signature, signer: Address) -> Result<Signed, SignerError> {
    // Of the two forms of a signature, chains take the one with the lower s only.
    let signature = signature.normalize_s().unwrap_or(signature);
    match signature.recover_address_from_prehash(&unsigned.digest()) {
        Ok(found) if found == signer => {}
        Ok(found) => return Err(SignerError::OtherKey { expected: signer, found: found.to_string() }),
        Err(_) => return Err(SignerError::OtherKey { expected: signer, found: "nobody".into() }),
    }
    let tx = &unsigned.tx;
    let (max_fee, max_priority, gas_limit, value) =
        (tx.max_fee_per_gas, tx.max_priority_fee_per_gas, tx.gas_limit, tx.value);
    let signed = unsigned.tx.into_signed(signature);
    let mut raw = Vec::new();
    signed.encode_2718(&mut raw);
    Ok(Signed { hash: *signed.hash(), raw, max_fee, max_priority, gas_limit, value })
}

impl Signer for Key {
    fn address(&self) -> Address {
        Key::address(self)
    }

    fn kind(&self) -> &'static str {
        "keystore"
    }

    fn sign<'a>(&'a self, tx: &'a Unsigned) -> Signing<'a> {
        Box::pin(async move { self.sign_unsigned(tx) })
    }
}

impl From<Key> for Arc<dyn Signer> {
    fn from(key: Key) -> Self {
        Arc::new(key)
    }
}

#[cfg(test)]
mod tests;
