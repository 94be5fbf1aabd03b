//! What signers elsewhere answer, rightly and wrongly, against a server that really signs.

use std::{sync::Mutex, time::Duration};

use alloy::{
    hex,
    primitives::U256,
    signers::{SignerSync, local::PrivateKeySigner},
};
use axum::{
    Json, Router,
    extract::{Path, State},
    http::StatusCode,
    routing::{get, post},
};
use serde_json::{Value, json};

use super::*;
use crate::{
    chain::{ChainError, types::Bytes},
    config::{RemoteApi, RemoteConfig},
};

/// What a server does wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    None,
    /// It signs with another key.
    OtherKey,
    /// It gives the other one of the two forms of a signature.
    HighS,
    /// It signs other bytes than it was given.
    OtherBytes,
    /// It sends the money elsewhere.
    OtherReceiver,
    /// It pays more.
    OtherFee,
    /// It takes another nonce.
    OtherNonce,
    /// It says that it can't.
    Refuses,
    /// It answers with something else.
    Nonsense,
    /// It never answers.
    Hangs,
    /// It doesn't have the key.
    Lacks,
}

struct Server {
    key: PrivateKeySigner,
    fault: Mutex<Fault>,
}

fn key(byte: u8) -> PrivateKeySigner {
    PrivateKeySigner::from_bytes(&B256::repeat_byte(byte)).expect("key")
}

fn plan() -> Plan {
    Plan {
        chain_id: 31337,
        to: Some(Address::repeat_byte(0xaa)),
        data: Bytes::from(vec![7; 300]),
        value: U256::from(5),
        gas_limit: 90_000,
    }
}

fn unsigned() -> Unsigned {
    Unsigned::new(&plan(), 3, Fees { max_fee: 50, max_priority: 2 })
}

impl Server {
    fn fault(&self) -> Fault {
        *self.fault.lock().expect("fault")
    }

    fn signature(&self, payload: &[u8]) -> Signature {
        let fault = self.fault();
        let signer = if fault == Fault::OtherKey { key(9) } else { self.key.clone() };
        let mut bytes = payload.to_vec();
        if fault == Fault::OtherBytes {
            bytes.push(0);
        }
        let made = signer.sign_hash_sync(&alloy::primitives::keccak256(&bytes)).expect("signature");
        if fault != Fault::HighS {
            return made;
        }
        let order: U256 = "0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141".parse().expect("number");
        Signature::new(made.r(), order - made.s(), !made.v())
    }

    /// The fields of a call, put together as the server likes.
    fn transaction(&self, fields: &Value) -> String {
        let number = |name: &str| fields[name].as_str().and_then(|s| s.parse::<U256>().ok()).expect(name);
        let fault = self.fault();
        let plan = Plan {
            chain_id: number("chainId").to(),
            to: fields["to"].as_str().map(|to| to.parse().expect("address")),
            data: fields["data"].as_str().expect("data").parse().expect("bytes"),
            value: number("value"),
            gas_limit: number("gas").to(),
        };
        let plan = match fault {
            Fault::OtherReceiver => Plan { to: Some(Address::repeat_byte(0xbb)), ..plan },
            _ => plan,
        };
        let extra = u128::from(fault == Fault::OtherFee);
        let fees = Fees {
            max_fee: number("maxFeePerGas").to::<u128>() + extra,
            max_priority: number("maxPriorityFeePerGas").to(),
        };
        let nonce = number("nonce").to::<u64>() + u64::from(fault == Fault::OtherNonce);
        let unsigned = Unsigned::new(&plan, nonce, fees);
        let signature = self.signature(&unsigned.payload());
        let mut raw = Vec::new();
        unsigned.tx.into_signed(signature).encode_2718(&mut raw);
        hex::encode_prefixed(raw)
    }
}

type Answer = Result<String, StatusCode>;

async fn faulty(server: &Server, answer: impl FnOnce() -> String) -> Answer {
    match server.fault() {
        Fault::Refuses => Err(StatusCode::INTERNAL_SERVER_ERROR),
        Fault::Nonsense => Ok("<html>".into()),
        Fault::Hangs => std::future::pending().await,
        _ => Ok(answer()),
    }
}

async fn public_keys(State(server): State<Arc<Server>>) -> Json<Vec<String>> {
    let shown = |key: &PrivateKeySigner| {
        hex::encode_prefixed(&key.credential().verifying_key().to_encoded_point(false).as_bytes()[1..])
    };
    let own = (server.fault() != Fault::Lacks).then(|| shown(&server.key));
    Json([shown(&key(8))].into_iter().chain(own).collect())
}

async fn sign(State(server): State<Arc<Server>>, Path(id): Path<String>, body: String) -> Answer {
    let own = hex::encode_prefixed(&server.key.credential().verifying_key().to_encoded_point(false).as_bytes()[1..]);
    if id != own {
        return Err(StatusCode::NOT_FOUND);
    }
    let body: Value = serde_json::from_str(&body).map_err(|_| StatusCode::BAD_REQUEST)?;
    let data = hex::decode(body["data"].as_str().unwrap_or_default()).map_err(|_| StatusCode::BAD_REQUEST)?;
    faulty(&server, || hex::encode_prefixed(server.signature(&data).as_bytes())).await
}

async fn rpc(State(server): State<Arc<Server>>, body: String) -> Answer {
    let call: Value = serde_json::from_str(&body).map_err(|_| StatusCode::BAD_REQUEST)?;
    let result = match call["method"].as_str() {
        Some("eth_accounts") if server.fault() == Fault::Lacks => json!([key(8).address()]),
        Some("eth_accounts") => json!([key(8).address(), server.key.address()]),
        Some("eth_signTransaction") if server.fault() == Fault::Refuses => {
            return Ok(
                json!({ "jsonrpc": "2.0", "id": 1, "error": { "code": -32000, "message": "locked" } }).to_string()
            );
        }
        Some("eth_signTransaction") => {
            return faulty(&server, || {
                json!({ "jsonrpc": "2.0", "id": 1, "result": server.transaction(&call["params"][0]) }).to_string()
            })
            .await;
        }
        _ => Value::Null,
    };
    Ok(json!({ "jsonrpc": "2.0", "id": 1, "result": result }).to_string())
}

/// Starts a server with key 7; gives its address.
async fn serve(fault: Fault) -> (Arc<Server>, String) {
    let server = Arc::new(Server { key: key(7), fault: Mutex::new(fault) });
    let routes = Router::new()
        .route("/api/v1/eth1/publicKeys", get(public_keys))
        .route("/api/v1/eth1/sign/{id}", post(sign))
        .route("/", post(rpc))
        .with_state(server.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("port");
    let address = listener.local_addr().expect("address");
    tokio::spawn(async move { axum::serve(listener, routes).await });
    (server, format!("http://operator:hunter2@{address}"))
}

fn config(url: &str, api: RemoteApi) -> RemoteConfig {
    RemoteConfig { url: url.to_owned(), address: key(7).address(), api, timeout: Duration::from_millis(500) }
}

/// Opens the key, then has a transaction signed by a server with this fault.
async fn check(api: RemoteApi, fault: Fault) -> String {
    let (server, url) = serve(Fault::None).await;
    let signer = Web3Signer::open("default", &config(&url, api)).await.expect("open");
    *server.fault.lock().expect("fault") = fault;
    let signed = match signer.sign(&unsigned()).await {
        Ok(signature) => seal(unsigned(), signature, signer.address()),
        Err(error) => Err(error),
    };
    let shown = match signed {
        Ok(signed) => {
            let local = Key::from_bytes(B256::repeat_byte(7)).expect("key");
            let ours = seal(unsigned(), local.sign_unsigned(&unsigned()).expect("signature"), local.address());
            assert_eq!(signed.raw, ours.expect("sealed").raw, "the same bytes as with the key here");
            "signed".into()
        }
        Err(error) => error.to_string(),
    };
    assert!(!shown.contains("hunter2") && !format!("{signer:?}").contains("hunter2"), "{shown}");
    shown
}

#[tokio::test]
async fn what_a_signer_elsewhere_gives_is_checked() {
    use Fault::*;
    use RemoteApi::{Eth1, SignTransaction};

    let cases = [
        (Eth1, None, "signed"),
        (Eth1, HighS, "signed"),
        (Eth1, OtherKey, "not by"),
        (Eth1, OtherBytes, "not by"),
        (Eth1, Refuses, "500"),
        (Eth1, Nonsense, "no signature"),
        (Eth1, Hangs, "no answer within 500 ms"),
        (SignTransaction, None, "signed"),
        (SignTransaction, OtherKey, "not by"),
        (SignTransaction, OtherBytes, "not by"),
        (SignTransaction, OtherReceiver, "signed another receiver"),
        (SignTransaction, OtherFee, "signed another max fee"),
        (SignTransaction, OtherNonce, "signed another nonce"),
        (SignTransaction, Refuses, "eth_signTransaction was refused: locked"),
        (SignTransaction, Nonsense, "not what Web3Signer answers"),
        (SignTransaction, Hangs, "no answer within 500 ms"),
    ];
    for (api, fault, expected) in cases {
        let said = check(api, fault).await;
        assert!(said.contains(expected), "{api:?} {fault:?}: {said}");
    }
}

#[tokio::test]
async fn a_signer_without_the_key_is_named_at_start_without_its_password() {
    for api in [RemoteApi::Eth1, RemoteApi::SignTransaction] {
        let (_, url) = serve(Fault::Lacks).await;
        let error = Web3Signer::open("payer", &config(&url, api)).await.expect_err("no key").to_string();
        assert!(error.contains("doesn't hold this key") && !error.contains("hunter2"), "{error}");
        let nobody = Web3Signer::open("payer", &config("http://operator:hunter2@127.0.0.1:1", api)).await;
        let error = nobody.expect_err("nobody there");
        assert!(matches!(error, ChainError::Key { .. }) && !error.to_string().contains("hunter2"), "{error}");
        assert!(!format!("{:?}", config(&url, api)).contains("hunter2"));
    }
}

#[test]
fn a_signature_of_something_else_is_never_sealed() {
    let signer = key(7);
    let good = signer.sign_hash_sync(&unsigned().digest()).expect("signature");
    assert!(seal(unsigned(), good, signer.address()).is_ok());
    assert!(matches!(seal(unsigned(), good, key(8).address()), Err(SignerError::OtherKey { .. })));
    let other = Unsigned::new(&Plan { value: U256::from(6), ..plan() }, 3, Fees { max_fee: 50, max_priority: 2 });
    assert!(matches!(seal(other, good, signer.address()), Err(SignerError::OtherKey { .. })));
    let zero = Signature::new(U256::ZERO, U256::ZERO, false);
    assert!(matches!(seal(unsigned(), zero, signer.address()), Err(SignerError::OtherKey { .. })));
}

#[tokio::test]
async fn two_names_for_one_key_are_refused() {
    let dir = tempfile::tempdir().expect("folder");
    let (keystore, secret) = (dir.path().join("key.json"), dir.path().join("password"));
    crate::files::new_secret(&secret, "pw\n").expect("password");
    let password = crate::config::PasswordSource::File(secret);
    let made = Key::create(&keystore, &password).expect("key");
    let named = |name: &str| crate::config::KeyConfig {
        name: name.into(),
        signer: crate::config::SignerConfig::Keystore { path: keystore.clone(), password: password.clone() },
        limits: Default::default(),
    };
    let keys = Keys::open([&named("default")], 31337).await.expect("one");
    assert_eq!(keys.get("default").expect("key").address(), made.address());
    assert!(keys.get("payer").expect_err("none").to_string().contains("[[keys]]"));
    let error = Keys::open([&named("default"), &named("payer")], 31337).await.expect_err("twice").to_string();
    assert!(error.contains("the same key as default"), "{error}");
}
