//! The columns of the table, by name, and which of them a net needs.

use halo2_proofs::halo2curves::bn256::Fr;
use halo2_proofs::plonk::{
    Advice, Challenge, Column, ConstraintSystem, FirstPhase, Fixed as FixedColumn, Instance, SecondPhase,
};

use super::sponge::{Rounds, State};

/// Number of challenges between the phases: `z`, `Y`, `α`, `β`.
pub const CHALLENGES: usize = 4;

/// What a net's table has columns for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Features {
    /// Numbers are read elsewhere than where they are defined, by address.
    pub memory: bool,
    /// There are convolutions over more than one cell, or windows.
    pub planes: bool,
    /// There are maxima over windows.
    pub windows: bool,
    /// There are products of two numbers.
    pub products: bool,
    /// The input is private.
    pub sponge: bool,
    /// Weights and biases are private.
    pub secret: bool,
}

/// One item per fixed column: columns at configuration, values at layout.
#[derive(Clone, Debug)]
pub struct Fixed<T> {
    /// Lookup table: input, output, tag.
    pub table: [T; 3],
    /// 1 on every row from the first to the last.
    pub active: T,
    /// 1 on the first row, 2 on the last.
    pub edge: T,
    /// Which part of the lookup table the row's `(q, x)` must be in.
    pub tag: T,
    /// `2^s` of the row's accumulator.
    pub scale: T,
    /// The row's bias, plus `Q0·2^s`.
    pub bias: T,
    /// Place value of an input's number in its limb.
    pub place: T,
    /// 1 where a channel of the defining side ends.
    pub ends: T,
    /// 1 where the product of kernels and numbers enters the reading side.
    pub product: T,
    /// 1 or 2: the reading side moves on by one channel, or by as many as a row has kernels.
    pub moves: T,
    /// Kernels; if they are private one column of place values, which stands for the last of them.
    pub weights: Vec<T>,
    /// `cell`, `reach`, `look`; see [`Planes`].
    pub planes: Option<Planes<T>>,
    /// Addresses.
    pub memory: Option<Memory<T>>,
    /// Maxima.
    pub windows: Option<Windows<T>>,
    /// 1 where the number that is read is a kernel, the factor of the number read before.
    pub factor: Option<T>,
    /// Steps of the sponge.
    pub rounds: Option<Rounds<T>>,
    /// Where private columns are 0: 1 kernels, 2 biases, 3 both, 0 neither.
    pub shut: Option<T>,
}

/// Columns for convolutions over planes.
#[derive(Clone, Debug)]
pub struct Planes<T> {
    /// How `by` goes on: 0 anew, 1 by `z`, 2 by `z²` with a pair of borders.
    pub cell: T,
    /// How `px` goes on: 0 anew, 1 not at all, 2 by `z`.
    pub reach: T,
    /// 0 where `(q, x)` is in no table: borders, windows.
    pub look: T,
}

/// Columns for reading by address.
#[derive(Clone, Debug)]
pub struct Memory<T> {
    /// Address of the number that is read here.
    pub read: T,
    /// Address of the number that is defined here.
    pub index: T,
    /// How often it is read.
    pub uses: T,
}

/// Columns for maxima.
#[derive(Clone, Debug)]
pub struct Windows<T> {
    /// 1 on the first row of a window, and on the row after the last one.
    pub first: T,
    /// 1 on the other rows of a window.
    pub more: T,
}

impl<T> Fixed<T> {
    /// Makes each column with `make`, in the order of [`Fixed::all`]. A row has `kernels` kernels.
    pub fn build(features: Features, kernels: usize, mut make: impl FnMut() -> T) -> Self {
        let weights = if features.secret { kernels.min(1) } else { kernels };
        let table = [make(), make(), make()];
        let (active, edge, tag, scale, bias) = (make(), make(), make(), make(), make());
        let (place, ends, product, moves) = (make(), make(), make(), make());
        let weights = (0..weights).map(|_| make()).collect();
        let planes = features.planes.then(|| Planes { cell: make(), reach: make(), look: make() });
        let memory = features.memory.then(|| Memory { read: make(), index: make(), uses: make() });
        let windows = features.windows.then(|| Windows { first: make(), more: make() });
        let factor = features.products.then(&mut make);
        let rounds = features.sponge.then(|| Rounds { turn: make(), full: make(), partial: make(), constant: make() });
        let shut = features.secret.then(&mut make);
        Self {
            table,
            active,
            edge,
            tag,
            scale,
            bias,
            place,
            ends,
            product,
            moves,
            weights,
            planes,
            memory,
            windows,
            factor,
            rounds,
            shut,
        }
    }

    /// All columns, in order.
    pub fn all(&self) -> impl Iterator<Item = &T> {
        let (before, after) = self.around_weights();
        before.chain(&self.weights).chain(after)
    }

    /// The columns before the kernels, and those after.
    pub(super) fn around_weights(&self) -> (impl Iterator<Item = &T>, impl Iterator<Item = &T>) {
        let base = [&self.active, &self.edge, &self.tag, &self.scale, &self.bias];
        let streams = [&self.place, &self.ends, &self.product, &self.moves];
        let planes = self.planes.iter().flat_map(|p| [&p.cell, &p.reach, &p.look]);
        let memory = self.memory.iter().flat_map(|m| [&m.read, &m.index, &m.uses]);
        let windows = self.windows.iter().flat_map(|w| [&w.first, &w.more]);
        let rounds = self.rounds.iter().flat_map(|r| [&r.turn, &r.full, &r.partial, &r.constant]);
        let after = planes.chain(memory).chain(windows).chain(&self.factor).chain(rounds).chain(&self.shut);
        (self.table.iter().chain(base).chain(streams), after)
    }
}

/// Columns committed before the challenges are drawn.
#[derive(Clone, Debug)]
pub struct First<T> {
    /// The number defined on the row.
    pub x: T,
    /// `q + Q0`.
    pub q: T,
    /// Remainder; on window rows how far the number read is below the maximum.
    pub r: T,
    /// How often the table's entry of the row is used.
    pub m: T,
    /// The number read on the row; without memory it is `x`.
    pub y: Option<T>,
}

impl<T> First<T> {
    /// Makes each column with `make`, in the order of [`First::all`].
    pub fn build(features: Features, mut make: impl FnMut() -> T) -> Self {
        Self { x: make(), q: make(), r: make(), m: make(), y: features.memory.then(make) }
    }

    /// All columns, in order.
    pub fn all(&self) -> impl Iterator<Item = &T> {
        [&self.x, &self.q, &self.r, &self.m].into_iter().chain(&self.y)
    }
}

/// Private columns: weights and biases, committed in the first phase.
#[derive(Clone, Debug)]
pub struct Secret<T> {
    /// Kernels.
    pub weights: Vec<T>,
    /// The bias of the row's accumulator.
    pub bias: T,
}

impl<T> Secret<T> {
    /// Makes each column with `make`, in the order of [`Secret::all`].
    pub fn build(kernels: usize, mut make: impl FnMut() -> T) -> Self {
        Self { weights: (0..kernels).map(|_| make()).collect(), bias: make() }
    }

    /// All columns, in order.
    pub fn all(&self) -> impl Iterator<Item = &T> {
        self.weights.iter().chain(std::iter::once(&self.bias))
    }
}

/// Columns committed after the challenges are drawn: running values.
#[derive(Clone, Debug)]
pub struct Second<T> {
    /// Kernels that read the current number, on a polynomial in `Y`.
    pub g: T,
    /// All equations, defining side.
    pub defined: T,
    /// All equations, reading side.
    pub used: T,
    /// Lookups of `(q, x)` less the table's entries.
    pub looked: T,
    /// Lookups of remainders.
    pub rested: T,
    /// Numbers read, and numbers defined.
    pub memory: Option<[T; 2]>,
    /// A channel's accumulators, and its numbers, on polynomials in `z`.
    pub planes: Option<[T; 2]>,
}

impl<T> Second<T> {
    /// Makes each column with `make`, in the order of [`Second::all`].
    pub fn build(features: Features, mut make: impl FnMut() -> T) -> Self {
        Self {
            g: make(),
            defined: make(),
            used: make(),
            looked: make(),
            rested: make(),
            memory: features.memory.then(|| [make(), make()]),
            planes: features.planes.then(|| [make(), make()]),
        }
    }

    /// All columns, in order.
    pub fn all(&self) -> impl Iterator<Item = &T> {
        let base = [&self.g, &self.defined, &self.used, &self.looked, &self.rested];
        base.into_iter().chain(self.memory.iter().flatten()).chain(self.planes.iter().flatten())
    }
}

/// All columns of a constraint system.
#[derive(Clone, Debug)]
pub struct Columns {
    /// Fixed columns.
    pub fixed: Fixed<Column<FixedColumn>>,
    /// First phase.
    pub first: First<Column<Advice>>,
    /// First phase: weights and biases, if they are private.
    pub secret: Option<Secret<Column<Advice>>>,
    /// First phase: the commitment to a private input.
    pub sponge: Option<State<Column<Advice>>>,
    /// Second phase.
    pub second: Second<Column<Advice>>,
    /// Public values.
    pub instance: Column<Instance>,
    /// `z`, `Y`, `α`, `β`.
    pub challenges: [Challenge; CHALLENGES],
}

impl Columns {
    /// Declares the columns.
    pub(super) fn new(cs: &mut ConstraintSystem<Fr>, features: Features, kernels: usize) -> Self {
        let fixed = Fixed::build(features, kernels, || cs.fixed_column());
        let first = First::build(features, || cs.advice_column_in(FirstPhase));
        let secret = features.secret.then(|| Secret::build(kernels, || cs.advice_column_in(FirstPhase)));
        let sponge = features.sponge.then(|| State::build(|| cs.advice_column_in(FirstPhase)));
        let second = Second::build(features, || cs.advice_column_in(SecondPhase));
        let instance = cs.instance_column();
        let challenges = [(); CHALLENGES].map(|()| cs.challenge_usable_after(FirstPhase));
        Self { fixed, first, secret, sponge, second, instance, challenges }
    }
}
