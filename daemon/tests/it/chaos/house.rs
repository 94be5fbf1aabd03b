//! An arena with chess-s' real verifier on a local chain, and configurations for daemons that play there.

use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};

use serde_json::json;
use tempfile::TempDir;
use tokio::{sync::Mutex, task::JoinHandle};
use zugzwang::{
    apps::chess::arena::{self, Arena},
    chain::{
        Client, Key, Wallet,
        types::{Address, B256, U256},
    },
    demo::anvil::Anvil,
};

use crate::{
    process::{json, zugzwang},
    world::prices,
};

/// The shape in which chess-s is proven fastest.
const SHAPE: &str = "2,1,14";
/// Longer than anvil takes for a block.
const SETTLES: Duration = Duration::from_millis(100);

pub(crate) struct House {
    pub(crate) dir: TempDir,
    pub(crate) chain: Anvil,
    pub(crate) client: Client,
    pub(crate) npc: Address,
    pub(crate) arena: Arena,
    pub(crate) offer: U256,
    /// The NPC's nonce before it plays.
    pub(crate) before: u64,
    /// Held by whoever makes blocks: the local chain loses some if two do it at once.
    mining: Arc<Mutex<()>>,
    miner: JoinHandle<()>,
}

impl Drop for House {
    fn drop(&mut self) {
        self.miner.abort();
    }
}

impl House {
    /// Deploys as an operator does. The chain mines each transaction at once, and a block each quarter of a second besides.
    pub(crate) async fn new() -> Self {
        let dir = tempfile::tempdir().expect("folder");
        let chain = Anvil::start(None, &[]).await.expect("anvil");
        let client = Client::connect(&chain.url, Duration::from_secs(10)).await.expect("client");
        zugzwang::files::new_secret(&dir.path().join("password"), "correct horse\n").expect("write");
        let config = write(dir.path(), "deploy", &format!("[chain]\nrpc = \"{}\"\n", chain.url), "deploy.db");
        let npc = json(&config, &["key", "new"])["address"].as_str().expect("address").parse().expect("address");
        rich(&client, npc).await;
        let deployed = json(&config, &["deploy"]);
        let text = |key: &str| deployed[key].as_str().expect("a text").to_owned();
        let arena = Arena::open(client.clone(), text("arena").parse().expect("address")).await.expect("arena");
        // Nothing that is undone later reaches down to the arena's own blocks.
        client.raw("anvil_mine", json!([20])).await.expect("mine");
        let before = client.nonce(npc).await.expect("nonce");
        let (ticking, mining) = (client.clone(), Arc::new(Mutex::new(())));
        let held = mining.clone();
        let miner = tokio::spawn(async move {
            loop {
                tokio::time::sleep(Duration::from_millis(250)).await;
                let _mining = held.lock().await;
                let _ = ticking.raw("anvil_mine", json!([1])).await;
            }
        });
        let offer = text("offer").parse().expect("number");
        Self { dir, chain, client, npc, arena, offer, before, mining, miner }
    }

    /// A configuration by its name, which is its store's, too. `chain` holds more keys of that section.
    pub(crate) fn config(&self, name: &str, rpc: &str, chain: &str) -> PathBuf {
        self.config_with_store(name, rpc, chain, &format!("{name}.db"))
    }

    pub(crate) fn config_with_store(&self, name: &str, rpc: &str, chain: &str, store: &str) -> PathBuf {
        let arena = self.arena.address();
        let sections =
            format!("[chess]\narena = \"{arena}\"\n[chain]\nrpc = \"{rpc}\"\npoll_ms = 50\nfinality = 6\n{chain}\n");
        write(self.dir.path(), name, &sections, store)
    }

    /// The store of a configuration.
    pub(crate) fn store(&self, name: &str) -> PathBuf {
        self.dir.path().join(format!("{name}.db"))
    }

    /// An account with money; the same number gives the same account.
    pub(crate) async fn human(&self, number: u8) -> Wallet {
        let key = Key::from_bytes(B256::repeat_byte(0x40 + number)).expect("key");
        rich(&self.client, key.address()).await;
        Wallet::new(self.client.clone(), key, prices()).speaking(arena::words)
    }

    /// Replaces the last `depth` blocks by empty ones; what was in them is lost.
    pub(crate) async fn reorganise(&self, depth: u64) {
        let _mining = self.mining.lock().await;
        let ask = async |method, value| self.client.raw(method, value).await.expect("an answer");
        ask("evm_setAutomine", json!([false])).await;
        // A transaction that anvil mines at the same moment can leave it without some of the new blocks, for good.
        tokio::time::sleep(SETTLES).await;
        let mut deep = depth;
        loop {
            ask("anvil_reorg", json!([deep, []])).await;
            if self.has_newest(deep).await {
                break;
            }
            deep += 1;
        }
        ask("evm_setAutomine", json!([true])).await;
        ask("anvil_mine", json!([1])).await;
    }

    /// Whether the node has so many blocks below its head.
    async fn has_newest(&self, count: u64) -> bool {
        let head = self.client.head().await.expect("head").block.number;
        for number in head + 1 - count..=head {
            if self.client.block(number).await.expect("an answer").is_none() {
                return false;
            }
        }
        true
    }

    pub(crate) async fn nonce(&self) -> u64 {
        self.client.nonce(self.npc).await.expect("nonce")
    }
}

async fn rich(client: &Client, account: Address) {
    client.raw("anvil_setBalance", json!([account, U256::from(u128::MAX)])).await.expect("balance");
}

fn write(dir: &Path, name: &str, sections: &str, store: &str) -> PathBuf {
    // Where the tests over several crates keep their keys, too.
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("zugzwang-cache");
    let (cache, dir_shown, file) = (cache.display(), dir.display(), dir.join(format!("{name}.toml")));
    let text = format!(
        "{sections}[model]\ndir = \"models/chess-s\"\nshape = \"{SHAPE}\"\ncache = \"{cache}\"\n\
         [key]\nkeystore = \"{dir_shown}/key.json\"\npassword_file = \"{dir_shown}/password\"\n\
         [store]\npath = \"{dir_shown}/{store}\"\n"
    );
    std::fs::write(&file, text).expect("write");
    file
}

/// A daemon as a process, started again whenever it ends by itself, as systemd would.
pub(crate) struct Kept {
    config: PathBuf,
    child: Child,
    /// Bytes of its log before it was started.
    begun: u64,
    /// How it ended each time: exit code and last line.
    pub(crate) ends: Vec<(Option<i32>, String)>,
}

impl Kept {
    pub(crate) fn start(config: &Path) -> Self {
        let begun = std::fs::metadata(log_of(config)).map_or(0, |log| log.len());
        Self { config: config.to_owned(), child: spawn(zugzwang(config, &["run"]), config), begun, ends: Vec::new() }
    }

    /// One that runs already.
    pub(crate) fn of(config: &Path, child: Child) -> Self {
        Self { config: config.to_owned(), child, begun: 0, ends: Vec::new() }
    }

    /// What it has logged since its first start here.
    pub(crate) fn said(&self) -> String {
        let said = std::fs::read(log_of(&self.config)).unwrap_or_default();
        String::from_utf8_lossy(said.get(self.begun as usize..).unwrap_or_default()).into_owned()
    }

    /// Starts it again if it has ended; says whether it had.
    pub(crate) fn look(&mut self) -> bool {
        let Some(status) = self.child.try_wait().expect("a child") else { return false };
        let last = self.said().lines().last().unwrap_or_default().to_owned();
        self.ends.push((status.code(), last));
        self.child = spawn(zugzwang(&self.config, &["run"]), &self.config);
        true
    }

    /// Its process id.
    pub(crate) fn process(&self) -> u32 {
        self.child.id()
    }

    /// SIGKILL.
    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("kill");
        self.child.wait().expect("wait");
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn log_of(config: &Path) -> PathBuf {
    config.with_extension("log")
}

/// Its words go into a file beside the configuration, which grows with each start.
pub(crate) fn spawn(mut command: Command, config: &Path) -> Child {
    let log = std::fs::OpenOptions::new().create(true).append(true).open(log_of(config)).expect("log");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().expect("the daemon")
}
