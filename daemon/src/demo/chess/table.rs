//! What a game is played on: contracts, accounts, and the daemon's configuration for them.

use shakmaty::Color;

use super::{
    super::{DemoError, screen::Screen, stand::Stand},
    Code, Options,
};
use crate::{
    apps::chess::{
        self, Terms,
        arena::{self, Arena},
    },
    chain::{
        Wallet,
        types::{B256, U256},
    },
    config::Config,
};

/// The chain with its contracts, and the two sides.
pub(super) struct Table {
    pub(super) config: Config,
    pub(super) human: Wallet,
    pub(super) arena: Arena,
    pub(super) offer: U256,
}

impl Table {
    pub(super) async fn set(
        options: &Options,
        screen: &Screen,
        stand: &Stand,
        model_id: [u8; 32],
        code: Code,
    ) -> Result<Self, DemoError> {
        let npc = &stand.operator;
        let human = stand.account(arena::words).await?;
        let verifier = npc.deploy("the verifier's deployment", code.verifier).await?;
        screen.say(&format!("verifier:    {} ({} gas)", verifier.contract, verifier.mined.gas_used));
        let arena = npc.deploy("the arena's deployment", code.arena).await?;
        screen.say(&format!("arena:       {} ({} gas)", arena.contract, arena.mined.gas_used));
        let terms = Terms {
            verifier: verifier.contract,
            model_id: model_id.into(),
            stake: U256::ZERO,
            move_time: 7 * 24 * 3600,
            max_games: 10,
        };
        let (offer, _) = npc.open_offer(arena.contract, &terms).await?;
        screen.say(&format!("NPC:         {} offers games against model {}", npc.address(), B256::from(model_id)));
        screen.say(&format!(
            "human:       {} plays {}",
            human.address(),
            chess::side(if options.black { Color::Black } else { Color::White })
        ));
        let mut raw = stand.config();
        raw.chess.arena = arena.contract.to_string();
        let config = Config::from_raw(raw)?;
        let arena = Arena::open(stand.client.clone(), arena.contract).await?;
        Ok(Self { config, human, arena, offer })
    }
}
