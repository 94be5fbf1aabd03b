//! A daemon whose store is in trouble: it goes on when the trouble is over, and answers once.

use std::{sync::Arc, time::Duration};

use zugzwang::{
    config::StoreConfig,
    store::{Answer, JobKey, Place, State, Store},
};

use crate::{
    servers::Server,
    world::{StandIn, World},
};

/// A game with a PostgreSQL that is restarted, and killed, again and again.
#[tokio::test(flavor = "multi_thread")]
async fn postgres_is_restarted_while_a_game_is_played() {
    let mut server = Server::postgres();
    let url = server.database().await;
    let mut world = World::new().await;
    world.config.store = StoreConfig { place: Place::parse(&url).expect("an address"), ..world.config.store.clone() };
    let prover = Arc::new(StandIn { delay: Duration::from_millis(150), ..StandIn::default() });
    let daemon = world.start(prover).await;
    let game = world.new_game(true).await;
    for round in 0..4u64 {
        world.human_moves(game, round as usize).await;
        match round {
            0 => server.tell("restart"),
            // While a proof is being made, and while there is nowhere to store it.
            1 => {
                tokio::time::sleep(Duration::from_millis(100)).await;
                server.tell("kill");
                tokio::time::sleep(Duration::from_millis(500)).await;
                server.tell("start");
            }
            2 => {
                server.tell("kill");
                server.tell("start");
            }
            _ => {}
        }
        world.reaches(game, 2 * round + 2).await;
    }
    world.mine(4).await;
    let store = Store::open_to_read(&world.config.store).await.expect("to read");
    world
        .until("all answers are final", async || {
            store.jobs().await.expect("jobs").iter().all(|job| job.state == State::Final)
        })
        .await;
    daemon.stop().await.expect("clean stop");
    assert_eq!(world.answers().await, (0..4).map(|i| (game, 2 * i + 1)).collect::<Vec<_>>());
    // Verifier, arena and offer, then one transaction for each answer.
    assert_eq!(world.client.nonce(world.npc.address()).await.expect("nonce"), 3 + 4);
    let health = store.check().await.expect("check");
    assert!(health.is_good(), "{health:?}");
}

/// A job that is proved by its state and has no proof is proven again, and blocks nothing.
#[tokio::test(flavor = "multi_thread")]
async fn succeeded_without_a_proof_wedges_nothing_op_succinct_728() {
    let world = World::new().await;
    let game = world.new_game(true).await;
    world.human_moves(game, 0).await;
    let store = Store::open(&world.config.store).await.expect("store");
    let chain_id = world.config.chain.chain_id;
    let genesis = world.client.known_block(0).await.expect("genesis").block.hash;
    store.claim_chain(chain_id, genesis).await.expect("chain");
    let key = JobKey { chain_id, contract: world.arena.address(), subject: game, round: 1 };
    let mut write = store.write().await.expect("write");
    write.ask(&key, world.client.head().await.expect("head").block).await.expect("ask");
    let job = write.job(&key).await.expect("query").expect("job").id;
    write.set_proved(job, &Answer { outputs: vec![], proof: vec![] }, 1).await.expect("proved");
    write.commit().await.expect("commit");
    store.close().await;
    drop(store);
    let daemon = world.start(Arc::default()).await;
    world.reaches(game, 2).await;
    daemon.stop().await.expect("clean stop");
    assert_eq!(world.answers().await, [(game, 1)]);
}
