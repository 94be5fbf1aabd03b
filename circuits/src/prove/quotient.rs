//! Runs the gates' program over the rows of a coset.

use halo2_proofs::halo2curves::bn256::Fr;
use halo2_proofs::halo2curves::ff::Field;
use rayon::prelude::*;

use super::graph::{Kind, Operation};
use super::program::{Operand, Program};

/// Rows that an instruction runs over at a time: as many as keep all registers in the cache.
const CHUNK: usize = 64;

/// Values of all columns on one coset, by the column's index.
#[derive(Clone, Copy, Debug)]
pub(super) struct Columns<'a> {
    pub(super) fixed: &'a [Vec<Fr>],
    pub(super) advice: &'a [Vec<Fr>],
    pub(super) instance: &'a [Vec<Fr>],
}

/// The program's result on each of the `n` rows.
pub(super) fn evaluate(program: &Program, scalars: &[Fr], columns: Columns<'_>, n: usize) -> Vec<Fr> {
    let mut result = vec![Fr::ZERO; n];
    result.par_chunks_mut(CHUNK).enumerate().for_each_init(
        || vec![vec![Fr::ZERO; CHUNK.min(n)]; program.registers],
        |registers, (chunk, result)| {
            let start = chunk * CHUNK;
            let cells = Cells::new(program, columns, start, result.len(), n);
            for instruction in &program.instructions {
                let mut out = std::mem::take(&mut registers[instruction.register]);
                let a = source(instruction.a, registers, &cells, scalars);
                let b = source(instruction.b, registers, &cells, scalars);
                match instruction.operation {
                    Operation::Add => run(&mut out, a, b, |a, b| a + b),
                    Operation::Sub => run(&mut out, a, b, |a, b| a - b),
                    Operation::Mul => run(&mut out, a, b, |a, b| a * b),
                }
                registers[instruction.register] = out;
            }
            match source(program.result, registers, &cells, scalars) {
                Source::Rows(rows) => result.copy_from_slice(&rows[..result.len()]),
                Source::Same(value) => result.fill(value),
            }
        },
    );
    result
}

/// The cells that a chunk reads.
struct Cells<'a> {
    rows: Vec<&'a [Fr]>,
    /// Those that reach around the end of the table, copied together.
    around: Vec<(usize, Vec<Fr>)>,
}

impl<'a> Cells<'a> {
    fn new(program: &Program, columns: Columns<'a>, start: usize, length: usize, n: usize) -> Self {
        let mut around = vec![];
        let mut rows: Vec<&[Fr]> = Vec::with_capacity(program.cells.len());
        for (i, cell) in program.cells.iter().enumerate() {
            let column = match cell.kind {
                Kind::Fixed => &columns.fixed[cell.column],
                Kind::Advice => &columns.advice[cell.column],
                Kind::Instance => &columns.instance[cell.column],
            };
            let first = (start as i64 + i64::from(cell.rotation)).rem_euclid(n as i64) as usize;
            match column.get(first..first + length) {
                Some(inside) => rows.push(inside),
                None => {
                    around.push((i, (first..first + length).map(|row| column[row % n]).collect()));
                    rows.push(&[]);
                }
            }
        }
        Self { rows, around }
    }

    fn get(&self, cell: usize) -> &[Fr] {
        match self.around.iter().find(|(i, _)| *i == cell) {
            Some((_, rows)) => rows,
            None => self.rows[cell],
        }
    }
}

enum Source<'a> {
    Rows(&'a [Fr]),
    Same(Fr),
}

fn source<'a>(operand: Operand, registers: &'a [Vec<Fr>], cells: &'a Cells<'_>, scalars: &[Fr]) -> Source<'a> {
    match operand {
        Operand::Register(i) => Source::Rows(&registers[i]),
        Operand::Cell(i) => Source::Rows(cells.get(i)),
        Operand::Scalar(i) => Source::Same(scalars[i]),
    }
}

#[inline(always)]
fn run(out: &mut [Fr], a: Source<'_>, b: Source<'_>, operation: impl Fn(&Fr, &Fr) -> Fr) {
    match (a, b) {
        (Source::Rows(a), Source::Rows(b)) => {
            out.iter_mut().zip(a).zip(b).for_each(|((out, a), b)| *out = operation(a, b));
        }
        (Source::Rows(a), Source::Same(b)) => out.iter_mut().zip(a).for_each(|(out, a)| *out = operation(a, &b)),
        (Source::Same(a), Source::Rows(b)) => out.iter_mut().zip(b).for_each(|(out, b)| *out = operation(&a, b)),
        (Source::Same(a), Source::Same(b)) => out.fill(operation(&a, &b)),
    }
}
