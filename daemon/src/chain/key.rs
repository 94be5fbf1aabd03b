//! The signing key: an encrypted keystore file, and signing with it.

use std::{fmt, path::Path};

use alloy::{
    consensus::TxEnvelope,
    eips::eip2718::Decodable2718,
    primitives::Signature,
    signers::{SignerSync, local::PrivateKeySigner},
};
use zeroize::{Zeroize, Zeroizing};

use super::{
    error::{ChainError, one_line},
    signature::SignatureBytes,
    signer::{SignerError, Unsigned},
    types::{Address, B256, Bytes, U256},
};
use crate::{config::PasswordSource, files};

/// A key in this process' memory. Its `Debug` shows the address only; its number is overwritten when the last copy is
/// dropped, as are passwords and private keys that were read on the way to it.
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
        files::refuse_exposed(keystore).map_err(|why| wrong(keystore, &why))?;
        let password = read_password(keystore, password)?;
        let signer = PrivateKeySigner::decrypt_keystore(keystore, password.as_bytes()).map_err(|e| {
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
        let key = Self::from_hex(private_key)
            .ok_or_else(|| wrong(keystore, "what was given is no private key; give 64 hex digits on standard input"))?;
        Self::write(key.signer, keystore, password)
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
        let mut secret = signer.to_bytes();
        let encrypted = PrivateKeySigner::encrypt_keystore(folder, &mut rng, secret, password.as_bytes(), Some(&name));
        secret.zeroize();
        encrypted.map_err(|e| wrong(keystore, &format!("{}; is the folder writable?", one_line(&e.to_string()))))?;
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

    /// A key from 64 hex digits; `None` if they are none.
    pub(super) fn from_hex(text: &str) -> Option<Self> {
        Some(Self { signer: text.trim().parse().ok()? })
    }

    /// Signs a transaction.
    pub(super) fn sign_unsigned(&self, tx: &Unsigned) -> Result<Signature, SignerError> {
        self.signer.sign_hash_sync(&tx.digest()).map_err(|e| SignerError::Unreachable {
            signer: format!("key {}", self.address()),
            why: one_line(&e.to_string()),
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

fn read_password(keystore: &Path, source: &PasswordSource) -> Result<Zeroizing<String>, ChainError> {
    let password = match source {
        PasswordSource::Env(name) => Zeroizing::new(std::env::var(name).map_err(|_| {
            wrong(keystore, &format!("its password is expected in the variable {name}; set it, or key.password_file"))
        })?),
        PasswordSource::File(path) => {
            files::refuse_exposed(path).map_err(|why| wrong(keystore, &format!("its password: {why}")))?;
            let text = std::fs::read_to_string(path)
                .map_err(|e| wrong(keystore, &format!("its password file {}: {e}", path.display())))?;
            let text = Zeroizing::new(text);
            Zeroizing::new(text.lines().next().unwrap_or_default().to_owned())
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
        files::new_secret(&secret, "hunter2\n").expect("write");
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
        assert_eq!(format!("{key:?}"), format!("Key({})", key.address()));
    }

    #[cfg(unix)]
    #[test]
    fn files_that_others_can_read_are_refused() {
        use std::os::unix::fs::PermissionsExt;

        let dir = tempfile::tempdir().expect("folder");
        let (keystore, secret) = (dir.path().join("key.json"), dir.path().join("password"));
        files::new_secret(&secret, "correct horse\n").expect("write");
        let password = PasswordSource::File(secret.clone());
        Key::create(&keystore, &password).expect("key");
        let mode = |path: &Path| std::fs::metadata(path).expect("file").permissions().mode() & 0o777;
        assert_eq!(mode(&keystore), 0o600, "a new keystore is its owner's only");
        for (file, open_to, refused) in [
            (&keystore, 0o640, true),
            (&keystore, 0o604, true),
            (&keystore, 0o400, false),
            (&secret, 0o644, true),
            (&secret, 0o620, true),
            (&secret, 0o600, false),
        ] {
            std::fs::set_permissions(file, std::fs::Permissions::from_mode(open_to)).expect("mode");
            let opened = Key::open(&keystore, &password);
            assert_eq!(opened.is_err(), refused, "{} {open_to:o}", file.display());
            if let Err(error) = opened {
                let text = error.to_string();
                assert!(text.contains("chmod 600") && text.contains(&format!("{open_to:o}")), "{text}");
                assert!(!text.contains("correct horse"), "{text}");
            }
        }
    }
}
