//! Why a transaction is not signed, or not mined, though nothing is broken: it waits, and the operator is told the numbers.

use super::{
    signer::SignerError,
    types::{Address, B256, U256},
};

/// Why a transaction waits.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Held {
    /// The call is none that an app names.
    #[error(
        "refused to sign {call} of {to}: {why}; no configured app names such a call, so this is a bug or an attack: report it"
    )]
    NotAllowed {
        /// Callee, or what stands for it.
        to: String,
        /// Selector in hex.
        call: String,
        /// Which rule.
        why: String,
    },
    /// More gas than one transaction may have.
    #[error("the call needs {gas} gas, above submit.max_gas = {cap}; find out why, then raise it")]
    GasAboveCap {
        /// Estimate.
        gas: u64,
        /// submit.max_gas.
        cap: u64,
    },
    /// The account can't pay for it.
    #[error(
        "account {account} has {} ETH, and what is to be sent may cost {} ETH with what is under way; send it at least {} ETH",
        ether(*balance), ether(*need), ether(need.saturating_sub(*balance))
    )]
    Balance {
        /// Who pays.
        account: Address,
        /// Wei that it has.
        balance: U256,
        /// Wei that it may need.
        need: U256,
    },
    /// A limit of the key would be exceeded.
    #[error(
        "key {key}: {} ETH of its limit of {} ETH per {window} are spent or under way, and this may cost {} ETH; it waits until the limit allows it, or raise {setting}",
        ether(*spent), ether(*limit), ether(*cost)
    )]
    OverLimit {
        /// The key's address.
        key: Address,
        /// hour or day.
        window: &'static str,
        /// The configuration's key.
        setting: &'static str,
        /// Wei that are spent or may be.
        spent: U256,
        /// Wei that may be spent.
        limit: U256,
        /// Wei that this may cost.
        cost: U256,
    },
    /// An earlier transaction for the same errand is another key's and still open.
    #[error(
        "transaction {hash} (nonce {nonce}) of account {account} is about the same, may still be mined, and its key isn't configured for it any more; add that key as [[keys]], or wait"
    )]
    OtherKey {
        /// Its newest version.
        hash: B256,
        /// Its nonce.
        nonce: u64,
        /// Who signed it.
        account: Address,
    },
    /// The first transaction in line isn't mined, and may not pay more.
    #[error(
        "transaction {hash} (nonce {nonce}) of {account} is first in line and not mined for {age_s} s, with {behind} behind it: it pays at most {} gwei per gas, the base fee is {} gwei, and {why}",
        gwei(*max_fee), gwei(*base_fee)
    )]
    Stuck {
        /// Its newest version.
        hash: B256,
        /// Its nonce.
        nonce: u64,
        /// Who signed it.
        account: Address,
        /// Seconds since its first version was signed.
        age_s: u64,
        /// Transactions of higher nonces that wait for it.
        behind: usize,
        /// Wei per gas that it pays at most.
        max_fee: u128,
        /// Wei per gas of the head.
        base_fee: u128,
        /// What keeps it from paying more, and what to do.
        why: String,
    },
    /// Another process took the nonce in the meantime.
    #[error("nonce {nonce} of {account} was taken by another process that signs with this key; run one only")]
    NonceTaken {
        /// The nonce.
        nonce: u64,
        /// Whose.
        account: Address,
    },
    /// No signature.
    #[error("account {account}: no signature: {source}")]
    Signer {
        /// Whose signature.
        account: Address,
        /// Why.
        source: SignerError,
    },
}

crate::code::codes!(Held {
    NotAllowed = 606,
    GasAboveCap = 607,
    Balance = 608,
    OverLimit = 604,
    OtherKey = 609,
    Stuck = 610,
    NonceTaken = 614,
    Signer = 404,
});

impl Held {
    /// What it is about, so that the same is told once though its numbers change.
    pub fn topic(&self) -> String {
        match self {
            Self::NotAllowed { to, call, .. } => format!("not allowed {to} {call}"),
            Self::GasAboveCap { cap, .. } => format!("gas {cap}"),
            Self::Balance { account, .. } => format!("balance {account}"),
            Self::OverLimit { key, window, .. } => format!("limit {key} {window}"),
            Self::OtherKey { account, nonce, .. } => format!("other key {account} {nonce}"),
            Self::Stuck { account, nonce, .. } => format!("stuck {account} {nonce}"),
            Self::NonceTaken { account, .. } => format!("nonce {account}"),
            Self::Signer { account, .. } => format!("signer {account}"),
        }
    }
}

/// Wei in ether, for people: rounded to a millionth of a gwei.
pub fn ether(wei: U256) -> String {
    decimal(wei, 18)
}

/// Wei in gwei, for people.
pub fn gwei(wei: u128) -> String {
    decimal(U256::from(wei), 9)
}

/// A number with so many decimals, without trailing zeros.
fn decimal(number: U256, decimals: usize) -> String {
    let digits = format!("{number:0>width$}", width = decimals + 1);
    let (whole, part) = digits.split_at(digits.len() - decimals);
    match part.trim_end_matches('0') {
        "" => whole.to_owned(),
        part => format!("{whole}.{part}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_exact() {
        let cases = [
            (0u128, "0", "0"),
            (1, "0.000000000000000001", "0.000000001"),
            (1_500_000_000, "0.0000000015", "1.5"),
            (10u128.pow(18), "1", "1000000000"),
            (1_234_500_000_000_000_000, "1.2345", "1234500000"),
        ];
        for (wei, in_ether, in_gwei) in cases {
            assert_eq!((ether(U256::from(wei)), gwei(wei)), (in_ether.to_owned(), in_gwei.to_owned()));
        }
    }
}
