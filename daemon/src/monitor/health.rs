//! Whether a chain's service does its work, and if not, why: the answer of `/readyz`.

use std::time::Duration;

use crate::config::HttpConfig;

/// What is known of one chain's service. Times are since any fixed moment.
#[derive(Clone, Debug, Default)]
pub struct Health {
    /// Since when keys are loaded and contracts are checked.
    pub ready: Option<Duration>,
    /// The newest block, and since when it has been.
    pub head: Option<(u64, Duration)>,
    /// The last block whose events are stored.
    pub cursor: Option<u64>,
    /// When the last turn was finished.
    pub turn: Option<Duration>,
    /// What is wrong with the store, if it couldn't be written when that was last tried.
    pub store: Option<String>,
    /// The last trouble, in words, with the time.
    pub trouble: Option<(String, Duration)>,
    /// By what error the service has ended.
    pub ended: Option<String>,
    /// Whether it is being stopped.
    pub stopping: bool,
}

/// What `/readyz` says of one chain.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Why it isn't ready; empty if it is.
    pub why: Vec<String>,
    /// No turn was finished for too long.
    pub stuck: Option<String>,
    /// There was no new block for too long.
    pub stale_head: Option<String>,
}

impl Report {
    /// Whether it does its work.
    pub fn is_ready(&self) -> bool {
        self.why.is_empty()
    }
}

impl Health {
    /// A turn was finished.
    pub fn turned(&mut self, now: Duration, head: u64, cursor: u64) {
        self.turn = Some(now);
        self.cursor = Some(cursor);
        // A head that moves back is news as well: a reorganisation, or another node.
        if self.head.is_none_or(|(known, _)| known != head) {
            self.head = Some((head, now));
        }
    }

    /// What is wrong now. An idle daemon goes on making turns, so that a stuck one doesn't look like it.
    pub fn report(&self, now: Duration, limits: &HttpConfig) -> Report {
        let mut report = Report::default();
        if let Some(why) = &self.ended {
            report.why.push(format!("it has ended: {why}"));
            return report;
        }
        if self.stopping {
            report.why.push("it is stopping".into());
            return report;
        }
        let Some(ready) = self.ready else {
            report.why.push("keys are being loaded and contracts are being checked".into());
            return report;
        };
        let silent = now.saturating_sub(self.turn.unwrap_or(ready));
        if silent > limits.turn_age {
            let since = match &self.trouble {
                Some((what, at)) if now.saturating_sub(*at) <= silent => format!("; the last trouble: {what}"),
                _ => String::new(),
            };
            report.stuck = Some(format!("no turn was finished for {} s{since}", silent.as_secs()));
        }
        match (self.head, limits.head_age) {
            (None, _) => report.why.push("no head has been read yet".into()),
            (Some((head, since)), Some(limit)) if now.saturating_sub(since) > limit => {
                let age = now.saturating_sub(since).as_secs();
                report.stale_head = Some(format!("block {head} has been the newest one for {age} s"));
            }
            _ => {}
        }
        if let Some(why) = &self.store {
            report.why.push(format!("the store can't be written: {why}"));
        }
        report.why.extend(report.stuck.iter().chain(&report.stale_head).cloned());
        report
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    const LIMITS: HttpConfig = HttpConfig {
        listen: None,
        token_file: None,
        connections: 1,
        head_age: Some(Duration::from_secs(180)),
        turn_age: Duration::from_secs(60),
    };

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn check(health: &Health, second: u64, expected: Expect) {
        let report = health.report(at(second), &LIMITS);
        assert_eq!(report.is_ready(), report.why.is_empty());
        expected.assert_eq(&report.why.join("\n"));
    }

    #[test]
    fn not_ready_until_keys_are_loaded_and_a_head_is_read() {
        let mut health = Health::default();
        check(&health, 1000, expect!["keys are being loaded and contracts are being checked"]);
        health.ready = Some(at(1000));
        check(&health, 1001, expect!["no head has been read yet"]);
        health.turned(at(1002), 50, 49);
        check(&health, 1003, expect![""]);
        health.store = Some("disk full".into());
        check(&health, 1003, expect!["the store can't be written: disk full"]);
        health.stopping = true;
        check(&health, 1003, expect!["it is stopping"]);
        health.ended = Some("ZZ-208: too deep".into());
        check(&health, 1003, expect!["it has ended: ZZ-208: too deep"]);
    }

    /// zksync-era #4744, #4782, #4916: a daemon that waited for work and one that had stopped working showed the same.
    #[test]
    fn zksync_4744_idle_and_stuck_look_the_same() {
        let mut idle = Health { ready: Some(at(0)), ..Health::default() };
        let mut stuck = idle.clone();
        stuck.turned(at(1), 50, 49);
        stuck.trouble = Some(("node x: no answer".into(), at(60)));
        for second in 1..=100 {
            // Nothing is asked of it, and the chain goes on.
            idle.turned(at(second), 50 + second / 12, 49 + second / 12);
        }
        check(&idle, 100, expect![""]);
        check(&stuck, 61, expect![""]);
        check(&stuck, 100, expect!["no turn was finished for 99 s; the last trouble: node x: no answer"]);
        // Turns alone are no sign of life of the chain.
        for second in 101..=300 {
            idle.turned(at(second), 58, 57);
        }
        check(&idle, 300, expect!["block 58 has been the newest one for 204 s"]);
        let on_demand = HttpConfig { head_age: None, ..LIMITS };
        assert!(idle.report(at(300), &on_demand).is_ready());
    }
}
