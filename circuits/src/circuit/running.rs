//! The second phase: the running columns, from any first phase and the challenges.
//!
//! Each column follows its gate row by row; whether the ends meet is for the gates to say.

use halo2_proofs::halo2curves::bn256::Fr;
use halo2_proofs::halo2curves::ff::Field;
use rayon::prelude::*;

use super::columns::{CHALLENGES, First, Second};
use super::field::small;
use super::layout::{BORDER_OFFSET, Layout, Program, START_ROW};
use super::table::{Q0, TAG_REMAINDER};

/// Challenges and the powers of `z` that rows need.
struct Powers {
    z: Vec<Fr>,
    lambda: Fr,
    alpha: Fr,
    beta: Fr,
    mu: Fr,
}

/// The second-phase columns, each `end + 1` long.
pub fn columns(
    layout: &Layout,
    first: &First<Vec<i64>>,
    instances: &[Fr],
    challenges: [Fr; CHALLENGES],
) -> Second<Vec<Fr>> {
    let [z, lambda, alpha, beta, mu] = challenges;
    let g = &layout.geometry;
    let highest = g
        .spacing
        .max(g.tail_shift)
        .max(g.block_step)
        .max(g.product_shift())
        .max(g.groups.iter().map(|b| b.shift).max().unwrap_or(0));
    let powers = Powers { z: successive(z, highest + g.lanes + 1), lambda, alpha, beta, mu };
    let mut second = Second::build(&layout.widths, || vec![Fr::ZERO; layout.end + 1]);
    let (kernels, sums) = rayon::join(|| kernel_values(layout, &powers), || lookup_sums(layout, first, alpha, beta));
    second.sum = sums;
    let (px_g, py) =
        rayon::join(|| products_and_ranking(layout, first, &kernels, &powers), || outputs(layout, first, &powers));
    let (px, gs, ranked) = px_g;
    second.px = px;
    second.g = gs;
    second.ranked = ranked;
    second.py = py;
    second.total = totals(layout, first, instances, &second, &powers);
    second
}

fn successive(base: Fr, n: usize) -> Vec<Fr> {
    std::iter::successors(Some(Fr::ONE), |p| Some(p * base)).take(n).collect()
}

/// `Σ_m spacing^{kpr−1−m} K_m(z)` of each row.
fn kernel_values(layout: &Layout, powers: &Powers) -> Vec<Fr> {
    let g = &layout.geometry;
    let columns = &layout.fixed.kernel;
    let tau = powers.z[g.spacing];
    let tap_powers: Vec<Fr> = (0..g.taps).map(|t| powers.z[g.tap(t)]).collect();
    (0..layout.end + 1)
        .into_par_iter()
        .with_min_len(1024)
        .map(|row| {
            if layout.fixed.ordinary[row] == 0 {
                return Fr::ZERO;
            }
            columns.chunks(g.taps).fold(Fr::ZERO, |acc, taps| {
                let mut value = if acc == Fr::ZERO { acc } else { acc * tau };
                for (column, power) in taps.iter().zip(&tap_powers) {
                    if column[row] != 0 {
                        value += small(column[row]) * power;
                    }
                }
                value
            })
        })
        .collect()
}

type RankedColumns = (Vec<Fr>, Vec<Fr>, Vec<Vec<Fr>>);

/// `px`, `g` and the ranking's further lanes.
fn products_and_ranking(layout: &Layout, first: &First<Vec<i64>>, kernels: &[Fr], powers: &Powers) -> RankedColumns {
    let (g, f) = (&layout.geometry, &layout.fixed);
    let lanes = g.lanes;
    let n = layout.end + 1;
    let (mut px, mut gs, mut ranked) =
        (vec![Fr::ZERO; n], vec![Fr::ZERO; n], vec![vec![Fr::ZERO; n]; lanes.max(2) - 2]);
    let tau = powers.z[g.spacing].pow([layout.constants.kernels_per_row as u64]);
    for row in START_ROW..n {
        if f.ordinary[row] == 1 {
            let mut x = Fr::ZERO;
            for l in 0..lanes {
                let v = first.x[l][row];
                if v != 0 {
                    x += small(v) * powers.z[lanes - 1 - l];
                }
            }
            let step = match (f.step[row], f.input[row], f.block[row]) {
                (_, _, 1) => None,
                (1, ..) => Some(g.lanes),
                (2, ..) => Some(g.line_step),
                (_, 1, _) if f.bias[row] == 1 => Some(g.lanes),
                (_, 1, _) if f.residual[0][row] == 1 => Some(g.line_step),
                _ => Some(0),
            };
            px[row] = match step {
                None => x,
                Some(0) => px[row - 1] + x,
                Some(e) => px[row - 1] * powers.z[e] + x,
            };
            gs[row] = if f.block[row] == 1 { kernels[row] } else { gs[row - 1] * tau + kernels[row] };
            continue;
        }
        // Ranked and programmed rows: the running sum snakes through the lanes.
        let mut sum = match lanes {
            1 => px[row - 1],
            2 => gs[row - 1],
            _ => ranked[lanes - 3][row - 1],
        };
        for l in 0..lanes {
            let gain = if f.rank[row] == 1 && first.x[l][row] != 0 {
                ranked_pair(layout, first, row, l, powers).invert().unwrap_or(Fr::ZERO) * small(first.x[l][row])
            } else if l == 0 && f.program[row] == 1 && f.kernel[Program::Entry as usize][row] != 0 {
                let pair = powers.alpha - small(first.m[row]) - powers.beta * small(first.e[0][row]);
                -pair.invert().unwrap_or(Fr::ZERO)
            } else {
                Fr::ZERO
            };
            sum += gain;
            match l {
                0 => px[row] = sum,
                1 => gs[row] = sum,
                l => ranked[l - 2][row] = sum,
            }
        }
    }
    (px, gs, ranked)
}

fn ranked_pair(layout: &Layout, first: &First<Vec<i64>>, row: usize, lane: usize, powers: &Powers) -> Fr {
    let c = &layout.constants;
    let index = layout.index[row] + small(lane as i64);
    let accumulator = ((first.q[lane][row] - Q0) << c.rank_shift) + first.r[lane][row] + 1 - first.e[lane][row];
    let accumulator = small(accumulator) + small(first.m[row]);
    powers.alpha - (accumulator * small(1 << c.index_bits) - index) - powers.beta * index
}

/// `py`.
fn outputs(layout: &Layout, first: &First<Vec<i64>>, powers: &Powers) -> Vec<Fr> {
    let (g, f, c) = (&layout.geometry, &layout.fixed, &layout.constants);
    let lanes = g.lanes;
    let residual_powers: Vec<Fr> = c.residual_distances.iter().map(|d| powers.lambda.pow([*d as u64])).collect();
    let limb_power = powers.lambda.pow([c.limb_distance as u64]);
    let mut py = vec![Fr::ZERO; layout.end + 1];
    for row in START_ROW..=layout.end {
        let mut value = Fr::ZERO;
        if f.input[row] == 1 {
            let digits: i64 = (0..lanes).map(|l| first.x[l][row] * c.lane_radix.pow(l as u32)).sum();
            if digits != 0 {
                value = limb_power * layout.index[row] * small(digits);
            }
            py[row] = match (f.tensor[row], f.scale[row]) {
                (1, _) => value,
                (_, 0) => py[row - 1] + value,
                _ => py[row - 1] * powers.lambda + value,
            };
            continue;
        }
        let ordinary_or_rank = f.ordinary[row] + f.rank[row] == 1;
        for l in 0..lanes {
            let weight = powers.z[lanes - 1 - l];
            if ordinary_or_rank {
                let mut a = first.q[l][row].wrapping_mul(f.scale[row]) + first.r[l][row] - f.bias[row];
                if f.rank[row] == 1 {
                    a += first.m[row] - first.e[l][row];
                }
                if a != 0 {
                    value += weight * small(a);
                }
                for (multiplier, power) in f.residual.iter().zip(&residual_powers) {
                    let v = multiplier[row] * first.x[l][row];
                    if v != 0 {
                        value -= weight * power * small(v);
                    }
                }
            }
        }
        if g.taps == 9 {
            if f.step[row] == 2 {
                value += powers.z[lanes] * small(first.e[0][row] - BORDER_OFFSET);
            }
            if f.border[0][row] > 0 {
                let shift = g.groups[(f.border[0][row] - 1) as usize].shift;
                let mut es = Fr::ZERO;
                for l in 0..lanes {
                    es += powers.z[lanes - 1 - l] * small(first.e[l][row] - BORDER_OFFSET);
                }
                value += powers.z[shift] * es;
            }
        }
        let step = if f.program[row] == 1 {
            powers.z[g.tail_shift]
        } else if f.rank[row] == 1 {
            small(f.kernel[0][row]) * powers.z[lanes]
                + small(f.kernel[1][row]) * powers.z[g.line_step]
                + small(f.kernel[2][row]) * powers.z[g.block_step]
        } else {
            match (f.tensor[row], f.block[row], f.step[row]) {
                (1, ..) => Fr::ZERO,
                (_, 1, _) => powers.z[g.block_step],
                (_, _, 1) => powers.z[lanes],
                (_, _, 2) => powers.z[g.line_step],
                _ => Fr::ONE,
            }
        };
        py[row] = py[row - 1] * step + value;
    }
    py
}

/// `total`.
fn totals(
    layout: &Layout,
    first: &First<Vec<i64>>,
    instances: &[Fr],
    second: &Second<Vec<Fr>>,
    powers: &Powers,
) -> Vec<Fr> {
    let (g, f, c) = (&layout.geometry, &layout.fixed, &layout.constants);
    let lanes = g.lanes;
    let (lambda, mu) = (powers.lambda, powers.mu);
    let mu2 = mu * mu;
    let pack = mu2 * lambda.pow([c.limbs as u64]);
    let product = lambda * powers.z[g.product_shift()];
    let mut total = vec![Fr::ZERO; layout.end + 1];
    for row in START_ROW..=layout.end {
        let mut value = total[row - 1];
        if f.block[row] == 1 {
            value += product * second.g[row - 1] * second.px[row - 1];
        }
        if f.tensor[row] == 1 {
            value = lambda * (value - second.py[row - 1]);
        }
        if f.ordinary[row] == 1 && row < instances.len() {
            value += lambda * instances[row];
        }
        if f.rank[row] == 1 {
            for l in 0..lanes {
                let before = if l == 0 { first.e[lanes - 1][row - 1] } else { first.e[l - 1][row] };
                let fall = before - first.e[l][row];
                if fall != 0 {
                    value += mu * small(fall) * (layout.index[row] + small(l as i64));
                }
            }
        }
        if f.program[row] == 1 {
            if f.kernel[Program::Threshold as usize][row] == 1 {
                value -= mu * small(first.e[0][row - 1]);
            }
            if f.kernel[Program::Start as usize][row] == 1 && row < instances.len() {
                value += mu2 * instances[row];
            }
            if first.e[0][row] != 0 {
                value -= pack * layout.index[row] * small(first.e[0][row]);
            }
        }
        total[row] = value;
    }
    total
}

/// Running sums of the lookups: lane 0's pairs less the table, then the others.
fn lookup_sums(layout: &Layout, first: &First<Vec<i64>>, alpha: Fr, beta: Fr) -> Vec<Vec<Fr>> {
    let f = &layout.fixed;
    let beta2 = beta * beta;
    let remainder_tag = beta2 * small(TAG_REMAINDER);
    let n = layout.end + 1;
    let kinds = 2 * layout.geometry.lanes;
    let mut columns: Vec<Vec<Fr>> = (0..kinds)
        .into_par_iter()
        .map(|i| {
            let l = i / 2;
            (0..n)
                .into_par_iter()
                .with_min_len(1024)
                .map(|row| {
                    if row < START_ROW {
                        Fr::ZERO
                    } else if i % 2 == 0 {
                        alpha - small(first.q[l][row]) - beta * small(first.x[l][row]) - beta2 * small(f.tag[row])
                    } else {
                        alpha - small(first.r[l][row]) - beta * small(f.scale[row]) - remainder_tag
                    }
                })
                .collect()
        })
        .collect();
    let counted: Vec<usize> = layout.table_rows.iter().copied().filter(|&row| first.m[row] != 0).collect();
    let mut entries: Vec<Fr> = counted
        .iter()
        .map(|&row| alpha - small(f.table_in[row]) - beta * small(f.table_out[row]) - beta2 * small(f.table_tag[row]))
        .collect();
    columns.par_iter_mut().for_each(|c| c.par_chunks_mut(4096).for_each(invert_all));
    entries.par_chunks_mut(1024).for_each(invert_all);
    for (row, inverse) in counted.into_iter().zip(entries) {
        columns[0][row] -= small(first.m[row]) * inverse;
    }
    columns.par_iter_mut().for_each(|c| {
        let mut sum = Fr::ZERO;
        for v in c.iter_mut() {
            sum += *v;
            *v = sum;
        }
    });
    columns
}

/// Replaces each value by its inverse; 0 stays 0.
fn invert_all(values: &mut [Fr]) {
    let mut prefix = Vec::with_capacity(values.len());
    let mut product = Fr::ONE;
    for v in values.iter() {
        prefix.push(product);
        if *v != Fr::ZERO {
            product *= v;
        }
    }
    let mut inverse = product.invert().unwrap_or(Fr::ZERO);
    for (v, before) in values.iter_mut().zip(prefix).rev() {
        if *v != Fr::ZERO {
            let this = inverse * before;
            inverse *= *v;
            *v = this;
        }
    }
}
