//! The schema: databases of earlier versions go on working, and both dialects say the same.

use std::collections::BTreeSet;

use sqlx::{AnyConnection, AssertSqlSafe, Connection, Executor, Row};
use zugzwang::store::{Store, StoreError};

use super::{CHAIN, Ground, block, key, on_both};

on_both! {
    a_newer_schema_is_refused_and_an_older_one_is_not_read,
}

/// The migrations that have been released, with the SHA-384 that the databases out there know them by.
const RELEASED: [(&str, &str, &str); 3] = [
    (
        "spine",
        include_str!("../../../migrations/sqlite/0001_spine.sql"),
        "cf82bb2dd789180faff0999bf8f2f75eecd932d70501198bf0bad3e03aa57ec2a6ce781b31ad72e3d5af4aa265a1cce0",
    ),
    (
        "claims",
        include_str!("../../../migrations/sqlite/0002_claims.sql"),
        "e8b78df009a0f52fe26cfe8ff0ceefaa02eab9ed3b684fd72443d16bb7e62a9f17d718acff186c02579bb198fbdc489b",
    ),
    (
        "apps",
        include_str!("../../../migrations/sqlite/0003_apps.sql"),
        "24f3cf9c52ef0335a585c96e45791d8fb62520c8480487d7af1c6113078001f0ed75fe138fe4d483e2e6e258db873091",
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_database_of_an_earlier_version_goes_on_working() {
    let ground = Ground::file();
    sqlx::any::install_default_drivers();
    let mut old = AnyConnection::connect(&ground.url.replace("mode=rw", "mode=rwc")).await.expect("a new file");
    old.execute(
        "CREATE TABLE _sqlx_migrations (version BIGINT PRIMARY KEY, description TEXT NOT NULL, installed_on TIMESTAMP NOT NULL \
         DEFAULT CURRENT_TIMESTAMP, success BOOLEAN NOT NULL, checksum BLOB NOT NULL, execution_time BIGINT NOT NULL)",
    )
    .await
    .expect("the list of migrations");
    for (number, (name, sql, sum)) in (1..).zip(RELEASED) {
        old.execute(sql).await.expect(name);
        let applied = format!("INSERT INTO _sqlx_migrations VALUES ({number}, '{name}', '2026-01-01', 1, x'{sum}', 1)");
        old.execute(AssertSqlSafe(applied)).await.expect(name);
    }
    for sql in [
        "INSERT INTO chain VALUES (31337, x'0101010101010101010101010101010101010101010101010101010101010101')",
        "INSERT INTO jobs (id, chain_id, contract, subject, round, block_number, block_hash, state, outputs, proof, created_at, updated_at) \
         VALUES (7, 31337, zeroblob(20), '12', 3, 5, zeroblob(32), 'proved', zeroblob(64), x'aabb', 1, 1)",
    ] {
        old.execute(sql).await.expect("a row");
    }
    old.close().await.expect("goodbye");

    let store = ground.open().await;
    let jobs = store.jobs().await.expect("jobs");
    assert_eq!((jobs.len(), jobs[0].id, jobs[0].key.round), (1, 7, 3));
    assert_eq!(store.answer(7).await.expect("answer").expect("a proof").proof, [0xaa, 0xbb]);
    let mut write = store.write().await.expect("write");
    write.ask(&key(1), block(6)).await.expect("ask");
    write.commit().await.expect("commit");
    assert_eq!(store.jobs().await.expect("jobs").len(), 2);
}

async fn a_newer_schema_is_refused_and_an_older_one_is_not_read(ground: Ground) {
    assert!(matches!(Store::open_to_read(&ground.place).await, Err(StoreError::Missing { .. })));
    let store = ground.open().await;
    Store::open_to_read(&ground.place).await.expect("beside its owner").close().await;
    store.close().await;
    drop(store);
    ground
        .edit("UPDATE _sqlx_migrations SET version = 9999 WHERE version = (SELECT max(version) FROM _sqlx_migrations)")
        .await
        .expect("edit");
    assert!(matches!(Store::open(&ground.place).await, Err(StoreError::Migration(_))));
    assert!(matches!(Store::open_to_read(&ground.place).await, Err(StoreError::Schema { found: 9999, .. })));
    ground.edit("DELETE FROM _sqlx_migrations WHERE version = 9999").await.expect("edit");
    let older = Store::open_to_read(&ground.place).await;
    assert!(matches!(older, Err(StoreError::Schema { .. })), "{older:?}");
}

/// Tables with their columns, whether each may be null, and the names of the indices.
async fn shape(ground: &Ground) -> BTreeSet<(String, String, bool)> {
    let mut connection = ground.connection().await;
    let (columns, indices) = if ground.is_server() {
        (
            "SELECT table_name::text AS a, column_name::text AS b, CASE is_nullable WHEN 'YES' THEN 1 ELSE 0 END AS c \
             FROM information_schema.columns WHERE table_schema = 'public'",
            "SELECT tablename::text AS a, indexname::text AS b, 0 AS c FROM pg_indexes WHERE schemaname = 'public' \
             AND indexname NOT LIKE '%_pkey' AND indexname NOT LIKE '%_key'",
        )
    } else {
        (
            "SELECT m.name AS a, c.name AS b, 1 - c.\"notnull\" AS c FROM sqlite_master m, pragma_table_info(m.name) c \
             WHERE m.type = 'table'",
            "SELECT tbl_name AS a, name AS b, 0 AS c FROM sqlite_master WHERE type = 'index' AND name NOT LIKE 'sqlite_%'",
        )
    };
    let mut shape = BTreeSet::new();
    for sql in [columns, indices] {
        for row in connection.fetch_all(sql).await.expect("the schema") {
            let (table, name): (String, String) = (row.get("a"), row.get("b"));
            // The migrator's own table, and the one that only a server needs.
            if table != "_sqlx_migrations" && table != "owner" {
                shape.insert((table, name, row.get::<i64, _>("c") != 0));
            }
        }
    }
    shape
}

#[tokio::test(flavor = "multi_thread")]
async fn both_dialects_have_the_same_tables_columns_and_indices() {
    let (file, server) = (Ground::file(), Ground::server().await);
    for ground in [&file, &server] {
        ground.open().await.close().await;
    }
    let (file, server) = (shape(&file).await, shape(&server).await);
    assert!(file.len() > 60, "only {} columns and indices", file.len());
    assert_eq!(file, server);
}

/// What both must refuse, whoever writes it.
#[tokio::test(flavor = "multi_thread")]
async fn both_dialects_refuse_the_same_rows() {
    let job =
        "INSERT INTO jobs (chain_id, contract, subject, round, block_number, block_hash, state, created_at, updated_at";
    let h = |bytes: usize| "00".repeat(bytes);
    for ground in [Ground::file(), Ground::server().await] {
        ground.open().await.close().await;
        let blob = |hex: String| if ground.is_server() { format!("'\\x{hex}'::bytea") } else { format!("x'{hex}'") };
        let (c20, c32, proof) = (blob(h(20)), blob(h(32)), blob("aa".into()));
        let good = format!("{job}) VALUES ({CHAIN}, {c20}, '1', 0, 1, {c32}, 'seen', 1, 1)");
        ground.edit(&good).await.expect("a good row");
        let tx = format!(
            "INSERT INTO transactions (chain_id, signer, nonce, job, state, created_at, updated_at) VALUES ({CHAIN}, {c20}"
        );
        ground.edit(&format!("{tx}, 1, (SELECT max(id) FROM jobs), 'signed', 1, 1)")).await.expect("a good row");
        for (why, sql) in [
            ("the same question", good.clone()),
            ("an unknown state", format!("{job}) VALUES ({CHAIN}, {c20}, '2', 0, 1, {c32}, 'done', 1, 1)")),
            ("an unknown chain", format!("{job}) VALUES (5, {c20}, '2', 0, 1, {c32}, 'seen', 1, 1)")),
            ("a short address", format!("{job}) VALUES ({CHAIN}, {proof}, '2', 0, 1, {c32}, 'seen', 1, 1)")),
            ("proved without a proof", "UPDATE jobs SET state = 'proved'".into()),
            ("final without a proof", "UPDATE jobs SET state = 'final'".into()),
            ("a proof without outputs", format!("UPDATE jobs SET proof = {proof}")),
            ("a nonce twice", format!("{tx}, 1, NULL, 'signed', 1, 1)")),
            ("a second live transaction", format!("{tx}, 2, (SELECT max(id) FROM jobs), 'signed', 1, 1)")),
            ("mined nowhere", "UPDATE transactions SET state = 'included'".into()),
            ("an unknown job", format!("{tx}, 3, 999, 'signed', 1, 1)")),
        ] {
            let refused = ground.edit(&sql).await;
            assert!(matches!(refused, Err(sqlx::Error::Database(_))), "{why} on {}: {refused:?}", ground.place);
        }
    }
}
