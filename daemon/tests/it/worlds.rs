//! The World against the NPC, with real proofs: votes, rounds, a daemon that is killed between them, and what everybody gets.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use alloy::sol_types::SolEvent;
use shakmaty::{Chess, Position};
use zugzwang::{
    apps::{
        chess::{parse, word},
        world::{self, Terms, Vote},
    },
    chain::{
        Client, Wallet,
        types::{Address, B256, U256},
    },
    config::ModelConfig,
    demo::anvil::Anvil,
    files,
    prover::{self, Models, Source, verifier},
    service::Notice,
    store::State,
};
use zugzwang_contracts::WorldArena::{GameOver, NpcMoved, WorldMoved};

use crate::{
    process::{json, zugzwang},
    stage::{Daemon, Stage},
};

pub(crate) const WINDOW: u64 = 600;
pub(crate) const POT: u64 = 1_000_000;
const NPC_WON: u8 = 2;
const HUMAN_WON: u8 = 1;
const TIMEOUT: u8 = 4;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/chess-s")
}

/// An arena on a chain, and a model that plays in it.
pub(crate) struct Square {
    pub(crate) stage: Stage,
    arena: Address,
    pub(crate) verifier: Address,
    pub(crate) models: Models,
    model_id: B256,
    voters: Vec<Wallet>,
}

impl Square {
    pub(crate) async fn new() -> Self {
        let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache");
        let config = ModelConfig { dir: folder(), shape: String::new(), cache, srs: Source::BuiltIn };
        let prover = prover::load(&config, &|_| ()).expect("models/chess-s");
        let code = verifier::get(&folder(), prover.as_ref()).await.expect("npm ci in contracts/").bytecode;
        let deploy = async |_: &Client, npc: &Wallet| {
            let verifier = npc.deploy("verifier", code).await.expect("verifier").contract;
            let arena = npc.deploy("arena", world::creation_code()).await.expect("arena").contract;
            (verifier, arena)
        };
        let (stage, (verifier, arena)) = Stage::new(deploy, |(_, arena), raw| {
            raw.world.contract = arena.to_string();
            raw.model.dir = folder().display().to_string();
        })
        .await;
        let mut voters = Vec::new();
        for seed in 0x31..0x36 {
            voters.push(stage.account(seed).await.speaking(world::words));
        }
        let model_id = prover.model_id().into();
        Self { stage, arena, verifier, models: Models::of([prover]), model_id, voters }
    }

    async fn start(&self) -> Daemon {
        self.stage.start_with(&self.models).await
    }

    /// A game with a pot, in which the World has this colour. Its NPC has a day for each move.
    pub(crate) async fn open(&self, world_is_white: bool) -> U256 {
        let terms = Terms {
            verifier: self.verifier,
            model_id: self.model_id,
            world_is_white,
            window: WINDOW,
            move_time: 86_400,
            least_stake: U256::from(100),
        };
        self.stage.npc.open_world(self.arena, &terms, U256::from(POT)).await.expect("opened").0
    }

    pub(crate) async fn vote(&self, voter: usize, game: U256, ply: u64, word: u16, wei: u64) {
        let vote = Vote { ply, word };
        self.voters[voter].vote(self.arena, game, vote, U256::from(wei)).await.expect("a vote");
    }

    /// Events of one kind that the arena has emitted.
    async fn events<E: SolEvent>(&self) -> Vec<E> {
        let head = self.stage.client.head().await.expect("head").block.number;
        let logs = self.stage.client.logs_between(&[self.arena], 0, head).await.expect("logs");
        logs.iter().filter_map(|log| E::decode_log(&log.inner).ok()).map(|log| log.data).collect()
    }

    /// The plies that the NPC has answered in a game.
    async fn answers(&self, game: U256) -> Vec<u64> {
        let moves = self.events::<NpcMoved>().await;
        moves.iter().filter(|e| e.gameId == game).map(|e| e.ply.saturating_to()).collect()
    }

    async fn answered(&self, game: U256, ply: u64) {
        self.stage.until(&format!("ply {ply} of game {game}"), async || self.answers(game).await.contains(&ply)).await;
    }

    /// How a game ended, once it has.
    async fn ended(&self, game: U256) -> (u8, u8) {
        let mut end = None;
        self.stage
            .until(&format!("the end of game {game}"), async || {
                let ends = self.events::<GameOver>().await;
                end = ends.iter().find(|e| e.gameId == game).map(|e| (e.outcome, e.reason));
                end.is_some()
            })
            .await;
        end.expect("an end")
    }

    /// What a voter's votes bring now, in wei; `None` if they bring nothing.
    async fn claim(&self, voter: usize, game: U256, votes: &[Vote]) -> Option<u64> {
        let claimed = self.voters[voter].claim_votes(self.arena, game, votes).await.ok()?;
        Some(claimed.0.saturating_to())
    }
}

/// A move on a board, as arenas write moves.
pub(crate) fn move_of(position: &Chess, text: &str) -> u16 {
    word(parse(position, text).expect("a move"))
}

/// The position after the game's moves so far.
async fn position(square: &Square, game: U256) -> Chess {
    let mut moves: Vec<(u64, u16)> = Vec::new();
    let worlds = square.events::<WorldMoved>().await;
    moves.extend(worlds.iter().filter(|e| e.gameId == game).map(|e| (e.ply.saturating_to(), e.r#move.saturating_to())));
    let npcs = square.events::<NpcMoved>().await;
    moves.extend(npcs.iter().filter(|e| e.gameId == game).map(|e| (e.ply.saturating_to(), e.r#move.saturating_to())));
    moves.sort_unstable();
    let mut position = Chess::default();
    for (_, word) in moves {
        let chosen = zugzwang::apps::chess::from_word(&position, word).expect("legal");
        position = position.play(chosen).expect("legal");
    }
    position
}

/// Words of legal moves that have nothing to do with one another.
fn some_moves(position: &Chess) -> Vec<u16> {
    position.legal_moves().iter().map(|m| word(*m)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn five_voters_play_two_rounds_through_a_kill_and_are_paid() {
    let square = Square::new().await;
    let daemon = square.start().await;
    let game = square.open(true).await;
    let start = Chess::default();
    let (e4, d4, nf3) = (move_of(&start, "e4"), move_of(&start, "d4"), move_of(&start, "Nf3"));
    // d4 has fewer voters and more behind it.
    for (voter, word, wei) in [(0, e4, 1000), (1, e4, 1000), (2, d4, 2500), (3, e4, 400), (4, nf3, 100)] {
        square.vote(voter, game, 0, word, wei).await;
    }
    assert!(square.answers(game).await.is_empty(), "the window is open");
    // The daemon closes the round by the chain's clock, and answers.
    square.stage.later(WINDOW + 1).await;
    square.answered(game, 1).await;
    let worlds = square.events::<WorldMoved>().await;
    assert_eq!(worlds.iter().map(|e| (e.ply, e.r#move)).collect::<Vec<_>>(), [(U256::ZERO, U256::from(d4))]);
    // A stake on a move that wasn't played goes back while the game goes on; those that are in play stay.
    assert_eq!(square.claim(0, game, &[Vote { ply: 0, word: e4 }]).await, Some(1000));
    assert_eq!(square.claim(2, game, &[Vote { ply: 0, word: d4 }]).await, None);

    daemon.kill().await;
    let second = some_moves(&position(&square, game).await);
    for (voter, word, wei) in [(0, second[0], 300), (1, second[1], 200), (2, second[1], 200), (3, second[0], 100)] {
        square.vote(voter, game, 2, word, wei).await;
    }
    // Both have 400 now, and the second had them first.
    square.vote(4, game, 2, second[2], 100).await;
    square.stage.later(WINDOW + 1).await;
    let daemon = square.start().await;
    square.answered(game, 3).await;
    assert_eq!(square.events::<WorldMoved>().await[1].r#move, U256::from(second[1]));

    // Nobody votes: the World has lost, and the host gets the pot with what was in play.
    square.stage.later(WINDOW + 1).await;
    assert_eq!(square.ended(game).await, (NPC_WON, TIMEOUT));
    let told = || {
        let notices = daemon.notices.lock().expect("notices").clone();
        let mined = notices.iter().any(|n| matches!(n, Notice::Mined { round: 3, .. }));
        mined && notices.iter().filter(|n| matches!(n, Notice::Claimed { .. })).count() == 2
    };
    square.stage.until("the answer, the round's end and the claim are known", async || told()).await;
    daemon.stop().await.expect("clean stop");
    assert_eq!(square.answers(game).await, [1, 3], "one answer for each round");
    let jobs = square.stage.jobs().await;
    let done = jobs.iter().all(|job| matches!(job.state, State::Included | State::Final));
    let rounds: Vec<u64> = jobs.iter().map(|job| job.key.round).collect();
    assert!(rounds == [1, 3] && done, "{jobs:?}");
    // The pot, and 2500 and 400 that were in play.
    square.stage.npc.withdraw(square.arena, U256::from(POT + 2900)).await.expect("the host's");
    for (voter, ply, word, wei) in
        [(1, 0, e4, Some(1000)), (2, 0, d4, None), (3, 0, e4, Some(400)), (4, 0, nf3, Some(100))]
    {
        assert_eq!(square.claim(voter, game, &[Vote { ply, word }]).await, wei, "voter {voter}");
    }
    assert_eq!(square.claim(0, game, &[Vote { ply: 2, word: second[0] }]).await, Some(300));
    assert_eq!(square.claim(3, game, &[Vote { ply: 2, word: second[0] }]).await, Some(100));
    assert_eq!(square.claim(4, game, &[Vote { ply: 2, word: second[2] }]).await, Some(100));
    assert_eq!(square.claim(1, game, &[Vote { ply: 2, word: second[1] }]).await, None);
    // The arena keeps what the voters were credited, until they withdraw it, and nothing else.
    let left = [(0, 1300), (1, 1000), (3, 500), (4, 200)];
    let kept = square.stage.client.balance(square.arena).await.expect("balance");
    assert_eq!(kept, U256::from(left.iter().map(|(_, wei)| wei).sum::<u64>()));
    for (voter, wei) in left {
        square.voters[voter].withdraw(square.arena, U256::from(wei)).await.expect("paid");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_npc_loses_the_pot_to_the_voters() {
    let square = Square::new().await;
    let daemon = square.start().await;
    // The NPC begins, and the World answers.
    let game = square.open(false).await;
    square.answered(game, 0).await;
    let choice = some_moves(&position(&square, game).await)[0];
    square.vote(0, game, 1, choice, 3000).await;
    square.vote(1, game, 1, choice, 1000).await;
    daemon.kill().await;
    square.stage.later(WINDOW + 1).await;
    square.voters[0].close_round(square.arena, game, 1).await.expect("anybody closes");
    square.stage.later(86_401).await;
    square.voters[4].end(square.arena, game, zugzwang::apps::chess::Ending::Timeout).await.expect("anybody claims");
    assert_eq!(square.ended(game).await, (HUMAN_WON, TIMEOUT));
    let vote = [Vote { ply: 1, word: choice }];
    assert_eq!(square.claim(0, game, &vote).await, Some(3000 + POT * 3 / 4));
    assert_eq!(square.claim(1, game, &vote).await, Some(1000 + POT / 4));
    assert_eq!(square.claim(0, game, &vote).await, None, "once");
    // A daemon that comes too late has nothing to answer.
    let daemon = square.start().await;
    square
        .stage
        .until("the job is moot", async || {
            daemon.ends().iter().any(|(s, _)| *s == State::Moot || *s == State::Forfeited)
        })
        .await;
    daemon.stop().await.expect("clean stop");
    assert_eq!(square.answers(game).await, [0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn others_games_and_duties_that_are_switched_off_are_left_alone() {
    let mut square = Square::new().await;
    square.stage.config.world.as_mut().expect("world").close_rounds = false;
    let game = square.open(true).await;
    let e4 = move_of(&Chess::default(), "e4");
    square.vote(0, game, 0, e4, 1000).await;
    square.stage.later(WINDOW + 1).await;
    let daemon = square.start().await;
    tokio::time::sleep(Duration::from_millis(400)).await;
    assert!(square.events::<WorldMoved>().await.is_empty(), "closing is left to others");
    // Who closes it has the answer all the same.
    square.voters[0].close_round(square.arena, game, 0).await.expect("closed");
    square.answered(game, 1).await;
    daemon.stop().await.expect("clean stop");
    square.stage.config.world.as_mut().expect("world").host = square.voters[0].address();
    let other = square.open(false).await;
    let daemon = square.start().await;
    let hosted = |ends: Vec<(State, String)>| ends.iter().any(|(_, why)| why.contains("hosted by"));
    square.stage.until("the job is moot", async || hosted(daemon.ends())).await;
    daemon.stop().await.expect("clean stop");
    assert!(square.answers(other).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_world_is_deployed_with_its_first_game() {
    let chain = Anvil::start(None, &[]).await.expect("anvil");
    let client = Client::connect(&chain.url, Duration::from_secs(10)).await.expect("client");
    let dir = tempfile::tempdir().expect("folder");
    let path = |name: &str| dir.path().join(name).display().to_string();
    files::new_secret(&dir.path().join("password"), "secret\n").expect("write");
    let config = dir.path().join("zugzwang.toml");
    let base = format!(
        "[chain]\nrpc = {:?}\n[key]\nkeystore = {:?}\npassword_file = {:?}\n[store]\npath = {:?}\n",
        chain.url,
        path("key.json"),
        path("password"),
        path("z.db")
    );
    let model = format!("[model]\ndir = \"models/chess-s\"\ncache = {:?}\n", path("cache"));
    std::fs::write(&config, format!("{base}{model}")).expect("write");
    let operator = json(&config, &["key", "new"])["address"].as_str().expect("address").to_owned();
    client.raw("anvil_setBalance", serde_json::json!([operator, U256::from(u128::MAX)])).await.expect("balance");
    let deployed =
        json(&config, &["deploy", "world", "--black", "--window", "90", "--least-stake", "5", "--pot", "77"]);
    assert_eq!(deployed["game"], "1", "{deployed}");
    let address: Address = deployed["contracts"][0][1].as_str().expect("address").parse().expect("address");
    let arena = world::Arena::open(client.clone(), address).await.expect("an arena");
    let game = arena.game(U256::from(1), None).await.expect("a game");
    assert_eq!((game.pot, game.least_stake, game.window), (U256::from(77), U256::from(5), 90));
    assert!(!game.world_is_white && game.host.to_string() == operator);
    // A second game, on the same arena; and what was printed is a configuration.
    let contract = address.to_string();
    let second = json(&config, &["deploy", "world", "--contract", &contract]);
    assert_eq!((&second["game"], second["contracts"].as_array().map(Vec::len)), (&"2".into(), Some(0)), "{second}");
    let section = deployed["config"].as_str().expect("text").split("\n[model]").next().expect("a section").to_owned();
    std::fs::write(&config, format!("{base}{model}{section}")).expect("write");
    let checked = json(&config, &["check"]);
    assert_eq!(checked["contracts"].as_array().map(Vec::len), Some(1), "{checked}");
    // Terms that no game can have cost nothing.
    let refused = zugzwang(&config, &["deploy", "world", "--window", "0"]).output().expect("the binary");
    assert!(!refused.status.success() && String::from_utf8_lossy(&refused.stderr).contains("--window"));
}
