"""Texts as bytes, and the files that a package has of them."""

import unicodedata

import numpy as np

from network import LENGTH

# Letters that do not come apart into an ASCII letter and an accent, and signs with an equivalent.
SIGNS = str.maketrans(
    {"ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "ı": "i", "ß": "ss", "æ": "ae", "Æ": "AE", "œ": "oe", "ð": "d",
     "þ": "th", "ə": "e", "£": "GBP", "€": "EUR", "‘": "'", "’": "'", "`": "'", "“": '"', "”": '"', "–": "-", "—": "-", "…": "...",
     "\u00a0": " "}  # fmt: skip
)


def ascii_text(text):
    """The text in printable ASCII: accents off, white space one blank, what has no equivalent left out."""
    text = unicodedata.normalize("NFKD", " ".join(text.split()).translate(SIGNS))
    return "".join(c for c in text if " " <= c <= "~")


def encode(texts):
    """Texts of printable ASCII as an array [n, 248] of bytes, zeros after each; what is longer is cut off."""
    rows = np.zeros((len(texts), LENGTH), np.uint8)
    for row, text in zip(rows, texts):
        data = text.encode("ascii")[:LENGTH]
        row[: len(data)] = np.frombuffer(data, np.uint8)
    return rows


def write_calibration(path, texts, labels):
    """One text a line, byte by byte, and its class: what `zugzwang model compile --calibration` reads."""
    lines = [",".join([f"b{i}" for i in range(LENGTH)] + ["label"])]
    lines += [",".join(map(str, [*row.tolist(), int(label)])) for row, label in zip(encode(texts), labels)]
    path.write_text("\n".join(lines) + "\n")


def write_evaluation(path, texts, labels):
    """Records of 249 bytes: the class, then the text."""
    np.concatenate([np.asarray(labels, np.uint8)[:, None], encode(texts)], 1).tofile(path)
