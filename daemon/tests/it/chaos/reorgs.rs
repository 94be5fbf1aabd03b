//! Reorganisations of a real chain, shallower and deeper than the confirmations that are waited for.

use std::time::Duration;

use super::{House, Kept, Players, Tally};
use crate::dice::number;

const CONFIRMATIONS: u64 = 4;

#[tokio::test(flavor = "multi_thread")]
async fn whole_games_survive_reorganisations() {
    let rounds = number("ZUGZWANG_CHAOS", 1);
    let house = House::new().await;
    // Finality is beyond the deepest of them: what is final is never looked at again.
    let config = house.config("reorg", &house.chain.url, &format!("confirmations = {CONFIRMATIONS}\nmax_reorg = 32"));
    let mut daemon = Kept::start(&config);
    let players = Players::sit_down(&house, 2, None).await;
    let depths = [1, 2, CONFIRMATIONS - 1, CONFIRMATIONS + 3];
    let mut done = 0;
    for depth in depths.iter().cycle().take(depths.len() * rounds as usize) {
        // Enough blocks for moves and answers to be in those that go.
        tokio::time::sleep(Duration::from_millis(2500)).await;
        house.reorganise(*depth).await;
        done += 1;
    }
    let games = players.finish(async || ()).await;
    let tally = Tally::check(&house, &games, &["reorg"], async || ()).await;
    assert!(!daemon.look(), "it ended by itself: {:?}", daemon.ends);
    tally.print("anvil_reorg", &format!("{done} reorganisations of depths {depths:?}, {CONFIRMATIONS} confirmations"));
}
