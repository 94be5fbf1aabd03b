//! A local chain that lives as long as the demo: anvil on a free loopback port.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use tokio::io::{AsyncBufReadExt, BufReader};

use super::child::{Tied, tied};

/// Why there is no local chain.
#[derive(Debug, thiserror::Error)]
pub enum AnvilError {
    /// No binary.
    #[error("anvil: not found; looked at {looked}; run `npm ci` in contracts/, or set ZUGZWANG_ANVIL to the binary")]
    NotFound {
        /// Where it was looked for.
        looked: String,
    },
    /// It doesn't start.
    #[error("anvil {path}: {why}; try the command by hand")]
    Failed {
        /// The binary.
        path: String,
        /// Why.
        why: String,
    },
}

crate::code::codes!(AnvilError { NotFound = 291, Failed = 292 });

/// A running anvil. It ends when this value goes, and also when the process that holds it is killed.
#[derive(Debug)]
pub struct Anvil {
    /// The endpoint.
    pub url: String,
    process: Tied,
}

impl Anvil {
    /// Starts anvil with more arguments, such as `--block-time 1`.
    pub async fn start(binary: Option<&Path>, arguments: &[&str]) -> Result<Self, AnvilError> {
        let binary = match binary {
            Some(path) => path.to_owned(),
            None => find()?,
        };
        let failed = |why: String| AnvilError::Failed { path: binary.display().to_string(), why };
        let mut command = tied(&binary);
        command.args(["--host", "127.0.0.1", "--port", "0"]).args(arguments);
        command.stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = Tied::start(command).map_err(|e| failed(e.to_string()))?;
        let stdout = process.output().ok_or_else(|| failed("its output can't be read".into()))?;
        let mut lines = BufReader::new(stdout).lines();
        let listening = async {
            while let Ok(Some(line)) = lines.next_line().await {
                if let Some(address) = line.trim().strip_prefix("Listening on ") {
                    return Some(format!("http://{address}"));
                }
            }
            None
        };
        let url = match tokio::time::timeout(Duration::from_secs(30), listening).await {
            Ok(Some(url)) => url,
            Ok(None) => return Err(failed("it ended before it listened".into())),
            Err(_) => return Err(failed("it did not listen within 30 s".into())),
        };
        // Read on, so that it never waits for us.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Ok(Self { url, process })
    }

    /// Ends it and waits until it is gone.
    pub async fn stop(self) {
        self.process.end().await;
    }
}

/// The binary inside the npm package, without its wrapper; else the one on the path.
fn find() -> Result<PathBuf, AnvilError> {
    if let Some(path) = std::env::var_os("ZUGZWANG_ANVIL") {
        let path = PathBuf::from(path);
        return if path.is_file() {
            Ok(path)
        } else {
            Err(AnvilError::NotFound { looked: path.display().to_string() })
        };
    }
    let system = match std::env::consts::OS {
        "macos" => "darwin",
        other => other,
    };
    let machine = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    let inside = format!("contracts/node_modules/@foundry-rs/anvil-{system}-{machine}/bin/anvil");
    let from_here = std::env::current_dir().unwrap_or_default();
    let candidates = from_here.ancestors().map(|folder| folder.join(&inside));
    let on_path = std::env::var_os("PATH").unwrap_or_default();
    let on_path: Vec<PathBuf> = std::env::split_paths(&on_path).map(|folder| folder.join("anvil")).collect();
    candidates
        .chain(on_path)
        .find(|path| path.is_file())
        .ok_or(AnvilError::NotFound { looked: format!("{inside} and PATH") })
}
