//! A circuit with the traits of the real ones in any size: two phases, challenges, instance
//! queries, rotations −1, 0 and 1, gates of degree 3, nested Horner sums over many fixed columns.
//! (halo2-axiom 0.5.3 panics on a third phase.)

use halo2_proofs::{
    circuit::{Layouter, SimpleFloorPlanner, Value},
    halo2curves::{
        bn256::{Bn256, Fr, G1Affine},
        ff::Field,
    },
    plonk::{
        Advice, Challenge, Circuit, Column, ConstraintSystem, Error, Expression, FirstPhase, Fixed, Instance,
        ProvingKey, SecondPhase, VerifyingKey, create_proof, keygen_pk, keygen_vk, verify_proof,
    },
    poly::{
        Rotation,
        kzg::{
            commitment::{KZGCommitmentScheme, ParamsKZG},
            multiopen::{ProverSHPLONK, VerifierSHPLONK},
            strategy::SingleStrategy,
        },
    },
};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use zugzwang_circuits::{
    evm::transcript::{EvmReader, EvmWriter},
    prove,
};

/// The size of a [`Toy`].
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Spec {
    /// log2 of the rows.
    pub(crate) k: u32,
    /// Columns of the first phase, at least 2.
    pub(crate) first: usize,
    /// Columns of the second phase, at least 1.
    pub(crate) second: usize,
    /// Whether there is a challenge after the last phase.
    pub(crate) late: bool,
    /// Fixed columns, at least 6.
    pub(crate) fixed: usize,
    /// Public instances.
    pub(crate) instances: usize,
}

impl Spec {
    pub(crate) fn small() -> Self {
        Self { k: 5, first: 6, second: 2, late: true, fixed: 9, instances: 3 }
    }

    pub(crate) fn public(&self) -> Vec<Fr> {
        (0..self.instances).map(|i| -Fr::from(7 * i as u64 + 1)).collect()
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Config {
    first: Vec<Column<Advice>>,
    second: Vec<Column<Advice>>,
    challenges: Vec<Challenge>,
    fixed: Vec<Column<Fixed>>,
}

/// Fixed columns before the kernels: two for instances, first row, active rows, step rows.
const SELECTORS: usize = 5;

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Toy {
    pub(crate) spec: Spec,
    /// Breaks the witness of one cell.
    pub(crate) cheat: bool,
}

impl Circuit<Fr> for Toy {
    type Config = Config;
    type FloorPlanner = SimpleFloorPlanner;
    type Params = Spec;

    fn params(&self) -> Spec {
        self.spec
    }

    fn without_witnesses(&self) -> Self {
        *self
    }

    fn configure(_: &mut ConstraintSystem<Fr>) -> Config {
        unreachable!("configured with parameters")
    }

    fn configure_with_params(meta: &mut ConstraintSystem<Fr>, spec: Spec) -> Config {
        let first: Vec<_> = (0..spec.first).map(|_| meta.advice_column_in(FirstPhase)).collect();
        let challenges: Vec<_> = (0..4).map(|_| meta.challenge_usable_after(FirstPhase)).collect();
        let second: Vec<_> = (0..spec.second).map(|_| meta.advice_column_in(SecondPhase)).collect();
        let mut all = challenges.clone();
        if spec.late {
            all.push(meta.challenge_usable_after(SecondPhase));
        }
        let fixed: Vec<_> = (0..spec.fixed).map(|_| meta.fixed_column()).collect();
        let instance: Column<Instance> = meta.instance_column();

        let kernel = |i: usize| fixed[SELECTORS + i % (spec.fixed - SELECTORS)];
        meta.create_gate("toy", |meta| {
            let mut polynomials = vec![];
            let challenge: Vec<_> = all.iter().map(|c| meta.query_challenge(*c)).collect();
            let [here, before, start, active, step]: [Expression<Fr>; SELECTORS] =
                std::array::from_fn(|i| meta.query_fixed(fixed[i], Rotation::cur()));
            let one = Expression::Constant(Fr::ONE);
            let a = |meta: &mut halo2_proofs::plonk::VirtualCells<'_, Fr>, i: usize| {
                meta.query_advice(first[i], Rotation::cur())
            };
            let (a0, a0_prev) = (a(meta, 0), meta.query_advice(first[0], Rotation::prev()));
            let public = meta.query_instance(instance, Rotation::cur());
            let public_prev = meta.query_instance(instance, Rotation::prev());
            polynomials.push(here * (a0 - public));
            polynomials.push(before * (a0_prev - public_prev));
            let (a1, a1_next) = (a(meta, 1), meta.query_advice(first[1], Rotation::next()));
            polynomials.push(step * (a1_next - a1 - Expression::Constant(Fr::from(3))));
            let mut i = 2;
            while i + 2 < spec.first {
                let (x, y, z) = (a(meta, i), a(meta, i + 1), a(meta, i + 2));
                polynomials.push(active.clone() * (x * y - z));
                i += 3;
            }
            for i in i..spec.first {
                let bit = a(meta, i);
                polynomials.push(active.clone() * bit.clone() * (one.clone() - bit));
            }
            for (j, column) in second.iter().enumerate() {
                let b = meta.query_advice(*column, Rotation::cur());
                let b_prev = meta.query_advice(*column, Rotation::prev());
                let x = a(meta, j % spec.first);
                let mut sum = meta.query_fixed(kernel(9 * j), Rotation::cur());
                for i in 1..9 {
                    let weight = meta.query_fixed(kernel(9 * j + i), Rotation::cur());
                    sum = sum * challenge[1].clone() + weight;
                }
                let linear = x.clone() * challenge[2].clone() * challenge[3].clone();
                let next = b_prev * challenge[0].clone() + sum * x.clone() - linear;
                polynomials.push(active.clone() * (b.clone() - next));
                polynomials.push(start.clone() * (b - x));
            }
            if let Some(late) = challenge.get(4) {
                let joined = polynomials.iter().cloned().reduce(|sum, p| sum * late.clone() + p);
                polynomials.extend(joined);
            }
            polynomials
        });
        Config { first, second, challenges: all, fixed }
    }

    fn synthesize(&self, config: Config, mut layouter: impl Layouter<Fr>) -> Result<(), Error> {
        layouter.assign_region(
            || "toy",
            |mut region| {
                for (column, values) in config.fixed.iter().zip(self.fixed()) {
                    for (row, v) in values.into_iter().enumerate() {
                        region.assign_fixed(*column, row, v);
                    }
                }
                for (column, values) in config.first.iter().zip(self.first()) {
                    for (row, v) in values.into_iter().enumerate() {
                        region.assign_advice(*column, row, Value::known(v));
                    }
                }
                region.next_phase();
                let mut challenges = vec![];
                for challenge in &config.challenges[..4] {
                    region.get_challenge(*challenge).map(|c| challenges.push(c));
                }
                if challenges.len() < 4 {
                    return Ok(());
                }
                for (column, values) in config.second.iter().zip(self.second(&challenges)) {
                    for (row, v) in values.into_iter().enumerate() {
                        region.assign_advice(*column, row, Value::known(v));
                    }
                }
                Ok(())
            },
        )
    }
}

fn small(row: usize, i: usize) -> Fr {
    Fr::from(((row * 31 + i * 17) % 251) as u64)
}

impl Toy {
    fn rows(&self) -> usize {
        (1usize << self.spec.k) - 8
    }

    /// The fixed columns.
    pub(crate) fn fixed(&self) -> Vec<Vec<Fr>> {
        let (rows, public) = (self.rows(), self.spec.instances);
        let flag = |i: usize, row: usize| match i {
            0 => row < public,
            1 => (1..=public).contains(&row),
            2 => row == 0,
            3 => row > 0,
            _ => row + 1 < rows,
        };
        let cell = |i: usize, row: usize| match i.checked_sub(SELECTORS) {
            None => Fr::from(u64::from(flag(i, row))),
            Some(i) => -small(row + 5, i + 1),
        };
        (0..self.spec.fixed).map(|i| (0..rows).map(|row| cell(i, row)).collect()).collect()
    }

    /// The first phase's columns.
    pub(crate) fn first(&self) -> Vec<Vec<Fr>> {
        let public = self.spec.public();
        let mut columns = vec![vec![Fr::ZERO; self.rows()]; self.spec.first];
        for row in 0..self.rows() {
            columns[0][row] = public.get(row).copied().unwrap_or(small(row, 0));
            columns[1][row] = Fr::from(3 * row as u64 + 11);
            let mut i = 2;
            while i + 2 < self.spec.first {
                (columns[i][row], columns[i + 1][row]) = (small(row, i), small(row, i + 1));
                columns[i + 2][row] = columns[i][row] * columns[i + 1][row];
                i += 3;
            }
            for (i, column) in columns.iter_mut().enumerate().skip(i) {
                column[row] = Fr::from(((row + i) % 2) as u64);
            }
        }
        if self.cheat {
            columns[4][2] += Fr::ONE;
        }
        columns
    }

    /// The second phase's columns.
    pub(crate) fn second(&self, c: &[Fr]) -> Vec<Vec<Fr>> {
        let (fixed, first) = (self.fixed(), self.first());
        let kernels = self.spec.fixed - SELECTORS;
        let column = |j: usize| {
            let xs = &first[j % self.spec.first];
            let mut running = Fr::ZERO;
            let next = |(row, x): (usize, &Fr)| {
                let kernel = |i: usize| fixed[SELECTORS + (9 * j + i) % kernels][row];
                let sum = (1..9).fold(kernel(0), |sum, i| sum * c[1] + kernel(i));
                running = if row == 0 { *x } else { running * c[0] + sum * x - *x * c[2] * c[3] };
                running
            };
            xs.iter().enumerate().map(next).collect()
        };
        (0..self.spec.second).map(column).collect()
    }

    /// The fixed columns, as our prover takes them.
    pub(crate) fn fixed_columns(&self) -> Vec<prove::Column<'static>> {
        self.fixed().into_iter().map(prove::Column::Field).collect()
    }
}

impl prove::Advice for Toy {
    fn columns(&self, phase: u8, challenges: &[Fr]) -> Vec<prove::Column<'_>> {
        let columns = if phase == 0 { self.first() } else { self.second(challenges) };
        columns.into_iter().map(prove::Column::Field).collect()
    }
}

/// Keys of a toy with made-up parameters.
pub(crate) fn keys(spec: Spec) -> (ParamsKZG<Bn256>, ProvingKey<G1Affine>) {
    let params = ParamsKZG::setup(spec.k, ChaCha20Rng::seed_from_u64(1));
    let circuit = Toy { spec, cheat: false };
    let vk = keygen_vk(&params, &circuit).unwrap();
    let pk = keygen_pk(&params, vk, &circuit).unwrap();
    (params, pk)
}

pub(crate) fn prove(params: &ParamsKZG<Bn256>, pk: &ProvingKey<G1Affine>, circuit: Toy) -> Vec<u8> {
    prove_with(params, pk, circuit, &circuit.spec.public())
}

/// A proof of any circuit.
pub(crate) fn prove_with<C: Circuit<Fr>>(
    params: &ParamsKZG<Bn256>,
    pk: &ProvingKey<G1Affine>,
    circuit: C,
    instances: &[Fr],
) -> Vec<u8> {
    let mut writer = EvmWriter::new();
    create_proof::<KZGCommitmentScheme<Bn256>, ProverSHPLONK<'_, Bn256>, _, _, _, _>(
        params,
        pk,
        &[circuit],
        &[&[instances]],
        ChaCha20Rng::seed_from_u64(2),
        &mut writer,
    )
    .unwrap();
    writer.finish()
}

pub(crate) fn verifies(params: &ParamsKZG<Bn256>, vk: &VerifyingKey<G1Affine>, proof: &[u8], instances: &[Fr]) -> bool {
    verifies_all(params, vk, proof, &[instances])
}

/// Whether halo2 takes a proof with these instance columns.
pub(crate) fn verifies_all(
    params: &ParamsKZG<Bn256>,
    vk: &VerifyingKey<G1Affine>,
    proof: &[u8],
    instances: &[&[Fr]],
) -> bool {
    let mut reader = EvmReader::new(proof);
    let verdict = verify_proof::<KZGCommitmentScheme<Bn256>, VerifierSHPLONK<'_, Bn256>, _, _, _>(
        params,
        vk,
        SingleStrategy::new(params),
        &[instances],
        &mut reader,
    );
    verdict.is_ok() && reader.finish().is_ok()
}
