//! Field expressions as a graph with shared nodes, printed as straight-line Yul.
//!
//! Nodes are hashed by structure, so an expression that occurs twice is computed once and kept in
//! memory. Sums are left unreduced as long as they fit into 256 bits (five values below r do), and
//! no printed expression needs more than [`MAX_HEIGHT`] stack slots: what is deeper is put into
//! memory first, since the EVM reaches only 16 slots down.

use std::{collections::HashMap, fmt::Write};

use halo2_proofs::{
    halo2curves::{bn256::Fr, ff::Field},
    plonk::Expression,
};

use super::transcript::scalar_word;

/// Stack slots one printed expression may take.
const MAX_HEIGHT: usize = 9;

/// How many times r a value may reach: 5·r < 2^256 < 6·r.
const MAX_BOUND: u32 = 5;

/// A node of a [`Dag`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Id(usize);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Node {
    Const(Fr),
    /// A reduced value at a memory address.
    Mem(usize),
    Add(Id, Id),
    Sub(Id, Id),
    Mul(Id, Id),
}

/// Expressions with equal ones shared.
#[derive(Debug, Default)]
pub(super) struct Dag {
    nodes: Vec<Node>,
    index: HashMap<Node, Id>,
}

impl Dag {
    fn intern(&mut self, node: Node) -> Id {
        if let Some(id) = self.index.get(&node) {
            return *id;
        }
        let id = Id(self.nodes.len());
        self.nodes.push(node);
        self.index.insert(node, id);
        id
    }

    fn constant_of(&self, id: Id) -> Option<Fr> {
        match self.nodes[id.0] {
            Node::Const(value) => Some(value),
            _ => None,
        }
    }

    pub(super) fn constant(&mut self, value: Fr) -> Id {
        self.intern(Node::Const(value))
    }

    /// A value below r that lies at `address`.
    pub(super) fn mem(&mut self, address: usize) -> Id {
        self.intern(Node::Mem(address))
    }

    pub(super) fn add(&mut self, a: Id, b: Id) -> Id {
        match (self.constant_of(a), self.constant_of(b)) {
            (Some(a), Some(b)) => return self.constant(a + b),
            (Some(zero), _) if zero == Fr::ZERO => return b,
            (_, Some(zero)) if zero == Fr::ZERO => return a,
            _ => {}
        }
        // a + (0 - b) = a - b.
        for (plus, minus) in [(a, b), (b, a)] {
            if let Node::Sub(zero, inner) = self.nodes[minus.0]
                && self.constant_of(zero) == Some(Fr::ZERO)
            {
                return self.sub(plus, inner);
            }
        }
        self.intern(Node::Add(a.min(b), a.max(b)))
    }

    pub(super) fn sub(&mut self, a: Id, b: Id) -> Id {
        match (self.constant_of(a), self.constant_of(b)) {
            (Some(a), Some(b)) => return self.constant(a - b),
            (_, Some(zero)) if zero == Fr::ZERO => return a,
            (Some(zero), _) if zero == Fr::ZERO => {
                if let Node::Sub(x, y) = self.nodes[b.0] {
                    return self.sub(y, x);
                }
            }
            _ => {}
        }
        if a == b {
            return self.constant(Fr::ZERO);
        }
        self.intern(Node::Sub(a, b))
    }

    pub(super) fn mul(&mut self, a: Id, b: Id) -> Id {
        match (self.constant_of(a), self.constant_of(b)) {
            (Some(a), Some(b)) => return self.constant(a * b),
            (Some(c), _) if c == Fr::ZERO => return a,
            (_, Some(c)) if c == Fr::ZERO => return b,
            (Some(c), _) if c == Fr::ONE => return b,
            (_, Some(c)) if c == Fr::ONE => return a,
            _ => {}
        }
        self.intern(Node::Mul(a.min(b), a.max(b)))
    }

    /// Takes in a gate's polynomial; `leaf` says at which address each query or challenge lies.
    ///
    /// # Errors
    /// What `leaf` refuses.
    pub(super) fn expression<E>(
        &mut self,
        expression: &Expression<Fr>,
        leaf: &impl Fn(&Expression<Fr>) -> Result<usize, E>,
    ) -> Result<Id, E> {
        Ok(match expression {
            Expression::Constant(value) => self.constant(*value),
            Expression::Negated(a) => {
                let (zero, a) = (self.constant(Fr::ZERO), self.expression(a, leaf)?);
                self.sub(zero, a)
            }
            Expression::Sum(a, b) => {
                let (a, b) = (self.expression(a, leaf)?, self.expression(b, leaf)?);
                self.add(a, b)
            }
            Expression::Product(a, b) => {
                let (a, b) = (self.expression(a, leaf)?, self.expression(b, leaf)?);
                self.mul(a, b)
            }
            Expression::Scaled(a, factor) => {
                let (a, factor) = (self.expression(a, leaf)?, self.constant(*factor));
                self.mul(a, factor)
            }
            other => {
                let address = leaf(other)?;
                self.mem(address)
            }
        })
    }

    fn children(&self, id: Id) -> Option<(Id, Id)> {
        match self.nodes[id.0] {
            Node::Const(_) | Node::Mem(_) => None,
            Node::Add(a, b) | Node::Sub(a, b) | Node::Mul(a, b) => Some((a, b)),
        }
    }
}

/// A printed expression.
#[derive(Clone, Debug)]
struct Printed {
    text: String,
    /// Stack slots its evaluation takes.
    height: usize,
    /// The value is at most `bound`·r.
    bound: u32,
}

impl Printed {
    fn leaf(text: String) -> Self {
        Self { text, height: 1, bound: 1 }
    }
}

/// Prints the roots of one [`Dag`] in turn. `r` must be a Yul variable that holds the modulus.
#[derive(Debug)]
pub(super) struct Printer<'a> {
    dag: &'a Dag,
    uses: Vec<u32>,
    stored: HashMap<Id, Printed>,
    next: usize,
}

impl<'a> Printer<'a> {
    /// A printer for these roots that keeps shared values from address `memory` on.
    pub(super) fn new(dag: &'a Dag, roots: &[Id], memory: usize) -> Self {
        let mut uses = vec![0; dag.nodes.len()];
        let mut stack: Vec<Id> = roots.to_vec();
        while let Some(id) = stack.pop() {
            uses[id.0] += 1;
            if uses[id.0] == 1
                && let Some((a, b)) = dag.children(id)
            {
                stack.extend([a, b]);
            }
        }
        Self { dag, uses, stored: HashMap::new(), next: memory }
    }

    /// Appends the statements that `root` needs to `code`; returns it as an expression that takes
    /// few stack slots and whose value is at most `max_bound`·r.
    pub(super) fn print(&mut self, root: Id, max_bound: u32, code: &mut String) -> String {
        let printed = self.visit(root, code);
        if printed.bound > max_bound { reduced(printed).text } else { printed.text }
    }

    fn visit(&mut self, id: Id, code: &mut String) -> Printed {
        if let Some(stored) = self.stored.get(&id) {
            return stored.clone();
        }
        let shared = self.uses[id.0] > 1;
        let (printed, worth_storing) = match self.dag.nodes[id.0] {
            Node::Mem(address) => (Printed::leaf(format!("mload({address:#x})")), false),
            Node::Const(value) => {
                let printed = constant(value);
                let long = printed.text.len() > 12;
                (printed, long)
            }
            Node::Add(a, b) => (self.sum(a, b, code), true),
            Node::Sub(a, b) => (self.difference(a, b, code), true),
            Node::Mul(a, b) => {
                let (a, b) = self.both(a, b, 2, code);
                let height = 1.max(1 + b.height).max(2 + a.height);
                let text = format!("mulmod({}, {}, r)", a.text, b.text);
                (Printed { text, height, bound: 1 }, true)
            }
        };
        if shared && worth_storing {
            let stored = self.store(printed, code);
            self.stored.insert(id, stored.clone());
            stored
        } else {
            printed
        }
    }

    fn sum(&mut self, a: Id, b: Id, code: &mut String) -> Printed {
        let (a, b) = self.both(a, b, 2, code);
        let bound = a.bound + b.bound;
        if bound <= MAX_BOUND {
            let height = b.height.max(1 + a.height);
            Printed { text: format!("add({}, {})", a.text, b.text), height, bound }
        } else {
            let height = (1 + b.height).max(2 + a.height);
            Printed { text: format!("addmod({}, {}, r)", a.text, b.text), height, bound: 1 }
        }
    }

    fn difference(&mut self, a: Id, b: Id, code: &mut String) -> Printed {
        let zero = self.dag.constant_of(a) == Some(Fr::ZERO);
        let (mut a, b) = {
            let b = self.visit(b, code);
            let b = if b.bound > 1 { reduced(b) } else { b };
            let b = Printed { text: format!("sub(r, {})", b.text), height: 1 + b.height, bound: 1 };
            let b = if b.height > MAX_HEIGHT - 3 { self.store(b, code) } else { b };
            if zero {
                return b;
            }
            (self.visit(a, code), b)
        };
        if a.bound >= MAX_BOUND {
            a = reduced(a);
        }
        if a.height > MAX_HEIGHT - 3 {
            a = self.store(a, code);
        }
        let (a, b) = if a.height > b.height { (b, a) } else { (a, b) };
        let bound = a.bound + b.bound;
        let height = b.height.max(1 + a.height);
        Printed { text: format!("add({}, {})", a.text, b.text), height, bound }
    }

    /// Both operands, the one that takes more stack second (Yul evaluates it first), and both low
    /// enough for an operation that holds `held` slots above them.
    fn both(&mut self, a: Id, b: Id, held: usize, code: &mut String) -> (Printed, Printed) {
        let mut first = self.visit(a, code);
        let mut second = self.visit(b, code);
        for operand in [&mut first, &mut second] {
            if operand.height > MAX_HEIGHT - held {
                *operand = self.store(operand.clone(), code);
            }
        }
        if first.height > second.height { (second, first) } else { (first, second) }
    }

    fn store(&mut self, value: Printed, code: &mut String) -> Printed {
        let address = self.next;
        self.next += 32;
        let _ = writeln!(code, "mstore({address:#x}, {})", value.text);
        Printed { text: format!("mload({address:#x})"), height: 1, bound: value.bound }
    }
}

fn reduced(value: Printed) -> Printed {
    Printed { text: format!("mod({}, r)", value.text), height: 1 + value.height, bound: 1 }
}

fn constant(value: Fr) -> Printed {
    let text = literal(value);
    let minus = literal(-value);
    if minus.len() + 8 < text.len() {
        Printed { text: format!("sub(r, {minus})"), height: 2, bound: 1 }
    } else {
        Printed::leaf(text)
    }
}

/// A scalar as a hexadecimal literal without leading zeros.
pub(super) fn literal(value: Fr) -> String {
    word(&scalar_word(&value))
}

/// A big-endian word as a hexadecimal literal without leading zeros.
pub(super) fn word(bytes: &[u8; 32]) -> String {
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let digits = digits.trim_start_matches('0');
    format!("0x{}", if digits.is_empty() { "0" } else { digits })
}
