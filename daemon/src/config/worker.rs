//! The configuration of `zugzwang worker`: `[fleet]`, `[model]`, `[prover]`, `[worker]` and `[log]`. Nothing else is accepted,
//! least of all a key: a worker signs nothing.

use std::{collections::HashMap, path::Path, path::PathBuf, time::Duration};

use serde::{Deserialize, Serialize};

use super::{
    ConfigError, FleetConfig, LogConfig, ModelConfig, ProverConfig, RawFleet, RawProver, bad, log::RawLog, path, raw,
    source,
};

/// What a worker's file may say.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct RawWorkerConfig {
    /// `[fleet]`.
    pub fleet: RawFleet,
    /// `[model]`: where keys are cached, and the set-up; models come from the fleet.
    pub model: RawKeys,
    /// `[prover]`.
    pub prover: RawProver,
    /// `[worker]`.
    pub worker: RawWorker,
    /// `[log]`.
    pub log: RawLog,
}

/// `[model]` of a worker.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct RawKeys {
    /// Folder for cached keys.
    pub cache: String,
    /// File of a trusted set-up; empty for the built-in ceremony.
    pub srs: String,
}

impl Default for RawKeys {
    fn default() -> Self {
        Self { cache: ".zugzwang/cache".into(), srs: String::new() }
    }
}

/// `[worker]`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct RawWorker {
    /// Names or ids of the models that are proven; none for all that the fleet has and that fit.
    pub models: Vec<String>,
    /// Folder for models from the fleet.
    pub folder: String,
    /// Seconds that proofs in the making have at a stop, before they are given back.
    pub drain_s: u64,
}

impl Default for RawWorker {
    fn default() -> Self {
        Self { models: vec![], folder: ".zugzwang/fleet".into(), drain_s: 20 }
    }
}

/// A worker's configuration, checked.
#[derive(Clone, Debug)]
pub struct WorkerConfig {
    /// The fleet.
    pub fleet: FleetConfig,
    /// Where keys are cached, and the set-up. Its folder is the one for models from the fleet.
    pub model: ModelConfig,
    /// How proofs are made.
    pub prover: ProverConfig,
    /// Names or ids of the models that are proven; all if empty.
    pub models: Vec<String>,
    /// How long proofs in the making have at a stop.
    pub drain: Duration,
    /// A `tracing` filter.
    pub log: LogConfig,
}

impl WorkerConfig {
    /// Reads and checks the file and the environment.
    ///
    /// # Errors
    /// [`ConfigError::WorkerKey`] if a signing key is named anywhere; else as for the daemon's configuration.
    pub fn load(file: Option<&Path>) -> Result<Self, ConfigError> {
        let environment = raw::environment();
        match file {
            None => Self::from_layers(None, environment),
            Some(file) => Self::from_layers(Some((&file.display().to_string(), &raw::text(file)?)), environment),
        }
    }

    /// The same from text.
    ///
    /// # Errors
    /// As [`WorkerConfig::load`].
    pub fn from_layers(file: Option<(&str, &str)>, environment: HashMap<String, String>) -> Result<Self, ConfigError> {
        let raw: RawWorkerConfig = raw::layered(file, environment).map_err(|error| match error {
            ConfigError::UnknownKey { key, origin, .. } if key == "key" || key.starts_with("key.") => {
                ConfigError::WorkerKey { origin }
            }
            other => other,
        })?;
        let fleet = FleetConfig::from_raw(&raw.fleet)?.ok_or_else(|| {
            bad(
                "fleet.url",
                "",
                "names no NATS server, and a worker has its work from one: such as nats://127.0.0.1:4222",
            )
        })?;
        Ok(Self {
            fleet,
            model: ModelConfig {
                dir: path("worker.folder", &raw.worker.folder)?,
                shape: String::new(),
                cache: path("model.cache", &raw.model.cache)?,
                srs: source(Some(PathBuf::from(raw.model.srs)).filter(|p| !p.as_os_str().is_empty())),
            },
            prover: ProverConfig::from_raw(&raw.prover)?,
            models: raw.worker.models,
            drain: Duration::from_secs(raw.worker.drain_s),
            log: LogConfig::from_raw(raw.log)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(toml: &str, env: &[(&str, &str)], says: &str) {
        let env = env.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let said = match WorkerConfig::from_layers(Some(("worker.toml", toml)), env) {
            Ok(config) => format!("{:?} {:?}", config.fleet.urls, config.models),
            Err(error) => error.to_string(),
        };
        assert!(said.contains(says), "{said}");
    }

    const FLEET: &str = "[fleet]\nurl = [\"nats://127.0.0.1:4222\"]\n";

    #[test]
    fn a_worker_is_given_no_signing_key() {
        check(FLEET, &[], r#"["nats://127.0.0.1:4222"] []"#);
        check(&format!("{FLEET}[key]\nkeystore = \"key.json\"\n"), &[], "a worker signs nothing");
        check(FLEET, &[("ZUGZWANG__KEY__PASSWORD_ENV", "x")], "a worker signs nothing");
    }

    #[test]
    fn a_workers_file_has_what_a_worker_needs() {
        check("", &[("ZUGZWANG__FLEET__URL", "nats://a:1,nats://b:2")], r#"["nats://a:1", "nats://b:2"]"#);
        check(&format!("{FLEET}[worker]\nmodels = [\"fraud\"]\n"), &[], r#"["fraud"]"#);
        check("", &[], "names no NATS server");
        check(&format!("{FLEET}[chain]\nrpc = \"http://x\"\n"), &[], "unknown key `chain`");
        check(&format!("{FLEET}[worker]\nmodel = []\n"), &[], "did you mean `worker.models`?");
    }
}
