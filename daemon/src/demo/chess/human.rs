//! The demo's human: a script, or a person at the keyboard.

use shakmaty::{Chess, Move, Position};
use tokio::io::{AsyncBufReadExt, BufReader, Lines, Stdin};

use super::{super::screen::Screen, player::Player};
use crate::apps::chess;

/// What the human wants to do.
#[derive(Clone, Copy, Debug)]
pub(super) enum Wish {
    /// Play a move.
    Play(Move),
    /// Claim a draw.
    Draw,
    /// Give up.
    Resign,
    /// Leave the demo.
    Leave,
}

/// Who chooses the human's moves.
pub(super) enum Human {
    /// A search with a seed.
    Script(Player),
    /// Lines of standard input.
    Keyboard(Lines<BufReader<Stdin>>),
}

impl Human {
    pub(super) fn scripted(seed: u64) -> Self {
        Self::Script(Player::new(seed))
    }

    pub(super) fn keyboard() -> Self {
        Self::Keyboard(BufReader::new(tokio::io::stdin()).lines())
    }

    /// The next move. A person is asked until the move is legal.
    pub(super) async fn choose(&mut self, position: &Chess, screen: &Screen) -> Wish {
        match self {
            Self::Script(player) => player.choose(position).map_or(Wish::Resign, Wish::Play),
            Self::Keyboard(lines) => loop {
                screen.ask(&format!("{} to move (SAN or UCI; draw, resign, quit): ", chess::side(position.turn())));
                let Ok(Some(line)) = lines.next_line().await else {
                    return Wish::Leave;
                };
                match line.trim() {
                    "" => {}
                    "quit" | "exit" => return Wish::Leave,
                    "resign" => return Wish::Resign,
                    "draw" => return Wish::Draw,
                    text => match chess::parse(position, text) {
                        Ok(m) => return Wish::Play(m),
                        Err(why) => screen.say(&format!("illegal: {why}")),
                    },
                }
            },
        }
    }
}
