"""Which frame of a GOP a training step takes: any, one with a large error, or one at a boundary.

Where frames are drawn evenly, a frame in which things are fast has as many steps as one at rest.
The first and the last frames meet those of the neighbouring GOPs, which are trained apart: what
each leaves wrong there flickers. They learn less, too: a Gaussian is seen for a few frames, and the
steps at all of these teach it, but at an end of the GOP half of them are missing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from streamstgs.trainer.rng import Rng
from streamstgs.trainer.setting_checks import Count, Share, check_ranges, require
from torch import Tensor

KEPT = 0.7  # of the error that a frame had before, when a step has measured it again
READ_EVERY = 50  # steps between readings of the errors, for which a GPU must be waited for


@dataclass(frozen=True)
class SamplingConfig:
    """How the frames of the steps are drawn.

    Args:
        error_share: Share of the steps whose frame is drawn in proportion to the error that frames
            had when they were drawn last.
        boundary_share: Share of the steps that take one of the first or last frames of the GOP, the
            nearer to its end the more often.
        boundary_frames: Number of frames at each end that count for it.
    """

    error_share: Share = 0.0
    boundary_share: Share = 0.0
    boundary_frames: Count = 4

    def __post_init__(self) -> None:
        check_ranges(self, "gop.sampling")
        together = self.error_share + self.boundary_share
        require(together <= 1, "gop.sampling.error_share", self.error_share,
                "at most 1 together with gop.sampling.boundary_share")  # fmt: skip


class FrameSampler:
    """Draws the frames of one GOP.

    Args:
        count: Number of frames.
    """

    def __init__(self, count: int, config: SamplingConfig, device: torch.device) -> None:
        self.count, self.config = count, config
        self._errors = torch.zeros(count, device=device)  # 0 where a frame was never drawn
        self._cumulative = torch.ones(count).cumsum(dim=0)  # on the host
        self._added = 0

    def draw(self, rng: Rng) -> int:
        """The frame of the next step."""
        config = self.config
        if config.error_share + config.boundary_share == 0:
            return rng.integer(self.count)
        chosen = rng.share()
        if chosen < config.boundary_share:
            near = min(config.boundary_frames, self.count)
            inward = min(rng.integer(near), rng.integer(near))
            return self.count - 1 - inward if rng.integer(2) else inward
        if chosen < config.boundary_share + config.error_share:
            point = rng.share() * float(self._cumulative[-1])
            return min(int(torch.searchsorted(self._cumulative, point)), self.count - 1)
        return rng.integer(self.count)

    def add(self, frame: int, error: Tensor) -> None:
        """Note the error [] of a step at a frame."""
        if self.config.error_share == 0:
            return
        before = self._errors[frame]
        mixed = torch.lerp(error.detach(), before, KEPT)
        self._errors[frame] = torch.where(before > 0, mixed, error.detach())
        self._added += 1
        if self._added % READ_EVERY == 0:
            self._read()

    def _read(self) -> None:
        """Frames that were never drawn count as the worst."""
        errors = self._errors.cpu()
        errors = torch.where(errors > 0, errors, errors.max()).clamp(min=1e-9)
        self._cumulative = errors.cumsum(dim=0)

    def state_dict(self) -> dict[str, Any]:
        return {"errors": self._errors, "cumulative": self._cumulative, "added": self._added}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._errors, self._added = state["errors"], state["added"]
        self._cumulative = state["cumulative"].cpu()
