//! A bulletin: what a publisher says, in signed bytes.
//!
//! Signed is the EIP-712 digest of `Bulletin(bytes32 feedId,uint64 sequence,uint64 timestamp,bytes32 textHash)` in the
//! domain of name "Zugzwang Feed" and version "1". The domain names neither chain nor contract: a statement about the
//! world is the same everywhere. `contracts/src/market/Bulletins.sol` computes the same.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::chain::{
    Key,
    error::one_line,
    signature::{self, SignatureBytes, SignatureError},
    types::{Address, B256, U256, keccak256},
};

/// Most bytes of a text.
pub const TEXT_BYTES: usize = LIMBS * LIMB_BYTES;
/// Field elements of a packed text.
pub const LIMBS: usize = 8;
/// Bytes of the text in one of them.
pub const LIMB_BYTES: usize = 31;

const DOMAIN_TYPE: &str = "EIP712Domain(string name,string version)";
const DOMAIN_NAME: &str = "Zugzwang Feed";
const DOMAIN_VERSION: &str = "1";
const BULLETIN_TYPE: &str = "Bulletin(bytes32 feedId,uint64 sequence,uint64 timestamp,bytes32 textHash)";

/// What is wrong with something that should be a bulletin.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BulletinError {
    /// No text.
    #[error("its text is empty; write 1 to {TEXT_BYTES} bytes")]
    Empty,
    /// Too much text.
    #[error("its text has {0} bytes; write at most {TEXT_BYTES}")]
    TooLong(usize),
    /// A byte that isn't printable ASCII.
    #[error("its text has the byte 0x{byte:02x} at {at}; write printable ASCII only, 0x20 to 0x7e")]
    NotPrintable {
        /// The byte.
        byte: u8,
        /// Its place, from 0.
        at: usize,
    },
    /// Not the JSON of a bulletin.
    #[error(
        "it is no bulletin in JSON: {0}; give feed_id and signature in hex, sequence and timestamp as numbers, and text"
    )]
    NotJson(String),
    /// Not a signature at all.
    #[error("its signature is wrong: {0}")]
    Signature(#[from] SignatureError),
    /// Somebody else's, or of other bytes.
    #[error(
        "it is signed by {found}, or was altered; {expected} is the publisher: check the address, or drop this source"
    )]
    OtherPublisher {
        /// Whose it should be.
        expected: Address,
        /// Whom its signature gives.
        found: Address,
    },
    /// Neither an id nor a name.
    #[error("feed \"{0}\" is neither a name nor an id; write a name, or 0x and 64 hex digits")]
    FeedId(String),
    /// The key didn't sign.
    #[error("the key can't sign it: {0}")]
    Unsigned(String),
}

crate::code::codes!(BulletinError {
    Empty = 121,
    TooLong = 122,
    NotPrintable = 123,
    NotJson = 124,
    FeedId = 125,
    Unsigned = 403,
    OtherPublisher = 638;
    Signature
});

/// 1 to 248 bytes of printable ASCII (0x20 to 0x7e), and never anything else.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Text(String);

impl Text {
    /// Checks bytes.
    ///
    /// # Errors
    /// [`BulletinError::Empty`], [`TooLong`](BulletinError::TooLong), [`NotPrintable`](BulletinError::NotPrintable).
    pub fn new(bytes: &[u8]) -> Result<Self, BulletinError> {
        if bytes.is_empty() {
            return Err(BulletinError::Empty);
        }
        if bytes.len() > TEXT_BYTES {
            return Err(BulletinError::TooLong(bytes.len()));
        }
        if let Some((at, &byte)) = bytes.iter().enumerate().find(|(_, byte)| !(0x20..=0x7e).contains(*byte)) {
            return Err(BulletinError::NotPrintable { byte, at });
        }
        Ok(Self(bytes.iter().map(|&byte| char::from(byte)).collect()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text, filled up with zeros.
    pub fn padded(&self) -> [u8; TEXT_BYTES] {
        let mut padded = [0; TEXT_BYTES];
        for (to, from) in padded.iter_mut().zip(self.0.bytes()) {
            *to = from;
        }
        padded
    }

    /// [`padded`](Self::padded) at 31 bytes a limb, the first byte lowest: limb = Σ byteᵢ·256ⁱ, below 2^248. These are
    /// the public inputs of a text model.
    pub fn packed(&self) -> [U256; LIMBS] {
        let padded = self.padded();
        let mut bytes = padded.chunks_exact(LIMB_BYTES);
        [(); LIMBS].map(|()| bytes.next().map(U256::from_le_slice).unwrap_or_default())
    }
}

impl TryFrom<String> for Text {
    type Error = BulletinError;

    fn try_from(text: String) -> Result<Self, BulletinError> {
        Self::new(text.as_bytes())
    }
}

impl From<Text> for String {
    fn from(text: Text) -> Self {
        text.0
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A statement and its signature. Its form is right; whose it is, and whether it was altered, [`publisher`] and [`check`]
/// say.
///
/// [`publisher`]: Self::publisher
/// [`check`]: Self::check
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bulletin {
    /// Which of the publisher's feeds.
    pub feed_id: B256,
    /// Its number in the feed.
    pub sequence: u64,
    /// Unix time in seconds, as the publisher states it.
    pub timestamp: u64,
    /// What is said.
    pub text: Text,
    /// r ‖ s ‖ v over [`hash`](Self::hash).
    pub signature: SignatureBytes,
}

impl Bulletin {
    /// Signs a statement.
    ///
    /// A publisher signs one statement per feed and number; a second one is an equivocation, and whoever has both can
    /// show it.
    ///
    /// # Errors
    /// [`BulletinError::Unsigned`].
    pub fn sign(key: &Key, feed_id: B256, sequence: u64, timestamp: u64, text: Text) -> Result<Self, BulletinError> {
        let mut bulletin = Self { feed_id, sequence, timestamp, text, signature: SignatureBytes::ZERO };
        bulletin.signature = key.sign_digest(bulletin.hash()).map_err(BulletinError::Unsigned)?;
        Ok(bulletin)
    }

    /// A bulletin of its parts, as an event or calldata has them.
    ///
    /// # Errors
    /// What is wrong with the text, or a signature of another length.
    pub fn from_parts(
        feed_id: B256,
        sequence: u64,
        timestamp: u64,
        text: &[u8],
        signature: &[u8],
    ) -> Result<Self, BulletinError> {
        let (text, signature) = (Text::new(text)?, signature::from_slice(signature)?);
        Ok(Self { feed_id, sequence, timestamp, text, signature })
    }

    /// Reads the JSON form.
    ///
    /// # Errors
    /// [`BulletinError::NotJson`], also for a text that can't be one.
    pub fn from_json(json: &[u8]) -> Result<Self, BulletinError> {
        serde_json::from_slice(json).map_err(|e| BulletinError::NotJson(one_line(&e.to_string())))
    }

    /// The JSON form, on one line: `feed_id` and `signature` in hex, `sequence` and `timestamp` as numbers, and `text`.
    pub fn to_json(&self) -> String {
        format!(
            r#"{{"feed_id":"{}","sequence":{},"timestamp":{},"text":{},"signature":"{}"}}"#,
            self.feed_id,
            self.sequence,
            self.timestamp,
            serde_json::Value::from(self.text.as_str()),
            self.signature
        )
    }

    /// The EIP-712 digest that is signed. It names the statement: feed, number, time and text.
    pub fn hash(&self) -> B256 {
        let domain = keccak256(
            [keccak256(DOMAIN_TYPE), keccak256(DOMAIN_NAME), keccak256(DOMAIN_VERSION)].map(<[u8; 32]>::from).concat(),
        );
        let statement = keccak256(
            [
                keccak256(BULLETIN_TYPE),
                self.feed_id,
                B256::from(U256::from(self.sequence)),
                B256::from(U256::from(self.timestamp)),
                keccak256(self.text.as_str()),
            ]
            .map(<[u8; 32]>::from)
            .concat(),
        );
        keccak256([&[0x19, 0x01], domain.as_slice(), statement.as_slice()].concat())
    }

    /// Whether number and time fit into a database's signed integers.
    pub fn is_storable(&self) -> bool {
        i64::try_from(self.sequence).is_ok() && i64::try_from(self.timestamp).is_ok()
    }

    /// Who signed it.
    ///
    /// # Errors
    /// [`BulletinError::Signature`]. An altered bulletin gives another address, not an error.
    pub fn publisher(&self) -> Result<Address, BulletinError> {
        Ok(signature::recover(self.hash(), &self.signature)?)
    }

    /// Whether `publisher` signed exactly this.
    ///
    /// # Errors
    /// [`BulletinError::Signature`] and [`OtherPublisher`](BulletinError::OtherPublisher).
    pub fn check(&self, publisher: Address) -> Result<(), BulletinError> {
        let found = self.publisher()?;
        if found == publisher { Ok(()) } else { Err(BulletinError::OtherPublisher { expected: publisher, found }) }
    }
}

/// A feed's id: `0x` and 64 hex digits, or else the keccak256 of a name.
///
/// # Errors
/// [`BulletinError::FeedId`] for nothing, and for what begins like an id and isn't one.
pub fn feed_id(text: &str) -> Result<B256, BulletinError> {
    let wrong = || BulletinError::FeedId(one_line(text));
    match text.strip_prefix("0x") {
        Some(digits) if digits.len() == 64 => digits.parse().map_err(|_| wrong()),
        None if !text.trim().is_empty() => Ok(keccak256(text)),
        _ => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signed(key: u8, feed_id: B256, sequence: u64, timestamp: u64, text: &str) -> Bulletin {
        let key = Key::from_bytes(B256::repeat_byte(key)).expect("key");
        Bulletin::sign(&key, feed_id, sequence, timestamp, Text::new(text.as_bytes()).expect("text")).expect("bulletin")
    }

    /// Addresses, digests and signatures of eth_account 0.14.0, `Account.sign_message(encode_typed_data(full_message=…))`.
    #[test]
    fn digests_and_signatures_are_those_of_another_implementation() {
        let tildes = "~".repeat(TEXT_BYTES);
        let cases = [
            (
                signed(7, feed_id("football").expect("id"), 1, 1_700_000_000, "FULL TIME: Arsenal 2-1 Chelsea"),
                "0x4a62316623ad457F02cDC5D997deD67a383EC569",
                "0x80e39a087ebb0f2d9630474bf8cd36d2451a6e6d75965239c563e3ab0b1c945b",
                "0x21451997bf8426fb15349123f0406be55953a55e3588412d865cecd3304a7ad0094774807377554c12672874b3d456eddf6ddf65884014575076360667bc50fc1c",
            ),
            (
                signed(11, B256::ZERO, u64::MAX, 0, &tildes),
                "0xf288ECAF15790EfcAc528946963A6Db8c3f8211d",
                "0x807850d360e259e29cdfcede484ea2f4f64e7e397edd9049b05d9dd50f2c0c45",
                "0xd7c35bcddf884b1791fc6a0a10a1dc86112527a2913ac48aefed4cb0a137fd0572bce7c2fa38666abdf1c8a0cd3e9fadab5018643f5053393489335d484df0a11b",
            ),
            (
                signed(11, B256::repeat_byte(0xff), 0, u64::MAX, " "),
                "0xf288ECAF15790EfcAc528946963A6Db8c3f8211d",
                "0x29a01d99be5cf72399053da11e5628abc243a83047c6343796dfbe1b5d8a324f",
                "0xb7f41e92d0c18e0b398cd9a67dbff8605bb75b9b1b87383b0406248a2ad1aca035b375a23cd488a2d546bf821136e17e14896a8c2d7442e35d46e75c6330bd281b",
            ),
        ];
        for (bulletin, publisher, hash, signature) in cases {
            assert_eq!(bulletin.hash().to_string(), hash);
            assert_eq!(bulletin.signature.to_string(), signature);
            assert_eq!(bulletin.publisher(), Ok(publisher.parse().expect("address")));
        }
    }

    #[test]
    fn a_text_is_printable_ascii_of_1_to_248_bytes() {
        let check = |bytes: &[u8], expected: Result<(), BulletinError>| {
            assert_eq!(Text::new(bytes).map(|text| assert_eq!(text.as_str().as_bytes(), bytes)), expected, "{bytes:?}");
            let json = serde_json::to_vec(&String::from_utf8_lossy(bytes)).expect("JSON");
            assert_eq!(serde_json::from_slice::<Text>(&json).is_ok(), expected.is_ok(), "{bytes:?} in JSON");
        };
        check(b"", Err(BulletinError::Empty));
        check(&[b'a'; 248], Ok(()));
        check(&[b'a'; 249], Err(BulletinError::TooLong(249)));
        check(&[0; 300], Err(BulletinError::TooLong(300)));
        for byte in 0..=255 {
            let expected =
                if (0x20..=0x7e).contains(&byte) { Ok(()) } else { Err(BulletinError::NotPrintable { byte, at: 2 }) };
            check(&[b'o', b'k', byte, b'!'], expected);
        }
        check("2–1".as_bytes(), Err(BulletinError::NotPrintable { byte: 0xe2, at: 1 }));
    }

    #[test]
    fn packing_puts_the_first_byte_lowest() {
        let number = |text: &str| text.parse::<U256>().expect("number");
        let abc = Text::new(b"abc").expect("text");
        assert_eq!(abc.packed()[0], number("0x636261"));
        assert_eq!(abc.packed()[1..], [U256::ZERO; 7]);
        assert_eq!((&abc.padded()[..4], abc.padded()[247]), (&b"abc\0"[..], 0));
        // Byte 31 is the second limb's lowest, byte 30 the first one's highest.
        let text = Text::new(format!("{}<>", " ".repeat(30)).as_bytes()).expect("text");
        assert_eq!(text.packed()[0], number(&format!("0x3c{}", "20".repeat(30))));
        assert_eq!(text.packed()[1], number("0x3e"));
        let full = Text::new(&[b'~'; 248]).expect("text");
        assert_eq!(full.packed(), [number(&format!("0x{}", "7e".repeat(31))); 8]);
    }

    #[test]
    fn json_comes_back_and_is_what_serde_writes() {
        let bulletin = signed(7, feed_id("a").expect("id"), u64::MAX, 0, r#"he said: "0-0" \ goodbye {}"#);
        assert_eq!(Bulletin::from_json(bulletin.to_json().as_bytes()), Ok(bulletin.clone()));
        let value: serde_json::Value = serde_json::from_str(&bulletin.to_json()).expect("JSON");
        assert_eq!(value, serde_json::to_value(&bulletin).expect("JSON"));
        assert_eq!(value["sequence"], u64::MAX);

        let with = |field: &str, text: &str| {
            let mut value = value.clone();
            value[field] = serde_json::from_str(text).expect("JSON");
            Bulletin::from_json(value.to_string().as_bytes()).map_err(|e| e.to_string())
        };
        let cases = [
            ("text", r#""""#, "its text is empty"),
            ("text", r#""a\nb""#, "the byte 0x0a at 1"),
            ("text", "7", "invalid type"),
            ("sequence", "-1", "invalid value"),
            ("sequence", "18446744073709551616", "invalid type"),
            ("timestamp", "1.5", "invalid type"),
            ("timestamp", "null", "invalid type"),
            ("feed_id", r#""0x12""#, "feed_id and signature in hex"),
            ("signature", r#""0x""#, "feed_id and signature in hex"),
        ];
        for (field, text, says) in cases {
            let error = with(field, text).expect_err(text);
            assert!(error.contains(says), "{field} = {text}: {error}");
        }
        for bytes in [&b"{"[..], b"", b"[]", b"\xff\xfe", b"{}"] {
            assert!(matches!(Bulletin::from_json(bytes), Err(BulletinError::NotJson(_))), "{bytes:?}");
        }
    }

    #[test]
    fn every_altered_field_gives_another_signer() {
        let bulletin = signed(7, B256::ZERO, 1, 2, "text");
        let publisher = bulletin.publisher().expect("publisher");
        bulletin.check(publisher).expect("as signed");
        type Change = fn(&mut Bulletin);
        let changes: [(&str, Change); 4] = [
            ("feed", |b| b.feed_id = B256::repeat_byte(1)),
            ("sequence", |b| b.sequence = 2),
            ("timestamp", |b| b.timestamp = 1),
            ("text", |b| b.text = Text::new(b"texT").expect("text")),
        ];
        for (what, change) in changes {
            let mut altered = bulletin.clone();
            change(&mut altered);
            assert_ne!(altered.hash(), bulletin.hash(), "{what}");
            assert!(
                matches!(altered.check(publisher), Err(BulletinError::OtherPublisher { expected, .. }) if expected == publisher),
                "{what}"
            );
        }
        let parts = |text: &[u8], signature: &[u8]| Bulletin::from_parts(B256::ZERO, 1, 2, text, signature);
        assert_eq!(parts(b"text", bulletin.signature.as_slice()), Ok(bulletin.clone()));
        assert_eq!(parts(b"t\0", bulletin.signature.as_slice()), Err(BulletinError::NotPrintable { byte: 0, at: 1 }));
        assert_eq!(parts(b"text", &[1; 64]), Err(BulletinError::Signature(SignatureError::Length(64))));
    }

    #[test]
    fn a_feed_has_an_id_or_a_name() {
        let football = "0xf5671c7ba2a65968e91b62f9fd74c01d70c68d4155e10616f66654baa62df208";
        assert_eq!(feed_id("football").map(|id| id.to_string()), Ok(football.to_owned()));
        assert_eq!(feed_id(football).map(|id| id.to_string()), Ok(football.to_owned()));
        for wrong in ["", "  ", "0x", "0x12", &football[..65], &football.replace('f', "g")] {
            assert!(matches!(feed_id(wrong), Err(BulletinError::FeedId(_))), "{wrong}");
        }
    }
}
