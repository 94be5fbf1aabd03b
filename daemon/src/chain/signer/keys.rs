//! The keys that the configuration names, opened.

use std::{collections::BTreeMap, sync::Arc};

use super::{Signer, Web3Signer, cloud, env};
use crate::{
    chain::{ChainError, Key, types::Address},
    config::{KeyConfig, SignerConfig},
};

/// The name of the key of `[key]`, which signs where an app names none.
pub const DEFAULT: &str = "default";

/// Signers by name.
#[derive(Clone, Debug)]
pub struct Keys {
    by_name: BTreeMap<String, Arc<dyn Signer>>,
}

impl Keys {
    /// Opens every key: decrypts keystores, asks signers elsewhere whether they hold theirs.
    ///
    /// # Errors
    /// If one can't be opened, or two are the same: their nonces would be taken twice.
    pub async fn open<'a>(configs: impl IntoIterator<Item = &'a KeyConfig>, chain_id: u64) -> Result<Self, ChainError> {
        let mut by_name: BTreeMap<String, Arc<dyn Signer>> = BTreeMap::new();
        for config in configs {
            let signer = open(config, chain_id).await?;
            let same = by_name.iter().find(|(_, other)| other.address() == signer.address());
            if let Some((other, _)) = same {
                return Err(ChainError::Key {
                    path: config.name.clone(),
                    why: format!("it is the same key as {other}, {}; name it once", signer.address()),
                });
            }
            tracing::info!(key = config.name, address = %signer.address(), signer = signer.kind(), "key opened");
            by_name.insert(config.name.clone(), signer);
        }
        Ok(Self { by_name })
    }

    /// A key by its name.
    ///
    /// # Errors
    /// If there is none of this name.
    pub fn get(&self, name: &str) -> Result<&Arc<dyn Signer>, ChainError> {
        self.by_name.get(name).ok_or_else(|| ChainError::Key {
            path: name.to_owned(),
            why: "no such key was opened; add it as [[keys]] with this name".into(),
        })
    }

    /// Names and addresses.
    pub fn addresses(&self) -> BTreeMap<String, Address> {
        self.by_name.iter().map(|(name, signer)| (name.clone(), signer.address())).collect()
    }

    /// Adds a key, or takes the place of one.
    #[must_use]
    pub fn with(mut self, name: &str, signer: impl Into<Arc<dyn Signer>>) -> Self {
        self.by_name.insert(name.to_owned(), signer.into());
        self
    }
}

impl From<Arc<dyn Signer>> for Keys {
    fn from(signer: Arc<dyn Signer>) -> Self {
        Self { by_name: BTreeMap::from([(DEFAULT.to_owned(), signer)]) }
    }
}

impl From<Key> for Keys {
    fn from(key: Key) -> Self {
        Arc::<dyn Signer>::from(key).into()
    }
}

/// Opens one key.
///
/// # Errors
/// If it can't be read, reached or used; a signer that this binary was built without is named with its feature.
pub async fn open(config: &KeyConfig, chain_id: u64) -> Result<Arc<dyn Signer>, ChainError> {
    match &config.signer {
        SignerConfig::Keystore { path, password } => Ok(Key::open(path, password)?.into()),
        SignerConfig::Env { variable, allowed } => {
            env::open(&config.name, variable, *allowed, chain_id, |name| std::env::var(name).ok())
        }
        SignerConfig::Web3Signer(remote) => Ok(Arc::new(Web3Signer::open(&config.name, remote).await?)),
        SignerConfig::Cloud(cloud) => cloud::open(&config.name, cloud, chain_id).await,
    }
}
