//! Why the daemon stops by itself.

use crate::{
    apps::AppError,
    chain::{ChainError, submit::SubmitError, watcher::WatchError},
    store::StoreError,
};

/// Why the daemon stops by itself.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// The node, beyond what trying again mends.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An app can't do its work with what the configuration names.
    #[error("{0}")]
    Lacking(String),
}

crate::code::codes!(ServiceError { Lacking = 105; Chain, Store });

impl ServiceError {
    /// Whether trying again may mend it.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Chain(error) => error.is_passing(),
            Self::Store(error) => error.is_passing(),
            Self::Lacking(_) => false,
        }
    }
}

impl From<WatchError> for ServiceError {
    fn from(error: WatchError) -> Self {
        match error {
            WatchError::Chain(e) => Self::Chain(e),
            WatchError::Store(e) => Self::Store(e),
        }
    }
}

impl From<AppError> for ServiceError {
    fn from(error: AppError) -> Self {
        match error {
            AppError::Chain(e) => Self::Chain(e),
            AppError::Store(e) => Self::Store(e),
            e @ AppError::Lacking { .. } => Self::Lacking(e.to_string()),
        }
    }
}

impl From<SubmitError> for ServiceError {
    fn from(error: SubmitError) -> Self {
        match error {
            SubmitError::Chain(e) => Self::Chain(e),
            SubmitError::Store(e) => Self::Store(e),
        }
    }
}
