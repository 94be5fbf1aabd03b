//! The domains of a proof: 2^k-th roots of unity, and cosets of them on which the quotient is made.
//!
//! Coefficients are kept in **bit-reversed** order throughout this module's callers: the inverse
//! transform leaves them so and the forward one takes them so, which saves every permutation.
//!
//! halo2 takes the quotient on one coset of a larger domain. Here it is taken on as many cosets of
//! the small domain as it has pieces: transforms stay short, dividing by `X^n − 1` is dividing by a
//! constant, and a circuit of degree 4 needs three cosets instead of four.

use halo2_proofs::halo2curves::bn256::Fr;
use halo2_proofs::halo2curves::ff::{Field, PrimeField};
use rayon::prelude::*;

/// Below this length a transform goes through its levels one after the other; above, half by half,
/// so that it works within the cache.
const SHORT: usize = 1 << 10;

/// A coset `g·H` of the domain `H`.
#[derive(Clone, Debug)]
struct Coset {
    /// `g^i`, bit-reversed.
    into: Vec<Fr>,
    /// `g^−i / n`, bit-reversed.
    out_of: Vec<Fr>,
}

/// Roots of unity and what transforms need of them.
#[derive(Clone, Debug)]
pub(super) struct Domain {
    k: u32,
    omega: Fr,
    omega_inverse: Fr,
    n_inverse: Fr,
    /// Of each level with butterflies of width `h`, the twiddles at `h .. 2h`.
    forward: Vec<Fr>,
    inverse: Vec<Fr>,
    cosets: Vec<Coset>,
    /// Coefficient `[j][i]`: what the polynomial interpolated on coset `i` adds to piece `j` of the
    /// quotient, the division by `X^n − 1` included.
    pieces: Vec<Vec<Fr>>,
}

impl Domain {
    /// The domain of size 2^k for quotients of `pieces` times that length.
    pub(super) fn new(k: u32, omega: Fr, pieces: usize) -> Self {
        let n = 1usize << k;
        let inverted = |v: Fr| v.invert().unwrap_or(Fr::ZERO);
        let (omega_inverse, n_inverse) = (inverted(omega), inverted(Fr::from(n as u64)));
        let generator = Fr::MULTIPLICATIVE_GENERATOR;
        let shifts: Vec<Fr> = (1..=pieces as u64).map(|i| generator.pow_vartime([i])).collect();
        let cosets = shifts
            .par_iter()
            .map(|shift| Coset {
                into: reversed(powers(*shift, Fr::ONE, n)),
                out_of: reversed(powers(inverted(*shift), n_inverse, n)),
            })
            .collect();
        // On coset i, X^n is the constant c_i, so h(X) = Σ_j c_i^j·h_j(X) there: a Vandermonde
        // system, solved by the Lagrange polynomials of the c_i.
        let constants: Vec<Fr> = shifts.iter().map(|s| s.pow_vartime([n as u64])).collect();
        let mut pieces = vec![vec![Fr::ZERO; constants.len()]; constants.len()];
        for (i, c) in constants.iter().enumerate() {
            let others: Vec<Fr> = constants.iter().enumerate().filter(|(m, _)| *m != i).map(|(_, c)| *c).collect();
            let scale = others.iter().fold(*c - Fr::ONE, |scale, other| scale * (*c - other));
            let scale = inverted(scale);
            for (row, coefficient) in pieces.iter_mut().zip(from_roots(&others)) {
                row[i] = coefficient * scale;
            }
        }
        Self {
            k,
            omega,
            omega_inverse,
            n_inverse,
            forward: twiddles(omega, k),
            inverse: twiddles(omega_inverse, k),
            cosets,
            pieces,
        }
    }

    /// Rows.
    pub(super) fn n(&self) -> usize {
        1 << self.k
    }

    /// Number of cosets, and of the quotient's pieces.
    pub(super) fn num_cosets(&self) -> usize {
        self.cosets.len()
    }

    /// `point · ω^rotation`.
    pub(super) fn rotate(&self, point: Fr, rotation: i32) -> Fr {
        let root = if rotation < 0 { self.omega_inverse } else { self.omega };
        point * root.pow_vartime([u64::from(rotation.unsigned_abs())])
    }

    /// Coefficients (bit-reversed) of the polynomial with these values.
    pub(super) fn coefficients(&self, mut values: Vec<Fr>) -> Vec<Fr> {
        scatter(&mut values, &self.inverse);
        values.iter_mut().for_each(|v| *v *= self.n_inverse);
        values
    }

    /// Values on a coset of the polynomial with these coefficients (bit-reversed).
    pub(super) fn on_coset(&self, coset: usize, coefficients: &[Fr]) -> Vec<Fr> {
        let mut values: Vec<Fr> = coefficients.iter().zip(&self.cosets[coset].into).map(|(a, g)| a * g).collect();
        gather(&mut values, &self.forward);
        values
    }

    /// The quotient's pieces (coefficients, bit-reversed), from the numerator's values on each coset.
    pub(super) fn quotient(&self, numerators: Vec<Vec<Fr>>) -> Vec<Vec<Fr>> {
        let interpolated: Vec<Vec<Fr>> = numerators
            .into_par_iter()
            .zip(&self.cosets)
            .map(|(mut values, coset)| {
                scatter(&mut values, &self.inverse);
                values.iter_mut().zip(&coset.out_of).for_each(|(v, g)| *v *= g);
                values
            })
            .collect();
        self.pieces
            .par_iter()
            .map(|row| {
                let mut piece = vec![Fr::ZERO; self.n()];
                for (factor, values) in row.iter().zip(&interpolated) {
                    piece.iter_mut().zip(values).for_each(|(p, v)| *p += *factor * v);
                }
                piece
            })
            .collect()
    }
}

/// `scale · base^i` for `i < n`.
pub(super) fn powers(base: Fr, scale: Fr, n: usize) -> Vec<Fr> {
    std::iter::successors(Some(scale), |p| Some(*p * base)).take(n).collect()
}

/// Brings a vector of 2^k items from bit-reversed order into natural order, or back.
pub(super) fn reversed<T>(mut items: Vec<T>) -> Vec<T> {
    let bits = items.len().trailing_zeros();
    if bits > 0 {
        for i in 0..items.len() {
            let j = i.reverse_bits() >> (usize::BITS - bits);
            if i < j {
                items.swap(i, j);
            }
        }
    }
    items
}

/// Coefficients of `Π (X − root)`, lowest first.
pub(super) fn from_roots(roots: &[Fr]) -> Vec<Fr> {
    let mut product = vec![Fr::ONE];
    for root in roots {
        product.insert(0, Fr::ZERO);
        for i in 1..product.len() {
            let higher = product[i];
            product[i - 1] -= *root * higher;
        }
    }
    product
}

fn twiddles(omega: Fr, k: u32) -> Vec<Fr> {
    let mut table = vec![Fr::ONE; 1 << k];
    let mut root = omega;
    for level in (0..k).rev() {
        let h = 1usize << level;
        table[h..2 * h].copy_from_slice(&powers(root, Fr::ONE, h));
        root = root.square();
    }
    table
}

/// Transform from bit-reversed to natural order: combines halves.
fn gather(a: &mut [Fr], twiddles: &[Fr]) {
    if a.len() > SHORT {
        let h = a.len() / 2;
        let (low, high) = a.split_at_mut(h);
        gather(low, twiddles);
        gather(high, twiddles);
        return combine(low, high, &twiddles[h..2 * h]);
    }
    let mut h = 1;
    while h < a.len() {
        for block in a.chunks_exact_mut(2 * h) {
            let (low, high) = block.split_at_mut(h);
            combine(low, high, &twiddles[h..2 * h]);
        }
        h *= 2;
    }
}

/// Transform from natural to bit-reversed order: splits into halves.
fn scatter(a: &mut [Fr], twiddles: &[Fr]) {
    if a.len() > SHORT {
        let h = a.len() / 2;
        let (low, high) = a.split_at_mut(h);
        split(low, high, &twiddles[h..2 * h]);
        scatter(low, twiddles);
        return scatter(high, twiddles);
    }
    let mut h = a.len() / 2;
    while h > 0 {
        for block in a.chunks_exact_mut(2 * h) {
            let (low, high) = block.split_at_mut(h);
            split(low, high, &twiddles[h..2 * h]);
        }
        h /= 2;
    }
}

fn combine(low: &mut [Fr], high: &mut [Fr], twiddles: &[Fr]) {
    // The first twiddle is 1.
    if let (Some(a), Some(b)) = (low.first_mut(), high.first_mut()) {
        (*a, *b) = (*a + *b, *a - *b);
    }
    for ((a, b), w) in low.iter_mut().zip(high).zip(twiddles).skip(1) {
        let t = *b * w;
        (*a, *b) = (*a + t, *a - t);
    }
}

fn split(low: &mut [Fr], high: &mut [Fr], twiddles: &[Fr]) {
    if let (Some(a), Some(b)) = (low.first_mut(), high.first_mut()) {
        (*a, *b) = (*a + *b, *a - *b);
    }
    for ((a, b), w) in low.iter_mut().zip(high).zip(twiddles).skip(1) {
        let difference = *a - *b;
        *a += *b;
        *b = difference * w;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn domain(k: u32, pieces: usize) -> Domain {
        let mut omega = Fr::ROOT_OF_UNITY;
        for _ in k..Fr::S {
            omega = omega.square();
        }
        Domain::new(k, omega, pieces)
    }

    fn evaluated(coefficients: &[Fr], point: Fr) -> Fr {
        coefficients.iter().rev().fold(Fr::ZERO, |acc, c| acc * point + c)
    }

    #[test]
    fn transforms_agree_with_evaluation() {
        for k in [1, 2, 5, 11] {
            let domain = domain(k, 2);
            let coefficients: Vec<Fr> = (0..1u64 << k).map(|i| Fr::from(i * i + 3)).collect();
            let values: Vec<Fr> = (0..1 << k).map(|i| evaluated(&coefficients, domain.rotate(Fr::ONE, i))).collect();
            assert_eq!(reversed(domain.coefficients(values)), coefficients);
            let shifted = domain.on_coset(1, &reversed(coefficients.clone()));
            let point = domain.rotate(Fr::from(49), 1);
            assert_eq!(shifted[1], evaluated(&coefficients, point));
        }
    }

    #[test]
    fn the_quotient_is_put_together_from_cosets() {
        for pieces in 1..5 {
            let (k, n) = (4, 16);
            let domain = domain(k, pieces);
            let quotient: Vec<Fr> = (0..pieces * n).map(|i| Fr::from(7 * i as u64 + 1)).collect();
            let numerators = (1..=pieces as u64)
                .map(|shift| {
                    let shift = Fr::MULTIPLICATIVE_GENERATOR.pow([shift]);
                    let point = |i| domain.rotate(shift, i);
                    let vanishing = shift.pow([n as u64]) - Fr::ONE;
                    (0..n as i32).map(|i| evaluated(&quotient, point(i)) * vanishing).collect()
                })
                .collect();
            let got: Vec<Fr> = domain.quotient(numerators).into_iter().flat_map(reversed).collect();
            assert_eq!(got, quotient);
        }
    }
}
