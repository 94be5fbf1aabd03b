//! `zugzwang demo-web` as people run it: one address that can be played at, a daemon that may be killed, and nothing left in the end.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use serde_json::Value;
use shakmaty::{Chess, Position};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use zugzwang::{
    apps::chess::{self, arena::Arena},
    chain::{
        Client, Key, Wallet,
        types::{Address, U256, random},
    },
};

use crate::{process::zugzwang, world::prices};

/// A demo that is ready.
pub(crate) struct Demo {
    process: Child,
    /// What it has printed.
    pub(crate) ready: Value,
    _dir: tempfile::TempDir,
}

impl Demo {
    /// Starts it with chess-s and waits for its one line.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let dir = tempfile::tempdir().expect("folder");
        let none = dir.path().join("none.toml");
        std::fs::write(&none, "").expect("write");
        let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache").display().to_string();
        let files = dir.path().join("demo").display().to_string();
        let mut command = zugzwang(&none, &["demo-web", "--json", "--port", "0", "--chess", "models/chess-s"]);
        command.args(["--cache", &cache, "--dir", &files]).args(arguments);
        let mut process = command.stderr(Stdio::inherit()).spawn().expect("the binary");
        let mut line = String::new();
        BufReader::new(process.stdout.take().expect("output")).read_line(&mut line).expect("a line");
        let ready = serde_json::from_str(&line).unwrap_or_else(|e| panic!("{e}: {line:?}"));
        Self { process, ready, _dir: dir }
    }

    pub(crate) fn text(&self, key: &str) -> &str {
        self.ready[key].as_str().unwrap_or_else(|| panic!("{key} in {}", self.ready))
    }

    pub(crate) fn address<T: std::str::FromStr>(&self, key: &str) -> T {
        self.text(key).parse().unwrap_or_else(|_| panic!("{key} in {}", self.ready))
    }

    /// Host and port of the pages.
    pub(crate) fn host(&self) -> &str {
        self.text("address").trim_start_matches("http://").trim_end_matches('/')
    }

    pub(crate) async fn client(&self) -> Client {
        Client::connect(self.text("rpc"), Duration::from_secs(10)).await.expect("client")
    }

    /// A new account with money.
    pub(crate) async fn account(&self) -> Wallet {
        let client = self.client().await;
        let wallet = Wallet::new(client.clone(), Key::from_bytes(random()).expect("key"), prices());
        let rich = serde_json::json!([wallet.address(), U256::from(u128::MAX)]);
        client.raw("anvil_setBalance", rich).await.expect("balance");
        wallet
    }

    /// Ends it as Ctrl-C does.
    pub(crate) fn interrupt(mut self) {
        signal("INT", self.process.id());
        assert!(self.process.wait().expect("wait").success(), "it ends by Ctrl-C, and that is no error");
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        // Gone already, if the test came to its end.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

pub(crate) fn signal(name: &str, pid: u32) {
    let sent = Command::new("kill").args([&format!("-{name}"), &pid.to_string()]).status().expect("kill");
    assert!(sent.success(), "no process {pid}");
}

/// The status and the body of a GET; `None` if nobody answers.
pub(crate) async fn get(host: &str, path: &str) -> Option<(u16, String)> {
    let mut stream = TcpStream::connect(host).await.ok()?;
    let request = format!("GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.ok()?;
    let status = answer.split(' ').nth(1)?.parse().ok()?;
    Some((status, answer.split_once("\r\n\r\n")?.1.to_owned()))
}

async fn until(what: &str, mut done: impl AsyncFnMut() -> bool) {
    for _ in 0..2400 {
        if done().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("it never came to this: {what}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_game_goes_on_after_the_daemon_is_killed_and_nothing_is_left_after_ctrl_c() {
    let demo = Demo::start(&["--still"]);
    assert_eq!(get(demo.host(), "/readyz").await.map(|(status, _)| status), Some(200), "ready at its word");
    let (client, human) = (demo.client().await, demo.account().await);
    let arena: Address = demo.address("arena");
    let (game, _) = human.create_game(arena, U256::from(1), true, U256::ZERO).await.expect("game");
    let arena = Arena::open(client.clone(), arena).await.expect("arena");
    for (ply, word) in [(0, None), (2, Some(()))] {
        if word.is_some() {
            let pid = demo.ready["daemon"].as_u64().and_then(|pid| u32::try_from(pid).ok()).expect("a process");
            signal("KILL", pid);
        }
        let view = arena.game(game, None).await.expect("game");
        let position = if ply == 0 {
            Chess::default()
        } else {
            chess::unpack(&view.board, shakmaty::Color::White).expect("position")
        };
        let first = position.legal_moves()[0];
        human.play_human(arena.address(), game, ply, chess::word(first)).await.expect("move");
        until("an answer", async || arena.game(game, None).await.is_ok_and(|game| game.ply == ply + 2)).await;
    }
    let (host, rpc) = (demo.host().to_owned(), demo.text("rpc").trim_start_matches("http://").to_owned());
    demo.interrupt();
    assert!(get(&host, "/healthz").await.is_none(), "the daemon is gone");
    assert!(get(&rpc, "/").await.is_none(), "the chain is gone");
}

#[tokio::test(flavor = "multi_thread")]
async fn markets_and_the_vault_live() {
    let demo = Demo::start(&[]);
    let wallet = demo.account().await;
    let (markets, vault) = (demo.address("markets"), demo.address("vault"));
    let mut judged = false;
    until("a judgement, and a decided market", async || {
        judged |= wallet.is_paused(vault).await.expect("vault");
        judged && wallet.market_is_open(markets, U256::from(2)).await.is_ok_and(|is_open| !is_open)
    })
    .await;
    assert!(wallet.market_is_open(markets, U256::from(1)).await.expect("market"), "that of the visitors stays");
    check_markets(&demo).await;
    check_vault(&demo).await;
    check_refusals(&demo).await;
    demo.interrupt();
}

/// A JSON answer of the API.
async fn api(demo: &Demo, path: &str) -> (u16, Value) {
    let (status, body) = get(demo.host(), &format!("/api/v1/chains/31337{path}")).await.expect("an answer");
    (status, serde_json::from_str(&body).unwrap_or_else(|e| panic!("{path}: {e}: {body}")))
}

async fn found(demo: &Demo, path: &str) -> Value {
    let (status, body) = api(demo, path).await;
    assert_eq!(status, 200, "{path}: {body}");
    body
}

/// What the pages read of a market that a bulletin has decided, and of one that is open.
async fn check_markets(demo: &Demo) {
    let decided = found(demo, "/markets/2").await;
    assert_eq!((&decided["state"], &decided["refunds"]), (&"decided".into(), &false.into()), "{decided}");
    let class = decided["answer"]["class"].as_u64().expect("a class");
    let outcome = &decided["outcomes"][class as usize];
    assert_eq!((&outcome["class"], &outcome["name"]), (&class.into(), &decided["answer"]["name"]));
    let pools = decided["outcomes"].as_array().expect("outcomes").iter();
    let sum: u128 = pools.map(|outcome| outcome["pool"].as_str().expect("wei").parse::<u128>().expect("wei")).sum();
    assert_eq!(decided["total"], sum.to_string());
    assert!(decided["answer"]["margin"].as_u64() >= decided["min_margin"].as_u64(), "{decided}");
    let text = decided["bulletin"]["text"].as_str().expect("a text");
    let question = decided["question"].as_str().expect("a question");
    assert!(question.split(" against ").next().is_some_and(|home| text.contains(home)), "{question} {text}");
    assert_eq!(decided["bulletin"]["publisher"], decided["publisher"]);
    let gas = decided["proof"]["gas_used"].as_u64().expect("gas");
    assert!((100_000..2_000_000).contains(&gas), "{decided}");
    assert!(matches!(decided["progress"]["phase"].as_str(), Some("included" | "final")), "{decided}");
    let open = found(demo, "/markets/1").await;
    assert_eq!((&open["state"], &open["answer"], &open["proof"]), (&"open".into(), &Value::Null, &Value::Null));
    // Page by page it is the same list, and its end is told.
    let whole = found(demo, "/markets").await;
    let mut cursor = String::new();
    for market in whole["items"].as_array().expect("items") {
        let page = found(demo, &format!("/markets?limit=1{cursor}")).await;
        assert_eq!(page["items"][0]["id"], market["id"]);
        cursor = page["next"].as_str().map(|next| format!("&cursor={next}")).unwrap_or_default();
    }
    assert!(cursor.is_empty() && whole["next"].is_null());
}

/// What they read of a vault and of what it has delayed.
async fn check_vault(demo: &Demo) {
    let path = format!("/guards/{}", demo.text("vault"));
    let vault = found(demo, &path).await;
    assert_eq!((&vault["paused"], &vault["paused_by"]), (&true.into(), &"2".into()), "{vault}");
    assert_eq!((&vault["incidents"], &vault["decimals"]), (&2.into(), &18.into()), "{vault}");
    assert_eq!(found(demo, "/guards").await["items"][0]["vault"], vault["vault"]);
    let incidents = found(demo, &format!("{path}/incidents")).await;
    let [held, released] = incidents["items"].as_array().expect("items").as_slice() else {
        panic!("two incidents: {incidents}")
    };
    for (incident, id, verdict, kinds) in
        [(held, "2", "held", &["flagged", "held", "paused"][..]), (released, "1", "released", &["flagged", "released"])]
    {
        assert_eq!((&incident["id"], &incident["verdict"]), (&id.into(), &verdict.into()), "{incident}");
        let txs = incident["txs"].as_array().expect("transactions");
        let told: Vec<_> = txs.iter().filter_map(|tx| tx["kind"].as_str()).collect();
        assert!(told.starts_with(kinds), "{told:?}");
        let asked = incident["asked_at"].as_u64().expect("a time");
        assert!(txs.iter().all(|tx| tx["timestamp"].as_u64().is_some_and(|at| at >= asked)), "{incident}");
        let features = incident["features"].as_array().expect("features");
        let deposits = features.iter().find(|feature| feature["key"] == "received").expect("deposits");
        assert!(deposits["value"].as_u64().is_some_and(|count| count > 0), "{incident}");
        assert!(features.iter().all(|feature| feature["quantiles"].as_array().is_some_and(|q| q.len() > 2)));
        assert_eq!(found(demo, &format!("{path}/incidents/{id}")).await["account"], incident["account"]);
    }
    assert!(held["score"].as_u64() >= vault["pause_at"].as_u64(), "{held}");
    assert!(released["score"].as_u64() < vault["release_below"].as_u64(), "{released}");
}

/// What isn't there, or can't be read, is told with a code.
async fn check_refusals(demo: &Demo) {
    let vault = demo.text("vault").to_owned();
    for (path, status) in [
        ("/markets/99".to_owned(), 404),
        ("/markets/0x1".to_owned(), 400),
        ("/markets?limit=0".to_owned(), 400),
        ("/markets?cursor=x".to_owned(), 400),
        (format!("/markets?contract={vault}"), 404),
        ("/guards/nobody".to_owned(), 400),
        (format!("/guards/{}", demo.text("arena")), 404),
        (format!("/guards/{vault}/incidents/99"), 404),
        (format!("/guards/{vault}/incidents/-1"), 400),
    ] {
        let (found, problem) = api(demo, &path).await;
        assert_eq!(found, status, "{path}: {problem}");
        assert!(problem["code"].as_str().is_some_and(|code| code.starts_with("ZZ-")), "{path}: {problem}");
    }
}
