//! What is refused, with which status and which code.

use std::sync::Arc;

use reqwest::Method;
use serde_json::Value;

use super::Site;
use crate::world::{StandIn, World};

#[tokio::test(flavor = "multi_thread")]
async fn refusals_are_problems_with_codes() {
    let site = Site::new().await;
    let game = site.world.new_game(true).await;
    site.world.human_moves(game, 0).await;
    site.world.reaches(game, 2).await;
    site.world.until("it is shown", async || site.chain("games/1").await["ply"] == 2).await;
    let cases: [(&str, u16, &str); 19] = [
        ("nothing/here", 404, "ZZ-807"),
        ("chains/1/games", 404, "ZZ-808"),
        ("chains/31337/games/0", 404, "ZZ-809"),
        ("chains/31337/games/2", 404, "ZZ-809"),
        ("chains/31337/games/18446744073709551615", 404, "ZZ-809"),
        ("chains/31337/games/2/stream", 404, "ZZ-809"),
        ("chains/31337/games/1/moves/0/proof", 404, "ZZ-809"),
        ("chains/31337/games/1/moves/7/proof", 404, "ZZ-809"),
        ("chains/31337/games/x", 400, "ZZ-817"),
        ("chains/31337/games/-1", 400, "ZZ-817"),
        ("chains/31337/games/18446744073709551616", 400, "ZZ-817"),
        ("chains/x/games", 400, "ZZ-817"),
        ("chains/31337/games?limit=0", 400, "ZZ-817"),
        ("chains/31337/games?limit=201", 400, "ZZ-817"),
        ("chains/31337/games?limit=x", 400, "ZZ-817"),
        ("chains/31337/games?cursor=x", 400, "ZZ-817"),
        ("chains/31337/games?state=odd", 400, "ZZ-817"),
        ("chains/31337/games?colour=red", 400, "ZZ-817"),
        ("info?x=1", 400, "ZZ-817"),
    ];
    for (path, status, code) in cases {
        assert_eq!(site.get(path).await.refusal(), (status, code.to_owned()), "{path}");
    }
    let post = site.send(site.request(Method::POST, "/api/v1/info")).await;
    assert_eq!(post.refusal(), (405, "ZZ-818".to_owned()));
    let get = site.operator("jobs/1/retry").await;
    assert_eq!(get.refusal(), (405, "ZZ-818".to_owned()));
}

/// Every path of the operator's part, from the document itself: one that is added is tried, too.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_the_operators_part_is_given_without_the_token() {
    let site = Site::new().await;
    let document = site.get("openapi.json").await.json();
    let mut tried = 0;
    for (path, methods) in document["paths"].as_object().expect("paths") {
        for method in
            methods.as_object().expect("methods").keys().filter(|method| ["get", "post"].contains(&method.as_str()))
        {
            let guarded = path.starts_with("/api/v1/operator/");
            assert_eq!(methods[method].get("security").is_some(), guarded, "{path}");
            if !guarded {
                continue;
            }
            tried += 1;
            let method: Method = method.to_uppercase().parse().expect("a method");
            let path = path.replace("{id}", "1");
            for token in [None, Some(""), Some("wrong"), Some("0123456789abcdef0123456789abcdef")] {
                let mut request = site.request(method.clone(), &path);
                if let Some(token) = token {
                    request = request.bearer_auth(token);
                }
                let answer = site.send(request).await;
                assert_eq!(answer.refusal(), (401, "ZZ-802".to_owned()), "{path}");
                assert_eq!(answer.header("www-authenticate"), "Bearer");
            }
        }
    }
    assert!(tried >= 15, "only {tried} paths");
    for path in ["operator", "operator/", "operator/unknown"] {
        let answer = site.get(path).await;
        assert!([401, 404].contains(&answer.refusal().0), "{path}: {}", answer.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_asks_too_often_is_told_to_wait() {
    let mut world = World::new().await;
    world.config.http.listen = Some("127.0.0.1:0".parse().expect("address"));
    world.config.web.public = true;
    // A bucket that doesn't fill up again within the test.
    (world.config.web.limits.rate, world.config.web.limits.burst) = (0.001, 5.0);
    world.config.web.limits.streams_per_client = 1;
    let site = Site::as_configured(world, Arc::new(StandIn::default())).await;
    site.world.new_game(true).await;
    let mut first = None;
    site.world
        .until("the game is there", async || {
            // The operator's requests aren't counted.
            let request =
                site.request(Method::GET, "/api/v1/chains/31337/games/1/stream").bearer_auth(&site.served.token);
            let response = request.send().await.expect("an answer");
            let there = response.status() == 200;
            first = Some(response);
            there
        })
        .await;
    let second = site.request(Method::GET, "/api/v1/chains/31337/games/1/stream").bearer_auth(&site.served.token);
    assert_eq!(site.send(second).await.refusal(), (429, "ZZ-815".to_owned()), "one stream is all");
    drop(first);
    for _ in 0..5 {
        assert_eq!(site.get("info").await.status, 200);
    }
    let refused = site.get("info").await;
    assert_eq!(refused.refusal(), (429, "ZZ-810".to_owned()));
    assert!(refused.header("retry-after").parse::<u64>().is_ok_and(|seconds| seconds >= 1));
    // A wrong token is a guess, and counts.
    let guess = site.request(Method::GET, "/api/v1/operator/status").bearer_auth("guess");
    assert_eq!(site.send(guess).await.refusal().0, 429);
    assert_eq!(site.operator("status").await.status, 200);
    assert_eq!(site.send(site.request(Method::GET, "/healthz")).await.status, 200);
    let page: Value = site.operator("status").await.json();
    assert!(page["items"].is_array());
}
