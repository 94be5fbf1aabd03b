//! `[chain]`: the endpoints, and how the chain is followed.

use std::{fmt, num::NonZeroU32, time::Duration};

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{SeqAccess, Visitor, value::SeqAccessDeserializer},
};

use super::{ConfigError, at_least, bad};
use crate::chain::rpc::{EndpointUrl, redacted};

/// `[chain]`: what is watched.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct RawChain {
    /// HTTP endpoints, the preferred one first: an address, a list of addresses, or of `{ url, rate }` with the most requests
    /// per second that the endpoint may be sent.
    pub rpc: RawRpc,
    /// WebSocket endpoint that tells of new blocks; empty for none. What it says is only a hint to look.
    pub ws: String,
    /// How many endpoints must say the same of blocks and logs; 1 for no comparison.
    pub quorum: usize,
    /// Blocks behind the best head at which an endpoint isn't asked for state.
    pub max_lag: u64,
    /// Seconds between looks at the heads of all endpoints.
    pub probe_s: u64,
    /// Most megabytes of one answer.
    pub max_answer_mb: u64,
    /// Chain id that the nodes must report.
    pub chain_id: u64,
    /// First block whose events count, usually that of the first contract.
    pub start_block: u64,
    /// Blocks on top of an event before it is acted on.
    pub confirmations: u64,
    /// Blocks on top of our transaction before it is final.
    pub finality: u64,
    /// Deepest reorganisation that is undone without a person.
    pub max_reorg: u64,
    /// Most blocks in one log query; fewer are asked for while a node finds that too many.
    pub batch: u64,
    /// Milliseconds between polls.
    pub poll_ms: u64,
    /// Milliseconds to wait for an answer of a node.
    pub timeout_ms: u64,
}

impl Default for RawChain {
    fn default() -> Self {
        Self {
            rpc: "http://127.0.0.1:8545".into(),
            ws: String::new(),
            quorum: 1,
            max_lag: 5,
            probe_s: 15,
            max_answer_mb: 32,
            chain_id: 31337,
            start_block: 0,
            confirmations: 1,
            finality: 12,
            max_reorg: 64,
            batch: 1000,
            poll_ms: 1000,
            timeout_ms: 10_000,
        }
    }
}

/// `chain.rpc` as written.
#[derive(Clone, Serialize)]
#[serde(transparent)]
pub struct RawRpc(Vec<RawEndpoint>);

/// One endpoint as written.
#[derive(Clone, Serialize, Deserialize)]
#[serde(untagged)]
enum RawEndpoint {
    Address(String),
    Limited(RawLimited),
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawLimited {
    url: String,
    #[serde(default)]
    rate: u32,
}

impl RawEndpoint {
    fn url(&self) -> &str {
        match self {
            Self::Address(url) => url,
            Self::Limited(limited) => &limited.url,
        }
    }
}

// Not derived: the addresses may hold keys.
impl fmt::Debug for RawRpc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|endpoint| redacted(endpoint.url()))).finish()
    }
}

impl From<&str> for RawRpc {
    fn from(url: &str) -> Self {
        Self(vec![RawEndpoint::Address(url.to_owned())])
    }
}

impl From<String> for RawRpc {
    fn from(url: String) -> Self {
        Self(vec![RawEndpoint::Address(url)])
    }
}

impl FromIterator<String> for RawRpc {
    fn from_iter<I: IntoIterator<Item = String>>(urls: I) -> Self {
        Self(urls.into_iter().map(RawEndpoint::Address).collect())
    }
}

impl<'de> Deserialize<'de> for RawRpc {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneOrMany;
        impl<'de> Visitor<'de> for OneOrMany {
            type Value = RawRpc;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an address, or a list of addresses or { url, rate }")
            }

            fn visit_str<E>(self, url: &str) -> Result<RawRpc, E> {
                Ok(url.into())
            }

            fn visit_i64<E>(self, number: i64) -> Result<RawRpc, E> {
                Ok(number.to_string().into())
            }

            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<RawRpc, A::Error> {
                Ok(RawRpc(Vec::deserialize(SeqAccessDeserializer::new(list))?))
            }
        }
        deserializer.deserialize_any(OneOrMany)
    }
}

/// An endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointConfig {
    /// Its address; shown without what is secret in it.
    pub url: EndpointUrl,
    /// Most requests per second.
    pub rate: Option<NonZeroU32>,
}

/// The chain that is watched.
#[derive(Clone, Debug)]
pub struct ChainConfig {
    /// HTTP endpoints, the preferred one first; at least one.
    pub rpc: Vec<EndpointConfig>,
    /// WebSocket endpoint that tells of new blocks.
    pub ws: Option<EndpointUrl>,
    /// How many endpoints must say the same of blocks and logs; from 1 to all.
    pub quorum: usize,
    /// Blocks behind the best head at which an endpoint isn't asked for state.
    pub max_lag: u64,
    /// Time between looks at the heads of all endpoints.
    pub probe: Duration,
    /// Most bytes of one answer.
    pub max_answer: usize,
    /// Chain id that the endpoints must have.
    pub chain_id: u64,
    /// First block whose events count.
    pub start_block: u64,
    /// Blocks on top of an event before it is acted on.
    pub confirmations: u64,
    /// Blocks on top of our transaction before it is final.
    pub finality: u64,
    /// Deepest reorganisation that is undone without a person.
    pub max_reorg: u64,
    /// Most blocks in one log query.
    pub batch: u64,
    /// Pause between polls.
    pub poll: Duration,
    /// Longest wait for an answer of an endpoint.
    pub timeout: Duration,
}

impl ChainConfig {
    pub(super) fn from_raw(raw: RawChain) -> Result<Self, ConfigError> {
        let rpc = raw.rpc.0.iter().map(endpoint).collect::<Result<Vec<_>, _>>()?;
        if rpc.is_empty() {
            return Err(bad("chain.rpc", "", "names no endpoint: set the address of a node"));
        }
        let twice = rpc.iter().enumerate().find(|(i, one)| rpc[..*i].iter().any(|other| other.url == one.url));
        if let Some((_, twice)) = twice {
            return Err(bad("chain.rpc", &twice.url, "is named twice: name each endpoint once"));
        }
        if raw.quorum < 1 || raw.quorum > rpc.len() {
            let most = format!("must be from 1 to the number of endpoints in chain.rpc, which is {}", rpc.len());
            return Err(bad("chain.quorum", raw.quorum, &most));
        }
        let ws = (!raw.ws.is_empty()).then(|| address("chain.ws", &raw.ws, &["ws", "wss"])).transpose()?;
        if !(1..=1024).contains(&raw.max_answer_mb) {
            return Err(bad("chain.max_answer_mb", raw.max_answer_mb, "must be from 1 to 1024"));
        }
        Ok(Self {
            rpc,
            ws,
            quorum: raw.quorum,
            max_lag: raw.max_lag,
            probe: Duration::from_secs(at_least("chain.probe_s", raw.probe_s, 1)?),
            max_answer: usize::try_from(raw.max_answer_mb << 20).unwrap_or(usize::MAX),
            chain_id: at_least("chain.chain_id", raw.chain_id, 1)?,
            start_block: raw.start_block,
            confirmations: raw.confirmations,
            finality: raw.finality,
            max_reorg: at_least("chain.max_reorg", raw.max_reorg, 1)?,
            batch: at_least("chain.batch", raw.batch, 1)?,
            poll: Duration::from_millis(at_least("chain.poll_ms", raw.poll_ms, 10)?),
            timeout: Duration::from_millis(at_least("chain.timeout_ms", raw.timeout_ms, 100)?),
        })
    }

    /// The endpoints, for people.
    pub fn endpoints(&self) -> String {
        self.rpc.iter().map(|endpoint| endpoint.url.to_string()).collect::<Vec<_>>().join(", ")
    }
}

fn endpoint(raw: &RawEndpoint) -> Result<EndpointConfig, ConfigError> {
    let rate = match raw {
        RawEndpoint::Limited(limited) => NonZeroU32::new(limited.rate),
        RawEndpoint::Address(_) => None,
    };
    Ok(EndpointConfig { url: address("chain.rpc", raw.url(), &["http", "https"])?, rate })
}

/// An address; what is wrong is told without it, since it may be a key.
fn address(key: &'static str, text: &str, schemes: &[&str]) -> Result<EndpointUrl, ConfigError> {
    EndpointUrl::parse(text, schemes).map_err(|problem| {
        let shown = redacted(text);
        let start: String = shown.chars().take(8).collect();
        bad(key, if shown.contains("://") || shown == start { shown } else { format!("{start}…") }, &problem)
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use crate::config::{Config, RawConfig};
    use expect_test::{Expect, expect};

    fn check(chain: &str, env: &[(&str, &str)], expected: Expect) {
        let file = format!("[chess]\narena = \"0x00000000000000000000000000000000000000aa\"\n[chain]\n{chain}\n");
        let env: HashMap<_, _> = env.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let result = RawConfig::from_layers(Some(("zugzwang.toml", &file)), env).and_then(Config::from_raw);
        let shown = match result {
            Ok(config) => {
                let rates: Vec<u32> = config.chain.rpc.iter().map(|e| e.rate.map_or(0, NonZeroU32::get)).collect();
                format!(
                    "{} {rates:?} quorum={} ws={:?}",
                    config.chain.endpoints(),
                    config.chain.quorum,
                    config.chain.ws
                )
            }
            Err(error) => error.to_string(),
        };
        expected.assert_eq(&shown);
    }

    #[test]
    fn one_endpoint_or_several() {
        check("", &[], expect!["http://127.0.0.1:8545 [0] quorum=1 ws=None"]);
        check("rpc = \"https://a.example/key\"", &[], expect!["https://a.example [0] quorum=1 ws=None"]);
        check(
            "rpc = [\"https://a.example/key\", { url = \"https://b.example/key\", rate = 25 }]\nquorum = 2\nws = \"wss://a.example/key\"",
            &[],
            expect!["https://a.example, https://b.example [0, 25] quorum=2 ws=Some(wss://a.example)"],
        );
        check(
            "rpc = \"https://a.example\"",
            &[("ZUGZWANG__CHAIN__RPC", "https://b.example/key,https://c.example")],
            expect!["https://b.example, https://c.example [0, 0] quorum=1 ws=None"],
        );
        check(
            "rpc = [\"https://a.example\", \"https://b.example\"]",
            &[("ZUGZWANG__CHAIN__RPC", "https://c.example")],
            expect!["https://c.example [0] quorum=1 ws=None"],
        );
    }

    #[test]
    fn mistakes_are_named_without_keys() {
        check(
            "rpc = []",
            &[],
            expect![[
                r#"`chain.rpc` = "" names no endpoint: set the address of a node; set it in the file or as ZUGZWANG__CHAIN__RPC"#
            ]],
        );
        check(
            "rpc = \"0123456789abcdef\"",
            &[],
            expect![[
                r#"`chain.rpc` = "01234567…" must be an http:// or https:// address; set it in the file or as ZUGZWANG__CHAIN__RPC"#
            ]],
        );
        check(
            "rpc = \"ftp://a.example/0123456789abcdef\"",
            &[],
            expect![[
                r#"`chain.rpc` = "ftp://a.example" must be an http:// or https:// address; set it in the file or as ZUGZWANG__CHAIN__RPC"#
            ]],
        );
        check(
            "rpc = [\"https://a.example/0123456789abcdef\", \"https://a.example/0123456789abcdef\"]",
            &[],
            expect![[
                r#"`chain.rpc` = "https://a.example" is named twice: name each endpoint once; set it in the file or as ZUGZWANG__CHAIN__RPC"#
            ]],
        );
        check(
            "quorum = 2",
            &[],
            expect![[
                r#"`chain.quorum` = "2" must be from 1 to the number of endpoints in chain.rpc, which is 1; set it in the file or as ZUGZWANG__CHAIN__QUORUM"#
            ]],
        );
        check(
            "ws = \"https://a.example/0123456789abcdef\"",
            &[],
            expect![[
                r#"`chain.ws` = "https://a.example" must be a ws:// or wss:// address; set it in the file or as ZUGZWANG__CHAIN__WS"#
            ]],
        );
        check(
            "max_answer_mb = 0",
            &[],
            expect![[
                r#"`chain.max_answer_mb` = "0" must be from 1 to 1024; set it in the file or as ZUGZWANG__CHAIN__MAX_ANSWER_MB"#
            ]],
        );
        // What is no such value at all is refused in the parser's words, but without keys too.
        for chain in [
            "rpc = [{ url = \"https://a.example/0123456789abcdef\", rat = 5 }]",
            "rpc = { url = \"https://a.example/0123456789abcdef\" }",
            "rpc = \"https://a.example/0123456789abcdef",
            "rpc = true",
        ] {
            let error = RawConfig::from_layers(Some(("zugzwang.toml", &format!("[chain]\n{chain}\n"))), HashMap::new())
                .expect_err(chain)
                .to_string();
            assert!(!error.contains("0123456789abcdef") && error.starts_with("zugzwang.toml: "), "{error}");
        }
    }
}
