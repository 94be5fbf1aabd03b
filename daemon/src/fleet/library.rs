//! Models in the object store: a daemon puts its own there, workers take what they can prove.
//!
//! An object's name is the model's id and the archive's SHA-256. The first is what contracts pin: it commits to every weight,
//! so that a worker that has loaded a model knows that it is the one.

use std::{collections::BTreeMap, sync::Arc};

use async_nats::jetstream::object_store::{ObjectInfo, ObjectMetadata, ObjectStore};
use futures_util::StreamExt;
use tokio::{io::AsyncReadExt, time::timeout};
use zugzwang_circuits::model::sha256_hex;

use super::{FleetError, archive, link::TIMEOUT, message::plain};
use crate::{
    chain::types::B256,
    config::{ModelConfig, ProverConfig},
    prover::{self, Models, Prove},
};

/// A model that a daemon offers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Volume {
    pub(super) model: B256,
    /// What people call it. Only the daemon's word.
    pub(super) title: String,
    sha256: String,
    size: usize,
}

impl Volume {
    fn name(&self) -> String {
        format!("{}.{}", plain(self.model), self.sha256)
    }

    fn of(info: &ObjectInfo) -> Option<Self> {
        let (model, sha256) = info.name.split_once('.')?;
        let is_hex = |text: &str| text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit());
        let model = is_hex(model).then(|| model.parse().ok())??;
        let title = info.description.clone().unwrap_or_default();
        is_hex(sha256).then(|| Self { model, title, sha256: sha256.to_owned(), size: info.size })
    }
}

/// A daemon's models as archives.
#[derive(Clone, Debug, Default)]
pub(super) struct Shelf(Arc<BTreeMap<B256, (Volume, Vec<u8>)>>);

impl Shelf {
    /// Packs the models that may be sent. Others are proven where they are.
    pub(super) fn of(models: &Models, private_too: bool) -> Self {
        let mut shelf = BTreeMap::new();
        for (prover, source) in models.sources() {
            let title = prover.facts().model;
            match archive::pack(&source.dir, &source.shape) {
                Ok((_, true)) if !private_too => tracing::info!(
                    model = title,
                    "a private model: it isn't sent to the fleet, this process proves it; fleet.private_models = true sends it"
                ),
                Ok((packed, _)) => {
                    let model = B256::from(prover.model_id());
                    let volume = Volume { model, title, sha256: sha256_hex(&packed), size: packed.len() };
                    shelf.insert(model, (volume, packed));
                }
                Err(why) => {
                    tracing::warn!(model = title, why, "the model can't be sent to the fleet: this process proves it")
                }
            }
        }
        Self(Arc::new(shelf))
    }

    pub(super) fn has(&self, model: B256) -> bool {
        self.0.contains_key(&model)
    }

    pub(super) fn models(&self) -> impl Iterator<Item = B256> {
        self.0.keys().copied()
    }

    /// Puts into the store what isn't there.
    pub(super) async fn publish(&self, store: &ObjectStore) -> Result<(), FleetError> {
        for (volume, packed) in self.0.values() {
            let name = volume.name();
            let there = timeout(TIMEOUT, store.info(&name)).await.is_ok_and(|info| info.is_ok_and(|i| !i.deleted));
            if there {
                continue;
            }
            let description = Some(volume.title.clone());
            let about = ObjectMetadata { name: name.clone(), description, ..ObjectMetadata::default() };
            let put = store.put(about, &mut packed.as_slice()).await;
            put.map_err(|e| FleetError::server(format!("model {name}"))(e.into()))?;
            tracing::info!(model = %volume.model, bytes = volume.size, "the fleet has the model now");
        }
        Ok(())
    }
}

/// What the store has.
pub(super) async fn volumes(store: &ObjectStore) -> Result<Vec<Volume>, FleetError> {
    let failed = || FleetError::server("the list of models");
    let listed = async {
        let mut list = store.list().await.map_err(|e| failed()(e.into()))?;
        let mut volumes = Vec::new();
        while let Some(info) = list.next().await {
            let info = info.map_err(|e| failed()(e.into()))?;
            volumes.extend(Volume::of(&info).filter(|_| !info.deleted));
        }
        Ok(volumes)
    };
    timeout(4 * TIMEOUT, listed).await.unwrap_or_else(|e| Err(failed()(e.into())))
}

/// Takes a model from the store, into a folder of its own under `common.dir`, and loads it with its keys.
///
/// # Errors
/// [`FleetError::Model`] if it isn't what its name says; that doesn't change by trying again.
pub(super) async fn take(
    store: &ObjectStore,
    volume: &Volume,
    common: &ModelConfig,
    prover: &ProverConfig,
) -> Result<Arc<dyn Prove>, FleetError> {
    let name = volume.name();
    let wrong = |why: String| FleetError::Model { name: name.clone(), why };
    if volume.size > archive::LARGEST {
        return Err(wrong(format!("it has {} bytes, {} are the most", volume.size, archive::LARGEST)));
    }
    let failed = || FleetError::server(format!("model {name}"));
    let mut object = store.get(&name).await.map_err(|e| failed()(e.into()))?;
    let mut packed = Vec::with_capacity(volume.size);
    let read = (&mut object).take(archive::LARGEST as u64 + 1).read_to_end(&mut packed).await;
    read.map_err(|e| failed()(e.into()))?;
    let got = sha256_hex(&packed);
    if got != volume.sha256 {
        return Err(wrong(format!("its SHA-256 is {got}")));
    }
    let dir = common.dir.join(&volume.sha256);
    let (config, want) = (ModelConfig { dir, ..common.clone() }, volume.model);
    let limits = prover.clone();
    let loaded = tokio::task::spawn_blocking(move || load(&packed, config, &limits));
    let prover = loaded.await.unwrap_or_else(|e| Err(e.to_string())).map_err(&wrong)?;
    let got = B256::from(prover.model_id());
    if got != want {
        return Err(wrong(format!("it is model {got}; is model.srs the set-up that the daemon has?")));
    }
    Ok(prover)
}

fn load(packed: &[u8], config: ModelConfig, limits: &ProverConfig) -> Result<Arc<dyn Prove>, String> {
    let shape = archive::unpack(packed, &config.dir)?;
    let config = ModelConfig { shape, ..config };
    prover::check_memory(&config, limits).map_err(|e| e.to_string())?;
    prover::load(&config, &|step| tracing::info!("{step}")).map_err(|e| e.to_string())
}

/// Whether a list of names and ids, which is all if it is empty, has a model.
pub(super) fn is_wanted(wanted: &[String], model: B256, name: &str) -> bool {
    let id = plain(model);
    wanted.is_empty() || wanted.iter().any(|w| w == name || w.trim_start_matches("0x").eq_ignore_ascii_case(&id))
}
