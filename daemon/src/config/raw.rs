//! The keys that a person may write, with their defaults: the one definition of the file's layout.

use std::{
    collections::{BTreeMap, HashMap},
    path::Path,
};

use config::{Environment, File, FileFormat, Value, ValueKind};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{
    ConfigError, RawFleet, RawProver, RawStore, RawWeb, alerts::RawAlerts, chain::RawChain, http::RawHttp, key::RawKey,
    log::RawLog, secrets, submit::RawSubmit, trace::RawTrace, world::RawWorld,
};
use crate::chain::rpc::redacted;

/// The configuration as written. Every key has a default; an empty string stands for "not set".
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct RawConfig {
    /// `[chain]`.
    pub chain: RawChain,
    /// `[chess]`.
    pub chess: RawChess,
    /// `[world]`.
    pub world: RawWorld,
    /// `[oracle]`.
    pub oracle: RawOracle,
    /// `[market]`.
    pub market: RawMarket,
    /// `[guard]`.
    pub guard: RawGuard,
    /// `[model]`.
    pub model: RawModel,
    /// `[prover]`.
    pub prover: RawProver,
    /// `[fleet]`.
    pub fleet: RawFleet,
    /// `[key]`, which signs for every app that names no other.
    pub key: RawKey,
    /// More keys, as `[[keys]]`, each with a name of its own.
    pub keys: Vec<RawKey>,
    /// `[submit]`.
    pub submit: RawSubmit,
    /// `[store]`.
    pub store: RawStore,
    /// `[http]`.
    pub http: RawHttp,
    /// `[web]`.
    pub web: RawWeb,
    /// `[alerts]`.
    pub alerts: RawAlerts,
    /// `[log]`.
    pub log: RawLog,
    /// `[trace]`.
    pub trace: RawTrace,
}

/// `[chess]`: an arena whose NPC is played.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct RawChess {
    /// Address of the arena; empty for no chess.
    pub arena: String,
    /// Whose games are played; empty for those that the signing key hosts.
    pub host: String,
    /// Whether games are claimed whose human has let the clock run out.
    pub claim_timeouts: bool,
    /// The folders of the models that play; empty for that of `model.dir` alone.
    pub models: Vec<String>,
    /// Name of the key that signs for it; empty for `[key]`.
    pub key: String,
}

impl Default for RawChess {
    fn default() -> Self {
        Self { arena: String::new(), host: String::new(), claim_timeouts: true, models: vec![], key: String::new() }
    }
}

/// `[oracle]`: an inference oracle whose requests are answered.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct RawOracle {
    /// Address of the oracle; empty for none.
    pub contract: String,
    /// The folders of the models that are proven for it.
    pub models: Vec<String>,
    /// The numbers of the registered models that are answered for; empty for all that the folders hold.
    pub registered: Vec<u64>,
    /// Requests that pay less are left to others.
    pub min_bounty_gwei: f64,
    /// Name of the key that signs for it; empty for `[key]`.
    pub key: String,
    /// Whether requests are answered whose bounty is below what the answer costs at today's price of gas.
    pub at_a_loss: bool,
}

/// `[market]`: prediction markets that are decided by signed bulletins.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct RawMarket {
    /// Addresses of PredictionMarket and ConditionalTokensAdapter contracts; none for no markets.
    pub contracts: Vec<String>,
    /// Address of a BulletinBoard; empty for none.
    pub board: String,
    /// The folders of the text models that read bulletins.
    pub models: Vec<String>,
    /// Whether markets are ended that nothing decided in time.
    pub expire: bool,
    /// Name of the key that signs for it; empty for `[key]`.
    pub key: String,
    /// Markets with less in their pool are neither decided nor ended at this daemon's cost.
    pub min_pool_gwei: f64,
    /// Feeds, as `[[market.feeds]]`.
    pub feeds: Vec<RawFeed>,
}

impl Default for RawMarket {
    fn default() -> Self {
        Self {
            contracts: vec![],
            board: String::new(),
            models: vec![],
            expire: true,
            key: String::new(),
            min_pool_gwei: 0.0,
            feeds: vec![],
        }
    }
}

/// `[[market.feeds]]`: a publisher's feed and where it is read.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawFeed {
    /// The address that signs.
    pub publisher: String,
    /// The feed's id, 0x and 64 hex digits, or its name.
    pub feed: String,
    /// Addresses of JSON lists, which are polled.
    #[serde(default)]
    pub http: Vec<String>,
    /// Addresses of event streams.
    #[serde(default)]
    pub sse: Vec<String>,
    /// Folders of signed files, which are polled.
    #[serde(default)]
    pub dir: Vec<String>,
    /// Milliseconds between polls.
    #[serde(default = "five_seconds")]
    pub poll_ms: u64,
}

fn five_seconds() -> u64 {
    5000
}

/// `[guard]`: contracts whose delayed withdrawals are judged.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct RawGuard {
    /// Addresses of contracts that are FraudGuards, such as GuardedVaults; none for no guard.
    pub contracts: Vec<String>,
    /// The folders of the models that score accounts, public or private.
    pub models: Vec<String>,
    /// Name of the key that signs for it; empty for `[key]`.
    pub key: String,
}

/// `[model]`: what is proven.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct RawModel {
    /// The folder of the model that plays chess.
    pub dir: String,
    /// Shape of its circuit; empty for the model's own.
    pub shape: String,
    /// Folder for cached keys.
    pub cache: String,
    /// File of a trusted set-up (`zugzwang srs import`); empty for the built-in ceremony.
    pub srs: String,
}

impl Default for RawModel {
    fn default() -> Self {
        Self { dir: "models/chess-m".into(), shape: String::new(), cache: ".zugzwang/cache".into(), srs: String::new() }
    }
}

impl RawConfig {
    /// Reads the file, if one is named, and the process' environment.
    pub fn load(file: Option<&Path>) -> Result<Self, ConfigError> {
        let environment = environment();
        let Some(file) = file else {
            return Self::from_layers(None, environment);
        };
        Self::from_layers(Some((&file.display().to_string(), &text(file)?)), environment)
    }

    /// Builds the layers from text, so that tests need neither files nor a changed environment.
    pub fn from_layers(file: Option<(&str, &str)>, environment: HashMap<String, String>) -> Result<Self, ConfigError> {
        layered(file, environment)
    }

    /// The defaults as a TOML file, for people to start from.
    pub fn template() -> String {
        toml::to_string_pretty(&Self::default()).unwrap_or_default()
    }
}

/// The variables of the process that set keys.
pub(super) fn environment() -> HashMap<String, String> {
    std::env::vars_os()
        .filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?)))
        .filter(|(k, _)| k.starts_with("ZUGZWANG__"))
        .collect()
}

/// A configuration file's text.
pub(super) fn text(file: &Path) -> Result<String, ConfigError> {
    let text = std::fs::read_to_string(file).map_err(|e| {
        ConfigError::Unreadable(format!(
            "{}: {e}; name another file with --config, or leave it out to use defaults and ZUGZWANG__ variables",
            file.display()
        ))
    })?;
    secrets::refuse_exposed(file, &text)?;
    Ok(text)
}

/// Any configuration: its defaults, then the file, then the environment. Keys that it doesn't have are refused.
pub(super) fn layered<T: Default + Serialize + DeserializeOwned>(
    file: Option<(&str, &str)>,
    environment: HashMap<String, String>,
) -> Result<T, ConfigError> {
    let name = file.map_or("the environment", |(name, _)| name);
    let unreadable = |error: config::ConfigError| {
        // The line that is shown may hold an endpoint's key.
        let text = redacted(&error.to_string()).replace('\n', " ");
        ConfigError::Unreadable(format!("{name}: {}", text.split_whitespace().collect::<Vec<_>>().join(" ")))
    };
    let mut builder = config::Config::builder();
    if let Some((_, text)) = file {
        builder = builder.add_source(File::from_str(text, FileFormat::Toml));
    }
    let variables = Environment::with_prefix("ZUGZWANG")
        .prefix_separator("__")
        .separator("__")
        .try_parsing(true)
        .list_separator(",")
        .with_list_parse_key("chain.rpc")
        .with_list_parse_key("chess.models")
        .with_list_parse_key("oracle.models")
        .with_list_parse_key("oracle.registered")
        .with_list_parse_key("market.contracts")
        .with_list_parse_key("market.models")
        .with_list_parse_key("guard.contracts")
        .with_list_parse_key("guard.models")
        .with_list_parse_key("alerts.webhooks")
        .with_list_parse_key("fleet.url")
        .with_list_parse_key("worker.models")
        .source(Some(environment.clone().into_iter().collect()));
    let layers = builder.add_source(variables).build().map_err(unreadable)?;

    // As TOML: the layers' own form has no place for an empty list.
    let known = toml::Value::try_from(T::default()).map_err(|e| ConfigError::Unreadable(e.to_string()))?;
    refuse_unknown("", &layers.cache, &known, &|key| {
        let variable = super::env_name(key);
        if environment.keys().any(|k| k.to_uppercase().starts_with(&variable)) {
            "the environment".to_owned()
        } else {
            name.to_owned()
        }
    })?;
    layers.try_deserialize().map_err(unreadable)
}

fn refuse_unknown(
    prefix: &str,
    given: &Value,
    known: &toml::Value,
    origin: &dyn Fn(&str) -> String,
) -> Result<(), ConfigError> {
    let (ValueKind::Table(given), toml::Value::Table(known)) = (&given.kind, known) else {
        return Ok(());
    };
    let given: BTreeMap<_, _> = given.iter().collect();
    for (key, value) in given {
        let path = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
        let Some(expected) = known.get(key) else {
            let nearest = known.keys().map(|k| (distance(k, key), k)).min();
            let dotted = |k: &str| {
                if prefix.is_empty() { k.to_owned() } else { format!("{prefix}.{k}") }
            };
            let advice = match nearest {
                Some((d, k)) if d <= 3 => format!("did you mean `{}`?", dotted(k)),
                _ => {
                    let mut keys: Vec<_> = known.keys().map(String::as_str).collect();
                    keys.sort_unstable();
                    format!("the keys here are {}", keys.join(", "))
                }
            };
            return Err(ConfigError::UnknownKey { origin: origin(&path), key: path, advice });
        };
        refuse_unknown(&path, value, expected, origin)?;
    }
    Ok(())
}

/// Edit distance, for suggestions.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}
