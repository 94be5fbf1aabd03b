//! HTTP(S) polling with `ETag` and `If-None-Match`.

use std::time::Duration;

use reqwest::{
    StatusCode, Url,
    header::{ACCEPT, ETAG, HeaderValue, IF_NONE_MATCH},
};
use serde_json::Value;

use super::{Limits, Outlet, SHORTEST_PAUSE, SourceError, backoff::Backoff, client, outlet::Gone, reason};
use crate::{chain::error::one_line, feed::bulletin::Bulletin};

/// One address that is asked again and again.
#[derive(Debug)]
pub(in crate::feed) struct Http {
    client: reqwest::Client,
    url: Url,
    every: Duration,
    limits: Limits,
    /// Of the last answer that was read.
    etag: Option<HeaderValue>,
}

impl Http {
    pub(super) fn new(url: Url, every: Duration, limits: Limits) -> Result<Self, SourceError> {
        Ok(Self { client: client(limits)?, url, every: every.max(SHORTEST_PAUSE), limits, etag: None })
    }

    pub(super) async fn run(mut self, mut outlet: Outlet) {
        let mut backoff = Backoff::new(self.limits);
        loop {
            let done = match self.poll().await {
                Ok(items) => {
                    backoff.reset();
                    outlet.works();
                    self.deliver(items, &mut outlet).await.map(|()| self.every)
                }
                Err(error) => outlet.failure(error).await.map(|()| backoff.next(&mut rand::thread_rng())),
            };
            match done {
                Ok(pause) => tokio::time::sleep(pause).await,
                Err(Gone) => return,
            }
        }
    }

    async fn deliver(&self, items: Vec<Value>, outlet: &mut Outlet) -> Result<(), Gone> {
        outlet.begin();
        for (at, item) in items.into_iter().enumerate() {
            let text = item.to_string();
            match Bulletin::from_json(text.as_bytes()) {
                Ok(bulletin) => outlet.bulletin(bulletin).await?,
                Err(error) => {
                    outlet.bad_item(format!("{}, item {at}", self.url), text.as_bytes(), error.into()).await?;
                }
            }
        }
        Ok(())
    }

    /// The items of a new answer; none where it hasn't changed.
    async fn poll(&mut self) -> Result<Vec<Value>, SourceError> {
        let mut request =
            self.client.get(self.url.clone()).header(ACCEPT, "application/json").timeout(self.limits.answer);
        if let Some(etag) = &self.etag {
            request = request.header(IF_NONE_MATCH, etag);
        }
        let broken = |error: reqwest::Error| SourceError::NoAnswer { url: self.url.to_string(), why: reason(&error) };
        let mut response = request.send().await.map_err(broken)?;
        match response.status() {
            StatusCode::OK => {}
            StatusCode::NOT_MODIFIED if self.etag.is_some() => return Ok(Vec::new()),
            status => return Err(SourceError::Status { url: self.url.to_string(), status: status.as_u16() }),
        }
        let etag = response.headers().get(ETAG).cloned();
        let limit = self.limits.body;
        let too_large = || SourceError::TooLarge { url: self.url.to_string(), limit };
        if response.content_length().is_some_and(|length| length > limit as u64) {
            return Err(too_large());
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(broken)? {
            if body.len().saturating_add(chunk.len()) > limit {
                return Err(too_large());
            }
            body.extend_from_slice(&chunk);
        }
        let why = |why| SourceError::NotAList { url: self.url.to_string(), why };
        let items = list(&body).map_err(why)?;
        self.etag = etag;
        Ok(items)
    }
}

/// What an answer's body lists; one object stands for a list of one.
///
/// # Errors
/// Why it is no list.
pub(super) fn list(body: &[u8]) -> Result<Vec<Value>, String> {
    match serde_json::from_slice(body).map_err(|e| one_line(&e.to_string()))? {
        Value::Array(items) => Ok(items),
        single @ Value::Object(_) => Ok(vec![single]),
        _ => Err("it is neither a list nor an object".into()),
    }
}
