"""The ablation runner: one part of the method switched off at a time, all else the same.

Rows are independent and run side by side on all devices; a coarse stage that serves several rows
is trained once. A runner that was killed goes on where it was: finished rows are kept, others
resume from their checkpoints.
"""

from __future__ import annotations

import hashlib
import json
import platform
import time
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import torch
from annotated_types import Gt, Le
from streamstgs.codec.encoder.config import QP_MAX
from streamstgs.trainer.ablation.row import Measuring, run_row
from streamstgs.trainer.ablation.rows import ROWS, Row, shortened
from streamstgs.trainer.ablation.table import markdown
from streamstgs.trainer.coarse_stage import train_coarse_stage
from streamstgs.trainer.config import TrainConfig
from streamstgs.trainer.datasets import Capture, check_capture, open_capture
from streamstgs.trainer.errors import RunError, TrainerError
from streamstgs.trainer.gop_plan import gop_lengths
from streamstgs.trainer.memory import check_memory, out_of_memory_guard
from streamstgs.trainer.parallel import run_on_devices, training_devices
from streamstgs.trainer.points.initial_points import check_points
from streamstgs.trainer.progress import log
from streamstgs.trainer.run_directory import RunDirectory, write_atomically
from streamstgs.trainer.setting_checks import Count, check_ranges, require
from streamstgs.trainer.training_record import changed_settings, plain_settings


@dataclass(frozen=True)
class AblationConfig:
    """What an ablation runs and measures.

    Args:
        gops: Train the GOPs with these numbers.
        shorten: Make only this share of the iterations of the fine stage.
        rows: Run only the rows with these names; without any, all of them.
        qps: Encode each row with these QPs.
        sorts_by_lifetime: Arrange Gaussians that are visible in the same frames next to each other
            when encoding, which the paper does not.
        frame_step: Compare one of so many frames with the capture.
        processes: Run so many training processes on each device.
        backend: Render the compared images with this backend. None chooses the fastest here.
    """

    gops: tuple[int, ...] = (0,)
    shorten: Annotated[float, Gt(0), Le(1)] = 0.25
    rows: tuple[str, ...] = ()
    qps: tuple[int, ...] = (16, 20, 24, 28)
    sorts_by_lifetime: bool = True
    frame_step: Count = 4
    processes: Count = 1
    backend: str | None = None

    def __post_init__(self) -> None:
        check_ranges(self, "")
        known = self.qps and all(0 <= qp <= QP_MAX for qp in self.qps)
        require(bool(known), "qps", self.qps, f"QPs from 0 to {QP_MAX}")


@dataclass(frozen=True)
class PlannedRow:
    """A row with its settings, and the run directory of the coarse stage that it needs."""

    row: Row
    title: str
    config: TrainConfig
    shared: RunDirectory

    @property
    def result_path(self) -> Path:
        return self.config.out / "row.json"


def ablate(base: TrainConfig, config: AblationConfig, command: str) -> dict[str, Any]:
    """Run the rows that are missing below `base.out`, and write ablation.json and ablation.md.

    Args:
        base: Settings of the full method; its schedule is shortened here.
        command: The command line, for the results.

    Raises:
        CaptureError: The capture cannot be used.
        MemoryNeedError: It is certain not to fit, or a GPU is full.
        TrainerError: There is no such row or GOP, or a process died.
        RunError: A row was begun with other settings.
    """
    devices = training_devices(base.device)
    capture = open_capture(base.data, base.capture)
    check_capture(capture)
    check_points(capture, base.points)
    check_memory(capture, base.gop_frames, base.coarse.frames_held, devices)
    _check_gops(config.gops, len(gop_lengths(capture.frames, base.gop_frames)))
    rows = planned_rows(base, config)
    todo = [k for k, planned in enumerate(rows) if not _is_finished(planned, config)]
    needed = {rows[k].shared.path: k for k in reversed(todo)}
    static = [k for path, k in needed.items() if not RunDirectory(path).coarse_path.exists()]
    workers = devices * config.processes
    todo.sort(key=lambda k: rows[k].config.static_split)  # those that take longest come first
    with out_of_memory_guard(capture):
        run_on_devices(partial(_train_static, base, config), static, workers)
        run_on_devices(partial(_train_row, base, config), todo, workers)
    document = {
        "command": command,
        "data": capture.title,
        "gops": list(config.gops),
        "shorten": config.shorten,
        "frame_step": config.frame_step,
        "picture_px": _picture_px(capture),
        "hardware": _hardware(devices),
        "rows": [_result(planned) for planned in rows],
    }
    write_atomically(base.out / "ablation.json", json.dumps(document, indent=1), Path.write_text)
    write_atomically(base.out / "ablation.md", markdown(document), Path.write_text)
    return document


def planned_rows(base: TrainConfig, config: AblationConfig) -> list[PlannedRow]:
    """The chosen rows that differ from the full one, in the order of the table.

    Raises TrainerError.
    """
    unknown = sorted(set(config.rows) - {row.name for row in ROWS})
    if unknown:
        known = ", ".join(row.name for row in ROWS)
        raise TrainerError(f"there is no row {unknown[0]!r}; rows are {known}")
    chosen = [row for row in ROWS if not config.rows or row.name in config.rows]
    differ = [row for row in chosen if row.name == "full" or row.change(base) != base]
    return [_planned(row, base, config) for row in differ]


def _planned(row: Row, base: TrainConfig, config: AblationConfig) -> PlannedRow:
    changed = replace(row.change(base), out=base.out / "rows" / row.name)
    shared = RunDirectory(base.out / f"static-{static_key(changed)}")
    return PlannedRow(row, row.title_beside(base), shortened(changed, config.shorten), shared)


def static_key(config: TrainConfig) -> str:
    """Short name of all settings that the coarse stage depends on."""
    settings = plain_settings(config.coarse_stage()) | {"capture": plain_settings(config.capture)}
    del settings["reports"]
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:8]


def _check_gops(gops: tuple[int, ...], count: int) -> None:
    wrong = [k for k in gops if not 0 <= k < count]
    if wrong or not gops:
        raise TrainerError(f"there is no GOP {wrong}; the capture has GOPs 0 to {count - 1}")


def _train_static(
    base: TrainConfig, config: AblationConfig, index: int, device: torch.device
) -> None:
    """The coarse stage that the row of this number needs."""
    planned = planned_rows(base, config)[index]
    log.info("%s: the coarse stage of %r", planned.shared.path.name, planned.title)
    capture = open_capture(base.data, base.capture)
    train_coarse_stage(planned.config.coarse_stage(), capture, planned.shared, device)


def _train_row(base: TrainConfig, config: AblationConfig, index: int, device: torch.device) -> None:
    planned = planned_rows(base, config)[index]
    log.info("row %r", planned.title)
    started_s = time.monotonic()
    sorts_by_lifetime = config.sorts_by_lifetime and planned.row.sorts_by_lifetime
    figures = run_row(planned.config, sorts_by_lifetime, planned.shared, _measuring(config), device)
    named = {"row": planned.row.name, "title": planned.title}
    asked = {"measuring": _plain_measuring(config)}
    log.info("row %r done in %.0f s", planned.title, time.monotonic() - started_s)
    document = json.dumps(named | asked | figures, indent=1)
    write_atomically(planned.result_path, document, Path.write_text)


def _measuring(config: AblationConfig) -> Measuring:
    return Measuring(config.gops, config.qps, config.frame_step, config.backend)


def _plain_measuring(config: AblationConfig) -> dict[str, Any]:
    """How rows are measured, as JSON values; a row measured otherwise is measured again."""
    asked = vars(_measuring(config)) | {"sorts_by_lifetime": config.sorts_by_lifetime}
    plain: dict[str, Any] = json.loads(json.dumps(asked))
    return plain


def _is_finished(planned: PlannedRow, config: AblationConfig) -> bool:
    """Whether an earlier call trained and measured a row with the same settings."""
    if not planned.result_path.exists():
        return False
    result = _result(planned)
    changed = changed_settings(result["settings"], plain_settings(planned.config))
    if changed:
        raise RunError(f"{planned.config.out} was made with other settings: {'; '.join(changed)}")
    return result["measuring"] == _plain_measuring(config)


def _result(planned: PlannedRow) -> dict[str, Any]:
    result: dict[str, Any] = json.loads(planned.result_path.read_text())
    return result


def _picture_px(capture: Capture) -> str:
    """Size of the training cameras' pictures as they were read."""
    camera = capture.split("train")[0].camera
    return f"{camera.width}x{camera.height}"


def _hardware(devices: list[torch.device]) -> dict[str, Any]:
    names = [torch.cuda.get_device_name(d) if d.type == "cuda" else str(d) for d in devices]
    return {
        "devices": names,
        "machine": platform.machine(),
        "python": platform.python_version(),
        "torch": torch.__version__,
    }
