//! Games as they go on.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use super::{PATIENCE, Site};

/// Somebody who follows a game.
struct Follower {
    response: reqwest::Response,
    text: String,
}

impl Follower {
    async fn of(site: &Site, path: &str) -> Self {
        let url = format!("http://{}/api/v1/{path}", site.served.address);
        let response = site.http.request(Method::GET, url).send().await.expect("an answer");
        assert_eq!(
            (response.status().as_u16(), response.headers()["content-type"].to_str().ok()),
            (200, Some("text/event-stream"))
        );
        Self { response, text: String::new() }
    }

    /// The next event, with its name.
    async fn next(&mut self) -> (String, Value) {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let (event, rest) = (event.to_owned(), rest.to_owned());
                self.text = rest;
                let line = |name: &str| event.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned);
                if let (Some(name), Some(data)) = (line("event: "), line("data: ")) {
                    return (name, serde_json::from_str(&data).expect("JSON"));
                }
                continue;
            }
            let chunk = tokio::time::timeout(PATIENCE, self.response.chunk()).await.expect("an event in time");
            self.text += std::str::from_utf8(&chunk.expect("no error").expect("no end")).expect("UTF-8");
        }
    }

    /// The game once it has so many half-moves, and the phases of the NPC's answers that were told until then.
    async fn until(&mut self, ply: u64) -> (Value, Vec<String>) {
        let mut phases = Vec::new();
        loop {
            match self.next().await {
                (name, game) if name == "game" => {
                    if game["ply"].as_u64().is_some_and(|at| at >= ply) {
                        return (game, phases);
                    }
                }
                (name, progress) if name == "progress" => {
                    phases.push(progress["phase"].as_str().expect("phase").to_owned());
                }
                other => panic!("{other:?}"),
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn all_followers_see_every_move_whenever_they_come() {
    let site = Site::new().await;
    let game = site.world.new_game(true).await;
    site.world.until("the game is there", async || site.get("chains/31337/games/1").await.status == 200).await;
    let path = "chains/31337/games/1/stream";
    let (mut one, mut two) = (Follower::of(&site, path).await, Follower::of(&site, path).await);
    let (start, _) = one.until(0).await;
    assert_eq!((&start["moves"], &start["npc"]), (&json!([]), &Value::Null));
    let mut phases = Vec::new();
    for round in 0..2 {
        site.world.human_moves(game, 3).await;
        site.world.reaches(game, 2 * round + 2).await;
        let (first, told) = one.until(2 * round + 2).await;
        let (second, _) = two.until(2 * round + 2).await;
        assert_eq!(first["moves"], second["moves"]);
        assert_eq!(first["moves"].as_array().map(Vec::len), Some(2 * round as usize + 2));
        phases.extend(told);
    }
    // Nothing is lost on somebody who comes late.
    let mut late = Follower::of(&site, path).await;
    let (shown, _) = late.until(4).await;
    assert_eq!(shown["moves"], site.chain("games/1").await["moves"]);
    assert!(!phases.is_empty(), "no step of an answer was told");
    // One who leaves changes nothing for the others, and the last one ends the stream.
    drop(two);
    site.world.human_moves(game, 3).await;
    site.world.reaches(game, 6).await;
    one.until(6).await;
    late.until(6).await;
    assert_eq!(site.served.streams(), 1, "one look for all of them");
    drop((one, late));
    site.world.until("nobody looks any more", async || site.served.streams() == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operators_events_come_with_the_token() {
    let site = Site::new().await;
    let url = format!("http://{}/api/v1/operator/events", site.served.address);
    let response = site.http.get(url).bearer_auth(&site.served.token).send().await.expect("an answer");
    let mut follower = Follower { response, text: String::new() };
    let game = site.world.new_game(true).await;
    site.world.human_moves(game, 1).await;
    let mut kinds: Vec<String> = Vec::new();
    let told = async {
        while !kinds.iter().any(|kind| kind == "answered") {
            let chunk = follower.response.chunk().await.expect("no error").expect("no end");
            follower.text += &String::from_utf8_lossy(&chunk);
            let lines: Vec<String> = follower.text.lines().map(str::to_owned).collect();
            let events =
                lines.iter().filter_map(|line| serde_json::from_str::<Value>(line.strip_prefix("data: ")?).ok());
            kinds = events.filter_map(|event| Some(event["event"].as_str()?.to_owned())).collect();
        }
    };
    tokio::time::timeout(PATIENCE.max(Duration::from_secs(60)), told).await.expect("the answer is told");
    for kind in ["following", "asked", "proved", "signed", "answered"] {
        assert!(kinds.iter().any(|told| told == kind), "{kind} in {kinds:?}");
    }
}
