//! `zugzwang run`: one service for each configuration, with one server, one set of models and one log for all of them.
//!
//! ```text
//! configurations ─► stores ─► server (not ready) ─► keys, nodes, contracts ─► models ─► services ─► ready
//! SIGHUP: policy is read again        SIGTERM, SIGINT: drained        the second one: ended at once
//! ```

mod reload;
mod signals;

use std::{collections::BTreeMap, path::PathBuf, sync::Arc, time::Duration};

use tokio::{
    sync::watch,
    task::{JoinHandle, JoinSet},
    time::timeout,
};

use super::{CliError, logs};
use crate::{
    alerts::Outbox,
    apps::{self, App, Ground},
    chain::{Client, Keys, signer},
    code::Code,
    config::{Config, ConfigError, RawConfig},
    fleet::Fleet,
    http::{Live, Panel, Running, Server},
    monitor::{self, Monitor, trace::Traces},
    prover::{Models, Pool, Workshop},
    service::{self, Observer, Service, ServiceError},
    store::Store,
};

pub(super) use signals::stop_on_signal;

/// Sections and keys that all files share: there is one server, one log and one workshop for all of them.
const SHARED: [&str; 8] = ["http", "log", "trace", "prover", "fleet", "model.cache", "model.shape", "model.srs"];
/// How long alerts that wait are sent at the end.
const LAST_WORDS: Duration = Duration::from_secs(5);

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Seconds that SIGTERM gives to what is under way: the turn of the loop and its sends. Proofs are left for the next run.
    #[arg(long, default_value_t = 30, value_name = "SECONDS")]
    drain: u64,
}

/// A configuration with where it came from.
#[derive(Clone, Debug)]
pub(super) struct Named {
    /// The file, or the environment.
    name: String,
    file: Option<PathBuf>,
    raw: RawConfig,
    config: Config,
}

/// Reads all files, or the environment alone.
pub(super) fn load(files: &[PathBuf]) -> Result<Vec<Named>, CliError> {
    let read = |file: Option<&PathBuf>| -> Result<Named, CliError> {
        let raw = RawConfig::load(file.map(PathBuf::as_path))?;
        let config = Config::from_raw(raw.clone())?;
        let name = file.map_or("the environment".to_owned(), |file| file.display().to_string());
        Ok(Named { name, file: file.cloned(), raw, config })
    };
    let all = match files {
        [] => vec![read(None)?],
        files => files.iter().map(|file| read(Some(file))).collect::<Result<_, _>>()?,
    };
    agree(&all)?;
    Ok(all)
}

/// Refuses files that one process can't serve.
fn agree(all: &[Named]) -> Result<(), ConfigError> {
    for (index, second) in all.iter().enumerate() {
        let clash = |first: &Named, why: &str| ConfigError::Contradiction {
            first: first.name.clone(),
            second: second.name.clone(),
            why: why.to_owned(),
        };
        for first in &all[..index] {
            if first.config.chain.chain_id == second.config.chain.chain_id {
                let why = "they follow the same chain, and would share its cursor and its nonces; put all of its \
                           contracts into one file";
                return Err(clash(first, why));
            }
        }
        if let Some(first) = all.first() {
            let differs =
                SHARED.iter().find(|name| reload::section(&first.raw, name) != reload::section(&second.raw, name));
            if let Some(name) = differs {
                return Err(clash(first, &format!("`{name}` differs, of which a process has one; make it the same")));
            }
        }
    }
    Ok(())
}

/// The configurations alone, for commands that only look.
pub(super) fn configs(files: &[PathBuf]) -> Result<Vec<Config>, CliError> {
    Ok(load(files)?.into_iter().map(|named| named.config).collect())
}

/// Runs the daemon until a signal, or until every service has ended by an error.
pub(super) async fn run(files: &[PathBuf], args: Args) -> Result<(), CliError> {
    let all = load(files)?;
    let Some(first) = all.first() else { return Err(CliError::config("no configuration")) };
    let logs = logs::start(&first.config.log)?;
    let metrics = monitor::install().map_err(crate::http::HttpError::Metrics)?;
    let signals = signals::Signals::listen()?;
    let stores = open_stores(&all).await?;
    let mut panels = Vec::new();
    for named in &all {
        let config = &named.config;
        let outbox = Arc::new(Outbox::start(&config.alerts.webhooks)?);
        let monitor = Monitor::new(config.chain.chain_id, config.http.clone(), config.alerts.clone(), outbox);
        let store = store_of(&stores, config)?;
        panels.push(Panel::new(config, monitor, store));
    }
    let running = all.iter().map(|named| Running::file_of(&named.config)).collect();
    let server = Server::bind(&first.config.http, first.config.web.limits, panels.clone(), metrics, running).await?;
    let (end_server, server_ends) = watch::channel(false);
    let server = server.map(|server| tokio::spawn(server.run(server_ends)));

    let traces = Traces::start(&first.config.trace).map_err(|why| CliError::config(format!("`trace.otlp`: {why}")))?;
    let drain = Duration::from_secs(args.drain);
    let ended = serve(&all, &panels, traces.as_ref(), &logs, &signals, drain).await;
    if let Some(traces) = traces {
        // It waits for the collector.
        let _ = tokio::task::spawn_blocking(move || traces.close()).await;
    }
    for panel in &panels {
        panel.monitor.close(LAST_WORDS).await;
    }
    end(end_server, server).await;
    ended
}

async fn end(stop: watch::Sender<bool>, server: Option<JoinHandle<()>>) {
    // The server ends when it is told so, or when there is nobody left to tell it.
    let _ = stop.send(true);
    if let Some(server) = server {
        let _ = timeout(LAST_WORDS, server).await;
    }
}

/// Loads what the services need, and runs them.
async fn serve(
    all: &[Named],
    panels: &[Panel],
    traces: Option<&Traces>,
    logs: &logs::Logs,
    signals: &signals::Signals,
    drain: Duration,
) -> Result<(), CliError> {
    let started = tokio::select! {
        started = start(all, panels, traces) => started?,
        () = signals.stopped() => return Ok(()),
    };
    let mut services = JoinSet::new();
    let mut samplers = JoinSet::new();
    let stop_sampling = watch::channel(false);
    for ((service, live), panel) in started.into_iter().zip(panels) {
        // They are set once: there is one service for each panel.
        let _ = panel.desk.set(service.desk());
        let client = live.client().clone();
        let _ = panel.live.set(live);
        samplers.spawn(panel.monitor.clone().sample(panel.store.clone(), client, stop_sampling.1.clone()));
        let (monitor, stop) = (panel.monitor.clone(), signals.stop());
        services.spawn(async move {
            let ended = service.run(stop).await;
            if let Err(error) = &ended {
                tracing::error!(chain = monitor.chain_id(), "stopped by an error: {error}");
                monitor.ended(error);
            }
            ended
        });
    }
    let mut reloader = reload::Reloader::new(all, panels, logs);
    let mut ended = Ok(());
    loop {
        tokio::select! {
            () = all_of(&mut services, &mut ended) => break,
            () = signals.hung_up() => reloader.reload().await,
            () = signals.stopped() => {
                drained(&mut services, &mut ended, panels, signals, drain).await;
                break;
            }
        }
    }
    // Not waited for: one of them may wait for a node.
    samplers.shutdown().await;
    for panel in panels {
        panel.store.close().await;
    }
    ended
}

/// Waits until every service has ended, and keeps the first error. Given up half way, it has lost none.
async fn all_of(services: &mut JoinSet<Result<(), ServiceError>>, first: &mut Result<(), CliError>) {
    while let Some(ended) = services.join_next().await {
        let ended = match ended {
            Ok(ended) => ended.map_err(CliError::from),
            Err(panic) => Err(CliError::new(Code::BUG, format!("a service ended unexpectedly: {panic}"))),
        };
        if first.is_ok() {
            *first = ended;
        }
    }
}

/// Waits for what is under way, but not for long, and not if a second signal comes.
async fn drained(
    services: &mut JoinSet<Result<(), ServiceError>>,
    first: &mut Result<(), CliError>,
    panels: &[Panel],
    signals: &signals::Signals,
    drain: Duration,
) {
    let seconds = drain.as_secs();
    tracing::info!(seconds, "stopping: what is under way is finished; a second signal ends it at once");
    for panel in panels {
        panel.monitor.stopping();
    }
    let left = tokio::select! {
        drained = timeout(drain, all_of(services, first)) => match drained {
            Ok(()) => return,
            Err(_) => format!("what was under way did not finish within {seconds} s"),
        },
        () = signals.stopped_twice() => "a second signal came".to_owned(),
    };
    // Dropped where they are, as a crash would: what is stored goes on with the next run.
    services.abort_all();
    let why = format!("{left}, and was left; nothing that is stored is lost: the next run goes on with it");
    *first = Err(CliError::new(Code::NOT_DRAINED, why));
}

/// Each store once, for however many chains it holds.
async fn open_stores(all: &[Named]) -> Result<Vec<Store>, CliError> {
    let mut stores: Vec<Store> = Vec::new();
    for named in all {
        let place = &named.config.store.place;
        if !stores.iter().any(|store| store.place() == place) {
            stores.push(Store::open(place.clone()).await?);
        }
    }
    Ok(stores)
}

fn store_of(stores: &[Store], config: &Config) -> Result<Store, CliError> {
    let found = stores.iter().find(|store| *store.place() == config.store.place);
    found.cloned().ok_or_else(|| CliError::new(Code::BUG, "a store was not opened"))
}

/// Opens keys, nodes and contracts of all, so that what is wrong with them shows before the models take their time.
async fn start(all: &[Named], panels: &[Panel], traces: Option<&Traces>) -> Result<Vec<(Service, Live)>, CliError> {
    let mut grounds = Vec::new();
    for (named, panel) in all.iter().zip(panels) {
        grounds.push(ground(&named.config, panel.store.clone()).await?);
    }
    let mut loaded = LoadedModels::default();
    let mut models = Vec::new();
    for named in all {
        models.push(loaded.of(&named.config).await?);
    }
    let Some(first) = all.first() else { return Ok(vec![]) };
    let workshop = workshop(&first.config, &Models::union(&models)).await?;
    let mut services = Vec::new();
    for (((named, panel), (keys, ground)), models) in all.iter().zip(panels).zip(grounds).zip(models) {
        let (config, ground) = (&named.config, Ground { models, ..ground });
        let apps = apps::open(config, &ground).await?;
        let mut observer = panel.monitor.observer();
        if let Some(traces) = traces {
            observer = traces.observer(config.chain.chain_id, observer);
        }
        let service = service(config, keys, &ground, apps.clone(), workshop.clone(), observer).await?;
        let live = Live::new(config.clone(), ground, apps, workshop.clone(), panel.monitor.clone());
        services.push((service.keeping_store_open(), live));
    }
    Ok(services)
}

/// A service that doesn't run, with its store: for what a command does in the place of a stopped daemon.
pub(super) async fn once(config: Config) -> Result<(Service, Store), CliError> {
    let store = Store::open(config.store.place.clone()).await?;
    let (keys, ground) = ground(&config, store.clone()).await?;
    let models = LoadedModels::default().of(&config).await?;
    // Nothing is proven by it: a pool of this process does, whatever the configuration says of a fleet.
    let workshop = Arc::new(Pool::new(&config.prover, &models)?);
    let ground = Ground { models, ..ground };
    let apps = apps::open(&config, &ground).await?;
    let service = service(&config, keys, &ground, apps, workshop, service::log_only()).await?;
    Ok((service, store))
}

/// Keys, node and contracts.
async fn ground(config: &Config, store: Store) -> Result<(Keys, Ground), CliError> {
    let keys = Keys::open(&config.keys, config.chain.chain_id).await?;
    let client = Client::open(&config.chain).await?;
    let (signer, signers) = (keys.get(signer::DEFAULT)?.address(), keys.addresses());
    let ground = Ground { client, signer, signers, models: Models::default(), store };
    apps::open(config, &ground).await?;
    Ok((keys, ground))
}

/// Where proofs are made.
async fn workshop(config: &Config, models: &Models) -> Result<Arc<dyn Workshop>, CliError> {
    Ok(match &config.fleet {
        Some(fleet) => Arc::new(Fleet::join(fleet.clone(), &config.prover, models).await?),
        None => Arc::new(Pool::new(&config.prover, models)?),
    })
}

async fn service(
    config: &Config,
    keys: Keys,
    ground: &Ground,
    apps: Vec<Arc<dyn App>>,
    workshop: Arc<dyn Workshop>,
    observer: Observer,
) -> Result<Service, CliError> {
    let (store, client) = (ground.store.clone(), ground.client.clone());
    Ok(Service::start(config.clone(), client, keys, apps, store, workshop, observer).await?)
}

/// Models by their folders: each is loaded once, for however many chains it serves.
#[derive(Default)]
struct LoadedModels(BTreeMap<PathBuf, Models>);

impl LoadedModels {
    async fn of(&mut self, config: &Config) -> Result<Models, CliError> {
        let mut own = Vec::new();
        for folder in config.model_folders() {
            if let Some(models) = self.0.get(&folder) {
                own.push(models.clone());
                continue;
            }
            let (common, folders, prover) = (config.model.clone(), [folder.clone()], config.prover.clone());
            let load = move || {
                Models::check_memory(&common, &folders, &prover)?;
                Models::load(&common, &folders, &|step| tracing::info!("{step}"))
            };
            let models = tokio::task::spawn_blocking(load)
                .await
                .map_err(|e| CliError::model(format!("the keys can't be loaded: {e}")))??;
            self.0.insert(folder, models.clone());
            own.push(models);
        }
        Ok(Models::union(&own))
    }
}
