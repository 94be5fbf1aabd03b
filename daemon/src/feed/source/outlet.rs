//! Where a source puts what it finds, each thing once.

use std::sync::Arc;

use tokio::sync::mpsc;

use super::{ItemError, SourceError};
use crate::{
    chain::types::{B256, keccak256},
    feed::{Event, bulletin::Bulletin, recent::Recent},
};

/// Bulletins and bad items of one source that are remembered: more than one answer or one folder of bad ones holds.
const REMEMBERED: usize = 8192;
/// Bad items that are reported of one answer or connection.
const BAD_ITEMS: usize = 16;

/// Nobody listens any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::feed) struct Gone;

/// Where a source puts what it finds.
#[derive(Debug)]
pub(in crate::feed) struct Outlet {
    source: Arc<str>,
    sender: mpsc::Sender<Event>,
    sent: Recent,
    /// The failure that lasts.
    failure: Option<SourceError>,
    /// Bad items since the last [`begin`](Self::begin).
    bad: usize,
}

impl Outlet {
    /// For the source of this name.
    pub(in crate::feed) fn new(source: &str, sender: mpsc::Sender<Event>) -> Self {
        Self { source: source.into(), sender, sent: Recent::new(REMEMBERED), failure: None, bad: 0 }
    }

    /// A new answer or connection.
    pub(in crate::feed) fn begin(&mut self) {
        self.bad = 0;
    }

    /// Passes a bulletin on, unless it was lately. Waits while the receiver has no room.
    pub(in crate::feed) async fn bulletin(&mut self, bulletin: Bulletin) -> Result<(), Gone> {
        let copy = keccak256([bulletin.hash().as_slice(), bulletin.signature.as_slice()].concat());
        if !self.sent.insert(copy) {
            return Ok(());
        }
        self.send(Event::Received { source: self.source.clone(), bulletin }).await
    }

    /// Reports something that isn't a bulletin, unless the same was reported lately. `fingerprint` tells it from others.
    pub(in crate::feed) async fn bad_item(
        &mut self,
        place: String,
        fingerprint: &[u8],
        why: ItemError,
    ) -> Result<(), Gone> {
        let fingerprint: B256 = keccak256([fingerprint, why.to_string().as_bytes()].concat());
        if self.bad > BAD_ITEMS || !self.sent.insert(fingerprint) {
            return Ok(());
        }
        self.bad += 1;
        if self.bad > BAD_ITEMS {
            return self.problem(SourceError::MoreBadItems { place, most: BAD_ITEMS }).await;
        }
        self.problem(SourceError::BadItem { place, why }).await
    }

    /// Reports a failure of the whole source, once while it stays the same. A server that can't be reached is one
    /// failure, in whatever words the system puts it.
    pub(in crate::feed) async fn failure(&mut self, what: SourceError) -> Result<(), Gone> {
        let no_answer = |error: &SourceError| matches!(error, SourceError::NoAnswer { .. });
        if self.failure.as_ref().is_some_and(|last| *last == what || (no_answer(last) && no_answer(&what))) {
            return Ok(());
        }
        self.failure = Some(what.clone());
        self.problem(what).await
    }

    /// The source works: its next failure is a new one.
    pub(in crate::feed) fn works(&mut self) {
        self.failure = None;
    }

    async fn problem(&mut self, what: SourceError) -> Result<(), Gone> {
        self.send(Event::Problem { source: self.source.clone(), what }).await
    }

    async fn send(&mut self, event: Event) -> Result<(), Gone> {
        self.sender.send(event).await.map_err(|_| Gone)
    }
}
