//! The ceremony's parameters: checks from scratch, the cache, and what must be refused.

use std::{fs, time::Instant};

use halo2_proofs::{
    halo2curves::{
        bn256::{Bn256, Fr, G1Affine, G2Affine},
        group::prime::PrimeCurveAffine,
    },
    poly::{
        EvaluationDomain,
        commitment::{Blind, Params, ParamsProver},
        kzg::commitment::ParamsKZG,
    },
};
use zugzwang_circuits::srs::{
    Origin, Srs, SrsError,
    points::{compress, decompress},
};

mod import;

#[test]
fn a_checked_set_up_is_cached_and_read_back() {
    let folder = tempfile::tempdir().unwrap();
    for k in [8, 11] {
        let first = Srs::load(k, folder.path()).unwrap();
        let second = Srs::load(k, folder.path()).unwrap();
        assert_eq!((first.origin(), second.origin()), (Origin::Checked, Origin::Cached));
        assert_eq!(first.digest(), second.digest());
        assert!(!first.is_insecure());
        assert_eq!((second.k(), second.params().n()), (k, 1 << k));
        assert_eq!(first.params().get_g(), second.params().get_g());
        assert_eq!(second.params().get_g()[0], G1Affine::generator());
        assert_eq!(second.params().g2(), G2Affine::generator());
        commits_alike(second.params());
    }
}

/// A polynomial has one commitment, by its values or its coefficients.
fn commits_alike(params: &ParamsKZG<Bn256>) {
    let domain = EvaluationDomain::<Fr>::new(1, params.k());
    let values = (0..params.n()).map(|i| Fr::from(i).square() - Fr::from(5)).collect();
    let values = domain.lagrange_from_vec(values);
    let coefficients = domain.lagrange_to_coeff(values.clone());
    let blind = Blind::default();
    assert_eq!(params.commit_lagrange(&values, blind), params.commit(&coefficients, blind));
}

#[test]
fn a_damaged_cache_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let digest = Srs::load(8, folder.path()).unwrap().digest();
    let file = fs::read_dir(folder.path()).unwrap().next().unwrap().unwrap().path();
    let good = fs::read(&file).unwrap();
    let mut flipped = good.clone();
    flipped[good.len() / 2] ^= 1;
    for bad in [&flipped[..], &good[..good.len() - 1], &good[..7], &[]] {
        fs::write(&file, bad).unwrap();
        let srs = Srs::load(8, folder.path()).unwrap();
        assert_eq!((srs.origin(), srs.digest()), (Origin::Repaired, digest));
        assert_eq!(fs::read(&file).unwrap(), good);
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "temporary files are left");
}

#[test]
fn what_is_not_there_is_said() {
    let folder = tempfile::tempdir().unwrap();
    for k in [0, 7, 17, 40] {
        let error = Srs::load(k, folder.path()).unwrap_err();
        assert!(matches!(error, SrsError::UnsupportedSize { .. }), "{error}");
    }
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let error = Srs::load(8, &file).unwrap_err();
    assert!(matches!(error, SrsError::Cache { .. }), "{error}");
}

#[test]
fn a_local_set_up_says_that_it_is_insecure() {
    let (one, two) = (Srs::insecure_local(5, 1), Srs::insecure_local(5, 2));
    assert!(one.is_insecure());
    assert_ne!(one.digest(), two.digest());
    assert_eq!(one.digest(), Srs::insecure_local(5, 1).digest());
    let folder = tempfile::tempdir().unwrap();
    assert_ne!(Srs::load(8, folder.path()).unwrap().digest(), Srs::insecure_local(8, 1).digest());
}

#[test]
fn compressed_points_come_back() {
    let g = G1Affine::generator();
    let points: Vec<G1Affine> =
        [1u64, 2, 3, 5, 1 << 40].iter().flat_map(|n| [(g * Fr::from(*n)).into(), (g * -Fr::from(*n)).into()]).collect();
    let bytes: Vec<u8> = points.iter().flat_map(compress).collect();
    assert_eq!(decompress(&bytes), Ok(points));
    let mut no_flag = bytes.clone();
    no_flag[64] &= 0x3f;
    assert_eq!(decompress(&no_flag), Err(2));
    let mut unreduced = bytes.clone();
    unreduced[32..64].fill(0xff);
    assert_eq!(decompress(&unreduced), Err(1));
    // x = 4: 67 is no square modulo p.
    let mut off = [0; 32];
    (off[0], off[31]) = (0x80, 4);
    assert_eq!(decompress(&off), Err(0));
    assert_eq!(decompress(&bytes[..40]), Err(1));
    assert_eq!(decompress(&compress(&G1Affine::identity())), Err(0));
}

#[test]
fn the_largest_size_loads() {
    let folder = tempfile::tempdir().unwrap();
    for what in ["checked from scratch", "cached"] {
        let start = Instant::now();
        let srs = Srs::load(16, folder.path()).unwrap();
        println!("k = 16, {what}: {:.2} s", start.elapsed().as_secs_f64());
        assert_eq!(srs.params().n(), 1 << 16);
    }
}
