//! Quantises the chess models of `models/` anew: the integer graph and the manifest of each name.
//!
//! usage: compile_chess MODELS_DIR NAME POSITIONS [MAX PERCENTILE]

use std::error::Error;
use std::path::Path;

use zugzwang_circuits::model::{CircuitShape, compile_chess};
use zugzwang_circuits::quantise::Options;
use zugzwang_circuits::schema::Record;

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [models, name, positions, rest @ ..] = &args[..] else {
        return Err("usage: compile_chess MODELS_DIR NAME POSITIONS [MAX PERCENTILE]".into());
    };
    let models = Path::new(models);
    let records = Record::parse_all(&std::fs::read(models.join("data/calibration.bin"))?)?;
    let count = positions.parse::<usize>()?.clamp(1, records.len());
    let mut options = Options::default();
    if let [max, percentile] = rest {
        (options.activation_max, options.percentile) = (max.parse()?, percentile.parse()?);
    }
    let circuit = match name.as_str() {
        "chess-s" => CircuitShape {
            p: 2,
            kernels_per_row: 1,
            k: 14,
        },
        "chess-l" => CircuitShape {
            p: 4,
            kernels_per_row: 8,
            k: 16,
        },
        _ => CircuitShape {
            p: 4,
            kernels_per_row: 4,
            k: 14,
        },
    };
    let (_, report) = compile_chess(
        &models.join(name),
        name,
        &records[..count],
        &options,
        circuit,
    )?;
    println!(
        "shifts {:?}, {} remainder rows",
        report.bounds.shifts,
        report.bounds.remainder_rows()
    );
    for (i, l) in report.bounds.layers.iter().enumerate() {
        let (a_min, a_max) = (l.a_min.iter().min(), l.a_max.iter().max());
        println!(
            "layer {i}: q {} to {}, A {a_min:?} to {a_max:?}",
            l.q_min, l.q_max
        );
    }
    println!("clipped {:?}", report.clipped);
    Ok(())
}
