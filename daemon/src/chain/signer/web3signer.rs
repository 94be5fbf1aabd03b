//! Web3Signer: a service that holds keys and signs over HTTP, by its REST interface or by JSON-RPC.

use std::{fmt, time::Duration};

use alloy::{
    consensus::TxEnvelope,
    eips::eip2718::Decodable2718,
    hex,
    primitives::{Signature, TxKind},
};
use serde_json::{Value, json};

use super::{Signer, SignerError, Signing, Unsigned};
use crate::{
    chain::{ChainError, error::one_line, types::Address},
    config::{RemoteApi, RemoteConfig},
};

/// Longest answer that is read, in bytes: a list of a few thousand keys, or a transaction with a proof in hex.
const LONGEST: usize = 1 << 20;

/// One key of a Web3Signer.
pub struct Web3Signer {
    http: reqwest::Client,
    base: reqwest::Url,
    api: RemoteApi,
    address: Address,
    /// What the REST interface calls the key: its public key in hex.
    identifier: String,
    timeout: Duration,
}

impl fmt::Debug for Web3Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Web3Signer({})", self.address)
    }
}

impl Web3Signer {
    /// Connects and makes sure that the key is there.
    ///
    /// # Errors
    /// If nobody answers, or the signer doesn't hold the key. The URL's user and password are in none of them.
    pub async fn open(name: &str, config: &RemoteConfig) -> Result<Self, ChainError> {
        let wrong = |why: String| ChainError::Key { path: format!("{name} ({})", config.address), why };
        crate::chain::install_tls();
        let base = config.url.parse().map_err(|_| wrong("key.url is no address".into()))?;
        let http = reqwest::Client::builder()
            .timeout(config.timeout)
            .no_proxy()
            // An answer from elsewhere is not the signer's.
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|e| wrong(one_line(&e.to_string())))?;
        let mut signer = Self {
            http,
            base,
            api: config.api,
            address: config.address,
            identifier: String::new(),
            timeout: config.timeout,
        };
        let found = match config.api {
            RemoteApi::Eth1 => signer.find_public_key().await,
            RemoteApi::SignTransaction => signer.find_account().await,
        };
        match found.map_err(|e| wrong(e.to_string()))? {
            Some(identifier) => signer.identifier = identifier,
            None => {
                return Err(wrong("the signer at key.url answers, but doesn't hold this key; load it there".into()));
            }
        }
        Ok(signer)
    }

    /// The public key that belongs to the address, of those that the signer lists.
    async fn find_public_key(&self) -> Result<Option<String>, SignerError> {
        let url = self.at("api/v1/eth1/publicKeys")?;
        let keys: Vec<String> = self.json(self.http.get(url)).await?;
        Ok(keys.into_iter().find(|key| {
            let bytes = hex::decode(key).unwrap_or_default();
            // Some list the uncompressed form with its first byte, 4.
            let point = bytes.strip_prefix(&[4]).filter(|rest| rest.len() == 64).unwrap_or(&bytes);
            point.len() == 64 && Address::from_raw_public_key(point) == self.address
        }))
    }

    async fn find_account(&self) -> Result<Option<String>, SignerError> {
        let accounts = self.rpc("eth_accounts", json!([])).await?;
        let ours = |account: &Value| account.as_str().and_then(|a| a.parse().ok()) == Some(self.address);
        Ok(accounts.as_array().is_some_and(|list| list.iter().any(ours)).then(String::new))
    }

    async fn sign_payload(&self, tx: &Unsigned) -> Result<Signature, SignerError> {
        let url = self.at(&format!("api/v1/eth1/sign/{}", self.identifier))?;
        let body = json!({ "data": hex::encode_prefixed(tx.payload()) }).to_string();
        let request = self.http.post(url).header("content-type", "application/json").body(body);
        let text = self.text(request).await?;
        let bytes = hex::decode(text.trim().trim_matches('"')).unwrap_or_default();
        Signature::from_raw(&bytes).map_err(|_| self.failed("its answer is no signature".into()))
    }

    async fn sign_fields(&self, tx: &Unsigned) -> Result<Signature, SignerError> {
        let wanted = &tx.tx;
        let mut fields = json!({
            "from": self.address,
            "gas": hex_of(wanted.gas_limit.into()),
            "maxFeePerGas": hex_of(wanted.max_fee_per_gas),
            "maxPriorityFeePerGas": hex_of(wanted.max_priority_fee_per_gas),
            "value": wanted.value,
            "nonce": hex_of(wanted.nonce.into()),
            "chainId": hex_of(wanted.chain_id.into()),
            "data": wanted.input,
        });
        if let TxKind::Call(to) = wanted.to {
            fields["to"] = json!(to);
        }
        let answer = self.rpc("eth_signTransaction", json!([fields])).await?;
        let raw = hex::decode(answer.as_str().unwrap_or_default()).unwrap_or_default();
        let Ok(TxEnvelope::Eip1559(signed)) = TxEnvelope::decode_2718_exact(&raw) else {
            return Err(self.failed("its answer is no EIP-1559 transaction".into()));
        };
        let made = signed.tx();
        let differs = [
            ("chain id", made.chain_id != wanted.chain_id),
            ("nonce", made.nonce != wanted.nonce),
            ("receiver", made.to != wanted.to),
            ("value", made.value != wanted.value),
            ("calldata", made.input != wanted.input),
            ("gas limit", made.gas_limit != wanted.gas_limit),
            ("max fee", made.max_fee_per_gas != wanted.max_fee_per_gas),
            ("tip", made.max_priority_fee_per_gas != wanted.max_priority_fee_per_gas),
            ("access list", made.access_list != wanted.access_list),
        ];
        match differs.iter().find(|(_, differs)| *differs) {
            Some((field, _)) => Err(SignerError::OtherTransaction { signer: self.shown(), field }),
            None => Ok(*signed.signature()),
        }
    }

    async fn rpc(&self, method: &str, params: Value) -> Result<Value, SignerError> {
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }).to_string();
        let request = self.http.post(self.base.clone()).header("content-type", "application/json").body(body);
        let mut answer: Value = self.json(request).await?;
        match answer.get("error").filter(|error| !error.is_null()) {
            Some(error) => {
                let said = error.get("message").and_then(Value::as_str).unwrap_or("no reason given");
                Err(self.failed(format!("{method} was refused: {}", one_line(said))))
            }
            None => Ok(answer.get_mut("result").map(Value::take).unwrap_or_default()),
        }
    }

    async fn json<T: serde::de::DeserializeOwned>(&self, request: reqwest::RequestBuilder) -> Result<T, SignerError> {
        let text = self.text(request).await?;
        serde_json::from_str(&text).map_err(|_| self.failed("its answer is not what Web3Signer answers".into()))
    }

    async fn text(&self, request: reqwest::RequestBuilder) -> Result<String, SignerError> {
        // An error of reqwest shows the address, and with it a password.
        let lost = |e: reqwest::Error| {
            let timeout = format!("no answer within {} ms", self.timeout.as_millis());
            self.failed(if e.is_timeout() { timeout } else { one_line(&chain_of(&e.without_url())) })
        };
        let mut response = request.send().await.map_err(lost)?;
        let status = response.status();
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(lost)? {
            if bytes.len() + chunk.len() > LONGEST {
                return Err(self.failed(format!("its answer is longer than {LONGEST} bytes")));
            }
            bytes.extend_from_slice(&chunk);
        }
        if !status.is_success() {
            return Err(self.failed(format!("it answered {status}")));
        }
        String::from_utf8(bytes).map_err(|_| self.failed("its answer is no text".into()))
    }

    fn at(&self, path: &str) -> Result<reqwest::Url, SignerError> {
        let mut base = self.base.clone();
        if !base.path().ends_with('/') {
            base.set_path(&format!("{}/", base.path()));
        }
        base.join(path).map_err(|_| self.failed("key.url can't be extended by a path".into()))
    }

    /// Kind and place, without user and password.
    fn shown(&self) -> String {
        let port = self.base.port().map(|port| format!(":{port}")).unwrap_or_default();
        format!("web3signer {}{port}", self.base.host_str().unwrap_or_default())
    }

    fn failed(&self, why: String) -> SignerError {
        SignerError::Unreachable { signer: self.shown(), why }
    }
}

impl Signer for Web3Signer {
    fn address(&self) -> Address {
        self.address
    }

    fn kind(&self) -> &'static str {
        "web3signer"
    }

    fn sign<'a>(&'a self, tx: &'a Unsigned) -> Signing<'a> {
        Box::pin(async move {
            match self.api {
                RemoteApi::Eth1 => self.sign_payload(tx).await,
                RemoteApi::SignTransaction => self.sign_fields(tx).await,
            }
        })
    }
}

fn hex_of(number: u128) -> String {
    format!("{number:#x}")
}

/// An error with what caused it.
fn chain_of(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text
}
