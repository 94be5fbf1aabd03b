//! What quantisation costs a chess model, as a line of its README's table.
//!
//! usage: model_report MODEL_DIR RECORDS
//!
//! For each labelled position: the first choice of the float network (run by tract) and of the
//! integer network, whether it is the label, and whether it is legal (by shakmaty).

use std::error::Error;
use std::path::Path;

use rayon::prelude::*;
use shakmaty::fen::Fen;
use shakmaty::uci::UciMove;
use shakmaty::{CastlingMode, Chess, Square};
use tract_onnx::prelude::*;
use zugzwang_circuits::interpret::run;
use zugzwang_circuits::model::Model;
use zugzwang_circuits::schema::{Move, PackedBoard, Promotion, Record};

/// One network's verdicts.
#[derive(Clone, Copy, Default)]
struct Score {
    label: usize,
    legal: usize,
}

#[derive(Clone, Copy, Default)]
struct Total {
    positions: usize,
    float: Score,
    integer: Score,
    agree: usize,
    /// Positions with a legal move among the integer network's public choices.
    any_legal: usize,
}

fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [dir, records] = &args[..] else {
        return Err("usage: model_report MODEL_DIR RECORDS".into());
    };
    let model = Model::load(Path::new(dir))?;
    let onnx = model.check_onnx()?;
    let float = tract_onnx::onnx()
        .model_for_read(&mut &onnx[..])?
        .with_input_fact(0, f32::fact([1, 18, 8, 8]).into())?
        .into_optimized()?
        .into_runnable()?;
    let records = Record::parse_all(&std::fs::read(records)?)?;
    let total = records
        .par_iter()
        .map(|r| -> Result<Total, Box<dyn Error + Send + Sync>> {
            let position = position(&r.board)?;
            let input: Tensor = tract_ndarray::Array4::from_shape_vec((1, 18, 8, 8), planes(&r.board))?.into();
            let output = float.run(tvec!(input.into()))?;
            let logits = output[0].view();
            let logits = logits.as_slice::<f32>()?;
            let before = (0..logits.len()).fold(0, |b, i| if logits[i] > logits[b] { i } else { b });
            let ranking = run(&model.graph, &r.board.to_tensor())?.ranking;
            let after = ranking[0].0;
            let label = r.best.index();
            let score = |index: usize| Score {
                label: usize::from(label == Some(index)),
                legal: usize::from(legal(&position, &r.board, index)),
            };
            Ok(Total {
                positions: 1,
                float: score(before),
                integer: score(after),
                agree: usize::from(before == after),
                any_legal: usize::from(ranking.iter().any(|(i, _)| legal(&position, &r.board, *i))),
            })
        })
        .try_reduce(Total::default, |a, b| Ok(add(a, b)))?;
    let percent = |n: usize| 100.0 * n as f64 / total.positions as f64;
    println!(
        "| positions | label, float | label, integer | integer = float | first legal, float | first legal, integer | some of {} legal |",
        model.graph.top
    );
    println!("|---|---|---|---|---|---|---|");
    println!(
        "| {} | {:.2} % | {:.2} % | {:.2} % | {} ({:.2} %) | {} ({:.2} %) | {} ({:.2} %) |",
        total.positions,
        percent(total.float.label),
        percent(total.integer.label),
        percent(total.agree),
        total.float.legal,
        percent(total.float.legal),
        total.integer.legal,
        percent(total.integer.legal),
        total.any_legal,
        percent(total.any_legal),
    );
    Ok(())
}

fn add(a: Total, b: Total) -> Total {
    let score = |a: Score, b: Score| Score { label: a.label + b.label, legal: a.legal + b.legal };
    Total {
        positions: a.positions + b.positions,
        float: score(a.float, b.float),
        integer: score(a.integer, b.integer),
        agree: a.agree + b.agree,
        any_legal: a.any_legal + b.any_legal,
    }
}

/// The 18 planes of a board, made without the integer graph's encoding layer.
fn planes(board: &PackedBoard) -> Vec<f32> {
    let mut planes = vec![0.0; 18 * 64];
    for (square, piece) in board.squares.iter().enumerate().filter(|(_, p)| **p > 0) {
        planes[(usize::from(*piece) - 1) * 64 + square] = 1.0;
    }
    for (k, _) in board.castling.iter().enumerate().filter(|(_, right)| **right) {
        planes[(12 + k) * 64..(13 + k) * 64].fill(1.0);
    }
    if let Some(file) = board.en_passant {
        planes[16 * 64 + 40 + usize::from(file)] = 1.0;
    }
    planes[17 * 64..].fill(1.0);
    planes
}

/// The position with the mover as White.
fn position(board: &PackedBoard) -> Result<Chess, Box<dyn Error + Send + Sync>> {
    let mut fen = String::new();
    for rank in (0..8).rev() {
        let mut empty = 0;
        for square in &board.squares[8 * rank..8 * rank + 8] {
            if *square == 0 {
                empty += 1;
                continue;
            }
            if empty > 0 {
                fen += &empty.to_string();
                empty = 0;
            }
            fen.push("PNBRQKpnbrqk".as_bytes()[usize::from(*square) - 1] as char);
        }
        if empty > 0 {
            fen += &empty.to_string();
        }
        fen.push(if rank > 0 { '/' } else { ' ' });
    }
    let rights: String = "KQkq".chars().zip(board.castling).filter(|(_, r)| *r).map(|(c, _)| c).collect();
    fen += &format!("w {} ", if rights.is_empty() { "-" } else { &rights });
    match board.en_passant {
        Some(file) => fen += &format!("{}6", (b'a' + file) as char),
        None => fen.push('-'),
    }
    Ok(fen.parse::<Fen>()?.into_position(CastlingMode::Standard)?)
}

fn legal(position: &Chess, board: &PackedBoard, index: usize) -> bool {
    board.choice(index).is_some_and(|m| uci(m).to_move(position).is_ok())
}

fn uci(m: Move) -> UciMove {
    let promotion = m.promotion.map(|p| match p {
        Promotion::Knight => shakmaty::Role::Knight,
        Promotion::Bishop => shakmaty::Role::Bishop,
        Promotion::Rook => shakmaty::Role::Rook,
        Promotion::Queen => shakmaty::Role::Queen,
    });
    UciMove::Normal { from: Square::new(m.from.into()), to: Square::new(m.to.into()), promotion }
}
