//! Words of a call's data, and arithmetic on them.

/// r, big-endian.
pub(crate) const R: &str = "30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001";
/// p, big-endian.
pub(crate) const P: &str = "30644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd47";

pub(crate) fn word(hex: &str) -> [u8; 32] {
    std::array::from_fn(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).unwrap())
}

pub(crate) fn small(v: u8) -> [u8; 32] {
    let mut word = [0; 32];
    word[31] = v;
    word
}

/// a + b modulo 2^256.
pub(crate) fn plus(a: &[u8], b: [u8; 32]) -> [u8; 32] {
    let mut sum = [0; 32];
    let mut carry = 0;
    for i in (0..32).rev() {
        carry += u16::from(a[i]) + u16::from(b[i]);
        sum[i] = carry as u8;
        carry >>= 8;
    }
    sum
}

/// a − b modulo 2^256.
pub(crate) fn minus(a: [u8; 32], b: &[u8]) -> [u8; 32] {
    let complement: [u8; 32] = std::array::from_fn(|i| !b[i]);
    plus(&a, plus(&complement, small(1)))
}
