//! The gates, all of degree 3 at most.
//!
//! Each term carries `active` or another fixed column that is 0 outside of the table, so that rows 0 and 1 and the
//! blinding rows are free. `docs/net.md` says what each equation means.

use halo2_proofs::halo2curves::{bn256::Fr, ff::Field};
use halo2_proofs::plonk::{Advice, Column, ConstraintSystem, Expression, Fixed as FixedColumn, VirtualCells};
use halo2_proofs::poly::Rotation;

use super::columns::{Columns, First, Fixed, Second, Secret};
use super::layout::Constants;
use super::sponge::State;
use super::table::{TAG_MEMORY, TAG_REMAINDER};
use crate::circuit::small;
use crate::poseidon::permutation;

type Ex = Expression<Fr>;

fn constant(v: i64) -> Ex {
    Expression::Constant(small(v))
}

/// `base^exponent` by squaring, so that a verifier can share the powers.
fn power(base: &Ex, exponent: usize) -> Ex {
    match exponent {
        0 => constant(1),
        1 => base.clone(),
        n => {
            let half = power(base, n / 2);
            let square = half.clone() * half;
            if n % 2 == 1 { square * base.clone() } else { square }
        }
    }
}

/// For a code of 0, 1 or 2: whether it is 1, and whether it is 2.
fn decode(code: &Ex) -> [Ex; 2] {
    let half = Expression::Constant(small(2).invert().unwrap_or(Fr::ZERO));
    [code.clone() * (constant(2) - code.clone()), half * code.clone() * (code.clone() - constant(1))]
}

/// The row's cells, those of the row before that gates read, and the challenges.
struct Row<'a, 'b> {
    v: &'a mut VirtualCells<'b, Fr>,
    columns: &'a Columns,
    f: Fixed<Ex>,
    a: First<Ex>,
    secret: Option<Secret<Ex>>,
    b: Second<Ex>,
    /// The running columns, row before.
    before: Second<Ex>,
    challenges: [Ex; super::columns::CHALLENGES],
}

impl<'a, 'b> Row<'a, 'b> {
    fn query(v: &'a mut VirtualCells<'b, Fr>, columns: &'a Columns, constants: &Constants) -> Self {
        let (cur, prev) = (Rotation::cur(), Rotation::prev());
        let features = constants.features;
        let fixed: Vec<Ex> = columns.fixed.all().map(|c| v.query_fixed(*c, cur)).collect();
        let mut fixed = fixed.into_iter();
        let f = Fixed::build(features, constants.kernels, || fixed.next().unwrap_or_else(|| constant(0)));
        // `build` makes columns in the order in which `all` lists them, up to the base columns of the two streams.
        let mut advice =
            |list: Vec<Column<Advice>>, at| list.into_iter().map(|c| v.query_advice(c, at)).collect::<Vec<Ex>>();
        let first = advice(columns.first.all().copied().collect(), cur);
        let secret = columns.secret.as_ref().map(|s| {
            let mut all = advice(s.all().copied().collect(), cur).into_iter();
            Secret::build(s.weights.len(), || all.next().unwrap_or_else(|| constant(0)))
        });
        let second = advice(columns.second.all().copied().collect(), cur);
        let earlier = advice(columns.second.all().copied().collect(), prev);
        let (mut first, mut second, mut earlier) = (first.into_iter(), second.into_iter(), earlier.into_iter());
        let a = First::build(features, || first.next().unwrap_or_else(|| constant(0)));
        let b = Second::build(features, || second.next().unwrap_or_else(|| constant(0)));
        let before = Second::build(features, || earlier.next().unwrap_or_else(|| constant(0)));
        let challenges = columns.challenges.map(|c| v.query_challenge(c));
        Self { v, columns, f, a, secret, b, before, challenges }
    }

    fn fixed_before(&mut self, column: Column<FixedColumn>) -> Ex {
        self.v.query_fixed(column, Rotation::prev())
    }

    fn x_before(&mut self) -> Ex {
        self.v.query_advice(self.columns.first.x, Rotation::prev())
    }

    /// The number that is read on this row.
    fn read(&self) -> Ex {
        self.a.y.clone().unwrap_or_else(|| self.a.x.clone())
    }

    /// `A − bias`: 0 on rows without an accumulator, since the lookup makes their remainder 0.
    fn accumulator(&self) -> Ex {
        let Self { f, a, secret, .. } = self;
        let accumulator = a.q.clone() * f.scale.clone() + f.active.clone() * a.r.clone() - f.bias.clone();
        match secret {
            Some(secret) => accumulator - f.active.clone() * secret.bias.clone(),
            None => accumulator,
        }
    }

    /// The row's kernels as a polynomial in `Y`.
    fn kernels(&self) -> Ex {
        let Self { f, secret, .. } = self;
        let channel = &self.challenges[1];
        let horner = |kernels: &[Ex]| kernels.iter().cloned().reduce(|sum, w| sum * channel.clone() + w);
        let fixed = horner(&f.weights).unwrap_or_else(|| constant(0));
        // Private kernels are 0 where the one fixed column holds a place value: see `shut`.
        let secret = secret.as_ref().and_then(|s| horner(&s.weights));
        secret.into_iter().fold(fixed, |fixed, w| fixed + f.active.clone() * w)
    }
}

/// Declares all gates.
pub(super) fn configure(cs: &mut ConstraintSystem<Fr>, columns: &Columns, constants: &Constants) {
    cs.create_gate("net", |v| {
        let mut row = Row::query(v, columns, constants);
        let mut gates = equations(&mut row, constants);
        gates.extend(planes(&row, constants));
        gates.extend(windows(&mut row));
        gates.extend(lookups(&row));
        gates.extend(edges(&row));
        gates.extend(shut(&row));
        gates.extend(sponge(&mut row));
        gates
    });
}

/// `g` and the two totals.
fn equations(row: &mut Row<'_, '_>, constants: &Constants) -> Vec<Ex> {
    let ended = row.fixed_before(row.columns.fixed.product);
    let instance = row.v.query_instance(row.columns.instance, Rotation(-(constants.instance_shift as i32)));
    let limb = limb(row);
    let row = &*row;
    let Row { f, a, b, before, .. } = row;
    let channel = row.challenges[1].clone();
    let all = power(&channel, constants.kernels);
    let kept = f.active.clone() * (constant(1) - ended) * all.clone() * before.g.clone();
    let mut g = f.active.clone() * b.g.clone() - row.kernels() - kept;
    if let (Some(factor), Some(y)) = (&f.factor, &a.y) {
        g = g - factor.clone() * y.clone();
    }

    let step = (channel.clone() - constant(1)) * before.defined.clone();
    let places = power(&channel, constants.input_shift) * f.place.clone() * a.x.clone();
    let mut defined = f.active.clone() * (b.defined.clone() - before.defined.clone()) - f.ends.clone() * step - places;
    defined = match &b.planes {
        Some([by, _]) => defined - f.ends.clone() * by.clone(),
        None => defined - row.accumulator(),
    };

    let [one, many] = decode(&f.moves);
    let steps = one.clone() * (channel - constant(1)) + many.clone() * (all - constant(1));
    // The limbs of outputs are as many channels apart as a row has kernels where only the last kernel can be a place value.
    // Further down there are no instances, and so zeros.
    let published = if constants.features.secret { one + many } else { one };
    let number = b.planes.as_ref().map(|[_, px]| px.clone()).unwrap_or_else(|| row.read());
    let used = f.active.clone() * (b.used.clone() - before.used.clone())
        - steps * before.used.clone()
        - published * instance
        - f.product.clone() * b.g.clone() * number;
    vec![g, defined, limb.into_iter().fold(used, |used, limb| used - limb)]
}

/// The limb of a private input that is absorbed here: what the front of the row before has beyond the step's own.
fn limb(row: &mut Row<'_, '_>) -> Option<Ex> {
    let Step { front, absorbs, .. } = step(row)?;
    Some(absorbs * front)
}

/// What the sponge's row says.
struct Step {
    /// The front of the row before, less its constant and what a turn makes of it: 0, or a limb.
    front: Ex,
    /// 1 where a turn adds nothing, and where it adds a limb.
    plain: Ex,
    absorbs: Ex,
    here: State<Ex>,
    before: [Ex; 3],
}

fn step(row: &mut Row<'_, '_>) -> Option<Step> {
    let (columns, rounds) = (row.columns.sponge.as_ref()?, row.f.rounds.clone()?);
    let mut here = columns.all().map(|c| row.v.query_advice(*c, Rotation::cur())).collect::<Vec<Ex>>().into_iter();
    let here = State::build(|| here.next().unwrap_or_else(|| constant(0)));
    let [a, b] = columns.others;
    let before = [columns.t, a, b].map(|c| row.v.query_advice(c, Rotation::prev()));
    let [plain, absorbs] = decode(&rounds.turn);
    let front = before[0].clone() - rounds.constant - here.others[0].clone();
    Some(Step { front, plain, absorbs, here, before })
}

/// Kernels and biases that are private stand only where the layout has some: whoever registers a model chooses its
/// weights, and nothing else.
fn shut(row: &Row<'_, '_>) -> Vec<Ex> {
    let (Some(shut), Some(secret)) = (&row.f.shut, &row.secret) else { return vec![] };
    let kernels = secret.weights.iter().map(|w| shut.clone() * (shut.clone() - constant(2)) * w.clone());
    kernels.chain([shut.clone() * (shut.clone() - constant(1)) * secret.bias.clone()]).collect()
}

/// The steps of the commitment to a private input; see `sponge.rs`.
fn sponge(row: &mut Row<'_, '_>) -> Vec<Ex> {
    let (Some(Step { front, plain, absorbs, here, before }), Some(rounds)) = (step(row), row.f.rounds.clone()) else {
        return vec![];
    };
    let commitment = row.v.query_instance(row.columns.instance, Rotation::cur());
    let active = row.f.active.clone();
    let (t, [a, b], [square, fourth]) = (here.t, here.others, here.powers);
    let w = fourth.clone() * t.clone();
    let mut gates = vec![
        active.clone() * (square.clone() - t.clone() * t.clone()),
        active.clone() * (fourth - square.clone() * square),
        plain.clone() * front,
        // Both kinds of turns, 1 and 2: only whether it is 0 matters here.
        rounds.turn.clone() * (before[1].clone() - b.clone()),
        rounds.turn * (before[2].clone() - w.clone()),
        // Where there is no step, the front of the row before is a constant: the capacity, on the first state; else 0.
        (active - plain - absorbs - rounds.full.clone() - rounds.partial.clone())
            * (before[0].clone() - rounds.constant.clone()),
        decode(&row.f.edge)[0].clone() * (t - commitment),
    ];
    let states = [(rounds.full, [a.clone(), b.clone(), w.clone()]), (rounds.partial, [w, a, b])];
    for (kind, from) in states {
        for (j, (factors, before)) in permutation().matrix.iter().zip(&before).enumerate() {
            let sum = factors.iter().zip(&from).fold(constant(0), |sum, (m, v)| sum + v.clone() * *m);
            let constant = if j == 0 { rounds.constant.clone() } else { constant(0) };
            gates.push(kind.clone() * (before.clone() - constant - sum));
        }
    }
    gates
}

/// `by` and `px`: a channel's accumulators and numbers as polynomials in `z`.
fn planes(row: &Row<'_, '_>, constants: &Constants) -> Vec<Ex> {
    let (Some([by, px]), Some([by_before, px_before]), Some(f)) = (&row.b.planes, &row.before.planes, &row.f.planes)
    else {
        return vec![];
    };
    let z = row.challenges[0].clone();
    let (a, active, y) = (&row.a, row.f.active.clone(), row.read());
    let [next, pair] = decode(&f.cell);
    // Border values are free: they stand only where the product has no output (see `planes.rs`), and the identity is
    // one of polynomials in `z`. The offset only makes honest ones small and positive.
    let offset = constant(constants.border_offset);
    let borders = z.clone() * (a.q.clone() - offset.clone()) + (a.x.clone() - offset);
    let accumulators = active.clone() * by.clone()
        - (next * z.clone() + pair.clone() * z.clone() * z.clone()) * by_before.clone()
        - row.accumulator()
        - pair * borders;
    let [still, moved] = decode(&f.reach);
    let mut numbers = active * (px.clone() - y.clone()) - (still + moved * z) * px_before.clone();
    if let Some(factor) = &row.f.factor {
        numbers = numbers + factor.clone() * y.clone();
    }
    if let Some(w) = &row.f.windows {
        // On windows `px` is the product of the distances to the maximum.
        numbers = numbers
            - w.first.clone() * (a.r.clone() - y.clone())
            - w.more.clone() * (px_before.clone() * a.r.clone() - y);
    }
    vec![accumulators, numbers]
}

/// A maximum is at least every number of its window, and equal to one of them.
fn windows(row: &mut Row<'_, '_>) -> Vec<Ex> {
    let Some(w) = row.f.windows.clone() else { return vec![] };
    let x_before = row.x_before();
    let Some([_, px_before]) = &row.before.planes else { return vec![] };
    let (a, y) = (&row.a, row.read());
    vec![
        // The distance is a remainder, and so not negative.
        (w.first.clone() + w.more.clone()) * (a.x.clone() - y - a.r.clone()),
        w.more * (a.x.clone() - x_before),
        // The product of the window before has come to 0; the row before the first window has px = 0.
        w.first * px_before.clone(),
    ]
}

fn lookups(row: &Row<'_, '_>) -> Vec<Ex> {
    let Row { f, a, b, before, challenges, .. } = row;
    let [_, _, alpha, beta] = challenges;
    let fold = |first: Ex, second: Ex, third: Ex| first + beta.clone() * (second + beta.clone() * third);
    let pair = alpha.clone() - fold(a.q.clone(), a.x.clone(), f.tag.clone());
    let [input, output, tag] = f.table.clone();
    // 0 outside of the table, so that nothing there counts.
    let entry = f.active.clone() * alpha.clone() - fold(input, output, tag);
    let remainder = alpha.clone() - fold(a.r.clone(), f.scale.clone(), constant(TAG_REMAINDER));
    let looks = f.planes.as_ref().map(|p| p.look.clone()).unwrap_or_else(|| f.active.clone());
    let mut gates = vec![
        (b.looked.clone() - before.looked.clone()) * pair.clone() * entry.clone() - looks * entry
            + f.active.clone() * a.m.clone() * pair,
        f.active.clone() * ((b.rested.clone() - before.rested.clone()) * remainder - constant(1)),
    ];
    if let (Some(m), Some([reads, defs]), Some([reads_before, defs_before]), Some(y)) =
        (&f.memory, &b.memory, &before.memory, &a.y)
    {
        let read = alpha.clone() - fold(m.read.clone(), y.clone(), constant(TAG_MEMORY));
        let def = alpha.clone() - fold(m.index.clone(), a.x.clone(), constant(TAG_MEMORY));
        gates.push(f.active.clone() * ((reads.clone() - reads_before.clone()) * read - constant(1)));
        gates.push(f.active.clone() * (defs.clone() - defs_before.clone()) * def + m.uses.clone());
    }
    gates
}

/// Everything that runs over the whole table begins at 0 and comes to 0.
fn edges(row: &Row<'_, '_>) -> Vec<Ex> {
    let Row { f, b, before, .. } = row;
    let [first, last] = decode(&f.edge);
    let starts = [&before.defined, &before.used, &before.looked, &before.rested];
    let mut gates: Vec<Ex> =
        starts.into_iter().chain(before.memory.iter().flatten()).map(|c| first.clone() * c.clone()).collect();
    gates.push(last.clone() * (b.defined.clone() - b.used.clone()));
    gates.push(last.clone() * (b.looked.clone() + b.rested.clone()));
    if let Some([reads, defs]) = &b.memory {
        gates.push(last * (reads.clone() + defs.clone()));
    }
    gates
}
