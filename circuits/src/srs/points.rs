//! The ceremony's encoding of points, and the checks that tie them to one τ.

use halo2_proofs::{
    arithmetic::best_multiexp,
    halo2curves::{
        CurveAffine,
        bn256::{self, Fq, Fq2, Fr, G1Affine, G2, G2Affine},
        ff::{Field, PrimeField},
        group::{Group, prime::PrimeCurveAffine},
        serde::SerdeObject,
    },
    poly::EvaluationDomain,
};
use rand::RngCore;
use rayon::prelude::*;

use super::import::ImportError;

/// Bytes of a compressed point of G1.
pub const G1_BYTES: usize = 32;
/// Bytes of a point of G1 as halo2 and snarkjs write it raw: x and y, little-endian, in Montgomery form.
pub(super) const RAW_G1: usize = 64;
/// Bytes of a raw point of G2: real and imaginary part of x, then of y.
pub(super) const RAW_G2: usize = 128;

const MASK: u8 = 0b1100_0000;
const SMALLER: u8 = 0b1000_0000;
const LARGER: u8 = 0b1100_0000;

/// r, little-endian limbs.
const ORDER: [u64; 4] = [0x43e1_f593_f000_0001, 0x2833_e848_79b9_7091, 0xb850_45b6_8181_585d, 0x3064_4e72_e131_a029];

/// A point of G1 as 32 bytes: x big-endian, its two highest bits 10 if y is the smaller root and 11
/// if it is the larger one. The identity has no such form; it gives 32 zeros, which
/// [`decompress`] refuses.
pub fn compress(point: &G1Affine) -> [u8; G1_BYTES] {
    if bool::from(point.is_identity()) {
        return [0; G1_BYTES];
    }
    let mut bytes = point.x.to_repr();
    bytes.reverse();
    bytes[0] |= if is_larger(&point.y) { LARGER } else { SMALLER };
    bytes
}

/// The points of a file made of [`compress`]ed ones, or the index of the first that is none.
///
/// # Errors
/// The index of a point whose x is not reduced or on no point of the curve, or whose flags are
/// wrong. The identity is refused.
pub fn decompress(bytes: &[u8]) -> Result<Vec<G1Affine>, usize> {
    bytes
        .par_chunks(G1_BYTES)
        .enumerate()
        .map(|(index, bytes)| {
            let (x, larger) = <&[u8; G1_BYTES]>::try_from(bytes).ok().and_then(coordinate).ok_or(index)?;
            let square = x.square() * x + G1Affine::b();
            let y = Option::<Fq>::from(square.sqrt()).ok_or(index)?;
            let y = if is_larger(&y) == larger { y } else { -y };
            Option::from(G1Affine::from_xy(x, y)).ok_or(index)
        })
        .collect()
}

/// A point of G2, 64 bytes: imaginary part of x with the flags, then its real part. `None` unless it
/// is on the curve, in the subgroup of order r and not the identity.
pub fn decompress_g2(bytes: &[u8; 64]) -> Option<G2Affine> {
    let (high, low) = bytes.split_first_chunk::<32>()?;
    let (c1, larger) = coordinate(high)?;
    let mut low: [u8; 32] = low.try_into().ok()?;
    low.reverse();
    let x = Fq2 { c0: Option::from(Fq::from_repr(low))?, c1 };
    let y = Option::<Fq2>::from((x.square() * x + G2Affine::b()).sqrt())?;
    let is_larger = if y.c1 == Fq::ZERO { is_larger(&y.c0) } else { is_larger(&y.c1) };
    let y = if is_larger == larger { y } else { -y };
    Option::from(G2Affine::from_xy(x, y)).filter(is_in_g2)
}

/// Raw points of G1, none of them the identity.
///
/// # Errors
/// Names the first one whose coordinates are not reduced or on no point of the curve, or that is the identity. Bytes
/// that are no whole point are one too.
pub(super) fn raw_g1(what: &'static str, bytes: &[u8]) -> Result<Vec<G1Affine>, ImportError> {
    let point = |(index, bytes): (usize, &[u8])| {
        // Says no to coordinates that are not reduced and to points off the curve; (0, 0) is its identity.
        let point = G1Affine::from_raw_bytes(bytes).filter(|point| !bool::from(point.is_identity()));
        point.ok_or(ImportError::BadPoint { what, index })
    };
    bytes.par_chunks(RAW_G1).enumerate().map(point).collect()
}

/// A raw point of G2. `None` unless it is on the curve, in the subgroup of order r and not the identity.
pub(super) fn raw_g2(bytes: &[u8]) -> Option<G2Affine> {
    G2Affine::from_raw_bytes(bytes).filter(is_in_g2)
}

/// Whether a point of the twist is in the subgroup of order r, and not its identity.
fn is_in_g2(point: &G2Affine) -> bool {
    let mut multiple = G2::identity();
    for limb in ORDER.iter().rev() {
        for bit in (0..64).rev() {
            multiple = multiple.double();
            if limb >> bit & 1 == 1 {
                multiple += point;
            }
        }
    }
    bool::from(multiple.is_identity()) && !bool::from(point.is_identity())
}

/// x without its flags, and whether y is the larger root.
fn coordinate(bytes: &[u8; 32]) -> Option<(Fq, bool)> {
    let mut bytes = *bytes;
    let larger = match bytes[0] & MASK {
        SMALLER => false,
        LARGER => true,
        _ => return None,
    };
    bytes[0] &= !MASK;
    bytes.reverse();
    Some((Option::from(Fq::from_repr(bytes))?, larger))
}

/// Whether y > (p − 1)/2, that is, whether y > −y.
fn is_larger(y: &Fq) -> bool {
    *y > -*y
}

/// The bytes that halo2's `ParamsKZG::read` takes: k, g, g in the Lagrange basis, G2, τG2; a
/// coordinate is 32 bytes, little-endian, in Montgomery form.
pub fn raw_params(k: u32, g: &[G1Affine], lagrange: &[G1Affine], g2: &G2Affine, tau_g2: &G2Affine) -> Vec<u8> {
    let mut raw = Vec::with_capacity(4 + 64 * (g.len() + lagrange.len()) + 256);
    raw.extend(k.to_le_bytes());
    for point in g.iter().chain(lagrange) {
        raw.extend(point.to_raw_bytes());
    }
    for point in [g2, tau_g2] {
        raw.extend(point.to_raw_bytes());
    }
    raw
}

/// Whether `g[0]` is the generator and each point is τ times the one before, with τ from `tau_g2`:
/// a random combination with 128-bit factors, wrong with probability at most 2^-128.
pub(super) fn powers_are_consistent(g: &[G1Affine], tau_g2: &G2Affine, rng: &mut impl RngCore) -> bool {
    if g.first() != Some(&G1Affine::generator()) {
        return false;
    }
    let factors = random_factors(g.len() - 1, rng);
    let (lower, upper) =
        rayon::join(|| best_multiexp(&factors, &g[..g.len() - 1]), || best_multiexp(&factors, &g[1..]));
    let (lower, upper) = (G1Affine::from(lower), G1Affine::from(upper));
    bn256::pairing(&lower, tau_g2) == bn256::pairing(&upper, &G2Affine::generator())
}

/// Whether `lagrange[i]` is the commitment to the i-th Lagrange polynomial over `g`: a random
/// polynomial commits to the same point either way, wrong with probability at most 2^-128.
pub(super) fn lagrange_is_consistent(k: u32, g: &[G1Affine], lagrange: &[G1Affine], rng: &mut impl RngCore) -> bool {
    let values = random_factors(lagrange.len(), rng);
    let domain = EvaluationDomain::<Fr>::new(1, k);
    let coefficients = domain.lagrange_to_coeff(domain.lagrange_from_vec(values.clone()));
    best_multiexp(&values, lagrange) == best_multiexp(&coefficients, g)
}

fn random_factors(count: usize, rng: &mut impl RngCore) -> Vec<Fr> {
    (0..count).map(|_| Fr::from_u128(u128::from(rng.next_u64()) << 64 | u128::from(rng.next_u64()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{SeedableRng, rngs::StdRng};

    const K: u32 = 4;

    fn set_up() -> (Vec<G1Affine>, Vec<G1Affine>, G2Affine) {
        let tau = Fr::from(0x1234_5678);
        let g = G1Affine::generator();
        let powers = (0..1u64 << K).map(|i| (g * tau.pow([i])).into()).collect::<Vec<_>>();
        let lagrange =
            halo2_proofs::arithmetic::g_to_lagrange(powers.iter().map(|point: &G1Affine| (*point).into()).collect(), K);
        (powers, lagrange, (G2Affine::generator() * tau).into())
    }

    #[test]
    fn consistent_points_pass() {
        let (g, lagrange, tau_g2) = set_up();
        let mut rng = StdRng::seed_from_u64(0);
        assert!(powers_are_consistent(&g, &tau_g2, &mut rng));
        assert!(lagrange_is_consistent(K, &g, &lagrange, &mut rng));
    }

    #[test]
    fn one_wrong_point_fails() {
        let (g, lagrange, tau_g2) = set_up();
        let mut rng = StdRng::seed_from_u64(0);
        for i in 0..1 << K {
            let mut wrong = g.clone();
            wrong[i] = -wrong[i];
            assert!(!powers_are_consistent(&wrong, &tau_g2, &mut rng));
            let mut wrong = lagrange.clone();
            wrong[i] = (wrong[i] + g[1]).into();
            assert!(!lagrange_is_consistent(K, &g, &wrong, &mut rng));
        }
        assert!(!powers_are_consistent(&g, &-tau_g2, &mut rng));
        let doubled: Vec<G1Affine> = g.iter().map(|point| (*point + *point).into()).collect();
        assert!(!powers_are_consistent(&doubled, &tau_g2, &mut rng));
    }

    #[test]
    fn a_point_of_g2_outside_the_subgroup_is_refused() {
        // The first x on the twist: its cofactor is not 1, so a random point is not in G2.
        let mut x = [0u8; 64];
        let refused = (0..200u8).filter(|i| {
            (x[0], x[63]) = (0x80, *i);
            decompress_g2(&x).is_none()
        });
        assert_eq!(refused.count(), 200);
    }
}
