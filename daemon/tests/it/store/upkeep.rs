//! Lists, checks, copies, and what is forgotten.

use std::process::Command;

use zugzwang::store::{
    Answer, BlockRef, Errand, JobFilter, Mined, Place, Pruned, State, Store, StoreError, TxFilter, TxState,
};

use super::{CHAIN, Ground, SIGNER, block, key, on_both, signed_as};

on_both! {
    lists_go_page_by_page_and_by_what_is_asked,
    a_check_finds_what_got_past_the_schema,
    what_is_over_is_forgotten_proof_first_and_nonces_are_not,
    the_commands_print_json_and_exit_with_six,
}

/// A day in milliseconds.
const DAY: i64 = 86_400_000;

/// A job that went all the way, with its transaction.
async fn answered(store: &Store, round: u64) -> i64 {
    let nonce = store.next_nonce(CHAIN, SIGNER, 0).await.expect("nonce");
    let mut write = store.write().await.expect("write");
    write.ask(&key(round), block(5)).await.expect("ask");
    let id = write.job(&key(round)).await.expect("query").expect("job").id;
    write.set_proved(id, &Answer { outputs: vec![[3; 32]], proof: vec![7; 1000] }, 5).await.expect("proved");
    let signed = signed_as(u8::try_from(round).expect("few"));
    let errand = Some(Errand::Job(id));
    let tx = write.take_nonce(CHAIN, SIGNER, nonce, errand, &signed).await.expect("sign").expect("free");
    let mined = Mined { block: block(6), ok: true, gas_used: 1, gas_price: 1 };
    write.set_mined(tx, TxState::Final, mined).await.expect("mined");
    write.set_state(id, State::Final, "").await.expect("final");
    write.advance(CHAIN, BlockRef { number: 9, ..block(9) }, 64).await.expect("advance");
    write.commit().await.expect("commit");
    id
}

async fn lists_go_page_by_page_and_by_what_is_asked(ground: Ground) {
    let store = ground.open().await;
    for round in 0..7 {
        answered(&store, round).await;
    }
    let mut write = store.write().await.expect("write");
    write.ask(&key(7), block(5)).await.expect("ask");
    write.commit().await.expect("commit");

    let mut filter =
        JobFilter { limit: 3, chain_id: Some(CHAIN), contracts: vec![key(0).contract], ..JobFilter::default() };
    let mut rounds = Vec::new();
    loop {
        let page = store.list_jobs(&filter).await.expect("a page");
        rounds.extend(page.entries.iter().map(|entry| entry.job.key.round));
        match page.next {
            Some(last) => filter.before = Some(last),
            None => break,
        }
        // What comes meanwhile is on no later page.
        let mut write = store.write().await.expect("write");
        write.ask(&key(100 + rounds.len() as u64), block(5)).await.expect("ask");
        write.commit().await.expect("commit");
    }
    assert_eq!(rounds, (0..8).rev().collect::<Vec<_>>());
    let of =
        async |filter: JobFilter| store.list_jobs(&JobFilter { limit: 50, ..filter }).await.expect("a page").entries;
    assert_eq!(of(JobFilter { states: vec![State::Final], ..JobFilter::default() }).await.len(), 7);
    assert_eq!(of(JobFilter { states: vec![State::Final, State::Seen], ..JobFilter::default() }).await.len(), 10);
    assert_eq!(of(JobFilter { chain_id: Some(1), ..JobFilter::default() }).await.len(), 0);
    assert_eq!(of(JobFilter { contracts: vec![SIGNER], ..JobFilter::default() }).await.len(), 0);
    assert_eq!(
        store.list_jobs(&JobFilter { limit: u32::MAX, ..JobFilter::default() }).await.expect("all").entries.len(),
        10
    );
    let entry = of(JobFilter { states: vec![State::Final], ..JobFilter::default() }).await.remove(0);
    assert_eq!(entry.proof_bytes, 1000);

    let txs = async |filter: TxFilter| store.list_transactions(&TxFilter { limit: 4, ..filter }).await.expect("a page");
    let first = txs(TxFilter { signer: Some(SIGNER), states: vec![TxState::Final], ..TxFilter::default() }).await;
    assert_eq!(first.entries.iter().map(|entry| entry.tx.nonce).collect::<Vec<_>>(), [6, 5, 4, 3]);
    let second = txs(TxFilter { before: first.next, ..TxFilter::default() }).await;
    assert_eq!((second.entries.len(), second.next), (3, None));
    assert_eq!(txs(TxFilter { states: vec![TxState::Signed], ..TxFilter::default() }).await.entries.len(), 0);
    let hash = second.entries[0].tx.attempts[0].hash;
    let found = store.transaction_by_hash(hash).await.expect("a row").expect("a transaction");
    assert_eq!(found.id, second.entries[0].tx.id);
}

async fn a_check_finds_what_got_past_the_schema(ground: Ground) {
    let store = ground.open().await;
    let ids = [answered(&store, 0).await, answered(&store, 1).await, answered(&store, 2).await];
    let mut write = store.write().await.expect("write");
    for (name, nonce) in [(10, 3), (11, 4), (12, 5)] {
        write.take_nonce(CHAIN, SIGNER, nonce, None, &signed_as(name)).await.expect("sign").expect("free");
    }
    write.commit().await.expect("commit");
    let health = store.check().await.expect("check");
    assert!(health.is_good() && health.schema == health.newest_schema && health.schema >= 4, "{health:?}");

    let empty = if ground.is_server() { "''::bytea" } else { "x''" };
    for (spoil, mend, finding) in [
        (
            format!("UPDATE jobs SET state = 'proved', proof = {empty} WHERE id = {}", ids[0]),
            format!("UPDATE jobs SET state = 'final' WHERE id = {}", ids[0]),
            format!("job {} is proved without a proof", ids[0]),
        ),
        (
            format!("UPDATE transactions SET job = {} WHERE job = {}", ids[1], ids[2]),
            format!("UPDATE transactions SET job = {} WHERE nonce = 2", ids[2]),
            format!("job {} was answered by 2 transactions", ids[1]),
        ),
        (
            format!("UPDATE jobs SET state = 'submitted' WHERE id = {}", ids[1]),
            format!("UPDATE jobs SET state = 'final' WHERE id = {}", ids[1]),
            format!("job {} is submitted, but has no live transaction", ids[1]),
        ),
        (
            "UPDATE transactions SET nonce = 9 WHERE nonce = 4".into(),
            "UPDATE transactions SET nonce = 4 WHERE nonce = 9".into(),
            "but nonce 4 below it is nowhere".into(),
        ),
        (
            "UPDATE cursor SET number = 2".into(),
            "UPDATE cursor SET number = 9".into(),
            "block 9 is above the cursor".into(),
        ),
        (
            format!("UPDATE jobs SET subject = 'x' WHERE id = {}", ids[2]),
            format!("UPDATE jobs SET subject = '1' WHERE id = {}", ids[2]),
            "names a subject that is no number".into(),
        ),
    ] {
        ground.edit(&spoil).await.expect("edit");
        let health = store.check().await.expect("check");
        assert!(health.findings.iter().any(|found| found.contains(&finding)), "{spoil}: {health:?}");
        ground.edit(&mend).await.expect("edit");
    }
    let health = store.check().await.expect("check");
    assert!(health.is_good(), "{health:?}");
}

async fn what_is_over_is_forgotten_proof_first_and_nonces_are_not(ground: Ground) {
    let store = ground.open().await;
    for round in 0..5 {
        answered(&store, round).await;
    }
    // One that is old and not over, and a payment to ourselves that nobody waits for.
    let mut write = store.write().await.expect("write");
    write.ask(&key(5), block(5)).await.expect("ask");
    write.commit().await.expect("commit");
    let now = store.clock().now_ms();
    let prune = async |proofs, days, now| store.prune(proofs, days, now).await.expect("prune");
    assert_eq!(prune(Some(30), Some(365), now + 29 * DAY).await, Pruned::default());
    assert_eq!(prune(None, None, now + 9999 * DAY).await, Pruned::default());

    let done = prune(Some(30), Some(365), now + 31 * DAY).await;
    assert_eq!(done, Pruned { proofs: 5, versions: 5, jobs: 0, more: false });
    let jobs = store.list_jobs(&JobFilter { limit: 9, ..JobFilter::default() }).await.expect("jobs").entries;
    assert_eq!((jobs.len(), jobs.iter().map(|entry| entry.proof_bytes).sum::<u64>()), (6, 0));
    assert_eq!(store.answer(jobs[3].job.id).await.expect("answer"), None);
    let health = store.check().await.expect("check");
    assert!(health.is_good(), "{health:?}");

    let done = prune(Some(30), Some(365), now + 366 * DAY).await;
    assert_eq!(
        done,
        Pruned { proofs: 0, versions: 0, jobs: 4, more: false },
        "the newest nonce stays, and what is open"
    );
    let left = store.jobs().await.expect("jobs");
    assert_eq!(
        left.iter().map(|job| (job.key.round, job.state)).collect::<Vec<_>>(),
        [(4, State::Final), (5, State::Seen)]
    );
    assert_eq!(
        (ground.count("SELECT count(*) FROM transactions").await, ground.count("SELECT count(*) FROM attempts").await),
        (1, 1)
    );
    assert_eq!(store.next_nonce(CHAIN, SIGNER, 0).await.expect("nonce"), 5);
    let mut write = store.write().await.expect("write");
    write.ask(&key(6), block(5)).await.expect("ask");
    assert!(write.job(&key(6)).await.expect("query").expect("job").id > left[1].id, "no row's number is used twice");
    drop(write);
    store.vacuum().await.expect("vacuum");
    let stats = store.stats().await.expect("stats");
    assert_eq!((stats.jobs["final"], stats.jobs["seen"], stats.transactions["final"]), (1, 1, 1));
    assert!(stats.bytes > 10_000, "{stats:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_is_made_while_the_daemon_writes() {
    let ground = Ground::file();
    let store = ground.open().await;
    let folder = tempfile::tempdir().expect("folder");
    let file = folder.path().join("it's a copy.db");
    let writing = tokio::spawn({
        let store = store.clone();
        async move {
            for round in 0..60 {
                answered(&store, round).await;
            }
        }
    });
    while store.jobs().await.expect("jobs").len() < 5 {
        tokio::task::yield_now().await;
    }
    let reader = Store::open_to_read(&ground.place).await.expect("beside its owner");
    reader.backup(&file).await.expect("a copy");
    let error = reader.backup(&file).await.expect_err("it exists");
    assert!(error.to_string().contains("the file exists"), "{error}");
    writing.await.expect("no write was held up for good");
    let copy = Store::open(&file).await.expect("the copy is a store");
    let jobs = copy.jobs().await.expect("jobs");
    assert!(jobs.len() >= 5 && jobs.iter().all(|job| job.state == State::Final), "{} jobs", jobs.len());
    assert!(copy.check().await.expect("check").is_good());
    copy.close().await;
    assert_eq!(store.jobs().await.expect("jobs").len(), 60);

    let nowhere = reader.backup(&folder.path().join("no/such/folder.db")).await;
    assert!(matches!(nowhere, Err(StoreError::Backup { .. } | StoreError::Database(_))), "{nowhere:?}");
    let server = Ground::server().await;
    let store = server.open().await;
    let error = store.backup(&folder.path().join("server.db")).await.expect_err("a server has its own tools");
    assert!(error.to_string().contains("pg_dump"), "{error}");
}

/// From one kind to the other and back: the same rows, and the next ones are numbered after them.
#[tokio::test(flavor = "multi_thread")]
async fn a_store_moves_from_a_file_to_a_server_and_back() {
    let (file, server, again) = (Ground::file(), Ground::server().await, Ground::file());
    let store = file.open().await;
    for round in 0..3 {
        answered(&store, round).await;
    }
    let mut write = store.write().await.expect("write");
    write.ask(&key(3), block(5)).await.expect("ask");
    write.watch(CHAIN, SIGNER, key(0).subject, 5, None).await.expect("watch");
    write.follow(CHAIN, SIGNER).await.expect("follow");
    write.commit().await.expect("commit");
    let text = |store: Store| async move {
        let jobs = store.list_jobs(&JobFilter { limit: 99, ..JobFilter::default() }).await.expect("jobs").entries;
        let txs = store.list_transactions(&TxFilter { limit: 99, ..TxFilter::default() }).await.expect("list").entries;
        let answer = store.answer(jobs[1].job.id).await.expect("answer");
        format!("{jobs:?}{txs:?}{answer:?}{:?}", store.stats().await.expect("stats").rows)
    };
    let before = text(store.clone()).await;
    let mut last = store;
    for ground in [&server, &again] {
        let next = Store::open(&ground.place).await.expect("open");
        assert_eq!(next.fill_from(&last).await.expect("copied"), 15);
        assert_eq!(text(next.clone()).await, before);
        let twice = next.fill_from(&last).await;
        assert!(matches!(twice, Err(StoreError::Copy { .. })), "{twice:?}");
        let mut write = next.write().await.expect("write");
        write.ask(&key(50), block(5)).await.expect("ask");
        assert_eq!(write.job(&key(50)).await.expect("query").expect("job").id, 5);
        drop(write);
        last = next;
    }
    assert!(last.check().await.expect("check").is_good());
}

async fn the_commands_print_json_and_exit_with_six(ground: Ground) {
    let store = ground.open().await;
    answered(&store, 0).await;
    let zugzwang = |url: &str, arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_zugzwang"))
            .args(["--json", "db"])
            .args(arguments)
            .env("ZUGZWANG__STORE__URL", url)
            .output()
            .expect("the binary");
        (
            output.status.code(),
            String::from_utf8_lossy(&output.stdout).into_owned(),
            String::from_utf8_lossy(&output.stderr).into_owned(),
        )
    };
    let url = match &ground.place {
        Place::File(path) => format!("sqlite:{}", path.display()),
        Place::Server(_) => ground.url.clone(),
    };
    let parsed = |said: &str| serde_json::from_str::<serde_json::Value>(said).expect("JSON");
    let (code, said, error) = zugzwang(&url, &["check"]);
    assert_eq!((code, parsed(&said)["findings"].as_array().map(Vec::len)), (Some(0), Some(0)), "{said}{error}");
    let (code, said, _) = zugzwang(&url, &["stats"]);
    assert_eq!((code, &parsed(&said)["jobs"]["final"]), (Some(0), &1.into()), "{said}");
    for arguments in [&["migrate"][..], &["prune"], &["vacuum"]] {
        let (code, _, error) = zugzwang(&url, arguments);
        assert!(code == Some(6) && error.contains("another zugzwang is using it"), "{arguments:?}: {error}");
    }
    let empty = if ground.is_server() { "''::bytea" } else { "x''" };
    ground.edit(&format!("UPDATE jobs SET state = 'proved', proof = {empty}")).await.expect("edit");
    let (code, said, error) = zugzwang(&url, &["check"]);
    assert_eq!((code, parsed(&said)["findings"].as_array().map(Vec::len)), (Some(6), Some(1)), "{said}");
    assert!(error.contains("1 things are wrong"), "{error}");
    store.close().await;
    drop(store);
    for arguments in [&["migrate"][..], &["prune"], &["vacuum"]] {
        let (code, said, error) = zugzwang(&url, arguments);
        assert_eq!(code, Some(0), "{arguments:?}: {error}");
        parsed(&said);
    }
    let (code, _, error) = zugzwang("postgres://z:hunter2@127.0.0.1:1/none", &["stats"]);
    assert!(code == Some(6) && !error.contains("hunter2"), "{error}");
    let (code, _, error) = zugzwang("mysql://z:hunter2@127.0.0.1:1/none", &["stats"]);
    assert!(code == Some(2) && !error.contains("hunter2"), "{error}");
}
