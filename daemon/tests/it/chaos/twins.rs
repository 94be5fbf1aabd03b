//! Two daemons on one key, each with a store of its own.

use super::{House, Kept, Players, Tally};
use crate::dice::number;

#[tokio::test(flavor = "multi_thread")]
async fn two_daemons_on_one_key_answer_once() {
    let games = number("ZUGZWANG_CHAOS", 1);
    let house = House::new().await;
    let configs = ["first", "second"].map(|name| house.config(name, &house.chain.url, "confirmations = 1"));
    let mut daemons: Vec<Kept> = configs.iter().map(|config| Kept::start(config)).collect();
    let players = Players::sit_down(&house, 2, Some(games as usize)).await;
    let played = players.finish(async || ()).await;
    let tally = Tally::check(&house, &played, &["first", "second"], async || ()).await;
    for daemon in &mut daemons {
        assert!(!daemon.look(), "it ended by itself: {:?}", daemon.ends);
    }
    tally.print("two daemons on one key", "2 stores");
}
