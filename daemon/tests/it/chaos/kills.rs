//! `kill -9` at random moments of whole games.

use std::{collections::BTreeMap, fmt, time::Duration};

use tokio::time::{Instant, sleep};

use super::{House, Kept, Players, Tally, tally};
use crate::dice::{Dice, number, seed};

/// What the log says at the steps of an answer: most of them take so little time that a moment of the clock alone would hardly
/// ever hit one.
const STEPS: [&str; 5] = ["asked", "proved", "signed and stored", "transaction sent", "answered"];

/// When a daemon is killed.
struct Moment {
    /// After the log says this; `None` for after its start.
    step: Option<&'static str>,
    pause: Duration,
}

impl Moment {
    fn throw(dice: &mut Dice) -> Self {
        match dice.below(3) {
            0 => Self { step: None, pause: Duration::from_millis(dice.below(3000)) },
            _ => Self {
                step: Some(STEPS[dice.below(STEPS.len() as u64) as usize]),
                pause: Duration::from_micros(dice.below(40_000)),
            },
        }
    }

    /// A step that doesn't come within a while isn't waited for any longer.
    async fn wait(&self, daemon: &mut Kept) {
        let started = Instant::now();
        while let Some(step) = self.step
            && !daemon.said().contains(step)
            && started.elapsed() < Duration::from_secs(15)
        {
            sleep(Duration::from_millis(1)).await;
        }
        sleep(self.pause).await;
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} after \"{}\"", self.pause, self.step.unwrap_or("start"))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whole_games_survive_a_daemon_that_is_killed_at_random_moments() {
    let (kills, seed) = (number("ZUGZWANG_KILLS", 5), seed());
    let tables = if kills > 20 { 4 } else { 2 };
    let house = House::new().await;
    let config = house.config("killed", &house.chain.url, "confirmations = 1");
    let players = Players::sit_down(&house, tables, None).await;
    let mut dice = Dice::new(seed);
    let mut doing: BTreeMap<String, usize> = BTreeMap::new();
    println!("seed {seed}");
    for kill in 1..=kills {
        let moment = Moment::throw(&mut dice);
        let mut daemon = Kept::start(&config);
        moment.wait(&mut daemon).await;
        assert!(!daemon.look(), "it ended by itself: {:?}", daemon.ends);
        daemon.kill();
        let states = tally::states(&house.store("killed")).await;
        for state in &states {
            *doing.entry(state.clone()).or_default() += 1;
        }
        println!("kill {kill} {moment}: {}", states.join(" "));
    }
    let daemon = Kept::start(&config);
    let games = players.finish(async || ()).await;
    let tally = Tally::check(&house, &games, &["killed"], async || ()).await;
    drop(daemon);
    assert_eq!((tally.reverted, tally.dropped), (0, 0), "with one daemon on the key nothing goes wrong on the chain");
    assert_eq!(tally.transactions, tally.answers as u64, "one transaction for each answer");
    let doing: Vec<String> = doing.into_iter().map(|(state, count)| format!("{count} {state}")).collect();
    tally.print("kill -9", &format!("{kills} kills with seed {seed}, of open jobs then: {}", doing.join(", ")));
}
