//! How well a net's integers do what the float network does.

use super::calibrate::Calibration;
use super::kinds::Kinds;
use super::{CompileError, Place, Real};
use crate::float::FloatNet;
use crate::net::{Net, interpret};

/// How well one tensor is represented, on the calibration set.
#[derive(Clone, Debug, PartialEq)]
pub struct TensorReport {
    /// The tensor's name.
    pub name: String,
    /// Least and largest float value.
    pub range: (f64, f64),
    /// Its integers.
    pub real: Real,
    /// Root of the mean squared error, relative to that of the values.
    pub error: f64,
}

/// What the first output says of one sample, float and integer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Answer {
    /// The class: the largest output's index, or the position that a network ends in a ranking with; of one number
    /// whether it is above 0, or above 1/2 if it is never outside of 0 to 1.
    pub class: (usize, usize),
    /// What ranks samples between two classes: the one number, or the second class' less the first one's.
    pub score: Option<(f64, f64)>,
}

/// Whether channels were given one range, see `equalise`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Equalised {
    /// Pairs of layers with factors to move.
    pub pairs: usize,
    /// The outputs' relative error without and with it.
    pub errors: (f64, f64),
    /// Whether the net has it: if the error is less.
    pub kept: bool,
}

/// A figure for a task, float and integer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Figure {
    /// What it is called.
    pub name: &'static str,
    /// Of the float network.
    pub float: f64,
    /// Of the integers.
    pub integer: f64,
}

/// What compiling found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    /// Each integer tensor.
    pub tensors: Vec<TensorReport>,
    /// Samples of the calibration set.
    pub samples: usize,
    /// What the first output says of each sample.
    pub answers: Vec<Answer>,
    /// Root of the mean squared error of all outputs, each relative to that of its values.
    pub error: f64,
    /// Whether channels were given one range; `None` if there is nothing to do.
    pub equalised: Option<Equalised>,
}

/// Points that a figure may lose, and answers that may differ, before there is something to say.
const LOSS: f64 = 0.01;

impl Report {
    /// The share of samples with the same answer, float and integer.
    pub fn agreement(&self) -> f64 {
        let same = self.answers.iter().filter(|a| a.class.0 == a.class.1).count();
        same as f64 / self.answers.len().max(1) as f64
    }

    /// Accuracy, macro F1, and for two classes the area under the ROC curve; none without a label for each sample.
    pub fn figures(&self, labels: &[usize]) -> Vec<Figure> {
        if labels.is_empty() || labels.len() != self.answers.len() {
            return Vec::new();
        }
        let classes = |of: fn(&Answer) -> usize| self.answers.iter().map(of).collect::<Vec<usize>>();
        let (float, integer) = (classes(|a| a.class.0), classes(|a| a.class.1));
        let figure = |name, of: fn(&[usize], &[usize]) -> f64| {
            let (float, integer) = (of(&float, labels), of(&integer, labels));
            Figure { name, float, integer }
        };
        let mut figures = vec![figure("accuracy", accuracy), figure("macro F1", macro_f1)];
        let scores: Option<Vec<(f64, f64)>> = self.answers.iter().map(|a| a.score).collect();
        if let Some(scores) = scores {
            let (float, integer): (Vec<f64>, Vec<f64>) = scores.into_iter().unzip();
            let areas = area(&float, labels).zip(area(&integer, labels));
            figures.extend(areas.map(|(float, integer)| Figure { name: "AUC", float, integer }));
        }
        figures
    }

    /// What integers lose more of than a point, in words; empty if all is well.
    pub fn losses(&self, labels: &[usize]) -> Vec<String> {
        let mut losses: Vec<String> = self
            .figures(labels)
            .iter()
            .filter(|f| f.float - f.integer > LOSS)
            .map(|f| format!("{} falls from {:.2} to {:.2} %", f.name, 100.0 * f.float, 100.0 * f.integer))
            .collect();
        if self.agreement() < 1.0 - LOSS {
            losses.push(format!("{:.1} % of the answers differ", 100.0 * (1.0 - self.agreement())));
        }
        losses
    }
}

/// The share of answers that are the label.
fn accuracy(answers: &[usize], labels: &[usize]) -> f64 {
    let right = answers.iter().zip(labels).filter(|(a, l)| a == l).count();
    right as f64 / labels.len().max(1) as f64
}

/// The mean of the classes' harmonic means of precision and recall, over all classes that are a label or an answer.
fn macro_f1(answers: &[usize], labels: &[usize]) -> f64 {
    let mut classes: Vec<usize> = answers.iter().chain(labels).copied().collect();
    classes.sort_unstable();
    classes.dedup();
    let of = |class: &usize| {
        let count = |list: &[usize]| list.iter().filter(|c| *c == class).count();
        let both = answers.iter().zip(labels).filter(|(a, l)| a == l && *a == class).count();
        2.0 * both as f64 / (count(answers) + count(labels)) as f64
    };
    classes.iter().map(of).sum::<f64>() / classes.len().max(1) as f64
}

/// The chance that a sample labelled 1 has a higher score than one labelled 0, equal scores counting half; `None` unless
/// both labels are there, and no other.
fn area(scores: &[f64], labels: &[usize]) -> Option<f64> {
    if labels.iter().any(|l| *l > 1) {
        return None;
    }
    let positives = labels.iter().sum::<usize>();
    let pairs = positives * (labels.len() - positives);
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|a, b| scores[*a].total_cmp(&scores[*b]));
    let (mut below, mut won) = (0usize, 0f64);
    for equal in order.chunk_by(|a, b| scores[*a] == scores[*b]) {
        let ones = equal.iter().filter(|i| labels[**i] == 1).count();
        let zeros = equal.len() - ones;
        won += ones as f64 * (below as f64 + zeros as f64 / 2.0);
        below += zeros;
    }
    (pairs > 0).then(|| won / pairs as f64)
}

/// What one output's numbers say: class and score.
fn answer(values: &[f64], position: bool, threshold: f64) -> (usize, Option<f64>) {
    match values {
        [place] if position => (place.max(0.0) as usize, None),
        [one] => (usize::from(*one > threshold), Some(*one)),
        _ => {
            let larger = |best: (usize, f64), (i, v): (usize, &f64)| if *v > best.1 { (i, *v) } else { best };
            let class = values.iter().enumerate().fold((0, f64::NEG_INFINITY), larger).0;
            (class, if let [no, yes] = values { Some(yes - no) } else { None })
        }
    }
}

/// Runs the net on the calibration set and compares.
pub(super) fn report(
    float: &FloatNet,
    net: &Net,
    calibration: &Calibration,
    inputs: &[Real],
    places: &[Place],
) -> Result<Report, CompileError> {
    let mut errors = vec![(0f64, 0f64); places.len()];
    let mut report = Report { samples: calibration.samples.len(), ..Report::default() };
    let first = float.outputs.first().and_then(|t| places[*t].map(|place| (*t, place)));
    let position = first.is_some_and(|(t, _)| Kinds::of(float).whole[t]);
    let threshold = first.map_or(0.0, |(t, _)| match calibration.range(t) {
        (low, high) if low >= 0.0 && high <= 1.0 => 0.5,
        _ => 0.0,
    });
    for sample in &calibration.samples {
        let encoded: Vec<Vec<i64>> = float
            .inputs
            .iter()
            .zip(inputs)
            .map(|(input, real)| sample[input.tensor].iter().map(|v| real.encode(f64::from(*v))).collect())
            .collect();
        let trace = interpret::run(net, &encoded)?;
        for (tensor, place) in places.iter().enumerate() {
            let Some((at, real)) = place else { continue };
            for (v, u) in sample[tensor].iter().zip(&trace.tensors[*at]) {
                errors[tensor].0 += (f64::from(*v) - real.decode(*u)).powi(2);
                errors[tensor].1 += f64::from(*v).powi(2);
            }
        }
        if let Some((tensor, (at, real))) = first {
            let wanted: Vec<f64> = sample[tensor].iter().map(|v| f64::from(*v)).collect();
            let got: Vec<f64> = trace.tensors[at].iter().map(|u| real.decode(*u)).collect();
            let (float, integer) = (answer(&wanted, position, threshold), answer(&got, position, threshold));
            report.answers.push(Answer { class: (float.0, integer.0), score: float.1.zip(integer.1) });
        }
    }
    let relative = |tensor: usize| errors[tensor].0 / errors[tensor].1.max(f64::MIN_POSITIVE);
    let all = float.outputs.iter().map(|t| relative(*t)).sum::<f64>();
    report.error = (all / float.outputs.len().max(1) as f64).sqrt();
    for (tensor, place) in places.iter().enumerate() {
        if let Some((_, real)) = place {
            report.tensors.push(TensorReport {
                name: float.tensors[tensor].name.clone(),
                range: calibration.range(tensor),
                real: *real,
                error: relative(tensor).sqrt(),
            });
        }
    }
    Ok(report)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_what_their_definitions_say() {
        let (answers, labels) = (&[0, 1, 1, 2, 0][..], &[0, 1, 2, 2, 1][..]);
        assert_eq!(accuracy(answers, labels), 0.6);
        // F1 of the classes: 2/3, 1/2, 2/3.
        assert!((macro_f1(answers, labels) - (2.0 / 3.0 + 0.5 + 2.0 / 3.0) / 3.0).abs() < 1e-12);
        assert_eq!(area(&[0.1, 0.4, 0.35, 0.8], &[0, 0, 1, 1]), Some(0.75));
        assert_eq!(area(&[1.0, 1.0, 1.0], &[0, 1, 0]), Some(0.5), "equal scores count half");
        assert_eq!(area(&[1.0, 2.0], &[1, 1]), None);
        assert_eq!(area(&[1.0, 2.0], &[0, 2]), None);
        assert_eq!(answer(&[3.0], true, 0.0), (3, None));
        assert_eq!(answer(&[0.4], false, 0.5), (0, Some(0.4)));
        assert_eq!(answer(&[1.0, 3.0], false, 0.0), (1, Some(2.0)));
        assert_eq!(answer(&[1.0, 3.0, 3.0], false, 0.0), (1, None));
    }
}
