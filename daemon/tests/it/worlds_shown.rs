//! What everybody is shown of the World's games, with real proofs: lists, votes, moves, proofs, a stream.

use std::time::Duration;

use serde_json::{Value, json};
use shakmaty::Chess;
use zugzwang::chain::types::{Bytes, U256};

use crate::{
    stage::Served,
    worlds::{POT, Square, WINDOW, move_of},
};

/// How long anything is waited for; a limit against hanging, not a measurement.
const PATIENCE: Duration = Duration::from_secs(120);

/// Asks for what is below the chain's path: the status, and the JSON.
async fn get(served: &Served, path: &str) -> (u16, Value) {
    let url = format!("http://{}/api/v1/chains/31337/{path}", served.address);
    let client = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build().expect("client");
    let response = client.get(url).send().await.expect("an answer");
    let status = response.status().as_u16();
    (status, serde_json::from_str(&response.text().await.expect("text")).expect("JSON"))
}

/// Somebody who follows a game.
struct Follower {
    response: reqwest::Response,
    text: String,
}

impl Follower {
    async fn of(served: &Served, game: &str) -> Self {
        let url = format!("http://{}/api/v1/chains/31337/worlds/{game}/stream", served.address);
        let client = reqwest::Client::builder().no_proxy().build().expect("client");
        Self { response: client.get(url).send().await.expect("an answer"), text: String::new() }
    }

    /// The game once it is as wanted, and the phases of the NPC's answer that were told until then.
    async fn until(&mut self, wanted: impl Fn(&Value) -> bool) -> (Value, Vec<String>) {
        let mut phases = Vec::new();
        loop {
            while let Some((event, rest)) = self.text.split_once("\n\n") {
                let (event, rest) = (event.to_owned(), rest.to_owned());
                self.text = rest;
                let line = |name: &str| event.lines().find_map(|line| line.strip_prefix(name));
                let (Some(name), Some(data)) = (line("event: "), line("data: ")) else { continue };
                let data: Value = serde_json::from_str(data).expect("JSON");
                match name {
                    "world" if wanted(&data) => return (data, phases),
                    "world" => {}
                    "progress" => phases.push(data["phase"].as_str().expect("a phase").to_owned()),
                    other => panic!("{other}: {data}"),
                }
            }
            let chunk = tokio::time::timeout(PATIENCE, self.response.chunk()).await.expect("an event in time");
            self.text += std::str::from_utf8(&chunk.expect("no error").expect("no end")).expect("UTF-8");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn votes_moves_and_proofs_are_shown_and_followed() {
    let mut square = Square::new().await;
    square.stage.config.http.listen = Some("127.0.0.1:0".parse().expect("address"));
    square.stage.config.web.public = true;
    let (daemon, served) = square.stage.serve_with(&square.models).await;
    let game = square.open(true).await;
    square.stage.until("the game is there", async || get(&served, "worlds/1").await.0 == 200).await;
    let mut follower = Follower::of(&served, "1").await;
    let (start, _) = follower.until(|_| true).await;
    assert_eq!((&start["votes"], &start["moves"], &start["npc"]), (&json!([]), &json!([]), &Value::Null));
    assert_eq!(
        (&start["pot"], &start["human_is_white"], &start["human_to_move"]),
        (&json!(POT.to_string()), &json!(true), &json!(true))
    );
    let window = start["window"].clone();
    assert_eq!(window["closes"].as_u64(), window["opens"].as_u64().map(|opens| opens + WINDOW));
    assert_eq!(window["latest"].as_u64(), window["opens"].as_u64().map(|opens| opens + 2 * WINDOW));
    assert_eq!(start["last_call_s"], json!(WINDOW / 8));

    let position = Chess::default();
    let (e4, d4, nf3) = (move_of(&position, "e4"), move_of(&position, "d4"), move_of(&position, "Nf3"));
    for (voter, word, wei) in [(0, e4, 1000), (1, d4, 1500), (2, d4, 500), (3, nf3, 1000)] {
        square.vote(voter, game, 0, word, wei).await;
    }
    let (voted, _) = follower.until(|world| world["votes"].as_array().is_some_and(|votes| votes.len() == 3)).await;
    let tally = |uci: &str, weight: &str, voters: u64| json!({ "uci": uci, "weight": weight, "voters": voters });
    assert_eq!(voted["votes"][0], tally("d2d4", "2000", 2));
    assert_eq!(voted["votes"].as_array().map(Vec::len), Some(3));
    assert_eq!(voted["window"]["round"], json!(0));

    square.stage.later(WINDOW + 1).await;
    let (played, phases) = follower.until(|world| world["ply"] == json!(2)).await;
    assert!(phases.iter().any(|phase| phase == "proving"), "{phases:?}");
    let moves = &played["moves"];
    assert_eq!((&moves[0]["uci"], &moves[0]["by"], &moves[1]["by"]), (&json!("d2d4"), &json!("human"), &json!("npc")));
    assert_eq!((&played["votes"], &played["window"]["round"]), (&json!([]), &json!(2)), "{played}");
    assert_eq!((&played["rounds"], &played["in_play"]), (&json!(1), &json!("2000")));

    // Anybody can check the proof at the verifier, and that the move is the first legal one of the ranking.
    let (status, proof) = get(&served, "worlds/1/moves/1/proof").await;
    assert_eq!(status, 200, "{proof}");
    let calldata: Bytes = proof["calldata"].as_str().expect("text").parse().expect("hex");
    let said = square.stage.client.call(None, square.verifier, calldata, None).await.expect("an answer");
    assert_eq!(U256::from_be_slice(&said), U256::from(1));
    let ranking = proof["ranking"].as_array().expect("a ranking");
    let first = ranking.iter().find(|ranked| ranked["legal"] == json!(true)).expect("a legal move");
    assert_eq!((ranking.len(), &first["uci"], &first["place"]), (16, &moves[1]["uci"], &moves[1]["rank"]));
    assert_eq!(proof["submitter"], json!(square.stage.npc.address().to_string()));

    // What isn't there is said so; the World's moves have no proofs.
    for path in ["worlds/2", "worlds/0", "worlds/1/moves/0/proof", "worlds/1/moves/9/proof", "worlds/2/stream"] {
        let (status, problem) = get(&served, path).await;
        assert_eq!((status, &problem["code"]), (404, &json!("ZZ-809")), "{path}");
    }
    // A window without votes: the end is shown, and the list has it.
    square.stage.later(2 * WINDOW).await;
    let (over, _) = follower.until(|world| !world["outcome"].is_null()).await;
    assert_eq!((&over["outcome"], &over["reason"], &over["window"]), (&json!("npc"), &json!("timeout"), &Value::Null));
    square.open(false).await;
    square.stage.until("both are listed", async || get(&served, "worlds").await.1["items"][1]["id"] == "1").await;
    let (_, page) = get(&served, "worlds?limit=1").await;
    assert_eq!((&page["items"][0]["id"], page["items"].as_array().map(Vec::len)), (&json!("2"), Some(1)));
    let (_, rest) = get(&served, &format!("worlds?limit=1&cursor={}", page["next"].as_str().expect("more"))).await;
    assert_eq!((&rest["items"][0]["outcome"], &rest["next"]), (&json!("npc"), &Value::Null));
    drop(follower);
    daemon.stop().await.expect("clean stop");
}
