//! A chain and a daemon on it that can be killed, whatever its apps are.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, OnceLock},
    time::Duration,
};

use metrics_exporter_prometheus::PrometheusHandle;
use tempfile::TempDir;
use tokio::{sync::watch, task::JoinHandle};
use zugzwang::{
    alerts::Outbox,
    apps::{self, App, Ground},
    chain::{
        Client, Key, Keys, Wallet, signer,
        types::{Address, B256, U256},
    },
    config::{Config, RawConfig, SubmitConfig},
    demo::anvil::Anvil,
    http::{Live, Panel, Server, stream::Streams},
    monitor::{self, Monitor},
    prover::{Models, Pool, Workshop},
    service::{Desk, Notice, Observer, Service, ServiceError},
    store::{Job, State, Store, StoreError},
};

use crate::logs;

/// The chain, the daemon's key and configuration.
pub(crate) struct Stage {
    _dir: TempDir,
    pub(crate) chain: Anvil,
    pub(crate) client: Client,
    /// The daemon's account, for what it does before it runs.
    pub(crate) npc: Wallet,
    pub(crate) config: Config,
    /// What signs for the daemon: `npc`'s key, and those that a test adds.
    pub(crate) keys: Keys,
}

/// A daemon that runs in the background.
pub(crate) struct Daemon {
    task: JoinHandle<Result<(), ServiceError>>,
    stop: watch::Sender<bool>,
    pub(crate) notices: Arc<Mutex<Vec<Notice>>>,
}

/// Where a daemon's server is, until this is dropped.
pub(crate) struct Served {
    pub(crate) address: SocketAddr,
    /// The operator's token.
    pub(crate) token: String,
    streams: Streams,
    _stop: watch::Sender<bool>,
}

impl Served {
    /// How many subjects are followed.
    pub(crate) fn streams(&self) -> usize {
        self.streams.count()
    }
}

/// The process' one recorder of metrics.
fn recorder() -> PrometheusHandle {
    static RECORDER: OnceLock<PrometheusHandle> = OnceLock::new();
    RECORDER.get_or_init(|| monitor::install().expect("no other recorder")).clone()
}

pub(crate) fn prices() -> SubmitConfig {
    SubmitConfig {
        max_fee: 1_000_000_000_000,
        max_priority: 1_000_000_000,
        bump_after: Duration::from_secs(60),
        bump_percent: 13,
        gas_margin_percent: 20,
        ..SubmitConfig::default()
    }
}

/// A key that no log may show.
fn key(seed: u8) -> Key {
    let bytes = B256::repeat_byte(seed);
    logs::secret(&format!("{bytes:x}"));
    Key::from_bytes(bytes).expect("key")
}

impl Stage {
    /// A chain that mines each transaction at once. `configure` names the contracts, which `deploy` has made.
    pub(crate) async fn new<T>(
        deploy: impl AsyncFnOnce(&Client, &Wallet) -> T,
        configure: impl FnOnce(&T, &mut RawConfig),
    ) -> (Self, T) {
        logs::keep();
        let chain = Anvil::start(None, &[]).await.expect("anvil");
        let client = Client::connect(&chain.url, Duration::from_secs(10)).await.expect("client");
        let dir = tempfile::tempdir().expect("folder");
        let key = key(0x11);
        let npc = Wallet::new(client.clone(), key.clone(), prices());
        rich(&client, npc.address()).await;
        let deployed = deploy(&client, &npc).await;
        let mut raw = RawConfig::default();
        raw.chain.rpc = chain.url.clone().into();
        raw.chain.confirmations = 0;
        raw.chain.finality = 2;
        raw.chain.poll_ms = 20;
        raw.submit.max_fee_gwei = 1000.0;
        raw.store.path = dir.path().join("zugzwang.db").display().to_string();
        configure(&deployed, &mut raw);
        let config = Config::from_raw(raw).expect("config");
        (Self { _dir: dir, chain, client, npc, config, keys: key.into() }, deployed)
    }

    /// A daemon that was killed within this process gives its store up when its last blocking call ends, which can take a
    /// while on a busy machine; that of a killed process is free at once.
    pub(crate) async fn start_with(&self, models: &Models) -> Daemon {
        let mut patience = 200;
        loop {
            match self.try_start_with(models).await {
                Err(ServiceError::Store(StoreError::InUse { .. })) if patience > 0 => patience -= 1,
                started => return started.expect("daemon"),
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    pub(crate) async fn try_start_with(&self, models: &Models) -> Result<Daemon, ServiceError> {
        let store = Store::open(&self.config.store).await?;
        Ok(self.begin(models, store, None).await?.0)
    }

    /// Starts a daemon with its HTTP server; gives where that listens, and the operator's token.
    pub(crate) async fn serve_with(&self, models: &Models) -> (Daemon, Served) {
        let store = Store::open(&self.config.store).await.expect("store");
        let config = &self.config;
        let outbox = Arc::new(Outbox::start(&[]).expect("outbox"));
        let monitor = Monitor::new(config.chain.chain_id, config.http.clone(), config.alerts.clone(), outbox);
        let panel = Panel::new(config, monitor.clone(), store.clone());
        let told = self._dir.path().join("server.json");
        let (limits, running) = (config.web.limits, vec![told.clone()]);
        let server = Server::bind(&config.http, limits, vec![panel.clone()], recorder(), running).await;
        let server = server.expect("server").expect("http.listen");
        let (address, streams) = (server.address(), server.streams());
        let (stop, stopped) = watch::channel(false);
        tokio::spawn(server.run(stopped));
        let told: serde_json::Value = serde_json::from_slice(&std::fs::read(told).expect("file")).expect("JSON");
        let token = told["token"].as_str().expect("token").to_owned();
        logs::secret(&token);
        let begun = self.begin(models, store.clone(), Some(monitor.observer())).await.expect("daemon");
        let (daemon, ground, apps, workshop, desk) = begun;
        panel.desk.set(desk).expect("once");
        let live = Live::new(config.clone(), ground, apps, workshop, monitor.clone());
        panel.live.set(live.clone()).expect("once");
        tokio::spawn(monitor.sample(store, live.client().clone(), stop.subscribe()));
        (daemon, Served { address, token, streams, _stop: stop })
    }

    async fn begin(
        &self,
        models: &Models,
        store: Store,
        watcher: Option<Observer>,
    ) -> Result<(Daemon, Ground, Vec<Arc<dyn App>>, Arc<dyn Workshop>, Desk), ServiceError> {
        let notices = Arc::new(Mutex::new(Vec::new()));
        let heard = notices.clone();
        let observer = Arc::new(move |notice: &Notice| {
            heard.lock().expect("notices").push(notice.clone());
            if let Some(watcher) = &watcher {
                watcher(notice);
            }
        });
        let config = &self.config;
        let client = Client::open(&config.chain).await?;
        let ground = Ground {
            client: client.clone(),
            signer: self.keys.get(signer::DEFAULT)?.address(),
            signers: self.keys.addresses(),
            models: models.clone(),
            store: store.clone(),
        };
        let apps = apps::open(config, &ground).await?;
        let workshop: Arc<dyn Workshop> = Arc::new(Pool::new(&config.prover, models).expect("memory"));
        let (keys, shown) = (self.keys.clone(), apps.clone());
        let service = Service::start(config.clone(), client, keys, apps, store, workshop.clone(), observer).await?;
        let desk = service.desk();
        let (stop, stopped) = watch::channel(false);
        let daemon = Daemon { task: tokio::spawn(service.run(stopped)), stop, notices };
        Ok((daemon, ground, shown, workshop, desk))
    }

    /// An account with money; the same seed gives the same account.
    pub(crate) async fn account(&self, seed: u8) -> Wallet {
        let key = key(seed);
        rich(&self.client, key.address()).await;
        Wallet::new(self.client.clone(), key, prices())
    }

    pub(crate) async fn until(&self, what: &str, mut done: impl AsyncFnMut() -> bool) {
        for _ in 0..600 {
            if done().await {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("it never came to this: {what}");
    }

    /// The jobs as stored; no daemon may be running.
    pub(crate) async fn jobs(&self) -> Vec<Job> {
        let store = Store::open(&self.config.store).await.expect("store");
        let jobs = store.jobs().await.expect("jobs");
        store.close().await;
        jobs
    }

    pub(crate) async fn mine(&self, blocks: u64) {
        self.client.raw("anvil_mine", serde_json::json!([blocks])).await.expect("mine");
    }

    /// Moves the chain's clock on, in a new block.
    pub(crate) async fn later(&self, seconds: u64) {
        self.client.raw("evm_increaseTime", serde_json::json!([seconds])).await.expect("time");
        self.mine(1).await;
    }

    /// Unix time of the newest block.
    pub(crate) async fn now(&self) -> u64 {
        self.client.head().await.expect("head").timestamp
    }
}

async fn rich(client: &Client, account: Address) {
    client.raw("anvil_setBalance", serde_json::json!([account, U256::from(u128::MAX)])).await.expect("balance");
}

impl Daemon {
    /// Ends it in the middle of whatever it does.
    pub(crate) async fn kill(self) {
        self.task.abort();
        let _ = self.task.await;
    }

    /// Ends it as a signal would.
    pub(crate) async fn stop(self) -> Result<(), ServiceError> {
        self.stop.send(true).expect("it runs");
        self.task.await.expect("no panic")
    }

    /// Waits until it ends by itself.
    pub(crate) async fn ended(self) -> Result<(), ServiceError> {
        self.task.await.expect("no panic")
    }

    pub(crate) fn ends(&self) -> Vec<(State, String)> {
        let notices = self.notices.lock().expect("notices");
        notices
            .iter()
            .filter_map(|n| match n {
                Notice::Ended { state, why, .. } => Some((*state, why.clone())),
                _ => None,
            })
            .collect()
    }
}
