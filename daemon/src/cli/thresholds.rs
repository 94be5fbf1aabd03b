//! From which scores a guard acts: what is given, or what is known of the committed model.

use std::path::Path;

use clap::Args as ClapArgs;
use serde::Deserialize;

use super::CliError;
use crate::demo::guard::Thresholds;

/// The committed fraud model's ONNX file, and the thresholds that its README advises.
const FRAUD: (&str, Thresholds) = (
    "79ba79b44b1d084e8a8967ff099c3f736bc7fa64b175bf13c81ad6916a90f459",
    Thresholds { release_below: 720, pause_at: 780 },
);

/// From which scores a guard acts, as the model's integers.
#[derive(Clone, Copy, Debug, ClapArgs)]
pub(super) struct ThresholdArgs {
    /// Lower scores release; 720 for models/fraud, must be given for another model.
    #[arg(long)]
    release_below: Option<u32>,
    /// These and higher scores pause; 780 for models/fraud, must be given for another model.
    #[arg(long)]
    pause_at: Option<u32>,
}

impl ThresholdArgs {
    /// What was given, or what is known of the model.
    ///
    /// # Errors
    /// If something isn't given, and the model isn't the one whose thresholds are known: a score means nothing without its model.
    pub(super) fn of(self, model: &Path) -> Result<Thresholds, CliError> {
        let known = || (onnx_of(model).as_deref() == Some(FRAUD.0)).then_some(FRAUD.1);
        match (self.release_below, self.pause_at) {
            (Some(release_below), Some(pause_at)) => Ok(Thresholds { release_below, pause_at }),
            (release_below, pause_at) => known()
                .map(|known| Thresholds {
                    release_below: release_below.unwrap_or(known.release_below),
                    pause_at: pause_at.unwrap_or(known.pause_at),
                })
                .ok_or_else(|| {
                    CliError::config(format!(
                        "{}: from which of its scores to act isn't known: give --release-below and --pause-at, as measured on accounts that it hasn't seen",
                        model.display()
                    ))
                }),
        }
    }
}

/// The SHA-256 of the ONNX file that a folder's model was compiled from, as its manifest says. A private model's doesn't.
fn onnx_of(model: &Path) -> Option<String> {
    #[derive(Deserialize)]
    struct Manifest {
        onnx: Onnx,
    }
    #[derive(Deserialize)]
    struct Onnx {
        sha256: String,
    }
    let text = std::fs::read_to_string(model.join("net.toml")).ok()?;
    toml::from_str::<Manifest>(&text).ok().map(|manifest| manifest.onnx.sha256)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thresholds_are_known_of_the_committed_model_alone() {
        let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models");
        let of = |model: &str, release_below, pause_at| {
            let found = ThresholdArgs { release_below, pause_at }.of(&models.join(model));
            found.map(|t| (t.release_below, t.pause_at)).map_err(|e| e.to_string())
        };
        assert_eq!(of("fraud", None, None), Ok((720, 780)));
        assert_eq!(of("fraud", Some(5), None), Ok((5, 780)));
        assert_eq!(of("weather", Some(5), Some(6)), Ok((5, 6)));
        for (release_below, pause_at) in [(None, None), (Some(5), None), (None, Some(6))] {
            let refused = of("weather", release_below, pause_at);
            assert!(refused.is_err_and(|why| why.contains("--release-below and --pause-at")));
        }
        assert!(of("no such model", None, None).is_err());
    }
}
