"""Trains the football model on a CPU; writes ONNX, calibration.csv, evaluation.bin and bulletins.csv.

usage: train.py --rows football_results_train.csv [--begin FILE] [--epochs N] [--seed N] [--onnx FILE] [--data FOLDER]
"""

import csv
import hashlib
import pathlib
import random
import sys

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "text"))

import bulletins
import clauses
import command
import grammar
import network
import templates
import texts

SHAPE = network.Shape(
    classes=4,
    embedding=6,
    stages=((16, 5, 1), (24, 6, 2), (32, 6, 2), (64, 4, 2), (64, 4, 2), (64, 4, 2)),
    pooled=(2, 5),
    hidden=96,
    hints=bulletins.HINTS,
)
EPOCHS = 120

OFF = 0.2
"""Share of bulletins about matches without a result; the data has none, so they are made of others' names."""

DEMO = 40

MEASURED = 1000
"""Bulletins that are written in the sentences of each file that is for measuring alone."""


def write_bulletins(path, rows, sentences):
    """Bulletins of the latest of the held-out results, and their classes, for demonstrations."""
    rng = random.Random("demo")
    latest = sorted(rows, key=bulletins.key)[-DEMO:]
    with open(path, "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["text", "class", "date", "home_team", "away_team", "home_score", "away_score"])
        for i, row in enumerate(latest):
            text, label = bulletins.bulletin(row, i % 8 == 7, sentences, rng)
            writer.writerow([text, label[0], *(row[k] for k in ("date", "home_team", "away_team", "home_score", "away_score"))])


def main():
    args = command.arguments("football_results_train.csv", HERE, "football")
    rows = bulletins.load(args.rows)
    seen, held, apart = bulletins.sentences()
    known = [row for row in rows if not templates.held_out(bulletins.key(row))]
    new = [row for row in rows if templates.held_out(bulletins.key(row))]
    # In an order that says nothing, as the first of them are written to a file.
    new.sort(key=lambda row: hashlib.sha256(bulletins.key(row).encode()).digest())

    def render(rows, sentences, rng):
        return [bulletins.bulletin(row, rng.random() < OFF, sentences, rng) for row in rows]

    never = templates.Sentences([template for sentences in apart.values() for template in sentences.templates])
    composed = clauses.Reports(grammar.Composed(seen, never), never)

    def spoilt(rng):
        return [(clauses.spoil(text, rng), label) for text, label in render(bulletins.mixed(known, rng), composed, rng)]

    task = command.Task(
        name="football",
        shape=SHAPE,
        epochs=EPOCHS,
        epoch=spoilt,
        settings={"dropout": 0.05},
        held_out=render(new, held, random.Random("held out")),
    )
    command.run(task, args)
    for name, sentences in apart.items():
        some, labels = command.split(render(new[:MEASURED], sentences, random.Random(name)))
        texts.write_evaluation(args.data / f"{name}.bin", some, labels[:, 0])
    write_bulletins(args.data / "bulletins.csv", new, held)


main()
