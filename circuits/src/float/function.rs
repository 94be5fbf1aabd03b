//! Functions of one number.

/// What a [`super::FloatOp::Unary`] node computes of each value.
#[derive(Clone, Debug, PartialEq)]
pub enum Function {
    /// `max(x, 0)`.
    Relu,
    /// `x` if it isn't negative, else `x` times the slope.
    LeakyRelu(f32),
    /// `x` moved into a range; an open side is infinite.
    Clip {
        /// Least result.
        min: f32,
        /// Largest result; wins if it is below `min`.
        max: f32,
    },
    /// `1 / (1 + e^−x)`.
    Sigmoid,
    /// Hyperbolic tangent.
    Tanh,
    /// `alpha · x + beta`, moved into 0 … 1.
    HardSigmoid {
        /// Slope.
        alpha: f32,
        /// Value at 0.
        beta: f32,
    },
    /// `x · clip(x / 6 + 1/2, 0, 1)`.
    HardSwish,
    /// `x` times the normal distribution's function at `x`.
    Gelu {
        /// Whether by the usual approximation with tanh.
        tanh: bool,
    },
    /// The error function.
    Erf,
    /// `e^x`.
    Exp,
    /// Natural logarithm.
    Log,
    /// `ln(1 + e^x)`.
    Softplus,
    /// `x / (1 + |x|)`.
    Softsign,
    /// `x` if it isn't negative, else alpha `· (e^x − 1)`.
    Elu(f32),
    /// `gamma · x` if `x` is positive, else `gamma · alpha · (e^x − 1)`.
    Selu {
        /// Factor of the exponential.
        alpha: f32,
        /// Factor of all.
        gamma: f32,
    },
    /// `x` if it isn't negative, else `alpha · (e^(x / alpha) − 1)`.
    Celu(f32),
    /// `x · tanh(softplus(x))`.
    Mish,
    /// `x` if it is above the threshold, else 0.
    ThresholdedRelu(f32),
    /// `√x`, and 0 below 0.
    Sqrt,
    /// `1 / x`.
    Reciprocal,
    /// `1 / √(max(x, 0) + epsilon)`.
    Rsqrt {
        /// What keeps the root away from 0.
        epsilon: f32,
    },
    /// `x` to the power of a constant.
    Power(f32),
    /// `|x|`.
    Abs,
    /// 1 if `x > 0`, else 0.
    Step,
    /// 1 if `x ≥ 0`, else 0.
    StepOrEqual,
    /// 1 if `x = 0`, else 0.
    IsZero,
    /// Largest integer that isn't above `x`.
    Floor,
    /// Smallest integer that isn't below `x`.
    Ceil,
    /// Nearest integer, of two the even one.
    Round,
    /// `x` without what follows the point.
    Trunc,
    /// Entry `x` of a table, for integers `0 ≤ x <` its length and nothing else: embeddings.
    Table(Vec<f32>),
}

impl Function {
    /// The function's value; `None` only where a [`Function::Table`] has no entry.
    pub fn apply(&self, x: f32) -> Option<f32> {
        let wide = f64::from(x);
        Some(match self {
            Self::Relu => x.max(0.0),
            Self::LeakyRelu(slope) if x < 0.0 => x * slope,
            Self::LeakyRelu(_) => x,
            Self::Clip { min, max } => x.max(*min).min(*max),
            Self::Sigmoid => (1.0 / (1.0 + (-wide).exp())) as f32,
            Self::Tanh => wide.tanh() as f32,
            Self::HardSigmoid { alpha, beta } => (alpha * x + beta).clamp(0.0, 1.0),
            Self::HardSwish => x * (x / 6.0 + 0.5).clamp(0.0, 1.0),
            Self::Gelu { tanh: false } => (0.5 * wide * (1.0 + erf(wide * std::f64::consts::FRAC_1_SQRT_2))) as f32,
            Self::Gelu { tanh: true } => {
                let inner = (2.0 / std::f64::consts::PI).sqrt() * (wide + 0.044715 * wide.powi(3));
                (0.5 * wide * (1.0 + inner.tanh())) as f32
            }
            Self::Erf => erf(wide) as f32,
            Self::Exp => wide.exp() as f32,
            Self::Log => wide.ln() as f32,
            Self::Softplus => softplus(wide) as f32,
            Self::Softsign => x / (1.0 + x.abs()),
            Self::Elu(alpha) => {
                if x < 0.0 {
                    (f64::from(*alpha) * wide.exp_m1()) as f32
                } else {
                    x
                }
            }
            Self::Selu { alpha, gamma } => {
                if x > 0.0 {
                    gamma * x
                } else {
                    (f64::from(*gamma) * f64::from(*alpha) * wide.exp_m1()) as f32
                }
            }
            Self::Celu(alpha) => {
                if x < 0.0 {
                    (f64::from(*alpha) * (wide / f64::from(*alpha)).exp_m1()) as f32
                } else {
                    x
                }
            }
            Self::Mish => (wide * softplus(wide).tanh()) as f32,
            Self::ThresholdedRelu(threshold) if x > *threshold => x,
            Self::ThresholdedRelu(_) => 0.0,
            Self::Sqrt => x.max(0.0).sqrt(),
            Self::Reciprocal => 1.0 / x,
            Self::Rsqrt { epsilon } => (1.0 / (wide.max(0.0) + f64::from(*epsilon)).sqrt()) as f32,
            Self::Power(exponent) => wide.powf(f64::from(*exponent)) as f32,
            Self::Abs => x.abs(),
            Self::Step => f32::from(x > 0.0),
            Self::StepOrEqual => f32::from(x >= 0.0),
            Self::IsZero => f32::from(x == 0.0),
            Self::Floor => x.floor(),
            Self::Ceil => x.ceil(),
            Self::Round => x.round_ties_even(),
            Self::Trunc => x.trunc(),
            Self::Table(entries) => {
                let whole = x >= 0.0 && x.fract() == 0.0 && x < entries.len() as f32;
                return whole.then(|| entries[x as usize]);
            }
        })
    }
}

fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

/// The error function to about 1e-15: a series whose terms all have one sign, so that nothing cancels.
fn erf(x: f64) -> f64 {
    let a = x.abs();
    if a.is_nan() || a >= 6.0 {
        return if a.is_nan() { x } else { x.signum() };
    }
    let (mut term, mut sum, mut n) = (a, a, 1.0);
    while term > sum * 1e-17 {
        term *= 2.0 * a * a / (2.0 * n + 1.0);
        sum += term;
        n += 1.0;
    }
    x.signum() * std::f64::consts::FRAC_2_SQRT_PI * (-a * a).exp() * sum
}
