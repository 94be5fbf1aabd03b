//! The operator's part.

use reqwest::Method;
use serde_json::{Value, json};

use super::Site;

/// A site with some games' answers.
async fn answered(games: u64) -> Site {
    let site = Site::new().await;
    for _ in 0..games {
        let game = site.world.new_game(true).await;
        site.world.human_moves(game, 0).await;
        site.world.reaches(game, 2).await;
    }
    site.world.mine(3).await;
    site.world
        .until("all are final", async || {
            let jobs = site.operator("jobs?state=final").await.json();
            jobs["items"].as_array().map(Vec::len) == Some(games as usize)
        })
        .await;
    site
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_and_transactions_are_listed_filtered_and_exported() {
    let site = answered(3).await;
    let ids = async |path: &str| -> Vec<i64> {
        let page = site.operator(path).await.json();
        page["items"]
            .as_array()
            .unwrap_or_else(|| panic!("{path}: {page}"))
            .iter()
            .filter_map(|row| row["id"].as_i64())
            .collect()
    };
    for (path, expected) in [
        ("jobs?state=all", vec![3, 2, 1]),
        ("jobs", vec![]),
        ("jobs?state=final&limit=2", vec![3, 2]),
        ("jobs?state=final&limit=2&cursor=2", vec![1]),
        ("jobs?state=all&app=chess", vec![3, 2, 1]),
        ("jobs?state=all&subject=2", vec![2]),
        ("jobs?state=failed", vec![]),
        ("transactions", vec![]),
        ("transactions?all=true&limit=1", vec![3]),
        ("transactions?state=final", vec![3, 2, 1]),
    ] {
        assert_eq!(ids(path).await, expected, "{path}");
    }
    for (path, code) in [
        ("jobs?state=odd", "ZZ-817"),
        ("jobs?app=nothing", "ZZ-817"),
        ("jobs?subject=x", "ZZ-817"),
        ("jobs?chain=1", "ZZ-817"),
        ("transactions?state=odd", "ZZ-817"),
        ("jobs/99", "ZZ-621"),
    ] {
        assert_eq!(site.operator(path).await.refusal().1, code, "{path}");
    }
    let job = site.operator("jobs/2").await.json();
    assert_eq!((&job["app"], &job["subject"], &job["state"]), (&json!("chess"), &json!("2"), &json!("final")));
    let times: Vec<i64> = ["seen_ms", "proved_ms", "submitted_ms", "included_ms", "final_ms"]
        .iter()
        .map(|name| job["times"][name].as_i64().unwrap_or_else(|| panic!("{name}: {job}")))
        .collect();
    assert!(times.is_sorted(), "{job}");
    assert_eq!(job["transactions"].as_array().map(Vec::len), Some(1));
    for (path, first) in
        [("jobs?state=all&format=csv", "id,chain_id,app,"), ("transactions?all=true&format=csv", "id,signer,nonce,")]
    {
        let file = site.operator(path).await;
        assert_eq!(file.header("content-type"), "text/csv; charset=utf-8");
        assert!(file.header("content-disposition").starts_with("attachment"), "{path}");
        let lines: Vec<&str> = file.text.lines().collect();
        assert!(lines.len() == 4 && lines[0].starts_with(first), "{}", file.text);
        assert!(lines.iter().all(|line| line.split(',').count() == lines[0].split(',').count()), "{}", file.text);
    }
    let retry = site.request(Method::POST, "/api/v1/operator/jobs/2/retry").bearer_auth(&site.served.token);
    assert_eq!(site.send(retry).await.refusal(), (409, "ZZ-622".to_owned()));
    let replay = site.request(Method::POST, "/api/v1/operator/replay").bearer_auth(&site.served.token);
    let replay = site.send(replay.json_body(&json!({ "block": 1, "dry_run": true }))).await;
    assert_eq!(replay.status, 200, "{}", replay.text);
    assert!(replay.json()["said"].is_array());
    let wrong = site.request(Method::POST, "/api/v1/operator/replay").bearer_auth(&site.served.token);
    assert_eq!(site.send(wrong.json_body(&json!({ "block": "x" }))).await.refusal(), (400, "ZZ-817".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_machine_shows_what_it_has() {
    let site = answered(1).await;
    let items = async |path: &str| -> Vec<Value> {
        site.operator(path).await.json()["items"].as_array().unwrap_or_else(|| panic!("{path}")).clone()
    };
    let status = &items("status").await[0];
    assert_eq!((&status["ready"], &status["chain_id"]), (&json!(true), &json!(31337)), "{status}");
    let endpoint = &items("endpoints").await[0];
    assert_eq!((&endpoint["condition"], &endpoint["errors"]), (&json!("well"), &json!(0)), "{endpoint}");
    assert!(endpoint["requests"].as_u64().is_some_and(|count| count > 10));
    let key = &items("keys").await[0];
    assert_eq!(key["address"], json!(site.world.npc.address().to_string()));
    let wei = |value: &Value| value.as_str().expect("wei").parse::<u128>().expect("a number");
    assert!(
        wei(&key["balance"]) > 0 && wei(&key["hour_spent"]) > 0 && wei(&key["day_spent"]) >= wei(&key["hour_spent"])
    );
    assert_eq!(key["hour_limit"], Value::Null);
    assert_eq!(items("workers").await, Vec::<Value>::new());
    assert_eq!(items("models").await.len(), 1);
    assert_eq!(items("alerts").await, Vec::<Value>::new());
}

/// Board and console read the same recorder.
#[tokio::test(flavor = "multi_thread")]
async fn the_metrics_are_those_of_prometheus() {
    let site = answered(1).await;
    let name = "zugzwang_proofs_made_total";
    let series = site.operator("metrics").await.json();
    let own = |series: &Value| -> Option<f64> {
        let all = series["items"].as_array()?;
        all.iter().find(|row| row["name"] == json!(name) && row["labels"]["app"] == json!("chess"))?["value"].as_f64()
    };
    let text = site.send(site.request(Method::GET, "/metrics")).await.text;
    let line = text.lines().find(|line| line.starts_with(&format!("{name}{{"))).expect("the series");
    let shown: f64 = line.rsplit(' ').next().expect("value").parse().expect("a number");
    // Other tests of this process count, too, and may between the two questions.
    assert!(own(&series).is_some_and(|value| value >= 1.0 && value <= shown), "{line}");
    let names = |text: &str| text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).count();
    assert!(series["items"].as_array().map_or(0, Vec::len) <= names(&text));
}

/// A body of JSON, as the client's own helper isn't built in.
trait JsonBody {
    fn json_body(self, body: &Value) -> Self;
}

impl JsonBody for reqwest::RequestBuilder {
    fn json_body(self, body: &Value) -> Self {
        self.header("content-type", "application/json").body(body.to_string())
    }
}
