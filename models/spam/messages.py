"""Messages as texts of a network: near copies found, a part held out, the rest varied."""

import csv
import hashlib
import re

import templates
import texts

CLASSES = ["ham", "spam"]

ALIKE = 0.5
"""Two messages are copies if so large a part of their shingles, of all that either has, are common to both."""

SHINGLE = 4
"""Characters of a shingle."""


def load(path):
    """Texts in ASCII with their classes."""
    with open(path, newline="", encoding="utf-8") as file:
        return [(texts.ascii_text(row["text"]), CLASSES.index(row["label"])) for row in csv.DictReader(file)]


def shingles(text):
    """Runs of characters of the text without case, with one sign for all digits and none for punctuation."""
    plain = re.sub(r"\d", "0", re.sub(r"[^a-z0-9]+", " ", text.lower())).strip()
    return {plain[i : i + SHINGLE] for i in range(max(len(plain) - SHINGLE + 1, 1))}


def groups(messages):
    """Messages grouped so that copies, and copies of copies, stand together. Order as in `messages`."""
    sets = [shingles(text) for text, _ in messages]
    where, parent = {}, list(range(len(messages)))

    def root(i):
        while parent[i] != i:
            parent[i] = i = parent[parent[i]]
        return i

    for i, own in enumerate(sets):
        common = {}
        for shingle in own:
            for j in where.get(shingle, ()):
                common[j] = common.get(j, 0) + 1
            where.setdefault(shingle, []).append(i)
        for j, n in common.items():
            if n >= ALIKE * (len(own) + len(sets[j]) - n):
                parent[root(i)] = root(j)
    found = {}
    for i, message in enumerate(messages):
        found.setdefault(root(i), []).append(message)
    return list(found.values())


def halves(messages):
    """Messages to train on, and those held out: one of each group that is, in an order that says nothing."""
    known, held = [], []
    for group in groups(messages):
        text = min(text for text, _ in group)
        if templates.held_out(text):
            held.append(next(m for m in group if m[0] == text))
        else:
            known += group
    held.sort(key=lambda m: hashlib.sha256(m[0].encode()).digest())
    return known, held


def varied(text, rng):
    """A text that means the same: other digits, some words or signs left out or in another case, begun later."""
    if rng.random() < 0.5:
        text = re.sub(r"\d", lambda m: str(rng.randint(0, 9)) if rng.random() < 0.5 else m[0], text)
    words = text.split(" ")
    if rng.random() < 0.5 and len(words) > 5:
        words = [w for w in words if rng.random() > 0.1]
    if rng.random() < 0.3:
        change = rng.choice([str.lower, str.upper, str.capitalize, str.swapcase])
        words = [change(w) if rng.random() < 0.15 else w for w in words]
    if rng.random() < 0.2 and len(words) > 8:
        words = words[rng.randint(0, 4) :]
    text = " ".join(words)
    if rng.random() < 0.3:
        text = "".join(c for c in text if rng.random() > 0.02)
    return " " * (rng.randint(0, 3) if rng.random() < 0.5 else 0) + text
