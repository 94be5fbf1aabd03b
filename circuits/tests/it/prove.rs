//! Our own prover: halo2's verifier takes its proofs, as it takes halo2's own.

use std::sync::Arc;

use halo2_proofs::{
    circuit::{Layouter, SimpleFloorPlanner},
    halo2curves::{
        bn256::{Bn256, Fr, G1Affine},
        ff::Field,
    },
    plonk::{Circuit, ConstraintSystem, Error, VerifyingKey, keygen_vk},
    poly::{Rotation, kzg::commitment::ParamsKZG},
};
use rand::{SeedableRng, rngs::OsRng};
use rand_chacha::ChaCha20Rng;
use zugzwang_circuits::{
    circuit::{ModelCircuit, Shape, Witness},
    evm::transcript::EvmWriter,
    prove::{self, Advice, Column, Key, Points, ProveError, Step, verifying_key},
    srs::Srs,
};

use crate::{
    circuit::small::{self, Case},
    oracle,
    toy::{self, Spec, Toy, verifies},
};

/// A proof, by our prover.
fn proof(key: &Key, instances: &[Fr], advice: &impl Advice) -> Vec<u8> {
    let mut writer = EvmWriter::new();
    prove::prove(key, &[instances], advice, OsRng, &mut writer, &|_| ()).unwrap();
    writer.finish()
}

fn same(ours: &VerifyingKey<G1Affine>, halo2s: &VerifyingKey<G1Affine>) {
    assert_eq!(ours.fixed_commitments(), halo2s.fixed_commitments());
    assert_eq!(ours.transcript_repr(), halo2s.transcript_repr());
}

/// A key whose verifying key is ours, and halo2's own.
fn key<C: Circuit<Fr>>(params: &ParamsKZG<Bn256>, circuit: &C, fixed: &[Column<'_>]) -> Key {
    let points = Points::new(params);
    let vk = verifying_key::<C>(&points, circuit.params(), fixed).unwrap();
    same(&vk, &keygen_vk(params, circuit).unwrap());
    Key::new(points, vk, fixed).unwrap()
}

#[test]
fn both_provers_serve_the_same_verifiers() {
    let small = Spec::small();
    let wide = Spec { k: 9, first: 12, second: 8, late: false, fixed: 35, instances: 7 };
    for spec in [small, Spec { late: false, ..small }, Spec { instances: 0, ..small }, Spec { k: 6, ..small }, wide] {
        let circuit = Toy { spec, cheat: false };
        let (params, pk) = toy::keys(spec);
        let key = key(&params, &circuit, &circuit.fixed_columns());
        same(key.vk(), pk.get_vk());
        let instances = spec.public();
        let ours = proof(&key, &instances, &circuit);
        let halo2s = toy::prove(&params, &pk, circuit);
        assert_eq!(ours.len(), halo2s.len());
        for proof in [&ours, &halo2s] {
            assert!(verifies(&params, key.vk(), proof, &instances));
            assert!(oracle::accepts(&params, key.vk(), proof, &instances));
        }
        let cheat = proof(&key, &instances, &Toy { spec, cheat: true });
        assert!(!verifies(&params, key.vk(), &cheat, &instances));
        if let Some((first, rest)) = instances.split_first() {
            assert!(!verifies(&params, key.vk(), &ours, &[&[*first + Fr::ONE], rest].concat()));
        }
    }
}

#[test]
fn proofs_of_the_same_witness_share_no_word() {
    let circuit = Toy { spec: Spec::small(), cheat: false };
    let (params, _) = toy::keys(circuit.spec);
    let key = key(&params, &circuit, &circuit.fixed_columns());
    let instances = circuit.spec.public();
    let proofs = [(); 2].map(|()| proof(&key, &instances, &circuit));
    for (at, (a, b)) in proofs[0].chunks(32).zip(proofs[1].chunks(32)).enumerate() {
        assert_ne!(a, b, "word {at} is not blinded");
    }
    // Only the randomness makes the difference.
    let seeded = [(); 2].map(|()| {
        let mut writer = EvmWriter::new();
        let rng = ChaCha20Rng::seed_from_u64(3);
        prove::prove(&key, &[&instances], &circuit, rng, &mut writer, &|_| ()).unwrap();
        writer.finish()
    });
    assert_eq!(seeded[0], seeded[1]);
}

#[test]
fn model_circuits_verify_in_every_shape() {
    let graphs = [(small::graph(7), vec![(1, 1), (1, 3), (2, 1), (2, 2), (4, 2)]), (small::dense(3), vec![(1, 7)])];
    for (graph, shapes) in graphs {
        for (lanes, kernels_per_row) in shapes {
            let shape = Shape { lanes, kernels_per_row, k: 13 };
            let case = Case::new(graph.clone(), shape, 0);
            let srs = Srs::insecure_local(shape.k, 3);
            let circuit = |witness, with_fixed| ModelCircuit { layout: case.layout.clone(), witness, with_fixed };
            let blank = circuit(None, true);
            let key = key(srs.params(), &blank, &blank.fixed_columns());
            let prove = |witness: &Witness| {
                let proof = proof(&key, &witness.instances, &circuit(Some(Arc::new(witness.clone())), false));
                verifies(srs.params(), key.vk(), &proof, &witness.instances)
            };
            let mut witness = case.witness();
            assert!(prove(&witness), "{shape}");
            let row = case.layout.tensors[1].first;
            witness.first.r[0][row] += 1;
            assert!(!prove(&witness), "{shape}: a wrong witness");
        }
    }
}

/// A single column that each row takes to a power, in gates of any degree and far rotations.
#[derive(Clone, Copy, Debug, Default)]
struct Power {
    degree: usize,
    with: Option<&'static str>,
}

const POWER_K: u32 = 5;
const POWER_ROWS: usize = 20;

impl Circuit<Fr> for Power {
    type Config = ();
    type FloorPlanner = SimpleFloorPlanner;
    type Params = Self;

    fn params(&self) -> Self {
        *self
    }

    fn without_witnesses(&self) -> Self {
        *self
    }

    fn configure(_: &mut ConstraintSystem<Fr>) {
        unreachable!("configured with parameters")
    }

    fn configure_with_params(meta: &mut ConstraintSystem<Fr>, power: Self) {
        let (a, on) = (meta.advice_column(), meta.fixed_column());
        match power.with {
            Some("copy constraints") => meta.enable_equality(a),
            Some("lookups") => {
                meta.lookup_any("a", |meta| {
                    let a = meta.query_advice(a, Rotation::cur());
                    vec![(a.clone(), a)]
                });
            }
            Some("selectors") => {
                meta.selector();
            }
            _ => {}
        }
        meta.create_gate("power", |meta| {
            let on = meta.query_fixed(on, Rotation::cur());
            let [far, near] = [-3, 2].map(|at| meta.query_advice(a, Rotation(at)));
            vec![on * (near - (1..power.degree).fold(far.clone(), |product, _| product * far.clone()))]
        });
    }

    fn synthesize(&self, (): (), _: impl Layouter<Fr>) -> Result<(), Error> {
        Ok(())
    }
}

impl Power {
    fn fixed() -> Vec<i64> {
        (0..POWER_ROWS as i64).map(|row| i64::from(row >= 3 && row + 2 < POWER_ROWS as i64)).collect()
    }
}

impl Advice for Power {
    fn columns(&self, _: u8, _: &[Fr]) -> Vec<Column<'_>> {
        let mut a: Vec<Fr> = (0..5).map(|i| Fr::from(i + 2)).collect();
        for row in 5..POWER_ROWS {
            a.push(a[row - 5].pow([self.degree as u64]));
        }
        vec![Column::Field(a)]
    }
}

#[test]
fn gates_of_any_degree_are_proven() {
    let params = ParamsKZG::setup(POWER_K, ChaCha20Rng::seed_from_u64(1));
    for degree in 2..=4 {
        let circuit = Power { degree, with: None };
        let fixed = Power::fixed();
        let points = Points::new(&params);
        let columns = [Column::Small(&fixed)];
        let vk = verifying_key::<Power>(&points, circuit, &columns).unwrap();
        let key = Key::new(points, vk, &columns).unwrap();
        let mut writer = EvmWriter::new();
        prove::prove(&key, &[], &circuit, OsRng, &mut writer, &|_| ()).unwrap();
        assert!(toy::verifies_all(&params, key.vk(), &writer.finish(), &[]), "degree {degree}");
    }
}

#[test]
fn what_the_prover_has_no_code_for_is_refused() {
    let params = ParamsKZG::setup(POWER_K, ChaCha20Rng::seed_from_u64(1));
    let points = Points::new(&params);
    for with in ["copy constraints", "lookups", "selectors"] {
        let error = verifying_key::<Power>(&points, Power { degree: 2, with: Some(with) }, &[]).unwrap_err();
        assert!(error.to_string().contains(with), "{error}");
    }
}

#[test]
fn columns_that_do_not_fit_are_errors() {
    let circuit = Toy { spec: Spec::small(), cheat: false };
    let (params, _) = toy::keys(circuit.spec);
    let fixed = circuit.fixed_columns();
    let points = Points::new(&params);
    let vk = |fixed: &[Column<'_>]| verifying_key::<Toy>(&points, circuit.spec, fixed);
    assert!(matches!(vk(&fixed[1..]).unwrap_err(), ProveError::Columns { what: "fixed", want: 9, got: 8 }));
    let mut long = fixed.clone();
    long[3] = Column::Small(&[1; 33]);
    assert!(matches!(vk(&long).unwrap_err(), ProveError::Rows { what: "fixed", most: 32, got: 33 }));
    let vk = vk(&fixed).unwrap();
    let other = Points::new(&ParamsKZG::setup(6, ChaCha20Rng::seed_from_u64(1)));
    assert!(matches!(Key::new(other, vk.clone(), &fixed).unwrap_err(), ProveError::SetUp { want: 5, got: 6 }));
    let tiny = Points::new(&ParamsKZG::setup(2, ChaCha20Rng::seed_from_u64(1)));
    let error = verifying_key::<Toy>(&tiny, circuit.spec, &fixed).unwrap_err();
    assert!(matches!(error, ProveError::TooSmall { k: 2 }), "{error}");

    struct Wrong(Vec<Vec<Fr>>);
    impl Advice for Wrong {
        fn columns(&self, _: u8, _: &[Fr]) -> Vec<Column<'_>> {
            self.0.iter().cloned().map(Column::Field).collect()
        }
    }
    let key = Key::new(points, vk, &fixed).unwrap();
    let instances = circuit.spec.public();
    let prove = |instances: &[&[Fr]], advice: Vec<Vec<Fr>>| {
        prove::prove(&key, instances, &Wrong(advice), OsRng, &mut EvmWriter::new(), &|_| ()).unwrap_err()
    };
    let first = circuit.first();
    assert!(matches!(
        prove(&[&instances], first[1..].to_vec()),
        ProveError::Columns { what: "advice", want: 6, got: 5 }
    ));
    let mut long = first.clone();
    long[0].resize(30, Fr::ONE);
    assert!(matches!(prove(&[&instances], long), ProveError::Rows { what: "advice", got: 30, .. }));
    assert!(matches!(prove(&[], first.clone()), ProveError::Columns { what: "instance", want: 1, got: 0 }));
    assert!(matches!(prove(&[&[Fr::ONE; 30]], first), ProveError::Rows { what: "instance", got: 30, .. }));
}

#[test]
fn steps_are_reported_in_order() {
    let circuit = Toy { spec: Spec::small(), cheat: false };
    let (params, _) = toy::keys(circuit.spec);
    let key = key(&params, &circuit, &circuit.fixed_columns());
    let steps = std::cell::RefCell::new(vec![]);
    let on_step = |step| steps.borrow_mut().push(step);
    let instances = circuit.spec.public();
    prove::prove(&key, &[&instances], &circuit, OsRng, &mut EvmWriter::new(), &on_step).unwrap();
    assert_eq!(*steps.borrow(), [Step::Columns(0), Step::Columns(1), Step::Quotient, Step::Opening]);
}
