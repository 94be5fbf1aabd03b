//! The World against the NPC: the arena asks for the NPC's move, a proven ranking answers; rounds whose window is over are
//! closed, and games are claimed in which nobody has voted in time.

mod clock;
mod contract;
mod players;
mod view;

pub use contract::{Arena, Game, Tally, WorldEvent, words};
pub use players::{Terms, Vote, creation_code};
pub(super) use view::routes;
pub use view::{TallyView, WindowView, WorldSummary, WorldView};

use self::clock::{Duties, Standing};
use super::{App, AppError, Async, Ground, Look, Next, Occurrence, Question, Reply, Told};
use crate::{
    chain::{
        ChainError,
        contract::Words,
        policy::Permit,
        types::{Address, Log, U256},
    },
    config::WorldConfig,
    prover::Models,
    store::{Answer, Job},
};

/// The app.
#[derive(Debug)]
pub struct World {
    arena: Arena,
    models: Models,
    signer: Address,
    /// Whose games are played.
    host: Address,
    duties: Duties,
    /// What was read for those who look on.
    read: view::Read,
}

impl World {
    /// Makes sure that there is an arena.
    pub async fn open(config: &WorldConfig, ground: &Ground) -> Result<Self, ChainError> {
        Ok(Self {
            arena: Arena::open(ground.client.clone(), config.contract).await?,
            models: ground.models.clone(),
            signer: ground.signer,
            host: if config.host.is_zero() { ground.signer } else { config.host },
            duties: Duties { close: config.close_rounds, claim: config.timeouts },
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

    /// How a game stands now, with its ply; `None` if its opening was undone.
    async fn standing(&self, game: U256) -> Result<Option<(Standing, u64)>, ChainError> {
        let state = match self.arena.game(game, None).await {
            Err(ChainError::Reverts { .. }) => return Ok(None),
            read => read?,
        };
        let standing = Standing {
            ended: state.ended.is_some(),
            ours: state.host == self.host,
            world_to_move: state.world_to_move,
            voted: !state.leading.is_zero(),
            deadline: state.deadline,
        };
        Ok(Some((standing, state.ply)))
    }

    async fn look_at(&self, game: U256, sent: bool, now: u64) -> Result<Look, AppError> {
        // If a game is opened again, that event asks for a look.
        let Some((standing, ply)) = self.standing(game).await? else { return Ok(Look::Never) };
        let again = clock::later(now);
        Ok(match clock::look(&standing, self.duties, sent, now) {
            clock::Look::Never => Look::Never,
            clock::Look::At(time) => Look::At(time),
            clock::Look::Close => {
                Look::Send { call: self.arena.close_round(game, ply), what: "the end of a round of votes", again }
            }
            clock::Look::Claim => {
                Look::Send { call: self.arena.claim_timeout(game), what: "the claim of a window without votes", again }
            }
        })
    }
}

impl App for World {
    fn name(&self) -> &'static str {
        "world"
    }

    fn contract(&self) -> Address {
        self.arena.address()
    }

    fn read(&self, log: &Log) -> Result<Option<Told>, ChainError> {
        Ok(self.arena.event(log)?.and_then(|(subject, event)| {
            let (what, look) = match event {
                WorldEvent::Opened { npc_is_white: true } => (Some(Occurrence::Asked { round: 0 }), Next::Now),
                WorldEvent::Opened { npc_is_white: false } => (None, Next::Now),
                // A look at the end that was known before finds the new one.
                WorldEvent::Voted { .. } => return None,
                WorldEvent::Moved { ply } => (Some(Occurrence::Asked { round: ply.saturating_add(1) }), Next::AsBefore),
                WorldEvent::NpcMoved { ply } => (Some(Occurrence::Answered { round: ply }), Next::Now),
                WorldEvent::Over { forfeited, how } => (Some(Occurrence::Over { forfeited, how }), Next::Never),
            };
            Some(Told { subject, what, look, bulletin: None })
        }))
    }

    fn question<'a>(&'a self, job: &'a Job) -> Async<'a, Result<Question, AppError>> {
        Box::pin(self.asked(job.key.subject, job.key.round))
    }

    fn is_asked<'a>(&'a self, job: &'a Job) -> Async<'a, Result<bool, AppError>> {
        Box::pin(async { Ok(self.arena.game(job.key.subject, None).await?.turn().asks(job.key.round)) })
    }

    fn reply<'a>(&'a self, job: &'a Job, answer: &'a Answer) -> Async<'a, Result<Reply, AppError>> {
        let ranking = answer.outputs.first().copied().unwrap_or_default();
        let call = self.arena.play_npc(job.key.subject, job.key.round, ranking, answer.proof.clone());
        Box::pin(async { Ok(Reply::Send(call)) })
    }

    fn words(&self) -> Words {
        words
    }

    fn permits(&self) -> Vec<Permit> {
        contract::permits()
    }

    fn is_forfeited(&self, words: &str) -> bool {
        super::chess::arena::is_time_up(words)
    }

    fn looks(&self) -> bool {
        self.duties.close || self.duties.claim
    }

    fn look<'a>(&'a self, game: U256, sent: bool, now: u64) -> Async<'a, Result<Look, AppError>> {
        Box::pin(self.look_at(game, sent, now))
    }

    fn holds(&self, game: U256) -> Async<'_, Result<bool, AppError>> {
        Box::pin(async move {
            let now = self.arena.client().head().await?.timestamp;
            Ok(self.standing(game).await?.is_some_and(|(standing, _)| clock::holds(&standing, now)))
        })
    }
}
