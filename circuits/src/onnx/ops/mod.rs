//! How each operator becomes nodes of the float network, by family. [`super::registry`] lists them.

pub(super) mod activation;
pub(super) mod arithmetic;
pub(super) mod compare;
pub(super) mod conv;
pub(super) mod dense;
pub(super) mod gather;
pub(super) mod moves;
pub(super) mod normalise;
pub(super) mod pool;
pub(super) mod rank;
pub(super) mod reduce;
pub(super) mod reshape;
mod window;
