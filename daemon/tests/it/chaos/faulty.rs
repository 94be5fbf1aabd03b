//! A node that answers badly, or not at all for a while.

use std::time::Duration;

use super::{House, Kept, Players, Tally, proxy::Proxy};
use crate::dice::{number, seed};

/// Shorter than the proxy's delay.
const TIMEOUT: &str = "confirmations = 1\ntimeout_ms = 800";
const LATE: Duration = Duration::from_millis(1200);

#[tokio::test(flavor = "multi_thread")]
async fn whole_games_survive_a_node_that_fails_three_times_in_ten() {
    let games = number("ZUGZWANG_CHAOS", 1);
    let house = House::new().await;
    let proxy = Proxy::start(&house.chain.url, 30, LATE, seed()).await;
    let config = house.config("faulty", &proxy.url, TIMEOUT);
    let mut daemon = Kept::start(&config);
    let players = Players::sit_down(&house, 1, Some(games as usize)).await;
    let played = players.finish(async || _ = daemon.look()).await;
    let tally = Tally::check(&house, &played, &["faulty"], async || _ = daemon.look()).await;
    assert_eq!((tally.reverted, tally.dropped), (0, 0), "nothing goes wrong on the chain");
    assert_eq!(tally.transactions, tally.answers as u64, "one transaction for each answer");
    let counts = proxy.counts();
    tally.print("30 % faults", &format!("{} requests: {counts}; {} starts", proxy.requests(), daemon.ends.len() + 1));
    // A start that finds no node is refused; a daemon that runs goes on.
    assert!(daemon.ends.iter().all(|(code, said)| *code == Some(3) && said.contains("node")), "{:?}", daemon.ends);
}

/// lichess-bot #1120: after a lost connection the game was not found again; #682: the bot was there and did not move.
#[tokio::test(flavor = "multi_thread")]
async fn lichess_bot_1120_a_game_goes_on_after_the_node_was_gone() {
    let house = House::new().await;
    let proxy = Proxy::start(&house.chain.url, 0, LATE, seed()).await;
    let config = house.config("gone", &proxy.url, TIMEOUT);
    let mut daemon = Kept::start(&config);
    let players = Players::sit_down(&house, 1, Some(1)).await;
    // Gone twice: from the first move on, and again in the midst of the game.
    for wait in [700, 2500] {
        tokio::time::sleep(Duration::from_millis(wait)).await;
        proxy.set_down(true);
        tokio::time::sleep(Duration::from_millis(1500)).await;
        proxy.set_down(false);
    }
    let played = players.finish(async || _ = daemon.look()).await;
    let tally = Tally::check(&house, &played, &["gone"], async || ()).await;
    assert_eq!((tally.games, tally.reverted), (1, 0));
    tally.print("node gone for 1.5 s, twice", &format!("{} requests", proxy.requests()));
}
