//! SIGHUP: what may change while the daemon runs is taken up, and what may not is named in the log and left.

use std::collections::BTreeMap;

use super::{Named, Panel, logs};
use crate::{
    code::Coded,
    config::{Config, RawConfig},
    service::orders::Order,
};

/// What may change: policy, that is prices, limits, budgets, and what is logged and told.
const POLICY: [&str; 8] = [
    "submit.",
    "prover.attempts",
    "alerts.lasting_s",
    "alerts.low_balance_ether",
    "alerts.repeat_s",
    "alerts.templates.",
    "log.filter",
    "key.limits.",
];

/// Reads the files again.
pub(super) struct Reloader<'a> {
    current: Vec<Named>,
    panels: &'a [Panel],
    logs: &'a logs::Logs,
}

/// The keys whose values differ: those that are policy, and the others.
#[derive(Debug, Default, PartialEq, Eq)]
struct Differences {
    policy: Vec<String>,
    others: Vec<String>,
}

impl<'a> Reloader<'a> {
    pub(super) fn new(all: &[Named], panels: &'a [Panel], logs: &'a logs::Logs) -> Self {
        Self { current: all.to_vec(), panels, logs }
    }

    /// Reads every file again. One that is wrong changes nothing.
    pub(super) async fn reload(&mut self) {
        tracing::info!("SIGHUP: the configuration is read again");
        for (named, panel) in self.current.iter_mut().zip(self.panels) {
            let raw = match RawConfig::load(named.file.as_deref()) {
                Ok(raw) => raw,
                Err(error) => {
                    tracing::error!(code = %error.code(), "nothing is changed: {error}");
                    continue;
                }
            };
            let differences = differences(&named.raw, &raw);
            if !differences.others.is_empty() {
                let keys = differences.others.join(", ");
                tracing::warn!("{}: these keys change with the next start only: {keys}", named.name);
            }
            if differences.policy.is_empty() {
                tracing::info!("{}: no limit has changed", named.name);
                continue;
            }
            let config = match Config::from_raw(raw.clone()) {
                Ok(config) => config,
                Err(error) => {
                    tracing::error!(code = %error.code(), "nothing is changed: {error}");
                    continue;
                }
            };
            if differences.policy.iter().any(|key| key == "log.filter")
                && let Err(error) = self.logs.filter(&config.log.filter)
            {
                tracing::error!("nothing is changed: {error}");
                continue;
            }
            panel.monitor.reconfigure(config.alerts.clone());
            if let Some(desk) = panel.desk.get() {
                let order = Order::Policy {
                    submit: Box::new(config.submit.clone()),
                    keys: config.keys.clone(),
                    attempts: config.prover.attempts,
                };
                if let Err(error) = desk.place(order).await {
                    tracing::error!(code = %error.code(), "the service didn't take the new limits: {error}");
                    continue;
                }
            }
            tracing::info!("{}: changed: {}", named.name, differences.policy.join(", "));
            // What was left is still to be named at the next signal.
            named.raw = with_policy(&named.raw, &raw);
        }
    }
}

fn is_policy(key: &str) -> bool {
    POLICY.iter().any(|policy| if policy.ends_with('.') { key.starts_with(policy) } else { key == *policy })
}

/// Every key with its value as text.
fn flat(raw: &RawConfig) -> BTreeMap<String, String> {
    fn walk(prefix: &str, value: &toml::Value, into: &mut BTreeMap<String, String>) {
        match value {
            toml::Value::Table(table) => {
                for (key, value) in table {
                    walk(&if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") }, value, into);
                }
            }
            value => {
                into.insert(prefix.to_owned(), value.to_string());
            }
        }
    }
    let mut keys = BTreeMap::new();
    // A configuration that was read can be written.
    if let Ok(value) = toml::Value::try_from(raw) {
        walk("", &value, &mut keys);
    }
    keys
}

/// A section's keys and values, or those of one key.
pub(super) fn section(raw: &RawConfig, name: &str) -> BTreeMap<String, String> {
    let prefix = format!("{name}.");
    flat(raw).into_iter().filter(|(key, _)| key == name || key.starts_with(&prefix)).collect()
}

fn differences(old: &RawConfig, new: &RawConfig) -> Differences {
    let (old, new) = (flat(old), flat(new));
    let mut found = Differences::default();
    let keys: std::collections::BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    for key in keys.into_iter().filter(|key| old.get(*key) != new.get(*key)) {
        if is_policy(key) { found.policy.push(key.clone()) } else { found.others.push(key.clone()) }
    }
    found
}

/// The old configuration with the new one's policy.
fn with_policy(old: &RawConfig, new: &RawConfig) -> RawConfig {
    RawConfig {
        submit: new.submit.clone(),
        prover: crate::config::RawProver { attempts: new.prover.attempts, ..old.prover.clone() },
        alerts: crate::config::alerts::RawAlerts {
            webhooks: old.alerts.webhooks.clone(),
            webhooks_file: old.alerts.webhooks_file.clone(),
            ..new.alerts.clone()
        },
        log: crate::config::log::RawLog { filter: new.log.filter.clone(), ..old.log.clone() },
        ..old.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(text: &str) -> RawConfig {
        RawConfig::from_layers(Some(("test", text)), Default::default()).expect("layers")
    }

    #[track_caller]
    fn check(old: &str, new: &str, policy: &[&str], others: &[&str]) {
        let found = differences(&raw(old), &raw(new));
        let owned = |keys: &[&str]| keys.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(found, Differences { policy: owned(policy), others: owned(others) });
        // Once taken up, only what was left differs.
        let taken = with_policy(&raw(old), &raw(new));
        assert_eq!(differences(&taken, &raw(new)), Differences { policy: vec![], others: owned(others) });
    }

    #[test]
    fn policy_is_told_from_the_rest() {
        check("", "", &[], &[]);
        check("[submit]\nmax_fee_gwei = 1.0", "[submit]\nmax_fee_gwei = 2.0", &["submit.max_fee_gwei"], &[]);
        check(
            "",
            "[log]\nfilter = \"debug\"\n[prover]\nattempts = 5\nslots = 2\n[chain]\npoll_ms = 50",
            &["log.filter", "prover.attempts"],
            &["chain.poll_ms", "prover.slots"],
        );
        check(
            "[alerts]\nwebhooks = [\"http://a/b\"]",
            "[alerts]\nwebhooks = []\nlasting_s = 7\n[alerts.templates]\nstuck = \"x\"",
            &["alerts.lasting_s", "alerts.templates.stuck"],
            &["alerts.webhooks"],
        );
    }
}
