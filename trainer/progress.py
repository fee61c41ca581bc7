"""Messages of training: step, loss, time left, validation, peak memory."""

from __future__ import annotations

import logging
import math
import time

import torch
from streamstgs.trainer.errors import TrainerError

log = logging.getLogger("streamstgs.trainer")


class TrainingProgress:
    """Logs the progress of one stage.

    Args:
        stage: Name of the stage.
        steps: Steps of its schedule.
        done: Steps made before, by a run that was stopped.
    """

    def __init__(self, stage: str, steps: int, device: torch.device, done: int = 0) -> None:
        self.stage, self.steps, self.device, self.done = stage, steps, device, done
        self.started_s = time.monotonic()

    def report(self, step: int, loss: float, validation: str | None = None) -> None:
        """Log one line.

        Args:
            validation: Figures of a validation in words.

        Raises:
            TrainerError: The loss is not finite; training cannot recover from that.
        """
        if not math.isfinite(loss):
            raise TrainerError(f"{self.stage}: the loss is {loss} at step {step}")
        spent_s = time.monotonic() - self.started_s
        left_s = spent_s / max(step - self.done, 1) * (self.steps - step)
        quality = "" if validation is None else f"  {validation}"
        peak = peak_memory_gib(self.device)
        memory = "" if peak is None else f"  {peak:.1f} GiB"
        log.info(
            "%s  %d/%d  loss %.4f%s  %.0f s, %.0f s left%s",
            self.stage, step, self.steps, loss, quality, spent_s, left_s, memory,
        )  # fmt: skip


def peak_memory_gib(device: torch.device) -> float | None:
    """Most memory that torch held on a CUDA device since the stage began; None elsewhere."""
    if device.type != "cuda":
        return None
    return torch.cuda.max_memory_allocated(device) / 2**30
