//! The circuit: one row per activation, see `layout.rs` for the table and `gates.rs` for the checks.

mod columns;
mod field;
mod gates;
mod geometry;
mod layout;
mod running;
mod shape;
mod table;
mod witness;

use std::sync::Arc;

use halo2_proofs::circuit::{Layouter, SimpleFloorPlanner, Value};
use halo2_proofs::halo2curves::bn256::Fr;
use halo2_proofs::halo2curves::ff::Field;
use halo2_proofs::plonk::{Circuit, ConstraintSystem, Error};

pub use columns::{CHALLENGES, Columns, First, Fixed, Second, Widths};
pub use field::small;
pub use geometry::Geometry;
pub use layout::{BORDER_OFFSET, Constants, Layout, Program, START_ROW, TensorRows};
pub use running::columns as second_phase;
pub use shape::{CircuitError, Shape};
pub use table::{Entry, LIMB_START, Q0, RANK, Table};
pub use witness::Witness;

use crate::prove::{Advice, Column};

/// A layout and, for a proof, its witness.
#[derive(Clone, Debug)]
pub struct ModelCircuit {
    /// The fixed part.
    pub layout: Arc<Layout>,
    /// The first phase; none at key generation.
    pub witness: Option<Arc<Witness>>,
    /// Assign the fixed columns beside the witness too, as a mock prover needs.
    pub with_fixed: bool,
}

impl ModelCircuit {
    /// The values of the fixed columns, in the constraint system's order.
    pub fn fixed_columns(&self) -> Vec<Column<'_>> {
        let Layout { fixed, index, .. } = &*self.layout;
        let is_index = |values| std::ptr::eq(values, &fixed.index);
        fixed
            .all()
            .map(|values| if is_index(values) { Column::Field(index.clone()) } else { Column::Small(values) })
            .collect()
    }
}

impl Advice for ModelCircuit {
    fn columns(&self, phase: u8, challenges: &[Fr]) -> Vec<Column<'_>> {
        let Some(witness) = &self.witness else { return vec![] };
        if phase == 0 {
            return witness.first.all().map(|values| Column::Small(values)).collect();
        }
        let challenges = std::array::from_fn(|i| challenges.get(i).copied().unwrap_or(Fr::ZERO));
        let mut second = running::columns(&self.layout, &witness.first, &witness.instances, challenges);
        second.all_mut().map(|values| Column::Field(std::mem::take(values))).collect()
    }
}

/// What the constraint system depends on.
#[derive(Clone, Debug)]
pub struct Params {
    geometry: Geometry,
    constants: Constants,
    widths: Widths,
}

impl Default for Params {
    fn default() -> Self {
        unreachable!("a circuit always has its layout's parameters")
    }
}

impl Circuit<Fr> for ModelCircuit {
    type Config = Columns;
    type FloorPlanner = SimpleFloorPlanner;
    type Params = Params;

    fn params(&self) -> Params {
        let Layout { geometry, constants, widths, .. } = &*self.layout;
        Params { geometry: geometry.clone(), constants: constants.clone(), widths: widths.clone() }
    }

    fn without_witnesses(&self) -> Self {
        Self { layout: self.layout.clone(), witness: None, with_fixed: true }
    }

    fn configure_with_params(cs: &mut ConstraintSystem<Fr>, params: Params) -> Columns {
        let columns = Columns::new(cs, &params.widths);
        gates::configure(cs, &columns, &params.geometry, &params.constants);
        columns
    }

    fn configure(_: &mut ConstraintSystem<Fr>) -> Columns {
        unreachable!("a circuit is configured with its layout's parameters")
    }

    fn synthesize(&self, columns: Columns, mut layouter: impl Layouter<Fr>) -> Result<(), Error> {
        let layout = &*self.layout;
        layouter.assign_region(
            || "table",
            |mut region| {
                if self.with_fixed {
                    for (column, values) in columns.fixed.all().zip(layout.fixed.all()) {
                        for (row, v) in values.iter().enumerate().filter(|(_, v)| **v != 0) {
                            region.assign_fixed(*column, row, small(*v));
                        }
                    }
                    for (row, v) in layout.index.iter().enumerate().filter(|(_, v)| **v != Fr::ZERO) {
                        region.assign_fixed(columns.fixed.index, row, *v);
                    }
                }
                let Some(witness) = &self.witness else { return Ok(()) };
                for (column, values) in columns.first.all().zip(witness.first.all()) {
                    for (row, v) in values.iter().enumerate().filter(|(_, v)| **v != 0) {
                        region.assign_advice(*column, row, Value::known(small(*v)));
                    }
                }
                region.next_phase();
                let mut challenges = [Fr::ZERO; CHALLENGES];
                let mut known = true;
                for (c, challenge) in challenges.iter_mut().zip(columns.challenges) {
                    let mut set = false;
                    region.get_challenge(challenge).map(|v| {
                        *c = v;
                        set = true;
                    });
                    known &= set;
                }
                if !known {
                    return Ok(());
                }
                let second = running::columns(layout, &witness.first, &witness.instances, challenges);
                for (column, values) in columns.second.all().zip(second.all()) {
                    for (row, v) in values.iter().enumerate() {
                        region.assign_advice(*column, row, Value::known(*v));
                    }
                }
                Ok(())
            },
        )
    }
}
