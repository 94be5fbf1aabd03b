//! The contracts' interfaces.

pub(super) use zugzwang_contracts::ChessArena;
