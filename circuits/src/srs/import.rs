//! Set-ups from files: which format it is, whether its points are powers of one τ, and whose τ.
//!
//! | format | how it is known | what is read |
//! |---|---|---|
//! | snarkjs `.ptau` | its first four bytes | powers, τG2, contributions, Lagrange points of a prepared file |
//! | halo2 raw parameters | k in its first four bytes, and its length | powers, Lagrange points, τG2 |
//! | gnark compressed powers | a second file with τG2 is named | powers |
//!
//! Nothing is believed. Every point that is read is on its curve, in its group and not the identity; the first one is the
//! generator; `e(τ^i G, τ G2) = e(τ^(i+1) G, G2)` for a random combination over all i, and Lagrange points commit a random
//! polynomial as its coefficients do. So a set-up of 2^k rows is determined by τG2 alone: what a file can still do is to
//! bring a τ that somebody knows. That is a question of its ceremony, which no check of points answers.

use std::fmt;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::RangeInclusive;

use halo2_proofs::halo2curves::bn256::{G1Affine, G2Affine};
use halo2_proofs::halo2curves::ff::PrimeField;
use rand::{SeedableRng, rngs::StdRng};
use sha2::{Digest, Sha256};

use super::points::{self, G1_BYTES, RAW_G1, RAW_G2};
use super::{built_in_tau_g2, ptau};
use crate::cache::hex;

/// log2 of the sizes that are read: the scalar field has no more roots of unity.
pub const SIZES: RangeInclusive<u32> = 2..=28;
/// Bytes of a compressed point of G2.
const G2_BYTES: usize = 64;
/// Where the two points of G2 begin, counted from the end of halo2's file.
const RAW_TAIL: u64 = 2 * RAW_G2 as u64;

/// Why a file gives no set-up.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// It can't be read.
    #[error("{0}; check the path and its rights")]
    Io(#[from] io::Error),
    /// No known format.
    #[error(
        "{bytes} bytes that are neither a .ptau nor halo2's raw parameters; for gnark's compressed powers also name the file with tau in G2 (--g2)"
    )]
    Unknown {
        /// Its length.
        bytes: u64,
    },
    /// A .ptau of another version.
    #[error("it is a .ptau of version {version}, not 1; download it again")]
    Version {
        /// The version it names.
        version: u32,
    },
    /// More sections than a .ptau has.
    #[error("it claims {count} sections, more than a .ptau has; download it again")]
    Sections {
        /// As it claims.
        count: u32,
    },
    /// The file ends inside of something.
    #[error("it ends inside its {what}; download it again")]
    Ends {
        /// What is not whole.
        what: &'static str,
    },
    /// The file ends inside a section.
    #[error("section {id} has {bytes} bytes, of which {there} are there; download it again")]
    CutShort {
        /// The section.
        id: u32,
        /// The length it claims.
        bytes: u64,
        /// Bytes up to the file's end.
        there: u64,
    },
    /// Something follows the last section.
    #[error("{bytes} bytes follow its last section; download it again")]
    LeftOver {
        /// How many.
        bytes: u64,
    },
    /// A section stands twice.
    #[error("section {id} stands in it twice; download it again")]
    Twice {
        /// The section.
        id: u32,
    },
    /// A section that every .ptau has is not there.
    #[error("section {id} is missing; take the whole .ptau, not a part of it")]
    Missing {
        /// The section.
        id: u32,
    },
    /// A section does not have the length that the power asks for.
    #[error("section {id} has {bytes} bytes, not {want}; download it again")]
    Length {
        /// The section.
        id: u32,
        /// Its length.
        bytes: u64,
        /// The length it should have.
        want: u64,
    },
    /// Made for another curve.
    #[error("it is made for another curve, with a field of {bits} bits; take one for BN254, which snarkjs calls bn128")]
    Curve {
        /// Bits that a coordinate takes.
        bits: u64,
    },
    /// A size that no set-up has.
    #[error("2^{k} rows are none of the sizes from 2^{} to 2^{}", SIZES.start(), SIZES.end())]
    Size {
        /// log2 of the rows.
        k: u32,
    },
    /// Fewer powers than are wanted.
    #[error("it has 2^{largest} powers, 2^{k} are wanted; import a larger one (`zugzwang srs import`)")]
    TooSmall {
        /// log2 of the powers that are there.
        largest: u32,
        /// log2 of the rows wanted.
        k: u32,
    },
    /// A length that is no number of points.
    #[error("{bytes} bytes are no whole number of points of {point} bytes; download it again")]
    Points {
        /// The file's length.
        bytes: u64,
        /// The length of a point.
        point: usize,
    },
    /// Something that is no point.
    #[error("{what}: point {index} is not on its curve, not in its group or the identity; download the file again")]
    BadPoint {
        /// Which list.
        what: &'static str,
        /// Index of the point.
        index: usize,
    },
    /// An entry in the list of contributions makes no sense.
    #[error("contribution {index} can't be read; download the file again")]
    Contribution {
        /// Its index, from 0.
        index: u32,
    },
    /// Points that don't belong together.
    #[error("{0}; don't use this file")]
    Inconsistent(&'static str),
    /// τ is 1: a file that nobody has contributed to.
    #[error("its tau is 1, which everybody knows; take the file of a finished ceremony")]
    NoSecret,
}

/// What kind of file it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// snarkjs.
    Ptau,
    /// halo2's `ParamsKZG::write`.
    Halo2,
    /// gnark-crypto's compressed points, τG2 in a file of its own.
    Gnark,
}

/// One step of a ceremony, as its file tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contribution {
    /// The name, empty if none was given; without control characters.
    pub name: String,
    /// A public beacon instead of somebody's secret: the bytes, and log2 of how often they were hashed.
    pub beacon: Option<(Vec<u8>, u8)>,
}

/// Where τ comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ceremony {
    /// The Perpetual Powers of Tau, at the contribution that is built in.
    BuiltIn,
    /// Another one, with the contributions that the file lists. They are its word: only that the last one made this τ is
    /// checked.
    Contributions(Vec<Contribution>),
    /// Another one, of which the file says nothing.
    Unnamed,
}

/// What a format's reader finds, not yet tied to one τ.
pub(super) struct Parts {
    pub(super) format: Format,
    pub(super) ceremony: Ceremony,
    pub(super) largest: u32,
    pub(super) k: u32,
    pub(super) powers: Vec<G1Affine>,
    pub(super) lagrange: Option<Vec<G1Affine>>,
    pub(super) tau_g2: G2Affine,
}

/// A set-up from a file, every check passed.
#[derive(Clone, Debug)]
pub struct Imported {
    /// What kind of file it is.
    pub format: Format,
    /// Whose τ it is.
    pub ceremony: Ceremony,
    /// log2 of the powers in the file.
    pub largest: u32,
    /// log2 of the powers that were read.
    pub k: u32,
    /// SHA-256 of τG2: see [`tau_digest`].
    pub tau: [u8; 32],
    pub(super) powers: Vec<G1Affine>,
    pub(super) lagrange: Option<Vec<G1Affine>>,
    pub(super) tau_g2: G2Affine,
}

/// Reads a set-up for 2^k rows, or for as many as there are powers, and checks all that it reads. `g2` is the file with
/// τG2 that goes with gnark's powers: `g2.point.powerOf2`, or `g2.point`, which begins with G2 itself.
///
/// Memory: 64 bytes for each row, twice that if there are Lagrange points.
///
/// # Errors
/// [`ImportError`] says what is wrong, and what to do.
pub fn read(file: &mut (impl Read + Seek), g2: Option<&[u8]>, k: Option<u32>) -> Result<Imported, ImportError> {
    let parts = match g2 {
        Some(g2) => gnark(file, g2, k)?,
        None => {
            let length = file.seek(SeekFrom::End(0))?;
            file.rewind()?;
            let mut start = [0; 4];
            if length < 4 {
                return Err(ImportError::Unknown { bytes: length });
            }
            file.read_exact(&mut start)?;
            if start == *ptau::MAGIC {
                ptau::read(file, k)?
            } else {
                halo2(file, u32::from_le_bytes(start), length, k)?
            }
        }
    };
    check(parts)
}

/// SHA-256 of a point of G2 as the EVM takes it: imaginary and real part of x, then of y, 32 bytes each, big-endian.
pub fn tau_digest(point: &G2Affine) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in [point.x.c1, point.x.c0, point.y.c1, point.y.c0] {
        let mut bytes = part.to_repr();
        bytes.reverse();
        hash.update(bytes);
    }
    hash.finalize().into()
}

/// The size to read of a file with 2^largest powers.
pub(super) fn wanted(k: Option<u32>, largest: u32) -> Result<u32, ImportError> {
    let k = k.unwrap_or(largest);
    match k {
        k if !SIZES.contains(&k) => Err(ImportError::Size { k }),
        k if k > largest => Err(ImportError::TooSmall { largest, k }),
        k => Ok(k),
    }
}

fn gnark(file: &mut (impl Read + Seek), g2: &[u8], k: Option<u32>) -> Result<Parts, ImportError> {
    let bytes = file.seek(SeekFrom::End(0))?;
    file.rewind()?;
    let count = bytes / G1_BYTES as u64;
    if !bytes.is_multiple_of(G1_BYTES as u64) || count == 0 {
        return Err(ImportError::Points { bytes, point: G1_BYTES });
    }
    let largest = count.ilog2().min(*SIZES.end());
    let k = wanted(k, largest)?;
    let mut compressed = vec![0; G1_BYTES << k];
    file.read_exact(&mut compressed)?;
    let powers =
        points::decompress(&compressed).map_err(|index| ImportError::BadPoint { what: "powers in G1", index })?;
    let point = |index: usize| {
        let bytes = g2.get(index * G2_BYTES..).and_then(|rest| rest.first_chunk());
        let bytes = bytes.ok_or(ImportError::Points { bytes: g2.len() as u64, point: G2_BYTES })?;
        points::decompress_g2(bytes).ok_or(ImportError::BadPoint { what: "powers in G2", index })
    };
    let first = point(0)?;
    let tau_g2 = if first == G2Affine::generator() { point(1)? } else { first };
    Ok(Parts { format: Format::Gnark, ceremony: Ceremony::Unnamed, largest, k, powers, lagrange: None, tau_g2 })
}

fn halo2(file: &mut (impl Read + Seek), largest: u32, length: u64, k: Option<u32>) -> Result<Parts, ImportError> {
    let unknown = ImportError::Unknown { bytes: length };
    if !SIZES.contains(&largest) || length != 4 + (2 * RAW_G1 as u64) * (1 << largest) + RAW_TAIL {
        return Err(unknown);
    }
    let k = wanted(k, largest)?;
    let mut part = |start: SeekFrom, bytes: usize| {
        file.seek(start)?;
        let mut part = vec![0; bytes];
        file.read_exact(&mut part).map(|()| part)
    };
    let powers = points::raw_g1("powers", &part(SeekFrom::Start(4), RAW_G1 << k)?)?;
    // The Lagrange points of another size are other points.
    let lagrange = if k == largest {
        let raw = part(SeekFrom::Start(4 + ((RAW_G1 as u64) << k)), RAW_G1 << k)?;
        Some(points::raw_g1("Lagrange points", &raw)?)
    } else {
        None
    };
    let tail = part(SeekFrom::End(-(RAW_TAIL as i64)), RAW_TAIL as usize)?;
    let (one, tau_g2) = tail.split_at(RAW_G2);
    let point = |index, bytes| points::raw_g2(bytes).ok_or(ImportError::BadPoint { what: "points of G2", index });
    if point(0, one)? != G2Affine::generator() {
        return Err(ImportError::Inconsistent("its G2 is not the generator that everybody uses"));
    }
    let tau_g2 = point(1, tau_g2)?;
    Ok(Parts { format: Format::Halo2, ceremony: Ceremony::Unnamed, largest, k, powers, lagrange, tau_g2 })
}

/// Ties all points to one τ.
fn check(parts: Parts) -> Result<Imported, ImportError> {
    let Parts { format, ceremony, largest, k, powers, lagrange, tau_g2 } = parts;
    if tau_g2 == G2Affine::generator() {
        return Err(ImportError::NoSecret);
    }
    let mut rng = StdRng::from_entropy();
    if !points::powers_are_consistent(&powers, &tau_g2, &mut rng) {
        return Err(ImportError::Inconsistent("its powers are not those of the tau in G2"));
    }
    if let Some(lagrange) = &lagrange
        && !points::lagrange_is_consistent(k, &powers, lagrange, &mut rng)
    {
        return Err(ImportError::Inconsistent("its Lagrange points don't belong to its powers"));
    }
    let ceremony = if Some(tau_g2) == built_in_tau_g2() { Ceremony::BuiltIn } else { ceremony };
    Ok(Imported { format, ceremony, largest, k, tau: tau_digest(&tau_g2), powers, lagrange, tau_g2 })
}

impl Ceremony {
    /// What its file lists, the first contribution first.
    pub fn contributions(&self) -> &[Contribution] {
        match self {
            Self::Contributions(list) => list,
            Self::BuiltIn | Self::Unnamed => &[],
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ptau => "snarkjs .ptau",
            Self::Halo2 => "halo2 raw parameters",
            Self::Gnark => "gnark compressed powers",
        })
    }
}

impl fmt::Display for Contribution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = if self.name.is_empty() { "unnamed" } else { &self.name };
        match &self.beacon {
            None => f.write_str(name),
            Some((bytes, iterations)) => write!(f, "{name} (beacon {}, hashed 2^{iterations} times)", hex(bytes)),
        }
    }
}

impl fmt::Display for Ceremony {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const WARNING: &str =
            "not the built-in ceremony; whoever knows its tau can prove anything: trust its contributors";
        match self {
            Self::BuiltIn => f.write_str("Perpetual Powers of Tau, the built-in set-up"),
            Self::Unnamed => write!(f, "its file names none: {WARNING}"),
            Self::Contributions(list) => {
                write!(f, "{} contributions by its own list", list.len())?;
                if let Some(last) = list.last() {
                    write!(f, ", the last one {last}")?;
                }
                write!(f, ": {WARNING}")
            }
        }
    }
}
