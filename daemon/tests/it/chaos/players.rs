//! Humans who play short games to their ends, whatever becomes of the chain: they look at the board and do what is next.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use shakmaty::{Chess, Color};
use tokio::{
    sync::watch,
    task::JoinHandle,
    time::{Instant, sleep, timeout},
};
use zugzwang::{
    apps::chess::{self, Ending, arena::Arena},
    chain::{ChainError, Wallet, types::U256},
};

use super::House;

/// Games that the NPC's answers, always the same ones, lead to mate: the human's colour and moves.
const GAMES: [(Color, &[&str]); 3] = [
    (Color::White, &["f3", "g4", "h3"]),
    (Color::Black, &["e6", "Nf6", "Ne4", "Qh4", "Qxf2"]),
    (Color::White, &["Nf3", "Ne5", "e3", "Qh5", "Qxf7"]),
];

/// Longest wait for all games to come to their ends.
const PATIENCE: Duration = Duration::from_secs(420);

/// Several humans, each of whom plays one game after another.
pub(crate) struct Players {
    tasks: Vec<JoinHandle<BTreeSet<U256>>>,
    enough: watch::Sender<bool>,
}

impl Players {
    /// `tables` humans, who each play `games` games, or go on until [`Players::finish`] for `None`.
    pub(crate) async fn sit_down(house: &House, tables: u8, games: Option<usize>) -> Self {
        let (enough, stop) = watch::channel(false);
        let arena = Arc::new(house.arena.clone());
        let mut tasks = Vec::new();
        for table in 0..tables {
            let (human, arena, offer) = (house.human(table).await, arena.clone(), house.offer);
            let stop = stop.clone();
            tasks.push(tokio::spawn(async move {
                let mut played = Vec::new();
                while games.map_or(!*stop.borrow() || played.is_empty(), |games| played.len() < games) {
                    let script = GAMES[(usize::from(table) + played.len()) % GAMES.len()];
                    played.push((play(&human, &arena, offer, script).await, script));
                }
                // Ends may have been undone since.
                let mut games = BTreeSet::new();
                for (game, script) in played {
                    if settled(&human, &arena, game, script).await == Stands::Ended {
                        games.insert(game);
                    }
                }
                games
            }));
        }
        Self { tasks, enough }
    }

    /// Whether all have played all their games.
    pub(crate) fn are_done(&self) -> bool {
        self.tasks.iter().all(JoinHandle::is_finished)
    }

    /// Lets the games that run come to their ends; gives all that were played. `tend` is called all the while.
    pub(crate) async fn finish(self, mut tend: impl AsyncFnMut()) -> Vec<U256> {
        let _ = self.enough.send(true);
        let started = Instant::now();
        while !self.are_done() {
            assert!(started.elapsed() < PATIENCE, "games that don't come to their ends");
            tend().await;
            sleep(Duration::from_millis(50)).await;
        }
        let mut games = Vec::new();
        for task in self.tasks {
            games.extend(task.await.expect("a player"));
        }
        games
    }
}

/// How a game stands after a step.
#[derive(PartialEq)]
enum Stands {
    Runs,
    Ended,
    /// Its creation was undone.
    Gone,
}

/// One game, from its creation to the claim of mate. What fails is tried again: blocks may come and go.
async fn play(human: &Wallet, arena: &Arena, offer: U256, script: (Color, &[&str])) -> U256 {
    loop {
        let created = tried(human.create_game(arena.address(), offer, script.0 == Color::White, U256::ZERO)).await;
        let Ok((game, _)) = created else {
            sleep(Duration::from_millis(100)).await;
            continue;
        };
        if settled(human, arena, game, script).await == Stands::Ended {
            return game;
        }
    }
}

/// Plays on until the game is over, or gone.
async fn settled(human: &Wallet, arena: &Arena, game: U256, script: (Color, &[&str])) -> Stands {
    loop {
        match step(human, arena, game, script).await {
            Ok(Stands::Runs) | Err(Failed) => sleep(Duration::from_millis(40)).await,
            Ok(stands) => return stands,
        }
    }
}

/// Does what is next.
async fn step(human: &Wallet, arena: &Arena, game: U256, script: (Color, &[&str])) -> Result<Stands, Failed> {
    let (color, moves) = script;
    let state = match timeout(LONGEST, arena.game(game, None)).await {
        Ok(Ok(state)) => state,
        Ok(Err(ChainError::Reverts { .. })) => return Ok(Stands::Gone),
        _ => return Err(Failed),
    };
    if state.human != human.address() {
        return Ok(Stands::Gone);
    }
    if state.ended.is_some() {
        return Ok(Stands::Ended);
    }
    let played = usize::try_from(if color == Color::White { state.ply.div_ceil(2) } else { state.ply / 2 });
    let played = played.expect("a small number");
    if state.human_to_move && played < moves.len() {
        let position: Chess = chess::unpack(&state.board, color).expect("position");
        let chosen = chess::parse(&position, moves[played]).expect("a legal move");
        tried(human.play_human(arena.address(), game, state.ply, chess::word(chosen))).await?;
    } else if played == moves.len() {
        // Either side may be the mated one; until then the claim is refused.
        tried(human.end(arena.address(), game, Ending::Mate)).await?;
    }
    Ok(Stands::Runs)
}

/// It is tried again.
struct Failed;

/// Longest wait for a transaction: one that was undone meanwhile never comes.
const LONGEST: Duration = Duration::from_secs(5);

async fn tried<T>(what: impl Future<Output = Result<T, ChainError>>) -> Result<T, Failed> {
    timeout(LONGEST, what).await.map_err(|_| Failed)?.map_err(|_| Failed)
}
