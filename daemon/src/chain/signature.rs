//! Signatures over 32-byte digests, as contracts take them: whose they are, and which are refused.

use alloy::primitives::{FixedBytes, Signature};

use super::types::{Address, B256};

/// r ‖ s ‖ v: 32, 32 and 1 bytes. Any 65 bytes; [`recover`] says whether they are a signature.
pub type SignatureBytes = FixedBytes<65>;

/// Why bytes are no signature that a contract of ours would take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// Not 65 bytes.
    #[error("it has {0} bytes; give 65, r and s of 32 each and v")]
    Length(usize),
    /// A last byte other than 27 and 28.
    #[error("its last byte, v, is {0}; make it 27 or 28")]
    Parity(u8),
    /// The other of the two s that belong to one signature.
    #[error("its s is above half the group's order, which contracts refuse; use the order less s, and the other v")]
    HighS,
    /// Numbers that no key produces.
    #[error("no key made it: r or s is out of range; sign again")]
    NoKey,
}

crate::code::codes!(SignatureError { Length = 634, Parity = 635, HighS = 636, NoKey = 637 });

/// Who signed a digest. Takes what a contract takes: v is 27 or 28, s in the lower half of the group's order, so that
/// nobody can make a second signature of a first one.
///
/// # Errors
/// See [`SignatureError`]. Bytes of another digest's signature give another address, not an error.
pub fn recover(digest: B256, signature: &SignatureBytes) -> Result<Address, SignatureError> {
    let v = signature[64];
    if !matches!(v, 27 | 28) {
        return Err(SignatureError::Parity(v));
    }
    let parsed = Signature::from_bytes_and_parity(&signature[..64], v == 28);
    if parsed.normalize_s().is_some() {
        return Err(SignatureError::HighS);
    }
    parsed.recover_address_from_prehash(&digest).map_err(|_| SignatureError::NoKey)
}

/// 65 bytes of any slice.
///
/// # Errors
/// [`SignatureError::Length`].
pub fn from_slice(bytes: &[u8]) -> Result<SignatureBytes, SignatureError> {
    SignatureBytes::try_from(bytes).map_err(|_| SignatureError::Length(bytes.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::{Key, types::U256};

    /// Order of secp256k1's group.
    const ORDER: &str = "0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141";

    #[test]
    fn one_signature_is_taken_and_its_relatives_are_refused() {
        let key = Key::from_bytes(B256::repeat_byte(7)).expect("key");
        let digest = B256::repeat_byte(1);
        let good = key.sign_digest(digest).expect("signature");
        let with = |change: &dyn Fn(&mut [u8; 65])| {
            let mut bytes = good;
            change(&mut bytes.0);
            bytes
        };
        let order: U256 = ORDER.parse().expect("number");
        let s = U256::from_be_slice(&good[32..64]);
        let high = with(&|bytes| {
            bytes[32..64].copy_from_slice(&(order - s).to_be_bytes::<32>());
            bytes[64] = 55 - bytes[64];
        });
        let cases = [
            ("as made", good, Ok(key.address())),
            ("v as 0 or 1", with(&|b| b[64] -= 27), Err(SignatureError::Parity(good[64] - 27))),
            ("v beyond", with(&|b| b[64] = 29), Err(SignatureError::Parity(29))),
            ("the other s", high, Err(SignatureError::HighS)),
            ("s of all ones", with(&|b| b[32..64].fill(0xff)), Err(SignatureError::HighS)),
            ("s of zeros", with(&|b| b[32..64].fill(0)), Err(SignatureError::NoKey)),
            ("r of zeros", with(&|b| b[..32].fill(0)), Err(SignatureError::NoKey)),
            ("r above the field", with(&|b| b[..32].fill(0xff)), Err(SignatureError::NoKey)),
        ];
        for (what, bytes, expected) in cases {
            assert_eq!(recover(digest, &bytes), expected, "{what}");
        }
        assert_ne!(recover(B256::repeat_byte(2), &good), Ok(key.address()), "another digest");
        assert_ne!(recover(digest, &with(&|b| b[64] = 55 - b[64])), Ok(key.address()), "the other v");
        assert_eq!(from_slice(&good[..64]), Err(SignatureError::Length(64)));
        assert_eq!(from_slice(good.as_slice()), Ok(good));
    }
}
