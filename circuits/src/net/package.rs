//! A compiled net as a folder: the ONNX file, the integer net, and a manifest that says what its numbers mean.

use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::bounds::{self, Bounds, NetError};
use super::circuit::Shape;
use super::compile::{Compiled, Options, Real};
use super::{Net, binary};
use crate::model::{FileRef, commitment, sha256_hex};

/// The manifest's file name.
pub const MANIFEST: &str = "net.toml";
const ONNX: &str = "model.onnx";
const NET: &str = "net.bin";

/// `net.toml`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The model's name.
    pub name: String,
    /// The file that it was compiled from.
    pub onnx: FileRef,
    /// The integer net.
    pub net: FileRef,
    /// How it was rounded.
    pub quantisation: Options,
    /// The default size of its table.
    pub circuit: Shape,
    /// What the inputs' integers mean.
    pub inputs: Vec<Real>,
    /// What the outputs' integers mean.
    pub outputs: Vec<Real>,
}

/// A loaded and checked folder.
#[derive(Clone, Debug)]
pub struct Package {
    /// Its manifest.
    pub manifest: Manifest,
    /// Its net.
    pub net: Net,
    /// The net's ranges.
    pub bounds: Bounds,
}

/// Why a folder can't be read or written.
#[derive(Debug, thiserror::Error)]
pub enum PackageError {
    /// A file can't be read or written.
    #[error("can't access {}: {source}; check the path and its rights", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file is not as it should be.
    #[error("{}: {why}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong, and what to do.
        why: String,
    },
    /// The net can't be proven.
    #[error(transparent)]
    Net(#[from] NetError),
}

impl Package {
    /// Reads `dir/net.toml` and the net that it names; checks the net's hash, structure and ranges.
    ///
    /// # Errors
    /// Fails if a file is missing, changed or not valid.
    pub fn load(dir: &Path) -> Result<Self, PackageError> {
        let path = dir.join(MANIFEST);
        let text =
            std::fs::read_to_string(&path).map_err(|source| PackageError::File { path: path.clone(), source })?;
        let manifest: Manifest = toml::from_str(&text)
            .map_err(|e| content(&path, format!("{}; compile the model again", e.message().replace('\n', " "))))?;
        if Path::new(&manifest.net.file).file_name() != Some(manifest.net.file.as_ref()) {
            return Err(content(&path, format!("{:?} is not a plain file name", manifest.net.file)));
        }
        let path = dir.join(&manifest.net.file);
        let bytes = std::fs::read(&path).map_err(|source| PackageError::File { path: path.clone(), source })?;
        let (got, want) = (sha256_hex(&bytes), &manifest.net.sha256);
        if got != *want {
            return Err(content(
                &path,
                format!("it has SHA-256 {got}, the manifest says {want}; restore the file or compile the model again"),
            ));
        }
        let net = binary::decode(&bytes).map_err(|e| content(&path, e.to_string()))?;
        let bounds = bounds::check(&net)?;
        let fits = |reals: &[Real], bits: Vec<u32>| reals.iter().map(|r| r.bits).eq(bits);
        let inputs = fits(&manifest.inputs, net.inputs.iter().map(|i| i.bits).collect());
        if !inputs || !fits(&manifest.outputs, net.outputs.iter().map(|o| o.bits).collect()) {
            return Err(content(&dir.join(MANIFEST), "it describes another net; compile the model again".into()));
        }
        Ok(Self { manifest, net, bounds })
    }

    /// Writes a compiled model into `dir`, which is made if it isn't there; the manifest last.
    ///
    /// # Errors
    /// Fails if a file can't be written.
    pub fn store(
        dir: &Path,
        name: &str,
        onnx: &[u8],
        compiled: &Compiled,
        options: &Options,
        circuit: Shape,
    ) -> Result<Self, PackageError> {
        std::fs::create_dir_all(dir).map_err(|source| PackageError::File { path: dir.to_owned(), source })?;
        let bytes = binary::encode(&compiled.net);
        let file = |file: &str, bytes: &[u8]| FileRef { file: file.into(), sha256: sha256_hex(bytes) };
        let manifest = Manifest {
            name: name.to_owned(),
            onnx: file(ONNX, onnx),
            net: file(NET, &bytes),
            quantisation: *options,
            circuit,
            inputs: compiled.inputs.clone(),
            outputs: compiled.outputs.clone(),
        };
        let path = dir.join(MANIFEST);
        let text = toml::to_string(&manifest).map_err(|e| content(&path, e.to_string()))?;
        for (name, bytes) in [(ONNX, onnx), (NET, &bytes), (MANIFEST, text.as_bytes())] {
            crate::cache::write_atomically(&dir.join(name), |file| file.write_all(bytes))
                .map_err(|source| PackageError::File { path: dir.join(name), source })?;
        }
        Ok(Self { manifest, net: compiled.net.clone(), bounds: compiled.bounds.clone() })
    }

    /// What contracts pin: `keccak256(vk digest ‖ input schema ‖ output schema ‖ quantisation)`, the schemas being
    /// `net-v1` and for each tensor its name, length, bits, scale (the 16 hex digits of its f64) and zero point.
    pub fn id(&self, vk_digest: [u8; 32]) -> [u8; 32] {
        let schema = |names: Vec<(&str, usize)>, reals: &[Real]| {
            let each = names
                .iter()
                .zip(reals)
                .map(|((name, len), r)| format!(";{name:?},{len},{},{:016x},{}", r.bits, r.scale.to_bits(), r.zero));
            format!("net-v1{}", each.collect::<String>())
        };
        let inputs = self.net.inputs.iter().map(|i| (i.name.as_str(), i.len)).collect();
        let outputs = self.net.outputs.iter().map(|o| (o.name.as_str(), self.net.len(o.tensor))).collect();
        let quantisation = format!("net={}", self.manifest.net.sha256);
        let texts = [schema(inputs, &self.manifest.inputs), schema(outputs, &self.manifest.outputs), quantisation];
        commitment(vk_digest, texts.iter().map(String::as_str))
    }
}

fn content(path: &Path, why: String) -> PackageError {
    PackageError::Content { path: path.to_owned(), why }
}
