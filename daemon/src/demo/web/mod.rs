//! Everything at one address: a local chain with a chess arena, the World's arena, prediction markets and a guarded vault, the daemon that serves them
//! with its pages, and a little life, so that the pages have something to show.
//!
//! ```text
//! this process: local chain ─ contracts ─ publisher of results ─ bettors, savers, voters
//!      └─ starts, and starts again: zugzwang --config DIR/zugzwang.toml run   (chess, markets, guard, pages)
//! ```
//! The daemon is a process of its own, from a file as a person would write it: it can be killed at any time and goes on where it was.

mod bettors;
mod house;
mod place;
mod savers;
mod voters;

use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::PathBuf,
    sync::Arc,
};

use serde::Serialize;
use tokio::{sync::watch, task::JoinSet};

use super::{
    DemoError,
    guard::{Thresholds, replay::Timing},
    screen::Screen,
    stand::Stand,
};
use crate::{chain::types::Bytes, clock::Clock, prover::Prove};

/// Ports above the wished one that are tried.
const PORTS: u16 = 20;
/// Seconds between two blocks without transactions: so that what is mined becomes final, and clocks go on.
const BLOCK: &str = "2";
/// States of the chain that are kept; the daemon looks back a few blocks only.
const STATES: &str = "500";

/// How the demo is run.
#[derive(Clone, Debug)]
pub struct Options {
    /// The port of the pages; if it is taken, the next free one. 0 for any.
    pub port: u16,
    /// The folder of the model that scores accounts, with `accounts.csv`.
    pub accounts: PathBuf,
    /// From which scores the guard acts.
    pub thresholds: Thresholds,
    /// The least margin that decides a market, as the text model's integer.
    pub min_margin: u32,
    /// Matches with their results, one for each market.
    pub fixtures: Vec<Fixture>,
    /// Folder for cached keys.
    pub cache: PathBuf,
    /// Another seed, other accounts.
    pub seed: u64,
    /// The anvil binary, where it isn't found by itself.
    pub anvil: Option<PathBuf>,
    /// Where the daemon's files go; a temporary folder if not set.
    pub dir: Option<PathBuf>,
    /// Without bettors and savers: nothing happens but what visitors do.
    pub still: bool,
}

/// A match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fixture {
    /// Who plays at home.
    pub home: String,
    /// Who visits.
    pub away: String,
    /// The result as its publisher words it.
    pub text: String,
}

/// A model that the daemon proves.
#[derive(Clone, Debug)]
pub struct Model {
    /// Its folder.
    pub dir: PathBuf,
    /// With its keys.
    pub prover: Arc<dyn Prove>,
    /// Init code of its verifier.
    pub verifier: Bytes,
}

/// The models of the demo.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// Those that play chess, each with offers of its own.
    pub chess: Vec<Model>,
    /// The one that reads results.
    pub text: Model,
    /// The one that scores accounts.
    pub fraud: Model,
}

/// Where everything is, once it can be used.
#[derive(Clone, Debug, Serialize)]
pub struct Ready {
    /// The address of the pages.
    pub address: String,
    /// The console's address, with the operator's token behind the `#`, which browsers keep to themselves.
    pub console: String,
    /// The chain's node.
    pub rpc: String,
    /// The arena.
    pub arena: String,
    /// The arena of the World.
    pub world: String,
    /// Whose games of the World the daemon plays.
    pub sponsor: String,
    /// The contract of markets.
    pub markets: String,
    /// The guarded vault.
    pub vault: String,
    /// The folder of the daemon's files: `zugzwang.toml`, `daemon.log`, its store and its key.
    pub dir: String,
    /// The daemon's process. It may be killed, and is started again.
    pub daemon: u32,
}

/// Runs until `stop` turns true. `ready` is told once, when a visitor can play; `say` is told what takes its time.
///
/// # Errors
/// If the chain or the daemon can't be started, or one of them ends for good.
pub async fn run(
    options: Options,
    models: Loaded,
    mut stop: watch::Receiver<bool>,
    say: impl Fn(&str),
    ready: impl FnOnce(&Ready),
) -> Result<(), DemoError> {
    let listen = free_port(options.port)?;
    if options.port != 0 && listen.port() != options.port {
        say(&format!("port {} is taken: port {} is used", options.port, listen.port()));
    }
    let cast = super::guard::accounts(
        &options.accounts,
        options.thresholds,
        options.seed,
        models.fraud.prover.as_ref(),
        Timing::LastOnesLast,
    )?;
    // The chain begins so long ago that the accounts' past fits in before now.
    let begins = now_s().saturating_sub(savers::past(&cast));
    let begins = begins.to_string();
    let arguments = ["--block-time", BLOCK, "--mixed-mining", "--prune-history", STATES, "--timestamp", &begins];
    let screen = Screen::new(true);
    let stand = Arc::new(Stand::new(options.anvil.as_deref(), &arguments, options.dir.clone(), &screen).await?);
    say("contracts are deployed, and the vault's accounts get their past");
    let place = place::Place::set(&stand, &screen, &options, &models, listen, cast).await?;
    drop(models);
    let mut house = house::House::open(&stand.dir).await?;
    let shown = tokio::select! {
        shown = house.ready() => shown?,
        _ = stop.wait_for(|stop| *stop) => {
            house.close().await;
            return Ok(());
        }
    };
    ready(&place.ready(&stand, shown));
    let mut life = JoinSet::new();
    if !options.still {
        life.spawn(bettors::live(place.bets.clone(), stand.clone()));
        life.spawn(savers::live(place.savers, stand.clone()));
        life.spawn(voters::live(place.world.clone(), stand.clone()));
    }
    let ended = tokio::select! {
        ended = house.keep_open() => ended,
        _ = stop.wait_for(|stop| *stop) => Ok(()),
    };
    life.shutdown().await;
    house.close().await;
    if let Some(stand) = Arc::into_inner(stand) {
        stand.chain.stop().await;
    }
    ended
}

/// An address of this machine at which nobody listens. Somebody else may take it before the daemon does: then the daemon says so.
fn free_port(wished: u16) -> Result<SocketAddr, DemoError> {
    let last = if wished == 0 { 0 } else { wished.saturating_add(PORTS) };
    let free = (wished..=last).find_map(|port| {
        TcpListener::bind((Ipv4Addr::LOCALHOST, port)).and_then(|listener| listener.local_addr()).ok()
    });
    free.ok_or(DemoError::Ports { first: wished, last })
}

fn now_s() -> u64 {
    u64::try_from(Clock::system().now_ms() / 1000).unwrap_or_default()
}
