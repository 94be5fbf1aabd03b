//! A committed model: `models/<name>/` with its ONNX file, its integer graph and a manifest.
//!
//! The integer graph is stored, not made again on load, so that nobody's calibration can differ.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use sha3::Keccak256;

use crate::bounds::{Bounds, GraphError, check};
use crate::graph::Graph;
use crate::import::{self, ImportError};
use crate::quantise::{Front, Options, QuantiseError, Report, quantise, quantise_bytes};
use crate::schema::{CHESS_BOARD, MOVE_PLANES, Record, chess_input};

pub mod binary;

/// The manifest's file name.
pub const MANIFEST: &str = "model.toml";

/// `model.toml`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Name of the model and of its folder, such as `chess-m`.
    pub name: String,
    /// How the public limbs become the input tensor: `chess-board-v1` or `bytes-v1`.
    pub input_schema: String,
    /// What the ranked indices mean: `chess-moves-v1` or `classes-v1`.
    pub output_schema: String,
    /// The ONNX file that the integer graph was made from.
    pub onnx: FileRef,
    /// The integer graph.
    pub graph: FileRef,
    /// How it was quantised.
    pub quantisation: Options,
    /// The default shape of its circuit.
    pub circuit: CircuitShape,
    /// How real inputs become bytes; only with the schema `bytes-v1`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoding: Option<ByteEncoding>,
}

/// `byte = clamp(round(x / scale) + zero_point, 0, 255)`, per input.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ByteEncoding {
    /// Real value of one step.
    pub scale: Vec<f32>,
    /// The byte that stands for 0.
    pub zero_point: Vec<i64>,
}

/// A file of a model's folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileRef {
    /// File name, without folders.
    pub file: String,
    /// SHA-256 of its bytes, 64 lower-case hex digits.
    pub sha256: String,
}

/// How wide and high a circuit is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CircuitShape {
    /// Activations per row.
    pub p: usize,
    /// Kernels per row.
    pub kernels_per_row: usize,
    /// The table has 2^k rows.
    pub k: u32,
}

/// A loaded and checked model.
#[derive(Clone, Debug)]
pub struct Model {
    /// Its manifest.
    pub manifest: Manifest,
    /// Its integer graph.
    pub graph: Graph,
    /// The graph's provable ranges.
    pub bounds: Bounds,
    /// Its folder.
    pub dir: PathBuf,
}

/// Why a model can't be loaded or stored.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// A file can't be read or written.
    #[error("can't access {}: {source}; check the path and its rights", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The manifest is not valid.
    #[error("{}: {why}; compare it with models/README.md", path.display())]
    Manifest {
        /// The manifest.
        path: PathBuf,
        /// Why, in one line.
        why: String,
    },
    /// A file is not the one that the manifest names.
    #[error(
        "{} has SHA-256 {got}, but the manifest says {want}; restore the file or compile the model again",
        path.display()
    )]
    Hash {
        /// The file.
        path: PathBuf,
        /// The hash found.
        got: String,
        /// The hash wanted.
        want: String,
    },
    /// The graph file is not valid.
    #[error("{}: {what}; compile the model again", path.display())]
    Graph {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// The graph is not provable.
    #[error(transparent)]
    Bounds(#[from] GraphError),
}

impl Model {
    /// Loads `dir/model.toml` and the integer graph that it names, and checks the graph's hash and
    /// bounds. The ONNX file is not needed; see [`Model::check_onnx`].
    ///
    /// # Errors
    /// Fails if a file is missing, changed or not valid.
    pub fn load(dir: &Path) -> Result<Model, ModelError> {
        let path = dir.join(MANIFEST);
        let text = std::fs::read_to_string(&path).map_err(|source| ModelError::File { path: path.clone(), source })?;
        let bad = |why: String| ModelError::Manifest { path: path.clone(), why };
        let manifest: Manifest = toml::from_str(&text).map_err(|e| {
            let before = e.span().and_then(|s| text.get(..s.start)).unwrap_or("");
            let line = before.matches('\n').count() + 1;
            bad(format!("line {line}: {}", e.message().replace('\n', " ")))
        })?;
        for f in [&manifest.onnx, &manifest.graph] {
            if f.file.is_empty() || Path::new(&f.file).file_name() != Some(f.file.as_ref()) {
                return Err(bad(format!("{:?} is not a plain file name", f.file)));
            }
        }
        let path = dir.join(&manifest.graph.file);
        let bytes = read_checked(&path, &manifest.graph.sha256)?;
        let graph = binary::decode(&bytes).map_err(|what| ModelError::Graph { path, what })?;
        let bounds = check(&graph)?;
        // The contract packs positions and reads moves in these forms only; a graph of another form
        // under the same name would take another input than the one that people see.
        let chess = (&graph.board, &graph.input) == (&CHESS_BOARD, &chess_input());
        if manifest.input_schema == "chess-board-v1" && !chess {
            return Err(bad("the graph's input is not the chess board's; compile the model again".into()));
        }
        if manifest.output_schema == "chess-moves-v1" && (graph.outputs(), graph.top) != (64 * MOVE_PLANES, 16) {
            return Err(bad("the graph does not rank 16 of 4,672 chess moves; compile the model again".into()));
        }
        Ok(Model { manifest, graph, bounds, dir: dir.to_owned() })
    }

    /// Reads the ONNX file and checks its hash.
    ///
    /// # Errors
    /// Fails if it is missing or changed.
    pub fn check_onnx(&self) -> Result<Vec<u8>, ModelError> {
        read_checked(&self.dir.join(&self.manifest.onnx.file), &self.manifest.onnx.sha256)
    }

    /// This model's id, given the digest of its circuit's verifying key; see [`model_id`].
    pub fn id(&self, vk_digest: [u8; 32]) -> [u8; 32] {
        model_id(vk_digest, &self.manifest)
    }
}

/// Writes a new model's graph and manifest into `dir`, which must already hold the ONNX file.
///
/// The hashes of `manifest` are filled in. Files are written beside their place and renamed, the
/// manifest last.
///
/// # Errors
/// Fails if the graph isn't provable or a file can't be read or written.
pub fn store(dir: &Path, mut manifest: Manifest, graph: &Graph) -> Result<Model, ModelError> {
    let bounds = check(graph)?;
    let onnx = dir.join(&manifest.onnx.file);
    let bytes = std::fs::read(&onnx).map_err(|source| ModelError::File { path: onnx, source })?;
    manifest.onnx.sha256 = sha256_hex(&bytes);
    let bytes = binary::encode(graph);
    manifest.graph.sha256 = sha256_hex(&bytes);
    let path = dir.join(MANIFEST);
    let text =
        toml::to_string(&manifest).map_err(|e| ModelError::Manifest { path: path.clone(), why: e.to_string() })?;
    write(&dir.join(&manifest.graph.file), &bytes)?;
    write(&path, text.as_bytes())?;
    Ok(Model { manifest, graph: graph.clone(), bounds, dir: dir.to_owned() })
}

/// Makes `dir` a chess model: reads `dir/model.onnx`, quantises it on the positions of
/// `calibration`, and writes the integer graph and the manifest.
///
/// # Errors
/// Fails if the ONNX file can't be imported or quantised, or a file can't be written.
pub fn compile_chess(
    dir: &Path,
    name: &str,
    calibration: &[Record],
    options: &Options,
    circuit: CircuitShape,
) -> Result<(Model, Report), CompileError> {
    let float = import::load(&dir.join("model.onnx"))?;
    let inputs: Vec<_> = calibration.iter().map(|r| r.board.to_tensor()).collect();
    let (graph, report) = quantise(&float, &Front::Chess, &inputs, options)?;
    let file = |file: &str| FileRef { file: file.into(), sha256: String::new() };
    let manifest = Manifest {
        name: name.into(),
        input_schema: "chess-board-v1".into(),
        output_schema: "chess-moves-v1".into(),
        onnx: file("model.onnx"),
        graph: file("graph.bin"),
        quantisation: *options,
        circuit,
        encoding: None,
    };
    Ok((store(dir, manifest, &graph)?, report))
}

/// Makes `dir` a model of a dense network: as [`compile_chess`], with a byte per input, calibrated
/// on `samples` (real inputs) or, if there are none, on random ones with a warning in the report.
///
/// # Errors
/// As [`compile_chess`]; also if a sample doesn't fit the network.
pub fn compile_bytes(
    dir: &Path,
    name: &str,
    samples: &[Vec<f32>],
    options: &Options,
    circuit: CircuitShape,
) -> Result<(Model, Report), CompileError> {
    let float = import::load(&dir.join("model.onnx"))?;
    let (graph, front, report) = quantise_bytes(&float, samples, options)?;
    let file = |file: &str| FileRef { file: file.into(), sha256: String::new() };
    let encoding = match front {
        Front::Bytes { scale, zero_point } => Some(ByteEncoding { scale, zero_point }),
        Front::Chess => None,
    };
    let manifest = Manifest {
        name: name.into(),
        input_schema: "bytes-v1".into(),
        output_schema: "classes-v1".into(),
        onnx: file("model.onnx"),
        graph: file("graph.bin"),
        quantisation: Options { top: graph.top, ..*options },
        circuit,
        encoding,
    };
    Ok((store(dir, manifest, &graph)?, report))
}

/// Why a model can't be compiled.
#[derive(Debug, thiserror::Error)]
pub enum CompileError {
    /// The ONNX file.
    #[error(transparent)]
    Import(#[from] ImportError),
    /// The rounding.
    #[error(transparent)]
    Quantise(#[from] QuantiseError),
    /// The files.
    #[error(transparent)]
    Model(#[from] ModelError),
}

/// `keccak256(vk digest ‖ input schema ‖ output schema ‖ quantisation)`: what a contract pins.
///
/// Texts are UTF-8 with a 4-byte big-endian length in front; quantisation is the text
/// `bits=…,max=…,percentile=…,shift=…,top=…,graph=SHA-256 of the integer graph`, and for a model
/// that reads bytes `,scale=[…],zero_point=[…]` (scales as the 8 hex digits of their f32 bits).
pub fn model_id(vk_digest: [u8; 32], manifest: &Manifest) -> [u8; 32] {
    let q = &manifest.quantisation;
    let mut quantisation = format!(
        "bits={},max={},percentile={},shift={},top={},graph={}",
        q.weight_bits, q.activation_max, q.percentile, q.max_shift, q.top, manifest.graph.sha256
    );
    if let Some(e) = &manifest.encoding {
        let scale: Vec<String> = e.scale.iter().map(|s| format!("{:08x}", s.to_bits())).collect();
        quantisation += &format!(",scale=[{}],zero_point={:?}", scale.join(", "), e.zero_point);
    }
    commitment(vk_digest, [manifest.input_schema.as_str(), &manifest.output_schema, &quantisation])
}

/// `keccak256(vk digest ‖ texts)`, each text in UTF-8 with a 4-byte big-endian length in front.
pub(crate) fn commitment<'a>(vk_digest: [u8; 32], texts: impl IntoIterator<Item = &'a str>) -> [u8; 32] {
    let mut hash = Keccak256::new();
    hash.update(vk_digest);
    for text in texts {
        hash.update((text.len() as u32).to_be_bytes());
        hash.update(text);
    }
    hash.finalize().into()
}

/// SHA-256 as 64 hex digits.
pub fn sha256_hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect()
}

fn read_checked(path: &Path, want: &str) -> Result<Vec<u8>, ModelError> {
    let bytes = std::fs::read(path).map_err(|source| ModelError::File { path: path.to_owned(), source })?;
    let got = sha256_hex(&bytes);
    if got != want {
        return Err(ModelError::Hash { path: path.to_owned(), got, want: want.to_owned() });
    }
    Ok(bytes)
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), ModelError> {
    let fail = |source| ModelError::File { path: path.to_owned(), source };
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    std::fs::write(&beside, bytes).map_err(fail)?;
    std::fs::rename(&beside, path).map_err(fail)
}
