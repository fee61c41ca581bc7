"""What training says while it works: step, loss, time left, held-out PSNR, peak memory."""

from __future__ import annotations

import logging
import math
import time

import torch
from streamstgs.trainer.errors import TrainerError

log = logging.getLogger("streamstgs.trainer")


class TrainingProgress:
    """Reports on one stage."""

    def __init__(
        self,
        stage: str,
        steps: int,
        device: torch.device,
        done: int = 0,
        watched: str = "held-out",
    ) -> None:
        """`done` steps were made before, by a run that was stopped; `watched` is the camera that
        the PSNR is of."""
        self.stage, self.steps, self.device, self.done = stage, steps, device, done
        self.watched = watched
        self.started_s = time.monotonic()

    def report(self, step: int, loss: float, watched_psnr: float | None = None) -> None:
        """Raises TrainerError once the loss is not finite: nothing good comes after that."""
        if not math.isfinite(loss):
            raise TrainerError(f"{self.stage}: the loss is {loss} at step {step}")
        spent_s = time.monotonic() - self.started_s
        left_s = spent_s / max(step - self.done, 1) * (self.steps - step)
        watched = "" if watched_psnr is None else f"  {self.watched} {watched_psnr:.2f} dB"
        peak = peak_memory_gib(self.device)
        memory = "" if peak is None else f"  {peak:.1f} GiB"
        log.info(
            "%s  %d/%d  loss %.4f%s  %.0f s, %.0f s left%s",
            self.stage, step, self.steps, loss, watched, spent_s, left_s, memory,
        )  # fmt: skip


def peak_memory_gib(device: torch.device) -> float | None:
    """Most memory that torch held on a CUDA device since the stage began; None elsewhere."""
    if device.type != "cuda":
        return None
    return torch.cuda.max_memory_allocated(device) / 2**30
