//! A chain as it is looked at by everybody: its node at the head, its apps, and how jobs are getting on.

use std::{
    any::Any,
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use super::answer::{ApiError, Tag};
use crate::{
    apps::{App, Ground},
    chain::{
        Client,
        client::Header,
        types::{Address, B256, U256},
    },
    config::Config,
    monitor::{Monitor, Progress},
    prover::Workshop,
    store::{Job, JobKey, Store, StoreError},
};

/// How old a known head may be: a request within it costs the node nothing.
const FRESH: (Duration, Duration) = (Duration::from_millis(20), Duration::from_millis(500));

/// A chain whose service runs. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Live(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    config: Config,
    ground: Ground,
    apps: Vec<Arc<dyn App>>,
    workshop: Arc<dyn Workshop>,
    monitor: Monitor,
    head: tokio::sync::Mutex<Option<(Instant, Header)>>,
}

impl Live {
    /// A chain with what its service stands on.
    pub fn new(
        config: Config,
        ground: Ground,
        apps: Vec<Arc<dyn App>>,
        workshop: Arc<dyn Workshop>,
        monitor: Monitor,
    ) -> Self {
        Self(Arc::new(Inner { config, ground, apps, workshop, monitor, head: tokio::sync::Mutex::new(None) }))
    }

    /// Its id.
    pub fn chain_id(&self) -> u64 {
        self.0.config.chain.chain_id
    }

    /// Its configuration.
    pub fn config(&self) -> &Config {
        &self.0.config
    }

    /// Its node.
    pub fn client(&self) -> &Client {
        &self.0.ground.client
    }

    /// Jobs and transactions.
    pub fn store(&self) -> &Store {
        &self.0.ground.store
    }

    /// Health, metrics and events.
    pub fn monitor(&self) -> &Monitor {
        &self.0.monitor
    }

    /// What its apps stand on.
    pub fn ground(&self) -> &Ground {
        &self.0.ground
    }

    /// Where its proofs are made.
    pub fn workshop(&self) -> &Arc<dyn Workshop> {
        &self.0.workshop
    }

    /// Its apps.
    pub fn all_apps(&self) -> &[Arc<dyn App>] {
        &self.0.apps
    }

    /// Its apps of one kind.
    pub fn apps<A: App>(&self) -> impl Iterator<Item = &A> {
        self.0.apps.iter().filter_map(|app| (app.as_ref() as &dyn Any).downcast_ref())
    }

    /// Its first app of a kind.
    ///
    /// # Errors
    /// [`ApiError::NotThere`] if it has none.
    pub fn app<A: App>(&self) -> Result<&A, ApiError> {
        self.apps().next().ok_or_else(|| ApiError::not_there(format!("such app on chain {}", self.chain_id())))
    }

    /// The newest block, as of at most half a second ago.
    ///
    /// # Errors
    /// The node's.
    pub async fn head(&self) -> Result<Header, ApiError> {
        let fresh = self.0.config.chain.poll.clamp(FRESH.0, FRESH.1);
        // Whoever comes meanwhile waits for the one answer.
        let mut known = self.0.head.lock().await;
        if let Some((at, head)) = known.as_ref()
            && at.elapsed() < fresh
        {
            return Ok(*head);
        }
        let head = self.client().head().await?;
        *known = Some((Instant::now(), head));
        Ok(head)
    }

    /// A tag of an answer that depends on the chain's newest block, and on more.
    pub fn tag(&self, head: &Header, parts: &[&dyn std::fmt::Display]) -> Tag {
        let (chain, started) = (self.chain_id(), self.monitor().started_at());
        let own: [&dyn std::fmt::Display; 3] = [&chain, &started, &head.block.hash];
        Tag::of(&[&own, parts].concat())
    }

    /// The newest job about a subject.
    ///
    /// # Errors
    /// The store's.
    pub async fn newest_job(&self, contract: Address, subject: U256) -> Result<Option<Job>, StoreError> {
        self.store().newest_job(self.chain_id(), contract, subject).await
    }

    /// How the newest job about a subject is getting on; `None` if there is none.
    ///
    /// # Errors
    /// The store's.
    pub async fn progress(&self, contract: Address, subject: U256) -> Result<Option<Progress>, StoreError> {
        match self.newest_job(contract, subject).await? {
            Some(job) => Ok(Some(self.monitor().progress(self.store(), &job).await?)),
            None => Ok(None),
        }
    }

    /// How the job of one round is getting on; `None` if there is none.
    ///
    /// # Errors
    /// The store's.
    pub async fn progress_of(
        &self,
        contract: Address,
        subject: U256,
        round: u64,
    ) -> Result<Option<Progress>, StoreError> {
        let key = JobKey { chain_id: self.chain_id(), contract, subject, round };
        match self.store().job_of(&key).await? {
            Some(job) => Ok(Some(self.monitor().progress(self.store(), &job).await?)),
            None => Ok(None),
        }
    }
}

/// Things read from the chain, each as of one block. Of a thing that several ask for at once, one reads it.
#[derive(Debug)]
pub struct Cache<K, V> {
    most: usize,
    slots: Mutex<HashMap<K, Arc<Slot<V>>>>,
}

#[derive(Debug)]
struct Slot<V> {
    value: tokio::sync::Mutex<Option<(B256, Arc<V>)>>,
    used: Mutex<Instant>,
}

impl<K: Eq + Hash + Clone, V> Cache<K, V> {
    /// A cache of at most so many things; those that nobody has asked for for the longest time go first.
    pub fn new(most: usize) -> Self {
        Self { most, slots: Mutex::default() }
    }

    /// The thing as of a block. `make` is given what it was before, and reads what it is now.
    ///
    /// # Errors
    /// Those of `make`; what was known stays.
    pub async fn at<E>(
        &self,
        key: &K,
        block: B256,
        make: impl AsyncFnOnce(Option<Arc<V>>) -> Result<V, E>,
    ) -> Result<Arc<V>, E> {
        let slot = self.slot(key);
        let mut value = slot.value.lock().await;
        if let Some((known, value)) = value.as_ref()
            && *known == block
        {
            return Ok(value.clone());
        }
        let before = value.as_ref().map(|(_, value)| value.clone());
        let made = Arc::new(make(before).await?);
        *value = Some((block, made.clone()));
        Ok(made)
    }

    fn slot(&self, key: &K) -> Arc<Slot<V>> {
        let now = Instant::now();
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if slots.len() >= self.most && !slots.contains_key(key) {
            let oldest = slots.iter().min_by_key(|(_, slot)| slot.used()).map(|(key, _)| key.clone());
            oldest.and_then(|oldest| slots.remove(&oldest));
        }
        let slot = slots
            .entry(key.clone())
            .or_insert_with(|| Arc::new(Slot { value: tokio::sync::Mutex::new(None), used: Mutex::new(now) }));
        *slot.used.lock().unwrap_or_else(PoisonError::into_inner) = now;
        slot.clone()
    }
}

impl<V> Slot<V> {
    fn used(&self) -> Instant {
        *self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    #[tokio::test]
    async fn things_are_read_once_for_each_block() {
        let cache: Cache<u8, u32> = Cache::new(2);
        let (first, second) = (B256::repeat_byte(1), B256::repeat_byte(2));
        let next = async |before: Option<Arc<u32>>| Ok::<_, Infallible>(before.map_or(1, |before| *before + 1));
        let mut seen = Vec::new();
        for (key, block) in [(7, first), (7, first), (7, second), (8, second), (9, second), (7, second)] {
            seen.push(*cache.at(&key, block, next).await.expect("never fails"));
        }
        // 7 had to make room for 9.
        assert_eq!(seen, [1, 1, 2, 1, 1, 1]);
        let failed: Result<_, &str> = cache.at(&8, first, async |_| Err("no node")).await;
        assert_eq!(failed, Err("no node"));
    }
}
