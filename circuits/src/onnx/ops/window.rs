//! Kernels that slide over boards: sizes, strides and padding of convolutions and pools.

use super::super::lower::{Lowered, Lowering};
use super::super::shape::{strides, walk};
use crate::float::MAX_ELEMENTS;

/// One spatial axis of a sliding kernel.
#[derive(Clone, Copy, Debug)]
pub(super) struct Axis {
    /// Size of the input.
    pub(super) size: usize,
    pub(super) kernel: usize,
    pub(super) stride: usize,
    pub(super) dilation: usize,
    /// Padding before and after.
    pub(super) pads: [usize; 2],
    /// Size of the output.
    pub(super) out: usize,
}

impl Axis {
    /// First and last position that the kernel covers at an output position, in coordinates of the input.
    fn taps(&self, out: usize) -> impl Iterator<Item = isize> + use<> {
        let first = (out * self.stride) as isize - self.pads[0] as isize;
        let (kernel, dilation) = (self.kernel, self.dilation);
        (0..kernel).map(move |k| first + (k * dilation) as isize)
    }
}

/// Reads `strides`, `pads`, `dilations`, `auto_pad` and `ceil_mode` for a kernel over the spatial sizes.
pub(super) fn axes(l: &Lowering<'_>, sizes: &[usize], kernel: &[usize], ceil: bool) -> Lowered<Vec<Axis>> {
    let rank = sizes.len();
    let list = |name, length: usize, default: i64, least: i64| -> Lowered<Vec<usize>> {
        let given = l.ints(name)?.map_or_else(|| vec![default; length], <[i64]>::to_vec);
        let whole: Option<Vec<usize>> = given
            .iter()
            .map(|v| usize::try_from(*v).ok().filter(|v| *v as i64 >= least && *v < MAX_ELEMENTS))
            .collect();
        match whole {
            Some(list) if list.len() == length => Ok(list),
            _ => Err(l.place.setting(
                format!("{name} {given:?} don't suit {rank} spatial dimensions"),
                "give one number per dimension, within reason",
            )),
        }
    };
    let (stride, dilation) = (list("strides", rank, 1, 1)?, list("dilations", rank, 1, 1)?);
    let pads = list("pads", 2 * rank, 0, 0)?;
    let auto = l.string("auto_pad", "NOTSET")?;
    (0..rank)
        .map(|i| {
            let (size, kernel, stride, dilation) = (sizes[i], kernel[i], stride[i], dilation[i]);
            let reach = kernel.checked_sub(1).and_then(|k| k.checked_mul(dilation)).and_then(|k| k.checked_add(1));
            let reach = reach.filter(|r| *r <= MAX_ELEMENTS).ok_or_else(|| l.place.shape("the kernel has no size"))?;
            let pads = match auto.as_str() {
                "NOTSET" => [pads[i], pads[rank + i]],
                "VALID" => [0, 0],
                "SAME_UPPER" | "SAME_LOWER" => {
                    let total = (size.div_ceil(stride).saturating_sub(1) * stride + reach).saturating_sub(size);
                    let less = total / 2;
                    if auto == "SAME_UPPER" { [less, total - less] } else { [total - less, less] }
                }
                other => {
                    return Err(l.place.setting(format!("auto_pad is {other:?}"), "use explicit pads"));
                }
            };
            let room = (size + pads[0] + pads[1]).checked_sub(reach).ok_or_else(|| {
                l.place.shape(format!("a kernel that reaches over {reach} doesn't fit size {size} with pads {pads:?}"))
            })?;
            let mut out = if ceil { room.div_ceil(stride) } else { room / stride } + 1;
            // A window that starts behind the board and its padding before doesn't count.
            while ceil && out > 1 && (out - 1) * stride >= size + pads[0] {
                out -= 1;
            }
            Ok(Axis { size, kernel, stride, dilation, pads, out })
        })
        .collect()
}

/// The attribute `kernel_shape`, or what the weights say.
pub(super) fn kernel(l: &Lowering<'_>, spatial: usize, weights: Option<&[usize]>) -> Lowered<Vec<usize>> {
    let given = l.ints("kernel_shape")?;
    let given: Option<Vec<usize>> = given.map(|g| g.iter().map(|v| usize::try_from(*v).unwrap_or(0)).collect());
    let fits = |k: &Vec<usize>| k.len() == spatial && k.iter().all(|v| (1..MAX_ELEMENTS).contains(v));
    match (given, weights) {
        (Some(k), Some(w)) if k != w => {
            Err(l.place.shape(format!("kernel_shape {k:?} isn't that of its weights {w:?}")))
        }
        (Some(k), _) if fits(&k) => Ok(k),
        (None, Some(w)) if fits(&w.to_vec()) => Ok(w.to_vec()),
        _ => Err(l.place.shape(format!("it has no kernel_shape of {spatial} dimensions"))),
    }
}

/// A pool's windows over one channel, as lists of positions on its board.
pub(super) fn windows(l: &mut Lowering<'_>, axes: &[Axis]) -> Lowered<Vec<Vec<u32>>> {
    let out: Vec<usize> = axes.iter().map(|a| a.out).collect();
    let kernel: Vec<usize> = axes.iter().map(|a| a.kernel).collect();
    let all = [&out[..], &kernel[..]].concat();
    l.sized(&all)?;
    let board = strides(&axes.iter().map(|a| a.size).collect::<Vec<_>>());
    let at = strides(&out);
    let window = |index: u32| {
        let mut taps = vec![0isize];
        for ((axis, step), stride) in axes.iter().zip(&at).zip(&board) {
            let position = index as usize / *step as usize % axis.out;
            let inside: Vec<isize> =
                axis.taps(position).filter(|i| *i >= 0 && *i < axis.size as isize).map(|i| i * stride).collect();
            taps = taps.iter().flat_map(|t| inside.iter().map(move |i| t + i)).collect();
        }
        taps.into_iter().map(|t| t as u32).collect()
    };
    Ok(walk(&out, &at, 0).into_iter().map(window).collect())
}
