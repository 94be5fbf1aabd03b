//! What broke in other programs' stores, or would have broken in ours.

use std::{collections::BTreeSet, time::Duration};

use sqlx::{Connection, Executor, Row};
use zugzwang::{
    chain::types::U256,
    store::{Answer, Errand, JobFilter, JobKey, State, Store, StoreError},
};

use super::{CHAIN, Ground, SIGNER, block, key, on_both, signed_as, with_job};
use crate::servers::Server;

on_both! {
    database_is_locked_under_load_nutshell_907,
    succeeded_without_a_proof_is_refused_op_succinct_728,
    a_queue_of_ten_thousand_is_claimed_by_index_zksync_era_4744,
    a_second_daemon_is_told_that_the_store_is_in_use,
    a_nonce_is_taken_once_by_many_at_once_relayer_683,
}

/// Many who write and many who read at once: nobody is told that the database is locked, and nothing is lost.
async fn database_is_locked_under_load_nutshell_907(ground: Ground) {
    const WRITERS: u64 = 16;
    const EACH: u64 = 25;
    let store = ground.open().await;
    // A tool that looks on from outside.
    let looker = Store::open_to_read(&ground.place).await.expect("to read");
    let mut tasks = tokio::task::JoinSet::new();
    for writer in 0..WRITERS {
        let store = store.clone();
        tasks.spawn(async move {
            for nth in 0..EACH {
                let mut write = store.write().await.expect("write");
                write.ask(&key(writer * EACH + nth), block(nth)).await.expect("ask");
                write.advance(CHAIN, block(nth), 64).await.expect("advance");
                write.commit().await.expect("commit");
            }
        });
    }
    for reader in 0..16 {
        let store = if reader % 2 == 0 { store.clone() } else { looker.clone() };
        tasks.spawn(async move {
            let mut seen = 0;
            while seen < usize::try_from(WRITERS * EACH).expect("a few") {
                let open = store.open_jobs(CHAIN).await.expect("open jobs").len();
                assert!(open >= seen, "{open} after {seen}");
                seen = open;
                store.cursor(CHAIN).await.expect("cursor");
            }
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.expect("no task fails");
    }
    assert_eq!(store.jobs().await.expect("jobs").len() as u64, WRITERS * EACH);
}

async fn succeeded_without_a_proof_is_refused_op_succinct_728(ground: Ground) {
    let store = ground.open().await;
    let job = with_job(&store).await;
    for state in ["proved", "submitted", "included", "final"] {
        let forced = ground.edit(&format!("UPDATE jobs SET state = '{state}' WHERE id = {}", job.id)).await;
        assert!(matches!(forced, Err(sqlx::Error::Database(_))), "{state}: {forced:?}");
    }
    assert!(store.answer(job.id).await.expect("answer").is_none());
    assert_eq!(store.job_by_id(job.id).await.expect("job").expect("a job").state, State::Seen);
}

/// With ten thousand jobs behind it, what is asked in each turn reads only what is open.
async fn a_queue_of_ten_thousand_is_claimed_by_index_zksync_era_4744(ground: Ground) {
    let store = ground.open().await;
    let digits = "(SELECT 0 AS d UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4 UNION ALL SELECT 5 \
                  UNION ALL SELECT 6 UNION ALL SELECT 7 UNION ALL SELECT 8 UNION ALL SELECT 9)";
    let (c20, c32, proof) = if ground.is_server() {
        (format!("'\\x{}'::bytea", "09".repeat(20)), format!("'\\x{}'::bytea", "00".repeat(32)), "'\\xaa'::bytea")
    } else {
        (format!("x'{}'", "09".repeat(20)), format!("x'{}'", "00".repeat(32)), "x'aa'")
    };
    let rows = format!(
        "(SELECT a.d * 1000 + b.d * 100 + c.d * 10 + e.d AS n FROM {digits} AS a, {digits} AS b, {digits} AS c, {digits} AS e) AS r"
    );
    let state = "CASE WHEN n % 200 = 7 THEN 'seen' WHEN n % 200 = 8 THEN 'submitted' ELSE 'final' END";
    let jobs = format!(
        "INSERT INTO jobs (chain_id, contract, subject, round, block_number, block_hash, state, outputs, proof, created_at, updated_at) \
         SELECT {CHAIN}, {c20}, CAST(n AS TEXT), 0, n, {c32}, {state}, {c32}, {proof}, n, n FROM {rows}"
    );
    assert_eq!(ground.edit(&jobs).await.expect("jobs"), 10_000);
    let txs = format!(
        "INSERT INTO transactions (chain_id, signer, nonce, job, state, mined_number, mined_hash, mined_ok, gas_used, created_at, updated_at) \
         SELECT {CHAIN}, {c20}, id, id, CASE state WHEN 'submitted' THEN 'broadcast' ELSE 'final' END, 1, {c32}, 1, 1, 1, 1 \
         FROM jobs WHERE state <> 'seen'"
    );
    assert_eq!(ground.edit(&txs).await.expect("transactions"), 9_950);
    if ground.is_server() {
        ground.edit("ANALYZE").await.expect("statistics");
    }
    assert_eq!(store.open_jobs(CHAIN).await.expect("open").len(), 100);
    let page = store.list_jobs(&JobFilter { states: vec![State::Seen], limit: 10, ..JobFilter::default() }).await;
    assert_eq!(page.expect("a page").entries.len(), 10);

    // As the store asks, with values for the placeholders.
    for sql in [
        format!(
            "SELECT id FROM jobs WHERE chain_id = {CHAIN} AND state IN ('seen', 'proving', 'proved', 'submitted', 'included') ORDER BY id"
        ),
        format!("SELECT id FROM jobs WHERE chain_id = {CHAIN} AND contract = {c20} AND subject = '17' ORDER BY round"),
        format!("SELECT id FROM jobs WHERE chain_id = {CHAIN} AND block_number > 9990 ORDER BY id"),
        format!("SELECT id FROM jobs WHERE chain_id = {CHAIN} AND state IN ('moot', 'forfeited') AND ended_at IS NULL"),
        "SELECT id FROM transactions WHERE job = 17 ORDER BY id".to_owned(),
        format!(
            "SELECT id FROM transactions WHERE chain_id = {CHAIN} AND signer = {c20} AND state IN ('signed', 'broadcast', 'included') ORDER BY nonce"
        ),
        format!(
            "SELECT max(nonce) FROM transactions WHERE chain_id = {CHAIN} AND signer = {c20} AND state <> 'dropped'"
        ),
        "SELECT hash FROM attempts WHERE tx = 17".to_owned(),
    ] {
        let mut connection = ground.connection().await;
        let explain = if ground.is_server() { "EXPLAIN" } else { "EXPLAIN QUERY PLAN" };
        // An empty table is read as a whole by any planner.
        if ground.is_server() {
            connection.execute("SET enable_seqscan = off").await.expect("set");
        }
        let rows = connection.fetch_all(sqlx::AssertSqlSafe(format!("{explain} {sql}"))).await.expect("a plan");
        let column = if ground.is_server() { "QUERY PLAN" } else { "detail" };
        let plan: Vec<String> = rows.iter().map(|row| row.get(column)).collect();
        let plan = plan.join("\n");
        assert!(plan.contains("INDEX") || plan.contains("Index"), "{sql}\n{plan}");
        assert!(!plan.contains("SCAN") && !plan.contains("Seq Scan"), "{sql}\n{plan}");
        connection.close().await.expect("goodbye");
    }
}

async fn a_second_daemon_is_told_that_the_store_is_in_use(ground: Ground) {
    let store = ground.open().await;
    let second = Store::open(&ground.place).await;
    let Err(error @ StoreError::InUse { .. }) = second else { panic!("{second:?}") };
    assert!(error.to_string().contains("another zugzwang is using it") && !error.is_passing(), "{error}");
    // To look into it is allowed, to write is not.
    let looker = Store::open_to_read(&ground.place).await.expect("to read");
    assert!(matches!(looker.write().await, Err(StoreError::ReadOnly { .. })));
    looker.close().await;
    store.close().await;
    drop(store);
    ground.open().await.close().await;
}

async fn a_nonce_is_taken_once_by_many_at_once_relayer_683(ground: Ground) {
    let store = ground.open().await;
    let mut tasks = tokio::task::JoinSet::new();
    for name in 0..40u8 {
        let store = store.clone();
        tasks.spawn(async move {
            // The nonce is read before the signature, which may take long, and another may have it by then.
            loop {
                let nonce = store.next_nonce(CHAIN, SIGNER, 3).await.expect("nonce");
                tokio::task::yield_now().await;
                let mut write = store.write().await.expect("write");
                let taken = write.take_nonce(CHAIN, SIGNER, nonce, None, &signed_as(name)).await.expect("sign");
                // Every fourth changes its mind: its nonce is the next one's.
                if name % 4 == 0 {
                    return None;
                }
                if taken.is_some() {
                    write.commit().await.expect("commit");
                    return Some(nonce);
                }
            }
        });
    }
    let mut nonces = Vec::new();
    while let Some(done) = tasks.join_next().await {
        nonces.extend(done.expect("no task fails"));
    }
    nonces.sort_unstable();
    assert_eq!(nonces, (3..33).collect::<Vec<u64>>());
    assert!(store.check().await.expect("check").is_good());
}

/// The server goes and comes back in the middle of a write: what was committed is there, what was not is not, the trouble is one
/// that passes, and the lock is had again.
#[tokio::test(flavor = "multi_thread")]
async fn postgres_is_restarted_in_the_middle() {
    let mut server = Server::postgres();
    let ground = Ground::server_of(&server).await;
    let store = ground.open().await;
    let job = with_job(&store).await;
    for command in ["restart", "kill"] {
        let before = store.jobs().await.expect("jobs").len();
        let mut write = store.write().await.expect("write");
        write.ask(&key(100), block(9)).await.expect("ask");
        server.tell(command);
        let failed = match write.ask(&key(101), block(9)).await {
            Ok(()) => write.commit().await,
            failed => {
                // Whoever writes next waits for this one.
                drop(write);
                failed
            }
        };
        let error = failed.expect_err("the connection is gone");
        assert!(error.is_passing(), "{error:?}");
        if command == "kill" {
            let error = store.write().await.expect_err("nobody listens");
            assert!(error.is_passing(), "{error:?}");
            let error = store.open_jobs(CHAIN).await.expect_err("nobody listens");
            assert!(error.is_passing(), "{error:?}");
            server.tell("start");
        }
        let mut write = patiently(&store).await;
        assert!(write.job(&key(100)).await.expect("query").is_none(), "nothing of the broken write happened");
        write.set_state(job.id, State::Proving, command).await.expect("state");
        write.commit().await.expect("commit");
        assert_eq!(store.jobs().await.expect("jobs").len(), before);
        assert!(matches!(Store::open(&ground.place).await, Err(StoreError::InUse { .. })), "the lock is had again");
    }
    assert_eq!(store.job_by_id(job.id).await.expect("job").expect("a job").attempts, 2);
}

/// A write, when the server is back and has noticed that the old connection is gone.
async fn patiently(store: &Store) -> zugzwang::store::Write {
    for _ in 0..200 {
        match store.write().await {
            Ok(write) => return write,
            Err(error) => assert!(error.is_passing(), "{error:?}"),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the store is in trouble for good");
}

/// Somebody else had the store while our connection was gone: this daemon must not go on as if nothing had been.
#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_that_was_replaced_meanwhile_does_not_write() {
    let mut server = Server::postgres();
    let ground = Ground::server_of(&server).await;
    let store = ground.open().await;
    server.tell("restart");
    let second = ground.open().await;
    let error = store.write().await.expect_err("the lock is another's");
    assert!(matches!(error, StoreError::LockLost { .. }) && error.is_passing(), "{error:?}");
    let mut write = second.write().await.expect("write");
    write.ask(&key(1), block(5)).await.expect("ask");
    write.commit().await.expect("commit");
    second.close().await;
    let mut error = store.write().await.expect_err("it was another's");
    // Until the server has noticed that the other is gone.
    while matches!(error, StoreError::LockLost { .. }) {
        tokio::time::sleep(Duration::from_millis(50)).await;
        error = store.write().await.expect_err("it was another's");
    }
    assert!(matches!(error, StoreError::TakenOver { .. }) && !error.is_passing(), "{error:?}");
}

/// One connection of several is ended by the server's administrator, the one that holds the lock.
#[tokio::test(flavor = "multi_thread")]
async fn a_lock_that_is_lost_alone_is_taken_again() {
    let ground = Ground::server().await;
    let store = ground.open().await;
    let ended = ground
        .count("SELECT count(pg_terminate_backend(pid)) FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())")
        .await;
    assert_eq!(ended, 1);
    let mut write = patiently(&store).await;
    write.ask(&key(1), block(5)).await.expect("ask");
    write.commit().await.expect("commit");
    assert!(matches!(Store::open(&ground.place).await, Err(StoreError::InUse { .. })));
}

/// Distinct subjects however large, and texts that a database might take for its own language.
#[tokio::test(flavor = "multi_thread")]
async fn values_come_back_as_they_were_stored() {
    for ground in [Ground::file(), Ground::server().await] {
        let store = ground.open().await;
        let subjects = [U256::ZERO, U256::from(1), U256::from(u64::MAX), U256::MAX - U256::from(1), U256::MAX];
        let mut write = store.write().await.expect("write");
        for subject in subjects {
            let key = JobKey { subject, round: u64::try_from(i64::MAX).expect("positive"), ..key(0) };
            write.ask(&key, block(255)).await.expect("ask");
        }
        write.commit().await.expect("commit");
        let jobs = store.jobs().await.expect("jobs");
        assert_eq!(jobs.iter().map(|job| job.key.subject).collect::<BTreeSet<_>>(), BTreeSet::from(subjects));
        let note = "'; DROP TABLE jobs; -- $1 ? \u{1f642}";
        // Larger than a page of either database, and with every byte.
        let answer = Answer { outputs: vec![[0xff; 32]; 4], proof: (0..=255u8).cycle().take(70_000).collect() };
        let mut write = store.write().await.expect("write");
        write.set_proved(jobs[0].id, &answer, 1).await.expect("proved");
        write.set_state(jobs[0].id, State::Failed, note).await.expect("failed");
        let errand = Some(Errand::Job(jobs[0].id));
        write.take_nonce(CHAIN, SIGNER, 0, errand, &signed_as(0)).await.expect("sign").expect("free");
        write.commit().await.expect("commit");
        assert_eq!(store.answer(jobs[0].id).await.expect("answer"), Some(answer));
        assert_eq!(store.job_by_id(jobs[0].id).await.expect("job").expect("a job").note, note);
        let tx = store.transactions_of(Errand::Job(jobs[0].id)).await.expect("transactions").remove(0);
        assert_eq!((tx.attempts[0].max_fee, tx.mined, tx.errand), (u128::MAX, None, errand));
    }
}
