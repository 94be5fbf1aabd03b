//! A daemon of the simulated world: the real service, engine, store, watcher, client, endpoints and submitter, driven turn by turn.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, OnceLock},
    time::Duration,
};

use tokio::{sync::mpsc, task::JoinHandle};
use zugzwang::{
    chain::{
        Client, Key,
        rpc::{Endpoints, Policy},
        types::{Address, B256},
    },
    clock::Clock,
    config::{Config, RawConfig},
    prover::Prove,
    service::{self, Service},
    store::{CommitHook, Store},
};

use super::{
    app::{Clerk, StandIn},
    desk::{CHAIN, DESK},
    gate::{Gate, SimWire, SimWorkshop, Wait, What},
    plan::Plan,
};

/// The key that all daemons have.
pub(super) const KEY: B256 = B256::repeat_byte(0x11);
/// Proofs at a time.
const PLACES: usize = 2;

pub(super) fn key() -> Key {
    Key::from_bytes(KEY).expect("a key")
}

pub(super) fn signer() -> Address {
    static SIGNER: OnceLock<Address> = OnceLock::new();
    *SIGNER.get_or_init(|| key().address())
}

/// Where a daemon stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    Running,
    /// Killed, or ended by itself, and to be started again.
    Down,
    /// It ended with something that needs a person.
    Stopped(String),
}

/// A daemon with what outlives its process.
#[derive(Debug)]
pub(super) struct Daemon {
    pub(super) index: usize,
    pub(super) life: u32,
    pub(super) standing: Standing,
    pub(super) clock: Clock,
    config: Config,
    path: PathBuf,
    task: Option<JoinHandle<()>>,
    /// The open store, to be closed once the process is dead.
    store: Arc<Mutex<Option<Store>>>,
}

/// The configuration that a plan stands for.
fn config(plan: &Plan) -> Config {
    let mut raw = RawConfig::default();
    raw.chess.arena = DESK.to_string();
    raw.chain.chain_id = CHAIN;
    raw.chain.start_block = 1;
    raw.chain.confirmations = plan.confirmations;
    raw.chain.finality = plan.finality;
    raw.chain.max_reorg = plan.max_reorg;
    raw.chain.batch = 25;
    raw.chain.poll_ms = plan.poll_ms;
    raw.submit.max_fee_gwei = 1000.0;
    raw.submit.bump_after_s = plan.bump_after_s;
    Config::from_raw(raw).expect("a configuration")
}

impl Daemon {
    pub(super) fn new(index: usize, plan: &Plan, folder: &std::path::Path, epoch_ms: i64) -> Self {
        Self {
            index,
            life: 0,
            standing: Standing::Down,
            clock: Clock::manual(epoch_ms),
            config: config(plan),
            path: folder.join(format!("daemon-{index}.db")),
            task: None,
            store: Arc::default(),
        }
    }

    /// Starts its process.
    pub(super) fn start(&mut self, plan: &Plan, inbox: &mpsc::UnboundedSender<Wait>) {
        self.life += 1;
        self.standing = Standing::Running;
        let gate = Gate { daemon: self.index, life: self.life, inbox: inbox.clone() };
        let (config, clock, path, plan) = (self.config.clone(), self.clock.clone(), self.path.clone(), plan.clone());
        let slot = self.store.clone();
        self.task = Some(tokio::task::spawn_local(async move {
            let end = match live(&gate, config, clock, path, plan, slot).await {
                Ok(never) => match never {},
                Err(why) => why,
            };
            gate.pass(What::Ended(end)).await;
        }));
    }

    /// Cuts its power: nothing more of it runs, and nothing is in its store but what was committed.
    pub(super) async fn cut(&mut self) {
        if let Some(task) = self.task.take() {
            task.abort();
            let _ = task.await;
        }
        let store = self.store.lock().expect("no panic while it is held").take();
        if let Some(store) = store {
            store.close().await;
        }
        self.standing = Standing::Down;
    }

    /// Its store as long as it runs. Whoever uses it while the daemon is in the middle of a write waits for ever.
    pub(super) fn store(&self) -> Option<Store> {
        self.store.lock().expect("no panic while it is held").clone()
    }

    /// The store of a daemon that is dead.
    pub(super) async fn open(&self) -> Store {
        Store::open(&self.path).await.expect("the store opens").with_clock(self.clock.clone())
    }
}

/// A process from its start to its end.
async fn live(
    gate: &Gate,
    config: Config,
    clock: Clock,
    path: PathBuf,
    plan: Plan,
    slot: Arc<Mutex<Option<Store>>>,
) -> Result<std::convert::Infallible, String> {
    let hooked = gate.clone();
    let hook = CommitHook::new(move |moment| {
        let gate = hooked.clone();
        async move {
            gate.pass(What::Commit(moment)).await;
        }
    });
    let store = Store::open(&path).await.map_err(|e| e.to_string())?.with_clock(clock.clone()).with_hook(hook);
    *slot.lock().expect("no panic while it is held") = Some(store.clone());
    let wires = (0..plan.endpoints).map(|endpoint| SimWire::wire(endpoint, gate.clone())).collect();
    let policy = Policy {
        chain_id: Some(CHAIN),
        quorum: plan.quorum,
        max_lag: 5,
        probe: Duration::from_secs(15),
        patience: Duration::from_secs(10),
    };
    let client = Client::over(Endpoints::new(wires, policy, clock)).await.map_err(|e| e.to_string())?;
    let prover: Arc<dyn Prove> = Arc::new(StandIn::default());
    let clerk = Arc::new(Clerk::new(client.clone(), signer(), prover));
    let workshop = SimWorkshop::workshop(PLACES, gate.clone());
    let mut service = Service::start(config, client, key(), vec![clerk], store, workshop, service::log_only())
        .await
        .map_err(|e| e.to_string())?;
    let mut behind = false;
    loop {
        gate.pass(What::Idle { behind }).await;
        behind = service.turn().await.map_err(|e| e.to_string())?;
    }
}
