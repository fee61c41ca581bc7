"""Whether a capture fits into memory: said before training, not after ten minutes of it.

What training holds grows with the pixels of its cameras; Gaussians are small beside that. The
figures here are the least that it takes, so that only what is certain to fail is refused.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
from streamstgs.trainer.coarse.background import MEDIAN_SAMPLES
from streamstgs.trainer.config import TrainConfig
from streamstgs.trainer.datasets import Capture
from streamstgs.trainer.datasets.capture import READERS
from streamstgs.trainer.errors import MemoryNeedError
from streamstgs.trainer.gop_plan import gop_lengths

FRAME_BYTES = 3  # of a pixel, in each frame
MASK_BYTES = 9  # of a pixel of each camera in a GOP: what moves (1), is still (4), is empty (4)
WORK_BYTES = 720  # of a pixel of one camera: 30 frames in floats, twice (`dynamic_mask`)
GIB = 2**30
CGROUP_LIMITS = ("memory.max", "memory/memory.limit_in_bytes")


@dataclass(frozen=True)
class MemoryNeed:
    """Least memory of a run, bytes: of each of its devices, and of the host, all in all."""

    device: int
    host: int


def gop_bytes(config: TrainConfig, capture: Capture) -> int:
    """The footage of the longest GOP, as training holds it on its device."""
    frames = max(gop_lengths(capture.frames, config.gop_frames))
    return _training_pixels(capture) * (FRAME_BYTES * frames + MASK_BYTES)


def memory_need(config: TrainConfig, capture: Capture, devices: list[torch.device]) -> MemoryNeed:
    """What one GOP in training takes, and what is read for it."""
    views, lengths = capture.split("train"), gop_lengths(capture.frames, config.gop_frames)
    pixels = views[0].camera.width * views[0].camera.height
    on_device = gop_bytes(config, capture) + WORK_BYTES * pixels
    at_once = max(*lengths, min(capture.frames, MEDIAN_SAMPLES))
    read = min(READERS, len(views)) * FRAME_BYTES * at_once * pixels
    kept = 0
    if config.static.learns_from == "frames":
        held = min(capture.frames, config.static.frames)
        kept = FRAME_BYTES * held * _training_pixels(capture)
    if devices[0].type != "cuda":
        return MemoryNeed(0, max(on_device, kept))
    return MemoryNeed(on_device, max(read * min(len(devices), len(lengths)), kept))


def check_memory(config: TrainConfig, capture: Capture, devices: list[torch.device]) -> None:
    """Raises MemoryNeedError, with figures and the option that helps."""
    need = memory_need(config, capture, devices)
    for device in devices if need.device else []:
        _check(need.device, free_bytes(device), f"of GPU memory, {device}", config, capture)
    _check(need.host, host_free_bytes(), "of memory, this machine", config, capture)


@contextmanager
def told_when_full(capture: Capture) -> Iterator[None]:
    """Where a GPU runs out of memory after all, MemoryNeedError says what can be done."""
    try:
        yield
    except torch.OutOfMemoryError as error:
        height = max(1, capture.split("train")[0].camera.height // 2)
        raise MemoryNeedError(
            "the GPU's memory is full: free some and run the same command again to resume, or "
            f"begin anew with --capture.height-px {height} or fewer --gop-frames"
        ) from error


def free_bytes(device: torch.device) -> int | None:
    """Free memory of a device; None where it cannot be told."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    return host_free_bytes()


def host_free_bytes(system: Path = Path("/")) -> int | None:
    """What a process can still have of this machine's memory (Linux), no more than its container
    may use at all; None where it cannot be told."""
    found = []
    for name in CGROUP_LIMITS:
        limit = _text(system / "sys/fs/cgroup" / name).strip()
        found += [int(limit)] if limit.isdecimal() else []
    for line in _text(system / "proc/meminfo").splitlines():
        if line.startswith("MemAvailable:"):
            found.append(1024 * int(line.split()[1]))
    return min(found, default=None)


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""


def _training_pixels(capture: Capture) -> int:
    return sum(v.camera.width * v.camera.height for v in capture.split("train"))


def _check(
    need: int, free: int | None, of_what: str, config: TrainConfig, capture: Capture
) -> None:
    if free is None or need <= free:
        return
    views = capture.split("train")
    camera, frames = views[0].camera, max(gop_lengths(capture.frames, config.gop_frames))
    parts = math.ceil(math.sqrt(need / max(free, 1)))  # all of it grows with the pixels
    raise MemoryNeedError(
        f"{len(views)} cameras of {camera.width}x{camera.height} px with GOPs of {frames} frames "
        f"take {need / GIB:.1f} GiB {of_what} has {free / GIB:.1f} GiB free: "
        f"--capture.height-px {max(1, camera.height // parts)} takes {need / GIB / parts**2:.1f}"
    )
