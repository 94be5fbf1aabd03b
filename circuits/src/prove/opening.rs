//! Evaluations, and SHPLONK: one opening for all polynomials at all their points.
//!
//! Polynomials that are opened at the same points are added up first, with powers of a challenge,
//! so that only these few sums are divided.

use halo2_proofs::halo2curves::bn256::Fr;
use halo2_proofs::halo2curves::ff::Field;
use rayon::prelude::*;

use super::fft::{Domain, from_roots, powers, reversed};

/// Coefficients that are worked on at a time.
const CHUNK: usize = 1 << 10;

/// Polynomials (coefficients, bit-reversed) that are opened at the same rotations.
#[derive(Debug)]
pub(super) struct Set<'a> {
    /// Ascending.
    pub(super) rotations: Vec<i32>,
    pub(super) polynomials: Vec<&'a [Fr]>,
    /// Of each polynomial, its value at each rotation.
    pub(super) values: Vec<Vec<Fr>>,
}

/// What is opened: a polynomial's number, its coefficients, a rotation and the value there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Query<'a> {
    /// The same for queries of the same polynomial.
    pub(super) polynomial: usize,
    pub(super) coefficients: &'a [Fr],
    pub(super) rotation: i32,
    pub(super) value: Fr,
}

/// Groups queries as halo2's verifier does: polynomials and sets in order of appearance.
pub(super) fn sets<'a>(queries: &[Query<'a>]) -> Vec<Set<'a>> {
    type Opened<'a> = (usize, &'a [Fr], Vec<(i32, Fr)>);
    let mut polynomials: Vec<Opened<'a>> = vec![];
    for query in queries {
        let at = (query.rotation, query.value);
        match polynomials.iter_mut().find(|p| p.0 == query.polynomial) {
            Some(known) => known.2.push(at),
            None => polynomials.push((query.polynomial, query.coefficients, vec![at])),
        }
    }
    let mut sets: Vec<Set<'a>> = vec![];
    for (_, coefficients, mut at) in polynomials {
        at.sort_by_key(|(rotation, _)| *rotation);
        let (rotations, values): (Vec<i32>, Vec<Fr>) = at.into_iter().unzip();
        match sets.iter_mut().find(|set| set.rotations == rotations) {
            Some(set) => {
                set.polynomials.push(coefficients);
                set.values.push(values);
            }
            None => sets.push(Set { rotations, polynomials: vec![coefficients], values: vec![values] }),
        }
    }
    sets
}

/// Powers of a point, bit-reversed: what polynomials are evaluated with.
#[derive(Debug)]
pub(super) struct Point(Vec<Fr>);

impl Point {
    pub(super) fn new(domain: &Domain, point: Fr) -> Self {
        Self(reversed(powers(point, Fr::ONE, domain.n())))
    }

    pub(super) fn evaluate(&self, coefficients: &[Fr]) -> Fr {
        coefficients.iter().zip(&self.0).fold(Fr::ZERO, |sum, (a, x)| sum + *a * x)
    }
}

/// `Σ_j factor^j · polynomial_j`.
pub(super) fn combined(polynomials: &[&[Fr]], factor: Fr, n: usize) -> Vec<Fr> {
    let mut sum = vec![Fr::ZERO; n];
    sum.par_chunks_mut(CHUNK).enumerate().for_each(|(chunk, sum)| {
        for polynomial in polynomials.iter().rev() {
            for (sum, a) in sum.iter_mut().zip(&polynomial[chunk * CHUNK..]) {
                *sum = *sum * factor + a;
            }
        }
    });
    sum
}

/// The opening between its two commitments.
#[derive(Debug)]
pub(super) struct Opening {
    /// Of each set, its sum and the sum's values' interpolation, coefficients in natural order.
    sums: Vec<(Vec<Fr>, Vec<Fr>)>,
    /// Of each set, its points.
    points: Vec<Vec<Fr>>,
    v: Fr,
    quotient: Vec<Fr>,
}

impl Opening {
    /// Joins the polynomials of a set by powers of `y` and the sets by powers of `v`.
    pub(super) fn new(domain: &Domain, sets: &[Set<'_>], x: Fr, y: Fr, v: Fr) -> Self {
        let n = domain.n();
        let points: Vec<Vec<Fr>> =
            sets.iter().map(|set| set.rotations.iter().map(|r| domain.rotate(x, *r)).collect()).collect();
        let parts: Vec<(Vec<Fr>, Vec<Fr>, Vec<Fr>)> = sets
            .par_iter()
            .zip(&points)
            .map(|(set, points)| {
                let sum = reversed(combined(&set.polynomials, y, n));
                let values: Vec<Fr> = (0..points.len())
                    .map(|i| set.values.iter().rev().fold(Fr::ZERO, |sum, values| sum * y + values[i]))
                    .collect();
                let rest = interpolate(points, &values);
                let mut numerator = sum.clone();
                numerator.iter_mut().zip(&rest).for_each(|(a, r)| *a -= r);
                for point in points {
                    divide(&mut numerator, *point);
                }
                (sum, rest, numerator)
            })
            .collect();
        let quotients: Vec<&[Fr]> = parts.iter().map(|(_, _, quotient)| &quotient[..]).collect();
        let quotient = combined(&quotients, v, n);
        Self { sums: parts.into_iter().map(|(sum, rest, _)| (sum, rest)).collect(), points, v, quotient }
    }

    /// What is committed first; coefficients, bit-reversed.
    pub(super) fn first(&self) -> Vec<Fr> {
        reversed(self.quotient.clone())
    }

    /// What is committed last, after `u` is drawn; coefficients, bit-reversed.
    pub(super) fn last(self, u: Fr) -> Vec<Fr> {
        let Self { sums, points, v, quotient } = self;
        let mut all: Vec<Fr> = vec![];
        for point in points.iter().flatten() {
            if !all.contains(point) {
                all.push(*point);
            }
        }
        let vanishing = |points: &mut dyn Iterator<Item = &Fr>| points.fold(Fr::ONE, |product, p| product * (u - p));
        // Of each set: the points of the others, at u.
        let others: Vec<Fr> =
            points.iter().map(|set| vanishing(&mut all.iter().filter(|p| !set.contains(p)))).collect();
        // u is drawn after all points are fixed, so this is 0 with negligible probability only.
        let scale = others.first().and_then(|z| Option::<Fr>::from(z.invert())).unwrap_or(Fr::ZERO);
        let mut constant = Fr::ZERO;
        let mut weights = vec![];
        let mut weight = scale;
        for ((_, rest), z) in sums.iter().zip(&others) {
            constant += weight * z * rest.iter().rev().fold(Fr::ZERO, |value, r| value * u + r);
            weights.push(weight * z);
            weight *= v;
        }
        let from_quotient = scale * vanishing(&mut all.iter());
        let mut last = quotient;
        last.par_chunks_mut(CHUNK).enumerate().for_each(|(chunk, last)| {
            last.iter_mut().for_each(|a| *a *= -from_quotient);
            for ((sum, _), weight) in sums.iter().zip(&weights) {
                last.iter_mut().zip(&sum[chunk * CHUNK..]).for_each(|(last, a)| *last += *weight * a);
            }
        });
        if let Some(lowest) = last.first_mut() {
            *lowest -= constant;
        }
        divide(&mut last, u);
        reversed(last)
    }
}

/// Divides by `X − root`; the remainder is dropped, and the highest coefficient becomes 0.
fn divide(coefficients: &mut [Fr], root: Fr) {
    let mut carry = Fr::ZERO;
    for a in coefficients.iter_mut().rev() {
        let next = *a + carry * root;
        *a = carry;
        carry = next;
    }
}

/// Coefficients of the polynomial with these values at these points, which are distinct.
fn interpolate(points: &[Fr], values: &[Fr]) -> Vec<Fr> {
    let mut sum = vec![Fr::ZERO; points.len()];
    for (i, (point, value)) in points.iter().zip(values).enumerate() {
        let others: Vec<Fr> = points.iter().enumerate().filter(|(j, _)| *j != i).map(|(_, p)| *p).collect();
        let scale = others.iter().fold(Fr::ONE, |product, other| product * (*point - other));
        let scale = *value * scale.invert().unwrap_or(Fr::ZERO);
        sum.iter_mut().zip(from_roots(&others)).for_each(|(sum, a)| *sum += scale * a);
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    fn evaluated(coefficients: &[Fr], point: Fr) -> Fr {
        coefficients.iter().rev().fold(Fr::ZERO, |acc, c| acc * point + c)
    }

    #[test]
    fn interpolation_and_division_agree_with_evaluation() {
        let points: Vec<Fr> = [3, 5, 11].map(Fr::from).to_vec();
        let values: Vec<Fr> = [8, 1, 9].map(Fr::from).to_vec();
        let polynomial = interpolate(&points, &values);
        for (point, value) in points.iter().zip(&values) {
            assert_eq!(evaluated(&polynomial, *point), *value);
        }
        let mut quotient = polynomial.clone();
        quotient[0] -= Fr::from(1);
        divide(&mut quotient, Fr::from(5));
        let at = Fr::from(77);
        assert_eq!(evaluated(&quotient, at) * (at - Fr::from(5)) + Fr::from(1), evaluated(&polynomial, at));
    }
}
