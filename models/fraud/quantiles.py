"""Writes quantiles.json: how each number that the network reads is spread over the committed training accounts.

usage: quantiles.py [--accounts calibration.csv] [--out quantiles.json]

Needs nothing but Python. The file is shown beside an incident's numbers; no proof depends on it.
"""

import argparse
import csv
import json
import pathlib

# Number, digits of 4 bits, as in accounts.py (which needs numpy) and contracts/src/guard/Features.sol.
LAYOUT = [
    [("received_time", 8), ("received", 6), ("received_from", 4), ("received_min", 10), ("received_max", 10)]
    + [("received_total", 12), ("created", 4), ("calls", 6)],
    [("sent_time", 8), ("sent", 6), ("sent_to", 4), ("sent_min", 10), ("sent_max", 10)]
    + [("sent_total", 12), ("balance", 12), ("negative", 1)],
]
DIGITS_A_LIMB = 63
SHARES = [0, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 1]


def numbers(digits):
    """The numbers of one account by name. The balance has its sign."""
    found = {}
    for limb, layout in enumerate(LAYOUT):
        at = limb * DIGITS_A_LIMB
        for name, length in layout:
            found[name] = sum(digit << 4 * place for place, digit in enumerate(digits[at : at + length]))
            at += length
    if found.pop("negative"):
        found["balance"] = -found["balance"]
    return found


def main():
    here = pathlib.Path(__file__).parent
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--accounts", type=pathlib.Path, default=here / "calibration.csv")
    parser.add_argument("--out", type=pathlib.Path, default=here / "quantiles.json")
    args = parser.parse_args()
    with open(args.accounts, newline="") as file:
        rows = list(csv.reader(file))[1:]
    accounts = [numbers([int(digit) for digit in row[:-1]]) for row in rows]
    spread = {}
    for name in accounts[0]:
        values = sorted(account[name] for account in accounts)
        # The value at or below which the share lies, one of the accounts' own.
        spread[name] = [values[max(0, -(-int(share * 100) * len(values) // 100) - 1)] for share in SHARES]
    lines = ",\n".join(f"  {json.dumps(name)}: {json.dumps(values)}" for name, values in spread.items())
    head = f'{{\n "accounts": {len(accounts)},\n "shares": {json.dumps(SHARES)},\n "numbers": {{\n'
    args.out.write_text(head + lines + "\n }\n}\n")


if __name__ == "__main__":
    main()
