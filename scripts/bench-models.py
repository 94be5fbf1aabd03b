#!/usr/bin/env python3
"""Writes the six networks of the benchmarks: three dense ones, LeNet-5 and two residual ones on a chess board.

usage: bench-models.py FOLDER

Weights are random, from a seed for each model; costs don't depend on them. Each NAME.onnx comes with a NAME.input.json, one
random input as `{"input_data": [[...]]}`. Wants the packages numpy 2.4.6 and onnx 1.23.2.
"""

import json
import pathlib
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def mlp(*widths):
    layers = [("dense", width) for width in widths[1:]]
    return [1, widths[0]], [step for layer in layers for step in (layer, ("relu",))][:-1]


def lenet():
    head = [("conv", 6, 5, 2), ("relu",), ("pool",), ("conv", 16, 5, 0), ("relu",), ("pool",), ("flatten",)]
    return [1, 1, 28, 28], head + [("dense", 120), ("relu",), ("dense", 84), ("relu",), ("dense", 10)]


def residual(channels, blocks, planes=18, board=8, head=(32, 73)):
    """A network over planes of a square board, such as chess; each block is two convolutions around a skip."""
    block = [("keep",), ("conv", channels, 3, 1), ("relu",), ("conv", channels, 3, 1), ("add",), ("relu",)]
    last = [step for width in head for step in (("conv", width, 1, 0), ("relu",))][:-1]
    return [1, planes, board, board], [("conv", channels, 3, 1), ("relu",)] + block * blocks + last + [("flatten",)]


MODELS = {
    "fraud_mlp": mlp(24, 64, 32, 2),
    "text_mlp": mlp(512, 128, 64, 4),
    "mnist_mlp": mlp(784, 128, 64, 10),
    "mnist_lenet": lenet(),
    "chess_s": residual(32, 3),
    "chess_m": residual(64, 6),
}


class Writer:
    """Turns a list of layers into an ONNX graph, and counts parameters and multiply-accumulates."""

    def __init__(self, shape, rng):
        self.rng, self.nodes, self.weights = rng, [], []
        self.shape, self.at, self.kept = list(shape), "input", None
        self.parameters = self.macs = 0
        # Numbers that are computed, the inputs among them.
        self.numbers = int(np.prod(shape))

    def node(self, operator, inputs, **settings):
        self.at = f"{operator.lower()}{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [self.at], name=self.at, **settings))

    def constant(self, shape, scale):
        name = f"weights{len(self.weights)}"
        values = (self.rng.standard_normal(shape) * scale).astype(np.float32)
        self.weights.append(numpy_helper.from_array(values, name))
        self.parameters += values.size
        return name

    def layer(self, kind, *settings):
        getattr(self, kind)(*settings)

    def dense(self, out):
        size = self.shape[1]
        weights, bias = self.constant((out, size), (2 / size) ** 0.5), self.constant((out,), 0.05)
        self.node("Gemm", [self.at, weights, bias], transB=1)
        self.shape, self.macs = [1, out], self.macs + out * size
        self.numbers += out

    def conv(self, out, kernel, pad):
        _, channels, height, width = self.shape
        size = channels * kernel * kernel
        # What is added to a skip is smaller, so that values don't grow from block to block.
        scale = (1 if self.kept else 2) / size
        weights, bias = self.constant((out, channels, kernel, kernel), scale**0.5), self.constant((out,), 0.05)
        self.node("Conv", [self.at, weights, bias], kernel_shape=[kernel] * 2, strides=[1, 1], pads=[pad] * 4)
        self.shape = [1, out, height + 2 * pad - kernel + 1, width + 2 * pad - kernel + 1]
        self.macs += size * int(np.prod(self.shape))
        self.numbers += int(np.prod(self.shape))

    def relu(self):
        self.node("Relu", [self.at])

    def pool(self):
        self.node("MaxPool", [self.at], kernel_shape=[2, 2], strides=[2, 2])
        self.shape = [1, self.shape[1], self.shape[2] // 2, self.shape[3] // 2]
        self.numbers += int(np.prod(self.shape))

    def flatten(self):
        self.node("Flatten", [self.at])
        self.shape = [1, int(np.prod(self.shape))]

    def keep(self):
        self.kept = self.at

    def add(self):
        self.node("Add", [self.at, self.kept])
        self.kept = None


def write(folder, name, shape, layers, seed):
    """Writes one model and a random input; what was counted."""
    rng = np.random.default_rng(seed)
    writer = Writer(shape, rng)
    for layer in layers:
        writer.layer(*layer)
    value = lambda name, shape: helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
    graph = helper.make_graph(writer.nodes, name, [value("input", shape)], [value(writer.at, writer.shape)], writer.weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    (folder / f"{name}.onnx").write_bytes(model.SerializeToString(deterministic=True))
    sample = np.round(rng.uniform(0, 1, shape), 6).reshape(-1).tolist()
    (folder / f"{name}.input.json").write_text(json.dumps({"input_data": [sample]}))
    return writer


def main():
    if len(sys.argv) != 2:
        raise SystemExit("usage: bench-models.py FOLDER")
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for seed, (name, (shape, layers)) in enumerate(MODELS.items(), 1):
        written = write(folder, name, shape, layers, seed)
        print(f"{name}: {written.parameters:,} parameters, {written.macs:,} multiply-accumulates")


if __name__ == "__main__":
    main()
