//! The verifier contract's bytecode: from the model's folder, or compiled with the pinned compiler.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
};

use serde::{Deserialize, Serialize};
use tokio::{io::AsyncWriteExt, process::Command};

use super::{Prove, ProveError};
use crate::chain::types::{B256, Bytes};

/// `verifier.json` of a model's folder.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Artifact {
    /// The model that it verifies.
    pub model_id: B256,
    /// Init code.
    pub bytecode: Bytes,
    /// Code as it stands on the chain.
    pub deployed_bytecode: Bytes,
}

/// Most bytes of code that a chain takes (EIP-170).
const CODE_LIMIT: usize = 24_576;

/// The file's place.
pub fn path(model: &Path) -> PathBuf {
    model.join("verifier.json")
}

/// The verifier of this prover: the model folder's, if it is for the same commitment, else a new
/// one.
pub async fn get(model: &Path, prover: &dyn Prove) -> Result<Artifact, ProveError> {
    let stored = std::fs::read(path(model)).ok().and_then(|text| serde_json::from_slice::<Artifact>(&text).ok());
    match stored {
        Some(artifact) if artifact.model_id.0 == prover.model_id() => Ok(artifact),
        _ => compile(prover.model_id(), &prover.solidity()?).await,
    }
}

/// Compiles a verifier's source with `contracts/build.mjs`, which uses the pinned npm compiler.
pub async fn compile(model_id: [u8; 32], source: &str) -> Result<Artifact, ProveError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Compiled {
        bytecode: Bytes,
        deployed_bytecode: Bytes,
    }
    let failed = |why: String| ProveError::Verifier(crate::chain::error::one_line(&why));
    let script = std::env::current_dir()
        .unwrap_or_default()
        .ancestors()
        .map(|folder| folder.join("contracts/build.mjs"))
        .find(|script| script.is_file())
        .ok_or_else(|| {
            failed(
                "contracts/build.mjs is not in this folder or above it; run the command inside the repository".into(),
            )
        })?;
    let mut child = Command::new("node")
        .arg(&script)
        .args(["--verifier", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|e| failed(format!("node: {e}; install Node.js and run `npm ci` in contracts/")))?;
    if let Some(mut input) = child.stdin.take() {
        input.write_all(source.as_bytes()).await.map_err(|e| failed(e.to_string()))?;
    }
    let output = child.wait_with_output().await.map_err(|e| failed(e.to_string()))?;
    if !output.status.success() {
        return Err(failed(String::from_utf8_lossy(&output.stderr).into_owned()));
    }
    let compiled: Compiled = serde_json::from_slice(&output.stdout).map_err(|e| failed(format!("build.mjs: {e}")))?;
    if compiled.deployed_bytecode.len() > CODE_LIMIT {
        return Err(failed(format!(
            "its code has {} bytes, chains take {CODE_LIMIT}; choose a narrower shape",
            compiled.deployed_bytecode.len()
        )));
    }
    Ok(Artifact {
        model_id: model_id.into(),
        bytecode: compiled.bytecode,
        deployed_bytecode: compiled.deployed_bytecode,
    })
}

/// Writes an artifact beside its place and renames it.
pub fn store(model: &Path, artifact: &Artifact) -> Result<PathBuf, ProveError> {
    let place = path(model);
    let failed = |why: String| ProveError::Verifier(format!("{}: {why}; is the folder writable?", place.display()));
    let mut text = serde_json::to_string_pretty(artifact).map_err(|e| failed(e.to_string()))?;
    text.push('\n');
    let beside = place.with_extension("json.tmp");
    std::fs::write(&beside, text).and_then(|()| std::fs::rename(&beside, &place)).map_err(|e| failed(e.to_string()))?;
    Ok(place)
}
