//! Verifying keys on disk: read back, and replaced when damaged.

use std::{fs, path::Path, time::Instant};

use zugzwang_circuits::{
    keys::{KeyError, KeyOrigin, Keys, key_id, key_path, load, load_or_generate, parse, with_hash},
    prove::Points,
    srs::Srs,
};

use crate::toy::{Spec, Toy};

fn toy() -> (Srs, Toy) {
    let spec = Spec { k: 6, ..Spec::small() };
    (Srs::insecure_local(6, 3), Toy { spec, cheat: false })
}

fn keys(srs: &Srs, circuit: &Toy, folder: &Path) -> Result<Keys, KeyError> {
    load_or_generate(srs, &Points::new(srs.params()), circuit, &circuit.fixed_columns(), b"toy", folder)
}

#[test]
fn a_key_is_generated_once_and_then_read() {
    let folder = tempfile::tempdir().unwrap();
    let (srs, circuit) = toy();
    let made = keys(&srs, &circuit, folder.path()).unwrap();
    let read = keys(&srs, &circuit, folder.path()).unwrap();
    assert!(matches!(made.origin, KeyOrigin::Generated));
    assert!(matches!(read.origin, KeyOrigin::Cached));
    assert_eq!(made.vk.transcript_repr(), read.vk.transcript_repr());
    assert_eq!(made.vk.fixed_commitments(), read.vk.fixed_commitments());
    // Another circuit or set-up has another file.
    assert_ne!(key_id(&srs, b"toy"), key_id(&srs, b"top"));
    assert_ne!(key_id(&srs, b"toy"), key_id(&Srs::insecure_local(6, 4), b"toy"));
}

#[test]
fn a_damaged_key_is_reported_and_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let (srs, circuit) = toy();
    let made = keys(&srs, &circuit, folder.path()).unwrap();
    let path = key_path(folder.path(), &made.id);
    let good = fs::read(&path).unwrap();
    let mut damaged: Vec<Vec<u8>> =
        [0, 10, 127, 128, good.len() / 2, good.len() - 1].iter().map(|length| good[..*length].to_vec()).collect();
    for at in (0..good.len()).step_by(good.len() / 13) {
        let mut flipped = good.clone();
        flipped[at] ^= 0x10;
        damaged.push(flipped);
    }
    damaged.push([&good[..], &[0]].concat());
    for bad in damaged {
        fs::write(&path, &bad).unwrap();
        let error = load(&path, &made.id, 6, &circuit).unwrap_err();
        assert!(matches!(error, KeyError::Truncated { .. } | KeyError::Corrupt { .. }), "{error}");
        let keys = keys(&srs, &circuit, folder.path()).unwrap();
        assert!(matches!(keys.origin, KeyOrigin::Replaced(_)));
        assert_eq!(fs::read(&path).unwrap(), good);
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "temporary files are left");
}

#[test]
fn a_key_for_something_else_is_not_used() {
    let folder = tempfile::tempdir().unwrap();
    let (srs, circuit) = toy();
    let made = keys(&srs, &circuit, folder.path()).unwrap();
    let path = key_path(folder.path(), &made.id);
    let error = load(&path, &key_id(&srs, b"other"), 6, &circuit).unwrap_err();
    assert!(matches!(error, KeyError::Foreign { .. }), "{error}");
    // The same digest by mistake, but other gates.
    let other = Toy { spec: Spec { late: false, ..circuit.spec }, ..circuit };
    let error = load(&path, &made.id, 6, &other).unwrap_err();
    assert!(matches!(error, KeyError::Foreign { .. }), "{error}");
    assert!(load(&folder.path().join("none"), &made.id, 6, &circuit).unwrap().is_none());
}

#[test]
fn a_folder_that_can_not_be_written_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let (srs, circuit) = toy();
    let error = keys(&srs, &circuit, &file).unwrap_err();
    assert!(matches!(error, KeyError::Io { .. }), "{error}");
}

#[test]
fn reading_a_key_is_timed_against_making_it() {
    let folder = tempfile::tempdir().unwrap();
    let k = std::env::var("ZUGZWANG_KEY_K").map_or(11, |k| k.parse().unwrap());
    let srs = Srs::load(k, folder.path()).unwrap();
    let spec = Spec { k, first: 6, second: 6, late: false, fixed: 26, instances: 7 };
    let circuit = Toy { spec, cheat: false };
    for what in ["generated and written", "read"] {
        let start = Instant::now();
        let keys = keys(&srs, &circuit, folder.path()).unwrap();
        let seconds = start.elapsed().as_secs_f64();
        let bytes = fs::metadata(key_path(folder.path(), &keys.id)).unwrap().len();
        println!("k = {k}, {bytes} B: {what} in {seconds:.2} s");
    }
}

/// The hash in a file stops no one who can compute it: halo2 would panic for want of a domain of 2^200 rows.
#[test]
fn a_key_that_names_another_size_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (srs, circuit) = toy();
    let made = keys(&srs, &circuit, folder.path()).unwrap();
    let file = fs::read(key_path(folder.path(), &made.id)).unwrap();
    let content = &file[..file.len() - 32];
    assert!(parse(folder.path(), &with_hash(content), &made.id, 6, &circuit).is_ok());
    // Magic, id and digest; then halo2's version, k, a flag, and the number of fixed columns.
    for (at, number) in [(97, 200u32), (97, 7), (97, 0), (102, 1), (102, u32::MAX)] {
        let mut other = content.to_vec();
        other[at..at + 4].copy_from_slice(&number.to_le_bytes());
        let error = parse(folder.path(), &with_hash(&other), &made.id, 6, &circuit).unwrap_err();
        assert!(matches!(error, KeyError::Foreign { .. }), "{number} at {at}: {error}");
    }
}
