"""Figures of moving pixels over the images of an evaluation: mean, percentile and worst."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import torch
from streamstgs.trainer.moving_pixels import MovingQuality

WORST_SHARE = 0.1  # the percentile that is told beside the mean


class HasMovingQuality(Protocol):
    """A reading that `moving_figures` can sum up."""

    @property
    def camera(self) -> str: ...
    @property
    def frame(self) -> int: ...
    @property
    def moving(self) -> MovingQuality | None: ...


def moving_figures(
    readings: Sequence[HasMovingQuality], gop_starts: Sequence[int]
) -> dict[str, Any]:
    """The figures of one split at one quality; None where nothing moves.

    Args:
        gop_starts: first frame of each GOP.
    """
    found = [r for r in readings if r.moving is not None and r.moving.psnr is not None]
    shares = [r.moving.share for r in readings if r.moving is not None]
    worst = min(found, key=_psnr_of, default=None)
    cameras = list(dict.fromkeys(r.camera for r in readings))
    ends = [*gop_starts[1:], max((r.frame for r in readings), default=0) + 1]
    return {
        "moving_psnr": _mean([_psnr_of(r) for r in found]),
        "moving_psnr_p10": _percentile([_psnr_of(r) for r in found], WORST_SHARE),
        "moving_psnr_worst": None
        if worst is None
        else {"value": _psnr_of(worst), "frame": worst.frame, "camera": worst.camera},
        "moving_ssim": _mean([r.moving.ssim for r in found if r.moving]),
        "moving_share": _mean(shares),
        "moving_per_camera": {
            c: _mean([_psnr_of(r) for r in found if r.camera == c]) for c in cameras
        },
        "moving_per_gop": [
            _mean([_psnr_of(r) for r in found if start <= r.frame < end])
            for start, end in zip(gop_starts, ends, strict=True)
        ],
    }


def _psnr_of(reading: HasMovingQuality) -> float:
    assert reading.moving is not None
    assert reading.moving.psnr is not None
    return reading.moving.psnr


def _mean(values: Sequence[float | None]) -> float | None:
    known = torch.tensor([v for v in values if v is not None], dtype=torch.float64)
    return known.mean().item() if len(known) else None


def _percentile(values: Sequence[float], share: float) -> float | None:
    """The value that `share` of the values are no higher than, interpolated."""
    if not values:
        return None
    return torch.tensor(values, dtype=torch.float64).quantile(share).item()
