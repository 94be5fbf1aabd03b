//! Which troubles were told, so that each is told when it begins and not at every turn.

use std::{collections::BTreeMap, time::Duration};

use crate::chain::ChainError;

/// Until a passing trouble is told again.
const OFTEN: Duration = Duration::from_secs(30);
/// Until it is told again that something waits for a person, a price or a limit.
const SELDOM: Duration = Duration::from_secs(3600);

/// When each trouble was told last, by the steady clock.
#[derive(Debug, Default)]
pub(super) struct Troubles {
    told: BTreeMap<String, Duration>,
}

impl Troubles {
    /// Whether a trouble is to be told. One that waits, and what a node doesn't have, is the same though its numbers change.
    pub(super) fn is_news(&mut self, error: &ChainError, now: Duration) -> bool {
        let (topic, pause) = match error {
            ChainError::Held(held) => (held.topic(), SELDOM),
            ChainError::FeeAboveCap { cap, .. } => (format!("fee {cap}"), SELDOM),
            // Of a node that stays behind another block is missing each time.
            missing @ ChainError::Missing { .. } => (without_numbers(&missing.to_string()), OFTEN),
            other => (other.to_string(), OFTEN),
        };
        self.is_new(topic, pause, now)
    }

    /// The same for a trouble that is not the chain's.
    pub(super) fn is_new_text(&mut self, text: String, now: Duration) -> bool {
        self.is_new(text, OFTEN, now)
    }

    fn is_new(&mut self, topic: String, pause: Duration, now: Duration) -> bool {
        self.told.retain(|_, told| now.saturating_sub(*told) < SELDOM);
        let known = self.told.get(&topic).is_some_and(|told| now.saturating_sub(*told) < pause);
        if !known {
            self.told.insert(topic, now);
        }
        !known
    }

    /// Something was signed by an account, so that what held it up is over.
    pub(super) fn over(&mut self, account: &str) {
        self.told.retain(|topic, _| !topic.contains(account) && !topic.starts_with("fee "));
    }
}

/// A text in which one number stands for all. What is part of an address or of a name stays.
fn without_numbers(text: &str) -> String {
    let is_number = |word: &str| {
        let digits = word.trim_matches(|c: char| c.is_ascii_punctuation());
        !digits.is_empty() && digits.bytes().all(|c| c.is_ascii_digit())
    };
    text.split(' ').map(|word| if is_number(word) { "0" } else { word }).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::{
        Held,
        types::{Address, U256},
    };

    #[test]
    fn what_waits_is_told_once_until_it_is_over() {
        let mut troubles = Troubles::default();
        let at = Duration::from_secs;
        let account = Address::repeat_byte(7);
        let broke = |balance: u64| {
            ChainError::from(Held::Balance { account, balance: U256::from(balance), need: U256::from(100) })
        };
        let lost = ChainError::Missing { url: "x".into(), what: "y".into() };
        assert!(troubles.is_news(&broke(5), at(0)));
        assert!(!troubles.is_news(&broke(4), at(1)), "other numbers, the same trouble");
        assert!(troubles.is_news(&lost, at(1)));
        assert!(!troubles.is_news(&lost, at(20)));
        assert!(troubles.is_news(&lost, at(40)));
        assert!(!troubles.is_news(&broke(4), at(40)));
        troubles.over(&account.to_string());
        assert!(troubles.is_news(&broke(4), at(41)), "it has begun again");
        assert!(troubles.is_news(&broke(4), at(41) + SELDOM));
    }

    #[test]
    fn a_node_that_stays_behind_is_told_of_once() {
        let mut troubles = Troubles::default();
        let behind = |url: &str, at: u64| {
            let what = format!("block up to {at} that it had before (it is at 67); it is behind");
            ChainError::Missing { url: url.into(), what }
        };
        let at = Duration::from_secs;
        assert!(troubles.is_news(&behind("http://127.0.0.1:8545", 207), at(0)));
        assert!(!troubles.is_news(&behind("http://127.0.0.1:8545", 208), at(1)), "one block later");
        assert!(troubles.is_news(&behind("http://127.0.0.1:8546", 208), at(1)), "another node");
        assert!(troubles.is_news(&behind("http://127.0.0.1:8545", 300), at(31)));
        assert!(troubles.is_new_text("job 7: no room".into(), at(31)));
        assert!(troubles.is_new_text("job 8: no room".into(), at(31)), "another job's is another trouble");
    }
}
