//! A way to the node that fails: an HTTP proxy on loopback that loses, delays and spoils what goes through it.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::body::{Body, Bytes, to_bytes};
use hyper::{Request, Response, StatusCode, body::Incoming, header::RETRY_AFTER, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpListener, task::JoinHandle};

use crate::dice::Dice;

/// Most bytes of a request or an answer.
const MOST: usize = 64 << 20;

/// What can become of a request. The first is that nothing is wrong.
const FAULTS: [&str; 7] = ["passed", "lost before", "lost after", "429", "500", "garbage", "too late"];

pub(crate) struct Proxy {
    pub(crate) url: String,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

struct Shared {
    node: String,
    http: reqwest::Client,
    dice: Mutex<Dice>,
    /// Of a hundred requests.
    percent: u64,
    /// How long an answer is held back that comes too late.
    late: Duration,
    down: AtomicBool,
    counts: [AtomicU64; FAULTS.len()],
}

/// The connection is closed without an answer.
#[derive(Debug)]
struct Closed;

impl std::fmt::Display for Closed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("closed")
    }
}

impl std::error::Error for Closed {}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Proxy {
    /// Something is wrong with `percent` of a hundred requests. `late` is over the daemon's own time-out.
    pub(crate) async fn start(node: &str, percent: u64, late: Duration, seed: u64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("address"));
        let shared = Arc::new(Shared {
            node: node.to_owned(),
            http: reqwest::Client::builder().no_proxy().build().expect("client"),
            dice: Mutex::new(Dice::new(seed)),
            percent,
            late,
            down: AtomicBool::new(false),
            counts: Default::default(),
        });
        let serving = shared.clone();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let shared = serving.clone();
                tokio::spawn(async move {
                    let answer = service_fn(|request| shared.answer(request));
                    // A connection that is cut is what this is for.
                    let _ =
                        hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), answer).await;
                });
            }
        });
        Self { url, shared, task }
    }

    /// While it is down, every connection is closed.
    pub(crate) fn set_down(&self, down: bool) {
        self.shared.down.store(down, Ordering::SeqCst);
    }

    pub(crate) fn requests(&self) -> u64 {
        self.shared.counts.iter().map(|count| count.load(Ordering::SeqCst)).sum()
    }

    pub(crate) fn counts(&self) -> String {
        let said = FAULTS.iter().zip(&self.shared.counts);
        said.map(|(fault, count)| format!("{} {fault}", count.load(Ordering::SeqCst))).collect::<Vec<_>>().join(", ")
    }
}

impl Shared {
    async fn answer(&self, request: Request<Incoming>) -> Result<Response<Body>, Closed> {
        let asked = to_bytes(Body::new(request.into_body()), MOST).await.map_err(|_| Closed)?;
        if self.down.load(Ordering::SeqCst) {
            return Err(Closed);
        }
        let (fault, cut) = {
            let mut dice = self.dice.lock().expect("dice");
            let faulty = dice.below(100) < self.percent;
            (if faulty { 1 + dice.below(FAULTS.len() as u64 - 1) as usize } else { 0 }, dice.next())
        };
        self.counts[fault].fetch_add(1, Ordering::SeqCst);
        let said = |status, body: Bytes| Ok(answer_of(status, body));
        match FAULTS[fault] {
            "lost before" => Err(Closed),
            "lost after" => {
                self.forward(asked).await?;
                Err(Closed)
            }
            "429" => {
                let mut refused = answer_of(StatusCode::TOO_MANY_REQUESTS, Bytes::from_static(b"slow down"));
                refused.headers_mut().insert(RETRY_AFTER, 1.into());
                Ok(refused)
            }
            "500" => said(StatusCode::INTERNAL_SERVER_ERROR, Bytes::from_static(b"<html>oops</html>")),
            "garbage" => {
                let whole = self.forward(asked).await?;
                let kept = (cut % whole.len().max(1) as u64) as usize;
                said(StatusCode::OK, whole.slice(..kept))
            }
            "too late" => {
                let whole = self.forward(asked).await?;
                tokio::time::sleep(self.late).await;
                said(StatusCode::OK, whole)
            }
            _ => said(StatusCode::OK, self.forward(asked).await?),
        }
    }

    async fn forward(&self, asked: Bytes) -> Result<Bytes, Closed> {
        let request = self.http.post(&self.node).header("content-type", "application/json").body(asked);
        request.send().await.map_err(|_| Closed)?.bytes().await.map_err(|_| Closed)
    }
}

fn answer_of(status: StatusCode, body: Bytes) -> Response<Body> {
    let mut answer = Response::new(Body::from(body));
    *answer.status_mut() = status;
    answer.headers_mut().insert("content-type", hyper::header::HeaderValue::from_static("application/json"));
    answer
}
