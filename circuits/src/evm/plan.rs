//! What a verifier has to do for one verifying key, as plain data: where each proof word lies,
//! which points are opened where, and in which order the transcript absorbs and squeezes.

use halo2_proofs::{
    halo2curves::{
        bn256::{Fr, G1Affine},
        ff::Field,
    },
    plonk::{Expression, VerifyingKey},
};

use super::EvmError;

/// A commitment that is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// A point of the proof, by its byte offset.
    Proof(usize),
    /// A fixed column's commitment.
    Fixed(G1Affine),
    /// `Σ x^(n·i)·h_i`, made out of the quotient's pieces.
    Quotient,
}

/// The value a commitment is claimed to open to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Eval {
    /// The proof's evaluation with this index (counted from the first evaluation).
    Word(usize),
    /// The value computed from the gates.
    Quotient,
}

/// A commitment with its evaluations at the points of its set, in the set's order.
#[derive(Clone, Debug)]
pub(super) struct Opening {
    pub(super) source: Source,
    pub(super) evals: Vec<Eval>,
}

/// Commitments that are opened at the same rotations.
#[derive(Clone, Debug)]
pub(super) struct RotationSet {
    pub(super) rotations: Vec<i32>,
    pub(super) openings: Vec<Opening>,
}

/// One step of the transcript.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Absorb so many bytes of the proof, from an offset.
    Absorb { offset: usize, bytes: usize },
    /// Draw a challenge.
    Squeeze(Drawn),
}

/// The challenges a verifier draws.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Drawn {
    /// A challenge of the circuit, by its index.
    Circuit(usize),
    /// θ, β, γ of the arguments we don't use: drawn by halo2 all the same.
    Unused,
    /// Joins the gates.
    Y,
    /// Where the circuit is evaluated.
    X,
    /// Joins the commitments of a set.
    ShplonkY,
    /// Joins the sets.
    ShplonkV,
    /// Where the joined polynomial is evaluated.
    ShplonkU,
}

/// Everything about a verifying key that the generator prints.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) k: u32,
    pub(super) omega: Fr,
    pub(super) digest: Fr,
    pub(super) num_instances: usize,
    pub(super) num_challenges: usize,
    pub(super) steps: Vec<Step>,
    pub(super) quotient_pieces: Vec<usize>,
    pub(super) first_eval: usize,
    pub(super) num_evals: usize,
    pub(super) h1: usize,
    pub(super) h2: usize,
    pub(super) proof_bytes: usize,
    pub(super) advice_queries: Vec<(usize, i32)>,
    pub(super) fixed_queries: Vec<(usize, i32)>,
    pub(super) instance_rotations: Vec<i32>,
    pub(super) sets: Vec<RotationSet>,
    pub(super) gates: Vec<Expression<Fr>>,
}

impl Plan {
    pub(super) fn new(vk: &VerifyingKey<G1Affine>, num_instances: usize) -> Result<Self, EvmError> {
        let cs = vk.cs();
        if !cs.permutation().get_columns().is_empty() {
            return Err(EvmError::Unsupported("equality-enabled columns (permutation argument)"));
        }
        if !cs.lookups().is_empty() {
            return Err(EvmError::Unsupported("native lookup arguments"));
        }
        if cs.num_instance_columns() > 1 {
            return Err(EvmError::Unsupported("more than one instance column"));
        }
        if cs.num_instance_columns() == 0 && num_instances > 0 {
            return Err(EvmError::TooManyInstances { got: num_instances, most: 0 });
        }
        let domain = vk.get_domain();
        let usable = (domain.get_n() as usize).saturating_sub(cs.blinding_factors() + 1);
        if num_instances > usable {
            return Err(EvmError::TooManyInstances { got: num_instances, most: usable });
        }
        let gates: Vec<_> = cs.gates().iter().flat_map(|gate| gate.polynomials().to_vec()).collect();
        if gates.is_empty() {
            return Err(EvmError::Unsupported("a circuit without gates"));
        }

        let mut layout = Layout::default();
        let phases = cs.advice_column_phase();
        let challenge_phases = cs.challenge_phase();
        let last_phase = phases.iter().chain(&challenge_phases).copied().max().unwrap_or(0);
        let mut advice = vec![0; phases.len()];
        for phase in 0..=last_phase {
            for (column, _) in phases.iter().enumerate().filter(|(_, p)| **p == phase) {
                advice[column] = layout.point();
            }
            for (index, _) in challenge_phases.iter().enumerate().filter(|(_, p)| **p == phase) {
                layout.squeeze(Drawn::Circuit(index));
            }
        }
        for _ in ["theta", "beta", "gamma"] {
            layout.squeeze(Drawn::Unused);
        }
        let random = layout.point();
        layout.squeeze(Drawn::Y);
        let quotient_pieces = (0..domain.get_quotient_poly_degree()).map(|_| layout.point()).collect();
        layout.squeeze(Drawn::X);

        let advice_queries: Vec<_> = cs.advice_queries().iter().map(|(column, at)| (column.index(), at.0)).collect();
        let fixed_queries: Vec<_> = cs.fixed_queries().iter().map(|(column, at)| (column.index(), at.0)).collect();
        if let Some(column) = (0..advice.len()).find(|c| advice_queries.iter().all(|q| q.0 != *c)) {
            return Err(EvmError::UnusedAdvice { column });
        }
        let first_eval = layout.bytes;
        let num_evals = advice_queries.len() + fixed_queries.len() + 1;
        layout.absorb(num_evals * 32);
        layout.squeeze(Drawn::ShplonkY);
        layout.squeeze(Drawn::ShplonkV);
        let h1 = layout.point();
        layout.squeeze(Drawn::ShplonkU);
        let h2 = layout.bytes;

        // The order in which halo2 hands its queries to SHPLONK.
        let mut queries = vec![];
        for (index, (column, at)) in advice_queries.iter().enumerate() {
            queries.push((Key::Advice(*column), Source::Proof(advice[*column]), *at, Eval::Word(index)));
        }
        for (index, (column, at)) in fixed_queries.iter().enumerate() {
            let source = Source::Fixed(vk.fixed_commitments()[*column]);
            let eval = Eval::Word(advice_queries.len() + index);
            queries.push((Key::Fixed(*column), source, *at, eval));
        }
        queries.push((Key::Quotient, Source::Quotient, 0, Eval::Quotient));
        queries.push((Key::Random, Source::Proof(random), 0, Eval::Word(num_evals - 1)));

        Ok(Self {
            k: domain.k(),
            omega: domain.get_omega(),
            digest: vk.transcript_repr(),
            num_instances,
            num_challenges: cs.num_challenges(),
            steps: layout.steps,
            quotient_pieces,
            first_eval,
            num_evals,
            h1,
            h2,
            proof_bytes: h2 + 64,
            instance_rotations: cs.instance_queries().iter().map(|(_, at)| at.0).collect(),
            advice_queries,
            fixed_queries,
            sets: rotation_sets(&queries),
            gates,
        })
    }

    /// ω^at.
    pub(super) fn omega_pow(&self, at: i32) -> Fr {
        let power = self.omega.pow_vartime([at.unsigned_abs().into()]);
        if at < 0 { power.invert().unwrap_or(Fr::ZERO) } else { power }
    }

    /// Every rotation at which something is opened, in order of appearance.
    pub(super) fn all_rotations(&self) -> Vec<i32> {
        let mut all = vec![];
        for at in self.sets.iter().flat_map(|set| &set.rotations) {
            if !all.contains(at) {
                all.push(*at);
            }
        }
        all
    }

    /// Curve points that enter the opening: those of the proof and the queried fixed columns.
    pub(super) fn num_commitments(&self) -> usize {
        let opened: usize = self.sets.iter().map(|set| set.openings.len()).sum();
        opened - 1 + self.quotient_pieces.len() + 2
    }
}

/// Identifies a polynomial, as halo2 does, by what it is and not by its commitment's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Key {
    Advice(usize),
    Fixed(usize),
    Quotient,
    Random,
}

/// Groups queries by their set of rotations; sets and members stand in order of appearance.
fn rotation_sets(queries: &[(Key, Source, i32, Eval)]) -> Vec<RotationSet> {
    type Opened = (Key, Source, Vec<(i32, Eval)>);
    let mut columns: Vec<Opened> = vec![];
    for (key, source, at, eval) in queries {
        match columns.iter_mut().find(|column| column.0 == *key) {
            Some(column) => column.2.push((*at, *eval)),
            None => columns.push((*key, *source, vec![(*at, *eval)])),
        }
    }
    let mut sets: Vec<RotationSet> = vec![];
    for (_, source, mut at) in columns {
        at.sort_by_key(|(rotation, _)| *rotation);
        let rotations: Vec<_> = at.iter().map(|(rotation, _)| *rotation).collect();
        let opening = Opening { source, evals: at.into_iter().map(|(_, eval)| eval).collect() };
        match sets.iter_mut().find(|set| set.rotations == rotations) {
            Some(set) => set.openings.push(opening),
            None => sets.push(RotationSet { rotations, openings: vec![opening] }),
        }
    }
    sets
}

/// Counts out the proof.
#[derive(Debug, Default)]
struct Layout {
    bytes: usize,
    steps: Vec<Step>,
}

impl Layout {
    fn absorb(&mut self, bytes: usize) {
        if let Some(Step::Absorb { bytes: before, .. }) = self.steps.last_mut() {
            *before += bytes;
        } else {
            self.steps.push(Step::Absorb { offset: self.bytes, bytes });
        }
        self.bytes += bytes;
    }

    fn point(&mut self) -> usize {
        let offset = self.bytes;
        self.absorb(64);
        offset
    }

    fn squeeze(&mut self, drawn: Drawn) {
        self.steps.push(Step::Squeeze(drawn));
    }
}
