//! Games that are to be looked at again, so that one that its human has left is claimed in the end.

use sqlx::Row;

use super::{Store, StoreError, Write, signed};
use crate::chain::types::{Address, U256};

/// A game whose time to be looked at has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Watched {
    /// Row id.
    pub id: i64,
    /// The game.
    pub game: U256,
    /// Whether a transaction that claims it is under way.
    pub claimed: bool,
}

impl Store {
    /// The games to be looked at when the chain's clock shows `now`, the longest due first.
    pub async fn games_due(&self, chain_id: u64, contract: Address, now: u64) -> Result<Vec<Watched>, StoreError> {
        let rows = sqlx::query(
            "SELECT id, game, EXISTS (SELECT 1 FROM transactions WHERE transactions.game = games.id \
             AND state IN ('signed', 'broadcast', 'included') AND coalesce(mined_ok, 1) = 1) AS claimed \
             FROM games WHERE chain_id = ? AND contract = ? AND look_at <= ? ORDER BY look_at, id",
        )
        .bind(signed(chain_id))
        .bind(contract.as_slice())
        .bind(signed(now))
        .fetch_all(&self.pool)
        .await?;
        rows.iter()
            .map(|row| {
                let game = row.get::<&str, _>("game").parse();
                Ok(Watched {
                    id: row.get("id"),
                    game: game.map_err(|_| StoreError::Corrupt { table: "games", column: "game" })?,
                    claimed: row.get::<i64, _>("claimed") != 0,
                })
            })
            .collect()
    }

    /// The game of a row.
    pub async fn game_of(&self, id: i64) -> Result<U256, StoreError> {
        let row = sqlx::query("SELECT game FROM games WHERE id = ?").bind(id).fetch_one(&self.pool).await?;
        row.get::<&str, _>("game").parse().map_err(|_| StoreError::Corrupt { table: "games", column: "game" })
    }
}

impl Write {
    /// An event of a block says when the game is to be looked at; `None` if it needs no more looks.
    pub async fn watch(
        &mut self,
        chain_id: u64,
        contract: Address,
        game: U256,
        block: u64,
        look_at: Option<u64>,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO games (chain_id, contract, game, block_number, look_at) VALUES (?, ?, ?, ?, ?) \
             ON CONFLICT (chain_id, contract, game) DO UPDATE SET block_number = excluded.block_number, \
             look_at = excluded.look_at",
        )
        .bind(signed(chain_id))
        .bind(contract.as_slice())
        .bind(game.to_string())
        .bind(signed(block))
        .bind(look_at.map(signed))
        .execute(&mut *self.tx)
        .await?;
        Ok(())
    }

    /// Sets the time of a game's next look.
    pub async fn look_again(&mut self, id: i64, look_at: Option<u64>) -> Result<(), StoreError> {
        sqlx::query("UPDATE games SET look_at = ? WHERE id = ?")
            .bind(look_at.map(signed))
            .bind(id)
            .execute(&mut *self.tx)
            .await?;
        Ok(())
    }

    /// What the blocks above a height said no longer counts: their games are looked at anew.
    pub async fn look_at_games_above(&mut self, chain_id: u64, number: u64) -> Result<(), StoreError> {
        sqlx::query("UPDATE games SET look_at = 0 WHERE chain_id = ? AND block_number > ?")
            .bind(signed(chain_id))
            .bind(signed(number))
            .execute(&mut *self.tx)
            .await?;
        Ok(())
    }
}
