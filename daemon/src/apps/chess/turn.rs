//! What an NPC's turn asks, whichever arena keeps the game.

use std::sync::Arc;

use zugzwang_circuits::schema::PackedBoard;

use super::{
    super::{Question, Task, request_of},
    is_over,
};
use crate::{
    chain::types::{Address, B256},
    prover::{Models, Prove},
};

/// The place of the ranking among a chess proof's instances.
const RANKING: usize = 2;

/// A game as far as the NPC's turn goes.
#[derive(Clone, Copy, Debug)]
pub(in crate::apps) struct Turn<'a> {
    /// `None` while it runs, else how it ended.
    pub(in crate::apps) ended: Option<&'a str>,
    /// Half-moves played.
    pub(in crate::apps) ply: u64,
    /// Whether the NPC is to move.
    pub(in crate::apps) npc_to_move: bool,
    /// Whether White is to move.
    pub(in crate::apps) white_to_move: bool,
    /// The model that plays.
    pub(in crate::apps) model_id: B256,
    /// Who opened the game.
    pub(in crate::apps) host: Address,
    /// The position, seen from the side to move.
    pub(in crate::apps) board: &'a PackedBoard,
}

impl Turn<'_> {
    /// Whether the NPC is to make this half-move.
    pub(in crate::apps) fn asks(&self, ply: u64) -> bool {
        self.ended.is_none() && self.npc_to_move && self.ply == ply
    }

    /// The model that is to move now, or why nothing is to be proven for this half-move.
    pub(in crate::apps) fn prover<'m>(
        &self,
        ply: u64,
        host: Address,
        models: &'m Models,
    ) -> Result<&'m Arc<dyn Prove>, Question> {
        let nothing = |why: String| Err(Question::Nothing { why });
        if let Some(how) = self.ended {
            return nothing(how.to_owned());
        }
        if self.ply > ply {
            return nothing(format!("the game is at ply {} already", self.ply));
        }
        if !self.asks(ply) {
            return Err(Question::NotYet);
        }
        let Some(prover) = models.get(self.model_id.0) else {
            return nothing("the game is played by another model".into());
        };
        if self.host != host {
            return nothing(format!("the game is hosted by {}", self.host));
        }
        match is_over(self.board, self.white_to_move) {
            Ok(false) => Ok(prover),
            Ok(true) => nothing("the NPC has no legal move: the human may claim the end of the game".into()),
            Err(error) => nothing(error.to_string()),
        }
    }

    /// What is to be proven, given the instances that the arena will make.
    pub(in crate::apps) fn task(&self, prover: &Arc<dyn Prove>, instances: &[[u8; 32]; 7]) -> Task {
        Task {
            prover: prover.clone(),
            input: self.board.to_tensor(),
            request: request_of(&instances[0], &instances[1]),
            outputs: RANKING..RANKING + 1,
        }
    }
}
