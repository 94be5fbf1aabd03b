//! The circuit with any single cell changed after its columns were computed.

use std::sync::Arc;

use halo2_proofs::circuit::{Layouter, SimpleFloorPlanner, Value};
use halo2_proofs::halo2curves::bn256::Fr;
use halo2_proofs::halo2curves::ff::Field;
use halo2_proofs::plonk::{Circuit, ConstraintSystem, Error};
use zugzwang_circuits::circuit::{CHALLENGES, Columns, ModelCircuit, Witness, second_phase, small};

/// Which advice column, in the order of `First::all`, then `Second::all`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patch {
    pub(crate) column: usize,
    pub(crate) row: usize,
    pub(crate) add: Fr,
}

#[derive(Clone, Debug)]
pub(crate) struct Patched {
    pub(crate) circuit: ModelCircuit,
    pub(crate) witness: Arc<Witness>,
    pub(crate) patch: Patch,
}

impl Circuit<Fr> for Patched {
    type Config = Columns;
    type FloorPlanner = SimpleFloorPlanner;
    type Params = <ModelCircuit as Circuit<Fr>>::Params;

    fn params(&self) -> Self::Params {
        self.circuit.params()
    }

    fn without_witnesses(&self) -> Self {
        self.clone()
    }

    fn configure_with_params(cs: &mut ConstraintSystem<Fr>, params: Self::Params) -> Columns {
        ModelCircuit::configure_with_params(cs, params)
    }

    fn configure(cs: &mut ConstraintSystem<Fr>) -> Columns {
        ModelCircuit::configure(cs)
    }

    fn synthesize(&self, columns: Columns, mut layouter: impl Layouter<Fr>) -> Result<(), Error> {
        let layout = &*self.circuit.layout;
        let Patch { column: patched, row: at, add } = self.patch;
        layouter.assign_region(
            || "patched",
            |mut region| {
                for (column, values) in columns.fixed.all().zip(layout.fixed.all()) {
                    for (row, v) in values.iter().enumerate().filter(|(_, v)| **v != 0) {
                        region.assign_fixed(*column, row, small(*v));
                    }
                }
                for (row, v) in layout.index.iter().enumerate().filter(|(_, v)| **v != Fr::ZERO) {
                    region.assign_fixed(columns.fixed.index, row, *v);
                }
                let mut number = 0;
                for (column, values) in columns.first.all().zip(self.witness.first.all()) {
                    for (row, v) in values.iter().enumerate() {
                        let change = if number == patched && row == at { add } else { Fr::ZERO };
                        region.assign_advice(*column, row, Value::known(small(*v) + change));
                    }
                    number += 1;
                }
                region.next_phase();
                let mut challenges = [Fr::ZERO; CHALLENGES];
                for (c, challenge) in challenges.iter_mut().zip(columns.challenges) {
                    region.get_challenge(challenge).map(|v| *c = v);
                }
                let second = second_phase(layout, &self.witness.first, &self.witness.instances, challenges);
                for (column, values) in columns.second.all().zip(second.all()) {
                    for (row, v) in values.iter().enumerate() {
                        let change = if number == patched && row == at { add } else { Fr::ZERO };
                        region.assign_advice(*column, row, Value::known(*v + change));
                    }
                    number += 1;
                }
                Ok(())
            },
        )
    }
}
