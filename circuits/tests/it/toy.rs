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
        ProvingKey, SecondPhase, create_proof, keygen_pk, keygen_vk, verify_proof,
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
use zugzwang_circuits::evm::transcript::{EvmReader, EvmWriter};

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
    spec: Spec,
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
        Config { spec, first, second, challenges: all, fixed }
    }

    fn synthesize(&self, config: Config, mut layouter: impl Layouter<Fr>) -> Result<(), Error> {
        let spec = config.spec;
        let rows = (1usize << spec.k) - 8;
        let public = spec.public();
        let small = |row: usize, i: usize| Fr::from(((row * 31 + i * 17) % 251) as u64);
        let kernel = |row: usize, i: usize| -small(row + 5, i + 1);
        let kernels = spec.fixed - SELECTORS;
        layouter.assign_region(
            || "toy",
            |mut region| {
                for row in 0..rows {
                    let flags =
                        [row < public.len(), (1..=public.len()).contains(&row), row == 0, row > 0, row + 1 < rows];
                    for (i, flag) in flags.into_iter().enumerate() {
                        region.assign_fixed(config.fixed[i], row, Fr::from(u64::from(flag)));
                    }
                    for i in 0..kernels {
                        region.assign_fixed(config.fixed[SELECTORS + i], row, kernel(row, i));
                    }
                }
                let mut a = vec![vec![Fr::ZERO; spec.first]; rows];
                for (row, cells) in a.iter_mut().enumerate() {
                    cells[0] = public.get(row).copied().unwrap_or(small(row, 0));
                    cells[1] = Fr::from(3 * row as u64 + 11);
                    let mut i = 2;
                    while i + 2 < spec.first {
                        (cells[i], cells[i + 1]) = (small(row, i), small(row, i + 1));
                        cells[i + 2] = cells[i] * cells[i + 1];
                        i += 3;
                    }
                    for (i, cell) in cells.iter_mut().enumerate().skip(i) {
                        *cell = Fr::from(((row + i) % 2) as u64);
                    }
                    if self.cheat && row == 2 {
                        cells[4] += Fr::ONE;
                    }
                    for (i, cell) in cells.iter().enumerate() {
                        region.assign_advice(config.first[i], row, Value::known(*cell));
                    }
                }
                region.next_phase();
                let c: Vec<_> = config.challenges[..4].iter().map(|c| region.get_challenge(*c)).collect();
                for (j, column) in config.second.iter().enumerate() {
                    let mut running = Value::known(Fr::ZERO);
                    for (row, cells) in a.iter().enumerate() {
                        let x = Value::known(cells[j % spec.first]);
                        let mut sum = Value::known(kernel(row, 9 * j % kernels));
                        for i in 1..9 {
                            sum = sum * c[1] + Value::known(kernel(row, (9 * j + i) % kernels));
                        }
                        running = if row == 0 { x } else { running * c[0] + sum * x - x * c[2] * c[3] };
                        region.assign_advice(*column, row, running);
                    }
                }
                Ok(())
            },
        )
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

pub(crate) fn verifies(params: &ParamsKZG<Bn256>, pk: &ProvingKey<G1Affine>, proof: &[u8], instances: &[Fr]) -> bool {
    let mut reader = EvmReader::new(proof);
    let verdict = verify_proof::<KZGCommitmentScheme<Bn256>, VerifierSHPLONK<'_, Bn256>, _, _, _>(
        params,
        pk.get_vk(),
        SingleStrategy::new(params),
        &[&[instances]],
        &mut reader,
    );
    verdict.is_ok() && reader.finish().is_ok()
}
