//! The models that a daemon proves, by their ids.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use super::{Prove, ProveError, load};
use crate::config::ModelConfig;

/// Models with their keys. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Models(Arc<BTreeMap<[u8; 32], Loaded>>);

#[derive(Clone, Debug)]
struct Loaded {
    prover: Arc<dyn Prove>,
    /// What it was loaded from, if from a folder.
    source: Option<ModelConfig>,
}

impl Models {
    /// Those that are there already.
    pub fn of(provers: impl IntoIterator<Item = Arc<dyn Prove>>) -> Self {
        let loaded = provers.into_iter().map(|prover| (prover.model_id(), Loaded { prover, source: None }));
        Self(Arc::new(loaded.collect()))
    }

    /// Loads the model of each folder, with the set-up and the cache that `common` names. `say` is told what takes time.
    ///
    /// # Errors
    /// That of the first folder that holds no model, or one whose keys can't be made.
    pub fn load(common: &ModelConfig, folders: &[PathBuf], say: &dyn Fn(&str)) -> Result<Self, ProveError> {
        let mut models = BTreeMap::new();
        for dir in folders {
            // A shape is for one model: that of `[model]`.
            let shape = if *dir == common.dir { common.shape.clone() } else { String::new() };
            let source = ModelConfig { dir: dir.clone(), shape, ..common.clone() };
            let prover = load(&source, say)?;
            models.insert(prover.model_id(), Loaded { prover, source: Some(source) });
        }
        Ok(Self(Arc::new(models)))
    }

    /// The model of this id, if it is one of them.
    pub fn get(&self, id: [u8; 32]) -> Option<&Arc<dyn Prove>> {
        self.0.get(&id).map(|loaded| &loaded.prover)
    }

    /// All ids.
    pub fn ids(&self) -> impl Iterator<Item = [u8; 32]> {
        self.0.keys().copied()
    }

    /// All models.
    pub fn provers(&self) -> impl Iterator<Item = &Arc<dyn Prove>> {
        self.0.values().map(|loaded| &loaded.prover)
    }

    /// Those that were loaded from folders, with what they were loaded from.
    pub fn sources(&self) -> impl Iterator<Item = (&Arc<dyn Prove>, &ModelConfig)> {
        self.0.values().filter_map(|loaded| Some((&loaded.prover, loaded.source.as_ref()?)))
    }
}
