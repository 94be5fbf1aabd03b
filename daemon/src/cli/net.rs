//! `zugzwang model` for any ONNX file: compiles it, says what it costs, reads its inputs.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use serde::Serialize;

use super::{CliError, Output};
use crate::{
    out,
    prover::{self, Goal, Inspected, Options, Predicted, Samples},
};

/// What a table's size is chosen for.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub(super) enum Optimise {
    /// Few columns: cheap to verify.
    Gas,
    /// Between the two.
    #[default]
    Balanced,
    /// Few rows: fast to prove.
    Speed,
}

impl Optimise {
    /// As it stands on the command line.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Gas => "gas",
            Self::Balanced => "balanced",
            Self::Speed => "speed",
        }
    }
}

impl From<Optimise> for Goal {
    fn from(o: Optimise) -> Self {
        match o {
            Optimise::Gas => Goal::Gas,
            Optimise::Balanced => Goal::Balanced,
            Optimise::Speed => Goal::Speed,
        }
    }
}

/// How finely an ONNX file is rounded.
#[derive(Clone, Copy, Debug, Args)]
pub(super) struct Bits {
    /// Bits of an ONNX file's weights, with their sign: 8 to 12.
    #[arg(long, value_parser = clap::value_parser!(u32).range(8..=12), default_value_t = Options::default().weight_bits)]
    weight_bits: u32,
    /// Bits of the numbers between its layers: 8 to 16, as far as tables have room.
    #[arg(long, value_parser = clap::value_parser!(u32).range(8..=16), default_value_t = Options::default().activation_bits)]
    activation_bits: u32,
    /// Bits of its real inputs: 1 to 16; integers take what they need.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=16), default_value_t = Options::default().input_bits)]
    input_bits: u32,
    /// Bits of its real outputs: 4 to 16; a position takes what it needs.
    #[arg(long, value_parser = clap::value_parser!(u32).range(4..=16), default_value_t = Options::default().output_bits)]
    output_bits: u32,
    /// Most rows of the lookup table that one function may take; as many as the bits ask for if not given.
    #[arg(long, value_parser = clap::value_parser!(u32).range(16..=1_000_000))]
    table_rows: Option<u32>,
}

impl Bits {
    /// As it stands on the command line.
    pub(super) fn flags(&self) -> Vec<String> {
        let fixed = [
            ("--weight-bits", self.weight_bits),
            ("--activation-bits", self.activation_bits),
            ("--input-bits", self.input_bits),
            ("--output-bits", self.output_bits),
        ];
        let rows = self.table_rows.map(|rows| ("--table-rows", rows));
        fixed.into_iter().chain(rows).flat_map(|(flag, value)| [flag.to_owned(), value.to_string()]).collect()
    }
}

impl From<Bits> for Options {
    fn from(b: Bits) -> Self {
        let plain = Self::default();
        let rows = Self::rows_for(b.activation_bits, b.output_bits, plain.largest);
        Self {
            input_bits: b.input_bits,
            activation_bits: b.activation_bits,
            output_bits: b.output_bits,
            weight_bits: b.weight_bits,
            table_rows: b.table_rows.map_or(rows, |rows| rows as usize),
            ..plain
        }
    }
}

/// How many of the worst roundings a warning names.
const WORST: usize = 4;

#[derive(Serialize)]
struct Tensor {
    name: String,
    range: (f64, f64),
    bits: u32,
    scale: f64,
    zero: i64,
    /// Root mean squared error, relative to the values.
    error: f64,
}

#[derive(Serialize)]
struct Figure {
    name: &'static str,
    float: f64,
    integer: f64,
}

#[derive(Serialize)]
struct Equalised {
    pairs: usize,
    /// Relative error of the outputs without and with it.
    errors: (f64, f64),
    kept: bool,
}

/// A rounding's part of the outputs' error.
#[derive(Serialize)]
struct Share {
    tensor: String,
    rounding: &'static str,
    share: f64,
    option: &'static str,
}

#[derive(Serialize)]
struct Compiled {
    out: PathBuf,
    samples: usize,
    /// Share of samples with the same largest output, float and integer.
    agreement: f64,
    /// What the answers are worth, if there are labels.
    figures: Vec<Figure>,
    /// Whether channels were given one range, and what that changed.
    equalised: Option<Equalised>,
    /// What is lost, in words; what loses it, if anything is.
    losses: Vec<String>,
    shares: Vec<Share>,
    circuit: Predicted,
    tensors: Vec<Tensor>,
}

/// Compiles an ONNX file into a folder.
pub(super) async fn compile(args: super::model::Compile, output: Output) -> Result<(), CliError> {
    let file = args.place.model;
    let missing = |what: &str| CliError::config(format!("model compile {}: give {what}", file.display()));
    let calibration =
        args.calibration.ok_or_else(|| missing("real inputs with --calibration FILE (.csv, .json or .jsonl)"))?;
    let out = args.out.ok_or_else(|| missing("a folder for the compiled model with --out DIR"))?;
    let (privacy, goal, srs) = (args.sides.privacy(), args.optimise.into(), args.place.srs.source());
    let samples = read_samples(&calibration)?;
    let labels = samples.labels.clone();
    let (path, folder) = (file.clone(), out.clone());
    let (report, shares, candidate) = tokio::task::spawn_blocking(move || {
        prover::compile_net(&path, &samples, &folder, &args.bits.into(), privacy, goal, &srs)
    })
    .await
    .map_err(|e| CliError::model(format!("{}: {e}", file.display())))??;
    let tensors: Vec<Tensor> = report
        .tensors
        .iter()
        .map(|t| Tensor {
            name: t.name.clone(),
            range: t.range,
            bits: t.real.bits,
            scale: t.real.scale,
            zero: t.real.zero,
            error: t.error,
        })
        .collect();
    let losses = report.losses(&labels);
    let shares: Vec<Share> = shares.into_iter().take(WORST).map(Share::from).collect();
    if !losses.is_empty() {
        out::note(&warning(&losses, &shares));
    }
    let figures = report.figures(&labels).into_iter();
    let compiled = Compiled {
        out,
        samples: report.samples,
        agreement: report.agreement(),
        figures: figures.map(|f| Figure { name: f.name, float: f.float, integer: f.integer }).collect(),
        equalised: report.equalised.map(|e| Equalised { pairs: e.pairs, errors: e.errors, kept: e.kept }),
        losses,
        shares,
        circuit: candidate.into(),
        tensors,
    };
    output.print(&compiled, || {
        let mut text = format!("{}: {} samples\n", compiled.out.display(), compiled.samples);
        for t in &compiled.tensors {
            text.push_str(&format!(
                "  {:<28} {:>10.4} to {:<10.4} {:>2} bits  error {:.2} %\n",
                t.name,
                t.range.0,
                t.range.1,
                t.bits,
                100.0 * t.error
            ));
        }
        if let Some(e) = &compiled.equalised {
            text.push_str(&format!(
                "channels evened out between {} pairs of layers: outputs off by {:.3} % instead of {:.3} %, {}\n",
                e.pairs,
                100.0 * e.errors.1,
                100.0 * e.errors.0,
                if e.kept { "kept" } else { "not kept" }
            ));
        }
        text.push_str(&format!("same answer, float and integer: {:.1} %\n", 100.0 * compiled.agreement));
        for f in &compiled.figures {
            let (float, integer) = (100.0 * f.float, 100.0 * f.integer);
            text.push_str(&format!("{}: float {float:.2} %, integer {integer:.2} %\n", f.name));
        }
        text + &words(&compiled.circuit)
    })
}

impl From<prover::Share> for Share {
    fn from(s: prover::Share) -> Self {
        let rounding = match s.rounding {
            prover::Rounding::Numbers => "numbers",
            prover::Rounding::Weights => "weights",
            prover::Rounding::Steps => "table",
        };
        Self { tensor: s.tensor, rounding, share: s.share, option: s.option }
    }
}

/// What integers lose, what loses it, and what to do.
fn warning(losses: &[String], shares: &[Share]) -> String {
    let each: Vec<String> = shares
        .iter()
        .map(|s| format!("{} of {} ({:.0} %, {})", s.rounding, s.tensor, 100.0 * s.share, s.option))
        .collect();
    let option = shares.first().map_or("--activation-bits", |s| s.option);
    format!(
        "warning: on the calibration set {}; what costs most: {}; try more {option}, or calibrate on more inputs that look \
         like the real ones",
        losses.join(", "),
        each.join(", ")
    )
}

/// Prints what an ONNX file is and costs.
pub(super) fn inspect(args: &super::model::Inspect, output: Output) -> Result<(), CliError> {
    let (place, privacy, srs) = (&args.model, args.sides.privacy(), args.srs.source());
    let mut inspected = if place.is_file() {
        let samples = args.calibration.as_deref().map(read_samples).transpose()?;
        prover::inspect_net(place, samples.as_ref(), &args.bits.into(), privacy, &srs)?
    } else {
        prover::inspect_folder(place, &srs)?
    };
    if let Some(most) = args.max_memory {
        let least = inspected.frontier.iter().map(|p| p.memory_mib).fold(f64::INFINITY, f64::min);
        inspected.frontier.retain(|p| p.memory_mib <= most);
        if inspected.frontier.is_empty() {
            return Err(CliError::model(format!(
                "{}: a proof takes {least:.0} MiB at least, more than --max-memory {most:.0}; use a machine with more memory or a smaller network",
                place.display()
            )));
        }
    }
    output.print(&inspected, || described(&inspected))
}

fn described(i: &Inspected) -> String {
    let operators: Vec<String> = i.operators.iter().map(|(name, count)| format!("{count} {name}")).collect();
    let mut text =
        format!("{}: {}; {} parameters, {} multiply-accumulates\n", i.name, operators.join(", "), i.parameters, i.macs);
    text.push_str("sizes of the table, from cheap to fast (predicted):");
    for p in &i.frontier {
        text.push('\n');
        text.push_str(&words(p));
    }
    text
}

fn words(p: &Predicted) -> String {
    format!(
        "  shape {},{}: {} rows, {} + {} + {} columns; keys {:.1} s, proof {:.2} s, {:.0} MiB, {} bytes, {} gas",
        p.kernels,
        p.k,
        p.rows,
        p.fixed,
        p.advice[0],
        p.advice[1],
        p.keygen_s,
        p.prove_s,
        p.memory_mib,
        p.proof_bytes,
        p.gas
    )
}

/// Reads samples: `.csv`, a line of numbers each (one input; a last column headed `label` is the answer's index), or
/// `.json` and `.jsonl`, objects with `input_data`, one list of numbers per input, and maybe `label`.
pub(super) fn read_samples(path: &Path) -> Result<Samples, CliError> {
    let wrong = |why: String| {
        CliError::config(format!(
            "{}: {why}; give .csv lines of numbers, or .json or .jsonl objects like {{\"input_data\": [[0.5, 1]], \"label\": 2}}",
            path.display()
        ))
    };
    let text = std::fs::read_to_string(path).map_err(|e| wrong(e.to_string()))?;
    let samples = match path.extension().and_then(|e| e.to_str()) {
        Some("csv") => csv(&text),
        Some("jsonl") => objects(text.lines().filter(|l| !l.trim().is_empty()).map(serde_json::from_str)),
        Some("json") => match serde_json::from_str::<Vec<Sample>>(&text) {
            Ok(list) => objects(list.into_iter().map(Ok)),
            Err(_) => objects([serde_json::from_str(&text)].into_iter()),
        },
        _ => Err("its name ends in none of .csv, .json, .jsonl".into()),
    }
    .map_err(wrong)?;
    if samples.inputs.is_empty() {
        return Err(wrong("there is no sample in it".into()));
    }
    if !samples.labels.is_empty() && samples.labels.len() != samples.inputs.len() {
        return Err(wrong("some samples have a label and some have none".into()));
    }
    Ok(samples)
}

#[derive(serde::Deserialize)]
struct Sample {
    input_data: Vec<Vec<f32>>,
    label: Option<usize>,
}

fn objects(list: impl Iterator<Item = Result<Sample, serde_json::Error>>) -> Result<Samples, String> {
    let mut samples = Samples::default();
    for (i, sample) in list.enumerate() {
        let sample = sample.map_err(|e| format!("sample {i}: {e}"))?;
        samples.inputs.push(sample.input_data);
        samples.labels.extend(sample.label);
    }
    Ok(samples)
}

fn csv(text: &str) -> Result<Samples, String> {
    let mut samples = Samples::default();
    let mut labelled = false;
    for (i, line) in text.lines().enumerate().filter(|(_, l)| !l.trim().is_empty()) {
        let fields: Vec<&str> = line.split(',').map(str::trim).collect();
        // A first line of words is a heading.
        if i == 0 && fields.iter().any(|f| f.parse::<f32>().is_err()) {
            labelled = fields.last().is_some_and(|f| f.eq_ignore_ascii_case("label"));
            continue;
        }
        let mut values = Vec::with_capacity(fields.len());
        for field in &fields {
            values.push(field.parse::<f32>().map_err(|_| format!("line {}: \"{field}\" is no number", i + 1))?);
        }
        if labelled && let Some(label) = values.pop() {
            if label < 0.0 || label.fract() != 0.0 {
                return Err(format!("line {}: label {label} is no index", i + 1));
            }
            samples.labels.push(label as usize);
        }
        samples.inputs.push(vec![values]);
    }
    Ok(samples)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_read_in_each_form() {
        let dir = tempfile::tempdir().expect("a folder");
        let check = |name: &str, text: &str, want: Result<(usize, usize), &str>| {
            let path = dir.path().join(name);
            std::fs::write(&path, text).expect("write");
            match (read_samples(&path), want) {
                (Ok(samples), Ok(counts)) => assert_eq!((samples.inputs.len(), samples.labels.len()), counts, "{name}"),
                (Err(error), Err(says)) => assert!(error.to_string().contains(says), "{name}: {error}"),
                (got, _) => panic!("{name}: {got:?}"),
            }
        };
        check("a.csv", "1,2\n3,4\n", Ok((2, 0)));
        check("b.csv", "x,y,label\n1,2,0\n3,4,1\n", Ok((2, 2)));
        check("c.csv", "1,2\n3,four\n", Err("line 2: \"four\" is no number"));
        check("d.csv", "x,label\n1,0.5\n", Err("is no index"));
        check("e.json", "{\"input_data\": [[1, 2], [3]]}", Ok((1, 0)));
        check("f.json", "[{\"input_data\": [[1]], \"label\": 3}, {\"input_data\": [[2]], \"label\": 0}]", Ok((2, 2)));
        check("g.jsonl", "{\"input_data\": [[1]]}\n\n{\"input_data\": [[2]], \"label\": 1}\n", Err("some have none"));
        check("h.json", "{}", Err("input_data"));
        check("i.txt", "1", Err("ends in none of"));
        check("j.csv", "", Err("no sample"));
    }
}
