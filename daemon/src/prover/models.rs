//! The models that a daemon proves, by their ids.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{Prove, ProveError, check_memory, load};
use crate::config::{ModelConfig, ProverConfig};

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
        for source in folders.iter().map(|dir| source(common, dir)) {
            let prover = load(&source, say)?;
            models.insert(prover.model_id(), Loaded { prover, source: Some(source) });
        }
        Ok(Self(Arc::new(models)))
    }

    /// Makes sure that there is the memory for each of them, before [`Models::load`] takes its time.
    ///
    /// # Errors
    /// [`ProveError::TooLarge`] for the first one for which there isn't; else as [`Models::load`].
    pub fn check_memory(common: &ModelConfig, folders: &[PathBuf], prover: &ProverConfig) -> Result<(), ProveError> {
        folders.iter().try_for_each(|dir| check_memory(&source(common, dir), prover))
    }

    /// All models of several sets.
    pub fn union(sets: &[Self]) -> Self {
        let all = sets.iter().flat_map(|set| set.0.iter());
        Self(Arc::new(all.map(|(id, loaded)| (*id, loaded.clone())).collect()))
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

/// What the model of a folder is loaded from.
fn source(common: &ModelConfig, dir: &Path) -> ModelConfig {
    // A shape is for one model: that of `[model]`.
    let shape = if dir == common.dir { common.shape.clone() } else { String::new() };
    ModelConfig { dir: dir.to_owned(), shape, ..common.clone() }
}

#[cfg(test)]
mod tests {
    use zugzwang_circuits::srs::Source;

    use super::*;
    use crate::config::RawProver;

    /// After ezkl #767, #987 and #741: it ran out of memory after minutes, without a warning.
    #[test]
    fn a_model_that_is_too_large_is_refused_with_numbers_before_any_key_is_made() {
        let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models");
        let cache = models.join("no such folder");
        let check = |model: &str, memory_mb: u64, refused: Option<&str>| {
            let dir = models.join(model);
            let common =
                ModelConfig { dir: dir.clone(), shape: String::new(), cache: cache.clone(), srs: Source::BuiltIn };
            let prover = ProverConfig::from_raw(&RawProver { memory_mb, ..RawProver::default() }).expect("numbers");
            let said = Models::check_memory(&common, &[dir], &prover).err().map(|error| error.to_string());
            match (refused, said) {
                (None, None) => {}
                (Some(says), Some(said)) => assert!(said.contains(says), "{said}"),
                other => panic!("{model} with {memory_mb} MiB: {other:?}"),
            }
        };
        // Measured are 169, 319 and 811 MiB (BENCHMARKS.md); what is predicted is up to a sixth more.
        check("chess-s", 200, None);
        check(
            "chess-s",
            150,
            Some("model chess-s: with its keys a proof is predicted to take 196 MiB, and there are 150 MiB"),
        );
        check("chess-l", 1000, None);
        check("chess-l", 800, Some("and there are 800 MiB"));
        check("lending", 100, None);
        check("lending", 30, Some("prover.memory_mb"));
        assert!(!cache.exists(), "nothing is made");
    }
}
