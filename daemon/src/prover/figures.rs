//! What was measured of a committed model, for people: `figures.toml` in its folder. Nothing depends on it.

use std::path::Path;

use serde::Deserialize;

/// The file.
const FILE: &str = "figures.toml";

/// What was measured; nothing for a model of which nobody measured anything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Figures {
    /// Strength, for chess.
    pub(super) elo: Option<u32>,
    /// Gas of a transaction that verifies a proof.
    pub(super) gas: Option<u64>,
}

impl Figures {
    /// Those of a model's folder. A file that can't be read is told of and counts as none.
    pub(super) fn of(dir: &Path) -> Self {
        let path = dir.join(FILE);
        let Ok(text) = std::fs::read_to_string(&path) else { return Self::default() };
        toml::from_str(&text).unwrap_or_else(|error| {
            tracing::warn!("{}: {}", path.display(), crate::chain::error::one_line(&error.to_string()));
            Self::default()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_figures_can_be_read() {
        let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models");
        for name in ["chess-s", "chess-m", "chess-l"] {
            let figures = Figures::of(&models.join(name));
            assert!(figures.elo.is_some() && figures.gas.is_some(), "{name}: {figures:?}");
        }
        assert_eq!(Figures::of(&models.join("none")), Figures::default());
    }
}
