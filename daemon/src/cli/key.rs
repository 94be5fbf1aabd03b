//! `zugzwang key`: makes and reads keystore files.

use std::{io::Read, path::PathBuf};

use clap::Subcommand;
use serde::Serialize;
use zeroize::Zeroizing;

use super::{CliError, Output};
use crate::{
    chain::Key,
    config::{PasswordSource, RawConfig},
};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Make a new random key.
    New(Place),
    /// Encrypt a private key that is given in hex on standard input.
    Import(Place),
    /// Print a keystore's address.
    Address(Place),
}

/// The password is in the variable that key.password_env names, or in key.password_file.
#[derive(Debug, clap::Args)]
pub(super) struct Place {
    /// The keystore file; key.keystore if not given.
    #[arg(long)]
    out: Option<PathBuf>,
}

pub(super) fn run(command: Command, raw: RawConfig, output: Output) -> Result<(), CliError> {
    #[derive(Serialize)]
    struct Made {
        address: String,
        keystore: String,
    }
    let password = password(&raw);
    let (Command::New(place) | Command::Import(place) | Command::Address(place)) = &command;
    let path = place.out.clone().unwrap_or_else(|| PathBuf::from(&raw.key.keystore));
    let key = match command {
        Command::New(_) => Key::create(&path, &password)?,
        Command::Address(_) => Key::open(&path, &password)?,
        Command::Import(_) => {
            let mut text = Zeroizing::new(String::new());
            std::io::stdin()
                .take(1024)
                .read_to_string(&mut text)
                .map_err(|e| CliError::failed(format!("standard input: {e}; pipe the private key in")))?;
            Key::import(&text, &path, &password)?
        }
    };
    let made = Made { address: key.address().to_string(), keystore: path.display().to_string() };
    output.print(&made, || format!("{} in {}", made.address, made.keystore))
}

/// Where the password is, from a configuration that need not be complete.
pub(super) fn password(raw: &RawConfig) -> PasswordSource {
    if raw.key.password_file.is_empty() {
        PasswordSource::Env(raw.key.password_env.clone())
    } else {
        PasswordSource::File(PathBuf::from(&raw.key.password_file))
    }
}
