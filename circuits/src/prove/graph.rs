//! Gates as one graph: equal subexpressions are one node, constants are folded, and factors that
//! several products share are taken out.

use std::collections::HashMap;

use halo2_proofs::halo2curves::bn256::Fr;
use halo2_proofs::halo2curves::ff::Field;
use halo2_proofs::plonk::{ConstraintSystem, Expression};

use super::ProveError;

/// A column's kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Kind {
    Fixed,
    Advice,
    Instance,
}

/// A column at a rotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Cell {
    pub(super) kind: Kind,
    pub(super) column: usize,
    pub(super) rotation: i32,
}

/// What an instruction does with its operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Operation {
    Add,
    Sub,
    Mul,
}

impl Operation {
    #[inline(always)]
    pub(super) fn apply(self, a: &Fr, b: &Fr) -> Fr {
        match self {
            Self::Add => a + b,
            Self::Sub => a - b,
            Self::Mul => a * b,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Node {
    Constant(Fr),
    /// A challenge by its index; `y` after the last.
    Challenge(usize),
    Cell(Cell),
    Operation(Operation, usize, usize),
}

/// Expressions with equal ones shared.
#[derive(Debug, Default)]
pub(super) struct Graph {
    pub(super) nodes: Vec<Node>,
    /// Whether a node depends on no cell.
    is_scalar: Vec<bool>,
    known: HashMap<Node, usize>,
}

impl Graph {
    /// The graph of `Σ y^i·gate_i`, and its root. The last gate has the lowest power, as by Horner's
    /// rule; `y` counts as one more challenge.
    pub(super) fn of_gates(cs: &ConstraintSystem<Fr>) -> Result<(Self, usize), ProveError> {
        let mut graph = Graph::default();
        let y = graph.node(Node::Challenge(cs.num_challenges()));
        let mut weight = graph.constant(Fr::ONE);
        let mut terms = vec![];
        let gates: Vec<&Expression<Fr>> = cs.gates().iter().flat_map(|gate| gate.polynomials()).collect();
        for gate in gates.into_iter().rev() {
            let root = graph.expression(gate)?;
            let mut found = vec![];
            graph.terms(root, false, &mut found);
            for mut factors in found {
                factors.push(weight);
                terms.push(factors);
            }
            weight = graph.multiply(weight, y);
        }
        let root = graph.combine(terms);
        Ok((graph, root))
    }

    fn node(&mut self, node: Node) -> usize {
        if let Some(known) = self.known.get(&node) {
            return *known;
        }
        self.is_scalar.push(match node {
            Node::Constant(_) | Node::Challenge(_) => true,
            Node::Cell(_) => false,
            Node::Operation(_, a, b) => self.is_scalar[a] && self.is_scalar[b],
        });
        self.known.insert(node, self.nodes.len());
        self.nodes.push(node);
        self.nodes.len() - 1
    }

    fn constant(&mut self, value: Fr) -> usize {
        self.node(Node::Constant(value))
    }

    fn is(&self, node: usize, value: Fr) -> bool {
        self.nodes[node] == Node::Constant(value)
    }

    fn operands(&self, node: usize, operation: Operation) -> Option<(usize, usize)> {
        match self.nodes[node] {
            Node::Operation(found, a, b) if found == operation => Some((a, b)),
            _ => None,
        }
    }

    fn add(&mut self, a: usize, b: usize) -> usize {
        if let (Node::Constant(a), Node::Constant(b)) = (self.nodes[a], self.nodes[b]) {
            return self.constant(a + b);
        }
        match (self.negated(a), self.negated(b)) {
            _ if self.is(a, Fr::ZERO) => b,
            _ if self.is(b, Fr::ZERO) => a,
            (_, Some(b)) => self.subtract(a, b),
            (Some(a), _) => self.subtract(b, a),
            _ => self.node(Node::Operation(Operation::Add, a.min(b), a.max(b))),
        }
    }

    fn subtract(&mut self, a: usize, b: usize) -> usize {
        if let (Node::Constant(a), Node::Constant(b)) = (self.nodes[a], self.nodes[b]) {
            return self.constant(a - b);
        }
        match self.negated(b) {
            _ if a == b => self.constant(Fr::ZERO),
            _ if self.is(b, Fr::ZERO) => a,
            Some(b) => self.add(a, b),
            None => self.node(Node::Operation(Operation::Sub, a, b)),
        }
    }

    /// `x` if the node is `0 − x`.
    fn negated(&self, node: usize) -> Option<usize> {
        self.operands(node, Operation::Sub).filter(|(zero, _)| self.is(*zero, Fr::ZERO)).map(|(_, x)| x)
    }

    fn negate(&mut self, node: usize) -> usize {
        if let Some((a, b)) = self.operands(node, Operation::Sub) {
            return self.subtract(b, a);
        }
        let zero = self.constant(Fr::ZERO);
        self.subtract(zero, node)
    }

    fn multiply(&mut self, a: usize, b: usize) -> usize {
        if let (Node::Constant(a), Node::Constant(b)) = (self.nodes[a], self.nodes[b]) {
            return self.constant(a * b);
        }
        // A scalar stands on the left, and only once.
        let (a, b) = if (self.is_scalar[b], b) > (self.is_scalar[a], a) { (b, a) } else { (a, b) };
        if self.is(a, Fr::ZERO) || self.is(b, Fr::ZERO) {
            return self.constant(Fr::ZERO);
        }
        if self.is(a, Fr::ONE) {
            return b;
        }
        if self.is(b, Fr::ONE) {
            return a;
        }
        if self.is(a, -Fr::ONE) {
            return self.negate(b);
        }
        if let Some(a) = self.negated(a) {
            let product = self.multiply(a, b);
            return self.negate(product);
        }
        if let Some(b) = self.negated(b) {
            let product = self.multiply(a, b);
            return self.negate(product);
        }
        match self.operands(b, Operation::Mul) {
            Some((scalar, rest)) if self.is_scalar[scalar] && !self.is_scalar[b] => {
                let scalar = self.multiply(a, scalar);
                self.multiply_unordered(scalar, rest)
            }
            _ => self.multiply_unordered(a, b),
        }
    }

    /// A product that nothing is to be folded in any more, a scalar first.
    fn multiply_unordered(&mut self, a: usize, b: usize) -> usize {
        self.node(Node::Operation(Operation::Mul, a, b))
    }

    fn expression(&mut self, expression: &Expression<Fr>) -> Result<usize, ProveError> {
        let cell = |kind, column, rotation| Node::Cell(Cell { kind, column, rotation });
        Ok(match expression {
            Expression::Constant(v) => self.constant(*v),
            Expression::Challenge(c) => self.node(Node::Challenge(c.index())),
            Expression::Fixed(q) => self.node(cell(Kind::Fixed, q.column_index(), q.rotation().0)),
            Expression::Advice(q) => self.node(cell(Kind::Advice, q.column_index(), q.rotation().0)),
            Expression::Instance(q) => self.node(cell(Kind::Instance, q.column_index(), q.rotation().0)),
            Expression::Selector(_) => return Err(ProveError::Unsupported("selectors")),
            Expression::Negated(a) => {
                let a = self.expression(a)?;
                self.negate(a)
            }
            Expression::Sum(a, b) => {
                let (a, b) = (self.expression(a)?, self.expression(b)?);
                self.add(a, b)
            }
            Expression::Product(a, b) => {
                let (a, b) = (self.expression(a)?, self.expression(b)?);
                self.multiply(a, b)
            }
            Expression::Scaled(a, factor) => {
                let (factor, a) = (self.constant(*factor), self.expression(a)?);
                self.multiply(factor, a)
            }
        })
    }

    /// Takes a sum apart into products, and these into factors.
    fn terms(&mut self, node: usize, negative: bool, terms: &mut Vec<Vec<usize>>) {
        if self.is(node, Fr::ZERO) {
            return;
        }
        if let Some((a, b)) = self.operands(node, Operation::Add) {
            self.terms(a, negative, terms);
            return self.terms(b, negative, terms);
        }
        if let Some((a, b)) = self.operands(node, Operation::Sub) {
            self.terms(a, negative, terms);
            return self.terms(b, !negative, terms);
        }
        let mut factors = vec![];
        self.factors(node, &mut factors);
        if negative {
            factors.push(self.constant(-Fr::ONE));
        }
        terms.push(factors);
    }

    fn factors(&self, node: usize, factors: &mut Vec<usize>) {
        match self.operands(node, Operation::Mul) {
            Some((a, b)) if !self.is_scalar[node] => {
                self.factors(a, factors);
                self.factors(b, factors);
            }
            _ => factors.push(node),
        }
    }

    /// The sum of products, with the factor that most of them share taken out first.
    fn combine(&mut self, terms: Vec<Vec<usize>>) -> usize {
        let mut count: HashMap<usize, usize> = HashMap::new();
        for factors in &terms {
            for (i, factor) in factors.iter().enumerate().filter(|(_, f)| !matches!(self.nodes[**f], Node::Constant(_)))
            {
                if !factors[..i].contains(factor) {
                    *count.entry(*factor).or_default() += 1;
                }
            }
        }
        let shared = count.into_iter().filter(|(_, n)| *n > 1).max_by_key(|(f, n)| (*n, !self.is_scalar[*f], *f));
        let Some((shared, _)) = shared else {
            let zero = self.constant(Fr::ZERO);
            return terms.into_iter().fold(zero, |sum, factors| {
                let product = self.product(factors);
                self.add(sum, product)
            });
        };
        let (mut with, mut without) = (vec![], vec![]);
        for mut factors in terms {
            match factors.iter().position(|f| *f == shared) {
                Some(at) => {
                    factors.swap_remove(at);
                    with.push(factors);
                }
                None => without.push(factors),
            }
        }
        let sum = self.combine(with);
        let product = self.multiply(shared, sum);
        let rest = self.combine(without);
        self.add(product, rest)
    }

    fn product(&mut self, mut factors: Vec<usize>) -> usize {
        // Scalars are joined before anything else is multiplied by them.
        factors.sort_by_key(|f| (!self.is_scalar[*f], *f));
        let one = self.constant(Fr::ONE);
        let scalars = factors.iter().filter(|f| self.is_scalar[**f]).copied().collect::<Vec<_>>();
        let scalar = scalars.into_iter().fold(one, |product, f| self.multiply(product, f));
        let rows = factors.iter().filter(|f| !self.is_scalar[**f]).copied().collect::<Vec<_>>();
        let row = rows.into_iter().fold(one, |product, f| self.multiply(product, f));
        self.multiply(scalar, row)
    }
}
