//! A chain with an arena in memory, and as much of a node over HTTP as the daemon asks of one: fast enough that what is measured
//! is the daemon. It knows games by their plies alone; every answer that is asked for is taken, at once and in a block of its own.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use alloy::{
    consensus::{Transaction, TxEnvelope},
    eips::eip2718::Decodable2718,
    primitives::LogData,
    sol_types::{SolCall, SolEvent, SolValue},
};
use axum::{Json, Router, extract::State as Shared, routing::post};
use serde_json::{Value, json};
use shakmaty::Chess;
use tokio::{net::TcpListener, task::JoinHandle};
use zugzwang::{
    apps::chess,
    chain::types::{Address, B256, Bytes, U256, keccak256},
};
use zugzwang_contracts::ChessArena::{self, GameView};

use crate::world::MODEL;

pub(crate) const ARENA: Address = Address::repeat_byte(0xaa);
const HUMAN: Address = Address::repeat_byte(0x22);
const CHAIN: u64 = 31337;

pub(crate) struct Chain {
    pub(crate) url: String,
    state: Arc<Mutex<State>>,
    server: JoinHandle<()>,
}

struct Block {
    hash: B256,
    logs: Vec<Value>,
}

struct State {
    host: Address,
    blocks: Vec<Block>,
    /// Half-moves of each game; game 1 comes first.
    plies: Vec<u64>,
    /// Height and receipt by transaction.
    mined: HashMap<B256, Value>,
    nonce: u64,
    answers: Vec<(u64, u64)>,
    refused: u64,
    /// How often a node was asked what.
    asked: HashMap<String, u64>,
}

impl Drop for Chain {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Chain {
    pub(crate) async fn start(host: Address) -> Self {
        let mut state = State {
            host,
            blocks: Vec::new(),
            plies: Vec::new(),
            mined: HashMap::new(),
            nonce: 0,
            answers: Vec::new(),
            refused: 0,
            asked: HashMap::new(),
        };
        state.block(Vec::new());
        let state = Arc::new(Mutex::new(state));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("address"));
        let router = Router::new().route("/", post(asked)).with_state(state.clone());
        let server = tokio::spawn(async move { axum::serve(listener, router).await.expect("the node") });
        Self { url, state, server }
    }

    /// So many games of so many half-moves each come at once, the human's and the NPC's in turn, in blocks of 500 events.
    /// In all of them it is the NPC's turn then. Gives the number of events.
    pub(crate) fn burst(&self, games: u64, plies: u64) -> usize {
        assert_eq!(plies % 2, 1, "the human begins, and the NPC is to move");
        let mut state = self.state.lock().expect("state");
        let mut events = Vec::new();
        for game in 1..=games {
            events.push(created(game));
        }
        for ply in 0..plies {
            events.extend((1..=games).map(|game| moved(game, ply)));
        }
        state.plies.extend((0..games).map(|_| plies));
        let count = events.len();
        for chunk in events.chunks(500) {
            state.block(chunk.to_vec());
        }
        count
    }

    /// Blocks without anything in them.
    pub(crate) fn mine(&self, blocks: usize) {
        let mut state = self.state.lock().expect("state");
        (0..blocks).for_each(|_| state.block(Vec::new()));
    }

    /// How often the node was asked this.
    pub(crate) fn asked(&self, method: &str) -> u64 {
        self.state.lock().expect("state").asked.get(method).copied().unwrap_or_default()
    }

    /// The answers that were taken, by game and ply, and how many transactions were refused.
    pub(crate) fn answers(&self) -> (Vec<(u64, u64)>, u64) {
        let state = self.state.lock().expect("state");
        (state.answers.clone(), state.refused)
    }
}

// What nobody reads in an event is 0.

fn created(game: u64) -> LogData {
    let zero = U256::ZERO;
    let event = ChessArena::GameCreated {
        gameId: U256::from(game),
        offerId: zero,
        human: HUMAN,
        verifier: Address::ZERO,
        modelId: B256::ZERO,
        humanIsWhite: true,
        board: zero,
        state: zero,
        deadline: zero,
    };
    event.encode_log_data()
}

fn moved(game: u64, ply: u64) -> LogData {
    let (id, at, zero) = (U256::from(game), U256::from(ply), U256::ZERO);
    if ply.is_multiple_of(2) {
        let event =
            ChessArena::HumanMoved { gameId: id, ply: at, r#move: zero, board: zero, state: zero, deadline: zero };
        return event.encode_log_data();
    }
    let event =
        ChessArena::NpcMoved { gameId: id, ply: at, r#move: zero, rank: zero, index: zero, board: zero, state: zero };
    event.encode_log_data()
}

fn hex(number: u64) -> Value {
    json!(format!("{number:#x}"))
}

async fn asked(Shared(state): Shared<Arc<Mutex<State>>>, Json(request): Json<Value>) -> Json<Value> {
    let mut state = state.lock().expect("state");
    Json(match request {
        Value::Array(requests) => requests.iter().map(|request| state.answer(request)).collect(),
        request => state.answer(&request),
    })
}

impl State {
    fn block(&mut self, events: Vec<LogData>) {
        let number = self.blocks.len() as u64;
        let hash = keccak256(number.to_be_bytes());
        let logs = events.into_iter().enumerate().map(|(at, event)| {
            let tx = keccak256([number.to_be_bytes(), (at as u64).to_be_bytes()].concat());
            log(number, hash, tx, at as u64, &event)
        });
        let logs = logs.collect();
        self.blocks.push(Block { hash, logs });
    }

    fn head(&self) -> u64 {
        self.blocks.len() as u64 - 1
    }

    fn answer(&mut self, request: &Value) -> Value {
        let (id, params) = (&request["id"], &request["params"]);
        let method = request["method"].as_str().unwrap_or_default();
        *self.asked.entry(method.to_owned()).or_default() += 1;
        match self.result(method, params) {
            Ok(result) => json!({ "jsonrpc": "2.0", "id": id, "result": result }),
            Err(message) => json!({ "jsonrpc": "2.0", "id": id, "error": { "code": -32000, "message": message } }),
        }
    }

    fn number(&self, tag: &Value) -> u64 {
        let text = tag.as_str().unwrap_or("latest");
        text.strip_prefix("0x").and_then(|digits| u64::from_str_radix(digits, 16).ok()).unwrap_or(self.head())
    }

    fn result(&mut self, method: &str, params: &Value) -> Result<Value, String> {
        Ok(match method {
            "eth_chainId" => hex(CHAIN),
            "eth_blockNumber" => hex(self.head()),
            "eth_getBlockByNumber" => self.header(self.number(&params[0])),
            "eth_getLogs" => self.logs(&params[0]),
            "eth_getTransactionReceipt" => {
                let hash: Option<B256> = params[0].as_str().and_then(|hash| hash.parse().ok());
                hash.and_then(|hash| self.mined.get(&hash)).cloned().into()
            }
            "eth_getTransactionCount" => hex(self.nonce),
            "eth_getBalance" => json!("0xffffffffffffffffffffffff"),
            "eth_getCode" => json!("0xfe"),
            "eth_gasPrice" | "eth_maxPriorityFeePerGas" => hex(1_000_000_000),
            "eth_estimateGas" => hex(600_000),
            "eth_call" => json!(self.call(&params[0])?),
            "eth_sendRawTransaction" => json!(self.send(params[0].as_str().unwrap_or_default())?),
            other => return Err(format!("the method {other} does not exist/is not available")),
        })
    }

    fn header(&self, number: u64) -> Value {
        let Some(block) = self.blocks.get(number as usize) else { return Value::Null };
        let parent = number.checked_sub(1).map_or(B256::ZERO, |below| self.blocks[below as usize].hash);
        let zero = B256::ZERO;
        json!({
            "hash": block.hash, "parentHash": parent, "number": hex(number), "timestamp": hex(1_700_000_000 + number),
            "baseFeePerGas": hex(1_000_000_000), "sha3Uncles": zero, "miner": Address::ZERO, "stateRoot": zero,
            "transactionsRoot": zero, "receiptsRoot": zero, "logsBloom": format!("0x{}", "00".repeat(256)),
            "difficulty": "0x0", "gasLimit": "0x1c9c380", "gasUsed": "0x0", "extraData": "0x", "mixHash": zero,
            "nonce": "0x0000000000000000", "size": "0x220", "uncles": [], "transactions": [],
        })
    }

    fn logs(&self, filter: &Value) -> Value {
        let blocks: &[Block] = match filter["blockHash"].as_str() {
            Some(hash) => {
                let hash: B256 = hash.parse().unwrap_or_default();
                let at = self.blocks.iter().rposition(|block| block.hash == hash);
                at.map_or(&[], |at| &self.blocks[at..=at])
            }
            None => {
                let (first, last) =
                    (self.number(&filter["fromBlock"]), self.number(&filter["toBlock"]).min(self.head()));
                self.blocks.get(first as usize..=last as usize).unwrap_or_default()
            }
        };
        blocks.iter().flat_map(|block| block.logs.clone()).collect()
    }

    fn call(&self, request: &Value) -> Result<Bytes, String> {
        let data = request.get("input").or_else(|| request.get("data")).and_then(Value::as_str).unwrap_or("0x");
        let data: Bytes = data.parse().map_err(|_| "malformed data".to_owned())?;
        if let Ok(call) = ChessArena::gameCall::abi_decode(&data) {
            return Ok(self.view(call.gameId.saturating_to()).abi_encode().into());
        }
        if let Ok(call) = ChessArena::instancesCall::abi_decode(&data) {
            let word = keccak256(call.gameId.to_be_bytes::<32>());
            let mut words = [U256::ZERO; 7];
            words[0] = U256::from_be_slice(&word[..16]);
            words[1] = U256::from_be_slice(&word[16..]);
            return Ok(words.abi_encode().into());
        }
        if let Ok(call) = ChessArena::playNpcCall::abi_decode(&data) {
            self.is_asked(&call)?;
            return Ok(Bytes::new());
        }
        Ok(U256::from(self.plies.len()).abi_encode().into())
    }

    fn is_asked(&self, call: &ChessArena::playNpcCall) -> Result<(), String> {
        let (game, ply): (u64, u64) = (call.gameId.saturating_to(), call.ply.saturating_to());
        let asked = game.checked_sub(1).and_then(|at| self.plies.get(at as usize)) == Some(&ply);
        if asked && ply % 2 == 1 { Ok(()) } else { Err("execution reverted: WrongPly".into()) }
    }

    fn view(&self, game: u64) -> GameView {
        let ply = game.checked_sub(1).and_then(|at| self.plies.get(at as usize)).copied().unwrap_or_default();
        // The first position stands for every one.
        let packed = chess::pack(&Chess::default());
        let squares = packed.squares.iter().enumerate();
        let board = squares.fold(U256::ZERO, |board, (at, piece)| board | U256::from(*piece) << (4 * at));
        GameView {
            human: HUMAN,
            host: self.host,
            verifier: Address::repeat_byte(0xee),
            modelId: MODEL.into(),
            offerId: U256::ZERO,
            stake: U256::ZERO,
            moveTime: U256::from(86_400),
            deadline: U256::from(u64::MAX),
            ply: U256::from(ply),
            humanIsWhite: true,
            humanToMove: ply.is_multiple_of(2),
            outcome: 0,
            reason: 0,
            board,
            state: U256::from(15),
            history: B256::ZERO,
        }
    }

    /// In a block at once, as long as the nonces come in order.
    fn send(&mut self, raw: &str) -> Result<B256, String> {
        let raw: Bytes = raw.parse().map_err(|_| "malformed transaction".to_owned())?;
        let envelope = TxEnvelope::decode_2718_exact(&raw).map_err(|e| format!("rlp: {e}"))?;
        let hash = *envelope.tx_hash();
        if self.mined.contains_key(&hash) {
            return Err("already known".into());
        }
        if envelope.nonce() != self.nonce {
            return Err(format!("nonce too low: next nonce {}, tx nonce {}", self.nonce, envelope.nonce()));
        }
        self.nonce += 1;
        let call = ChessArena::playNpcCall::abi_decode(envelope.input()).ok();
        let taken = call.filter(|call| envelope.to() == Some(ARENA) && self.is_asked(call).is_ok());
        match &taken {
            Some(call) => {
                let (game, ply): (u64, u64) = (call.gameId.saturating_to(), call.ply.saturating_to());
                self.plies[game as usize - 1] += 1;
                self.answers.push((game, ply));
                let number = self.blocks.len() as u64;
                let block = keccak256(number.to_be_bytes());
                let logs = vec![log(number, block, hash, 0, &moved(game, ply))];
                self.blocks.push(Block { hash: block, logs });
            }
            None => {
                self.refused += 1;
                self.block(Vec::new());
            }
        }
        let (number, block) = (self.head(), &self.blocks[self.blocks.len() - 1]);
        let receipt = json!({
            "transactionHash": hash, "transactionIndex": "0x0", "blockHash": block.hash, "blockNumber": hex(number),
            "from": self.host, "to": ARENA, "gasUsed": hex(600_000), "cumulativeGasUsed": hex(600_000),
            "contractAddress": null, "logs": block.logs, "logsBloom": format!("0x{}", "00".repeat(256)),
            "status": hex(u64::from(taken.is_some())), "type": "0x2", "effectiveGasPrice": hex(1_000_000_000),
        });
        self.mined.insert(hash, receipt);
        Ok(hash)
    }
}

fn log(number: u64, block: B256, tx: B256, at: u64, event: &LogData) -> Value {
    json!({
        "address": ARENA, "topics": event.topics(), "data": event.data, "blockNumber": hex(number), "blockHash": block,
        "transactionHash": tx, "transactionIndex": hex(at), "logIndex": hex(at), "removed": false,
    })
}
