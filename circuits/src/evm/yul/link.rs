//! The part of the assembly that ties private columns to their registered commitments: see `net/link.rs`.

use std::fmt::Write;

use halo2_proofs::halo2curves::bn256::G1Affine;

use super::{ACC, Body, FACTOR, FAIL, POINT, QUOTIENT, SUM, calldata_at};
use crate::evm::{expr::word, transcript::coordinate_word};
use crate::net::link::Registered;

impl Body<'_> {
    /// `s_0·L_(n−2) + s_1·L_(n−1) − c·Σ λ^j·(C'_j − C_j) = T`, with `T`, `s_0`, `s_1` after the proof.
    pub(super) fn link(&mut self, registered: &Registered) {
        let (buffer, instances, end) = (self.at.buffer, 32 * self.plan.num_instances, self.plan.proof_bytes);
        say!(self, "// Private columns hold what was registered.");
        say!(self, "{{");
        say!(self, "mstore({buffer:#x}, {})", word(&registered.commitment));
        say!(self, "calldatacopy({:#x}, instances.offset, {instances:#x})", buffer + 32);
        say!(self, "calldatacopy({:#x}, proof.offset, {end:#x})", buffer + 32 + instances);
        say!(self, "let c := mod(keccak256({buffer:#x}, {:#x}), r)", 32 + instances + end);
        say!(self, "mstore({FACTOR:#x}, c)");
        say!(self, "let ok := 1");
        for (j, point) in registered.points.iter().enumerate().rev() {
            let first = j + 1 == registered.points.len();
            say!(self, "calldatacopy({SUM:#x}, {}, 0x40)", calldata_at(registered.offset + 64 * j));
            self.constant(QUOTIENT, &-point);
            let to = if first { ACC } else { POINT };
            say!(self, "ok := and(ok, staticcall(gas(), 6, {SUM:#x}, 0x80, {to:#x}, 0x40))");
            if !first {
                say!(self, "ok := and(ok, staticcall(gas(), 7, {ACC:#x}, 0x60, {ACC:#x}, 0x40))");
                say!(self, "ok := and(ok, staticcall(gas(), 6, {POINT:#x}, 0x80, {ACC:#x}, 0x40))");
            }
        }
        say!(self, "mstore({buffer:#x}, c)");
        say!(self, "calldatacopy({:#x}, {}, 0x40)", buffer + 32, calldata_at(end));
        say!(self, "c := mod(keccak256({buffer:#x}, 0x60), r)");
        say!(self, "mstore({FACTOR:#x}, sub(r, c))");
        say!(self, "ok := and(ok, staticcall(gas(), 7, {ACC:#x}, 0x60, {ACC:#x}, 0x40))");
        for (i, base) in registered.bases.iter().enumerate() {
            self.constant(SUM, base);
            say!(self, "c := calldataload({})", calldata_at(end + 64 + 32 * i));
            say!(self, "mstore({QUOTIENT:#x}, c)");
            say!(self, "ok := and(and(ok, lt(c, r)), staticcall(gas(), 7, {SUM:#x}, 0x60, {POINT:#x}, 0x40))");
            say!(self, "ok := and(ok, staticcall(gas(), 6, {POINT:#x}, 0x80, {ACC:#x}, 0x40))");
        }
        let equal = |i: usize| format!("eq(mload({:#x}), mload({:#x}))", ACC + 32 * i, buffer + 32 + 32 * i);
        say!(self, "if iszero(and(ok, and({}, {}))) {FAIL}", equal(0), equal(1));
        say!(self, "}}");
    }

    /// Puts a fixed point at an address.
    fn constant(&mut self, to: usize, point: &G1Affine) {
        say!(self, "mstore({to:#x}, {})", word(&coordinate_word(&point.x)));
        say!(self, "mstore({:#x}, {})", to + 32, word(&coordinate_word(&point.y)));
    }
}
