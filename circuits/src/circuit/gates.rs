//! The gates, all of degree 3 at most.
//!
//! A row is *ordinary*, *ranked* or *programmed* (or none: rows 0 and 1 and those after the end,
//! where every gate vanishes because each of its terms carries one of the three selectors or a
//! column that is 0 there). `u` is their sum. What each free cell could do to a cheater's
//! advantage is written beside the gate that reads it.

use halo2_proofs::halo2curves::{bn256::Fr, ff::Field};
use halo2_proofs::plonk::{ConstraintSystem, Expression, VirtualCells};
use halo2_proofs::poly::Rotation;

use super::columns::{Columns, First, Fixed, Second};
use super::field::small;
use super::geometry::Geometry;
use super::layout::{BORDER_OFFSET, Constants, Program};
use super::table::{Q0, TAG_REMAINDER};

type Ex = Expression<Fr>;

fn constant(v: i64) -> Ex {
    Expression::Constant(small(v))
}

fn one() -> Ex {
    constant(1)
}

fn sum(terms: impl IntoIterator<Item = Ex>) -> Ex {
    terms.into_iter().reduce(|a, b| a + b).unwrap_or_else(|| constant(0))
}

/// `base^exponent` by squaring, so that a verifier can share the powers.
fn power(base: &Ex, exponent: usize) -> Ex {
    match exponent {
        0 => one(),
        1 => base.clone(),
        n => {
            let half = power(base, n / 2);
            let square = half.clone() * half;
            if n % 2 == 1 { square * base.clone() } else { square }
        }
    }
}

/// Everything that gates read: the current row and the row before.
struct Row {
    f: Fixed<Ex>,
    a: First<Ex>,
    b: Second<Ex>,
    /// The row before; only what is read there is queried.
    b_prev: Second<Ex>,
    m_prev: Ex,
    q_prev: Ex,
    r_prev: Ex,
    /// `e` of the first and of the last lane, row before.
    e_prev: [Ex; 2],
    instance: Ex,
    z: Ex,
    lambda: Ex,
    alpha: Ex,
    beta: Ex,
    mu: Ex,
}

impl Row {
    fn query(v: &mut VirtualCells<'_, Fr>, c: &Columns) -> Self {
        let (cur, prev) = (Rotation::cur(), Rotation::prev());
        let lanes = c.first.x.len();
        let fixed: Vec<Ex> = c.fixed.all().map(|col| v.query_fixed(*col, cur)).collect();
        let mut fixed = fixed.into_iter();
        let widths = super::columns::Widths {
            lanes,
            kernels: 1,
            taps: c.fixed.kernel.len(),
            residuals: c.fixed.residual.len(),
            borders: c.fixed.border.len(),
        };
        let mut next = || fixed.next().unwrap_or_else(one);
        let f = Fixed::build(&widths, &mut next);
        let mut advice = |cols: Vec<halo2_proofs::plonk::Column<_>>, at| {
            cols.into_iter().map(|col| v.query_advice(col, at)).collect::<Vec<Ex>>().into_iter()
        };
        let mut a = advice(c.first.all().copied().collect(), cur);
        let mut b = advice(c.second.all().copied().collect(), cur);
        let mut bp = advice(c.second.all().copied().collect(), prev);
        let a = First::build(&widths, || a.next().unwrap_or_else(one));
        let b = Second::build(&widths, || b.next().unwrap_or_else(one));
        let b_prev = Second::build(&widths, || bp.next().unwrap_or_else(one));
        let [z, lambda, alpha, beta, mu] = c.challenges.map(|ch| v.query_challenge(ch));
        Self {
            f,
            a,
            b,
            b_prev,
            m_prev: v.query_advice(c.first.m, prev),
            q_prev: v.query_advice(c.first.q[0], prev),
            r_prev: v.query_advice(c.first.r[0], prev),
            e_prev: [v.query_advice(c.first.e[0], prev), v.query_advice(c.first.e[lanes - 1], prev)],
            instance: v.query_instance(c.instance, cur),
            z,
            lambda,
            alpha,
            beta,
            mu,
        }
    }

    fn lanes(&self) -> usize {
        self.a.x.len()
    }

    fn active(&self) -> Ex {
        self.f.ordinary.clone() + self.f.rank.clone() + self.f.program.clone()
    }

    fn z(&self, exponent: usize) -> Ex {
        power(&self.z, exponent)
    }

    /// `Σ_l z^{lanes−1−l}·v_l`, by Horner's rule.
    fn on_lanes(&self, values: impl IntoIterator<Item = Ex>) -> Ex {
        values.into_iter().reduce(|a, v| a * self.z.clone() + v).unwrap_or_else(|| constant(0))
    }

    /// Whether `step` is 1 and whether it is 2, for a `step` of 0, 1 or 2.
    fn steps(&self) -> [Ex; 2] {
        let s = self.f.step.clone();
        let half = Expression::Constant(small(2).invert().unwrap_or(Fr::ZERO));
        [s.clone() * (constant(2) - s.clone()), half * s.clone() * (s - one())]
    }

    /// What an ordinary row multiplies a running polynomial by, other than at a block's start.
    fn ordinary_step(&self, geometry: &Geometry) -> Ex {
        let [same, line] = self.steps();
        let hold = self.f.ordinary.clone() - self.f.block.clone() - same.clone() - line.clone();
        same * self.z(geometry.lanes) + line * self.z(geometry.line_step) + hold
    }

    fn coefficient(&self, p: Program) -> Ex {
        self.f.program.clone() * self.f.kernel[p as usize].clone()
    }

    fn previous_rank(&self, lane: usize) -> Ex {
        match lane {
            0 => self.b_prev.ranking(self.lanes() - 1).clone(),
            l => self.b.ranking(l - 1).clone(),
        }
    }
}

/// Declares all gates.
pub(super) fn configure(cs: &mut ConstraintSystem<Fr>, columns: &Columns, geometry: &Geometry, constants: &Constants) {
    cs.create_gate("zugzwang", |v| {
        let row = Row::query(v, columns);
        let mut gates = polynomials(&row, geometry, constants);
        gates.extend(lookups(&row));
        gates.extend(ranking(&row, constants));
        gates
    });
}

/// The convolution check: running polynomials and the total.
fn polynomials(row: &Row, geometry: &Geometry, constants: &Constants) -> Vec<Ex> {
    let Row { f, a, b, b_prev, .. } = row;
    let step = row.ordinary_step(geometry);
    let xs = row.on_lanes(a.x.iter().cloned());

    // X_c(z). Input rows have `step` 0, so that `py` may stand still there; their steps are
    // programmed in `bias` and `residual`.
    let input_step = f.input.clone()
        * (f.bias.clone() * (row.z(geometry.lanes) - one())
            + f.residual[0].clone() * (row.z(geometry.line_step) - one()));
    let px = f.ordinary.clone() * (b.px.clone() - xs) - (step.clone() + input_step) * b_prev.px.clone();

    // A(z) + E(z). Border cells `e` are free: they stand only on monomials where no output of any
    // channel stands (geometry.rs enumerates it), and the identity is one of polynomials in z.
    let outputs = row.on_lanes((0..row.lanes()).map(|l| {
        a.q[l].clone() * f.scale.clone() + a.r[l].clone()
            - f.bias.clone()
            - sum(f
                .residual
                .iter()
                .zip(&constants.residual_distances)
                .map(|(multiplier, &distance)| power(&row.lambda, distance) * multiplier.clone() * a.x[l].clone()))
    }));
    // Ranked rows: A = q·2^s + r + threshold + 1 − before.
    let thresholds = row.on_lanes((0..row.lanes()).map(|l| a.m.clone() - a.e[l].clone()));
    let offset = constant(BORDER_OFFSET);
    let mut borders = constant(0);
    if geometry.taps == 9 {
        let [_, line] = row.steps();
        borders = line * row.z(geometry.lanes) * (a.e[0].clone() - offset.clone());
        let es = row.on_lanes(a.e.iter().map(|e| e.clone() - offset.clone()));
        let half = Expression::Constant(small(2).invert().unwrap_or(Fr::ZERO));
        let flag = f.border[0].clone();
        let flags = [flag.clone() * (constant(2) - flag.clone()), half * flag.clone() * (flag - one())];
        let shifts = geometry.groups.iter().zip(flags).map(|(g, is)| is * row.z(g.shift));
        borders = borders + sum(shifts) * es;
    }
    let digits = sum((0..row.lanes()).map(|l| a.x[l].clone() * constant(constants.lane_radix.pow(l as u32))));
    let block_step = row.z(geometry.block_step);
    let py_step = step
        + (f.block.clone() - f.tensor.clone()) * block_step.clone()
        // Input rows: 1 at a block's start, λ at a limb's.
        + f.input.clone()
            * ((f.block.clone() - f.tensor.clone()) * (one() - block_step.clone())
                - f.scale.clone() * (row.lambda.clone() - one()))
        + f.rank.clone()
            * (f.kernel[0].clone() * row.z(geometry.lanes)
                + f.kernel[1].clone() * row.z(geometry.line_step)
                + f.kernel[2].clone() * block_step)
        + f.program.clone() * row.z(geometry.tail_shift);
    let py = row.active() * b.py.clone()
        - py_step * b_prev.py.clone()
        - (f.ordinary.clone() + f.rank.clone() - f.input.clone()) * outputs
        - f.rank.clone() * thresholds
        - borders
        - power(&row.lambda, constants.limb_distance) * f.input.clone() * f.index.clone() * digits;

    // G_c(z).
    let spacing = row.z(geometry.spacing);
    let kernels = f
        .kernel
        .chunks(geometry.taps)
        .map(|taps| {
            // Horner over the taps: exponents stride·a + b.
            (0..taps.len()).rev().fold(None, |acc: Option<Ex>, t| {
                Some(match acc {
                    None => taps[t].clone(),
                    Some(acc) => acc * row.z(geometry.tap(t + 1) - geometry.tap(t)) + taps[t].clone(),
                })
            })
        })
        .map(|k| k.unwrap_or_else(|| constant(0)))
        .reduce(|a, k| a * spacing.clone() + k)
        .unwrap_or_else(|| constant(0));
    let g = f.ordinary.clone() * (b.g.clone() - kernels)
        - (f.ordinary.clone() - f.block.clone()) * power(&spacing, constants.kernels_per_row) * b_prev.g.clone();

    // The total: λ^(tensors that follow) · (Σ G_c X_c − A − E), the limbs, and by μ what the
    // ranking needs.
    let (mu, mu2) = (row.mu.clone(), row.mu.clone() * row.mu.clone());
    let switch = sum((0..row.lanes()).map(|l| {
        let before = if l == 0 { row.e_prev[1].clone() } else { a.e[l - 1].clone() };
        (before - a.e[l].clone()) * (f.index.clone() + constant(l as i64))
    }));
    let product = row.lambda.clone() * row.z(geometry.product_shift()) * (b_prev.g.clone() * b_prev.px.clone());
    let total = row.active() * (b.total.clone() - b_prev.total.clone())
        - f.tensor.clone()
            * ((row.lambda.clone() - one()) * b_prev.total.clone() - row.lambda.clone() * b_prev.py.clone())
        - (f.block.clone() + f.tensor.clone() * (row.lambda.clone() - one())) * product
        - row.lambda.clone() * f.ordinary.clone() * row.instance.clone()
        - mu.clone() * (f.rank.clone() * switch - row.coefficient(Program::Threshold) * row.e_prev[0].clone())
        - mu2
            * (row.coefficient(Program::Start) * row.instance.clone()
                - power(&row.lambda, constants.limbs) * f.program.clone() * f.index.clone() * a.e[0].clone());

    vec![px, py, g, total]
}

/// LogUp: every `(q, x, tag)` and `(r, scale)` of an active row is in the table.
/// Soundness error about (cells + entries) / 2^254, with α and β drawn after q, x, r and m.
fn lookups(row: &Row) -> Vec<Ex> {
    let Row { f, a, b, b_prev, alpha, beta, .. } = row;
    let beta2 = beta.clone() * beta.clone();
    let fold = |input: Ex, output: Ex, tag: Ex| input + beta.clone() * output + beta2.clone() * tag;
    let u = row.active();
    // 0 on inactive rows, where the table's columns are 0 too. Instances become entries nowhere.
    let entry = alpha.clone() * u.clone() - fold(f.table_in.clone(), f.table_out.clone(), f.table_tag.clone());
    let mut gates = Vec::new();
    for l in 0..row.lanes() {
        let pair = alpha.clone() - fold(a.q[l].clone(), a.x[l].clone(), f.tag.clone());
        let remainder = alpha.clone() - fold(a.r[l].clone(), f.scale.clone(), constant(TAG_REMAINDER));
        let gain = |i: usize| b.sum[i].clone() - b_prev.sum[i].clone();
        let counted = gain(2 * l) * pair.clone() - one();
        gates.push(if l == 0 {
            // Multiplicities count on ordinary rows only: elsewhere `m` has another meaning.
            counted * entry.clone() + a.m.clone() * f.ordinary.clone() * pair
        } else {
            u.clone() * counted
        });
        gates.push(u.clone() * (gain(2 * l + 1) * remainder - one()));
    }
    gates
}

/// The ranking, and the programmed rows that begin and end the table.
fn ranking(row: &Row, constants: &Constants) -> Vec<Ex> {
    let Row { f, a, b, b_prev, alpha, beta, .. } = row;
    let lanes = row.lanes();
    let key_radix = constant(1 << constants.index_bits);
    let mut gates = Vec::new();

    // Ranked rows. The key of an output is A·2^bits − index: distinct, and larger is better.
    for l in 0..lanes {
        let index = f.index.clone() + constant(l as i64);
        let accumulator = (a.q[l].clone() - constant(Q0)) * constant(1 << constants.rank_shift)
            + a.r[l].clone()
            + a.m.clone()
            + one()
            - a.e[l].clone();
        let pair = alpha.clone() - (key_radix.clone() * accumulator - index.clone()) - beta.clone() * index;
        let gain = b.ranking(l).clone() - row.previous_rank(l);
        gates.push(f.rank.clone() * (gain * pair - a.x[l].clone()));
        // `e` falls from 1 to 0 once, at the last listed index: before it, an unlisted output must
        // be strictly less than the threshold; after it, at most equal.
        let before = if l == 0 { row.e_prev[1].clone() } else { a.e[l - 1].clone() };
        let fall = before - a.e[l].clone();
        gates.push(f.rank.clone() * fall.clone() * (fall - one()));
        if l >= 2 {
            // Lane sums start at 0 on the first programmed row after ordinary ones.
            gates.push(f.ordinary.clone() * b.ranking(l).clone());
        }
        if l >= 1 {
            gates.push(f.program.clone() * (b.ranking(l).clone() - b.ranking(l - 1).clone()));
        }
    }
    gates.push(f.rank.clone() * (a.m.clone() - row.m_prev.clone()));

    // The list: keys in `m`, indices in `e`. Its pairs are, as a multiset, those marked in the
    // ranked rows, so neither needs a range check of its own.
    let listed = alpha.clone() - a.m.clone() - beta.clone() * a.e[0].clone();
    gates.push(
        f.program.clone()
            * ((b.px.clone() - row.previous_rank(0)) * listed + f.kernel[Program::Entry as usize].clone()),
    );
    // Keys descend: the difference, less 1, is four range-checked limbs.
    let digit = |q: Ex| q - constant(Q0 - 1);
    let low = a.r[0].clone() + constant(1 << constants.rank_shift) * digit(a.q[0].clone());
    let high = row.r_prev.clone() + constant(1 << constants.rank_shift) * digit(row.q_prev.clone());
    let limb = constant(1 << (constants.rank_shift + 11));
    gates.push(row.coefficient(Program::Descend) * (row.m_prev.clone() - a.m.clone() - one() - low - limb * high));
    gates.push(row.coefficient(Program::Hold) * (a.m.clone() - row.m_prev.clone()));
    // The marks of the list's rows are 1, so that the limbs are not negative.
    gates.push((row.coefficient(Program::Hold) + row.coefficient(Program::Entry)) * (a.x[0].clone() - one()));
    // The threshold is the accumulator of the last listed key.
    gates.push(
        row.coefficient(Program::Threshold) * (key_radix * a.m.clone() - row.m_prev.clone() - row.e_prev[0].clone()),
    );
    gates.push(row.coefficient(Program::Threshold) * (a.e[lanes - 1].clone() - one()));
    gates.push(row.coefficient(Program::Close) * row.e_prev[1].clone());
    gates.push(row.coefficient(Program::Close) * b.px.clone());

    // The table's first and last active rows.
    let ends = |start: Ex, end: Ex| row.coefficient(Program::Start) * start + row.coefficient(Program::End) * end;
    gates.push(ends(b_prev.total.clone(), b.total.clone()));
    gates.push(ends(sum(b_prev.sum.iter().cloned()), sum(b.sum.iter().cloned())));
    gates.push(row.coefficient(Program::Start) * b_prev.py.clone());
    gates.push(row.coefficient(Program::Start) * row.previous_rank(0));
    gates
}
