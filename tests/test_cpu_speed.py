"""The check of continuous integration that drawing on the processor has not become slower."""

from __future__ import annotations

import pytest

from benchmarks import regression
from benchmarks.regression import LIMITS, Options, vector_instructions

OURS = LIMITS[vector_instructions()]


def test_a_slower_stage_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    slowed = {name: 0.9 * limit for name, limit in OURS.items()} | {"deform": 99.0}
    monkeypatch.setattr(regression, "ratios", lambda rounds: slowed)
    assert regression.main(Options()) == 1
    assert "deform has become slower" in capsys.readouterr().out


def test_equal_speed_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(regression, "ratios", lambda rounds: dict(OURS))
    assert regression.main(Options()) == 0


def test_a_ratio_that_is_no_number_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(regression, "ratios", lambda rounds: dict.fromkeys(OURS, float("nan")))
    assert regression.main(Options()) == 1


@pytest.mark.slow
def test_stages_are_as_fast_as_before() -> None:
    assert regression.too_slow(regression.ratios(rounds=15), OURS) == []
