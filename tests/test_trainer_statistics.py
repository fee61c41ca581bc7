"""Statistics of each step: what records hold, and the CSV and TensorBoard files."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import pytest
import streamstgs.trainer.gop_stage
import torch
from streamstgs.trainer import statistics_log
from streamstgs.trainer.errors import SettingError
from streamstgs.trainer.optimization.losses import LossTerms
from streamstgs.trainer.optimization.training_stage import StepRecord
from streamstgs.trainer.run_directory import RunDirectory
from streamstgs.trainer.statistics_log import StatisticsLog, check_log_format
from streamstgs.trainer.train import train

from tests.test_trainer_resume import check_equal, killed_after_a_checkpoint, tiny_config

pytestmark = pytest.mark.usefixtures("one_thread")


def record(iteration: int, **losses: float) -> StepRecord:
    terms = {name: torch.tensor(value) for name, value in losses.items()}
    total = torch.stack(list(terms.values())).sum()
    return StepRecord(iteration, total, terms, 10 + iteration, {"means": 0.5 / iteration})


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


# Loss terms


def test_loss_terms_of_weight_zero_are_not_computed() -> None:
    loss = LossTerms()
    loss.add("L_c", 1, lambda: torch.tensor(2.0))
    loss.add("L_temp", 0.5, lambda: torch.tensor(3.0))
    loss.add("L_o", 0, lambda: pytest.fail("it has no weight"))
    assert loss.total.item() == 3.5
    assert {name: term.item() for name, term in loss.detached().items()} == {
        "L_c": 2.0,
        "L_temp": 1.5,
    }


def test_loss_without_gradient_is_returned() -> None:
    loss = LossTerms()
    loss.add("L_c", 1, lambda: torch.tensor(2.0))  # no view shows a Gaussian
    assert loss.backward().item() == 2.0


# The CSV file


def test_csv_holds_one_row_per_step(tmp_path: Path) -> None:
    log = StatisticsLog.opened("csv", tmp_path, "coarse")
    log.add(record(1, L_c=0.5, L_o=0.25))
    log.add(record(2, L_c=0.25, L_o=0.25), {"PSNR": 20.5})
    log.flush()
    first, second = rows_of(tmp_path / "coarse.csv")
    assert (first["iteration"], first["loss"], first["gaussians"]) == ("1", "0.75", "11")
    assert (first["loss/L_c"], first["loss/L_o"]) == ("0.5", "0.25")
    assert first["learning_rate/means"] == "0.5"
    assert (first["validation/PSNR"], second["validation/PSNR"]) == ("", "20.5")


def test_csv_is_written_in_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statistics_log, "FLUSH_STEPS", 3)
    log = StatisticsLog.opened("csv", tmp_path, "coarse")
    for iteration in range(1, 6):
        log.add(record(iteration, L_c=0.5))
    assert len(rows_of(tmp_path / "coarse.csv")) == 3
    log.flush()
    assert len(rows_of(tmp_path / "coarse.csv")) == 5


def test_csv_of_a_stopped_run_continues_at_its_checkpoint(tmp_path: Path) -> None:
    log = StatisticsLog.opened("csv", tmp_path, "gop-0000")
    for iteration in range(1, 6):
        log.add(record(iteration, L_c=0.5))
    log.flush()
    with (tmp_path / "gop-0000.csv").open("a") as file:
        file.write("6,0.5")  # cut off by a kill
    resumed = StatisticsLog.opened("csv", tmp_path, "gop-0000", done=3)
    resumed.add(record(4, L_c=0.25, L_t=1.0))
    resumed.flush()
    rows = rows_of(tmp_path / "gop-0000.csv")
    assert [row["iteration"] for row in rows] == ["1", "2", "3", "4"]
    assert [row["loss/L_t"] for row in rows] == ["", "", "", "1.0"]


def test_missing_tensorboard_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    check_log_format("csv")
    check_log_format(None)
    monkeypatch.setattr(statistics_log, "find_spec", lambda _: None)
    with pytest.raises(SettingError, match="pip install tensorboard"):
        check_log_format("tensorboard")


# A run


def test_run_logs_all_its_steps_and_resumes_the_log(
    tiny_capture: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = tiny_config(tiny_capture, tmp_path / "plain")
    plain = replace(plain, gop=replace(plain.gop, spatial_reg=0.01))  # every term has a weight
    train(plain)
    out = tmp_path / "run"
    config = replace(plain, out=out, log="csv", log_gradients=True)
    killed_after_a_checkpoint(config, monkeypatch)  # in the joint stage
    killed_after_a_checkpoint(config, monkeypatch)  # at step 5 of 12
    train(config)
    check_equal(RunDirectory(out).gop_path(0), RunDirectory(plain.out).gop_path(0))
    logs = {path.stem: rows_of(path) for path in (out / "statistics").iterdir()}
    steps = {name: [int(row["iteration"]) for row in rows] for name, rows in logs.items()}
    assert steps == {
        "coarse": list(range(1, 9)),
        "joint": [1, 2],
        "gop-0000": list(range(3, 13)),
    }
    coarse, gop = logs["coarse"][-1], logs["gop-0000"][-1]
    assert {"loss/L_c", "loss/L_depth", "loss/L_free", "gradient_norm/means"} <= coarse.keys()
    named = {f"loss/{name}" for name in ("L_c", "L_temp", "L_spatial", "L_o", "L_static")}
    assert named | {"learning_rate/field", "gradient_norm/features"} <= gop.keys()
    total = sum(float(value) for name, value in gop.items() if name.startswith("loss/") and value)
    assert total == pytest.approx(float(gop["loss"]), rel=1e-5)
    assert [row["validation/PSNR"] != "" for row in logs["coarse"]] == [False] * 7 + [True]


def test_log_format_may_change_when_a_run_is_resumed(
    tiny_capture: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tiny_config(tiny_capture, tmp_path / "run")
    killed_after_a_checkpoint(config, monkeypatch)
    monkeypatch.setattr(streamstgs.trainer.train, "train_one_gop", lambda *_: None)
    train(replace(config, log="csv", validate_every=4))
