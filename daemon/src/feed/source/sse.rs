//! Server-Sent Events, connected to again from where they broke off.

use reqwest::{
    StatusCode, Url,
    header::{ACCEPT, CONTENT_TYPE, HeaderName, HeaderValue},
};

use super::{
    ItemError, Limits, Outlet, SourceError,
    backoff::Backoff,
    client,
    event_stream::{Frame, Parser, StreamEvent},
    outlet::Gone,
    reason,
};
use crate::{chain::error::one_line, feed::bulletin::Bulletin};

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// One address that is listened to.
#[derive(Debug)]
pub(in crate::feed) struct Sse {
    client: reqwest::Client,
    url: Url,
    limits: Limits,
    backoff: Backoff,
    /// Of the last event that was passed on.
    last_id: String,
}

/// Why a connection ended.
enum Ended {
    /// Nobody listens any more.
    Gone,
    /// The stream, or the way to it.
    Failed(SourceError),
}

impl From<Gone> for Ended {
    fn from(_: Gone) -> Self {
        Self::Gone
    }
}

impl From<SourceError> for Ended {
    fn from(error: SourceError) -> Self {
        Self::Failed(error)
    }
}

impl Sse {
    pub(super) fn new(url: Url, limits: Limits) -> Result<Self, SourceError> {
        Ok(Self { client: client(limits)?, url, limits, backoff: Backoff::new(limits), last_id: String::new() })
    }

    pub(super) async fn run(mut self, mut outlet: Outlet) {
        loop {
            let done = match self.listen(&mut outlet).await {
                // Servers end streams now and then.
                Ok(()) => Ok(()),
                Err(Ended::Failed(error)) => outlet.failure(error).await,
                Err(Ended::Gone) => Err(Gone),
            };
            if done == Err(Gone) {
                return;
            }
            let pause = self.backoff.next(&mut rand::thread_rng());
            tokio::time::sleep(pause).await;
        }
    }

    /// One connection, to its end. It is a success if it brought an event.
    async fn listen(&mut self, outlet: &mut Outlet) -> Result<(), Ended> {
        let mut response = self.connect().await?;
        outlet.begin();
        let mut parser = Parser::new(self.limits.item, self.last_id.clone());
        let mut brought = false;
        loop {
            let chunk = match tokio::time::timeout(self.limits.silence, response.chunk()).await {
                Ok(Ok(Some(chunk))) => chunk,
                Ok(Ok(None)) if brought => return Ok(()),
                Ok(Ok(None)) => return Err(SourceError::Ended { url: self.url.to_string() }.into()),
                Ok(Err(error)) => return Err(self.no_answer(&error).into()),
                Err(_) => {
                    let seconds = self.limits.silence.as_secs();
                    return Err(SourceError::Silent { url: self.url.to_string(), seconds }.into());
                }
            };
            for frame in parser.push(&chunk) {
                match frame {
                    Frame::Retry(pause) => self.backoff.set_first(pause),
                    Frame::TooLong => {
                        let why = ItemError::TooLong { limit: self.limits.item };
                        let place = format!("{}, an event after id {:?}", self.url, one_line(&self.last_id));
                        outlet.bad_item(place.clone(), place.as_bytes(), why).await?;
                    }
                    Frame::Event(event) => {
                        self.event(event, outlet).await?;
                        brought = true;
                        self.backoff.reset();
                        outlet.works();
                    }
                }
            }
            if parser.open_bytes() > self.limits.body {
                return Err(SourceError::Endless { url: self.url.to_string(), limit: self.limits.body }.into());
            }
        }
    }

    async fn connect(&self) -> Result<reqwest::Response, SourceError> {
        let mut request = self.client.get(self.url.clone()).header(ACCEPT, "text/event-stream");
        // An id that no header can carry is none that can be asked for.
        if let Ok(id) = HeaderValue::from_str(&self.last_id)
            && !id.is_empty()
        {
            request = request.header(LAST_EVENT_ID, id);
        }
        let url = || self.url.to_string();
        let response = match tokio::time::timeout(self.limits.answer, request.send()).await {
            Ok(sent) => sent.map_err(|error| self.no_answer(&error))?,
            Err(_) => return Err(SourceError::NoAnswer { url: url(), why: "it took too long".into() }),
        };
        if response.status() != StatusCode::OK {
            return Err(SourceError::Status { url: url(), status: response.status().as_u16() });
        }
        let kind = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        if kind.split(';').next().is_none_or(|kind| !kind.trim().eq_ignore_ascii_case("text/event-stream")) {
            return Err(SourceError::NotEvents { url: url(), found: one_line(kind) });
        }
        Ok(response)
    }

    async fn event(&mut self, event: StreamEvent, outlet: &mut Outlet) -> Result<(), Gone> {
        // Other types are for other listeners.
        if matches!(event.kind.as_str(), "bulletin" | "message") {
            match Bulletin::from_json(event.data.as_bytes()) {
                Ok(bulletin) => outlet.bulletin(bulletin).await?,
                Err(error) => {
                    let place = format!("{}, event {:?}", self.url, one_line(&event.last_id));
                    outlet.bad_item(place, event.data.as_bytes(), error.into()).await?;
                }
            }
        }
        // Only now: what wasn't passed on must come again.
        self.last_id = event.last_id;
        Ok(())
    }

    fn no_answer(&self, error: &reqwest::Error) -> SourceError {
        SourceError::NoAnswer { url: self.url.to_string(), why: reason(error) }
    }
}
