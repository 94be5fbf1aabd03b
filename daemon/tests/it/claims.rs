//! Games whose human lets the clock run out: the daemon claims them, once each, and nothing else.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use zugzwang::{
    chain::types::U256,
    config::ChessConfig,
    store::{Errand, State, Store},
};

use crate::world::{Daemon, MODEL, StandIn, World, stand_in_verifier};

/// Transactions of the host before the daemon starts: verifier, arena, offer, deposit.
const SET_UP: u64 = 4;
const ON_TIME: &str = "the NPC won on time";

/// A table for a few games with money in them.
async fn world() -> World {
    let world = World::with(stand_in_verifier(), MODEL, U256::from(1000)).await;
    world.deposit(5).await;
    world
}

fn chess(world: &mut World) -> &mut ChessConfig {
    world.config.chess.as_mut().expect("chess")
}

/// Lets each side's time for a move pass.
async fn time_passes(world: &World) {
    world.client.raw("evm_increaseTime", serde_json::json!([3601])).await.expect("time");
    world.mine(1).await;
}

async fn ended(world: &World, game: U256) -> Option<String> {
    world.arena.game(game, None).await.expect("game").ended
}

async fn is_claimed(world: &World, game: U256) {
    world.until(&format!("game {game} is claimed"), async || ended(world, game).await.is_some()).await;
    assert_eq!(ended(world, game).await.as_deref(), Some(ON_TIME));
}

/// Transactions that the daemon has got into blocks.
async fn sent(world: &World) -> u64 {
    world.client.nonce(world.npc.address()).await.expect("nonce") - SET_UP
}

async fn settle(daemon: Daemon) {
    tokio::time::sleep(Duration::from_millis(300)).await;
    daemon.stop().await.expect("clean stop");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_game_that_its_human_leaves_is_claimed_once() {
    let world = world().await;
    let daemon = world.start(Arc::default()).await;
    let never_begun = world.new_game(true).await;
    let left = world.new_game(true).await;
    world.human_moves(left, 0).await;
    world.reaches(left, 2).await;
    let as_black = world.new_game(false).await;
    world.reaches(as_black, 1).await;
    time_passes(&world).await;
    for game in [never_begun, left, as_black] {
        is_claimed(&world, game).await;
    }
    // A game that goes on is left alone.
    let going_on = world.new_game(true).await;
    world.human_moves(going_on, 0).await;
    world.reaches(going_on, 2).await;
    world.mine(5).await;
    settle(daemon).await;
    assert_eq!(ended(&world, going_on).await, None);
    assert_eq!(sent(&world).await, 3 + 3, "three answers, three claims");
    // The stakes of three games won, and those of the two that were never begun.
    assert_eq!(world.credit(world.npc.address()).await, U256::from(3 * 2000 + 1000));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_that_is_killed_while_claiming_claims_once() {
    let world = world().await;
    let game = world.new_game(true).await;
    world.client.raw("evm_setAutomine", serde_json::json!([false])).await.expect("automine");
    time_passes(&world).await;
    // Killed at ever later moments; what is claimed is mined only after the last one.
    for kills in 0..12 {
        let daemon = world.start(Arc::default()).await;
        tokio::time::sleep(Duration::from_millis(5 + 25 * kills)).await;
        daemon.kill().await;
    }
    let daemon = world.start(Arc::default()).await;
    tokio::time::sleep(Duration::from_millis(400)).await;
    world.client.raw("evm_setAutomine", serde_json::json!([true])).await.expect("automine");
    world.mine(1).await;
    is_claimed(&world, game).await;
    // Long after, too, nothing more is sent.
    world.mine(4).await;
    time_passes(&world).await;
    settle(daemon).await;
    assert_eq!(sent(&world).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claim_whose_block_is_undone_is_made_again() {
    let world = world().await;
    let game = world.new_game(true).await;
    let daemon = world.start(Arc::default()).await;
    world.mine(1).await;
    let snapshot = world.client.raw("evm_snapshot", serde_json::json!([])).await.expect("snapshot");
    time_passes(&world).await;
    is_claimed(&world, game).await;
    // The daemon sees its claim in a block before that block goes.
    tokio::time::sleep(Duration::from_millis(300)).await;
    world.client.raw("evm_revert", serde_json::json!([snapshot])).await.expect("revert");
    assert_eq!(ended(&world, game).await, None);
    world.mine(3).await;
    time_passes(&world).await;
    time_passes(&world).await;
    is_claimed(&world, game).await;
    settle(daemon).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claim_is_withdrawn_if_the_human_has_moved_after_all() {
    let world = world().await;
    let game = world.new_game(true).await;
    let snapshot = world.client.raw("evm_snapshot", serde_json::json!([])).await.expect("snapshot");
    world.client.raw("evm_setAutomine", serde_json::json!([false])).await.expect("automine");
    let daemon = world.start(Arc::default()).await;
    time_passes(&world).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    // The claim was sent, but the blocks in which it is right go, and in the new ones the human moves in time.
    world.client.raw("evm_revert", serde_json::json!([snapshot])).await.expect("revert");
    world.client.raw("anvil_dropAllTransactions", serde_json::json!([])).await.expect("drop");
    world.client.raw("evm_setAutomine", serde_json::json!([true])).await.expect("automine");
    world.human_moves(game, 0).await;
    world.reaches(game, 2).await;
    settle(daemon).await;
    assert_eq!((ended(&world, game).await, sent(&world).await), (None, 2));
    let store = Store::open(&world.config.store).await.expect("store");
    let row = store.due(31337, world.arena.address(), u64::MAX).await.expect("games")[0].id;
    // What took its place is about nothing any more, so that the game can be claimed when its time has come.
    assert!(store.transactions_of(Errand::Claim(row)).await.expect("transactions").is_empty());
    let live = store.live_transactions(31337, world.npc.address()).await.expect("transactions");
    let replaced: Vec<_> = live.iter().filter(|tx| tx.errand.is_none()).collect();
    assert_eq!(replaced.len(), 1);
    assert!(replaced[0].attempts.len() == 2 && replaced[0].mined.is_some_and(|mined| mined.ok), "it was replaced");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_npcs_own_lost_time_is_not_claimed() {
    let world = world().await;
    let game = world.new_game(true).await;
    world.human_moves(game, 0).await;
    time_passes(&world).await;
    let prover = Arc::new(StandIn::default());
    let daemon = world.start(prover.clone()).await;
    world
        .until("the answer is too late", async || daemon.ends().iter().any(|(state, _)| *state == State::Forfeited))
        .await;
    time_passes(&world).await;
    settle(daemon).await;
    assert_eq!((ended(&world, game).await, sent(&world).await), (None, 0));
    assert_eq!(prover.made.load(Ordering::SeqCst), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn claims_can_be_switched_off_and_on_again() {
    let mut world = world().await;
    chess(&mut world).timeouts = false;
    let game = world.new_game(true).await;
    let daemon = world.start(Arc::default()).await;
    time_passes(&world).await;
    settle(daemon).await;
    assert_eq!((ended(&world, game).await, sent(&world).await), (None, 0));
    chess(&mut world).timeouts = true;
    let daemon = world.start(Arc::default()).await;
    is_claimed(&world, game).await;
    settle(daemon).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn other_hosts_games_are_not_claimed() {
    let mut world = world().await;
    let human = world.human.address();
    chess(&mut world).host = human;
    let game = world.new_game(true).await;
    let daemon = world.start(Arc::default()).await;
    time_passes(&world).await;
    settle(daemon).await;
    assert_eq!((ended(&world, game).await, sent(&world).await), (None, 0));
}
