//! `[log]`: what is logged, and how.

use serde::{Deserialize, Serialize};

use super::{ConfigError, bad};

/// `[log]`: what is logged.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct RawLog {
    /// A `tracing` filter.
    pub filter: String,
    /// `text` for people, `json` for programs.
    pub format: String,
}

impl Default for RawLog {
    fn default() -> Self {
        Self { filter: "info".into(), format: "text".into() }
    }
}

/// What is logged, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogConfig {
    /// A `tracing` filter, such as `info` or `zugzwang=debug`.
    pub filter: String,
    /// Whether each line is a JSON object.
    pub json: bool,
}

impl LogConfig {
    pub(super) fn from_raw(raw: RawLog) -> Result<Self, ConfigError> {
        let json = match raw.format.as_str() {
            "text" => false,
            "json" => true,
            other => return Err(bad("log.format", other, "is no format; write text or json")),
        };
        Ok(Self { filter: raw.filter, json })
    }
}
