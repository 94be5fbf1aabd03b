//! A compiled net as a folder: the ONNX file, the integer net, and a manifest that says what its numbers mean.
//!
//! A private model's folder has a seed too, which hides its commitments, and is nobody else's. [`Package::publish`] writes
//! what others need to verify its proofs: the net without weights, and the commitments to them.

use std::io::Write;
use std::path::{Path, PathBuf};

use halo2_proofs::halo2curves::bn256::G1Affine;
use serde::{Deserialize, Serialize};

use super::bounds::{self, Bounds, NetError};
use super::circuit::{Shape, input_limbs};
use super::compile::{Compiled, Options, Real};
use super::interpret::check_inputs;
use super::link::{Registered, random_seed};
use super::{Net, Privacy, Weights, binary};
use crate::cache::hex;
use crate::evm::transcript::{WORD, point_bytes, point_from_words, scalar_word};
use crate::model::{FileRef, commitment, sha256_hex};
use crate::poseidon::{self, Salt};

/// The manifest's file name.
pub const MANIFEST: &str = "net.toml";
const ONNX: &str = "model.onnx";
const NET: &str = "net.bin";
const ARCHITECTURE: &str = "architecture.bin";
const SEED: &str = "weights.seed";

/// `net.toml`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The model's name.
    pub name: String,
    /// What its proofs show.
    #[serde(default)]
    pub privacy: Privacy,
    /// The file that it was compiled from; not with a published private model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub onnx: Option<FileRef>,
    /// The integer net; of a published private model all weights are 0.
    pub net: FileRef,
    /// Commitments to the weights of a published private model: x and y of each point, 128 hex digits.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub commitments: Vec<String>,
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
    /// Where its weights are.
    pub weights: Weights,
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
        let weights = weights(dir, &manifest, &net)?;
        let elsewhere = matches!(weights, Weights::Registered(_));
        let bounds = if elsewhere { bounds::declared(&net)? } else { bounds::check(&net)? };
        let fits = |reals: &[Real], bits: Vec<u32>| reals.iter().map(|r| r.bits).eq(bits);
        let inputs = fits(&manifest.inputs, net.inputs.iter().map(|i| i.bits).collect());
        if !inputs || !fits(&manifest.outputs, net.outputs.iter().map(|o| o.bits).collect()) {
            return Err(content(&dir.join(MANIFEST), "it describes another net; compile the model again".into()));
        }
        Ok(Self { manifest, net, bounds, weights })
    }

    /// Writes a compiled model into `dir`, which is made if it isn't there; the manifest last. A private model gets a new
    /// seed: commitments that were made with the one before can't be proven any more.
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
            privacy: compiled.net.privacy,
            onnx: Some(file(ONNX, onnx)),
            net: file(NET, &bytes),
            commitments: vec![],
            quantisation: *options,
            circuit,
            inputs: compiled.inputs.clone(),
            outputs: compiled.outputs.clone(),
        };
        let mut weights = Weights::Public;
        if manifest.privacy.model.is_private() {
            let seed = random_seed();
            write(&dir.join(SEED), hex(&seed).as_bytes(), true)?;
            weights = Weights::Private(seed);
        }
        let package = Self { manifest, net: compiled.net.clone(), bounds: compiled.bounds.clone(), weights };
        package.write(dir, &[(ONNX, onnx), (NET, &bytes)])?;
        Ok(package)
    }

    /// The commitment that is public in place of these inputs, big-endian.
    ///
    /// # Errors
    /// Fails if an input is not of the net's form.
    pub fn commit(&self, inputs: &[Vec<i64>], salt: Salt) -> Result<[u8; 32], PackageError> {
        check_inputs(&self.net, inputs)?;
        Ok(scalar_word(&poseidon::commit(salt, &input_limbs(&self.net, inputs))))
    }

    /// Writes what others need to verify a private model's proofs into `dir`: nothing of its weights but `commitments`.
    ///
    /// # Errors
    /// Fails if a file can't be written.
    pub fn publish(&self, dir: &Path, circuit: Shape, registered: &Registered) -> Result<(), PackageError> {
        std::fs::create_dir_all(dir).map_err(|source| PackageError::File { path: dir.to_owned(), source })?;
        let net = self.net.architecture();
        let bytes = binary::encode(&net);
        let point = |p: &G1Affine| point_bytes(p).map(|bytes| hex(&bytes)).unwrap_or_default();
        let manifest = Manifest {
            onnx: None,
            net: FileRef { file: ARCHITECTURE.into(), sha256: sha256_hex(&bytes) },
            commitments: registered.points.iter().map(point).collect(),
            circuit,
            ..self.manifest.clone()
        };
        let weights = Weights::Registered(registered.points.clone());
        let bounds = bounds::declared(&net)?;
        Self { manifest, net, bounds, weights }.write(dir, &[(ARCHITECTURE, &bytes)])
    }

    /// Writes files, and the manifest last.
    fn write(&self, dir: &Path, files: &[(&str, &[u8])]) -> Result<(), PackageError> {
        let path = dir.join(MANIFEST);
        let text = toml::to_string(&self.manifest).map_err(|e| content(&path, e.to_string()))?;
        for (name, bytes) in files.iter().copied().chain([(MANIFEST, text.as_bytes())]) {
            let secret = matches!(self.weights, Weights::Private(_)) && name != MANIFEST;
            write(&dir.join(name), bytes, secret)?;
        }
        Ok(())
    }

    /// What contracts pin: `keccak256(vk digest ‖ input schema ‖ output schema ‖ quantisation)`, the schemas being
    /// `net-v1` and for each tensor its name, length, bits, scale (the 16 hex digits of its f64) and zero point. Of a
    /// private model that hash, with the architecture in the net's place, is the architecture's id, and its own is
    /// `keccak256(architecture's id ‖ commitment to the weights)`.
    pub fn id(&self, vk_digest: [u8; 32], registered: Option<&Registered>) -> [u8; 32] {
        let id = self.architecture_id(vk_digest);
        registered.map_or(id, |registered| registered.model_id(id))
    }

    /// What all models of a private model's architecture have in common; a public model's id.
    pub fn architecture_id(&self, vk_digest: [u8; 32]) -> [u8; 32] {
        let schema = |names: Vec<(&str, usize)>, reals: &[Real]| {
            let each = names
                .iter()
                .zip(reals)
                .map(|((name, len), r)| format!(";{name:?},{len},{},{:016x},{}", r.bits, r.scale.to_bits(), r.zero));
            format!("net-v1{}", each.collect::<String>())
        };
        let inputs = self.net.inputs.iter().map(|i| (i.name.as_str(), i.len)).collect();
        let outputs = self.net.outputs.iter().map(|o| (o.name.as_str(), self.net.len(o.tensor))).collect();
        let quantisation = if self.net.privacy.model.is_private() {
            format!("architecture={}", sha256_hex(&binary::encode(&self.net.architecture())))
        } else {
            format!("net={}", self.manifest.net.sha256)
        };
        let texts = [schema(inputs, &self.manifest.inputs), schema(outputs, &self.manifest.outputs), quantisation];
        commitment(vk_digest, texts.iter().map(String::as_str))
    }
}

/// Where the manifest says that a net's weights are.
fn weights(dir: &Path, manifest: &Manifest, net: &Net) -> Result<Weights, PackageError> {
    let path = dir.join(MANIFEST);
    if manifest.privacy != net.privacy || (!manifest.commitments.is_empty() && !net.privacy.model.is_private()) {
        return Err(content(&path, "it says another privacy than the net; compile the model again".into()));
    }
    if !net.privacy.model.is_private() {
        return Ok(Weights::Public);
    }
    if !manifest.commitments.is_empty() {
        let point = |text: &String| {
            let bytes: [u8; 2 * WORD] = unhex(text)?;
            let (x, y) = bytes.split_first_chunk::<WORD>()?;
            point_from_words(*x, y.try_into().ok()?)
        };
        let points: Option<Vec<G1Affine>> = manifest.commitments.iter().map(point).collect();
        let wrong = || content(&path, "a commitment is no point; get the published model again".into());
        return points.map(Weights::Registered).ok_or_else(wrong);
    }
    let path = dir.join(SEED);
    let text = std::fs::read_to_string(&path).map_err(|source| PackageError::File { path: path.clone(), source })?;
    let wrong =
        || content(&path, "it is not 64 hex digits; restore it, or compile the model and register it anew".into());
    unhex(text.trim()).map(Weights::Private).ok_or_else(wrong)
}

/// Writes a file; a secret one can be read by its owner alone, where the system knows such.
fn write(path: &Path, bytes: &[u8], secret: bool) -> Result<(), PackageError> {
    crate::cache::write_atomically(path, |file| {
        #[cfg(unix)]
        if secret {
            file.get_ref().set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
        }
        file.write_all(bytes)
    })
    .map_err(|source| PackageError::File { path: path.to_owned(), source })
}

fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    if text.len() != 2 * N || !text.is_ascii() {
        return None;
    }
    for (i, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * i..2 * i + 2], 16).ok()?;
    }
    Some(bytes)
}

fn content(path: &Path, why: String) -> PackageError {
    PackageError::Content { path: path.to_owned(), why }
}
