//! Games as they should go.

use std::{sync::Arc, time::Duration};

use zugzwang::{
    apps::chess::Ending,
    store::{Errand, State, Store},
};

use crate::world::{StandIn, World};

#[tokio::test(flavor = "multi_thread")]
async fn every_human_move_is_answered_once() {
    let world = World::new().await;
    let daemon = world.start(Arc::default()).await;
    let (white, black) = (world.new_game(true).await, world.new_game(false).await);
    for round in 0..4u64 {
        world.human_moves(white, 3).await;
        world.reaches(white, 2 * round + 2).await;
        world.reaches(black, 2 * round + 1).await;
        world.human_moves(black, 5).await;
    }
    world.reaches(black, 9).await;
    world.mine(3).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    daemon.stop().await.expect("clean stop");
    let mut answers = world.answers().await;
    answers.sort();
    let expected: Vec<_> = (0..4).map(|i| (white, 2 * i + 1)).chain((0..5).map(|i| (black, 2 * i))).collect();
    assert_eq!(answers, expected);
    let jobs = world.jobs().await;
    assert_eq!(jobs.len(), 9);
    assert!(jobs.iter().all(|job| job.state == State::Final), "{jobs:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_game_that_ends_needs_no_answer() {
    let world = World::new().await;
    let prover = Arc::new(StandIn { delay: Duration::from_millis(600), ..StandIn::default() });
    let daemon = world.start(prover).await;
    let game = world.new_game(true).await;
    world.human_moves(game, 0).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    world.human.end(world.arena.address(), game, Ending::Resign).await.expect("resign");
    world.until("the job is moot", async || daemon.ends().iter().any(|(state, _)| *state == State::Moot)).await;
    tokio::time::sleep(Duration::from_millis(700)).await;
    daemon.stop().await.expect("clean stop");
    assert_eq!(world.answers().await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn games_that_were_there_before_the_daemon_are_played() {
    let world = World::new().await;
    let game = world.new_game(true).await;
    world.human_moves(game, 1).await;
    world.mine(200).await;
    let daemon = world.start(Arc::default()).await;
    world.reaches(game, 2).await;
    daemon.stop().await.expect("clean stop");
}

#[tokio::test(flavor = "multi_thread")]
async fn confirmations_are_waited_for() {
    let mut world = World::new().await;
    world.config.chain.confirmations = 3;
    let daemon = world.start(Arc::default()).await;
    let game = world.new_game(true).await;
    world.human_moves(game, 0).await;
    world.mine(2).await;
    tokio::time::sleep(Duration::from_millis(400)).await;
    assert_eq!(world.answers().await, []);
    world.mine(1).await;
    world.reaches(game, 2).await;
    daemon.stop().await.expect("clean stop");
}

#[tokio::test(flavor = "multi_thread")]
async fn other_peoples_games_are_left_alone() {
    let mut world = World::new().await;
    world.config.chess.as_mut().expect("chess").host = world.human.address();
    let daemon = world.start(Arc::default()).await;
    let game = world.new_game(true).await;
    world.human_moves(game, 0).await;
    world.until("the job is moot", async || daemon.ends().iter().any(|(_, why)| why.contains("hosted by"))).await;
    daemon.stop().await.expect("clean stop");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unmined_answer_is_replaced_by_one_that_pays_more() {
    let mut world = World::new().await;
    world.config.submit.bump_after = Duration::from_millis(300);
    let game = world.new_game(true).await;
    world.human_moves(game, 0).await;
    world.client.raw("evm_setAutomine", serde_json::json!([false])).await.expect("automine");
    let daemon = world.start(Arc::default()).await;
    tokio::time::sleep(Duration::from_millis(1500)).await;
    world.mine(1).await;
    world.reaches(game, 2).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    daemon.stop().await.expect("clean stop");
    let store = Store::open(&world.config.store).await.expect("store");
    let txs = store.transactions_of(Errand::Job(store.jobs().await.expect("jobs")[0].id)).await.expect("transactions");
    assert_eq!(txs.len(), 1, "one nonce");
    assert!(txs[0].attempts.len() >= 2, "{:?}", txs[0].attempts.len());
    assert!(txs[0].attempts.windows(2).all(|w| w[1].max_fee > w[0].max_fee));
    assert_eq!(world.answers().await, [(game, 1)]);
}
