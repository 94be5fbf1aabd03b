//! The daemon of the demo as a process of its own, started again when it ends.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

use tokio::time::sleep;

use super::super::{
    DemoError,
    child::{Tied, tied},
    file_error,
};
use crate::{
    config::Config,
    http::{Client, Running},
};

/// The daemon's configuration and log in the demo's folder.
pub(super) const CONFIG: &str = "zugzwang.toml";
const LOG: &str = "daemon.log";
/// How long it may take until it is ready: its keys are cached by then.
const PATIENCE: Duration = Duration::from_secs(120);
/// A daemon that ends sooner than this after its start counts as one that can't run, and after so many in a row none is started.
const LEAST_LIFE: Duration = Duration::from_secs(5);
const SHORT_LIVES: u32 = 3;

/// The process.
#[derive(Debug)]
pub(super) struct House {
    dir: PathBuf,
    daemon: Tied,
    since: Instant,
}

impl House {
    /// Starts the daemon with the configuration in the demo's folder.
    pub(super) async fn open(dir: &Path) -> Result<Self, DemoError> {
        Ok(Self { dir: dir.to_owned(), daemon: start(dir)?, since: Instant::now() })
    }

    /// Waits until the daemon says that it is ready; gives its process.
    pub(super) async fn ready(&mut self) -> Result<u32, DemoError> {
        let config = Config::load(Some(&self.dir.join(CONFIG)))?;
        let file = Running::file_of(&config);
        let asked = async {
            loop {
                if let Ok(Some(client)) = Client::find(&file).await
                    && client.is_ready().await
                {
                    return client.pid();
                }
                sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::select! {
            pid = asked => Ok(pid),
            () = self.daemon.ended() => Err(self.ended()),
            () = sleep(PATIENCE) => Err(DemoError::NoAnswer {
                what: format!("within {} s", PATIENCE.as_secs()),
                why: format!("it isn't ready; its log is {}", self.log().display()),
            }),
        }
    }

    /// Starts it again whenever it ends, until it ends at once several times in a row.
    pub(super) async fn keep_open(&mut self) -> Result<(), DemoError> {
        let mut short = 0;
        loop {
            self.daemon.ended().await;
            short = if self.since.elapsed() < LEAST_LIFE { short + 1 } else { 0 };
            if short >= SHORT_LIVES {
                return Err(self.ended());
            }
            crate::out::note("the daemon has ended; it is started again");
            (self.daemon, self.since) = (start(&self.dir)?, Instant::now());
        }
    }

    /// Ends it as a signal would, and waits for it.
    pub(super) async fn close(self) {
        self.daemon.end().await;
    }

    fn log(&self) -> PathBuf {
        self.dir.join(LOG)
    }

    /// Why it has ended, in its own last words.
    fn ended(&self) -> DemoError {
        let log = std::fs::read_to_string(self.log()).unwrap_or_default();
        let last = log.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it said nothing");
        DemoError::NoAnswer { what: "any more".into(), why: format!("it ended: {}", last.trim()) }
    }
}

/// Starts the daemon; what it logs is added to its file.
fn start(dir: &Path) -> Result<Tied, DemoError> {
    let log = dir.join(LOG);
    let failed = file_error(&log);
    let program = std::env::current_exe().map_err(&failed)?;
    let file = std::fs::OpenOptions::new().create(true).append(true).open(&log).map_err(&failed)?;
    let mut command = tied(&program);
    // The file says it all: what is set for other daemons of this machine doesn't count.
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("ZUGZWANG_")) {
        command.env_remove(name);
    }
    command.arg("--config").arg(dir.join(CONFIG)).arg("run");
    command.stdout(Stdio::null()).stderr(file);
    Tied::start(command).map_err(failed)
}
