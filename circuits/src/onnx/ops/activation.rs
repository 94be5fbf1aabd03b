//! Functions of every element.

use super::super::build::Value;
use super::super::lower::{Lowered, Lowering};
use super::super::tensor::Kind;
use crate::float::Function;

fn apply(l: &mut Lowering<'_>, f: Function) -> Lowered<Vec<Value>> {
    let x = l.input(0)?;
    Ok(vec![l.unary(f, &x)?])
}

/// Lowerings of operators that are one function without settings.
macro_rules! plain {
    ($($name:ident $function:expr, $doc:literal;)*) => {
        $(#[doc = $doc]
        pub(crate) fn $name(l: &mut Lowering<'_>) -> Lowered<Vec<Value>> {
            apply(l, $function)
        })*
    };
}

plain! {
    relu Function::Relu, "`Relu(x)`.";
    sigmoid Function::Sigmoid, "`Sigmoid(x)`.";
    tanh Function::Tanh, "`Tanh(x)`.";
    hard_swish Function::HardSwish, "`HardSwish(x)`.";
    erf Function::Erf, "`Erf(x)`.";
    exp Function::Exp, "`Exp(x)`.";
    log Function::Log, "`Log(x)`.";
    softplus Function::Softplus, "`Softplus(x)`.";
    softsign Function::Softsign, "`Softsign(x)`.";
    mish Function::Mish, "`Mish(x)`.";
    sqrt Function::Sqrt, "`Sqrt(x)`.";
    reciprocal Function::Reciprocal, "`Reciprocal(x)`.";
    abs Function::Abs, "`Abs(x)`.";
    floor Function::Floor, "`Floor(x)`.";
    ceil Function::Ceil, "`Ceil(x)`.";
    round Function::Round, "`Round(x)`.";
}

/// `LeakyRelu(x)`.
pub(crate) fn leaky_relu(l: &mut Lowering<'_>) -> Lowered<Vec<Value>> {
    let slope = l.float("alpha", 0.01)?;
    apply(l, Function::LeakyRelu(slope))
}

/// `HardSigmoid(x)`.
pub(crate) fn hard_sigmoid(l: &mut Lowering<'_>) -> Lowered<Vec<Value>> {
    let (alpha, beta) = (l.float("alpha", 0.2)?, l.float("beta", 0.5)?);
    apply(l, Function::HardSigmoid { alpha, beta })
}

/// `Gelu(x)`.
pub(crate) fn gelu(l: &mut Lowering<'_>) -> Lowered<Vec<Value>> {
    let tanh = match l.string("approximate", "none")?.as_str() {
        "none" => false,
        "tanh" => true,
        other => return Err(l.place.setting(format!("approximate is {other:?}"), "use none or tanh")),
    };
    apply(l, Function::Gelu { tanh })
}

/// `Elu(x)`.
pub(crate) fn elu(l: &mut Lowering<'_>) -> Lowered<Vec<Value>> {
    let alpha = l.float("alpha", 1.0)?;
    apply(l, Function::Elu(alpha))
}

/// `Selu(x)`.
pub(crate) fn selu(l: &mut Lowering<'_>) -> Lowered<Vec<Value>> {
    let (alpha, gamma) = (l.float("alpha", 1.673_263_2)?, l.float("gamma", 1.050_701)?);
    apply(l, Function::Selu { alpha, gamma })
}

/// `Celu(x)`.
pub(crate) fn celu(l: &mut Lowering<'_>) -> Lowered<Vec<Value>> {
    let alpha = l.float("alpha", 1.0)?;
    if alpha == 0.0 {
        return Err(l.place.setting("alpha is 0", "use Relu"));
    }
    apply(l, Function::Celu(alpha))
}

/// `ThresholdedRelu(x)`.
pub(crate) fn thresholded_relu(l: &mut Lowering<'_>) -> Lowered<Vec<Value>> {
    let alpha = l.float("alpha", 1.0)?;
    apply(l, Function::ThresholdedRelu(alpha))
}

/// `Clip(x, min?, max?)`.
pub(crate) fn clip(l: &mut Lowering<'_>) -> Lowered<Vec<Value>> {
    let (min, max) = (l.scalar(1)?.unwrap_or(f32::NEG_INFINITY), l.scalar(2)?.unwrap_or(f32::INFINITY));
    match (min, max) {
        (f32::NEG_INFINITY, f32::INFINITY) => Ok(vec![l.input(0)?]),
        (0.0, f32::INFINITY) => apply(l, Function::Relu),
        _ => apply(l, Function::Clip { min, max }),
    }
}

/// `PRelu(x, slope)`: `slope · x + (1 − slope) · relu(x)`.
pub(crate) fn p_relu(l: &mut Lowering<'_>) -> Lowered<Vec<Value>> {
    let (x, slope) = (l.input(0)?, l.input(1)?);
    let slope = l.expanded(&slope, &x.shape)?;
    let positive = l.unary(Function::Relu, &x)?;
    let rest = l.sum(&[(&x, 1.0), (&positive, -1.0)], 0.0)?;
    let product = l.product(&rest, &slope)?;
    Ok(vec![l.sum(&[(&positive, 1.0), (&product, 1.0)], 0.0)?])
}

/// `Sign(x)`.
pub(crate) fn sign(l: &mut Lowering<'_>) -> Lowered<Vec<Value>> {
    let x = l.input(0)?;
    let above = l.unary(Function::Step, &x)?;
    let not_below = l.unary(Function::StepOrEqual, &x)?;
    Ok(vec![l.sum(&[(&above, 1.0), (&not_below, 1.0)], -1.0)?.of_kind(x.kind)])
}

/// `Cast(x)`: only fractions are lost.
pub(crate) fn cast(l: &mut Lowering<'_>) -> Lowered<Vec<Value>> {
    let x = l.input(0)?;
    l.int("saturate", 1)?;
    let code = l.int("to", 0)?;
    let Some(kind) = i32::try_from(code).ok().and_then(Kind::of) else {
        return Err(l.place.setting(format!("casts to ONNX type {code}"), "use float32, integers or booleans"));
    };
    Ok(vec![as_kind(l, &x, kind)?])
}

/// `CastLike(x, like)`.
pub(crate) fn cast_like(l: &mut Lowering<'_>) -> Lowered<Vec<Value>> {
    let (x, like) = (l.input(0)?, l.input(1)?);
    l.int("saturate", 1)?;
    Ok(vec![as_kind(l, &x, like.kind)?])
}

/// The value as another kind of number.
pub(super) fn as_kind(l: &mut Lowering<'_>, x: &Value, kind: Kind) -> Lowered {
    Ok(match (x.kind, kind) {
        (Kind::Float | Kind::Integer, Kind::Bool) => {
            let zero = l.unary(Function::IsZero, x)?;
            l.sum(&[(&zero, -1.0)], 1.0)?
        }
        (Kind::Float, Kind::Integer) => l.unary(Function::Trunc, x)?,
        _ => x.clone(),
    }
    .of_kind(kind))
}
