//! `[alerts]`: who is told what needs attention, and in which words.

use std::{fmt, path::PathBuf, time::Duration};

use serde::{Deserialize, Serialize};

use super::{ConfigError, at_least, bad};
use crate::{alerts::Kind, chain::types::U256};

/// `[alerts]`: messages to webhooks.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct RawAlerts {
    /// Addresses that take `{"text": …}`, as Slack's incoming webhooks do.
    pub webhooks: Vec<String>,
    /// File with more of them, one on a line: such addresses are secrets.
    pub webhooks_file: String,
    /// Seconds that trouble lasts before it is told.
    pub lasting_s: u64,
    /// Ether below which the signing account's balance is low; 0 for never.
    pub low_balance_ether: f64,
    /// Seconds after which what still holds is told again; 0 for once only.
    pub repeat_s: u64,
    /// The messages.
    pub templates: RawTemplates,
}

impl Default for RawAlerts {
    fn default() -> Self {
        Self {
            webhooks: vec![],
            webhooks_file: String::new(),
            lasting_s: 300,
            low_balance_ether: 0.01,
            repeat_s: 6 * 3600,
            templates: RawTemplates::default(),
        }
    }
}

/// `[alerts.templates]`: the text of each kind of message. `{chain}`, `{subject}`, `{code}` and `{what}` are filled in.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct RawTemplates {
    /// A job failed.
    pub needs_person: String,
    /// Trouble lasts.
    pub trouble: String,
    /// A reorganisation is too deep to be undone without a person.
    pub deep_reorg: String,
    /// The signing account is running out of ether.
    pub low_balance: String,
    /// No new block.
    pub stale_head: String,
    /// No finished turn.
    pub stuck: String,
    /// A spend limit is reached.
    pub spend_limit: String,
    /// A proof took longer than its budget.
    pub late_proof: String,
    /// A chain's service has ended by an error.
    pub stopped: String,
    /// What was told before is over; `{what}` is what was told.
    pub resolved: String,
}

impl Default for RawTemplates {
    fn default() -> Self {
        Self {
            needs_person: ":rotating_light: {chain}: {subject} needs a person: {what}".into(),
            trouble: ":warning: {chain}: trouble lasts: {what} ({code})".into(),
            deep_reorg: ":rotating_light: {chain}: stopped by a deep reorganisation: {what} ({code})".into(),
            low_balance: ":warning: {chain}: {subject} is running out of ether: {what}".into(),
            stale_head: ":warning: {chain}: no fresh head: {what}".into(),
            stuck: ":rotating_light: {chain}: the daemon is stuck: {what}".into(),
            spend_limit: ":rotating_light: {chain}: a spend limit is reached: {what} ({code})".into(),
            late_proof: ":hourglass: {chain}: a proof is over its budget: {what}".into(),
            stopped: ":rotating_light: {chain}: stopped by an error: {what} ({code})".into(),
            resolved: ":white_check_mark: {chain}: over: {what}".into(),
        }
    }
}

/// An address whose path is a secret: it is shown without.
#[derive(Clone, PartialEq, Eq)]
pub struct Webhook(reqwest::Url);

impl Webhook {
    /// Reads an address.
    pub fn parse(text: &str) -> Option<Self> {
        let url: reqwest::Url = text.trim().parse().ok()?;
        (matches!(url.scheme(), "http" | "https") && url.host_str().is_some()).then_some(Self(url))
    }

    /// The whole address, for sending alone.
    pub fn reveal(&self) -> &reqwest::Url {
        &self.0
    }
}

impl fmt::Display for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}/…", self.0.scheme(), self.0.host_str().unwrap_or_default())
    }
}

impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Messages to webhooks.
#[derive(Clone, Debug)]
pub struct AlertsConfig {
    /// Where to.
    pub webhooks: Vec<Webhook>,
    /// How long trouble lasts before it is told.
    pub lasting: Duration,
    /// Wei below which a balance is low.
    pub low_balance: U256,
    /// When what still holds is told again; `None` for never.
    pub repeat: Option<Duration>,
    /// The messages.
    pub templates: RawTemplates,
}

impl AlertsConfig {
    pub(super) fn from_raw(raw: RawAlerts) -> Result<Self, ConfigError> {
        let mut texts = raw.webhooks;
        if !raw.webhooks_file.is_empty() {
            let path = PathBuf::from(&raw.webhooks_file);
            let text = std::fs::read_to_string(&path)
                .map_err(|e| bad("alerts.webhooks_file", path.display(), &format!("can't be read: {e}")))?;
            texts.extend(text.lines().filter(|line| !line.trim().is_empty()).map(str::to_owned));
        }
        // What is wrong with an address is said without the address.
        let parse = |text: &String| {
            Webhook::parse(text).ok_or_else(|| {
                bad("alerts.webhooks", "(secret)", "holds something that is no http:// or https:// address")
            })
        };
        let webhooks = texts.iter().map(parse).collect::<Result<Vec<_>, _>>()?;
        let ether = raw.low_balance_ether;
        if !(0.0..=1e9).contains(&ether) {
            return Err(bad("alerts.low_balance_ether", ether, "must be between 0 and 1000000000"));
        }
        for kind in Kind::ALL {
            let template = raw.templates.of(kind);
            if let Some(unknown) = unknown_field(template) {
                let problem = format!("names {{{unknown}}}; there are {{chain}}, {{subject}}, {{code}} and {{what}}");
                return Err(bad("alerts.templates", template, &problem));
            }
        }
        Ok(Self {
            webhooks,
            lasting: Duration::from_secs(at_least("alerts.lasting_s", raw.lasting_s, 1)?),
            // To the gwei, which a float of this size holds.
            low_balance: U256::from((ether * 1e9) as u64) * U256::from(1_000_000_000u64),
            repeat: Some(raw.repeat_s).filter(|s| *s > 0).map(Duration::from_secs),
            templates: raw.templates,
        })
    }
}

impl RawTemplates {
    /// The template of a kind.
    pub fn of(&self, kind: Kind) -> &str {
        match kind {
            Kind::NeedsPerson => &self.needs_person,
            Kind::Trouble => &self.trouble,
            Kind::DeepReorg => &self.deep_reorg,
            Kind::LowBalance => &self.low_balance,
            Kind::StaleHead => &self.stale_head,
            Kind::Stuck => &self.stuck,
            Kind::SpendLimit => &self.spend_limit,
            Kind::LateProof => &self.late_proof,
            Kind::Stopped => &self.stopped,
            Kind::Resolved => &self.resolved,
        }
    }
}

/// The first `{name}` that is none of ours.
fn unknown_field(template: &str) -> Option<&str> {
    template
        .split('{')
        .skip(1)
        .filter_map(|rest| Some(rest.split_once('}')?.0))
        .find(|name| !["chain", "subject", "code", "what"].contains(name))
}
