//! Zugzwang's daemon: watches an arena for moves, runs the committed network, proves it, plays.
//!
//! ```text
//! chain ──► service ──► engine            what happened ──► what it means (pure)
//!              │   └──► store             jobs, proofs, signed transactions, in one file
//!              ├──────► prover            integer inference ──► witness ──► proof
//!              └──────► chain::submit     simulate ──► store ──► send ──► follow
//! ```
//!
//! Invariants:
//! - only [`chain`] names alloy; only [`apps`] (and the demo's player) know chess;
//! - [`engine`] has no clock, no disk and no network, and cannot fail;
//! - no answer is sent that isn't stored, signed, first; a nonce is a row beside the signed bytes;
//! - no job is `proved` without its proof; for one question, and for one game to claim, at most one
//!   transaction is live;
//! - cursor and events are stored as one.
//!
//! Assumptions: one daemon per store (a lock file sees to it) and, for speed, one daemon per key;
//! two daemons with one key don't answer twice, but they take each other's nonces.
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod alerts;
pub mod apps;
pub mod chain;
pub mod cli;
pub mod clock;
pub mod code;
pub mod config;
pub mod demo;
pub mod engine;
pub mod feed;
pub mod files;
pub mod fleet;
#[cfg(test)]
mod fuzz;
pub mod http;
pub mod monitor;
pub mod out;
pub mod prover;
pub mod service;
pub mod store;
