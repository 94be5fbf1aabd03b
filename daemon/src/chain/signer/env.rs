//! A private key in an environment variable: for demos on local chains.

use std::{fmt, sync::Arc};

use zeroize::Zeroizing;

use super::{Signer, Signing, Unsigned};
use crate::chain::{ChainError, Key, types::Address};

/// Chain ids that local nodes use by default: anvil and hardhat, ganache and geth's development mode.
const LOCAL: [u64; 2] = [31337, 1337];

/// Whether a chain id is one that only local chains have.
pub(super) fn is_local(chain_id: u64) -> bool {
    LOCAL.contains(&chain_id)
}

struct EnvSigner(Key);

impl fmt::Debug for EnvSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EnvSigner({})", self.0.address())
    }
}

impl Signer for EnvSigner {
    fn address(&self) -> Address {
        self.0.address()
    }

    fn kind(&self) -> &'static str {
        "env"
    }

    fn sign<'a>(&'a self, tx: &'a Unsigned) -> Signing<'a> {
        Signer::sign(&self.0, tx)
    }
}

/// Reads the key from a variable. A variable is seen by whoever sees the process' environment, and is inherited, so it is
/// refused on chains that could have money in them unless `allowed` says otherwise.
///
/// # Errors
/// If it is refused, missing or no key. The variable's value is in none of them.
pub(super) fn open(
    name: &str,
    variable: &str,
    allowed: bool,
    chain_id: u64,
    read: impl FnOnce(&str) -> Option<String>,
) -> Result<Arc<dyn Signer>, ChainError> {
    let wrong = |why: String| ChainError::Key { path: format!("{name} (variable {variable})"), why };
    if !is_local(chain_id) && !allowed {
        return Err(wrong(format!(
            "chain {chain_id} isn't a local one, and a key in the environment is for demos only; import it with `zugzwang key import`, or set key.allow_env"
        )));
    }
    let text =
        Zeroizing::new(read(variable).ok_or_else(|| wrong("the variable isn't set; set it to 64 hex digits".into()))?);
    let key = Key::from_hex(&text).ok_or_else(|| wrong("it holds no private key; set it to 64 hex digits".into()))?;
    tracing::warn!(address = %key.address(), variable, chain_id, "signing with a key from the environment, which others may read: for demos only");
    Ok(Arc::new(EnvSigner(key)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "0x1111111111111111111111111111111111111111111111111111111111111111";

    #[test]
    fn a_key_in_the_environment_is_for_local_chains() {
        let cases = [
            (31337, false, Some(SECRET), "opens"),
            (1, true, Some(SECRET), "opens"),
            (1, false, Some(SECRET), "for demos only"),
            (31337, false, None, "isn't set"),
            (31337, false, Some("0x11zz"), "no private key"),
            (31337, false, Some(""), "no private key"),
        ];
        for (chain_id, allowed, value, expected) in cases {
            let opened = open("default", "PLAYER_KEY", allowed, chain_id, |_| value.map(str::to_owned));
            let shown = match opened {
                Ok(signer) => format!("opens {signer:?}"),
                Err(error) => error.to_string(),
            };
            assert!(shown.contains(expected), "{chain_id} {allowed}: {shown}");
            assert!(!shown.contains("1111111111") && !shown.contains("11zz"), "{shown}");
        }
    }
}
