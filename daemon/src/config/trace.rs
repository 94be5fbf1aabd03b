//! `[trace]`: spans of answers for an OpenTelemetry collector.

use serde::{Deserialize, Serialize};

use super::{ConfigError, bad};

/// `[trace]`: where spans go. Needs a binary built with the feature `otel`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct RawTrace {
    /// Address of a collector that takes OTLP over HTTP, such as `http://127.0.0.1:4318/v1/traces`; empty for none.
    pub otlp: String,
    /// What the daemon is called there.
    pub service: String,
}

impl Default for RawTrace {
    fn default() -> Self {
        Self { otlp: String::new(), service: "zugzwang".into() }
    }
}

/// Where spans go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceConfig {
    /// The collector; `None` for no spans.
    pub otlp: Option<String>,
    /// What the daemon is called there.
    pub service: String,
}

impl TraceConfig {
    pub(super) fn from_raw(raw: RawTrace) -> Result<Self, ConfigError> {
        let RawTrace { otlp, service } = raw;
        if otlp.is_empty() {
            return Ok(Self { otlp: None, service });
        }
        // The address may hold a key of the collector's: it is not repeated.
        let shown = otlp.split_once("://").map_or("(hidden)".into(), |(scheme, _)| format!("{scheme}://(hidden)"));
        match reqwest::Url::parse(&otlp) {
            Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => {}
            _ => {
                return Err(bad("trace.otlp", shown, "is no address of a collector; write http://host:4318/v1/traces"));
            }
        }
        if !cfg!(feature = "otel") {
            let lacking = "needs a binary with traces: build it with `cargo build --release -p zugzwang --features otel`, or leave it empty";
            return Err(bad("trace.otlp", shown, lacking));
        }
        Ok(Self { otlp: Some(otlp), service })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_needs_a_scheme_a_host_and_a_binary_that_sends_and_is_never_repeated() {
        let parse = |otlp: &str| TraceConfig::from_raw(RawTrace { otlp: otlp.into(), ..RawTrace::default() });
        assert_eq!(parse("").expect("none").otlp, None);
        for otlp in ["collector:4318", "ftp://collector/v1/traces", "http://", "https://key@"] {
            assert!(parse(otlp).expect_err(otlp).to_string().contains("is no address of a collector"), "{otlp}");
        }
        match parse("https://collector/v1/traces?token=secret") {
            Ok(config) => assert!(cfg!(feature = "otel") && config.otlp.is_some()),
            Err(error) => {
                assert!(!cfg!(feature = "otel") && error.to_string().contains("--features otel"), "{error}");
                assert!(!error.to_string().contains("secret"), "{error}");
            }
        }
    }
}
