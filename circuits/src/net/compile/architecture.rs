//! Networks that differ in their weights alone, as nets that differ in their weights alone.
//!
//! What calibration chooses (scales, shifts, tables) is a part of the circuit, also of a private model's. Networks that are to
//! share one verifying key have to share it: it is chosen once, for a network that everybody has, with tables long enough for
//! others' sums, and the others are rounded to it.

use crate::float::FloatNet;

use super::calibrate::Calibration;
use super::{CompileError, Compiled, Options, Tables, check_bits, rounded};
use crate::net::{Net, Privacy};

/// The scales, shifts and tables of a network and of all that fit it.
#[derive(Clone, Debug)]
pub struct Architecture {
    compiled: Compiled,
    options: Options,
}

impl Architecture {
    /// Rounds `float` on `samples`, with tables `headroom` times as long as its own sums need. The same network, samples,
    /// options and headroom always give the same architecture.
    ///
    /// # Errors
    /// As [`super::compile`].
    pub fn new(
        float: &FloatNet,
        samples: &[Vec<Vec<f32>>],
        options: &Options,
        headroom: u32,
    ) -> Result<Self, CompileError> {
        check_bits(options)?;
        // Channels are not evened out: the factors would be this network's own.
        let compiled = rounded(float, &Calibration::run(float, samples)?, options, Tables::Roomy(headroom))?;
        Ok(Self { compiled, options: *options })
    }

    /// The network that it was made of.
    pub fn compiled(&self) -> &Compiled {
        &self.compiled
    }

    /// The net without its weights, with what its proofs show.
    pub fn net(&self, privacy: Privacy) -> Net {
        Net { privacy, ..self.compiled.net.architecture() }
    }

    /// Rounds another network with the same nodes and sizes to these scales, shifts and tables; its biases are corrected
    /// on `samples`.
    ///
    /// # Errors
    /// [`CompileError::Unlike`] for a network of other nodes or sizes, [`CompileError::Reach`] for one whose sums could
    /// leave a table, and as [`super::compile`].
    pub fn fit(&self, float: &FloatNet, samples: &[Vec<Vec<f32>>]) -> Result<Compiled, CompileError> {
        let (ours, theirs) = (&self.compiled.float.tensors, &float.tensors);
        let form = |tensors: &[crate::float::FloatTensor], i: usize| tensors.get(i).map(|t| (t.name.clone(), t.len()));
        let same = |i: usize| form(ours, i) == form(theirs, i);
        if let Some(i) = (0..ours.len().max(theirs.len())).find(|i| !same(*i)) {
            let tensor = theirs.get(i).or(ours.get(i)).map_or_else(String::new, |t| t.name.clone());
            return Err(CompileError::Unlike { tensor });
        }
        let compiled = rounded(float, &Calibration::run(float, samples)?, &self.options, Tables::Of(&self.compiled))?;
        if compiled.net.architecture() != self.compiled.net.architecture() {
            let differs = |(a, b): (&crate::net::Node, &crate::net::Node)| (a != b).then(|| a.name.clone());
            let (ours, theirs) = (self.compiled.net.architecture(), compiled.net.architecture());
            let tensor = theirs.nodes.iter().zip(&ours.nodes).find_map(differs).unwrap_or_default();
            return Err(CompileError::Unlike { tensor });
        }
        Ok(compiled)
    }
}
