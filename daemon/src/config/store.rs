//! `[store]`: where jobs and transactions are kept, and for how long.

use serde::{Deserialize, Serialize};

use super::{ConfigError, path};
use crate::store::Place;

/// `[store]` as written.
#[derive(Clone, Serialize, Deserialize)]
#[serde(default)]
pub struct RawStore {
    /// `sqlite:PATH`, or `postgres://USER:PASSWORD@HOST/DATABASE`; wins over `path`.
    pub url: String,
    /// The SQLite file.
    pub path: String,
    /// Days after which the proof of a job that is over is forgotten, and the bytes of its transactions; 0 for never.
    pub keep_proofs_days: u32,
    /// Days after which a job that is over is forgotten; 0 for never.
    pub keep_days: u32,
}

impl Default for RawStore {
    fn default() -> Self {
        Self { url: String::new(), path: ".zugzwang/zugzwang.db".into(), keep_proofs_days: 30, keep_days: 365 }
    }
}

impl std::fmt::Debug for RawStore {
    /// Without the address, which may hold a password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RawStore").field("path", &self.path).field("keep_days", &self.keep_days).finish_non_exhaustive()
    }
}

/// `[store]`, checked.
#[derive(Clone, Debug)]
pub struct StoreConfig {
    /// Where it is.
    pub place: Place,
    /// Days that proofs of jobs that are over are kept; none for ever.
    pub keep_proofs_days: Option<u32>,
    /// Days that jobs that are over are kept; none for ever.
    pub keep_days: Option<u32>,
}

impl StoreConfig {
    /// Checks what was written.
    ///
    /// # Errors
    /// A place that is none.
    pub fn from_raw(raw: &RawStore) -> Result<Self, ConfigError> {
        let place = match raw.url.as_str() {
            "" => Place::File(path("store.path", &raw.path)?),
            // The address itself is not repeated: it may hold a password.
            url => Place::parse(url).map_err(|error| ConfigError::BadValue {
                key: "store.url",
                value: "…".into(),
                problem: error.to_string(),
            })?,
        };
        let days = |days: u32| (days > 0).then_some(days);
        Ok(Self { place, keep_proofs_days: days(raw.keep_proofs_days), keep_days: days(raw.keep_days) })
    }
}

impl From<&StoreConfig> for Place {
    fn from(config: &StoreConfig) -> Self {
        config.place.clone()
    }
}
