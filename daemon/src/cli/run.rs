//! `zugzwang run`.

use std::sync::Arc;

use tokio::{
    signal::unix::{SignalKind, signal},
    sync::watch,
};

use super::CliError;
use crate::{
    apps::{self, Ground},
    chain::{Client, Key},
    config::Config,
    fleet::Fleet,
    prover::{Models, Pool, Workshop},
    service::{self, Service},
    store::Store,
};

/// Runs the daemon until a signal.
pub(super) async fn run(config: Config) -> Result<(), CliError> {
    let store = Store::open(&config.store).await?;
    let key = Key::open(&config.key.keystore, &config.key.password)?;
    // What is wrong with the chain shows before the keys take their time.
    let client = Client::open(&config.chain).await?;
    let ground =
        Ground { client: client.clone(), signer: key.address(), models: Models::default(), store: store.clone() };
    apps::open(&config, &ground).await?;
    let (common, folders) = (config.model.clone(), config.model_folders());
    let prover = config.prover.clone();
    let loaded = move || {
        Models::check_memory(&common, &folders, &prover)?;
        Models::load(&common, &folders, &|step| tracing::info!("{step}"))
    };
    let models = tokio::task::spawn_blocking(loaded)
        .await
        .map_err(|e| CliError::model(format!("the keys can't be loaded: {e}")))??;
    let apps = apps::open(&config, &Ground { models: models.clone(), ..ground }).await?;
    let workshop: Arc<dyn Workshop> = match &config.fleet {
        Some(fleet) => Arc::new(Fleet::join(fleet.clone(), &config.prover, &models).await?),
        None => Arc::new(Pool::new(&config.prover, &models)?),
    };
    let service = Service::start(config, client, key, apps, store, workshop, service::log_only()).await?;
    Ok(service.run(stop_on_signal()?).await?)
}

/// Turns true at SIGINT or SIGTERM.
pub(super) fn stop_on_signal() -> Result<watch::Receiver<bool>, CliError> {
    let failed = |e: std::io::Error| CliError::failed(format!("signals: {e}"));
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    let (sender, receiver) = watch::channel(false);
    tokio::spawn(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        tracing::info!("stopping");
        // Nobody listens once the daemon has ended by itself.
        let _ = sender.send(true);
    });
    Ok(receiver)
}
