"""Accounts as the guard contract would hold them: whole numbers, their digits, and the limbs that are the public input."""

import csv
import hashlib

import numpy as np

# Number, digits of 4 bits; limb by limb, lowest digit first. See contracts/src/guard/Features.sol.
LAYOUT = [
    [("received_time", 8), ("received", 6), ("received_from", 4), ("received_min", 10), ("received_max", 10)]
    + [("received_total", 12), ("created", 4), ("calls", 6)],
    [("sent_time", 8), ("sent", 6), ("sent_to", 4), ("sent_min", 10), ("sent_max", 10)]
    + [("sent_total", 12), ("balance", 12), ("negative", 1)],
]
DIGITS_A_LIMB = 63
DIGITS = DIGITS_A_LIMB * len(LAYOUT)
UNIT = 1e-6  # ether
MAX_TIME = 2**30 - 1
SKETCH_BITS = 40


def places():
    """Each number's first digit and how many it has, over all limbs."""
    found = {}
    for limb, numbers in enumerate(LAYOUT):
        at = limb * DIGITS_A_LIMB
        for name, digits in numbers:
            found[name] = (at, digits)
            at += digits
    return found


def read(path):
    """Addresses, labels [n] (1 is fraud, -1 if the file has none) and the 17 columns [n, 17] by name."""
    with open(path, newline="") as file:
        rows = list(csv.DictReader(file))
    names = [name for name in rows[0] if name not in ("Address", "FLAG")]
    columns = {name: np.array([float(row[name]) for row in rows]) for name in names}
    labels = np.array([int(row.get("FLAG", -1)) for row in rows])
    return [row["Address"] for row in rows], labels, columns


def side(addresses):
    """A number from 0 to 255 by which addresses are split; it does not depend on the file's order."""
    return np.array([hashlib.sha256(b"fraud split:" + a.lower().encode()).digest()[0] for a in addresses])


def seen_through_sketch(addresses, counts, which):
    """What a sketch of 40 bits says of so many distinct counterparties. Its hashes are drawn by the address."""
    step = np.array([(SKETCH_BITS << 16) // (SKETCH_BITS - b) for b in range(SKETCH_BITS)])
    says = np.concatenate([[0], (np.cumsum(step) + (1 << 15)) >> 16])
    out = np.zeros(len(counts), np.int64)
    for i, (address, count) in enumerate(zip(addresses, counts)):
        seed = hashlib.sha256(f"{which}:{address.lower()}".encode()).digest()
        draws = np.random.Generator(np.random.PCG64(int.from_bytes(seed[:8], "big")))
        bits = len(np.unique(draws.integers(0, SKETCH_BITS, min(int(count), 4000))))
        out[i] = min(says[bits], int(count))
    return out


def whole(addresses, columns):
    """The whole numbers that a contract would hold, by name, int64 [n].

    The columns are means where the contract has sums: mean gap times count is the time, and total values are columns
    of their own. In the larger source of the data the received times count from 1970, so that they tell the date on
    which the data were collected; times are cut off at 2^30 - 1 seconds, which leaves no date.
    """
    c = columns
    sent, received = c["Sent_tnx"], c["Received_Tnx"]
    values = {
        "received_time": np.minimum(np.rint(c["Avg_min_between_received_tnx"] * received), MAX_TIME),
        "received": received,
        "received_from": seen_through_sketch(addresses, c["Average_of_Unique_Received_From_Addresses"], "from"),
        "received_min": c["min_value_received"] / UNIT,
        "received_max": c["max_value_received"] / UNIT,
        "received_total": c["total_ether_received"] / UNIT,
        "created": c["Number_of_Created_Contracts"],
        "calls": c["total_transactions_including_tnx_to_create_contract"],
        "sent_time": np.minimum(np.rint(c["Avg_min_between_sent_tnx"] * sent), MAX_TIME),
        "sent": sent,
        "sent_to": seen_through_sketch(addresses, c["Average_of_Unique_Sent_To_Addresses"], "to"),
        "sent_min": c["min_val_sent"] / UNIT,
        "sent_max": c["max_val_sent"] / UNIT,
        "sent_total": c["total_Ether_sent"] / UNIT,
    }
    # A hundredth of a unit: decimals of the file that are no binary fractions must not be cut to the unit below.
    values = {name: np.floor(v + 1e-2).astype(np.int64) for name, v in values.items()}
    balance = values["received_total"] - values["sent_total"]
    values["balance"] = np.abs(balance)
    values["negative"] = (balance < 0).astype(np.int64)
    return {name: np.clip(values[name], 0, 16**digits - 1) for name, (_, digits) in places().items()}


def digits_of(values):
    """The model's input: digits 0 to 15, uint8 [n, 126]."""
    out = np.zeros((len(values["sent"]), DIGITS), np.uint8)
    for name, (at, digits) in places().items():
        for i in range(digits):
            out[:, at + i] = (values[name] >> (4 * i)) & 15
    return out


def limbs_of(digits):
    """The limbs of one account's digits, as a contract packs them: Python integers below 2^252."""
    limbs = digits.reshape(-1, DIGITS_A_LIMB)
    return [sum(int(d) << (4 * i) for i, d in enumerate(limb)) for limb in limbs]
