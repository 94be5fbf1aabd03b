//! Keeping a store for months: forgetting what is over, copies, and how large it is.

use std::{collections::BTreeMap, path::Path};

use sqlx::{AnyConnection, Connection, Executor, Row};

use super::{Place, Store, StoreError, open, unsigned};

/// Rows that one write forgets, so that nothing waits long behind it.
const AT_ONCE: i64 = 200;
/// Writes of one call.
const MOST_WRITES: usize = 50;
/// Milliseconds of a day.
const DAY: i64 = 86_400_000;

/// What was forgotten.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Pruned {
    /// Jobs whose proof is gone, and whose row stays.
    pub proofs: u64,
    /// Signed versions whose bytes are gone, and whose row stays.
    pub versions: u64,
    /// Jobs that are gone, with their transactions.
    pub jobs: u64,
    /// Whether there is more to forget.
    pub more: bool,
}

/// How large a store is.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Stats {
    /// Bytes on the disk.
    pub bytes: u64,
    /// Bytes of them that are free for new rows; not known of a server.
    pub free_bytes: u64,
    /// Jobs by state.
    pub jobs: BTreeMap<String, u64>,
    /// Transactions by state.
    pub transactions: BTreeMap<String, u64>,
    /// Rows of the other tables.
    pub rows: BTreeMap<&'static str, u64>,
}

/// Jobs that are over, since before `$1`, of which nothing is live any more.
const OVER: &str = "state IN ('final', 'forfeited', 'moot', 'failed') AND updated_at < $1 AND NOT EXISTS (SELECT 1 FROM \
     transactions WHERE transactions.job = jobs.id AND transactions.state NOT IN ('final', 'dropped'))";

/// The next nonce is found by the highest one, and the next row by the highest row: those stay.
const NOT_LAST: &str = "NOT EXISTS (SELECT 1 FROM transactions AS t WHERE t.job = jobs.id AND t.nonce = (SELECT max(o.nonce) \
     FROM transactions AS o WHERE o.chain_id = t.chain_id AND o.signer = t.signer)) AND id < (SELECT max(id) FROM jobs)";

impl Store {
    /// Forgets jobs that are over: after `proofs_days` their proofs and the bytes of their transactions, after `days` all of
    /// them; `None` for never. `now` is unix time in milliseconds. Stops after some writes, and says whether there is more.
    pub async fn prune(&self, proofs_days: Option<u32>, days: Option<u32>, now: i64) -> Result<Pruned, StoreError> {
        let since = |days: u32| now.saturating_sub(i64::from(days).saturating_mul(DAY));
        let mut done = Pruned::default();
        for _ in 0..MOST_WRITES {
            let mut step = Pruned::default();
            let mut write = self.write().await?;
            if let Some(days) = proofs_days {
                step.proofs = forget_proofs(&mut write.tx, since(days)).await?;
                step.versions = forget_versions(&mut write.tx, since(days)).await?;
            }
            if let Some(days) = days {
                step.jobs = forget_jobs(&mut write.tx, since(days)).await?;
            }
            if step == Pruned::default() {
                done.more = false;
                break;
            }
            write.commit().await?;
            done = Pruned {
                proofs: done.proofs + step.proofs,
                versions: done.versions + step.versions,
                jobs: done.jobs + step.jobs,
                more: true,
            };
        }
        Ok(done)
    }

    /// Writes a copy to a new file, while the owner goes on. A server has tools of its own for that.
    pub async fn backup(&self, file: &Path) -> Result<(), StoreError> {
        let problem = |problem: String| StoreError::Backup { path: file.display().to_string(), problem };
        if let Place::Server(_) = self.place {
            let how = format!(
                "the store is on a server; run `pg_dump --format=custom --file={} \"{}\"`",
                file.display(),
                self.place
            );
            return Err(problem(format!("{how}, with the password in PGPASSWORD or ~/.pgpass")));
        }
        if file.exists() {
            return Err(problem("the file exists; name a new one".into()));
        }
        // Under its own name only once it is whole and on the disk.
        let mut name = file.as_os_str().to_owned();
        name.push(".part");
        let part = Path::new(&name);
        let written = async {
            let text = part.to_str().ok_or_else(|| problem("its name is no UTF-8; name another one".into()))?;
            let mut source = open::beside(&self.place).await?;
            sqlx::query("VACUUM INTO $1").bind(text).execute(&mut source).await?;
            source.close().await?;
            let unusable = |error: std::io::Error| problem(format!("{error}; name a file that can be written"));
            std::fs::File::open(part).and_then(|copy| copy.sync_all()).map_err(unusable)?;
            let mut copy = open::beside(&Place::File(part.to_owned())).await?;
            let said: String = sqlx::query("PRAGMA quick_check(1)").fetch_one(&mut copy).await?.get(0);
            copy.close().await?;
            if said != "ok" {
                return Err(problem(format!("the copy is damaged: {said}; check the disk")));
            }
            std::fs::rename(part, file).map_err(unusable)
        };
        let written = written.await;
        if written.is_err() {
            // What is left of it is of no use; where it can't be removed, the error says where it is.
            let _ = std::fs::remove_file(part);
        }
        written
    }

    /// Gives the room of forgotten rows back to the disk. Needs as much room again while it runs, and holds up all writes.
    pub async fn vacuum(&self) -> Result<(), StoreError> {
        // Refused to whoever may only read.
        drop(self.write().await?);
        let mut connection = self.writer.acquire().await?;
        if let Place::Server(_) = self.place {
            connection.execute("SET statement_timeout = 0").await?;
            connection.execute("VACUUM (ANALYZE)").await?;
            connection.execute("SET statement_timeout = '60s'").await?;
        } else {
            connection.execute("VACUUM").await?;
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").await?;
        }
        Ok(())
    }

    /// Counts what is in it.
    pub async fn stats(&self) -> Result<Stats, StoreError> {
        let size = match self.place {
            Place::File(_) => {
                "SELECT (SELECT page_count FROM pragma_page_count()) * (SELECT page_size FROM pragma_page_size()) AS bytes, \
                 (SELECT freelist_count FROM pragma_freelist_count()) * (SELECT page_size FROM pragma_page_size()) AS free"
            }
            Place::Server(_) => "SELECT pg_database_size(current_database()) AS bytes, CAST(0 AS BIGINT) AS free",
        };
        let size = sqlx::query(size).fetch_one(&self.readers).await?;
        let mut rows = BTreeMap::new();
        for (table, sql) in [
            ("attempts", "SELECT count(*) AS n FROM attempts"),
            ("blocks", "SELECT count(*) AS n FROM blocks"),
            ("bulletins", "SELECT count(*) AS n FROM bulletins"),
            ("watched", "SELECT count(*) AS n FROM watched"),
        ] {
            let row = sqlx::query(sql).fetch_one(&self.readers).await?;
            rows.insert(table, unsigned(row.get("n"), table, "count")?);
        }
        Ok(Stats {
            bytes: unsigned(size.get("bytes"), "database", "size")?,
            free_bytes: unsigned(size.get("free"), "database", "size")?,
            jobs: self.by_state("SELECT state, count(*) AS n FROM jobs GROUP BY state").await?,
            transactions: self.by_state("SELECT state, count(*) AS n FROM transactions GROUP BY state").await?,
            rows,
        })
    }

    async fn by_state(&self, sql: &'static str) -> Result<BTreeMap<String, u64>, StoreError> {
        let rows = sqlx::query(sql).fetch_all(&self.readers).await?;
        rows.iter().map(|row| Ok((row.get("state"), unsigned(row.get("n"), "state", "count")?))).collect()
    }
}

async fn forget_proofs(connection: &mut AnyConnection, before: i64) -> Result<u64, StoreError> {
    let sql = format!(
        "UPDATE jobs SET proof = $2 WHERE id IN (SELECT id FROM jobs WHERE {OVER} AND length(proof) > 0 ORDER BY updated_at LIMIT $3)"
    );
    let done = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(before).bind([].as_slice()).bind(AT_ONCE);
    Ok(done.execute(connection).await?.rows_affected())
}

async fn forget_versions(connection: &mut AnyConnection, before: i64) -> Result<u64, StoreError> {
    let done = sqlx::query(
        "UPDATE attempts SET raw = $2 WHERE hash IN (SELECT hash FROM attempts JOIN transactions ON transactions.id = attempts.tx \
         WHERE transactions.state IN ('final', 'dropped') AND transactions.updated_at < $1 AND length(attempts.raw) > 0 LIMIT $3)",
    );
    Ok(done.bind(before).bind([].as_slice()).bind(AT_ONCE).execute(connection).await?.rows_affected())
}

async fn forget_jobs(connection: &mut AnyConnection, before: i64) -> Result<u64, StoreError> {
    let sql = format!("SELECT id FROM jobs WHERE {OVER} AND {NOT_LAST} ORDER BY updated_at LIMIT $2");
    let query = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(before).bind(AT_ONCE);
    let rows = query.fetch_all(&mut *connection).await?;
    for row in &rows {
        for sql in [
            "DELETE FROM attempts WHERE tx IN (SELECT id FROM transactions WHERE job = $1)",
            "DELETE FROM transactions WHERE job = $1",
            "DELETE FROM jobs WHERE id = $1",
        ] {
            sqlx::query(sql).bind(row.get::<i64, _>("id")).execute(&mut *connection).await?;
        }
    }
    Ok(u64::try_from(rows.len()).unwrap_or(u64::MAX))
}
