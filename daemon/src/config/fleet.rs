//! `[fleet]`: workers beyond this machine, over NATS.

use std::{path::PathBuf, time::Duration};

use serde::{Deserialize, Serialize};

use super::{ConfigError, at_least, bad};

/// `[fleet]` as written.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct RawFleet {
    /// Addresses of NATS servers, nats:// or tls://; none for no fleet.
    pub url: Vec<String>,
    /// What this process is called in the fleet; empty for the machine's name.
    pub name: String,
    /// First part of all subjects, streams and buckets; fleets with different ones don't know of each other.
    pub prefix: String,
    /// A NATS credentials file; empty for none.
    pub credentials: String,
    /// File whose first line is a token; empty for none.
    pub token_file: String,
    /// A user's name, whose password is in the first line of `password_file`; empty for none.
    pub user: String,
    /// File whose first line is the user's password.
    pub password_file: String,
    /// File with the certificates that the servers' are checked against; empty for the system's.
    pub ca_file: String,
    /// File with this client's certificate; empty for none.
    pub cert_file: String,
    /// File with that certificate's key.
    pub cert_key_file: String,
    /// Seconds without a sign of a worker after which its job is given to another.
    pub ack_wait_s: u64,
    /// How often a job is given to workers that are not heard of again before it counts as failed.
    pub deliveries: u32,
    /// What is done while NATS is away or no worker serves a model: "local" proves in this process, "wait" waits.
    pub fallback: String,
    /// Seconds before that.
    pub fallback_after_s: u64,
    /// Most jobs that are with the fleet at a time; urgent ones are not counted.
    pub in_flight: usize,
    /// Whether private models are sent to workers, which see their weights.
    pub private_models: bool,
}

impl Default for RawFleet {
    fn default() -> Self {
        Self {
            url: vec![],
            name: String::new(),
            prefix: "zugzwang".into(),
            credentials: String::new(),
            token_file: String::new(),
            user: String::new(),
            password_file: String::new(),
            ca_file: String::new(),
            cert_file: String::new(),
            cert_key_file: String::new(),
            ack_wait_s: 30,
            deliveries: 4,
            fallback: "local".into(),
            fallback_after_s: 10,
            in_flight: 64,
            private_models: false,
        }
    }
}

/// A fleet that is checked.
#[derive(Clone, Debug)]
pub struct FleetConfig {
    /// Addresses of NATS servers.
    pub urls: Vec<String>,
    /// What this process is called.
    pub name: String,
    /// First part of all subjects, streams and buckets.
    pub prefix: String,
    /// How the servers know this process, and it them. Names files, holds no secret.
    pub access: Access,
    /// A worker that isn't heard of for so long has lost its job.
    pub ack_wait: Duration,
    /// How often a job is given to workers that are not heard of again.
    pub deliveries: u32,
    /// What is done without workers.
    pub fallback: Fallback,
    /// How long it is waited before that.
    pub patience: Duration,
    /// Most jobs that are with the fleet at a time.
    pub in_flight: usize,
    /// Whether private models are sent to workers.
    pub private_models: bool,
}

/// How servers and this process know each other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Access {
    /// A NATS credentials file.
    pub credentials: Option<PathBuf>,
    /// A file whose first line is a token.
    pub token: Option<PathBuf>,
    /// A user, and a file whose first line is the password.
    pub user: Option<(String, PathBuf)>,
    /// Certificates that the servers' are checked against.
    pub authorities: Option<PathBuf>,
    /// This client's certificate and its key.
    pub certificate: Option<(PathBuf, PathBuf)>,
}

/// What is done while NATS is away or no worker serves a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fallback {
    /// This process proves.
    Local,
    /// Jobs wait.
    Wait,
}

impl FleetConfig {
    /// Checks what was written; `None` without an address.
    ///
    /// # Errors
    /// [`ConfigError::BadValue`] for a value that is malformed or out of its range.
    pub fn from_raw(raw: &RawFleet) -> Result<Option<Self>, ConfigError> {
        let urls: Vec<String> = raw.url.iter().filter(|url| !url.is_empty()).cloned().collect();
        for url in &urls {
            let host = url.strip_prefix("nats://").or_else(|| url.strip_prefix("tls://"));
            if host.is_none_or(|host| host.is_empty() || host.starts_with('/')) {
                return Err(bad(
                    "fleet.url",
                    url,
                    "must be a nats:// or tls:// address, such as nats://127.0.0.1:4222",
                ));
            }
            // An address stands in logs.
            if url.contains('@') {
                return Err(bad(
                    "fleet.url",
                    "…@…",
                    "holds a password or token: name a file with fleet.credentials or fleet.token_file",
                ));
            }
        }
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if raw.prefix.is_empty() || raw.prefix.len() > 32 || !raw.prefix.chars().all(plain) {
            return Err(bad("fleet.prefix", &raw.prefix, "must be 1 to 32 letters, digits, - or _"));
        }
        let name = if raw.name.is_empty() { machine() } else { raw.name.clone() };
        if name.len() > 64 || !name.chars().all(plain) {
            return Err(bad("fleet.name", &name, "must be at most 64 letters, digits, - or _"));
        }
        let file = |text: &str| (!text.is_empty()).then(|| PathBuf::from(text));
        let certificate = match (file(&raw.cert_file), file(&raw.cert_key_file)) {
            (Some(certificate), Some(key)) => Some((certificate, key)),
            (None, None) => None,
            _ => {
                return Err(bad(
                    "fleet.cert_file",
                    &raw.cert_file,
                    "goes with fleet.cert_key_file: name both or neither",
                ));
            }
        };
        let user = match (raw.user.as_str(), file(&raw.password_file)) {
            ("", None) => None,
            (user, Some(password)) if !user.is_empty() => Some((user.to_owned(), password)),
            _ => return Err(bad("fleet.user", &raw.user, "goes with fleet.password_file: name both or neither")),
        };
        let access = Access {
            credentials: file(&raw.credentials),
            token: file(&raw.token_file),
            user,
            authorities: file(&raw.ca_file),
            certificate,
        };
        let ways = [access.credentials.is_some(), access.token.is_some(), access.user.is_some()];
        if ways.iter().filter(|named| **named).count() > 1 {
            return Err(bad(
                "fleet.token_file",
                &raw.token_file,
                "is one of several: name fleet.credentials, fleet.token_file or fleet.user, and no two of them",
            ));
        }
        let fallback = match raw.fallback.as_str() {
            "local" => Fallback::Local,
            "wait" => Fallback::Wait,
            other => return Err(bad("fleet.fallback", other, "must be \"local\" or \"wait\"")),
        };
        if urls.is_empty() {
            return Ok(None);
        }
        Ok(Some(Self {
            urls,
            name,
            prefix: raw.prefix.clone(),
            access,
            ack_wait: Duration::from_secs(at_least("fleet.ack_wait_s", raw.ack_wait_s, 1)?),
            deliveries: at_least("fleet.deliveries", raw.deliveries.into(), 1)? as u32,
            fallback,
            patience: Duration::from_secs(raw.fallback_after_s),
            in_flight: at_least("fleet.in_flight", raw.in_flight as u64, 1)? as usize,
            private_models: raw.private_models,
        }))
    }
}

/// The machine's name, with only such characters as a name may have.
fn machine() -> String {
    let name = std::env::var("HOSTNAME").ok().filter(|name| !name.is_empty());
    let name = name.or_else(|| std::fs::read_to_string("/proc/sys/kernel/hostname").ok()).unwrap_or_default();
    let plain: String = name.trim().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).take(48).collect();
    if plain.is_empty() { "zugzwang".into() } else { plain }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(change: impl FnOnce(&mut RawFleet), says: &str) {
        let mut raw = RawFleet { url: vec!["nats://127.0.0.1:4222".into()], ..RawFleet::default() };
        change(&mut raw);
        let said = match FleetConfig::from_raw(&raw) {
            Ok(Some(config)) => format!("{:?} {} {:?}", config.urls, config.prefix, config.fallback),
            Ok(None) => "no fleet".into(),
            Err(error) => error.to_string(),
        };
        assert!(said.contains(says), "{said}");
    }

    #[test]
    fn what_is_written_is_checked() {
        check(|_| {}, r#"["nats://127.0.0.1:4222"] zugzwang Local"#);
        check(|raw| raw.url.clear(), "no fleet");
        check(|raw| raw.url = vec!["http://x".into()], "must be a nats:// or tls:// address");
        check(|raw| raw.prefix = "a.b".into(), "letters, digits");
        check(|raw| raw.fallback = "maybe".into(), "\"local\" or \"wait\"");
        check(|raw| raw.cert_file = "a".into(), "cert_key_file");
        check(|raw| (raw.credentials, raw.token_file) = ("a".into(), "b".into()), "no two of them");
        check(|raw| raw.user = "a".into(), "password_file");
        check(|raw| raw.ack_wait_s = 0, "at least 1");
    }

    #[test]
    fn a_password_in_an_address_is_refused_and_not_repeated() {
        let url = vec!["nats://user:hunter2@127.0.0.1".into()];
        let error = FleetConfig::from_raw(&RawFleet { url, ..RawFleet::default() }).expect_err("a password");
        assert!(error.to_string().contains("token_file") && !error.to_string().contains("hunter2"), "{error}");
    }
}
