//! A proxy before a real node that does what it is told, however wrong.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
};
use serde_json::{Value, json};

/// What becomes of a request.
pub(super) enum Fault {
    /// It goes through.
    None,
    /// This status, with this body.
    Status(u16, &'static str),
    /// This error.
    Error(i64, &'static str),
    /// This result.
    Answer(Value),
    /// No answer.
    Silence,
    /// An answer with so many bytes.
    Huge(usize),
    /// The node's answer, changed.
    Changed(fn(&mut Value)),
}

type Rule = Box<dyn FnMut(&Value) -> Fault + Send>;

struct Inner {
    upstream: String,
    client: reqwest::Client,
    rule: Mutex<Rule>,
    /// The methods so far.
    seen: Mutex<Vec<String>>,
}

/// A proxy on loopback.
#[derive(Clone)]
pub(super) struct Proxy {
    /// With something like a key in its path.
    pub(super) url: String,
    inner: Arc<Inner>,
}

/// What must never be shown.
pub(super) const KEY: &str = "0123456789abcdef-key";

impl Proxy {
    /// A proxy that lets everything through.
    pub(super) async fn before(upstream: &str) -> Self {
        // Another test may have been first.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().no_proxy().build().expect("client");
        let inner = Arc::new(Inner {
            upstream: upstream.to_owned(),
            client,
            rule: Mutex::new(Box::new(|_| Fault::None)),
            seen: Mutex::default(),
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("port");
        let url = format!("http://{}/v3/{KEY}", listener.local_addr().expect("address"));
        let router = Router::new().fallback(answer).with_state(inner.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, inner }
    }

    /// What becomes of requests from now on.
    pub(super) fn does(&self, rule: impl FnMut(&Value) -> Fault + Send + 'static) {
        *self.inner.rule.lock().expect("rule") = Box::new(rule);
    }

    /// How often a method was asked since the last look.
    pub(super) fn seen(&self, method: &str) -> usize {
        std::mem::take(&mut *self.inner.seen.lock().expect("seen")).iter().filter(|seen| *seen == method).count()
    }
}

async fn answer(State(proxy): State<Arc<Inner>>, body: Bytes) -> (StatusCode, HeaderMap, Vec<u8>) {
    let request: Value = serde_json::from_slice(&body).expect("JSON");
    proxy.seen.lock().expect("seen").push(request["method"].as_str().unwrap_or_default().to_owned());
    let fault = (proxy.rule.lock().expect("rule"))(&request);
    let said = |status: u16, body: Vec<u8>| (StatusCode::from_u16(status).expect("status"), HeaderMap::new(), body);
    let change = match fault {
        Fault::None => |_: &mut Value| {},
        Fault::Changed(change) => change,
        Fault::Status(status, body) => return said(status, body.into()),
        Fault::Error(code, message) => {
            let error = json!({"jsonrpc": "2.0", "id": request["id"], "error": {"code": code, "message": message}});
            return said(200, error.to_string().into_bytes());
        }
        Fault::Answer(result) => {
            let result = json!({"jsonrpc": "2.0", "id": request["id"], "result": result});
            return said(200, result.to_string().into_bytes());
        }
        Fault::Huge(bytes) => {
            let result = json!({"jsonrpc": "2.0", "id": request["id"], "result": "0".repeat(bytes)});
            return said(200, result.to_string().into_bytes());
        }
        Fault::Silence => {
            tokio::time::sleep(Duration::from_secs(600)).await;
            return said(504, Vec::new());
        }
    };
    let sent = proxy.client.post(&proxy.upstream).header("content-type", "application/json").body(body).send().await;
    let Ok(answer) = sent else { return said(502, b"no node".to_vec()) };
    let mut answer: Value = serde_json::from_slice(&answer.bytes().await.unwrap_or_default()).unwrap_or_default();
    change(&mut answer["result"]);
    said(200, answer.to_string().into_bytes())
}
