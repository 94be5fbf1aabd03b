//! The gates of a circuit, evaluated on any cells without a prover, and the running columns that follow from them.
//!
//! The gates themselves say what each running column must be: each occurs in a gate of its own, with a factor that the
//! row before and the first phase fix. So a cheat's running columns are as good as they can be, whatever field elements
//! its first phase holds, and nothing here shares code with the prover's own `running.rs`.

use std::collections::{BTreeSet, HashMap};

use halo2_proofs::halo2curves::bn256::Fr;
use halo2_proofs::halo2curves::ff::{Field, PrimeField};
use halo2_proofs::plonk::{Circuit, ConstraintSystem, Expression};
use zugzwang_circuits::circuit::small;
use zugzwang_circuits::net::circuit::{CHALLENGES, First, Fixed, Layout, NetCircuit, START_ROW, Second};
use zugzwang_circuits::prove;

/// What a gate says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Gate {
    /// How a running column goes on from row to row.
    Runs(Running),
    /// What runs over the whole table begins at 0.
    Starts,
    /// Both sides of all equations come to the same.
    Sides,
    /// Lookups and the table's entries come to the same.
    Lookups,
    /// Numbers read and numbers defined come to the same.
    Memory,
    /// A window's remainder is the distance to its maximum.
    Distance,
    /// A window has one maximum.
    OneMaximum,
    /// Some cell of a window is its maximum.
    Reached,
    /// None of these.
    Other,
}

/// A running column, as `Second` names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Running {
    G,
    Defined,
    Used,
    Looked,
    Rested,
    Reads,
    Defs,
    By,
    Px,
    Other,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Node {
    Constant([u8; 32]),
    Challenge(usize),
    Fixed(usize, i32),
    Advice(usize, i32),
    Instance(i32),
    Negated(usize),
    Sum(usize, usize),
    Product(usize, usize),
}

/// A gate by which a running column is found.
#[derive(Clone, Debug)]
struct Run {
    column: usize,
    /// Everything that its gate is made of and that changes from row to row, in order.
    nodes: Vec<usize>,
    root: usize,
}

/// All columns of one assignment; the running columns are those from `Gates::first` on.
#[derive(Clone, Debug)]
pub(crate) struct Assignment {
    pub(crate) advice: Vec<Vec<Fr>>,
    pub(crate) instances: Vec<Fr>,
    pub(crate) challenges: [Fr; CHALLENGES],
}

/// The gates of one circuit.
#[derive(Debug)]
pub(crate) struct Gates {
    nodes: Vec<Node>,
    /// Nodes that change from row to row.
    varying: Vec<usize>,
    gates: Vec<(Gate, usize)>,
    runs: Vec<Run>,
    /// Advice columns of the first phase, and of both.
    pub(crate) first: usize,
    pub(crate) advice: usize,
    fixed: Vec<Vec<Fr>>,
    /// Last active row.
    end: usize,
    numbers: Columns,
}

/// Each column's number.
#[derive(Clone, Debug)]
pub(crate) struct Columns {
    pub(crate) fixed: Fixed<usize>,
    pub(crate) first: First<usize>,
    pub(crate) second: Second<usize>,
}

impl Columns {
    fn new(layout: &Layout) -> Self {
        let features = layout.constants.features;
        let from = |mut next: usize| {
            move || {
                next += 1;
                next - 1
            }
        };
        let first = First::build(features, from(0));
        let second = Second::build(features, from(first.all().count()));
        Self { fixed: Fixed::build(features, layout.shape.kernels, from(0)), first, second }
    }

    fn named(&self) -> Vec<(Running, usize)> {
        use Running::*;
        let s = &self.second;
        let base = [(G, s.g), (Defined, s.defined), (Used, s.used), (Looked, s.looked), (Rested, s.rested)];
        let memory = s.memory.iter().flat_map(|[reads, defs]| [(Reads, *reads), (Defs, *defs)]);
        base.into_iter().chain(memory).chain(s.planes.iter().flat_map(|[by, px]| [(By, *by), (Px, *px)])).collect()
    }

    fn running(&self, column: usize) -> Running {
        self.named().iter().find(|(_, c)| *c == column).map_or(Running::Other, |(running, _)| *running)
    }

    /// A running column's number, if the circuit has it.
    pub(crate) fn of(&self, running: Running) -> Option<usize> {
        self.named().iter().find(|(name, _)| *name == running).map(|(_, column)| *column)
    }
}

/// Collects a constraint system's expressions, equal ones once.
#[derive(Default)]
struct Collector {
    nodes: Vec<Node>,
    known: HashMap<Node, usize>,
}

impl Collector {
    fn node(&mut self, node: Node) -> usize {
        *self.known.entry(node).or_insert_with(|| {
            self.nodes.push(node);
            self.nodes.len() - 1
        })
    }

    fn expression(&mut self, e: &Expression<Fr>) -> usize {
        let node = match e {
            Expression::Constant(v) => Node::Constant(v.to_repr()),
            Expression::Selector(_) => panic!("the circuit has no selectors"),
            Expression::Fixed(q) => Node::Fixed(q.column_index(), q.rotation().0),
            Expression::Advice(q) => Node::Advice(q.column_index(), q.rotation().0),
            Expression::Instance(q) => Node::Instance(q.rotation().0),
            Expression::Challenge(c) => Node::Challenge(c.index()),
            Expression::Negated(a) => Node::Negated(self.expression(a)),
            Expression::Sum(a, b) => Node::Sum(self.expression(a), self.expression(b)),
            Expression::Product(a, b) => Node::Product(self.expression(a), self.expression(b)),
            Expression::Scaled(a, v) => {
                let factor = self.node(Node::Constant(v.to_repr()));
                Node::Product(self.expression(a), factor)
            }
        };
        self.node(node)
    }
}

fn operands(node: Node) -> [Option<usize>; 2] {
    match node {
        Node::Negated(a) => [Some(a), None],
        Node::Sum(a, b) | Node::Product(a, b) => [Some(a), Some(b)],
        _ => [None, None],
    }
}

impl Gates {
    /// The gates of a layout, and its fixed columns.
    pub(crate) fn new(circuit: &NetCircuit) -> Self {
        let mut cs = ConstraintSystem::default();
        NetCircuit::configure_with_params(&mut cs, circuit.params());
        let mut collector = Collector::default();
        let roots: Vec<usize> =
            cs.gates().iter().flat_map(|g| g.polynomials()).map(|p| collector.expression(p)).collect();
        let nodes = collector.nodes;
        let mut varies = vec![false; nodes.len()];
        for (i, node) in nodes.iter().enumerate() {
            varies[i] = matches!(node, Node::Fixed(..) | Node::Advice(..) | Node::Instance(_))
                || operands(*node).into_iter().flatten().any(|o| varies[o]);
        }
        let numbers = Columns::new(&circuit.layout);
        let fixed = circuit.fixed_columns().iter().map(values).collect();
        let mut gates = Self {
            varying: (0..nodes.len()).filter(|i| varies[*i]).collect(),
            nodes,
            gates: vec![],
            runs: vec![],
            first: numbers.first.all().count(),
            advice: cs.num_advice_columns(),
            fixed,
            end: circuit.layout.end,
            numbers,
        };
        gates.find_runs(&roots);
        gates.gates = roots.iter().map(|root| (gates.name(*root), *root)).collect();
        gates
    }

    pub(crate) fn numbers(&self) -> &Columns {
        &self.numbers
    }

    /// A fixed column.
    pub(crate) fn fixed(&self, column: usize) -> &[Fr] {
        &self.fixed[column]
    }

    /// Everything below a node that varies, in order.
    fn below(&self, root: usize) -> Vec<usize> {
        let (mut seen, mut open) = (BTreeSet::new(), vec![root]);
        while let Some(node) = open.pop() {
            if seen.insert(node) {
                open.extend(operands(self.nodes[node]).into_iter().flatten());
            }
        }
        self.varying.iter().copied().filter(|n| seen.contains(n)).collect()
    }

    /// Advice cells that a gate reads: column, rotation.
    fn cells(&self, root: usize) -> BTreeSet<(usize, i32)> {
        let cell = |n: usize| match self.nodes[n] {
            Node::Advice(column, at) => Some((column, at)),
            _ => None,
        };
        self.below(root).into_iter().filter_map(cell).collect()
    }

    /// For each running column the first gate with no other that is not known yet.
    fn find_runs(&mut self, roots: &[usize]) {
        let mut open: BTreeSet<usize> = (self.first..self.advice).collect();
        let mut used = BTreeSet::new();
        while !open.is_empty() {
            let found = roots.iter().filter(|r| !used.contains(*r)).find_map(|root| {
                let cells = self.cells(*root);
                let mut unknown = cells.iter().filter(|(column, at)| *at == 0 && open.contains(column));
                let (column, _) = unknown.next()?;
                unknown.next().is_none().then_some((*root, *column))
            });
            let (root, column) = found.expect("a gate for each running column");
            open.remove(&column);
            used.insert(root);
            self.runs.push(Run { column, nodes: self.below(root), root });
        }
    }

    fn name(&self, root: usize) -> Gate {
        if let Some(run) = self.runs.iter().find(|run| run.root == root) {
            return Gate::Runs(self.numbers.running(run.column));
        }
        let Columns { first, second, .. } = &self.numbers;
        let is = |cells: &[(usize, i32)]| self.cells(root) == cells.iter().copied().collect();
        let px = second.planes.map(|[_, px]| px);
        if is(&[(second.defined, 0), (second.used, 0)]) {
            Gate::Sides
        } else if is(&[(second.looked, 0), (second.rested, 0)]) {
            Gate::Lookups
        } else if second.memory.is_some_and(|[reads, defs]| is(&[(reads, 0), (defs, 0)])) {
            Gate::Memory
        } else if first.y.is_some_and(|y| is(&[(first.x, 0), (first.r, 0), (y, 0)])) {
            Gate::Distance
        } else if is(&[(first.x, 0), (first.x, -1)]) {
            Gate::OneMaximum
        } else if px.is_some_and(|px| is(&[(px, -1)])) {
            Gate::Reached
        } else if self.cells(root).iter().all(|(column, at)| *column >= self.first && *at == -1) {
            Gate::Starts
        } else {
            Gate::Other
        }
    }

    /// Room for all nodes, with what is the same on every row.
    fn scalars(&self, challenges: &[Fr]) -> Vec<Fr> {
        let mut room: Vec<Fr> = Vec::with_capacity(self.nodes.len());
        for node in &self.nodes {
            room.push(match *node {
                Node::Constant(v) => Fr::from_repr(v).unwrap_or(Fr::ZERO),
                Node::Challenge(i) => challenges[i],
                Node::Negated(a) => -room[a],
                Node::Sum(a, b) => room[a] + room[b],
                Node::Product(a, b) => room[a] * room[b],
                Node::Fixed(..) | Node::Advice(..) | Node::Instance(_) => Fr::ZERO,
            });
        }
        room
    }

    fn evaluate(&self, nodes: &[usize], with: &Assignment, row: usize, room: &mut [Fr]) {
        let cell = |column: &[Fr], at: i32| {
            let row = row.checked_add_signed(at as isize);
            row.and_then(|row| column.get(row)).copied().unwrap_or(Fr::ZERO)
        };
        for n in nodes {
            room[*n] = match self.nodes[*n] {
                Node::Fixed(column, at) => cell(&self.fixed[column], at),
                Node::Advice(column, at) => cell(&with.advice[column], at),
                Node::Instance(at) => cell(&with.instances, at),
                Node::Negated(a) => -room[a],
                Node::Sum(a, b) => room[a] + room[b],
                Node::Product(a, b) => room[a] * room[b],
                Node::Constant(_) | Node::Challenge(_) => continue,
            };
        }
    }

    /// Fills the running columns row by row. `change` may alter a cell as soon as it is found, and all of a row in the end
    /// (then no column is named); it begins on the row before the first.
    pub(crate) fn run(&self, with: &mut Assignment, mut change: impl FnMut(&mut [Vec<Fr>], Option<usize>, usize)) {
        let mut room = self.scalars(&with.challenges);
        with.advice.truncate(self.first);
        with.advice.resize(self.advice, vec![Fr::ZERO; self.end + 1]);
        self.runs.iter().for_each(|run| change(&mut with.advice, Some(run.column), START_ROW - 1));
        for row in START_ROW..=self.end {
            for Run { column, nodes, root } in &self.runs {
                self.evaluate(nodes, with, row, &mut room);
                let rest = room[*root];
                with.advice[*column][row] = Fr::ONE;
                self.evaluate(nodes, with, row, &mut room);
                let factor = room[*root] - rest;
                with.advice[*column][row] = match factor {
                    Fr::ONE => -rest,
                    // Without a factor any value will do; a denominator that is 0 has a chance of 2^-230.
                    _ => -rest * factor.invert().unwrap_or(Fr::ZERO),
                };
                change(&mut with.advice, Some(*column), row);
            }
            change(&mut with.advice, None, row);
        }
    }

    /// The gates that don't hold on these rows.
    pub(crate) fn broken_on(&self, with: &Assignment, rows: impl IntoIterator<Item = usize>) -> BTreeSet<Gate> {
        let mut room = self.scalars(&with.challenges);
        let mut broken = BTreeSet::new();
        for row in rows {
            self.evaluate(&self.varying, with, row, &mut room);
            broken.extend(self.gates.iter().filter(|(_, root)| room[*root] != Fr::ZERO).map(|(gate, _)| *gate));
        }
        broken
    }

    /// The gates that don't hold somewhere.
    pub(crate) fn broken(&self, with: &Assignment) -> BTreeSet<Gate> {
        self.broken_on(with, 0..self.end + 3)
    }

    /// Whether every gate holds; the last row first, since most cheats fail there.
    pub(crate) fn hold(&self, with: &Assignment) -> bool {
        let mut rows = [self.end].into_iter().chain(0..self.end).chain(self.end + 1..self.end + 3);
        let mut room = self.scalars(&with.challenges);
        rows.all(|row| {
            self.evaluate(&self.varying, with, row, &mut room);
            self.gates.iter().all(|(_, root)| room[*root] == Fr::ZERO)
        })
    }
}

fn values(column: &prove::Column<'_>) -> Vec<Fr> {
    match column {
        prove::Column::Small(values) => values.iter().map(|v| small(*v)).collect(),
        prove::Column::Field(values) | prove::Column::Whole(values) => values.clone(),
    }
}
