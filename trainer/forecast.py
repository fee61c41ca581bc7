"""What a training run needs of memory and disk, told before it begins."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import torch
from streamstgs.renderer import FieldConfig
from streamstgs.trainer.config import TrainConfig
from streamstgs.trainer.datasets import Capture
from streamstgs.trainer.errors import RunError
from streamstgs.trainer.gop_plan import gop_lengths
from streamstgs.trainer.memory import GIB, MemoryNeed, free_bytes, host_free_bytes, memory_need
from streamstgs.trainer.windows import window_lengths

FLOAT_BYTES = 4
HALF_BYTES = 2
ADAM_COPIES = 3  # a checkpoint has each parameter and its two moments
CANONICAL_NUMBERS = 19  # of a Gaussian: 14 of its shape and colour, 5 of its trajectory
MEDIAN_BYTES = 7  # of a pixel of each camera: colour, and reliability as a float
STATIC_NUMBERS = 14


@dataclass(frozen=True)
class Forecast:
    """What a run will need, in bytes.

    Args:
        gops: Number of GOPs.
        frames: Content frames.
        memory: At the least, on each device and on the host.
        result_bytes: Of the run directory once it is finished, at most.
        checkpoint_bytes: Of the checkpoints while GOPs are trained, at most.
    """

    gops: int
    frames: int
    memory: MemoryNeed
    result_bytes: int
    checkpoint_bytes: int

    @property
    def disk_bytes(self) -> int:
        """What the disk of the run has to have free."""
        return self.result_bytes + self.checkpoint_bytes


def forecast(config: TrainConfig, capture: Capture, devices: list[torch.device]) -> Forecast:
    """Return what a run will need; disk space is that of the largest numbers of Gaussians.

    Args:
        devices: Those that train GOPs at the same time.
    """
    lengths = [
        length
        for window in window_lengths(capture.frames, config.window_frames)
        for length in gop_lengths(window, config.gop_frames)
    ]
    gop = config.gop
    moving = max(gop.init_count, gop.density.cap_max or 0)
    static = config.coarse.density.cap_max
    shape = FieldConfig(features=gop.features, window=gop.window, width=gop.width)
    field_bytes = FLOAT_BYTES * shape.multiplications * 2
    features = [(frames + gop.window - 1) * gop.features for frames in lengths]
    results = sum(
        moving * (CANONICAL_NUMBERS * FLOAT_BYTES + HALF_BYTES * count) + field_bytes
        for count in features
    )
    pixels = sum(view.camera.width * view.camera.height for view in capture.views)
    windows = len(window_lengths(capture.frames, config.window_frames))
    shared = windows * (MEDIAN_BYTES * pixels + 3 * static * STATIC_NUMBERS * FLOAT_BYTES)
    checkpoint = moving * FLOAT_BYTES * (CANONICAL_NUMBERS + max(features)) * ADAM_COPIES
    return Forecast(
        len(lengths),
        capture.frames,
        memory_need(capture, config.gop_frames, config.coarse.frames_held, devices),
        results + shared,
        min(len(devices), len(lengths)) * (checkpoint + field_bytes),
    )


def check_disk(need: Forecast, out: Path) -> None:
    """Raise RunError where the disk of a run has less room than its finished results may take."""
    free = disk_free_bytes(out)
    if need.disk_bytes > free:
        raise RunError(
            f"The run may take {need.disk_bytes / GIB:.1f} GiB, {out} has {free / GIB:.1f} GiB: "
            "make room, or choose another folder"
        )


def disk_free_bytes(out: Path) -> int:
    """Return the free space of the disk that a path will be on, in bytes."""
    there = next(path for path in (out, *out.absolute().parents) if path.exists())
    return shutil.disk_usage(there).free


def in_words(need: Forecast, out: Path, devices: list[torch.device]) -> str:
    """Return the forecast as lines for a person."""
    lines = [f"{need.frames} frames in {need.gops} GOPs, on {len(devices)} device(s)"]
    free = free_bytes(devices[0])
    if need.memory.device:
        lines.append(f"memory of each GPU: at least {need.memory.device / GIB:.1f} GiB{_of(free)}")
    host = host_free_bytes()
    lines.append(f"memory of the machine: at least {need.memory.host / GIB:.1f} GiB{_of(host)}")
    lines.append(
        f"disk: at most {need.disk_bytes / GIB:.2f} GiB, {need.checkpoint_bytes / GIB:.2f} of it "
        f"until the end{_of(disk_free_bytes(out))}"
    )
    return "\n".join(lines)


def _of(free: int | None) -> str:
    return "" if free is None else f"; {free / GIB:.1f} GiB are free"
