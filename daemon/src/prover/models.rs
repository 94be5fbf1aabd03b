//! The models that a daemon proves, by their ids.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use super::{Prove, ProveError, load};
use crate::config::ModelConfig;

/// Models with their keys. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Models(Arc<BTreeMap<[u8; 32], Arc<dyn Prove>>>);

impl Models {
    /// Those that are there already.
    pub fn of(provers: impl IntoIterator<Item = Arc<dyn Prove>>) -> Self {
        Self(Arc::new(provers.into_iter().map(|prover| (prover.model_id(), prover)).collect()))
    }

    /// Loads the model of each folder, with the set-up and the cache that `common` names. `say` is told what takes time.
    ///
    /// # Errors
    /// That of the first folder that holds no model, or one whose keys can't be made.
    pub fn load(common: &ModelConfig, folders: &[PathBuf], say: &dyn Fn(&str)) -> Result<Self, ProveError> {
        let mut provers = Vec::with_capacity(folders.len());
        for dir in folders {
            // A shape is for one model: that of `[model]`.
            let shape = if *dir == common.dir { common.shape.clone() } else { String::new() };
            provers.push(load(&ModelConfig { dir: dir.clone(), shape, ..common.clone() }, say)?);
        }
        Ok(Self::of(provers))
    }

    /// The model of this id, if it is one of them.
    pub fn get(&self, id: [u8; 32]) -> Option<&Arc<dyn Prove>> {
        self.0.get(&id)
    }

    /// All ids.
    pub fn ids(&self) -> impl Iterator<Item = [u8; 32]> {
        self.0.keys().copied()
    }
}
