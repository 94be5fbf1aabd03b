//! Life of the World's game: five accounts stake on moves in each window, not always on the same one. When a game is over they take
//! what is theirs, and the sponsor opens the next.

use std::{sync::Arc, time::Duration};

use shakmaty::{Chess, Color, Position};
use tokio::time::sleep;

use super::{
    super::{DemoError, chess::player::Player, stand::Stand},
    now_s,
};
use crate::{
    apps::{
        chess,
        world::{self, Arena, Terms, Vote},
    },
    chain::{
        Wallet,
        types::{Address, B256, U256},
    },
};

/// Seconds of a voting window.
const WINDOW: u64 = 60;
/// Seconds for each move of the NPC.
const MOVE_TIME: u64 = 86_400;
/// In thousandths of a coin: the pot, the least stake, and what each voter stakes.
const POT: u64 = 5000;
const LEAST: u64 = 1;
const STAKES: [u64; 5] = [40, 25, 30, 15, 10];
/// How many of them follow a search; the others try something.
const SEARCHERS: usize = 3;
/// Between two votes, and between two looks.
const PAUSE: Duration = Duration::from_secs(4);
/// After something that failed.
const AGAIN: Duration = Duration::from_secs(10);

/// Where the World plays, and against what.
#[derive(Clone, Debug)]
pub(super) struct World {
    pub(super) arena: Address,
    pub(super) verifier: Address,
    pub(super) model_id: B256,
    /// Who opens the games.
    pub(super) sponsor: Wallet,
}

/// Goes on until it is dropped. What fails is tried again with the next game.
pub(super) async fn live(world: World, stand: Arc<Stand>) {
    loop {
        if let Err(error) = world.game(&stand).await {
            tracing::error!("the World's voters: {error}");
        }
        sleep(AGAIN).await;
    }
}

impl World {
    async fn game(&self, stand: &Stand) -> Result<(), DemoError> {
        let arena = Arena::open(stand.client.clone(), self.arena).await?;
        let terms = Terms {
            verifier: self.verifier,
            model_id: self.model_id,
            world_is_white: true,
            window: WINDOW,
            move_time: MOVE_TIME,
            least_stake: coin_parts(LEAST),
        };
        let (id, _) = self.sponsor.open_world(self.arena, &terms, coin_parts(POT)).await?;
        let mut voters = Vec::with_capacity(STAKES.len());
        for _ in STAKES {
            voters.push((stand.account(world::words).await?, Vec::new()));
        }
        let mut player = Player::new(now_s());
        loop {
            let game = arena.game(id, None).await?;
            if game.ended.is_some() {
                break;
            }
            let is_new = |(_, votes): &(Wallet, Vec<Vote>)| votes.last().is_none_or(|vote| vote.ply < game.ply);
            if game.world_to_move && voters.iter().all(is_new) {
                let position = chess::unpack(&game.board, Color::White)?;
                self.vote(id, game.ply, &position, &mut player, &mut voters).await?;
            }
            sleep(PAUSE).await;
        }
        for (wallet, votes) in &voters {
            // Those whose stakes are lost have nothing to claim.
            let _ = wallet.claim_votes(self.arena, id, votes).await;
        }
        Ok(())
    }

    /// One round's votes. One that comes too late is left out.
    async fn vote(
        &self,
        game: U256,
        ply: u64,
        position: &Chess,
        player: &mut Player,
        voters: &mut [(Wallet, Vec<Vote>)],
    ) -> Result<(), DemoError> {
        let best = tokio::task::block_in_place(|| player.choose(position));
        let legal = position.legal_moves();
        for (place, ((wallet, votes), stake)) in voters.iter_mut().zip(STAKES).enumerate() {
            let other = legal.get((ply as usize * 7 + place * 5) % legal.len().max(1)).copied();
            let Some(chosen) = best.filter(|_| place < SEARCHERS).or(other) else { break };
            let vote = Vote { ply, word: chess::word(chosen) };
            match wallet.vote(self.arena, game, vote, coin_parts(stake)).await {
                Ok(_) => votes.push(vote),
                Err(error) => {
                    tracing::warn!("a vote at ply {ply}: {error}");
                    break;
                }
            }
            sleep(PAUSE).await;
        }
        Ok(())
    }
}

fn coin_parts(thousandths: u64) -> U256 {
    U256::from(thousandths) * U256::from(10u64).pow(U256::from(15u64))
}
