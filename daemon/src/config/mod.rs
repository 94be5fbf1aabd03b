//! Layered configuration: defaults, then a TOML file, then `ZUGZWANG__SECTION__KEY` variables.
//!
//! [`RawConfig`] is what a person may write, every key with a default. [`Config`] is what the rest
//! of the daemon sees: parsed, range-checked, and with no `Option` left that means "not set".

pub mod alerts;
pub mod chain;
mod chess;
mod fleet;
#[cfg(test)]
mod fuzz;
mod guard;
pub mod http;
pub mod key;
pub mod log;
mod market;
mod oracle;
mod prover;
pub mod raw;
mod secrets;
mod store;
pub mod submit;
pub mod trace;
mod web;
mod worker;
pub mod world;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use crate::{
    chain::{
        signer,
        types::{Address, U256},
    },
    prover::Source,
};

pub use alerts::{AlertsConfig, Webhook};
pub use chain::{ChainConfig, EndpointConfig};
pub use chess::ChessConfig;
pub use fleet::{Access, Fallback, FleetConfig, RawFleet};
pub use guard::GuardConfig;
pub use http::HttpConfig;
pub use key::{CloudConfig, CloudService, KeyConfig, PasswordSource, RemoteApi, RemoteConfig, SignerConfig};
pub use log::LogConfig;
pub use market::MarketConfig;
pub use oracle::OracleConfig;
pub use prover::{ProverConfig, RawProver};
pub use raw::RawConfig;
pub use store::{RawStore, StoreConfig};
pub use submit::{SpendLimits, SubmitConfig};
pub use trace::TraceConfig;
pub use web::{RawWeb, WebConfig, WebLimits};
pub use worker::{RawWorkerConfig, WorkerConfig};
pub use world::WorldConfig;

/// What can be wrong with a configuration. Each message says what, where and what to do.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file can't be read or isn't TOML, or a value has the wrong type.
    #[error("{0}")]
    Unreadable(String),
    /// A key that doesn't exist.
    #[error("unknown key `{key}` in {origin}: {advice}")]
    UnknownKey {
        /// Dotted path of the key.
        key: String,
        /// File or environment.
        origin: String,
        /// The nearest key, or the list of keys.
        advice: String,
    },
    /// No contract at all.
    #[error(
        "no contract is named, so there is nothing to watch: set chess.arena (`zugzwang deploy` prints it), world.contract, oracle.contract, market.contracts or guard.contracts"
    )]
    NoApp,
    /// A worker that is told of a signing key.
    #[error(
        "`key` in {origin}: a worker signs nothing and must not see a key; give it a file of its own without [key]"
    )]
    WorkerKey {
        /// File or environment.
        origin: String,
    },
    /// A value that is out of its range or malformed.
    #[error("`{key}` = \"{value}\" {problem}; set it in the file or as {}", env_name(key))]
    BadValue {
        /// Dotted path of the key.
        key: &'static str,
        /// What was written.
        value: String,
        /// What is wrong and what is right.
        problem: String,
    },
    /// Several files that one process can't serve.
    #[error("{first} and {second}: {why}")]
    Contradiction {
        /// One file.
        first: String,
        /// The other one.
        second: String,
        /// Why, and what to do.
        why: String,
    },
}

crate::code::codes!(ConfigError { Unreadable = 101, UnknownKey = 102, NoApp = 103, BadValue = 104, Contradiction = 106, WorkerKey = 107 });

/// The environment variable that sets a key.
pub fn env_name(key: &str) -> String {
    format!("ZUGZWANG__{}", key.to_uppercase().replace('.', "__"))
}

/// A configuration that has been checked.
#[derive(Clone, Debug)]
pub struct Config {
    /// The chain that is watched.
    pub chain: ChainConfig,
    /// The arena whose NPC is played.
    pub chess: Option<ChessConfig>,
    /// The arena in which the World plays against the NPC.
    pub world: Option<WorldConfig>,
    /// The inference oracle whose requests are answered.
    pub oracle: Option<OracleConfig>,
    /// Prediction markets and the feeds that decide them.
    pub market: Option<MarketConfig>,
    /// Contracts whose delayed withdrawals are judged.
    pub guard: Option<GuardConfig>,
    /// The committed model and where its keys are cached.
    pub model: ModelConfig,
    /// How proofs are made.
    pub prover: ProverConfig,
    /// Workers beyond this machine.
    pub fleet: Option<FleetConfig>,
    /// The keys that sign: `[key]` first, then those of `[[keys]]`.
    pub keys: Vec<KeyConfig>,
    /// The names of the keys of the contracts that have one of their own.
    pub key_names: BTreeMap<Address, String>,
    /// How transactions are priced and followed.
    pub submit: SubmitConfig,
    /// Where jobs and transactions are kept.
    pub store: StoreConfig,
    /// The server for people and machines that watch the daemon.
    pub http: HttpConfig,
    /// What everybody may see.
    pub web: WebConfig,
    /// Who is told what needs attention.
    pub alerts: AlertsConfig,
    /// What is logged.
    pub log: LogConfig,
    /// Where spans go.
    pub trace: TraceConfig,
}

/// The set-up of a file, or the built-in one.
pub fn source(file: Option<PathBuf>) -> Source {
    file.map_or(Source::BuiltIn, Source::File)
}

/// The committed model and where its keys are cached.
#[derive(Clone, Debug)]
pub struct ModelConfig {
    /// The model's folder.
    pub dir: PathBuf,
    /// Shape of the circuit; empty for the model's own.
    pub shape: String,
    /// Folder for cached keys.
    pub cache: PathBuf,
    /// The trusted set-up.
    pub srs: Source,
}

impl Config {
    /// Reads and checks the layers. Without a file, only defaults and the environment count.
    pub fn load(file: Option<&Path>) -> Result<Self, ConfigError> {
        Self::from_raw(RawConfig::load(file)?)
    }

    /// Each app's name and contract.
    pub fn contracts(&self) -> Vec<(&'static str, Address)> {
        let chess = self.chess.iter().map(|chess| ("chess", chess.arena));
        let world = self.world.iter().map(|world| ("world", world.contract));
        let oracle = self.oracle.iter().map(|oracle| ("oracle", oracle.contract));
        let markets = self.market.iter().flat_map(|market| market.contracts.iter().map(|m| ("market", *m)));
        let boards = self.market.iter().filter_map(|market| Some(("board", market.board?)));
        let guards = self.guard.iter().flat_map(|guard| guard.contracts.iter().map(|g| ("guard", *g)));
        chess.chain(world).chain(oracle).chain(markets).chain(boards).chain(guards).collect()
    }

    /// The folders of all models that are proven.
    pub fn model_folders(&self) -> Vec<PathBuf> {
        let own = self.chess.as_ref().map(|chess| chess.models.clone()).unwrap_or_default();
        let plays = self.world.is_some() || (self.chess.is_some() && own.is_empty());
        let chess = plays.then(|| self.model.dir.clone()).into_iter().chain(own);
        let oracle = self.oracle.iter().flat_map(|oracle| oracle.models.clone());
        let market = self.market.iter().flat_map(|market| market.models.clone());
        let guard = self.guard.iter().flat_map(|guard| guard.models.clone());
        let folders: BTreeSet<PathBuf> = chess.chain(oracle).chain(market).chain(guard).collect();
        folders.into_iter().collect()
    }

    /// Checks a raw configuration.
    pub fn from_raw(raw: RawConfig) -> Result<Self, ConfigError> {
        let chain = ChainConfig::from_raw(raw.chain)?;
        let web = WebConfig::from_raw(raw.web, chain.chain_id)?;
        let submit = SubmitConfig::from_raw(&raw.submit)?;
        let mut keys = Vec::with_capacity(1 + raw.keys.len());
        for key in std::iter::once(raw.key).chain(raw.keys) {
            keys.push(KeyConfig::from_raw(key, submit.limits)?);
        }
        KeyConfig::check_names(&keys)?;
        let of_sections = [
            ("chess", raw.chess.key.clone()),
            ("world", raw.world.key.clone()),
            ("oracle", raw.oracle.key.clone()),
            ("market", raw.market.key.clone()),
            ("guard", raw.guard.key.clone()),
        ];
        // An app is one whose contract is named.
        let named = |contract: &str| !contract.is_empty();
        let chess = named(&raw.chess.arena).then(|| ChessConfig::from_raw(&raw.chess)).transpose()?;
        for (key, lonely) in [
            (
                "market.contracts",
                raw.market.contracts.is_empty() && (named(&raw.market.board) || !raw.market.feeds.is_empty()),
            ),
            ("oracle.contract", !named(&raw.oracle.contract) && !raw.oracle.models.is_empty()),
            ("guard.contracts", raw.guard.contracts.is_empty() && !raw.guard.models.is_empty()),
        ] {
            if lonely {
                return Err(bad(
                    key,
                    "",
                    "is empty, though other keys of its section are set: name the contract, or leave the section out",
                ));
            }
        }
        let world = named(&raw.world.contract).then(|| WorldConfig::from_raw(&raw.world)).transpose()?;
        let oracle = named(&raw.oracle.contract).then(|| OracleConfig::from_raw(raw.oracle)).transpose()?;
        let market = (!raw.market.contracts.is_empty()).then(|| MarketConfig::from_raw(raw.market)).transpose()?;
        let guard = (!raw.guard.contracts.is_empty()).then(|| GuardConfig::from_raw(raw.guard)).transpose()?;
        if chess.is_none() && world.is_none() && oracle.is_none() && market.is_none() && guard.is_none() {
            return Err(ConfigError::NoApp);
        }
        let mut config = Self {
            chain,
            chess,
            world,
            oracle,
            market,
            guard,
            model: ModelConfig {
                dir: path("model.dir", &raw.model.dir)?,
                shape: raw.model.shape,
                cache: path("model.cache", &raw.model.cache)?,
                srs: source(Some(PathBuf::from(raw.model.srs)).filter(|p| !p.as_os_str().is_empty())),
            },
            prover: ProverConfig::from_raw(&raw.prover)?,
            fleet: FleetConfig::from_raw(&raw.fleet)?,
            keys,
            key_names: BTreeMap::new(),
            submit,
            store: StoreConfig::from_raw(&raw.store)?,
            http: HttpConfig::from_raw(raw.http)?,
            web,
            alerts: AlertsConfig::from_raw(raw.alerts)?,
            log: LogConfig::from_raw(raw.log)?,
            trace: TraceConfig::from_raw(raw.trace)?,
        };
        let contracts = config.contracts();
        let twice = contracts.iter().enumerate().find(|(i, (_, a))| contracts[..*i].iter().any(|(_, b)| a == b));
        match twice {
            Some((_, (app, contract))) => Err(ConfigError::Unreadable(format!(
                "contract {contract} is named twice, the second time as {app}: name it once"
            ))),
            None => {
                config.key_names = config.names_of(&of_sections)?;
                Ok(config)
            }
        }
    }

    /// The name of the key that signs for a contract.
    pub fn key_of(&self, contract: Address) -> &str {
        self.key_names.get(&contract).map_or(signer::DEFAULT, String::as_str)
    }

    /// Which contract's key has which name, of what each section says.
    fn names_of(&self, sections: &[(&'static str, String)]) -> Result<BTreeMap<Address, String>, ConfigError> {
        let mut names = BTreeMap::new();
        for (section, name) in sections.iter().filter(|(_, name)| !name.is_empty()) {
            if !self.keys.iter().any(|key| key.name == *name) {
                return Err(bad("key", name, &format!("is what {section}.key names, but no [[keys]] has this name")));
            }
            // A board is one of the market's contracts.
            let of_section = |app: &str| app == *section || (app == "board" && *section == "market");
            let contracts = self.contracts().into_iter().filter(|(app, _)| of_section(app));
            names.extend(contracts.map(|(_, contract)| (contract, name.clone())));
        }
        Ok(names)
    }
}

fn bad(key: &'static str, value: impl ToString, problem: &str) -> ConfigError {
    ConfigError::BadValue { key, value: value.to_string(), problem: problem.to_owned() }
}

fn at_least(key: &'static str, value: u64, least: u64) -> Result<u64, ConfigError> {
    if value < least { Err(bad(key, value, &format!("must be at least {least}"))) } else { Ok(value) }
}

fn path(key: &'static str, value: &str) -> Result<PathBuf, ConfigError> {
    if value.is_empty() { Err(bad(key, value, "must name a path")) } else { Ok(value.into()) }
}

fn gwei(key: &'static str, value: f64) -> Result<u128, ConfigError> {
    if value.is_finite() && value > 0.0 && value <= 1e9 {
        Ok((value * 1e9).round() as u128)
    } else {
        Err(bad(key, value, "must be a number of gwei above 0 and at most 1e9"))
    }
}

/// An amount in wei; 0 stands for none.
fn gwei_or_none(key: &'static str, amount: f64) -> Result<U256, ConfigError> {
    if amount == 0.0 { Ok(U256::ZERO) } else { gwei(key, amount).map(U256::from) }
}

fn address(key: &'static str, value: &str) -> Result<Address, ConfigError> {
    match value.parse::<Address>() {
        Ok(address) if address != Address::ZERO => Ok(address),
        _ => Err(bad(
            key,
            value,
            "must be an address, 0x and 40 hex digits; `zugzwang deploy` prints those of contracts",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    fn check(toml: &str, env: &[(&str, &str)], expected: Expect) {
        let env = env.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let result = RawConfig::from_layers(Some(("zugzwang.toml", toml)), env).and_then(Config::from_raw);
        let shown = match result {
            Ok(c) => format!(
                "{} {} confirmations={} fee={} {:?}",
                c.chain.endpoints(),
                c.chess.expect("chess").arena,
                c.chain.confirmations,
                c.submit.max_fee,
                c.keys[0].signer
            ),
            Err(error) => error.to_string(),
        };
        expected.assert_eq(&shown);
    }

    const ARENA: &str = "[chess]\narena = \"0x00000000000000000000000000000000000000aa\"\n[chain]\n";

    #[test]
    fn layers() {
        check(
            ARENA,
            &[],
            expect![
                "http://127.0.0.1:8545 0x00000000000000000000000000000000000000AA confirmations=1 fee=200000000000 Keystore { path: \".zugzwang/key.json\", password: Env(\"ZUGZWANG_PASSWORD\") }"
            ],
        );
        check(
            &format!("{ARENA}confirmations = 3\n[submit]\nmax_fee_gwei = 1.5\n"),
            &[
                ("ZUGZWANG__CHAIN__RPC", "https://node.example"),
                ("ZUGZWANG__CHAIN__CONFIRMATIONS", "7"),
                ("ZUGZWANG__KEY__PASSWORD_FILE", "/run/pw"),
            ],
            expect![
                "https://node.example 0x00000000000000000000000000000000000000AA confirmations=7 fee=1500000000 Keystore { path: \".zugzwang/key.json\", password: File(\"/run/pw\") }"
            ],
        );
    }

    #[test]
    fn every_key_can_be_written() {
        let template = RawConfig::template();
        RawConfig::from_layers(Some(("template", &template)), std::collections::HashMap::new()).expect("the template");
        check(
            &format!("{ARENA}[guard]\ncontracts = []\nmodels = []\n[market]\nfeeds = []\n"),
            &[],
            expect![
                "http://127.0.0.1:8545 0x00000000000000000000000000000000000000AA confirmations=1 fee=200000000000 Keystore { path: \".zugzwang/key.json\", password: Env(\"ZUGZWANG_PASSWORD\") }"
            ],
        );
        check(
            ARENA,
            &[("ZUGZWANG__ORACLE__MODELS", "a,b"), ("ZUGZWANG__ORACLE__REGISTERED", "1,2")],
            expect![
                r#"`oracle.contract` = "" is empty, though other keys of its section are set: name the contract, or leave the section out; set it in the file or as ZUGZWANG__ORACLE__CONTRACT"#
            ],
        );
        check(
            &format!("{ARENA}[guard]\ncontract = []\n"),
            &[],
            expect!["unknown key `guard.contract` in zugzwang.toml: did you mean `guard.contracts`?"],
        );
    }

    #[test]
    fn mistakes_are_named() {
        check(
            &format!("{ARENA}confirmation = 3\n"),
            &[],
            expect!["unknown key `chain.confirmation` in zugzwang.toml: did you mean `chain.confirmations`?"],
        );
        check(
            ARENA,
            &[("ZUGZWANG__CHIAN__RPC", "x")],
            expect!["unknown key `chian` in the environment: did you mean `chain`?"],
        );
        check(
            "[chain]\nrpc = 5\n[chess]\narena = \"0x1\"",
            &[],
            expect![[
                r#"`chain.rpc` = "5" must be an http:// or https:// address; set it in the file or as ZUGZWANG__CHAIN__RPC"#
            ]],
        );
        check(
            "",
            &[],
            expect![
                "no contract is named, so there is nothing to watch: set chess.arena (`zugzwang deploy` prints it), world.contract, oracle.contract, market.contracts or guard.contracts"
            ],
        );
        check(
            &format!("{ARENA}poll_ms = \"soon\""),
            &[],
            expect![[r#"zugzwang.toml: invalid type: string "soon", expected an integer for key `chain.poll_ms`"#]],
        );
        check(
            "chain = [",
            &[],
            expect![
                "zugzwang.toml: TOML parse error at line 1, column 10 | 1 | chain = [ | ^ unclosed array, expected `]`"
            ],
        );
        check(
            &format!("{ARENA}[submit]\nbump_percent = 5"),
            &[],
            expect![[
                r#"`submit.bump_percent` = "5" is below 10, the least that nodes accept for a replacement; set it in the file or as ZUGZWANG__SUBMIT__BUMP_PERCENT"#
            ]],
        );
    }
}
