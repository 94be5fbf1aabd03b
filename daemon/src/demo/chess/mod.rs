//! A whole game on a real local chain: anvil, contracts, the daemon as it is, and a human, scripted
//! or at the keyboard.

mod human;
pub(super) mod player;
mod table;

use std::{path::PathBuf, sync::Arc, time::Instant};

use serde::Serialize;
use shakmaty::{Chess, Color, Move, Position};

use self::{
    human::{Human, Wish},
    table::Table,
};
use super::{
    DemoError,
    screen::Screen,
    stand::{Daemon, Stand},
};
use crate::{
    apps::chess::{self, Ending},
    chain::types::{Bytes, U256},
    prover::{Models, Prove},
    service::Notice,
    store::State,
};

/// How the demo is played.
#[derive(Clone, Debug)]
pub struct Options {
    /// A person types the human's moves.
    pub interactive: bool,
    /// The human plays Black.
    pub black: bool,
    /// Stop after this many NPC moves.
    pub moves: Option<u64>,
    /// Taste of the scripted human.
    pub seed: u64,
    /// The anvil binary, where it isn't found by itself.
    pub anvil: Option<PathBuf>,
    /// Where the demo's store and key go; a temporary folder if not set.
    pub dir: Option<PathBuf>,
    /// Nothing but the result is printed.
    pub quiet: bool,
}

/// What is deployed.
#[derive(Clone, Debug)]
pub struct Code {
    /// Init code of the arena.
    pub arena: Bytes,
    /// Init code of the model's verifier.
    pub verifier: Bytes,
}

/// One NPC move.
#[derive(Clone, Debug, Serialize)]
pub struct NpcMove {
    /// Half-move, from 0.
    pub ply: u64,
    /// In standard notation.
    pub san: String,
    /// Seconds that the proof took, inference and check included.
    pub prove_s: f64,
    /// Seconds from the question's block to the answer's.
    pub answer_s: f64,
    /// Gas of the whole transaction.
    pub gas: u64,
    /// The transaction.
    pub transaction: String,
}

/// A demo's outcome.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// How the game ended, or that it was stopped.
    pub result: String,
    /// Half-moves played.
    pub plies: u64,
    /// All moves in standard notation.
    pub game: String,
    /// The NPC's moves.
    pub npc_moves: Vec<NpcMove>,
    /// Median proof time in seconds.
    pub prove_s: f64,
    /// Median gas of an NPC move.
    pub gas: u64,
}

/// Plies after which the scripted human gives up a game without end.
const LONG_GAME: u64 = 240;

/// Runs a demo to its end.
pub async fn play(options: Options, prover: Arc<dyn Prove>, code: Code) -> Result<Summary, DemoError> {
    Stand::with(options.anvil.as_deref(), options.dir.clone(), options.quiet, async |stand, screen| {
        let table = Table::set(&options, screen, stand, prover.model_id(), code).await?;
        let daemon = stand.run(table.config.clone(), Models::of([prover])).await?;
        Game::new(&options, screen, &table, daemon).play().await
    })
    .await
}

struct Game<'a> {
    options: &'a Options,
    screen: &'a Screen,
    table: &'a Table,
    daemon: Daemon,
    human: Human,
    colour: Color,
    position: Chess,
    sans: Vec<String>,
    answers: Vec<NpcMove>,
}

impl<'a> Game<'a> {
    fn new(options: &'a Options, screen: &'a Screen, table: &'a Table, daemon: Daemon) -> Self {
        let human = if options.interactive { Human::keyboard() } else { Human::scripted(options.seed) };
        let colour = if options.black { Color::Black } else { Color::White };
        Self {
            options,
            screen,
            table,
            daemon,
            human,
            colour,
            position: Chess::default(),
            sans: Vec::new(),
            answers: Vec::new(),
        }
    }

    async fn play(mut self) -> Result<Summary, DemoError> {
        let (wallet, arena) = (&self.table.human, self.table.arena.address());
        let (id, created) =
            wallet.create_game(arena, self.table.offer, self.colour == Color::White, U256::ZERO).await?;
        self.screen.say(&format!("game {id}:      created in transaction {}\n", created.hash));
        self.screen.board(&chess::draw(&self.position, self.colour, None));
        let mut ply = 0u64;
        let mut asked = Instant::now();
        let result = loop {
            if let Some(ending) = claim(&self.position) {
                wallet.end(arena, id, ending).await?;
                break self.outcome(id).await?;
            }
            if let Some(how) = self.table.arena.game(id, None).await?.ended {
                break how;
            }
            if self.position.turn() == self.colour {
                let wish = match (self.options.interactive, self.position.halfmoves(), ply) {
                    (false, 100.., _) => Wish::Draw,
                    (false, _, LONG_GAME..) => Wish::Resign,
                    _ => self.human.choose(&self.position, self.screen).await,
                };
                match wish {
                    Wish::Play(m) => {
                        let receipt = wallet.play_human(arena, id, ply, chess::word(m)).await?;
                        self.screen.say(&format!(
                            "{} {}   (human, transaction {})",
                            number(ply),
                            chess::san(&self.position, m),
                            receipt.hash
                        ));
                        self.advance(m);
                        asked = Instant::now();
                        ply += 1;
                    }
                    Wish::Draw => match wallet.end(arena, id, Ending::Draw).await {
                        Ok(_) => break self.outcome(id).await?,
                        Err(error) => self.screen.say(&format!("no draw: {error}")),
                    },
                    Wish::Resign => {
                        wallet.end(arena, id, Ending::Resign).await?;
                        break self.outcome(id).await?;
                    }
                    Wish::Leave => break "stopped by the player".to_owned(),
                }
                continue;
            }
            let Some(m) = self.answer(id, ply, asked).await? else {
                continue;
            };
            self.advance(m);
            self.screen.board(&chess::draw(&self.position, self.colour, Some(m)));
            ply += 1;
            if self.options.moves.is_some_and(|most| self.answers.len() as u64 >= most) {
                break format!("stopped after {} NPC moves", self.answers.len());
            }
        };
        Ok(self.summary(result, ply))
    }

    fn advance(&mut self, m: Move) {
        self.sans.push(chess::san(&self.position, m));
        self.position.play_unchecked(m);
    }

    async fn outcome(&self, id: U256) -> Result<String, DemoError> {
        Ok(self.table.arena.game(id, None).await?.ended.unwrap_or_else(|| "still running".into()))
    }

    /// Waits for the NPC's move; `None` if the game ended with it.
    async fn answer(&mut self, id: U256, ply: u64, asked: Instant) -> Result<Option<Move>, DemoError> {
        let waiting = self.screen.wait(&format!("{} NPC: sees the move", number(ply)));
        let mut proved_ms = 0;
        loop {
            match self.daemon.heard().await? {
                Notice::Asked { subject, round } if (subject.id, round) == (id, ply) => {
                    waiting.phase("reads the board")
                }
                Notice::Proving { subject, round, phase } if (subject.id, round) == (id, ply) => {
                    waiting.phase(&format!("proves: {phase}"))
                }
                Notice::Proved { subject, round, ms, .. } if (subject.id, round) == (id, ply) => {
                    proved_ms = ms;
                    waiting.phase("simulates and submits");
                }
                Notice::Signed { subject, round, .. } if (subject.id, round) == (id, ply) => {
                    waiting.phase("waits for the block")
                }
                Notice::Mined { subject, round, hash, gas, .. } if (subject.id, round) == (id, ply) => {
                    drop(waiting);
                    let answer_s = asked.elapsed().as_secs_f64();
                    let Some(word) = self.table.arena.npc_move_in(hash).await? else {
                        return Ok(None);
                    };
                    let m = chess::from_word(&self.position, word)?;
                    let made = NpcMove {
                        ply,
                        san: chess::san(&self.position, m),
                        prove_s: proved_ms as f64 / 1000.0,
                        answer_s,
                        gas,
                        transaction: hash.to_string(),
                    };
                    self.screen.say(&format!(
                        "{} {}   (NPC, proved in {:.2} s, answered in {:.2} s, {} gas, transaction {})",
                        number(ply),
                        made.san,
                        made.prove_s,
                        made.answer_s,
                        made.gas,
                        made.transaction
                    ));
                    self.answers.push(made);
                    return Ok(Some(m));
                }
                Notice::Ended { subject, round, state, why } if (subject.id, round) == (id, ply) => {
                    let ended = self.table.arena.game(id, None).await?.ended.is_some();
                    if state == State::Failed || !ended {
                        return Err(DemoError::NoAnswer { what: format!("at ply {ply}"), why });
                    }
                    return Ok(None);
                }
                Notice::Trouble { what, .. } => self.screen.say(&format!("trouble: {what}")),
                _ => {}
            }
        }
    }

    fn summary(self, result: String, plies: u64) -> Summary {
        let mut game = String::new();
        for (ply, san) in self.sans.iter().enumerate() {
            if ply % 2 == 0 {
                game.push_str(&format!("{}. ", ply / 2 + 1));
            }
            game.push_str(san);
            game.push(' ');
        }
        let mut times: Vec<f64> = self.answers.iter().map(|m| m.prove_s).collect();
        times.sort_by(f64::total_cmp);
        let mut gas: Vec<u64> = self.answers.iter().map(|m| m.gas).collect();
        gas.sort_unstable();
        let summary = Summary {
            result,
            plies,
            game: game.trim_end().to_owned(),
            prove_s: times.get(times.len() / 2).copied().unwrap_or_default(),
            gas: gas.get(gas.len() / 2).copied().unwrap_or_default(),
            npc_moves: self.answers,
        };
        self.screen.say(&format!(
            "\nresult: {}\n{}\n{} NPC moves, each proven and verified on chain; median proof {:.2} s, median gas {}",
            summary.result,
            summary.game,
            summary.npc_moves.len(),
            summary.prove_s,
            summary.gas
        ));
        summary
    }
}

/// How the arena can be told that a position is the end.
fn claim(position: &Chess) -> Option<Ending> {
    if position.is_checkmate() {
        Some(Ending::Mate)
    } else if position.is_stalemate() {
        Some(Ending::Stalemate)
    } else if position.is_insufficient_material() {
        Some(Ending::Draw)
    } else {
        None
    }
}

fn number(ply: u64) -> String {
    format!("{}{}", ply / 2 + 1, if ply.is_multiple_of(2) { ".  " } else { "..." })
}
