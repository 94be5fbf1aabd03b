//! `[key]` and `[[keys]]`: who signs, and what a key may spend.

use std::{collections::BTreeSet, path::PathBuf, time::Duration};

use serde::{Deserialize, Serialize};

use super::{ConfigError, address, at_least, bad, path, submit::SpendLimits};
use crate::chain::types::Address;

/// `[key]`, and each of `[[keys]]`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RawKey {
    /// Its name, by which an app chooses it; that of `[key]` is `default`.
    pub name: String,
    /// What signs: keystore, web3signer, env (for demos), aws-kms, gcp-kms or ledger (if built in).
    pub signer: String,
    /// Encrypted keystore file.
    pub keystore: String,
    /// Name of the variable that holds its password.
    pub password_env: String,
    /// File whose first line is the password; wins over `password_env`.
    pub password_file: String,
    /// Name of the variable that holds the private key itself, for `signer = "env"`.
    pub private_key_env: String,
    /// Allows `signer = "env"` on chains that aren't local.
    pub allow_env: bool,
    /// Address of the key, which a signer elsewhere must hold; needed for web3signer.
    pub address: String,
    /// Address of Web3Signer.
    pub url: String,
    /// How Web3Signer is asked: eth1 (its REST interface) or eth_signTransaction.
    pub api: String,
    /// Milliseconds to wait for a signer elsewhere.
    pub timeout_ms: u64,
    /// The key's id (AWS), the version's resource name (Google), or the derivation path (Ledger).
    pub key_id: String,
    /// Most ether that this key spends in any hour; 0 for submit.spend_per_hour_eth.
    pub spend_per_hour_eth: f64,
    /// Most ether that this key spends in any 24 hours; 0 for submit.spend_per_day_eth.
    pub spend_per_day_eth: f64,
}

impl Default for RawKey {
    fn default() -> Self {
        Self {
            name: "default".into(),
            signer: "keystore".into(),
            keystore: ".zugzwang/key.json".into(),
            password_env: "ZUGZWANG_PASSWORD".into(),
            password_file: String::new(),
            private_key_env: String::new(),
            allow_env: false,
            address: String::new(),
            url: String::new(),
            api: "eth1".into(),
            timeout_ms: 5000,
            key_id: String::new(),
            spend_per_hour_eth: 0.0,
            spend_per_day_eth: 0.0,
        }
    }
}

/// A key that signs.
#[derive(Clone, Debug)]
pub struct KeyConfig {
    /// Its name.
    pub name: String,
    /// What signs.
    pub signer: SignerConfig,
    /// What it may spend.
    pub limits: SpendLimits,
}

/// What signs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignerConfig {
    /// An encrypted keystore (Web3 secret storage).
    Keystore {
        /// The file.
        path: PathBuf,
        /// Where its password is.
        password: PasswordSource,
    },
    /// A private key in an environment variable.
    Env {
        /// The variable.
        variable: String,
        /// Whether on chains that aren't local, too.
        allowed: bool,
    },
    /// Web3Signer.
    Web3Signer(RemoteConfig),
    /// A key service or device, behind a feature.
    Cloud(CloudConfig),
}

/// A Web3Signer and which of its keys.
#[derive(Clone, PartialEq, Eq)]
pub struct RemoteConfig {
    /// Where it is. May hold a user and a password, which are never shown.
    pub url: String,
    /// Which key.
    pub address: Address,
    /// How it is asked.
    pub api: RemoteApi,
    /// Longest wait for an answer.
    pub timeout: Duration,
}

impl std::fmt::Debug for RemoteConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RemoteConfig").field("address", &self.address).field("api", &self.api).finish_non_exhaustive()
    }
}

/// How Web3Signer is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RemoteApi {
    /// `POST /api/v1/eth1/sign/…`: it signs the bytes that it is given.
    Eth1,
    /// JSON-RPC `eth_signTransaction`: it makes the transaction of its fields.
    SignTransaction,
}

/// Which key of which service or device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CloudConfig {
    /// Which.
    pub service: CloudService,
    /// Key id, resource name or derivation path.
    pub key_id: String,
    /// The address that the key must have, if given.
    pub address: Option<Address>,
    /// Longest wait for an answer.
    pub timeout: Duration,
}

/// Services and devices that hold keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloudService {
    /// AWS KMS.
    Aws,
    /// Google Cloud KMS.
    Gcp,
    /// A Ledger on this machine.
    Ledger,
}

/// Where a keystore's password is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PasswordSource {
    /// In an environment variable of this name.
    Env(String),
    /// In the first line of a file.
    File(PathBuf),
}

impl KeyConfig {
    /// Checks `[key]` or one of `[[keys]]`.
    pub(super) fn from_raw(raw: RawKey, common: SpendLimits) -> Result<Self, ConfigError> {
        let limits = SpendLimits::from_ether(
            ["key.spend_per_hour_eth", "key.spend_per_day_eth"],
            [raw.spend_per_hour_eth, raw.spend_per_day_eth],
        )?;
        Ok(Self { limits: limits.or(common), name: raw.name.clone(), signer: SignerConfig::from_raw(raw)? })
    }

    /// Checks that names are there, once each.
    pub(super) fn check_names(keys: &[Self]) -> Result<(), ConfigError> {
        let mut seen = BTreeSet::new();
        for key in keys {
            let name = &key.name;
            if name.is_empty()
                || name.len() > 32
                || !name.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c))
            {
                return Err(bad("keys.name", name, "must be 1 to 32 letters, digits, - or _"));
            }
            if !seen.insert(name) {
                return Err(bad("keys.name", name, "is given twice; `default` is the name of [key]"));
            }
        }
        Ok(())
    }
}

impl SignerConfig {
    fn from_raw(raw: RawKey) -> Result<Self, ConfigError> {
        let timeout = Duration::from_millis(at_least("key.timeout_ms", raw.timeout_ms, 100)?);
        let cloud = |service| {
            if raw.key_id.is_empty() {
                return Err(bad("key.key_id", "", "must name the key of this signer"));
            }
            let address = (!raw.address.is_empty()).then(|| address("key.address", &raw.address)).transpose()?;
            Ok(Self::Cloud(CloudConfig { service, key_id: raw.key_id.clone(), address, timeout }))
        };
        match raw.signer.as_str() {
            "keystore" => {
                let password = match (raw.password_file.is_empty(), raw.password_env.is_empty()) {
                    (false, _) => PasswordSource::File(raw.password_file.into()),
                    (true, false) => PasswordSource::Env(raw.password_env),
                    (true, true) => {
                        return Err(bad(
                            "key.password_env",
                            "",
                            "is empty and so is key.password_file: name one of the two",
                        ));
                    }
                };
                Ok(Self::Keystore { path: path("key.keystore", &raw.keystore)?, password })
            }
            "env" if raw.private_key_env.is_empty() => {
                Err(bad("key.private_key_env", "", "must name the variable that holds the private key"))
            }
            "env" => Ok(Self::Env { variable: raw.private_key_env, allowed: raw.allow_env }),
            "web3signer" => Ok(Self::Web3Signer(RemoteConfig {
                url: remote_url(&raw.url)?,
                address: address("key.address", &raw.address)?,
                api: match raw.api.as_str() {
                    "eth1" => RemoteApi::Eth1,
                    "eth_signTransaction" => RemoteApi::SignTransaction,
                    other => return Err(bad("key.api", other, "must be eth1 or eth_signTransaction")),
                },
                timeout,
            })),
            "aws-kms" => cloud(CloudService::Aws),
            "gcp-kms" => cloud(CloudService::Gcp),
            "ledger" => cloud(CloudService::Ledger),
            other => Err(bad("key.signer", other, "must be keystore, web3signer, env, aws-kms, gcp-kms or ledger")),
        }
    }
}

/// The address of a signer elsewhere: encrypted, unless it is on this machine. It is in no error: it may hold a password.
fn remote_url(text: &str) -> Result<String, ConfigError> {
    let wrong = |problem| Err(bad("key.url", "(hidden)", problem));
    match text.parse::<reqwest::Url>() {
        Ok(url) if url.scheme() == "https" && url.has_host() => Ok(text.to_owned()),
        Ok(url) if url.scheme() == "http" => match url.host_str() {
            Some("localhost" | "127.0.0.1" | "[::1]") => Ok(text.to_owned()),
            _ => wrong("must be https:// unless it is on this machine: whoever is between could have anything signed"),
        },
        _ => wrong("must be an https:// address, or http:// on this machine"),
    }
}
