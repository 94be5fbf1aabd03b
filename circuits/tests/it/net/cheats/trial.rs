//! A prover's first phase, honest or not, and everything that follows from it.

use std::collections::{BTreeSet, HashMap};

use halo2_proofs::halo2curves::bn256::Fr;
use halo2_proofs::halo2curves::ff::{Field, PrimeField};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use zugzwang_circuits::circuit::small;
use zugzwang_circuits::net::circuit::{Def, First, NetCircuit, START_ROW, Shape, Witness, needs};
use zugzwang_circuits::net::interpret::{self, Trace};
use zugzwang_circuits::net::{Input, Net, Step, bounds};

use crate::net::cases::{Case, request};
use crate::net::gates::{Assignment, Gate, Gates, Running};

/// A change of a running column on one row; everything after follows from it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Force {
    /// More by this.
    Add(Fr),
    /// This.
    Set(Fr),
    /// As on the row before.
    Stale,
    /// What another running column has on this row.
    As(Running),
    /// The negative of what another running column has on this row.
    Minus(Running),
}

/// A first phase of any field elements, and public values.
#[derive(Clone, Debug)]
pub(crate) struct Cells {
    pub(crate) first: First<Vec<Fr>>,
    pub(crate) instances: Vec<Fr>,
    pub(crate) forced: Vec<(Running, usize, Force)>,
    /// The lie is about `m`, which is not counted anew.
    pub(crate) keep_counts: bool,
}

/// A number's row: `A = q·s + r`, `x = table(q)`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Split {
    pub(crate) q: i64,
    pub(crate) r: i64,
    pub(crate) s: i64,
    pub(crate) x: i64,
}

/// A net laid out, an honest run, and the gates.
pub(crate) struct Trial {
    pub(crate) case: Case,
    pub(crate) gates: Gates,
}

impl Trial {
    /// The lowest table that `net` fits with so many kernels a row.
    pub(crate) fn new(net: Net, kernels: usize) -> Self {
        let bounds = bounds::check(&net).expect("bounds");
        let wanted = needs(&net, &bounds, kernels).expect("a layout");
        let k = (8..=12).find(|k| wanted.fits(*k)).expect("a small net");
        let case = Case::new(net, Shape { kernels, k }, 1);
        let gates = Gates::new(&Self::circuit(&case));
        Self { case, gates }
    }

    pub(super) fn circuit(case: &Case) -> NetCircuit {
        NetCircuit { layout: case.layout.clone(), witness: None, with_fixed: true }
    }

    /// Whoever makes up a witness doesn't know the challenges yet.
    pub(crate) fn challenges() -> [Fr; 4] {
        let mut rng = ChaCha20Rng::seed_from_u64(99);
        [(); 4].map(|()| Fr::random(&mut rng))
    }

    /// The honest witness.
    pub(crate) fn honest(&self) -> Cells {
        let mut cells = self.placed(&self.case.net, &self.case.trace).expect("a witness");
        self.count(&mut cells);
        cells
    }

    /// The witness of any trace, right or wrong, with the borders of `net`.
    pub(crate) fn placed(&self, net: &Net, trace: &Trace) -> Option<Cells> {
        let witness = Witness::place(&self.case.layout, net, trace, request()).ok()?;
        let mut columns = witness.first.all().map(|c| c.iter().map(|v| small(*v)).collect());
        let first = First::build(self.case.layout.constants.features, || columns.next().unwrap_or_default());
        drop(columns);
        Some(Cells { first, instances: witness.instances, forced: vec![], keep_counts: false })
    }

    pub(crate) fn of(&self, trace: &Trace) -> Option<Cells> {
        self.placed(&self.case.net, trace)
    }

    /// The witness of another net on the same input, in this net's circuit.
    pub(crate) fn swapped(&self, change: impl FnOnce(&mut Net)) -> Option<Cells> {
        let mut net = self.case.net.clone();
        change(&mut net);
        let trace = interpret::run(&net, &self.case.trace.tensors[..net.inputs.len()]).ok()?;
        (trace != self.case.trace).then(|| self.placed(&net, &trace))?
    }

    /// Goes on from tensors 0 to `last`, whatever they are.
    fn onward(&self, tensors: Vec<Vec<i64>>, mut accumulators: Vec<Vec<i64>>) -> Option<Trace> {
        let net = &self.case.net;
        let done = tensors.len() - net.inputs.len();
        let input = |x: &Vec<i64>| Input { name: String::new(), len: x.len(), bits: 16 };
        let rest = Net {
            privacy: net.privacy,
            inputs: tensors.iter().map(input).collect(),
            nodes: net.nodes[done..].to_vec(),
            tables: net.tables.clone(),
            outputs: vec![],
        };
        let trace = interpret::run(&rest, &tensors).ok()?;
        accumulators.truncate(done);
        accumulators.extend(trace.accumulators);
        Some(Trace { tensors: trace.tensors, accumulators })
    }

    /// The run of a prover who takes some number of a tensor to be another one.
    pub(crate) fn believed(&self, tensor: usize, change: impl FnOnce(&mut Vec<i64>)) -> Option<Trace> {
        let known = self.case.net.inputs.len().max(tensor + 1);
        let mut tensors = self.case.trace.tensors[..known].to_vec();
        change(&mut tensors[tensor]);
        (tensors[tensor] != self.case.trace.tensors[tensor])
            .then(|| self.onward(tensors, self.case.trace.accumulators.clone()))?
    }

    /// The run of a prover whose accumulators of a node are others, each rescaled and looked up as it should be.
    pub(crate) fn summed(&self, node: usize, change: impl FnOnce(&mut Vec<i64>)) -> Option<Trace> {
        let net = &self.case.net;
        let Step::Linear(_, rescale) = &net.nodes[node].step else { return None };
        let mut accumulators = self.case.trace.accumulators.clone();
        change(&mut accumulators[node]);
        let table = &net.tables[rescale.table];
        let x = accumulators[node].iter().zip(&rescale.shift).map(|(a, s)| table.get(a >> s));
        let mut tensors = self.case.trace.tensors[..net.inputs.len() + node].to_vec();
        tensors.push(x.collect::<Option<Vec<i64>>>()?);
        (accumulators[node] != self.case.trace.accumulators[node]).then(|| self.onward(tensors, accumulators))?
    }

    /// As [`Trial::summed`], with 1 more for the first number of a node for which that has a place in the table.
    pub(crate) fn one_more(&self, node: usize) -> Option<Cells> {
        (0..self.case.net.nodes[node].len()).find_map(|i| self.of(&self.summed(node, |a| a[i] += 1)?))
    }

    /// The witness of a prover who reads some numbers of a tensor as others: what is defined and public of it is honest.
    pub(crate) fn misread(&self, tensor: usize, change: impl FnOnce(&mut Vec<i64>)) -> Option<Cells> {
        let (mut cells, honest) = (self.of(&self.believed(tensor, change)?)?, self.honest());
        for (row, def) in self.case.layout.defs.iter().enumerate() {
            if matches!(def, Def::Number { tensor: t, .. } | Def::Window { tensor: t, .. } if *t == tensor) {
                (cells.first.x[row], cells.first.r[row]) = (honest.first.x[row], honest.first.r[row]);
            }
        }
        self.keep_inputs(&mut cells);
        Some(cells)
    }

    /// Puts the honest inputs' public limbs back.
    pub(crate) fn keep_inputs(&self, cells: &mut Cells) {
        let limbs = START_ROW..START_ROW + self.case.layout.limbs[0];
        cells.instances[limbs.clone()].copy_from_slice(&self.case.witness().instances[limbs]);
    }

    /// The tensor that node `node` writes.
    pub(crate) fn tensor(&self, node: usize) -> usize {
        self.case.net.inputs.len() + node
    }

    /// The row that defines a number.
    pub(crate) fn row(&self, tensor: usize, index: usize) -> usize {
        let is = |def: &Def| match *def {
            Def::Number { tensor: t, index: i } | Def::Window { tensor: t, window: i, element: 0 } => {
                (t, i) == (tensor, index)
            }
            _ => false,
        };
        self.case.layout.defs.iter().position(is).expect("a number has a row")
    }

    /// The first number of a tensor whose row holds what `wanted` takes, and that row.
    pub(crate) fn find(&self, tensor: usize, wanted: impl Fn(Split) -> bool) -> Option<(usize, usize)> {
        let (layout, witness) = (&self.case.layout, self.case.witness());
        let w = &witness.first;
        let rows = (0..self.case.net.len(tensor)).map(|i| (i, self.row(tensor, i)));
        rows.into_iter().find(|(_, row)| {
            let (q, s) = (w.q[*row] - layout.table.offset, layout.fixed.scale[*row]);
            wanted(Split { q, r: w.r[*row], s, x: w.x[*row] })
        })
    }

    /// Every row on which the number that row `def` defines is read.
    pub(crate) fn readers(&self, def: usize) -> Vec<usize> {
        let read = self.case.layout.fixed.memory.as_ref().map(|m| &m.read);
        (START_ROW..=self.case.layout.end).filter(|r| read.is_some_and(|read| read[*r] == def as i64)).collect()
    }

    /// The rows that are of this kind.
    pub(crate) fn rows(&self, kind: impl Fn(&Def) -> bool) -> Vec<usize> {
        let defs = self.case.layout.defs.iter().enumerate().skip(START_ROW);
        defs.filter(|(_, def)| kind(def)).map(|(row, _)| row).collect()
    }

    pub(crate) fn end(&self) -> usize {
        self.case.layout.end
    }

    /// Where an entry of the table stands: input, output, tag.
    pub(crate) fn entry(&self, entry: [i64; 3]) -> Option<usize> {
        self.case.layout.entry_row(&entry)
    }

    /// Counts the lookups anew, also of field elements that are no integers; how many are in no entry.
    pub(crate) fn count(&self, cells: &mut Cells) -> usize {
        let (gates, end) = (&self.gates, self.end());
        let numbers = &gates.numbers().fixed;
        let key = |parts: [Fr; 3]| parts.map(|v| v.to_repr());
        let cell = |column: usize, row: usize| gates.fixed(column).get(row).copied().unwrap_or(Fr::ZERO);
        let mut entries = HashMap::new();
        for row in START_ROW..=end {
            entries.entry(key(numbers.table.map(|column| cell(column, row)))).or_insert(row);
        }
        cells.first.m.iter_mut().for_each(|m| *m = Fr::ZERO);
        let mut missing = 0;
        for row in START_ROW..=end {
            let looks = numbers.planes.as_ref().is_none_or(|p| cell(p.look, row) == Fr::ONE);
            let pair = [cells.first.q[row], cells.first.x[row], cell(numbers.tag, row)];
            let remainder = [cells.first.r[row], cell(numbers.scale, row), Fr::ONE];
            for entry in [looks.then_some(pair), Some(remainder)].into_iter().flatten() {
                match entries.get(&key(entry)) {
                    Some(at) => cells.first.m[*at] += Fr::ONE,
                    None => missing += 1,
                }
            }
        }
        missing
    }

    /// All columns of a witness under these challenges.
    pub(crate) fn assign(&self, cells: &Cells, challenges: [Fr; 4]) -> Assignment {
        let advice = cells.first.all().cloned().collect();
        let mut all = Assignment { advice, instances: cells.instances.clone(), challenges };
        let numbers = self.gates.numbers();
        self.gates.run(&mut all, |advice, found, row| {
            for (running, _, force) in cells.forced.iter().filter(|(_, at, _)| *at == row) {
                let Some(column) = numbers.of(*running) else { continue };
                let of = |other: &Running| numbers.of(*other).map_or(Fr::ZERO, |other| advice[other][row]);
                let now = advice[column][row];
                advice[column][row] = match (force, found) {
                    (Force::Add(v), Some(found)) if found == column => now + v,
                    (Force::Set(v), Some(found)) if found == column => *v,
                    (Force::Stale, Some(found)) if found == column => advice[column][row - 1],
                    (Force::As(other), None) => of(other),
                    (Force::Minus(other), None) => -of(other),
                    _ => now,
                };
            }
        });
        all
    }

    /// The gates that a witness breaks.
    pub(crate) fn breaks(&self, cells: &Cells) -> BTreeSet<Gate> {
        self.gates.broken(&self.assign(cells, Self::challenges()))
    }
}

impl Cells {
    /// The numbers that are read; without addresses those that are defined.
    pub(crate) fn y(&mut self) -> &mut Vec<Fr> {
        self.first.y.as_mut().unwrap_or(&mut self.first.x)
    }

    /// With a running column changed on a row.
    pub(crate) fn force(mut self, running: Running, row: usize, force: Force) -> Self {
        self.forced.push((running, row, force));
        self
    }

    /// Adds `add` to a cell.
    pub(crate) fn add(column: &mut [Fr], row: usize, add: i64) {
        column[row] += small(add);
    }

    pub(super) fn is(&self, other: &Self) -> bool {
        self.first.all().eq(other.first.all()) && self.instances == other.instances && self.forced.is_empty()
    }
}
