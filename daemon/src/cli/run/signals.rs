//! Signals as things that are waited for.

use tokio::{
    signal::unix::{SignalKind, signal},
    sync::{Notify, watch},
};

use super::CliError;

/// SIGINT, SIGTERM and SIGHUP of this process, from now on.
#[derive(Debug)]
pub(in crate::cli) struct Signals {
    stop: watch::Receiver<bool>,
    again: watch::Receiver<bool>,
    hang_up: std::sync::Arc<Notify>,
}

impl Signals {
    /// Takes the signals over from the system, for which they would end the process.
    pub(super) fn listen() -> Result<Self, CliError> {
        let failed = |e: std::io::Error| CliError::failed(format!("signals: {e}"));
        let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
        let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
        let mut hang_up = signal(SignalKind::hangup()).map_err(failed)?;
        let (stop_sender, stop) = watch::channel(false);
        let (again_sender, again) = watch::channel(false);
        let rung = std::sync::Arc::new(Notify::new());
        let bell = rung.clone();
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    _ = interrupt.recv() => {}
                    _ = terminate.recv() => {}
                    _ = hang_up.recv() => {
                        bell.notify_one();
                        continue;
                    }
                }
                // Nobody listens once the daemon has ended by itself.
                if !*stop_sender.borrow() {
                    let _ = stop_sender.send(true);
                } else {
                    let _ = again_sender.send(true);
                }
            }
        });
        Ok(Self { stop, again, hang_up: rung })
    }

    /// Turns true at the first SIGINT or SIGTERM.
    pub(super) fn stop(&self) -> watch::Receiver<bool> {
        self.stop.clone()
    }

    /// Waits for the first SIGINT or SIGTERM.
    pub(super) async fn stopped(&self) {
        wait(self.stop.clone()).await;
    }

    /// Waits for the second one.
    pub(super) async fn stopped_twice(&self) {
        wait(self.again.clone()).await;
    }

    /// Waits for a SIGHUP.
    pub(super) async fn hung_up(&self) {
        self.hang_up.notified().await;
    }
}

async fn wait(mut turned: watch::Receiver<bool>) {
    if turned.wait_for(|turned| *turned).await.is_err() {
        // Its sender lives as long as the process.
        std::future::pending::<()>().await;
    }
}

/// Turns true at SIGINT or SIGTERM, for commands that end with it.
pub(in crate::cli) fn stop_on_signal() -> Result<watch::Receiver<bool>, CliError> {
    Ok(Signals::listen()?.stop())
}
