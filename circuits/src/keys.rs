//! Verifying keys, kept on disk under the hash of circuit and set-up.
//!
//! A verifying key is a commitment per fixed column: a few KiB. All else that proving needs is
//! computed from the circuit's fixed columns when a prover is loaded, which takes about as long as
//! reading it with its hash checked would. So the file holds the verifying key alone.
//!
//! File: magic, key id, the verifying key's digest, halo2's raw verifying key, SHA-256 of all that.
//! It is written to a temporary file, synced and renamed. The hash is compared before anything is
//! parsed. A file that is damaged, cut short or made for another circuit is replaced: it can always
//! be generated again, so nothing is lost.

use std::{
    fs::File,
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use halo2_proofs::{
    SerdeFormat,
    halo2curves::{
        bn256::{Fr, G1Affine},
        ff::PrimeField,
    },
    plonk::{Circuit, VerifyingKey},
};
use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::{
    cache::{hex, write_atomically},
    prove::{Column, Points, ProveError, verifying_key},
    srs::Srs,
};

/// Changes with the file's format and with anything that changes keys: halo2's version.
const MAGIC: &[u8; 32] = b"zugzwang vk 1, halo2-axiom 0.5.3";
const HASH: usize = 32;
const HEADER: usize = MAGIC.len() + 2 * HASH;
/// More than any key has: nothing longer is read.
const LONGEST: u64 = 1 << 24;
/// The first byte of halo2's raw key.
const KEY_VERSION: u8 = 2;
const FORMAT: SerdeFormat = SerdeFormat::RawBytes;

/// Why there is no key.
#[derive(Debug, Error)]
pub enum KeyError {
    /// The file could not be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is shorter than its header.
    #[error("{}: the key file is cut short, at {bytes} bytes", path.display())]
    Truncated {
        /// The file.
        path: PathBuf,
        /// Its length.
        bytes: u64,
    },
    /// The file's hash is wrong: damaged or cut short.
    #[error("{}: the key file is damaged: its hash does not match", path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
    },
    /// The file is whole, but for another circuit, set-up or version.
    #[error("{}: the key file belongs to another circuit, set-up or version", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// There can be no key for this circuit, for instance because 2^k rows are too few.
    #[error("no keys for this circuit: {0}")]
    Keygen(#[from] ProveError),
}

impl KeyError {
    /// Whether generating the key again mends it.
    fn is_mendable(&self) -> bool {
        matches!(self, Self::Truncated { .. } | Self::Corrupt { .. } | Self::Foreign { .. })
    }
}

/// Where a key came from, for the log.
#[derive(Debug)]
pub enum KeyOrigin {
    /// Read from the cache, hash checked.
    Cached,
    /// Generated, as there was none, and cached.
    Generated,
    /// Generated and cached in place of a file that could not be used.
    Replaced(KeyError),
}

/// A verifying key and what it is for.
#[derive(Debug)]
pub struct Keys {
    /// The verifying key.
    pub vk: VerifyingKey<G1Affine>,
    /// SHA-256 of circuit digest and set-up: names the cache file.
    pub id: [u8; 32],
    /// Where it came from.
    pub origin: KeyOrigin,
}

/// The name under which keys are cached: SHA-256 over format, set-up and circuit digest. The
/// circuit digest must cover everything that key generation reads: shape and weights.
pub fn key_id(srs: &Srs, circuit_digest: &[u8]) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(MAGIC);
    hash.update(srs.digest());
    hash.update(circuit_digest);
    hash.finalize().into()
}

/// The cache file of a key.
pub fn key_path(cache_dir: &Path, id: &[u8; 32]) -> PathBuf {
    cache_dir.join(format!("vk-{}.bin", hex(&id[..16])))
}

/// The key of `circuit` with these fixed columns, from `cache_dir` or generated and cached there.
/// `points` are those of `srs`.
///
/// # Errors
/// [`KeyError::Io`] if the folder can't be read or written, [`KeyError::Keygen`] if the circuit
/// can't be proven. A damaged file is replaced: see [`Keys::origin`].
pub fn load_or_generate<C: Circuit<Fr>>(
    srs: &Srs,
    points: &Points,
    circuit: &C,
    fixed: &[Column<'_>],
    circuit_digest: &[u8],
    cache_dir: &Path,
) -> Result<Keys, KeyError> {
    let id = key_id(srs, circuit_digest);
    let path = key_path(cache_dir, &id);
    let origin = match load(&path, &id, srs.k(), circuit) {
        Ok(Some(vk)) => {
            return Ok(Keys { vk, id, origin: KeyOrigin::Cached });
        }
        Ok(None) => KeyOrigin::Generated,
        Err(error) if error.is_mendable() => KeyOrigin::Replaced(error),
        Err(error) => return Err(error),
    };
    let vk = verifying_key::<C>(points, circuit.params(), fixed)?;
    save(&path, &id, &vk).map_err(|source| KeyError::Io { path, source })?;
    Ok(Keys { vk, id, origin })
}

/// Reads and checks the key file of a circuit with 2^k rows; `None` if there is none.
///
/// # Errors
/// Every [`KeyError`] but `Keygen`.
pub fn load<C: Circuit<Fr>>(
    path: &Path,
    id: &[u8; 32],
    k: u32,
    circuit: &C,
) -> Result<Option<VerifyingKey<G1Affine>>, KeyError> {
    let io_error = |source| KeyError::Io { path: path.to_owned(), source };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(io_error(error)),
    };
    let mut bytes = vec![];
    file.take(LONGEST).read_to_end(&mut bytes).map_err(io_error)?;
    parse(path, &bytes, id, k, circuit).map(Some)
}

/// The key in a file's bytes; `path` is only named in errors. The hash is for damage alone, since everybody can compute
/// it: whatever the bytes are, they give a key of the circuit's form or an error.
///
/// # Errors
/// [`KeyError::Truncated`], [`KeyError::Corrupt`] and [`KeyError::Foreign`].
pub fn parse<C: Circuit<Fr>>(
    path: &Path,
    bytes: &[u8],
    id: &[u8; 32],
    k: u32,
    circuit: &C,
) -> Result<VerifyingKey<G1Affine>, KeyError> {
    let corrupt = || KeyError::Corrupt { path: path.to_owned() };
    let foreign = || KeyError::Foreign { path: path.to_owned() };
    if bytes.len() < HEADER + HASH {
        return Err(KeyError::Truncated { path: path.to_owned(), bytes: bytes.len() as u64 });
    }
    let (content, hash) = bytes.split_last_chunk::<HASH>().ok_or_else(corrupt)?;
    if Sha256::digest(content)[..] != hash[..] {
        return Err(corrupt());
    }
    let (header, mut key) = content.split_at(HEADER);
    if header[..HASH] != MAGIC[..] || header[HASH..2 * HASH] != id[..] {
        return Err(foreign());
    }
    // halo2 builds a domain of whatever size it reads here, and panics if there is none.
    if key.get(..5) != Some(&[&[KEY_VERSION], &k.to_le_bytes()[..]].concat()) {
        return Err(foreign());
    }
    let vk = VerifyingKey::<G1Affine>::read::<_, C>(&mut key, FORMAT, circuit.params()).map_err(|_| foreign())?;
    if vk.fixed_commitments().len() != vk.cs().num_fixed_columns() {
        return Err(foreign());
    }
    if !key.is_empty() || vk.transcript_repr().to_repr() != header[2 * HASH..] {
        return Err(foreign());
    }
    Ok(vk)
}

/// A key file's content with the hash that ends it.
pub fn with_hash(content: &[u8]) -> Vec<u8> {
    [content, &Sha256::digest(content)].concat()
}

fn save(path: &Path, id: &[u8; 32], vk: &VerifyingKey<G1Affine>) -> io::Result<()> {
    let mut content = MAGIC.to_vec();
    content.extend_from_slice(id);
    content.extend_from_slice(&vk.transcript_repr().to_repr());
    vk.write(&mut content, FORMAT)?;
    write_atomically(path, |file| file.write_all(&with_hash(&content)))
}
