//! A publisher: serves a folder of signed bulletins over HTTP, for sources like ours and for anybody with curl.
//!
//! | path | answer |
//! |---|---|
//! | `/bulletins` | a JSON list, the last 1000 by number, with an `ETag` |
//! | `/bulletins?after=N` | the first 1000 above N |
//! | `/bulletins/N` | one of them |
//! | `/events` | Server-Sent Events: those above `Last-Event-ID` (or all), then each as it comes; the id is the number |
//!
//! It holds no key: it shows what was signed elsewhere, and only what one publisher signed for one feed, each number
//! once. Bulletins are public; there is no TLS and no log-in: put a proxy in front where it isn't for this machine only.
//!
//! A listener who is away while a late bulletin with a lower number comes isn't sent it at `/events`, but finds it in
//! `/bulletins`.

mod routes;
mod shelf;

use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use tokio::{net::TcpListener, sync::watch, time::sleep};

use super::{
    bulletin::Bulletin,
    inbox::{Inbox, Verdict},
    source::{
        Limits, SourceError,
        dir::{Dir, Found},
    },
};
use crate::{
    chain::types::{Address, B256},
    http::serve,
};
use routes::Shared;
use shelf::Shelf;

/// What is served, and where.
#[derive(Clone, Debug)]
pub struct PublisherConfig {
    /// Folder with a bulletin in each file `*.json`.
    pub dir: PathBuf,
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Whose bulletins; `None`: of whoever signed the first.
    pub publisher: Option<Address>,
    /// Which feed; `None`: that of the first bulletin.
    pub feed_id: Option<B256>,
    /// Pause between two looks at the folder.
    pub every: Duration,
}

/// Why a publisher can't start.
#[derive(Debug, thiserror::Error)]
pub enum PublisherError {
    /// The folder.
    #[error("{0}: name the folder of the bulletins with --dir")]
    Folder(SourceError),
    /// The address.
    #[error("can't listen at {listen}: {why}; choose another port, or 0 for a free one")]
    Listen {
        /// Where.
        listen: SocketAddr,
        /// Why.
        why: std::io::Error,
    },
}

crate::code::codes!(PublisherError { Listen = 671; Folder });

/// A publisher that listens and has looked at its folder once.
#[derive(Debug)]
pub struct Publisher {
    listener: TcpListener,
    address: SocketAddr,
    keeper: Keeper,
    shelf: Arc<Shelf>,
}

/// Takes from the folder what is to be shown.
#[derive(Debug)]
struct Keeper {
    config: PublisherConfig,
    dir: Dir,
    inbox: Option<Inbox>,
    /// Whether it was said that there are too many files.
    full: bool,
}

impl Publisher {
    /// Looks at the folder and begins to listen.
    ///
    /// # Errors
    /// A folder that can't be read, an address that can't be listened at.
    pub async fn bind(config: PublisherConfig) -> Result<Self, PublisherError> {
        let shelf = Arc::new(Shelf::new());
        let dir = Dir::new(config.dir.clone(), Limits::default());
        let (dir, found) = dir.look_aside().await;
        let listen = config.listen;
        let mut keeper = Keeper { config, dir, inbox: None, full: false };
        keeper.place(found.map_err(PublisherError::Folder)?, &shelf);
        let refused = |why| PublisherError::Listen { listen, why };
        let listener = TcpListener::bind(listen).await.map_err(refused)?;
        let address = listener.local_addr().map_err(refused)?;
        Ok(Self { listener, address, keeper, shelf })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many bulletins it shows.
    pub fn count(&self) -> usize {
        *self.shelf.count().borrow()
    }

    /// Serves until `stop` turns true or loses its sender; then ends its event streams and what is under way.
    pub async fn run(self, stop: watch::Receiver<bool>) {
        let router = routes::router(Shared::new(self.shelf.clone(), stop.clone()));
        tokio::select! {
            () = self.keeper.keep(&self.shelf) => {}
            () = serve::accept(self.listener, router, stop, serve::Limits::default()) => {}
        }
    }
}

impl Keeper {
    /// Looks at the folder for ever.
    async fn keep(mut self, shelf: &Shelf) {
        let mut failed = false;
        loop {
            sleep(self.config.every).await;
            let (dir, found) = self.dir.look_aside().await;
            self.dir = dir;
            match found {
                Ok(found) => {
                    failed = false;
                    self.place(found, shelf);
                }
                Err(error) if !failed => {
                    failed = true;
                    tracing::warn!("{error}");
                }
                Err(_) => {}
            }
        }
    }

    fn place(&mut self, found: Found, shelf: &Shelf) {
        for bulletin in found.bulletins {
            let number = bulletin.sequence;
            let Some(inbox) = self.inbox_for(&bulletin) else { continue };
            match inbox.judge(&bulletin) {
                Verdict::New { missing } => {
                    if let Some(gap) = missing {
                        tracing::warn!("bulletin {number}: {} to {} are missing before it", gap.start(), gap.end());
                    }
                    tracing::info!("bulletin {number}: {}", bulletin.text);
                    shelf.show(&bulletin);
                }
                Verdict::Known => {}
                Verdict::Contradicts(found) => tracing::error!("{found}"),
                Verdict::Refused(why) => tracing::warn!("bulletin {number} is not shown: {why}"),
            }
        }
        for (place, _, why) in found.bad {
            tracing::warn!("{place}: {why}");
        }
        if found.more && !std::mem::replace(&mut self.full, true) {
            tracing::warn!("{} holds more files than are looked at; move old ones away", self.config.dir.display());
        }
    }

    /// The inbox of the feed that is shown. What isn't configured, the first bulletin settles.
    fn inbox_for(&mut self, first: &Bulletin) -> Option<&mut Inbox> {
        if self.inbox.is_none() {
            let feed_id = self.config.feed_id.unwrap_or(first.feed_id);
            let publisher = match (self.config.publisher, first.publisher()) {
                (Some(publisher), _) => publisher,
                (None, Ok(signer)) if first.feed_id == feed_id => signer,
                (None, Ok(_)) => return None,
                (None, Err(error)) => {
                    tracing::warn!("bulletin {} is not shown: {error}", first.sequence);
                    return None;
                }
            };
            tracing::info!("feed {feed_id} of {publisher}");
            self.inbox = Some(Inbox::new(publisher, feed_id));
        }
        self.inbox.as_mut()
    }
}
