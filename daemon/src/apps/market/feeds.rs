//! The feeds of the configuration: their sources run from the first turn on, and what they bring is judged here and stored by
//! the service.

use std::collections::VecDeque;

use tokio::sync::{Mutex, mpsc, watch};

use super::super::News;
use crate::{
    chain::types::{Address, B256},
    feed::{Event, FeedConfig, Inbox, Sources, Verdict},
    store::{Store, StoreError},
};

/// Most bulletins that wait to be taken in; a full channel holds the sources up.
const WAITING: usize = 256;

/// Most troubles of a feed that are told in one turn.
const MOST_TROUBLES: usize = 16;

/// The feeds that markets are decided by.
#[derive(Debug)]
pub struct Feeds {
    configs: Vec<FeedConfig>,
    running: Mutex<Option<Vec<Running>>>,
}

/// A feed whose sources are being asked. They end when it is dropped.
#[derive(Debug)]
struct Running {
    publisher: Address,
    inbox: Inbox,
    events: mpsc::Receiver<Event>,
    /// What couldn't be started.
    troubles: VecDeque<String>,
    _stop: watch::Sender<bool>,
}

impl Feeds {
    /// Feeds that nobody asks yet.
    pub fn new(configs: Vec<FeedConfig>) -> Self {
        Self { configs, running: Mutex::new(None) }
    }

    /// Whether a feed is one of them.
    pub(super) fn reads(&self, publisher: Address, feed_id: B256) -> bool {
        self.configs.iter().any(|config| config.publisher == publisher && config.feed_id == feed_id)
    }

    /// What came since the last call. The first call starts the sources.
    pub(super) async fn news(&self, store: &Store) -> Result<News, StoreError> {
        let mut running = self.running.lock().await;
        let running = match &mut *running {
            Some(running) => running,
            none => {
                let mut started = Vec::with_capacity(self.configs.len());
                for config in &self.configs {
                    started.push(start(config, store).await?);
                }
                none.insert(started)
            }
        };
        let mut news = News::default();
        for feed in running {
            feed.drain(&mut news);
        }
        Ok(news)
    }
}

async fn start(config: &FeedConfig, store: &Store) -> Result<Running, StoreError> {
    let known = store.bulletins(config.publisher, config.feed_id).await?;
    let inbox = Inbox::with_known(config.publisher, config.feed_id, known.iter().map(|b| (b.sequence, b.hash())));
    let (sender, events) = mpsc::channel(WAITING);
    let (stop, stopped) = watch::channel(false);
    let mut troubles = VecDeque::new();
    match Sources::open(config) {
        Ok(sources) => {
            tokio::spawn(sources.run(sender, stopped));
        }
        Err(error) => troubles.push_back(format!("feed {}: {error}", config.feed_id)),
    }
    Ok(Running { publisher: config.publisher, inbox, events, troubles, _stop: stop })
}

impl Running {
    fn drain(&mut self, news: &mut News) {
        news.troubles.extend(self.troubles.drain(..));
        // No more than that at a time: a source that never ends must not hold up everything else.
        let before = news.troubles.len();
        for _ in 0..WAITING {
            let Ok(event) = self.events.try_recv() else { break };
            match event {
                Event::Received { source, bulletin } if !bulletin.is_storable() => {
                    news.troubles
                        .push(format!("{source}: bulletin {}: its number or time is above 2^63", bulletin.sequence));
                }
                Event::Received { source, bulletin } => match self.inbox.judge(&bulletin) {
                    Verdict::New { missing } => {
                        if let Some(gap) = missing {
                            let (first, last) = (gap.start(), gap.end());
                            news.troubles.push(format!("{source}: bulletins {first} to {last} haven't come yet"));
                        }
                        news.bulletins.push((self.publisher, bulletin));
                    }
                    Verdict::Known => {}
                    Verdict::Contradicts(equivocation) => news.troubles.push(format!("{source}: {equivocation}")),
                    Verdict::Refused(refusal) => {
                        news.troubles.push(format!("{source}: bulletin {}: {refusal}", bulletin.sequence));
                    }
                },
                Event::Problem { source, what } => news.troubles.push(format!("{source}: {what}")),
            }
        }
        let more = (news.troubles.len() - before).saturating_sub(MOST_TROUBLES);
        if more > 0 {
            news.troubles.truncate(before + MOST_TROUBLES);
            news.troubles.push(format!("feed of {}: {more} more like these", self.publisher));
        }
    }
}
