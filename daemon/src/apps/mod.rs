//! What a proven answer means: from an event's state to a prover's input, from a ranking to a move.

pub mod chess;
