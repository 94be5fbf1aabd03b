//! The binaries as an operator runs them: a chain, a daemon, a NATS server, a worker.

use shakmaty::{Chess, Position};
use zugzwang::{
    apps::chess::{self, arena::Arena},
    chain::{
        Client, Key, Wallet,
        types::{Address, U256, random},
    },
    demo::anvil::Anvil,
};

use super::*;
use crate::{
    process::{json, run},
    world::prices,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_that_is_killed_while_its_worker_proves_answers_once() {
    let nats = Server::nats();
    let dir = tempfile::tempdir().expect("folder");
    let chain = Anvil::start(None, &[]).await.expect("anvil");
    let client = Client::connect(&chain.url, Duration::from_secs(10)).await.expect("client");
    let path = |name: &str| dir.path().join(name).display().to_string();
    zugzwang::files::new_secret(&dir.path().join("password"), "correct horse\n").expect("write");
    let config = dir.path().join("zugzwang.toml");
    let write = |more: &str| {
        let text = format!(
            "[model]\ndir = \"models/chess-s\"\ncache = \"{}\"\n[key]\nkeystore = \"{}\"\npassword_file = \"{}\"\n[store]\npath = \"{}\"\n[chain]\nrpc = \"{}\"\nconfirmations = 0\nfinality = 2\npoll_ms = 50\n{more}",
            cache().display(),
            path("key.json"),
            path("password"),
            path("z.db"),
            chain.url
        );
        std::fs::write(&config, text).expect("write");
    };
    write("");
    let npc: Address = json(&config, &["key", "new"])["address"].as_str().expect("address").parse().expect("address");
    let human = Wallet::new(client.clone(), Key::from_bytes(random()).expect("key"), prices());
    for account in [npc, human.address()] {
        client.raw("anvil_setBalance", serde_json::json!([account, U256::from(u128::MAX)])).await.expect("balance");
    }
    let deployed = json(&config, &["deploy"]);
    let arena: Address = deployed["arena"].as_str().expect("arena").parse().expect("address");
    let offer: U256 = deployed["offer"].as_str().expect("offer").parse().expect("number");
    write(&format!(
        "[chess]\narena = \"{arena}\"\n[fleet]\nurl = [\"{}\"]\nfallback = \"wait\"\nack_wait_s = {ACK_WAIT}\n",
        nats.url
    ));
    let before = client.nonce(npc).await.expect("nonce");
    let (game, _) = human.create_game(arena, offer, true, U256::ZERO).await.expect("game");
    human.play_human(arena, game, 0, chess::word(Chess::default().legal_moves()[0])).await.expect("move");

    let worker = Process::start(&nats.url);
    let mut daemon = run(&config);
    worker.says("proving").await;
    daemon.kill().expect("killed");
    daemon.wait().expect("killed");
    worker.says("proved ").await;
    let answered = worker.count("proved ");
    worker.signal("-TERM");
    worker.says("stopped").await;

    // No worker is there any more: what the daemon answers with was proven while it was away.
    let mut daemon = run(&config);
    let arena = Arena::open(client.clone(), arena).await.expect("arena");
    until("the answer is on the chain", async || arena.game(game, None).await.is_ok_and(|game| game.ply == 2)).await;
    daemon.kill().expect("killed");
    daemon.wait().expect("killed");
    assert_eq!(client.nonce(npc).await.expect("nonce"), before + 1, "one transaction");
    assert_eq!(answered, 1, "one proof");
}
