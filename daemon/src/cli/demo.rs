//! `zugzwang demo`, `demo-market` and `demo-guard`.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::Args as ClapArgs;
use serde::Serialize;

use super::{CliError, Output, run::stop_on_signal, thresholds::ThresholdArgs};
use crate::{
    chain::{
        bytecode,
        types::{Bytes, U256},
    },
    config::ModelConfig,
    demo::{
        self, DemoError,
        chess::{self, Code, Options},
        guard::{self, latency},
        market,
    },
    feed::Text,
    prover::{self, Prove, Source, verifier},
};

#[derive(Debug, ClapArgs)]
pub(super) struct ChessArgs {
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
    /// Keep the demo's store and key in this folder, which no demo has used yet.
    #[arg(long)]
    dir: Option<PathBuf>,
}

/// What the demos of text and account models have in common.
#[derive(Clone, Debug, ClapArgs)]
pub(super) struct Common {
    /// Folder for cached keys.
    #[arg(long, default_value = ".zugzwang/cache")]
    cache: PathBuf,
    /// The anvil binary.
    #[arg(long, env = "ZUGZWANG_ANVIL")]
    anvil: Option<PathBuf>,
    /// Keep the demo's store and key in this folder, which no demo has used yet.
    #[arg(long)]
    dir: Option<PathBuf>,
    /// Another seed, another example of the data set.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

#[derive(Debug, ClapArgs)]
pub(super) struct MarketArgs {
    /// The text model's folder, with `bulletins.csv`.
    #[arg(long, default_value = "models/football")]
    model: PathBuf,
    /// The least margin that decides, as the model's integer.
    #[arg(long, default_value_t = MIN_MARGIN)]
    min_margin: u32,
    /// What the publisher signs instead of a line of `bulletins.csv`: 1 to 248 printable ASCII characters.
    #[arg(long)]
    text: Option<String>,
    #[command(flatten)]
    common: Common,
}

/// Plays a game.
pub(super) async fn chess(args: ChessArgs, output: Output) -> Result<(), CliError> {
    demo::check_folder(args.dir.as_deref())?;
    output.say(&format!(
        "Zugzwang demo: a human against {} on a local chain; each NPC move is proven and verified on chain.",
        args.model.display()
    ));
    let model = ModelConfig { dir: args.model.clone(), shape: args.shape, cache: args.cache, srs: Source::BuiltIn };
    let (prover, verifier) = with_keys(model, output).await?;
    let code = Code { arena: bytecode::arena(), verifier };
    let options = Options {
        interactive: args.human,
        black: args.black,
        moves: args.moves,
        seed: args.seed,
        anvil: args.anvil,
        dir: args.dir,
        quiet: output.json,
    };
    shown(chess::play(options, prover, code), output).await
}

#[derive(Clone, Debug, ClapArgs)]
pub(super) struct GuardArgs {
    /// The folder of the model that scores accounts, with `accounts.csv`.
    #[arg(long, default_value = "models/fraud")]
    model: PathBuf,
    #[command(flatten)]
    thresholds: ThresholdArgs,
    /// Compile the model anew as a private one: its weights are in nobody's hands but the daemon's.
    #[arg(long)]
    private: bool,
    #[command(flatten)]
    common: Common,
}

/// See `models/football/README.md`.
pub(super) const MIN_MARGIN: u32 = 110;

#[derive(Clone, Debug, ClapArgs)]
pub(super) struct LatencyArgs {
    #[command(flatten)]
    guard: GuardArgs,
    /// How many withdrawals are judged.
    #[arg(long, default_value_t = 200)]
    incidents: usize,
    /// How many requests of others wait at each of them.
    #[arg(long, default_value_t = 0)]
    queue: usize,
    /// The model that the others ask.
    #[arg(long, default_value = "models/football")]
    other: PathBuf,
}

/// Shows a guarded vault.
pub(super) async fn guard(args: GuardArgs, output: Output) -> Result<(), CliError> {
    demo::check_folder(args.common.dir.as_deref())?;
    let thresholds = args.thresholds.of(&args.model)?;
    output.say(&format!(
        "Zugzwang demo: a vault on a local chain whose large withdrawals are judged by {}{}.",
        args.model.display(),
        if args.private { ", as a private model" } else { "" }
    ));
    let temporary;
    let folder = if args.private {
        temporary = private_copy(&args.model).await?;
        temporary.path().to_owned()
    } else {
        args.model.clone()
    };
    let (prover, verifier) = loaded(&folder, &args.common.cache, output).await?;
    let options = guard::Options {
        accounts: args.model.join("accounts.csv"),
        model: folder,
        seed: args.common.seed,
        thresholds,
        anvil: args.common.anvil,
        dir: args.common.dir,
        quiet: output.json,
    };
    shown(guard::play(options, prover, verifier), output).await
}

/// Measures how long a guard takes.
pub(super) async fn latency(args: LatencyArgs, output: Output) -> Result<(), CliError> {
    let quiet = Output { json: true };
    let (prover, verifier) = loaded(&args.guard.model, &args.guard.common.cache, quiet).await?;
    let other = if args.queue > 0 {
        let (prover, verifier) = loaded(&args.other, &args.guard.common.cache, quiet).await?;
        let [inputs, outputs] = prover::schema(&args.other)?;
        let limbs: usize =
            inputs.iter().map(|(count, bits)| (*count as usize).div_ceil(253 / usize::from(*bits).max(1))).sum();
        let (model, input) = (args.other, vec![U256::ZERO; limbs]);
        Some(latency::Other { model, prover, verifier, schema: (inputs, outputs), input })
    } else {
        None
    };
    let options = latency::Options {
        accounts: args.guard.model.join("accounts.csv"),
        thresholds: args.guard.thresholds.of(&args.guard.model)?,
        model: args.guard.model,
        incidents: args.incidents,
        queue: args.queue,
        anvil: args.guard.common.anvil,
    };
    let found = latency::measure(options, prover, verifier, other).await?;
    output.print(&found, || {
        format!(
            "{} incidents, {} of them paused the vault, {} other requests waiting ({} answered meanwhile)
withdrawal sent to judgement mined: median {:.2} s, 99 % within {:.2} s, at most {:.2} s; the proof alone {:.2} s",
            found.incidents,
            found.paused,
            found.queue,
            found.answered,
            found.median_s,
            found.p99_s,
            found.most_s,
            found.prove_s
        )
    })
}

/// Compiles a model's ONNX file as a private one, in a folder that goes with the demo.
async fn private_copy(model: &Path) -> Result<crate::demo::Folder, CliError> {
    let folder = crate::demo::Folder::new()?;
    let (model, out) = (model.to_owned(), folder.path().to_owned());
    let samples = super::net::read_samples(&model.join("calibration.csv"))?;
    tokio::task::spawn_blocking(move || prover::compile_private(&model, &samples, &out))
        .await
        .map_err(|e| CliError::model(format!("it can't be compiled: {e}")))??;
    Ok(folder)
}

/// Runs a market from its opening to the payout.
pub(super) async fn market(args: MarketArgs, output: Output) -> Result<(), CliError> {
    demo::check_folder(args.common.dir.as_deref())?;
    output.say(&format!(
        "Zugzwang demo: a prediction market on a local chain, decided by what {} reads in a signed bulletin.",
        args.model.display()
    ));
    let (prover, verifier) = loaded(&args.model, &args.common.cache, output).await?;
    let text = match args.text {
        Some(text) => text,
        None => {
            let file = args.model.join("bulletins.csv");
            one_bulletin(&file, prover.as_ref(), args.min_margin, args.common.seed)?
        }
    };
    let options = market::Options {
        text,
        model: args.model,
        min_margin: args.min_margin,
        anvil: args.common.anvil,
        dir: args.common.dir,
        quiet: output.json,
    };
    shown(market::play(options, prover, verifier), output).await
}

/// Runs a demo until it ends or a signal comes.
async fn shown<T: Serialize>(demo: impl Future<Output = Result<T, DemoError>>, output: Output) -> Result<(), CliError> {
    let mut stop = stop_on_signal()?;
    tokio::select! {
        summary = demo => {
            let summary = summary?;
            if output.json { output.print(&summary, String::new) } else { Ok(()) }
        }
        _ = stop.wait_for(|stop| *stop) => Err(CliError::failed("stopped; the local chain is gone with all on it")),
    }
}

/// A net with its keys, and the init code of its verifier.
pub(super) async fn loaded(model: &Path, cache: &Path, output: Output) -> Result<(Arc<dyn Prove>, Bytes), CliError> {
    let (dir, cache) = (model.to_owned(), cache.to_owned());
    with_keys(ModelConfig { dir, shape: String::new(), cache, srs: Source::BuiltIn }, output).await
}

async fn with_keys(config: ModelConfig, output: Output) -> Result<(Arc<dyn Prove>, Bytes), CliError> {
    let model = config.dir.clone();
    let prover = tokio::task::spawn_blocking(move || prover::load(&config, &|step| output.say(step)))
        .await
        .map_err(|e| CliError::model(format!("the keys can't be loaded: {e}")))??;
    let verifier = verifier::get(&model, prover.as_ref()).await?.bytecode;
    Ok((prover, verifier))
}

/// A bulletin in the publisher's words, of those that the model reads right and is sure of.
fn one_bulletin(file: &Path, prover: &dyn Prove, min_margin: u32, seed: u64) -> Result<String, CliError> {
    let bulletins = sure_bulletins(file, prover, min_margin)?;
    let index = usize::try_from(seed).unwrap_or_default() % bulletins.len().max(1);
    let none =
        || CliError::failed(format!("{}: the model is sure of none of its bulletins; give --text", file.display()));
    bulletins.into_iter().nth(index).map(|(text, _)| text).ok_or_else(none)
}

/// The bulletins of a file that the model reads right, by at least a margin; each with its line's further fields: the class, then
/// what the file's head names.
pub(super) fn sure_bulletins(
    file: &Path,
    prover: &dyn Prove,
    min_margin: u32,
) -> Result<Vec<(String, Vec<String>)>, CliError> {
    let text = std::fs::read_to_string(file)
        .map_err(|e| CliError::failed(format!("{}: {e}; name another model, or give --text", file.display())))?;
    let is_read = |(text, fields): &(String, Vec<String>)| {
        let class = fields.first().and_then(|class| class.trim().parse::<i64>().ok());
        let outputs = Text::new(text.as_bytes()).ok().and_then(|text| {
            let limbs: Vec<[u8; 32]> = text.packed().iter().map(|limb| limb.to_be_bytes()).collect();
            prover.unpack(&limbs).and_then(|input| prover.infer(&input)).ok()
        });
        matches!((outputs.as_deref(), class), (Some([said, margin]), Some(class)) if said[..] == [class] && margin.iter().all(|m| *m >= i64::from(min_margin)))
    };
    Ok(text.lines().skip(1).filter_map(text_and_fields).filter(is_read).collect())
}

/// The first field of a line of comma-separated values, which may be quoted, and the others, of which there is one at least.
fn text_and_fields(line: &str) -> Option<(String, Vec<String>)> {
    let (text, rest) = match line.strip_prefix('"') {
        None => line.split_once(',').map(|(text, rest)| (text.to_owned(), rest))?,
        Some(quoted) => {
            // A quote within is written twice.
            let end = quoted.match_indices('"').map(|(at, _)| at).find(|at| {
                let before = quoted[..*at].bytes().rev().take_while(|c| *c == b'"').count();
                before % 2 == 0 && !quoted[at + 1..].starts_with('"')
            })?;
            (quoted[..end].replace("\"\"", "\""), quoted[end + 1..].strip_prefix(',')?)
        }
    };
    Some((text, rest.split(',').map(str::to_owned).collect()))
}

#[cfg(test)]
mod tests {
    use super::text_and_fields;

    #[test]
    fn fields_are_read_with_their_quotes() {
        type Parts<'a> = Option<(&'a str, &'a [&'a str])>;
        let cases: [(&str, Parts<'_>); 7] = [
            ("Spain 2 Italy 0,1,x", Some(("Spain 2 Italy 0", &["1", "x"]))),
            ("\"Spain 2, Italy 0\",1", Some(("Spain 2, Italy 0", &["1"]))),
            ("\"They said \"\"no\"\".\",3,y", Some(("They said \"no\".", &["3", "y"]))),
            ("\"\"\"No\"\"\",3", Some(("\"No\"", &["3"]))),
            ("\"without end", None),
            ("no class", None),
            ("", None),
        ];
        for (line, expected) in cases {
            let found = text_and_fields(line);
            let expected =
                expected.map(|(text, fields)| (text.to_owned(), fields.iter().map(ToString::to_string).collect()));
            assert_eq!(found, expected, "{line}");
        }
    }
}
