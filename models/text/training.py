"""Training: Adam on fresh texts each epoch, the rate falling to 0 along a cosine."""

import time

import jax
import jax.numpy as jnp
import numpy as np

import network
import texts

BATCH = 64


def accuracy(weights, shape, batch, labels):
    """Share of right answers, 0 to 1."""
    return float((scores(weights, shape, batch).argmax(1) == labels).mean())


def scores(weights, shape, batch):
    """Logits [n, classes] of many texts."""
    run = jax.jit(lambda w, x: network.logits(w, shape, x))
    found = np.concatenate([np.asarray(run(weights, batch[i : i + 1000])) for i in range(0, len(batch), 1000)])
    return found[:, : shape.classes]


SOME = 2000
"""Texts by which the normalisation of a network that is trained further is found."""

WIDTHS = (120, 152, 184, texts.LENGTH)
"""Texts are trained at the least of these that leaves room for what the network sees beyond their end."""

BEYOND = 48


def batches(lengths, rng):
    """Batches of rows of about the same length with their width, in random order."""
    order = rng.permutation(len(lengths))
    width = np.array([next((w for w in WIDTHS if n + BEYOND <= w), WIDTHS[-1]) for n in lengths])
    found = []
    for w in WIDTHS:
        rows = order[width[order] == w]
        found += [(rows[i : i + BATCH], w) for i in range(0, len(rows) - BATCH + 1, BATCH)]
    return [found[i] for i in rng.permutation(len(found))]


def train(shape, epoch, epochs, seed, rate=3e-3, dropout=0.1, decay=1e-4, smoothing=0.0, report=None, begun=None):
    """A network trained on `epoch(n)`, a list of texts and an array of their classes for each of the `epochs`.

    The array has a column more for each of the shape's hints, whose loss counts half.
    `begun`: weights of [`network.imported`] to go on from instead of random ones, and texts. `decay` is the weights' share of the
    gradient, `smoothing` the share of a label that all classes get alike.
    """
    weights = {k: jnp.asarray(v) for k, v in network.start(shape, seed).items()}
    if begun is not None:
        weights = network.unfolded(weights, begun[0], shape, texts.encode(begun[1][:SOME]))
    sizes = (shape.classes, *shape.hints)
    rng, key = np.random.default_rng(seed), jax.random.key(seed)

    def loss(weights, batch, targets, key):
        found = {}
        logits = network.logits(weights, shape, batch, dropout, key, found)
        total, at = 0.0, 0
        for i, size in enumerate(sizes):
            right = jax.nn.one_hot(targets[:, i], size) * (1 - smoothing) + smoothing / size
            share = jax.nn.log_softmax(logits[:, at : at + size])
            total -= (right * share).sum(1).mean() * (0.5 if i else 1)
            at += size
        return total, found

    @jax.jit
    def step(weights, moments, mean, square, n, rate, batch, targets, key):
        (value, found), grads = jax.value_and_grad(loss, has_aux=True)(weights, batch, targets, key)
        # Moments over about the last 100 batches, fewer in the beginning.
        share = jnp.maximum(0.01, 1 / n)
        moments = jax.tree.map(lambda old, new: old + share * (new - old), moments, found)
        new, means, squares = {}, {}, {}
        for name, w in weights.items():
            g = grads[name]
            means[name] = 0.9 * mean[name] + 0.1 * g
            squares[name] = 0.999 * square[name] + 0.001 * g * g
            fair = (means[name] / (1 - 0.9**n)) / (jnp.sqrt(squares[name] / (1 - 0.999**n)) + 1e-8)
            new[name] = w - rate * (fair + (decay * w if w.ndim == 2 else 0))
        return new, moments, means, squares, value

    mean = {k: jnp.zeros_like(v) for k, v in weights.items()}
    square, n, steps, begin = mean, 0, None, time.time()
    moments = {f"conv{i}": (np.zeros(c, np.float32),) * 2 for i, (c, *_) in enumerate(shape.stages)}
    for at in range(epochs):
        some, labels = epoch(at)
        data, labels = texts.encode(some), np.asarray(labels).reshape(len(some), -1)
        steps, total = steps or epochs * (len(some) // BATCH), 0.0
        for rows, width in batches([len(text) for text in some], rng):
            n += 1
            now = rate * min(n / 200, 1) * 0.5 * (1 + np.cos(np.pi * min(n / steps, 1)))
            key, new = jax.random.split(key)
            state = step(weights, moments, mean, square, float(n), now, data[rows, :width], labels[rows], new)
            weights, moments, mean, square, value = state
            total += float(value)
        if at % 3 == 2 or at == epochs - 1:
            line = f"epoch {at + 1}: loss {total * BATCH / len(some):.4f}, {time.time() - begin:.0f} s"
            print(line + (f", {report(network.folded(weights, moments))}" if report else ""), flush=True)
    return network.folded(weights, moments)
