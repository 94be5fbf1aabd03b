//! Every operator that can be imported: the one list from which nodes are dispatched, messages name what there is, and
//! `docs/operators.md` is made.

use super::build::Value;
use super::lower::{Lowered, Lowering};
use super::ops::{activation, arithmetic, compare, conv, dense, gather, moves, normalise, pool, rank, reduce, reshape};

/// An operator of ONNX that can be imported.
#[derive(Clone, Copy, Debug)]
pub struct Operator {
    /// Its ONNX name.
    pub name: &'static str,
    /// First version of ONNX's operator set that has it, not below [`super::OPSETS`].
    pub since: i64,
    /// Fewest and most inputs.
    pub inputs: (usize, usize),
    /// What it becomes.
    pub how: &'static str,
    /// What a proof of it costs, in words.
    pub cost: &'static str,
    pub(super) lower: fn(&mut Lowering<'_>) -> Lowered<Vec<Value>>,
}

/// Costs that many operators share.
mod cost {
    pub(super) const NONE: &str = "nothing";
    pub(super) const MOVE: &str = "nothing; a row on each side per element where scales differ";
    pub(super) const WEIGHTS: &str = "one cell per weight, one rescaling per output";
    pub(super) const SUM: &str = "one term per summand; one rescaling per output where scales differ";
    pub(super) const SCALE: &str = "one rescaling per element; nothing where it folds into the layer before";
    pub(super) const TABLE: &str = "one table lookup per element";
    pub(super) const PRODUCT: &str = "one product and rescaling per element; by a constant as a sum";
    pub(super) const MAX: &str = "one range check per element of each window";
    pub(super) const RANK: &str = "5 rows per element for the last of the k, 8 for each before";
    pub(super) const COMPARE: &str = "one sign check per element";
}

const MANY: usize = usize::MAX;

macro_rules! operators {
    ($($name:literal $since:literal ($least:expr, $most:expr) $lower:path, $how:expr, $cost:expr;)*) => {
        &[$(Operator {
            name: $name,
            since: $since,
            inputs: ($least, $most),
            how: $how,
            cost: $cost,
            lower: $lower,
        }),*]
    };
}

/// All operators, by name.
#[rustfmt::skip]
pub static OPERATORS: &[Operator] = operators![
    "Abs" 11 (1, 1) activation::abs, "table", cost::TABLE;
    "Add" 11 (2, 2) arithmetic::add, "sums", cost::SUM;
    "And" 11 (2, 2) compare::and, "product", cost::PRODUCT;
    "ArgMax" 11 (1, 1) rank::arg_max, "position of the largest; `select_last_index` reads backwards", cost::RANK;
    "ArgMin" 11 (1, 1) rank::arg_min, "as ArgMax of the negated input", cost::RANK;
    "AveragePool" 11 (1, 1) pool::average_pool, "sums with constant weights, either with `count_include_pad` or without", cost::SUM;
    "BatchNormalization" 11 (5, 5) normalise::batch_norm, "a factor and a summand per channel, folded into the convolution before it", cost::SCALE;
    "Cast" 11 (1, 1) activation::cast, "nothing; to integers cuts fractions off, to booleans tests for zero", cost::NONE;
    "CastLike" 15 (2, 2) activation::cast_like, "as Cast", cost::NONE;
    "Ceil" 11 (1, 1) activation::ceil, "table", cost::TABLE;
    "Celu" 12 (1, 1) activation::celu, "table", cost::TABLE;
    "Clip" 11 (1, 3) activation::clip, "table; with 0 as only bound Relu", cost::TABLE;
    "Concat" 11 (1, MANY) moves::concat, "moves", cost::MOVE;
    "Constant" 11 (0, 0) reshape::constant, "a constant", cost::NONE;
    "ConstantOfShape" 11 (1, 1) reshape::constant_of_shape, "a constant", cost::NONE;
    "Conv" 11 (2, 3) conv::conv, "1-D and 2-D convolution; weights and bias are constants", cost::WEIGHTS;
    "DepthToSpace" 11 (1, 1) moves::depth_to_space, "moves", cost::MOVE;
    "Div" 11 (2, 2) arithmetic::div, "product with the reciprocal, which is a constant if the divisor is", cost::PRODUCT;
    "Dropout" 11 (1, 3) reshape::dropout, "nothing", cost::NONE;
    "Elu" 11 (1, 1) activation::elu, "table", cost::TABLE;
    "Equal" 11 (2, 2) compare::equal, "test of the difference for zero", cost::COMPARE;
    "Erf" 11 (1, 1) activation::erf, "table", cost::TABLE;
    "Exp" 11 (1, 1) activation::exp, "table", cost::TABLE;
    "Expand" 11 (2, 2) reshape::expand, "moves", cost::MOVE;
    "Flatten" 11 (1, 1) reshape::flatten, "nothing", cost::NONE;
    "Floor" 11 (1, 1) activation::floor, "table", cost::TABLE;
    "Gather" 11 (2, 2) gather::gather, "moves if the indices are constant; one table per column if the data are (embeddings, indices from 0)", cost::TABLE;
    "Gelu" 20 (1, 1) activation::gelu, "table", cost::TABLE;
    "Gemm" 11 (2, 3) dense::gemm, "1×1 convolution if one side is constant, else matrix product", cost::WEIGHTS;
    "GlobalAveragePool" 11 (1, 1) pool::global_average, "sums with constant weights", cost::SUM;
    "GlobalMaxPool" 11 (1, 1) pool::global_max, "largest of windows", cost::MAX;
    "Greater" 11 (2, 2) compare::greater, "sign of the difference", cost::COMPARE;
    "GreaterOrEqual" 12 (2, 2) compare::greater_or_equal, "sign of the difference", cost::COMPARE;
    "HardSigmoid" 11 (1, 1) activation::hard_sigmoid, "table", cost::TABLE;
    "HardSwish" 14 (1, 1) activation::hard_swish, "table", cost::TABLE;
    "Identity" 11 (1, 1) reshape::identity, "nothing", cost::NONE;
    "InstanceNormalization" 11 (3, 3) normalise::instance_norm, "as LayerNormalization, per channel", cost::PRODUCT;
    "LayerNormalization" 17 (2, 3) normalise::layer_norm, "sums, squares, reciprocal root from a table, products", cost::PRODUCT;
    "LeakyRelu" 11 (1, 1) activation::leaky_relu, "table", cost::TABLE;
    "Less" 11 (2, 2) compare::less, "sign of the difference", cost::COMPARE;
    "LessOrEqual" 12 (2, 2) compare::less_or_equal, "sign of the difference", cost::COMPARE;
    "Log" 11 (1, 1) activation::log, "table", cost::TABLE;
    "LogSoftmax" 11 (1, 1) normalise::log_softmax, "largest, exponentials and one logarithm from tables, sums", cost::TABLE;
    "MatMul" 11 (2, 2) dense::mat_mul, "1×1 convolution if one side is constant, else matrix product", cost::WEIGHTS;
    "Max" 11 (1, MANY) arithmetic::max, "largest of windows", cost::MAX;
    "MaxPool" 11 (1, 1) pool::max_pool, "largest of windows; positions by ranking, if they are used", cost::MAX;
    "Mean" 11 (1, MANY) arithmetic::mean, "sums with constant weights", cost::SUM;
    "Min" 11 (1, MANY) arithmetic::min, "largest of windows of the negated inputs", cost::MAX;
    "Mish" 18 (1, 1) activation::mish, "table", cost::TABLE;
    "Mul" 11 (2, 2) arithmetic::mul, "product; by a constant a sum", cost::PRODUCT;
    "Neg" 11 (1, 1) arithmetic::neg, "sums", cost::SUM;
    "Not" 11 (1, 1) compare::not, "sums", cost::SUM;
    "OneHot" 11 (3, 3) gather::one_hot, "one test for zero per class", cost::COMPARE;
    "Or" 11 (2, 2) compare::or, "product and sums", cost::PRODUCT;
    "PRelu" 11 (2, 2) activation::p_relu, "Relu and sums", cost::TABLE;
    "Pad" 11 (2, 4) moves::pad, "moves and constants: constant, edge, reflect, wrap", cost::MOVE;
    "Pow" 11 (2, 2) arithmetic::pow, "one constant exponent: products for 2 and 3, else a table", cost::TABLE;
    "Range" 11 (3, 3) reshape::range, "a constant", cost::NONE;
    "Reciprocal" 11 (1, 1) activation::reciprocal, "table", cost::TABLE;
    "ReduceL1" 11 (1, 2) reduce::l1, "table and sums", cost::TABLE;
    "ReduceL2" 11 (1, 2) reduce::l2, "products, sums and a root from a table", cost::PRODUCT;
    "ReduceMax" 11 (1, 2) reduce::max, "largest of windows", cost::MAX;
    "ReduceMean" 11 (1, 2) reduce::mean, "sums with constant weights", cost::SUM;
    "ReduceMin" 11 (1, 2) reduce::min, "largest of windows of the negated input", cost::MAX;
    "ReduceSum" 11 (1, 2) reduce::sum, "sums", cost::SUM;
    "ReduceSumSquare" 11 (1, 2) reduce::sum_square, "products and sums", cost::PRODUCT;
    "Relu" 11 (1, 1) activation::relu, "part of the rescaling before it, or table", cost::TABLE;
    "Reshape" 11 (2, 2) reshape::reshape, "nothing", cost::NONE;
    "Round" 11 (1, 1) activation::round, "table", cost::TABLE;
    "Selu" 11 (1, 1) activation::selu, "table", cost::TABLE;
    "Shape" 11 (1, 1) reshape::shape, "a constant", cost::NONE;
    "Sigmoid" 11 (1, 1) activation::sigmoid, "table", cost::TABLE;
    "Sign" 11 (1, 1) activation::sign, "two sign tests and a sum", cost::COMPARE;
    "Size" 11 (1, 1) reshape::size_of, "a constant", cost::NONE;
    "Slice" 11 (3, 5) moves::slice, "moves", cost::MOVE;
    "Softmax" 11 (1, 1) normalise::softmax, "largest, exponential and reciprocal from tables, sums, product; logits under a constant mask are left out", cost::TABLE;
    "Softplus" 11 (1, 1) activation::softplus, "table", cost::TABLE;
    "Softsign" 11 (1, 1) activation::softsign, "table", cost::TABLE;
    "SpaceToDepth" 11 (1, 1) moves::space_to_depth, "moves", cost::MOVE;
    "Split" 11 (1, 2) moves::split, "moves", cost::MOVE;
    "Sqrt" 11 (1, 1) activation::sqrt, "table", cost::TABLE;
    "Squeeze" 11 (1, 2) reshape::squeeze, "nothing", cost::NONE;
    "Sub" 11 (2, 2) arithmetic::sub, "sums", cost::SUM;
    "Sum" 11 (1, MANY) arithmetic::sum, "sums", cost::SUM;
    "Tanh" 11 (1, 1) activation::tanh, "table", cost::TABLE;
    "ThresholdedRelu" 11 (1, 1) activation::thresholded_relu, "table", cost::TABLE;
    "Tile" 11 (2, 2) moves::tile, "moves", cost::MOVE;
    "TopK" 11 (2, 2) rank::top_k, "positions and values of the k largest; of equals the first", cost::RANK;
    "Transpose" 11 (1, 1) moves::transpose, "moves", cost::MOVE;
    "Unsqueeze" 11 (1, 2) reshape::unsqueeze, "nothing", cost::NONE;
    "Where" 11 (3, 3) compare::where_, "moves under a constant condition, else product and sums", cost::PRODUCT;
    "Xor" 11 (2, 2) compare::xor, "product and sums", cost::PRODUCT;
];

/// Operators that are refused with advice of their own.
pub static REFUSED: &[(&str, &str)] = &[
    ("ConvTranspose", "use Conv after DepthToSpace, or a model without upsampling by weights"),
    ("If", "control flow can't be proven; export the branch that is taken"),
    ("Loop", "control flow can't be proven; unroll it when exporting"),
    ("Scan", "control flow can't be proven; unroll it when exporting"),
    ("LSTM", "unroll it into MatMul, Sigmoid and Tanh when exporting"),
    ("GRU", "unroll it into MatMul, Sigmoid and Tanh when exporting"),
    ("RNN", "unroll it into MatMul and Tanh when exporting"),
    ("QuantizeLinear", "export the float model; it is quantised here"),
    ("DequantizeLinear", "export the float model; it is quantised here"),
];

/// The operator of this name.
pub(super) fn find(name: &str) -> Option<&'static Operator> {
    let at = OPERATORS.binary_search_by(|o| o.name.cmp(name)).ok()?;
    OPERATORS.get(at)
}

/// What to do about an operator that isn't in the list.
pub(super) fn advice(name: &str) -> String {
    match REFUSED.iter().find(|(n, _)| *n == name) {
        Some((_, advice)) => (*advice).into(),
        None => format!("use only {}", OPERATORS.iter().map(|o| o.name).collect::<Vec<_>>().join(", ")),
    }
}
