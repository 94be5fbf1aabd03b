//! Where commands find what they ask about: at the daemon that runs, or else in its store.

use std::path::PathBuf;

use super::CliError;
use crate::{
    config::Config,
    http::{Client, Running},
    service::OrderDone,
    store::Store,
};

/// A daemon that runs, or the store of one that doesn't.
pub(super) enum Reach {
    /// It runs.
    Running(Client),
    /// It doesn't. As long as the store is held to be changed, it can't be started.
    Stopped(Store),
}

/// Finds the daemon of a configuration, to have something done.
pub(super) async fn reach(config: &Config) -> Result<Reach, CliError> {
    match Client::find(&Running::file_of(config)).await? {
        Some(client) => Ok(Reach::Running(client)),
        None => Ok(Reach::Stopped(Store::open(config.store.place.clone()).await?)),
    }
}

/// Finds it to look at it: its store is only read, so that a daemon that starts at this moment isn't kept out.
pub(super) async fn look(config: &Config) -> Result<Reach, CliError> {
    match Client::find(&Running::file_of(config)).await? {
        Some(client) => Ok(Reach::Running(client)),
        None => Ok(Reach::Stopped(Store::open_to_read(config.store.place.clone()).await?)),
    }
}

/// The one file that a command takes.
pub(super) fn one(files: &[PathBuf]) -> Result<Option<&PathBuf>, CliError> {
    match files {
        [] => Ok(None),
        [file] => Ok(Some(file)),
        _ => Err(CliError::config("several --config: only run, check, status and doctor take more than one")),
    }
}

/// What came of an order, as lines.
pub(super) fn lines(done: &OrderDone) -> String {
    done.said.join("\n")
}

/// A table with aligned columns.
pub(super) fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
        cells.chain([head.get(column).map_or(0, |cell| cell.len())]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    let line = |cells: Vec<String>| {
        let padded = cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}", width = *width));
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    let head = line(head.iter().map(ToString::to_string).collect());
    let rows = rows.iter().map(|row| line(row.clone()));
    [head].into_iter().chain(rows).collect::<Vec<_>>().join("\n")
}

/// Milliseconds of unix time as how long ago.
pub(super) fn ago(at_ms: i64) -> String {
    let seconds = (crate::clock::Clock::system().now_ms().saturating_sub(at_ms)).max(0) / 1000;
    match seconds {
        0..120 => format!("{seconds} s ago"),
        120..7200 => format!("{} min ago", seconds / 60),
        7200..172_800 => format!("{} h ago", seconds / 3600),
        _ => format!("{} days ago", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_aligned() {
        let rows = vec![vec!["1".into(), "failed".into(), "x".into()], vec!["12".into(), "seen".into(), String::new()]];
        assert_eq!(table(&["id", "state", "why"], &rows), "id  state   why\n1   failed  x\n12  seen");
    }
}
