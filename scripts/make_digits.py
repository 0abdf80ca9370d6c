#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes data/digits*.npy from the digits.csv.gz that scikit-learn's package carries.

usage: make_digits.py [DIGITS.csv.gz] [DIRECTORY]

Without an argument the installed scikit-learn is asked for its copy. The results are the same bits everywhere: sums are
integers, and the one square root a pixel is correctly rounded.
"""
import csv
import gzip
import importlib.util
import math
import pathlib
import struct
import sys


def npy(descr, shape, data):
    header = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}"
    header += " " * (63 - (10 + len(header)) % 64) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + data


def standard(column):
    """(x - mean) / standard deviation; 0 for a pixel that never changes."""
    n, total = len(column), sum(column)
    spread = math.sqrt(n * sum(x * x for x in column) - total * total)
    return [(n * x - total) / spread if spread else 0.0 for x in column]


def main():
    if len(sys.argv) > 1:
        source = pathlib.Path(sys.argv[1])
    else:
        package = importlib.util.find_spec("sklearn")
        if package is None:
            sys.exit("make_digits.py: scikit-learn is not installed; give the path of its digits.csv.gz")
        source = pathlib.Path(package.origin).parent / "datasets" / "data" / "digits.csv.gz"
    target = pathlib.Path(sys.argv[2] if len(sys.argv) > 2 else pathlib.Path(__file__).parent.parent / "data")
    with gzip.open(source, "rt") as lines:
        rows = [[int(field) for field in row] for row in csv.reader(lines)]
    pixels, labels = [row[:64] for row in rows], [row[64] for row in rows]
    scaled = list(zip(*map(standard, zip(*pixels))))

    def floats(table):
        return struct.pack(f"<{64 * len(table)}f", *(x for row in table for x in row))

    shape = (len(rows), 64)
    (target / "digits.npy").write_bytes(npy("<f4", shape, floats(pixels)))
    (target / "digits_standard.npy").write_bytes(npy("<f4", shape, floats(scaled)))
    (target / "digits_labels.npy").write_bytes(npy("|u1", (len(rows),), bytes(labels)))


if __name__ == "__main__":
    main()
