//! Games one after another with real proofs, for as long as `ZUGZWANG_SOAK` says in minutes (`make soak`): memory must not grow
//! with them. `make test` plays one.

use std::{path::Path, time::Duration};

use tokio::time::{Instant, sleep};

use crate::{
    chaos::{House, Kept, Players, Tally},
    dice::number,
    load::memory_mib,
};

/// What counts as flat, in MiB between the first third after warming up and the last.
const MOST_GROWTH: f64 = 40.0;

struct Sample {
    minutes: f64,
    memory_mib: u64,
    store_kib: u64,
}

fn kib(store: &Path) -> u64 {
    let files = ["db", "db-wal", "db-shm"].map(|ending| store.with_extension(ending));
    files.iter().filter_map(|file| Some(std::fs::metadata(file).ok()?.len())).sum::<u64>() / 1024
}

fn mean(samples: &[Sample]) -> f64 {
    samples.iter().map(|sample| sample.memory_mib as f64).sum::<f64>() / samples.len().max(1) as f64
}

/// By least squares, in MiB an hour.
fn slope(samples: &[Sample]) -> f64 {
    let n = samples.len().max(1) as f64;
    let (x, y) = (samples.iter().map(|s| s.minutes / 60.0).sum::<f64>() / n, mean(samples));
    let (mut up, mut down) = (0.0, 0.0);
    for sample in samples {
        let dx = sample.minutes / 60.0 - x;
        up += dx * (sample.memory_mib as f64 - y);
        down += dx * dx;
    }
    if down > 0.0 { up / down } else { 0.0 }
}

#[tokio::test(flavor = "multi_thread")]
async fn games_one_after_another_leave_memory_flat() {
    let minutes = number("ZUGZWANG_SOAK", 0);
    let house = House::new().await;
    let config = house.config("soak", &house.chain.url, "confirmations = 1");
    let mut daemon = Kept::start(&config);
    let players = Players::sit_down(&house, 2, None).await;
    let (begun, mut samples) = (Instant::now(), Vec::new());
    let length = Duration::from_secs(60 * minutes);
    while begun.elapsed() < length {
        sleep(Duration::from_secs(60).min(length.saturating_sub(begun.elapsed()))).await;
        assert!(!daemon.look(), "it ended by itself: {:?}", daemon.ends);
        let sample = Sample {
            minutes: begun.elapsed().as_secs_f64() / 60.0,
            memory_mib: memory_mib(&daemon.process().to_string()),
            store_kib: kib(&house.store("soak")),
        };
        println!("minute {:.0}: {} MiB, store {} KiB", sample.minutes, sample.memory_mib, sample.store_kib);
        samples.push(sample);
    }
    let games = players.finish(async || ()).await;
    let tally = Tally::check(&house, &games, &["soak"], async || ()).await;
    assert!(!daemon.look(), "it ended by itself: {:?}", daemon.ends);
    assert_eq!((tally.reverted, tally.dropped), (0, 0), "nothing goes wrong on the chain");
    assert_eq!(tally.transactions, tally.answers as u64, "one transaction for each answer");
    // The first fifth warms up.
    let warm = &samples[samples.len() / 5..];
    let third = warm.len().div_ceil(3);
    let growth = mean(&warm[warm.len() - third..]) - mean(&warm[..third]);
    let most = samples.iter().map(|sample| sample.memory_mib).max().unwrap_or_default();
    let store = samples.last().map_or(0, |sample| sample.store_kib);
    tally.print(
        "soak",
        &format!(
            "{minutes} minutes, at most {most} MiB, {growth:+.1} MiB from first to last third, {:+.1} MiB an hour, store {store} KiB",
            slope(warm)
        ),
    );
    assert!(growth < MOST_GROWTH, "{growth} MiB");
}
