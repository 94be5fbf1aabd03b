//! What a node that stands at some block answers to JSON-RPC: honestly, as far as it knows the chain.

use serde_json::{Value, json};
use zugzwang::chain::types::{Address, B256, Bytes, U256};

use super::{
    chain::{Block, Chain, Item, NotTaken, Signed, gas_of},
    desk::{CHAIN, DESK, Frame, Refusal},
};

/// The tip that nodes suggest, in wei.
pub(super) const TIP: u128 = 1_000_000_000;

/// A JSON-RPC error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) code: i64,
    pub(super) message: String,
    pub(super) data: Option<Bytes>,
}

impl Failure {
    pub(super) fn new(code: i64, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), data: None }
    }

    fn reverted(refusal: Refusal) -> Self {
        Self { code: 3, message: "execution reverted".into(), data: Some(refusal.data()) }
    }
}

fn malformed(what: &str) -> Failure {
    Failure::new(-32602, format!("invalid argument: {what}"))
}

fn hex(value: impl Into<u128>) -> Value {
    json!(format!("0x{:x}", value.into()))
}

fn argument<T: serde::de::DeserializeOwned>(params: &Value, which: usize) -> Result<T, Failure> {
    let value = params.get(which).cloned().unwrap_or(Value::Null);
    serde_json::from_value(value).map_err(|_| malformed(&format!("{which}")))
}

fn quantity(value: &Value) -> Option<u64> {
    u64::from_str_radix(value.as_str()?.strip_prefix("0x")?, 16).ok()
}

/// The block that a tag, a number, a hash or `{"blockHash": …}` names, for a node whose head is `top`.
fn named<'a>(chain: &'a Chain, top: B256, tag: Option<&Value>) -> Result<Option<&'a Block>, Failure> {
    let tag = tag.unwrap_or(&Value::Null);
    let tag = tag.get("blockHash").or_else(|| tag.get("blockNumber")).unwrap_or(tag);
    let found = match tag.as_str() {
        None | Some("latest" | "pending" | "safe") => chain.block(top),
        Some("earliest") => chain.below(top, 0),
        Some("finalized") => {
            let number = chain.block(top).map_or(0, |block| block.number.saturating_sub(64));
            chain.below(top, number)
        }
        // A node knows blocks that have left its chain by their hashes, too.
        Some(text) if text.len() == 66 => chain.block(text.parse().map_err(|_| malformed("block hash"))?),
        Some(_) => chain.below(top, quantity(tag).ok_or_else(|| malformed("block number"))?),
    };
    Ok(found.map(|block| block.as_ref()))
}

/// Answers one request. Only `eth_sendRawTransaction` changes anything.
pub(super) fn answer(chain: &mut Chain, top: B256, method: &str, params: &Value) -> Result<Value, Failure> {
    match method {
        "eth_chainId" => Ok(hex(CHAIN)),
        "net_version" => Ok(json!(CHAIN.to_string())),
        "web3_clientVersion" => Ok(json!("simulated")),
        "eth_syncing" => Ok(json!(false)),
        "eth_blockNumber" => Ok(hex(chain.block(top).map_or(0, |block| block.number))),
        "eth_getBlockByNumber" | "eth_getBlockByHash" => {
            Ok(named(chain, top, params.get(0))?.map_or(Value::Null, header))
        }
        "eth_getLogs" => logs(chain, top, params.get(0).unwrap_or(&Value::Null)),
        "eth_getTransactionReceipt" => Ok(receipt(chain, top, argument(params, 0)?).unwrap_or(Value::Null)),
        "eth_getTransactionByHash" => Ok(transaction(chain, top, argument(params, 0)?).unwrap_or(Value::Null)),
        "eth_getTransactionCount" => count(chain, top, params),
        "eth_getBalance" => Ok(json!("0xffffffffffffffffffffffff")),
        "eth_getCode" => {
            let account: Address = argument(params, 0)?;
            Ok(json!(if account == DESK { "0xfe" } else { "0x" }))
        }
        "eth_gasPrice" => Ok(hex(chain.block(top).map_or(0, |block| block.base_fee) + TIP)),
        "eth_maxPriorityFeePerGas" => Ok(hex(TIP)),
        "eth_call" => run(chain, top, params).map(|bytes| json!(bytes)),
        "eth_estimateGas" => {
            run(chain, top, params)?;
            Ok(hex(gas_of(params.pointer("/0/to").and_then(|to| to.as_str()?.parse().ok()))))
        }
        "eth_sendRawTransaction" => {
            let raw: Bytes = argument(params, 0)?;
            let tx = Signed::decode(&raw).map_err(|why| Failure::new(-32000, why))?;
            let hash = tx.hash;
            match chain.offer(tx, top) {
                Ok(()) => Ok(json!(hash)),
                Err(NotTaken::Invalid(why)) => Err(Failure::new(-32000, why)),
                Err(other) => Err(Failure::new(-32000, other.message())),
            }
        }
        other => Err(Failure::new(-32601, format!("the method {other} does not exist/is not available"))),
    }
}

fn header(block: &Block) -> Value {
    let zero = B256::ZERO;
    json!({
        "hash": block.hash, "parentHash": block.parent, "number": hex(block.number), "timestamp": hex(block.time),
        "baseFeePerGas": hex(block.base_fee), "sha3Uncles": zero, "miner": Address::ZERO, "stateRoot": zero,
        "transactionsRoot": zero, "receiptsRoot": zero, "logsBloom": format!("0x{}", "00".repeat(256)),
        "difficulty": "0x0", "gasLimit": "0x1c9c380", "gasUsed": "0x0", "extraData": "0x", "mixHash": zero,
        "nonce": "0x0000000000000000", "size": "0x220", "uncles": [],
        "transactions": block.txs.iter().map(|tx| tx.item.hash()).collect::<Vec<_>>(),
    })
}

fn logs_of(block: &Block) -> impl Iterator<Item = Value> {
    block.txs.iter().enumerate().flat_map(move |(place, tx)| {
        tx.events.iter().enumerate().map(move |(nth, event)| {
            json!({
                "address": DESK, "topics": event.topics, "data": event.data, "blockNumber": hex(block.number),
                "blockHash": block.hash, "blockTimestamp": hex(block.time), "transactionHash": tx.item.hash(),
                "transactionIndex": hex(place as u64), "logIndex": hex((tx.first_log + nth) as u64), "removed": false,
            })
        })
    })
}

fn logs(chain: &Chain, top: B256, filter: &Value) -> Result<Value, Failure> {
    let wanted = match filter.get("address") {
        None | Some(Value::Null) => true,
        Some(Value::Array(list)) => list.is_empty() || list.iter().any(|one| *one == json!(DESK)),
        Some(one) => *one == json!(DESK),
    };
    let mut found = Vec::new();
    if let Some(hash) = filter.get("blockHash").filter(|hash| !hash.is_null()) {
        let block = named(chain, top, Some(hash))?.ok_or_else(|| Failure::new(-32000, "unknown block"))?;
        found.extend(logs_of(block));
    } else {
        let height = chain.block(top).map_or(0, |block| block.number);
        let bound = |name: &str, or: u64| filter.get(name).and_then(quantity).unwrap_or(or);
        let (first, last) = (bound("fromBlock", height), bound("toBlock", height));
        if last.saturating_sub(first) > 60 {
            return Err(Failure::new(-32005, "query returned more than 10000 results; block range is too large"));
        }
        let mut blocks: Vec<&Block> = chain
            .line(top)
            .map(|block| block.as_ref())
            .skip_while(|block| block.number > last)
            .take_while(|block| block.number >= first)
            .collect();
        blocks.reverse();
        found.extend(blocks.into_iter().flat_map(logs_of));
    }
    Ok(Value::Array(if wanted { found } else { Vec::new() }))
}

fn receipt(chain: &Chain, top: B256, hash: B256) -> Option<Value> {
    let (block, place) = chain.find(hash, top)?;
    let tx = &block.txs[place];
    let (from, to, gas) = match &tx.item {
        Item::Signed(signed) => (signed.from, signed.to, signed.gas()),
        Item::Deed(..) => (Address::ZERO, Some(DESK), gas_of(Some(DESK))),
    };
    let logs: Vec<Value> = logs_of(block).filter(|log| log["transactionHash"] == json!(hash)).collect();
    Some(json!({
        "transactionHash": hash, "transactionIndex": hex(place as u64), "blockHash": block.hash,
        "blockNumber": hex(block.number), "from": from, "to": to, "gasUsed": hex(gas), "cumulativeGasUsed": hex(gas),
        "contractAddress": null, "logs": logs, "logsBloom": format!("0x{}", "00".repeat(256)),
        "status": hex(u64::from(tx.ok)), "type": "0x2", "effectiveGasPrice": hex(block.base_fee + TIP),
    }))
}

/// As far as anybody looks at it: whether it is known, and whether it is in a block.
fn transaction(chain: &Chain, top: B256, hash: B256) -> Option<Value> {
    let (tx, block) = match chain.find(hash, top) {
        Some((block, place)) => match &block.txs[place].item {
            Item::Signed(tx) => (tx, Some((block, place))),
            Item::Deed(..) => return None,
        },
        None => (chain.pool.values().find(|tx| tx.hash == hash)?, None),
    };
    Some(json!({
        "hash": hash, "nonce": hex(tx.nonce), "from": tx.from, "to": tx.to, "input": tx.data, "value": "0x0",
        "gas": hex(tx.gas_limit), "maxFeePerGas": hex(tx.max_fee), "maxPriorityFeePerGas": hex(tx.tip),
        "gasPrice": hex(tx.max_fee), "type": "0x2", "chainId": hex(CHAIN), "accessList": [],
        "v": "0x0", "yParity": "0x0", "r": "0x1", "s": "0x1",
        "blockHash": block.map(|(block, _)| block.hash), "blockNumber": block.map(|(block, _)| hex(block.number)),
        "transactionIndex": block.map(|(_, place)| hex(place as u64)),
    }))
}

fn count(chain: &Chain, top: B256, params: &Value) -> Result<Value, Failure> {
    let account: Address = argument(params, 0)?;
    let block = named(chain, top, params.get(1))?.ok_or_else(|| Failure::new(-32000, "header not found"))?;
    let mut nonce = block.state.nonce(account);
    if params.get(1) == Some(&json!("pending")) {
        while chain.pool.contains_key(&(account, nonce)) {
            nonce += 1;
        }
    }
    Ok(hex(nonce))
}

fn run(chain: &Chain, top: B256, params: &Value) -> Result<Bytes, Failure> {
    let request = params.get(0).unwrap_or(&Value::Null);
    let block = named(chain, top, params.get(1))?.ok_or_else(|| Failure::new(-32000, "header not found"))?;
    if request.get("to") != Some(&json!(DESK)) {
        return Ok(Bytes::new());
    }
    let data = request.get("input").or_else(|| request.get("data")).and_then(Value::as_str).unwrap_or("0x");
    let data: Bytes = data.parse().map_err(|_| malformed("data"))?;
    let from = request.get("from").and_then(|from| from.as_str()?.parse().ok()).unwrap_or_default();
    if let Ok(seen) = block.state.desk.view(&data, block.time) {
        return Ok(seen);
    }
    let frame = Frame { time: block.time, parent: block.parent, tx: B256::from(U256::from(1)) };
    match block.state.desk.clone().call(from, &data, frame) {
        Ok(_) => Ok(Bytes::new()),
        Err(refusal) => Err(Failure::reverted(refusal)),
    }
}
