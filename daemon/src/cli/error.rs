//! One line for people and a code for scripts.

use std::process::ExitCode;

use crate::{
    apps::AppError,
    chain::{ChainError, submit::SubmitError},
    config::ConfigError,
    demo::{DemoError, anvil::AnvilError},
    feed::{BulletinError, file::FileError, publisher::PublisherError},
    fleet::FleetError,
    out,
    prover::ProveError,
    service::ServiceError,
    store::StoreError,
};

/// Why a command failed.
#[derive(Debug)]
pub struct CliError {
    code: u8,
    text: String,
}

impl CliError {
    /// Something that has no code of its own.
    pub(super) fn failed(text: impl Into<String>) -> Self {
        Self { code: 1, text: text.into() }
    }

    /// Usage or configuration.
    pub(super) fn config(text: impl Into<String>) -> Self {
        Self { code: 2, text: text.into() }
    }

    /// Model or prover.
    pub(super) fn model(text: impl ToString) -> Self {
        Self { code: 5, text: text.to_string() }
    }

    /// Prints the line and gives the exit code.
    pub(super) fn report(&self) -> ExitCode {
        out::note(&format!("zugzwang: {}", self.text.replace('\n', " ")));
        ExitCode::from(self.code)
    }
}

impl std::fmt::Display for CliError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

impl From<ConfigError> for CliError {
    fn from(error: ConfigError) -> Self {
        Self::config(error.to_string())
    }
}

impl From<ChainError> for CliError {
    fn from(error: ChainError) -> Self {
        let code = if matches!(error, ChainError::Key { .. }) { 4 } else { 3 };
        Self { code, text: error.to_string() }
    }
}

impl From<StoreError> for CliError {
    fn from(error: StoreError) -> Self {
        Self { code: 6, text: error.to_string() }
    }
}

impl From<ServiceError> for CliError {
    fn from(error: ServiceError) -> Self {
        match error {
            ServiceError::Chain(error) => error.into(),
            ServiceError::Store(error) => error.into(),
            ServiceError::Lacking(text) => Self::config(text),
        }
    }
}

impl From<AppError> for CliError {
    fn from(error: AppError) -> Self {
        ServiceError::from(error).into()
    }
}

impl From<SubmitError> for CliError {
    fn from(error: SubmitError) -> Self {
        ServiceError::from(error).into()
    }
}

impl From<ProveError> for CliError {
    fn from(error: ProveError) -> Self {
        Self::model(error)
    }
}

impl From<AnvilError> for CliError {
    fn from(error: AnvilError) -> Self {
        Self { code: 3, text: error.to_string() }
    }
}

impl From<FleetError> for CliError {
    fn from(error: FleetError) -> Self {
        match error {
            FleetError::File { .. } | FleetError::Connection { .. } => Self::config(error.to_string()),
            FleetError::Prove(error) => error.into(),
            error => Self::failed(error.to_string()),
        }
    }
}

impl From<BulletinError> for CliError {
    fn from(error: BulletinError) -> Self {
        match error {
            BulletinError::Unsigned(_) => Self { code: 4, text: error.to_string() },
            BulletinError::OtherPublisher { .. } | BulletinError::Signature(_) => Self::failed(error.to_string()),
            _ => Self::config(error.to_string()),
        }
    }
}

impl From<FileError> for CliError {
    fn from(error: FileError) -> Self {
        Self::failed(error.to_string())
    }
}

impl From<PublisherError> for CliError {
    fn from(error: PublisherError) -> Self {
        Self::failed(error.to_string())
    }
}

impl From<DemoError> for CliError {
    fn from(error: DemoError) -> Self {
        match error {
            DemoError::Anvil(error) => error.into(),
            DemoError::Chain(error) => error.into(),
            DemoError::Store(error) => error.into(),
            DemoError::Config(error) => error.into(),
            DemoError::Service(error) => error.into(),
            error => Self::failed(error.to_string()),
        }
    }
}
