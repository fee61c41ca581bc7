"""The command line of the fuzzer; see the package's docstring."""

from __future__ import annotations

import argparse
import math
import sys
from pathlib import Path
from random import Random

from tests.fuzz.families import FAMILIES
from tests.fuzz.run import Report, fuzz, table, work, write


def main() -> int:
    if sys.argv[1:2] == ["--worker"]:
        family, seed, end, seconds = sys.argv[2:]
        work(family, int(seed), int(end), float(seconds))
        return 0
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("family", choices=[*FAMILIES, "all"])
    parser.add_argument("--mutants", type=int, default=10**9, help="At most so many per family.")
    parser.add_argument("--seconds", type=float, default=math.inf, help="At most so long each.")
    parser.add_argument("--first", type=int, default=0, help="Seed of the first mutant.")
    parser.add_argument("--seed", type=int, help="Read the mutant of this seed, and nothing else.")
    parser.add_argument("--json", type=Path, help="Write the counts to this file.")
    options = parser.parse_args()
    if options.seed is not None:
        made = FAMILIES[options.family]()
        made.read(made.make(Random(options.seed)))
        return 0
    families = [f for f in FAMILIES if f != "selftest"]
    if options.family != "all":
        families = [options.family]
    reports: list[Report] = []
    for family in families:
        reports.append(fuzz(family, options.first, options.mutants, options.seconds))
        print("\n".join(reports[-1].findings))
    print(table(reports))
    if options.json:
        write(reports, options.json)
    return 0 if all(report.is_clean for report in reports) else 1


if __name__ == "__main__":
    sys.exit(main())
