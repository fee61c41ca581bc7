"""Measures the stages of frames, on the host or on a CUDA device, without waiting in between."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import torch


class StageTimer:
    """Marks the ends of the stages of each frame; `laps_ms` reads all times at once.

    On CUDA the marks are events in the current stream, so that measuring does not slow down
    rendering: the host waits once, when the times are read.
    """

    def __init__(self, device: torch.device) -> None:
        self._cuda = device.type == "cuda"
        self._laps: list[list[Any]] = []

    def start(self) -> None:
        """Begin a frame."""
        self._laps.append([self._now()])

    def mark(self) -> None:
        """End a stage of the frame."""
        self._laps[-1].append(self._now())

    def laps_ms(self) -> list[list[float]]:
        """The times of all frames, for each stage."""
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
    """Waits for the frame before the last one, as swapping buffers does on a display.

    The host runs at most one frame ahead of the device, and its queue cannot grow.
    """

    def __init__(self, device: torch.device) -> None:
        self._cuda = device.type == "cuda"
        self._last: Any = None

    def swap(self) -> None:
        """End a frame, and wait for the end of the one before."""
        if not self._cuda:
            return
        if self._last is not None:
            self._last.synchronize()
        self._last = torch.cuda.Event()
        self._last.record()


PARTS = 5  # of a series, whose medians tell its noise


def summary(values: Sequence[float]) -> dict[str, float]:
    """The median, the 95th and the 99th percentile, and the noise of the median.

    `noise` is half of the range of the medians of five parts of the series: how much the figure
    depends on when it was taken. Of fewer than ten values it is half of their range.
    """
    ordered = sorted(values)
    medians = [statistics.median(part) for part in _parts(values)]
    return {
        "median": statistics.median(ordered),
        "p95": ordered[min(int(0.95 * len(ordered)), len(ordered) - 1)],
        "p99": ordered[min(int(0.99 * len(ordered)), len(ordered) - 1)],
        "noise": (max(medians) - min(medians)) / 2,
    }


def _parts(values: Sequence[float]) -> list[Sequence[float]]:
    """The series in five parts of consecutive values, or value by value if it is short."""
    if len(values) < 2 * PARTS:
        return [[value] for value in values]
    edges = [len(values) * part // PARTS for part in range(PARTS + 1)]
    return [values[first:last] for first, last in pairwise(edges)]
