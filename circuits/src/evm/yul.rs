//! The assembly of `verifyProof`.
//!
//! Memory, from 0x80 on:
//!
//! | address | holds |
//! |---|---|
//! | 0x80 | the point to add |
//! | 0xc0 | a set's accumulator, followed by its factor at 0x100 |
//! | 0x140 | the sum over all sets |
//! | 0x200 | challenges, powers of x, values to invert and their inverses |
//! | … | evaluations, as they were hashed |
//! | … | instances, transcript buffer; later shared values of the gates |
//!
//! The SHPLONK check, with set `i` opened at the points `S_i`, `T = ∪ S_i`, `A_i = Σ_j y^j·C_ij`:
//! `F = Σ_i w_i·A_i − R·G − Z_0·h1 + u·h2` and `e(h2, [τ]G2) = e(F, G2)`, where
//! `Z_i = Π_{p∈S_i} (u − p)`, `w_i = v^i·Z_0/Z_i`, and
//! `R = Σ_i Σ_{p∈S_i} v^i·Z_0/((u − p)·Π_{q≠p}(p − q))·Σ_j y^j·C_ij(p)`.
//! As points are `p = x·ω^a`, `Π_{q≠p}(p − q)` is a power of x times a constant: the only inverses
//! needed are those of `u − p`, `x`, `x^n − 1` and `x − ω^i` for the instances, all taken at once.

use std::fmt::Write;

use halo2_proofs::{
    halo2curves::{
        bn256::{Bn256, Fr},
        ff::Field,
    },
    plonk::Expression,
    poly::kzg::commitment::ParamsKZG,
};

use super::{
    EvmError, Link,
    expr::{Dag, Id, Printer, literal},
    plan::{Drawn, Plan, Step},
};
use crate::net::link::LINK_BYTES;

/// Appends a line to the code. Writing to a string can't fail.
macro_rules! say {
    ($self:ident, $($text:tt)*) => {{ let _ = writeln!($self.code, $($text)*); }};
}

mod link;
mod opening;

const POINT: usize = 0x80;
const ACC: usize = 0xc0;
const FACTOR: usize = 0x100;
const SUM: usize = 0x140;
const QUOTIENT: usize = 0x180;
const TABLE: usize = 0x200;

const MODULUS: &str = "0x30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001";

/// Ends the call with `false`: returns the zero slot.
const FAIL: &str = "{ return(0x60, 0x20) }";

/// Where things lie, once they are counted.
#[derive(Debug)]
struct Memory {
    /// Circuit challenges, by index.
    challenges: usize,
    y: usize,
    x: usize,
    shplonk_y: usize,
    v: usize,
    u: usize,
    /// x^n.
    xn: usize,
    /// Value of the quotient at x.
    quotient: usize,
    /// Z_0.
    z0: usize,
    /// Value of the instance polynomial at each queried rotation.
    instance_evals: usize,
    /// To be inverted: x^n − 1, x, u − p for each point, x − ω^i for each instance row.
    inverses: usize,
    /// Products of all before each of them.
    prefixes: usize,
    evals: usize,
    instances: usize,
    buffer: usize,
}

/// Prints statements.
#[derive(Debug)]
struct Body<'a> {
    plan: &'a Plan,
    at: Memory,
    rotations: Vec<i32>,
    rows: Vec<i32>,
    /// Bytes after the proof.
    linked: usize,
    code: String,
}

/// The statements of the assembly block.
pub(super) fn body(plan: &Plan, params: &ParamsKZG<Bn256>, link: Option<Link<'_>>) -> Result<String, EvmError> {
    let rotations = plan.all_rotations();
    let mut rows = vec![];
    for at in &plan.instance_rotations {
        for row in 0..plan.num_instances as i32 {
            if !rows.contains(&(row - at)) {
                rows.push(row - at);
            }
        }
    }
    let num_inverses = 2 + rotations.len() + rows.len();
    let mut next = TABLE;
    let mut take = |words: usize| {
        let start = next;
        next += 32 * words;
        start
    };
    let at = Memory {
        challenges: take(plan.num_challenges),
        y: take(1),
        x: take(1),
        shplonk_y: take(1),
        v: take(1),
        u: take(1),
        xn: take(1),
        quotient: take(1),
        z0: take(1),
        instance_evals: take(plan.instance_rotations.len()),
        inverses: take(num_inverses),
        prefixes: take(num_inverses),
        // The word before is the hash state.
        evals: take(plan.num_evals + 1) + 32,
        instances: take(plan.num_instances + 1) + 32,
        buffer: take(0),
    };
    let linked = if link.is_some() { LINK_BYTES } else { 0 };
    let mut body = Body { plan, at, rotations, rows, linked, code: String::new() };
    body.shape();
    body.transcript();
    body.ranges();
    if let Some(link) = link {
        body.link(link);
    }
    body.invert();
    body.gates()?;
    body.fold_evaluations();
    body.fold_commitments();
    body.pairing(params);
    Ok(body.code)
}

impl Body<'_> {
    fn shape(&mut self) {
        let (bytes, instances) = (self.plan.proof_bytes + self.linked, self.plan.num_instances);
        say!(self, "if iszero(and(eq(proof.length, {bytes:#x}), eq(instances.length, {instances}))) {FAIL}");
        say!(self, "let r := {MODULUS}");
    }

    /// Hashes instances and proof, and keeps the challenges and evaluations.
    fn transcript(&mut self) {
        let plan = self.plan;
        let first_buffer = self.at.instances - 32;
        let instance_bytes = 32 * plan.num_instances;
        say!(self, "// Transcript.");
        say!(self, "{{");
        say!(self, "mstore({first_buffer:#x}, {})", literal(plan.digest));
        if instance_bytes > 0 {
            say!(self, "calldatacopy({:#x}, instances.offset, {instance_bytes:#x})", self.at.instances);
        }
        say!(self, "let h");
        let mut first = true;
        let mut pending = None;
        for step in &plan.steps {
            let drawn = match step {
                Step::Absorb { offset, bytes } => {
                    pending = Some((*offset, *bytes));
                    continue;
                }
                Step::Squeeze(drawn) => *drawn,
            };
            let (offset, bytes) = pending.take().unwrap_or((0, 0));
            // Evaluations stay where they are hashed, and so do the instances.
            let (buffer, data, head) = if first {
                (first_buffer, self.at.instances + instance_bytes, 32 + instance_bytes)
            } else if bytes > 0 && offset == plan.first_eval {
                (self.at.evals - 32, self.at.evals, 32)
            } else {
                (self.at.buffer, self.at.buffer + 32, 32)
            };
            if !first {
                say!(self, "mstore({buffer:#x}, h)");
            }
            if bytes > 0 {
                say!(self, "calldatacopy({data:#x}, {}, {bytes:#x})", calldata_at(offset));
            }
            let mut length = head + bytes;
            if length == 32 {
                say!(self, "mstore8({:#x}, 1)", buffer + 32);
                length = 33;
            }
            say!(self, "h := keccak256({buffer:#x}, {length:#x})");
            let slot = match drawn {
                Drawn::Circuit(index) => self.at.challenges + 32 * index,
                Drawn::Unused => 0,
                Drawn::Y => self.at.y,
                Drawn::X => self.at.x,
                Drawn::ShplonkY => self.at.shplonk_y,
                Drawn::ShplonkV => self.at.v,
                Drawn::ShplonkU => self.at.u,
            };
            if slot != 0 {
                say!(self, "mstore({slot:#x}, mod(h, r))");
            }
            first = false;
        }
        say!(self, "}}");
    }

    /// Every instance and evaluation is below r.
    fn ranges(&mut self) {
        say!(self, "// Scalars are reduced.");
        say!(self, "{{");
        let words = |start: usize, count: usize| (0..count).map(move |i| start + 32 * i);
        let addresses: Vec<_> = words(self.at.instances, self.plan.num_instances)
            .chain(words(self.at.evals, self.plan.num_evals))
            .collect();
        for (i, part) in addresses.chunks(24).enumerate() {
            let start = if i == 0 { "1" } else { "ok" };
            let all =
                part.iter().fold(start.to_owned(), |all, address| format!("and(lt(mload({address:#x}), r), {all})"));
            let keyword = if i == 0 { "let ok" } else { "ok" };
            say!(self, "{keyword} := {all}");
        }
        say!(self, "if iszero(ok) {FAIL}");
        say!(self, "}}");
    }

    /// Inverts everything that will be needed with one exponentiation.
    fn invert(&mut self) {
        let (x, u, xn, inverses) = (self.at.x, self.at.u, self.at.xn, self.at.inverses);
        say!(self, "// Inverses of x^n - 1, x, u - p and x - w^i, by one exponentiation.");
        say!(self, "{{");
        say!(self, "let x := mload({x:#x})");
        say!(self, "let t := x");
        for _ in 0..self.plan.k {
            say!(self, "t := mulmod(t, t, r)");
        }
        say!(self, "mstore({xn:#x}, t)");
        say!(self, "mstore({inverses:#x}, addmod(t, sub(r, 1), r))");
        say!(self, "mstore({:#x}, x)", inverses + 32);
        say!(self, "t := mload({u:#x})");
        let mut address = inverses + 64;
        for rotation in self.rotations.clone() {
            let point = if rotation == 0 {
                "x".to_owned()
            } else {
                format!("mulmod(x, {}, r)", literal(self.plan.omega_pow(rotation)))
            };
            say!(self, "mstore({address:#x}, addmod(t, sub(r, {point}), r))");
            address += 32;
        }
        for row in self.rows.clone() {
            say!(self, "mstore({address:#x}, addmod(x, {}, r))", literal(-self.plan.omega_pow(row)));
            address += 32;
        }
        let count = (address - inverses) / 32;
        let prefixes = self.at.prefixes;
        say!(self, "t := mload({inverses:#x})");
        for i in 1..count {
            say!(self, "mstore({:#x}, t)", prefixes + 32 * i);
            say!(self, "t := mulmod(t, mload({:#x}), r)", inverses + 32 * i);
        }
        for (i, value) in ["0x20", "0x20", "0x20", "t", "sub(r, 2)", "r"].iter().enumerate() {
            say!(self, "mstore({:#x}, {value})", POINT + 32 * i);
        }
        say!(self, "if iszero(and(staticcall(gas(), 5, {POINT:#x}, 0xc0, {POINT:#x}, 0x20), gt(t, 0))) {FAIL}");
        say!(self, "t := mload({POINT:#x})");
        for i in (1..count).rev() {
            let (value, prefix) = (inverses + 32 * i, prefixes + 32 * i);
            say!(self, "x := mload({value:#x})");
            say!(self, "mstore({value:#x}, mulmod(t, mload({prefix:#x}), r))");
            say!(self, "t := mulmod(t, x, r)");
        }
        say!(self, "mstore({inverses:#x}, t)");
        say!(self, "}}");
    }

    fn inverse_of_point(&self, rotation: i32) -> usize {
        let index = self.rotations.iter().position(|at| *at == rotation).unwrap_or(0);
        self.at.inverses + 32 * (2 + index)
    }

    fn inverse_of_row(&self, row: i32) -> usize {
        let index = self.rows.iter().position(|at| *at == row).unwrap_or(0);
        self.at.inverses + 32 * (2 + self.rotations.len() + index)
    }

    /// Folds the gates at x with powers of y, divides by x^n − 1.
    fn gates(&mut self) -> Result<(), EvmError> {
        let plan = self.plan;
        let mut dag = Dag::default();
        let mut instance_roots = vec![];
        let xn = dag.mem(self.at.xn);
        let n_inverse = Fr::from(1u64 << plan.k).invert().unwrap_or(Fr::ZERO);
        for at in &plan.instance_rotations {
            let mut sum = dag.constant(Fr::ZERO);
            for row in 0..plan.num_instances {
                let basis = row as i32 - at;
                let instance = dag.mem(self.at.instances + 32 * row);
                let omega = dag.constant(plan.omega_pow(basis));
                let inverse = dag.mem(self.inverse_of_row(basis));
                let scaled = dag.mul(omega, inverse);
                let term = dag.mul(instance, scaled);
                sum = dag.add(sum, term);
            }
            let one = dag.constant(Fr::ONE);
            let numerator = dag.sub(xn, one);
            let factor = dag.constant(n_inverse);
            let factor = dag.mul(numerator, factor);
            instance_roots.push(dag.mul(sum, factor));
        }
        let mut roots: Vec<Id> = vec![];
        for gate in &plan.gates {
            roots.push(dag.expression(gate, &|leaf| self.address(leaf))?);
        }

        say!(self, "// Gates at x, joined with powers of y.");
        say!(self, "{{");
        let all: Vec<Id> = instance_roots.iter().chain(&roots).copied().collect();
        let mut printer = Printer::new(&dag, &all, self.at.buffer);
        for (i, root) in instance_roots.into_iter().enumerate() {
            let value = printer.print(root, 1, &mut self.code);
            say!(self, "mstore({:#x}, {value})", self.at.instance_evals + 32 * i);
        }
        say!(self, "let y := mload({:#x})", self.at.y);
        say!(self, "let h := 0");
        for (i, root) in roots.into_iter().enumerate() {
            let value = printer.print(root, 4, &mut self.code);
            if i == 0 {
                say!(self, "h := {value}");
            } else {
                say!(self, "h := add(mulmod(h, y, r), {value})");
            }
        }
        say!(self, "mstore({:#x}, mulmod(h, mload({:#x}), r))", self.at.quotient, self.at.inverses);
        say!(self, "}}");
        Ok(())
    }

    /// Where a query's or challenge's value lies.
    fn address(&self, leaf: &Expression<Fr>) -> Result<usize, EvmError> {
        let plan = self.plan;
        let find = |queries: &[(usize, i32)], column: usize, at: i32| {
            queries
                .iter()
                .position(|query| *query == (column, at))
                .ok_or(EvmError::Unsupported("a gate with a query that the system doesn't list"))
        };
        Ok(match leaf {
            Expression::Advice(query) => {
                let index = find(&plan.advice_queries, query.column_index(), query.rotation().0)?;
                self.at.evals + 32 * index
            }
            Expression::Fixed(query) => {
                let index = find(&plan.fixed_queries, query.column_index(), query.rotation().0)?;
                self.at.evals + 32 * (plan.advice_queries.len() + index)
            }
            Expression::Instance(query) => {
                let at = plan.instance_rotations.iter().position(|at| *at == query.rotation().0);
                let index = at.ok_or(EvmError::Unsupported("a gate with an unlisted query"))?;
                self.at.instance_evals + 32 * index
            }
            Expression::Challenge(challenge) => self.at.challenges + 32 * challenge.index(),
            _ => return Err(EvmError::Unsupported("virtual selectors")),
        })
    }
}

fn calldata_at(offset: usize) -> String {
    if offset == 0 { "proof.offset".to_owned() } else { format!("add(proof.offset, {offset:#x})") }
}
