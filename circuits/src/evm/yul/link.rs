//! The part of the assembly that ties private columns to their registered commitments: see `net/link.rs`.

use std::fmt::Write;

use halo2_proofs::halo2curves::bn256::G1Affine;

use super::{ACC, Body, FACTOR, FAIL, POINT, QUOTIENT, SUM, calldata_at};
use crate::evm::{
    Link,
    expr::{literal, word},
    transcript::coordinate_word,
};

/// The order of the field of coordinates.
const COORDINATES: &str = "0x30644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd47";

impl Body<'_> {
    /// `s_0·L_(n−2) + s_1·L_(n−1) − c·Σ λ^j·(C'_j − C_j) = T`, with `T`, `s_0`, `s_1` after the proof.
    ///
    /// Commitments that are not written into the code are copied behind all that is hashed: the key's digest, then they.
    pub(super) fn link(&mut self, link: Link<'_>) {
        let registered = link.registered();
        let (buffer, instances, end) = (self.at.buffer, 32 * self.plan.num_instances, self.plan.proof_bytes);
        let (behind, bytes) = (buffer + 32 + instances + end, 64 * registered.points.len());
        say!(self, "// Private columns hold what was registered.");
        say!(self, "{{");
        match link {
            Link::Written(_) => say!(self, "mstore({buffer:#x}, {})", word(&registered.commitment)),
            Link::Behind(_) => {
                let (to, from) = (behind + 32, format!("sub(extcodesize(address()), {bytes:#x})"));
                say!(self, "mstore({behind:#x}, {})", literal(self.plan.digest));
                say!(self, "extcodecopy(address(), {to:#x}, {from}, {bytes:#x})");
                say!(self, "mstore({buffer:#x}, keccak256({behind:#x}, {:#x}))", 32 + bytes);
            }
        }
        say!(self, "calldatacopy({:#x}, instances.offset, {instances:#x})", buffer + 32);
        say!(self, "calldatacopy({:#x}, proof.offset, {end:#x})", buffer + 32 + instances);
        say!(self, "let c := mod(keccak256({buffer:#x}, {:#x}), r)", 32 + instances + end);
        say!(self, "mstore({FACTOR:#x}, c)");
        say!(self, "let ok := 1");
        for (j, point) in registered.points.iter().enumerate().rev() {
            let first = j + 1 == registered.points.len();
            say!(self, "calldatacopy({SUM:#x}, {}, 0x40)", calldata_at(registered.offset + 64 * j));
            match link {
                Link::Written(_) => self.constant(QUOTIENT, &-point),
                Link::Behind(_) => self.negated(behind + 32 + 64 * j),
            }
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

    /// Puts the negative of a point that stands in memory beside the point to add. A y that is not reduced is refused;
    /// the precompile refuses all else that is no point.
    fn negated(&mut self, from: usize) {
        let negative = QUOTIENT + 32;
        say!(self, "mcopy({QUOTIENT:#x}, {from:#x}, 0x40)");
        say!(self, "ok := and(ok, lt(mload({negative:#x}), {COORDINATES}))");
        say!(self, "mstore({negative:#x}, sub({COORDINATES}, mload({negative:#x})))");
    }

    /// Puts a fixed point at an address.
    fn constant(&mut self, to: usize, point: &G1Affine) {
        say!(self, "mstore({to:#x}, {})", word(&coordinate_word(&point.x)));
        say!(self, "mstore({:#x}, {})", to + 32, word(&coordinate_word(&point.y)));
    }
}
