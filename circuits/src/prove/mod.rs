//! A prover for halo2's proofs, faster than halo2's own on circuits like ours.
//!
//! It writes what `halo2_proofs::plonk::create_proof` writes with SHPLONK over KZG, so the same
//! verifiers take its proofs: per phase the advice columns' commitments, a random polynomial, the
//! quotient's pieces, evaluations at `x`, and one opening. It serves constraint systems of gates
//! over fixed, advice and instance columns in any number of phases; copy constraints, native
//! lookups and selectors are refused.
//!
//! What makes it fast: everything about fixed columns is computed once ([`Key`]); the gates are
//! compiled to straight-line code (`program.rs`); transforms are short and go column by column
//! (`fft.rs`); columns are committed by what is special about them (`commit.rs`); polynomials are
//! added up before they are divided (`opening.rs`).
//!
//! The proof hides the witness as halo2's does: the last rows of each advice column are random, and
//! so is a whole polynomial that the opening is mixed with.

mod commit;
mod fft;
mod graph;
mod key;
mod opening;
mod program;
mod quotient;
mod sums;

use std::io;
use std::ops::ControlFlow;
use std::time::Instant;

use halo2_proofs::halo2curves::bn256::{Fr, G1, G1Affine};
use halo2_proofs::halo2curves::ff::Field;
use halo2_proofs::halo2curves::group::Curve;
use halo2_proofs::halo2curves::group::prime::PrimeCurveAffine;
use halo2_proofs::transcript::{EncodedChallenge, TranscriptWrite};
use rand::rngs::StdRng;
use rand::{CryptoRng, RngCore, SeedableRng};
use rayon::prelude::*;

use crate::circuit::small;
use commit::Values;
use opening::{Opening, Point, Query};
use quotient::Columns;

pub use commit::{Points, REFERENCE_SECONDS, reference_work};
pub use key::{Key, verifying_key};

/// Why there is no proof.
#[derive(Debug, thiserror::Error)]
pub enum ProveError {
    /// The constraint system has something that this prover has no code for.
    #[error("the circuit has {0}, which this prover has no code for")]
    Unsupported(&'static str),
    /// The circuit has more than 2^k rows, blinding rows included.
    #[error("the circuit needs more than 2^{k} rows")]
    TooSmall {
        /// log2 of the rows there are.
        k: u32,
    },
    /// The set-up is of another size than the key.
    #[error("the set-up has 2^{got} rows, the key 2^{want}")]
    SetUp {
        /// The key's k.
        want: u32,
        /// The set-up's.
        got: u32,
    },
    /// Too many or too few columns.
    #[error("{got} {what} columns were given, the circuit has {want}")]
    Columns {
        /// Their kind.
        what: &'static str,
        /// How many the circuit has.
        want: usize,
        /// How many there were.
        got: usize,
    },
    /// A column is too long.
    #[error("a column of {got} {what} rows was given, but there are {most}")]
    Rows {
        /// The column's kind.
        what: &'static str,
        /// Rows that can be used.
        most: usize,
        /// Its rows.
        got: usize,
    },
    /// The transcript refused something, such as a column's commitment that is the identity.
    #[error("the transcript: {0}")]
    Transcript(#[from] io::Error),
    /// Whoever waited for it wanted it no more as a step began.
    #[error("the proof was stopped before it was done, as it was asked to")]
    Stopped,
}

/// What a listener returns as a step begins: `()` always goes on, [`ControlFlow::Break`] stops the proof there.
pub trait Answer {
    /// Whether the proof goes on.
    fn goes_on(&self) -> bool;
}

impl Answer for () {
    fn goes_on(&self) -> bool {
        true
    }
}

impl Answer for ControlFlow<()> {
    fn goes_on(&self) -> bool {
        self.is_continue()
    }
}

/// Hears what a listener answers.
pub(crate) fn heard(answer: &impl Answer) -> Result<(), ProveError> {
    if answer.goes_on() { Ok(()) } else { Err(ProveError::Stopped) }
}

/// A column's values from row 0 on; the rest are zeros.
#[derive(Clone, Debug)]
pub enum Column<'a> {
    /// Integers: cheap to commit if they are small in absolute value, none negative or few.
    Small(&'a [i64]),
    /// Any values: cheap to commit if there are few distinct ones, or few distinct steps from row
    /// to row.
    Field(Vec<Fr>),
    /// All `2^k` rows, the blinding rows among them: for commitments of which more is proven than the
    /// circuit says. Whoever makes it answers for its randomness.
    Whole(Vec<Fr>),
}

impl Column<'_> {
    fn len(&self) -> usize {
        match self {
            Self::Small(integers) => integers.len(),
            Self::Field(values) | Self::Whole(values) => values.len(),
        }
    }

    /// How long a column of this kind may be, where `usable` rows of `n` are not for blinding.
    fn fits(&self, usable: usize, n: usize) -> bool {
        match self {
            Self::Small(_) | Self::Field(_) => self.len() <= usable,
            Self::Whole(values) => values.len() == n,
        }
    }

    fn values(&self, n: usize) -> Vec<Fr> {
        let mut values: Vec<Fr> = match self {
            Self::Small(integers) => integers.iter().map(|v| small(*v)).collect(),
            Self::Field(values) | Self::Whole(values) => values.clone(),
        };
        values.resize(n, Fr::ZERO);
        values
    }
}

/// The witness of one proof.
pub trait Advice: Sync {
    /// The advice columns of `phase` (0 is the first), in the constraint system's order, each at
    /// most as long as there are usable rows. `challenges` are all of the circuit's by index; those
    /// drawn after `phase` or later are 0.
    fn columns(&self, phase: u8, challenges: &[Fr]) -> Vec<Column<'_>>;
}

/// Where a proof stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The columns of this phase are made and committed.
    Columns(u8),
    /// The quotient is computed and committed.
    Quotient,
    /// Columns are evaluated and opened.
    Opening,
}

/// Wall-clock seconds of a proof's steps. For people: nothing is decided by them.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Profile {
    /// Making the columns of later phases; transforms of the first phase's run beside it.
    pub columns: f64,
    /// Committing to the first phase's columns.
    pub first_commitments: f64,
    /// Committing to later phases' columns and to the random polynomial.
    pub later_commitments: f64,
    /// Transforms of the last phase's columns, and of all columns to the cosets.
    pub transforms: f64,
    /// The gates on the cosets, and the quotient's pieces.
    pub quotient: f64,
    /// Committing to the quotient's pieces.
    pub quotient_commitments: f64,
    /// Evaluating all polynomials.
    pub evaluations: f64,
    /// Joining, dividing and committing for the opening.
    pub opening: f64,
}

/// Writes a proof to the transcript. `instances` holds the instance columns, unpadded. The proof is
/// not verified here; a wrong witness gives a proof, too, which then does not verify.
///
/// `on_step` is called as each step begins, and can stop the proof there.
///
/// # Errors
/// [`ProveError::Columns`] and [`ProveError::Rows`] if columns don't fit the constraint system,
/// [`ProveError::Transcript`] if the transcript fails, [`ProveError::Stopped`] if `on_step` says so.
pub fn prove<E, T, A: Answer>(
    key: &Key,
    instances: &[&[Fr]],
    advice: &impl Advice,
    rng: impl RngCore + CryptoRng,
    transcript: &mut T,
    on_step: &dyn Fn(Step) -> A,
) -> Result<Profile, ProveError>
where
    E: EncodedChallenge<G1Affine>,
    T: TranscriptWrite<G1Affine, E>,
{
    written(key, instances, advice, rng, transcript, &|step| heard(&on_step(step)))
}

fn written<E, T>(
    key: &Key,
    instances: &[&[Fr]],
    advice: &impl Advice,
    mut rng: impl RngCore + CryptoRng,
    transcript: &mut T,
    on_step: &dyn Fn(Step) -> Result<(), ProveError>,
) -> Result<Profile, ProveError>
where
    E: EncodedChallenge<G1Affine>,
    T: TranscriptWrite<G1Affine, E>,
{
    let mut profile = Profile::default();
    let (cs, domain) = (key.vk.cs(), &key.domain);
    let n = domain.n();
    let blinded = (cs.blinding_factors() + 1).min(n);
    let usable = n - blinded;
    if instances.len() != cs.num_instance_columns() {
        return Err(ProveError::Columns { what: "instance", want: cs.num_instance_columns(), got: instances.len() });
    }
    fits("instance", usable, instances.iter().map(|column| column.len()))?;

    transcript.common_scalar(key.vk.transcript_repr())?;
    for value in instances.iter().copied().flatten() {
        transcript.common_scalar(*value)?;
    }

    // Phase by phase: columns, commitments, challenges. A phase's columns are transformed while the
    // next phase's are made.
    let column_phases = cs.advice_column_phase();
    let challenge_phases = cs.challenge_phase();
    let last_phase = column_phases.iter().chain(&challenge_phases).copied().max().unwrap_or(0);
    let mut challenges = vec![Fr::ZERO; cs.num_challenges()];
    let mut polynomials: Vec<Vec<Fr>> = vec![vec![]; cs.num_advice_columns()];
    let mut committed: Vec<(usize, Values<'_>)> = vec![];
    let mut random = vec![];
    for phase in 0..=last_phase {
        on_step(Step::Columns(phase))?;
        let clock = Instant::now();
        let (columns, transformed) =
            rayon::join(|| advice.columns(phase, &challenges), || coefficients(key, std::mem::take(&mut committed)));
        place(&mut polynomials, transformed);
        let of_phase: Vec<usize> = (0..column_phases.len()).filter(|c| column_phases[*c] == phase).collect();
        if columns.len() != of_phase.len() {
            return Err(ProveError::Columns { what: "advice", want: of_phase.len(), got: columns.len() });
        }
        if let Some(column) = columns.iter().find(|c| !c.fits(usable, n)) {
            return Err(ProveError::Rows { what: "advice", most: usable, got: column.len() });
        }
        let blind = |column| match column {
            Column::Small(integers) => {
                Values::Small { integers, blinding: (0..blinded).map(|_| Fr::random(&mut rng)).collect() }
            }
            Column::Field(mut values) => {
                values.resize(usable, Fr::ZERO);
                values.extend((0..blinded).map(|_| Fr::random(&mut rng)));
                Values::Full(values)
            }
            Column::Whole(values) => Values::Full(values),
        };
        committed = of_phase.into_iter().zip(columns.into_iter().map(blind)).collect();
        if phase > 0 {
            lap(clock, &mut profile.columns);
        }
        let clock = Instant::now();
        let commit = || committed.par_iter().map(|(_, values)| key.points.commit_column(values)).collect::<Vec<G1>>();
        let mut points;
        if phase == last_phase {
            let mut seeded = StdRng::from_rng(&mut rng).map_err(|e| ProveError::Transcript(io::Error::other(e)))?;
            let random_part = || {
                let random: Vec<Fr> = (0..n).map(|_| Fr::random(&mut seeded)).collect();
                let point = key.points.commit(&random);
                (random, point)
            };
            let (of_columns, (coefficients, point)) = rayon::join(commit, random_part);
            (points, random) = (of_columns, coefficients);
            points.push(point);
        } else {
            points = commit();
        }
        let random_point = if phase == last_phase { points.pop() } else { None };
        write(transcript, &points)?;
        for (challenge, drawn_after) in challenges.iter_mut().zip(&challenge_phases) {
            if *drawn_after == phase {
                *challenge = *transcript.squeeze_challenge_scalar::<()>();
            }
        }
        if let Some(point) = random_point {
            // θ, β and γ of the arguments that there are none of.
            for _ in 0..3 {
                transcript.squeeze_challenge_scalar::<()>();
            }
            write(transcript, &[point])?;
        }
        lap(clock, if phase == 0 { &mut profile.first_commitments } else { &mut profile.later_commitments });
    }

    on_step(Step::Quotient)?;
    let y = *transcript.squeeze_challenge_scalar::<()>();
    let clock = Instant::now();
    place(&mut polynomials, coefficients(key, committed));
    let public: Vec<Vec<Fr>> =
        instances.par_iter().map(|column| domain.coefficients(Column::Field(column.to_vec()).values(n))).collect();
    lap(clock, &mut profile.transforms);
    let scalars = key.program.scalars(&challenges, y);
    let mut numerators = vec![];
    for coset in 0..domain.num_cosets() {
        let clock = Instant::now();
        let fixed = key.fixed_on_coset(coset);
        let all: Vec<Vec<Fr>> =
            polynomials.par_iter().chain(&public).map(|column| domain.on_coset(coset, column)).collect();
        lap(clock, &mut profile.transforms);
        let clock = Instant::now();
        let (advice, instance) = all.split_at(polynomials.len());
        let columns = Columns { fixed: &fixed, advice, instance };
        numerators.push(quotient::evaluate(&key.program, &scalars, columns, n));
        lap(clock, &mut profile.quotient);
    }
    let clock = Instant::now();
    let pieces = domain.quotient(numerators);
    lap(clock, &mut profile.quotient);
    let clock = Instant::now();
    let points: Vec<G1> = pieces.par_iter().map(|piece| key.points.commit(piece)).collect();
    write(transcript, &points)?;
    lap(clock, &mut profile.quotient_commitments);

    on_step(Step::Opening)?;
    let x = *transcript.squeeze_challenge_scalar::<()>();
    let clock = Instant::now();
    let pieces: Vec<&[Fr]> = pieces.iter().map(|piece| &piece[..]).collect();
    let joined = opening::combined(&pieces, x.pow_vartime([n as u64]), n);
    let queries = evaluated(key, x, &polynomials, &joined, &random);
    // The quotient's value is for the verifier to know.
    let quotient = polynomials.len() + key.fixed.len();
    for query in queries.iter().filter(|q| q.polynomial != quotient) {
        transcript.write_scalar(query.value)?;
    }
    lap(clock, &mut profile.evaluations);

    let clock = Instant::now();
    let y = *transcript.squeeze_challenge_scalar::<()>();
    let v = *transcript.squeeze_challenge_scalar::<()>();
    let opening = Opening::new(domain, &opening::sets(&queries), x, y, v);
    write(transcript, &[key.points.commit(&opening.first())])?;
    let u = *transcript.squeeze_challenge_scalar::<()>();
    write(transcript, &[key.points.commit(&opening.last(u))])?;
    lap(clock, &mut profile.opening);
    Ok(profile)
}

/// Evaluates everything that is opened, in halo2's order: advice, fixed, quotient, random.
fn evaluated<'a>(key: &'a Key, x: Fr, advice: &'a [Vec<Fr>], quotient: &'a [Fr], random: &'a [Fr]) -> Vec<Query<'a>> {
    let cs = key.vk.cs();
    let first_fixed = advice.len();
    let advice_queries = cs.advice_queries().iter().map(|(c, at)| (c.index(), &advice[c.index()][..], at.0));
    let fixed_queries =
        cs.fixed_queries().iter().map(|(c, at)| (first_fixed + c.index(), &key.fixed[c.index()][..], at.0));
    let last = first_fixed + key.fixed.len();
    let queries: Vec<(usize, &[Fr], i32)> =
        advice_queries.chain(fixed_queries).chain([(last, quotient, 0), (last + 1, random, 0)]).collect();
    let mut rotations: Vec<i32> = queries.iter().map(|(_, _, rotation)| *rotation).collect();
    rotations.sort_unstable();
    rotations.dedup();
    let points: Vec<Point> =
        rotations.par_iter().map(|rotation| Point::new(&key.domain, key.domain.rotate(x, *rotation))).collect();
    queries
        .into_par_iter()
        .map(|(polynomial, coefficients, rotation)| {
            let point = rotations.binary_search(&rotation).map(|i| &points[i]);
            let value = point.map_or(Fr::ZERO, |point| point.evaluate(coefficients));
            Query { polynomial, coefficients, rotation, value }
        })
        .collect()
}

/// Columns' polynomials, with the columns' indices.
fn coefficients(key: &Key, columns: Vec<(usize, Values<'_>)>) -> Vec<(usize, Vec<Fr>)> {
    columns
        .into_par_iter()
        .map(|(column, values)| {
            let values = match values {
                Values::Full(values) => values,
                Values::Small { integers, blinding } => {
                    let mut values = Column::Small(integers).values(key.domain.n() - blinding.len());
                    values.extend(blinding);
                    values
                }
            };
            (column, key.domain.coefficients(values))
        })
        .collect()
}

fn place(polynomials: &mut [Vec<Fr>], transformed: Vec<(usize, Vec<Fr>)>) {
    for (column, coefficients) in transformed {
        polynomials[column] = coefficients;
    }
}

fn fits(what: &'static str, most: usize, rows: impl Iterator<Item = usize>) -> Result<(), ProveError> {
    match rows.into_iter().find(|rows| *rows > most) {
        Some(got) => Err(ProveError::Rows { what, most, got }),
        None => Ok(()),
    }
}

fn write<E, T>(transcript: &mut T, points: &[G1]) -> io::Result<()>
where
    E: EncodedChallenge<G1Affine>,
    T: TranscriptWrite<G1Affine, E>,
{
    let mut affine = vec![G1Affine::identity(); points.len()];
    G1::batch_normalize(points, &mut affine);
    affine.into_iter().try_for_each(|point| transcript.write_point(point))
}

fn lap(clock: Instant, seconds: &mut f64) {
    *seconds += clock.elapsed().as_secs_f64();
}
