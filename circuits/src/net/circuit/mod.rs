//! The circuit of any net; see `layout.rs` for the table, `gates.rs` for the checks, `docs/net.md` for both.

mod columns;
mod gates;
mod layout;
mod planes;
mod rows;
mod running;
mod sponge;
mod table;
mod witness;

use std::sync::Arc;

use halo2_proofs::circuit::{Layouter, SimpleFloorPlanner, Value};
use halo2_proofs::halo2curves::bn256::Fr;
use halo2_proofs::halo2curves::ff::Field;
use halo2_proofs::plonk::{Circuit, ConstraintSystem, Error};
use serde::{Deserialize, Serialize};

pub use columns::{CHALLENGES, Columns, Features, First, Fixed, Second, Secret};
pub use layout::{Constants, Layout, Needs, START_ROW, features, first_columns, needs};
pub use planes::Planes;
pub use rows::Def;
pub use running::columns as second_phase;
pub use sponge::State;
pub use table::Table;
pub use witness::Witness;
pub(crate) use witness::{input_limbs, output_limbs};

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
    #[error(
        "the table needs {needed} rows, k = {k} has {available}; choose a larger k or more kernels a row, or import a larger set-up (`zugzwang srs import`) and name it with --srs"
    )]
    Rows {
        /// Rows needed.
        needed: usize,
        /// log2 of the table's height.
        k: u32,
        /// Rows that can be used.
        available: usize,
    },
    /// A private input without a salt, or a public one with one.
    #[error("{}", if *private { "the input is private: its commitment needs a salt" } else { "the input is public: it takes no salt" })]
    Salt {
        /// Whether the input is private.
        private: bool,
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
        let wide = |values: &Vec<Fr>| Column::Field(values.clone());
        let column = |values| match layout.wide(values) {
            Some(elements) => wide(elements),
            None => Column::Small(values),
        };
        let (before, after) = fixed.around_weights();
        before.map(column).chain(layout.weights.iter().map(wide)).chain(after.map(column)).collect()
    }
}

impl Advice for NetCircuit {
    fn columns(&self, phase: u8, challenges: &[Fr]) -> Vec<Column<'_>> {
        let Some(witness) = &self.witness else { return vec![] };
        if phase == 0 {
            let sponge = witness.sponge.iter().flat_map(State::all).map(|values| Column::Field(values.clone()));
            let secret = layout::blinded(witness.secret.as_ref(), &witness.blinding).into_iter().map(Column::Whole);
            return witness.first.all().map(|values| Column::Small(values)).chain(secret).chain(sponge).collect();
        }
        let challenges = std::array::from_fn(|i| challenges.get(i).copied().unwrap_or(Fr::ZERO));
        let second = running::columns(&self.layout, witness, challenges);
        second.all().map(|values| Column::Field(values.clone())).collect()
    }
}

impl Circuit<Fr> for NetCircuit {
    type Config = Columns;
    type FloorPlanner = SimpleFloorPlanner;
    type Params = Params;

    fn params(&self) -> Params {
        Params { constants: self.layout.constants.clone() }
    }

    fn without_witnesses(&self) -> Self {
        Self { layout: self.layout.clone(), witness: None, with_fixed: true }
    }

    fn configure_with_params(cs: &mut ConstraintSystem<Fr>, params: Params) -> Columns {
        let columns = Columns::new(cs, params.constants.features, params.constants.kernels);
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
                    let constants = columns.fixed.rounds.iter().map(|r| (&r.constant, &layout.constants_of_rounds));
                    let wide = columns.fixed.weights.iter().zip(&layout.weights).chain(constants);
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
                let secret =
                    columns.secret.iter().flat_map(Secret::all).zip(witness.secret.iter().flat_map(Secret::all));
                let sponge = columns.sponge.iter().flat_map(State::all).zip(witness.sponge.iter().flat_map(State::all));
                for (column, values) in secret.chain(sponge) {
                    for (row, v) in values.iter().enumerate().filter(|(_, v)| **v != Fr::ZERO) {
                        region.assign_advice(*column, row, Value::known(*v));
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
                let second = running::columns(layout, witness, challenges);
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
