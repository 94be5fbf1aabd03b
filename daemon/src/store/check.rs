//! What must hold of a store's contents, asked of the database itself. The schema refuses most of what is looked for here;
//! this finds what got past it: a disk that lies, an edit by hand, a mistake of ours.

use sqlx::{Connection, Row};

use super::{Place, Store, StoreError, open};

/// Most findings of one kind that are told.
const MOST: usize = 20;

/// What a check found.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Health {
    /// The schema's version in the database.
    pub schema: i64,
    /// The schema's version that this program writes.
    pub newest_schema: i64,
    /// What is wrong, one line each; empty if all is well.
    pub findings: Vec<String>,
}

impl Health {
    /// Whether nothing is wrong.
    pub fn is_good(&self) -> bool {
        self.findings.is_empty()
    }
}

/// Each gives a line for each row that breaks a rule.
const RULES: [&str; 15] = [
    "SELECT 'job ' || CAST(id AS TEXT) || ' is ' || state || ' without a proof' AS what FROM jobs \
     WHERE state IN ('proved', 'submitted', 'included') AND coalesce(length(proof), 0) = 0",
    "SELECT 'job ' || CAST(id AS TEXT) || ' has outputs that are no multiple of 32 bytes' AS what FROM jobs \
     WHERE length(outputs) % 32 <> 0",
    "SELECT 'job ' || CAST(job AS TEXT) || ' has ' || CAST(count(*) AS TEXT) || ' live transactions' AS what FROM transactions \
     WHERE job IS NOT NULL AND state IN ('signed', 'broadcast', 'included') AND coalesce(mined_ok, 1) = 1 \
     GROUP BY job HAVING count(*) > 1",
    "SELECT 'job ' || CAST(job AS TEXT) || ' was answered by ' || CAST(count(*) AS TEXT) || ' transactions' AS what \
     FROM transactions WHERE job IS NOT NULL AND state IN ('included', 'final') AND mined_ok = 1 GROUP BY job HAVING count(*) > 1",
    "SELECT 'job ' || CAST(id AS TEXT) || ' is submitted, but has no live transaction' AS what FROM jobs \
     WHERE state = 'submitted' AND NOT EXISTS (SELECT 1 FROM transactions WHERE transactions.job = jobs.id \
     AND transactions.state IN ('signed', 'broadcast', 'included'))",
    "SELECT 'job ' || CAST(id AS TEXT) || ' is ' || state || ', but no transaction of it succeeded' AS what FROM jobs \
     WHERE state IN ('included', 'final') AND NOT EXISTS (SELECT 1 FROM transactions WHERE transactions.job = jobs.id \
     AND transactions.state IN ('included', 'final') AND transactions.mined_ok = 1)",
    "SELECT 'transaction ' || CAST(id AS TEXT) || ' has no signed version' AS what FROM transactions \
     WHERE NOT EXISTS (SELECT 1 FROM attempts WHERE attempts.tx = transactions.id)",
    "SELECT 'transaction ' || CAST(id AS TEXT) || ' is live, but the bytes of a version are gone' AS what FROM transactions \
     WHERE state IN ('signed', 'broadcast', 'included') AND EXISTS (SELECT 1 FROM attempts WHERE attempts.tx = transactions.id \
     AND length(attempts.raw) = 0)",
    "SELECT 'transactions: nonce ' || CAST(nonce AS TEXT) || ' is there ' || CAST(count(*) AS TEXT) || ' times' AS what \
     FROM transactions WHERE state <> 'dropped' GROUP BY chain_id, signer, nonce HAVING count(*) > 1",
    // Nobody else can have used a nonce above one of ours that is still open.
    "SELECT 'transaction ' || CAST(id AS TEXT) || ' waits with nonce ' || CAST(nonce AS TEXT) || ', but nonce ' || \
     CAST(nonce - 1 AS TEXT) || ' below it is nowhere' AS what FROM transactions AS t WHERE state IN ('signed', 'broadcast') \
     AND EXISTS (SELECT 1 FROM transactions AS o WHERE o.chain_id = t.chain_id AND o.signer = t.signer AND o.nonce < t.nonce \
     AND o.state IN ('signed', 'broadcast')) AND NOT EXISTS (SELECT 1 FROM transactions AS o WHERE o.chain_id = t.chain_id \
     AND o.signer = t.signer AND o.nonce = t.nonce - 1)",
    "SELECT 'transaction ' || CAST(transactions.id AS TEXT) || ' is on another chain than its job' AS what FROM transactions \
     JOIN jobs ON jobs.id = transactions.job WHERE jobs.chain_id <> transactions.chain_id",
    "SELECT 'chain ' || CAST(cursor.chain_id AS TEXT) || ': the cursor names another block ' || CAST(cursor.number AS TEXT) || \
     ' than the one that was followed' AS what FROM cursor JOIN blocks ON blocks.chain_id = cursor.chain_id \
     AND blocks.number = cursor.number WHERE blocks.hash <> cursor.hash",
    "SELECT 'chain ' || CAST(cursor.chain_id AS TEXT) || ': block ' || CAST(blocks.number AS TEXT) || ' is above the cursor' AS what \
     FROM cursor JOIN blocks ON blocks.chain_id = cursor.chain_id WHERE blocks.number > cursor.number",
    "SELECT 'job ' || CAST(id AS TEXT) || ' was asked in block ' || CAST(block_number AS TEXT) || ', above the cursor' AS what \
     FROM jobs JOIN cursor ON cursor.chain_id = jobs.chain_id WHERE jobs.block_number > cursor.number \
     AND jobs.state IN ('seen', 'proving', 'proved')",
    "SELECT 'job ' || CAST(id AS TEXT) || ' names a subject that is no number' AS what FROM jobs \
     WHERE subject = '' OR length(trim(subject, '0123456789')) > 0",
];

impl Store {
    /// Looks for whatever should not be. Reads everything; a daemon may run meanwhile.
    pub async fn check(&self) -> Result<Health, StoreError> {
        let mut connection = self.readers.acquire().await?;
        let mut findings = Vec::new();
        // One view of everything: what is committed between two rules must not look like a contradiction.
        let begin = match self.place {
            Place::File(_) => "BEGIN",
            Place::Server(_) => "BEGIN ISOLATION LEVEL REPEATABLE READ",
        };
        let mut view = connection.begin_with(begin).await?;
        let schema = open::version(&mut view).await?;
        if self.place.file().is_some() {
            for row in sqlx::query("PRAGMA integrity_check(20)").fetch_all(&mut *view).await? {
                let said: String = row.get(0);
                if said != "ok" {
                    findings.push(format!("the file is damaged: {said}; restore the last backup"));
                }
            }
            for row in sqlx::query("PRAGMA foreign_key_check").fetch_all(&mut *view).await?.iter().take(MOST) {
                let (table, other): (String, String) = (row.get(0), row.get(2));
                findings.push(format!("a row of {table} names a row of {other} that is not there"));
            }
        }
        for rule in RULES {
            let rows = sqlx::query(rule).fetch_all(&mut *view).await?;
            findings.extend(rows.iter().take(MOST).map(|row| row.get::<String, _>("what")));
            if rows.len() > MOST {
                findings.push(format!("… and {} more like it", rows.len() - MOST));
            }
        }
        view.rollback().await?;
        Ok(Health { schema, newest_schema: open::newest(&self.place), findings })
    }
}
