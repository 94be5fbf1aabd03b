//! The signing key: an encrypted keystore file, and signing with it.

use std::{fmt, path::Path};

use alloy::{
    consensus::{SignableTransaction, TxEip1559, TxEnvelope},
    eips::eip2718::{Decodable2718, Encodable2718},
    network::TxSignerSync,
    primitives::TxKind,
    signers::{SignerSync, local::PrivateKeySigner},
};

use super::{
    error::{ChainError, one_line},
    fees::Fees,
    signature::SignatureBytes,
    types::{Address, B256, Bytes, U256},
};
use crate::{config::PasswordSource, store::Signed};

/// A key that signs. Its `Debug` shows the address only.
#[derive(Clone)]
pub struct Key {
    signer: PrivateKeySigner,
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({})", self.address())
    }
}

/// What is signed, but for its nonce and price.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Chain id.
    pub chain_id: u64,
    /// Callee; `None` deploys.
    pub to: Option<Address>,
    /// Calldata or init code.
    pub data: Bytes,
    /// Wei that goes along.
    pub value: U256,
    /// Gas limit.
    pub gas_limit: u64,
}

impl Key {
    /// Decrypts a keystore.
    pub fn open(keystore: &Path, password: &PasswordSource) -> Result<Self, ChainError> {
        let shown = keystore.display();
        if !keystore.is_file() {
            return Err(wrong(
                keystore,
                "there is no such file; make one with `zugzwang key new`, or set key.keystore",
            ));
        }
        let password = read_password(keystore, password)?;
        let signer = PrivateKeySigner::decrypt_keystore(keystore, password).map_err(|e| {
            let text = one_line(&e.to_string());
            if text.to_lowercase().contains("mac") {
                wrong(keystore, "the password is wrong; check key.password_env or key.password_file")
            } else {
                wrong(keystore, &format!("it is no keystore or is damaged ({text}); restore it from a backup"))
            }
        })?;
        tracing::debug!(keystore = %shown, address = %signer.address(), "key opened");
        Ok(Self { signer })
    }

    /// Makes a new random key and writes its keystore. Refuses to replace a file.
    pub fn create(keystore: &Path, password: &PasswordSource) -> Result<Self, ChainError> {
        Self::write(PrivateKeySigner::random(), keystore, password)
    }

    /// Writes a keystore for a private key in hex. Refuses to replace a file.
    pub fn import(private_key: &str, keystore: &Path, password: &PasswordSource) -> Result<Self, ChainError> {
        let signer = private_key
            .trim()
            .parse()
            .map_err(|_| wrong(keystore, "what was given is no private key; give 64 hex digits on standard input"))?;
        Self::write(signer, keystore, password)
    }

    fn write(signer: PrivateKeySigner, keystore: &Path, password: &PasswordSource) -> Result<Self, ChainError> {
        let password = read_password(keystore, password)?;
        if keystore.exists() {
            return Err(wrong(keystore, "the file exists already and is not replaced; name another with --out"));
        }
        let folder = keystore.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder).map_err(|e| wrong(keystore, &format!("{e}; choose another folder")))?;
        // Written under another name first, so that a crash leaves no half keystore behind.
        let name = format!(".{}.tmp", std::process::id());
        let mut rng = rand::thread_rng();
        PrivateKeySigner::encrypt_keystore(folder, &mut rng, signer.to_bytes(), password, Some(&name))
            .map_err(|e| wrong(keystore, &format!("{}; is the folder writable?", one_line(&e.to_string()))))?;
        let written = folder.join(name);
        restrict(&written)
            .and_then(|()| std::fs::rename(&written, keystore))
            .map_err(|e| wrong(keystore, &e.to_string()))?;
        Ok(Self { signer })
    }

    /// A key from its 32 bytes, for local chains.
    pub fn from_bytes(bytes: B256) -> Result<Self, ChainError> {
        let signer = PrivateKeySigner::from_bytes(&bytes).map_err(|e| wrong(Path::new("(memory)"), &e.to_string()))?;
        Ok(Self { signer })
    }

    /// Its address.
    pub fn address(&self) -> Address {
        self.signer.address()
    }

    /// Signs a transaction with a nonce and a price.
    pub fn sign(&self, plan: &Plan, nonce: u64, fees: Fees) -> Result<Signed, String> {
        let mut tx = TxEip1559 {
            chain_id: plan.chain_id,
            nonce,
            gas_limit: plan.gas_limit,
            max_fee_per_gas: fees.max_fee,
            max_priority_fee_per_gas: fees.max_priority,
            to: plan.to.map_or(TxKind::Create, TxKind::Call),
            value: plan.value,
            access_list: Default::default(),
            input: plan.data.clone(),
        };
        let signature = self.signer.sign_transaction_sync(&mut tx).map_err(|e| one_line(&e.to_string()))?;
        let signed = tx.into_signed(signature);
        let mut raw = Vec::new();
        signed.encode_2718(&mut raw);
        Ok(Signed {
            hash: *signed.hash(),
            raw,
            max_fee: fees.max_fee,
            max_priority: fees.max_priority,
            gas_limit: plan.gas_limit,
        })
    }

    /// Signs the digest of typed data (EIP-712): r ‖ s ‖ v with the lower s and a v of 27 or 28, the same each time.
    ///
    /// The digest must be made here from data that are understood: one that somebody else gives may be a
    /// transaction's.
    ///
    /// # Errors
    /// The signer's own words.
    pub fn sign_digest(&self, digest: B256) -> Result<SignatureBytes, String> {
        let signature = self.signer.sign_hash_sync(&digest).map_err(|e| one_line(&e.to_string()))?;
        Ok(signature.as_bytes().into())
    }
}

/// What stored bytes were signed from, to sign it again at another price.
pub(super) fn plan_of(raw: &[u8]) -> Option<Plan> {
    let TxEnvelope::Eip1559(signed) = TxEnvelope::decode_2718_exact(raw).ok()? else {
        return None;
    };
    let tx = signed.tx();
    Some(Plan {
        chain_id: tx.chain_id,
        to: tx.to.to().copied(),
        data: tx.input.clone(),
        value: tx.value,
        gas_limit: tx.gas_limit,
    })
}

fn wrong(keystore: &Path, why: &str) -> ChainError {
    ChainError::Key { path: keystore.display().to_string(), why: why.to_owned() }
}

fn read_password(keystore: &Path, source: &PasswordSource) -> Result<String, ChainError> {
    let password = match source {
        PasswordSource::Env(name) => std::env::var(name).map_err(|_| {
            wrong(keystore, &format!("its password is expected in the variable {name}; set it, or key.password_file"))
        })?,
        PasswordSource::File(path) => {
            let text = std::fs::read_to_string(path)
                .map_err(|e| wrong(keystore, &format!("its password file {}: {e}", path.display())))?;
            text.lines().next().unwrap_or_default().to_owned()
        }
    };
    if password.is_empty() { Err(wrong(keystore, "its password is empty; set one")) } else { Ok(password) }
}

#[cfg(unix)]
fn restrict(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))
}

#[cfg(not(unix))]
fn restrict(_: &Path) -> std::io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keystores_open_again_and_mistakes_are_named() {
        let dir = tempfile::tempdir().expect("folder");
        let file = dir.path().join("key.json");
        let secret = dir.path().join("password");
        std::fs::write(&secret, "hunter2\n").expect("write");
        let password = PasswordSource::File(secret.clone());
        let key = Key::create(&file, &password).expect("key");
        assert_eq!(Key::open(&file, &password).expect("open").address(), key.address());
        assert!(Key::create(&file, &password).unwrap_err().to_string().contains("exists already"));

        std::fs::write(&secret, "wrong\n").expect("write");
        assert!(Key::open(&file, &password).unwrap_err().to_string().contains("the password is wrong"));
        let text = std::fs::read_to_string(&file).expect("read");
        std::fs::write(&file, &text[..text.len() / 2]).expect("write");
        assert!(Key::open(&file, &password).unwrap_err().to_string().contains("damaged"));
        assert!(Key::open(&dir.path().join("none"), &password).unwrap_err().to_string().contains("no such file"));
        assert!(!format!("{key:?}").contains("signer"));
    }
}
