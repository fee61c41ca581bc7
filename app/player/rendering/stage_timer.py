"""Times of the stages of a frame, on the host or on a CUDA device, without waiting in between."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import torch


class StageTimer:
    """Marks the ends of stages; `laps_ms` reads all of them at once.

    On CUDA the marks are events in the current stream, so that measuring does not slow down what
    it measures: the host waits once, when the laps are read.
    """

    def __init__(self, device: torch.device) -> None:
        self._cuda = device.type == "cuda"
        self._laps: list[list[Any]] = []

    def start(self) -> None:
        """A new lap begins."""
        self._laps.append([self._now()])

    def mark(self) -> None:
        """A stage of the lap ends."""
        self._laps[-1].append(self._now())

    def laps_ms(self) -> list[list[float]]:
        """For each stage the times of all laps."""
        if self._cuda:
            torch.cuda.synchronize()
        spans = [[self._span_ms(a, b) for a, b in pairwise(lap)] for lap in self._laps]
        return [list(stage) for stage in zip(*spans, strict=True)]

    def _now(self) -> Any:
        if not self._cuda:
            return time.perf_counter()
        event = torch.cuda.Event(enable_timing=True)
        event.record()
        return event

    def _span_ms(self, start: Any, end: Any) -> float:
        return float(start.elapsed_time(end) if self._cuda else 1000.0 * (end - start))


class DeviceFence:
    """Waits for the drawing before the last one, as swapping buffers does on a display.

    So the host runs at most one picture ahead of the device, and queues cannot grow.
    """

    def __init__(self, device: torch.device) -> None:
        self._cuda = device.type == "cuda"
        self._last: Any = None

    def swap(self) -> None:
        if not self._cuda:
            return
        if self._last is not None:
            self._last.synchronize()
        self._last = torch.cuda.Event()
        self._last.record()


def summary(values: Sequence[float]) -> dict[str, float]:
    """Median and 95th percentile."""
    ordered = sorted(values)
    return {
        "median": statistics.median(ordered),
        "p95": ordered[min(int(0.95 * len(ordered)), len(ordered) - 1)],
    }
