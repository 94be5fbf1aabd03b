//! Rankings as sums, tables and maxima, exactly.
//!
//! Of a window's numbers `x_0 … x_{n−1}` with maximum `m`, let `e_i = [m − x_i = 0]` and `M = max (n−1−i)·e_i`. Then
//! `n−1−M` is the place of the first largest: of equals the lowest index has the greatest factor. For the next largest the
//! winner becomes 0 and all others stay above it: `x'_i = max(x_i + 1 − B·w_i, 0)` with `w_i = [i = n−1−M]` and `B` above
//! every number. A round takes 5 rows a number, and 3 more if another one follows.

use super::super::room;
use super::*;
use crate::float::{Ranked, TopK};

/// The rounds of one ranking so far; values and positions share them.
pub(super) struct Ranking {
    /// The tensor that is ranked.
    source: usize,
    windows: Windows,
    rounds: Vec<Round>,
}

/// What one round has computed: tensors of the net.
#[derive(Clone, Copy)]
struct Round {
    /// What is left to be ranked: the source, later a number for each of the windows' cells.
    numbers: usize,
    /// The largest of each window.
    largest: usize,
    /// The first place where it stands.
    position: Option<usize>,
    /// The largest as the source has it.
    value: Option<usize>,
}

/// A function of a sum that keeps it whole.
#[derive(Clone, Copy)]
enum Whole {
    /// 1 if it is 0, else 0.
    IsZero,
    /// Itself; 0 below 0.
    Positive,
}

/// The terms of one output and its constant.
type Row = (Vec<Term>, i64);

fn term(input: u32, index: usize, weight: i64) -> Term {
    Term { input, index: index as u32, weight }
}

impl Ranking {
    /// Windows of a round: after the first each window's numbers stand side by side.
    fn windows(&self, round: usize) -> Windows {
        match round {
            0 => self.windows.clone(),
            _ => Windows {
                starts: self.windows.starts.clone(),
                indices: (0..self.windows.indices.len() as u32).collect(),
            },
        }
    }

    /// Window, place in the window, and last place, for each cell of all windows.
    fn cells(&self) -> impl Iterator<Item = (usize, usize, usize)> + '_ {
        self.windows.starts.windows(2).enumerate().flat_map(|(w, ends)| {
            let len = (ends[1] - ends[0]) as usize;
            (0..len).map(move |i| (w, i, len - 1))
        })
    }

    /// The last place of each window.
    fn lasts(&self) -> impl Iterator<Item = i64> + '_ {
        self.windows.starts.windows(2).map(|ends| i64::from(ends[1] - ends[0]) - 1)
    }
}

impl Lowered<'_> {
    /// Lowers a ranking; its values are the source's own integers.
    pub(super) fn rank(&mut self, node: &FloatNode, wanted: &TopK) -> Result<(), CompileError> {
        let (source, real) = self.place(node.inputs[0])?;
        let windows = Windows { starts: wanted.windows.starts.clone(), indices: wanted.windows.indices.clone() };
        let known = self.rankings.iter().position(|r| r.source == source && r.windows == windows);
        let mut ranking = match known {
            Some(at) => self.rankings.swap_remove(at),
            None => Ranking { source, windows, rounds: Vec::new() },
        };
        let mut columns = Vec::with_capacity(wanted.k);
        for round in 0..wanted.k {
            self.round(node, &mut ranking, round)?;
            columns.push(match wanted.output {
                Ranked::Positions => self.position(node, &mut ranking, round)?,
                Ranked::Values => self.value(node, &mut ranking, round)?,
            });
        }
        let most = ranking.lasts().max().unwrap_or(0);
        let count = ranking.lasts().count() as u32;
        self.rankings.push(ranking);
        let real = match wanted.output {
            Ranked::Positions => Real { scale: 1.0, zero: 0, bits: bits_of(most) },
            Ranked::Values => real,
        };
        let at = match columns[..] {
            [one] => one,
            _ => {
                let ranks = 0..columns.len() as u32;
                let from = (0..count).flat_map(|w| ranks.clone().map(move |rank| [rank, w])).collect();
                self.push(Node { name: node.name.clone(), inputs: columns, step: Step::Move(from) })?
            }
        };
        self.places[node.output] = Some((at, real));
        Ok(())
    }

    /// The maxima of a round, after what the round before left.
    fn round(&mut self, node: &FloatNode, ranking: &mut Ranking, round: usize) -> Result<(), CompileError> {
        if ranking.rounds.len() > round {
            return Ok(());
        }
        let numbers = match round.checked_sub(1) {
            None => ranking.source,
            Some(before) => self.left(node, ranking, before)?,
        };
        let step = Step::Max(ranking.windows(round));
        let name = format!("{}, largest {}", node.name, round + 1);
        let largest = self.push(Node { name, inputs: vec![numbers], step })?;
        let value = (round == 0).then_some(largest);
        ranking.rounds.push(Round { numbers, largest, position: None, value });
        Ok(())
    }

    /// The first place of each window's largest.
    fn position(&mut self, node: &FloatNode, ranking: &mut Ranking, round: usize) -> Result<usize, CompileError> {
        let Round { numbers, largest, position, .. } = ranking.rounds[round];
        if let Some(position) = position {
            return Ok(position);
        }
        let name = |what: &str| format!("{}, {what} {}", node.name, round + 1);
        let indices = ranking.windows(round).indices;
        let distance = |((w, ..), i): ((usize, usize, usize), &u32)| (vec![term(0, w, 1), term(1, *i as usize, -1)], 0);
        let rows = ranking.cells().zip(&indices).map(distance).collect();
        let equal = self.whole(name("equal to the largest"), vec![largest, numbers], rows, Whole::IsZero)?;
        let factor = |(cell, (_, i, last)): (usize, (usize, usize, usize))| match last - i {
            0 => (vec![], 0),
            factor => (vec![term(0, cell, factor as i64)], 0),
        };
        let rows = ranking.cells().enumerate().map(factor).collect();
        let from_end = self.whole(name("places from the end"), vec![equal], rows, Whole::Positive)?;
        let step = Step::Max(ranking.windows(1));
        let first = self.push(Node { name: name("first place"), inputs: vec![from_end], step })?;
        let rows = ranking.lasts().enumerate().map(|(w, last)| (vec![term(0, w, -1)], last)).collect();
        let position = self.whole(name("position"), vec![first], rows, Whole::Positive)?;
        ranking.rounds[round].position = Some(position);
        Ok(position)
    }

    /// Each window's largest, as the source has it: later rounds rank numbers that are 1 more.
    fn value(&mut self, node: &FloatNode, ranking: &mut Ranking, round: usize) -> Result<usize, CompileError> {
        let Round { largest, value, .. } = ranking.rounds[round];
        if let Some(value) = value {
            return Ok(value);
        }
        let name = format!("{}, value {}", node.name, round + 1);
        let rows = (0..ranking.lasts().count()).map(|w| (vec![term(0, w, 1)], -1)).collect();
        let value = self.whole(name, vec![largest], rows, Whole::Positive)?;
        ranking.rounds[round].value = Some(value);
        Ok(value)
    }

    /// What is ranked after a round: its winner is 0, and whatever never won is more.
    fn left(&mut self, node: &FloatNode, ranking: &mut Ranking, round: usize) -> Result<usize, CompileError> {
        let position = self.position(node, ranking, round)?;
        let name = |what: &str| format!("{}, {what} {}", node.name, round + 1);
        let rows = ranking.cells().map(|(w, i, _)| (vec![term(0, w, 1)], -(i as i64))).collect();
        let winner = self.whole(name("winner"), vec![position], rows, Whole::IsZero)?;
        let numbers = ranking.rounds[round].numbers;
        let above = i64::from(round == 0);
        let most = self.reached.most(numbers) + above;
        let indices = ranking.windows(round).indices;
        let row = |(cell, i): (usize, &u32)| (vec![term(0, *i as usize, 1), term(1, cell, -most)], above);
        let rows = indices.iter().enumerate().map(row).collect();
        self.whole(name("left after"), vec![numbers, winner], rows, Whole::Positive)
    }

    /// Sums of numbers as they are, without rounding.
    fn whole(
        &mut self,
        name: String,
        inputs: Vec<usize>,
        rows: Vec<Row>,
        function: Whole,
    ) -> Result<usize, CompileError> {
        let mut sparse = Sparse { starts: vec![0], terms: vec![] };
        let mut bias = Vec::with_capacity(rows.len());
        for (terms, constant) in rows {
            sparse.terms.extend(terms);
            sparse.starts.push(sparse.terms.len() as u32);
            bias.push(constant);
        }
        let (linear, shift) = (Linear::Sparse(sparse), vec![0; bias.len()]);
        let (least, most) = self.reached.quotients(&inputs, &linear, &bias, &shift);
        let rows = (most - least + 1) as usize;
        let available = room::most(self.options);
        if rows > available {
            let option = "--activation-bits or --output-bits";
            return Err(CompileError::Entries { tensor: name, own: rows, rows, most: available, option });
        }
        let value = |q: i64| match function {
            Whole::IsZero => i64::from(q == 0),
            Whole::Positive => q.max(0),
        };
        let table = self.table(Table { low: least, values: (least..=most).map(value).collect() });
        let step = Step::Linear(linear, Rescale { bias, shift, table });
        self.push(Node { name, inputs, step })
    }
}

/// Bits of the numbers 0 to `most`, at least 1.
pub(super) fn bits_of(most: i64) -> u32 {
    (i64::BITS - most.max(1).leading_zeros()).max(1)
}
