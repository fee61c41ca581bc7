"""Statistics of each step in a file: CSV, or event files of TensorBoard.

Values are read from the device once in FLUSH_STEPS steps, so that logging does not slow a GPU down.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Literal, Protocol

import torch
from streamstgs.trainer.errors import SettingError
from streamstgs.trainer.optimization.training_stage import StepRecord
from torch import Tensor

LogFormat = Literal["csv", "tensorboard"]
FLUSH_STEPS = 100


def check_log_format(chosen: LogFormat | None) -> None:
    """Raises SettingError where the package of a format is missing."""
    if chosen == "tensorboard" and find_spec("tensorboard") is None:
        raise SettingError(
            "--log is tensorboard, which is not installed: `pip install tensorboard`, or --log csv"
        )


class ScalarWriter(Protocol):
    """Writes rows of numbers."""

    def write(self, rows: list[dict[str, float]]) -> None:
        """Append rows; each has an "iteration"."""
        ...


class StatisticsLog:
    """Collects the statistics of the steps of a stage.

    Columns: iteration, loss, gaussians, `loss/L_c` and so on for the weighted terms,
    `learning_rate/...`, `gradient_norm/...`, and `validation/...` where the step was validated.
    """

    def __init__(self, writer: ScalarWriter) -> None:
        self._writer = writer
        self._waiting: list[dict[str, Tensor | float]] = []

    @staticmethod
    def opened(chosen: LogFormat, folder: Path, stage: str, done: int = 0) -> StatisticsLog:
        """The log of a stage in `folder`; a log of a stopped run goes on after `done` steps."""
        if chosen == "csv":
            return StatisticsLog(CsvWriter(folder / f"{stage}.csv", done))
        return StatisticsLog(TensorboardWriter(folder / stage, done))

    def add(self, record: StepRecord, validation: Mapping[str, float] | None = None) -> None:
        """Keep the statistics of a step."""
        self._waiting.append(_row(record, validation or {}))
        if len(self._waiting) >= FLUSH_STEPS:
            self.flush()

    def flush(self) -> None:
        """Write the collected rows."""
        if self._waiting:
            self._writer.write(_numbers(self._waiting))
            self._waiting.clear()


class CsvWriter:
    """One row a step (`ScalarWriter`); a file of a stopped run loses the rows after `done`."""

    def __init__(self, path: Path, done: int) -> None:
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        rows = self._read()
        self._columns: list[str] = []
        path.unlink(missing_ok=True)
        self.write([row for row in rows if int(row["iteration"]) <= done])

    def write(self, rows: list[dict[str, float]]) -> None:
        new = list(dict.fromkeys(n for row in rows for n in row))
        if set(new) - set(self._columns):  # a term that no earlier step had: a new head
            earlier = self._read()
            self._columns = list(dict.fromkeys([*self._columns, *new]))
            self._write([*earlier, *rows], "w")
        elif rows:
            self._write(rows, "a")

    def _write(self, rows: list[dict[str, float]], mode: str) -> None:
        with self._path.open(mode, newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, self._columns)
            if mode == "w":
                writer.writeheader()
            writer.writerows(rows)

    def _read(self) -> list[dict[str, float]]:
        """The rows of the file; the last one may have been cut off by a kill."""
        if not self._path.exists():
            return []
        with self._path.open(newline="", encoding="utf-8") as file:
            rows = [row for row in csv.DictReader(file) if None not in row.values()]
        found = [{n: float(v) for n, v in row.items() if v} for row in rows]
        return [row | {"iteration": int(row["iteration"])} for row in found if "iteration" in row]


class TensorboardWriter:
    """Event files (`ScalarWriter`); TensorBoard hides steps of a stopped run after `done`."""

    def __init__(self, folder: Path, done: int) -> None:
        from torch.utils.tensorboard.writer import SummaryWriter

        self._writer = SummaryWriter(str(folder), purge_step=done + 1)

    def write(self, rows: list[dict[str, float]]) -> None:
        for row in rows:
            for name, value in row.items():
                if name != "iteration":
                    self._writer.add_scalar(name, value, int(row["iteration"]))
        self._writer.flush()


def _row(record: StepRecord, validation: Mapping[str, float]) -> dict[str, Tensor | float]:
    row: dict[str, Tensor | float] = {
        "iteration": record.iteration,
        "loss": record.loss,
        "gaussians": record.gaussians,
    }
    groups: dict[str, Mapping[str, Tensor] | Mapping[str, float]] = {
        "loss": record.losses,
        "learning_rate": record.learning_rates,
        "gradient_norm": record.gradient_norms,
        "validation": validation,
    }
    for group, values in groups.items():
        row |= {f"{group}/{name}": value for name, value in values.items()}
    return row


def _numbers(rows: list[dict[str, Tensor | float]]) -> list[dict[str, float]]:
    """The rows with all tensors read from their device at once."""
    tensors = [v for row in rows for v in row.values() if isinstance(v, Tensor)]
    read = iter(torch.stack(tensors).tolist())
    return [
        {name: next(read) if isinstance(v, Tensor) else v for name, v in row.items()}
        for row in rows
    ]
