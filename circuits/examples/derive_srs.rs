//! Derives the Lagrange points in `circuits/srs/` from the ceremony's powers, by group FFT (about
//! 150 CPU seconds; files of the right length are kept), and prints for each size the hash that
//! stands in `src/srs.rs`.
//!
//! `cargo run --release -p zugzwang-circuits --example derive_srs -- circuits/srs`

use std::{fs, path::PathBuf};

use halo2_proofs::{
    arithmetic::g_to_lagrange,
    halo2curves::bn256::{G1Affine, G2Affine},
};
use sha2::{Digest, Sha256};
use zugzwang_circuits::srs::{
    MAX_K, MIN_K,
    points::{G1_BYTES, compress, decompress, decompress_g2, raw_params},
};

fn main() {
    let folder = PathBuf::from(std::env::args().nth(1).expect("usage: derive_srs FOLDER"));
    let powers = fs::read(folder.join("g1_65536.point")).expect("the ceremony's powers");
    let powers = decompress(&powers).expect("compressed points");
    let tau_g2 = fs::read(folder.join("g2.point.powerOf2")).expect("the ceremony's powers in G2");
    let tau_g2 = tau_g2.first_chunk().and_then(decompress_g2).expect("a compressed point");
    for k in MIN_K..=MAX_K {
        let powers = &powers[..1 << k];
        let path = folder.join(format!("lagrange_k{k}.point"));
        let kept = fs::read(&path).ok().filter(|bytes| bytes.len() == G1_BYTES << k);
        let bytes = kept.unwrap_or_else(|| {
            let curve = powers.iter().map(|point| (*point).into()).collect();
            let lagrange: Vec<G1Affine> = g_to_lagrange(curve, k);
            let bytes: Vec<u8> = lagrange.iter().flat_map(compress).collect();
            fs::write(&path, &bytes).expect("the folder can be written");
            bytes
        });
        let lagrange = decompress(&bytes).expect("compressed points");
        let raw = raw_params(k, powers, &lagrange, &G2Affine::generator(), &tau_g2);
        let hash: String = Sha256::digest(&raw).iter().map(|byte| format!("{byte:02x}")).collect();
        println!("{k} {hash}");
    }
}
