//! `zugzwang demo-web`.

use std::path::{Path, PathBuf};

use clap::Args as ClapArgs;

use super::{
    CliError, Output,
    demo::{MIN_MARGIN, loaded, sure_bulletins},
    run::stop_on_signal,
    thresholds::ThresholdArgs,
};
use crate::{
    demo::{
        self,
        web::{self, Fixture, Loaded, Model, Options, Ready},
    },
    out,
    prover::Prove,
};

#[derive(Clone, Debug, ClapArgs)]
pub(super) struct Args {
    /// The port of the pages; the next free one if it is taken, any for 0.
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// The folders of the models that play chess.
    #[arg(long, value_delimiter = ',', default_value = "models/chess-s,models/chess-m")]
    chess: Vec<PathBuf>,
    /// The text model's folder, with `bulletins.csv`.
    #[arg(long, default_value = "models/football")]
    text: PathBuf,
    /// The folder of the model that scores accounts, with `accounts.csv`.
    #[arg(long, default_value = "models/fraud")]
    fraud: PathBuf,
    #[command(flatten)]
    thresholds: ThresholdArgs,
    /// The least margin that decides a market, as the model's integer.
    #[arg(long, default_value_t = MIN_MARGIN)]
    min_margin: u32,
    /// No bettors, no savers: nothing happens but what visitors do.
    #[arg(long)]
    still: bool,
    /// Folder for cached keys.
    #[arg(long, default_value = ".zugzwang/cache")]
    cache: PathBuf,
    /// The anvil binary.
    #[arg(long, env = "ZUGZWANG_ANVIL")]
    anvil: Option<PathBuf>,
    /// Keep the daemon's files in this folder, which no demo has used yet.
    #[arg(long)]
    dir: Option<PathBuf>,
    /// Another seed, other accounts and matches.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// Serves pages for everything until a signal.
pub(super) async fn run(args: Args, output: Output) -> Result<(), CliError> {
    demo::check_folder(args.dir.as_deref())?;
    let stop = stop_on_signal()?;
    // What takes its time is no result: it goes to standard error, and nowhere for a program.
    let say = |line: &str| {
        if !output.json {
            out::note(line);
        }
    };
    let quiet = Output { json: true };
    let load = async |dir: &Path| -> Result<Model, CliError> {
        say(&format!("the keys of {} are loaded", dir.display()));
        let (prover, verifier) = loaded(dir, &args.cache, quiet).await?;
        Ok(Model { dir: dir.to_owned(), prover, verifier })
    };
    let mut chess = Vec::with_capacity(args.chess.len());
    for dir in &args.chess {
        chess.push(load(dir).await?);
    }
    let (text, fraud) = (load(&args.text).await?, load(&args.fraud).await?);
    let options = Options {
        port: args.port,
        accounts: args.fraud.join("accounts.csv"),
        thresholds: args.thresholds.of(&args.fraud)?,
        min_margin: args.min_margin,
        fixtures: fixtures(&args.text.join("bulletins.csv"), text.prover.as_ref(), args.min_margin, args.seed)?,
        cache: args.cache.clone(),
        seed: args.seed,
        anvil: args.anvil.clone(),
        dir: args.dir.clone(),
        still: args.still,
    };
    let ready = |ready: &Ready| show(ready, output);
    Ok(web::run(options, Loaded { chess, text, fraud }, stop, say, ready).await?)
}

/// One address for the person, and what else there is to know.
fn show(ready: &Ready, output: Output) {
    let words = || {
        format!(
            "Play at {}\nThe operator's console: {}   Ctrl-C ends the demo and its chain.",
            ready.address, ready.console
        )
    };
    // A result that can't be written as JSON would be a bug of its type: nothing in it can fail.
    if let Err(error) = output.print(ready, words) {
        out::note(&error.to_string());
    }
}

/// Matches whose results the model is sure of, from a place that depends on the seed.
fn fixtures(file: &Path, prover: &dyn Prove, min_margin: u32, seed: u64) -> Result<Vec<Fixture>, CliError> {
    let mut fixtures: Vec<Fixture> = sure_bulletins(file, prover, min_margin)?
        .into_iter()
        .filter_map(|(text, fields)| match fields.as_slice() {
            // The class, the date, and who plays.
            [_, _, home, away, ..] => Some(Fixture { home: home.clone(), away: away.clone(), text }),
            _ => None,
        })
        .collect();
    if fixtures.is_empty() {
        let why = "it names no match whose result the model is sure of; name another model, or lower --min-margin";
        return Err(CliError::failed(format!("{}: {why}", file.display())));
    }
    let start = usize::try_from(seed).unwrap_or_default() % fixtures.len();
    fixtures.rotate_left(start);
    Ok(fixtures)
}
