//! A thousand open games and ten thousand events at once, with proofs that were made before: what the daemon itself takes.
//!
//! `make load` runs it at that size and says how long things took; here only what was counted decides, and memory.

mod chain;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use tokio::sync::watch;
use zugzwang::{
    apps::{self, Ground},
    chain::{Client, Key, types::B256},
    config::{Config, RawConfig},
    prover::{Facts, Models, Phase, Pool, Proof, Prove, ProveError},
    service::{Notice, Service},
    store::{State, Store},
};
use zugzwang_circuits::graph::Tensor;

use self::chain::{ARENA, Chain};
use crate::{dice::number, world::MODEL};

/// Half-moves of each game before the burst: with its creation ten events a game.
const PLIES: u64 = 9;
/// By how much the process may grow, the chain in it included, in MiB.
const MOST_GROWTH: u64 = 200;

/// Gives the same proof again and again, bound to the request.
#[derive(Debug)]
struct Stored;

impl Prove for Stored {
    fn prove(&self, _: &Tensor, request: [u8; 32], _: &dyn Fn(Phase)) -> Result<Proof, ProveError> {
        let mut instances = vec![[0u8; 32]; 7];
        instances[0][16..].copy_from_slice(&request[..16]);
        instances[1][16..].copy_from_slice(&request[16..]);
        // As many bytes as chess-m's proofs have.
        Ok(Proof { bytes: vec![7; 2528], instances, ranking: vec![0; 16] })
    }

    fn verify(&self, _: &Proof) -> bool {
        true
    }

    fn model_id(&self) -> [u8; 32] {
        MODEL
    }

    fn solidity(&self) -> Result<String, ProveError> {
        Err(ProveError::Verifier("a stored proof has none".into()))
    }

    fn facts(&self) -> Facts {
        Facts::default()
    }

    fn example(&self, _: u64) -> Tensor {
        Tensor::default()
    }
}

/// Memory of this process now, in MiB, as the kernel says.
pub(crate) fn memory_mib(of: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{of}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0) / 1024
}

/// The 99th of a hundred.
fn at_99_percent(mut all: Vec<Duration>) -> Duration {
    all.sort_unstable();
    all.get(all.len() * 99 / 100).copied().unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_burst_of_events_loses_none_and_memory_stays_bounded() {
    let games = number("ZUGZWANG_LOAD", 60);
    let dir = tempfile::tempdir().expect("folder");
    let key = Key::from_bytes(B256::repeat_byte(0x11)).expect("key");
    let chain = Chain::start(key.address()).await;
    let mut raw = RawConfig::default();
    raw.chess.arena = ARENA.to_string();
    raw.chain.rpc = chain.url.clone().into();
    raw.chain.confirmations = 1;
    raw.chain.finality = 12;
    raw.chain.poll_ms = 20;
    raw.submit.max_fee_gwei = 1000.0;
    raw.prover.slots = 2;
    raw.store.path = dir.path().join("load.db").display().to_string();
    let config = Config::from_raw(raw).expect("config");
    let store = Store::open(&config.store).await.expect("store");
    let client = Client::connect(&chain.url, Duration::from_secs(10)).await.expect("client");
    let models = Models::of([Arc::new(Stored) as Arc<dyn Prove>]);
    let ground = Ground {
        client,
        signer: key.address(),
        signers: BTreeMap::new(),
        models: models.clone(),
        store: store.clone(),
    };
    let apps = apps::open(&config, &ground).await.expect("apps");
    let client = ground.client.clone();
    // It holds the store.
    drop(ground);

    let times: Arc<Mutex<Vec<(&'static str, Instant)>>> = Arc::default();
    let heard = times.clone();
    let observer = Arc::new(move |notice: &Notice| {
        let what = match notice {
            Notice::Asked { .. } => "asked",
            Notice::Signed { .. } => "signed",
            Notice::Mined { .. } => "mined",
            Notice::Trouble { what, .. } => panic!("{what}"),
            _ => return,
        };
        heard.lock().expect("times").push((what, Instant::now()));
    });
    let before = memory_mib("self");
    let events = chain.burst(games, PLIES);
    chain.mine(1);
    let begun = Instant::now();
    let workshop = Arc::new(Pool::new(&config.prover, &models).expect("memory"));
    let service = Service::start(config.clone(), client, key, apps, store, workshop, observer).await.expect("service");
    let (stop, stopped) = watch::channel(false);
    let daemon = tokio::spawn(service.run(stopped));
    let mut most = before;
    loop {
        tokio::time::sleep(Duration::from_millis(100)).await;
        most = most.max(memory_mib("self"));
        assert!(!daemon.is_finished(), "the daemon has ended");
        assert!(begun.elapsed() < Duration::from_secs(1800), "{} answers in half an hour", chain.answers().0.len());
        let mined = times.lock().expect("times").iter().filter(|(what, _)| *what == "mined").count();
        if mined as u64 == games {
            break;
        }
    }
    let took = begun.elapsed();
    chain.mine(14);
    tokio::time::sleep(Duration::from_secs(1)).await;
    stop.send(true).expect("it runs");
    daemon.await.expect("no panic").expect("clean stop");

    let (mut answers, refused) = chain.answers();
    answers.sort_unstable();
    assert_eq!(answers, (1..=games).map(|game| (game, PLIES)).collect::<Vec<_>>(), "each open game, once");
    assert_eq!(refused, 0, "transactions that the arena refuses");
    let store = Store::open(&config.store).await.expect("store");
    let jobs = store.jobs().await.expect("jobs");
    // Each human move asked; all but the last one had their answers already.
    assert_eq!(jobs.len() as u64, games * PLIES.div_ceil(2), "questions that were seen");
    for job in jobs {
        let is_last = job.key.round == PLIES;
        assert_eq!(job.state, if is_last { State::Final } else { State::Moot }, "{:?}", job.key);
    }

    // Once when it is mined and once when it is final, and a few times in between: not at every turn until then.
    let receipts = chain.asked("eth_getTransactionReceipt");
    assert!(receipts <= 5 * games, "{receipts} requests for receipts of {games} transactions");

    let times = times.lock().expect("times");
    let of = |what: &str| -> Vec<Instant> { times.iter().filter(|(w, _)| *w == what).map(|(_, at)| *at).collect() };
    let seen = of("asked").last().map_or(took, |last| last.duration_since(begun));
    let answers: Vec<Duration> = of("signed").windows(2).map(|pair| pair[1].duration_since(pair[0])).collect();
    let growth = most.saturating_sub(before);
    println!(
        "| load | {games} open games, {events} events at once: {events} taken in within {:.1} s ({:.2} ms each); {games} answers, each once, \
         {:.1} ms each, 99 % within {:.1} ms; {before} MiB before, {growth} MiB more at most |",
        seen.as_secs_f64(),
        seen.as_secs_f64() * 1000.0 / events as f64,
        (took - seen).as_secs_f64() * 1000.0 / games as f64,
        at_99_percent(answers).as_secs_f64() * 1000.0,
    );
    assert!(growth < MOST_GROWTH, "{growth} MiB");
}
