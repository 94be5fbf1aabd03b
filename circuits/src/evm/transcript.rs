//! Keccak-256 transcript whose every word is what the EVM reads from calldata.
//!
//! A proof is a plain concatenation of 32-byte big-endian words: a point is `x ‖ y` (64 bytes,
//! affine, each `< p`), a scalar is one word (`< r`). Nothing is compressed or prefixed, so the
//! verifier contract hashes calldata as it lies.
//!
//! Hashing works on a buffer that starts out empty. Common inputs and proof words are appended to
//! it. To draw a challenge, `h = keccak256(buffer)`; if the buffer is exactly one word long, the
//! byte `0x01` is appended first, so that two challenges in a row differ. The challenge is
//! `h mod r` (bias below 2^-2 per value, entropy above 253 bits) and the buffer becomes `h`. All
//! other input comes in whole words, so the extra byte can't be confused with data.
//!
//! This is the order that `snark-verifier`'s `EvmTranscript` uses too.

use std::io;

use halo2_proofs::{
    halo2curves::{
        CurveAffine,
        bn256::{Fq, Fr, G1Affine},
        ff::{FromUniformBytes, PrimeField},
        group::prime::PrimeCurveAffine,
    },
    transcript::{EncodedChallenge, Transcript, TranscriptRead, TranscriptWrite},
};
use sha3::{Digest, Keccak256};

/// Bytes of one word: a scalar or a coordinate.
pub const WORD: usize = 32;

/// A verifier challenge: a Keccak-256 digest reduced modulo r.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EvmChallenge(Fr);

impl EncodedChallenge<G1Affine> for EvmChallenge {
    type Input = [u8; WORD];

    fn new(digest: &[u8; WORD]) -> Self {
        let mut wide = [0u8; 64];
        for (to, from) in wide.iter_mut().zip(digest.iter().rev()) {
            *to = *from;
        }
        Self(Fr::from_uniform_bytes(&wide))
    }

    fn get_scalar(&self) -> Fr {
        self.0
    }
}

/// Hash state shared by both directions.
#[derive(Clone, Debug, Default)]
struct State {
    buffer: Vec<u8>,
}

impl State {
    fn squeeze(&mut self) -> EvmChallenge {
        if self.buffer.len() == WORD {
            self.buffer.push(1);
        }
        let digest: [u8; WORD] = Keccak256::digest(&self.buffer).into();
        self.buffer.clear();
        self.buffer.extend_from_slice(&digest);
        EvmChallenge::new(&digest)
    }

    fn absorb(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }
}

/// Writes a proof for the EVM verifier. Use it with [`crate::prove::prove`] (or halo2's
/// `create_proof`) and take the bytes with [`EvmWriter::finish`].
#[derive(Clone, Debug, Default)]
pub struct EvmWriter {
    state: State,
    proof: Vec<u8>,
}

impl EvmWriter {
    /// A transcript with an empty proof.
    pub fn new() -> Self {
        Self::default()
    }

    /// The proof's bytes: a multiple of 32, in the order in which they were written.
    pub fn finish(self) -> Vec<u8> {
        self.proof
    }
}

/// Reads a proof made by [`EvmWriter`]. Use it with `verify_proof`; then check with
/// [`EvmReader::finish`] that nothing was left over, since `verify_proof` does not.
#[derive(Clone, Debug)]
pub struct EvmReader<'a> {
    state: State,
    rest: &'a [u8],
}

impl<'a> EvmReader<'a> {
    /// A transcript that reads `proof` from its beginning.
    pub fn new(proof: &'a [u8]) -> Self {
        Self { state: State::default(), rest: proof }
    }

    /// Checks that the whole proof was read.
    ///
    /// # Errors
    /// `InvalidData` if bytes are left.
    pub fn finish(self) -> io::Result<()> {
        if self.rest.is_empty() { Ok(()) } else { Err(invalid("bytes after the end of the proof")) }
    }

    fn word(&mut self) -> io::Result<[u8; WORD]> {
        let (word, rest) = self
            .rest
            .split_first_chunk::<WORD>()
            .ok_or_else(|| io::Error::new(io::ErrorKind::UnexpectedEof, "the proof is too short"))?;
        self.rest = rest;
        Ok(*word)
    }
}

fn invalid(message: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message)
}

/// The big-endian word of a scalar.
pub fn scalar_word(scalar: &Fr) -> [u8; WORD] {
    let mut word = scalar.to_repr();
    word.reverse();
    word
}

/// The big-endian word of a coordinate.
pub(crate) fn coordinate_word(coordinate: &Fq) -> [u8; WORD] {
    let mut word = coordinate.to_repr();
    word.reverse();
    word
}

/// The scalar of a big-endian word, or `None` if the word is `>= r`.
pub fn scalar_from_word(mut word: [u8; WORD]) -> Option<Fr> {
    word.reverse();
    Fr::from_repr(word).into()
}

pub(crate) fn point_bytes(point: &G1Affine) -> io::Result<[u8; 2 * WORD]> {
    if bool::from(point.is_identity()) {
        return Err(invalid("the identity can't stand in a proof (is a gate's degree below the system's?)"));
    }
    let mut bytes = [0u8; 2 * WORD];
    bytes[..WORD].copy_from_slice(&coordinate_word(&point.x));
    bytes[WORD..].copy_from_slice(&coordinate_word(&point.y));
    Ok(bytes)
}

pub(crate) fn point_from_words(mut x: [u8; WORD], mut y: [u8; WORD]) -> Option<G1Affine> {
    x.reverse();
    y.reverse();
    let x = Option::<Fq>::from(Fq::from_repr(x))?;
    let y = Option::<Fq>::from(Fq::from_repr(y))?;
    let point = Option::<G1Affine>::from(G1Affine::from_xy(x, y))?;
    // The curve has prime order, so a point on it is in the group; (0, 0) stands for the identity.
    (!bool::from(point.is_identity())).then_some(point)
}

macro_rules! common {
    ($($type:ty),*) => {$(
        impl Transcript<G1Affine, EvmChallenge> for $type {
            fn squeeze_challenge(&mut self) -> EvmChallenge {
                self.state.squeeze()
            }

            fn common_point(&mut self, point: G1Affine) -> io::Result<()> {
                self.state.absorb(&point_bytes(&point)?);
                Ok(())
            }

            fn common_scalar(&mut self, scalar: Fr) -> io::Result<()> {
                self.state.absorb(&scalar_word(&scalar));
                Ok(())
            }
        }
    )*};
}

common!(EvmWriter, EvmReader<'_>);

impl TranscriptWrite<G1Affine, EvmChallenge> for EvmWriter {
    fn write_point(&mut self, point: G1Affine) -> io::Result<()> {
        let bytes = point_bytes(&point)?;
        self.state.absorb(&bytes);
        self.proof.extend_from_slice(&bytes);
        Ok(())
    }

    fn write_scalar(&mut self, scalar: Fr) -> io::Result<()> {
        let word = scalar_word(&scalar);
        self.state.absorb(&word);
        self.proof.extend_from_slice(&word);
        Ok(())
    }
}

impl TranscriptRead<G1Affine, EvmChallenge> for EvmReader<'_> {
    fn read_point(&mut self) -> io::Result<G1Affine> {
        let (x, y) = (self.word()?, self.word()?);
        let point =
            point_from_words(x, y).ok_or_else(|| invalid("a proof point is not on the curve or not reduced"))?;
        self.state.absorb(&x);
        self.state.absorb(&y);
        Ok(point)
    }

    fn read_scalar(&mut self) -> io::Result<Fr> {
        let word = self.word()?;
        let scalar = scalar_from_word(word).ok_or_else(|| invalid("a proof scalar is not reduced"))?;
        self.state.absorb(&word);
        Ok(scalar)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use halo2_proofs::halo2curves::ff::Field;

    #[test]
    fn challenges_in_a_row_differ_and_depend_on_what_was_absorbed() {
        let mut a = EvmWriter::new();
        let mut b = EvmWriter::new();
        a.write_scalar(Fr::ONE).unwrap();
        b.write_scalar(Fr::ZERO).unwrap();
        let (first, second) = (a.squeeze_challenge(), a.squeeze_challenge());
        assert_ne!(first, second);
        assert_ne!(first, b.squeeze_challenge());
    }

    #[test]
    fn a_challenge_is_the_digest_modulo_r() {
        // 2^256 - 1 = 5·r + rest.
        let rest = -(Fr::ONE + Fr::ONE.double().pow([256]) * -Fr::ONE);
        assert_eq!(EvmChallenge::new(&[0xff; 32]).get_scalar(), rest);
    }

    #[test]
    fn reading_gives_back_what_was_written() {
        let mut writer = EvmWriter::new();
        let point = G1Affine::generator();
        writer.write_point(point).unwrap();
        writer.write_scalar(-Fr::ONE).unwrap();
        let challenge = writer.squeeze_challenge();
        let proof = writer.finish();
        assert_eq!(proof.len(), 96);
        let mut reader = EvmReader::new(&proof);
        assert_eq!(reader.read_point().unwrap(), point);
        assert_eq!(reader.read_scalar().unwrap(), -Fr::ONE);
        assert_eq!(reader.squeeze_challenge(), challenge);
        reader.finish().unwrap();
    }

    #[test]
    fn malformed_words_are_refused() {
        // Identity, off the curve, x not reduced, too short.
        let mut modulus = coordinate_word(&-Fq::ONE);
        modulus[31] += 1;
        let mut off = [0u8; 64];
        (off[31], off[63]) = (1, 3);
        let mut unreduced = [0u8; 64];
        unreduced[..32].copy_from_slice(&modulus);
        for bytes in [&[0u8; 64][..], &off, &unreduced, &off[..63]] {
            assert!(EvmReader::new(bytes).read_point().is_err());
        }
        let mut modulus = scalar_word(&-Fr::ONE);
        modulus[31] += 1;
        assert!(EvmReader::new(&modulus).read_scalar().is_err());
        assert!(EvmReader::new(&[0; 31]).read_scalar().is_err());
        assert!(EvmReader::new(&[0; 1]).finish().is_err());
        assert!(EvmWriter::new().write_point(G1Affine::identity()).is_err());
    }
}
