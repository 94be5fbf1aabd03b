//! The chain's identity, the cursor, and the hashes of the blocks that were followed.

use sqlx::Row;

use super::{Store, StoreError, Write, bytes, signed, unsigned};
use crate::chain::types::{Address, B256};

/// A block by number and hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockRef {
    /// Height.
    pub number: u64,
    /// Hash.
    pub hash: B256,
}

impl Store {
    /// Stores the chain's genesis hash, or compares it with the stored one.
    pub async fn claim_chain(&self, chain_id: u64, genesis: B256) -> Result<(), StoreError> {
        let mut write = self.write().await?;
        let row = sqlx::query("SELECT genesis FROM chain WHERE chain_id = $1")
            .bind(signed(chain_id))
            .fetch_optional(&mut *write.tx)
            .await?;
        match row {
            Some(row) => {
                let stored = B256::from(bytes(row.get("genesis"), "chain", "genesis")?);
                if stored != genesis {
                    return Err(StoreError::OtherChain {
                        chain_id,
                        stored: stored.to_string(),
                        found: genesis.to_string(),
                    });
                }
            }
            None => {
                sqlx::query("INSERT INTO chain (chain_id, genesis) VALUES ($1, $2)")
                    .bind(signed(chain_id))
                    .bind(genesis.as_slice())
                    .execute(&mut *write.tx)
                    .await?;
            }
        }
        write.commit().await
    }

    /// Whether a contract's events up to the cursor are stored.
    pub async fn follows(&self, chain_id: u64, contract: Address) -> Result<bool, StoreError> {
        let row = sqlx::query("SELECT 1 FROM contracts WHERE chain_id = $1 AND contract = $2")
            .bind(signed(chain_id))
            .bind(contract.as_slice())
            .fetch_optional(&self.readers)
            .await?;
        Ok(row.is_some())
    }

    /// The last block whose events are stored.
    pub async fn cursor(&self, chain_id: u64) -> Result<Option<BlockRef>, StoreError> {
        let row = sqlx::query("SELECT number, hash FROM cursor WHERE chain_id = $1")
            .bind(signed(chain_id))
            .fetch_optional(&self.readers)
            .await?;
        row.map(|row| {
            Ok(BlockRef {
                number: unsigned(row.get("number"), "cursor", "number")?,
                hash: bytes(row.get("hash"), "cursor", "hash")?.into(),
            })
        })
        .transpose()
    }

    /// The followed blocks below a height, newest first.
    pub async fn blocks_below(&self, chain_id: u64, number: u64) -> Result<Vec<BlockRef>, StoreError> {
        let rows =
            sqlx::query("SELECT number, hash FROM blocks WHERE chain_id = $1 AND number < $2 ORDER BY number DESC")
                .bind(signed(chain_id))
                .bind(signed(number))
                .fetch_all(&self.readers)
                .await?;
        rows.iter()
            .map(|row| {
                Ok(BlockRef {
                    number: unsigned(row.get("number"), "blocks", "number")?,
                    hash: bytes(row.get("hash"), "blocks", "hash")?.into(),
                })
            })
            .collect()
    }
}

impl Write {
    /// From now on a contract's events are stored with the cursor.
    pub async fn follow(&mut self, chain_id: u64, contract: Address) -> Result<(), StoreError> {
        sqlx::query("INSERT INTO contracts (chain_id, contract) VALUES ($1, $2) ON CONFLICT DO NOTHING")
            .bind(signed(chain_id))
            .bind(contract.as_slice())
            .execute(&mut *self.tx)
            .await?;
        Ok(())
    }

    /// Contracts that aren't configured now are not followed: what they say meanwhile is not stored.
    pub async fn follow_only(&mut self, chain_id: u64, contracts: &[Address]) -> Result<(), StoreError> {
        let rows = sqlx::query("SELECT contract FROM contracts WHERE chain_id = $1")
            .bind(signed(chain_id))
            .fetch_all(&mut *self.tx)
            .await?;
        for row in rows {
            let followed = Address::from(bytes::<20>(row.get("contract"), "contracts", "contract")?);
            if !contracts.contains(&followed) {
                sqlx::query("DELETE FROM contracts WHERE chain_id = $1 AND contract = $2")
                    .bind(signed(chain_id))
                    .bind(followed.as_slice())
                    .execute(&mut *self.tx)
                    .await?;
            }
        }
        Ok(())
    }

    /// Moves the cursor to a new block and forgets blocks that are too deep to be undone.
    pub async fn advance(&mut self, chain_id: u64, block: BlockRef, keep: u64) -> Result<(), StoreError> {
        sqlx::query("INSERT INTO blocks (chain_id, number, hash) VALUES ($1, $2, $3) ON CONFLICT (chain_id, number) DO UPDATE SET hash = excluded.hash")
            .bind(signed(chain_id))
            .bind(signed(block.number))
            .bind(block.hash.as_slice())
            .execute(&mut *self.tx)
            .await?;
        sqlx::query("DELETE FROM blocks WHERE chain_id = $1 AND number < $2")
            .bind(signed(chain_id))
            .bind(signed(block.number.saturating_sub(keep)))
            .execute(&mut *self.tx)
            .await?;
        self.set_cursor(chain_id, block).await
    }

    /// Moves the cursor back to a common ancestor and forgets the blocks above it.
    pub async fn undo_to(&mut self, chain_id: u64, ancestor: BlockRef) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM blocks WHERE chain_id = $1 AND number > $2")
            .bind(signed(chain_id))
            .bind(signed(ancestor.number))
            .execute(&mut *self.tx)
            .await?;
        self.set_cursor(chain_id, ancestor).await
    }

    async fn set_cursor(&mut self, chain_id: u64, block: BlockRef) -> Result<(), StoreError> {
        sqlx::query("INSERT INTO cursor (chain_id, number, hash) VALUES ($1, $2, $3) ON CONFLICT (chain_id) DO UPDATE SET number = excluded.number, hash = excluded.hash")
            .bind(signed(chain_id))
            .bind(signed(block.number))
            .bind(block.hash.as_slice())
            .execute(&mut *self.tx)
            .await?;
        Ok(())
    }
}
