//! What is served: `/bulletins`, `/bulletins/{sequence}` and `/events`.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    Extension, Router,
    extract::{Path, RawQuery, State},
    http::{
        HeaderMap, StatusCode,
        header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH, RETRY_AFTER},
    },
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
    routing::get,
};
use futures_util::stream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use super::shelf::{Shelf, Shown};
use crate::http::serve::{Listened, Listening};

/// Event streams at the same time.
const LISTENERS: usize = 64;
/// Silence after which a listener is sent a comment.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// What listeners are asked to wait before they connect again.
const RETRY: Duration = Duration::from_secs(1);

/// What the routes share.
#[derive(Clone, Debug)]
pub(super) struct Shared {
    pub(super) shelf: Arc<Shelf>,
    pub(super) stop: watch::Receiver<bool>,
    listeners: Arc<Semaphore>,
}

impl Shared {
    pub(super) fn new(shelf: Arc<Shelf>, stop: watch::Receiver<bool>) -> Self {
        Self { shelf, stop, listeners: Arc::new(Semaphore::new(LISTENERS)) }
    }
}

/// The routes; each connection adds its [`Listening`].
pub(super) fn router(shared: Shared) -> Router {
    Router::new()
        .route("/bulletins", get(bulletins))
        .route("/bulletins/{sequence}", get(bulletin))
        .route("/events", get(events))
        .fallback(|| async { refused(StatusCode::NOT_FOUND, "ask for /bulletins, /bulletins/NUMBER or /events") })
        .with_state(shared)
}

fn json(status: StatusCode, body: String) -> Response {
    (status, [(CONTENT_TYPE, "application/json")], body).into_response()
}

fn refused(status: StatusCode, why: &str) -> Response {
    json(status, format!("{}\n", serde_json::json!({ "error": why })))
}

async fn bulletins(State(shared): State<Shared>, RawQuery(query): RawQuery, headers: HeaderMap) -> Response {
    let after = query.iter().flat_map(|query| query.split('&')).find_map(|pair| pair.strip_prefix("after="));
    let after = match after.map(str::parse).transpose() {
        Ok(after) => after,
        Err(_) => return refused(StatusCode::BAD_REQUEST, "after is a bulletin's number, 0 to 2^64 - 1"),
    };
    let list = shared.shelf.list(after);
    let caching = [(ETAG, list.etag.clone()), (CACHE_CONTROL, "no-cache".to_owned())];
    if matches(&headers, &list.etag) {
        return (StatusCode::NOT_MODIFIED, caching).into_response();
    }
    (caching, json(StatusCode::OK, list.body)).into_response()
}

/// Whether the client has this version: `*`, or a tag of the list, strong or weak.
fn matches(headers: &HeaderMap, etag: &str) -> bool {
    let lists = headers.get_all(IF_NONE_MATCH).into_iter().filter_map(|value| value.to_str().ok());
    let mut tags = lists.flat_map(|list| list.split(',')).map(str::trim);
    tags.any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag)
}

async fn bulletin(State(shared): State<Shared>, Path(sequence): Path<String>) -> Response {
    match sequence.parse() {
        Err(_) => refused(StatusCode::BAD_REQUEST, "a bulletin's number is 0 to 2^64 - 1"),
        Ok(sequence) => match shared.shelf.get(sequence) {
            Some(body) => json(StatusCode::OK, body),
            None => refused(StatusCode::NOT_FOUND, "there is no bulletin of this number yet"),
        },
    }
}

/// Where an event stream is.
struct Listener {
    shared: Shared,
    count: watch::Receiver<usize>,
    /// What was there at its beginning, last first.
    backlog: Vec<Arc<Shown>>,
    /// The next arrival after that.
    place: usize,
    /// Whether it was told how long to wait before it comes again.
    greeted: bool,
    _listened: Listened,
    _permit: OwnedSemaphorePermit,
}

async fn events(
    State(shared): State<Shared>,
    Extension(listening): Extension<Listening>,
    headers: HeaderMap,
) -> Response {
    let Ok(permit) = shared.listeners.clone().try_acquire_owned() else {
        let busy =
            refused(StatusCode::SERVICE_UNAVAILABLE, "there are too many listeners; come again, or poll /bulletins");
        return ([(RETRY_AFTER, "10")], busy).into_response();
    };
    // An id that is none of ours: all of them.
    let last = headers.get("last-event-id").and_then(|id| id.to_str().ok()).and_then(|id| id.parse().ok());
    let count = shared.shelf.count();
    let (mut backlog, place) = shared.shelf.since(last);
    backlog.reverse();
    let listener =
        Listener { shared, count, backlog, place, greeted: false, _listened: listening.begin(), _permit: permit };
    let stream = stream::unfold(listener, |mut listener| async {
        listener.next().await.map(|event| (Ok::<_, Infallible>(event), listener))
    });
    Sse::new(stream).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response()
}

impl Listener {
    /// The next event; none when the server stops.
    async fn next(&mut self) -> Option<Event> {
        if !std::mem::replace(&mut self.greeted, true) {
            return Some(Event::default().retry(RETRY));
        }
        loop {
            if *self.shared.stop.borrow() {
                return None;
            }
            if let Some(shown) = self.backlog.pop() {
                return Some(event(&shown));
            }
            if let Some(shown) = self.shared.shelf.arrived(self.place) {
                self.place += 1;
                return Some(event(&shown));
            }
            tokio::select! {
                changed = self.count.changed() => changed.ok()?,
                _ = self.shared.stop.wait_for(|stop| *stop) => return None,
            }
        }
    }
}

fn event(shown: &Shown) -> Event {
    Event::default().event("bulletin").id(shown.sequence.to_string()).data(&shown.json)
}
