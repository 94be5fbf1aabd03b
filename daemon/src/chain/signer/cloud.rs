//! Key services and devices that alloy knows: AWS KMS, Google Cloud KMS, Ledger. Each behind a feature of this crate.

use std::sync::Arc;

use super::Signer;
use crate::{
    chain::ChainError,
    config::{CloudConfig, CloudService},
};

/// Opens a key of a service or device and checks its address.
///
/// # Errors
/// If this binary was built without it, it can't be reached, or the key has another address than the configuration's.
pub(super) async fn open(name: &str, config: &CloudConfig, chain_id: u64) -> Result<Arc<dyn Signer>, ChainError> {
    let wrong = |why: String| ChainError::Key { path: format!("{name} ({})", config.key_id), why };
    let opening = open_service(config, chain_id);
    let signer = match tokio::time::timeout(config.timeout, opening).await {
        Ok(opened) => opened.map_err(wrong)?,
        Err(_) => return Err(wrong(format!("no answer within {} ms; see key.timeout_ms", config.timeout.as_millis()))),
    };
    match config.address {
        Some(expected) if expected != signer.address() => {
            Err(wrong(format!("it is the key of {}, not of key.address = {expected}", signer.address())))
        }
        _ => Ok(signer),
    }
}

async fn open_service(config: &CloudConfig, chain_id: u64) -> Result<Arc<dyn Signer>, String> {
    match config.service {
        #[cfg(feature = "aws-kms")]
        CloudService::Aws => services::aws(config, chain_id).await,
        #[cfg(feature = "gcp-kms")]
        CloudService::Gcp => services::gcp(config, chain_id).await,
        #[cfg(feature = "ledger")]
        CloudService::Ledger => services::ledger(config, chain_id).await,
        #[cfg(not(all(feature = "aws-kms", feature = "gcp-kms", feature = "ledger")))]
        service => {
            let feature = match service {
                CloudService::Aws => "aws-kms",
                CloudService::Gcp => "gcp-kms",
                CloudService::Ledger => "ledger",
            };
            // The chain id is what a service's own signer would check.
            Err(format!(
                "this binary can't sign for chain {chain_id} with it; build it with `cargo build --release --features {feature}`"
            ))
        }
    }
}

#[cfg(any(feature = "aws-kms", feature = "gcp-kms", feature = "ledger"))]
mod services {
    use std::{fmt, sync::Arc, time::Duration};

    use alloy::{network::TxSigner, primitives::Signature};

    use crate::{
        chain::{
            error::one_line,
            signer::{Signer, SignerError, Signing, Unsigned},
            types::Address,
        },
        config::CloudConfig,
    };

    type Inner = dyn TxSigner<Signature> + Send + Sync;

    /// One of alloy's signers.
    struct Service {
        kind: &'static str,
        inner: Box<Inner>,
        timeout: Duration,
    }

    impl fmt::Debug for Service {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "{}({})", self.kind, self.inner.address())
        }
    }

    impl Signer for Service {
        fn address(&self) -> Address {
            self.inner.address()
        }

        fn kind(&self) -> &'static str {
            self.kind
        }

        fn sign<'a>(&'a self, tx: &'a Unsigned) -> Signing<'a> {
            Box::pin(async move {
                let failed = |why: String| SignerError::Unreachable { signer: self.kind.to_owned(), why };
                let mut copy = tx.tx.clone();
                match tokio::time::timeout(self.timeout, self.inner.sign_transaction(&mut copy)).await {
                    Ok(Ok(signature)) => Ok(signature),
                    Ok(Err(error)) => Err(failed(one_line(&error.to_string()))),
                    Err(_) => Err(failed(format!("no answer within {} ms", self.timeout.as_millis()))),
                }
            })
        }
    }

    fn boxed(kind: &'static str, inner: Box<Inner>, config: &CloudConfig) -> Arc<dyn Signer> {
        Arc::new(Service { kind, inner, timeout: config.timeout })
    }

    /// A key of AWS KMS, with the credentials that the environment, the profile or the machine gives.
    #[cfg(feature = "aws-kms")]
    pub(super) async fn aws(config: &CloudConfig, chain_id: u64) -> Result<Arc<dyn Signer>, String> {
        use alloy::signers::aws::{AwsSigner, aws_sdk_kms};

        let settings = aws_config::load_defaults(aws_config::BehaviorVersion::latest()).await;
        let client = aws_sdk_kms::Client::new(&settings);
        let signer = AwsSigner::new(client, config.key_id.clone(), Some(chain_id))
            .await
            .map_err(|e| format!("{}; check credentials, region and key.key_id", one_line(&e.to_string())))?;
        Ok(boxed("aws-kms", Box::new(signer), config))
    }

    /// A key version of Google Cloud KMS, with the machine's application default credentials.
    #[cfg(feature = "gcp-kms")]
    pub(super) async fn gcp(config: &CloudConfig, chain_id: u64) -> Result<Arc<dyn Signer>, String> {
        use alloy::signers::gcp::{
            GcpKeyRingRef, GcpSigner, KeySpecifier,
            gcloud_sdk::{
                GoogleApi, google::cloud::kms::v1::key_management_service_client::KeyManagementServiceClient,
            },
        };

        let parts: Vec<&str> = config.key_id.split('/').collect();
        let [
            "projects",
            project,
            "locations",
            location,
            "keyRings",
            ring,
            "cryptoKeys",
            key,
            "cryptoKeyVersions",
            version,
        ] = parts[..]
        else {
            return Err(
                "key.key_id must be projects/…/locations/…/keyRings/…/cryptoKeys/…/cryptoKeyVersions/…, as the console shows it"
                    .into(),
            );
        };
        let version = version.parse().map_err(|_| "the version in key.key_id must be a number".to_owned())?;
        let failed = |why: String| format!("{}; check the credentials and key.key_id", one_line(&why));
        let client = GoogleApi::from_function(KeyManagementServiceClient::new, "https://cloudkms.googleapis.com", None)
            .await
            .map_err(|e| failed(e.to_string()))?;
        let place = KeySpecifier::new(GcpKeyRingRef::new(project, location, ring), key, version);
        let signer = GcpSigner::new(client, place, Some(chain_id)).await.map_err(|e| failed(e.to_string()))?;
        Ok(boxed("gcp-kms", Box::new(signer), config))
    }

    /// A key of a Ledger on this machine. Each transaction has to be confirmed on it.
    #[cfg(feature = "ledger")]
    pub(super) async fn ledger(config: &CloudConfig, chain_id: u64) -> Result<Arc<dyn Signer>, String> {
        use alloy::signers::ledger::{HDPath, LedgerSigner};

        let path = HDPath::Other(config.key_id.clone());
        let signer = LedgerSigner::new(path, Some(chain_id))
            .await
            .map_err(|e| format!("{}; connect and unlock it, and open its Ethereum app", one_line(&e.to_string())))?;
        Ok(boxed("ledger", Box::new(signer), config))
    }
}
