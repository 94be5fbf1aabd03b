//! Provers that cheat. Each makes a complete witness, recomputes everything that follows from its lie, and is rejected by
//! exactly the gates that are there to stop it; some go on to a real proof, which the real verifier rejects.
//!
//! One file for each family of operators, each a list of lies. That a lie breaks one gate alone shows two things: that
//! the cheat left nothing else to chance, and that the gate is needed.

pub(crate) mod chain;
mod conv;
mod dense;
mod inputs_outputs;
pub(crate) mod maxima;
mod memory;
mod mock;
pub(crate) mod products;
mod rescale;
pub(crate) mod sparse;
mod tables;
mod trial;

use std::collections::{BTreeMap, BTreeSet};

use halo2_proofs::halo2curves::bn256::Fr;
use rand::rngs::OsRng;
use zugzwang_circuits::circuit::small;
use zugzwang_circuits::evm::transcript::EvmWriter;
use zugzwang_circuits::net::Net;
use zugzwang_circuits::net::circuit::{NetCircuit, second_phase};
use zugzwang_circuits::prove::{self, Advice, Column, Key, Points, verifying_key};
use zugzwang_circuits::srs::Srs;

pub(crate) use trial::{Cells, Force, Split, Trial};

use super::gates::{Gate, Running};
use crate::toy::verifies;

/// A lie, the gates that it breaks, and the witness of a prover that tells it; none if this net has no place for it.
pub(crate) struct Lie {
    pub(crate) about: &'static str,
    pub(crate) breaks: &'static [Gate],
    pub(crate) make: fn(&Trial) -> Option<Cells>,
}

impl Lie {
    /// The witness of a prover who tells it, lookups counted.
    pub(crate) fn told(&self, trial: &Trial) -> Cells {
        let mut cells = (self.make)(trial).unwrap_or_else(|| panic!("{}: this net has no place for it", self.about));
        if !cells.keep_counts {
            trial.count(&mut cells);
        }
        cells
    }
}

/// A witness for the real prover.
struct Proven<'a> {
    trial: &'a Trial,
    cells: &'a Cells,
}

impl Advice for Proven<'_> {
    fn columns(&self, phase: u8, challenges: &[Fr]) -> Vec<Column<'_>> {
        let first = self.trial.gates.first;
        if phase == 0 {
            return self.cells.first.all().cloned().map(Column::Field).collect();
        }
        let challenges = std::array::from_fn(|i| challenges[i]);
        self.trial.assign(self.cells, challenges).advice.drain(first..).map(Column::Field).collect()
    }
}

/// A circuit's keys.
pub(crate) struct Keys {
    pub(crate) srs: Srs,
    pub(crate) key: Key,
}

impl Keys {
    pub(crate) fn new(trial: &Trial) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let srs = Srs::load(trial.case.layout.shape.k, folder.path()).expect("a set-up");
        let circuit = Trial::circuit(&trial.case);
        let (points, fixed) = (Points::new(srs.params()), circuit.fixed_columns());
        let params = halo2_proofs::plonk::Circuit::params(&circuit);
        let vk = verifying_key::<NetCircuit>(&points, params, &fixed).expect("a verifying key");
        let key = Key::new(points, vk, &fixed).expect("a key");
        Self { srs, key }
    }

    /// A real proof of any witness.
    pub(crate) fn prove(&self, trial: &Trial, cells: &Cells) -> Vec<u8> {
        let mut writer = EvmWriter::new();
        let advice = Proven { trial, cells };
        prove::prove(&self.key, &[&cells.instances], &advice, OsRng, &mut writer, &|_| ()).expect("a proof");
        writer.finish()
    }

    pub(crate) fn accepts(&self, proof: &[u8], instances: &[Fr]) -> bool {
        verifies(self.srs.params(), self.key.vk(), proof, instances)
    }
}

/// Has every lie caught by its gates alone; of those that break the same gates, the mock prover and the real verifier
/// see one, too.
pub(super) fn check(net: fn() -> Net, lies: &[Lie]) {
    let mut made = 0;
    for kernels in [1, 4] {
        let trial = Trial::new(net(), kernels);
        let honest = trial.honest();
        assert_honest(&trial, &honest);
        let mut sample: BTreeMap<&[Gate], (&str, Cells)> = BTreeMap::new();
        for lie in lies {
            let Lie { about, breaks, .. } = lie;
            let cells = lie.told(&trial);
            assert!(!cells.is(&honest), "{about}: nothing is different");
            let broken = trial.breaks(&cells);
            assert!(!broken.is_empty(), "{kernels} kernels: accepted {about}");
            assert_eq!(broken, breaks.iter().copied().collect(), "{kernels} kernels: {about}");
            sample.entry(breaks).or_insert((about, cells));
            made += 1;
        }
        if kernels > 1 {
            refuse(&trial, &honest, sample.into_values());
        }
    }
    println!("{made} cheats caught");
}

/// The control: an honest witness passes, and both ways to its running columns agree.
fn assert_honest(trial: &Trial, honest: &Cells) {
    assert_eq!(trial.breaks(honest), BTreeSet::new(), "the honest witness must pass");
    let challenges = Trial::challenges();
    let found = trial.assign(honest, challenges);
    let witness = trial.case.witness();
    let second = second_phase(&trial.case.layout, &witness, challenges);
    for (column, want) in found.advice[trial.gates.first..].iter().zip(second.all()) {
        assert_eq!(column, want, "the gates and the prover disagree about a running column");
    }
}

/// Mock prover and real verifier: yes to the honest one, no to the others.
fn refuse(trial: &Trial, honest: &Cells, lies: impl Iterator<Item = (&'static str, Cells)>) {
    let keys = Keys::new(trial);
    assert!(mock::accepts(trial, honest));
    assert!(keys.accepts(&keys.prove(trial, honest), &honest.instances));
    for (nth, (about, cells)) in lies.enumerate() {
        assert!(nth > 0 || !mock::accepts(trial, &cells), "the mock prover accepted {about}");
        let proof = keys.prove(trial, &cells);
        assert!(!keys.accepts(&proof, &cells.instances), "the verifier accepted {about}");
    }
}
