"""The runner of training trials: settings, order, limits and figures."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.motion_trials import (
    FIGURES,
    TRIALS,
    Options,
    Runner,
    Work,
    main,
    missing_coarse,
    result_path,
    run_trial,
    settings_of,
    table_of,
    train_coarse,
)

pytestmark = pytest.mark.usefixtures("one_thread")
TINY = (
    "--gop-frames 3 --coarse.iterations 4 --coarse.density.cap-max 40 --joint.iterations 2 "
    "--gop.iterations 4 --gop.init-count 64 --gop.sample-frames 1 --gop.features 4 --gop.width 16 "
    "--gop.density.cap-max 80 --hull.candidates 4000 --joint.ghost-frames 3"
)


def options(capture: Path, out: Path, **changes: object) -> Options:
    made = Options(capture, out, devices=("cpu",), extra=TINY, gops=(1,), qp=30, frame_step=1)
    return replace(made, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", TRIALS)
def test_every_trial_changes_the_settings_it_names(name: str, tmp_path: Path) -> None:
    chosen = options(tmp_path, tmp_path, extra="")
    plain, changed = (settings_of(chosen, n) for n in ("base", name))
    same = replace(changed, out=plain.out) == plain
    assert same == (name == "base")


def test_trials_share_the_coarse_stage(tmp_path: Path) -> None:
    names = ["base", "ghosts-move", "static-cap", "rounded-28"]
    assert missing_coarse(options(tmp_path, tmp_path), names) == ["base", "static-cap"]


@pytest.mark.timeout(600)  # compiles kernels where the cache has none
def test_a_trial_is_trained_measured_and_not_run_again(
    tiny_capture: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chosen = options(tiny_capture, tmp_path, run=("ghosts-both",))
    train_coarse(chosen, "ghosts-both")
    run_trial(chosen, "ghosts-both")
    result = json.loads(result_path(chosen, "ghosts-both").read_text())
    assert result["gops"] == [1]
    assert result["bytes_per_frame"]["total"] > 0
    for split in ("test", "train"):
        assert set(FIGURES) < set(result[split])
        assert result[split]["psnr"] > 10
        assert result[split]["moving_psnr"] > 5
    assert main(chosen) == 0  # starts no process: the trial is finished
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert [one["trial"] for one in summary] == ["ghosts-both"]
    assert "ghosts-both" in capsys.readouterr().out
    assert table_of(summary).row_count == 1


def test_a_trial_beyond_its_limit_is_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    script = tmp_path / "slow"
    script.write_text("#!/bin/sh\nexec sleep 600\n")
    script.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(script))
    runner = Runner(options(tmp_path, tmp_path, limit_s=1.0), ["cpu"])
    runner.run([Work("trial", "base")])
    assert "stopped at its limit" in capsys.readouterr().out


def test_nothing_starts_after_the_deadline(tmp_path: Path) -> None:
    runner = Runner(options(tmp_path, tmp_path, deadline_s=0.0), ["cpu"])
    runner.run([Work("trial", "base")])
    assert not list(tmp_path.glob("*.log"))


def test_unknown_trials_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(options(tmp_path, tmp_path, run=("best",))) == 2
    assert "'best'" in capsys.readouterr().err
    assert main(Options(list=True)) == 0
    assert "ghosts-move" in capsys.readouterr().out
