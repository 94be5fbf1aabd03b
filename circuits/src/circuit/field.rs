//! Small integers as field elements.

use halo2_proofs::halo2curves::bn256::Fr;

/// `v` in the scalar field, negative values as `r − |v|`.
pub fn small(v: i64) -> Fr {
    if v >= 0 { Fr::from(v.unsigned_abs()) } else { -Fr::from(v.unsigned_abs()) }
}
