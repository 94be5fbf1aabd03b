//! `[web]`: what everybody may see, beside the operator's part.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{ConfigError, at_least, bad};

/// The chain id of local demo chains.
const LOCAL: u64 = 31337;

/// `[web]`: the public pages and the public part of the API. The limits are the process', from its first file.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct RawWeb {
    /// Whether the public pages and the public part of the API are served.
    pub public: bool,
    /// A node that pages may ask; empty: only through the visitor's wallet.
    pub rpc_url: String,
    /// What a transaction's hash is appended to, for links to a block explorer; empty for no links.
    pub explorer: String,
    /// A local demo chain: pages may make a throw-away key and give it ether.
    pub demo: bool,
    /// Requests per second that one client may go on making.
    pub rate: u64,
    /// Requests that one client may make at once.
    pub burst: u64,
    /// Event streams of one client at the same time.
    pub streams_per_client: u64,
    /// Event streams of all clients at the same time. Each is a connection beside those of `http.connections`.
    pub streams: u64,
    /// Whether a proxy in front of the daemon names the client: the last address of `X-Forwarded-For` counts.
    pub forwarded: bool,
}

impl Default for RawWeb {
    fn default() -> Self {
        Self {
            public: false,
            rpc_url: String::new(),
            explorer: String::new(),
            demo: false,
            rate: 20,
            burst: 100,
            streams_per_client: 16,
            streams: 1000,
            forwarded: false,
        }
    }
}

/// What everybody may see of a chain.
#[derive(Clone, Debug)]
pub struct WebConfig {
    /// Whether anything is public.
    pub public: bool,
    /// A node that pages may ask.
    pub rpc_url: Option<String>,
    /// What a transaction's hash is appended to for a link.
    pub explorer: Option<String>,
    /// Whether it is a local demo chain.
    pub demo: bool,
    /// What one client may take.
    pub limits: WebLimits,
}

/// What one client of the API may take.
#[derive(Clone, Copy, Debug)]
pub struct WebLimits {
    /// Requests per second in the long run.
    pub rate: f64,
    /// Requests at once.
    pub burst: f64,
    /// Event streams at the same time.
    pub streams_per_client: usize,
    /// Event streams of all clients.
    pub streams: usize,
    /// Whether a proxy names the client.
    pub forwarded: bool,
}

impl WebConfig {
    pub(super) fn from_raw(raw: RawWeb, chain_id: u64) -> Result<Self, ConfigError> {
        if raw.demo && chain_id != LOCAL {
            return Err(bad("web.demo", raw.demo, "is for the local demo chain, 31337, whose ether is worth nothing"));
        }
        let streams = at_least("web.streams", raw.streams, 1)?;
        if streams > 100_000 {
            return Err(bad("web.streams", streams, "is above 100000; each takes a connection"));
        }
        Ok(Self {
            public: raw.public,
            rpc_url: page_url("web.rpc_url", raw.rpc_url)?,
            explorer: page_url("web.explorer", raw.explorer)?,
            demo: raw.demo,
            limits: WebLimits {
                rate: at_least("web.rate", raw.rate, 1)? as f64,
                burst: at_least("web.burst", raw.burst, 1)? as f64,
                streams_per_client: at_least("web.streams_per_client", raw.streams_per_client, 1)? as usize,
                streams: streams as usize,
                forwarded: raw.forwarded,
            },
        })
    }
}

impl WebLimits {
    /// Time until a client that has used up its burst may ask again.
    pub fn pause(&self) -> Duration {
        Duration::from_secs_f64(1.0 / self.rate)
    }
}

/// An address that pages are told: every visitor sees it, so that it may hold no password.
fn page_url(key: &'static str, text: String) -> Result<Option<String>, ConfigError> {
    if text.is_empty() {
        return Ok(None);
    }
    let url = reqwest::Url::parse(&text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    match url {
        None => Err(bad(key, text, "must be an http:// or https:// address")),
        Some(url) if !url.username().is_empty() || url.password().is_some() => {
            Err(bad(key, "(hidden)", "names a user or a password, and every visitor is told it; leave them out"))
        }
        Some(url) if url.host_str().is_some_and(|host| host.contains([';', ',', '\'', '"', ' '])) => {
            Err(bad(key, text, "has a host that no page may be told"))
        }
        Some(_) => Ok(Some(text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_pages_are_told_is_checked() {
        type Change = fn(&mut RawWeb);
        let web = |change: Change, chain_id| {
            let mut raw = RawWeb::default();
            change(&mut raw);
            WebConfig::from_raw(raw, chain_id).map_err(|error| error.to_string())
        };
        assert!(web(|_| (), 1).expect("the default").rpc_url.is_none());
        assert!(web(|raw| raw.demo = true, LOCAL).is_ok_and(|web| web.demo));
        let cases: [(Change, &str); 5] = [
            (|raw| raw.demo = true, "is for the local demo chain"),
            (|raw| raw.rpc_url = "ws://node.example".into(), "must be an http"),
            (|raw| raw.rpc_url = "https://a:b@node.example".into(), "names a user or a password"),
            (|raw| raw.rate = 0, "must be at least 1"),
            (|raw| raw.streams = 100_001, "is above 100000"),
        ];
        for (change, says) in cases {
            let error = web(change, 1).expect_err(says);
            assert!(error.contains(says) && !error.contains("a:b"), "{error}");
        }
    }
}
