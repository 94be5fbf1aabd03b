//! Sums of many groups of curve points, in affine coordinates with shared inversions: about six
//! field multiplications an addition instead of eleven or more.

use halo2_proofs::halo2curves::bn256::{Fq, G1Affine};
use halo2_proofs::halo2curves::ff::Field;
use halo2_proofs::halo2curves::group::Curve;
use halo2_proofs::halo2curves::group::prime::PrimeCurveAffine;
use rayon::prelude::*;

/// Points that are summed together: few enough for the cache, enough to share an inversion.
const BATCH: usize = 4096;

/// Which of the bases are to be summed, group by group.
#[derive(Debug, Default)]
pub(super) struct Groups {
    /// Twice the index of a base; plus 1 if it is to be subtracted.
    members: Vec<u32>,
    /// Where each group begins in `members`; one more than there are groups.
    starts: Vec<u32>,
}

/// Stands for "in no group".
pub(super) const NOWHERE: u32 = u32::MAX;

/// What [`Groups::new`] takes for a base that is added to, or subtracted from, a group.
#[inline(always)]
pub(super) fn place(group: u32, subtract: bool) -> u32 {
    2 * group + u32::from(subtract)
}

impl Groups {
    /// Puts every base into the group that its [`place`] names.
    pub(super) fn new(groups: usize, places: &[u32]) -> Self {
        let mut starts = vec![0u32; groups + 1];
        for place in places.iter().filter(|p| **p != NOWHERE) {
            starts[(place >> 1) as usize] += 1;
        }
        let mut end = 0;
        for start in &mut starts {
            end += *start;
            *start = end;
        }
        // Each start is its group's end now, and comes back to its beginning member by member.
        let mut members = vec![0; end as usize];
        for (i, place) in (0u32..).zip(places).filter(|(_, p)| **p != NOWHERE) {
            let at = &mut starts[(place >> 1) as usize];
            *at -= 1;
            members[*at as usize] = 2 * i + (place & 1);
        }
        Self { members, starts }
    }

    /// Sum of each group; the identity for an empty one.
    pub(super) fn sums(&self, bases: &[G1Affine]) -> Vec<G1Affine> {
        let mut batches = vec![];
        let mut first = 0;
        for group in 1..self.starts.len() {
            if (self.starts[group] - self.starts[first]) as usize >= BATCH || group + 1 == self.starts.len() {
                batches.push(first..group);
                first = group;
            }
        }
        batches
            .into_par_iter()
            .map_init(Adder::default, |adder, groups| {
                let range = self.starts[groups.start] as usize..self.starts[groups.end] as usize;
                let sizes = self.starts[groups.start..=groups.end].windows(2).map(|w| w[1] - w[0]);
                adder.load(self.members[range].iter().map(|m| signed(&bases[(m >> 1) as usize], m & 1 == 1)), sizes);
                adder.sums()
            })
            .flatten_iter()
            .collect()
    }
}

/// Whether a point is the identity, which is (0, 0): no point of the curve has y = 0.
#[inline(always)]
pub(super) fn is_identity(point: &G1Affine) -> bool {
    point.y == Fq::ZERO
}

fn signed(point: &G1Affine, negative: bool) -> G1Affine {
    if negative { G1Affine { x: point.x, y: -point.y } } else { *point }
}

/// Halves groups of points until each has one.
#[derive(Default)]
struct Adder {
    points: Vec<G1Affine>,
    sizes: Vec<u32>,
    next: Vec<G1Affine>,
    /// Of each pair: index of its first point, and of its sum.
    pairs: Vec<(u32, u32)>,
    /// Differences of the pairs' x, and the products of those before.
    differences: Vec<(Fq, Fq)>,
    /// Pairs that the chord formula doesn't serve.
    special: Vec<(u32, u32)>,
}

impl Adder {
    fn load(&mut self, points: impl Iterator<Item = G1Affine>, sizes: impl Iterator<Item = u32>) {
        self.points.clear();
        self.points.extend(points);
        self.sizes.clear();
        self.sizes.extend(sizes);
    }

    fn sums(&mut self) -> Vec<G1Affine> {
        while self.sizes.iter().any(|size| *size > 1) {
            self.halve();
        }
        let mut rest = self.points.iter();
        let mut one = |size: &u32| if *size == 0 { None } else { rest.next().copied() };
        self.sizes.iter().map(|size| one(size).unwrap_or_else(G1Affine::identity)).collect()
    }

    fn halve(&mut self) {
        let Self { points, sizes, next, pairs, differences, special } = self;
        next.clear();
        pairs.clear();
        differences.clear();
        special.clear();
        let mut product = Fq::ONE;
        let mut rest = &points[..];
        let mut at = 0;
        for size in sizes.iter_mut() {
            let (group, others) = rest.split_at(*size as usize);
            for pair in group.chunks(2) {
                let sum = next.len() as u32;
                next.push(pair[0]);
                let [p, q] = pair else { continue };
                let difference = q.x - p.x;
                if difference == Fq::ZERO || is_identity(p) || is_identity(q) {
                    special.push((at, sum));
                } else {
                    differences.push((difference, product));
                    pairs.push((at, sum));
                    product *= difference;
                }
                at += 2;
            }
            at += *size % 2;
            *size = size.div_ceil(2);
            rest = others;
        }
        // No difference is 0, so neither is their product.
        let mut inverse = product.invert().unwrap_or(Fq::ZERO);
        for ((at, sum), (difference, before)) in pairs.iter().zip(differences.iter()).rev() {
            let (p, q) = (&points[*at as usize], &points[*at as usize + 1]);
            let slope = (q.y - p.y) * (inverse * before);
            inverse *= difference;
            let x = slope.square() - p.x - q.x;
            next[*sum as usize] = G1Affine { x, y: slope * (p.x - x) - p.y };
        }
        for (at, sum) in special.iter() {
            let (p, q) = (&points[*at as usize], &points[*at as usize + 1]);
            next[*sum as usize] = match (is_identity(p), is_identity(q)) {
                (true, _) => *q,
                (_, true) => *p,
                _ => (p.to_curve() + q).to_affine(),
            };
        }
        std::mem::swap(points, next);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use halo2_proofs::halo2curves::bn256::{Fr, G1};

    #[test]
    fn sums_are_right_whatever_the_points() {
        let g = G1Affine::generator();
        let mut bases: Vec<G1Affine> = (0..300u64).map(|i| (g * Fr::from(i / 3)).to_affine()).collect();
        bases.push(G1Affine::identity());
        let placed = |i: usize| (i % 11 != 5).then_some(((i * i % 7) as u32, i % 4 == 1));
        let places: Vec<u32> =
            (0..bases.len()).map(|i| placed(i).map_or(NOWHERE, |(group, subtract)| place(group, subtract))).collect();
        let got = Groups::new(8, &places).sums(&bases);
        let mut want = vec![G1::from(G1Affine::identity()); 8];
        for (i, base) in bases.iter().enumerate() {
            if let Some((group, negative)) = placed(i) {
                want[group as usize] += signed(base, negative);
            }
        }
        let want: Vec<G1Affine> = want.iter().map(Curve::to_affine).collect();
        assert_eq!(got, want);
    }

    #[test]
    fn opposite_points_cancel() {
        let g = G1Affine::generator();
        let places = [place(0, false), place(0, true), place(1, false), place(1, false)];
        let got = Groups::new(3, &places).sums(&[g; 4]);
        assert_eq!(got, [G1Affine::identity(), (g + g).to_affine(), G1Affine::identity()]);
    }
}
