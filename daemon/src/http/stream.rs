//! Server-Sent Events about one subject each, for any number of followers: one task looks, and all are sent the same bytes.
//!
//! ```text
//! new block, step of a job ──pulse──► look ──changed?──► newest frame of each event ──► every follower
//! ```
//! A follower is first sent the newest frame of each event, then each that is newer. One who is slow skips frames, never the
//! newest: each holds the whole object. Nothing waits for a follower, and what he hasn't taken takes no memory.

use std::{
    collections::{HashMap, VecDeque},
    convert::Infallible,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    Extension,
    body::{Body, Bytes},
    extract::{FromRequestParts, OptionalFromRequestParts},
    http::{
        header::{CACHE_CONTROL, CONTENT_TYPE},
        request::Parts,
    },
    response::{IntoResponse, Response},
};
use futures_util::stream;
use serde::Serialize;
use tokio::{
    sync::watch,
    time::{sleep, timeout},
};

use super::{
    answer::ApiError,
    clients::Following,
    live::Live,
    routes::Shared,
    serve::{Listened, Listening, Peer},
};
use crate::chain::types::{B256, keccak256};

/// Silence after which a follower is sent a comment.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// Time without a pulse after which the chain is looked at all the same.
const TICK: Duration = Duration::from_secs(2);
/// Least time between two looks: what comes in between is seen by the next.
const REST: Duration = Duration::from_millis(30);

/// An event that a look finds.
#[derive(Clone, Debug)]
pub struct Event {
    name: &'static str,
    /// Its data, as JSON on one line.
    data: String,
    /// What tells whether it is new.
    mark: B256,
}

/// What a look finds: at most one event of each name.
pub type Found = Vec<Event>;

impl Event {
    /// An event that is new when its data is.
    ///
    /// # Errors
    /// What can't be JSON is a bug.
    pub fn new(name: &'static str, data: &impl Serialize) -> Result<Self, ApiError> {
        let data = serde_json::to_string(data).map_err(|e| ApiError::bug(&e))?;
        Ok(Self { name, mark: keccak256(data.as_bytes()), data })
    }

    /// The same, which is new when another one's data is: what else changes in its own is told otherwise.
    pub fn told_by(self, other: &Self) -> Self {
        Self { mark: other.mark, ..self }
    }
}

/// The streams that have followers.
#[derive(Clone, Debug, Default)]
pub struct Streams(Arc<Mutex<HashMap<String, watch::Sender<Newest>>>>);

/// The newest frame of each event, with its place among all frames.
#[derive(Clone, Debug, Default)]
struct Newest {
    frames: Vec<Frame>,
    count: u64,
}

#[derive(Clone, Debug)]
struct Frame {
    name: &'static str,
    place: u64,
    mark: B256,
    bytes: Bytes,
}

impl Newest {
    /// Takes up what a look found; whether anything of it is new.
    fn take(&mut self, found: Found) -> bool {
        let before = self.count;
        for Event { name, data, mark } in found {
            let known = self.frames.iter_mut().find(|frame| frame.name == name);
            if known.as_ref().is_some_and(|frame| frame.mark == mark) {
                continue;
            }
            self.count += 1;
            let bytes = Bytes::from(format!("event: {name}\ndata: {data}\n\n"));
            let frame = Frame { name, place: self.count, mark, bytes };
            match known {
                Some(known) => *known = frame,
                None => self.frames.push(frame),
            }
        }
        self.count > before
    }

    /// The frames after a place, in order.
    fn after(&self, place: u64) -> VecDeque<Bytes> {
        let mut newer: Vec<&Frame> = self.frames.iter().filter(|frame| frame.place > place).collect();
        newer.sort_by_key(|frame| frame.place);
        newer.into_iter().map(|frame| frame.bytes.clone()).collect()
    }
}

/// Who asks for a stream.
#[derive(Debug)]
pub struct Follower {
    who: IpAddr,
    listening: Listening,
}

impl FromRequestParts<Shared> for Follower {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, shared: &Shared) -> Result<Self, ApiError> {
        let missing = || ApiError::bug(&"a connection without its extensions");
        let Extension(peer) = Option::<Extension<Peer>>::from_request_parts(parts, shared)
            .await
            .map_err(|_| missing())?
            .ok_or_else(missing)?;
        let listening =
            <Extension<Listening> as OptionalFromRequestParts<Shared>>::from_request_parts(parts, shared).await;
        let Extension(listening) = listening.map_err(|_| missing())?.ok_or_else(missing)?;
        Ok(Self { who: shared.clients.who(peer, &parts.headers), listening })
    }
}

impl Follower {
    /// What he takes of what there is for followers, until it is dropped.
    pub(super) fn held(self, shared: &Shared) -> Result<(Following, Listened), ApiError> {
        Ok((shared.clients.follow(self.who)?, self.listening.begin()))
    }
}

impl Shared {
    /// Lets somebody follow what `look` finds about a subject, which `key` names among all streams of the process. The first
    /// follower's `look` serves those who come later.
    ///
    /// # Errors
    /// That of the first look, or that there are too many followers.
    pub async fn follow<L, F>(
        &self,
        live: &Live,
        follower: Follower,
        key: String,
        look: L,
    ) -> Result<Response, ApiError>
    where
        L: Fn(Live) -> F + Send + Sync + 'static,
        F: Future<Output = Result<Found, ApiError>> + Send,
    {
        let held = follower.held(self)?;
        let key = format!("{}/{key}", live.chain_id());
        let newest = match self.streams.join(&key) {
            Some(newest) => newest,
            None => {
                let mut first = Newest::default();
                first.take(look(live.clone()).await?);
                self.begin(live, key, first, look)
            }
        };
        Ok(sent(newest, self.stop.clone(), held))
    }

    /// Joins the stream, or begins it with what its first look found.
    fn begin<L, F>(&self, live: &Live, key: String, first: Newest, look: L) -> watch::Receiver<Newest>
    where
        L: Fn(Live) -> F + Send + Sync + 'static,
        F: Future<Output = Result<Found, ApiError>> + Send,
    {
        let mut streams = self.streams.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(newest) = streams.get(&key) {
            return newest.subscribe();
        }
        let (sender, receiver) = watch::channel(first);
        streams.insert(key.clone(), sender.clone());
        let (streams, live, mut stop) = (self.streams.clone(), live.clone(), self.stop.clone());
        tokio::spawn(async move {
            let mut pulse = live.monitor().pulse();
            loop {
                let ends = tokio::select! {
                    _ = pulse.changed() => false,
                    () = sleep(TICK) => false,
                    () = sender.closed() => false,
                    _ = stop.wait_for(|stop| *stop) => true,
                };
                if ends {
                    return streams.remove(&key);
                }
                sleep(REST).await;
                if streams.left(&key, &sender) {
                    return;
                }
                match look(live.clone()).await {
                    Ok(found) => {
                        sender.send_if_modified(|newest| newest.take(found));
                    }
                    // Followers keep what they have; the next look may find more.
                    Err(error) => tracing::debug!(key, "a stream's look: {error}"),
                }
            }
        });
        receiver
    }
}

impl Streams {
    fn join(&self, key: &str) -> Option<watch::Receiver<Newest>> {
        Some(self.0.lock().unwrap_or_else(PoisonError::into_inner).get(key)?.subscribe())
    }

    /// Forgets a stream that nobody follows; whether that was so.
    fn left(&self, key: &str, sender: &watch::Sender<Newest>) -> bool {
        // Under the lock, since somebody may join just now.
        let mut streams = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let left = sender.receiver_count() == 0;
        if left {
            streams.remove(key);
        }
        left
    }

    fn remove(&self, key: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}

/// What one follower is sent.
struct Sending {
    newest: watch::Receiver<Newest>,
    /// Up to which place.
    place: u64,
    waiting: VecDeque<Bytes>,
    stop: watch::Receiver<bool>,
    _held: (Following, Listened),
}

fn sent(newest: watch::Receiver<Newest>, stop: watch::Receiver<bool>, held: (Following, Listened)) -> Response {
    let mut sending = Sending { newest, place: 0, waiting: VecDeque::new(), stop, _held: held };
    // Told by the watch only of what comes after it was joined.
    sending.newest.mark_changed();
    let frames = stream::unfold(sending, |mut sending| async move {
        let bytes = sending.next().await?;
        Some((Ok::<_, Infallible>(bytes), sending))
    });
    let headers = [(CONTENT_TYPE, "text/event-stream"), (CACHE_CONTROL, "no-store"), X_ACCEL];
    (headers, Body::from_stream(frames)).into_response()
}

/// Asks nginx not to collect events before it passes them on.
const X_ACCEL: (axum::http::HeaderName, &str) = (axum::http::HeaderName::from_static("x-accel-buffering"), "no");

impl Sending {
    /// The next frame; `None` once the stream or the server ends.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if let Some(bytes) = self.waiting.pop_front() {
                return Some(bytes);
            }
            let changed = tokio::select! {
                changed = timeout(KEEP_ALIVE, self.newest.changed()) => changed,
                _ = self.stop.wait_for(|stop| *stop) => return None,
            };
            match changed {
                Err(_) => return Some(Bytes::from_static(b": still here\n\n")),
                Ok(Err(_)) => return None,
                Ok(Ok(())) => {
                    let newest = self.newest.borrow_and_update();
                    self.waiting = newest.after(self.place);
                    self.place = newest.count;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_follower_gets_the_newest_of_each_event() {
        let mut newest = Newest::default();
        let event = |name, data: &str| Event::new(name, &data).expect("JSON");
        let found = |game: &str, progress: &str| {
            let whole = event("game", &format!("{game}{progress}")).told_by(&event("game", game));
            vec![whole, event("progress", progress)]
        };
        assert!(newest.take(found("1", "a")));
        let all = |after: u64, newest: &Newest| -> Vec<String> {
            let frames = newest.after(after).into_iter();
            frames.map(|bytes| String::from_utf8_lossy(&bytes).trim().replace('\n', " ")).collect()
        };
        assert_eq!(all(0, &newest), ["event: game data: \"1a\"", "event: progress data: \"a\""]);
        assert!(!newest.take(found("1", "a")), "nothing is new");
        let place = newest.count;
        assert!(newest.take(found("1", "b")) && newest.take(found("2", "b")) && newest.take(found("2", "c")));
        assert_eq!(all(place, &newest), ["event: game data: \"2b\"", "event: progress data: \"c\""]);
        assert!(all(newest.count, &newest).is_empty());
    }
}
