#!/usr/bin/env python3
"""Prints line, function and branch coverage of each layer from an lcov trace file.

With --min PERCENT it exits with 1 when fewer lines of hal, core and sim together are covered; with
--layer NAME:LINES:BRANCHES, which may be repeated, when less of that layer is.
"""
import argparse
import collections
import sys

JUDGED = ("hal", "core", "sim")
COUNTS = ("LF", "LH", "FNF", "FNH", "BRF", "BRH")


def read_layers(path):
    """Sums the counts of every file by its first folder."""
    layers = collections.defaultdict(collections.Counter)
    layer = None
    with open(path) as f:
        for line in f:
            tag, _, value = line.strip().partition(":")
            if tag == "SF":
                layer = value.split("/", 1)[0]
            elif tag in COUNTS:
                layers[layer][tag] += int(value)
    return layers


def percent(hit, found):
    """Share in per cent; nothing to cover is fully covered."""
    return 100.0 * hit / found if found else 100.0


def print_row(name, c):
    """One line of the table."""
    cells = ["%6.1f %% of %5d" % (percent(c[h], c[f]), c[f])
             for f, h in (("LF", "LH"), ("FNF", "FNH"), ("BRF", "BRH"))]
    print("%-15s %s" % (name, "   ".join(cells)))


def layer_limit(text):
    """("sim", 95.0, 85.0) of "sim:95:85"."""
    name, lines, branches = text.split(":")
    return name, float(lines), float(branches)


def reaches(c, lines, branches):
    """Whether something is covered, and enough of it."""
    return (c["LF"] > 0 and percent(c["LH"], c["LF"]) >= lines
            and percent(c["BRH"], c["BRF"]) >= branches)


def main():
    """Entry point."""
    ap = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    ap.add_argument("info")
    ap.add_argument("--min", type=float, default=0)
    ap.add_argument("--layer", type=layer_limit, action="append", default=[])
    args = ap.parse_args()
    layers = read_layers(args.info)
    judged = collections.Counter()
    print("%-15s %-17s   %-17s   %s" % ("coverage", "lines", "functions", "branches"))
    for name in sorted(layers):
        print_row(name, layers[name])
        if name in JUDGED:
            judged += layers[name]
    print_row("+".join(JUDGED), judged)
    low = [name for name, lines, branches in args.layer
           if not reaches(layers[name], lines, branches)]
    for name in low:
        print("%s is below its limit" % name, file=sys.stderr)
    return 0 if reaches(judged, args.min, 0) and not low else 1


if __name__ == "__main__":
    sys.exit(main())
