//! Chess: the arena asks for the NPC's move, a proven ranking answers; games that their human left are claimed.

pub mod arena;
mod board;
pub mod clock;
mod players;
pub(super) mod record;
pub(super) mod routes;
pub(super) mod turn;
pub(super) mod view;

pub use board::*;
pub use players::{Ending, Terms};
pub(super) use routes::routes;
pub use view::{GameSummary, GameView, MoveProof, MoveView, Mover, OfferView, RankedMove};

use self::{
    arena::{Arena, ArenaEvent},
    clock::Standing,
};
use super::{App, AppError, Async, Ground, Look, Next, Occurrence, Question, Reply, Told};
use crate::{
    chain::{
        ChainError,
        contract::Words,
        policy::Permit,
        types::{Address, Log, U256},
    },
    config::ChessConfig,
    prover::Models,
    store::{Answer, Job},
};

/// The app.
#[derive(Debug)]
pub struct Chess {
    arena: Arena,
    models: Models,
    signer: Address,
    /// Whose games are played.
    host: Address,
    /// Whether lost time is claimed.
    timeouts: bool,
    /// What was read for those who look on.
    read: view::Read,
}

impl Chess {
    /// Makes sure that there is an arena.
    pub async fn open(config: &ChessConfig, ground: &Ground) -> Result<Self, ChainError> {
        Ok(Self {
            arena: Arena::open(ground.client.clone(), config.arena).await?,
            models: ground.models.clone(),
            signer: ground.signer,
            host: if config.host.is_zero() { ground.signer } else { config.host },
            timeouts: config.timeouts,
            read: view::Read::default(),
        })
    }

    async fn asked(&self, game: U256, ply: u64) -> Result<Question, AppError> {
        let state = self.arena.game(game, None).await?;
        let turn = state.turn();
        match turn.prover(ply, self.host, &self.models) {
            Ok(prover) => Ok(Question::Prove(turn.task(prover, &self.arena.instances(game, self.signer).await?))),
            Err(question) => Ok(question),
        }
    }

    /// How a game stands now; `None` if its creation was undone.
    async fn standing(&self, game: U256, claimed: bool) -> Result<Option<Standing>, ChainError> {
        let state = match self.arena.game(game, None).await {
            Err(ChainError::Reverts { .. }) => return Ok(None),
            read => read?,
        };
        Ok(Some(Standing {
            ended: state.ended.is_some(),
            ours: state.host == self.host,
            human_to_move: state.human_to_move,
            deadline: state.deadline,
            claimed,
        }))
    }
}

impl App for Chess {
    fn name(&self) -> &'static str {
        "chess"
    }

    fn contract(&self) -> Address {
        self.arena.address()
    }

    fn read(&self, log: &Log) -> Result<Option<Told>, ChainError> {
        Ok(self.arena.event(log)?.map(|(game, event)| {
            let (what, look) = match event {
                ArenaEvent::Created { npc_is_white: true } => (Some(Occurrence::Asked { round: 0 }), Next::Now),
                ArenaEvent::Created { npc_is_white: false } => (None, Next::Now),
                // The NPC's answer is what sets the human's clock going again.
                ArenaEvent::HumanMoved { ply } => {
                    (Some(Occurrence::Asked { round: ply.saturating_add(1) }), Next::AsBefore)
                }
                ArenaEvent::NpcMoved { ply } => (Some(Occurrence::Answered { round: ply }), Next::Now),
                ArenaEvent::Over { forfeited, how } => (Some(Occurrence::Over { forfeited, how }), Next::Never),
            };
            Told { subject: game, what, look, bulletin: None }
        }))
    }

    fn question<'a>(&'a self, job: &'a Job) -> Async<'a, Result<Question, AppError>> {
        Box::pin(self.asked(job.key.subject, job.key.round))
    }

    fn is_asked<'a>(&'a self, job: &'a Job) -> Async<'a, Result<bool, AppError>> {
        Box::pin(async { Ok(self.arena.game(job.key.subject, None).await?.asks(job.key.round)) })
    }

    fn reply<'a>(&'a self, job: &'a Job, answer: &'a Answer) -> Async<'a, Result<Reply, AppError>> {
        let ranking = answer.outputs.first().copied().unwrap_or_default();
        let call = self.arena.play_npc(job.key.subject, job.key.round, ranking, answer.proof.clone());
        Box::pin(async { Ok(Reply::Send(call)) })
    }

    fn words(&self) -> Words {
        arena::words
    }

    fn permits(&self) -> Vec<Permit> {
        arena::permits()
    }

    fn is_forfeited(&self, words: &str) -> bool {
        arena::is_time_up(words)
    }

    fn looks(&self) -> bool {
        self.timeouts
    }

    fn look<'a>(&'a self, game: U256, claimed: bool, now: u64) -> Async<'a, Result<Look, AppError>> {
        Box::pin(async move {
            // If a game is created again, that event asks for a look.
            let Some(standing) = self.standing(game, claimed).await? else { return Ok(Look::Never) };
            Ok(match clock::look(&standing, now) {
                clock::Look::Never => Look::Never,
                clock::Look::At(time) => Look::At(time),
                clock::Look::Claim => Look::Send {
                    call: self.arena.claim_timeout(game),
                    what: "the claim of a human's lost time",
                    again: clock::later(now),
                },
            })
        })
    }

    fn holds(&self, game: U256) -> Async<'_, Result<bool, AppError>> {
        Box::pin(async move { Ok(self.standing(game, true).await?.is_some_and(|standing| clock::holds(&standing))) })
    }
}
