//! What the tests over several crates share: a local chain with funded wallets, many calls in one, places in the
//! repository.
//!
//! The tests themselves are one binary, `tests/it`:
//! - `rules`: the rules on chain against shakmaty;
//! - `integers`: the integer network against witness and proofs, on real positions;
//! - `chain`: real proofs, and what is wrong with others, on a real local chain;
//! - `digits`: what rounding costs a network of handwritten digits, and its proofs on chain;
//! - `text`: the same of networks that classify texts, and what a contract reads of them;
//! - `fraud`: what rounding costs the fraud guard's network on accounts held out, and that it reads the guard's own limbs;
//! - `lending`, `contest`: two users of the oracle, on a real local chain with real proofs;
//! - `tidy`: what must hold of the repository's files.

mod chain;
mod many;

use std::path::{Path, PathBuf};

pub use chain::Chain;
pub use many::Many;

/// Positions and digits that are proven unless `ZUGZWANG_PROOFS` says otherwise; each takes a second or two. `make proofs` proves more.
const PROOFS: usize = 25;

/// How many positions and digits are proven, each.
pub fn proofs() -> usize {
    std::env::var("ZUGZWANG_PROOFS").map_or(PROOFS, |n| n.parse().expect("ZUGZWANG_PROOFS is a number"))
}

/// The repository's root.
pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate is a folder of the repository")
}

/// Where the tests keep set-ups and keys from one run to the next.
pub fn cache() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| repository().join("target"), PathBuf::from);
    target.join("zugzwang-cache")
}
