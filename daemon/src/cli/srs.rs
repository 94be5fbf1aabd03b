//! `zugzwang srs`: imports trusted set-ups, and names them for other commands.

use std::path::{Path, PathBuf};

use clap::{Args as ClapArgs, Subcommand};
use serde::Serialize;
use zugzwang_circuits::srs::{file_sha256, hex, open};

use super::{CliError, Output};
use crate::{config::source, out, prover::Source};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Check a set-up, say of which ceremony and size it is, and store it for --srs.
    Import(Import),
}

#[derive(Debug, ClapArgs)]
pub(super) struct Import {
    /// snarkjs's .ptau (BN254), halo2's raw parameters, or gnark's compressed powers.
    file: PathBuf,
    /// The file with tau in G2 that goes with gnark's powers.
    #[arg(long)]
    g2: Option<PathBuf>,
    /// Only 2^K of the powers.
    #[arg(long)]
    k: Option<u32>,
    /// Where the set-up goes; a file in .zugzwang/srs, named by size and tau, if not given.
    #[arg(long)]
    out: Option<PathBuf>,
    /// Folder for derived points.
    #[arg(long, default_value = ".zugzwang/cache")]
    cache: PathBuf,
}

/// Which set-up a command uses.
#[derive(Clone, Debug, ClapArgs)]
pub(super) struct Choice {
    /// File of a trusted set-up (`zugzwang srs import`), instead of the built-in ceremony.
    #[arg(long, value_name = "FILE")]
    srs: Option<PathBuf>,
}

impl Choice {
    pub(super) fn source(&self) -> Source {
        source(self.srs.clone())
    }

    /// The same for a child process.
    pub(super) fn arguments(&self) -> Vec<&Path> {
        self.srs.iter().flat_map(|file| [Path::new("--srs"), file]).collect()
    }
}

pub(super) async fn run(command: Command, output: Output) -> Result<(), CliError> {
    let Command::Import(args) = command;
    tokio::task::spawn_blocking(move || import(args, output))
        .await
        .map_err(|e| CliError::model(format!("the set-up was not imported: {e}")))?
}

fn import(args: Import, output: Output) -> Result<(), CliError> {
    #[derive(Serialize)]
    struct Report {
        file: PathBuf,
        sha256: String,
        format: String,
        ceremony: String,
        /// Each contribution as the file names it, the first one first; empty if it names none.
        contributions: Vec<String>,
        built_in: bool,
        /// log2 of the powers in the file.
        largest: u32,
        /// log2 of the powers that were imported.
        k: u32,
        tau_g2_sha256: String,
        out: PathBuf,
        out_sha256: String,
    }
    let file = &args.file;
    let sha256 = hex(&file_sha256(file).map_err(CliError::model)?);
    out::note(&format!("{}: checking its points", file.display()));
    let imported = open(file, args.g2.as_deref(), args.k).map_err(CliError::model)?;
    let (format, ceremony) = (imported.format, imported.ceremony.clone());
    let (largest, k, tau) = (imported.largest, imported.k, hex(&imported.tau));
    let out = args.out.unwrap_or_else(|| format!(".zugzwang/srs/k{k}-{}.params", &tau[..16]).into());
    out::note(&format!("{}: 2^{k} powers of one tau; putting Lagrange points beside them", file.display()));
    let srs = imported.into_srs(&args.cache).map_err(CliError::model)?;
    srs.store(&out).map_err(CliError::model)?;
    let report = Report {
        file: args.file,
        sha256,
        format: format.to_string(),
        ceremony: ceremony.to_string(),
        contributions: ceremony.contributions().iter().map(ToString::to_string).collect(),
        built_in: srs.is_built_in(),
        largest,
        k,
        tau_g2_sha256: tau,
        out,
        out_sha256: hex(&srs.digest()),
    };
    output.print(&report, || {
        format!(
            "{}: {}, SHA-256 {}\nceremony: {}\nsize: 2^{} powers, 2^{} imported (k = {})\ntau in G2: SHA-256 {}\nstored: {}, for --srs (SHA-256 {})",
            report.file.display(),
            report.format,
            report.sha256,
            report.ceremony,
            report.largest,
            report.k,
            report.k,
            report.tau_g2_sha256,
            report.out.display(),
            report.out_sha256
        )
    })
}
