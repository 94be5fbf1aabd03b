//! Answers of nodes that no node should give.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use alloy::rpc::json_rpc::{Id, RequestPacket, SerializedRequest};
use serde_json::json;

use super::{
    Client,
    rpc::{Answer, Endpoints, Policy, Request, Wire, WireError},
    types::{Address, B256, Bytes, U256},
};
use crate::{clock::Clock, fuzz};

/// A node on chain 31337 that answers all else with the same bytes.
#[derive(Debug)]
pub(crate) struct Node(pub(crate) Mutex<Vec<u8>>);

impl Node {
    /// What it says to everything, as the answer to this request: an answer with another number is none.
    fn said(&self, id: &Id) -> Vec<u8> {
        let bytes = self.0.lock().expect("bytes").clone();
        match String::from_utf8(bytes) {
            Ok(text) => text.replacen("\"id\":1", &format!("\"id\":{id}"), 1).into_bytes(),
            Err(other) => other.into_bytes(),
        }
    }

    fn text(&self, request: &SerializedRequest) -> Vec<u8> {
        let zero = B256::ZERO;
        let genesis = json!({
            "hash": B256::repeat_byte(9), "parentHash": zero, "number": "0x0", "timestamp": "0x1",
            "sha3Uncles": zero, "miner": Address::ZERO, "stateRoot": zero, "transactionsRoot": zero, "receiptsRoot": zero,
            "logsBloom": format!("0x{}", "00".repeat(256)), "difficulty": "0x0", "gasLimit": "0x1", "gasUsed": "0x0",
            "extraData": "0x", "mixHash": zero, "nonce": "0x0000000000000000", "uncles": [], "transactions": [],
        });
        let params = request.params().map_or("", |params| params.get());
        let result = match request.method() {
            "eth_chainId" => json!("0x7a69"),
            "eth_getBlockByNumber" if params.contains("\"0x0\"") => genesis,
            _ => return self.said(request.id()),
        };
        json!({ "jsonrpc": "2.0", "id": request.id(), "result": result }).to_string().into_bytes()
    }
}

impl Wire for Node {
    fn name(&self) -> &str {
        "node"
    }

    fn send(&self, request: Request) -> Answer {
        let text = match &request {
            RequestPacket::Single(single) => self.text(single),
            RequestPacket::Batch(batch) => batch.first().map(|first| self.text(first)).unwrap_or_default(),
        };
        // As the HTTP wire reads them.
        let read = serde_json::from_slice(&text).map_err(|e| WireError::Malformed(e.to_string()).into());
        Box::pin(std::future::ready(read))
    }
}

/// A client of a node that says this.
pub(crate) async fn client(says: &[u8]) -> Client {
    let wire = Arc::new(Node(Mutex::new(says.to_vec()))) as Arc<dyn Wire>;
    let policy = Policy { patience: Duration::ZERO, ..Policy::default() };
    Client::over(Endpoints::new(vec![wire], policy, Clock::system())).await.expect("a client")
}

/// All that is ever asked; whether any of it was answered.
async fn asked(client: &Client) -> bool {
    let (account, block) = (Address::repeat_byte(1), B256::repeat_byte(2));
    let mut answered = false;
    answered |= client.head().await.is_ok();
    answered |= client.block(7).await.is_ok_and(|block| block.is_some());
    for logs in [client.logs_in(&[account], block).await, client.logs_between(&[account], 3, 5).await] {
        answered |= logs.is_ok_and(|logs| super::watcher::found(logs).count() > 0);
    }
    answered |= client.call(None, account, Bytes::new(), None).await.is_ok();
    answered |= client.estimate(account, None, Bytes::new(), U256::ZERO).await.is_ok();
    answered |= client.send(&[1, 2, 3]).await.is_ok();
    answered |= client.mined(block).await.is_ok_and(|mined| mined.is_some());
    answered |= client.logs_of(block).await.is_ok_and(|logs| !logs.is_empty());
    answered |= client.nonce(account).await.is_ok();
    answered |= client.balance(account).await.is_ok();
    answered |= client.code(account).await.is_ok();
    answered
}

/// What nodes do say.
fn corpus() -> Vec<Vec<u8>> {
    let (zero, bloom) = (B256::ZERO, format!("0x{}", "00".repeat(256)));
    let log = json!({
        "address": Address::repeat_byte(1), "topics": [B256::repeat_byte(3)], "data": "0x00", "blockNumber": "0x7",
        "blockHash": B256::repeat_byte(2), "transactionHash": zero, "transactionIndex": "0x0", "logIndex": "0x0",
        "removed": false,
    });
    let results = [
        json!("0x10"),
        json!("0x"),
        json!(null),
        json!([log.clone(), log.clone()]),
        json!({
            "hash": zero, "parentHash": zero, "number": "0x7", "timestamp": "0x1", "baseFeePerGas": "0x1",
            "sha3Uncles": zero, "miner": Address::ZERO, "stateRoot": zero, "transactionsRoot": zero, "receiptsRoot": zero,
            "logsBloom": bloom, "difficulty": "0x0", "gasLimit": "0x1", "gasUsed": "0x0", "extraData": "0x",
            "mixHash": zero, "nonce": "0x0000000000000000", "uncles": [], "transactions": [],
        }),
        json!({
            "transactionHash": zero, "transactionIndex": "0x0", "blockHash": zero, "blockNumber": "0x7",
            "from": Address::ZERO, "to": null, "gasUsed": "0x1", "cumulativeGasUsed": "0x1", "contractAddress": null,
            "logs": [log], "logsBloom": bloom, "status": "0x1", "type": "0x2", "effectiveGasPrice": "0x1",
        }),
    ];
    let mut all: Vec<String> =
        results.into_iter().map(|result| json!({ "jsonrpc": "2.0", "id": 1, "result": result }).to_string()).collect();
    for (code, message, data) in [
        (3, "execution reverted", json!("0x08c379a0")),
        (-32005, "query returned more than 10000 results", json!({ "from": "0x1", "to": "0x2" })),
        (-32000, "nonce too low: next nonce 5, tx nonce 3", json!(null)),
    ] {
        let error = json!({ "code": code, "message": message, "data": data });
        all.push(json!({ "jsonrpc": "2.0", "id": Id::Number(1), "error": error }).to_string());
    }
    all.into_iter().map(String::into_bytes).collect()
}

#[test]
fn answers_of_nodes() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    fuzz::check("answers of nodes", 200, &corpus(), |says| {
        runtime.block_on(async { asked(&client(says).await).await })
    });
}
