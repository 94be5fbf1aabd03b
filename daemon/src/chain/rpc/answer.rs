//! Whether an answer is one to what was asked.

use alloy::{
    primitives::{Address, B256},
    rpc::json_rpc::ResponsePacket,
};
use serde::Deserialize;

use super::{
    Request, Response,
    request::{Kind, quantity},
};

/// What is looked at in a block.
#[derive(Debug, Deserialize)]
pub(super) struct Block {
    /// Its hash.
    pub(super) hash: B256,
    number: String,
}

impl Block {
    /// The block in an answer; `None` for none.
    pub(super) fn of(response: &Response) -> Option<Self> {
        serde_json::from_str::<Option<Self>>(result(response)?).ok()?
    }

    pub(super) fn number(&self) -> Option<u64> {
        quantity(&self.number)
    }
}

/// What is looked at in a log.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "camelCase")]
pub(super) struct Entry {
    block_number: Option<String>,
    block_hash: Option<B256>,
    log_index: Option<String>,
    transaction_hash: Option<B256>,
    address: Address,
    #[serde(default)]
    topics: Vec<B256>,
    #[serde(default)]
    data: String,
    #[serde(default)]
    removed: bool,
}

impl Entry {
    /// The logs in an answer.
    pub(super) fn all(response: &Response) -> Option<Vec<Self>> {
        serde_json::from_str(result(response)?).ok()
    }
}

/// The result in an answer to a single request.
pub(super) fn result(response: &Response) -> Option<&str> {
    match response {
        ResponsePacket::Single(single) => single.payload.as_success().map(|raw| raw.get()),
        ResponsePacket::Batch(_) => None,
    }
}

/// Whether an answer says that there is no such thing.
pub(super) fn is_nothing(response: &Response) -> bool {
    result(response).is_some_and(|result| result.trim() == "null")
}

/// What is false about an answer that isn't an error.
///
/// # Errors
/// Why the answer can't be one to the request.
pub(super) fn check(request: &Request, kind: &Kind, response: &Response) -> Result<(), String> {
    if let (Some(asked), ResponsePacket::Single(single)) = (request.as_single(), response)
        && *asked.id() != single.id
    {
        return Err("the answer has another request's id".into());
    }
    let Some(text) = result(response) else { return Ok(()) };
    match kind {
        Kind::Head => match Block::of(response) {
            Some(block) if block.number().is_some() => Ok(()),
            _ => Err("its newest block has no number or hash".into()),
        },
        Kind::Block(number) if text.trim() != "null" => match Block::of(response).and_then(|block| block.number()) {
            Some(found) if found == *number => Ok(()),
            Some(found) => Err(format!("asked for block {number}, it gave block {found}")),
            None => Err(format!("its block {number} has no number or hash")),
        },
        Kind::Logs(filter) => {
            let logs = Entry::all(response).ok_or("its logs can't be read")?;
            for log in logs.iter().filter(|log| !log.removed) {
                let number = log.block_number.as_deref().and_then(quantity);
                if !filter.contracts.is_empty() && !filter.contracts.contains(&log.address) {
                    return Err(format!("it gave a log of {}, which was not asked for", log.address));
                }
                if filter.block.is_some() && log.block_hash != filter.block {
                    let found = log.block_hash.map_or_else(|| "no block".into(), |hash| format!("block {hash}"));
                    return Err(format!("it gave a log of {found}, which was not asked for"));
                }
                let (first, last) = (filter.first.unwrap_or(0), filter.last.unwrap_or(u64::MAX));
                if filter.block.is_none() && !number.is_some_and(|number| (first..=last).contains(&number)) {
                    let found = number.map_or_else(|| "no block".into(), |number| format!("block {number}"));
                    return Err(format!("asked for the logs of blocks {first} to {last}, it gave one of {found}"));
                }
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use serde_json::{Value, json};

    use super::{super::request::call, *};

    /// An answer as a node writes it.
    pub(in crate::chain::rpc) fn answer(result: &Value) -> Response {
        serde_json::from_value(json!({"jsonrpc": "2.0", "id": 0, "result": result})).expect("answer")
    }

    #[test]
    fn an_answer_must_be_one_to_the_question() {
        let (ours, other) = (Address::repeat_byte(1), Address::repeat_byte(2));
        let (here, elsewhere) = (B256::repeat_byte(3), B256::repeat_byte(4));
        let log = |address: Address, hash: B256, number: &str| json!({"address": address, "blockHash": hash, "blockNumber": number, "topics": [], "data": "0x", "logIndex": "0x0"});
        let in_block = json!([{"address": [ours], "blockHash": here}]);
        let in_range = json!([{"address": [ours], "fromBlock": "0x5", "toBlock": "0x9"}]);
        let by_number = json!(["0x5", false]);
        let cases = [
            ("eth_getLogs", &in_block, json!([]), None),
            ("eth_getLogs", &in_block, json!([log(ours, here, "0x5")]), None),
            ("eth_getLogs", &in_block, json!([log(ours, elsewhere, "0x5")]), Some("which was not asked for")),
            ("eth_getLogs", &in_block, json!([log(other, here, "0x5")]), Some("which was not asked for")),
            ("eth_getLogs", &in_block, json!("none"), Some("can't be read")),
            ("eth_getLogs", &in_range, json!([log(ours, here, "0x5"), log(ours, here, "0x9")]), None),
            ("eth_getLogs", &in_range, json!([log(ours, here, "0xa")]), Some("it gave one of block 10")),
            ("eth_getBlockByNumber", &by_number, json!({"hash": here, "number": "0x5"}), None),
            ("eth_getBlockByNumber", &by_number, json!({"hash": here, "number": "0x6"}), Some("it gave block 6")),
            ("eth_getBlockByNumber", &by_number, json!(null), None),
            ("eth_getBlockByNumber", &by_number, json!({"number": "0x5"}), Some("has no number or hash")),
            ("eth_getBlockByNumber", &json!(["latest", false]), json!(null), Some("newest block")),
        ];
        for (method, params, result, expected) in cases {
            let request = call(method, params).expect("request");
            let found = check(&request, &Kind::of(&request), &answer(&result)).err();
            match (&found, expected) {
                (None, None) => {}
                (Some(found), Some(words)) if found.contains(words) => {}
                _ => panic!("{method} {params} {result}: {found:?}, not {expected:?}"),
            }
        }
    }

    #[test]
    fn another_requests_answer_is_refused() {
        let request = call("eth_call", &json!([])).expect("request");
        let answer: Response =
            serde_json::from_value(json!({"jsonrpc": "2.0", "id": 7, "result": "0x"})).expect("answer");
        assert!(check(&request, &Kind::of(&request), &answer).is_err());
    }
}
