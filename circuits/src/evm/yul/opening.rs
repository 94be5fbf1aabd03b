//! The second half of the assembly: folds evaluations and commitments, and ends with the pairing.

use std::fmt::Write;

use halo2_proofs::{
    halo2curves::{
        bn256::{Bn256, Fq, Fr, G2Affine},
        ff::Field,
    },
    poly::kzg::commitment::ParamsKZG,
};

use super::{ACC, Body, FACTOR, FAIL, POINT, QUOTIENT, SUM, calldata_at};
use crate::evm::{
    expr::{literal, word},
    plan::{Eval, Source},
    transcript::coordinate_word,
};

impl Body<'_> {
    /// R, Z_0 and the sets' factors w_i. R's negative goes to the stack of the next part by way of
    /// the slot of x, which is no longer needed.
    pub(super) fn fold_evaluations(&mut self) {
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
            say!(self, "power := mulmod(power, addmod(mload({:#x}), sub(r, {point}), r), r)", self.at.u);
        }
        say!(self, "mstore({:#x}, power)", self.at.z0);
        for (i, set) in plan.sets.iter().enumerate() {
            if i > 0 {
                say!(self, "power := mulmod(power, mload({:#x}), r)", self.at.v);
                say!(self, "e := power");
                for rotation in &set.rotations {
                    say!(self, "e := mulmod(e, mload({:#x}), r)", self.inverse_of_point(*rotation));
                }
                say!(self, "mstore({:#x}, e)", self.weight(i));
            }
            for (j, rotation) in set.rotations.iter().enumerate() {
                let addresses: Vec<_> = set
                    .openings
                    .iter()
                    .rev()
                    .map(|opening| match opening.evals[j] {
                        Eval::Word(index) => self.at.evals + 32 * index,
                        Eval::Quotient => self.at.quotient,
                    })
                    .collect();
                say!(self, "e := mload({:#x})", addresses[0]);
                // Each level of nesting takes a stack slot.
                for part in addresses[1..].chunks(6) {
                    let joined = part
                        .iter()
                        .fold("e".to_owned(), |e, address| format!("add(mload({address:#x}), mulmod(y, {e}, r))"));
                    say!(self, "e := {joined}");
                }
                say!(self, "e := mulmod(e, power, r)");
                say!(self, "e := mulmod(e, mload({:#x}), r)", self.inverse_of_point(*rotation));
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
        format!("mulmod(mload({:#x}), {}, r)", self.at.x, literal(self.plan.omega_pow(rotation)))
    }

    /// F: the weighted sum of all commitments.
    pub(super) fn fold_commitments(&mut self) {
        let plan = self.plan;
        say!(self, "// The joined commitment.");
        say!(self, "mstore({FACTOR:#x}, mload({:#x}))", self.at.xn);
        for (i, piece) in plan.quotient_pieces.iter().rev().enumerate() {
            let out = if i + 1 == plan.quotient_pieces.len() { QUOTIENT } else { ACC };
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
        say!(self, "mstore({FACTOR:#x}, sub(r, mload({:#x})))", self.at.z0);
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
                let (x, y) = (word(&coordinate_word(&point.x)), word(&coordinate_word(&point.y)));
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
    pub(super) fn pairing(&mut self, params: &ParamsKZG<Bn256>) {
        say!(self, "// e(h2, [t]G2) = e(F, G2).");
        self.load(POINT, Source::Proof(self.plan.h2));
        for (start, point) in [(ACC, params.s_g2()), (QUOTIENT, -params.g2())] {
            for (i, coordinate) in g2_words(&point).iter().enumerate() {
                say!(self, "mstore({:#x}, {})", start + 32 * i, word(&coordinate_word(coordinate)));
            }
        }
        say!(self, "mstore(0, 0)");
        say!(self, "let ok := staticcall(gas(), 8, {POINT:#x}, 0x180, 0, 0x20)");
        say!(self, "mstore(0, and(ok, eq(mload(0), 1)))");
        say!(self, "return(0, 0x20)");
    }
}

/// Coordinates in the order of the pairing precompile: imaginary parts first.
fn g2_words(point: &G2Affine) -> [Fq; 4] {
    [point.x.c1, point.x.c0, point.y.c1, point.y.c0]
}
