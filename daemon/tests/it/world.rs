//! A chain with an arena, a scripted opponent and a daemon that can be killed.

use std::{
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use alloy::sol_types::SolCall;
use shakmaty::{Chess, Color, Move, Position};
use tempfile::TempDir;
use tokio::{sync::watch, task::JoinHandle};
use zugzwang::{
    apps::{
        self, Ground,
        chess::{
            self, Terms,
            arena::{self, Arena, ArenaEvent},
        },
    },
    chain::{
        Client, Key, Wallet, bytecode,
        types::{Address, B256, Bytes, U256},
        watcher::found,
    },
    config::{Config, RawConfig, SubmitConfig},
    demo::anvil::Anvil,
    prover::{Facts, Models, Phase, Proof, Prove, ProveError},
    service::{Notice, Service, ServiceError},
    store::{Job, State, Store, StoreError},
};
use zugzwang_circuits::{graph::Tensor, schema::PackedBoard};
use zugzwang_contracts::ChessArena;

pub(crate) const MODEL: [u8; 32] = [0x5a; 32];

/// Plays the first legal move by index and "proves" it with the request's low half.
#[derive(Debug, Default)]
pub(crate) struct StandIn {
    pub(crate) delay: Duration,
    pub(crate) made: AtomicU64,
    /// The proof is about nothing.
    pub(crate) lies: bool,
}

impl Prove for StandIn {
    fn prove(&self, input: &Tensor, request: [u8; 32], on_phase: &dyn Fn(Phase)) -> Result<Proof, ProveError> {
        self.made.fetch_add(1, Ordering::SeqCst);
        on_phase("pretending");
        std::thread::sleep(self.delay);
        let board = PackedBoard::from_tensor(input).map_err(|e| ProveError::Circuit(e.to_string()))?;
        let position = chess::unpack(&board, Color::White).map_err(|e| ProveError::Circuit(e.to_string()))?;
        let mut ranking: Vec<usize> = (0..4672).filter(|i| chess::move_of_index(&position, *i).is_some()).collect();
        ranking.extend((0..4672).filter(|i| chess::move_of_index(&position, *i).is_none()).take(16));
        ranking.truncate(16);
        let mut packed = U256::ZERO;
        for (place, index) in ranking.iter().enumerate() {
            packed |= U256::from(*index) << (13 * place);
        }
        let mut instances = vec![[0u8; 32]; 7];
        instances[0][16..].copy_from_slice(&request[..16]);
        instances[1][16..].copy_from_slice(&request[16..]);
        instances[2] = packed.to_be_bytes();
        let bytes = if self.lies { vec![1; 32] } else { instances[1].to_vec() };
        Ok(Proof { bytes, instances, ranking })
    }

    fn verify(&self, _: &Proof) -> bool {
        true
    }

    fn model_id(&self) -> [u8; 32] {
        MODEL
    }

    fn solidity(&self) -> Result<String, ProveError> {
        Err(ProveError::Verifier("a stand-in has none".into()))
    }

    fn facts(&self) -> Facts {
        Facts::default()
    }

    fn example(&self, _: u64) -> Tensor {
        Tensor::default()
    }
}

/// A contract whose `verifyProof` says yes if the proof's first word is the second instance, and
/// whose `modelId` is [`MODEL`].
pub(crate) fn stand_in_verifier() -> Bytes {
    let mut code = vec![0x5f, 0x35, 0x60, 0xe0, 0x1c]; // selector
    code.push(0x63);
    code.extend(bytecode::model_id_selector());
    code.extend([0x14, 0x60, 0x1b, 0x57]); // modelId? jump
    code.extend([0x60, 0x64, 0x35, 0x60, 0xc4, 0x35, 0x14]); // proof[0] == instances[1]
    code.extend([0x5f, 0x52, 0x60, 0x20, 0x5f, 0xf3]); // return it
    code.extend([0x5b, 0x7f]);
    code.extend(MODEL);
    code.extend([0x5f, 0x52, 0x60, 0x20, 0x5f, 0xf3]);
    let mut init = vec![0x60, code.len() as u8, 0x80, 0x60, 0x09, 0x5f, 0x39, 0x5f, 0xf3];
    init.extend(code);
    init.into()
}

pub(crate) struct World {
    pub(crate) dir: TempDir,
    pub(crate) chain: Anvil,
    pub(crate) client: Client,
    pub(crate) arena: Arena,
    pub(crate) npc: Wallet,
    pub(crate) human: Wallet,
    pub(crate) offer: U256,
    /// What each side puts into a game.
    pub(crate) stake: U256,
    pub(crate) config: Config,
    key: Key,
}

/// A daemon that runs in the background.
pub(crate) struct Daemon {
    task: JoinHandle<Result<(), ServiceError>>,
    stop: watch::Sender<bool>,
    pub(crate) notices: Arc<Mutex<Vec<Notice>>>,
}

pub(crate) fn prices() -> SubmitConfig {
    SubmitConfig {
        max_fee: 1_000_000_000_000,
        max_priority: 1_000_000_000,
        bump_after: Duration::from_secs(60),
        bump_percent: 13,
        gas_margin_percent: 20,
    }
}

impl World {
    /// With the stand-in's verifier and without money.
    pub(crate) async fn new() -> Self {
        Self::with(stand_in_verifier(), MODEL, U256::ZERO).await
    }

    /// With any verifier's init code, and a stake in each game, which the host has to deposit.
    pub(crate) async fn with(verifier: Bytes, model: [u8; 32], stake: U256) -> Self {
        let chain = Anvil::start(None, &[]).await.expect("anvil");
        let client = Client::connect(&chain.url, Duration::from_secs(10)).await.expect("client");
        let dir = tempfile::tempdir().expect("folder");
        let key = Key::from_bytes(B256::repeat_byte(0x11)).expect("key");
        let human = Key::from_bytes(B256::repeat_byte(0x22)).expect("key");
        for account in [key.address(), human.address()] {
            client.raw("anvil_setBalance", serde_json::json!([account, U256::from(u128::MAX)])).await.expect("balance");
        }
        let npc = Wallet::new(client.clone(), key.clone(), prices());
        let human = Wallet::new(client.clone(), human, prices()).speaking(arena::words);
        let verifier = npc.deploy("verifier", verifier).await.expect("verifier").contract;
        let arena = npc.deploy("arena", bytecode::arena()).await.expect("arena").contract;
        let terms = Terms { verifier, model_id: model.into(), stake, move_time: 3600, max_games: 100 };
        let (offer, _) = npc.open_offer(arena, &terms).await.expect("offer");
        let config = config(&chain.url, arena, &dir);
        let arena = Arena::open(client.clone(), arena).await.expect("arena");
        Self { dir, chain, client, arena, npc, human, offer, stake, config, key }
    }

    /// The host puts its side of the stakes of so many games into the arena.
    pub(crate) async fn deposit(&self, games: u64) {
        let deposit = ChessArena::depositCall {}.abi_encode();
        let money = self.stake * U256::from(games);
        self.npc.call("deposit", self.arena.address(), deposit.into(), money).await.expect("deposit");
    }

    /// What an account can withdraw from the arena.
    pub(crate) async fn credit(&self, account: Address) -> U256 {
        self.arena.read(ChessArena::balanceOfCall { account }, "balanceOf", None).await.expect("balance")
    }

    /// A daemon that was killed within this process gives its store up when its last blocking call ends, which can take a
    /// while on a busy machine; that of a killed process is free at once.
    pub(crate) async fn start(&self, prover: Arc<StandIn>) -> Daemon {
        let mut patience = 200;
        loop {
            match self.try_start(prover.clone()).await {
                Err(ServiceError::Store(StoreError::InUse { .. })) if patience > 0 => patience -= 1,
                started => return started.expect("daemon"),
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    pub(crate) async fn try_start(&self, prover: Arc<StandIn>) -> Result<Daemon, ServiceError> {
        self.start_with(prover).await
    }

    pub(crate) async fn start_with(&self, prover: Arc<dyn Prove>) -> Result<Daemon, ServiceError> {
        let store = Store::open(&self.config.store).await?;
        let notices = Arc::new(Mutex::new(Vec::new()));
        let heard = notices.clone();
        let observer = Arc::new(move |notice: &Notice| heard.lock().expect("notices").push(notice.clone()));
        let config = &self.config;
        let ground = Ground {
            client: Client::connect_to(&config.chain.rpc, config.chain.chain_id, config.chain.timeout).await?,
            signer: self.key.address(),
            models: Models::of([prover]),
            store: store.clone(),
        };
        let apps = apps::open(config, &ground).await?;
        let service = Service::start(config.clone(), self.key.clone(), apps, store, observer).await?;
        let (stop, stopped) = watch::channel(false);
        Ok(Daemon { task: tokio::spawn(service.run(stopped)), stop, notices })
    }

    pub(crate) async fn new_game(&self, human_is_white: bool) -> U256 {
        self.human.create_game(self.arena.address(), self.offer, human_is_white, self.stake).await.expect("game").0
    }

    /// The human plays the move `nth` of its legal ones.
    pub(crate) async fn human_moves(&self, game: U256, nth: usize) {
        self.human_chooses(game, |position| {
            let legal = position.legal_moves();
            legal[nth % legal.len()]
        })
        .await;
    }

    /// The human plays what `choose` says; gives the position after it.
    pub(crate) async fn human_chooses(&self, game: U256, choose: impl FnOnce(&Chess) -> Move) -> Chess {
        let state = self.arena.game(game, None).await.expect("game");
        assert!(state.human_to_move, "not the human's turn at ply {}", state.ply);
        let color = if state.white_to_move() { Color::White } else { Color::Black };
        let mut position: Chess = chess::unpack(&state.board, color).expect("position");
        let m = choose(&position);
        self.human.play_human(self.arena.address(), game, state.ply, chess::word(m)).await.expect("human's move");
        position.play_unchecked(m);
        position
    }

    /// Waits until the game has so many half-moves.
    pub(crate) async fn reaches(&self, game: U256, ply: u64) {
        self.until(&format!("game {game} at ply {ply}"), async || {
            self.arena.game(game, None).await.is_ok_and(|g| g.ply >= ply)
        })
        .await;
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

    /// How many NPC moves the arena's events tell of, by (game, ply).
    pub(crate) async fn answers(&self) -> Vec<(U256, u64)> {
        let head = self.client.head().await.expect("head").block.number;
        let logs = self.client.logs_between(&[self.arena.address()], 0, head).await.expect("logs");
        found(logs)
            .filter_map(|found| match self.arena.event(&found.log).expect("event") {
                Some((game, ArenaEvent::NpcMoved { ply })) => Some((game, ply)),
                _ => None,
            })
            .collect()
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
}

fn config(url: &str, arena: Address, dir: &TempDir) -> Config {
    let mut raw = RawConfig::default();
    raw.chain.rpc = url.to_owned();
    raw.chess.arena = arena.to_string();
    raw.chain.confirmations = 0;
    raw.chain.finality = 2;
    raw.chain.poll_ms = 20;
    raw.submit.max_fee_gwei = 1000.0;
    raw.store.path = path(dir, "zugzwang.db");
    Config::from_raw(raw).expect("config")
}

fn path(dir: &TempDir, name: &str) -> String {
    let path: PathBuf = dir.path().join(name);
    path.display().to_string()
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
