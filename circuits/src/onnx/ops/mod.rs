//! How each operator becomes nodes of the float network, by family. [`super::registry`] lists them.

pub(super) mod activation;
pub(super) mod arithmetic;
pub(super) mod choose;
pub(super) mod conv;
pub(super) mod dense;
pub(super) mod moves;
pub(super) mod pool;
pub(super) mod reduce;
pub(super) mod reshape;
mod window;
