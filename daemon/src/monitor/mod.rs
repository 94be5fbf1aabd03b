//! What is known of a running daemon: health, metrics, events for those who follow, and alerts. One [`Monitor`] for each chain.
//!
//! ```text
//! service ──notices──► Monitor ──► health ──► /readyz, /api/v1/operator/status
//!                         ├──────► metrics ─► /metrics
//!    store, node ──sample─┤
//!                         ├──────► events ──► …/operator/events (`zugzwang tail`)
//!                         └──────► alerts ──► webhooks
//! ```
//! It watches and never decides: the service doesn't know whether anybody looks.

mod health;
mod meters;
mod progress;
pub mod table;
#[cfg(feature = "otel")]
pub mod trace;
#[cfg(not(feature = "otel"))]
#[path = "trace/without.rs"]
pub mod trace;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde::{Deserialize, Serialize};
use tokio::sync::{broadcast, watch};
use utoipa::ToSchema;

use crate::{
    alerts::{Alerts, Message, Outbox, Told, ether},
    chain::{
        Client,
        types::{Address, U256},
    },
    clock::Clock,
    code::Coded,
    config::{AlertsConfig, HttpConfig},
    service::{Notice, Observer},
    store::{Counts, Errand, Job, Spent, Store, StoreError},
};

pub use health::{Health, Report};
pub use meters::{describe, install};
pub use progress::{Phase, Progress, Times};

/// Events that are kept for a follower who is slow; one who is slower misses some, and is told so.
const EVENTS: usize = 1024;
/// Pause between two samples of the store.
const SAMPLE: Duration = Duration::from_secs(5);
/// A day in milliseconds.
const DAY_MS: i64 = 86_400_000;
/// Samples between two looks at the balance.
const BALANCE_EVERY: u32 = 6;

/// What a chain's service is watched with. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Monitor(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    chain_id: u64,
    /// The chain id as a label.
    label: String,
    clock: Clock,
    started_at: i64,
    limits: HttpConfig,
    seen: Mutex<Seen>,
    outbox: Arc<Outbox>,
    events: broadcast::Sender<Arc<str>>,
    /// Counts what may have changed something that somebody looks at.
    pulse: watch::Sender<u64>,
}

/// What changes.
#[derive(Debug)]
struct Seen {
    health: Health,
    alerts: Alerts,
    /// When what is still open was asked, for the time until the answer.
    asked: BTreeMap<String, Duration>,
    tracks: progress::Tracks,
    /// Seconds that proofs of each model take.
    proving: BTreeMap<[u8; 32], f64>,
    signer: Option<Address>,
    apps: Vec<(&'static str, Address)>,
    counts: Counts,
    balance_ether: Option<String>,
}

/// What `zugzwang status` shows of one chain.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct Status {
    /// Chain id.
    pub chain_id: u64,
    /// Whether a daemon runs.
    pub running: bool,
    /// Whether it does its work.
    pub ready: bool,
    /// Why not.
    pub why: Vec<String>,
    /// Unix milliseconds of its start.
    pub started_at: Option<i64>,
    /// Unix milliseconds of its last sign of life in the store.
    pub alive_at: Option<i64>,
    /// The signing address.
    pub signer: Option<String>,
    /// What it has, in ether.
    pub balance_ether: Option<String>,
    /// Each app's name and contract.
    pub apps: Vec<String>,
    /// The node's newest block.
    pub head: Option<u64>,
    /// The last block whose events are stored.
    pub cursor: Option<u64>,
    /// Jobs by state.
    pub jobs: BTreeMap<String, u64>,
    /// Transactions by state.
    pub transactions: BTreeMap<String, u64>,
    /// Alerts that are open.
    pub alerts: Vec<String>,
}

impl Monitor {
    /// A monitor for a chain that is about to be served.
    pub fn new(chain_id: u64, limits: HttpConfig, alerts: AlertsConfig, outbox: Arc<Outbox>) -> Self {
        let alerts = Alerts::new(format!("chain {chain_id}"), alerts);
        let clock = Clock::system();
        Self(Arc::new(Inner {
            chain_id,
            label: chain_id.to_string(),
            started_at: clock.now_ms(),
            clock: clock.clone(),
            limits,
            seen: Mutex::new(Seen {
                health: Health::default(),
                alerts,
                asked: BTreeMap::new(),
                tracks: progress::Tracks::default(),
                proving: BTreeMap::new(),
                signer: None,
                apps: vec![],
                counts: Counts::default(),
                balance_ether: None,
            }),
            outbox,
            events: broadcast::channel(EVENTS).0,
            pulse: watch::Sender::new(0),
        }))
    }

    /// Which chain it watches.
    pub fn chain_id(&self) -> u64 {
        self.0.chain_id
    }

    /// What the service is to be given.
    pub fn observer(&self) -> Observer {
        let monitor = self.clone();
        Arc::new(move |notice| monitor.observe(notice))
    }

    /// What happens from now on, each event as a JSON object.
    pub fn events(&self) -> broadcast::Receiver<Arc<str>> {
        self.0.events.subscribe()
    }

    /// Turns with each new block and each step of a job: time to look again.
    pub fn pulse(&self) -> watch::Receiver<u64> {
        self.0.pulse.subscribe()
    }

    /// How a job is getting on.
    ///
    /// # Errors
    /// The store's.
    pub async fn progress(&self, store: &Store, job: &Job) -> Result<Progress, StoreError> {
        let transactions = store.transactions_of(Errand::Job(job.id)).await?;
        Ok(self.seen().tracks.progress(job, &transactions))
    }

    /// The newest alerts, newest first, and whether each is open still.
    pub fn recent_alerts(&self) -> Vec<(Told, bool)> {
        let open = self.seen().alerts.open();
        let is_open =
            |told: &Told| open.iter().any(|(kind, what)| *kind == told.kind && told.text.contains(what.as_str()));
        self.0
            .outbox
            .recent()
            .into_iter()
            .map(|told| {
                let open = is_open(&told);
                (told, open)
            })
            .collect()
    }

    /// Seconds that proofs of a model took here, on average of the newest; `None` before the first.
    pub fn prove_seconds(&self, model: &[u8; 32]) -> Option<f64> {
        self.seen().proving.get(model).copied()
    }

    /// Unix milliseconds of the process' start.
    pub fn started_at(&self) -> i64 {
        self.0.started_at
    }

    /// What is wrong, if anything.
    pub fn report(&self) -> Report {
        self.seen().health.report(self.now(), &self.0.limits)
    }

    /// Everything for people.
    pub fn status(&self) -> Status {
        let report = self.report();
        let seen = self.seen();
        Status {
            chain_id: self.0.chain_id,
            running: true,
            ready: report.is_ready(),
            why: report.why,
            started_at: Some(self.0.started_at),
            alive_at: seen.counts.alive_at,
            signer: seen.signer.map(|signer| signer.to_string()),
            balance_ether: seen.balance_ether.clone(),
            apps: seen.apps.iter().map(|(app, contract)| format!("{app} {contract}")).collect(),
            head: seen.health.head.map(|(head, _)| head),
            cursor: seen.health.cursor.or(seen.counts.cursor),
            jobs: seen.counts.jobs.clone(),
            transactions: seen.counts.transactions.clone(),
            alerts: seen.alerts.open().into_iter().map(|(kind, what)| format!("{}: {what}", kind.name())).collect(),
        }
    }

    /// It is being stopped.
    pub fn stopping(&self) {
        self.seen().health.stopping = true;
    }

    /// The service has ended by an error.
    pub fn ended(&self, error: &impl Coded) {
        let (code, what) = (error.code(), error.to_string());
        let now = self.now();
        let mut seen = self.seen();
        seen.health.ended = Some(format!("{code}: {what}"));
        let messages = seen.alerts.ended(now, code, &what);
        drop(seen);
        self.send(messages);
    }

    /// Sends the alerts that wait, for at most `patience`.
    pub async fn close(&self, patience: Duration) {
        self.0.outbox.close(patience).await;
    }

    /// From now on with other limits and templates.
    pub fn reconfigure(&self, alerts: AlertsConfig) {
        self.seen().alerts.reconfigure(alerts);
    }

    /// Looks at store and balance until `stop` turns true.
    pub async fn sample(self, store: Store, client: Client, mut stop: watch::Receiver<bool>) {
        let mut pause = tokio::time::interval(SAMPLE);
        pause.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut round = 0u32;
        loop {
            tokio::select! {
                _ = pause.tick() => {}
                _ = stop.wait_for(|stop| *stop) => return,
            }
            self.look_at_store(&store).await;
            if round.is_multiple_of(BALANCE_EVERY) {
                self.look_at_balance(&client).await;
                self.look_at_spending(&store).await;
            }
            round = round.wrapping_add(1);
            let (report, now) = (self.report(), self.now());
            meters::health(&self.0.label, report.is_ready(), &self.seen().health, now);
            let messages = self.seen().alerts.tick(now, &report);
            self.send(messages);
            let open = self.seen().alerts.open().len();
            meters::open_alerts(&self.0.label, open);
        }
    }

    async fn look_at_store(&self, store: &Store) {
        let written = store.beat(self.0.chain_id).await;
        let counted = store.counts(self.0.chain_id).await;
        let mut seen = self.seen();
        match written.and(counted) {
            Ok(counts) => {
                meters::counts(&self.0.label, &counts, self.0.clock.now_ms());
                (seen.counts, seen.health.store) = (counts, None);
            }
            Err(error) => seen.health.store = Some(error.to_string()),
        }
    }

    /// Answers, claims, replacements, cancellations and what failed: all that the key paid for.
    async fn look_at_spending(&self, store: &Store) {
        let Some(signer) = self.seen().signer else { return };
        let since = self.0.clock.now_ms() - DAY_MS;
        // Trouble of the store is told by its own look.
        let Ok(rows) = store.spending(self.0.chain_id, signer, since).await else { return };
        let sum = |wanted: fn(&Spent) -> bool| {
            rows.iter().filter(|row| wanted(&row.spent)).fold(U256::ZERO, |sum, row| sum.saturating_add(row.wei))
        };
        let spent = sum(|spent| matches!(spent, Spent::At(_)));
        meters::spending(&self.0.label, signer, spent, sum(|spent| *spent == Spent::UnderWay));
    }

    async fn look_at_balance(&self, client: &Client) {
        let Some(signer) = self.seen().signer else { return };
        // Without an answer the last one stays; that there is none is told by the service's own calls.
        let Ok(wei) = client.balance(signer).await else { return };
        let now = self.now();
        meters::balance(&self.0.label, signer, wei);
        let mut seen = self.seen();
        seen.balance_ether = Some(ether(wei));
        let messages = seen.alerts.balance(now, signer, wei);
        drop(seen);
        self.send(messages);
    }

    fn observe(&self, notice: &Notice) {
        let now = self.now();
        let mut seen = self.seen();
        let head = seen.health.head.map(|(head, _)| head);
        seen.tracks.notice(notice, self.0.clock.now_ms());
        match notice {
            Notice::Ready { signer, apps } => {
                seen.health.ready = Some(now);
                (seen.signer, seen.apps) = (Some(*signer), apps.clone());
            }
            Notice::Turn { head, cursor, .. } => seen.health.turned(now, *head, *cursor),
            Notice::Proved { model, ms, .. } => {
                let seconds = *ms as f64 / 1000.0;
                let average = seen.proving.entry(*model).or_insert(seconds);
                *average = 0.8 * *average + 0.2 * seconds;
            }
            Notice::Trouble { what, .. } => {
                seen.health.trouble = Some((what.clone(), now));
            }
            _ => {}
        }
        let waited = seen.waited(notice, now);
        let messages = seen.alerts.notice(now, notice);
        let stirs = !matches!(notice, Notice::Turn { .. }) || head != seen.health.head.map(|(head, _)| head);
        drop(seen);
        if stirs {
            self.0.pulse.send_modify(|count| *count = count.wrapping_add(1));
        }
        meters::notice(&self.0.label, notice, waited, self.0.clock.now_ms());
        self.send(messages);
        // A turn is no event for people: there is one every second.
        if !matches!(notice, Notice::Turn { .. }) && self.0.events.receiver_count() > 0 {
            let event = notice.json(self.0.chain_id, self.0.clock.now_ms()).to_string();
            // Nobody follows any more.
            let _ = self.0.events.send(event.into());
        }
    }

    fn send(&self, messages: Vec<Message>) {
        for message in &messages {
            self.0.outbox.send(message, self.0.clock.now_ms());
        }
    }

    fn now(&self) -> Duration {
        self.0.clock.steady()
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        // Each change is a plain assignment: what a panic left is whole.
        self.0.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seen {
    /// Notes when something is asked; gives the time that its answer took.
    fn waited(&mut self, notice: &Notice, now: Duration) -> Option<Duration> {
        /// More than a daemon has open; what is beyond isn't timed.
        const MOST: usize = 20_000;
        match notice {
            Notice::Asked { subject, round } if self.asked.len() < MOST => {
                self.asked.insert(format!("{subject} {round}"), now);
                None
            }
            Notice::Mined { subject, round, .. } => {
                self.asked.remove(&format!("{subject} {round}")).map(|asked| now.saturating_sub(asked))
            }
            Notice::Ended { subject, round, .. } => {
                self.asked.remove(&format!("{subject} {round}"));
                None
            }
            _ => None,
        }
    }
}
