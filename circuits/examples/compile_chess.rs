//! Quantises a chess model of `models/` anew: writes its integer graph and its manifest.
//!
//! usage: compile_chess MODELS_DIR NAME

use std::error::Error;
use std::path::Path;

use zugzwang_circuits::model::{CircuitShape, compile_chess};
use zugzwang_circuits::quantise::Options;
use zugzwang_circuits::schema::Record;

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [models, name] = &args[..] else {
        return Err("usage: compile_chess MODELS_DIR NAME".into());
    };
    let shape = |p, kernels_per_row, k| CircuitShape { p, kernels_per_row, k };
    let (positions, activation_max, circuit) = match name.as_str() {
        "chess-s" => (2000, 400, shape(1, 1, 15)),
        "chess-m" => (2000, 288, shape(1, 1, 16)),
        "chess-l" => (600, 255, shape(4, 8, 16)),
        _ => return Err(format!("{name} is not chess-s, chess-m or chess-l").into()),
    };
    let models = Path::new(models);
    let records = Record::parse_all(&std::fs::read(models.join("data/calibration.bin"))?)?;
    let records = &records[..positions.min(records.len())];
    let options = Options { activation_max, ..Options::default() };
    let (_, report) = compile_chess(&models.join(name), name, records, &options, circuit)?;
    let bounds = &report.bounds;
    println!("shifts {:?}, {} remainder rows", bounds.shifts, bounds.remainder_rows());
    for (i, l) in bounds.layers.iter().enumerate() {
        let a_min = l.a_min.iter().min().copied().unwrap_or(0);
        let a_max = l.a_max.iter().max().copied().unwrap_or(0);
        println!("layer {i}: q {} to {}, A {a_min} to {a_max}", l.q_min, l.q_max);
    }
    println!("clipped {:?}", report.clipped);
    Ok(())
}
