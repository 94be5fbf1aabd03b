//! The gates of a constraint system as one flat list of instructions for `Σ y^i·gate_i`.
//!
//! Built once per key: equal subexpressions become one node, factors that several terms share are
//! taken out, and whatever depends on challenges alone is a scalar, computed once per proof. What
//! is left runs over rows in chunks, one instruction at a time.

use std::collections::HashMap;

use halo2_proofs::halo2curves::bn256::Fr;
use halo2_proofs::plonk::ConstraintSystem;

use super::ProveError;
use super::graph::{Cell, Graph, Node, Operation};

/// Where an instruction takes a value from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operand {
    /// A result of an earlier instruction.
    Register(usize),
    /// A column's rows.
    Cell(usize),
    /// A number of this proof.
    Scalar(usize),
}

/// `register = operation(a, b)`; the register is neither of the operands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Instruction {
    pub(super) operation: Operation,
    pub(super) a: Operand,
    pub(super) b: Operand,
    pub(super) register: usize,
}

/// Instructions for the numerator of the quotient on one row.
#[derive(Clone, Debug)]
pub(super) struct Program {
    /// The cells that operands refer to.
    pub(super) cells: Vec<Cell>,
    pub(super) instructions: Vec<Instruction>,
    /// How many registers there are.
    pub(super) registers: usize,
    pub(super) result: Operand,
    scalars: Vec<ScalarNode>,
}

/// A number of this proof.
#[derive(Clone, Copy, Debug)]
enum ScalarNode {
    Constant(Fr),
    Challenge(usize),
    Operation(Operation, usize, usize),
}

impl Program {
    pub(super) fn new(cs: &ConstraintSystem<Fr>) -> Result<Self, ProveError> {
        let (graph, root) = Graph::of_gates(cs)?;
        Ok(Assembler::new(&graph).assemble(root))
    }

    /// The scalars, from the circuit's challenges and `y`.
    pub(super) fn scalars(&self, challenges: &[Fr], y: Fr) -> Vec<Fr> {
        let mut values: Vec<Fr> = Vec::with_capacity(self.scalars.len());
        for node in &self.scalars {
            values.push(match *node {
                ScalarNode::Constant(v) => v,
                ScalarNode::Challenge(i) => challenges.get(i).copied().unwrap_or(y),
                ScalarNode::Operation(operation, a, b) => operation.apply(&values[a], &values[b]),
            });
        }
        values
    }
}

/// Puts nodes in order and gives them registers.
struct Assembler<'a> {
    graph: &'a Graph,
    cells: Vec<Cell>,
    scalars: Vec<ScalarNode>,
    operands: HashMap<usize, Operand>,
    /// Row nodes in the order in which they are computed.
    order: Vec<usize>,
}

impl<'a> Assembler<'a> {
    fn new(graph: &'a Graph) -> Self {
        Self { graph, cells: vec![], scalars: vec![], operands: HashMap::new(), order: vec![] }
    }

    fn assemble(mut self, root: usize) -> Program {
        self.visit(root);
        let mut last_use = HashMap::new();
        for (at, node) in self.order.iter().enumerate() {
            if let Node::Operation(_, a, b) = self.graph.nodes[*node] {
                last_use.insert(a, at);
                last_use.insert(b, at);
            }
        }
        let (mut free, mut registers) = (vec![], 0);
        let mut instructions = Vec::with_capacity(self.order.len());
        for (at, node) in self.order.iter().enumerate() {
            let Node::Operation(operation, a, b) = self.graph.nodes[*node] else { continue };
            // Taken before those of the operands are given back, so that it is none of them.
            let register = free.pop().unwrap_or_else(|| {
                registers += 1;
                registers - 1
            });
            let (from_a, from_b) = (self.operands[&a], self.operands[&b]);
            instructions.push(Instruction { operation, a: from_a, b: from_b, register });
            self.operands.insert(*node, Operand::Register(register));
            for (operand, from) in [(a, from_a), (b, from_b)].into_iter().take(if a == b { 1 } else { 2 }) {
                if let (Operand::Register(old), Some(last)) = (from, last_use.get(&operand))
                    && *last == at
                {
                    free.push(old);
                }
            }
        }
        let result = self.operands[&root];
        Program { cells: self.cells, instructions, registers, result, scalars: self.scalars }
    }

    fn visit(&mut self, node: usize) {
        if self.operands.contains_key(&node) {
            return;
        }
        let operand = match self.graph.nodes[node] {
            Node::Cell(cell) => {
                self.cells.push(cell);
                Operand::Cell(self.cells.len() - 1)
            }
            Node::Constant(v) => self.scalar(ScalarNode::Constant(v)),
            Node::Challenge(i) => self.scalar(ScalarNode::Challenge(i)),
            Node::Operation(operation, a, b) => {
                self.visit(a);
                self.visit(b);
                match (self.operands[&a], self.operands[&b]) {
                    (Operand::Scalar(a), Operand::Scalar(b)) => self.scalar(ScalarNode::Operation(operation, a, b)),
                    _ => {
                        self.order.push(node);
                        // Its register is known once all are in order.
                        Operand::Register(usize::MAX)
                    }
                }
            }
        };
        self.operands.insert(node, operand);
    }

    fn scalar(&mut self, node: ScalarNode) -> Operand {
        self.scalars.push(node);
        Operand::Scalar(self.scalars.len() - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prove::graph::Kind;
    use halo2_proofs::halo2curves::ff::Field;
    use halo2_proofs::plonk::Expression;
    use halo2_proofs::plonk::{FirstPhase, SecondPhase};
    use halo2_proofs::poly::Rotation;

    fn value(kind: Kind, column: usize, rotation: i32) -> Fr {
        Fr::from((kind as u64 + 3) * 1000 + 100 * column as u64 + (10 + rotation) as u64).square()
    }

    /// The program on one row of made-up values.
    fn run(program: &Program, scalars: &[Fr]) -> Fr {
        let mut registers = vec![Fr::ZERO; program.registers];
        let get = |operand, registers: &[Fr]| match operand {
            Operand::Register(i) => registers[i],
            Operand::Cell(i) => value(program.cells[i].kind, program.cells[i].column, program.cells[i].rotation),
            Operand::Scalar(i) => scalars[i],
        };
        for i in &program.instructions {
            assert!(![i.a, i.b].contains(&Operand::Register(i.register)), "an operand is overwritten");
            registers[i.register] = i.operation.apply(&get(i.a, &registers), &get(i.b, &registers));
        }
        get(program.result, &registers)
    }

    #[test]
    fn the_program_computes_the_gates() {
        let mut cs = ConstraintSystem::<Fr>::default();
        let (a, b) = (cs.advice_column(), cs.advice_column_in(SecondPhase));
        let (s, t, p) = (cs.fixed_column(), cs.fixed_column(), cs.instance_column());
        let z = cs.challenge_usable_after(FirstPhase);
        cs.create_gate("all sorts", |v| {
            let [a, a_next] = [0, 1].map(|at| v.query_advice(a, Rotation(at)));
            let [b, b_prev] = [0, -1].map(|at| v.query_advice(b, Rotation(at)));
            let [s, t] = [s, t].map(|c| v.query_fixed(c, Rotation::cur()));
            let (p, z) = (v.query_instance(p, Rotation(2)), v.query_challenge(z));
            let number = |n: u64| Expression::Constant(Fr::from(n));
            vec![
                s.clone() * (a.clone() - b.clone()),
                s.clone() * (b.clone() - (b_prev.clone() * z.clone() + a.clone())),
                s.clone() * (t.clone() - number(1)) + t.clone() * a.clone() * a_next - p.clone() * number(0),
                -(t.clone() * (-(a.clone() * number(5)) - -b.clone())),
                number(7) * z.clone() * (z.clone() * (s.clone() * a.clone())),
                (a.clone() - a.clone()) * b.clone() + p.clone(),
                number(3) - number(3),
                z.clone() * z.clone() - number(2),
                s.clone() * t.clone() * (a.clone() + b_prev) - s * t * b * Fr::from(11),
                -p * -z * number(1),
            ]
        });
        let program = Program::new(&cs).unwrap();
        let (z, y) = (Fr::from(12345).square(), Fr::from(987));
        let want = cs.gates()[0].polynomials().iter().fold(Fr::ZERO, |sum, gate| {
            sum * y
                + gate.evaluate(
                    &|v| v,
                    &|_| Fr::ZERO,
                    &|q| value(Kind::Fixed, q.column_index(), q.rotation().0),
                    &|q| value(Kind::Advice, q.column_index(), q.rotation().0),
                    &|q| value(Kind::Instance, q.column_index(), q.rotation().0),
                    &|_| z,
                    &|a| -a,
                    &|a, b| a + b,
                    &|a, b| a * b,
                    &|a, b| a * b,
                )
        });
        assert_eq!(run(&program, &program.scalars(&[z], y)), want);
        let mut cells = program.cells.clone();
        cells.sort_unstable();
        cells.dedup();
        assert_eq!(cells.len(), program.cells.len(), "a cell is read twice");
    }

    #[test]
    fn no_gates_are_no_work() {
        let cs = ConstraintSystem::<Fr>::default();
        let program = Program::new(&cs).unwrap();
        assert_eq!(run(&program, &program.scalars(&[], Fr::ONE)), Fr::ZERO);
    }
}
