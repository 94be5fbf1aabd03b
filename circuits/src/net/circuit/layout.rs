//! Which row each number of a net stands in: the fixed columns of its circuit.
//!
//! Two lists of rows share the table. The *defining* side has a row for each number that a node computes (and for the
//! borders of convolutions); the *reading* side has rows on which numbers meet kernels. Each side runs through all
//! equations in the same order, one power of `Y` a channel, to a total; the totals must be equal. Where both sides
//! stand on each other's numbers the row is shared (a chain of dense layers, without memory); otherwise the sides are
//! independent and numbers are read by address.

use halo2_proofs::halo2curves::bn256::Fr;
use halo2_proofs::halo2curves::ff::Field;

use super::columns::{Features, First, Fixed, Second, Secret};
use super::rows::{Def, DefRow, Rows, UseRow, weight};
use super::sponge::{self, State};
use super::table::Table;
use super::{NetCircuitError, Shape};
use crate::net::bounds::Bounds;
use crate::net::{Linear, Net, Step, packing};
use crate::poseidon::Mix;

/// Rows at the table's end that halo2 fills with blinding values (5 factors and 1).
const BLINDING: usize = 6;
/// Values of the column `shut`, which are added up.
const SHUT_KERNELS: i64 = 1;
const SHUT_BIAS: i64 = 2;
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
    /// Kernels a row.
    pub kernels: usize,
    /// How many rows below its place among the public values an output's limb enters the equations.
    pub instance_shift: usize,
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
    /// Kernels: integers, and place values of the outputs; if they are private only the latter, in one column.
    pub weights: Vec<Vec<Fr>>,
    /// Weights and biases that are private.
    pub secret: Option<Secret<Vec<Fr>>>,
    /// Place values of the inputs.
    pub places: Vec<Fr>,
    /// Constants of the sponge.
    pub constants_of_rounds: Vec<Fr>,
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
    let (sponge, secret) = (net.privacy.input.is_private(), net.privacy.model.is_private());
    Features { memory: !chain, planes, windows, products, sponge, secret }
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
        let features = rows.features;
        let shown = if features.sponge { 1 } else { inputs };
        let needs = rows.needs();
        if !needs.fits(shape.k) {
            let available = Needs::available(shape.k);
            return Err(NetCircuitError::Rows { needed: needs.rows, k: shape.k, available });
        }
        let fixed_kernels = if features.secret { 1 } else { shape.kernels };
        let column = || vec![Fr::ZERO; height];
        let mut layout = Self {
            shape,
            constants: Constants {
                features,
                input_shift: rows.input_shift,
                border_offset: rows.border_offset,
                kernels: shape.kernels,
                instance_shift: rows.instance_shift,
            },
            fixed: Fixed::build(features, 0, || vec![0; height]),
            weights: vec![column(); fixed_kernels],
            secret: features.secret.then(|| Secret::build(shape.kernels, column)),
            places: column(),
            constants_of_rounds: if features.sponge { column() } else { vec![] },
            defs: Vec::with_capacity(needs.rows),
            reads: Vec::with_capacity(needs.rows),
            limbs: [shown, outputs],
            end: needs.rows - 1,
            needs,
            table: rows.table,
        };
        for row in START_ROW..=layout.end {
            let at = row - START_ROW;
            layout.define(row, rows.defs.get(at).copied().unwrap_or_default(), &input_places);
            layout.read(row, rows.uses.get(at));
        }
        if features.sponge {
            layout.place_rounds(inputs);
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
        let advice = [first_columns(features, self.shape.kernels), Second::build(features, count).all().count()];
        (Fixed::build(features, self.shape.kernels, count).all().count(), advice)
    }

    /// Public values of a proof: request (2), input limbs or the commitment to them, output limbs.
    pub fn instances(&self) -> usize {
        START_ROW + self.limbs[0] + self.limbs[1]
    }

    /// How many private columns there are.
    pub fn secret_columns(&self) -> usize {
        self.secret.as_ref().map_or(0, |s| s.all().count())
    }

    /// How many columns of the first phase are committed before the private ones.
    pub(crate) fn columns_before_secret(&self) -> usize {
        First::build(self.constants.features, || ()).all().count()
    }

    /// The private columns with their last two rows, `2^k` long each.
    pub(crate) fn blinded(&self, blinding: &[[Fr; 2]]) -> Vec<Vec<Fr>> {
        blinded(self.secret.as_ref(), blinding)
    }

    fn define(&mut self, row: usize, def: DefRow, input_places: &[Vec<(usize, u32)>]) {
        let f = &mut self.fixed;
        f.active[row] = 1;
        f.tag[row] = def.tag;
        f.scale[row] = def.scale;
        f.bias[row] = def.bias;
        match &mut self.secret {
            Some(secret) => {
                secret.bias[row] = weight(def.model_bias);
                if let Some(shut) = &mut f.shut {
                    shut[row] += if def.has_bias { 0 } else { SHUT_BIAS };
                }
            }
            None => f.bias[row] += def.model_bias,
        }
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
        let f = &mut self.fixed;
        let place_values = uses.is_none_or(|u| u.place_values || !u.kernels);
        if let (Some(shut), true) = (&mut f.shut, place_values) {
            shut[row] += SHUT_KERNELS;
        }
        let Some(uses) = uses else { return };
        f.product[row] = i64::from(uses.product);
        f.moves[row] = uses.moves;
        if let Some(planes) = &mut f.planes {
            planes.reach[row] = uses.reach;
        }
        if let Some(factor) = &mut f.factor {
            factor[row] = i64::from(uses.factor);
        }
        for (slot, weight) in &uses.weights {
            match &mut self.secret {
                // The last kernel of a row, by the way in which outputs are read.
                Some(_) if uses.place_values => self.weights[0][row] = *weight,
                Some(secret) => secret.weights[*slot][row] = *weight,
                None => self.weights[*slot][row] = *weight,
            }
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

    /// Puts the sponge's steps beside the first rows.
    fn place_rounds(&mut self, limbs: usize) {
        let Some(f) = &mut self.fixed.rounds else { return };
        let (rounds, start) = sponge::rounds(limbs);
        for (at, round) in rounds.iter().enumerate() {
            let (row, Some(round)) = (START_ROW + at, round) else { continue };
            self.constants_of_rounds[row] = round.constant;
            match round.mix {
                Mix::Turn => f.turn[row] = if round.limb { 2 } else { 1 },
                Mix::Full => f.full[row] = 1,
                Mix::Partial => f.partial[row] = 1,
            }
        }
        self.constants_of_rounds[START_ROW + rounds.len()] = start;
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

    /// The field elements of a fixed column that holds such.
    pub(super) fn wide(&self, fixed: &Vec<i64>) -> Option<&Vec<Fr>> {
        let is = |column| std::ptr::eq(fixed, column);
        let constants = self.fixed.rounds.as_ref().is_some_and(|r| is(&r.constant));
        if is(&self.fixed.place) {
            Some(&self.places)
        } else if constants {
            Some(&self.constants_of_rounds)
        } else {
            None
        }
    }

    /// The value of a row's kernels in `Y`, by Horner's rule.
    pub(super) fn kernel(&self, secret: Option<&Secret<Vec<Fr>>>, row: usize, channel: Fr) -> Fr {
        let horner = |columns: &[Vec<Fr>]| {
            columns.iter().fold(Fr::ZERO, |sum, column| {
                let sum = if sum == Fr::ZERO { sum } else { sum * channel };
                sum + column[row]
            })
        };
        horner(&self.weights) + secret.map_or(Fr::ZERO, |s| horner(&s.weights))
    }
}

/// Private columns with the last two rows replaced.
pub(super) fn blinded(secret: Option<&Secret<Vec<Fr>>>, blinding: &[[Fr; 2]]) -> Vec<Vec<Fr>> {
    let with = |(values, blinding): (&Vec<Fr>, &[Fr; 2])| {
        let mut values = values.clone();
        let kept = values.len() - blinding.len();
        values[kept..].copy_from_slice(blinding);
        values
    };
    secret.into_iter().flat_map(Secret::all).zip(blinding).map(with).collect()
}

/// How many columns of the first phase there are.
pub fn first_columns(features: Features, kernels: usize) -> usize {
    let count = || ();
    let secret = if features.secret { Secret::build(kernels, count).all().count() } else { 0 };
    let sponge = if features.sponge { State::build(count).all().count() } else { 0 };
    First::build(features, count).all().count() + secret + sponge
}
