"""What training says while it works: step, loss, time left, held-out PSNR, peak memory."""

from __future__ import annotations

import logging
import time

import torch

log = logging.getLogger("trainer")


class Progress:
    """Reports on one stage."""

    def __init__(self, stage: str, steps: int, done: int = 0) -> None:
        self.stage, self.steps, self.done = stage, steps, done
        self.started_s = time.monotonic()

    def report(self, step: int, loss: float, held_out_psnr: float | None = None) -> None:
        spent_s = time.monotonic() - self.started_s
        left_s = spent_s / max(step - self.done, 1) * (self.steps - step)
        watched = "" if held_out_psnr is None else f"  held-out {held_out_psnr:.2f} dB"
        memory = (
            f"  {torch.cuda.max_memory_allocated() / 2**30:.1f} GiB" * torch.cuda.is_available()
        )
        log.info(
            "%s  %d/%d  loss %.4f%s  %.0f s, %.0f s left%s",
            self.stage, step, self.steps, loss, watched, spent_s, left_s, memory,
        )  # fmt: skip
