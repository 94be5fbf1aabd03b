//! Bulletins from a publisher to its readers, over real sockets and files. All waits are for something to happen; their
//! limit of a minute only ends a test that has failed.

mod cli;
mod publisher;
mod server;
mod sources;

use std::{collections::BTreeMap, future::Future, path::Path, time::Duration};

use tokio::{
    sync::{mpsc, watch},
    task::JoinHandle,
};
use zugzwang::{
    chain::{
        Key,
        types::{Address, B256},
    },
    feed::{
        self, Bulletin, Event, FeedConfig, Limits, SourceConfig, SourceError, Text, file,
        publisher::{Publisher, PublisherConfig},
    },
};

const FEED: B256 = B256::repeat_byte(0xfe);
const OFTEN: Duration = Duration::from_millis(20);

fn key(byte: u8) -> Key {
    Key::from_bytes(B256::repeat_byte(byte)).expect("key")
}

/// A bulletin of a key's.
fn signed(signer: u8, sequence: u64, text: &str) -> Bulletin {
    let text = Text::new(text.as_bytes()).expect("text");
    Bulletin::sign(&key(signer), FEED, sequence, 1_700_000_000, text).expect("bulletin")
}

/// One of the publisher's.
fn own(sequence: u64) -> Bulletin {
    signed(1, sequence, &format!("FULL TIME: Arsenal {sequence}-1 Chelsea \"after\" extra time"))
}

fn put(dir: &Path, bulletin: &Bulletin) {
    file::write_new(bulletin, dir).expect("written");
}

/// Waits for something that must happen.
async fn must<T>(what: &str, happens: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(60), happens).await.unwrap_or_else(|_| panic!("{what}: not in a minute"))
}

/// A publisher that serves a folder.
struct Served {
    url: String,
    stop: watch::Sender<bool>,
    ended: JoinHandle<()>,
}

async fn serve(dir: &Path, publisher: Option<Address>) -> Served {
    let listen = "127.0.0.1:0".parse().expect("address");
    let config = PublisherConfig { dir: dir.to_path_buf(), listen, publisher, feed_id: None, every: OFTEN };
    let publisher = Publisher::bind(config).await.expect("publisher");
    let url = format!("http://{}", publisher.address());
    let (stop, stopped) = watch::channel(false);
    Served { url, stop, ended: tokio::spawn(publisher.run(stopped)) }
}

impl Served {
    async fn stop(self) {
        self.stop.send(true).expect("it listens");
        must("the publisher ends", self.ended).await.expect("no panic");
    }
}

/// Sources that are watched.
struct Watched {
    events: mpsc::Receiver<Event>,
    _stop: watch::Sender<bool>,
}

fn watched(sources: Vec<SourceConfig>, limits: Limits) -> Watched {
    let config = FeedConfig { publisher: key(1).address(), feed_id: FEED, sources, limits };
    let (sender, events) = mpsc::channel(4);
    let (stop, stopped) = watch::channel(false);
    tokio::spawn(async move { feed::watch(&config, sender, stopped).await.expect("sources") });
    Watched { events, _stop: stop }
}

impl Watched {
    async fn next(&mut self) -> Event {
        must("an event", self.events.recv()).await.expect("the sources go on")
    }

    /// The problems up to the bulletin of a number.
    async fn problems_until(&mut self, sequence: u64) -> Vec<SourceError> {
        let mut problems = Vec::new();
        loop {
            match self.next().await {
                Event::Problem { what, .. } => problems.push(what),
                Event::Received { bulletin, .. } if bulletin.sequence == sequence => return problems,
                Event::Received { .. } => {}
            }
        }
    }

    /// Bulletins until each source has brought so many, by source. There may be no problem.
    async fn bulletins(&mut self, sources: usize, each: usize) -> BTreeMap<String, Vec<Bulletin>> {
        let mut got: BTreeMap<String, Vec<Bulletin>> = BTreeMap::new();
        while got.len() < sources || got.values().any(|list| list.len() < each) {
            match self.next().await {
                Event::Received { source, bulletin } => got.entry(source.to_string()).or_default().push(bulletin),
                Event::Problem { source, what } => panic!("{source}: {what}"),
            }
        }
        got
    }
}

/// Limits that let a test try again soon. Times for answers stay ample.
fn quick() -> Limits {
    Limits {
        first_pause: Duration::from_millis(5),
        longest_pause: Duration::from_millis(50),
        body: 64 << 10,
        ..Limits::default()
    }
}
