//! snarkjs's `.ptau` container: what a KZG set-up needs of it.
//!
//! ```text
//! "ptau", version u32, number of sections u32, then sections: id u32, length u64, content
//!  1  header          bytes a coordinate takes u32, base field's modulus, power u32, power of the ceremony u32
//!  2  tauG1           2^(power+1) − 1 points: τ^i·G
//!  3  tauG2           2^power points: τ^i·G2
//!  4, 5, 6            α and β, for Groth16 alone: only their lengths are checked
//!  7  contributions   number u32, then for each: five points, a key, two hashes, type u32, named parameters
//! 12  tauG1 Lagrange  in a prepared file: 2^p points for each p from 0 on
//! ```
//! Numbers are little-endian, coordinates in Montgomery form: the same 64 and 128 bytes that halo2 writes.

use std::io::{Read, Seek, SeekFrom};

use halo2_proofs::halo2curves::bn256::{Fr, G1Affine, G2Affine};
use halo2_proofs::halo2curves::ff::{Field, PrimeField};

use super::import::{Ceremony, Contribution, Format, ImportError, Parts, SIZES};
use super::points::{self, RAW_G1, RAW_G2};

pub(super) const MAGIC: &[u8; 4] = b"ptau";
const VERSION: u32 = 1;
/// More than snarkjs writes.
const MOST_SECTIONS: u32 = 64;
/// Bytes of a coordinate.
const COORDINATE: u32 = 32;
/// p, little-endian.
const MODULUS: [u8; 32] = [
    0x47, 0xfd, 0x7c, 0xd8, 0x16, 0x8c, 0x20, 0x3c, 0x8d, 0xca, 0x71, 0x68, 0x91, 0x6a, 0x81, 0x97, 0x5d, 0x58, 0x81,
    0x81, 0xb6, 0x45, 0x50, 0xb8, 0x29, 0xa0, 0x31, 0xe1, 0x72, 0x4e, 0x64, 0x30,
];
/// Bytes of a header section: two lengths, the modulus, two powers.
const HEADER: u64 = 44;
const TAU_G1: u32 = 2;
const TAU_G2: u32 = 3;
const CONTRIBUTIONS: u32 = 7;
const LAGRANGE: u32 = 12;
/// A contribution up to its type: τG1, τG2, αG1, βG1, βG2, a key of six and three points, two hashes.
const FIXED: usize = 3 * RAW_G1 + 2 * RAW_G2 + 6 * RAW_G1 + 3 * RAW_G2 + 216 + 64;
/// Room for ten thousand contributions.
const LONGEST_LIST: u64 = 1 << 24;
const BEACON: u32 = 1;

/// Where a section's content lies.
#[derive(Clone, Copy)]
struct Section {
    id: u32,
    start: u64,
    bytes: u64,
}

/// Reads what a set-up of 2^k rows needs, or of all rows that are there. Lengths are compared with the file's before
/// anything is allocated.
///
/// # Errors
/// Says what of the file is not as it should be. Points are on their curve, but not yet tied to one τ.
pub(super) fn read(file: &mut (impl Read + Seek), k: Option<u32>) -> Result<Parts, ImportError> {
    let sections = sections(file)?;
    let power = header(file, &sections)?;
    check_lengths(&sections, power)?;
    let k = super::import::wanted(k, power)?;
    let n = 1usize << k;
    let powers = find(&sections, TAU_G1)?;
    let powers = points::raw_g1("tauG1", &content(file, powers, 0, n * RAW_G1)?)?;
    let tau_g2 = find(&sections, TAU_G2)?;
    // Entry 0 is G2 itself.
    let two = content(file, tau_g2, 0, 2 * RAW_G2)?;
    let [one, tau_g2] = [0, 1].map(|i| points::raw_g2(&two[i * RAW_G2..(i + 1) * RAW_G2]));
    let what = "tauG2";
    if one.ok_or(ImportError::BadPoint { what, index: 0 })? != G2Affine::generator() {
        return Err(ImportError::Inconsistent("tauG2 does not begin with the generator of G2"));
    }
    let tau_g2 = tau_g2.ok_or(ImportError::BadPoint { what, index: 1 })?;
    let contributions = contributions(file, find(&sections, CONTRIBUTIONS)?, &powers, &tau_g2)?;
    let lagrange = match find(&sections, LAGRANGE) {
        Ok(section) => {
            let start = (n as u64 - 1) * RAW_G1 as u64;
            let points = points::raw_g1("tauG1 Lagrange", &content(file, section, start, n * RAW_G1)?)?;
            Some(in_our_order(&points, k))
        }
        Err(_) => None,
    };
    let ceremony = Ceremony::Contributions(contributions);
    Ok(Parts { format: Format::Ptau, ceremony, largest: power, k, powers, lagrange, tau_g2 })
}

fn sections(file: &mut (impl Read + Seek)) -> Result<Vec<Section>, ImportError> {
    let length = file.seek(SeekFrom::End(0))?;
    file.rewind()?;
    let start: [u8; 12] = exactly(file, "head")?;
    let (version, count) = (word(&start[4..8]), word(&start[8..]));
    if start[..4] != MAGIC[..] || version != VERSION {
        return Err(ImportError::Version { version });
    }
    if count > MOST_SECTIONS {
        return Err(ImportError::Sections { count });
    }
    let mut sections: Vec<Section> = Vec::new();
    let mut at = 12u64;
    for _ in 0..count {
        let head: [u8; 12] = exactly(file, "list of sections")?;
        let (id, bytes) = (word(&head[..4]), long(&head[4..]));
        let start = at + 12;
        at = start.checked_add(bytes).filter(|end| *end <= length).ok_or(ImportError::CutShort {
            id,
            bytes,
            there: length.saturating_sub(start),
        })?;
        if sections.iter().any(|s| s.id == id) {
            return Err(ImportError::Twice { id });
        }
        sections.push(Section { id, start, bytes });
        file.seek(SeekFrom::Start(at))?;
    }
    if at != length {
        return Err(ImportError::LeftOver { bytes: length - at });
    }
    Ok(sections)
}

/// log2 of the rows, after a look at the curve.
fn header(file: &mut (impl Read + Seek), sections: &[Section]) -> Result<u32, ImportError> {
    let header = find(sections, 1)?;
    file.seek(SeekFrom::Start(header.start))?;
    let coordinate = match header.bytes {
        0..4 => 0,
        _ => u32::from_le_bytes(exactly(file, "header")?),
    };
    if coordinate != COORDINATE {
        return Err(ImportError::Curve { bits: 8 * u64::from(coordinate) });
    }
    if header.bytes != HEADER {
        return Err(ImportError::Length { id: 1, bytes: header.bytes, want: HEADER });
    }
    let rest: [u8; 40] = exactly(file, "header")?;
    if rest[..32] != MODULUS {
        return Err(ImportError::Curve { bits: 8 * u64::from(coordinate) });
    }
    let power = word(&rest[32..36]);
    if SIZES.contains(&power) { Ok(power) } else { Err(ImportError::Size { k: power }) }
}

fn check_lengths(sections: &[Section], power: u32) -> Result<(), ImportError> {
    let (n, g1, g2) = (1u64 << power, RAW_G1 as u64, RAW_G2 as u64);
    for s in sections {
        let want = match s.id {
            TAU_G1 => (2 * n - 1) * g1,
            TAU_G2 => n * g2,
            4 | 5 => n * g1,
            6 => g2,
            // Newer versions of snarkjs write one size more.
            LAGRANGE if s.bytes != (2 * n - 1) * g1 => (4 * n - 1) * g1,
            _ => s.bytes,
        };
        if s.bytes != want {
            return Err(ImportError::Length { id: s.id, bytes: s.bytes, want });
        }
    }
    Ok(())
}

fn find(sections: &[Section], id: u32) -> Result<Section, ImportError> {
    sections.iter().copied().find(|s| s.id == id).ok_or(ImportError::Missing { id })
}

/// Part of a section.
fn content(file: &mut (impl Read + Seek), s: Section, from: u64, bytes: usize) -> Result<Vec<u8>, ImportError> {
    if from.saturating_add(bytes as u64) > s.bytes {
        return Err(ImportError::Length { id: s.id, bytes: s.bytes, want: from.saturating_add(bytes as u64) });
    }
    file.seek(SeekFrom::Start(s.start + from))?;
    let mut content = vec![0; bytes];
    file.read_exact(&mut content)?;
    Ok(content)
}

/// Who contributed. The last of them must have made this very τ, or the list is another file's.
fn contributions(
    file: &mut (impl Read + Seek),
    section: Section,
    powers: &[G1Affine],
    tau_g2: &G2Affine,
) -> Result<Vec<Contribution>, ImportError> {
    if section.bytes > LONGEST_LIST {
        return Err(ImportError::Length { id: section.id, bytes: section.bytes, want: LONGEST_LIST });
    }
    let bytes = content(file, section, 0, section.bytes as usize)?;
    let mut rest = &bytes[..];
    let damaged = |index| move || ImportError::Contribution { index };
    let count = word(take(&mut rest, 4).ok_or_else(damaged(0))?);
    let mut list = Vec::new();
    let mut last = None;
    for index in 0..count {
        let damaged = damaged(index);
        let fixed = take(&mut rest, FIXED).ok_or_else(damaged)?;
        let head = take(&mut rest, 8).ok_or_else(damaged)?;
        let parameters = take(&mut rest, word(&head[4..]) as usize).ok_or_else(damaged)?;
        list.push(contribution(word(&head[..4]), parameters).ok_or_else(damaged)?);
        last = Some((&fixed[..RAW_G1], &fixed[RAW_G1..RAW_G1 + RAW_G2]));
    }
    if !rest.is_empty() {
        return Err(ImportError::Contribution { index: count });
    }
    let made_it = |(g1, g2)| {
        points::raw_g1("contribution", g1).is_ok_and(|p| powers.get(1) == p.first())
            && points::raw_g2(g2).as_ref() == Some(tau_g2)
    };
    match last {
        Some(last) if !made_it(last) => Err(ImportError::Inconsistent("contributions belong to another τ")),
        _ => Ok(list),
    }
}

/// Named parameters: 1 name, 2 log2 of a beacon's hash iterations, 3 the beacon; in this order.
fn contribution(kind: u32, mut parameters: &[u8]) -> Option<Contribution> {
    let (mut name, mut iterations, mut beacon, mut before) = (String::new(), None, None, 0);
    while let Some((id, rest)) = parameters.split_first() {
        parameters = rest;
        if *id <= before {
            return None;
        }
        before = *id;
        let first = take(&mut parameters, 1)?[0];
        match id {
            1 => {
                let text = String::from_utf8_lossy(take(&mut parameters, first.into())?).into_owned();
                // It is printed: no control sequences for terminals.
                name = text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
            }
            2 => iterations = Some(first),
            3 => beacon = Some(take(&mut parameters, first.into())?.to_vec()),
            _ => return None,
        }
    }
    let beacon = match kind {
        BEACON => Some((beacon?, iterations?)),
        _ => None,
    };
    Some(Contribution { name, beacon })
}

/// snarkjs orders Lagrange points by the powers of 5^((r−1)/2^k), halo2 by those of another root of the same order.
fn in_our_order(points: &[G1Affine], k: u32) -> Vec<G1Affine> {
    let root = |mut root: Fr| {
        for _ in k..Fr::S {
            root = root.square();
        }
        root
    };
    let odd_part = {
        let mut limbs = [0u64; 4];
        for (limb, bytes) in limbs.iter_mut().zip((-Fr::ONE).to_repr().chunks_exact(8)) {
            *limb = bytes.iter().rev().fold(0, |all, byte| all << 8 | u64::from(*byte));
        }
        // (r − 1) / 2^28.
        [0, 1, 2, 3].map(|i| limbs[i] >> Fr::S | limbs.get(i + 1).map_or(0, |next| next << (64 - Fr::S)))
    };
    let (theirs, ours) = (root(Fr::from(5).pow_vartime(odd_part)), root(Fr::ROOT_OF_UNITY));
    let n = points.len();
    let mut power = Fr::ONE;
    let step = (0..n).find(|_| {
        let found = power == ours;
        power *= theirs;
        found
    });
    (0..n).map(|i| points[i * step.unwrap_or(1) % n]).collect()
}

fn exactly<const N: usize>(file: &mut impl Read, what: &'static str) -> Result<[u8; N], ImportError> {
    let mut bytes = [0; N];
    file.read_exact(&mut bytes).map_err(|error| match error.kind() {
        std::io::ErrorKind::UnexpectedEof => ImportError::Ends { what },
        _ => ImportError::Io(error),
    })?;
    Ok(bytes)
}

fn take<'a>(rest: &mut &'a [u8], bytes: usize) -> Option<&'a [u8]> {
    let (head, tail) = rest.split_at_checked(bytes)?;
    *rest = tail;
    Some(head)
}

/// Of four bytes.
fn word(bytes: &[u8]) -> u32 {
    bytes.iter().rev().fold(0, |all, byte| all << 8 | u32::from(*byte))
}

/// Of eight bytes.
fn long(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |all, byte| all << 8 | u64::from(*byte))
}
