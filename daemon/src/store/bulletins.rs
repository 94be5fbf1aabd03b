//! Signed bulletins: kept, so that a market that is opened or looked at later finds them, and a restart loses none.

use sqlx::{Row, sqlite::SqliteRow};

use super::{Store, StoreError, Write, bytes, now_ms, signed, unsigned};
use crate::chain::types::{Address, B256};

/// A bulletin whose signature was checked before it was stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredBulletin {
    /// Who signed it.
    pub publisher: Address,
    /// The feed.
    pub feed: B256,
    /// Its number in the feed.
    pub sequence: u64,
    /// Unix time that the publisher gave it.
    pub timestamp: u64,
    /// 1 to 248 bytes.
    pub text: Vec<u8>,
    /// r, s, v.
    pub signature: [u8; 65],
}

fn bulletin(row: &SqliteRow) -> Result<StoredBulletin, StoreError> {
    Ok(StoredBulletin {
        publisher: Address::from(bytes::<20>(row.get("publisher"), "bulletins", "publisher")?),
        feed: bytes(row.get("feed"), "bulletins", "feed")?.into(),
        sequence: unsigned(row.get("sequence"), "bulletins", "sequence")?,
        timestamp: unsigned(row.get("timestamp"), "bulletins", "timestamp")?,
        text: row.get("text"),
        signature: bytes(row.get("signature"), "bulletins", "signature")?,
    })
}

impl Store {
    /// The bulletin of a feed with this number, if it has come.
    pub async fn bulletin(
        &self,
        publisher: Address,
        feed: B256,
        sequence: u64,
    ) -> Result<Option<StoredBulletin>, StoreError> {
        let row = sqlx::query("SELECT * FROM bulletins WHERE publisher = ? AND feed = ? AND sequence = ?")
            .bind(publisher.as_slice())
            .bind(feed.as_slice())
            .bind(signed(sequence))
            .fetch_optional(&self.pool)
            .await?;
        row.as_ref().map(bulletin).transpose()
    }

    /// All bulletins of a feed, by number.
    pub async fn bulletins(&self, publisher: Address, feed: B256) -> Result<Vec<StoredBulletin>, StoreError> {
        sqlx::query("SELECT * FROM bulletins WHERE publisher = ? AND feed = ? ORDER BY sequence")
            .bind(publisher.as_slice())
            .bind(feed.as_slice())
            .fetch_all(&self.pool)
            .await?
            .iter()
            .map(bulletin)
            .collect()
    }
}

impl Write {
    /// Stores a bulletin; says whether it is new. One with the same publisher, feed and number stays as it was.
    pub async fn add_bulletin(&mut self, bulletin: &StoredBulletin) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "INSERT OR IGNORE INTO bulletins (publisher, feed, sequence, timestamp, text, signature, received_at) \
             VALUES (?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(bulletin.publisher.as_slice())
        .bind(bulletin.feed.as_slice())
        .bind(signed(bulletin.sequence))
        .bind(signed(bulletin.timestamp))
        .bind(bulletin.text.as_slice())
        .bind(bulletin.signature.as_slice())
        .bind(now_ms())
        .execute(&mut *self.tx)
        .await?;
        Ok(done.rows_affected() == 1)
    }
}
