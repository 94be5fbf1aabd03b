//! Set-ups from files: each format, what they are used for, and what must be refused.

use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use halo2_proofs::halo2curves::CurveAffine;
use halo2_proofs::halo2curves::bn256::{Fq2, Fr, G1Affine, G2Affine};
use halo2_proofs::halo2curves::ff::Field;
use halo2_proofs::halo2curves::serde::SerdeObject;
use halo2_proofs::poly::commitment::Params;
use rand::rngs::OsRng;
use zugzwang_circuits::evm::transcript::EvmWriter;
use zugzwang_circuits::keys::{key_id, load_or_generate};
use zugzwang_circuits::prove::{self, Key, Points};
use zugzwang_circuits::srs::import::{Ceremony, Format, ImportError, read};
use zugzwang_circuits::srs::{Origin, Source, Srs, open};

use super::commits_alike;
use crate::toy::{Spec, Toy, verifies};

/// Written by snarkjs: power 6, two beacons, prepared for phase 2.
const SNARKJS: &[u8] = include_bytes!("../../data/power6.ptau");
const POWER: u32 = 6;
const G1: usize = 64;
const G2: usize = 128;

/// A `.ptau` in its sections.
#[derive(Clone)]
struct Ptau(Vec<(u32, Vec<u8>)>);

impl Ptau {
    fn snarkjs() -> Self {
        let mut rest = &SNARKJS[12..];
        let mut sections = vec![];
        while let Some((head, tail)) = rest.split_first_chunk::<12>() {
            let length = u64::from_le_bytes(head[4..].try_into().unwrap()) as usize;
            sections.push((u32::from_le_bytes(head[..4].try_into().unwrap()), tail[..length].to_vec()));
            rest = &tail[length..];
        }
        Self(sections)
    }

    fn section(&mut self, id: u32) -> &mut Vec<u8> {
        &mut self.0.iter_mut().find(|s| s.0 == id).unwrap().1
    }

    fn put(mut self, id: u32, at: usize, bytes: &[u8]) -> Self {
        self.section(id)[at..at + bytes.len()].copy_from_slice(bytes);
        self
    }

    fn without(mut self, id: u32) -> Self {
        self.0.retain(|s| s.0 != id);
        self
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = b"ptau\x01\0\0\0".to_vec();
        bytes.extend((self.0.len() as u32).to_le_bytes());
        for (id, content) in &self.0 {
            bytes.extend(id.to_le_bytes());
            bytes.extend((content.len() as u64).to_le_bytes());
            bytes.extend(content);
        }
        bytes
    }
}

fn digest(bytes: &[u8], k: Option<u32>, cache: &Path) -> [u8; 32] {
    read(&mut Cursor::new(bytes), None, k).unwrap().into_srs(cache).unwrap().digest()
}

fn refused(bytes: &[u8], says: &str) {
    let error = read(&mut Cursor::new(bytes), None, None).unwrap_err().to_string();
    assert!(error.contains(says), "{error}, not: {says}");
    assert_eq!(error.lines().count(), 1, "{error}");
}

#[test]
fn a_file_of_snarkjs_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let imported = read(&mut Cursor::new(SNARKJS), None, None).unwrap();
    assert_eq!((imported.format, imported.largest, imported.k), (Format::Ptau, POWER, POWER));
    let Ceremony::Contributions(list) = &imported.ceremony else { panic!("{:?}", imported.ceremony) };
    assert_eq!(list.iter().map(|c| c.name.as_str()).collect::<Vec<_>>(), ["first beacon", "second beacon"]);
    assert_eq!(list[1].beacon, Some(((0x20..0x40).collect(), 10)));
    let said = imported.ceremony.to_string();
    for part in ["2 contributions", "second beacon (beacon 2021", "not the built-in ceremony"] {
        assert!(said.contains(part), "{said}");
    }
    let srs = imported.into_srs(folder.path()).unwrap();
    assert_eq!((srs.k(), srs.origin(), srs.is_built_in(), srs.is_insecure()), (POWER, Origin::Imported, false, false));
    commits_alike(srs.params());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "its own Lagrange points are used");
}

#[test]
fn every_size_is_the_same_with_and_without_lagrange_points() {
    let folder = tempfile::tempdir().unwrap();
    let bare = Ptau::snarkjs().without(12).bytes();
    let older = {
        let mut ptau = Ptau::snarkjs();
        ptau.section(12).truncate(((2 << POWER) - 1) * G1);
        ptau.bytes()
    };
    for k in 2..=POWER {
        let want = digest(SNARKJS, Some(k), folder.path());
        assert_eq!(digest(&bare, Some(k), folder.path()), want, "k = {k}, derived");
        assert_eq!(digest(&bare, Some(k), folder.path()), want, "k = {k}, cached");
        assert_eq!(digest(&older, Some(k), folder.path()), want, "k = {k}, an older version's");
    }
}

#[test]
fn the_formats_of_the_built_in_set_up_are_known_as_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut raw = vec![];
    Srs::load(8, folder.path()).unwrap().params().write(&mut raw).unwrap();
    let imported = read(&mut Cursor::new(&raw), None, None).unwrap();
    assert_eq!((imported.format, imported.k), (Format::Halo2, 8));
    assert_eq!(imported.ceremony.to_string(), "Perpetual Powers of Tau, the built-in set-up");
    assert_eq!(imported.into_srs(folder.path()).unwrap().digest(), Srs::load(8, folder.path()).unwrap().digest());

    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("srs");
    let (g1, g2) = (data.join("g1_65536.point"), data.join("g2.point.powerOf2"));
    let imported = open(&g1, Some(&g2), Some(9)).unwrap();
    assert_eq!(
        (imported.format, imported.ceremony.clone(), imported.largest, imported.k),
        (Format::Gnark, Ceremony::BuiltIn, 16, 9)
    );
    let srs = imported.into_srs(folder.path()).unwrap();
    assert_eq!(srs.digest(), Srs::load(9, folder.path()).unwrap().digest());
    assert!(srs.is_built_in());
    assert!(open(&g1, None, None).unwrap_err().to_string().contains("--g2"));
    assert!(open(&g1, Some(&g1), Some(9)).unwrap_err().to_string().contains("powers in G2: point 0"));
    let error = open(&g1, Some(&g2), Some(17)).unwrap_err().to_string();
    assert!(error.contains("2^16 powers, 2^17 are wanted; import a larger one"), "{error}");
}

/// What each section's bytes are for: an altered one is refused, or was not needed.
#[test]
fn an_altered_byte_of_any_section_is_refused_or_unused() {
    let folder = tempfile::tempdir().unwrap();
    let good = digest(SNARKJS, None, folder.path());
    let n = 1usize << POWER;
    // Section, first byte and how many bytes are read of it; the others are for Groth16, for larger sizes, or hashes of the
    // ceremony that only its replay needs.
    let used = [(1, 0, 40), (2, 0, n * G1), (3, 0, 2 * G2), (7, 0, 4), (12, (n - 1) * G1, n * G1)];
    for (id, content) in Ptau::snarkjs().0 {
        let (from, length) = used.iter().find(|u| u.0 == id).map_or((0, 0), |u| (u.1, u.2));
        for at in (0..content.len()).step_by(101) {
            let bytes = Ptau::snarkjs().put(id, at, &[content[at] ^ 4]).bytes();
            let result = read(&mut Cursor::new(&bytes), None, None);
            if (from..from + length).contains(&at) {
                assert!(result.is_err(), "section {id}, byte {at}");
            } else if let Ok(imported) = result {
                assert!(![1, 2, 3].contains(&id) || at >= from + length, "section {id}, byte {at}");
                assert_eq!(imported.into_srs(folder.path()).unwrap().digest(), good, "section {id}, byte {at}");
            }
        }
    }
}

#[test]
fn a_file_that_is_cut_short_is_refused() {
    let mut ends = vec![0, 1, 4, 8, 11, 12, 20];
    let mut at = 12;
    for (_, content) in Ptau::snarkjs().0 {
        ends.extend([at, at + 4, at + 12, at + 12 + content.len() / 2, at + 11 + content.len()]);
        at += 12 + content.len();
    }
    assert_eq!(at, SNARKJS.len());
    for end in ends {
        assert!(read(&mut Cursor::new(&SNARKJS[..end]), None, None).is_err(), "{end} bytes");
    }
    refused(&SNARKJS[..SNARKJS.len() - 1], "section 15 has 8128 bytes, of which 8127 are there");
    refused(&[SNARKJS, b"x"].concat(), "1 bytes follow its last section");
}

#[test]
fn what_is_no_set_up_is_refused() {
    let good = Ptau::snarkjs;
    let mut huge = good();
    huge.section(1)[36..40].copy_from_slice(&60u32.to_le_bytes());
    let raw = |point: G1Affine| point.to_raw_bytes();
    let g = G1Affine::generator();
    let g2 = G2Affine::generator();
    let other = |n: u64| G2Affine::from(g2 * Fr::from(n)).to_raw_bytes();
    let swapped = {
        let mut ptau = good();
        let (one, two) = (ptau.section(2)[G1..2 * G1].to_vec(), ptau.section(2)[2 * G1..3 * G1].to_vec());
        ptau.put(2, G1, &two).put(2, 2 * G1, &one)
    };
    let lagrange_swapped = {
        let mut ptau = good();
        let at = 63 * G1;
        let (one, two) = (ptau.section(12)[at..at + G1].to_vec(), ptau.section(12)[at + G1..at + 2 * G1].to_vec());
        ptau.put(12, at, &two).put(12, at + G1, &one)
    };
    // A point of the twist outside of its subgroup of order r.
    let outside = (1u64..)
        .find_map(|x| {
            let x = Fq2::from(x);
            let y = Option::<Fq2>::from((x.square() * x + G2Affine::b()).sqrt())?;
            Some(G2Affine { x, y }.to_raw_bytes())
        })
        .unwrap();
    let mut bls = good();
    *bls.section(1) = [&48u32.to_le_bytes()[..], &[0xab; 48], &6u32.to_le_bytes(), &6u32.to_le_bytes()].concat();
    let mut twice = good();
    twice.0.push((3, vec![]));
    let mut longer = good();
    longer.section(2).push(0);
    let last = 4 + 1496 + 8 + 50;
    let everybodys = {
        let mut ptau = good();
        *ptau.section(2) = raw(g).repeat((2 << POWER) - 1);
        *ptau.section(3) = g2.to_raw_bytes().repeat(1 << POWER);
        *ptau.section(7) = vec![0; 4];
        ptau.without(12)
    };
    let cases = [
        (huge, "2^60 rows are none of the sizes"),
        (bls, "another curve, with a field of 384 bits"),
        (good().put(1, 4, &[0x48]), "another curve"),
        (twice, "section 3 stands in it twice"),
        (longer, "section 2 has 8129 bytes, not 8128"),
        (good().without(2), "section 2 is missing"),
        (good().without(3), "section 3 is missing"),
        (good().without(7), "section 7 is missing"),
        (good().put(2, 5 * G1, &[0; G1]), "tauG1: point 5"),
        (good().put(2, 5 * G1, &[0xff; 32]), "tauG1: point 5"),
        (good().put(2, 5 * G1, &raw(g)), "powers are not those of the tau in G2"),
        (good().put(2, 0, &raw((g + g).into())), "powers are not those of the tau in G2"),
        (swapped, "contributions belong to another τ"),
        (good().put(2, 2 * G1, &raw(g)), "powers are not those of the tau in G2"),
        (lagrange_swapped, "Lagrange points don't belong to its powers"),
        (good().put(3, 0, &other(2)), "does not begin with the generator of G2"),
        (good().put(3, G2, &other(5)), "contributions belong to another τ"),
        (good().put(3, G2, &other(5)).put(7, 0, &[0; 4]), "contribution 0 can't be read"),
        (good().put(3, G2, &outside), "tauG2: point 1"),
        (good().put(3, G2, &[0; G2]), "tauG2: point 1"),
        (good().put(7, 0, &[3]), "contribution 2 can't be read"),
        (good().put(7, 4 + 1496, &[0xff; 8]), "contribution 0 can't be read"),
        (good().put(7, last, &raw(g)), "contributions belong to another τ"),
        (everybodys, "its tau is 1, which everybody knows"),
    ];
    for (ptau, says) in cases {
        refused(&ptau.bytes(), says);
    }
    let mut version = SNARKJS.to_vec();
    version[4] = 2;
    refused(&version, "version 2, not 1");
    let mut many = SNARKJS.to_vec();
    many[8..12].fill(0xff);
    refused(&many, "4294967295 sections");
    for nothing in [&b""[..], b"pta", b"onnx", &[0; 1000]] {
        refused(nothing, "neither a .ptau nor halo2's raw parameters");
    }
}

#[test]
fn a_name_has_no_control_characters() {
    let mut ptau = Ptau::snarkjs();
    let at = ptau.section(7).windows(6).position(|w| w == b"second").unwrap();
    let bytes = ptau.put(7, at, b"\x1b[31m\n").bytes();
    let imported = read(&mut Cursor::new(&bytes), None, None).unwrap();
    assert!(!imported.ceremony.to_string().contains(char::is_control), "{}", imported.ceremony);
}

#[test]
fn raw_parameters_that_are_altered_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut raw = vec![];
    read(&mut Cursor::new(SNARKJS), None, None)
        .unwrap()
        .into_srs(folder.path())
        .unwrap()
        .params()
        .write(&mut raw)
        .unwrap();
    assert_eq!(read(&mut Cursor::new(&raw), None, None).unwrap().ceremony, Ceremony::Unnamed);
    for at in (0..raw.len()).step_by(37) {
        let mut bad = raw.clone();
        bad[at] ^= 1;
        assert!(read(&mut Cursor::new(&bad), None, None).is_err(), "byte {at}");
    }
    let point = |i: usize| 4 + i * G1..4 + (i + 1) * G1;
    let mut swapped = raw.clone();
    swapped.copy_within(point(3), point(2).start);
    refused(&swapped, "powers are not those");
    let mut swapped = raw.clone();
    swapped.copy_within(point(64), point(65).start);
    refused(&swapped, "Lagrange points don't belong");
    for end in [0, 3, 4, 5, raw.len() / 2, raw.len() - 1] {
        refused(&raw[..end], "neither a .ptau nor");
    }
}

fn stored(folder: &Path, bytes: &[u8]) -> PathBuf {
    let path = folder.join("file.ptau");
    fs::write(&path, bytes).unwrap();
    path
}

#[test]
fn a_named_file_gives_every_size_it_has() {
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().join("cache");
    let source = Source::File(stored(folder.path(), &Ptau::snarkjs().without(12).bytes()));
    assert_eq!((source.largest().unwrap(), Source::BuiltIn.largest().unwrap()), (POWER, 16));
    let first = source.load(5, &cache).unwrap();
    let file = fs::read_dir(&cache).unwrap().next().unwrap().unwrap().path();
    let right = fs::read(&file).unwrap();
    // Points of another size, of another order, none at all.
    for bad in [right[..right.len() / 2].to_vec(), right.chunks(G1).rev().flatten().copied().collect(), vec![]] {
        fs::write(&file, bad).unwrap();
        let again = source.load(5, &cache).unwrap();
        assert_eq!((again.origin(), again.digest()), (Origin::Repaired, first.digest()));
        assert_eq!(fs::read(&file).unwrap(), right);
    }
    assert_eq!(source.load(5, &cache).unwrap().origin(), Origin::Imported);
    let error = source.load(7, &cache).unwrap_err().to_string();
    assert!(error.contains("file.ptau") && error.contains("2^6 powers, 2^7 are wanted"), "{error}");
    let error = Source::File("/nowhere/file".into()).load(5, &cache).unwrap_err().to_string();
    assert!(error.starts_with("/nowhere/file: ") && error.contains("check the path"), "{error}");
    let error = Source::BuiltIn.load(17, &cache).unwrap_err().to_string();
    assert!(error.contains("zugzwang srs import"), "{error}");
}

#[test]
fn a_proof_made_with_a_file_verifies_with_that_file_alone() {
    let folder = tempfile::tempdir().unwrap();
    let spec = Spec { k: POWER, ..Spec::small() };
    let circuit = Toy { spec, cheat: false };
    let source = Source::File(stored(folder.path(), SNARKJS));
    let key = |srs: &Srs| {
        let points = Points::new(srs.params());
        let fixed = circuit.fixed_columns();
        let keys = load_or_generate(srs, &points, &circuit, &fixed, b"toy", folder.path()).unwrap();
        Key::new(points, keys.vk, &fixed).unwrap()
    };
    let ours = source.load(POWER, folder.path()).unwrap();
    let other = Srs::insecure_local(POWER, 1);
    assert_ne!(key_id(&ours, b"toy"), key_id(&other, b"toy"));
    let key_of_ours = key(&ours);
    let instances = spec.public();
    let mut writer = EvmWriter::new();
    prove::prove(&key_of_ours, &[&instances], &circuit, OsRng, &mut writer, &|_| ()).unwrap();
    let proof = writer.finish();
    assert!(verifies(ours.params(), key_of_ours.vk(), &proof, &instances));
    assert!(!verifies(other.params(), key_of_ours.vk(), &proof, &instances));
    assert!(!verifies(other.params(), key(&other).vk(), &proof, &instances));
    let mut wrong = instances.clone();
    wrong[0] += Fr::ONE;
    assert!(!verifies(ours.params(), key_of_ours.vk(), &proof, &wrong));
}

#[test]
fn errors_carry_their_numbers() {
    let error = read(&mut Cursor::new(SNARKJS), None, Some(9)).unwrap_err();
    assert!(matches!(error, ImportError::TooSmall { largest: POWER, k: 9 }), "{error}");
    let error = read(&mut Cursor::new(SNARKJS), None, Some(1)).unwrap_err();
    assert!(matches!(error, ImportError::Size { k: 1 }), "{error}");
}
