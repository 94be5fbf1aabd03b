//! Signed bulletins: kept, so that a market that is opened or looked at later finds them, and a restart loses none.

use sqlx::{Row, any::AnyRow};

use super::{Store, StoreError, Write, signed, unsigned};
use crate::{
    chain::types::{Address, B256},
    feed::Bulletin,
};

fn bulletin(row: &AnyRow) -> Result<Bulletin, StoreError> {
    let corrupt = |column| StoreError::Corrupt { table: "bulletins", column };
    Bulletin::from_parts(
        B256::try_from(row.get::<&[u8], _>("feed")).map_err(|_| corrupt("feed"))?,
        unsigned(row.get("sequence"), "bulletins", "sequence")?,
        unsigned(row.get("timestamp"), "bulletins", "timestamp")?,
        row.get("text"),
        row.get("signature"),
    )
    .map_err(|_| corrupt("text"))
}

impl Store {
    /// The bulletin of a feed with this number, if it has come.
    pub async fn bulletin(
        &self,
        publisher: Address,
        feed: B256,
        sequence: u64,
    ) -> Result<Option<Bulletin>, StoreError> {
        let row = sqlx::query("SELECT * FROM bulletins WHERE publisher = $1 AND feed = $2 AND sequence = $3")
            .bind(publisher.as_slice())
            .bind(feed.as_slice())
            .bind(signed(sequence))
            .fetch_optional(&self.readers)
            .await?;
        row.as_ref().map(bulletin).transpose()
    }

    /// All bulletins of a feed, by number.
    pub async fn bulletins(&self, publisher: Address, feed: B256) -> Result<Vec<Bulletin>, StoreError> {
        sqlx::query("SELECT * FROM bulletins WHERE publisher = $1 AND feed = $2 ORDER BY sequence")
            .bind(publisher.as_slice())
            .bind(feed.as_slice())
            .fetch_all(&self.readers)
            .await?
            .iter()
            .map(bulletin)
            .collect()
    }
}

impl Write {
    /// Stores a bulletin whose signature was checked; says whether it is new. One with the same publisher, feed and number stays as it was.
    pub async fn add_bulletin(&mut self, publisher: Address, bulletin: &Bulletin) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "INSERT INTO bulletins (publisher, feed, sequence, timestamp, text, signature, received_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING",
        )
        .bind(publisher.as_slice())
        .bind(bulletin.feed_id.as_slice())
        .bind(signed(bulletin.sequence))
        .bind(signed(bulletin.timestamp))
        .bind(bulletin.text.as_str().as_bytes())
        .bind(bulletin.signature.as_slice())
        .bind(self.clock.now_ms())
        .execute(&mut *self.tx)
        .await?;
        Ok(done.rows_affected() == 1)
    }
}
