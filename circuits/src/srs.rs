//! The trusted set-up: 2^k powers of the Perpetual Powers of Tau ceremony.
//!
//! The points are compiled in from `circuits/srs/` (its README says where they are from). Before
//! they are used for the first time they are checked from scratch: hashes, curve membership,
//! subgroup, the generator, `e(τ^i G, τ G2) = e(τ^(i+1) G, G2)` for a random combination over all i,
//! and the same for the derived Lagrange points. What has passed is cached on disk as raw bytes,
//! whose hash is a constant of this program; so a cache file is either exactly right or not used.
//!
//! A [`Source`] is that set-up or a file's, of any size: see [`import`] for what is checked then.
//!
//! An insecure set-up exists for tests only and is made by [`Srs::insecure_local`] alone.

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use halo2_proofs::{
    halo2curves::bn256::{Bn256, G2Affine},
    poly::{commitment::Params, kzg::commitment::ParamsKZG},
};
use rand::{SeedableRng, rngs::StdRng};
use sha2::{Digest, Sha256};
use thiserror::Error;

pub use crate::cache::hex;
use crate::cache::write_atomically;

pub mod import;
pub mod points;
mod ptau;
mod source;

use import::ImportError;
pub use source::{Source, file_sha256, open};

/// The smallest circuit size there are ceremony points for.
pub const MIN_K: u32 = 8;
/// The greatest circuit size there are ceremony points for.
pub const MAX_K: u32 = 16;

const G1: &[u8] = include_bytes!("../srs/g1_65536.point");
const G1_SHA256: &str = "176651f9b6cc95d4ee02e72c875288ac0743056b50827036cabc84575751eb95";
const G2: &[u8] = include_bytes!("../srs/g2.point.powerOf2");
const G2_SHA256: &str = "4d5ed827f742e1270f22b4a39129bf1d25445821b15824e2eb3a709a16f64518";

/// For each k from [`MIN_K`] on: the Lagrange points, and the SHA-256 of the raw parameters.
const SIZES: [(&[u8], &str); 9] = [
    (include_bytes!("../srs/lagrange_k8.point"), "473bd7264f3d2b50da6c86f53ca8d1770f70a37e77378aaa2650774aafb3587e"),
    (include_bytes!("../srs/lagrange_k9.point"), "45d520b45e3c9e9f3a578b49e65007dc271e25aaa9859517f205e895713bb2ec"),
    (include_bytes!("../srs/lagrange_k10.point"), "4c5c78871f2d08b0436e68cd577f3e8b1a3283b5d717ed7dbc2b5664ffdc869b"),
    (include_bytes!("../srs/lagrange_k11.point"), "10715ee99b81e01a3a9dcc6803cf7994ae50c6657e4998bd2d9fb6e14a64d8dc"),
    (include_bytes!("../srs/lagrange_k12.point"), "6669b9d5c705603d948c34786aefc8cb00f39e7fd9f9328cdcf5145aaee387de"),
    (include_bytes!("../srs/lagrange_k13.point"), "ff7e044c842f4a2b1bb889618e5b4e8e15268f8c589b5c37f628f528b4969a02"),
    (include_bytes!("../srs/lagrange_k14.point"), "ea7257f0ea1f784d6291ef5a5585c759c8dd1785929ad9e7e9da51aed2226a64"),
    (include_bytes!("../srs/lagrange_k15.point"), "4cdb1688ec4457351582cc99a31e073279bb3abe1ee6fe04c401cc9e390ab67b"),
    (include_bytes!("../srs/lagrange_k16.point"), "05ab2fea166aeffa3ed42b0389ea310bba37946f035a385df563357959e5b9dc"),
];

/// Why there is no set-up.
#[derive(Debug, Error)]
pub enum SrsError {
    /// No ceremony points of this size are built in.
    #[error(
        "no ceremony points for k = {k}: this build has {MIN_K} to {MAX_K}; import a larger set-up (`zugzwang srs import`) and name it with --srs"
    )]
    UnsupportedSize {
        /// log2 of the rows asked for.
        k: u32,
    },
    /// A built-in file is not the one that was reviewed.
    #[error("{file}: SHA-256 is {got}, not {want}; restore circuits/srs and build again")]
    Altered {
        /// The file.
        file: &'static str,
        /// Its hash.
        got: String,
        /// The hash it should have.
        want: &'static str,
    },
    /// A built-in file holds something that is no point.
    #[error("{file}: point {index} is not a point of its group")]
    BadPoint {
        /// The file.
        file: &'static str,
        /// Index of the point.
        index: usize,
    },
    /// The points are no powers of one τ, or the Lagrange points don't belong to them.
    #[error("the set-up's {0} fail their check")]
    Inconsistent(&'static str),
    /// A file gives no set-up.
    #[error("{}: {error}", path.display())]
    Import {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        error: ImportError,
    },
    /// The cache could not be written.
    #[error("{}: {source}; choose a folder that can be written", path.display())]
    Cache {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// Where a set-up came from, for the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Checked from scratch, as there was no cache file.
    Checked,
    /// Checked from scratch, as the cache file was damaged; it has been written anew.
    Repaired,
    /// Read from the cache; its hash is the known one.
    Cached,
    /// Read from a file that the user named, and checked from scratch.
    Imported,
    /// Made here: whoever knows the seed can prove anything.
    InsecureLocal,
}

/// KZG parameters for 2^k rows.
#[derive(Clone, Debug)]
pub struct Srs {
    params: ParamsKZG<Bn256>,
    digest: [u8; 32],
    origin: Origin,
}

impl Srs {
    /// The ceremony's parameters for circuits of 2^k rows, k from [`MIN_K`] to [`MAX_K`].
    ///
    /// Reads `cache_dir/srs-k<k>-<hash>.bin` (2^(k+7) bytes) if it is there and right; otherwise
    /// checks the built-in points, which takes about a second at k = 16, and writes that file.
    ///
    /// # Errors
    /// [`SrsError`]: a size that is not there, built-in points that fail a check, a cache that
    /// can't be written. A damaged cache file is no error: see [`Srs::origin`].
    pub fn load(k: u32, cache_dir: &Path) -> Result<Self, SrsError> {
        let (lagrange, want) =
            k.checked_sub(MIN_K).and_then(|index| SIZES.get(index as usize)).ok_or(SrsError::UnsupportedSize { k })?;
        let path = cache_dir.join(format!("srs-k{k}-{}.bin", &want[..16]));
        let cached = fs::read(&path).ok();
        if let Some(raw) = &cached
            && hex(&Sha256::digest(raw)) == *want
        {
            return Self::from_raw(raw, Origin::Cached);
        }
        let raw = checked_raw(k, lagrange)?;
        expect_hash("derived parameters", &raw, want)?;
        write_atomically(&path, |file| file.write_all(&raw)).map_err(|source| SrsError::Cache { path, source })?;
        Self::from_raw(&raw, if cached.is_some() { Origin::Repaired } else { Origin::Checked })
    }

    /// Parameters made from a seed, for tests and experiments: **anybody who knows the seed can
    /// make a proof of anything**. Prints a warning to standard error.
    pub fn insecure_local(k: u32, seed: u64) -> Self {
        eprintln!("warning: INSECURE set-up made from seed {seed}: its proofs prove nothing");
        let params = ParamsKZG::<Bn256>::setup(k, StdRng::seed_from_u64(seed));
        let mut digest = Sha256::new();
        // Writing to a hash can't fail.
        let _ = params.write(&mut digest);
        Self { params, digest: digest.finalize().into(), origin: Origin::InsecureLocal }
    }

    /// The parameters, as halo2 takes them.
    pub fn params(&self) -> &ParamsKZG<Bn256> {
        &self.params
    }

    /// log2 of the rows.
    pub fn k(&self) -> u32 {
        self.params.k()
    }

    /// SHA-256 of the raw parameters (halo2's `ParamsKZG::write`).
    pub fn digest(&self) -> [u8; 32] {
        self.digest
    }

    /// Writes the raw parameters (halo2's `ParamsKZG::write`) for [`Source::File`]; missing folders are made.
    ///
    /// # Errors
    /// [`SrsError::Cache`] if the file can't be written.
    pub fn store(&self, path: &Path) -> Result<(), SrsError> {
        write_atomically(path, |file| self.params.write(file))
            .map_err(|source| SrsError::Cache { path: path.to_owned(), source })
    }

    /// SHA-256 of τG2: see [`import::tau_digest`].
    pub fn tau(&self) -> [u8; 32] {
        import::tau_digest(&self.params.s_g2())
    }

    /// Whether τ is that of the ceremony whose points are built in.
    pub fn is_built_in(&self) -> bool {
        Some(self.params.s_g2()) == built_in_tau_g2()
    }

    /// Where it came from.
    pub fn origin(&self) -> Origin {
        self.origin
    }

    /// Whether it was made here and not in a ceremony.
    pub fn is_insecure(&self) -> bool {
        self.origin == Origin::InsecureLocal
    }

    /// Only for bytes whose hash was compared: halo2 does not check what it reads.
    fn from_raw(mut raw: &[u8], origin: Origin) -> Result<Self, SrsError> {
        let digest = Sha256::digest(raw).into();
        let params = ParamsKZG::read(&mut raw).map_err(|_| SrsError::Inconsistent("raw parameters"))?;
        Ok(Self { params, digest, origin })
    }
}

/// The raw parameters for k, after every check.
fn checked_raw(k: u32, lagrange: &[u8]) -> Result<Vec<u8>, SrsError> {
    expect_hash("g1_65536.point", G1, G1_SHA256)?;
    expect_hash("g2.point.powerOf2", G2, G2_SHA256)?;
    let n = 1usize << k;
    let file = "g1_65536.point";
    let bytes = G1.get(..n * points::G1_BYTES).ok_or(SrsError::BadPoint { file, index: n })?;
    let g = points::decompress(bytes).map_err(|index| SrsError::BadPoint { file, index })?;
    let file = "g2.point.powerOf2";
    let tau_g2 = built_in_tau_g2().ok_or(SrsError::BadPoint { file, index: 0 })?;
    let file = "lagrange_k*.point";
    let lagrange = points::decompress(lagrange).map_err(|index| SrsError::BadPoint { file, index })?;
    if lagrange.len() != n {
        return Err(SrsError::BadPoint { file, index: lagrange.len() });
    }
    let mut rng = StdRng::from_entropy();
    if !points::powers_are_consistent(&g, &tau_g2, &mut rng) {
        return Err(SrsError::Inconsistent("powers of tau"));
    }
    if !points::lagrange_is_consistent(k, &g, &lagrange, &mut rng) {
        return Err(SrsError::Inconsistent("Lagrange points"));
    }
    Ok(points::raw_params(k, &g, &lagrange, &G2Affine::generator(), &tau_g2))
}

/// τG2 of the ceremony that is built in.
fn built_in_tau_g2() -> Option<G2Affine> {
    G2.first_chunk().and_then(points::decompress_g2)
}

fn expect_hash(file: &'static str, bytes: &[u8], want: &'static str) -> Result<(), SrsError> {
    let got = hex(&Sha256::digest(bytes));
    if got == want { Ok(()) } else { Err(SrsError::Altered { file, got, want }) }
}
