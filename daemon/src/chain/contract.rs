//! A contract at an address: its views, and its refusals in words.

use alloy::sol_types::{Panic, Revert, SolCall, SolError, SolEventInterface};

use super::{
    client::Client,
    error::{ChainError, one_line},
    types::{Address, B256, Bytes, Log},
};

/// Puts a contract's own errors in words; `None` for data that is none of them.
pub type Words = fn(&Bytes) -> Option<String>;

/// A contract at an address.
#[derive(Clone, Debug)]
pub struct Contract {
    client: Client,
    address: Address,
    /// What it is, for people.
    name: &'static str,
    words: Words,
}

impl Contract {
    /// Makes sure that there is code at the address. `key` is the configuration's key that names it.
    pub async fn open(
        client: Client,
        address: Address,
        name: &'static str,
        key: &'static str,
        words: Words,
    ) -> Result<Self, ChainError> {
        if client.code(address).await?.is_empty() {
            let why = format!("there is no contract on chain {}", client.chain_id());
            return Err(ChainError::NoContract { name, address, key, why });
        }
        Ok(Self { client, address, name, words })
    }

    /// Its address.
    pub fn address(&self) -> Address {
        self.address
    }

    /// The node.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Any view, at a block or at the head.
    pub async fn read<C: SolCall>(&self, call: C, name: &str, at: Option<B256>) -> Result<C::Return, ChainError> {
        let answer = self.client.call(None, self.address, call.abi_encode().into(), at).await.map_err(|e| match e {
            ChainError::Refused { data: Some(data), .. } if !data.is_empty() => ChainError::Reverts {
                what: format!("{} {}: {name}", self.name, self.address),
                why: in_words(&data, self.words),
            },
            other => other,
        })?;
        // Not the validating decoder: strings that others have chosen may be no UTF-8, and that must not matter.
        C::abi_decode_returns(&answer).map_err(|e| self.undecodable(name, &e))
    }

    /// One of its events; `None` for one that is none of its interface.
    pub fn event<E: SolEventInterface>(&self, log: &Log) -> Result<Option<E>, ChainError> {
        match E::decode_log(&log.inner) {
            Ok(event) => Ok(Some(event.data)),
            // Said of events that the interface doesn't have.
            Err(alloy::sol_types::Error::InvalidLog { .. }) => Ok(None),
            Err(e) => Err(self.undecodable(&format!("an event of block {}", log.block_number.unwrap_or_default()), &e)),
        }
    }

    fn undecodable(&self, what: &str, error: &alloy::sol_types::Error) -> ChainError {
        ChainError::Undecodable {
            name: self.name,
            address: self.address,
            what: what.to_owned(),
            why: one_line(&error.to_string()),
        }
    }
}

/// A contract's word for why it refused, with its numbers.
pub fn in_words(data: &Bytes, words: Words) -> String {
    if let Some(said) = words(data) {
        return said;
    }
    if let Ok(revert) = Revert::abi_decode(data) {
        return one_line(&revert.reason);
    }
    if let Ok(panic) = Panic::abi_decode(data) {
        return one_line(&panic.to_string());
    }
    match (data.first_chunk::<4>(), data.len()) {
        (_, 0) => "no reason given".into(),
        (Some(selector), 5..) => {
            let arguments = alloy::hex::encode_prefixed(&data[4..]);
            let selector = alloy::hex::encode_prefixed(selector);
            one_line(&format!("unknown error {selector}, with the arguments {arguments}"))
        }
        _ => format!("unknown error {data}"),
    }
}

/// What a refused call says, if the contract refused it: its words, or `None` if the node did.
pub fn refusal(error: &ChainError, words: Words) -> Option<String> {
    match error {
        ChainError::Refused { data: Some(data), .. } => Some(in_words(data, words)),
        ChainError::Refused { message, .. } if message.to_lowercase().contains("revert") => Some(one_line(message)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::types::U256;

    #[test]
    fn what_a_contract_says_is_put_in_words() {
        let own: Words = |data| (data.as_ref() == [9, 9, 9, 9]).then(|| "OutOfTime: the deadline was at 5".into());
        let panic = |code: u64| Bytes::from(Panic { code: U256::from(code) }.abi_encode());
        let unknown = Bytes::from([vec![0xde, 0xad, 0xbe, 0xef], vec![0; 31], vec![7]].concat());
        let word = "0".repeat(62);
        let cases = [
            (Bytes::from_static(&[9, 9, 9, 9]), "OutOfTime: the deadline was at 5".into()),
            (Revert::from("not yet").abi_encode().into(), "not yet".into()),
            (Revert::from("two\nlines").abi_encode().into(), "two lines".into()),
            (panic(0x01), "panic: assertion failed (0x01)".into()),
            (panic(0x11), "panic: arithmetic underflow or overflow (0x11)".into()),
            (panic(0x12), "panic: division or modulo by zero (0x12)".into()),
            (panic(0x32), "panic: array out-of-bounds access (0x32)".into()),
            (Bytes::new(), "no reason given".into()),
            (Bytes::from_static(&[1, 2]), "unknown error 0x0102".into()),
            (Bytes::from_static(&[1, 2, 3, 4]), "unknown error 0x01020304".into()),
            (unknown, format!("unknown error 0xdeadbeef, with the arguments 0x{word}07")),
        ];
        for (data, expected) in cases {
            assert_eq!(in_words(&data, own), expected);
        }
        let long = in_words(&Bytes::from(vec![7; 4000]), own);
        assert!(long.starts_with("unknown error 0x07070707") && long.len() < 320, "{long}");
    }
}
