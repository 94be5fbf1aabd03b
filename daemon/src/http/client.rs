//! The commands' side of the server.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{
    HttpError, Running, Told,
    answer::{List, MOST_ROWS},
};
use crate::{chain::error::one_line, code::Code};

/// How long an answer is waited for: an order waits for the turn under way, which may wait for a node.
const ANSWER: Duration = Duration::from_secs(60);
/// Where the operator's part is.
const OPERATOR: &str = "/api/v1/operator/";
/// How long a connection is waited for.
const CONNECT: Duration = Duration::from_secs(2);
/// Most bytes of one event.
const EVENT: usize = 1 << 20;

/// A running daemon's server.
#[derive(Clone, Debug)]
pub struct Client {
    running: Running,
    http: reqwest::Client,
}

impl Client {
    /// Finds the daemon that tells of itself in a file; `None` if none runs. A file that a killed daemon left counts as none.
    ///
    /// # Errors
    /// A file that can't be read, or something that listens and doesn't answer.
    pub async fn find(file: &Path) -> Result<Option<Self>, HttpError> {
        let Some(running) = Running::read(file)? else { return Ok(None) };
        crate::chain::install_tls();
        let address = running.address;
        let no_answer = |e: reqwest::Error| HttpError::NoAnswer { address, why: one_line(&e.to_string()) };
        let http = reqwest::Client::builder()
            .connect_timeout(CONNECT)
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(no_answer)?;
        let client = Self { running, http };
        match client.http.get(client.url("/healthz")).timeout(CONNECT).send().await {
            Ok(response) if response.status().is_success() => Ok(Some(client)),
            // Another program has the port now.
            Ok(_) => Ok(None),
            Err(error) if error.is_connect() => Ok(None),
            Err(error) => Err(no_answer(error)),
        }
    }

    /// The same, where there must be one.
    ///
    /// # Errors
    /// As [`Client::find`], and if none runs.
    pub async fn must_find(file: &Path) -> Result<Self, HttpError> {
        Self::find(file).await?.ok_or_else(|| HttpError::NotRunning { path: PathBuf::from(file).display().to_string() })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.running.address
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.running.pid
    }

    /// Whether it does its work, for every chain.
    pub async fn is_ready(&self) -> bool {
        let answer = self.http.get(self.url("/readyz")).timeout(CONNECT).send().await;
        answer.is_ok_and(|answer| answer.status().is_success())
    }

    fn url(&self, path: &str) -> String {
        // An unspecified address is listened at, not connected to.
        let mut address = self.running.address;
        if address.ip().is_unspecified() {
            let local = if address.is_ipv4() { [127, 0, 0, 1].into() } else { std::net::Ipv6Addr::LOCALHOST.into() };
            address.set_ip(local);
        }
        format!("http://{address}{path}")
    }

    /// All rows of a list, page by page, at most `most`.
    ///
    /// # Errors
    /// What the daemon said, or that it said nothing.
    pub async fn list<T: DeserializeOwned>(&self, path: &str, most: u32) -> Result<Vec<T>, HttpError> {
        let (most, mut rows, mut cursor) = (most as usize, Vec::new(), String::new());
        let join = if path.contains('?') { '&' } else { '?' };
        while rows.len() < most {
            let limit = (most - rows.len()).min(MOST_ROWS as usize);
            let page: List<T> = self.get(&format!("{path}{join}limit={limit}{cursor}")).await?;
            rows.extend(page.items);
            match page.next {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        Ok(rows)
    }

    /// Asks for something below `/api/v1/operator/`.
    ///
    /// # Errors
    /// What the daemon said, or that it said nothing.
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, HttpError> {
        self.ask(self.http.get(self.url(&format!("{OPERATOR}{path}")))).await
    }

    /// Orders something below `/api/v1/operator/`.
    ///
    /// # Errors
    /// What the daemon said, or that it said nothing.
    pub async fn post<T: DeserializeOwned>(&self, path: &str, body: &Value) -> Result<T, HttpError> {
        let request = self
            .http
            .post(self.url(&format!("{OPERATOR}{path}")))
            .header("content-type", "application/json")
            .body(body.to_string());
        self.ask(request).await
    }

    async fn ask<T: DeserializeOwned>(&self, request: reqwest::RequestBuilder) -> Result<T, HttpError> {
        let sent = request.timeout(ANSWER).bearer_auth(&self.running.token).send().await;
        let response = sent.map_err(|e| self.no_answer(&e))?;
        let status = response.status();
        let bytes = response.bytes().await.map_err(|e| self.no_answer(&e))?;
        if !status.is_success() {
            return Err(self.said(status.as_u16(), &bytes));
        }
        serde_json::from_slice(&bytes)
            .map_err(|e| HttpError::NoAnswer { address: self.address(), why: one_line(&e.to_string()) })
    }

    /// Gives each event to `on_event` until the daemon ends the stream.
    ///
    /// # Errors
    /// What the daemon said, or that the connection broke off.
    pub async fn follow(&self, mut on_event: impl FnMut(&str)) -> Result<(), HttpError> {
        let request = self.http.get(self.url("/api/v1/operator/events")).bearer_auth(&self.running.token);
        let mut response = request.send().await.map_err(|e| self.no_answer(&e))?;
        if !response.status().is_success() {
            let status = response.status().as_u16();
            let bytes = response.bytes().await.map_err(|e| self.no_answer(&e))?;
            return Err(self.said(status, &bytes));
        }
        let mut buffer: Vec<u8> = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|e| self.no_answer(&e))? {
            buffer.extend_from_slice(&chunk);
            while let Some(end) = buffer.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = buffer.drain(..=end).collect();
                if let Some(data) = String::from_utf8_lossy(&line).strip_prefix("data:") {
                    on_event(data.trim());
                }
            }
            if buffer.len() > EVENT {
                let why = format!("an event of more than {EVENT} bytes");
                return Err(HttpError::NoAnswer { address: self.address(), why });
            }
        }
        Ok(())
    }

    fn no_answer(&self, error: &reqwest::Error) -> HttpError {
        HttpError::NoAnswer { address: self.address(), why: one_line(&error.to_string()) }
    }

    /// The daemon's own words, if there are any.
    fn said(&self, status: u16, body: &[u8]) -> HttpError {
        let parsed: Option<Value> = serde_json::from_slice(body).ok();
        let told = parsed.and_then(|problem| {
            let code = Code::parse(problem["code"].as_str()?)?;
            Some(Told { code, message: problem["detail"].as_str()?.to_owned() })
        });
        match told {
            Some(told) => told.into(),
            None => HttpError::Refused { address: self.address(), status },
        }
    }
}
