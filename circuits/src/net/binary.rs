//! A net as a file: a magic word, then its fields in postcard's encoding.

use super::Net;
use super::bounds::{NetError, structure};

const MAGIC: &[u8; 8] = b"ZZNET002";

/// Why a file is no net.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// Another file, or another version's.
    #[error("it is no integer net of this version; compile the model again")]
    Magic,
    /// The bytes make no sense.
    #[error("it is damaged ({0}); restore it or compile the model again")]
    Damaged(postcard::Error),
    /// Bytes are left over.
    #[error("{0} bytes are left over; restore the file or compile the model again")]
    Longer(usize),
    /// The parts don't fit together.
    #[error(transparent)]
    Net(#[from] NetError),
}

/// The file's bytes.
pub fn encode(net: &Net) -> Vec<u8> {
    // Writing to memory can't fail: every field has a length.
    postcard::to_extend(net, MAGIC.to_vec()).unwrap_or_default()
}

/// The net of a file's bytes; its structure is checked, its ranges are not.
///
/// # Errors
/// Says what is wrong with the file.
pub fn decode(bytes: &[u8]) -> Result<Net, DecodeError> {
    let rest = bytes.strip_prefix(MAGIC).ok_or(DecodeError::Magic)?;
    let (net, rest) = postcard::take_from_bytes::<Net>(rest).map_err(DecodeError::Damaged)?;
    if !rest.is_empty() {
        return Err(DecodeError::Longer(rest.len()));
    }
    structure(&net)?;
    Ok(net)
}
