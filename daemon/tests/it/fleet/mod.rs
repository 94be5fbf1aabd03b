//! Proofs that worker processes make, over a real NATS server: workers and the server are killed, cheat, and come back. The
//! models are real ones. All waits are for something to happen; their limit only ends a test that has failed.

mod cheats;
mod losses;
mod secured;
mod whole;

use std::{
    future::Future,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    time::Duration,
};

use tempfile::TempDir;
use zugzwang::{
    config::{FleetConfig, ModelConfig, ProverConfig, RawFleet, RawProver, RawWorkerConfig},
    engine::Priority,
    fleet::Fleet,
    prover::{Made, Models, Order, Progress, Proof, Prove, ProveError, Source, Ticket, Workshop},
};
use zugzwang_circuits::graph::Tensor;

use crate::servers::Server;

/// Long enough for the slowest machine; tests in which a worker dies have a shorter one.
const ACK_WAIT: u64 = 60;
const SOON: u64 = 2;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn cache() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache")
}

/// Waits for something that must happen.
async fn must<T>(what: &str, happens: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(600), happens).await.unwrap_or_else(|_| panic!("{what}: it never does"))
}

/// Waits until something is so.
async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let waiting = async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    must(what, waiting).await;
}

fn loaded(model: &str) -> Models {
    let dir = root().join("models").join(model);
    let common = ModelConfig { dir: dir.clone(), shape: String::new(), cache: cache(), srs: Source::BuiltIn };
    Models::load(&common, &[dir], &|_| ()).expect("a model of the repository")
}

fn only(models: &Models) -> Arc<dyn Prove> {
    models.provers().next().expect("one model").clone()
}

/// A daemon's side of a fleet, and what it tells its operator.
struct Daemon {
    fleet: Fleet,
    prover: Arc<dyn Prove>,
    troubles: Arc<Mutex<Vec<String>>>,
}

fn raw_fleet(url: &str, fallback: &str) -> RawFleet {
    RawFleet {
        url: vec![url.into()],
        name: "test".into(),
        ack_wait_s: ACK_WAIT,
        fallback: fallback.into(),
        fallback_after_s: 1,
        ..RawFleet::default()
    }
}

impl Daemon {
    async fn join(url: &str, models: &Models, change: impl FnOnce(&mut RawFleet)) -> Self {
        crate::logs::keep();
        let mut raw = raw_fleet(url, "wait");
        change(&mut raw);
        let config = FleetConfig::from_raw(&raw).expect("a fleet").expect("a server");
        let prover = ProverConfig::from_raw(&RawProver { budget_s: 600, ..RawProver::default() }).expect("a prover");
        let fleet = Fleet::join(config, &prover, models).await.expect("a fleet");
        Self { fleet, prover: only(models), troubles: Arc::default() }
    }

    /// Question `n`: the same number is the same question.
    fn ask(&self, n: u64, ticket: &Ticket) -> tokio::task::JoinHandle<Result<Made, ProveError>> {
        let place = self.fleet.admit(Priority::Normal).expect("a place");
        let order = Order {
            prover: self.prover.clone(),
            input: self.input(n),
            request: request(n),
            priority: if n.is_multiple_of(2) { Priority::Normal } else { Priority::Urgent },
        };
        let troubles = self.troubles.clone();
        let tell = Arc::new(move |progress| {
            if let Progress::Trouble(what) = progress {
                troubles.lock().expect("list").push(what);
            }
        });
        tokio::spawn(self.fleet.prove(place, order, ticket.clone(), tell))
    }

    fn input(&self, n: u64) -> Tensor {
        self.prover.example(n)
    }

    async fn answer(&self, n: u64) -> Made {
        let made = must("a proof", self.ask(n, &Ticket::default())).await.expect("no panic").expect("a proof");
        self.check(n, &made.proof);
        made
    }

    /// Whether a proof is one of question `n`.
    fn check(&self, n: u64, proof: &Proof) {
        let expected = self.prover.expected(&self.input(n), request(n)).expect("it runs");
        assert!(expected.is_shown_by(&proof.instances), "it is about question {n}");
        assert!(self.prover.verify(proof), "it is right");
    }

    fn heard(&self, what: &str) -> bool {
        self.troubles.lock().expect("list").iter().any(|trouble| trouble.contains(what))
    }

    async fn is_up(&self) {
        until("the fleet is there", async || self.fleet.is_up()).await;
    }

    /// Waits until a worker says that it serves the model.
    async fn is_served(&self) {
        let model = self.prover.model_id();
        let serves = || self.fleet.workers().iter().any(|worker| worker.models.iter().any(|m| m.0 == model));
        until("a worker serves the model", async || serves()).await;
    }
}

fn request(n: u64) -> [u8; 32] {
    let mut request = [7; 32];
    request[24..].copy_from_slice(&n.to_be_bytes());
    request
}

/// A worker process. It is killed when this is dropped.
struct Process {
    child: Child,
    said: Arc<Mutex<Vec<String>>>,
    _folder: TempDir,
}

impl Process {
    fn start(url: &str) -> Self {
        Self::with(url, |_| ())
    }

    fn with(url: &str, change: impl FnOnce(&mut RawWorkerConfig)) -> Self {
        let folder = tempfile::tempdir().expect("folder");
        let mut raw = RawWorkerConfig { fleet: raw_fleet(url, "wait"), ..RawWorkerConfig::default() };
        raw.fleet.name = "worker".into();
        raw.model.cache = cache().display().to_string();
        raw.worker.folder = folder.path().join("models").display().to_string();
        raw.prover.budget_s = 600;
        change(&mut raw);
        let file = folder.path().join("worker.toml");
        std::fs::write(&file, toml::to_string(&raw).expect("TOML")).expect("written");
        let mut child = Command::new(env!("CARGO_BIN_EXE_zugzwang"))
            .args(["worker", "--config"])
            .arg(&file)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary");
        let lines = BufReader::new(child.stderr.take().expect("its log")).lines();
        let said = Arc::new(Mutex::new(Vec::new()));
        let heard = said.clone();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                heard.lock().expect("list").push(line);
            }
        });
        Self { child, said, _folder: folder }
    }

    /// How many lines of its log end in, or hold, a text.
    fn count(&self, text: &str) -> usize {
        self.said.lock().expect("list").iter().filter(|line| line.contains(text)).count()
    }

    async fn says(&self, text: &str) {
        until(text, async || self.count(text) > 0).await;
    }

    fn signal(&self, signal: &str) {
        let sent = Command::new("kill").args([signal, &self.child.id().to_string()]).status().expect("kill");
        assert!(sent.success(), "kill {signal}");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_process_proves_what_a_daemon_asks() {
    let nats = Server::nats();
    let daemon = Daemon::join(&nats.url, &loaded("lending"), |_| ()).await;
    let worker = Process::start(&nats.url);
    let made = daemon.answer(0).await;
    let name = made.worker.expect("not made here");
    assert!(name.starts_with("worker-"), "{name}");
    daemon.is_served().await;
    let present = daemon.fleet.workers();
    assert_eq!((present.len(), &present[0].worker, present[0].slots), (1, &name, 1));

    // Many at once, urgent and not, are each answered once.
    let asked: Vec<_> = (1..13).map(|n| (n, daemon.ask(n, &Ticket::default()))).collect();
    for (n, proof) in asked {
        daemon.check(n, &must("a proof", proof).await.expect("no panic").expect("a proof").proof);
    }
    assert_eq!(worker.count("proved "), 13, "none is proven twice");

    // At a signal it finishes and goes; a worker that isn't there any more is forgotten.
    worker.signal("-TERM");
    worker.says("stopped").await;
    until("it is forgotten", async || daemon.fleet.workers().is_empty()).await;
    let troubles = daemon.troubles.lock().expect("list").clone();
    assert!(troubles.iter().all(|trouble| trouble.contains("its proof waits")), "{troubles:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_daemons_of_different_chains_share_a_fleet_and_do_not_mix() {
    let nats = Server::nats();
    let models = loaded("lending");
    let (one, other) = (Daemon::join(&nats.url, &models, |_| ()).await, Daemon::join(&nats.url, &models, |_| ()).await);
    // A third with another prefix has another fleet.
    let elsewhere = Daemon::join(&nats.url, &models, |raw| raw.prefix = "elsewhere".into()).await;
    let left_alone = Ticket::default();
    let unheard = elsewhere.ask(0, &left_alone);
    let _worker = Process::start(&nats.url);
    let asked: Vec<_> = (0..4u64)
        .flat_map(|n| [(&one, n), (&other, 1000 + n)])
        .map(|(daemon, n)| (daemon, n, daemon.ask(n, &Ticket::default())))
        .collect();
    for (daemon, n, proof) in asked {
        daemon.check(n, &must("a proof", proof).await.expect("no panic").expect("a proof").proof);
    }
    assert!(!unheard.is_finished(), "the other fleet has no worker");
    left_alone.cancel();
    assert!(matches!(must("it ends", unheard).await.expect("no panic"), Err(ProveError::Stopped)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_private_model_is_sent_only_if_that_is_wanted_and_a_private_input_never() {
    let nats = Server::nats();
    let folder = tempfile::tempdir().expect("folder");
    let config = folder.path().join("none.toml");
    std::fs::write(&config, "").expect("written");
    let dir = folder.path().join("secret");
    let (file, samples) = ("models/lending/model.onnx", "models/lending/calibration.csv");
    let compile = |out: &Path, side: &str| {
        let out = out.display().to_string();
        let command = ["model", "compile", file, "--calibration", samples, "--out", &out, side, "private"];
        crate::process::json(&config, &command);
    };
    compile(&dir, "--model");
    let common = ModelConfig { dir: dir.clone(), shape: String::new(), cache: cache(), srs: Source::BuiltIn };
    let models = Models::load(&common, &[dir], &|_| ()).expect("a private model");

    let kept = Daemon::join(&nats.url, &models, |_| ()).await;
    kept.is_up().await;
    let worker = Process::start(&nats.url);
    let here = kept.answer(0).await;
    assert_eq!((here.worker, worker.count("serving")), (None, 0), "it stays here");

    let sent = Daemon::join(&nats.url, &models, |raw| raw.private_models = true).await;
    let there = sent.answer(1).await;
    assert!(there.worker.is_some(), "a worker has it now");

    // A private input never leaves: a worker could commit to another one.
    let dir = folder.path().join("hidden");
    compile(&dir, "--input");
    let common = ModelConfig { dir: dir.clone(), shape: String::new(), cache: cache(), srs: Source::BuiltIn };
    let models = Models::load(&common, &[dir], &|_| ()).expect("a model with a private input");
    let hidden = Daemon::join(&nats.url, &models, |raw| raw.private_models = true).await;
    hidden.is_served().await;
    let made = must("a proof", hidden.ask(0, &Ticket::default())).await.expect("no panic").expect("a proof");
    assert!(made.worker.is_none() && hidden.prover.verify(&made.proof));
}

#[test]
fn a_worker_with_a_signing_key_in_its_file_does_not_start() {
    let folder = tempfile::tempdir().expect("folder");
    let file = folder.path().join("worker.toml");
    std::fs::write(&file, "[fleet]\nurl = [\"nats://127.0.0.1:1\"]\n[key]\nkeystore = \"key.json\"\n")
        .expect("written");
    let ended = crate::process::zugzwang(&file, &["worker"]).output().expect("the binary");
    let error = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert_eq!(ended.status.code(), Some(2), "{error}");
    assert!(error.contains("a worker signs nothing"), "{error}");
}
