//! What a request asks for, as far as it decides who is asked and what an answer must look like.

use alloy::{
    primitives::{Address, B256},
    rpc::json_rpc::{Id, Request as Call, RequestPacket},
};
use serde_json::Value;

use super::Request;

/// What kind of answer is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// The newest block.
    Head,
    /// A block by its number.
    Block(u64),
    /// Logs.
    Logs(Box<Filter>),
    /// Something that a node may not have yet though it exists: a receipt, a block by its hash.
    Lookup,
    /// Anything else that depends on the state that the node is at.
    State,
    /// A signed transaction.
    Send,
}

/// Which logs are asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Filter {
    /// Of these contracts; of all if there is none.
    pub(super) contracts: Vec<Address>,
    /// In exactly this block.
    pub(super) block: Option<B256>,
    /// From this height.
    pub(super) first: Option<u64>,
    /// To this height.
    pub(super) last: Option<u64>,
}

impl Kind {
    pub(super) fn of(request: &Request) -> Self {
        let RequestPacket::Single(single) = request else { return Self::State };
        let params = || single.params().and_then(|raw| serde_json::from_str::<Value>(raw.get()).ok());
        match single.method() {
            "eth_sendRawTransaction" => Self::Send,
            "eth_getTransactionReceipt" | "eth_getBlockByHash" | "eth_getTransactionByHash" => Self::Lookup,
            "eth_getBlockByNumber" => match params().as_ref().and_then(|params| params.get(0)?.as_str()) {
                Some("latest") => Self::Head,
                Some(number) => quantity(number).map_or(Self::State, Self::Block),
                None => Self::State,
            },
            "eth_getLogs" => Self::Logs(Box::new(
                params().as_ref().and_then(|params| Filter::of(params.get(0)?)).unwrap_or_default(),
            )),
            _ => Self::State,
        }
    }

    /// Whether an endpoint that says "nothing" may just not have it yet.
    pub(super) fn doubts_nothing(&self) -> bool {
        matches!(self, Self::Block(_) | Self::Lookup)
    }
}

impl Filter {
    fn of(filter: &Value) -> Option<Self> {
        let height = |key: &str| filter.get(key).and_then(Value::as_str).and_then(quantity);
        let contracts = match filter.get("address") {
            Some(Value::String(one)) => vec![one.parse().ok()?],
            Some(Value::Array(several)) => {
                several.iter().map(|one| one.as_str()?.parse().ok()).collect::<Option<Vec<_>>>()?
            }
            _ => Vec::new(),
        };
        let block = filter.get("blockHash").and_then(Value::as_str).and_then(|hash| hash.parse().ok());
        Some(Self { contracts, block, first: height("fromBlock"), last: height("toBlock") })
    }
}

/// A request's methods, for errors.
pub(super) fn method(request: &Request) -> &str {
    request.method_names().next().unwrap_or("an empty batch")
}

/// A number as JSON-RPC writes it.
pub(super) fn quantity(text: &str) -> Option<u64> {
    u64::from_str_radix(text.strip_prefix("0x")?, 16).ok()
}

/// A request of our own.
pub(super) fn call(method: &'static str, params: &Value) -> Result<Request, serde_json::Error> {
    Ok(RequestPacket::Single(Call::new(method, Id::Number(0), params).serialize()?))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn kinds() {
        let contract = Address::repeat_byte(7);
        let hash = B256::repeat_byte(9);
        let logs = |filter: Filter| Kind::Logs(Box::new(filter));
        let cases = [
            ("eth_getBlockByNumber", json!(["latest", false]), Kind::Head),
            ("eth_getBlockByNumber", json!(["0x10", false]), Kind::Block(16)),
            ("eth_getBlockByNumber", json!(["finalized", false]), Kind::State),
            ("eth_getBlockByHash", json!([hash, false]), Kind::Lookup),
            ("eth_sendRawTransaction", json!(["0x02"]), Kind::Send),
            ("eth_call", json!([{}, "latest"]), Kind::State),
            ("eth_chainId", json!([]), Kind::State),
            (
                "eth_getLogs",
                json!([{"address": [contract], "blockHash": hash}]),
                logs(Filter { contracts: vec![contract], block: Some(hash), ..Filter::default() }),
            ),
            (
                "eth_getLogs",
                json!([{"address": contract, "fromBlock": "0x1", "toBlock": "0xff"}]),
                logs(Filter { contracts: vec![contract], first: Some(1), last: Some(255), ..Filter::default() }),
            ),
            ("eth_getLogs", json!([]), logs(Filter::default())),
        ];
        for (method, params, expected) in cases {
            assert_eq!(Kind::of(&call(method, &params).expect("request")), expected, "{method} {params}");
        }
    }
}
