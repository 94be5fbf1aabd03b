//! What goes wrong outside, and that nothing is lost or done twice.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use zugzwang::{
    apps::chess::Ending,
    chain::{Client, types::U256},
    service::ServiceError,
    store::{State, StoreError},
};

use crate::world::{StandIn, World};

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_that_is_killed_again_and_again_answers_once() {
    let world = World::new().await;
    let game = world.new_game(true).await;
    let mut kills = 0u64;
    for round in 0..6u64 {
        world.human_moves(game, round as usize).await;
        // Killed at ever later moments, until it has had the time to answer.
        loop {
            let prover = Arc::new(StandIn { delay: Duration::from_millis(40), ..StandIn::default() });
            let daemon = world.start(prover).await;
            tokio::time::sleep(Duration::from_millis(5 + (kills * 17) % 160)).await;
            daemon.kill().await;
            kills += 1;
            assert!(kills < 400, "it never answers");
            if world.arena.game(game, None).await.expect("game").ply == 2 * round + 2 {
                break;
            }
        }
    }
    let daemon = world.start(Arc::default()).await;
    world.mine(4).await;
    tokio::time::sleep(Duration::from_millis(400)).await;
    daemon.stop().await.expect("clean stop");
    println!("{kills} kills");
    assert_eq!(world.answers().await, (0..6).map(|i| (game, 2 * i + 1)).collect::<Vec<_>>());
    assert!(world.jobs().await.iter().all(|job| job.state == State::Final), "{:?}", world.jobs().await);
    // Verifier, arena and offer, then one transaction for each answer: none was sent twice.
    assert_eq!(world.client.nonce(world.npc.address()).await.expect("nonce"), 3 + 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reorganisation_is_undone_and_answered_again() {
    let world = World::new().await;
    let game = world.new_game(true).await;
    let daemon = world.start(Arc::default()).await;
    world.human_moves(game, 0).await;
    world.reaches(game, 2).await;
    let snapshot = world.client.raw("evm_snapshot", serde_json::json!([])).await.expect("snapshot");
    world.human_moves(game, 0).await;
    world.reaches(game, 4).await;
    tokio::time::sleep(Duration::from_millis(200)).await;

    world.client.raw("evm_revert", serde_json::json!([snapshot])).await.expect("revert");
    assert_eq!(world.arena.game(game, None).await.expect("game").ply, 2);
    world.human_moves(game, 7).await;
    world.reaches(game, 4).await;
    world.mine(4).await;
    world.human_moves(game, 1).await;
    world.reaches(game, 6).await;
    world.mine(4).await;
    tokio::time::sleep(Duration::from_millis(400)).await;
    daemon.stop().await.expect("clean stop");
    assert_eq!(world.answers().await, [(game, 1), (game, 3), (game, 5)]);
    let jobs = world.jobs().await;
    assert!(jobs.iter().all(|job| job.state == State::Final), "{jobs:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reorganisation_that_is_too_deep_stops_the_daemon() {
    let mut world = World::new().await;
    world.config.chain.max_reorg = 3;
    let snapshot = world.client.raw("evm_snapshot", serde_json::json!([])).await.expect("snapshot");
    world.mine(8).await;
    let daemon = world.start(Arc::default()).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    world.client.raw("evm_revert", serde_json::json!([snapshot])).await.expect("revert");
    world.client.raw("evm_increaseTime", serde_json::json!([50])).await.expect("time");
    world.mine(10).await;
    let error = daemon.ended().await.expect_err("it must stop");
    assert!(error.to_string().contains("more than the 3 blocks"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proof_that_the_arena_refuses_is_reported_and_not_sent() {
    let world = World::new().await;
    let prover = Arc::new(StandIn { lies: true, ..StandIn::default() });
    let daemon = world.start(prover.clone()).await;
    let game = world.new_game(true).await;
    world.human_moves(game, 0).await;
    world
        .until("the job has failed", async || {
            daemon.ends().iter().any(|(state, why)| *state == State::Failed && why.starts_with("ProofRejected"))
        })
        .await;
    daemon.stop().await.expect("clean stop");
    assert_eq!(world.client.nonce(world.npc.address()).await.expect("nonce"), 3);
    assert_eq!(prover.made.load(Ordering::SeqCst), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_nonce_that_another_wallet_uses_is_given_up() {
    let world = World::new().await;
    let game = world.new_game(true).await;
    world.human_moves(game, 0).await;
    world.client.raw("evm_setAutomine", serde_json::json!([false])).await.expect("automine");
    let daemon = world.start(Arc::default()).await;
    tokio::time::sleep(Duration::from_millis(600)).await;
    // The node forgets ours, and another wallet with the same key uses the nonce.
    world.client.raw("anvil_dropAllTransactions", serde_json::json!([])).await.expect("drop");
    world.client.raw("evm_setAutomine", serde_json::json!([true])).await.expect("automine");
    world.npc.call("a payment", world.human.address(), Default::default(), U256::from(1)).await.expect("payment");
    world.mine(3).await;
    world.reaches(game, 2).await;
    daemon.stop().await.expect("clean stop");
    assert_eq!(world.answers().await, [(game, 1)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_surroundings_are_named_at_once() {
    let mut world = World::new().await;
    let error = Client::connect_to(&world.chain.url, 1, Duration::from_secs(5)).await.expect_err("another chain");
    assert!(error.to_string().contains("it is on chain 31337, the configuration says 1"), "{error}");
    let error = Client::connect("http://127.0.0.1:1", Duration::from_secs(5)).await.expect_err("nobody there");
    assert!(error.to_string().contains("no answer to eth_chainId"), "{error}");

    let daemon = world.start(Arc::default()).await;
    let second = world.try_start(Arc::default()).await;
    assert!(matches!(second, Err(ServiceError::Store(StoreError::InUse { .. }))));
    daemon.stop().await.expect("clean stop");

    world.config.chess.as_mut().expect("chess").arena = world.human.address();
    let error = world.try_start(Arc::default()).await.err().expect("no arena").to_string();
    assert!(error.contains("there is no contract on chain 31337"), "{error}");

    // The same store on a chain that was reset.
    let other = World::new().await;
    other.client.raw("anvil_mine", serde_json::json!([1])).await.expect("mine");
    let mut moved = World::new().await;
    moved.config.store = world.config.store.clone();
    let genesis = |world: &World| {
        let client = world.client.clone();
        async move { client.known_block(0).await.expect("genesis").block.hash }
    };
    if genesis(&moved).await != genesis(&world).await {
        let error = moved.try_start(Arc::default()).await.err().expect("another genesis").to_string();
        assert!(error.contains("the chain was reset or is another one"), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_that_is_asked_again_after_its_answer_was_withdrawn_is_answered() {
    let world = World::new().await;
    let game = world.new_game(true).await;
    let daemon = world.start(Arc::default()).await;
    let snapshot = world.client.raw("evm_snapshot", serde_json::json!([])).await.expect("snapshot");
    world.human_moves(game, 0).await;
    world.reaches(game, 2).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    // The move and its answer go, and blocks without them come: the answer is withdrawn by using up its nonce.
    world.client.raw("evm_revert", serde_json::json!([snapshot])).await.expect("revert");
    world.client.raw("anvil_dropAllTransactions", serde_json::json!([])).await.expect("drop");
    let before = world.client.nonce(world.npc.address()).await.expect("nonce");
    world.mine(4).await;
    world
        .until("the answer is withdrawn", async || {
            world.client.nonce(world.npc.address()).await.expect("nonce") > before
        })
        .await;
    // The very same question once more.
    world.human_moves(game, 0).await;
    world.reaches(game, 2).await;
    world.mine(4).await;
    tokio::time::sleep(Duration::from_millis(400)).await;
    daemon.stop().await.expect("clean stop");
    let jobs = world.jobs().await;
    assert!(jobs.len() == 1 && jobs[0].state == State::Final, "{jobs:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_end_that_is_undone_leaves_the_question_open() {
    let world = World::new().await;
    let game = world.new_game(true).await;
    let prover = Arc::new(StandIn { delay: Duration::from_millis(600), ..StandIn::default() });
    let daemon = world.start(prover).await;
    world.human_moves(game, 0).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    let snapshot = world.client.raw("evm_snapshot", serde_json::json!([])).await.expect("snapshot");
    world.human.end(world.arena.address(), game, Ending::Resign).await.expect("resigned");
    world.until("the job ends with the game", async || !daemon.ends().is_empty()).await;
    // The human hasn't resigned after all.
    world.client.raw("evm_revert", serde_json::json!([snapshot])).await.expect("revert");
    world.mine(3).await;
    world.reaches(game, 2).await;
    daemon.stop().await.expect("clean stop");
}
