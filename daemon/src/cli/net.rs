//! `zugzwang model` for any ONNX file: compiles it, says what it costs, reads its inputs.

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use serde::Serialize;

use super::{CliError, Output, private::Sides};
use crate::{
    out,
    prover::{self, Goal, Inspected, Options, Predicted, Samples, Source},
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

/// How many of the worst tensors a warning names.
const WORST: usize = 5;

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
struct Compiled {
    out: PathBuf,
    samples: usize,
    /// Share of samples with the same largest output, float and integer.
    agreement: f64,
    /// Share of samples whose largest output is the label, float and integer.
    accuracy: Option<(f64, f64)>,
    circuit: Predicted,
    tensors: Vec<Tensor>,
}

/// Compiles an ONNX file into a folder.
pub(super) async fn compile(
    file: PathBuf,
    calibration: Option<PathBuf>,
    out: Option<PathBuf>,
    optimise: Optimise,
    sides: Sides,
    srs: Source,
    output: Output,
) -> Result<(), CliError> {
    let missing = |what: &str| CliError::config(format!("model compile {}: give {what}", file.display()));
    let calibration =
        calibration.ok_or_else(|| missing("real inputs with --calibration FILE (.csv, .json or .jsonl)"))?;
    let out = out.ok_or_else(|| missing("a folder for the compiled model with --out DIR"))?;
    let samples = read_samples(&calibration)?;
    let labels = samples.labels.clone();
    let (path, folder) = (file.clone(), out.clone());
    let (report, candidate) = tokio::task::spawn_blocking(move || {
        prover::compile_net(&path, &samples, &folder, &Options::default(), sides.privacy(), optimise.into(), &srs)
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
    let accuracy = (!labels.is_empty()).then(|| report.accuracy(&labels));
    let lost = accuracy.map_or(1.0 - report.agreement(), |(float, integer)| float - integer);
    if lost > 0.01 {
        let mut worst: Vec<&Tensor> = tensors.iter().collect();
        worst.sort_by(|a, b| b.error.total_cmp(&a.error));
        let names: Vec<String> =
            worst.iter().take(WORST).map(|t| format!("{} ({:.1} %)", t.name, 100.0 * t.error)).collect();
        out::note(&format!(
            "warning: integers lose {:.1} points on the calibration set; the tensors that lose most: {}; calibrate on more \
             inputs that look like the real ones",
            100.0 * lost,
            names.join(", ")
        ));
    }
    let compiled = Compiled {
        out,
        samples: report.samples,
        agreement: report.agreement(),
        accuracy,
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
        text.push_str(&format!("same first answer, float and integer: {:.1} %\n", 100.0 * compiled.agreement));
        if let Some((float, integer)) = compiled.accuracy {
            text.push_str(&format!("right answer: float {:.2} %, integer {:.2} %\n", 100.0 * float, 100.0 * integer));
        }
        text + &words(&compiled.circuit)
    })
}

/// Prints what an ONNX file is and costs.
pub(super) fn inspect(
    file: &Path,
    calibration: Option<&Path>,
    max_memory: Option<f64>,
    sides: Sides,
    srs: &Source,
    output: Output,
) -> Result<(), CliError> {
    let samples = calibration.map(read_samples).transpose()?;
    let mut inspected = prover::inspect_net(file, samples.as_ref(), sides.privacy(), srs)?;
    if let Some(most) = max_memory {
        let least = inspected.frontier.iter().map(|p| p.memory_mib).fold(f64::INFINITY, f64::min);
        inspected.frontier.retain(|p| p.memory_mib <= most);
        if inspected.frontier.is_empty() {
            return Err(CliError::model(format!(
                "{}: a proof takes {least:.0} MiB at least, more than --max-memory {most:.0}; use a machine with more memory or a smaller network",
                file.display()
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
