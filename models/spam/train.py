"""Trains the spam model on a CPU; writes ONNX, calibration.csv and evaluation.bin.

usage: train.py --rows sms_spam_train.csv [--epochs N] [--seed N] [--onnx FILE] [--data FOLDER]
"""

import pathlib
import sys

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "text"))

import command
import messages
import network

SHAPE = network.Shape(classes=2, embedding=8, stages=((12, 5, 1), (24, 6, 2), (32, 6, 2)), pooled=(2,), hidden=32)
EPOCHS = 25

TIMES = 3
"""An epoch has each message so often, varied."""


def main():
    args = command.arguments("sms_spam_train.csv", HERE, "spam")
    known, held = messages.halves(messages.load(args.rows))

    def epoch(rng):
        return [(messages.varied(text, rng), label) for text, label in rng.sample(known, len(known)) * TIMES]

    task = command.Task(
        name="spam",
        shape=SHAPE,
        epochs=EPOCHS,
        epoch=epoch,
        held_out=held,
        settings={"dropout": 0.3, "decay": 1e-2, "smoothing": 0.05},
    )
    command.run(task, args)


main()
