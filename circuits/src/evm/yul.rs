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
        bn256::{Bn256, Fq, Fr, G2Affine},
        ff::Field,
    },
    plonk::Expression,
    poly::kzg::commitment::ParamsKZG,
};

use super::{
    EvmError,
    expr::{Dag, Id, Printer, literal, word},
    plan::{Drawn, Eval, Plan, Source, Step},
    transcript::coordinate_word,
};

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
struct Body<'a> {
    plan: &'a Plan,
    at: Memory,
    rotations: Vec<i32>,
    rows: Vec<i32>,
    code: String,
}

macro_rules! say {
    ($self:ident, $($text:tt)*) => {{ let _ = writeln!($self.code, $($text)*); }};
}

/// The statements of the assembly block.
pub(super) fn body(plan: &Plan, params: &ParamsKZG<Bn256>) -> Result<String, EvmError> {
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
    let mut body = Body {
        plan,
        at,
        rotations,
        rows,
        code: String::new(),
    };
    body.shape();
    body.transcript();
    body.ranges();
    body.invert();
    body.gates()?;
    body.fold_evaluations();
    body.fold_commitments();
    body.pairing(params);
    Ok(body.code)
}

impl Body<'_> {
    fn shape(&mut self) {
        let (bytes, instances) = (self.plan.proof_bytes, self.plan.num_instances);
        say!(
            self,
            "if iszero(and(eq(proof.length, {bytes:#x}), eq(instances.length, {instances}))) {FAIL}"
        );
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
            say!(
                self,
                "calldatacopy({:#x}, instances.offset, {instance_bytes:#x})",
                self.at.instances
            );
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
                (
                    first_buffer,
                    self.at.instances + instance_bytes,
                    32 + instance_bytes,
                )
            } else if bytes > 0 && offset == plan.first_eval {
                (self.at.evals - 32, self.at.evals, 32)
            } else {
                (self.at.buffer, self.at.buffer + 32, 32)
            };
            if !first {
                say!(self, "mstore({buffer:#x}, h)");
            }
            if bytes > 0 {
                say!(
                    self,
                    "calldatacopy({data:#x}, {}, {bytes:#x})",
                    calldata_at(offset)
                );
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
        say!(self, "let ok := 1");
        let words = |start: usize, count: usize| (0..count).map(move |i| start + 32 * i);
        let addresses: Vec<_> = words(self.at.instances, self.plan.num_instances)
            .chain(words(self.at.evals, self.plan.num_evals))
            .collect();
        for address in addresses {
            say!(self, "ok := and(lt(mload({address:#x}), r), ok)");
        }
        say!(self, "if iszero(ok) {FAIL}");
        say!(self, "}}");
    }

    /// Inverts everything that will be needed with one exponentiation.
    fn invert(&mut self) {
        let (x, u, xn, inverses) = (self.at.x, self.at.u, self.at.xn, self.at.inverses);
        say!(
            self,
            "// Inverses of x^n - 1, x, u - p and x - w^i, by one exponentiation."
        );
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
            say!(
                self,
                "mstore({address:#x}, addmod(x, {}, r))",
                literal(-self.plan.omega_pow(row))
            );
            address += 32;
        }
        let count = (address - inverses) / 32;
        let prefixes = self.at.prefixes;
        say!(self, "t := mload({inverses:#x})");
        for i in 1..count {
            say!(self, "mstore({:#x}, t)", prefixes + 32 * i);
            say!(self, "t := mulmod(t, mload({:#x}), r)", inverses + 32 * i);
        }
        for (i, value) in ["0x20", "0x20", "0x20", "t", "sub(r, 2)", "r"]
            .iter()
            .enumerate()
        {
            say!(self, "mstore({:#x}, {value})", POINT + 32 * i);
        }
        say!(
            self,
            "if iszero(and(staticcall(gas(), 5, {POINT:#x}, 0xc0, {POINT:#x}, 0x20), gt(t, 0))) {FAIL}"
        );
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
        let index = self
            .rotations
            .iter()
            .position(|at| *at == rotation)
            .unwrap_or(0);
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
            say!(
                self,
                "mstore({:#x}, {value})",
                self.at.instance_evals + 32 * i
            );
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
        say!(
            self,
            "mstore({:#x}, mulmod(h, mload({:#x}), r))",
            self.at.quotient,
            self.at.inverses
        );
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
                .ok_or(EvmError::Unsupported(
                    "a gate with a query that the system doesn't list",
                ))
        };
        Ok(match leaf {
            Expression::Advice(query) => {
                let index = find(
                    &plan.advice_queries,
                    query.column_index(),
                    query.rotation().0,
                )?;
                self.at.evals + 32 * index
            }
            Expression::Fixed(query) => {
                let index = find(
                    &plan.fixed_queries,
                    query.column_index(),
                    query.rotation().0,
                )?;
                self.at.evals + 32 * (plan.advice_queries.len() + index)
            }
            Expression::Instance(query) => {
                let at = plan
                    .instance_rotations
                    .iter()
                    .position(|at| *at == query.rotation().0);
                let index = at.ok_or(EvmError::Unsupported("a gate with an unlisted query"))?;
                self.at.instance_evals + 32 * index
            }
            Expression::Challenge(challenge) => self.at.challenges + 32 * challenge.index(),
            _ => return Err(EvmError::Unsupported("virtual selectors")),
        })
    }

    /// R, Z_0 and the sets' factors w_i. R's negative goes to the stack of the next part by way of
    /// the slot of x, which is no longer needed.
    fn fold_evaluations(&mut self) {
        let plan = self.plan;
        let x_inverse = self.at.inverses + 32;
        say!(self, "// Claimed values of the joined polynomials at u.");
        say!(self, "{{");
        say!(self, "let y := mload({:#x})", self.at.shplonk_y);
        say!(self, "let sum := 0");
        say!(self, "let e := 0");
        // power is v^i·Z_0.
        say!(self, "let power := 1");
        for rotation in &plan.sets[0].rotations {
            let point = self.point(*rotation);
            say!(
                self,
                "power := mulmod(power, addmod(mload({:#x}), sub(r, {point}), r), r)",
                self.at.u
            );
        }
        say!(self, "mstore({:#x}, power)", self.at.z0);
        for (i, set) in plan.sets.iter().enumerate() {
            if i > 0 {
                say!(self, "power := mulmod(power, mload({:#x}), r)", self.at.v);
                say!(self, "e := power");
                for rotation in &set.rotations {
                    say!(
                        self,
                        "e := mulmod(e, mload({:#x}), r)",
                        self.inverse_of_point(*rotation)
                    );
                }
                say!(self, "mstore({:#x}, e)", self.weight(i));
            }
            for (j, rotation) in set.rotations.iter().enumerate() {
                for (k, opening) in set.openings.iter().rev().enumerate() {
                    let address = match opening.evals[j] {
                        Eval::Word(index) => self.at.evals + 32 * index,
                        Eval::Quotient => self.at.quotient,
                    };
                    if k == 0 {
                        say!(self, "e := mload({address:#x})");
                    } else {
                        say!(self, "e := add(mulmod(e, y, r), mload({address:#x}))");
                    }
                }
                say!(self, "e := mulmod(e, power, r)");
                say!(
                    self,
                    "e := mulmod(e, mload({:#x}), r)",
                    self.inverse_of_point(*rotation)
                );
                let own = plan.omega_pow(*rotation);
                let mut product = Fr::ONE;
                for other in set.rotations.iter().filter(|other| *other != rotation) {
                    product *= own - plan.omega_pow(*other);
                    say!(self, "e := mulmod(e, mload({x_inverse:#x}), r)");
                }
                if product != Fr::ONE {
                    let constant = literal(product.invert().unwrap_or(Fr::ZERO));
                    say!(self, "e := mulmod(e, {constant}, r)");
                }
                say!(self, "sum := addmod(sum, e, r)");
            }
        }
        say!(self, "mstore({:#x}, sub(r, sum))", self.at.x);
        say!(self, "}}");
    }

    /// Where w_i is kept: the gates' shared values are no longer needed.
    fn weight(&self, set: usize) -> usize {
        self.at.buffer + 32 * set
    }

    fn point(&self, rotation: i32) -> String {
        if rotation == 0 {
            return format!("mload({:#x})", self.at.x);
        }
        format!(
            "mulmod(mload({:#x}), {}, r)",
            self.at.x,
            literal(self.plan.omega_pow(rotation))
        )
    }

    /// F: the weighted sum of all commitments.
    fn fold_commitments(&mut self) {
        let plan = self.plan;
        say!(self, "// The joined commitment.");
        say!(self, "mstore({FACTOR:#x}, mload({:#x}))", self.at.xn);
        for (i, piece) in plan.quotient_pieces.iter().rev().enumerate() {
            let out = if i + 1 == plan.quotient_pieces.len() {
                QUOTIENT
            } else {
                ACC
            };
            if i == 0 {
                self.load(out, Source::Proof(*piece));
                self.refuse_identity(out);
            } else {
                self.load(POINT, Source::Proof(*piece));
                self.scale_and_add(Source::Proof(*piece), out);
            }
        }
        say!(self, "mstore({FACTOR:#x}, mload({:#x}))", self.at.shplonk_y);
        for (i, set) in plan.sets.iter().enumerate() {
            if i > 0 && set.openings.len() > 1 {
                say!(self, "mstore({FACTOR:#x}, mload({:#x}))", self.at.shplonk_y);
            }
            for (j, opening) in set.openings.iter().rev().enumerate() {
                let last = j + 1 == set.openings.len();
                let out = if i == 0 && last { SUM } else { ACC };
                if j == 0 {
                    self.load(out, opening.source);
                    if matches!(opening.source, Source::Proof(_)) {
                        self.refuse_identity(out);
                    }
                } else {
                    self.load(POINT, opening.source);
                    self.scale_and_add(opening.source, out);
                }
            }
            if i > 0 {
                say!(self, "mstore({FACTOR:#x}, mload({:#x}))", self.weight(i));
                self.add_scaled();
            }
        }
        say!(self, "// - R G - Z_0 h1 + u h2.");
        say!(self, "mstore({ACC:#x}, 1)");
        say!(self, "mstore({:#x}, 2)", ACC + 32);
        say!(self, "mstore({FACTOR:#x}, mload({:#x}))", self.at.x);
        self.add_scaled();
        self.load(ACC, Source::Proof(plan.h1));
        self.refuse_identity(ACC);
        say!(
            self,
            "mstore({FACTOR:#x}, sub(r, mload({:#x})))",
            self.at.z0
        );
        self.add_scaled();
        self.load(ACC, Source::Proof(plan.h2));
        self.refuse_identity(ACC);
        say!(self, "mstore({FACTOR:#x}, mload({:#x}))", self.at.u);
        self.add_scaled();
    }

    /// Puts a point at an address.
    fn load(&mut self, to: usize, source: Source) {
        match source {
            Source::Proof(offset) => {
                say!(self, "calldatacopy({to:#x}, {}, 0x40)", calldata_at(offset))
            }
            Source::Fixed(point) => {
                let (x, y) = (
                    word(&coordinate_word(&point.x)),
                    word(&coordinate_word(&point.y)),
                );
                say!(self, "mstore({to:#x}, {x})");
                say!(self, "mstore({:#x}, {y})", to + 32);
            }
            Source::Quotient => {
                say!(self, "mstore({to:#x}, mload({QUOTIENT:#x}))");
                say!(self, "mstore({:#x}, mload({:#x}))", to + 32, QUOTIENT + 32);
            }
        }
    }

    /// The curve has no point with y = 0, so the identity is what has y = 0.
    fn refuse_identity(&mut self, at: usize) {
        say!(self, "if iszero(mload({:#x})) {FAIL}", at + 32);
    }

    /// `out = point + factor·acc`.
    fn scale_and_add(&mut self, source: Source, out: usize) {
        let multiply = format!("staticcall(gas(), 7, {ACC:#x}, 0x60, {ACC:#x}, 0x40)");
        let add = format!("staticcall(gas(), 6, {POINT:#x}, 0x80, {out:#x}, 0x40)");
        let mut both = format!("and({add}, {multiply})");
        if matches!(source, Source::Proof(_)) {
            both = format!("and({both}, gt(mload({:#x}), 0))", POINT + 32);
        }
        say!(self, "if iszero({both}) {FAIL}");
    }

    /// `sum = sum + factor·acc`.
    fn add_scaled(&mut self) {
        let multiply = format!("staticcall(gas(), 7, {ACC:#x}, 0x60, {FACTOR:#x}, 0x40)");
        let add = format!("staticcall(gas(), 6, {FACTOR:#x}, 0x80, {SUM:#x}, 0x40)");
        say!(self, "if iszero(and({add}, {multiply})) {FAIL}");
    }

    /// e(h2, [τ]G2)·e(F, −G2) = 1.
    fn pairing(&mut self, params: &ParamsKZG<Bn256>) {
        say!(self, "// e(h2, [t]G2) = e(F, G2).");
        self.load(POINT, Source::Proof(self.plan.h2));
        for (start, point) in [(ACC, params.s_g2()), (QUOTIENT, -params.g2())] {
            for (i, coordinate) in g2_words(&point).iter().enumerate() {
                say!(
                    self,
                    "mstore({:#x}, {})",
                    start + 32 * i,
                    word(&coordinate_word(coordinate))
                );
            }
        }
        say!(self, "mstore(0, 0)");
        say!(
            self,
            "let ok := staticcall(gas(), 8, {POINT:#x}, 0x180, 0, 0x20)"
        );
        say!(self, "mstore(0, and(ok, eq(mload(0), 1)))");
        say!(self, "return(0, 0x20)");
    }
}

/// Coordinates in the order of the pairing precompile: imaginary parts first.
fn g2_words(point: &G2Affine) -> [Fq; 4] {
    [point.x.c1, point.x.c0, point.y.c1, point.y.c0]
}

fn calldata_at(offset: usize) -> String {
    if offset == 0 {
        "proof.offset".to_owned()
    } else {
        format!("add(proof.offset, {offset:#x})")
    }
}
