//! The second phase: the running columns, from any first phase and the challenges.
//!
//! Each column follows its gate row by row; whether the ends meet is for the gates to say.

use halo2_proofs::halo2curves::bn256::Fr;
use halo2_proofs::halo2curves::ff::{BatchInvert, Field};

use super::columns::{CHALLENGES, First, Second};
use super::layout::{Layout, START_ROW};
use super::table::{TAG_MEMORY, TAG_REMAINDER};
use super::witness::Witness;
use crate::circuit::small;

/// The second-phase columns, each `end + 1` long.
pub fn columns(layout: &Layout, witness: &Witness, challenges: [Fr; CHALLENGES]) -> Second<Vec<Fr>> {
    let [z, channel, alpha, beta] = challenges;
    let Witness { first, instances, .. } = witness;
    let (features, rows) = (layout.constants.features, layout.end + 1);
    let mut second = Second::build(features, Vec::new);
    let (sums, (g, planes)) = rayon::join(
        || lookups(layout, first, alpha, beta),
        || rayon::join(|| kernels(layout, witness, channel), || features.planes.then(|| planes(layout, witness, z))),
    );
    let [looked, rested, reads, defs] = sums;
    (second.looked, second.rested) = (looked, rested);
    second.memory = features.memory.then_some([reads, defs]);
    let number = |row: usize| match (&planes, &first.y) {
        (Some([_, px]), _) => px[row],
        (None, Some(y)) => small(y[row]),
        (None, None) => small(first.x[row]),
    };
    let (many, input) =
        (channel.pow([layout.shape.kernels as u64]), channel.pow([layout.constants.input_shift as u64]));
    let (mut defined, mut used) = (vec![Fr::ZERO; rows], vec![Fr::ZERO; rows]);
    for row in START_ROW..rows {
        let f = &layout.fixed;
        let mut total = defined[row - 1];
        if f.ends[row] == 1 {
            total *= channel;
            if let Some([by, _]) = &planes {
                total += by[row];
            }
        }
        if planes.is_none() {
            total += accumulator(layout, witness, row);
        }
        if layout.places[row] != Fr::ZERO {
            total += input * layout.places[row] * small(first.x[row]);
        }
        defined[row] = total;
        let mut total = used[row - 1];
        total *= match f.moves[row] {
            1 => channel,
            2 => many,
            _ => Fr::ONE,
        };
        if f.moves[row] == 1 || (f.moves[row] == 2 && features.secret) {
            let place = row.checked_sub(layout.constants.instance_shift);
            total += place.and_then(|i| instances.get(i)).copied().unwrap_or(Fr::ZERO);
        }
        if let (Some(rounds), Some(sponge)) = (&f.rounds, &witness.sponge)
            && rounds.turn[row] == 2
        {
            total += sponge.t[row - 1] - layout.constants_of_rounds[row] - sponge.others[0][row];
        }
        if f.product[row] == 1 {
            total += g[row] * number(row);
        }
        used[row] = total;
    }
    (second.g, second.defined, second.used, second.planes) = (g, defined, used, planes);
    second
}

fn accumulator(layout: &Layout, witness: &Witness, row: usize) -> Fr {
    let (f, first) = (&layout.fixed, &witness.first);
    let a = small(first.q[row]) * small(f.scale[row]) + small(first.r[row]) - small(f.bias[row]);
    witness.secret.as_ref().map_or(a, |secret| a - secret.bias[row])
}

fn kernels(layout: &Layout, witness: &Witness, channel: Fr) -> Vec<Fr> {
    let first = &witness.first;
    let all = channel.pow([layout.shape.kernels as u64]);
    let mut g = vec![Fr::ZERO; layout.end + 1];
    for row in START_ROW..g.len() {
        let kernel = layout.kernel(witness.secret.as_ref(), row, channel);
        let kept = layout.fixed.product[row - 1] == 0 && g[row - 1] != Fr::ZERO;
        g[row] = if kept { kernel + all * g[row - 1] } else { kernel };
        if let (Some(factor), Some(y)) = (&layout.fixed.factor, &first.y)
            && factor[row] == 1
        {
            g[row] += small(y[row]);
        }
    }
    g
}

/// `by` and `px`.
fn planes(layout: &Layout, witness: &Witness, z: Fr) -> [Vec<Fr>; 2] {
    let first = &witness.first;
    let rows = layout.end + 1;
    let (mut by, mut px) = (vec![Fr::ZERO; rows], vec![Fr::ZERO; rows]);
    let (Some(codes), Some(y)) = (&layout.fixed.planes, &first.y) else { return [by, px] };
    let square = z * z;
    let offset = layout.constants.border_offset;
    for row in START_ROW..rows {
        let a = accumulator(layout, witness, row);
        by[row] = match codes.cell[row] {
            0 => a,
            1 => z * by[row - 1] + a,
            _ => square * by[row - 1] + a + z * small(first.q[row] - offset) + small(first.x[row] - offset),
        };
        let window = layout.fixed.windows.as_ref().map(|w| (w.first[row], w.more[row]));
        let factor = layout.fixed.factor.as_ref().is_some_and(|f| f[row] == 1);
        let number = if factor { Fr::ZERO } else { small(y[row]) };
        px[row] = match (window, codes.reach[row]) {
            (Some((1, _)), _) => small(first.r[row]),
            (Some((_, 1)), _) => px[row - 1] * small(first.r[row]),
            (_, 0) => number,
            (_, 1) => px[row - 1] + number,
            _ => z * px[row - 1] + number,
        };
    }
    [by, px]
}

/// The four running sums; the last two are empty without memory.
fn lookups(layout: &Layout, first: &First<Vec<i64>>, alpha: Fr, beta: Fr) -> [Vec<Fr>; 4] {
    let f = &layout.fixed;
    let square = beta * beta;
    let fold = |a: i64, b: i64, c: i64| alpha - small(a) - beta * small(b) - square * small(c);
    let rows = layout.end + 1;
    let active = START_ROW..rows;
    let memory = f.memory.as_ref().zip(first.y.as_ref());
    let mut poles: Vec<Fr> = Vec::with_capacity(5 * rows);
    for row in active.clone() {
        poles.push(fold(first.q[row], first.x[row], f.tag[row]));
        poles.push(fold(f.table[0][row], f.table[1][row], f.table[2][row]));
        poles.push(fold(first.r[row], f.scale[row], TAG_REMAINDER));
        if let Some((m, y)) = memory {
            poles.push(fold(m.read[row], y[row], TAG_MEMORY));
            poles.push(fold(m.index[row], first.x[row], TAG_MEMORY));
        }
    }
    // A pole at 0 has a chance of 2^-230; then the sums are wrong and the proof does not verify.
    poles.iter_mut().batch_invert();
    let width = if memory.is_some() { 5 } else { 3 };
    let mut sums = [(); 4].map(|()| vec![Fr::ZERO; rows]);
    if memory.is_none() {
        (sums[2], sums[3]) = (vec![], vec![]);
    }
    for (row, pole) in active.zip(poles.chunks(width)) {
        let looks = f.planes.as_ref().is_none_or(|p| p.look[row] == 1);
        let found = if first.m[row] == 0 { Fr::ZERO } else { small(first.m[row]) * pole[1] };
        sums[0][row] = sums[0][row - 1] + if looks { pole[0] } else { Fr::ZERO } - found;
        sums[1][row] = sums[1][row - 1] + pole[2];
        if let Some((m, _)) = memory {
            sums[2][row] = sums[2][row - 1] + pole[3];
            sums[3][row] = sums[3][row - 1] - small(m.uses[row]) * pole[4];
        }
    }
    sums
}
