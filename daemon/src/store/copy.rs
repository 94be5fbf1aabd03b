//! All rows from one store into another, whichever kinds they are.

use futures_util::TryStreamExt;
use sqlx::{Column, Row, TypeInfo, ValueRef, any::AnyRow};

use super::{Place, Store, StoreError};

/// Every table, each after those that its rows name.
const TABLES: [&str; 10] =
    ["chain", "cursor", "blocks", "contracts", "jobs", "watched", "transactions", "attempts", "wanted", "bulletins"];
/// What is a place's own.
const NOT_COPIED: [&str; 3] = ["_sqlx_migrations", "owner", "heartbeat"];

impl Store {
    /// Takes over all rows of another store, in one write; says how many. This one must be empty.
    pub async fn fill_from(&self, source: &Self) -> Result<u64, StoreError> {
        let no = |problem: String| StoreError::Copy { path: source.place.to_string(), problem };
        let tables = match source.place {
            Place::File(_) => "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
            Place::Server(_) => "SELECT tablename::text AS name FROM pg_tables WHERE schemaname = current_schema()",
        };
        for row in sqlx::query(tables).fetch_all(&source.readers).await? {
            let name: String = row.get("name");
            if !TABLES.contains(&name.as_str()) && !NOT_COPIED.contains(&name.as_str()) {
                return Err(no(format!("this program doesn't know its table {name}; use the one that made it")));
            }
        }
        let mut copied = 0;
        let mut write = self.write().await?;
        for table in TABLES {
            let some = format!("SELECT 1 AS one FROM {table} LIMIT 1");
            if sqlx::query(sqlx::AssertSqlSafe(some)).fetch_optional(&mut *write.tx).await?.is_some() {
                return Err(no(format!("{} already has rows in {table}; copy into a new store", self.place)));
            }
            let all = format!("SELECT * FROM {table}");
            let mut rows = sqlx::query(sqlx::AssertSqlSafe(all)).fetch(&source.readers);
            let mut numbered = false;
            while let Some(row) = rows.try_next().await? {
                insert(&mut write, table, &row).await?;
                numbered |= row.columns().iter().any(|column| column.name() == "id");
                copied += 1;
            }
            if numbered && matches!(self.place, Place::Server(_)) {
                let next =
                    format!("SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))");
                sqlx::query(sqlx::AssertSqlSafe(next)).execute(&mut *write.tx).await?;
            }
        }
        write.commit().await?;
        Ok(copied)
    }
}

/// One row. What is NULL is left out, because a NULL without a type fits into no column of a server.
async fn insert(write: &mut super::Write, table: &str, row: &AnyRow) -> Result<(), StoreError> {
    let mut there = Vec::with_capacity(row.len());
    for column in row.columns() {
        let value = row.try_get_raw(column.ordinal())?;
        if !value.is_null() {
            there.push((column, value.type_info().name().to_owned()));
        }
    }
    let names: Vec<&str> = there.iter().map(|(column, _)| column.name()).collect();
    let places: Vec<String> = (1..=there.len()).map(|place| format!("${place}")).collect();
    let sql = format!("INSERT INTO {table} ({}) VALUES ({})", names.join(", "), places.join(", "));
    let mut query = sqlx::query(sqlx::AssertSqlSafe(sql));
    for (column, kind) in there {
        let at = column.ordinal();
        query = match kind.as_str() {
            "BLOB" => query.bind(row.try_get::<Vec<u8>, _>(at)?),
            "TEXT" => query.bind(row.try_get::<String, _>(at)?),
            _ => query.bind(row.try_get::<i64, _>(at)?),
        };
    }
    query.execute(&mut *write.tx).await?;
    Ok(())
}
