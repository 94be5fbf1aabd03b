//! The columns of the table, by name.

use halo2_proofs::halo2curves::bn256::Fr;
use halo2_proofs::plonk::{
    Advice, Challenge, Column, ConstraintSystem, FirstPhase, Fixed as FixedColumn, Instance, SecondPhase,
};

/// Number of challenges between the phases: `z`, `λ`, `α`, `β`, `μ`.
pub const CHALLENGES: usize = 5;

/// Numbers of columns that a circuit's gates depend on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Widths {
    /// Activations a row.
    pub lanes: usize,
    /// Kernels a row.
    pub kernels: usize,
    /// Taps of a kernel.
    pub taps: usize,
    /// Columns of residual multipliers, one per distance between source and consumer, at least 1.
    pub residuals: usize,
    /// Columns of border groups: 1 if there are any borders, else 0 (two groups share a column).
    pub borders: usize,
}

/// One item per fixed column: columns at configuration, values at layout.
#[derive(Clone, Debug)]
pub struct Fixed<T> {
    /// 1 on ordinary rows: activations, hold rows, tails, limb rows.
    pub ordinary: T,
    /// 1 on rows of the ranked tensor.
    pub rank: T,
    /// 1 on programmed rows: start, list of the ranking, end.
    pub program: T,
    /// 1 on rows of the input tensor (a subset of the ordinary ones).
    pub input: T,
    /// 1 on the first row of each block (channel).
    pub block: T,
    /// 1 on the first row of each tensor, on limb rows and on the end row (a subset of `block`).
    pub tensor: T,
    /// 1: next cells of the same board row; 2: first cells of the next board row; 0: other.
    pub step: T,
    /// `2^s` of the row's activations, 0 where there are none; `LIMB_START` on a limb's first row.
    pub scale: T,
    /// `bias + Q0·2^s`; on input rows 1 where `step` would be 1.
    pub bias: T,
    /// Which part of the lookup table the row's `(q, x)` must be in.
    pub tag: T,
    /// Index of the first lane's output on ranked rows; place value of the first digit on input rows.
    pub index: T,
    /// Lookup table: input.
    pub table_in: T,
    /// Lookup table: output.
    pub table_out: T,
    /// Lookup table: tag.
    pub table_tag: T,
    /// Residual multipliers of the row's activations; the first is, on input rows, 1 where `step`
    /// would be 2.
    pub residual: Vec<T>,
    /// 1 or 2: the border group whose monomials the row's `e` cells fill.
    pub border: Vec<T>,
    /// Kernels, `kernels × taps`; coefficients on programmed rows, steps on ranked rows.
    pub kernel: Vec<T>,
}

impl<T> Fixed<T> {
    /// Makes each column with `make`, in a fixed order.
    pub fn build(widths: &Widths, mut make: impl FnMut() -> T) -> Self {
        let mut several = |n: usize| (0..n).map(|_| make()).collect::<Vec<T>>();
        let residual = several(widths.residuals);
        let border = several(widths.borders);
        let kernel = several(widths.kernels * widths.taps);
        Self {
            ordinary: make(),
            rank: make(),
            program: make(),
            input: make(),
            block: make(),
            tensor: make(),
            step: make(),
            scale: make(),
            bias: make(),
            tag: make(),
            index: make(),
            table_in: make(),
            table_out: make(),
            table_tag: make(),
            residual,
            border,
            kernel,
        }
    }

    /// All columns, in the order of [`Fixed::build`].
    pub fn all(&self) -> impl Iterator<Item = &T> {
        self.residual.iter().chain(&self.border).chain(&self.kernel).chain([
            &self.ordinary,
            &self.rank,
            &self.program,
            &self.input,
            &self.block,
            &self.tensor,
            &self.step,
            &self.scale,
            &self.bias,
            &self.tag,
            &self.index,
            &self.table_in,
            &self.table_out,
            &self.table_tag,
        ])
    }
}

/// Columns committed before the challenges are drawn.
#[derive(Clone, Debug)]
pub struct First<T> {
    /// Activations; digits on input rows; marks on ranked rows.
    pub x: Vec<T>,
    /// `q + Q0`.
    pub q: Vec<T>,
    /// Remainders.
    pub r: Vec<T>,
    /// Border values (`+ BORDER_OFFSET`); on ranked rows 1 before the last listed index, else 0;
    /// on the list's rows the index of the entry.
    pub e: Vec<T>,
    /// Multiplicities of the lookup table; on ranked rows the threshold, on the list's rows keys.
    pub m: T,
}

/// Columns that run over the table with the challenges.
#[derive(Clone, Debug)]
pub struct Second<T> {
    /// `X_c(z)` within a block; on programmed and ranked rows the ranking's running sum, lane 0.
    pub px: T,
    /// `A(z) + E(z)` of a tensor; the packed limbs on input rows.
    pub py: T,
    /// `G_c(z)` within a block; the ranking's running sum, lane 1.
    pub g: T,
    /// The total of all equations.
    pub total: T,
    /// Running sums of the lookups: `(q, x)` and `r` of each lane.
    pub sum: Vec<T>,
    /// The ranking's running sum, lanes 2 and up.
    pub ranked: Vec<T>,
}

impl<T> First<T> {
    /// Makes each column with `make`, in a fixed order.
    pub fn build(widths: &Widths, mut make: impl FnMut() -> T) -> Self {
        let mut lanes = || (0..widths.lanes).map(|_| make()).collect::<Vec<T>>();
        let (x, q, r, e) = (lanes(), lanes(), lanes(), lanes());
        Self { x, q, r, e, m: make() }
    }

    /// All columns, in the order of [`First::build`].
    pub fn all(&self) -> impl Iterator<Item = &T> {
        self.x.iter().chain(&self.q).chain(&self.r).chain(&self.e).chain([&self.m])
    }

    /// All columns, to change.
    pub fn all_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.x.iter_mut().chain(&mut self.q).chain(&mut self.r).chain(&mut self.e).chain([&mut self.m])
    }
}

impl<T> Second<T> {
    /// Makes each column with `make`, in a fixed order.
    pub fn build(widths: &Widths, mut make: impl FnMut() -> T) -> Self {
        let sum = (0..2 * widths.lanes).map(|_| make()).collect();
        let ranked = (2..widths.lanes).map(|_| make()).collect();
        Self { px: make(), py: make(), g: make(), total: make(), sum, ranked }
    }

    /// All columns, in the order of [`Second::build`].
    pub fn all(&self) -> impl Iterator<Item = &T> {
        self.sum.iter().chain(&self.ranked).chain([&self.px, &self.py, &self.g, &self.total])
    }

    /// All columns, to change.
    pub fn all_mut(&mut self) -> impl Iterator<Item = &mut T> {
        let Self { px, py, g, total, sum, ranked } = self;
        sum.iter_mut().chain(ranked).chain([px, py, g, total])
    }

    /// The column of lane `lane` of the ranking's running sum.
    pub fn ranking(&self, lane: usize) -> &T {
        match lane {
            0 => &self.px,
            1 => &self.g,
            l => &self.ranked[l - 2],
        }
    }
}

/// All columns of a circuit.
#[derive(Clone, Debug)]
pub struct Columns {
    /// Fixed at key generation.
    pub fixed: Fixed<Column<FixedColumn>>,
    /// First phase.
    pub first: First<Column<Advice>>,
    /// Second phase.
    pub second: Second<Column<Advice>>,
    /// Public values, one a row from row 0.
    pub instance: Column<Instance>,
    /// `z`, `λ`, `α`, `β`, `μ`.
    pub challenges: [Challenge; CHALLENGES],
}

impl Columns {
    /// Declares the columns.
    pub fn new(cs: &mut ConstraintSystem<Fr>, widths: &Widths) -> Self {
        let first = First::build(widths, || cs.advice_column());
        let challenges = [(); CHALLENGES].map(|()| cs.challenge_usable_after(FirstPhase));
        let second = Second::build(widths, || cs.advice_column_in(SecondPhase));
        let fixed = Fixed::build(widths, || cs.fixed_column());
        Self { fixed, first, second, instance: cs.instance_column(), challenges }
    }
}
