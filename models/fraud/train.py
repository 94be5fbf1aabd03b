"""Trains the fraud guard's network on a CPU, and writes it as ONNX with the data to calibrate and to test it.

usage: train.py --data eth_accounts_native_train.csv [--epochs N] [--seed N] [--onnx FILE] [--out FOLDER]

The network reads digits of whole numbers and takes logarithms itself: of each two neighbouring digits a table gives the
logarithm, and the largest over a number's pairs is the number's, a sixteenth too small at most.
"""

import argparse
import hashlib
import os
import pathlib
import time

# One thread: the order of additions, and so the result, does not depend on the number of cores.
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
os.environ["JAX_PLATFORMS"] = "cpu"

import jax
import jax.numpy as jnp
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

import accounts

HIDDEN = (64, 32)
BATCH = 256
# At most so many steps a feature, at least so far apart. A step rises from 0 to 1 over WIDTH; its table has about 255 rows
# for each WIDTH of the features' range, so that narrower steps make larger circuits.
KNOTS, GAP, WIDTH = 12, 0.15, 4
# The logarithm of x > 0 is 1 + ln x, of 0 it is 0.
OFFSET = 1.0
NUMBERS = [name for limb in accounts.LAYOUT for name, _ in limb if name != "negative"]
HELD_OUT, CALIBRATION, SHOWN = 51, 1000, 20  # addresses of sides below 51 of 256 are held out


def pairs(name):
    """The digits that begin a pair of the number's neighbouring digits."""
    at, digits = accounts.places()[name]
    return list(range(at, at + digits - 1))


def logarithms(digits):
    """[n, 15]: as the network takes them, in floats."""
    columns = []
    for name in NUMBERS:
        low = np.array(pairs(name))
        pair = digits[:, low].astype(np.int64) + 16 * digits[:, low + 1].astype(np.int64)
        place = OFFSET + np.arange(len(low)) * np.log(16)
        columns.append(np.where(pair > 0, np.log(np.maximum(pair, 1)) + place, 0).max(1))
    return np.stack(columns, 1)


def mixing():
    """[16, 19]: from the logarithms, and the balance's times `negative`, to the features: the 15, the balance with its
    sign, and the means' logarithms, which are differences."""
    m = np.zeros((len(NUMBERS) + 1, len(NUMBERS) + 4), np.float32)
    for i in range(len(NUMBERS)):
        m[i, i] = 1
    m[len(NUMBERS), NUMBERS.index("balance")] = -2
    means = [("received_time", "received"), ("sent_time", "sent"), ("received_total", "received"), ("sent_total", "sent")]
    for j, (over, under) in enumerate(means):
        m[NUMBERS.index(over), len(NUMBERS) + j] = 1
        m[NUMBERS.index(under), len(NUMBERS) + j] = -1
    return m


def features(digits):
    logs = logarithms(digits)
    negative = digits[:, accounts.places()["negative"][0]]
    return np.concatenate([logs, logs[:, [NUMBERS.index("balance")]] * negative[:, None]], 1) @ mixing()


def steps(x):
    """Which feature each step belongs to, and where it begins: at the features' quantiles, not closer than GAP."""
    which, begin = [], []
    for c in range(x.shape[1]):
        knots = np.quantile(x[:, c], (np.arange(KNOTS) + 0.5) / KNOTS) - WIDTH / 2
        last = -np.inf
        for knot in knots:
            if knot - last > GAP:
                which.append(c)
                begin.append(knot)
                last = knot
    return np.array(which), np.array(begin, np.float32)


def init(key, sizes):
    layers = []
    for k, (i, o) in zip(jax.random.split(key, len(sizes) - 1), zip(sizes, sizes[1:])):
        layers.append((jax.random.normal(k, (i, o)) * np.sqrt(2 / i), jnp.zeros(o)))
    return layers


def forward(layers, x, key=None, drop=0.2):
    """Scores [n] of standardised steps [n, k]; with a key hidden numbers are dropped by chance."""
    for i, (w, b) in enumerate(layers):
        x = x @ w + b
        if i + 1 < len(layers):
            x = jax.nn.relu(x)
            if key is not None:
                key, sub = jax.random.split(key)
                x = x * jax.random.bernoulli(sub, 1 - drop, x.shape) / (1 - drop)
    return x[:, 0]


def train(x, labels, epochs, seed):
    """AdamW with a rate that falls along a cosine; the layers' weights and biases."""
    x, t = jnp.array(x), jnp.array(labels.astype(np.float32))
    total = epochs * (len(x) // BATCH)

    def loss(layers, rows, key):
        z = forward(layers, x[rows], key)
        return jnp.mean(jnp.maximum(z, 0) - z * t[rows] + jnp.log1p(jnp.exp(-jnp.abs(z))))

    def step(state, i):
        layers, mean, square, key = state
        key, pick, drop = jax.random.split(key, 3)
        grads = jax.grad(loss)(layers, jax.random.randint(pick, (BATCH,), 0, len(x)), drop)
        rate = 2e-3 * 0.5 * (1 + jnp.cos(jnp.pi * i / total))
        mean = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, mean, grads)
        square = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, square, grads)

        def moved(p, m, v):
            fair = (m / (1 - 0.9 ** (i + 1.0))) / (jnp.sqrt(v / (1 - 0.999 ** (i + 1.0))) + 1e-8)
            return p * (1 - rate * 0.05) - rate * fair

        return (jax.tree.map(moved, layers, mean, square), mean, square, key), None

    key = jax.random.key(seed)
    layers = init(key, (x.shape[1], *HIDDEN, 1))
    zeros = jax.tree.map(jnp.zeros_like, layers)
    run = jax.jit(lambda s: jax.lax.scan(step, s, jnp.arange(total))[0][0])
    return [(np.array(w), np.array(b)) for w, b in run((layers, zeros, zeros, key))]


def area(scores, labels):
    """Area under the ROC curve; equal scores count half."""
    _, rank, count = np.unique(scores, return_inverse=True, return_counts=True)
    middle = (np.cumsum(count) - (count - 1) / 2)[rank]
    n1 = int(labels.sum())
    return (middle[labels == 1].sum() - n1 * (n1 + 1) / 2) / (n1 * (len(labels) - n1))


def threshold(scores, labels, share):
    """The smallest threshold from which at most this share of the honest score."""
    honest = np.sort(scores[labels == 0])[::-1]
    return np.nextafter(honest[int(share * len(honest))], np.inf)


def figures(name, scores, labels, cut):
    said = scores >= cut
    right = (said & (labels == 1)).sum()
    f1 = 2 * right / (said.sum() + labels.sum())
    recall = (scores[labels == 1] >= threshold(scores, labels, 0.01)).mean()
    print(f"{name}: {len(labels)} accounts, AUC {area(scores, labels):.4f}, F1 {f1:.3f}, recall at 1 % {recall:.3f}")


def export(layers, which, begin, path):
    """Writes the network with input `digits` [1, 126] and output `score` [1, 1]."""
    nodes, weights = [], []

    def constant(name, value):
        weights.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def node(kind, inputs, output, **settings):
        nodes.append(helper.make_node(kind, inputs, [output], name=output, **settings))
        return output

    f = lambda value: np.array(value, np.float32)
    # Pairs of digits, numbers with equally many of them side by side.
    lengths = sorted({len(pairs(name)) for name in NUMBERS})
    order = [name for length in lengths for name in NUMBERS if len(pairs(name)) == length]
    low = np.array([i for name in order for i in pairs(name)], np.int64)
    node("Gather", ["digits", constant("low.at", low)], "low", axis=1)
    node("Gather", ["digits", constant("high.at", low + 1)], "high", axis=1)
    node("Mul", ["high", constant("sixteen", f(16))], "high16")
    node("Add", ["low", "high16"], "pair")
    node("Clip", ["pair", constant("zero", f(0)), constant("one", f(1))], "any")
    node("Clip", ["pair", "one", constant("most", f(255))], "some")
    node("Log", ["some"], "log")
    place = [OFFSET + i * np.log(16) for name in order for i in range(len(pairs(name)))]
    node("Mul", ["any", constant("place.by", f([place]))], "place")
    node("Add", ["log", "place"], "logs")
    parts, at = [], 0
    for length in lengths:
        count = sum(len(pairs(name)) == length for name in order)
        ends = [constant(f"n{length}.{k}", np.array([v], np.int64)) for k, v in (("from", at), ("to", at + count * length))]
        node("Slice", ["logs", *ends, constant(f"n{length}.axis", np.array([1], np.int64))], f"n{length}.flat")
        shape = constant(f"n{length}.shape", np.array([count, length], np.int64))
        node("Reshape", [f"n{length}.flat", shape], f"n{length}.rows")
        node("ReduceMax", [f"n{length}.rows"], f"n{length}.max", axes=[1], keepdims=0)
        node("Reshape", [f"n{length}.max", constant(f"n{length}.out", np.array([1, count], np.int64))], f"n{length}")
        parts.append(f"n{length}")
        at += count * length
    balance = order.index("balance")
    node("Concat", parts, "numbers", axis=1)
    node("Gather", ["numbers", constant("balance.at", np.array([balance], np.int64))], "balance", axis=1)
    at = accounts.places()["negative"][0]
    node("Gather", ["digits", constant("negative.at", np.array([at], np.int64))], "negative", axis=1)
    node("Mul", ["balance", "negative"], "debt")
    node("Concat", ["numbers", "debt"], "all", axis=1)
    # Steps of the features, then dense layers.
    rows = [NUMBERS.index(name) for name in order] + [len(NUMBERS)]
    node("Gemm", ["all", constant("step.w", mixing()[rows][:, which] / f(WIDTH)), constant("step.b", -begin / f(WIDTH))], "linear")
    x = node("Clip", ["linear", "zero", "one"], "steps")
    for i, (w, b) in enumerate(layers):
        last = i + 1 == len(layers)
        y = "score" if last else f"dense{i}"
        node("Gemm", [x, constant(f"dense{i}.w", f(w)), constant(f"dense{i}.b", f(b))], y)
        x = y if last else node("Relu", [y], f"relu{i}")
    value = lambda name, shape: helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
    ends = [value("digits", [1, accounts.DIGITS])], [value("score", [1, 1])]
    graph = helper.make_graph(nodes, "fraud", *ends, weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(model.SerializeToString(deterministic=True))


def write_data(folder, path, digits, labels, addresses, held, rest):
    """Training accounts to calibrate, all held-out ones to test, and some of them with their columns for a demo."""
    lines = [",".join([f"d{i}" for i in range(accounts.DIGITS)] + ["label"])]
    lines += [",".join(map(str, [*digits[i].tolist(), int(labels[i])])) for i in rest[:CALIBRATION]]
    (folder / "calibration.csv").write_text("\n".join(lines) + "\n")
    records = b"".join(
        bytes([labels[i]]) + b"".join(limb.to_bytes(32, "big") for limb in accounts.limbs_of(digits[i])) for i in held
    )
    (folder / "evaluation.bin").write_bytes(records)
    raw = path.read_text().splitlines()
    shown = [i for flag in (1, 0) for i in [j for j in held if labels[j] == flag and ordinary(digits[j])][:SHOWN]]
    text = [f"{raw[0]},limb0,limb1"]
    text += [",".join([raw[i + 1], *map(hex, accounts.limbs_of(digits[i]))]) for i in sorted(shown, key=lambda i: -labels[i])]
    (folder / "accounts.csv").write_text("\n".join(text) + "\n")


def ordinary(digits):
    """Whether a demo can replay the account on a guard: times as a contract counts them, no contracts created, and some calls
    each way, but not many."""
    number = lambda name: sum(int(digits[accounts.places()[name][0] + i]) << (4 * i) for i in range(accounts.places()[name][1]))
    counted_alike = number("received_time") == accounts.MAX_TIME and number("created") == 0
    return counted_alike and 1 <= number("received") <= 20 and 1 <= number("sent") <= 20


def main():
    here = pathlib.Path(__file__).parent
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--epochs", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--onnx", type=pathlib.Path, default=pathlib.Path(".zugzwang/fraud/fraud.onnx"))
    parser.add_argument("--out", type=pathlib.Path, default=here)
    args = parser.parse_args()
    begin_time = time.time()
    addresses, labels, columns = accounts.read(args.data)
    digits = accounts.digits_of(accounts.whole(addresses, columns))
    side = accounts.side(addresses)
    order = np.array(sorted(range(len(addresses)), key=lambda i: hashlib.sha256(addresses[i].encode()).digest()))
    held, rest = order[side[order] < HELD_OUT], order[side[order] >= HELD_OUT]
    x = features(digits)
    which, begin = steps(x[rest])
    step = np.clip((x[:, which] - begin) / WIDTH, 0, 1).astype(np.float32)
    mean, spread = step[rest].mean(0), step[rest].std(0) + 0.05
    print(f"{len(rest)} accounts to train on, {len(held)} held out, {len(which)} steps", flush=True)
    layers = train((step[rest] - mean) / spread, labels[rest], args.epochs, args.seed)
    # The first layer takes the steps as they are.
    w, b = layers[0]
    layers[0] = (w / spread[:, None], b - (mean / spread) @ w)
    scores = np.array(forward([(jnp.array(w), jnp.array(b)) for w, b in layers], jnp.array(step)))
    cuts = np.quantile(scores[rest], np.linspace(0.5, 0.9, 81))
    f1 = lambda c: 2 * ((scores[rest] >= c) & (labels[rest] == 1)).sum() / ((scores[rest] >= c).sum() + labels[rest].sum())
    cut = max(cuts, key=f1)
    figures("training", scores[rest], labels[rest], cut)
    figures("held out", scores[held], labels[held], cut)
    # The source of the data that counts as a contract does: received times from 1970, sent ones in seconds.
    at = accounts.places()["received_time"][0]
    like = held[(digits[held, at : at + 8] == [15] * 7 + [3]).all(1)]
    figures("held out, times as a contract has them", scores[like], labels[like], cut)
    export(layers, which, begin, args.onnx)
    write_data(args.out, args.data, digits, labels, addresses, held, rest)
    print(f"wrote {args.onnx} and the data in {args.out} in {time.time() - begin_time:.0f} s")


main()
