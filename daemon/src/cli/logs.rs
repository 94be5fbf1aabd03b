//! What is logged, and in which form. The filter can be changed while the process runs.

use std::sync::OnceLock;

use tracing_subscriber::{EnvFilter, Layer, Registry, layer::SubscriberExt, reload, util::SubscriberInitExt};

use super::CliError;
use crate::config::LogConfig;

/// The log of this process.
#[derive(Debug)]
pub(super) struct Logs(());

/// The handle of the one filter: a second subscriber is never set up.
static FILTER: OnceLock<reload::Handle<EnvFilter, Registry>> = OnceLock::new();

/// Starts the log.
pub(super) fn start(log: &LogConfig) -> Result<Logs, CliError> {
    let (filter, handle) = reload::Layer::new(parse(&log.filter)?);
    let lines = tracing_subscriber::fmt::layer()
        .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
        .with_writer(std::io::stderr)
        // It would be written to where nothing can be written.
        .log_internal_errors(false);
    let lines = if log.json { lines.json().flatten_event(true).with_ansi(false).boxed() } else { lines.boxed() };
    let registry = tracing_subscriber::registry().with(filter).with(lines);
    // A second call is a test's; the first one stays.
    if registry.try_init().is_ok() {
        let _ = FILTER.set(handle);
    }
    Ok(Logs(()))
}

impl Logs {
    /// From now on with another filter.
    pub(super) fn filter(&self, text: &str) -> Result<(), CliError> {
        let filter = parse(text)?;
        match FILTER.get() {
            Some(handle) => handle.reload(filter).map_err(|e| CliError::failed(format!("log.filter: {e}"))),
            None => Ok(()),
        }
    }
}

fn parse(text: &str) -> Result<EnvFilter, CliError> {
    text.parse().map_err(|e| {
        CliError::config(format!("`log.filter` = \"{text}\": {e}; write for example info or zugzwang=debug"))
    })
}

/// The log of a command that isn't the daemon: what ZUGZWANG__LOG__FILTER says, or a default.
pub(super) fn from_environment(default: &str) -> Result<(), CliError> {
    let filter = std::env::var("ZUGZWANG__LOG__FILTER").unwrap_or_else(|_| default.to_owned());
    start(&LogConfig { filter, json: false })?;
    Ok(())
}
