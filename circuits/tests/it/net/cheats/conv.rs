//! Convolutions over planes: kernels, border values, padding, the phases of a stride, groups, dilation.

use zugzwang_circuits::net::circuit::{Def, Planes};
use zugzwang_circuits::net::{Conv, Net, Step};

use super::{Cells, Force, Gate, Lie, Running, Trial, check, small};
use crate::net::operators::{conv_of, depthwise, padded, strided};

use Gate::{Memory, Runs, Sides};

/// For each output, the weights that meet cells of padding.
fn outside(conv: &Conv) -> Vec<i64> {
    let [ins, height, width] = conv.input;
    let [out_height, out_width] = conv.plane();
    let area = conv.kernel[0] * conv.kernel[1];
    let mut sums = vec![0; conv.len()];
    for (at, sum) in sums.iter_mut().enumerate() {
        let (o, i, j) = (at / (out_height * out_width), at / out_width % out_height, at % out_width);
        for tap in 0..area {
            let (a, b) = (i + tap / conv.kernel[1], j + tap % conv.kernel[1]);
            let inside =
                (conv.pads[0]..conv.pads[0] + height).contains(&a) && (conv.pads[1]..conv.pads[1] + width).contains(&b);
            if !inside {
                *sum += (0..ins).map(|c| conv.weights[(o * ins + c) * area + tap]).sum::<i64>();
            }
        }
    }
    sums
}

/// A number that is not 0 where a plane of input channel 0 has no cell, beside its first line, in a prover's every sum.
fn filled_gap(trial: &Trial) -> Option<Cells> {
    let mut net = trial.case.net.clone();
    let conv = conv_of(&mut net, 0).clone();
    let planes = Planes::new(&conv);
    let gap = planes.is_cell.iter().position(Option::is_none)?;
    let [ins, area] = [conv.input[0], conv.kernel[0] * conv.kernel[1]];
    let cells = planes.outputs.iter().flatten().count();
    let met: Vec<(usize, usize)> = planes.taps.iter().map(|(d, tap)| (planes.meets(gap, *d), *tap)).collect();
    let weight = |o: usize, tap: usize| conv.weights[o * ins * area + tap];
    let trace = trial.summed(0, |a| {
        for (position, tap) in &met {
            if let Some(output) = planes.outputs[*position] {
                (0..conv.channels).for_each(|o| a[o * cells + output] += weight(o, *tap));
            }
        }
    })?;
    let mut lie = trial.of(&trace)?;
    for (row, def) in trial.case.layout.defs.iter().enumerate() {
        for (position, tap) in &met {
            match *def {
                Def::Pair { channel, position: p, .. } if p == *position => {
                    Cells::add(&mut lie.first.q, row, weight(channel, *tap));
                }
                Def::Pair { channel, position: p, .. } if p + 1 == *position => {
                    Cells::add(&mut lie.first.x, row, weight(channel, *tap));
                }
                Def::Single { channel, position: p, .. } if p == *position => {
                    Cells::add(&mut lie.first.q, row, weight(channel, *tap));
                }
                _ => {}
            }
        }
    }
    let reads = &trial.case.layout.reads;
    let row = (1..reads.len())
        .find(|r| reads[*r].is_none() && reads[*r - 1].is_some_and(|(t, i)| (t, i) == (0, conv.input[2] - 1)))?;
    lie.y()[row] = small(1);
    Some(lie)
}

/// The first row of a kind whose next row is of another.
fn beside(trial: &Trial, first: fn(&Def) -> bool, second: fn(&Def) -> bool) -> Option<usize> {
    let defs = &trial.case.layout.defs;
    (0..defs.len() - 1).find(|r| first(&defs[*r]) && second(&defs[*r + 1]))
}

fn is_number(def: &Def) -> bool {
    matches!(def, Def::Number { tensor: 1, .. })
}

fn is_border(def: &Def) -> bool {
    matches!(def, Def::Pair { .. } | Def::Single { .. })
}

const PADDED: &[Lie] = &[
    Lie {
        about: "another weight",
        breaks: &[Sides],
        make: |t| (0..36).find_map(|i| t.swapped(|net| conv_of(net, 0).weights[i] += 1)),
    },
    Lie {
        about: "kernels turned by half a turn: a convolution instead of a correlation",
        breaks: &[Sides],
        make: |t| t.swapped(|net| conv_of(net, 0).weights.chunks_mut(9).for_each(<[i64]>::reverse)),
    },
    Lie {
        about: "the kernels of two input channels exchanged",
        breaks: &[Sides],
        make: |t| t.swapped(|net| conv_of(net, 0).weights.chunks_mut(18).for_each(|k| k.rotate_left(9))),
    },
    Lie {
        about: "the accumulators of two output channels exchanged",
        breaks: &[Sides],
        make: |t| t.of(&t.summed(0, |a| a.rotate_left(12))?),
    },
    Lie { about: "an accumulator more by one, rescaled as it should be", breaks: &[Sides], make: |t| t.one_more(0) },
    Lie {
        about: "padding with ones",
        breaks: &[Sides],
        make: |t| {
            let more = outside(conv_of(&mut t.case.net.clone(), 0));
            t.of(&t.summed(0, |a| a.iter_mut().zip(more).for_each(|(a, more)| *a += more))?)
        },
    },
    Lie { about: "a number where the plane has no cell, in every sum", breaks: &[Memory], make: filled_gap },
    Lie {
        about: "an output's sum moved to the border value after it",
        breaks: &[Sides],
        make: |t| {
            let row = beside(t, is_number, is_border)?;
            let Def::Number { index, .. } = t.case.layout.defs[row] else { return None };
            let mut lie = t.of(&t.summed(0, |a| a[index] += 1)?)?;
            Cells::add(&mut lie.first.q, row + 1, -1);
            Some(lie)
        },
    },
    Lie {
        about: "an output's sum moved to the border value before it",
        breaks: &[Sides],
        make: |t| {
            let row = beside(t, is_border, is_number)?;
            let Def::Number { index, .. } = t.case.layout.defs[row + 1] else { return None };
            let mut lie = t.of(&t.summed(0, |a| a[index] += 1)?)?;
            let pair = matches!(t.case.layout.defs[row], Def::Pair { .. });
            Cells::add(if pair { &mut lie.first.x } else { &mut lie.first.q }, row, -1);
            Some(lie)
        },
    },
    Lie {
        about: "two border values exchanged",
        breaks: &[Sides],
        make: |t| {
            let mut lie = t.honest();
            let pairs = t.rows(|def| matches!(def, Def::Pair { .. }));
            let row = pairs.into_iter().find(|r| lie.first.q[*r] != lie.first.x[*r])?;
            (lie.first.q[row], lie.first.x[row]) = (lie.first.x[row], lie.first.q[row]);
            Some(lie)
        },
    },
    Lie {
        about: "a border value that is not what the padding cuts off",
        breaks: &[Sides],
        make: |t| {
            let mut lie = t.honest();
            let row = *t.rows(is_border).first()?;
            Cells::add(&mut lie.first.q, row, 1);
            Some(lie)
        },
    },
    Lie {
        about: "a plane read one cell further on",
        breaks: &[Memory],
        make: |t| t.misread(0, |x| x[..12].rotate_left(1)),
    },
    Lie {
        about: "the planes of two channels exchanged where they are read",
        breaks: &[Memory],
        make: |t| t.misread(0, |x| x.rotate_left(12)),
    },
    Lie {
        about: "a channel's sums not begun anew",
        breaks: &[Runs(Running::By), Sides],
        make: |t| {
            let is = |def: &Def| matches!(def, Def::Single { channel: 1, .. } | Def::Pair { channel: 1, .. });
            Some(t.honest().force(Running::By, *t.rows(is).first()?, Force::Stale))
        },
    },
    Lie {
        about: "a plane's numbers not begun anew",
        breaks: &[Runs(Running::Px), Sides],
        make: |t| {
            let row = t.case.layout.reads.iter().position(|read| *read == Some((0, 12)))?;
            Some(t.honest().force(Running::Px, row, Force::Stale))
        },
    },
    Lie {
        about: "another kernel slipped into those of a row",
        breaks: &[Runs(Running::G), Sides],
        make: |t| {
            let row = t.case.layout.fixed.product.iter().rposition(|product| *product == 1)?;
            Some(t.honest().force(Running::G, row, Force::Add(small(1))))
        },
    },
    Lie {
        about: "another weight, and the difference taken off at the end",
        breaks: &[Runs(Running::Used)],
        make: |t| {
            let lie = (0..36).find_map(|i| t.swapped(|net| conv_of(net, 0).weights[i] += 1))?;
            Some(lie.force(Running::Used, t.end(), Force::As(Running::Defined)))
        },
    },
];

fn phases(net: &mut Net) -> &mut Vec<[u32; 2]> {
    match &mut net.nodes[0].step {
        Step::Move(from) => from,
        _ => panic!("the first node splits the input into phases"),
    }
}

const STRIDED: &[Lie] = &[
    Lie {
        about: "two phases exchanged",
        breaks: &[Memory],
        make: |t| t.swapped(|net| phases(net)[..12].rotate_left(6)),
    },
    Lie {
        about: "every second number read of the phase beside it",
        breaks: &[Memory],
        make: |t| t.swapped(|net| (0..6).step_by(2).for_each(|i| phases(net).swap(i, i + 6))),
    },
    Lie {
        about: "another weight of the last phase",
        breaks: &[Sides],
        make: |t| (12..16).find_map(|i| t.swapped(|net| conv_of(net, 1).weights[i] += 1)),
    },
    Lie {
        about: "the kernels of two phases exchanged",
        breaks: &[Sides],
        make: |t| t.swapped(|net| conv_of(net, 1).weights[..8].rotate_left(4)),
    },
];

const DEPTHWISE: &[Lie] = &[
    Lie {
        about: "the kernel of another channel",
        breaks: &[Sides],
        make: |t| t.swapped(|net| conv_of(net, 0).weights.rotate_left(4)),
    },
    Lie { about: "the plane of another channel", breaks: &[Memory], make: |t| t.misread(0, |x| x.rotate_left(12)) },
    Lie {
        about: "a channel that reaches another group's outputs",
        breaks: &[Sides],
        make: |t| {
            t.swapped(|net| {
                let conv = conv_of(net, 0);
                let own = std::mem::take(&mut conv.weights);
                // Output o reads its own plane, and the first output the second plane's first taps, too.
                conv.weights = vec![0; 36];
                (0..3).for_each(|o| conv.weights[16 * o..16 * o + 4].copy_from_slice(&own[4 * o..4 * o + 4]));
                (conv.weights[4], conv.groups) = (1, 1);
            })
        },
    },
    Lie {
        about: "dilation left out",
        breaks: &[Sides],
        make: |t| {
            t.swapped(|net| {
                let conv = conv_of(net, 0);
                (conv.dilation, conv.pads) = ([1, 1], [0, 1, 1, 0]);
            })
        },
    },
    Lie {
        about: "padding on the other sides",
        breaks: &[Sides],
        make: |t| t.swapped(|net| conv_of(net, 0).pads.rotate_left(2)),
    },
];

#[test]
fn lies_about_padded_planes_are_caught() {
    check(padded, PADDED);
}

#[test]
fn lies_about_strides_are_caught() {
    check(strided, STRIDED);
}

#[test]
fn lies_about_groups_and_dilation_are_caught() {
    check(depthwise, DEPTHWISE);
}

/// Border values are free only because no output shares a position with one: enumerated over all small geometries.
#[test]
fn no_product_lands_on_an_output_of_another() {
    let mut geometries = 0;
    for code in 0..4usize.pow(4) * 81 * 4 {
        let digit = |by: usize, base: usize| code / by % base;
        let input = [1, 1 + digit(1, 4), 1 + digit(4, 4)];
        let kernel = [1 + digit(16, 4), 1 + digit(64, 4)];
        let pads = [digit(256, 3), digit(768, 3), digit(2304, 3), digit(6912, 3)];
        let dilation = [1 + digit(20736, 2), 1 + digit(41472, 2)];
        let conv =
            Conv { input, channels: 1, kernel, pads, dilation, groups: 1, weights: vec![0; kernel[0] * kernel[1]] };
        let [kh, kw] = conv.extent();
        let fits = kh <= input[1] + pads[0] + pads[2] && kw <= input[2] + pads[1] + pads[3];
        if !fits || pads[0].max(pads[2]) >= kh || pads[1].max(pads[3]) >= kw {
            continue;
        }
        geometries += 1;
        let (planes, [height, width]) = (Planes::new(&conv), conv.plane());
        assert_eq!(planes.outputs.iter().flatten().count(), height * width, "{conv:?}");
        for (position, cell) in planes.is_cell.iter().enumerate() {
            let Some(cell) = cell else { continue };
            for (distance, tap) in &planes.taps {
                let row = (cell / input[2] + pads[0]).checked_sub(tap / kernel[1] * dilation[0]);
                let column = (cell % input[2] + pads[1]).checked_sub(tap % kernel[1] * dilation[1]);
                let output = row.zip(column).filter(|(i, j)| *i < height && *j < width);
                let want = output.map(|(i, j)| i * width + j);
                assert_eq!(planes.outputs[planes.meets(position, *distance)], want, "{conv:?}");
            }
        }
    }
    assert!(geometries > 5000, "{geometries}");
    println!("{geometries} geometries");
}
