"""The fine stage of a run, for one GOP: begun or resumed, trained, written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from streamstgs.renderer import CanonicalGaussians, Gaussians, RenderSettings
from streamstgs.trainer.coarse.temporal_median import TemporalMedian
from streamstgs.trainer.datasets import Capture, open_capture
from streamstgs.trainer.fine.stage import GopTraining, train_gop
from streamstgs.trainer.fine.start import GopStart, gop_start
from streamstgs.trainer.fine.training_views import GopViews, gop_views
from streamstgs.trainer.gop_plan import frames_of
from streamstgs.trainer.optimization.training_stage import StepRecord
from streamstgs.trainer.parallel import make_current
from streamstgs.trainer.progress import log
from streamstgs.trainer.rng import Rng
from streamstgs.trainer.run_directory import RunDirectory, load_checkpoint, save_checkpoint
from streamstgs.trainer.stage_reporter import StageReporter
from streamstgs.trainer.stage_settings import GopStageSettings
from streamstgs.trainer.training_record import Stopwatch
from streamstgs.trainer.validation import Validation


def train_one_gop(settings: GopStageSettings, index: int, device: torch.device) -> None:
    """Fine stage of one GOP, resumed from its checkpoint if there is one."""
    make_current(device)
    run = RunDirectory(settings.out)
    stopwatch = Stopwatch(run.gop_path(index).stem, device)
    capture = open_capture(settings.data, settings.capture)
    task = GopTask(settings, capture, run, index, device)
    training = task.begun(stopwatch)
    validation = task.validation()
    trained = train_gop(training, _reporting(task, training, validation, stopwatch))
    final = validation.in_words(validation.measure(training.gaussians_at))
    log.info("GOP %d: %d moving Gaussians, %s", index, len(trained.canonical), final)
    run.write_stage(stopwatch.record())
    run.write_gop(index, trained)


@dataclass(frozen=True)
class GopTask:
    """One GOP that a run has to train, and the device that does it."""

    settings: GopStageSettings
    capture: Capture
    run: RunDirectory
    index: int
    device: torch.device

    def begun(self, stopwatch: Stopwatch) -> GopTraining:
        """The training as its checkpoint left it, with the time it took so far, or a new one."""
        split = self.settings.static_split
        layer = (self.run.read_static() if split else self.run.read_coarse()).to(self.device)
        checkpoint = self.run.checkpoint_path(self.index)
        if not checkpoint.exists():
            return self.new(layer)
        state = load_checkpoint(checkpoint, self.device)
        _, views = self._training_views()
        training = self._training(GopStart.of_checkpoint(state), layer, views, self._rng())
        training.load_state_dict(state)
        stopwatch.before_s = state["spent_s"]
        log.info("GOP %d goes on at step %d", self.index, training.iteration)
        return training

    def new(self, layer: CanonicalGaussians) -> GopTraining:
        """The training before its first step; `layer` is static, or, without a split, moves."""
        medians, views = self._training_views()
        rng = self._rng()
        start = gop_start(views, medians, layer, self.capture, self.settings.start, rng)
        return self._training(start, layer, views, rng)

    def validation(self) -> Validation:
        """Frames of the GOP by the held-out cameras."""
        meta, lengths = self.run.read_plan()
        frames, settings = (
            frames_of(lengths, self.index),
            RenderSettings(meta.background, meta.near),
        )
        medians = self.run.read_medians()
        return Validation.of_frames(self.capture, frames, settings, self.device, medians)

    def _training_views(self) -> tuple[list[TemporalMedian], GopViews]:
        """The temporal medians of the training cameras, and their frames of the GOP."""
        meta, lengths = self.run.read_plan()
        known = self.run.read_medians()
        medians = [known[v.name].to(self.device) for v in self.capture.split("train")]
        views = gop_views(
            self.capture, frames_of(lengths, self.index), medians,
            self.run.read_color_corrections(), meta.near, self.settings.background,
            self.settings.gop.dynamic_density, self.device,
        )  # fmt: skip
        return medians, views

    def _training(
        self, start: GopStart, layer: CanonicalGaussians, views: GopViews, rng: Rng
    ) -> GopTraining:
        split = self.settings.static_split
        static = layer.activate() if split else Gaussians.empty(self.device)
        scale, with_norms = self.capture.camera_distance, self.settings.reports.with_gradient_norms
        return GopTraining(start, static, views, scale, self.settings.gop, rng, with_norms)

    def _rng(self) -> Rng:
        return Rng(self.settings.seed + 1 + self.index, self.device)


def _reporting(
    task: GopTask, training: GopTraining, validation: Validation, stopwatch: Stopwatch
) -> Callable[[GopTraining, StepRecord], None]:
    """Reports the steps of a GOP and keeps checkpoints."""
    settings, checkpoint = task.settings, task.run.checkpoint_path(task.index)
    reporter = StageReporter(
        f"GOP {task.index}", task.run.gop_path(task.index).stem, training.iterations,
        settings.reports, task.run.path, task.device, training.iteration, validation,
        training.gaussians_at,
    )  # fmt: skip

    def report(training: GopTraining, record: StepRecord) -> None:
        reporter.add(record)
        if record.iteration % settings.checkpoint_every == 0:
            reporter.flush()
            save_checkpoint(checkpoint, training.state_dict() | {"spent_s": stopwatch.spent_s})

    return report
