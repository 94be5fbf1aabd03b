//! Alerts: what needs attention is told to webhooks once, again after a while if it still holds, and once more when it is over.
//!
//! ```text
//! notices, health, balance ──► Alerts (pure) ──messages──► Outbox ──► one queue and one sender for each webhook
//! ```
//! [`Alerts`] has no clock of its own and sends nothing, so that its decisions are tested as data.

mod outbox;

use std::{collections::BTreeMap, time::Duration};

use crate::{
    chain::types::{Address, U256},
    code::Code,
    config::AlertsConfig,
    monitor::Report,
    service::Notice,
    store::State,
};

pub use outbox::{AlertError, Delivery, Outbox, Told};

/// Alerts that are open at the same time; further ones are counted and not sent, so that a flood doesn't fill the memory.
const MOST_OPEN: usize = 500;
/// How long trouble isn't heard of until it counts as over: what lasts is told anew at least every half minute.
const QUIET: Duration = Duration::from_secs(90);
/// Most characters of what is told.
const MOST_CHARS: usize = 1500;

/// What an alert is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A job failed.
    NeedsPerson,
    /// Trouble lasts.
    Trouble,
    /// A reorganisation is too deep to be undone without a person.
    DeepReorg,
    /// The signing account is running out of ether.
    LowBalance,
    /// No new block.
    StaleHead,
    /// No finished turn.
    Stuck,
    /// A spend limit is reached.
    SpendLimit,
    /// Proofs take longer than their budget.
    LateProof,
    /// A chain's service has ended by an error.
    Stopped,
    /// What was told before is over.
    Resolved,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::NeedsPerson,
        Self::Trouble,
        Self::DeepReorg,
        Self::LowBalance,
        Self::StaleHead,
        Self::Stuck,
        Self::SpendLimit,
        Self::LateProof,
        Self::Stopped,
        Self::Resolved,
    ];

    /// Its name in metrics and in the configuration.
    pub fn name(self) -> &'static str {
        match self {
            Self::NeedsPerson => "needs_person",
            Self::Trouble => "trouble",
            Self::DeepReorg => "deep_reorg",
            Self::LowBalance => "low_balance",
            Self::StaleHead => "stale_head",
            Self::Stuck => "stuck",
            Self::SpendLimit => "spend_limit",
            Self::LateProof => "late_proof",
            Self::Stopped => "stopped",
            Self::Resolved => "resolved",
        }
    }
}

/// What is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// What it is about.
    pub kind: Kind,
    /// The filled-in template.
    pub text: String,
}

/// An alert that holds.
#[derive(Clone, Debug)]
struct Open {
    since: Duration,
    seen: Duration,
    told: Option<Duration>,
    subject: String,
    what: String,
    code: Option<Code>,
}

/// Which messages are due for one chain. Times are since any fixed moment.
#[derive(Debug)]
pub struct Alerts {
    chain: String,
    config: AlertsConfig,
    open: BTreeMap<(Kind, String), Open>,
}

impl Alerts {
    /// Nothing is open yet. `chain` is what messages call the chain.
    pub fn new(chain: String, config: AlertsConfig) -> Self {
        Self { chain, config, open: BTreeMap::new() }
    }

    /// From now on with other limits and templates.
    pub fn reconfigure(&mut self, config: AlertsConfig) {
        self.config = config;
    }

    /// What is open: kind and what was told, or is about to be.
    pub fn open(&self) -> Vec<(Kind, String)> {
        let told = self.open.iter().filter(|(_, open)| open.told.is_some());
        told.map(|((kind, _), open)| (*kind, open.what.clone())).collect()
    }

    /// What a notice of the daemon means.
    pub fn notice(&mut self, now: Duration, notice: &Notice) -> Vec<Message> {
        let mut messages = Vec::new();
        match notice {
            Notice::Ended { subject, round, state: State::Failed, why } => {
                let subject = format!("{subject} round {round}");
                messages.extend(self.raise(now, Kind::NeedsPerson, &subject.clone(), subject, None, why));
            }
            Notice::Ended { subject, round, .. }
            | Notice::Asked { subject, round }
            | Notice::Mined { subject, round, .. } => {
                messages.extend(self.resolve(Kind::NeedsPerson, &format!("{subject} round {round}")));
            }
            Notice::ProofFailed { subject, round, code: code @ Code::LATE_PROOF, why } => {
                let (app, what) = (subject.app, format!("{subject} round {round}: {why}"));
                messages.extend(self.raise(now, Kind::LateProof, app, app.to_owned(), Some(*code), &what));
            }
            Notice::Proved { subject, .. } => messages.extend(self.resolve(Kind::LateProof, subject.app)),
            Notice::Trouble { code, what } if *code == Code::SPEND_LIMIT => {
                messages.extend(self.raise(now, Kind::SpendLimit, "", String::new(), Some(*code), what));
            }
            Notice::Trouble { code, what } => self.trouble(now, *code, what),
            _ => {}
        }
        messages
    }

    /// What the state of things means: called every few seconds.
    pub fn tick(&mut self, now: Duration, report: &Report) -> Vec<Message> {
        let mut messages = Vec::new();
        for (kind, what) in [(Kind::Stuck, &report.stuck), (Kind::StaleHead, &report.stale_head)] {
            match what {
                Some(what) => messages.extend(self.raise(now, kind, "", String::new(), None, what)),
                None => messages.extend(self.resolve(kind, "")),
            }
        }
        let lasting = self.config.lasting;
        let quiet = |open: &Open| now.saturating_sub(open.seen) > QUIET;
        let passing = [Kind::Trouble, Kind::SpendLimit];
        let over: Vec<(Kind, String)> = self
            .open
            .iter()
            .filter(|((kind, _), open)| passing.contains(kind) && quiet(open))
            .map(|(key, _)| key.clone())
            .collect();
        for (kind, key) in over {
            messages.extend(self.resolve(kind, &key));
        }
        let due: Vec<((Kind, String), Open)> = self
            .open
            .iter()
            .filter(|((kind, _), open)| match open.told {
                None => *kind == Kind::Trouble && open.seen.saturating_sub(open.since) >= lasting,
                Some(told) => self.config.repeat.is_some_and(|repeat| now.saturating_sub(told) >= repeat),
            })
            .map(|(key, open)| (key.clone(), open.clone()))
            .collect();
        for (key, open) in due {
            if let Some(held) = self.open.get_mut(&key) {
                held.told = Some(now);
            }
            messages.push(self.message(key.0, &open.subject, open.code, &open.what));
        }
        messages
    }

    /// What the signing account has.
    pub fn balance(&mut self, now: Duration, signer: Address, wei: U256) -> Vec<Message> {
        let key = signer.to_string();
        if self.config.low_balance > U256::ZERO && wei < self.config.low_balance {
            let what = format!("{} ether are left; send it some", ether(wei));
            self.raise(now, Kind::LowBalance, &key, key.clone(), None, &what).into_iter().collect()
        } else {
            self.resolve(Kind::LowBalance, &key).into_iter().collect()
        }
    }

    /// The service of the chain has ended by an error.
    pub fn ended(&mut self, now: Duration, code: Code, what: &str) -> Vec<Message> {
        let kind = if code == Code::TOO_DEEP { Kind::DeepReorg } else { Kind::Stopped };
        self.raise(now, kind, "", String::new(), Some(code), what).into_iter().collect()
    }

    /// Trouble is told once it has lasted.
    fn trouble(&mut self, now: Duration, code: Code, what: &str) {
        let full = self.open.len() >= MOST_OPEN;
        let key = (Kind::Trouble, code.to_string());
        match self.open.get_mut(&key) {
            Some(open) => {
                if open.told.is_none() && now.saturating_sub(open.seen) > QUIET {
                    open.since = now;
                }
                (open.seen, open.what) = (now, what.to_owned());
            }
            None if full => {}
            None => {
                let (subject, what) = (String::new(), what.to_owned());
                self.open.insert(key, Open { since: now, seen: now, told: None, subject, what, code: Some(code) });
            }
        }
    }

    /// It holds: told if it didn't before.
    fn raise(
        &mut self,
        now: Duration,
        kind: Kind,
        key: &str,
        subject: String,
        code: Option<Code>,
        what: &str,
    ) -> Option<Message> {
        let key = (kind, key.to_owned());
        if let Some(open) = self.open.get_mut(&key) {
            (open.seen, open.what) = (now, what.to_owned());
            return None;
        }
        if self.open.len() >= MOST_OPEN {
            metrics::counter!("zugzwang_alerts_dropped_total", "kind" => kind.name()).increment(1);
            return None;
        }
        let message = self.message(kind, &subject, code, what);
        let what = what.to_owned();
        self.open.insert(key, Open { since: now, seen: now, told: Some(now), subject, what, code });
        Some(message)
    }

    /// It holds no more: told if that it did was.
    fn resolve(&mut self, kind: Kind, key: &str) -> Option<Message> {
        let open = self.open.remove(&(kind, key.to_owned()))?;
        open.told?;
        let what = match open.subject.as_str() {
            "" => open.what,
            subject => format!("{subject}: {}", open.what),
        };
        Some(self.message(Kind::Resolved, &open.subject, open.code, &what))
    }

    fn message(&self, kind: Kind, subject: &str, code: Option<Code>, what: &str) -> Message {
        let code = code.map(|code| code.to_string()).unwrap_or_default();
        let value = |name: &str| match name {
            "chain" => Some(self.chain.as_str()),
            "subject" => Some(subject),
            "code" => Some(code.as_str()),
            "what" => Some(what),
            _ => None,
        };
        Message { kind, text: fill(self.config.templates.of(kind), value) }
    }
}

/// Replaces each `{name}`. Values are escaped as Slack asks: others' contracts choose some of the words, and could else call a
/// whole channel.
fn fill<'a>(template: &'a str, value: impl Fn(&str) -> Option<&'a str>) -> String {
    let mut text = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        text.push_str(before);
        match after.split_once('}').and_then(|(name, after)| Some((value(name)?, after))) {
            Some((value, after)) => {
                let shown: String = value.chars().filter(|c| !c.is_control()).take(MOST_CHARS).collect();
                text.push_str(&shown.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;"));
                rest = after;
            }
            None => {
                text.push('{');
                rest = after;
            }
        }
    }
    text + rest
}

/// Wei in ether, to six places.
pub fn ether(wei: U256) -> String {
    let micro = wei / U256::from(1_000_000_000_000u64);
    let (whole, part) = (micro / U256::from(1_000_000u64), micro % U256::from(1_000_000u64));
    format!("{whole}.{part:06}")
}

#[cfg(test)]
mod tests;
