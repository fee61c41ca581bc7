"""Memory that a capture needs; training that is certain to run out of it is refused at once.

Training views grow with the pixels of the cameras; Gaussians are small beside them. The figures
here are lower bounds.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
from streamstgs.trainer.coarse.temporal_median import MEDIAN_SAMPLES
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
    """Least memory of a run in bytes: on each of its devices, and on the host in all."""

    device: int
    host: int


def gop_bytes(capture: Capture, gop_frames: int) -> int:
    """Size of the training views of the longest GOP on its device.

    Args:
        gop_frames: Largest number of frames of a GOP.
    """
    frames = max(gop_lengths(capture.frames, gop_frames))
    return _training_pixels(capture) * (FRAME_BYTES * frames + MASK_BYTES)


def memory_need(
    capture: Capture, gop_frames: int, coarse_frames: int, devices: list[torch.device]
) -> MemoryNeed:
    """Memory of one GOP in training, and of reading its frames.

    Args:
        gop_frames: Largest number of frames of a GOP.
        coarse_frames: Frames that the coarse stage holds; 0 where it learns from medians.
    """
    views, lengths = capture.split("train"), gop_lengths(capture.frames, gop_frames)
    pixels = max(v.camera.width * v.camera.height for v in views)
    on_device = gop_bytes(capture, gop_frames) + WORK_BYTES * pixels
    at_once = max(*lengths, min(capture.frames, MEDIAN_SAMPLES))
    read = min(READERS, len(views)) * FRAME_BYTES * at_once * pixels
    kept = FRAME_BYTES * min(capture.frames, coarse_frames) * _training_pixels(capture)
    if devices[0].type != "cuda":
        return MemoryNeed(0, max(on_device, kept))
    return MemoryNeed(on_device, max(read * min(len(devices), len(lengths)), kept))


def check_memory(
    capture: Capture, gop_frames: int, coarse_frames: int, devices: list[torch.device]
) -> None:
    """Raises MemoryNeedError, with figures and the option that helps; arguments as those of
    `memory_need`."""
    need = memory_need(capture, gop_frames, coarse_frames, devices)
    for device in devices if need.device else []:
        _check(need.device, free_bytes(device), f"of GPU memory, {device}", gop_frames, capture)
    _check(need.host, host_free_bytes(), "of memory, this machine", gop_frames, capture)


@contextmanager
def out_of_memory_guard(capture: Capture) -> Iterator[None]:
    """Turns a GPU's out-of-memory error into a MemoryNeedError that says what helps."""
    try:
        yield
    except torch.OutOfMemoryError as error:
        height = max(1, capture.split("train")[0].camera.height // 2)
        raise MemoryNeedError(
            "the GPU's memory is full: free some and run the same command again to resume, or "
            f"begin anew with --capture.height-px {height} or fewer --gop-frames"
        ) from error


def free_bytes(device: torch.device) -> int | None:
    """Free memory of a device in bytes; None where it is not known."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    return host_free_bytes()


def host_free_bytes(system: Path = Path("/")) -> int | None:
    """Memory in bytes that a process can still get on this machine (Linux), at most the limit of
    its container; None where it is not known."""
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


def _check(need: int, free: int | None, of_what: str, gop_frames: int, capture: Capture) -> None:
    if free is None or need <= free:
        return
    views = capture.split("train")
    camera, frames = views[0].camera, max(gop_lengths(capture.frames, gop_frames))
    parts = math.ceil(math.sqrt(need / max(free, 1)))  # all of it grows with the pixels
    raise MemoryNeedError(
        f"{len(views)} cameras of {camera.width}x{camera.height} px with GOPs of {frames} frames "
        f"take {need / GIB:.1f} GiB {of_what} has {free / GIB:.1f} GiB free: "
        f"--capture.height-px {max(1, camera.height // parts)} takes {need / GIB / parts**2:.1f}"
    )
