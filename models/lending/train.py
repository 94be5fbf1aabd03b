"""Trains a lending pool's rate model on simulated pools, measures it in closed loop, and writes it as ONNX.

usage: train.py [--steps N] [--seed N] [--onnx FILE] [--calibration FILE]

The simulated pool: demand for credit drifts, jumps, and answers to the rate with a strength and a delay that nobody is told.
The model sees what a pool can know of itself: the utilisation and the rate of its last 32 periods, a byte each. It is taught the
rate at which the next period's expected utilisation would be the target.
"""

import argparse
import os
import pathlib

# One thread: the order of additions, and so the result, does not depend on the number of cores.
for name in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ[name] = "1"

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

PERIODS, TARGET = 32, 0.8
# A byte of rate is a quarter of a per cent a year; the contract moves it by at most so many a period.
STEP, MOST = 0.0025, 12
LAYERS = (2 * PERIODS, 32, 16, 1)


class Pools:
    """Many pools at once. `base` is the demand without interest (log odds), `strength` how much a rate of 100 % takes off it."""

    def __init__(self, rng, count):
        self.rng, self.count = rng, count
        self.strength = rng.uniform(6, 20, count)
        self.mean = rng.normal(3.0, 0.8, count)
        self.base = self.mean + rng.normal(0, 0.5, count)
        self.speed = rng.uniform(0.3, 0.9, count)
        self.used = rng.uniform(0.3, 1, count)

    def period(self, rate):
        """One period at `rate` (bytes): its mean utilisation, 0 to 1."""
        jump = self.rng.normal(0, 0.8, self.count) * (self.rng.random(self.count) < 0.03)
        self.base += 0.03 * (self.mean - self.base) + self.rng.normal(0, 0.08, self.count) + jump
        wanted = 1 / (1 + np.exp(self.strength * STEP * rate - self.base))
        self.used = np.clip(self.used + self.speed * (wanted - self.used) + self.rng.normal(0, 0.005, self.count), 0, 1)
        return self.used

    def best(self):
        """The rate in bytes at which demand settles at the target, were there no news."""
        base = self.base + 0.03 * (self.mean - self.base)
        return np.clip((base - np.log(TARGET / (1 - TARGET))) / (self.strength * STEP), 0, 255)


def rolled(history, used, rate):
    """The histories one period later: utilisations and rates, the oldest first."""
    return np.concatenate([history[:, 1:PERIODS], used[:, None], history[:, PERIODS + 1 :], rate[:, None]], 1)


def byte(used):
    return np.floor(used * 255 + 0.5)


def samples(rng, count, periods=96):
    """Histories [n, 64] and the rates to answer with [n], from pools whose rates wander about good and bad values."""
    pools, rate = Pools(rng, count), rng.uniform(0, 120, count).round()
    history, bias = np.zeros((count, 2 * PERIODS)), rng.normal(0, 12, count)
    found = []
    for at in range(periods):
        history = rolled(history, byte(pools.period(rate)), rate)
        if at >= PERIODS and at % 8 == 7:
            found.append((history, pools.best()))
        bias += -0.1 * bias + rng.normal(0, 4, count)
        wanted = pools.best() + bias
        rate = np.clip(rate + np.clip((wanted - rate) * rng.uniform(0, 0.6, count), -MOST, MOST), 0, 255).round()
    return np.concatenate([f[0] for f in found]).astype(np.float32), np.concatenate([f[1] for f in found])


def run(weights, x):
    x = (x / 255).astype(np.float32)
    for i, (w, b) in enumerate(weights):
        x = x @ w + b
        x = np.maximum(x, 0) if i + 1 < len(weights) else x
    return x[:, 0] * 255


def train(rng, steps, batch=256):
    weights = [[rng.normal(0, np.sqrt(2 / a), (a, b)).astype(np.float32), np.zeros(b, np.float32)] for a, b in zip(LAYERS, LAYERS[1:])]
    mean, square = ([[np.zeros_like(p) for p in layer] for layer in weights] for _ in range(2))
    x, y = samples(rng, 20000)
    x, y, loss = x / 255, (y / 255).astype(np.float32), 0.0
    for step in range(1, steps + 1):
        rows = rng.integers(0, len(x), batch)
        values = [x[rows]]
        for i, (w, b) in enumerate(weights):
            z = values[-1] @ w + b
            values.append(np.maximum(z, 0) if i + 1 < len(weights) else z)
        error = values[-1][:, 0] - y[rows]
        loss += float((error**2).mean())
        grad = (2 / batch * error)[:, None]
        grads = []
        for i in reversed(range(len(weights))):
            if i + 1 < len(weights):
                grad = grad * (values[i + 1] > 0)
            grads.append([values[i].T @ grad, grad.sum(0)])
            grad = grad @ weights[i][0].T
        rate = 2e-3 * 0.5 * (1 + np.cos(np.pi * step / steps))
        for layer, g in zip(range(len(weights)), reversed(grads)):
            for p in range(2):
                mean[layer][p] += 0.1 * (g[p] - mean[layer][p])
                square[layer][p] += 0.001 * (g[p] ** 2 - square[layer][p])
                fair = mean[layer][p] / (1 - 0.9**step) / (np.sqrt(square[layer][p] / (1 - 0.999**step)) + 1e-8)
                weights[layer][p] = (weights[layer][p] - rate * fair).astype(np.float32)
        if step % 5000 == 0:
            print(f"step {step}: root of mean squared error {255 * np.sqrt(loss / 5000):.2f} bytes of rate", flush=True)
            loss = 0.0
    return weights


def closed_loop(seed, choose, count=2000, warm=64, periods=128):
    """Mean distance from the target, share of periods above 95 %, and mean change of the rate, with the contract's limits."""
    pools, rate = Pools(np.random.default_rng(seed), count), np.full(count, 40.0)
    history, far, full, moved = np.zeros((count, 2 * PERIODS)), [], [], []
    for at in range(warm + periods):
        used = pools.period(rate)
        history = rolled(history, byte(used), rate)
        if at >= warm:
            far.append(np.abs(used - TARGET).mean())
            full.append((used > 0.95).mean())
        if at >= PERIODS:
            new = np.clip(np.clip(choose(history, rate), rate - MOST, rate + MOST), 0, 255).round()
            moved.append(np.abs(new - rate).mean())
            rate = new
    return np.mean(far), np.mean(full), np.mean(moved) * STEP * 1e4


def kinked(history, rate):
    """The usual curve of the last utilisation alone: 0 to 10 % a year up to the target, then up to 60 %."""
    used = history[:, PERIODS - 1] / 255
    return np.where(used < TARGET, 40 * used / TARGET, 40 + 200 * (used - TARGET) / (1 - TARGET))


def export(weights, path):
    """Input `history` [1, 64] of bytes, output `rate` [1, 1] in bytes of rate."""
    nodes, arrays, x = [helper.make_node("Cast", ["history"], ["real"], name="real", to=TensorProto.FLOAT)], [], "real"
    for i, (w, b) in enumerate(weights):
        last = i + 1 == len(weights)
        scale = (1 / 255 if i == 0 else 1) * (255 if last else 1)
        y = "rate" if last else f"sum{i}"
        arrays += [numpy_helper.from_array(np.ascontiguousarray(w * scale, np.float32), f"w{i}")]
        arrays += [numpy_helper.from_array((b * (255 if last else 1)).astype(np.float32), f"b{i}")]
        nodes.append(helper.make_node("Gemm", [x, f"w{i}", f"b{i}"], [y], name=f"dense{i}"))
        if not last:
            x = f"relu{i}"
            nodes.append(helper.make_node("Relu", [y], [x], name=x))
    value = helper.make_tensor_value_info
    inputs = [value("history", TensorProto.UINT8, [1, 2 * PERIODS])]
    graph = helper.make_graph(nodes, "lending", inputs, [value("rate", TensorProto.FLOAT, [1, 1])], arrays)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(model.SerializeToString(deterministic=True))


def main():
    here = pathlib.Path(__file__).parent
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int, default=20000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--onnx", type=pathlib.Path, default=pathlib.Path(".zugzwang/lending/lending.onnx"))
    parser.add_argument("--calibration", type=pathlib.Path, default=here / "calibration.csv")
    args = parser.parse_args()
    weights = train(np.random.default_rng(args.seed), args.steps)
    x, y = samples(np.random.default_rng(args.seed + 1), 2000)
    error = run(weights, x) - y
    print(f"new pools: root of mean squared error {np.sqrt((error**2).mean()):.2f} bytes of rate, spread of the rates {y.std():.2f}")
    for name, choose in [
        ("the model", lambda history, rate: run(weights, history)),
        ("kinked curve", kinked),
        ("rate left alone", lambda history, rate: rate),
    ]:
        far, full, moved = closed_loop(args.seed + 2, choose)
        print(f"{name}: {far:.4f} from the target, above 95 % in {full:.2%} of periods, {moved:.1f} basis points a period")
    export(weights, args.onnx)
    rows = x[:: len(x) // 256][:256].astype(int)
    lines = [",".join([f"u{i}" for i in range(PERIODS)] + [f"r{i}" for i in range(PERIODS)])]
    args.calibration.write_text("\n".join(lines + [",".join(map(str, row)) for row in rows.tolist()]) + "\n")
    print(f"wrote {args.onnx} and {args.calibration}")


main()
