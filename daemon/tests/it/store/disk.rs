//! A disk that is full: told as trouble that passes, and nothing is damaged.

use std::{path::Path, process::Command, time::Duration};

use zugzwang::{
    chain::types::B256,
    store::{Answer, State, Store, StoreError},
};

use super::{CHAIN, block, key};

/// Set in the process that the test starts of itself where it may not mount.
const CHILD: &str = "ZUGZWANG_TEST_FILE_LIMIT";
const NAME: &str = "store::disk::a_full_disk_is_told_and_nothing_is_damaged";

#[test]
fn a_full_disk_is_told_and_nothing_is_damaged() {
    let folder = tempfile::tempdir().expect("folder");
    let runtime = tokio::runtime::Runtime::new().expect("runtime");
    if std::env::var_os(CHILD).is_some() {
        // The soft limit is one that a process may raise itself.
        let own = std::process::id().to_string();
        let more = || run("prlimit", &["--pid", &own, "--fsize=unlimited"]);
        return runtime.block_on(fill(folder.path(), more));
    }
    let mounted = folder.path().display().to_string();
    if run("mount", &["-t", "tmpfs", "-o", "size=1m", "tmpfs", &mounted]) {
        let more = || run("mount", &["-o", "remount,size=8m", &mounted]);
        let filled = std::panic::catch_unwind(|| runtime.block_on(fill(folder.path(), more)));
        runtime.shutdown_timeout(Duration::from_secs(10));
        assert!(run("umount", &["--lazy", &mounted]));
        return filled.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    }
    // Without the right to mount: a limit on the size of files, in a process of its own.
    let child = Command::new("bash")
        .args(["-c", "trap '' XFSZ; ulimit -S -f 1024; exec \"$0\" \"$@\""])
        .arg(std::env::current_exe().expect("this program"))
        .args(["--exact", NAME, "--nocapture"])
        .env(CHILD, "1")
        .output()
        .expect("bash");
    let said = String::from_utf8_lossy(&child.stdout);
    assert!(child.status.success() && said.contains("1 passed"), "{said}\n{}", String::from_utf8_lossy(&child.stderr));
}

fn run(program: &str, arguments: &[&str]) -> bool {
    Command::new(program).args(arguments).output().is_ok_and(|output| output.status.success())
}

async fn fill(folder: &Path, more: impl Fn() -> bool) {
    let path = folder.join("z.db");
    let store = Store::open(&path).await.expect("open");
    store.claim_chain(CHAIN, B256::repeat_byte(1)).await.expect("chain");
    let mut stored = 0;
    let error = loop {
        match prove(&store, stored).await {
            Ok(()) => stored += 1,
            Err(error) => break error,
        }
        assert!(stored < 500, "the disk is never full");
    };
    assert!(stored > 3 && error.is_passing(), "after {stored}: {error:?}");
    // It stays full: each try is told the same, and reading goes on.
    for _ in 0..3 {
        let error = prove(&store, stored).await.expect_err("it is still full");
        assert!(error.is_passing(), "{error:?}");
        assert_eq!(proved(&store).await, stored);
    }
    assert!(more(), "no room can be made");
    for _ in 0..3 {
        prove(&store, stored).await.expect("there is room");
        stored += 1;
    }
    assert_eq!(proved(&store).await, stored);
    let health = store.check().await.expect("check");
    assert!(health.is_good(), "{health:?}");
    store.close().await;
    drop(store);
    let store = Store::open(&path).await.expect("open again");
    assert_eq!(proved(&store).await, stored);
    store.close().await;
}

/// A job with a proof of 20 kB, in one write.
async fn prove(store: &Store, round: u64) -> Result<(), StoreError> {
    let mut write = store.write().await?;
    write.advance(CHAIN, block(5), 64).await?;
    write.ask(&key(round), block(5)).await?;
    let job = write.job(&key(round)).await?.expect("a job");
    write.set_state(job.id, State::Proving, "").await?;
    write.set_proved(job.id, &Answer { outputs: vec![[1; 32]], proof: vec![7; 20_000] }, 1).await?;
    write.commit().await
}

async fn proved(store: &Store) -> u64 {
    let jobs = store.open_jobs(CHAIN).await.expect("jobs");
    assert!(jobs.iter().all(|job| job.state == State::Proved), "{jobs:?}");
    jobs.len() as u64
}
