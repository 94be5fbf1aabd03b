//! What stays the same from proof to proof.

use std::borrow::Cow;

use halo2_proofs::halo2curves::bn256::{Fr, G1, G1Affine};
use halo2_proofs::halo2curves::group::Curve;
use halo2_proofs::halo2curves::group::prime::PrimeCurveAffine;
use halo2_proofs::plonk::{Circuit, ConstraintSystem, VerifyingKey, permutation};
use halo2_proofs::poly::EvaluationDomain;
use rayon::prelude::*;

use super::commit::{Points, Values};
use super::fft::Domain;
use super::program::Program;
use super::{Column, ProveError, fits};

/// Values on cosets are kept up to so many bytes. A key with more of them computes them in each
/// proof, one coset at a time.
const MOST_KEPT: usize = 1 << 30;

/// A verifying key with all that can be computed before a proof: the fixed columns' polynomials,
/// their values on the quotient's cosets, the gates' program, the set-up's points.
///
/// With `f` fixed columns of 2^k rows and gates of degree `d` it takes `32·2^k·f·d` bytes: 151 MB
/// for `k = 16`, `f = 24`, `d = 3`. From 1 GiB of values on cosets on, only the polynomials are kept.
#[derive(Clone, Debug)]
pub struct Key {
    pub(super) vk: VerifyingKey<G1Affine>,
    pub(super) points: Points,
    pub(super) domain: Domain,
    /// Coefficients, bit-reversed.
    pub(super) fixed: Vec<Vec<Fr>>,
    /// By coset, then by column; none if they are too many.
    fixed_on_cosets: Vec<Vec<Vec<Fr>>>,
    pub(super) program: Program,
}

impl Key {
    /// Prepares proofs under `vk`. `fixed` are the values of its fixed columns, in order. That they
    /// belong to `vk` is not checked: with others no proof verifies.
    ///
    /// # Errors
    /// [`ProveError::Unsupported`] if the constraint system has lookups, copy constraints or
    /// selectors; [`ProveError::Columns`], [`ProveError::Rows`] and [`ProveError::SetUp`] if what
    /// is given doesn't fit it.
    pub fn new(points: Points, vk: VerifyingKey<G1Affine>, fixed: &[Column<'_>]) -> Result<Self, ProveError> {
        let cs = vk.cs();
        supported(cs)?;
        let halo2 = vk.get_domain();
        if points.k != halo2.k() {
            return Err(ProveError::SetUp { want: halo2.k(), got: points.k });
        }
        check_fixed(cs, halo2.k(), fixed)?;
        let program = Program::new(cs)?;
        let domain = Domain::new(halo2.k(), halo2.get_omega(), halo2.get_quotient_poly_degree());
        let fixed: Vec<Vec<Fr>> =
            fixed.par_iter().map(|column| domain.coefficients(column.values(domain.n()))).collect();
        let bytes = fixed.len() * domain.num_cosets() * domain.n() * size_of::<Fr>();
        let kept = if bytes > MOST_KEPT { 0 } else { domain.num_cosets() };
        let fixed_on_cosets = (0..kept).map(|coset| on_coset(&domain, coset, &fixed)).collect();
        Ok(Self { vk, points, domain, fixed, fixed_on_cosets, program })
    }

    /// The fixed columns' values on a coset, kept or computed.
    pub(super) fn fixed_on_coset(&self, coset: usize) -> Cow<'_, [Vec<Fr>]> {
        match self.fixed_on_cosets.get(coset) {
            Some(kept) => Cow::Borrowed(kept),
            None => Cow::Owned(on_coset(&self.domain, coset, &self.fixed)),
        }
    }

    /// The set-up's points.
    pub(crate) fn points(&self) -> &Points {
        &self.points
    }

    /// Bytes of memory that the fixed columns take: coefficients, and values on cosets where they are kept. The set-up's
    /// points, which all keys of its size share, are not among them.
    pub fn bytes(&self) -> usize {
        let columns = self.fixed.iter().chain(self.fixed_on_cosets.iter().flatten());
        columns.map(|column| size_of_val(&column[..])).sum()
    }

    /// The verifying key.
    pub fn vk(&self) -> &VerifyingKey<G1Affine> {
        &self.vk
    }
}

/// The verifying key of a circuit with these fixed columns: the same as halo2's `keygen_vk` makes,
/// without running the circuit's synthesis.
///
/// # Errors
/// As [`Key::new`]; [`ProveError::TooSmall`] if the set-up has too few rows for any such circuit.
pub fn verifying_key<C: Circuit<Fr>>(
    points: &Points,
    params: C::Params,
    fixed: &[Column<'_>],
) -> Result<VerifyingKey<G1Affine>, ProveError> {
    let mut cs = ConstraintSystem::default();
    C::configure_with_params(&mut cs, params);
    supported(&cs)?;
    if 1usize << points.k < cs.minimum_rows() {
        return Err(ProveError::TooSmall { k: points.k });
    }
    check_fixed(&cs, points.k, fixed)?;
    let commitments: Vec<G1> = fixed
        .par_iter()
        .map(|column| {
            points.commit_column(&match column {
                Column::Small(integers) => Values::Small { integers, blinding: vec![] },
                Column::Field(_) | Column::Whole(_) => Values::Full(column.values(1 << points.k)),
            })
        })
        .collect();
    let mut affine = vec![G1Affine::identity(); commitments.len()];
    G1::batch_normalize(&commitments, &mut affine);
    // There are no selectors; this leaves the constraint system as halo2's key generation does.
    let (cs, _) = cs.directly_convert_selectors_to_fixed(vec![]);
    let domain = EvaluationDomain::new(cs.degree() as u32, points.k);
    let no_copies = permutation::VerifyingKey::from_commitments(vec![]);
    Ok(VerifyingKey::from_parts(domain, affine, no_copies, cs, vec![], false))
}

fn on_coset(domain: &Domain, coset: usize, fixed: &[Vec<Fr>]) -> Vec<Vec<Fr>> {
    fixed.par_iter().map(|column| domain.on_coset(coset, column)).collect()
}

fn supported(cs: &ConstraintSystem<Fr>) -> Result<(), ProveError> {
    if !cs.permutation().get_columns().is_empty() {
        return Err(ProveError::Unsupported("copy constraints"));
    }
    if !cs.lookups().is_empty() {
        return Err(ProveError::Unsupported("native lookups"));
    }
    if cs.num_selectors() > 0 {
        return Err(ProveError::Unsupported("selectors"));
    }
    Ok(())
}

fn check_fixed(cs: &ConstraintSystem<Fr>, k: u32, fixed: &[Column<'_>]) -> Result<(), ProveError> {
    if fixed.len() != cs.num_fixed_columns() {
        return Err(ProveError::Columns { what: "fixed", want: cs.num_fixed_columns(), got: fixed.len() });
    }
    fits("fixed", 1 << k, fixed.iter().map(Column::len))
}
