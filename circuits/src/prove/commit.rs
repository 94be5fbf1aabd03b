//! Commitments: multi-exponentiations over the set-up's points.
//!
//! Columns are often cheaper than their length suggests, and each is committed the cheapest way:
//! - small integers need few windows;
//! - a column with few distinct values needs one sum of points for each of them, and then only so
//!   many scalars;
//! - a running sum has few distinct *steps*. `Σ v_i·L_i = Σ (v_i − v_(i−1))·(L_i + … + L_(n−1))`,
//!   so with the set-up's points summed up from the end it is committed by its steps.
//!
//! All ways give the same point. How long they take depends on the witness, as it does with any
//! multi-exponentiation that skips zeros; a prover's timing must not be shown to others.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use halo2_proofs::halo2curves::bn256::{Bn256, Fr, G1, G1Affine};
use halo2_proofs::halo2curves::ff::{Field, PrimeField};
use halo2_proofs::halo2curves::group::prime::PrimeCurveAffine;
use halo2_proofs::halo2curves::group::{Curve, Group};
use halo2_proofs::halo2curves::serde::SerdeObject;
use halo2_proofs::poly::commitment::{Params, ParamsProver};
use halo2_proofs::poly::kzg::commitment::ParamsKZG;
use rayon::prelude::*;

use super::fft::reversed;
use super::sums::{Groups, NOWHERE, is_identity, place};

/// Bytes of a point as halo2 writes it raw.
const RAW_POINT: usize = 64;
/// Below this many points the plain method is the fastest.
const FEW: usize = 32;

/// The points of a set-up that columns and polynomials are committed with: 192 bytes for each row.
#[derive(Clone, Debug)]
pub struct Points {
    pub(super) k: u32,
    /// `τ^i·G`, bit-reversed like the coefficients they go with.
    powers: Vec<G1Affine>,
    /// `L_i(τ)·G`.
    lagrange: Vec<G1Affine>,
    /// `Σ_(j ≥ i) L_j(τ)·G`.
    tails: Vec<G1Affine>,
}

/// Values of a column, the blinding rows included.
#[derive(Clone, Debug)]
pub(super) enum Values<'a> {
    /// Small integers from row 0 on, then zeros, and field elements in the last rows.
    Small {
        /// From row 0 on.
        integers: &'a [i64],
        /// The last rows.
        blinding: Vec<Fr>,
    },
    /// One for each row.
    Full(Vec<Fr>),
}

impl Points {
    /// Takes them from halo2's parameters; at k = 16 in 0.05 s.
    pub fn new(params: &ParamsKZG<Bn256>) -> Self {
        let n = params.n() as usize;
        // halo2 gives the Lagrange points away in serialised form only.
        let mut raw = Vec::with_capacity(4 + 2 * n * RAW_POINT + 2 * 128);
        // Writing to a vector can't fail.
        let _ = params.write(&mut raw);
        let lagrange: Vec<G1Affine> = raw[4 + n * RAW_POINT..4 + 2 * n * RAW_POINT]
            .par_chunks(RAW_POINT)
            .map(G1Affine::from_raw_bytes_unchecked)
            .collect();
        let mut tails: Vec<G1> = lagrange
            .iter()
            .rev()
            .scan(G1::identity(), |sum, point| {
                *sum += point;
                Some(*sum)
            })
            .collect();
        tails.reverse();
        let mut affine = vec![G1Affine::identity(); n];
        affine.par_chunks_mut(1024).zip(tails.par_chunks(1024)).for_each(|(to, from)| G1::batch_normalize(from, to));
        Self { k: params.k(), powers: reversed(params.get_g().to_vec()), lagrange, tails: affine }
    }

    /// The commitment to a column that is 1 on `row` and 0 elsewhere.
    pub(crate) fn of_row(&self, row: usize) -> G1Affine {
        self.lagrange[row]
    }

    /// The commitment to all rows of a column.
    pub(crate) fn of_column(&self, values: Vec<Fr>) -> G1Affine {
        self.commit_column(&Values::Full(values)).to_affine()
    }

    /// Commits to a polynomial's coefficients (bit-reversed).
    pub(super) fn commit(&self, coefficients: &[Fr]) -> G1 {
        full(coefficients, &self.powers)
    }

    /// Commits to a column.
    pub(super) fn commit_column(&self, values: &Values<'_>) -> G1 {
        match values {
            Values::Small { integers, blinding } => {
                let from = self.lagrange.len().saturating_sub(blinding.len());
                small(integers, &self.lagrange[..from]) + few(blinding, &self.lagrange[from..])
            }
            Values::Full(values) => {
                if let Some(sum) = grouped(values.iter().copied(), values.len(), &self.lagrange) {
                    return sum;
                }
                let before = std::iter::once(&Fr::ZERO).chain(values);
                let steps = values.iter().zip(before).map(|(v, before)| *v - before);
                grouped(steps, values.len(), &self.tails).unwrap_or_else(|| full(values, &self.lagrange))
            }
        }
    }
}

/// `Σ scalar·base`, for scalars of any size.
fn full(scalars: &[Fr], bases: &[G1Affine]) -> G1 {
    if scalars.len() < FEW {
        return few(scalars, bases);
    }
    let limbs: Vec<[u64; 4]> = scalars.par_iter().map(limbs).collect();
    windows(scalars.len(), Fr::NUM_BITS, bases, |low, width, i| (digit(&limbs[i], low, width), false))
}

/// Seconds that [`reference_work`] takes on two cores of the machine that predictions were fitted on.
pub const REFERENCE_SECONDS: f64 = 0.025;

/// A fixed piece of what proofs are made of, a sum of 2^13 points, to compare machines by; gives the sum.
pub fn reference_work() -> G1Affine {
    let step = G1Affine::generator();
    let points: Vec<G1> =
        std::iter::successors(Some(G1::from(step)), |p| Some(p.double() + step)).take(1 << 13).collect();
    let mut bases = vec![step; points.len()];
    G1::batch_normalize(&points, &mut bases);
    let scalar = Fr::from(0x9e37_79b9_7f4a_7c15).square().square().square();
    let scalars: Vec<Fr> =
        std::iter::successors(Some(scalar), |s| Some(s.square() + scalar)).take(bases.len()).collect();
    full(&scalars, &bases).to_affine()
}

/// The same for small integers.
fn small(integers: &[i64], bases: &[G1Affine]) -> G1 {
    let bits = u64::BITS - integers.iter().fold(0, |all, v| all | v.unsigned_abs()).leading_zeros();
    windows(integers.len(), bits, bases, |low, width, i| {
        (digit(&[integers[i].unsigned_abs(), 0, 0, 0], low, width), integers[i] < 0)
    })
}

/// The same for few scalars.
fn few(scalars: &[Fr], bases: &[G1Affine]) -> G1 {
    scalars.iter().zip(bases).map(|(scalar, base)| base * scalar).sum()
}

/// The same by the scalars' distinct values, if these are few.
fn grouped(scalars: impl Iterator<Item = Fr>, n: usize, bases: &[G1Affine]) -> Option<G1> {
    let most = n / 2;
    let mut seen: HashMap<Fr, u32, BuildHasherDefault<Mix>> = HashMap::default();
    let mut distinct = vec![];
    let mut places = Vec::with_capacity(n);
    for scalar in scalars {
        if scalar == Fr::ZERO {
            places.push(NOWHERE);
            continue;
        }
        let group = *seen.entry(scalar).or_insert_with(|| {
            distinct.push(scalar);
            distinct.len() as u32 - 1
        });
        if distinct.len() > most {
            return None;
        }
        places.push(place(group, false));
    }
    let sums = Groups::new(distinct.len(), &places).sums(bases);
    Some(full(&distinct, &sums))
}

/// Pippenger's method with signed windows. `digit(low, width, i)` is the digit of scalar `i` that
/// begins at bit `low`, and whether the scalar is negative.
fn windows(n: usize, bits: u32, bases: &[G1Affine], digit: impl Fn(u32, u32, usize) -> (i32, bool) + Sync) -> G1 {
    let cost = |width: &u32| (bits / width + 1) as usize * (n + (2 << (width - 1)));
    let width = (3..=16u32).min_by_key(cost).unwrap_or(3);
    let sums: Vec<G1> = (0..bits / width + 1)
        .into_par_iter()
        .map(|window| {
            let of_scalar = |i| {
                let (digit, minus) = digit(window * width, width, i);
                if digit == 0 { NOWHERE } else { place(digit.unsigned_abs() - 1, (digit < 0) != minus) }
            };
            let places: Vec<u32> = (0..n).map(of_scalar).collect();
            weighted(&Groups::new(1 << (width - 1), &places).sums(bases))
        })
        .collect();
    sums.into_iter().rev().fold(G1::identity(), |sum, window| (0..width).fold(sum, |sum, _| sum.double()) + window)
}

/// A digit, at most `2^(width − 1)` in absolute value: `width` bits from `low` on and the one below.
#[inline(always)]
fn digit(limbs: &[u64; 4], low: u32, width: u32) -> i32 {
    let bits = if low == 0 {
        limbs[0] << 1
    } else {
        let (limb, shift) = ((low as usize - 1) / 64, (low - 1) % 64);
        let (here, above) = (limbs.get(limb).copied(), limbs.get(limb + 1).copied());
        // Two shifts, since one by 64 would overflow.
        here.unwrap_or(0) >> shift | above.unwrap_or(0) << 1 << (63 - shift)
    };
    let bits = (bits & ((2 << width) - 1)) as i32;
    let rounded = (bits + 1) >> 1;
    if bits >> width == 0 { rounded } else { rounded - (1 << width) }
}

/// `Σ (i + 1)·sum_i`.
fn weighted(sums: &[G1Affine]) -> G1 {
    // As a square of places: (i + 1) = high·side + low, so two rounds of plain sums and two short
    // weighted ones do.
    if sums.len() < 1 << 8 {
        return serial(sums);
    }
    let side = 1u32 << (sums.len().ilog2() / 2);
    let groups = |of: fn(u32, u32) -> u32| -> Vec<u32> {
        let group = |(i, sum): (u32, &G1Affine)| match of(i, side) {
            // Empty groups are common: a window's highest bits, a column of few values.
            group if group > 0 && !is_identity(sum) => place(group - 1, false),
            _ => NOWHERE,
        };
        (1..).zip(sums).map(group).collect()
    };
    let rows = Groups::new(sums.len() / side as usize, &groups(|i, side| i / side)).sums(sums);
    let columns = Groups::new(side as usize - 1, &groups(|i, side| i % side)).sums(sums);
    (0..side.ilog2()).fold(serial(&rows), |sum, _| sum.double()) + serial(&columns)
}

fn serial(sums: &[G1Affine]) -> G1 {
    let (mut total, mut running) = (G1::identity(), G1::identity());
    for sum in sums.iter().rev() {
        running += sum;
        total += running;
    }
    total
}

fn limbs(scalar: &Fr) -> [u64; 4] {
    let bytes = scalar.to_repr();
    std::array::from_fn(|i| {
        let mut limb = [0; 8];
        limb.copy_from_slice(&bytes[8 * i..8 * i + 8]);
        u64::from_le_bytes(limb)
    })
}

/// Hashes field elements, which are spread evenly already unless they are small: then they are
/// still distinct. Nobody gains from collisions of their own witness.
#[derive(Default)]
struct Mix(u64);

impl Hasher for Mix {
    fn write(&mut self, bytes: &[u8]) {
        for part in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..part.len()].copy_from_slice(part);
            self.write_u64(u64::from_le_bytes(word));
        }
    }

    fn write_u64(&mut self, word: u64) {
        self.0 = (self.0 ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
    }

    fn write_usize(&mut self, word: usize) {
        self.write_u64(word as u64);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use halo2_proofs::poly::commitment::Blind;
    use halo2_proofs::poly::{Coeff, LagrangeCoeff, Polynomial};
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha20Rng;

    #[test]
    fn every_way_gives_halo2s_commitment() {
        let mut rng = ChaCha20Rng::seed_from_u64(5);
        for k in [3, 6, 10] {
            let n = 1usize << k;
            let params = ParamsKZG::<Bn256>::setup(k, &mut rng);
            let bases = Points::new(&params);
            let random: Vec<Fr> = (0..n).map(|_| Fr::random(&mut rng)).collect();
            let few: Vec<Fr> = (0..n).map(|_| random[rng.gen_range(0..3)]).collect();
            let running: Vec<Fr> = few
                .iter()
                .scan(Fr::ZERO, |sum, v| {
                    *sum += v;
                    Some(*sum)
                })
                .collect();
            let edges = (0..n).map(|i| if i % 2 == 0 { -Fr::ONE } else { Fr::ZERO }).collect();
            for values in [random.clone(), few, running, vec![Fr::ZERO; n], edges] {
                let want =
                    params.commit_lagrange(&Polynomial::<_, LagrangeCoeff>::new(values.clone()), Blind::default());
                assert_eq!(bases.commit_column(&Values::Full(values.clone())), want);
                let want = params.commit(&Polynomial::<_, Coeff>::new(values.clone()), Blind::default());
                assert_eq!(bases.commit(&reversed(values)), want);
            }
            let blinding = random[..3].to_vec();
            for most in [1, 200, 70_000, i64::MAX] {
                let integers: Vec<i64> = (0..n - 3).map(|_| rng.gen_range(-most..=most)).collect();
                let mut values: Vec<Fr> = integers.iter().map(|v| crate::circuit::small(*v)).collect();
                values.extend(&blinding);
                let want = params.commit_lagrange(&Polynomial::<_, LagrangeCoeff>::new(values), Blind::default());
                let got = bases.commit_column(&Values::Small { integers: &integers, blinding: blinding.clone() });
                assert_eq!(got, want);
            }
        }
    }
}
