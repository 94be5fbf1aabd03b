//! Which set-up a circuit is made with: the one that is built in, or a file's.

use std::fs::{self, File};
use std::io::{self, BufReader, Write};
use std::path::{Path, PathBuf};

use halo2_proofs::arithmetic::g_to_lagrange;
use halo2_proofs::halo2curves::bn256::{G1Affine, G2Affine};
use halo2_proofs::halo2curves::group::prime::PrimeCurveAffine;
use halo2_proofs::halo2curves::serde::SerdeObject;
use rand::{SeedableRng, rngs::StdRng};
use sha2::{Digest, Sha256};

use super::import::{self, Ceremony, ImportError, Imported};
use super::points::{self, RAW_G1};
use super::{MAX_K, MIN_K, Origin, Srs, SrsError};
use crate::cache::{hex, write_atomically};

/// Which set-up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Source {
    /// The one that is built in, up to [`MAX_K`].
    #[default]
    BuiltIn,
    /// A file that [`import::read`] takes on its own: `.ptau`, or halo2's raw parameters as `srs import` writes them.
    File(PathBuf),
}

impl Source {
    /// log2 of the most rows that it has. Of a file only the powers' number is looked at.
    ///
    /// # Errors
    /// [`SrsError::Import`]: the file can't be read or is no set-up.
    pub fn largest(&self) -> Result<u32, SrsError> {
        match self {
            Self::BuiltIn => Ok(MAX_K),
            // The fewest powers that can be asked for: it takes no time, whatever the file's length.
            Self::File(path) => Ok(open(path, None, Some(*import::SIZES.start()))?.largest),
        }
    }

    /// The set-up for 2^k rows. A file's points are checked each time, about a second at k = 16; Lagrange points that it
    /// doesn't have are derived, 19 CPU seconds at k = 14, and kept in `cache_dir`.
    ///
    /// # Errors
    /// [`SrsError`]: no such size, a file that fails a check, a cache that can't be written.
    pub fn load(&self, k: u32, cache_dir: &Path) -> Result<Srs, SrsError> {
        match self {
            Self::BuiltIn => Srs::load(k, cache_dir),
            Self::File(path) => open(path, None, Some(k))?.into_srs(cache_dir),
        }
    }
}

/// Reads and checks a set-up's file: see [`import::read`]. `g2` names the file with τG2 that gnark's powers need.
///
/// # Errors
/// [`SrsError::Import`] with the file's name.
pub fn open(path: &Path, g2: Option<&Path>, k: Option<u32>) -> Result<Imported, SrsError> {
    let named = |path: &Path| {
        let path = path.to_owned();
        move |error: ImportError| SrsError::Import { path, error }
    };
    let g2 = g2.map(|path| read_start(path).map_err(|error| named(path)(error.into()))).transpose()?;
    let file = File::open(path).map_err(|error| named(path)(error.into()))?;
    import::read(&mut BufReader::new(file), g2.as_deref(), k).map_err(named(path))
}

/// SHA-256 of a whole file, whatever its length.
///
/// # Errors
/// [`SrsError::Import`] if it can't be read.
pub fn file_sha256(path: &Path) -> Result<[u8; 32], SrsError> {
    let mut hash = Sha256::new();
    let copied = File::open(path).and_then(|mut file| io::copy(&mut file, &mut hash));
    copied.map_err(|error| SrsError::Import { path: path.to_owned(), error: error.into() })?;
    Ok(hash.finalize().into())
}

/// More than the two points that are looked at.
fn read_start(path: &Path) -> io::Result<Vec<u8>> {
    let mut start = vec![];
    io::Read::read_to_end(&mut io::Read::take(File::open(path)?, 1 << 12), &mut start)?;
    Ok(start)
}

impl Imported {
    /// The parameters with Lagrange points: the file's, those in `cache_dir`, or derived and written there.
    ///
    /// # Errors
    /// [`SrsError::Cache`] if they can't be written.
    pub fn into_srs(self, cache_dir: &Path) -> Result<Srs, SrsError> {
        if self.ceremony == Ceremony::BuiltIn && (MIN_K..=MAX_K).contains(&self.k) {
            // τ and k determine the points.
            return Srs::load(self.k, cache_dir);
        }
        let (lagrange, origin) = match &self.lagrange {
            Some(points) => (points.clone(), Origin::Imported),
            None => self.derived(cache_dir)?,
        };
        let raw = points::raw_params(self.k, &self.powers, &lagrange, &G2Affine::generator(), &self.tau_g2);
        Srs::from_raw(&raw, origin)
    }

    /// Lagrange points by group FFT. Those in the cache are used if they pass the check that those of a file pass.
    fn derived(&self, cache_dir: &Path) -> Result<(Vec<G1Affine>, Origin), SrsError> {
        let path = cache_dir.join(format!("lagrange-k{}-{}.bin", self.k, &hex(&self.tau)[..16]));
        let cached = fs::read(&path).ok();
        let right = |points: &Vec<G1Affine>| {
            let mut rng = StdRng::from_entropy();
            points::lagrange_is_consistent(self.k, &self.powers, points, &mut rng)
        };
        if let Some(raw) = cached.as_ref().filter(|raw| raw.len() == RAW_G1 << self.k)
            && let Some(points) = points::raw_g1("cached", raw).ok().filter(right)
        {
            return Ok((points, Origin::Imported));
        }
        let curve = self.powers.iter().map(PrimeCurveAffine::to_curve).collect();
        let lagrange: Vec<G1Affine> = g_to_lagrange(curve, self.k);
        write_atomically(&path, |file| lagrange.iter().try_for_each(|point| file.write_all(&point.to_raw_bytes())))
            .map_err(|source| SrsError::Cache { path, source })?;
        Ok((lagrange, if cached.is_some() { Origin::Repaired } else { Origin::Imported }))
    }
}
