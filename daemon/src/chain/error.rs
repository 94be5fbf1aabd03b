//! What can go wrong between the daemon and a node.

use alloy::transports::{RpcError, TransportErrorKind};

use super::{
    held::Held,
    rpc::{EndpointError, redacted, refusal},
    types::{Address, B256, Bytes},
};

/// What can go wrong between the daemon and a node.
#[derive(Debug, thiserror::Error)]
pub enum ChainError {
    /// The endpoint isn't a URL that the HTTP client takes.
    #[error("node {url}: not a usable address: {why}; set chain.rpc")]
    BadUrl {
        /// Endpoint.
        url: String,
        /// Why.
        why: String,
    },
    /// No answer.
    #[error("node {url}: no answer to {method}: {why}; is it running and is chain.rpc right?")]
    Unreachable {
        /// Endpoint.
        url: String,
        /// RPC method.
        method: &'static str,
        /// Why.
        why: String,
    },
    /// An error as the answer.
    #[error("node {url}: {method} was refused: {message} (code {code})")]
    Refused {
        /// Endpoint.
        url: String,
        /// RPC method.
        method: &'static str,
        /// The node's words.
        message: String,
        /// JSON-RPC code.
        code: i64,
        /// Revert data, where there is any.
        data: Option<Bytes>,
    },
    /// The endpoint is on another chain.
    #[error("node {url}: it is on chain {found}, the configuration says {expected}; set chain.rpc or chain.chain_id")]
    OtherChain {
        /// Endpoint.
        url: String,
        /// Chain id of the node.
        found: u64,
        /// Chain id of the configuration.
        expected: u64,
    },
    /// The endpoint has the right chain id, but another first block.
    #[error(
        "node {url}: its chain {chain_id} begins with block {found}, that of the other endpoints with {expected}; take it out of chain.rpc"
    )]
    OtherGenesis {
        /// Endpoint.
        url: String,
        /// Chain id of both.
        chain_id: u64,
        /// Hash of the endpoint's block 0.
        found: B256,
        /// Hash of the others' block 0.
        expected: B256,
    },
    /// Too few endpoints say the same.
    #[error("chain.rpc: {method}: {why}; wait, or look for the endpoint that is wrong with `zugzwang doctor`")]
    Disagree {
        /// RPC method.
        method: &'static str,
        /// How many answers there were, and how many had to agree.
        why: String,
    },
    /// A log that can't be right.
    #[error("node {url}: it gave {why}; it is asked again, but if this goes on take the node out of chain.rpc")]
    FalseLog {
        /// Endpoint.
        url: String,
        /// What is wrong with it.
        why: String,
    },
    /// A block or value that must exist doesn't.
    #[error("node {url}: it has no {what}; is it still syncing?")]
    Missing {
        /// Endpoint.
        url: String,
        /// What is missing.
        what: String,
    },
    /// There is no contract at the address, or another one.
    #[error("{name} {address}: {why}; set {key} to what `zugzwang deploy` printed")]
    NoContract {
        /// What should be there.
        name: &'static str,
        /// The address.
        address: Address,
        /// The configuration's key.
        key: &'static str,
        /// What was found.
        why: String,
    },
    /// Answer of a contract that can't be decoded.
    #[error("{name} {address}: {what} can't be decoded: {why}; is it a contract of this version?")]
    Undecodable {
        /// What the contract is.
        name: &'static str,
        /// The contract.
        address: Address,
        /// Call or event.
        what: String,
        /// Why.
        why: String,
    },
    /// A reorganisation deeper than may be undone.
    #[error(
        "chain {chain_id}: block {cursor}, up to which events are stored, is gone from the chain, and so are more than the {depth} blocks that may be undone: {left}; nothing was changed. Check the nodes and what became of the transactions, then raise chain.max_reorg to undo so many, or start a new store.path"
    )]
    TooDeep {
        /// Chain id.
        chain_id: u64,
        /// The newest block that was followed.
        cursor: u64,
        /// chain.max_reorg.
        depth: u64,
        /// The newest followed block that is still on the chain, in words.
        left: String,
    },
    /// Gas costs more than the cap.
    #[error(
        "chain {chain_id}: the base fee is {base_fee} wei, above submit.max_fee_gwei = {cap} wei; raise it or wait"
    )]
    FeeAboveCap {
        /// Chain id.
        chain_id: u64,
        /// Base fee of the head.
        base_fee: u128,
        /// Cap, in wei.
        cap: u128,
    },
    /// The key can't be read or used.
    #[error("key {path}: {why}")]
    Key {
        /// Keystore file.
        path: String,
        /// Why, and what to do.
        why: String,
    },
    /// A transaction waits, though nothing is broken.
    #[error(transparent)]
    Held(Box<Held>),
    /// A contract refused a call that must work.
    #[error("{what} reverts: {why}")]
    Reverts {
        /// The call.
        what: String,
        /// The contract's error in words.
        why: String,
    },
    /// A transaction that was waited for did not come.
    #[error("transaction {hash} was not mined within {seconds} s; is the chain making blocks?")]
    NotMined {
        /// Its hash.
        hash: String,
        /// How long was waited.
        seconds: u64,
    },
}

crate::code::codes!(ChainError {
    BadUrl = 201,
    Unreachable = 202,
    Refused = 203,
    OtherChain = 204,
    Missing = 205,
    NoContract = 206,
    Undecodable = 207,
    TooDeep = 208,
    FeeAboveCap = 209,
    Reverts = 210,
    NotMined = 211,
    OtherGenesis = 212,
    Disagree = 213,
    FalseLog = 214,
    Key = 401;
    Held
});

impl From<Held> for ChainError {
    fn from(held: Held) -> Self {
        Self::Held(Box::new(held))
    }
}

impl ChainError {
    /// Sorts a transport error by whether the node answered.
    pub(super) fn from_rpc(url: &str, method: &'static str, error: RpcError<TransportErrorKind>) -> Self {
        if let RpcError::Transport(kind) = &error
            && let Some(error) = kind.as_custom().and_then(|error| error.downcast_ref::<EndpointError>())
        {
            return Self::from_endpoints(url, method, error);
        }
        match error {
            RpcError::ErrorResp(payload) => Self::Refused {
                url: url.to_owned(),
                method,
                message: one_line(&redacted(&payload.message)),
                code: payload.code,
                data: payload.as_revert_data(),
            },
            RpcError::NullResp => Self::Missing { url: url.to_owned(), what: format!("answer to {method}") },
            other => Self::Unreachable { url: url.to_owned(), method, why: one_line(&redacted(&other.to_string())) },
        }
    }

    fn from_endpoints(url: &str, method: &'static str, error: &EndpointError) -> Self {
        match error {
            EndpointError::NoAnswer(_) => {
                Self::Unreachable { url: url.to_owned(), method, why: one_line(&error.to_string()) }
            }
            EndpointError::OtherChain { name, found, expected } => {
                Self::OtherChain { url: name.clone(), found: *found, expected: *expected }
            }
            EndpointError::OtherGenesis { name, chain_id, found, expected } => {
                Self::OtherGenesis { url: name.clone(), chain_id: *chain_id, found: *found, expected: *expected }
            }
            EndpointError::Disagree { .. } => Self::Disagree { method, why: one_line(&error.to_string()) },
        }
    }

    /// Whether a smaller range of blocks may be answered. An unknown wording counts too: a node that refuses one block as well
    /// is told of.
    pub(super) fn asks_for_less(&self) -> bool {
        match self {
            Self::Refused { method, code, message, .. } => {
                *method == "eth_getLogs" && (refusal::is_range(*code, message) || !refusal::is_pause(*code, message))
            }
            _ => false,
        }
    }

    /// Whether trying again later may help without anybody doing anything.
    pub fn is_passing(&self) -> bool {
        matches!(
            self,
            Self::Unreachable { .. }
                | Self::Disagree { .. }
                | Self::FalseLog { .. }
                | Self::Missing { .. }
                | Self::FeeAboveCap { .. }
                | Self::Held(_)
                | Self::Refused { .. }
                | Self::NotMined { .. }
        )
    }
}

/// Joins a message's lines and cuts it at 300 characters.
pub fn one_line(text: &str) -> String {
    let joined = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match joined.char_indices().nth(300) {
        Some((cut, _)) => format!("{}…", &joined[..cut]),
        None => joined,
    }
}
