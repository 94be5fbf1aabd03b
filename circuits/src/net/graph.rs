//! The integer operators: the one definition of what a general model computes.
//!
//! Every tensor is a flat list of integers that are not negative. A linear step gives accumulators `A`, splits each,
//! `A = q·2^s + r` with `0 ≤ r < 2^s` (floor, also for negative `A`), and looks `x = table(q)` up. What a number means as
//! a real one (scale and zero point) is for the quantiser; a zero point's effect on a sum is part of the bias.

use serde::{Deserialize, Serialize};

/// A network. Tensor `i` is input `i`, or the output of node `i − inputs.len()`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Net {
    /// What of it a proof shows.
    pub privacy: Privacy,
    /// What the proof is about.
    pub inputs: Vec<Input>,
    /// The steps; each reads tensors before its own.
    pub nodes: Vec<Node>,
    /// Functions of `q` that nodes share.
    pub tables: Vec<Table>,
    /// What is made public.
    pub outputs: Vec<Output>,
}

/// Which sides of an inference a proof hides; `docs/privacy.md` says what stays visible.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Privacy {
    /// Private: a Poseidon commitment with a salt is public instead of the inputs' limbs.
    pub input: Visibility,
    /// Private: weights and biases are in the witness, under commitments that the verifier holds.
    pub model: Visibility,
}

/// Whether everybody may see something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Visibility {
    /// Everybody.
    #[default]
    Public,
    /// The prover alone.
    Private,
}

impl Visibility {
    /// Whether it is the prover's alone.
    pub fn is_private(self) -> bool {
        self == Self::Private
    }
}

/// A tensor that the proof is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Input {
    /// The file's own name.
    pub name: String,
    /// How many numbers it has.
    pub len: usize,
    /// Each number is below `2^bits`; 1 to 16.
    pub bits: u32,
}

/// A public result: all of a tensor's numbers, packed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Output {
    /// The file's own name.
    pub name: String,
    /// Which tensor.
    pub tensor: usize,
    /// Each number is below `2^bits`.
    pub bits: u32,
}

/// One step: reads tensors, writes one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node {
    /// The name of the ONNX node that it came from, for messages.
    pub name: String,
    /// Tensors that are read.
    pub inputs: Vec<usize>,
    /// What is computed.
    pub step: Step,
}

/// What a node computes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Step {
    /// Accumulators, rescaled and looked up.
    Linear(Linear, Rescale),
    /// The largest number of each window of the first input.
    Max(Windows),
    /// Each number is another's: which of the node's inputs, and which of its numbers. It takes no row of the circuit.
    Move(Vec<[u32; 2]>),
}

/// Accumulators.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Linear {
    /// A convolution of the first input.
    Conv(Conv),
    /// A few weighted numbers each.
    Sparse(Sparse),
    /// Sums of products of numbers of the first and the second input.
    Products(Products),
}

/// `A = q·2^shift + r`, `x = table(q)`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rescale {
    /// Added to each accumulator.
    pub bias: Vec<i64>,
    /// `s` of each accumulator.
    pub shift: Vec<u32>,
    /// Which of the net's tables.
    pub table: usize,
}

/// A function of a small integer, by its values.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    /// The least `q` that it takes.
    pub low: i64,
    /// `x` for `low`, `low + 1`, …; none is negative.
    pub values: Vec<i64>,
}

/// A correlation with stride 1, as ONNX `Conv` has it. Dense layers are 1×1 convolutions of a 1×1 plane.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conv {
    /// Channels, height and width read.
    pub input: [usize; 3],
    /// Channels written.
    pub channels: usize,
    /// Height and width of a kernel.
    pub kernel: [usize; 2],
    /// Cells of padding, as zeros: top, left, bottom, right.
    pub pads: [usize; 4],
    /// Distance between taps, down and across.
    pub dilation: [usize; 2],
    /// Input channel `c` only reaches output channels of its own group.
    pub groups: usize,
    /// `[channels][input channels / groups][kernel]`, row-major.
    pub weights: Vec<i64>,
}

/// Output `o` is the sum of terms `starts[o] .. starts[o + 1]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sparse {
    /// First term of each output, and the number of terms.
    pub starts: Vec<u32>,
    /// All terms.
    pub terms: Vec<Term>,
}

/// `weight · x[inputs[input]][index]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Term {
    /// Which of the node's inputs.
    pub input: u32,
    /// Which of its numbers.
    pub index: u32,
    /// The factor.
    pub weight: i64,
}

/// Output `o` is the sum of `(x[left] − zeros[0])·(y[right] − zeros[1])` over the pairs `starts[o] .. starts[o + 1]`, where
/// `x` is the node's first input and `y` its second, which may be the same.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Products {
    /// First pair of each output, and the number of pairs.
    pub starts: Vec<u32>,
    /// All pairs: indices left and right.
    pub pairs: Vec<[u32; 2]>,
    /// Zero points of the first and the second input.
    pub zeros: [i64; 2],
}

/// Output `o` is the maximum over `indices[starts[o] .. starts[o + 1]]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Windows {
    /// First index of each window, and the number of indices.
    pub starts: Vec<u32>,
    /// All windows' cells.
    pub indices: Vec<u32>,
}

impl Step {
    /// Its kind in a word.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Linear(Linear::Conv(conv), _) if conv.is_dense() => "dense",
            Self::Linear(Linear::Conv(_), _) => "convolution",
            Self::Linear(Linear::Sparse(_), _) => "sum",
            Self::Linear(Linear::Products(_), _) => "product",
            Self::Max(_) => "maximum",
            Self::Move(_) => "move",
        }
    }
}

impl Conv {
    /// Height and width of a kernel with the gaps between its taps.
    pub fn extent(&self) -> [usize; 2] {
        [0, 1].map(|i| (self.kernel[i] - 1) * self.dilation[i] + 1)
    }

    /// Height and width of the output.
    pub fn plane(&self) -> [usize; 2] {
        let [kh, kw] = self.extent();
        let [top, left, bottom, right] = self.pads;
        [self.input[1] + top + bottom + 1 - kh, self.input[2] + left + right + 1 - kw]
    }

    /// Numbers written.
    pub fn len(&self) -> usize {
        let [h, w] = self.plane();
        self.channels * h * w
    }

    /// Whether nothing is written.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether planes are single cells: a dense layer.
    pub fn is_dense(&self) -> bool {
        self.input[1..] == [1, 1] && self.plane() == [1, 1]
    }
}

impl Sparse {
    /// Terms of one output.
    pub fn of(&self, output: usize) -> &[Term] {
        &self.terms[self.starts[output] as usize..self.starts[output + 1] as usize]
    }
}

impl Products {
    /// Pairs of one output.
    pub fn of(&self, output: usize) -> &[[u32; 2]] {
        &self.pairs[self.starts[output] as usize..self.starts[output + 1] as usize]
    }
}

impl Windows {
    /// Cells of one window.
    pub fn of(&self, output: usize) -> &[u32] {
        &self.indices[self.starts[output] as usize..self.starts[output + 1] as usize]
    }
}

impl Table {
    /// `x` of `q`, if the table has it.
    pub fn get(&self, q: i64) -> Option<i64> {
        usize::try_from(q - self.low).ok().and_then(|i| self.values.get(i)).copied()
    }

    /// The largest `q` that it takes.
    pub fn high(&self) -> i64 {
        self.low + self.values.len() as i64 - 1
    }
}

impl Node {
    /// Numbers written.
    pub fn len(&self) -> usize {
        match &self.step {
            Step::Linear(Linear::Conv(conv), _) => conv.len(),
            Step::Linear(Linear::Sparse(sparse), _) => sparse.starts.len() - 1,
            Step::Linear(Linear::Products(products), _) => products.starts.len() - 1,
            Step::Max(windows) => windows.starts.len() - 1,
            Step::Move(from) => from.len(),
        }
    }

    /// Whether nothing is written.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Net {
    /// Number of tensors.
    pub fn tensors(&self) -> usize {
        self.inputs.len() + self.nodes.len()
    }

    /// Length of a tensor.
    pub fn len(&self, tensor: usize) -> usize {
        match tensor.checked_sub(self.inputs.len()) {
            None => self.inputs[tensor].len,
            Some(node) => self.nodes[node].len(),
        }
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// Weights of all layers, and a bias for each of their channels.
    pub fn parameters(&self) -> usize {
        let weights = |node: &Node| match &node.step {
            Step::Linear(Linear::Conv(conv), _) => conv.weights.len() + conv.channels,
            _ => 0,
        };
        self.nodes.iter().map(weights).sum()
    }

    /// The same net with every weight and bias 0: what a private model shows of itself.
    pub fn architecture(&self) -> Self {
        let mut net = self.clone();
        for node in &mut net.nodes {
            let Step::Linear(linear, rescale) = &mut node.step else { continue };
            rescale.bias.fill(0);
            match linear {
                Linear::Conv(conv) => conv.weights.fill(0),
                Linear::Sparse(sparse) => sparse.terms.iter_mut().for_each(|term| term.weight = 0),
                Linear::Products(_) => {}
            }
        }
        net
    }

    /// Multiply-accumulate operations of one run.
    pub fn macs(&self) -> usize {
        let macs = |node: &Node| match &node.step {
            Step::Linear(Linear::Conv(conv), _) => conv.weights.len() * conv.plane().iter().product::<usize>(),
            Step::Linear(Linear::Sparse(sparse), _) => sparse.terms.len(),
            Step::Linear(Linear::Products(products), _) => products.pairs.len(),
            Step::Max(_) | Step::Move(_) => 0,
        };
        self.nodes.iter().map(macs).sum()
    }
}

/// Why public limbs are no input of a net.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LimbError {
    /// A wrong number of limbs.
    #[error(
        "{got} limbs, but the model's input takes {want}: ask it with the input schema that it was registered with"
    )]
    Count {
        /// Limbs that were given.
        got: usize,
        /// Limbs that the input takes.
        want: usize,
    },
    /// A limb with something above its last number: no proof can be made for it.
    #[error("limb {limb} has bits above its last number: no proof can be made for it")]
    TooLarge {
        /// Index of the limb.
        limb: usize,
    },
}

impl Net {
    /// The inputs that public limbs (big-endian words) stand for, one list of integers for each tensor.
    ///
    /// # Errors
    /// [`LimbError`] if their number is another, or one has bits where it holds no number.
    pub fn unpack(&self, limbs: &[[u8; 32]]) -> Result<Vec<Vec<i64>>, LimbError> {
        let (places, want) = packing(self.inputs.iter().map(|i| (i.len, i.bits)));
        if limbs.len() != want {
            return Err(LimbError::Count { got: limbs.len(), want });
        }
        let mut rest = limbs.to_vec();
        let mut inputs = Vec::with_capacity(places.len());
        for (input, places) in self.inputs.iter().zip(places) {
            let number = |(limb, offset): (usize, u32)| {
                let mut value = 0i64;
                for bit in (offset..offset + input.bits).rev() {
                    let byte: &mut u8 = &mut rest[limb][31 - (bit / 8) as usize];
                    value = value << 1 | i64::from(*byte >> (bit % 8) & 1);
                    *byte &= !(1 << (bit % 8));
                }
                value
            };
            inputs.push(places.into_iter().map(number).collect());
        }
        match rest.iter().position(|limb| *limb != [0; 32]) {
            Some(limb) => Err(LimbError::TooLarge { limb }),
            None => Ok(inputs),
        }
    }
}

/// Bits that a public limb has room for: one less than the scalar field's.
const LIMB_BITS: u32 = 253;

/// How numbers of `bits` bits stand in limbs: as many as fit, the first lowest.
pub(crate) fn per_limb(bits: u32) -> usize {
    (LIMB_BITS.min(8 * 31 + 5) / bits.max(1)) as usize
}

/// Limb and bit offset of each public number of a list of (length, bits), every tensor beginning a limb of its own.
pub fn packing(parts: impl Iterator<Item = (usize, u32)>) -> (Vec<Vec<(usize, u32)>>, usize) {
    let mut limbs = 0;
    let places = parts
        .map(|(len, bits)| {
            let per = per_limb(bits);
            let places = (0..len).map(|i| (limbs + i / per, (i % per) as u32 * bits)).collect();
            limbs += len.div_ceil(per);
            places
        })
        .collect();
    (places, limbs)
}
