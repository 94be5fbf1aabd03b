//! The HTTP server: pages and an API for everybody, the operator's part, health and metrics. Bound to this machine unless a
//! token protects the operator's part.
//!
//! | path | answer | token |
//! |---|---|---|
//! | `/healthz` | 200 while the process lives | no |
//! | `/readyz` | 200 if every chain's service does its work, else 503 and why not | no |
//! | `/metrics` | Prometheus' text form | if `http.token_file` is set |
//! | `/`, `/world`, `/markets`, `/guards` | pages, if `web.public` | no |
//! | `/console`, `/assets/…` | the operator's page, which asks for the token; what pages are made of | no |
//! | `/api/v1/openapi.json` | the API's document, made of its handlers | no |
//! | `/api/v1/info`, `/api/v1/chains/{chain}/…` | what everybody may see: [`info`], and the views of the apps; if `web.public` | no |
//! | `/api/v1/operator/…` | status, jobs, transactions, keys, events, orders: `operator` | always |
//!
//! ```text
//! connection ─► serve ─► clients (rate) ─► info, apps' views ─► Live: node at its head, store, monitor
//!                                     └──► token ─► operator ─► store, monitor, desk
//!                                  stream: one look for all who follow the same subject
//! ```
//! Without `http.token_file` the daemon makes a token of its own, and leaves it in a file beside the store that only its user
//! can read: there the commands find it ([`Running`]). So no web page and no other user of the machine can give orders.

pub mod answer;
mod client;
mod clients;
pub mod info;
pub mod live;
pub mod openapi;
pub mod operator;
mod pages;
mod routes;
mod running;
pub mod serve;
pub mod stream;
pub mod views;

use std::{
    net::SocketAddr,
    path::PathBuf,
    sync::{Arc, OnceLock},
};

use metrics_exporter_prometheus::PrometheusHandle;
use tokio::{net::TcpListener, sync::watch};

use crate::{
    chain::types::{Address, random},
    code::{Code, Coded, codes},
    config::{Config, HttpConfig, WebConfig, WebLimits},
    monitor::Monitor,
    service::Desk,
    store::Store,
};

pub use answer::ApiError;
pub use client::Client;
pub use live::Live;
pub use routes::{Shared, document};
pub use running::Running;

/// Fewest characters of a token.
const TOKEN: usize = 16;

/// What can be wrong with the server, or with a request to it.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// The address.
    #[error("http: can't listen at {listen}: {why}; set http.listen to another port, or to \"\" for no server")]
    Listen {
        /// Where.
        listen: SocketAddr,
        /// Why.
        why: std::io::Error,
    },
    /// The token or the file that holds it.
    #[error("http: {path}: {why}")]
    Token {
        /// The file.
        path: String,
        /// Why, and what to do.
        why: String,
    },
    /// An HTTP error without words of ours.
    #[error("the daemon at {address}: status {status}; was it started with another http.token_file or version?")]
    Refused {
        /// The server.
        address: SocketAddr,
        /// The HTTP status.
        status: u16,
    },
    /// No whole answer.
    #[error("the daemon at {address}: no whole answer: {why}; try again, then look at its log")]
    NoAnswer {
        /// The server.
        address: SocketAddr,
        /// Why.
        why: String,
    },
    /// Nobody to ask.
    #[error("no daemon runs that listens ({path} names none); start it with `zugzwang run` and with http.listen set")]
    NotRunning {
        /// Where it would be named.
        path: String,
    },
    /// The recorder of metrics.
    #[error("metrics: {0}; report this as a bug")]
    Metrics(String),
    /// An error of the daemon, with its own code.
    #[error(transparent)]
    Told(#[from] Told),
}

codes!(HttpError {
    Listen = 801,
    Token = 802,
    Refused = 803,
    NoAnswer = 804,
    NotRunning = 805,
    Metrics = 806;
    Told
});

/// What a running daemon said of an order.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Told {
    pub(crate) code: Code,
    pub(crate) message: String,
}

impl Coded for Told {
    fn code(&self) -> Code {
        self.code
    }
}

/// What the server shows of one chain.
#[derive(Clone, Debug)]
pub struct Panel {
    /// Health, metrics and events.
    pub monitor: Monitor,
    /// Jobs and transactions.
    pub store: Store,
    /// Where orders are placed, once the service runs.
    pub desk: Arc<OnceLock<Desk>>,
    /// What everybody sees of it, once the service runs.
    pub live: Arc<OnceLock<Live>>,
    /// Each app's name and contract.
    pub contracts: Vec<(&'static str, Address)>,
    /// What everybody may see.
    pub web: WebConfig,
    /// Blocks on top of an event before it is acted on.
    pub confirmations: u64,
    /// Blocks on top of a transaction before it is final.
    pub finality: u64,
}

impl Panel {
    /// The panel of a chain whose service doesn't run yet.
    pub fn new(config: &Config, monitor: Monitor, store: Store) -> Self {
        Self {
            monitor,
            store,
            desk: Arc::default(),
            live: Arc::default(),
            contracts: config.contracts(),
            web: config.web.clone(),
            confirmations: config.chain.confirmations,
            finality: config.chain.finality,
        }
    }
}

/// A server that listens.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    shared: Shared,
    connections: usize,
    /// The files that tell commands of it; removed at its end.
    told: Vec<PathBuf>,
}

impl Server {
    /// Begins to listen, and tells of it in the files `running`, one beside each store. `None` if the configuration wants no
    /// server.
    ///
    /// # Errors
    /// An address that can't be listened at, a token that can't be used, a file that can't be written.
    pub async fn bind(
        config: &HttpConfig,
        limits: WebLimits,
        panels: Vec<Panel>,
        metrics: PrometheusHandle,
        running: Vec<PathBuf>,
    ) -> Result<Option<Self>, HttpError> {
        let Some(listen) = config.listen else { return Ok(None) };
        let token = match &config.token_file {
            Some(path) => {
                let wrong = |why: String| HttpError::Token { path: path.display().to_string(), why };
                let text = std::fs::read_to_string(path).map_err(|e| wrong(format!("{e}; check http.token_file")))?;
                let token = text.lines().next().unwrap_or_default().trim().to_owned();
                if token.len() < TOKEN {
                    return Err(wrong(format!(
                        "its first line has fewer than {TOKEN} characters; write a random token"
                    )));
                }
                token
            }
            None => random().to_string(),
        };
        let refused = |why| HttpError::Listen { listen, why };
        let listener = TcpListener::bind(listen).await.map_err(refused)?;
        let address = listener.local_addr().map_err(refused)?;
        for path in &running {
            Running { address, token: token.clone(), pid: std::process::id() }.write(path)?;
        }
        let public = panels.iter().any(|panel| panel.web.public);
        let shared = Shared::new(panels, metrics, &token, config.token_file.is_some(), limits);
        tracing::info!(%address, "http server");
        // Followers of public streams must not keep the operator out.
        let connections = config.connections + if public { limits.streams } else { 0 };
        Ok(Some(Self { listener, address, shared, connections, told: running }))
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The streams that it serves.
    pub fn streams(&self) -> stream::Streams {
        self.shared.streams.clone()
    }

    /// Serves until `stop` turns true or loses its sender.
    pub async fn run(self, stop: watch::Receiver<bool>) {
        let limits = serve::Limits { connections: self.connections, ..serve::Limits::default() };
        let router = routes::router(self.shared.with_stop(stop.clone()));
        serve::accept(self.listener, router, stop, limits).await;
        for path in &self.told {
            // A file that stays names a server that doesn't answer, and is taken as such.
            let _ = std::fs::remove_file(path);
        }
    }
}
