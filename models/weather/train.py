"""Trains the weather model on a CPU; writes ONNX, calibration.csv and evaluation.bin.

usage: train.py --rows weather_daily_train.csv [--epochs N] [--seed N] [--onnx FILE] [--data FOLDER]
"""

import pathlib
import random
import sys

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "text"))

import command
import network
import reports
import templates

SHAPE = network.Shape(classes=2, embedding=6, stages=((12, 5, 1), (16, 6, 2), (16, 6, 2)), pooled=(2,), hidden=16)
EPOCHS = 40

TIMES = 3
"""An epoch has this many reports of a record."""


def main():
    args = command.arguments("weather_daily_train.csv", HERE, "weather")
    rows = reports.load(args.rows)
    seen, held = reports.sentences()
    known = [row for row in rows if not templates.held_out(reports.key(row))]
    new = [row for row in rows if templates.held_out(reports.key(row))]

    def render(rows, sentences, rng):
        return [reports.report(row, sentences, rng) for row in rows]

    task = command.Task(
        name="weather",
        shape=SHAPE,
        epochs=EPOCHS,
        epoch=lambda rng: render(rng.sample(known, len(known)) * TIMES, seen, rng),
        held_out=render(new, held, random.Random("held out")),
        settings={"dropout": 0.1},
    )
    command.run(task, args)


main()
