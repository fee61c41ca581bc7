"""Mutants of every format that is read end in errors of our own: a few in each run."""

from __future__ import annotations

import pytest

from tests.fuzz.families import FAMILIES
from tests.fuzz.run import Report, fuzz, table

MUTANTS = 60  # `python -m tests.fuzz` makes as many as one likes


@pytest.mark.parametrize("family", [name for name in FAMILIES if name != "selftest"])
def test_mutants_are_read_or_refused(family: str) -> None:
    report = fuzz(family, first_seed=0, mutants=MUTANTS, seconds=60.0)
    assert report.findings == []
    assert report.is_clean
    assert report.refused > 0
    assert report.mutants == report.refused + report.accepted
    assert report.peak_mib < 1024


def test_harness_counts_every_way_to_end() -> None:
    report = fuzz("selftest", first_seed=0, mutants=30, seconds=60.0)
    assert report.mutants == 30
    ways = (report.refused, report.accepted, report.foreign, report.memory, report.crashes)
    assert all(count > 0 for count in ways)
    assert sum(ways) == 30
    assert not report.is_clean
    assert any(
        finding.startswith("foreign") and "KeyError" in finding for finding in report.findings
    )


def test_mutant_is_made_from_its_seed_alone() -> None:
    from random import Random

    made = FAMILIES["scene"]()
    assert made.make(Random(7)) == made.make(Random(7))
    assert made.make(Random(7)) != made.make(Random(8))


def test_table_has_a_row_for_each_family() -> None:
    text = table([Report("scene", mutants=100_000), Report("ply")])
    assert "| scene | 100,000 |" in text
    assert len(text.splitlines()) == 4
