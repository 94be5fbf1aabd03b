//! The circuit of any net; see `layout.rs` for the table, `gates.rs` for the checks, `docs/net.md` for both.

mod columns;
mod gates;
mod layout;
mod planes;
mod rows;
mod running;
mod table;
mod witness;

use std::sync::Arc;

use halo2_proofs::circuit::{Layouter, SimpleFloorPlanner, Value};
use halo2_proofs::halo2curves::bn256::Fr;
use halo2_proofs::halo2curves::ff::Field;
use halo2_proofs::plonk::{Circuit, ConstraintSystem, Error};
use serde::{Deserialize, Serialize};

pub use columns::{CHALLENGES, Columns, Features, First, Fixed, Second};
pub use layout::{Constants, Layout, Needs, START_ROW, features, needs};
pub use planes::Planes;
pub use rows::Def;
pub use running::columns as second_phase;
pub use table::Table;
pub use witness::Witness;

use crate::circuit::small;
use crate::prove::{Advice, Column};

/// Size of a net's table: more kernels a row make it lower and wider, faster to prove and dearer to verify.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Shape {
    /// Kernels a row, 1 to 256.
    pub kernels: usize,
    /// The table has `2^k` rows.
    pub k: u32,
}

impl std::fmt::Display for Shape {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "kernels={} k={}", self.kernels, self.k)
    }
}

/// Why a net can't be laid out in a shape, or a witness not be made.
#[derive(Debug, thiserror::Error)]
pub enum NetCircuitError {
    /// No such width.
    #[error("{kernels} kernels a row: choose 1 to 256")]
    Kernels {
        /// Kernels a row.
        kernels: usize,
    },
    /// The table is too low.
    #[error("the table needs {needed} rows, k = {k} has {available}; choose a larger k or more kernels a row")]
    Rows {
        /// Rows needed.
        needed: usize,
        /// log2 of the table's height.
        k: u32,
        /// Rows that can be used.
        available: usize,
    },
    /// A trace that doesn't come from this net.
    #[error("the trace does not fit the net: {reason}")]
    Trace {
        /// What doesn't fit.
        reason: String,
    },
}

/// A layout and, for a proof, its witness.
#[derive(Clone, Debug)]
pub struct NetCircuit {
    /// The fixed part.
    pub layout: Arc<Layout>,
    /// The first phase; none at key generation.
    pub witness: Option<Arc<Witness>>,
    /// Assign the fixed columns beside the witness too, as a mock prover needs.
    pub with_fixed: bool,
}

/// What the constraint system depends on.
#[derive(Clone, Debug)]
pub struct Params {
    constants: Constants,
    kernels: usize,
}

impl Default for Params {
    fn default() -> Self {
        unreachable!("a circuit always has its layout's parameters")
    }
}

impl NetCircuit {
    /// The values of the fixed columns, in the constraint system's order.
    pub fn fixed_columns(&self) -> Vec<Column<'_>> {
        let layout = &*self.layout;
        let fixed = &layout.fixed;
        let small = |values| Column::Small(values);
        let wide = |values: &Vec<Fr>| Column::Field(values.clone());
        let (before, after) = fixed.around_weights();
        let before =
            before.map(|values| if std::ptr::eq(values, &fixed.place) { wide(&layout.places) } else { small(values) });
        before.chain(layout.weight_columns().map(wide)).chain(after.map(|values| Column::Small(values))).collect()
    }
}

impl Advice for NetCircuit {
    fn columns(&self, phase: u8, challenges: &[Fr]) -> Vec<Column<'_>> {
        let Some(witness) = &self.witness else { return vec![] };
        if phase == 0 {
            return witness.first.all().map(|values| Column::Small(values)).collect();
        }
        let challenges = std::array::from_fn(|i| challenges.get(i).copied().unwrap_or(Fr::ZERO));
        let second = running::columns(&self.layout, &witness.first, &witness.instances, challenges);
        second.all().map(|values| Column::Field(values.clone())).collect()
    }
}

impl Circuit<Fr> for NetCircuit {
    type Config = Columns;
    type FloorPlanner = SimpleFloorPlanner;
    type Params = Params;

    fn params(&self) -> Params {
        Params { constants: self.layout.constants.clone(), kernels: self.layout.shape.kernels }
    }

    fn without_witnesses(&self) -> Self {
        Self { layout: self.layout.clone(), witness: None, with_fixed: true }
    }

    fn configure_with_params(cs: &mut ConstraintSystem<Fr>, params: Params) -> Columns {
        let columns = Columns::new(cs, params.constants.features, params.kernels);
        gates::configure(cs, &columns, &params.constants);
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
                    let fixed = Fixed { weights: columns.fixed.weights[..0].to_vec(), ..columns.fixed.clone() };
                    for (column, values) in fixed.all().zip(layout.fixed.all()) {
                        for (row, v) in values.iter().enumerate().filter(|(_, v)| **v != 0) {
                            region.assign_fixed(*column, row, small(*v));
                        }
                    }
                    let wide = columns.fixed.weights.iter().zip(layout.weight_columns());
                    for (column, values) in wide.chain([(&columns.fixed.place, &layout.places)]) {
                        for (row, v) in values.iter().enumerate().filter(|(_, v)| **v != Fr::ZERO) {
                            region.assign_fixed(*column, row, *v);
                        }
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
