//! Events that no contract emits, as far as what they mean to each app.

use std::collections::BTreeMap;

use alloy::sol_types::SolEvent;
use serde_json::json;
use zugzwang_contracts::{BulletinBoard, ChessArena, FraudGuard, InferenceOracle, PredictionMarket};

use super::{App, Ground};
use crate::{
    chain::{
        Key,
        fuzz::client,
        types::{Address, B256, Bytes, Log, U256},
    },
    config::{Config, RawConfig, raw::RawFeed},
    feed::{Bulletin, Text},
    fuzz,
    prover::Models,
    store::Store,
};

const CONTRACTS: [Address; 5] = [
    Address::repeat_byte(0xa1),
    Address::repeat_byte(0xa2),
    Address::repeat_byte(0xa3),
    Address::repeat_byte(0xa4),
    Address::repeat_byte(0xa5),
];

fn publisher() -> Key {
    Key::from_bytes(B256::repeat_byte(7)).expect("key")
}

/// Every app that there is, over a node that answers each call with zeros.
async fn apps(folder: &std::path::Path) -> Vec<std::sync::Arc<dyn App>> {
    let mut raw = RawConfig::default();
    let [arena, oracle, guard, market, board] = CONTRACTS.map(|contract| contract.to_string());
    raw.chess.arena = arena;
    raw.oracle.contract = oracle;
    raw.oracle.models = vec!["models/football".into()];
    raw.guard.contracts = vec![guard];
    raw.guard.models = vec!["models/fraud".into()];
    raw.market.contracts = vec![market];
    raw.market.board = board;
    raw.market.models = vec!["models/weather".into()];
    raw.market.feeds = vec![RawFeed {
        publisher: publisher().address().to_string(),
        feed: B256::repeat_byte(1).to_string(),
        http: Vec::new(),
        sse: Vec::new(),
        dir: Vec::new(),
        poll_ms: 1000,
    }];
    let zeros = json!({ "jsonrpc": "2.0", "id": 1, "result": Bytes::from(vec![0; 2048]) }).to_string();
    let ground = Ground {
        client: client(zeros.as_bytes()).await,
        signer: Address::ZERO,
        signers: BTreeMap::new(),
        models: Models::default(),
        store: Store::open(&folder.join("fuzz.db")).await.expect("store"),
    };
    super::open(&Config::from_raw(raw).expect("config"), &ground).await.expect("apps")
}

/// A log's parts in bytes: how many topics, the topics, the data.
fn flat(topics: &[B256], data: &[u8]) -> Vec<u8> {
    let mut bytes = vec![topics.len() as u8];
    bytes.extend(topics.iter().flat_map(|topic| topic.as_slice()));
    bytes.extend_from_slice(data);
    bytes
}

fn log(contract: Address, bytes: &[u8]) -> Log {
    let (count, rest) = bytes.split_first().unwrap_or((&0, &[]));
    let (words, _) = rest.as_chunks::<32>();
    let topics = &words[..words.len().min(usize::from(*count % 6))];
    let data = &rest[topics.len() * 32..];
    let topics: Vec<B256> = topics.iter().map(B256::from).collect();
    serde_json::from_value(json!({
        "address": contract, "topics": topics, "data": Bytes::copy_from_slice(data), "blockNumber": "0x7",
        "blockHash": B256::ZERO, "transactionHash": B256::ZERO, "transactionIndex": "0x0", "logIndex": "0x0",
        "removed": false,
    }))
    .expect("a log")
}

/// Each event that means something, with so many topics, and words in its data that may be offsets and lengths.
fn corpus() -> Vec<Vec<u8>> {
    let names = [
        ChessArena::GameCreated::SIGNATURE_HASH,
        ChessArena::HumanMoved::SIGNATURE_HASH,
        ChessArena::NpcMoved::SIGNATURE_HASH,
        ChessArena::GameOver::SIGNATURE_HASH,
        InferenceOracle::Requested::SIGNATURE_HASH,
        InferenceOracle::Answered::SIGNATURE_HASH,
        InferenceOracle::Refunded::SIGNATURE_HASH,
        FraudGuard::Flagged::SIGNATURE_HASH,
        FraudGuard::Judged::SIGNATURE_HASH,
        PredictionMarket::MarketOpened::SIGNATURE_HASH,
        PredictionMarket::Resolved::SIGNATURE_HASH,
        PredictionMarket::Undecided::SIGNATURE_HASH,
        BulletinBoard::BulletinPosted::SIGNATURE_HASH,
    ];
    let data: Vec<u8> = [1u64, 3, 0xe0, 0x120, 0x20, 2, 0, 1, 2, 3, 4, 5, 6, 7]
        .iter()
        .flat_map(|word| U256::from(*word).to_be_bytes::<32>())
        .collect();
    let mut all = Vec::new();
    for name in names {
        for topics in 1..=4u8 {
            let words: Vec<B256> = (0..topics).map(|at| if at == 0 { name } else { U256::from(at).into() }).collect();
            all.push(flat(&words, &data));
        }
    }
    let text = Text::new(b"It rains in Ulm.").expect("text");
    let signed = Bulletin::sign(&publisher(), B256::repeat_byte(1), 3, 1_700_000_000, text).expect("signed");
    let posted = BulletinBoard::BulletinPosted {
        feedId: signed.feed_id,
        sequence: signed.sequence,
        publisher: publisher().address(),
        timestamp: signed.timestamp,
        text: signed.text.as_str().as_bytes().to_vec().into(),
        signature: signed.signature.to_vec().into(),
    };
    let posted = posted.encode_log_data();
    all.push(flat(posted.topics(), &posted.data));
    all
}

#[test]
fn events() {
    let folder = tempfile::tempdir().expect("folder");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let apps = runtime.block_on(apps(folder.path()));
    assert_eq!(apps.len(), CONTRACTS.len());
    fuzz::check("events", 600, &corpus(), |bytes| {
        let told = apps.iter().map(|app| app.read(&log(app.contract(), bytes)));
        told.filter(|told| matches!(told, Ok(Some(_)))).count() > 0
    });
}
