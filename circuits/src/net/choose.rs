//! Which sizes of table a net fits, and what each costs, before any key exists.

use super::Net;
use super::bounds::Bounds;
use super::circuit::{Features, Fixed, Layout, Needs, NetCircuitError, Second, Shape, features, first_columns, needs};
use super::link::LINK_BYTES;
use crate::srs::MIN_K;

/// What the table's size is chosen for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Goal {
    /// Few columns: cheap to verify.
    Gas,
    /// The least product of gas and time.
    #[default]
    Balanced,
    /// Few rows: fast to prove.
    Speed,
}

/// A size that fits, with what it costs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Candidate {
    /// The size.
    pub shape: Shape,
    /// What decides its height.
    pub needs: Needs,
    /// Fixed columns.
    pub fixed: usize,
    /// Columns of the first and of the second phase.
    pub advice: [usize; 2],
    /// Gas of a transaction that verifies a proof, predicted.
    pub gas: f64,
    /// Seconds of a proof on two cores of the machine that the prediction was fitted on.
    pub seconds: f64,
    /// Seconds to make the keys there.
    pub keygen_seconds: f64,
    /// Peak of memory in MiB, predicted.
    pub memory_mib: f64,
    /// Bytes of a proof.
    pub proof_bytes: usize,
}

/// Least height that is tried: that of the set-up that comes with this crate.
const LEAST_K: u32 = MIN_K;
/// Most kernels a row that are tried: a contract's code ends at 24,576 bytes.
const KERNELS: usize = 64;

/// For each height up to 2^`largest` rows, which the set-up decides, the fewest kernels a row with which the net fits,
/// lowest table last; of equal widths the lowest.
///
/// # Errors
/// Fails if the net fits none.
pub fn candidates(net: &Net, bounds: &Bounds, largest: u32) -> Result<Vec<Candidate>, NetCircuitError> {
    let features = features(net);
    let mut found: Vec<Candidate> = Vec::new();
    let mut kernels = 1;
    let mut least = usize::MAX;
    for k in (LEAST_K..=largest).rev() {
        while kernels <= KERNELS {
            let needs = needs(net, bounds, kernels)?;
            least = least.min(needs.rows);
            if needs.fits(k) {
                // A lower table of the same width is cheaper in every way.
                found.pop_if(|c| c.shape.kernels == kernels);
                found.push(candidate(Shape { kernels, k }, features, needs));
                break;
            }
            kernels += 1;
        }
    }
    if found.is_empty() {
        return Err(NetCircuitError::Rows { needed: least, k: largest, available: Needs::available(largest) });
    }
    Ok(found)
}

/// The candidate that suits a goal.
///
/// # Errors
/// As [`candidates`].
pub fn choose(net: &Net, bounds: &Bounds, largest: u32, goal: Goal) -> Result<Candidate, NetCircuitError> {
    // Of equal ones the lower table, which is cheaper in every way.
    let cost = |c: &Candidate| match goal {
        Goal::Gas => (c.gas, c.seconds),
        Goal::Balanced => (c.gas * c.seconds, c.seconds),
        Goal::Speed => (c.seconds, c.gas),
    };
    let all = candidates(net, bounds, largest)?;
    let order = |a: (f64, f64), b: (f64, f64)| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1));
    let best = all.iter().min_by(|a, b| order(cost(a), cost(b)));
    best.copied().ok_or(NetCircuitError::Kernels { kernels: 0 })
}

/// MiB that a process without any model takes.
pub const PROCESS_MIB: f64 = 34.0;

/// Peak of memory in MiB, predicted, of a process that makes one proof at a time with a table of 2^`k` rows and `columns`
/// columns, fixed and advice, its keys in memory. Fitted to measurements (BENCHMARKS.md); chess circuits take up to a sixth less.
pub fn memory_mib(k: u32, columns: usize) -> f64 {
    let rows = f64::from(k).exp2();
    rows * (110.0 * columns as f64 + 1200.0) / 1_048_576.0 + PROCESS_MIB
}

/// Gas of a transaction that verifies a proof of this layout, predicted.
pub fn gas_of(layout: &Layout) -> f64 {
    let (fixed, advice) = layout.columns();
    let kernels = layout.shape.kernels;
    gas(layout.constants.features, kernels, fixed + advice[0] + advice[1], layout.instances())
}

fn gas(features: Features, kernels: usize, columns: usize, instances: usize) -> f64 {
    // Two pieces of the quotient, a random polynomial, two points of the opening.
    let points = columns + 5;
    // Fitted to measurements of chess and dense circuits (BENCHMARKS.md): a commitment with its evaluation, an instance,
    // and the rest: transaction, pairing, gates.
    let mut gas = 7_200.0 * points as f64 + 700.0 * instances as f64 + 155_000.0;
    if features.secret {
        // The link: a multiplication for each private column but one, and three more; hashing the proof once again.
        gas += 6_500.0 * (kernels as f64 + 3.0) + 9_000.0;
    }
    if features.sponge {
        gas += 7_000.0;
    }
    gas
}

fn candidate(shape: Shape, features: Features, needs: Needs) -> Candidate {
    let count = || ();
    let fixed = Fixed::build(features, shape.kernels, count).all().count();
    let advice = [first_columns(features, shape.kernels), Second::build(features, count).all().count()];
    let gas = gas(features, shape.kernels, fixed + advice[0] + advice[1], 2 + needs.limbs);
    let rows = f64::from(1u32 << shape.k);
    // Of the machine that `prove::reference_work` takes `prove::REFERENCE_SECONDS` on.
    let seconds = 1e-6 * rows * (0.47 * advice[0] as f64 + 1.41 * advice[1] as f64 + 0.2 * fixed as f64 + 6.0) + 0.013;
    let keygen_seconds = 1e-6 * rows * (0.39 * fixed as f64 + 1.0);
    let memory_mib = memory_mib(shape.k, fixed + advice[0] + advice[1]);
    // Points but those of the fixed columns; running columns are opened on two rows, and one fixed one too.
    let mut evaluations = fixed + advice[0] + 2 * advice[1] + 2 + usize::from(features.windows);
    if features.sponge {
        // Three columns hold a state, and are opened on two rows.
        evaluations += 3;
    }
    let link = if features.secret { LINK_BYTES } else { 0 };
    let proof_bytes = 64 * (advice[0] + advice[1] + 5) + 32 * evaluations + link;
    Candidate { shape, needs, fixed, advice, gas, seconds, keygen_seconds, memory_mib, proof_bytes }
}
