//! The command line. Every command ends in a result or in one line that says what, where and what
//! to do; no panic reaches a person.
//!
//! Exit codes: 0 done, 1 failed, 2 usage or configuration, 3 chain, 4 key, 5 model or prover,
//! 6 store, 70 a bug.

mod bench;
mod db;
mod demo;
mod deploy;
mod deploy_apps;
mod error;
mod feed;
mod key;
mod model;
mod net;
mod onchain;
mod private;
mod run;
mod srs;
mod worker;

use std::{io::ErrorKind, path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};
use serde::Serialize;
use tracing_subscriber::EnvFilter;

pub use error::CliError;

use crate::{
    config::{Config, RawConfig, WorkerConfig},
    out,
};

/// Answers contracts as their committed models say, and proves it.
#[derive(Debug, Parser)]
#[command(name = "zugzwang", version, about, propagate_version = true, arg_required_else_help = true)]
struct Cli {
    /// Configuration file (TOML); ZUGZWANG__SECTION__KEY variables override it.
    #[arg(short, long, global = true, env = "ZUGZWANG_CONFIG")]
    config: Option<PathBuf>,
    /// Print the result as JSON.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the daemon until SIGINT or SIGTERM.
    Run,
    /// Prove for a fleet until SIGINT or SIGTERM: a worker sees models and questions, and signs nothing.
    Worker,
    /// Check the configuration, and nothing else.
    Check(CheckArgs),
    /// Deploy an app's contracts: the arena with an offer, or an oracle, markets or a guarded vault.
    Deploy(deploy::Args),
    /// Play a game on a local chain: anvil, contracts, daemon and a human.
    Demo(demo::ChessArgs),
    /// Run a prediction market on a local chain: bets, a signed result, a proven resolution, payouts.
    DemoMarket(demo::MarketArgs),
    /// Show a vault on a local chain that a fraud model guards.
    DemoGuard(demo::GuardArgs),
    /// Measure how long a guard takes from a withdrawal to its judgement.
    BenchGuard(demo::LatencyArgs),
    /// Measure keys, proofs and gas.
    Bench(bench::Args),
    /// Work with models.
    #[command(subcommand)]
    Model(model::Command),
    /// Work with trusted set-ups.
    #[command(subcommand)]
    Srs(srs::Command),
    /// Sign, serve and verify bulletins.
    #[command(subcommand)]
    Feed(feed::Command),
    /// Work with keystore files.
    #[command(subcommand)]
    Key(key::Command),
    /// Copy, check and tidy up the store of jobs and transactions.
    #[command(subcommand)]
    Db(db::Command),
}

#[derive(Debug, clap::Args)]
struct CheckArgs {
    /// Print a file with every key and its default instead.
    #[arg(long)]
    template: bool,
}

/// The whole program.
pub fn main() -> ExitCode {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(|l| format!(" at {}:{}", l.file(), l.line())).unwrap_or_default();
        let text = panic.payload_as_str().unwrap_or("no message");
        out::note(&format!("zugzwang: bug: {}{place}; please report it", crate::chain::error::one_line(text)));
    }));
    let run = || {
        let cli = match Cli::try_parse() {
            Ok(cli) => cli,
            Err(error) => {
                // Help and version are no errors; clap prints both to where they belong.
                let _ = error.print();
                return if error.use_stderr() { ExitCode::from(2) } else { ExitCode::SUCCESS };
            }
        };
        let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
            Ok(runtime) => runtime,
            Err(error) => return CliError::failed(format!("no runtime: {error}")).report(),
        };
        let ended = runtime.block_on(async {
            tokio::select! {
                biased;
                kind = out::closed() => Err(kind),
                ended = run(cli) => match (ended, out::failed()) {
                    (Ok(()), Some(kind)) => Err(kind),
                    (ended, _) => Ok(ended),
                },
            }
        });
        // A proof in the making can't be stopped and isn't waited for.
        runtime.shutdown_background();
        let ended = ended.unwrap_or_else(|kind| match kind {
            // Its reader has seen enough.
            ErrorKind::BrokenPipe => Ok(()),
            kind => Err(CliError::failed(format!("standard output: {kind}; send it to where there is room"))),
        });
        ended.map_or_else(|error| error.report(), |()| ExitCode::SUCCESS)
    };
    std::panic::catch_unwind(run).unwrap_or(ExitCode::from(70))
}

async fn run(cli: Cli) -> Result<(), CliError> {
    let output = Output { json: cli.json };
    let file = cli.config.as_deref();
    match cli.command {
        Command::Run => {
            let config = Config::load(file)?;
            log(&config.log)?;
            run::run(config).await
        }
        Command::Worker => {
            let config = WorkerConfig::load(file)?;
            log(&config.log)?;
            worker::run(config).await
        }
        Command::Check(args) if args.template => {
            out::part(&RawConfig::template());
            Ok(())
        }
        Command::Check(_) => check(Config::load(file)?, output),
        Command::Deploy(args) => deploy::run(args, RawConfig::load(file)?, output).await,
        Command::Demo(args) => {
            log_from_environment("zugzwang=error")?;
            demo::chess(args, output).await
        }
        Command::DemoMarket(args) => {
            log_from_environment("zugzwang=error")?;
            demo::market(args, output).await
        }
        Command::DemoGuard(args) => {
            log_from_environment("zugzwang=error")?;
            demo::guard(args, output).await
        }
        Command::BenchGuard(args) => {
            log_from_environment("zugzwang=error")?;
            demo::latency(args, output).await
        }
        Command::Bench(args) => {
            log_from_environment("error")?;
            bench::run(args, output).await
        }
        Command::Model(command) => {
            log_from_environment("error")?;
            model::run(command, output).await
        }
        Command::Srs(command) => srs::run(command, output).await,
        Command::Feed(command) => {
            log_from_environment("zugzwang=info")?;
            feed::run(command, RawConfig::load(file)?, output).await
        }
        Command::Key(command) => key::run(command, RawConfig::load(file)?, output),
        Command::Db(command) => {
            log_from_environment("error")?;
            db::run(command, RawConfig::load(file)?, output).await
        }
    }
}

fn check(config: Config, output: Output) -> Result<(), CliError> {
    #[derive(Serialize)]
    struct Checked {
        rpc: String,
        chain_id: u64,
        contracts: Vec<String>,
        models: Vec<String>,
        store: String,
    }
    let contracts = config.contracts().iter().map(|(app, contract)| format!("{app} {contract}")).collect();
    let models = config.model_folders().iter().map(|folder| folder.display().to_string()).collect();
    let checked = Checked {
        rpc: config.chain.endpoints(),
        chain_id: config.chain.chain_id,
        contracts,
        models,
        store: config.store.place.to_string(),
    };
    output.print(&checked, || {
        format!(
            "the configuration is right: {} on chain {} at {}, models {}, store {}",
            checked.contracts.join(", "),
            checked.chain_id,
            checked.rpc,
            checked.models.join(", "),
            checked.store
        )
    })
}

/// Where results go.
#[derive(Clone, Copy, Debug)]
struct Output {
    json: bool,
}

impl Output {
    /// Prints a result as JSON or in words.
    fn print<T: Serialize>(self, value: &T, words: impl FnOnce() -> String) -> Result<(), CliError> {
        if self.json {
            let text = serde_json::to_string(value).map_err(|e| CliError::failed(format!("result: {e}")))?;
            out::line(&text);
        } else {
            out::line(&words());
        }
        Ok(())
    }
}

fn log(filter: &str) -> Result<(), CliError> {
    let filter: EnvFilter = filter.parse().map_err(|e| {
        CliError::config(format!("`log.filter` = \"{filter}\": {e}; write for example info or zugzwang=debug"))
    })?;
    // A second call is a test's; the first one stays.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
        .with_writer(std::io::stderr)
        // It would be written to where nothing can be written.
        .log_internal_errors(false)
        .try_init();
    Ok(())
}

fn log_from_environment(default: &str) -> Result<(), CliError> {
    let filter = std::env::var("ZUGZWANG__LOG__FILTER").unwrap_or_else(|_| default.to_owned());
    log(&filter)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_sound() {
        super::Cli::command().debug_assert();
    }
}
