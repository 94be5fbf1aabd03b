//! What an operator does with the binary itself: a daemon that runs on a local chain, is looked at, ordered, reloaded, drained.

use std::{
    fs::Permissions,
    io::{BufRead, BufReader, Read, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::{Arc, Mutex, mpsc},
    time::Duration,
};

use serde_json::Value;
use shakmaty::{Chess, Position};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
};
use zugzwang::{
    apps::chess::{self, arena::Arena},
    chain::{
        Client, Key, Wallet,
        types::{Address, U256, random},
    },
    demo::anvil::Anvil,
};

use crate::{
    logs,
    process::{json, zugzwang},
    world::prices,
};

/// How long anything is waited for; a limit against hanging, not a measurement.
const PATIENCE: Duration = Duration::from_secs(180);

/// A local chain with an arena, and the files of a daemon for it.
struct Site {
    dir: TempDir,
    _chain: Anvil,
    gate: Gate,
    client: Client,
    config: PathBuf,
    arena: Address,
    offer: U256,
    human: Wallet,
}

impl Site {
    async fn new() -> Self {
        let dir = tempfile::tempdir().expect("folder");
        let chain = Anvil::start(None, &[]).await.expect("anvil");
        let client = Client::connect(&chain.url, Duration::from_secs(10)).await.expect("client");
        zugzwang::files::new_secret(&dir.path().join("password"), "correct horse\n").expect("write");
        logs::secret("correct horse");
        let config = dir.path().join("zugzwang.toml");
        let human = Wallet::new(client.clone(), Key::from_bytes(random()).expect("key"), prices());
        let gate = Gate::before(chain.url.trim_start_matches("http://").to_owned()).await;
        let (arena, offer) = (Address::ZERO, U256::ZERO);
        let mut site = Self { dir, _chain: chain, gate, client, config, arena, offer, human };
        site.configure("");
        let made = json(&site.config, &["key", "new"]);
        let npc: Address = made["address"].as_str().expect("address").parse().expect("address");
        for account in [npc, site.human.address()] {
            let rich = serde_json::json!([account, U256::from(u128::MAX)]);
            site.client.raw("anvil_setBalance", rich).await.expect("balance");
        }
        let deployed = json(&site.config, &["deploy"]);
        site.arena = deployed["arena"].as_str().expect("arena").parse().expect("address");
        site.offer = deployed["offer"].as_str().expect("offer").parse().expect("number");
        site.configure("");
        site
    }

    /// Writes the configuration, with more at its end.
    fn configure(&self, more: &str) {
        let path = |name: &str| self.dir.path().join(name).display().to_string();
        // Where the tests over several crates keep their keys, too.
        let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("zugzwang-cache");
        let arena = match self.arena {
            Address::ZERO => String::new(),
            arena => format!("[chess]\narena = \"{arena}\"\n"),
        };
        let text = format!(
            "{arena}[chain]\nrpc = \"{}\"\nconfirmations = 0\nfinality = 2\npoll_ms = 50\n\
             [model]\ndir = \"models/chess-s\"\nshape = \"2,1,14\"\ncache = \"{}\"\n\
             [key]\nkeystore = \"{}\"\npassword_file = \"{}\"\n[store]\npath = \"{}\"\n\
             [http]\nlisten = \"127.0.0.1:0\"\nhead_age_s = 0\n{more}",
            self.gate.url,
            cache.display(),
            path("key.json"),
            path("password"),
            path("z.db")
        );
        std::fs::write(&self.config, text).expect("write");
        // It may name webhooks.
        std::fs::set_permissions(&self.config, Permissions::from_mode(0o600)).expect("mode");
    }

    /// Starts the daemon and reads its log; `arguments` come after `run`.
    fn run(&self, arguments: &[&str]) -> Daemon {
        let mut command = zugzwang(&self.config, &[&["run"], arguments].concat());
        command.stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the daemon");
        let (sender, lines) = mpsc::channel();
        let log = child.stderr.take().expect("its log");
        let mut kept = logs::file_of_process();
        std::thread::spawn(move || {
            for line in BufReader::new(log).lines().map_while(Result::ok) {
                if let Some(kept) = &mut kept {
                    writeln!(kept, "{line}").expect("a log");
                }
                // Nobody reads on once the test is over.
                let _ = sender.send(line);
            }
        });
        Daemon { child, lines }
    }

    fn command(&self, arguments: &[&str]) -> Output {
        zugzwang(&self.config, arguments).output().expect("the binary")
    }

    /// The JSON that a command prints.
    fn json(&self, arguments: &[&str]) -> Value {
        json(&self.config, arguments)
    }

    /// The code of the error that a command ends with.
    fn error(&self, arguments: &[&str]) -> String {
        let output = self.command(&[arguments, &["--json"]].concat());
        assert!(!output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stdout));
        let error: Value = serde_json::from_slice(&output.stderr)
            .unwrap_or_else(|e| panic!("{arguments:?}: {e}: {}", String::from_utf8_lossy(&output.stderr)));
        error["error"]["code"].as_str().expect("code").to_owned()
    }

    /// Where the daemon tells commands of itself.
    fn told(&self) -> Option<Value> {
        let text = std::fs::read_to_string(self.dir.path().join("z.31337.http")).ok()?;
        serde_json::from_str(&text).ok()
    }

    /// Asks the daemon's server: status and body.
    async fn ask(&self, method: reqwest::Method, path: &str, token: Option<&str>) -> (u16, String) {
        let told = self.told().expect("a daemon that listens");
        let url = format!("http://{}{path}", told["address"].as_str().expect("address"));
        let http = reqwest::Client::builder().no_proxy().build().expect("client");
        let mut request = http.request(method, url);
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        let response = request.send().await.expect("an answer");
        (response.status().as_u16(), response.text().await.expect("a body"))
    }

    /// Whether a daemon listens where the last one said. A killed one leaves that behind.
    async fn listens(&self) -> bool {
        let Some(told) = self.told() else { return false };
        TcpStream::connect(told["address"].as_str().expect("address")).await.is_ok()
    }

    async fn get(&self, path: &str) -> (u16, String) {
        self.ask(reqwest::Method::GET, path, None).await
    }

    /// Waits until the daemon calls itself ready.
    async fn ready(&self) {
        until("ready", async || self.listens().await && self.get("/readyz").await.0 == 200).await;
    }

    /// The human begins a game and moves, which asks the NPC.
    async fn new_question(&self) -> U256 {
        let (game, _) = self.human.create_game(self.arena, self.offer, true, U256::ZERO).await.expect("game");
        let first = Chess::default().legal_moves()[0];
        self.human.play_human(self.arena, game, 0, chess::word(first)).await.expect("move");
        game
    }

    async fn answered(&self, game: U256) {
        let arena = Arena::open(self.client.clone(), self.arena).await.expect("arena");
        until("answered", async || arena.game(game, None).await.expect("game").ply == 2).await;
    }
}

/// A node's address that can be closed: then connections are taken, and nothing is answered.
struct Gate {
    url: String,
    open: watch::Sender<bool>,
}

impl Gate {
    async fn before(node: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("listen");
        let url = format!("http://{}", listener.local_addr().expect("address"));
        let (open, is_open) = watch::channel(true);
        tokio::spawn(async move {
            while let Ok((caller, _)) = listener.accept().await {
                let Ok(answerer) = TcpStream::connect(&node).await else { continue };
                let ((from_caller, to_caller), (from_node, to_node)) = (caller.into_split(), answerer.into_split());
                tokio::spawn(pass(from_caller, to_node, is_open.clone()));
                tokio::spawn(pass(from_node, to_caller, is_open.clone()));
            }
        });
        Self { url, open }
    }
}

/// Passes bytes on as long as the gate is open.
async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut is_open: watch::Receiver<bool>) {
    let mut buffer = vec![0; 1 << 16];
    while let Ok(count) = from.read(&mut buffer).await {
        if count == 0 || is_open.wait_for(|open| *open).await.is_err() {
            return;
        }
        if to.write_all(&buffer[..count]).await.is_err() {
            return;
        }
    }
}

/// A webhook that keeps what it is sent.
async fn webhook() -> (String, Arc<Mutex<Vec<String>>>) {
    let kept = Arc::new(Mutex::new(Vec::new()));
    let keep = kept.clone();
    let take = axum::routing::post(move |body: String| async move { keep.lock().expect("messages").push(body) });
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("listen");
    let url = format!("http://{}/services/s3cret", listener.local_addr().expect("address"));
    tokio::spawn(async move { axum::serve(listener, axum::Router::new().route("/services/s3cret", take)).await });
    (url, kept)
}

async fn until(what: &str, mut done: impl AsyncFnMut() -> bool) {
    let begun = std::time::Instant::now();
    while !done().await {
        assert!(begun.elapsed() < PATIENCE, "it never came to this: {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// A daemon's process. It is killed if a test fails.
struct Daemon {
    child: Child,
    lines: mpsc::Receiver<String>,
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // It has ended already where all went well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Daemon {
    fn signal(&self, name: &str) {
        let sent = Command::new("kill").arg(format!("-{name}")).arg(self.child.id().to_string()).status();
        assert!(sent.expect("kill").success());
    }

    /// The first line of the log from now on that holds a text.
    fn says(&self, text: &str) -> String {
        let mut heard = Vec::new();
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) if line.contains(text) => return line,
                Ok(line) => heard.push(line),
                Err(_) => panic!("it never said \"{text}\":\n{}", heard.join("\n")),
            }
        }
    }

    /// Its exit code, once it has ended by itself.
    fn ended(&mut self) -> Option<i32> {
        let begun = std::time::Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("wait") {
                return status.code();
            }
            assert!(begun.elapsed() < PATIENCE, "it doesn't end");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// Every line of `/metrics` of one name.
fn metric(text: &str, name: &str) -> Vec<f64> {
    text.lines()
        .filter(|line| line.starts_with(name) && line[name.len()..].starts_with(['{', ' ']))
        .filter_map(|line| line.rsplit_once(' ')?.1.parse().ok())
        .collect()
}

/// zksync-era #4744, #4782, #4916: idle and stuck look the same. Here an idle daemon is ready and goes on counting turns; one whose
/// node is silent says that it is stuck, and since when.
#[tokio::test(flavor = "multi_thread")]
async fn zksync_4744_an_idle_daemon_is_ready_and_a_stuck_one_is_not() {
    let site = Site::new().await;
    let (url, alerts) = webhook().await;
    site.configure(&format!("turn_age_s = 2\n[alerts]\nwebhooks = [\"{url}\"]\nlow_balance_ether = 0.0\n"));
    let daemon = site.run(&[]);
    // Its server is there before its keys are, and says so.
    until("listening", async || site.listens().await).await;
    assert_eq!(site.get("/healthz").await.0, 200);
    site.ready().await;
    let turns = async || metric(&site.get("/metrics").await.1, "zugzwang_service_turns_total");
    let before = turns().await;
    until("more turns", async || turns().await > before).await;
    assert_eq!(site.get("/readyz").await.0, 200, "an idle daemon is ready");

    // A node that takes connections and says nothing.
    site.gate.open.send_replace(false);
    until("not ready", async || site.get("/readyz").await.0 == 503).await;
    let (_, why) = site.get("/readyz").await;
    assert!(why.contains("no turn was finished for"), "{why}");
    let status = site.json(&["status"]);
    assert_eq!((&status[0]["running"], &status[0]["ready"]), (&true.into(), &false.into()), "{status}");
    assert_eq!(site.get("/healthz").await.0, 200, "its process lives");
    until("told", async || alerts.lock().expect("alerts").iter().any(|text| text.contains("stuck"))).await;
    site.gate.open.send_replace(true);
    site.ready().await;
    until("resolved", async || alerts.lock().expect("alerts").iter().any(|text| text.contains("over: no turn"))).await;
    drop(daemon);
    // What a killed daemon leaves behind names nobody.
    let status = site.json(&["status"]);
    assert_eq!((&status[0]["running"], &status[0]["ready"]), (&false.into(), &false.into()), "{status}");
    assert!(status[0]["alive_at"].is_i64(), "{status}");
    assert_eq!(site.error(&["tail"]), "ZZ-805");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_is_followed_looked_at_and_measured() {
    let site = Site::new().await;
    let mut daemon = site.run(&[]);
    site.ready().await;
    let mut tail = zugzwang(&site.config, &["tail", "--json"]).spawn().expect("tail");
    let mut events = BufReader::new(tail.stdout.take().expect("events")).lines();
    let mut next =
        move || -> Value { serde_json::from_str(&events.next().expect("an event").expect("text")).expect("JSON") };
    let hello = next();
    assert_eq!((&hello["event"], &hello["ready"]), (&"following".into(), &true.into()));
    let game = site.new_question().await;
    let mut kinds: Vec<String> = Vec::new();
    while kinds.last().is_none_or(|kind| kind != "answered") {
        let event = next();
        assert_eq!(event["chain_id"], 31337, "{event}");
        kinds.push(event["event"].as_str().expect("kind").to_owned());
    }
    kinds.retain(|kind| kind != "proving");
    assert_eq!(kinds, ["asked", "proved", "signed", "answered"]);
    site.answered(game).await;
    site.client.raw("anvil_mine", serde_json::json!([4])).await.expect("mine");

    let all = || site.json(&["job", "list", "--all"]);
    until("final", async || all()[0]["state"] == "final").await;
    assert_eq!(all().as_array().expect("jobs").len(), 1);
    assert_eq!(site.json(&["job", "list"]).as_array().expect("jobs").len(), 0, "nothing is open");
    let shown = site.json(&["job", "show", "1"]);
    assert_eq!((&shown["subject"], &shown["round"]), (&game.to_string().into(), &1.into()), "{shown}");
    assert_eq!(shown["transactions"][0]["ok"], true, "{shown}");
    let sent = site.json(&["tx", "list", "--all"]);
    assert_eq!(sent[0]["job"], 1, "{sent}");
    for (order, code) in [
        (["job", "retry", "1"], "ZZ-622"),
        (["job", "drop", "1"], "ZZ-623"),
        (["job", "show", "77"], "ZZ-621"),
        (["tx", "bump", "1"], "ZZ-625"),
        (["tx", "cancel", "77"], "ZZ-624"),
    ] {
        assert_eq!(site.error(&order), code, "{order:?}");
    }
    // Read again, the question has its job already: nothing is doubled.
    let block = shown["block"].to_string();
    for dry in [&["--dry-run"][..], &[]] {
        let said = site.json(&[&["replay", "--block", &block], dry].concat());
        assert!(said["said"][1].as_str().expect("line").ends_with("nothing new"), "{said}");
    }
    assert_eq!(site.error(&["replay", "--block", "100000"]), "ZZ-626");
    assert_eq!(all().as_array().expect("jobs").len(), 1);

    until("sampled", async || {
        let text = site.get("/metrics").await.1;
        metric(&text, "zugzwang_jobs_state_count").iter().sum::<f64>() == 1.0
    })
    .await;
    let text = site.get("/metrics").await.1;
    for (name, value) in [
        ("zugzwang_jobs_asked_total", 1.0),
        ("zugzwang_jobs_answered_total", 1.0),
        ("zugzwang_proofs_made_total", 1.0),
        ("zugzwang_proofs_duration_seconds_count", 1.0),
        ("zugzwang_transactions_mined_total", 1.0),
        ("zugzwang_service_ready_info", 1.0),
    ] {
        assert_eq!(metric(&text, name), [value], "{name} in\n{text}");
    }
    assert!(text.contains("# HELP zugzwang_jobs_asked_total Questions that the chain asked."), "{text}");
    let doctor = site.command(&["doctor"]);
    assert!(doctor.status.success(), "{}", String::from_utf8_lossy(&doctor.stdout));
    let doctor = String::from_utf8_lossy(&doctor.stdout).into_owned();
    for line in ["ok   daemon: runs as process", "ok   endpoint: ", "ok   contracts: chess", "warn alerts: nobody"] {
        assert!(doctor.contains(line), "{line} in\n{doctor}");
    }

    daemon.signal("TERM");
    assert_eq!(daemon.ended(), Some(0));
    assert!(tail.wait().expect("tail").success(), "it ends with the daemon");
    assert!(site.told().is_none(), "the file is gone");
    // The same from the store.
    assert_eq!(all()[0]["state"], "final");
    assert_eq!(site.json(&["status"])[0]["jobs"]["final"], 1);
    let said = site.json(&["replay", "--block", &block]);
    assert!(said["said"][1].as_str().expect("line").ends_with("nothing new"), "{said}");
    assert!(site.command(&["check", "--online"]).status.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_job_is_not_answered_and_a_retried_one_is() {
    let site = Site::new().await;
    let game = site.new_question().await;
    // Of a stopped daemon the store is changed: first the question has to be there.
    let mut daemon = site.run(&[]);
    daemon.says("asked");
    daemon.signal("KILL");
    daemon.ended();
    site.json(&["job", "drop", "1"]);
    assert_eq!(site.json(&["job", "show", "1"])["state"], "forfeited");
    assert_eq!(site.error(&["job", "drop", "1"]), "ZZ-623");

    let mut daemon = site.run(&[]);
    site.ready().await;
    let arena = Arena::open(site.client.clone(), site.arena).await.expect("arena");
    let turns = async || metric(&site.get("/metrics").await.1, "zugzwang_service_turns_total");
    let before = turns().await;
    until("five turns", async || turns().await[0] > before[0] + 5.0).await;
    assert_eq!(arena.game(game, None).await.expect("game").ply, 1, "a dropped job is left alone");
    // Of a running one the daemon does it.
    site.json(&["job", "retry", "1"]);
    site.answered(game).await;
    assert_eq!(site.json(&["job", "list", "--all"]).as_array().expect("jobs").len(), 1);
    daemon.signal("TERM");
    assert_eq!(daemon.ended(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_is_bumped_and_cancelled() {
    let site = Site::new().await;
    let question = site.new_question().await;
    // What is sent from now on stays in no block until one is made.
    site.client.raw("evm_setAutomine", serde_json::json!([false])).await.expect("automine off");
    let mut daemon = site.run(&[]);
    site.ready().await;
    let sent = || site.json(&["tx", "list"]);
    until("broadcast", async || sent()[0]["state"] == "broadcast").await;
    let first = sent()[0].clone();
    let id = first["id"].to_string();
    site.json(&["tx", "bump", &id]);
    until("replaced", async || sent()[0]["versions"] == 2).await;
    let wei = |tx: &Value| tx["max_fee"].as_str().expect("fee").parse::<u128>().expect("number");
    assert!(wei(&sent()[0]) > wei(&first), "it pays more");
    assert_eq!(sent()[0]["nonce"], first["nonce"]);

    site.json(&["tx", "cancel", &id]);
    until("cancelled", async || sent()[0]["versions"] == 3).await;
    site.client.raw("evm_mine", serde_json::json!([])).await.expect("mine");
    until("mined", async || site.json(&["tx", "list", "--all"])[0]["ok"] == true).await;
    let job = site.json(&["job", "show", "1"]);
    assert_eq!((&job["state"], &job["note"]), (&"forfeited".into(), &"dropped by the operator".into()), "{job}");
    let arena = Arena::open(site.client.clone(), site.arena).await.expect("arena");
    assert_eq!(arena.game(question, None).await.expect("game").ply, 1, "no answer was given");
    daemon.signal("TERM");
    assert_eq!(daemon.ended(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hangup_takes_up_limits_and_names_what_is_left() {
    let site = Site::new().await;
    let mut daemon = site.run(&[]);
    site.ready().await;
    site.configure("[submit]\nmax_fee_gwei = 77.0\n[prover]\nslots = 3\n[log]\nfilter = \"debug\"\n");
    daemon.signal("HUP");
    let left = daemon.says("these keys change with the next start only");
    assert!(left.contains("prover.slots") && !left.contains("submit"), "{left}");
    let changed = daemon.says("changed: ");
    assert!(changed.contains("log.filter, submit.max_fee_gwei"), "{changed}");
    daemon.says("DEBUG");
    // A file that is wrong changes nothing.
    site.configure("[submit]\nmax_fee_gwie = 1.0\n");
    daemon.signal("HUP");
    assert!(daemon.says("nothing is changed").contains("did you mean `submit.max_fee_gwei`?"));
    site.ready().await;
    daemon.signal("TERM");
    assert_eq!(daemon.ended(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drain_is_bounded_and_a_second_signal_ends_at_once() {
    let site = Site::new().await;
    // What is under way is a call that isn't answered.
    for (arguments, signals) in [(&["--drain", "1"][..], 1), (&["--drain", "600"][..], 2)] {
        let mut daemon = site.run(arguments);
        site.ready().await;
        site.gate.open.send_replace(false);
        tokio::time::sleep(Duration::from_millis(300)).await;
        for _ in 0..signals {
            daemon.signal("TERM");
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
        assert_eq!(daemon.ended(), Some(1), "{arguments:?}");
        daemon.says("ZZ-628");
        site.gate.open.send_replace(true);
    }
    // Nothing of it hinders the next run.
    let game = site.new_question().await;
    let mut daemon = site.run(&[]);
    site.answered(game).await;
    daemon.signal("TERM");
    assert_eq!(daemon.ended(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_get_neither_orders_nor_jobs_and_slow_ones_hold_nothing() {
    let site = Site::new().await;
    let token = site.dir.path().join("token");
    std::fs::write(&token, "0123456789abcdef0123456789abcdef\n").expect("write");
    site.configure(&format!("token_file = \"{}\"\nconnections = 4\n", token.display()));
    let daemon = site.run(&[]);
    site.ready().await;
    let right = "0123456789abcdef0123456789abcdef";
    let post = reqwest::Method::POST;
    for (token, metrics, orders) in
        [(None, 401, 401), (Some("wrong"), 401, 401), (Some(""), 401, 401), (Some(right), 200, 404)]
    {
        assert_eq!(site.ask(reqwest::Method::GET, "/metrics", token).await.0, metrics, "{token:?}");
        assert_eq!(site.ask(reqwest::Method::GET, "/api/v1/operator/jobs", token).await.0, metrics, "{token:?}");
        assert_eq!(site.ask(post.clone(), "/api/v1/operator/jobs/5/drop", token).await.0, orders, "{token:?}");
    }
    assert_eq!(site.get("/healthz").await.0, 200);
    assert_eq!(site.get("/readyz").await.0, 200);
    #[cfg(unix)]
    {
        let told = std::fs::metadata(site.dir.path().join("z.31337.http")).expect("file");
        assert_eq!(told.permissions().mode() & 0o777, 0o600);
    }
    // As many as there is room for, each of which sends half a head and waits.
    let told = site.told().expect("file");
    let address = told["address"].as_str().expect("address").to_owned();
    let slow: Vec<std::net::TcpStream> = (0..4)
        .map(|_| {
            let mut stream = std::net::TcpStream::connect(&address).expect("connect");
            std::io::Write::write_all(&mut stream, b"GET /healthz HTTP/1.1\r\nHost: x\r\n").expect("write");
            stream
        })
        .collect();
    assert_eq!(site.get("/healthz").await.0, 200, "they are cut off");
    for mut stream in slow {
        let mut rest = Vec::new();
        // It was closed, with or without a word.
        let _ = stream.read_to_end(&mut rest);
    }
    let large = "x".repeat(1 << 20);
    let http = reqwest::Client::builder().no_proxy().build().expect("client");
    let sent = http.post(format!("http://{address}/api/v1/operator/replay")).bearer_auth(right);
    let status = sent.header("content-type", "application/json").body(large).send().await.map(|r| r.status().as_u16());
    assert!(status.is_err() || status.is_ok_and(|status| status == 413), "a large body is refused");
    drop(daemon);

    site.configure("");
    let text = std::fs::read_to_string(&site.config).expect("read").replace("127.0.0.1:0", "0.0.0.0:0");
    std::fs::write(&site.config, text).expect("write");
    assert_eq!(site.error(&["run"]), "ZZ-104", "no server for everybody without a token");
}

#[test]
fn manual_pages_and_completions_are_made_of_the_command_line() {
    let dir = tempfile::tempdir().expect("folder");
    let none = dir.path().join("none.toml");
    let man = dir.path().join("man");
    let pages = json(&none, &["man", &man.display().to_string()]);
    let pages: Vec<&str> = pages.as_array().expect("pages").iter().filter_map(Value::as_str).collect();
    for page in ["zugzwang.1", "zugzwang-run.1", "zugzwang-job-retry.1", "zugzwang-doctor.1"] {
        assert!(pages.contains(&page) && man.join(page).is_file(), "{page} in {pages:?}");
    }
    for shell in ["bash", "zsh", "fish"] {
        let output = zugzwang(&none, &["completions", shell]).output().expect("the binary");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success() && text.contains("dry-run") && text.contains("doctor"), "{shell}: {text}");
    }
}
