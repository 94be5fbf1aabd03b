//! The rows of both sides, before they are put into columns.

use halo2_proofs::halo2curves::bn256::Fr;
use halo2_proofs::halo2curves::ff::Field;

use super::NetCircuitError;
use super::columns::Features;
use super::layout::{Needs, START_ROW, features};
use super::planes::Planes;
use super::sponge;
use super::table::{TAG_IDLE, Table, distance_bits, input_tag, table_tag};
use crate::circuit::small;
use crate::net::bounds::Bounds;
use crate::net::{Conv, Linear, Net, Node, Products, Rescale, Sparse, Step, Windows, packing};

/// What a row of the defining side holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Def {
    /// Nothing.
    #[default]
    Idle,
    /// A number of a tensor.
    Number {
        /// The tensor.
        tensor: usize,
        /// Which number.
        index: usize,
    },
    /// Border values at two positions of a channel's product, `q` and `x`.
    Pair {
        /// The node.
        node: usize,
        /// Its channel.
        channel: usize,
        /// The first position.
        position: usize,
    },
    /// One border value, `q`.
    Single {
        /// The node.
        node: usize,
        /// Its channel.
        channel: usize,
        /// The position.
        position: usize,
    },
    /// The maximum of a window, once more for each of its cells.
    Window {
        /// The tensor of maxima.
        tensor: usize,
        /// Which of them.
        window: usize,
        /// Which cell of the window is read here.
        element: usize,
    },
    /// The row after the last window.
    Closed,
}

/// A row of the defining side.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct DefRow {
    pub(super) def: Def,
    pub(super) tag: i64,
    pub(super) scale: i64,
    /// The part of the bias that the layout adds.
    pub(super) bias: i64,
    /// The model's own part.
    pub(super) model_bias: i64,
    /// The model has one here, if it is 0 too.
    pub(super) has_bias: bool,
    pub(super) ends: bool,
    pub(super) cell: i64,
    /// The number is a part of a public limb.
    pub(super) input: bool,
}

/// A row of the reading side.
#[derive(Clone, Debug, Default)]
pub(super) struct UseRow {
    pub(super) read: Option<(usize, usize)>,
    pub(super) product: bool,
    pub(super) moves: i64,
    pub(super) reach: i64,
    pub(super) factor: bool,
    pub(super) weights: Vec<(usize, Fr)>,
    /// The model has kernels here, if they are 0 too.
    pub(super) kernels: bool,
    /// The kernels are outputs' place values, no weights.
    pub(super) place_values: bool,
}

/// An integer weight as it stands in the table.
pub(super) fn weight(v: i64) -> Fr {
    small(v)
}

/// Both sides.
pub(super) struct Rows {
    pub(super) features: Features,
    pub(super) defs: Vec<DefRow>,
    pub(super) uses: Vec<UseRow>,
    pub(super) table: Table,
    pub(super) input_shift: usize,
    pub(super) border_offset: i64,
    /// See [`super::layout::Constants::instance_shift`].
    pub(super) instance_shift: usize,
    kernels: usize,
    /// Channels from one output limb to the next.
    limb_step: usize,
    /// Channels of both sides so far.
    channels: [usize; 2],
    /// Rows without windows.
    sides: [usize; 2],
    /// Public limbs.
    limbs: usize,
}

/// Border values of private models are small integers if no weight is above this, and right in any case.
const PRIVATE_WEIGHT: i64 = 1 << 11;

/// The first power of two above every border value.
fn border_offset(net: &Net, bounds: &Bounds) -> i64 {
    let conv = |node: &Node| match &node.step {
        Step::Linear(Linear::Conv(conv), _) => {
            let per = conv.weights.len() / conv.channels;
            let heaviest = if net.privacy.model.is_private() {
                // Nothing of the layout may depend on private weights.
                per as i64 * PRIVATE_WEIGHT
            } else {
                conv.weights.chunks(per).map(|k| k.iter().map(|w| w.abs()).sum::<i64>()).max().unwrap_or(0)
            };
            heaviest.saturating_mul(bounds.tensors[node.inputs[0]].1)
        }
        _ => 0,
    };
    let most = net.nodes.iter().map(conv).max().unwrap_or(0);
    1i64 << (i64::BITS - most.leading_zeros()).min(60)
}

impl Rows {
    /// The rows of `net` with `kernels` kernels a row.
    pub(super) fn new(net: &Net, bounds: &Bounds, kernels: usize) -> Result<Self, NetCircuitError> {
        if kernels == 0 || kernels > 256 {
            return Err(NetCircuitError::Kernels { kernels });
        }
        let features = features(net);
        let mut rows = Self {
            features,
            defs: Vec::new(),
            uses: Vec::new(),
            table: Table::new(net, bounds, features.planes),
            input_shift: 0,
            border_offset: border_offset(net, bounds),
            instance_shift: 0,
            kernels,
            limb_step: if features.secret { kernels } else { 1 },
            channels: [0; 2],
            sides: [0; 2],
            limbs: 0,
        };
        let (_, inputs) = packing(net.inputs.iter().map(|i| (i.len, i.bits)));
        let (places, outputs) = packing(net.outputs.iter().map(|o| (net.len(o.tensor), o.bits)));
        rows.limbs = if features.sponge { 1 } else { inputs } + outputs;
        rows.limbs_read(inputs, outputs);
        if features.memory {
            // The first row defines the 0 of rows that read nothing.
            rows.defs.push(DefRow::default());
            rows.inputs(net);
            rows.steps(outputs * rows.limb_step);
            rows.publish(net, &places, outputs);
            for (n, node) in net.nodes.iter().enumerate() {
                if let Step::Linear(linear, rescale) = &node.step {
                    rows.linear(net, n, node, linear, rescale);
                }
            }
            rows.sides = [rows.defs.len(), rows.uses.len()];
            rows.windows(net, bounds);
        } else {
            rows.chain(net, &places, inputs, outputs);
            rows.sides = [rows.defs.len(), rows.uses.len()];
        }
        debug_assert_eq!(rows.channels[0], rows.channels[1]);
        Ok(rows)
    }

    /// The reading side's first rows: the limbs of the inputs, from the instances or from the sponge, and of the outputs.
    fn limbs_read(&mut self, inputs: usize, outputs: usize) {
        let step = |moves| UseRow { moves, ..UseRow::default() };
        if self.features.sponge {
            let (rounds, _) = sponge::rounds(inputs);
            self.uses.extend(rounds.iter().map(|round| step(i64::from(round.is_some_and(|r| r.limb)))));
            // The commitment is the one instance before the outputs'.
            self.instance_shift = rounds.len() - 1;
        } else {
            self.uses.extend((0..inputs).map(|_| step(1)));
        }
        let moves = if self.features.secret { 2 } else { 1 };
        self.uses.extend((0..outputs).map(|_| step(moves)));
        self.channels[1] += inputs + outputs * self.limb_step;
    }

    pub(super) fn needs(&self) -> Needs {
        let entries = self.table.entries.len();
        // One row more, which ends the table.
        let rows = START_ROW + self.defs.len().max(self.uses.len()).max(entries) + 1;
        Needs { defining: self.sides[0], reading: self.sides[1], entries, rows, limbs: self.limbs }
    }

    fn input_row(net: &Net, tensor: usize, index: usize) -> DefRow {
        let input = &net.inputs[tensor];
        let first = index.is_multiple_of(crate::net::per_limb(input.bits));
        DefRow {
            def: Def::Number { tensor, index },
            tag: input_tag(input.bits),
            ends: first,
            input: true,
            ..DefRow::default()
        }
    }

    fn number_row(&self, tensor: usize, index: usize, rescale: &Rescale) -> DefRow {
        let scale = 1i64 << rescale.shift[index];
        DefRow {
            def: Def::Number { tensor, index },
            tag: table_tag(rescale.table),
            scale,
            bias: self.table.offset * scale,
            model_bias: rescale.bias[index],
            has_bias: true,
            ..DefRow::default()
        }
    }

    fn inputs(&mut self, net: &Net) {
        for (tensor, input) in net.inputs.iter().enumerate() {
            for index in 0..input.len {
                let row = Self::input_row(net, tensor, index);
                self.channels[0] += usize::from(row.ends);
                self.defs.push(row);
            }
        }
    }

    /// Channels of the defining side in which nothing is defined.
    fn steps(&mut self, channels: usize) {
        self.defs.extend((0..channels).map(|_| DefRow { ends: true, ..DefRow::default() }));
        self.channels[0] += channels;
    }

    /// Reads each public number with its place value, against its limb's instance.
    fn publish(&mut self, net: &Net, places: &[Vec<(usize, u32)>], limbs: usize) {
        for (output, places) in net.outputs.iter().zip(places) {
            for (index, place) in places.iter().enumerate() {
                self.published(output.tensor, index, *place, limbs);
            }
        }
    }

    fn published(&mut self, tensor: usize, index: usize, (limb, offset): (usize, u32), limbs: usize) {
        let block = self.place_value(limb, offset, limbs);
        self.push_block(block, (tensor, index));
    }

    /// Kernel rows of one of `limbs` limbs: the last channel of each is its own.
    fn place_value(&self, limb: usize, offset: u32, limbs: usize) -> Vec<UseRow> {
        let place = -Fr::from(2).pow([u64::from(offset)]);
        let channel = (limb + 1) * self.limb_step - 1;
        let mut block = self.block(limbs * self.limb_step, [(channel, place)].into_iter());
        block.iter_mut().for_each(|row| row.place_values = true);
        block
    }

    /// Kernel rows for channels 0 … `channels − 1`, the last one in the last slot.
    fn block(&self, channels: usize, weights: impl Iterator<Item = (usize, Fr)>) -> Vec<UseRow> {
        let kernels = self.kernels;
        let mut rows = vec![UseRow { kernels: true, ..UseRow::default() }; channels.div_ceil(kernels)];
        for (channel, w) in weights.filter(|(_, w)| *w != Fr::ZERO) {
            let from_end = channels - 1 - channel;
            let row = rows.len() - 1 - from_end / kernels;
            rows[row].weights.push((kernels - 1 - from_end % kernels, w));
        }
        rows
    }

    /// A block that reads one number on its last row.
    fn push_block(&mut self, mut block: Vec<UseRow>, number: (usize, usize)) {
        if let Some(last) = block.last_mut() {
            last.product = true;
            last.read = Some(number);
        }
        self.uses.extend(block);
    }

    /// Channels of one group, rounded up to whole rows.
    fn rounded(&self, channels: usize) -> usize {
        channels.div_ceil(self.kernels) * self.kernels
    }

    fn linear(&mut self, net: &Net, n: usize, node: &Node, linear: &Linear, rescale: &Rescale) {
        let tensor = net.inputs.len() + n;
        match linear {
            Linear::Conv(conv) if conv.is_dense() => self.dense(node.inputs[0], tensor, conv, rescale),
            Linear::Conv(conv) => self.conv(n, node.inputs[0], tensor, conv, rescale),
            Linear::Sparse(sparse) => self.sparse(&node.inputs, tensor, sparse, rescale),
            Linear::Products(products) => self.products(&node.inputs, tensor, products, rescale),
        }
    }

    /// The first block of an equation moves the reading side on by all of its channels.
    fn begin(&mut self, block: &mut [UseRow]) {
        block.iter_mut().for_each(|row| row.moves = 2);
        self.channels[1] += block.len() * self.kernels;
    }

    fn dense_block(&self, conv: &Conv, group: usize, input: usize) -> Vec<UseRow> {
        let (ins, outs) = (conv.input[0] / conv.groups, conv.channels / conv.groups);
        let weights = (0..outs).map(|o| (o, weight(conv.weights[(group * outs + o) * ins + input])));
        self.block(self.rounded(outs), weights)
    }

    fn dense(&mut self, source: usize, tensor: usize, conv: &Conv, rescale: &Rescale) {
        let (ins, outs) = (conv.input[0] / conv.groups, conv.channels / conv.groups);
        for group in 0..conv.groups {
            for o in 0..outs {
                let row = self.number_row(tensor, group * outs + o, rescale);
                self.defs.push(DefRow { ends: true, ..row });
            }
            self.channels[0] += outs;
            self.steps(self.rounded(outs) - outs);
            for c in 0..ins {
                let mut block = self.dense_block(conv, group, c);
                if c == 0 {
                    self.begin(&mut block);
                }
                self.push_block(block, (source, group * ins + c));
            }
        }
    }

    fn conv(&mut self, node: usize, source: usize, tensor: usize, conv: &Conv, rescale: &Rescale) {
        let planes = Planes::new(conv);
        let (ins, outs) = (conv.input[0] / conv.groups, conv.channels / conv.groups);
        for group in 0..conv.groups {
            for o in 0..outs {
                self.define_plane(node, tensor, group * outs + o, &planes, rescale);
            }
            self.channels[0] += outs;
            self.steps(self.rounded(outs) - outs);
            for c in 0..ins {
                self.read_plane(source, conv, &planes, group, c);
            }
        }
    }

    fn define_plane(&mut self, node: usize, tensor: usize, channel: usize, planes: &Planes, rescale: &Rescale) {
        let cells = planes.outputs.iter().flatten().count();
        let mut position = 0;
        while position < planes.length {
            // The first row of a channel begins `by` anew, which a pair can't.
            let cell = i64::from(position > 0);
            let row = match planes.outputs[position] {
                Some(index) => DefRow { cell, ..self.number_row(tensor, channel * cells + index, rescale) },
                None if position > 0 && planes.outputs.get(position + 1) == Some(&None) => {
                    position += 1;
                    DefRow { def: Def::Pair { node, channel, position: position - 1 }, cell: 2, ..DefRow::default() }
                }
                None => DefRow {
                    def: Def::Single { node, channel, position },
                    scale: 1,
                    bias: self.border_offset,
                    cell,
                    ..DefRow::default()
                },
            };
            position += 1;
            self.defs.push(DefRow { ends: position == planes.length, ..row });
        }
    }

    fn read_plane(&mut self, source: usize, conv: &Conv, planes: &Planes, group: usize, c: usize) {
        let (ins, outs) = (conv.input[0] / conv.groups, conv.channels / conv.groups);
        let area = conv.kernel[0] * conv.kernel[1];
        let first = (group * ins + c) * conv.input[1] * conv.input[2];
        let mut before = 0;
        for (nth, (distance, tap)) in planes.taps.iter().enumerate() {
            let weights = (0..outs).map(|o| (o, weight(conv.weights[((group * outs + o) * ins + c) * area + tap])));
            let mut block = self.block(self.rounded(outs), weights);
            if c == 0 && nth == 0 {
                self.begin(&mut block);
            }
            // The rows that move the numbers on: the plane itself for the first tap, then the way to the next tap.
            let moves = if nth == 0 { planes.cells } else { distance - before };
            before = *distance;
            let start = self.uses.len();
            let len = moves.max(block.len());
            let lead = len - block.len();
            self.uses.resize_with(start + lead, UseRow::default);
            self.uses.extend(block);
            // With more kernel rows than moves the moves come last for the plane, whose first row begins `px` anew.
            for (i, row) in self.uses[start..].iter_mut().enumerate() {
                let step = (i + moves).checked_sub(len);
                match step {
                    Some(at) if nth == 0 => {
                        row.reach = if at == 0 { 0 } else { 2 };
                        row.read = planes.is_cell[at].map(|cell| (source, first + cell));
                    }
                    Some(_) => row.reach = 2,
                    None => row.reach = i64::from(nth > 0),
                }
            }
            if let Some(last) = self.uses.last_mut() {
                last.product = true;
            }
        }
    }

    fn sparse(&mut self, sources: &[usize], tensor: usize, sparse: &Sparse, rescale: &Rescale) {
        let last = self.kernels - 1;
        for o in 0..sparse.starts.len() - 1 {
            let row = self.number_row(tensor, o, rescale);
            self.defs.push(DefRow { ends: true, ..row });
            let start = self.uses.len();
            self.uses.extend(sparse.of(o).iter().map(|t| UseRow {
                read: Some((sources[t.input as usize], t.index as usize)),
                product: true,
                weights: vec![(last, weight(t.weight))],
                kernels: true,
                ..UseRow::default()
            }));
            if self.uses.len() == start {
                self.uses.push(UseRow::default());
            }
            self.uses[start].moves = 1;
        }
        self.channels[0] += sparse.starts.len() - 1;
        self.channels[1] += sparse.starts.len() - 1;
    }

    /// Each product is two rows: the left number, held in `px`, and the right one, which is a kernel. Zero points take a
    /// row each, with the other's as a weight; their product is a constant, which is part of the defining row's bias.
    fn products(&mut self, sources: &[usize], tensor: usize, products: &Products, rescale: &Rescale) {
        let last = self.kernels - 1;
        let [left, right] = products.zeros;
        for o in 0..products.starts.len() - 1 {
            let row = self.number_row(tensor, o, rescale);
            let constant = products.of(o).len() as i64 * left * right;
            self.defs.push(DefRow { ends: true, bias: row.bias + constant, ..row });
            let start = self.uses.len();
            for [l, r] in products.of(o) {
                let read = [(sources[0], *l as usize), (sources[1], *r as usize)];
                self.uses.push(UseRow { read: Some(read[0]), ..UseRow::default() });
                self.uses.push(UseRow {
                    read: Some(read[1]),
                    product: true,
                    reach: 1,
                    factor: true,
                    ..UseRow::default()
                });
                for (read, zero) in read.into_iter().zip([right, left]).filter(|(_, zero)| *zero != 0) {
                    let weights = vec![(last, weight(-zero))];
                    self.uses.push(UseRow {
                        read: Some(read),
                        product: true,
                        weights,
                        kernels: true,
                        ..UseRow::default()
                    });
                }
            }
            if self.uses.len() == start {
                self.uses.push(UseRow::default());
            }
            self.uses[start].moves = 1;
        }
        self.channels[0] += products.starts.len() - 1;
        self.channels[1] += products.starts.len() - 1;
    }

    /// Maxima: both sides on the same rows, after everything else and an idle row.
    fn windows(&mut self, net: &Net, bounds: &Bounds) {
        let all: Vec<(usize, usize, &Windows)> = net
            .nodes
            .iter()
            .enumerate()
            .filter_map(|(n, node)| match &node.step {
                Step::Max(windows) => Some((net.inputs.len() + n, node.inputs[0], windows)),
                Step::Linear(..) | Step::Move(_) => None,
            })
            .collect();
        if all.is_empty() {
            return;
        }
        let start = self.defs.len().max(self.uses.len()) + 1;
        self.defs.resize_with(start, DefRow::default);
        self.uses.resize_with(start, UseRow::default);
        for (tensor, source, windows) in all {
            let scale = 1i64 << distance_bits(bounds, source);
            for window in 0..windows.starts.len() - 1 {
                for (element, index) in windows.of(window).iter().enumerate() {
                    let def = Def::Window { tensor, window, element };
                    self.defs.push(DefRow { def, tag: TAG_IDLE, scale, ..DefRow::default() });
                    self.uses.push(UseRow { read: Some((source, *index as usize)), ..UseRow::default() });
                }
            }
        }
        self.defs.push(DefRow { def: Def::Closed, ..DefRow::default() });
        self.uses.push(UseRow::default());
    }

    /// A chain of dense layers, last tensor first: each number stands where its reader's kernels end.
    fn chain(&mut self, net: &Net, places: &[Vec<(usize, u32)>], inputs: usize, outputs: usize) {
        self.defs.resize_with(self.uses.len() - outputs, DefRow::default);
        self.steps(outputs * self.limb_step);
        self.uses.resize_with(self.defs.len(), UseRow::default);
        for tensor in (0..=net.nodes.len()).rev() {
            let maker = tensor.checked_sub(1).and_then(|n| match &net.nodes[n].step {
                Step::Linear(Linear::Conv(conv), rescale) => Some((conv, rescale)),
                _ => None,
            });
            let reader = net.nodes.get(tensor).and_then(|n| match &n.step {
                Step::Linear(Linear::Conv(conv), _) => Some(conv),
                _ => None,
            });
            for index in 0..net.len(tensor) {
                let mut block = match reader {
                    // The last tensor, which is the one output.
                    None => {
                        let (limb, offset) = places.iter().flatten().nth(index).copied().unwrap_or_default();
                        self.place_value(limb, offset, outputs)
                    }
                    Some(conv) => self.dense_block(conv, 0, index),
                };
                if reader.is_some() && index == 0 {
                    self.begin(&mut block);
                }
                self.push_block(block, (tensor, index));
                self.defs.resize_with(self.uses.len() - 1, DefRow::default);
                let row = match maker {
                    None => Self::input_row(net, tensor, index),
                    Some((_, rescale)) => DefRow { ends: true, ..self.number_row(tensor, index, rescale) },
                };
                self.channels[0] += usize::from(row.ends);
                self.defs.push(row);
            }
            if let Some((conv, _)) = maker {
                self.steps(self.rounded(conv.channels) - conv.channels);
                self.uses.resize_with(self.defs.len(), UseRow::default);
            }
        }
        // The inputs' limbs are the defining side's last channels; the reading side, which met their instances first,
        // makes up for them here, and the defining side by a factor.
        self.uses.extend((0..inputs).map(|_| UseRow { moves: 1, ..UseRow::default() }));
        self.channels[1] += inputs;
        self.channels[0] += inputs;
        self.input_shift = self.channels[0] - inputs;
    }
}
