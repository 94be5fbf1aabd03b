//! halo2's mock prover on any cells: what the faster evaluation of the gates is measured by.

use halo2_proofs::circuit::{Layouter, SimpleFloorPlanner, Value};
use halo2_proofs::dev::MockProver;
use halo2_proofs::halo2curves::bn256::Fr;
use halo2_proofs::halo2curves::ff::Field;
use halo2_proofs::plonk::{Circuit, ConstraintSystem, Error};
use zugzwang_circuits::net::circuit::NetCircuit;

use super::{Cells, Trial};

#[derive(Clone, Copy)]
struct Mocked<'a> {
    trial: &'a Trial,
    cells: &'a Cells,
}

/// Whether every gate holds on every row.
pub(super) fn accepts(trial: &Trial, cells: &Cells) -> bool {
    let circuit = Mocked { trial, cells };
    let k = trial.case.layout.shape.k;
    let prover = MockProver::run(k, &circuit, vec![cells.instances.clone()]).expect("the circuit synthesises");
    prover.verify().is_ok()
}

impl Circuit<Fr> for Mocked<'_> {
    type Config = <NetCircuit as Circuit<Fr>>::Config;
    type FloorPlanner = SimpleFloorPlanner;
    type Params = <NetCircuit as Circuit<Fr>>::Params;

    fn params(&self) -> Self::Params {
        Trial::circuit(&self.trial.case).params()
    }

    fn without_witnesses(&self) -> Self {
        *self
    }

    fn configure_with_params(cs: &mut ConstraintSystem<Fr>, params: Self::Params) -> Self::Config {
        NetCircuit::configure_with_params(cs, params)
    }

    fn configure(cs: &mut ConstraintSystem<Fr>) -> Self::Config {
        NetCircuit::configure(cs)
    }

    fn synthesize(&self, columns: Self::Config, mut layouter: impl Layouter<Fr>) -> Result<(), Error> {
        let gates = &self.trial.gates;
        layouter.assign_region(
            || "table",
            |mut region| {
                for (number, column) in columns.fixed.all().enumerate() {
                    for (row, v) in gates.fixed(number).iter().enumerate().filter(|(_, v)| **v != Fr::ZERO) {
                        region.assign_fixed(*column, row, *v);
                    }
                }
                for (column, values) in columns.first.all().zip(self.cells.first.all()) {
                    for (row, v) in values.iter().enumerate() {
                        region.assign_advice(*column, row, Value::known(*v));
                    }
                }
                region.next_phase();
                let mut challenges = vec![];
                for challenge in columns.challenges {
                    region.get_challenge(challenge).map(|v| challenges.push(v));
                }
                let Ok(challenges) = challenges.try_into() else { return Ok(()) };
                let all = self.trial.assign(self.cells, challenges);
                for (column, values) in columns.second.all().zip(&all.advice[gates.first..]) {
                    for (row, v) in values.iter().enumerate() {
                        region.assign_advice(*column, row, Value::known(*v));
                    }
                }
                Ok(())
            },
        )
    }
}
