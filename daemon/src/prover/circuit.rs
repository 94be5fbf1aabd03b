//! The prover of the circuit crate, loaded from a model's folder or from an ONNX file.

use std::{
    ops::ControlFlow,
    path::{Path, PathBuf},
};

use shakmaty::{Chess, Position};
use zugzwang_circuits::{
    circuit::{First, Fixed, Layout, Second, Shape},
    graph::{Graph, Tensor},
    import::{self, FloatGraph},
    keys::{KeyOrigin, key_path},
    model::{CircuitShape, Manifest, Model, compile_chess},
    net,
    prove::{self, Profile},
    prover::{Prover, ProverError},
    quantise::{self, Front, Options},
    schema::{CHESS_BOARD, Record},
    srs::{Source, Srs, hex},
};

use super::{Expected, Facts, Goal, Phase, Proof, Prove, ProveError, figures::Figures};
use crate::{apps::chess, chain::error::one_line, config::ModelConfig};

/// A model's prover with what benchmarks want to know of it.
#[derive(Debug)]
struct CircuitProver {
    name: String,
    prover: Prover,
    cache: PathBuf,
    is_chess: bool,
    figures: Figures,
}

/// Loads a model and its keys, which are made if they aren't cached. `say` is told what takes time.
pub(super) fn load(config: &ModelConfig, say: &dyn Fn(&str)) -> Result<std::sync::Arc<dyn Prove>, ProveError> {
    let model = Model::load(&config.dir).map_err(said)?;
    let shape = shape_of(&model.manifest, &config.shape)?;
    let name = model.manifest.name.clone();
    say(&format!(
        "model {name}: loading the trusted set-up and the keys for shape {shape} (made and cached the first time)"
    ));
    make_folder(&config.cache)?;
    let srs = set_up(config, shape.k, &config.cache, say)?;
    let prover = Prover::of(&model, shape, srs, &config.cache).map_err(said)?;
    let seconds = prover.keygen_time().as_secs_f64();
    match prover.key_origin() {
        KeyOrigin::Cached => say(&format!("model {name}: keys read in {seconds:.1} s")),
        KeyOrigin::Generated => {
            say(&format!("model {name}: keys made in {seconds:.1} s, cached in {}", config.cache.display()))
        }
        KeyOrigin::Replaced(why) => {
            say(&format!("model {name}: keys made anew in {seconds:.1} s, because {}", one_line(&why.to_string())))
        }
    }
    Ok(std::sync::Arc::new(CircuitProver {
        name,
        prover,
        cache: config.cache.clone(),
        is_chess: model.manifest.input_schema.starts_with("chess"),
        // They are of the model's own shape.
        figures: if config.shape.is_empty() {
            Figures::of(&config.dir)
        } else {
            Figures { gas: None, ..Figures::of(&config.dir) }
        },
    }))
}

/// Quantises an ONNX file of layers on one board, on made-up inputs, and makes keys for it: good for costs, not for
/// answers. `None` if it is of another form.
pub(super) fn load_board(
    config: &ModelConfig,
    keys: &Path,
    goal: Goal,
    say: &dyn Fn(&str),
) -> Option<Result<std::sync::Arc<dyn Prove>, ProveError>> {
    let float = import::load(&config.dir).ok().filter(|f| f.in_channels == 18 && f.board == CHESS_BOARD)?;
    Some(board_prover(config, keys, &float, goal, say))
}

fn board_prover(
    config: &ModelConfig,
    keys: &Path,
    float: &FloatGraph,
    goal: Goal,
    say: &dyn Fn(&str),
) -> Result<std::sync::Arc<dyn Prove>, ProveError> {
    let name = config.dir.file_stem().map_or_else(|| "model".to_owned(), |s| s.to_string_lossy().into_owned());
    say(&format!("model {name}: quantising {} layers on made-up positions", float.layers.len()));
    let inputs: Vec<Tensor> = (0..64).map(board).collect();
    let (graph, report) = quantise::quantise(float, &Front::Chess, &inputs, &Options::default()).map_err(said)?;
    let quotients: Vec<(i64, i64)> = report.bounds.layers.iter().map(|l| (l.q_min, l.q_max)).collect();
    let shape = if config.shape.is_empty() { chosen(&graph, &quotients, goal)? } else { parse_shape(&config.shape)? };
    say(&format!("model {name}: making keys for shape {shape}"));
    make_folder(keys)?;
    let srs = set_up(config, shape.k, keys, say)?;
    let prover = Prover::with_srs(graph, &report.bounds, shape, srs, keys).map_err(said)?;
    Ok(std::sync::Arc::new(CircuitProver {
        name,
        prover,
        cache: keys.to_owned(),
        is_chess: true,
        figures: Figures::default(),
    }))
}

/// The set-up for 2^k rows that a configuration asks for. Says so if it is not the built-in ceremony's.
pub(super) fn set_up(config: &ModelConfig, k: u32, cache: &Path, say: &dyn Fn(&str)) -> Result<Srs, ProveError> {
    let srs = config.srs.load(k, cache).map_err(said)?;
    if let Source::File(path) = &config.srs
        && !srs.is_built_in()
    {
        say(&format!(
            "set-up {}: not the built-in ceremony: whoever knows its tau can prove anything (tau in G2 {})",
            path.display(),
            hex(&srs.tau())
        ));
    }
    Ok(srs)
}

/// Makes a folder with `model.onnx` a chess model: integer graph and manifest.
pub fn quantise(dir: &Path, calibration: &Path, shape: &str) -> Result<(), ProveError> {
    let bytes = std::fs::read(calibration).map_err(|e| {
        ProveError::Circuit(format!("{}: {e}; name calibration positions with --calibration", calibration.display()))
    })?;
    let records =
        Record::parse_all(&bytes).map_err(|e| ProveError::Circuit(format!("{}: {e}", calibration.display())))?;
    let old = Model::load(dir).ok().map(|model| model.manifest);
    let options = old.as_ref().map(|m| m.quantisation).unwrap_or_default();
    let name = old
        .as_ref()
        .map(|m| m.name.clone())
        .or_else(|| dir.file_name().map(|n| n.to_string_lossy().into_owned()))
        .unwrap_or_default();
    let chosen = match (&old, shape) {
        (Some(manifest), "") => manifest.circuit,
        (None, "") => CircuitShape { p: 1, kernels_per_row: 1, k: 16 },
        (_, shape) => {
            let Shape { lanes, kernels_per_row, k } = parse_shape(shape)?;
            CircuitShape { p: lanes, kernels_per_row, k }
        }
    };
    compile_chess(dir, &name, &records, &options, chosen).map_err(said)?;
    Ok(())
}

impl Prove for CircuitProver {
    fn prove(&self, input: &Tensor, request: [u8; 32], on_phase: &dyn Fn(Phase)) -> Result<Proof, ProveError> {
        let goes_on = |phase| {
            on_phase(phase);
            true
        };
        self.prove_while(input, request, &goes_on)
    }

    fn prove_while(
        &self,
        input: &Tensor,
        request: [u8; 32],
        goes_on: &dyn Fn(Phase) -> bool,
    ) -> Result<Proof, ProveError> {
        let on_phase = |phase: zugzwang_circuits::prover::Phase| answer(goes_on(phase.name()));
        let proof = match self.prover.prove(input, request, &on_phase) {
            Err(ProverError::Prove(prove::ProveError::Stopped)) => return Err(ProveError::Stopped),
            made => made.map_err(said)?,
        };
        Ok(Proof { bytes: proof.bytes, instances: proof.instances, ranking: proof.ranking })
    }

    fn expected(&self, input: &Tensor, request: [u8; 32]) -> Result<Expected, ProveError> {
        let (instances, ranking) = self.prover.expected(input, request).map_err(said)?;
        Ok(Expected { instances: instances.into_iter().map(Some).collect(), ranking })
    }

    fn profile(&self, input: &Tensor, request: [u8; 32]) -> Result<Vec<(&'static str, f64)>, ProveError> {
        let (_, profile) = self.prover.profiled(input, request, &|_| ()).map_err(said)?;
        Ok([vec![("inference", profile.inference), ("witness", profile.witness)], steps(&profile.steps)].concat())
    }

    fn verify(&self, proof: &Proof) -> bool {
        let Proof { bytes, instances, ranking } = proof.clone();
        self.prover.verify(&zugzwang_circuits::prover::Proof { bytes, instances, ranking })
    }

    fn model_id(&self) -> [u8; 32] {
        self.prover.model_id()
    }

    fn solidity(&self) -> Result<String, ProveError> {
        self.prover.solidity("Verifier").map_err(said)
    }

    fn facts(&self) -> Facts {
        let layout = self.prover.layout();
        let columns = columns(layout) + 1;
        let keys = key_path(&self.cache, &self.prover.key_id());
        Facts {
            model: self.name.clone(),
            shape: layout.shape.to_string(),
            k: layout.shape.k,
            rows: layout.end + 1,
            columns,
            keygen_s: self.prover.keygen_time().as_secs_f64(),
            pk_bytes: std::fs::metadata(keys).map_or(0, |m| m.len()),
            key_memory_bytes: self.prover.key_bytes() as u64,
            proof_memory_bytes: proof_memory(layout.shape.k, columns - 1, self.prover.key_bytes()),
            instances: layout.instances(),
            gas: self.figures.gas.unwrap_or(0),
            macs: macs(self.prover.graph()),
            is_chess: self.is_chess,
            elo: self.figures.elo,
        }
    }

    fn example(&self, seed: u64) -> Tensor {
        if self.is_chess {
            return board(seed);
        }
        let graph = self.prover.graph();
        let mut noise = Noise(seed.wrapping_add(1));
        let digits = graph.input.iter().flat_map(|channel| channel.cells.iter());
        let values = digits.map(|digit| digit.map_or(0, |d| (noise.next() & ((1 << d.bits) - 1)) as i64)).collect();
        Tensor { cells: graph.board.cells(), values }
    }
}

/// Multiply-accumulates of one run.
fn macs(graph: &Graph) -> u64 {
    graph.layers.iter().map(|layer| (layer.weights.len() * graph.board.cells()) as u64).sum()
}

/// Columns of a table, without that of the instances.
fn columns(layout: &Layout) -> usize {
    let widths = &layout.widths;
    let count = || 0u8;
    Fixed::build(widths, count).all().count()
        + First::build(widths, count).all().count()
        + Second::build(widths, count).all().count()
}

/// A model's name, and the height and the columns of its table.
pub(super) fn table(config: &ModelConfig) -> Result<(String, u32, usize), ProveError> {
    let model = Model::load(&config.dir).map_err(said)?;
    let shape = shape_of(&model.manifest, &config.shape)?;
    let quotients: Vec<(i64, i64)> = model.bounds.layers.iter().map(|l| (l.q_min, l.q_max)).collect();
    let layout = Layout::new(&model.graph, &quotients, shape).map_err(said)?;
    Ok((model.manifest.name, shape.k, columns(&layout)))
}

/// What a listener answers the circuits' prover.
pub(super) fn answer(goes_on: bool) -> ControlFlow<()> {
    if goes_on { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
}

/// Bytes that one proof takes on top of its keys: of the predicted peak what is neither the process nor the keys.
pub(super) fn proof_memory(k: u32, columns: usize, key_bytes: usize) -> u64 {
    let peak = (net::memory_mib(k, columns) - net::PROCESS_MIB) * f64::from(1u32 << 20);
    (peak as u64).saturating_sub(key_bytes as u64)
}

/// The steps of a proof and their seconds.
pub(super) fn steps(p: &Profile) -> Vec<(&'static str, f64)> {
    vec![
        ("first_commitments", p.first_commitments),
        ("later_columns", p.columns),
        ("later_commitments", p.later_commitments),
        ("transforms", p.transforms),
        ("quotient", p.quotient),
        ("quotient_commitments", p.quotient_commitments),
        ("evaluations", p.evaluations),
        ("opening", p.opening),
    ]
}

/// A position after some moves from the start, the same for the same seed.
fn board(seed: u64) -> Tensor {
    let mut noise = Noise(seed.wrapping_add(1));
    let mut position = Chess::default();
    for _ in 0..(seed * 7) % 60 {
        let legal = position.legal_moves();
        if legal.is_empty() {
            break;
        }
        let m = legal[(noise.next() % legal.len() as u64) as usize];
        position.play_unchecked(m);
    }
    chess::pack(&position).to_tensor()
}

/// Splitmix64: enough for made-up inputs.
pub(super) struct Noise(pub(super) u64);

impl Noise {
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

/// The shape that suits a goal, of those that the graph fits: the fewest columns for gas, else the fewest cells.
fn chosen(graph: &Graph, quotients: &[(i64, i64)], goal: Goal) -> Result<Shape, ProveError> {
    let mut best: Option<((usize, usize), Shape)> = None;
    let mut why = String::new();
    for k in 10..=16u32 {
        for lanes in [1, 2, 4].into_iter().filter(|lanes| graph.board.width.is_multiple_of(*lanes)) {
            for kernels_per_row in [1, 2, 4, 8] {
                let shape = Shape { lanes, kernels_per_row, k };
                let columns = 8 * lanes + 9 * kernels_per_row + 16;
                let cost = match goal {
                    Goal::Gas => (columns, columns << k),
                    Goal::Balanced | Goal::Speed => (columns << k, columns),
                };
                if best.is_some_and(|(least, _)| least <= cost) {
                    continue;
                }
                match Layout::new(graph, quotients, shape) {
                    Ok(_) => best = Some((cost, shape)),
                    Err(error) => why = error.to_string(),
                }
            }
        }
    }
    best.map(|(_, shape)| shape)
        .ok_or_else(|| ProveError::Circuit(format!("no shape up to k = 16 fits: {}", one_line(&why))))
}

fn shape_of(manifest: &Manifest, wanted: &str) -> Result<Shape, ProveError> {
    if wanted.is_empty() {
        let CircuitShape { p, kernels_per_row, k } = manifest.circuit;
        Ok(Shape { lanes: p, kernels_per_row, k })
    } else {
        parse_shape(wanted)
    }
}

/// Reads `LANES,KERNELS,K`, such as `4,4,14`.
fn parse_shape(text: &str) -> Result<Shape, ProveError> {
    let numbers: Vec<usize> = text.split(',').filter_map(|part| part.trim().parse().ok()).collect();
    match (&numbers[..], text.split(',').count()) {
        ([lanes, kernels_per_row, k], 3) if *k <= 28 && *lanes > 0 && *kernels_per_row > 0 => {
            Ok(Shape { lanes: *lanes, kernels_per_row: *kernels_per_row, k: *k as u32 })
        }
        _ => Err(ProveError::Circuit(format!("shape \"{text}\" is none; write LANES,KERNELS,K such as 4,4,14"))),
    }
}

pub(super) fn make_folder(cache: &Path) -> Result<(), ProveError> {
    std::fs::create_dir_all(cache)
        .map_err(|e| ProveError::Circuit(format!("cache {}: {e}; choose another folder", cache.display())))
}

pub(super) fn said(error: impl std::fmt::Display) -> ProveError {
    ProveError::Circuit(one_line(&error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_are_read() {
        assert_eq!(parse_shape("4, 2,14").expect("shape"), Shape { lanes: 4, kernels_per_row: 2, k: 14 });
        for wrong in ["", "4,2", "4,2,14,1", "a,2,14", "0,1,14"] {
            assert!(parse_shape(wrong).expect_err(wrong).to_string().contains("LANES,KERNELS,K"));
        }
    }

    #[test]
    fn made_up_boards_are_legal_and_repeat() {
        for seed in 0..20 {
            assert_eq!(board(seed), board(seed));
        }
        assert_ne!(board(1), board(2));
    }
}
