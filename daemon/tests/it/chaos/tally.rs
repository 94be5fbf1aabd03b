//! Counts at the end: what the chain was asked and answered, and what each store says of its transactions.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    time::Duration,
};

use sqlx::{ConnectOptions, Connection, Row, SqliteConnection, sqlite::SqliteConnectOptions};
use tokio::time::Instant;
use zugzwang::{
    apps::chess::arena::ArenaEvent,
    chain::{types::U256, watcher::found},
};

use super::House;

/// What became of everything.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) games: usize,
    pub(crate) answers: usize,
    /// Transactions of the NPC in blocks.
    pub(crate) transactions: u64,
    /// Of them, those that a contract refused.
    pub(crate) reverted: usize,
    /// Rows whose nonce another transaction of the account has used.
    pub(crate) dropped: usize,
}

/// A row of `transactions`.
struct Sent {
    nonce: u64,
    state: String,
    mined_ok: Option<bool>,
}

impl Tally {
    /// Waits until the stores have nothing open any more, then checks everything that must hold:
    /// - each game has ended, and each question of each game but those that mate left has exactly one answer;
    /// - the account's nonces are those of the stores' transactions, each in a block and final, without a gap.
    pub(crate) async fn check(house: &House, games: &[U256], stores: &[&str], mut tend: impl AsyncFnMut()) -> Self {
        let started = Instant::now();
        for name in stores {
            while open(&house.store(name)).await != 0 {
                assert!(started.elapsed() < Duration::from_secs(180), "{name}: jobs or transactions that stay open");
                tend().await;
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
        let answers = answered(house, games).await;
        let mut tally = Self { games: games.len(), answers, ..Self::default() };

        let mut used: BTreeMap<u64, &str> = BTreeMap::new();
        for name in stores {
            for sent in sent(&house.store(name)).await {
                if sent.state == "dropped" {
                    tally.dropped += 1;
                    continue;
                }
                assert_eq!(sent.state, "final", "{name}: nonce {}", sent.nonce);
                tally.reverted += usize::from(sent.mined_ok == Some(false));
                let other = used.insert(sent.nonce, name);
                assert_eq!(other, None, "{name} has nonce {} in a block, and so has another", sent.nonce);
            }
        }
        let nonces: Vec<u64> = used.into_keys().collect();
        let top = house.nonce().await;
        assert_eq!(nonces, (house.before..top).collect::<Vec<_>>(), "the account's nonces and the stores'");
        tally.transactions = top - house.before;
        tally
    }

    /// A line of the table in docs/reliability.md.
    pub(crate) fn print(&self, what: &str, more: &str) {
        println!(
            "| {what} | {} games, {} answers, each once; {} transactions, {} reverted, {} nonces used by the other; {more} |",
            self.games, self.answers, self.transactions, self.reverted, self.dropped
        );
    }
}

/// Compares questions with answers, and gives how many there are.
async fn answered(house: &House, games: &[U256]) -> usize {
    let head = house.client.head().await.expect("head").block.number;
    let logs = house.client.logs_between(&[house.arena.address()], 0, head).await.expect("logs");
    let (mut asked, mut answers, mut over) = (BTreeSet::new(), Vec::new(), BTreeMap::new());
    for found in found(logs) {
        match house.arena.event(&found.log).expect("event") {
            Some((game, ArenaEvent::Created { npc_is_white: true })) => _ = asked.insert((game, 0)),
            Some((game, ArenaEvent::HumanMoved { ply })) => _ = asked.insert((game, ply + 1)),
            Some((game, ArenaEvent::NpcMoved { ply })) => answers.push((game, ply)),
            Some((game, ArenaEvent::Over { how, .. })) => _ = over.insert(game, how),
            _ => {}
        }
    }
    for game in games {
        let how = over.get(game).map_or("goes on", String::as_str);
        assert!(how.ends_with("by checkmate"), "game {game}: {how}");
        if how == "the human won by checkmate" {
            // The NPC was asked, and there was nothing to answer.
            let last = asked.iter().filter(|(of, _)| of == game).max().copied().expect("a question");
            asked.remove(&last);
        }
    }
    answers.sort_unstable();
    assert_eq!(answers, asked.into_iter().collect::<Vec<_>>(), "answers and questions");
    answers.len()
}

async fn connect(store: &Path) -> Option<SqliteConnection> {
    SqliteConnectOptions::new().filename(store).busy_timeout(Duration::from_secs(5)).connect().await.ok()
}

/// Jobs and transactions that aren't at an end; a store that can't be read just now counts as open.
async fn open(store: &Path) -> i64 {
    let Some(mut connection) = connect(store).await else { return 1 };
    let count = sqlx::query(
        "SELECT (SELECT count(*) FROM jobs WHERE state IN ('seen', 'proving', 'proved', 'submitted', 'included')) \
         + (SELECT count(*) FROM transactions WHERE state IN ('signed', 'broadcast', 'included')) AS open",
    )
    .fetch_one(&mut connection)
    .await;
    let _ = connection.close().await;
    count.map_or(1, |row| row.get("open"))
}

async fn sent(store: &Path) -> Vec<Sent> {
    let mut connection = connect(store).await.expect("store");
    let rows = sqlx::query("SELECT nonce, state, mined_ok FROM transactions ORDER BY nonce")
        .fetch_all(&mut connection)
        .await
        .expect("transactions");
    rows.iter()
        .map(|row| Sent {
            nonce: row.get::<i64, _>("nonce").try_into().expect("a nonce"),
            state: row.get("state"),
            mined_ok: row.get::<Option<i64>, _>("mined_ok").map(|ok| ok != 0),
        })
        .collect()
}

/// The jobs' states as they are stored, for a look at what a killed daemon was about.
pub(crate) async fn states(store: &Path) -> Vec<String> {
    let Some(mut connection) = connect(store).await else { return Vec::new() };
    let rows = sqlx::query(
        "SELECT coalesce(t.state, j.state) AS state FROM jobs j LEFT JOIN transactions t ON t.job = j.id \
         AND t.state IN ('signed', 'broadcast') WHERE j.state IN ('seen', 'proving', 'proved', 'submitted', 'included')",
    )
    .fetch_all(&mut connection)
    .await
    .unwrap_or_default();
    let _ = connection.close().await;
    rows.iter().map(|row| row.get("state")).collect()
}
