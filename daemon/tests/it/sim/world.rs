//! The simulated world: one agenda in virtual time, and everything that happens is an entry of it. A daemon runs only between two
//! of its waits, and only one runs at a time.

use std::{
    collections::{BTreeMap, hash_map::DefaultHasher},
    hash::{Hash, Hasher},
    path::Path,
    time::Duration,
};

use serde_json::Value;
use tokio::sync::mpsc;
use zugzwang::store::Moment;

use super::{
    chain::Chain,
    desk::Desk,
    dice::Dice,
    gate::{Fault, Pass, Wait, What},
    life::{Daemon, Standing},
    plan::Plan,
    trouble::{Endpoint, Fate, Trouble},
};

/// Unix seconds at which a run begins.
pub(super) const EPOCH: u64 = 1_750_000_000;
/// Longest time that it may take to settle once all is calm, in virtual milliseconds.
const PATIENCE: u64 = 1800 * 1000;
/// A daemon that does nothing for so long hangs. No result depends on how long it is.
const HANGS: Duration = Duration::from_secs(60);

/// What is on the agenda.
#[derive(Debug)]
enum Entry {
    /// A daemon goes on.
    Wait(Wait, Step),
    Block,
    Trouble,
    Start(usize),
    /// An endpoint or the market is well again.
    Heal(Trouble),
}

/// How far a wait has come.
#[derive(Debug)]
enum Step {
    /// The request reaches the node.
    Arrive(Fate),
    /// The daemon goes on with this.
    Go(Pass),
}

/// Where a daemon's power is cut: at the nth of these from now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cut {
    BeforeCommit,
    AfterCommit,
    BeforeRequest,
    AfterRequest,
    BetweenTurns,
}

/// The world.
#[derive(Debug)]
pub(super) struct World {
    pub(super) plan: Plan,
    pub(super) dice: Dice,
    pub(super) chain: Chain,
    /// Virtual milliseconds since the start.
    pub(super) now: u64,
    pub(super) base_fee: u128,
    pub(super) calm: bool,
    pub(super) daemons: Vec<Daemon>,
    /// Of each daemon.
    pub(super) endpoints: Vec<Vec<Endpoint>>,
    /// Hashes of transactions that another wallet signed with the daemons' key.
    pub(super) stolen: Vec<zugzwang::chain::types::B256>,
    /// The number of the next subject.
    pub(super) next_subject: u64,
    /// How often things happened, for the summary.
    pub(super) counts: BTreeMap<&'static str, u64>,
    agenda: BTreeMap<(u64, u64), Entry>,
    entries: u64,
    cut: Option<(Cut, u64)>,
    inbox: (mpsc::UnboundedSender<Wait>, mpsc::UnboundedReceiver<Wait>),
    trace: Trace,
}

/// What happened, as a hash, and as text where somebody reads it.
#[derive(Debug, Default)]
struct Trace {
    hasher: DefaultHasher,
    shown: bool,
}

impl World {
    pub(super) fn new(seed: u64, folder: &Path, shown: bool) -> Self {
        let mut dice = Dice::new(seed);
        let plan = Plan::of(&mut dice);
        let epoch_ms = i64::try_from(EPOCH * 1000).expect("a time");
        let daemons = (0..plan.daemons).map(|index| Daemon::new(index, &plan, folder, epoch_ms)).collect();
        let endpoints = (0..plan.daemons).map(|_| (0..plan.endpoints).map(|_| Endpoint::default()).collect()).collect();
        Self {
            dice,
            chain: Chain::new(EPOCH),
            now: 0,
            base_fee: 10_000_000_000,
            calm: false,
            daemons,
            endpoints,
            stolen: Vec::new(),
            next_subject: 1,
            counts: BTreeMap::new(),
            agenda: BTreeMap::new(),
            entries: 0,
            cut: None,
            inbox: mpsc::unbounded_channel(),
            trace: Trace { shown, ..Trace::default() },
            plan,
        }
    }

    /// Writes down what happened.
    pub(super) fn note(&mut self, text: std::fmt::Arguments<'_>) {
        let line = format!("{:>8} {text}", self.now);
        line.hash(&mut self.trace.hasher);
        if self.trace.shown {
            println!("{line}");
        }
    }

    pub(super) fn count(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
    }

    /// What stands for all that happened.
    pub(super) fn trace(&self) -> u64 {
        self.trace.hasher.finish()
    }

    /// Unix seconds of the chain.
    pub(super) fn seconds(&self) -> u64 {
        EPOCH + self.now / 1000
    }

    pub(super) fn desk(&self) -> &Desk {
        &self.chain.head().state.desk
    }

    fn later(&mut self, ms: u64, entry: Entry) {
        self.entries += 1;
        self.agenda.insert((self.now + ms, self.entries), entry);
    }

    pub(super) fn heal_in(&mut self, ms: u64, what: Trouble) {
        self.later(ms, Entry::Heal(what));
    }

    /// Runs the whole scenario.
    ///
    /// # Errors
    /// In words, if it doesn't come to rest.
    pub(super) async fn run(&mut self) -> Result<(), String> {
        let plan = self.plan.clone();
        self.note(format_args!("{plan:?}"));
        self.draw_cut();
        for index in 0..self.daemons.len() {
            let wait = self.dice.between(0..=20_000);
            self.later(wait, Entry::Start(index));
        }
        self.later(500, Entry::Block);
        self.later(1_000, Entry::Trouble);
        while self.now < self.plan.chaos_ms {
            self.gather().await?;
            self.step().await?;
        }
        self.becomes_calm();
        let mut next_look = self.now;
        while self.now < self.plan.chaos_ms + PATIENCE {
            self.gather().await?;
            if self.now >= next_look && (0..self.daemons.len()).all(|index| self.is_at_rest(index)) {
                next_look = self.now + 4_000;
                if self.is_settled().await {
                    let now = self.now;
                    self.note(format_args!("settled after {} s of calm", (now - self.plan.chaos_ms) / 1000));
                    return Ok(());
                }
            }
            self.step().await?;
        }
        Err(format!("it doesn't settle within {} virtual minutes: {}", PATIENCE / 60_000, self.unsettled().await))
    }

    /// Does what is next on the agenda.
    async fn step(&mut self) -> Result<(), String> {
        let Some(((at, _), entry)) = self.agenda.pop_first() else { return Err("nothing is left to happen".into()) };
        let passed = at - self.now;
        self.now = at;
        for daemon in &self.daemons {
            daemon.clock.advance(Duration::from_millis(passed));
        }
        match entry {
            Entry::Block => {
                self.mine();
                let pause = self.dice.between(800..=3_500);
                self.later(pause, Entry::Block);
            }
            Entry::Trouble if self.calm => {}
            Entry::Trouble => {
                self.make_trouble();
                let pause = self.dice.between(200..=2_000);
                self.later(pause, Entry::Trouble);
            }
            Entry::Start(index) => {
                self.note(format_args!("daemon {index} starts"));
                let (plan, inbox) = (self.plan.clone(), self.inbox.0.clone());
                // One that ended by itself has its store still open.
                self.daemons[index].cut().await;
                self.daemons[index].start(&plan, &inbox);
            }
            Entry::Heal(what) => self.heal(what),
            Entry::Wait(wait, step) => self.goes_on(wait, step).await,
        }
        Ok(())
    }

    /// Lets each daemon run until it waits. What comes meanwhile is taken up in an order that doesn't depend on which thread of
    /// a store was faster: daemon by daemon, and its proofs after itself.
    async fn gather(&mut self) -> Result<(), String> {
        let mut arrived: Vec<Wait> = Vec::new();
        loop {
            // Whatever can run runs, until it waits here or for its store.
            for _ in 0..4 {
                tokio::task::yield_now().await;
            }
            while let Ok(wait) = self.inbox.1.try_recv() {
                arrived.push(wait);
            }
            let busy = self.daemons.iter().find(|daemon| {
                let here = arrived.iter().any(|wait| {
                    wait.daemon == daemon.index
                        && wait.life == daemon.life
                        && wait.what != What::Proof
                        && !wait.go.is_closed()
                });
                let waits = here || self.waits().any(|wait| wait.daemon == daemon.index);
                daemon.standing == Standing::Running && !waits
            });
            let Some(busy) = busy.map(|daemon| daemon.index) else { break };
            match tokio::time::timeout(HANGS, self.inbox.1.recv()).await {
                Ok(Some(wait)) => arrived.push(wait),
                _ => return Err(format!("daemon {busy} hangs: it waits for nothing that the world knows")),
            }
        }
        arrived.sort_by_key(|wait| (wait.daemon, wait.what == What::Proof));
        for wait in arrived {
            self.arrives(wait);
        }
        Ok(())
    }

    /// The waits of daemons themselves, not of their proofs.
    fn waits(&self) -> impl Iterator<Item = &Wait> {
        self.agenda.values().filter_map(|entry| match entry {
            Entry::Wait(wait, _) if wait.what != What::Proof && !wait.go.is_closed() => Some(wait),
            _ => None,
        })
    }

    fn arrives(&mut self, wait: Wait) {
        let daemon = &self.daemons[wait.daemon];
        if daemon.life != wait.life || daemon.standing != Standing::Running {
            return;
        }
        match &wait.what {
            What::Ended(why) => {
                let (index, why) = (wait.daemon, why.clone());
                self.note(format_args!("daemon {index} ends: {why}"));
                self.ended(index, why);
            }
            What::Rpc { endpoint, request } => {
                let fate = self.fate(wait.daemon, *endpoint, request);
                let pause = self.dice.between(2..=40);
                self.later(pause, Entry::Wait(wait, Step::Arrive(fate)));
            }
            What::Commit(_) => self.later(1, Entry::Wait(wait, Step::Go(Pass::On))),
            What::Idle { behind } => {
                let pause = if *behind { 1 } else { self.plan.poll_ms };
                self.later(pause, Entry::Wait(wait, Step::Go(Pass::On)));
            }
            What::Proof => {
                let pause = self.dice.between(200..=6_000);
                self.later(pause, Entry::Wait(wait, Step::Go(Pass::On)));
            }
        }
    }

    /// A daemon ended by itself: whoever watches over it starts it again, unless it needs a person.
    fn ended(&mut self, index: usize, why: String) {
        let needs_person = why.contains("raise chain.max_reorg");
        self.daemons[index].standing = if needs_person { Standing::Stopped(why) } else { Standing::Down };
        self.count(if needs_person { "stopped" } else { "ended" });
        if !needs_person {
            self.later(5_000, Entry::Start(index));
        }
    }

    async fn goes_on(&mut self, wait: Wait, step: Step) {
        let daemon = &self.daemons[wait.daemon];
        if daemon.life != wait.life || daemon.standing != Standing::Running || wait.go.is_closed() {
            return;
        }
        let here = match (&wait.what, &step) {
            (What::Commit(Moment::BeforeCommit), _) => Some(Cut::BeforeCommit),
            (What::Commit(Moment::AfterCommit), _) => Some(Cut::AfterCommit),
            (What::Rpc { .. }, Step::Arrive(_)) => Some(Cut::BeforeRequest),
            (What::Rpc { .. }, Step::Go(_)) => Some(Cut::AfterRequest),
            (What::Idle { .. }, _) => Some(Cut::BetweenTurns),
            _ => None,
        };
        if !self.calm
            && let Some((cut, left)) = &mut self.cut
            && Some(*cut) == here
        {
            *left -= 1;
            if *left == 0 {
                return self.cut_power(wait.daemon, here).await;
            }
        }
        match step {
            Step::Go(pass) => {
                if let What::Rpc { endpoint, request } = &wait.what {
                    self.note(format_args!(
                        "daemon {} hears node {endpoint}: {}: {}",
                        wait.daemon,
                        brief(request),
                        said(&pass)
                    ));
                } else {
                    self.note(format_args!("daemon {} goes on: {:?}", wait.daemon, wait.what));
                }
                // A closed gate is a daemon that has changed its mind.
                let _ = wait.go.send(pass);
            }
            Step::Arrive(fate) => {
                let What::Rpc { endpoint, request } = &wait.what else { return };
                let (said, ms) = self.served(wait.daemon, *endpoint, request, fate);
                self.later(ms, Entry::Wait(wait, Step::Go(Pass::Said(said))));
            }
        }
    }

    fn draw_cut(&mut self) {
        use Cut::{AfterCommit, AfterRequest, BeforeCommit, BeforeRequest, BetweenTurns};
        let cut = self.dice.weighted(&[
            (4, BeforeCommit),
            (4, AfterCommit),
            (2, BeforeRequest),
            (4, AfterRequest),
            (1, BetweenTurns),
        ]);
        let most = match cut {
            BeforeCommit | AfterCommit => 40,
            BeforeRequest | AfterRequest => 400,
            BetweenTurns => 60,
        };
        let left = self.dice.between(1..=most);
        self.cut = self.plan.crashes.then_some((cut, left));
    }

    async fn cut_power(&mut self, index: usize, here: Option<Cut>) {
        self.note(format_args!("daemon {index} is killed: {here:?}"));
        self.count("crashes");
        self.daemons[index].cut().await;
        let pause = self.dice.weighted(&[(3, 300), (3, 4_000), (1, 30_000)]);
        self.later(pause, Entry::Start(index));
        self.draw_cut();
    }

    /// Ends every daemon, for good.
    pub(super) async fn end(&mut self) {
        for daemon in &mut self.daemons {
            let standing = daemon.standing.clone();
            daemon.cut().await;
            daemon.standing = standing;
        }
    }

    /// Whether a daemon is between two turns, or has stopped for good.
    pub(super) fn is_at_rest(&self, index: usize) -> bool {
        matches!(self.daemons[index].standing, Standing::Stopped(_))
            || self.waits().any(|wait| wait.daemon == index && matches!(wait.what, What::Idle { .. }))
    }
}

/// A request in a few words.
fn brief(request: &Value) -> String {
    let params = request["params"].to_string();
    let shown: String = params.chars().take(120).collect();
    format!("{} {shown}", request["method"].as_str().unwrap_or("a batch"))
}

/// The beginning of an answer.
fn said(pass: &Pass) -> String {
    match pass {
        Pass::Said(Ok(said)) => said.get("result").unwrap_or(&said["error"]).to_string().chars().take(160).collect(),
        other => format!("{other:?}"),
    }
}

/// A broken connection.
pub(super) const BROKEN: Fault = Fault::Broken("connection reset by peer");
