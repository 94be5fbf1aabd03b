//! What the daemon is for, shown on a real local chain with the contracts, the models and the daemon as they are.

pub mod anvil;
pub mod chess;
pub mod guard;
pub mod market;
mod screen;
mod stand;

use crate::{
    apps::chess::ChessError,
    chain::ChainError,
    config::ConfigError,
    feed::{BulletinError, file::FileError, publisher::PublisherError},
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
    /// The daemon did not answer.
    #[error("the daemon gave no answer {what}: {why}")]
    NoAnswer {
        /// To what.
        what: String,
        /// Why.
        why: String,
    },
}
