"""The network of all text models: bytes, embedding, 1-D convolutions, the largest over positions, dense layers.

Texts are arrays [n, 248] of bytes, zeros after the text. Written as ONNX the network has two outputs besides each other: the
class, and the margin by which its logit leads.
"""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

LENGTH = 248
"""Bytes of a text: eight limbs of 31."""

VALUES = 256
"""Values of a byte; only printable ASCII and the padding 0 are trained."""


EPSILON = 1e-3
"""Added to variances."""


@dataclasses.dataclass(frozen=True)
class Shape:
    """Sizes of a network."""

    classes: int
    embedding: int
    """Numbers that a byte becomes: each is a table of 256 rows in the circuit, and a number to prove for each byte."""
    stages: tuple
    """(channels, taps, stride) of each convolution."""
    pooled: tuple
    """Of which stages the largest over positions are read by the dense layers."""
    hidden: int
    hints: tuple = ()
    """Numbers of values of what the network is also trained to say, from the hidden layer; no part of what is exported."""

    def lengths(self):
        """Positions before each stage, and after the last."""
        lengths = [LENGTH]
        for _, _, stride in self.stages:
            lengths.append(-(-lengths[-1] // stride))
        return lengths


def pads(length, taps, stride):
    """Zeros before and after `length` positions, so that as many are left as there are strides, rounded up."""
    total = max((-(-length // stride) - 1) * stride + taps - length, 0)
    return total // 2, total - total // 2


def start(shape, seed):
    """Random weights, by He: a dictionary of arrays."""
    rng = np.random.default_rng(seed)
    he = lambda size, out: (rng.standard_normal((size, out)) * np.sqrt(2 / size)).astype(np.float32)
    zeros = lambda n: np.zeros(n, np.float32)
    weights, channels = {"table": alphabet(rng, shape.embedding)}, shape.embedding
    for i, (out, taps, _) in enumerate(shape.stages):
        weights |= {f"conv{i}.w": he(taps * channels, out), f"conv{i}.b": zeros(out), f"conv{i}.gain": zeros(out) + 1}
        channels = out
    channels = sum(shape.stages[i][0] for i in shape.pooled)
    weights |= {"hidden.w": he(channels, shape.hidden), "hidden.b": zeros(shape.hidden)}
    outputs = shape.classes + sum(shape.hints)
    return weights | {"logits.w": he(shape.hidden, outputs), "logits.b": zeros(outputs)}


def alphabet(rng, channels):
    """The embedding to begin with: what kind of character a byte is, a digit's value, and random numbers."""
    table = (rng.standard_normal((VALUES, channels)) * 0.5).astype(np.float32)
    kinds = [str.isdigit, lambda c: c.isdigit() and int(c) / 4.5 - 1, str.isupper, str.islower, lambda c: not c.isalnum()]
    for channel, kind in enumerate(kinds[:channels]):
        table[:, channel] = [float(kind(chr(c))) if c < VALUES // 2 else 0 for c in range(VALUES)]
    table[0] = 0
    return table


def dropped(x, rate, key, axes):
    """`x` with a share `rate` of its numbers along `axes` set to 0, the others larger for it."""
    if key is None or rate == 0:
        return x
    keep = jax.random.bernoulli(key, 1 - rate, [d if i in axes else 1 for i, d in enumerate(x.shape)])
    return x * keep / (1 - rate)


def logits(weights, shape, texts, dropout=0.0, key=None, moments=None):
    """Logits [n, classes and hints] of texts [n, length]; with a key, some channels of the pooled numbers dropped.

    The length is 248, or a multiple of all strides less where texts end well before it: bytes of 0 are the numbers 0, with which
    the first convolution pads too. With a dictionary of `moments` convolutions are normalised over the batch (each channel's mean and
    variance are left there), and have a gain; without, see [`folded`].
    """
    keys = [None, None] if key is None else jax.random.split(key)
    # A product with one-hot rows: its gradient is much faster on a CPU than that of a look-up.
    x = jax.nn.one_hot(texts - 1, VALUES // 2, dtype=jnp.float32) @ weights["table"][1 : VALUES // 2 + 1]
    pooled = []
    for i, (_, taps, stride) in enumerate(shape.stages):
        x = jnp.pad(x, ((0, 0), pads(x.shape[1], taps, stride), (0, 0)))
        last = x.shape[1] - taps + 1
        columns = jnp.concatenate([x[:, t : t + last : stride] for t in range(taps)], 2)
        x = columns @ weights[f"conv{i}.w"]
        if moments is not None:
            moments[f"conv{i}"] = mean, variance = x.mean((0, 1)), x.var((0, 1))
            x = (x - mean) / jnp.sqrt(variance + EPSILON) * weights[f"conv{i}.gain"]
        x = jax.nn.relu(x + weights[f"conv{i}.b"])
        if i in shape.pooled:
            pooled.append(x.max(1))
    x = dropped(jnp.concatenate(pooled, 1), dropout, keys[0], (0, 1))
    x = dropped(jax.nn.relu(x @ weights["hidden.w"] + weights["hidden.b"]), dropout, keys[1], (0, 1))
    return x @ weights["logits.w"] + weights["logits.b"]


def folded(weights, moments):
    """The weights of the network without normalisation that computes the same with these means and variances."""
    plain = {name: np.asarray(w) for name, w in weights.items() if not name.endswith(".gain")}
    for name, (mean, variance) in moments.items():
        factor = np.asarray(weights[f"{name}.gain"]) / np.sqrt(np.asarray(variance) + EPSILON)
        plain[f"{name}.w"] = plain[f"{name}.w"] * factor
        plain[f"{name}.b"] = plain[f"{name}.b"] - np.asarray(mean) * factor
    return plain


def imported(path):
    """The weights of a file that [`export`] wrote, in the names and orders of [`start`]; without those of hints."""
    arrays = {tensor.name: numpy_helper.to_array(tensor) for tensor in onnx.load(path).graph.initializer}
    weights = {}
    for name, array in arrays.items():
        if name.startswith("conv") and name.endswith(".w"):
            weights[name] = array.transpose(2, 1, 0).reshape(-1, len(array))
        elif name.endswith(".w"):
            weights[name] = array.T
        elif name.endswith(".b") or name == "table":
            weights[name] = array
    # Exported as whole numbers, the first convolution smaller for it.
    weights["table"], weights["conv0.w"] = weights["table"] / 127, weights["conv0.w"] * 127
    return weights


def unfolded(fresh, begun, shape, texts):
    """Weights to train on: those that were begun, with the normalisation that changes nothing on these texts; hints fresh."""
    weights = {k: jnp.asarray(begun.get(k, w)) for k, w in fresh.items()}
    for name in ("logits.w", "logits.b"):
        weights[name] = jnp.concatenate([jnp.asarray(begun[name]), fresh[name][..., shape.classes :] * 0.3], -1)
    for i in range(len(shape.stages)):
        # Normalised numbers of this stage, with a gain and without a shift of its own, are what they were before it was normalised.
        found = {}
        logits(weights, shape, texts, moments=found)
        mean, variance = found[f"conv{i}"]
        size = jnp.sqrt((weights[f"conv{i}.w"] ** 2).sum(0) / 2) + 1e-6
        weights[f"conv{i}.gain"] = jnp.sqrt(variance + EPSILON)
        weights[f"conv{i}.b"] = weights[f"conv{i}.b"] + mean
        weights[f"conv{i}.w"] = weights[f"conv{i}.w"] / size
    return weights


def whole(table):
    """The embedding as whole numbers from -128 to 127, and what a step of them is worth.

    Whole numbers take no rounding in the circuit. Bytes that are not trained, 128 to 255, are -128 in every channel: so all
    channels have the same range, and stand side by side without a row of their own.
    """
    step = np.abs(table[: VALUES // 2]).max() / 127
    numbers = np.round(table / step)
    numbers[VALUES // 2 :] = -128
    return numbers, step


def export(weights, shape, path, name):
    """Writes ONNX with input `text` [1, 248], bytes as integers, and outputs `class` [1] and `margin` [1, 1]."""
    table, step = whole(np.where(np.arange(VALUES)[:, None] == 0, 0, weights["table"]))
    arrays = {"table": table, "two": np.array([2], np.int64)}
    nodes = []

    def node(operator, inputs, outputs, **settings):
        outputs = outputs.split()
        nodes.append(helper.make_node(operator, inputs.split(), outputs, name=outputs[0], **settings))

    node("Cast", "text", "index", to=TensorProto.INT64)
    node("Gather", "table index", "embedded", axis=0)
    node("Transpose", "embedded", "channels", perm=[0, 2, 1])
    x = "channels"
    for i, ((out, taps, stride), length) in enumerate(zip(shape.stages, shape.lengths())):
        y = f"conv{i}"
        arrays[f"{y}.w"] = weights[f"{y}.w"].reshape(taps, -1, out).transpose(2, 1, 0) * (step if i == 0 else 1)
        arrays[f"{y}.b"] = weights[f"{y}.b"]
        settings = dict(kernel_shape=[taps], strides=[stride], pads=list(pads(length, taps, stride)))
        node("Conv", f"{x} {y}.w {y}.b", y, **settings)
        node("Relu", y, f"{y}.relu")
        x = f"{y}.relu"
        if i in shape.pooled:
            node("ReduceMax", x, f"{y}.largest", axes=[2], keepdims=0)
    x = "largest"
    node("Concat", " ".join(f"conv{i}.largest" for i in shape.pooled), x, axis=1)
    for y in ("hidden", "logits"):
        size = shape.classes if y == "logits" else shape.hidden
        arrays |= {f"{y}.w": weights[f"{y}.w"].T[:size], f"{y}.b": weights[f"{y}.b"][:size]}
        node("Gemm", f"{x} {y}.w {y}.b", y, transB=1)
        if y == "hidden":
            node("Relu", y, "hidden.relu")
            x = "hidden.relu"
    node("ArgMax", "logits", "class", axis=1, keepdims=0)
    node("TopK", "logits two", "best places", axis=1)
    arrays["lead"] = np.array([[1.0], [-1.0]], np.float32)
    node("MatMul", "best lead", "margin")
    initializers = [
        numpy_helper.from_array(np.ascontiguousarray(a, a.dtype if a.dtype == np.int64 else np.float32), n)
        for n, a in arrays.items()
    ]
    value = helper.make_tensor_value_info
    outputs = [value("class", TensorProto.INT64, [1]), value("margin", TensorProto.FLOAT, [1, 1])]
    graph = helper.make_graph(nodes, name, [value("text", TensorProto.UINT8, [1, LENGTH])], outputs, initializers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(model.SerializeToString(deterministic=True))
