"""What the train.py of each text model does: train, measure on what was held out, write ONNX and the package's data."""

import argparse
import dataclasses
import multiprocessing
import pathlib
import random

import numpy as np

import network
import texts
import training

CALIBRATION, EVALUATION = 300, 2000
"""Texts that are written for calibration, and most that are written of those held out."""


@dataclasses.dataclass(frozen=True)
class Task:
    """Texts with their classes, or with tuples of a class and hints, as lists of pairs."""

    name: str
    shape: network.Shape
    epochs: int
    epoch: object
    """`epoch(rng)`: what an epoch is trained on; drawn anew for each."""
    held_out: list
    """Of records, and of sentences where there are any, that no epoch has seen."""
    settings: dict = dataclasses.field(default_factory=dict)
    """Of [`training.train`]."""


def arguments(data, here, name):
    """The command's arguments; `data`: the file of records that `--rows` stands for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=pathlib.Path, required=True, help=f"{data}, as described in README.md")
    parser.add_argument("--epochs", type=int, help="other than the task's own number")
    parser.add_argument("--begin", type=pathlib.Path, help="a network of the same shape, in ONNX, to train further")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--onnx", type=pathlib.Path, default=pathlib.Path(f".zugzwang/{name}/{name}.onnx"))
    parser.add_argument("--data", type=pathlib.Path, default=here, help="folder for calibration.csv and evaluation.bin")
    return parser.parse_args()


def split(pairs):
    """Pairs as a list of texts and an array [n, 1 and hints]."""
    some, labels = zip(*pairs)
    return list(some), np.array(labels).reshape(len(some), -1)


def ahead(task, epochs, seed):
    """The texts of one epoch after the other, made in a process of its own while the network is trained on those before."""
    context = multiprocessing.get_context("fork")
    queue = context.Queue(2)

    def make():
        for n in range(epochs):
            queue.put(split(task.epoch(random.Random(f"{seed} {n}"))))

    context.Process(target=make, daemon=True).start()
    return lambda n: queue.get()


def run(task, args):
    """Trains and writes everything."""
    held, answers = split(task.held_out)
    answers = answers[:, 0]
    encoded, epochs = texts.encode(held[:EVALUATION]), args.epochs or task.epochs
    print(f"{len(task.epoch(random.Random(0)))} texts an epoch, {epochs} epochs, {len(held)} texts held out", flush=True)

    def report(weights):
        network.export(weights, task.shape, args.onnx, task.name)
        return f"right on held-out texts {training.accuracy(weights, task.shape, encoded, answers[:EVALUATION]):.4f}"

    epoch, begun = ahead(task, epochs, args.seed), None
    if args.begin:
        begun = (network.imported(args.begin), split(task.epoch(random.Random("begun")))[0])
    weights = training.train(task.shape, epoch, epochs, args.seed, report=report, begun=begun, **task.settings)
    report(weights)
    some, labels = split(task.epoch(random.Random("calibration"))[:CALIBRATION])
    texts.write_calibration(args.data / "calibration.csv", some, labels[:, 0])
    texts.write_evaluation(args.data / "evaluation.bin", held[:EVALUATION], answers[:EVALUATION])
    print(f"wrote {args.onnx} and the data in {args.data}")
