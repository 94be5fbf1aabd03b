//! Which row each number of a net stands in: the fixed columns of its circuit.
//!
//! Two lists of rows share the table. The *defining* side has a row for each number that a node computes (and for the
//! borders of convolutions); the *reading* side has rows on which numbers meet kernels. Each side runs through all
//! equations in the same order, one power of `Y` a channel, to a total; the totals must be equal. Where both sides
//! stand on each other's numbers the row is shared (a chain of dense layers, without memory); otherwise the sides are
//! independent and numbers are read by address.

use halo2_proofs::halo2curves::bn256::Fr;
use halo2_proofs::halo2curves::ff::Field;

use super::columns::{Features, First, Fixed, Second};
use super::rows::{Def, DefRow, Rows, UseRow};
use super::table::Table;
use super::{NetCircuitError, Shape};
use crate::circuit::small;
use crate::net::bounds::Bounds;
use crate::net::{Linear, Net, Step, packing};

/// Rows at the table's end that halo2 fills with blinding values (5 factors and 1).
const BLINDING: usize = 6;
/// First active row: rows 0 and 1 hold the request's instances.
pub const START_ROW: usize = 2;

/// Numbers in the gates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Constants {
    /// Which columns there are.
    pub features: Features,
    /// Power of `Y` between the inputs' equations on the defining side and their instances.
    pub input_shift: usize,
    /// Added to border values so that they are committed as small integers.
    pub border_offset: i64,
}

/// The fixed part of a circuit.
#[derive(Debug)]
pub struct Layout {
    /// Size of the table.
    pub shape: Shape,
    /// Numbers in the gates.
    pub constants: Constants,
    /// The lookup table.
    pub table: Table,
    /// Fixed columns but the kernels and places, each `2^k` high.
    pub fixed: Fixed<Vec<i64>>,
    /// Kernels: integers, and place values of the outputs.
    pub weights: Vec<Vec<Fr>>,
    /// Place values of the inputs.
    pub places: Vec<Fr>,
    /// What is defined on each row.
    pub defs: Vec<Def>,
    /// The number (tensor, index) that is read on each row by address.
    pub reads: Vec<Option<(usize, usize)>>,
    /// Public limbs of the inputs and of the outputs.
    pub limbs: [usize; 2],
    /// Last active row.
    pub end: usize,
    /// Rows that each side needs, and entries of the lookup table: what decides the height.
    pub needs: Needs,
}

/// What a table's height is made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// Rows of the defining side.
    pub defining: usize,
    /// Rows of the reading side.
    pub reading: usize,
    /// Entries of the lookup table.
    pub entries: usize,
    /// All rows.
    pub rows: usize,
    /// Public limbs.
    pub limbs: usize,
}

impl Needs {
    /// Rows that a table of `2^k` has for use.
    pub fn available(k: u32) -> usize {
        (1usize << k).saturating_sub(BLINDING)
    }

    /// Whether `2^k` rows are enough.
    pub fn fits(&self, k: u32) -> bool {
        self.rows <= Self::available(k)
    }
}

/// What a net's table needs with `kernels` kernels a row.
///
/// # Errors
/// Fails if there is no such table.
pub fn needs(net: &Net, bounds: &Bounds, kernels: usize) -> Result<Needs, NetCircuitError> {
    Ok(Rows::new(net, bounds, kernels)?.needs())
}

/// What a net's circuit needs columns for.
pub fn features(net: &Net) -> Features {
    let windows = net.nodes.iter().any(|n| matches!(n.step, Step::Max(_)));
    let dense = |step: &Step| matches!(step, Step::Linear(Linear::Conv(c), _) if c.is_dense() && c.groups == 1);
    let chain = net.inputs.len() == 1
        && net.nodes.iter().enumerate().all(|(i, n)| dense(&n.step) && n.inputs == [i])
        && matches!(&net.outputs[..], [o] if o.tensor == net.nodes.len());
    let products = net.nodes.iter().any(|n| matches!(n.step, Step::Linear(Linear::Products(_), _)));
    let planes = windows
        || products
        || net.nodes.iter().any(|n| matches!(&n.step, Step::Linear(Linear::Conv(c), _) if !c.is_dense()));
    Features { memory: !chain, planes, windows, products }
}

impl Layout {
    /// Lays `net` out in `shape`.
    ///
    /// # Errors
    /// Fails if the table is too low for it.
    pub fn new(net: &Net, bounds: &Bounds, shape: Shape) -> Result<Self, NetCircuitError> {
        let rows = Rows::new(net, bounds, shape.kernels)?;
        let height = 1usize << shape.k;
        let (input_places, inputs) = packing(net.inputs.iter().map(|i| (i.len, i.bits)));
        let outputs = packing(net.outputs.iter().map(|o| (net.len(o.tensor), o.bits))).1;
        let needs = rows.needs();
        if !needs.fits(shape.k) {
            let available = Needs::available(shape.k);
            return Err(NetCircuitError::Rows { needed: needs.rows, k: shape.k, available });
        }
        let features = rows.features;
        let mut layout = Self {
            shape,
            constants: Constants { features, input_shift: rows.input_shift, border_offset: rows.border_offset },
            fixed: Fixed::build(features, 0, || vec![0; height]),
            weights: vec![vec![Fr::ZERO; height]; shape.kernels],
            places: vec![Fr::ZERO; height],
            defs: Vec::with_capacity(needs.rows),
            reads: Vec::with_capacity(needs.rows),
            limbs: [inputs, outputs],
            end: needs.rows - 1,
            needs,
            table: rows.table,
        };
        for row in START_ROW..=layout.end {
            let at = row - START_ROW;
            layout.define(row, rows.defs.get(at).copied().unwrap_or_default(), &input_places);
            layout.read(row, rows.uses.get(at));
        }
        // `g` begins anew on the first row.
        layout.fixed.product[START_ROW - 1] = 1;
        layout.fixed.edge[START_ROW] = 1;
        layout.fixed.edge[layout.end] = 2;
        layout.place_entries();
        layout.address(net);
        Ok(layout)
    }

    /// How many fixed columns there are, and of the first and the second phase.
    pub fn columns(&self) -> (usize, [usize; 2]) {
        let (features, count) = (self.constants.features, || ());
        let advice = [First::build(features, count).all().count(), Second::build(features, count).all().count()];
        (Fixed::build(features, self.shape.kernels, count).all().count(), advice)
    }

    /// Public values of a proof: request (2), input limbs, output limbs.
    pub fn instances(&self) -> usize {
        START_ROW + self.limbs[0] + self.limbs[1]
    }

    fn define(&mut self, row: usize, def: DefRow, input_places: &[Vec<(usize, u32)>]) {
        let f = &mut self.fixed;
        f.active[row] = 1;
        f.tag[row] = def.tag;
        f.scale[row] = def.scale;
        f.bias[row] = def.bias;
        f.ends[row] = i64::from(def.ends);
        if let Some(planes) = &mut f.planes {
            planes.cell[row] = def.cell;
            planes.look[row] =
                i64::from(!matches!(def.def, Def::Pair { .. } | Def::Single { .. } | Def::Window { .. }));
        }
        if let (Def::Number { tensor, index }, true) = (def.def, def.input) {
            self.places[row] = Fr::from(2).pow([u64::from(input_places[tensor][index].1)]);
        }
        if let (Def::Window { element, .. }, Some(w)) = (def.def, &mut f.windows) {
            w.first[row] = i64::from(element == 0);
            w.more[row] = i64::from(element > 0);
        }
        if let (Def::Closed, Some(w)) = (def.def, &mut f.windows) {
            w.first[row] = 1;
        }
        // Row `row` is the last of the list so far.
        self.defs.resize(row + 1, Def::Idle);
        self.defs[row] = def.def;
    }

    fn read(&mut self, row: usize, uses: Option<&UseRow>) {
        self.reads.resize(row + 1, None);
        let Some(uses) = uses else { return };
        let f = &mut self.fixed;
        f.product[row] = i64::from(uses.product);
        f.moves[row] = uses.moves;
        if let Some(planes) = &mut f.planes {
            planes.reach[row] = uses.reach;
        }
        if let Some(factor) = &mut f.factor {
            factor[row] = i64::from(uses.factor);
        }
        for (slot, weight) in &uses.weights {
            self.weights[*slot][row] = *weight;
        }
        self.reads[row] = uses.read;
    }

    /// Puts the lookup table beside the rows, the last entry again where there are more rows.
    fn place_entries(&mut self) {
        let last = self.table.entries.len() - 1;
        for row in START_ROW..=self.end {
            let entry = self.table.entries[(row - START_ROW).min(last)];
            for (column, v) in self.fixed.table.iter_mut().zip(entry) {
                column[row] = v;
            }
        }
    }

    /// Addresses: a number's is the row that defines it; 0 is the first row's, which defines 0 for rows that read nothing.
    fn address(&mut self, net: &Net) {
        let Some(memory) = &mut self.fixed.memory else { return };
        let mut rows: Vec<Vec<usize>> = (0..net.tensors()).map(|t| vec![0; net.len(t)]).collect();
        for (row, def) in self.defs.iter().enumerate() {
            match def {
                Def::Number { tensor, index } | Def::Window { tensor, window: index, element: 0 } => {
                    rows[*tensor][*index] = row;
                    memory.index[row] = row as i64;
                }
                _ => {}
            }
        }
        // A moved number has the address of the one that it is.
        for (n, node) in net.nodes.iter().enumerate() {
            if let Step::Move(from) = &node.step {
                let sources = from.iter().map(|[input, index]| rows[node.inputs[*input as usize]][*index as usize]);
                rows[net.inputs.len() + n] = sources.collect();
            }
        }
        for row in START_ROW..=self.end {
            let address = self.reads[row].map(|(tensor, index)| rows[tensor][index]).unwrap_or(0);
            memory.read[row] = address as i64;
            let definition = if address == 0 { START_ROW } else { address };
            memory.uses[definition] += 1;
        }
    }

    /// The row that carries an entry of the lookup table.
    pub fn entry_row(&self, entry: &[i64; 3]) -> Option<usize> {
        self.table.position(entry).map(|i| START_ROW + i)
    }

    /// A fixed column's integers as field elements.
    pub(super) fn weight_columns(&self) -> impl Iterator<Item = &Vec<Fr>> {
        self.weights.iter()
    }

    /// The value of a kernel row in `Y`, by Horner's rule.
    pub(super) fn kernel(&self, row: usize, channel: Fr) -> Fr {
        self.weights.iter().fold(Fr::ZERO, |sum, column| {
            let sum = if sum == Fr::ZERO { sum } else { sum * channel };
            sum + column[row]
        })
    }
}

/// An integer weight as it stands in the table.
pub(super) fn weight(v: i64) -> Fr {
    small(v)
}
