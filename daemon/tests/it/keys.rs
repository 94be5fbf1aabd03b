//! Whole daemons with several keys, limits, and calls that no app names.

use std::sync::{Arc, atomic::Ordering};

use zugzwang::{
    chain::{
        Key,
        types::{B256, U256},
    },
    config::{KeyConfig, SpendLimits},
    service::Notice,
    store::{Errand, State, Store},
};

use crate::world::{Daemon, StandIn, World};

fn troubles(daemon: &Daemon, about: &str) -> Vec<String> {
    let notices = daemon.notices.lock().expect("notices");
    let said = notices.iter().filter_map(|notice| match notice {
        Notice::Trouble { what, .. } if what.contains(about) => Some(what.clone()),
        _ => None,
    });
    said.collect()
}

/// Transactions of the host before the daemon starts: verifier, arena, offer.
const SET_UP: u64 = 3;

#[tokio::test(flavor = "multi_thread")]
async fn an_app_signs_with_the_key_that_it_names() {
    let mut world = World::new().await;
    let player = world.account(0x33).await.address();
    let host = world.npc.address();
    let arena = world.arena.address();
    world.keys = world.keys.clone().with("player", Key::from_bytes(B256::repeat_byte(0x33)).expect("key"));
    let named = KeyConfig { name: "player".into(), ..world.config.keys[0].clone() };
    world.config.keys.push(named);
    world.config.key_names.insert(arena, "player".into());
    world.config.chess.as_mut().expect("chess").host = host;
    let daemon = world.start(Arc::default()).await;
    let game = world.new_game(true).await;
    for ply in [2, 4] {
        world.human_moves(game, 0).await;
        world.reaches(game, ply).await;
    }
    daemon.stop().await.expect("clean stop");
    assert_eq!(world.answers().await, [(game, 1), (game, 3)]);
    let nonces = (world.client.nonce(player).await.expect("nonce"), world.client.nonce(host).await.expect("nonce"));
    assert_eq!(nonces, (2, SET_UP), "each key has nonces of its own");
    // Without that key, what it has signed is still looked after, and what is new is not signed with another one.
    world.config.key_names.clear();
    world.config.keys.truncate(1);
    let daemon = world.start(Arc::default()).await;
    world.mine(4).await;
    world.human_moves(game, 0).await;
    world.reaches(game, 6).await;
    daemon.stop().await.expect("clean stop");
    assert_eq!(world.client.nonce(host).await.expect("nonce"), SET_UP + 1);
    let jobs = world.jobs().await;
    assert!(jobs[..2].iter().all(|job| job.state == State::Final), "{jobs:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn over_its_limit_a_job_waits_and_the_operator_is_told_once() {
    let mut world = World::new().await;
    world.config.keys[0].limits = SpendLimits { hour: None, day: Some(U256::from(1000)) };
    let prover = Arc::new(StandIn::default());
    let daemon = world.start(prover.clone()).await;
    let game = world.new_game(true).await;
    world.human_moves(game, 0).await;
    world.until("the trouble is told", async || !troubles(&daemon, "spend_per_day_eth").is_empty()).await;
    // Many turns later it still waits, proven once, and nothing more is said.
    tokio::time::sleep(std::time::Duration::from_millis(1500)).await;
    let said = troubles(&daemon, "spend_per_day_eth");
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].contains("0 ETH of its limit of 0.000000000000001 ETH per day"), "{}", said[0]);
    daemon.stop().await.expect("clean stop");
    assert_eq!(world.client.nonce(world.npc.address()).await.expect("nonce"), SET_UP);
    let jobs = world.jobs().await;
    assert_eq!((jobs.len(), jobs[0].state), (1, State::Proved));
    let store = Store::open(&world.config.store).await.expect("store");
    assert!(store.transactions_of(Errand::Job(jobs[0].id)).await.expect("query").is_empty(), "nothing was signed");
    store.close().await;
    drop(store);
    // With a higher limit it goes on with the same proof.
    world.config.keys[0].limits = SpendLimits { hour: None, day: Some(U256::from(10u64).pow(U256::from(18))) };
    let daemon = world.start(prover.clone()).await;
    world.reaches(game, 2).await;
    daemon.stop().await.expect("clean stop");
    assert_eq!((world.answers().await, prover.made.load(Ordering::SeqCst)), (vec![(game, 1)], 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_poor_account_is_told_of_and_answers_when_it_has_money() {
    let world = World::new().await;
    let npc = world.npc.address();
    let balance = async |wei: u64| {
        world.client.raw("anvil_setBalance", serde_json::json!([npc, U256::from(wei)])).await.expect("balance");
    };
    balance(12_345).await;
    let daemon = world.start(Arc::default()).await;
    let game = world.new_game(true).await;
    world.human_moves(game, 0).await;
    world.until("the trouble is told", async || !troubles(&daemon, "send it at least").is_empty()).await;
    assert!(troubles(&daemon, "send it at least")[0].contains("has 0.000000000000012345 ETH"));
    assert!(daemon.ends().is_empty(), "the job waits");
    balance(u64::MAX).await;
    world.reaches(game, 2).await;
    daemon.stop().await.expect("clean stop");
}
