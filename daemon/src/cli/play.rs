//! `zugzwang run` and `zugzwang demo`.

use std::path::PathBuf;

use clap::Args as ClapArgs;
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::watch,
};

use super::{CliError, Output};
use crate::{
    apps::{self, Ground},
    chain::{Client, Key, bytecode},
    config::{Config, ModelConfig},
    demo::chess::{self as demo, Code, Options},
    out,
    prover::{self, Models, Source, verifier},
    service::{self, Service},
    store::Store,
};

#[derive(Debug, ClapArgs)]
pub(super) struct Args {
    /// Type the human's moves yourself, in SAN or UCI.
    #[arg(long, env = "HUMAN", value_parser = clap::builder::FalseyValueParser::new())]
    human: bool,
    /// The human plays Black.
    #[arg(long)]
    black: bool,
    /// Stop after this many NPC moves.
    #[arg(long, value_name = "N")]
    moves: Option<u64>,
    /// Another seed, another game of the scripted human.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The model's folder.
    #[arg(long, default_value = "models/chess-m")]
    model: PathBuf,
    /// Shape of the circuit; the model's own if not given.
    #[arg(long, default_value = "")]
    shape: String,
    /// Folder for cached keys.
    #[arg(long, default_value = ".zugzwang/cache")]
    cache: PathBuf,
    /// The anvil binary.
    #[arg(long, env = "ZUGZWANG_ANVIL")]
    anvil: Option<PathBuf>,
    /// Keep the demo's store and key in this folder.
    #[arg(long)]
    dir: Option<PathBuf>,
}

/// Runs the daemon until a signal.
pub(super) async fn run(config: Config) -> Result<(), CliError> {
    let store = Store::open(&config.store).await?;
    let key = Key::open(&config.key.keystore, &config.key.password)?;
    // What is wrong with the chain shows before the keys take their time.
    let client = Client::connect_to(&config.chain.rpc, config.chain.chain_id, config.chain.timeout).await?;
    let ground = Ground { client, signer: key.address(), models: Models::default(), store: store.clone() };
    apps::open(&config, &ground).await?;
    let (common, folders) = (config.model.clone(), config.model_folders());
    let loaded = move || Models::load(&common, &folders, &|step| tracing::info!("{step}"));
    let models = tokio::task::spawn_blocking(loaded)
        .await
        .map_err(|e| CliError::model(format!("the keys can't be loaded: {e}")))??;
    let apps = apps::open(&config, &Ground { models, ..ground }).await?;
    let service = Service::start(config, key, apps, store, service::log_only()).await?;
    Ok(service.run(stop_on_signal()?).await?)
}

/// Turns true at SIGINT or SIGTERM.
fn stop_on_signal() -> Result<watch::Receiver<bool>, CliError> {
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

/// Plays the demo.
pub(super) async fn demo(args: Args, output: Output) -> Result<(), CliError> {
    let say = |line: &str| {
        if !output.json {
            out::line(line);
        }
    };
    say(&format!(
        "Zugzwang demo: a human against {} on a local chain; each NPC move is proven and verified on chain.",
        args.model.display()
    ));
    let model = ModelConfig { dir: args.model.clone(), shape: args.shape, cache: args.cache, srs: Source::BuiltIn };
    let quiet = output.json;
    let prover = tokio::task::spawn_blocking(move || {
        prover::load(&model, &|step| {
            if !quiet {
                out::line(step);
            }
        })
    })
    .await
    .map_err(|e| CliError::model(format!("the keys can't be loaded: {e}")))??;
    let code = Code { arena: bytecode::arena(), verifier: verifier::get(&args.model, prover.as_ref()).await?.bytecode };
    let options = Options {
        interactive: args.human,
        black: args.black,
        moves: args.moves,
        seed: args.seed,
        anvil: args.anvil,
        dir: args.dir,
        quiet,
    };
    let mut stop = stop_on_signal()?;
    tokio::select! {
        summary = demo::play(options, prover, code) => {
            let summary = summary?;
            if output.json { output.print(&summary, String::new) } else { Ok(()) }
        }
        _ = stop.wait_for(|stop| *stop) => Err(CliError::failed("stopped; the local chain is gone with its game")),
    }
}
