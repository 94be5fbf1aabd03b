//! Bulletins that a publisher signed: read from anywhere, judged, and published.
//!
//! ```text
//! http ─┐                                  inbox (pure)
//! sse  ─┼─► Event over a channel ─► judge ─► New | Known | Contradicts | Refused
//! dir  ─┘    (bulletin or problem)            a gap is named with what came after it
//! ```
//!
//! - Only the publisher is trusted, and only for what is said: the [`inbox`] checks each signature, whatever the way was.
//! - No source can stop another, or the daemon: see [`source`].
//! - A bulletin that a contract emitted is made with [`Bulletin::from_parts`] and judged like all others.
//! - [`publisher`] is the other end: a folder of signed files, served over HTTP.

pub mod bulletin;
pub mod file;
pub mod inbox;
pub mod publisher;
mod recent;
pub mod source;

use std::sync::Arc;

use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
};

pub use bulletin::{Bulletin, BulletinError, Text, feed_id};
pub use inbox::{Inbox, Verdict};
pub use source::{Limits, SourceConfig, SourceError};

use crate::chain::types::{Address, B256};
use source::{Outlet, Source};

/// One feed: whose, which, and where it is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedConfig {
    /// Who signs.
    pub publisher: Address,
    /// Which of the publisher's feeds.
    pub feed_id: B256,
    /// Where it is read; any one of them is enough.
    pub sources: Vec<SourceConfig>,
    /// What each source may take.
    pub limits: Limits,
}

/// What a source has to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A bulletin in the right form, of whomever. Each source sends it once; several may.
    Received {
        /// The source: its address or folder.
        source: Arc<str>,
        /// What came.
        bulletin: Bulletin,
    },
    /// Something is wrong at the source; it goes on.
    Problem {
        /// The source: its address or folder.
        source: Arc<str>,
        /// What is wrong, where, and what to do.
        what: SourceError,
    },
}

/// The sources of a feed, checked but not asked yet.
#[derive(Debug)]
pub struct Sources(Vec<(String, Source)>);

impl Sources {
    /// Checks the sources of a configuration.
    ///
    /// # Errors
    /// An address that is none.
    pub fn open(config: &FeedConfig) -> Result<Self, SourceError> {
        let open = |source: &SourceConfig| Ok((source.name(), Source::open(source, config.limits)?));
        config.sources.iter().map(open).collect::<Result<_, _>>().map(Self)
    }

    /// Asks all of them at once, until `stop` turns true (or loses its sender), or until nobody receives. May be dropped
    /// at any point. A full channel holds the sources up; nothing is lost.
    pub async fn run(self, sender: mpsc::Sender<Event>, mut stop: watch::Receiver<bool>) {
        let mut tasks = JoinSet::new();
        for (name, source) in self.0 {
            tasks.spawn(source.run(Outlet::new(&name, sender.clone())));
        }
        drop(sender);
        let ended = async {
            while let Some(ended) = tasks.join_next().await {
                if let Err(error) = ended {
                    tracing::error!(%error, "a source of bulletins has ended: a bug, please report it");
                }
            }
        };
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => {}
            () = ended => {}
        }
    }
}

/// [`Sources::open`] and [`Sources::run`].
///
/// # Errors
/// An address that is none.
pub async fn watch(
    config: &FeedConfig,
    sender: mpsc::Sender<Event>,
    stop: watch::Receiver<bool>,
) -> Result<(), SourceError> {
    Sources::open(config)?.run(sender, stop).await;
    Ok(())
}
