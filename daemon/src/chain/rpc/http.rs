//! A wire over HTTP. Answers are bounded, redirects are not followed, and no error repeats the address.

use std::{error::Error, fmt, time::Duration};

use alloy::{rpc::json_rpc::ResponsePayload, transports::TransportErrorKind};
use reqwest::{StatusCode, header};

use super::{Answer, EndpointUrl, Failure, Request, Response, Wire, refusal};
use crate::chain::error::{ChainError, one_line};

/// What goes wrong on a wire, besides HTTP statuses.
#[derive(Clone, Debug, thiserror::Error)]
pub enum WireError {
    /// The time is over.
    #[error("no answer within {ms} ms")]
    TimedOut {
        /// How long was waited.
        ms: u128,
    },
    /// There is no connection, or it broke.
    #[error("{0}")]
    Connection(String),
    /// More bytes than are read.
    #[error("the answer has more than {limit} bytes, see chain.max_answer_mb")]
    TooLarge {
        /// Most bytes.
        limit: usize,
    },
    /// Not what a node says.
    #[error("the answer is no JSON-RPC: {0}")]
    Malformed(String),
}

impl From<WireError> for Failure {
    fn from(error: WireError) -> Self {
        TransportErrorKind::custom(error)
    }
}

/// An HTTP endpoint.
#[derive(Clone)]
pub struct Http {
    client: reqwest::Client,
    url: EndpointUrl,
    name: String,
    timeout: Duration,
    /// Most bytes of an answer.
    limit: usize,
}

impl fmt::Debug for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http").field("url", &self.url).finish_non_exhaustive()
    }
}

impl Http {
    /// A wire that waits for `timeout` and reads at most `limit` bytes.
    ///
    /// # Errors
    /// The HTTP client can't be made.
    pub fn new(url: EndpointUrl, timeout: Duration, limit: usize) -> Result<Self, ChainError> {
        crate::chain::install_tls();
        let client = reqwest::Client::builder()
            .timeout(timeout)
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|e| ChainError::BadUrl { url: url.to_string(), why: words(&e.without_url()) })?;
        Ok(Self { client, name: url.to_string(), url, timeout, limit })
    }

    async fn exchange(self, request: Request) -> Result<Response, Failure> {
        let body = serde_json::to_vec(&request).map_err(Failure::ser_err)?;
        let sent = self
            .client
            .post(self.url.whole().clone())
            .header(header::CONTENT_TYPE, "application/json")
            .body(body)
            .send();
        let mut answer = sent.await.map_err(|e| self.broken(e))?;
        let status = answer.status();
        let headers = answer.headers();
        let text = |name| headers.get(name).and_then(|value: &header::HeaderValue| value.to_str().ok());
        let pause = text(header::RETRY_AFTER).and_then(|value| pause(value, text(header::DATE)));
        let mut body = Vec::new();
        while let Some(part) = answer.chunk().await.map_err(|e| self.broken(e))? {
            if body.len().saturating_add(part.len()) > self.limit {
                return Err(WireError::TooLarge { limit: self.limit }.into());
            }
            body.extend_from_slice(&part);
        }
        let parsed = serde_json::from_slice::<Response>(&body).map(|parsed| self.without_secrets(parsed));
        match parsed {
            // A refusal in JSON says more than its status, but for a pause.
            Ok(parsed) if status.is_success() || (pause.is_none() && is_refusal(status)) => Ok(parsed),
            _ if !status.is_success() => {
                let words = one_line(&self.url.hide(&String::from_utf8_lossy(&body)));
                Err(TransportErrorKind::http_error_with_retry_after(status.as_u16(), words, pause))
            }
            Ok(parsed) => Ok(parsed),
            Err(error) => Err(WireError::Malformed(one_line(&error.to_string())).into()),
        }
    }

    fn broken(&self, error: reqwest::Error) -> Failure {
        if error.is_timeout() {
            return WireError::TimedOut { ms: self.timeout.as_millis() }.into();
        }
        WireError::Connection(self.url.hide(&words(&error.without_url()))).into()
    }

    fn without_secrets(&self, mut response: Response) -> Response {
        let single = match &mut response {
            Response::Single(single) => std::slice::from_mut(single),
            Response::Batch(batch) => batch.as_mut_slice(),
        };
        for response in single {
            if let ResponsePayload::Failure(error) = &mut response.payload {
                error.message = self.url.hide(&error.message).into();
            }
        }
        response
    }
}

impl Wire for Http {
    fn name(&self) -> &str {
        &self.name
    }

    fn send(&self, request: Request) -> Answer {
        Box::pin(self.clone().exchange(request))
    }
}

/// Statuses with which a node sends its own errors.
fn is_refusal(status: StatusCode) -> bool {
    matches!(status, StatusCode::BAD_REQUEST | StatusCode::NOT_FOUND | StatusCode::PAYLOAD_TOO_LARGE)
        || status == StatusCode::INTERNAL_SERVER_ERROR
}

/// Retry-After: seconds, or a date, which is counted from the server's own `Date`, as its clock isn't ours (RFC 9110, 10.2.3).
fn pause(value: &str, now: Option<&str>) -> Option<Duration> {
    let seconds = match value.trim().parse() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => {
            let until = httpdate::parse_http_date(value.trim()).ok()?;
            until.duration_since(httpdate::parse_http_date(now?.trim()).ok()?).unwrap_or_default()
        }
    };
    Some(refusal::bounded(Some(seconds)))
}

/// An error with its causes.
fn words(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    one_line(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_seconds_or_a_date_by_the_servers_clock() {
        let now = Some("Sun, 06 Nov 1994 08:49:37 GMT");
        let check = |value: &str, now: Option<&str>, wanted: Option<u64>| {
            assert_eq!(pause(value, now).map(|pause| pause.as_secs()), wanted, "{value} at {now:?}");
        };
        check("7", None, Some(7));
        check(" 7 ", now, Some(7));
        check("Sun, 06 Nov 1994 08:49:44 GMT", now, Some(7));
        check("Sunday, 06-Nov-94 08:49:44 GMT", now, Some(7));
        check("Sun, 06 Nov 1994 08:49:30 GMT", now, Some(0));
        check("Sun, 06 Nov 1994 08:49:44 GMT", None, None);
        check("Sun, 06 Nov 1994 08:49:44 GMT", Some("now"), None);
        for value in ["-7", "soon", "", "Sun, 99 Nov 1994 08:49:44 GMT"] {
            check(value, now, None);
        }
        // No server can stop us for a year.
        assert_eq!(pause("31536000", now), Some(refusal::bounded(Some(Duration::MAX))));
        assert_eq!(pause("Mon, 06 Nov 1995 08:49:44 GMT", now), Some(refusal::bounded(Some(Duration::MAX))));
    }
}
