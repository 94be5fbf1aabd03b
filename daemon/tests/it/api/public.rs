//! What everybody is shown.

use std::sync::Arc;

use reqwest::{Method, header};
use serde_json::{Value, json};
use zugzwang::{
    apps::chess::{self, Ending},
    chain::types::{Bytes, U256},
    prover::verifier,
};

use super::Site;
use crate::{whole::chess_s, world::World};

#[tokio::test(flavor = "multi_thread")]
async fn offers_and_games_are_shown_as_the_chain_holds_them() {
    let site = Site::new().await;
    let world = &site.world;
    let game = world.new_game(true).await;
    world.human_chooses(game, |position| chess::parse(position, "e4").expect("legal")).await;
    world.reaches(game, 2).await;

    let info = site.get("info").await.json();
    assert_eq!((&info["public"], &info["chains"][0]["chain_id"]), (&json!(true), &json!(31337)), "{info}");
    let arena = world.arena.address().to_string();
    assert_eq!(info["chains"][0]["apps"], json!([{ "kind": "chess", "contract": arena }]));
    assert!(info["chains"][0]["head"]["number"].as_u64().is_some_and(|number| number > 0), "{info}");
    assert_eq!(info["models"].as_array().map(Vec::len), Some(1), "{info}");

    let offers = site.chain("offers").await;
    let offer = &offers["items"][0];
    assert_eq!((&offer["offer_id"], &offer["stake"], &offer["running"]), (&json!("1"), &json!("0"), &json!(1)));
    assert_eq!((&offer["open"], &offer["served"], &offer["move_time_s"]), (&json!(true), &json!(true), &json!(3600)));

    let shown = site.chain("games/1").await;
    let state = world.arena.game(game, None).await.expect("game");
    assert_eq!((&shown["id"], &shown["ply"], &shown["human_to_move"]), (&json!("1"), &json!(2), &json!(true)));
    assert_eq!(shown["deadline"], json!(state.deadline));
    assert_eq!((&shown["outcome"], &shown["reason"]), (&Value::Null, &Value::Null));
    let moves = shown["moves"].as_array().expect("moves");
    assert_eq!((moves.len(), &moves[0]["uci"], &moves[0]["by"]), (2, &json!("e2e4"), &json!("human")));
    assert_eq!((&moves[1]["by"], &moves[1]["ply"]), (&json!("npc"), &json!(1)));
    assert!(moves[0]["rank"].is_null() && moves[1]["rank"].is_u64(), "{shown}");
    for played in moves {
        let block = played["block"].as_u64().expect("block");
        let time = world.client.known_block(block).await.expect("block").timestamp;
        assert_eq!(played["at"], json!(time));
    }
    let fen = shown["fen"].as_str().expect("FEN").parse::<shakmaty::fen::Fen>().expect("FEN");
    let position: shakmaty::Chess = fen.into_position(shakmaty::CastlingMode::Standard).expect("a position");
    assert_eq!(chess::pack(&position), state.board);

    world.human.end(world.arena.address(), game, Ending::Resign).await.expect("resign");
    let mut over = Value::Null;
    world
        .until("the end is shown", async || {
            over = site.chain("games/1").await;
            !over["outcome"].is_null()
        })
        .await;
    assert_eq!((&over["outcome"], &over["reason"]), (&json!("npc"), &json!("resignation")));
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_are_walked_page_by_page() {
    let site = Site::new().await;
    let mut games = Vec::new();
    for _ in 0..5 {
        games.push(site.world.new_game(true).await);
    }
    for over in [games[1], games[3]] {
        site.world.human.end(site.world.arena.address(), over, Ending::Resign).await.expect("resign");
    }
    let walk = async |state: &str, limit: usize| {
        let (mut ids, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = site.chain(&format!("games?state={state}&limit={limit}{cursor}")).await;
            let items = page["items"].as_array().expect("items");
            assert!(items.len() <= limit, "{page}");
            ids.extend(items.iter().map(|game| game["id"].as_str().expect("id").to_owned()));
            match page["next"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return ids,
            }
        }
    };
    site.world.until("all are there", async || walk("over", 200).await.len() == 2).await;
    for limit in [1, 2, 3, 200] {
        assert_eq!(walk("all", limit).await, ["5", "4", "3", "2", "1"], "{limit}");
        assert_eq!(walk("running", limit).await, ["5", "3", "1"], "{limit}");
        assert_eq!(walk("over", limit).await, ["4", "2"], "{limit}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_not_changed_is_not_sent_again() {
    let site = Site::new().await;
    site.world.new_game(true).await;
    site.world.until("the game is shown", async || site.get("chains/31337/games/1").await.status == 200).await;
    for path in ["info", "chains/31337/offers", "chains/31337/games", "chains/31337/games/1", "openapi.json"] {
        let first = site.get(path).await;
        let tag = first.header("etag").to_owned();
        assert!(!tag.is_empty() && first.status == 200, "{path}");
        let again = site.request(Method::GET, &format!("/api/v1/{path}")).header(header::IF_NONE_MATCH, &tag);
        let again = site.send(again).await;
        assert_eq!((again.status.as_u16(), again.text.as_str()), (304, ""), "{path}");
    }
    let path = "/api/v1/chains/31337/games/1";
    let tag = site.send(site.request(Method::GET, path)).await.header("etag").to_owned();
    site.world.mine(1).await;
    site.world
        .until("a new block has a new tag", async || {
            let request = site.request(Method::GET, path).header(header::IF_NONE_MATCH, &tag);
            site.send(request).await.status == 200
        })
        .await;
}

/// What a page does when it is asked to verify a move by itself.
#[tokio::test(flavor = "multi_thread")]
async fn a_moves_proof_is_what_its_verifier_accepts() {
    let (_, prover) = tokio::task::block_in_place(chess_s);
    let code = verifier::compile(prover.model_id(), &prover.solidity().expect("source")).await.expect("verifier");
    let world = World::with(code.bytecode, prover.model_id(), U256::ZERO).await;
    let site = Site::of(world, prover.clone()).await;
    let world = &site.world;
    let game = world.new_game(false).await;
    world.reaches(game, 1).await;
    world.human_chooses(game, |position| chess::parse(position, "d5").expect("legal")).await;
    world.reaches(game, 3).await;
    let mut shown = Value::Null;
    world
        .until("the answers are shown", async || {
            shown = site.chain("games/1").await;
            shown["moves"].as_array().map(Vec::len) == Some(3)
        })
        .await;
    for ply in [0, 2] {
        let proof = site.chain(&format!("games/1/moves/{ply}/proof")).await;
        let bytes = |text: &Value| text.as_str().expect("hex").parse::<Bytes>().expect("hex");
        let calldata = bytes(&proof["calldata"]);
        let verifier = proof["verifier"].as_str().expect("verifier").parse().expect("address");
        let accepts = async |data: Vec<u8>| world.client.call(None, verifier, data.into(), None).await.ok();
        let yes = accepts(calldata.to_vec()).await.expect("an answer");
        assert_eq!(U256::from_be_slice(&yes), U256::from(1), "ply {ply}");
        // Its proof and its instances are those of the call: any of them changed is refused.
        let last = proof["instances"][6].as_str().expect("word").parse::<Bytes>().expect("hex");
        assert!(calldata.ends_with(&last) && proof["instances"].as_array().map(Vec::len) == Some(7));
        let mut wrong = calldata.to_vec();
        let end = wrong.len() - 1;
        wrong[end] ^= 1;
        let no = accepts(wrong).await;
        assert!(no.is_none_or(|no| U256::from_be_slice(&no) != U256::from(1)), "ply {ply}");
        let ranking = proof["ranking"].as_array().expect("ranking");
        let first = ranking.iter().find(|ranked| ranked["legal"] == json!(true)).expect("a legal choice");
        let played = &shown["moves"][ply as usize];
        assert_eq!((ranking.len(), &first["uci"], &first["place"]), (16, &played["uci"], &played["rank"]));
        assert_eq!((&proof["submitter"], &proof["tx"]), (&json!(world.npc.address().to_string()), &played["tx"]));
        assert!(proof["gas_used"].as_u64().is_some_and(|gas| gas > 300_000), "{}", proof["gas_used"]);
    }
    // How the newest answer got on, step by step, is known.
    let mut npc = Value::Null;
    world
        .until("the answer is in a block", async || {
            npc = site.chain("games/1").await["npc"].clone();
            ["included", "final"].iter().any(|phase| npc["phase"] == json!(phase))
        })
        .await;
    let times = &npc["times"];
    let order: Vec<i64> = ["seen_ms", "inferred_ms", "proved_ms", "submitted_ms", "included_ms"]
        .iter()
        .map(|name| times[name].as_i64().unwrap_or_else(|| panic!("{name}: {npc}")))
        .collect();
    assert!(order.is_sorted(), "{npc}");
    assert_eq!((&npc["fraction"], &npc["round"]), (&json!(1.0), &json!(2)));
    let models = site.get("info").await.json()["models"].clone();
    assert!(models[0]["prove_s"].as_f64().is_some_and(|s| s > 0.0), "{models}");
    assert_eq!((&models[0]["kind"], &models[0]["elo"]), (&json!("chess"), &json!(1185)), "{models}");
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_come_with_their_policy() {
    let mut world = World::new().await;
    world.config.http.listen = Some("127.0.0.1:0".parse().expect("address"));
    world.config.web.public = true;
    world.config.web.rpc_url = Some("https://node.example/path".into());
    let site = Site::as_configured(world, Arc::new(crate::world::StandIn::default())).await;
    for page in ["/", "/world", "/markets", "/guards", "/console", "/assets/style.css"] {
        let answer = site.send(site.request(Method::GET, page)).await;
        assert_eq!(answer.status, 200, "{page}");
        let policy = answer.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self';"), "{policy}");
        assert!(policy.contains("connect-src 'self' https://node.example;"), "{policy}");
        assert!(!policy.contains("unsafe") && policy.contains("frame-ancestors 'none'"), "{policy}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        let tag = answer.header("etag").to_owned();
        let again = site.request(Method::GET, page).header(header::IF_NONE_MATCH, tag);
        assert_eq!(site.send(again).await.status, 304, "{page}");
    }
    let missing = site.send(site.request(Method::GET, "/assets/../Cargo.toml")).await;
    assert_eq!(missing.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_public_unless_it_is_said() {
    let mut world = World::new().await;
    world.config.http.listen = Some("127.0.0.1:0".parse().expect("address"));
    let site = Site::as_configured(world, Arc::new(crate::world::StandIn::default())).await;
    site.world.new_game(true).await;
    let info = site.get("info").await.json();
    assert_eq!((&info["public"], &info["chains"], &info["models"]), (&json!(false), &json!([]), &json!([])));
    for path in ["offers", "games", "games/1", "games/1/moves/1/proof", "games/1/stream"] {
        let answer = site.get(&format!("chains/31337/{path}")).await;
        assert_eq!(answer.refusal(), (404, "ZZ-808".into()), "{path}");
    }
    let start = site.send(site.request(Method::GET, "/")).await;
    assert_eq!((start.status.as_u16(), start.header("location")), (307, "/console"));
    assert_eq!(site.send(site.request(Method::GET, "/world")).await.status, 404);
    assert_eq!(site.send(site.request(Method::GET, "/console")).await.status, 200);
    assert_eq!(site.operator("status").await.status, 200, "the operator sees all");
}
