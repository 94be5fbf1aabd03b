//! The seeded simulation: the daemon's own code on a chain, endpoints, a clock and a disk that one seed drives, through everything
//! that may go wrong, until the one invariant can be read off: each request has at most one answer that succeeded, and ended
//! answered, forfeited or reported. See docs/simulation.md.

mod app;
mod chain;
mod desk;
mod dice;
mod gate;
mod judge;
mod life;
mod node;
mod plan;
mod trouble;
mod world;

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use self::world::World;

/// What came of a seed.
#[derive(Debug)]
struct Outcome {
    /// Stands for everything that happened.
    trace: u64,
    /// What doesn't hold.
    wrong: Vec<String>,
    /// How often things happened.
    counts: BTreeMap<&'static str, u64>,
}

/// In memory, where there is such a place: nothing here depends on a disk's speed.
fn folder() -> tempfile::TempDir {
    let memory = PathBuf::from("/dev/shm");
    let made = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    made.expect("a folder")
}

fn run(seed: u64, shown: bool) -> Outcome {
    // Thousands of turns would drown what other tests log; nothing here reads it.
    let _silent = tracing::subscriber::set_default(tracing::subscriber::NoSubscriber::default());
    let folder = folder();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    // Daemons never leave this thread.
    tokio::task::LocalSet::new().block_on(&runtime, async {
        let mut world = World::new(seed, folder.path(), shown);
        let ran = world.run().await;
        world.end().await;
        let mut wrong = world.judge().await;
        if let Err(why) = ran {
            wrong.insert(0, why);
        }
        for what in &wrong {
            world.note(format_args!("WRONG: {what}"));
        }
        Outcome { trace: world.trace(), wrong, counts: world.counts }
    })
}

fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok().filter(|value| !value.is_empty()).map(|value| value.parse().expect(name))
}

/// A seed and what is wrong with its end.
type Failure = (u64, Vec<String>);

/// Runs seeds on all cores; the failures, and how often things happened in all.
fn run_all(first: u64, count: u64) -> (Vec<Failure>, BTreeMap<&'static str, u64>) {
    let (next, failed, counts) = (AtomicU64::new(first), Mutex::new(Vec::new()), Mutex::new(BTreeMap::new()));
    let stops = variable("SIM_STOP").is_some();
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::SeqCst);
                    let enough = stops && !failed.lock().expect("failures").is_empty();
                    if seed >= first + count || enough {
                        return;
                    }
                    let outcome = run(seed, false);
                    let mut counts = counts.lock().expect("counts");
                    for (what, often) in outcome.counts {
                        *counts.entry(what).or_insert(0) += often;
                    }
                    if !outcome.wrong.is_empty() {
                        println!(
                            "seed {seed} fails; make sim SEED={seed} shows all that happens\n  {}",
                            outcome.wrong.join("\n  ")
                        );
                        failed.lock().expect("failures").push((seed, outcome.wrong));
                    }
                }
            });
        }
    });
    (failed.into_inner().expect("failures"), counts.into_inner().expect("counts"))
}

#[test]
fn every_request_ends_and_none_is_answered_twice() {
    if let Some(seed) = variable("SIM_SEED") {
        let outcome = run(seed, true);
        assert!(outcome.wrong.is_empty(), "seed {seed}:\n{}", outcome.wrong.join("\n"));
        return;
    }
    let (first, count) = (variable("SIM_FROM").unwrap_or(1), variable("SIM_SEEDS").unwrap_or(500));
    let (failed, counts) = run_all(first, count);
    println!("{count} seeds from {first}: {counts:?}");
    if count >= 500 {
        // A simulation in which nothing goes wrong proves nothing.
        for what in ["crashes", "reorgs", "thefts", "too deep", "stopped"] {
            assert!(counts.contains_key(what), "none of {count} seeds had any of this: {what}");
        }
    }
    assert!(
        failed.is_empty(),
        "{} of {count} seeds fail: {:?}",
        failed.len(),
        failed.iter().map(|(s, _)| s).collect::<Vec<_>>()
    );
}

#[test]
fn the_same_seed_gives_the_same_run() {
    for seed in [3, 14, 15, 92, 65] {
        let (one, two) = (run(seed, false), run(seed, false));
        assert_eq!(one.trace, two.trace, "seed {seed}");
    }
}
