//! What views of several apps have in common.

use axum::{http::HeaderMap, response::Response};
use serde::Serialize;

use crate::{
    chain::{client::Header, types::U256},
    http::{Live, answer::ApiError},
};

/// A subject's number in a path: decimal digits.
///
/// # Errors
/// [`ApiError::Malformed`] for anything else; `what` is whose number it is.
pub(super) fn number(text: &str, what: &str) -> Result<U256, ApiError> {
    let is_decimal = !text.is_empty() && text.bytes().all(|c| c.is_ascii_digit());
    let wrong = || ApiError::Malformed(format!("the id of {what} is a decimal number"));
    is_decimal.then(|| text.parse().ok()).flatten().ok_or_else(wrong)
}

/// An answer with its tag, or that it hasn't changed. What it says is part of the tag: what the store adds to it changes between
/// blocks, too.
///
/// # Errors
/// What can't be JSON is a bug.
pub(super) fn answer(
    live: &Live,
    head: &Header,
    headers: &HeaderMap,
    body: &impl Serialize,
) -> Result<Response, ApiError> {
    let text = serde_json::to_string(body).map_err(|e| ApiError::bug(&e))?;
    let tag = live.tag(head, &[&text]);
    if tag.is_known(headers) { Ok(tag.unchanged()) } else { tag.on(body) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_decimal() {
        assert_eq!(number("7", "a market").expect("a number"), U256::from(7));
        let largest = U256::MAX.to_string();
        assert_eq!(number(&largest, "a market").expect("a number"), U256::MAX);
        for wrong in ["", "-1", "0x7", "7 ", "seven", &format!("{largest}0")] {
            assert!(number(wrong, "a market").is_err(), "{wrong}");
        }
    }
}
