//! Many people look at one game: every one of them is told every move, and the daemon's memory is stated.
//!
//! 50 here; `ZUGZWANG_SPECTATORS=500` for more (`make spectators`).

use std::{collections::BTreeMap, time::Duration};

use serde_json::Value;
use shakmaty::{Chess, Color, Position};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    net::TcpStream,
    task::JoinSet,
};
use zugzwang::{
    apps::chess::{self, arena::Arena},
    chain::types::{Address, U256},
};

use crate::demo_web::Demo;

/// Moves of the human, each of which the NPC answers.
const MOVES: u64 = 4;
/// How long a spectator waits for the next line: more than keep-alives are apart.
const PATIENCE: Duration = Duration::from_secs(120);

/// Somebody who looks at a game.
struct Spectator {
    lines: Lines<BufReader<TcpStream>>,
    event: String,
    /// Each move as it was first told, by its half-move.
    moves: BTreeMap<u64, String>,
    /// Half-moves of the game objects, as they came.
    plies: Vec<u64>,
}

impl Spectator {
    /// Follows a game from now on, and has been told how it stands.
    async fn of(host: &str, game: U256) -> Self {
        let path = format!("/api/v1/chains/31337/games/{game}/stream");
        let mut stream = TcpStream::connect(host).await.expect("connection");
        let request = format!("GET {path} HTTP/1.1\r\nhost: {host}\r\naccept: text/event-stream\r\n\r\n");
        stream.write_all(request.as_bytes()).await.expect("request");
        let mut spectator = Self {
            lines: BufReader::new(stream).lines(),
            event: String::new(),
            moves: BTreeMap::new(),
            plies: Vec::new(),
        };
        let status = spectator.line().await;
        assert!(status.starts_with("HTTP/1.1 200"), "{status}");
        while spectator.plies.is_empty() {
            spectator.read().await;
        }
        spectator
    }

    async fn line(&mut self) -> String {
        let line = tokio::time::timeout(PATIENCE, self.lines.next_line()).await.expect("a line in time");
        line.expect("a connection").expect("a stream that goes on")
    }

    /// Reads one line.
    async fn read(&mut self) {
        let line = self.line().await;
        if let Some(event) = line.strip_prefix("event:") {
            event.trim().clone_into(&mut self.event);
        }
        let Some(data) = line.strip_prefix("data:").filter(|_| self.event == "game") else { return };
        let game: Value = serde_json::from_str(data.trim()).expect("JSON");
        self.plies.push(game["ply"].as_u64().expect("a number of half-moves"));
        for told in game["moves"].as_array().expect("moves") {
            let ply = told["ply"].as_u64().expect("a half-move");
            let uci = told["uci"].as_str().expect("a move").to_owned();
            let known = self.moves.entry(ply).or_insert_with(|| uci.clone());
            assert_eq!(*known, uci, "half-move {ply} was told otherwise before");
        }
    }

    /// Reads until the game has come so far.
    async fn until(mut self, ply: u64) -> Self {
        while self.plies.last().is_none_or(|last| *last < ply) {
            self.read().await;
        }
        self
    }
}

/// A process' resident memory now and at its most, in KiB.
fn memory(pid: u64) -> (u64, u64) {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("a process");
    let of = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("a line");
        line.trim().trim_end_matches(" kB").parse().expect("a number")
    };
    (of("VmRSS:"), of("VmHWM:"))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_spectator_is_told_every_move() {
    let wished = std::env::var("ZUGZWANG_SPECTATORS").ok();
    let many: usize = wished.map_or(50, |text| text.parse().expect("ZUGZWANG_SPECTATORS is a number"));
    let demo = Demo::start(&["--still"]);
    let pid = demo.ready["daemon"].as_u64().expect("a process");
    let (human, arena) = (demo.account().await, demo.address::<Address>("arena"));
    let (game, _) = human.create_game(arena, U256::from(1), true, U256::ZERO).await.expect("game");
    let arena = Arena::open(human.client.clone(), arena).await.expect("arena");
    // The prover has had its memory by then.
    play(&human, &arena, game, 0).await;
    let before = memory(pid);
    let mut arriving = JoinSet::new();
    for _ in 0..many {
        let host = demo.host().to_owned();
        arriving.spawn(async move { Spectator::of(&host, game).await });
    }
    let spectators = arriving.join_all().await;
    let listening = memory(pid);
    let mut watching = JoinSet::new();
    for spectator in spectators {
        watching.spawn(spectator.until(2 * MOVES));
    }
    for ply in (2..2 * MOVES).step_by(2) {
        play(&human, &arena, game, ply).await;
    }
    let told = watching.join_all().await;
    let after = memory(pid);
    assert_eq!(told.len(), many);
    let first = &told[0].moves;
    assert_eq!(first.keys().copied().collect::<Vec<_>>(), (0..2 * MOVES).collect::<Vec<_>>());
    for spectator in &told {
        assert_eq!(spectator.moves, *first, "all are told the same moves");
        assert!(spectator.plies.is_sorted(), "the game never goes back: {:?}", spectator.plies);
    }
    println!(
        "{many} spectators, {} moves each: the daemon's memory is {} KiB before they come, {} KiB with them, {} KiB after {} half-moves; at most {} KiB",
        first.len(),
        before.0,
        listening.0,
        after.0,
        2 * MOVES,
        after.1
    );
    demo.interrupt();
}

/// Plays the first legal move, and waits for the answer.
async fn play(human: &zugzwang::chain::Wallet, arena: &Arena, game: U256, ply: u64) {
    let view = arena.game(game, None).await.expect("game");
    let position =
        if ply == 0 { Chess::default() } else { chess::unpack(&view.board, Color::White).expect("position") };
    let word = chess::word(position.legal_moves()[0]);
    human.play_human(arena.address(), game, ply, word).await.expect("move");
    while arena.game(game, None).await.expect("game").ply < ply + 2 {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
