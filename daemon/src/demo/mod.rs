//! What the daemon is for, shown on a real local chain with the contracts, the models and the daemon as they are.

pub mod anvil;
pub mod chess;
mod child;
pub mod guard;
pub mod market;
mod screen;
mod stand;
pub mod web;

use std::path::{Path, PathBuf};

use crate::{
    apps::chess::ChessError,
    chain::{ChainError, types::random},
    config::ConfigError,
    feed::{BulletinError, file::FileError, publisher::PublisherError},
    prover::ProveError,
    service::ServiceError,
    store::StoreError,
};
use anvil::AnvilError;

/// What can end a demo early.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// The local chain.
    #[error(transparent)]
    Anvil(#[from] AnvilError),
    /// Calls to it.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The daemon's store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The daemon's configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The daemon.
    #[error("the daemon stopped: {0}")]
    Service(#[from] ServiceError),
    /// The publisher's server.
    #[error(transparent)]
    Publisher(#[from] PublisherError),
    /// The accounts of the data set.
    #[error("{0}; name another model's folder")]
    Accounts(String),
    /// A bulletin.
    #[error(transparent)]
    Bulletin(#[from] BulletinError),
    /// A bulletin's file.
    #[error(transparent)]
    Bulletins(#[from] FileError),
    /// The board.
    #[error(transparent)]
    Chess(#[from] ChessError),
    /// A folder or file.
    #[error("demo {path}: {source}; choose another folder with --dir")]
    File {
        /// The folder or file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// The prover.
    #[error(transparent)]
    Prove(#[from] ProveError),
    /// Another demo has left its files there.
    #[error(
        "{dir} holds the store of an earlier demo, whose local chain is gone: name a new folder, empty this one, or leave --dir out"
    )]
    Used {
        /// The folder.
        dir: String,
    },
    /// Nowhere to listen.
    #[error("demo: no port from {first} to {last} is free; choose another one with --port, or 0 for any")]
    Ports {
        /// The first that was tried.
        first: u16,
        /// The last one.
        last: u16,
    },
    /// The daemon did not answer.
    #[error("the daemon gave no answer {what}: {why}")]
    NoAnswer {
        /// To what.
        what: String,
        /// Why.
        why: String,
    },
}

crate::code::codes!(DemoError {
    Accounts = 691,
    File = 692,
    NoAnswer = 693,
    Used = 694,
    Ports = 695;
    Anvil, Chain, Store, Config, Service, Publisher, Bulletin, Bulletins, Chess, Prove
});

/// Makes sure that no earlier demo has kept its files in a folder: each has a chain of its own, which ends with it, and what is
/// stored about that one is true of no other.
pub fn check_folder(dir: Option<&Path>) -> Result<(), DemoError> {
    match dir {
        Some(dir) if dir.join(STORE).exists() => Err(DemoError::Used { dir: dir.display().to_string() }),
        _ => Ok(()),
    }
}

/// The file name of a demo's store.
const STORE: &str = "zugzwang.db";

fn file_error(path: &Path) -> impl Fn(std::io::Error) -> DemoError {
    let path = path.display().to_string();
    move |source| DemoError::File { path: path.clone(), source }
}

/// A folder that goes when the demo ends.
#[derive(Debug)]
pub struct Folder(PathBuf);

impl Folder {
    /// Makes it, where the system keeps such.
    pub fn new() -> Result<Self, DemoError> {
        let path = std::env::temp_dir().join(format!("zugzwang-demo-{}-{:08x}", std::process::id(), random()[0]));
        std::fs::create_dir_all(&path).map_err(file_error(&path))?;
        Ok(Self(path))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // Left behind in the system's folder for temporary files if this fails.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
