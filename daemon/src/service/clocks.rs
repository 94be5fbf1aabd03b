//! Looks after the clocks of running games: what the engine decides of a game is read, claimed and stored here.

use super::{Notice, Service, ServiceError};
use crate::{
    chain::{ChainError, arena, submit::Wish, types::U256},
    engine::clock::{self, Look, Standing},
    store::{Errand, StoreError, Watched, Write},
};

impl Service {
    /// Looks at every game whose time has come. `now` is the time of the chain's newest block.
    pub(super) async fn look_at_games(&mut self, now: u64) -> Result<(), ServiceError> {
        for watched in self.store.games_due(self.config.chain.chain_id, self.arena.address(), now).await? {
            let done = self.look_at(watched, now).await;
            self.let_pass(done)?;
        }
        Ok(())
    }

    async fn look_at(&mut self, watched: Watched, now: u64) -> Result<(), ServiceError> {
        let look = match self.standing(watched.game, watched.claimed).await? {
            Some(standing) => clock::look(&standing, now),
            // If it is created again, that event asks for a look.
            None => Look::Never,
        };
        let look = match look {
            Look::Claim => match self.claim(watched, now).await? {
                Some(look) => look,
                None => return Ok(()),
            },
            other => other,
        };
        let mut write = self.store.write().await?;
        store(&mut write, watched, look).await?;
        Ok(write.commit().await?)
    }

    /// How a game stands now; `None` if its creation was undone.
    async fn standing(&self, game: U256, claimed: bool) -> Result<Option<Standing>, ChainError> {
        let state = match self.arena.game(game, None).await {
            Err(ChainError::Reverts { .. }) => return Ok(None),
            read => read?,
        };
        Ok(Some(Standing {
            ended: state.ended.is_some(),
            ours: state.host == self.host(),
            human_to_move: state.human_to_move,
            deadline: state.deadline,
            claimed,
        }))
    }

    /// What is to become of a claim that isn't in a block.
    pub(super) async fn wish_for_claim(&self, row: i64) -> Result<Wish, ServiceError> {
        let standing = self.standing(self.store.game_of(row).await?, true).await?;
        Ok(if standing.is_some_and(|standing| clock::holds(&standing)) { Wish::Push } else { Wish::Cancel })
    }

    /// Claims a game for the human's silence: simulated, then stored with the time of the next look, then sent. Gives
    /// the next look if the arena refuses.
    async fn claim(&mut self, watched: Watched, now: u64) -> Result<Option<Look>, ServiceError> {
        let call = self.arena.claim_timeout(watched.game);
        let gas = match self.submitter.simulate(&call).await {
            Ok(gas) => gas,
            Err(error) => {
                let Some(why) = arena::refusal(&error) else {
                    return Err(error.into());
                };
                self.tell(Notice::Trouble { what: format!("game {}: the claim of its time: {why}", watched.game) });
                return Ok(Some(clock::later(now)));
            }
        };
        let stored = async |write: &mut Write| store(write, watched, clock::later(now)).await;
        let hash = self.submitter.sign_and_store(Errand::Claim(watched.id), &call, gas, stored).await?;
        tracing::info!(game = %watched.game, %hash, "the human's time is up: claim signed and stored");
        self.follow_transactions().await?;
        Ok(None)
    }
}

async fn store(write: &mut Write, watched: Watched, look: Look) -> Result<(), StoreError> {
    match look {
        Look::Never => write.look_again(watched.id, None).await,
        Look::At(time) => write.look_again(watched.id, Some(time)).await,
        Look::Claim => Ok(()),
    }
}
