//! Proving keys, kept on disk under the hash of circuit and set-up.
//!
//! A key of a k = 16 circuit with 26 fixed columns takes 115 MB. Reading it back with its hash
//! checked is several times faster than generating it, so the whole proving key is cached and not
//! the verifying key alone.
//!
//! File: magic, key id, the verifying key's digest, halo2's raw proving key, SHA-256 of all that.
//! It is written to a temporary file, synced and renamed. The hash is compared before anything is
//! parsed, since halo2's parser trusts its input. A file that is damaged, cut short or made for
//! another circuit is replaced: it can always be generated again, so nothing is lost.

use std::{
    fs::File,
    io::{self, BufReader, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use halo2_proofs::{
    SerdeFormat,
    halo2curves::{
        bn256::{Fr, G1Affine},
        ff::PrimeField,
    },
    plonk::{Circuit, Error as PlonkError, ProvingKey, keygen_pk2},
};
use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::{
    cache::{hex, write_atomically},
    srs::Srs,
};

/// Changes with the file's format and with anything that changes keys: halo2's version.
const MAGIC: &[u8; 32] = b"zugzwang pk 1, halo2-axiom 0.5.3";
const HASH: usize = 32;
const HEADER: usize = MAGIC.len() + 2 * HASH;

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
    /// halo2 refused the circuit, for instance because 2^k rows are too few.
    #[error("no keys for this circuit: {0}")]
    Keygen(#[from] PlonkError),
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

/// A proving key (with its verifying key) and what it is for.
#[derive(Debug)]
pub struct Keys {
    /// The proving key; `pk.get_vk()` is the verifying key.
    pub pk: ProvingKey<G1Affine>,
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
    cache_dir.join(format!("pk-{}.bin", hex(&id[..16])))
}

/// The key of `circuit`, from `cache_dir` or generated and cached there. Selectors are not
/// compressed. Takes the circuit's key generation the first time, then about 1 s per 250 MB.
///
/// # Errors
/// [`KeyError::Io`] if the folder can't be read or written, [`KeyError::Keygen`] if halo2 refuses
/// the circuit. A damaged file is replaced: see [`Keys::origin`].
pub fn load_or_generate<C: Circuit<Fr>>(
    srs: &Srs,
    circuit: &C,
    circuit_digest: &[u8],
    cache_dir: &Path,
) -> Result<Keys, KeyError> {
    let id = key_id(srs, circuit_digest);
    let path = key_path(cache_dir, &id);
    let origin = match load(&path, &id, circuit) {
        Ok(Some(pk)) => {
            return Ok(Keys { pk, id, origin: KeyOrigin::Cached });
        }
        Ok(None) => KeyOrigin::Generated,
        Err(error) if error.is_mendable() => KeyOrigin::Replaced(error),
        Err(error) => return Err(error),
    };
    let pk = keygen_pk2(srs.params(), circuit, false)?;
    save(&path, &id, &pk).map_err(|source| KeyError::Io { path, source })?;
    Ok(Keys { pk, id, origin })
}

/// Reads and checks a key file; `None` if there is none.
///
/// # Errors
/// Every [`KeyError`] but `Keygen`.
pub fn load<C: Circuit<Fr>>(path: &Path, id: &[u8; 32], circuit: &C) -> Result<Option<ProvingKey<G1Affine>>, KeyError> {
    let io_error = |source| KeyError::Io { path: path.to_owned(), source };
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(io_error(error)),
    };
    let bytes = file.metadata().map_err(io_error)?.len();
    let Some(body) = bytes.checked_sub((HEADER + HASH) as u64) else {
        return Err(KeyError::Truncated { path: path.to_owned(), bytes });
    };
    if !hash_matches(&mut file, bytes - HASH as u64).map_err(io_error)? {
        return Err(KeyError::Corrupt { path: path.to_owned() });
    }
    file.seek(SeekFrom::Start(0)).map_err(io_error)?;
    let mut reader = Steady::new(BufReader::with_capacity(1 << 20, file.take(HEADER as u64 + body)));
    let (mut magic, mut found, mut digest) = ([0; HASH], [0; HASH], [0; HASH]);
    for part in [&mut magic, &mut found, &mut digest] {
        reader.read_exact(part).map_err(io_error)?;
    }
    if magic != *MAGIC || found != *id {
        return Err(KeyError::Foreign { path: path.to_owned() });
    }
    let format = SerdeFormat::RawBytesUnchecked;
    let pk = ProvingKey::<G1Affine>::read::<_, C>(&mut reader, format, circuit.params()).map_err(io_error)?;
    if let Some(error) = reader.error {
        return Err(io_error(error));
    }
    if pk.get_vk().transcript_repr().to_repr() != digest {
        return Err(KeyError::Foreign { path: path.to_owned() });
    }
    Ok(Some(pk))
}

fn save(path: &Path, id: &[u8; 32], pk: &ProvingKey<G1Affine>) -> io::Result<()> {
    write_atomically(path, |file| {
        let mut writer = Steady::new(file);
        writer.write_all(MAGIC)?;
        writer.write_all(id)?;
        writer.write_all(&pk.get_vk().transcript_repr().to_repr())?;
        pk.write(&mut writer, SerdeFormat::RawBytesUnchecked)?;
        let Steady { inner, hash, error } = writer;
        match error {
            Some(error) => Err(error),
            None => inner.write_all(&hash.finalize()),
        }
    })
}

/// Whether the file's last word is the hash of the `length` bytes before it.
fn hash_matches(file: &mut File, length: u64) -> io::Result<bool> {
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    let mut rest = length;
    while rest > 0 {
        let most = buffer.len().min(usize::try_from(rest).unwrap_or(usize::MAX));
        let part = &mut buffer[..most];
        file.read_exact(part)?;
        hash.update(&*part);
        rest -= most as u64;
    }
    let mut want = [0; HASH];
    file.read_exact(&mut want)?;
    Ok(hash.finalize()[..] == want)
}

/// Keeps errors from halo2's serialisation, which panics on them: remembers the first one and goes
/// on with zeros. Hashes what is written.
struct Steady<T> {
    inner: T,
    hash: Sha256,
    error: Option<io::Error>,
}

impl<T> Steady<T> {
    fn new(inner: T) -> Self {
        Self { inner, hash: Sha256::new(), error: None }
    }
}

impl<T: Write> Write for Steady<T> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.error.is_none() {
            self.hash.update(bytes);
            self.error = self.inner.write_all(bytes).err();
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<T: Read> Read for Steady<T> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.read_exact(bytes)?;
        Ok(bytes.len())
    }

    fn read_exact(&mut self, bytes: &mut [u8]) -> io::Result<()> {
        if self.error.is_none() {
            self.error = self.inner.read_exact(bytes).err();
        }
        if self.error.is_some() {
            bytes.fill(0);
        }
        Ok(())
    }
}
