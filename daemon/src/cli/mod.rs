//! The command line. Every command ends in a result or in one line that says what, where and what
//! to do; no panic reaches a person.
//!
//! Exit codes: 0 done, 1 failed, 2 usage or configuration, 3 chain, 4 key, 5 model or prover,
//! 6 store, 7 fleet, 8 HTTP or alerts, 70 a bug; each error has a code of its own ([`crate::code`]).

mod bench;
mod db;
mod demo;
mod demo_web;
mod deploy;
mod deploy_apps;
mod doctor;
mod error;
mod feed;
mod job;
mod key;
mod logs;
mod model;
mod net;
mod onchain;
mod pages;
mod private;
mod reach;
mod run;
mod srs;
mod status;
mod thresholds;
mod worker;

use std::{
    io::ErrorKind,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Parser, Subcommand};
use serde::Serialize;

pub use error::CliError;

use crate::{
    code::Code,
    config::{Config, RawConfig, WorkerConfig},
    out,
};

/// Answers contracts as their committed models say, and proves it.
#[derive(Debug, Parser)]
#[command(name = "zugzwang", version, about, propagate_version = true, arg_required_else_help = true)]
struct Cli {
    /// Configuration file (TOML); ZUGZWANG__SECTION__KEY variables override it. `run` takes several, one for each chain.
    #[arg(short, long, global = true, env = "ZUGZWANG_CONFIG", value_name = "FILE")]
    config: Vec<PathBuf>,
    /// Print the result as JSON.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the daemon until SIGINT or SIGTERM; SIGHUP reads limits, fees and the log's filter again.
    Run(run::Args),
    /// Prove for a fleet until SIGINT or SIGTERM: a worker sees models and questions, and signs nothing.
    Worker,
    /// Check the configuration, and with --online all that it names.
    Check(CheckArgs),
    /// Show what the daemon does, or where it stopped.
    Status,
    /// Follow what the daemon does.
    Tail,
    /// Read a block's logs again, and do what they ask; what has a job already isn't doubled.
    Replay(status::ReplayArgs),
    /// List jobs, and try them again or drop them.
    #[command(subcommand)]
    Job(job::JobCommand),
    /// List transactions, and replace or cancel them.
    #[command(subcommand)]
    Tx(job::TxCommand),
    /// Look at everything that could be wrong, with advice.
    Doctor,
    /// Deploy an app's contracts: the arena with an offer, or an oracle, markets or a guarded vault.
    Deploy(deploy::Args),
    /// Play a game on a local chain: anvil, contracts, daemon and a human.
    Demo(demo::ChessArgs),
    /// Run a prediction market on a local chain: bets, a signed result, a proven resolution, payouts.
    DemoMarket(demo::MarketArgs),
    /// Show a vault on a local chain that a fraud model guards.
    DemoGuard(demo::GuardArgs),
    /// Serve pages for all of it at one address: play, markets, a guarded vault, and the operator's console.
    DemoWeb(demo_web::Args),
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
    /// Print a shell's completions.
    Completions(pages::CompletionsArgs),
    /// Write manual pages.
    Man(pages::ManArgs),
}

#[derive(Debug, clap::Args)]
struct CheckArgs {
    /// Print a file with every key and its default instead.
    #[arg(long)]
    template: bool,
    /// Also ask the endpoints, and open key, store, models and contracts.
    #[arg(long, conflicts_with = "template")]
    online: bool,
}

/// The whole program.
pub fn main() -> ExitCode {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(|l| format!(" at {}:{}", l.file(), l.line())).unwrap_or_default();
        let text = panic.payload_as_str().unwrap_or("no message");
        let bug = Code::BUG;
        out::note(&format!("zugzwang: {bug}: bug: {}{place}; please report it", crate::chain::error::one_line(text)));
    }));
    let run = || {
        let cli = match Cli::try_parse() {
            Ok(cli) => cli,
            Err(error) => {
                return misused(&error);
            }
        };
        let output = Output { json: cli.json };
        let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
            Ok(runtime) => runtime,
            Err(error) => return CliError::failed(format!("no runtime: {error}")).report(output),
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
        ended.map_or_else(|error| error.report(output), |()| ExitCode::SUCCESS)
    };
    std::panic::catch_unwind(run).unwrap_or(ExitCode::from(Code::BUG.exit()))
}

/// Help and version are no errors; clap prints both to where they belong. What can't be read is shown in clap's own words, whose
/// layout helps people, or as JSON.
fn misused(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() {
        let _ = error.print();
        return ExitCode::SUCCESS;
    }
    if std::env::args_os().any(|argument| argument == "--json") {
        let text = error.to_string();
        let said = text.split("\n\n").next().unwrap_or_default().trim_start_matches("error: ");
        return CliError::new(Code::USAGE, said).report(Output { json: true });
    }
    let _ = error.print();
    CliError::new(Code::USAGE, "the command line can't be read; `zugzwang help` lists what there is")
        .report(Output { json: false })
}

async fn run(cli: Cli) -> Result<(), CliError> {
    let output = Output { json: cli.json };
    let files = cli.config;
    // Of several files each belongs to a chain: only some commands are about all of them.
    let file = || -> Result<Option<&Path>, CliError> { Ok(reach::one(&files)?.map(PathBuf::as_path)) };
    let config = || -> Result<Config, CliError> { Ok(Config::load(file()?)?) };
    match cli.command {
        Command::Run(args) => run::run(&files, args).await,
        Command::Worker => {
            let config = WorkerConfig::load(file()?)?;
            logs::start(&config.log)?;
            worker::run(config).await
        }
        Command::Check(args) if args.template => {
            out::part(&RawConfig::template());
            Ok(())
        }
        Command::Check(args) if args.online => {
            logs::from_environment("error")?;
            doctor::check_online(&run::configs(&files)?, output).await
        }
        Command::Check(_) => check(run::configs(&files)?, output),
        Command::Status => status::status(run::configs(&files)?, output).await,
        Command::Tail => status::tail(config()?, output).await,
        Command::Replay(args) => {
            logs::from_environment("warn")?;
            status::replay(args, config()?, output).await
        }
        Command::Job(command) => job::job(command, config()?, output).await,
        Command::Tx(command) => job::tx(command, config()?, output).await,
        Command::Doctor => {
            logs::from_environment("error")?;
            doctor::doctor(&files, output).await
        }
        Command::Completions(args) => pages::completions(&args),
        Command::Man(args) => pages::man(&args, output),
        Command::Deploy(args) => deploy::run(args, RawConfig::load(file()?)?, output).await,
        Command::Demo(args) => {
            logs::from_environment("zugzwang=error")?;
            demo::chess(args, output).await
        }
        Command::DemoMarket(args) => {
            logs::from_environment("zugzwang=error")?;
            demo::market(args, output).await
        }
        Command::DemoGuard(args) => {
            logs::from_environment("zugzwang=error")?;
            demo::guard(args, output).await
        }
        Command::DemoWeb(args) => {
            logs::from_environment("zugzwang=error")?;
            demo_web::run(args, output).await
        }
        Command::BenchGuard(args) => {
            logs::from_environment("zugzwang=error")?;
            demo::latency(args, output).await
        }
        Command::Bench(args) => {
            logs::from_environment("error")?;
            bench::run(args, output).await
        }
        Command::Model(command) => {
            logs::from_environment("error")?;
            model::run(command, output).await
        }
        Command::Srs(command) => srs::run(command, output).await,
        Command::Feed(command) => {
            logs::from_environment("zugzwang=info")?;
            feed::run(command, RawConfig::load(file()?)?, output).await
        }
        Command::Key(command) => key::run(command, RawConfig::load(file()?)?, output),
        Command::Db(command) => {
            logs::from_environment("error")?;
            db::run(command, RawConfig::load(file()?)?, output).await
        }
    }
}

fn check(configs: Vec<Config>, output: Output) -> Result<(), CliError> {
    #[derive(Serialize)]
    struct Checked {
        rpc: String,
        chain_id: u64,
        contracts: Vec<String>,
        models: Vec<String>,
        store: String,
    }
    let checked = |config: Config| Checked {
        contracts: config.contracts().iter().map(|(app, contract)| format!("{app} {contract}")).collect(),
        models: config.model_folders().iter().map(|folder| folder.display().to_string()).collect(),
        rpc: config.chain.endpoints(),
        chain_id: config.chain.chain_id,
        store: config.store.place.to_string(),
    };
    for checked in configs.into_iter().map(checked) {
        output.print(&checked, || {
            format!(
                "the configuration is right: {} on chain {} at {}, models {}, store {}",
                checked.contracts.join(", "),
                checked.chain_id,
                checked.rpc,
                checked.models.join(", "),
                checked.store
            )
        })?;
    }
    Ok(())
}

/// Where results go.
#[derive(Clone, Copy, Debug)]
struct Output {
    json: bool,
}

impl Output {
    /// Tells a person where things stand; a program only wants the result.
    fn say(self, line: &str) {
        if !self.json {
            out::line(line);
        }
    }

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

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_sound() {
        super::Cli::command().debug_assert();
    }
}
