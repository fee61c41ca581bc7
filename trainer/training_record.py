"""Cost of a run, stage by stage, and its settings: `training.json` of a run."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from streamstgs.trainer.progress import peak_memory_gib

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

FREE_TO_CHANGE = {
    "data", "out", "device", "report_every", "validate_every", "checkpoint_every", "log",
    "log_gradients",
}  # fmt: skip


@dataclass(frozen=True)
class StageRecord:
    """Cost of a stage.

    Args:
        stage: "coarse", "joint" or "gop-0000".
        seconds: Time on its device, that before a kill included.
        peak_memory_gib: Most memory of the device in torch tensors; None without CUDA.
        device: Name of the device.
    """

    stage: str
    seconds: float
    peak_memory_gib: float | None
    device: str


class Stopwatch:
    """Measures one stage on one device; `before_s` was spent on it by a run that was stopped."""

    def __init__(self, stage: str, device: torch.device) -> None:
        self.stage, self.device, self.before_s = stage, device, 0.0
        self.started_s = time.monotonic()
        if device.type == "cuda":
            torch.cuda.init()
            torch.cuda.reset_peak_memory_stats(device)

    @property
    def spent_s(self) -> float:
        return self.before_s + time.monotonic() - self.started_s

    def record(self) -> StageRecord:
        peak, name = peak_memory_gib(self.device), str(self.device)
        if self.device.type == "cuda":
            name = torch.cuda.get_device_name(self.device)
        return StageRecord(self.stage, self.spent_s, peak, name)


def summary(settings: Mapping[str, Any], records: list[StageRecord], frames: int) -> dict[str, Any]:
    """The document of `training.json`; seconds are summed over all devices.

    Args:
        settings: Settings of the run as `plain_settings` gives them.
    """
    seconds = sum(r.seconds for r in records)
    peaks = [r.peak_memory_gib for r in records if r.peak_memory_gib is not None]
    return {
        "frames": frames,
        "seconds": seconds,
        "seconds_per_frame": seconds / frames,
        "peak_memory_gib": max(peaks, default=None),
        "devices": sorted({r.device for r in records}),
        "seed": settings["seed"],
        "stages": [asdict(r) for r in records],
        "config": dict(settings),
    }


def plain_settings(settings: DataclassInstance) -> dict[str, Any]:
    """A dataclass of settings as JSON values."""
    plain: dict[str, Any] = _plain(asdict(settings))
    return plain


def changed_settings(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """The settings that differ between a run and those it is resumed with, in words."""
    before, after = dict(_flat(old)), dict(_flat(new))
    return [
        f"{name}: {before.get(name)} -> {after.get(name)}"
        for name in sorted(before.keys() | after.keys())
        if before.get(name) != after.get(name) and name not in FREE_TO_CHANGE
    ]


def unknown_settings(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Names of a run's settings that this version does not have."""
    return sorted(dict(_flat(old)).keys() - dict(_flat(new)).keys())


def _flat(settings: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in settings.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, tuple):
        return [_plain(part) for part in value]
    return str(value) if isinstance(value, Path) else value
