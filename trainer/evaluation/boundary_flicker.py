"""Boundary flicker: how much static pixels change from one GOP to the next.

Pixels that are static in the recording should not change from frame to frame. Boundary flicker is
their mean change across GOP boundaries, divided by that inside GOPs; 1 means that a boundary cannot
be told from any other frame.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

STEPS = 255  # changes are told in steps of 8-bit pictures


@dataclass(frozen=True)
class BoundaryFlickerConfig:
    """What counts as static, and as change.

    Args:
        static_deviation: temporal standard deviation (0..1) of the recorded pictures below which
            a pixel is static: above their noise, below what a person takes for motion.
        least_change: steps of 8 bits; smaller mean changes count as this, so that a picture that
            stands still has a flicker of 1.
    """

    static_deviation: float = 0.012
    least_change: float = 0.005


@dataclass
class ChangeMaps:
    """Sums of the frame-to-frame change of one camera, [H, W], inside GOPs and across them."""

    sums: dict[bool, Tensor] = field(default_factory=dict)
    counts: dict[bool, int] = field(default_factory=lambda: {False: 0, True: 0})
    last_frame: int | None = None
    last: Tensor | None = None

    def add(self, frame: int, picture: Tensor, starts: frozenset[int]) -> None:
        """`picture` [H, W, 3] in 0..1; only pairs of consecutive frames count."""
        if self.last is not None and self.last_frame == frame - 1:
            change = (picture - self.last).abs().mean(dim=-1)
            across = frame in starts
            self.sums[across] = self.sums[across] + change if across in self.sums else change
            self.counts[across] += 1
        self.last_frame, self.last = frame, picture

    @property
    def complete(self) -> bool:
        return all(self.counts.values())

    def means(self, mask: Tensor) -> tuple[float, float]:
        """Mean change on the pixels of a mask inside GOPs and across them, steps of 8 bits."""
        inside, across = (
            self.sums[k][mask].mean().item() * STEPS / self.counts[k] for k in (False, True)
        )
        return inside, across


@dataclass
class TemporalDeviation:
    """Running standard deviation of the recorded pictures of one camera."""

    count: int = 0
    total: Tensor | None = None
    squares: Tensor | None = None

    def add(self, picture: Tensor) -> None:
        self.count += 1
        self.total = picture.clone() if self.total is None else self.total + picture
        square = picture.square()
        self.squares = square if self.squares is None else self.squares + square

    def static(self, deviation: float) -> Tensor:
        """[H, W] bool: no channel varies more than `deviation`."""
        assert self.total is not None
        assert self.squares is not None
        mean = self.total / self.count
        variance = self.squares / self.count - mean.square()
        return variance.amax(dim=-1) < deviation**2


class BoundaryFlickerMeter:
    """Fed with the pictures of still cameras in the order of time.

    Args:
        starts: first frames of the GOPs; the one at 0 is no boundary.
    """

    def __init__(self, starts: Iterable[int], config: BoundaryFlickerConfig | None = None) -> None:
        self.config = config or BoundaryFlickerConfig()
        self._starts = frozenset(starts) - {0}
        self._changes: dict[tuple[int | None, str], ChangeMaps] = {}
        self._deviations: dict[str, TemporalDeviation] = {}

    def add_recorded(self, camera: str, frame: int, picture: Tensor) -> None:
        """A recorded picture [H, W, 3] in 0..1; before the drawn ones of this frame."""
        self._deviations.setdefault(camera, TemporalDeviation()).add(picture)
        self._maps(None, camera).add(frame, picture, self._starts)

    def add_drawn(self, qp: int, camera: str, frame: int, picture: Tensor) -> None:
        """The picture that was drawn of it at a quality, not clipped or rounded."""
        self._maps(qp, camera).add(frame, picture, self._starts)

    def figures(self, qp: int) -> dict[str, Any] | None:
        """Boundary flicker of a quality over all cameras with a boundary; None without one.

        Returns:
            ratio, inside and across (steps of 8 bits), recorded_ratio (the same of the recorded
            pictures: 1 but for noise), static_share of the pixels, per_camera ratios.
        """
        cameras = [c for r, c in self._changes if r == qp and self._maps(r, c).complete]
        cameras = [c for c in cameras if self._static(c).any()]
        if not cameras:
            return None
        drawn = {c: self._maps(qp, c).means(self._static(c)) for c in cameras}
        recorded = [self._maps(None, c).means(self._static(c)) for c in cameras]
        inside, across = _mean_pair(list(drawn.values()))
        return {
            "ratio": self._ratio(inside, across),
            "inside": inside,
            "across": across,
            "recorded_ratio": self._ratio(*_mean_pair(recorded)),
            "static_share": sum(self._static(c).float().mean().item() for c in cameras)
            / len(cameras),
            "per_camera": {c: self._ratio(*pair) for c, pair in drawn.items()},
        }

    def _ratio(self, inside: float, across: float) -> float:
        least = self.config.least_change
        return max(across, least) / max(inside, least)

    def _static(self, camera: str) -> Tensor:
        return self._deviations[camera].static(self.config.static_deviation)

    def _maps(self, qp: int | None, camera: str) -> ChangeMaps:
        return self._changes.setdefault((qp, camera), ChangeMaps())


def _mean_pair(pairs: list[tuple[float, float]]) -> tuple[float, float]:
    inside, across = torch.tensor(pairs, dtype=torch.float64).mean(dim=0).tolist()
    return inside, across
