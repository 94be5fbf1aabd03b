//! What the daemons do from now on, as Server-Sent Events.

use std::{collections::VecDeque, convert::Infallible, sync::Arc, time::Duration};

use axum::{
    extract::State,
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures_util::stream::{self, SelectAll, StreamExt};
use serde_json::json;
use tokio::sync::{
    broadcast::{Receiver, error::RecvError},
    watch,
};

use crate::http::{answer::ApiError, clients::Following, routes::Shared, serve::Listened, stream::Follower};

/// Silence after which a follower is sent a comment.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Somebody who follows what happens.
struct Sending {
    events: SelectAll<stream::BoxStream<'static, String>>,
    waiting: VecDeque<String>,
    stop: watch::Receiver<bool>,
    _held: (Following, Listened),
}

/// What the daemons do from now on: one JSON object each, of which `event` says the kind.
#[utoipa::path(get, path = "/events", tag = "operator",
    responses((status = 200, content_type = "text/event-stream", description = "Server-Sent Events, until the daemon stops", body = String)))]
pub(super) async fn events(State(shared): State<Shared>, follower: Follower) -> Result<Response, ApiError> {
    let held = follower.held(&shared)?;
    let hello = shared.panels.iter().map(|panel| {
        let report = panel.monitor.report();
        let chain_id = panel.monitor.chain_id();
        json!({ "event": "following", "chain_id": chain_id, "ready": report.is_ready(), "why": report.why }).to_string()
    });
    let streams = shared.panels.iter().map(|panel| told(panel.monitor.events()).boxed());
    let sending = Sending {
        waiting: hello.collect(),
        events: stream::select_all(streams),
        stop: shared.stop.clone(),
        _held: held,
    };
    let stream = stream::unfold(sending, |mut sending| async {
        let text = match sending.waiting.pop_front() {
            Some(text) => text,
            None => tokio::select! {
                text = sending.events.next() => text?,
                _ = sending.stop.wait_for(|stop| *stop) => return None,
            },
        };
        Some((Ok::<_, Infallible>(Event::default().data(text)), sending))
    });
    Ok(Sse::new(stream).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response())
}

/// A chain's events. A follower who is too slow is told how many he has missed.
fn told(events: Receiver<Arc<str>>) -> impl stream::Stream<Item = String> + Send {
    stream::unfold(events, |mut events| async {
        let text = match events.recv().await {
            Ok(text) => text.to_string(),
            Err(RecvError::Lagged(count)) => json!({ "event": "missed", "count": count }).to_string(),
            Err(RecvError::Closed) => return None,
        };
        Some((text, events))
    })
}
