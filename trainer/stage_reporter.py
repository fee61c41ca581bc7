"""Reports of a stage after each step: progress, validation and statistics."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from streamstgs.renderer import Gaussians
from streamstgs.trainer.optimization.training_stage import StepRecord
from streamstgs.trainer.progress import TrainingProgress
from streamstgs.trainer.stage_settings import ReportSettings
from streamstgs.trainer.statistics_log import StatisticsLog
from streamstgs.trainer.validation import Validation

LOG_FOLDER = "statistics"


class StageReporter:
    """Reports on one stage.

    Args:
        name: Name of the stage in messages.
        slug: Name of the stage in file names.
        steps: Steps of the stage's schedule.
        folder: The run directory.
        done: Steps made before, by a run that was stopped.
        validation: Held-out images; None leaves validation out.
        gaussians_at: The scene at a frame, for validation.
    """

    def __init__(
        self,
        name: str,
        slug: str,
        steps: int,
        settings: ReportSettings,
        folder: Path,
        device: torch.device,
        done: int = 0,
        validation: Validation | None = None,
        gaussians_at: Callable[[int], Gaussians] | None = None,
    ) -> None:
        self.settings, self.steps = settings, steps
        self.validation, self.gaussians_at = validation, gaussians_at
        self.progress = TrainingProgress(name, steps, device, done)
        self.log: StatisticsLog | None = None
        if settings.log is not None:
            self.log = StatisticsLog.opened(settings.log, folder / LOG_FOLDER, slug, done)

    def add(self, record: StepRecord) -> None:
        """Report a step where a report is due; the loss is read only then."""
        step, settings = record.iteration, self.settings
        due = step % settings.report_every == 0
        figures = self._validated() if due and step % settings.validate_every == 0 else None
        if self.log is not None:
            self.log.add(record, figures)
            if step == self.steps:
                self.log.flush()
        if due:
            said = self.validation.in_words(figures) if self.validation and figures else None
            self.progress.report(step, record.loss.item(), said)

    def flush(self) -> None:
        """Write the statistics so far; before a checkpoint, which a resumed run goes on from."""
        if self.log is not None:
            self.log.flush()

    def _validated(self) -> dict[str, float] | None:
        if self.validation is None or self.gaussians_at is None:
            return None
        return self.validation.measure(self.gaussians_at)
