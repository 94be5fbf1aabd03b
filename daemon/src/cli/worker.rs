//! `zugzwang worker`.

use super::{CliError, run::stop_on_signal};
use crate::{config::WorkerConfig, fleet::Worker};

/// Proves for a fleet until a signal.
pub(super) async fn run(config: WorkerConfig) -> Result<(), CliError> {
    let stop = stop_on_signal()?;
    Worker::open(config).await?.run(stop).await;
    Ok(())
}
