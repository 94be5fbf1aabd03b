//! The first phase: small integers for every row, and the public values.

use halo2_proofs::halo2curves::bn256::Fr;
use halo2_proofs::halo2curves::ff::Field;

use super::NetCircuitError;
use super::columns::{First, Secret};
use super::layout::{Layout, START_ROW};
use super::planes::Planes;
use super::rows::Def;
use super::sponge::{self, State};
use super::table::TAG_REMAINDER;
use crate::circuit::small;
use crate::net::interpret::Trace;
use crate::net::{Conv, Linear, Net, Step, packing};
use crate::poseidon::{self, Salt};

/// A witness of one run.
#[derive(Clone, Debug)]
pub struct Witness {
    /// First-phase columns, each `end + 1` long.
    pub first: First<Vec<i64>>,
    /// Private weights and biases, as the layout has them.
    pub secret: Option<Secret<Vec<Fr>>>,
    /// What the last two rows of each private column hold, fresh for each proof; none for a mock prover.
    pub blinding: Vec<[Fr; 2]>,
    /// The commitment to a private input.
    pub sponge: Option<State<Vec<Fr>>>,
    /// Public values: request (2), input limbs or the commitment to them, output limbs.
    pub instances: Vec<Fr>,
}

impl Witness {
    /// The witness of `trace`, bound to `request`; the input is public.
    ///
    /// # Errors
    /// Fails if the trace isn't this net's, or the input is private.
    pub fn new(layout: &Layout, net: &Net, trace: &Trace, request: [Fr; 2]) -> Result<Self, NetCircuitError> {
        Self::salted(layout, net, trace, request, None)
    }

    /// The same with the salt of a private input.
    ///
    /// # Errors
    /// Fails if the trace isn't this net's, a salt is missing, or there is one for a public input.
    pub fn salted(
        layout: &Layout,
        net: &Net,
        trace: &Trace,
        request: [Fr; 2],
        salt: Option<Salt>,
    ) -> Result<Self, NetCircuitError> {
        let mut witness = Self::place_salted(layout, net, trace, request, salt)?;
        match witness.count(layout) {
            0 => Ok(witness),
            missing => Err(NetCircuitError::Trace { reason: format!("{missing} numbers are in no table") }),
        }
    }

    /// Places any trace, right or wrong, without counting the lookups.
    ///
    /// # Errors
    /// Fails if the trace has another shape.
    pub fn place(layout: &Layout, net: &Net, trace: &Trace, request: [Fr; 2]) -> Result<Self, NetCircuitError> {
        Self::place_salted(layout, net, trace, request, None)
    }

    /// The same with the salt of a private input.
    ///
    /// # Errors
    /// As [`Witness::place`], or if there is a salt too many or too few.
    pub fn place_salted(
        layout: &Layout,
        net: &Net,
        trace: &Trace,
        request: [Fr; 2],
        salt: Option<Salt>,
    ) -> Result<Self, NetCircuitError> {
        if salt.is_some() != layout.constants.features.sponge {
            return Err(NetCircuitError::Salt { private: salt.is_none() });
        }
        let shapes = trace.tensors.len() == net.tensors()
            && trace.tensors.iter().enumerate().all(|(t, x)| x.len() == net.len(t))
            && trace.accumulators.len() == net.nodes.len();
        if !shapes {
            return Err(NetCircuitError::Trace { reason: "it is of another net".into() });
        }
        let rows = layout.end + 1;
        let mut first = First::build(layout.constants.features, || vec![0i64; rows]);
        let borders = Borders::new(net, trace);
        for (row, def) in layout.defs.iter().enumerate().skip(START_ROW) {
            match *def {
                Def::Idle | Def::Closed => {}
                Def::Number { tensor, index } => {
                    first.x[row] = trace.tensors[tensor][index];
                    if let Some(node) = tensor.checked_sub(net.inputs.len())
                        && let Step::Linear(_, rescale) = &net.nodes[node].step
                    {
                        let a = *trace.accumulators[node].get(index).ok_or_else(|| NetCircuitError::Trace {
                            reason: format!("node {} has too few accumulators", net.nodes[node].name),
                        })?;
                        let q = a >> rescale.shift[index];
                        first.q[row] = q + layout.table.offset;
                        first.r[row] = a - (q << rescale.shift[index]);
                    }
                }
                Def::Pair { node, channel, position } => {
                    first.q[row] = borders.at(node, channel, position) + layout.constants.border_offset;
                    first.x[row] = borders.at(node, channel, position + 1) + layout.constants.border_offset;
                }
                Def::Single { node, channel, position } => {
                    first.q[row] = borders.at(node, channel, position) + layout.constants.border_offset;
                }
                Def::Window { tensor, window, element } => {
                    let Step::Max(windows) = &net.nodes[tensor - net.inputs.len()].step else { continue };
                    let source = &trace.tensors[net.nodes[tensor - net.inputs.len()].inputs[0]];
                    first.x[row] = trace.tensors[tensor][window];
                    first.r[row] = first.x[row] - source[windows.of(window)[element] as usize];
                }
            }
        }
        if let Some(y) = &mut first.y {
            for (row, read) in layout.reads.iter().enumerate() {
                if let Some((tensor, index)) = read {
                    y[row] = trace.tensors[*tensor][*index];
                }
            }
        }
        let inputs = input_limbs(net, &trace.tensors);
        let mut instances = request.to_vec();
        let sponge = salt.map(|salt| sponge::witness(salt, &inputs));
        match salt {
            Some(salt) => instances.push(poseidon::commit(salt, &inputs)),
            None => instances.extend(inputs),
        }
        instances.extend(output_limbs(net, trace));
        Ok(Self { first, secret: layout.secret.clone(), blinding: vec![], sponge, instances })
    }

    /// Counts the lookups anew; how many are in no entry.
    pub fn count(&mut self, layout: &Layout) -> usize {
        let mut missing = 0;
        self.first.m.iter_mut().for_each(|m| *m = 0);
        for row in START_ROW..=layout.end {
            let looks = layout.fixed.planes.as_ref().is_none_or(|p| p.look[row] == 1);
            let pair = [self.first.q[row], self.first.x[row], layout.fixed.tag[row]];
            let remainder = [self.first.r[row], layout.fixed.scale[row], TAG_REMAINDER];
            for entry in [looks.then_some(pair), Some(remainder)].into_iter().flatten() {
                match layout.entry_row(&entry) {
                    Some(at) => self.first.m[at] += 1,
                    None => missing += 1,
                }
            }
        }
        missing
    }
}

/// The limbs of a net's inputs, one list of integers for each.
pub(crate) fn input_limbs(net: &Net, inputs: &[Vec<i64>]) -> Vec<Fr> {
    packed(net.inputs.iter().zip(inputs).map(|(input, values)| (&values[..], input.bits)).collect())
}

pub(crate) fn output_limbs(net: &Net, trace: &Trace) -> Vec<Fr> {
    packed(net.outputs.iter().map(|output| (&trace.tensors[output.tensor][..], output.bits)).collect())
}

fn packed(parts: Vec<(&[i64], u32)>) -> Vec<Fr> {
    let (places, count) = packing(parts.iter().map(|(values, bits)| (values.len(), *bits)));
    let mut limbs = vec![Fr::ZERO; count];
    for ((values, _), places) in parts.iter().zip(&places) {
        for (v, (limb, offset)) in values.iter().zip(places) {
            limbs[*limb] += small(*v) * Fr::from(2).pow([u64::from(*offset)]);
        }
    }
    limbs
}

/// The border values of a run's convolutions, computed where they are asked for.
struct Borders<'a> {
    nodes: Vec<Option<(&'a Conv, Planes, &'a [i64])>>,
}

impl<'a> Borders<'a> {
    fn new(net: &'a Net, trace: &'a Trace) -> Self {
        let nodes = net.nodes.iter().map(|node| match &node.step {
            Step::Linear(Linear::Conv(conv), _) if !conv.is_dense() => {
                Some((conv, Planes::new(conv), &trace.tensors[node.inputs[0]][..]))
            }
            _ => None,
        });
        Self { nodes: nodes.collect() }
    }

    /// The coefficient of the product of a channel's kernels and their planes at `position`.
    fn at(&self, node: usize, channel: usize, position: usize) -> i64 {
        let Some((conv, planes, source)) = &self.nodes[node] else { return 0 };
        let (ins, outs) = (conv.input[0] / conv.groups, conv.channels / conv.groups);
        let area = conv.kernel[0] * conv.kernel[1];
        let plane = conv.input[1] * conv.input[2];
        let mut sum = 0;
        for (distance, tap) in &planes.taps {
            let Some(at) = (position + distance).checked_sub(planes.length - planes.cells) else { continue };
            let Some(Some(cell)) = planes.is_cell.get(at) else { continue };
            for c in 0..ins {
                let w = conv.weights[(channel * ins + c) * area + tap];
                sum += w * source[(channel / outs * ins + c) * plane + cell];
            }
        }
        sum
    }
}
