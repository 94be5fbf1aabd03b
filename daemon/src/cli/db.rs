//! `zugzwang db …`: copies, checks and upkeep of the store.

use std::path::PathBuf;

use clap::Subcommand;
use serde::Serialize;

use super::{CliError, Output};
use crate::{
    config::{RawConfig, StoreConfig},
    store::{Place, Store, StoreError},
};

/// What can be done with a store.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Copy a SQLite store to a new file, while the daemon runs. For a server it names the command to use.
    Backup {
        /// The new file.
        file: PathBuf,
    },
    /// Take over all rows of another store into this one, which must be empty; no daemon may run on either.
    Copy {
        /// The other store: sqlite:PATH or postgres://….
        #[arg(long)]
        from: String,
    },
    /// Look for whatever should not be in it, while the daemon runs; exit code 6 if there is something.
    Check,
    /// Bring the schema up to date; the daemon does so by itself when it starts.
    Migrate,
    /// Forget what store.keep_proofs_days and store.keep_days say; the running daemon does so by itself.
    Prune,
    /// Give the room of what was forgotten back to the disk.
    Vacuum,
    /// Count jobs and transactions, and bytes on the disk, while the daemon runs.
    Stats,
}

/// Runs the command.
pub(super) async fn run(command: Command, raw: RawConfig, output: Output) -> Result<(), CliError> {
    let config = StoreConfig::from_raw(&raw.store)?;
    match command {
        Command::Backup { file } => {
            let store = Store::open_to_read(&config.place).await?;
            let done = store.backup(&file).await;
            store.close().await;
            done?;
            #[derive(Serialize)]
            struct Copied {
                store: String,
                file: String,
                bytes: u64,
            }
            let bytes = std::fs::metadata(&file).map_or(0, |meta| meta.len());
            let copied = Copied { store: config.place.to_string(), file: file.display().to_string(), bytes };
            output.print(&copied, || format!("{} is a checked copy of {}, {bytes} bytes", copied.file, copied.store))
        }
        Command::Copy { from } => {
            let from = Place::parse(&from).map_err(|error| CliError::config(format!("--from {error}")))?;
            // As its owner: a daemon that goes on writing there would be left behind.
            let source = Store::open(&from).await?;
            let store = Store::open(&config.place).await?;
            let rows = store.fill_from(&source).await;
            store.close().await;
            source.close().await;
            #[derive(Serialize)]
            struct Filled {
                store: String,
                from: String,
                rows: u64,
            }
            let filled = Filled { store: config.place.to_string(), from: from.to_string(), rows: rows? };
            output.print(&filled, || format!("{}: {} rows of {}", filled.store, filled.rows, filled.from))
        }
        Command::Check => check(&config, output).await,
        Command::Migrate => {
            let store = Store::open(&config.place).await?;
            let health = store.check().await;
            store.close().await;
            #[derive(Serialize)]
            struct Migrated {
                store: String,
                schema: i64,
            }
            let migrated = Migrated { store: config.place.to_string(), schema: health?.schema };
            output.print(&migrated, || format!("{}: the schema has version {}", migrated.store, migrated.schema))
        }
        Command::Prune => {
            let store = Store::open(&config.place).await?;
            let now = store.clock().now_ms();
            let mut sum = store.prune(config.keep_proofs_days, config.keep_days, now).await?;
            while sum.more {
                let step = store.prune(config.keep_proofs_days, config.keep_days, now).await?;
                sum.proofs += step.proofs;
                sum.versions += step.versions;
                sum.jobs += step.jobs;
                sum.more = step.more;
            }
            store.close().await;
            output.print(&sum, || {
                format!(
                    "forgot {} proofs, the bytes of {} transactions, and {} jobs",
                    sum.proofs, sum.versions, sum.jobs
                )
            })
        }
        Command::Vacuum => {
            let store = Store::open(&config.place).await?;
            let before = store.stats().await?.bytes;
            store.vacuum().await?;
            let after = store.stats().await?.bytes;
            store.close().await;
            #[derive(Serialize)]
            struct Vacuumed {
                before_bytes: u64,
                after_bytes: u64,
            }
            let vacuumed = Vacuumed { before_bytes: before, after_bytes: after };
            output.print(&vacuumed, || format!("{before} bytes before, {after} bytes now"))
        }
        Command::Stats => {
            let store = Store::open_to_read(&config.place).await?;
            let stats = store.stats().await;
            store.close().await;
            let stats = stats?;
            let counts = |counts: &mut dyn Iterator<Item = (String, u64)>| {
                let shown: Vec<String> = counts.map(|(name, count)| format!("{count} {name}")).collect();
                if shown.is_empty() { "none".to_owned() } else { shown.join(", ") }
            };
            output.print(&stats, || {
                format!(
                    "{}: {} bytes, {} of them free\njobs: {}\ntransactions: {}\nrows: {}",
                    config.place,
                    stats.bytes,
                    stats.free_bytes,
                    counts(&mut stats.jobs.clone().into_iter()),
                    counts(&mut stats.transactions.clone().into_iter()),
                    counts(&mut stats.rows.iter().map(|(name, count)| ((*name).to_owned(), *count))),
                )
            })
        }
    }
}

async fn check(config: &StoreConfig, output: Output) -> Result<(), CliError> {
    let store = Store::open_to_read(&config.place).await?;
    let health = store.check().await;
    store.close().await;
    let health = health?;
    output.print(&health, || {
        let mut lines = health.findings.clone();
        lines.push(match health.findings.len() {
            0 => format!("{}: schema {}, nothing is wrong", config.place, health.schema),
            wrong => format!("{}: schema {}, {wrong} things are wrong", config.place, health.schema),
        });
        lines.join("\n")
    })?;
    match health.findings.len() {
        0 => Ok(()),
        findings => Err(StoreError::Unsound { path: config.place.to_string(), findings }.into()),
    }
}
