"""Prepares the data of a model contest on fraudulent accounts, trains a model for it on a CPU, and writes it as ONNX.

usage: train.py [--accounts FILE] [--seed N] [--epochs N] [--onnx FILE]

With --accounts (eth_accounts_native_train.csv) it writes `rows.csv` and `calibration.csv` anew; without, it trains on the rows
that are there. A contestant runs it with a seed of its own, or writes any other network of the same architecture: what is
proven is one network that answers for 64 accounts at once.
"""

import argparse
import csv
import os
import pathlib

# One thread: the order of additions, and so the result, does not depend on the number of cores.
for name in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ[name] = "1"

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

BATCH, FEATURES, HIDDEN = 64, 17, 16
TRAINING, HELD_OUT, CALIBRATION = 2048, 512, 16


def prepare(accounts, folder):
    """Writes rows of bytes: the signed logarithm of each feature, from its 0.5th to its 99.5th percentile as 0 to 255."""
    with open(accounts, newline="") as file:
        table = [row for row in csv.reader(file)][1:]
    # Addresses are sorted; their hashes are as good as random.
    rng = np.random.default_rng(1)
    table = [table[i] for i in rng.permutation(len(table))[: TRAINING + HELD_OUT]]
    values = np.array([[float(v) for v in row[2:]] for row in table])
    values = np.sign(values) * np.log1p(np.abs(values))
    low, high = np.percentile(values[:TRAINING], [0.5, 99.5], axis=0)
    values = np.clip(np.round((values - low) / np.maximum(high - low, 1e-9) * 255), 0, 255).astype(int)
    names = [f"f{i}" for i in range(FEATURES)]
    lines = [",".join(["held_out", *names, "fraud"])]
    lines += [",".join(map(str, [int(i >= TRAINING), *v, int(row[1])])) for i, (v, row) in enumerate(zip(values.tolist(), table))]
    (folder / "rows.csv").write_text("\n".join(lines) + "\n")
    batches = values[: CALIBRATION * BATCH].reshape(CALIBRATION, -1).tolist()
    lines = [",".join(f"a{a}f{f}" for a in range(BATCH) for f in range(FEATURES))]
    (folder / "calibration.csv").write_text("\n".join(lines + [",".join(map(str, b)) for b in batches]) + "\n")


def rows(folder):
    table = np.loadtxt(folder / "rows.csv", delimiter=",", skiprows=1, dtype=int)
    held = table[:, 0] == 1
    parts = [(table[part][:, 1:-1].astype(np.float32), table[part][:, -1]) for part in (~held, held)]
    return parts


def answers(weights, x):
    w0, b0, w1, b1 = weights
    scores = np.maximum(x / 255 @ w0 + b0, 0) @ w1 + b1
    return scores[:, 1] > scores[:, 0]


def train(x, y, seed, epochs, batch=64):
    rng = np.random.default_rng(seed)
    shapes = [(FEATURES, HIDDEN), (HIDDEN,), (HIDDEN, 2), (2,)]
    weights = [(rng.normal(0, np.sqrt(2 / s[0]), s) if len(s) == 2 else np.zeros(s)).astype(np.float32) for s in shapes]
    mean, square = ([np.zeros_like(w) for w in weights] for _ in range(2))
    x, steps, step = x / 255, epochs * (len(x) // batch), 0
    for _ in range(epochs):
        order = rng.permutation(len(x))
        for at in range(0, len(x) - batch + 1, batch):
            some = order[at : at + batch]
            w0, b0, w1, b1 = weights
            hidden = np.maximum(x[some] @ w0 + b0, 0)
            scores = hidden @ w1 + b1
            grad = np.exp(scores - scores.max(1, keepdims=True))
            grad /= grad.sum(1, keepdims=True)
            grad[np.arange(batch), y[some]] -= 1
            grad /= batch
            back = (grad @ w1.T) * (hidden > 0)
            step += 1
            rate = 3e-3 * 0.5 * (1 + np.cos(np.pi * step / steps))
            for i, g in enumerate([x[some].T @ back, back.sum(0), hidden.T @ grad, grad.sum(0)]):
                g = g + 3e-4 * weights[i]
                mean[i] += 0.1 * (g - mean[i])
                square[i] += 0.001 * (g * g - square[i])
                fair = mean[i] / (1 - 0.9**step) / (np.sqrt(square[i] / (1 - 0.999**step)) + 1e-8)
                weights[i] = (weights[i] - rate * fair).astype(np.float32)
    return weights


def export(weights, path):
    """Input `accounts` [64, 17] of bytes, output `fraud` [64]: 1 where the second score is larger than the first."""
    w0, b0, w1, b1 = weights
    array = lambda name, values: numpy_helper.from_array(np.ascontiguousarray(values), name)
    arrays = [array("w0", w0 / np.float32(255)), array("b0", b0), array("w1", w1), array("b1", b1)]
    arrays += [numpy_helper.from_array(np.array(i, np.int64), f"column{i}") for i in range(2)]
    node = helper.make_node
    nodes = [
        node("Cast", ["accounts"], ["real"], name="real", to=TensorProto.FLOAT),
        node("Gemm", ["real", "w0", "b0"], ["sums"], name="first"),
        node("Relu", ["sums"], ["hidden"], name="relu"),
        node("Gemm", ["hidden", "w1", "b1"], ["scores"], name="second"),
        node("Gather", ["scores", "column0"], ["honest"], name="honest", axis=1),
        node("Gather", ["scores", "column1"], ["guilty"], name="guilty", axis=1),
        node("Greater", ["guilty", "honest"], ["larger"], name="larger"),
        node("Cast", ["larger"], ["fraud"], name="answers", to=TensorProto.FLOAT),
    ]
    value = helper.make_tensor_value_info
    inputs = [value("accounts", TensorProto.UINT8, [BATCH, FEATURES])]
    graph = helper.make_graph(nodes, "contest", inputs, [value("fraud", TensorProto.FLOAT, [BATCH])], arrays)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(model.SerializeToString(deterministic=True))


def main():
    here = pathlib.Path(__file__).parent
    parser = argparse.ArgumentParser()
    parser.add_argument("--accounts", type=pathlib.Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--onnx", type=pathlib.Path, default=pathlib.Path(".zugzwang/contest/contest.onnx"))
    args = parser.parse_args()
    if args.accounts:
        prepare(args.accounts, here)
    (x, y), (held_x, held_y) = rows(here)
    weights = train(x, y, args.seed, args.epochs)
    right = lambda x, y: float((answers(weights, x) == y).mean())
    print(f"right on {len(x)} training rows: {right(x, y):.4f}")
    print(f"right on {len(held_x)} rows held out: {right(held_x, held_y):.4f} (all honest: {1 - held_y.mean():.4f})")
    export(weights, args.onnx)
    print(f"wrote {args.onnx}")


main()
