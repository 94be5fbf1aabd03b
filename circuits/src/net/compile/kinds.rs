//! Which tensors of the float network need other integers than their range suggests.

use crate::float::{FloatNet, FloatOp, Function, Ranked, Sparse};

/// What is known of each float tensor before any sample.
pub(super) struct Kinds {
    /// It holds whole numbers only.
    pub(super) whole: Vec<bool>,
    /// It holds a ranking's winners, moved or negated: the same integers as what was ranked.
    pub(super) passed: Vec<bool>,
    /// A ranking reads it, maybe moved, negated or through maxima: ties are what rounding costs.
    pub(super) compared: Vec<bool>,
}

impl Kinds {
    pub(super) fn of(float: &FloatNet) -> Self {
        let none = vec![false; float.tensors.len()];
        let mut kinds = Self { whole: none.clone(), passed: none.clone(), compared: none };
        float.inputs.iter().for_each(|i| kinds.whole[i.tensor] = i.integer);
        for node in &float.nodes {
            let all = |of: &[bool]| node.inputs.iter().all(|t| of[*t]);
            let (whole, passed) = (all(&kinds.whole), all(&kinds.passed));
            kinds.whole[node.output] = match &node.op {
                FloatOp::Sparse(s) => {
                    whole && s.terms.iter().map(|t| t.weight).chain(s.bias.iter().copied()).all(|v| v.fract() == 0.0)
                }
                FloatOp::Product(_) | FloatOp::MatMul(_) | FloatOp::Max(_) => whole,
                FloatOp::Unary(f) => is_bit(f) || (whole && keeps_whole(f)),
                FloatOp::TopK(t) => whole || t.output == Ranked::Positions,
                FloatOp::Conv(_) => false,
            };
            kinds.passed[node.output] = match &node.op {
                FloatOp::Sparse(s) => passed && is_signed_move(s),
                FloatOp::TopK(t) => t.output == Ranked::Values,
                _ => false,
            };
        }
        for node in float.nodes.iter().rev() {
            let reads = match &node.op {
                FloatOp::TopK(_) => true,
                FloatOp::Sparse(s) => kinds.compared[node.output] && is_signed_move(s),
                FloatOp::Max(_) => kinds.compared[node.output],
                _ => false,
            };
            if reads {
                node.inputs.iter().for_each(|t| kinds.compared[*t] = true);
            }
        }
        kinds
    }
}

/// Whether every output is an input's number or its negative.
fn is_signed_move(s: &Sparse) -> bool {
    (0..s.outputs()).all(|o| matches!(s.row(o), [t] if t.weight.abs() == 1.0 && s.bias[o] == 0.0))
}

/// Whether a function's values are 0 and 1 alone.
pub(super) fn is_bit(f: &Function) -> bool {
    matches!(f, Function::Step | Function::StepOrEqual | Function::IsZero)
}

/// Whether a function of a whole number is whole.
fn keeps_whole(f: &Function) -> bool {
    match f {
        Function::Relu | Function::Abs | Function::Floor | Function::Ceil | Function::Round | Function::Trunc => true,
        Function::Table(entries) => entries.iter().all(|e| e.fract() == 0.0),
        Function::Clip { min, max } => [min, max].iter().all(|b| b.is_infinite() || b.fract() == 0.0),
        _ => false,
    }
}
