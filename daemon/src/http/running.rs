//! How commands find a running daemon: a small file beside its store, readable for its user only, with address and token.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::HttpError;
use crate::{config::Config, files, store::Place};

/// A daemon's server.
#[derive(Clone, Serialize, Deserialize)]
pub struct Running {
    /// Where it listens.
    pub address: SocketAddr,
    /// What requests must bear.
    pub token: String,
    /// Its process.
    pub pid: u32,
}

impl std::fmt::Debug for Running {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Running").field("address", &self.address).field("pid", &self.pid).finish_non_exhaustive()
    }
}

impl Running {
    /// Where the daemon of a configuration tells of itself.
    pub fn file_of(config: &Config) -> PathBuf {
        let name = format!("{}.http", config.chain.chain_id);
        match &config.store.place {
            Place::File(path) => path.with_extension(name),
            Place::Server(_) => PathBuf::from(".zugzwang").join(format!("zugzwang.{name}")),
        }
    }

    /// Writes the file, in the place of one that an earlier daemon left.
    pub(super) fn write(&self, path: &Path) -> Result<(), HttpError> {
        let failed = |e: std::io::Error| HttpError::Token {
            path: path.display().to_string(),
            why: format!("{e}; is the folder of the store writable?"),
        };
        if let Some(folder) = path.parent().filter(|p| !p.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder).map_err(failed)?;
        }
        let text = serde_json::to_string(self).unwrap_or_default();
        let new = path.with_extension(format!("{}.tmp", self.pid));
        let _ = std::fs::remove_file(&new);
        files::new_secret(&new, &text).and_then(|()| std::fs::rename(&new, path)).map_err(failed)
    }

    /// Reads the file; `None` if there is none.
    pub(super) fn read(path: &Path) -> Result<Option<Self>, HttpError> {
        let failed = |why: String| HttpError::Token { path: path.display().to_string(), why };
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(format!("{error}; use the daemon's user"))),
        };
        serde_json::from_str(&text).map(Some).map_err(|e| failed(format!("{e}; remove it if no daemon runs")))
    }
}
