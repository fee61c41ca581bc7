"""The fine stage of a run, for one GOP: begun or resumed, trained, written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from streamstgs.renderer import CanonicalGaussians, Gaussians, RenderSettings
from streamstgs.trainer.coarse.temporal_median import TemporalMedian
from streamstgs.trainer.datasets import Capture, open_capture
from streamstgs.trainer.fine.collapse import ATTEMPTS, GopCollapsedError, gentler
from streamstgs.trainer.fine.collapse import check as check_health
from streamstgs.trainer.fine.config import GopConfig
from streamstgs.trainer.fine.moving_start import moving_pixels
from streamstgs.trainer.fine.stage import GopTraining, train_gop
from streamstgs.trainer.fine.start import GopStart, gop_start
from streamstgs.trainer.fine.training_views import GopViews, gop_views
from streamstgs.trainer.gop_plan import frames_of
from streamstgs.trainer.moving_pixels import MOVING_PSNR
from streamstgs.trainer.optimization.training_stage import StepRecord
from streamstgs.trainer.parallel import make_current
from streamstgs.trainer.progress import log
from streamstgs.trainer.rng import Rng
from streamstgs.trainer.run_directory import RunDirectory, load_checkpoint, save_checkpoint
from streamstgs.trainer.stage_reporter import StageReporter
from streamstgs.trainer.stage_settings import GopStageSettings
from streamstgs.trainer.training_record import Stopwatch
from streamstgs.trainer.validation import PSNR, Validation


def train_one_gop(settings: GopStageSettings, index: int, device: torch.device) -> None:
    """Fine stage of one GOP, resumed from its checkpoint if there is one."""
    make_current(device)
    run = RunDirectory(settings.out)
    stopwatch = Stopwatch(run.gop_path(index).stem, device)
    capture = open_capture(settings.data, settings.capture)
    task = GopTask(settings, capture, run, index, device)
    validation = task.validation()
    training = _trained(task, validation, stopwatch)
    trained = training.trained()
    final = validation.in_words(validation.measure(training.gaussians_at))
    log.info("GOP %d: %d moving Gaussians, %s", index, len(trained.canonical), final)
    run.write_stage(stopwatch.record())
    run.write_gop(index, trained)


def _trained(task: GopTask, validation: Validation, stopwatch: Stopwatch) -> GopTraining:
    """The training after its last step. It is begun again, more gently, each time it collapses.

    Raises:
        GopCollapsedError: it collapsed each time; names the GOP.
    """
    training = task.begun(stopwatch)
    for attempt in range(1, ATTEMPTS + 1):
        try:
            train_gop(training, _reporting(task, training, validation, stopwatch))
            check_health(training)
            break
        except GopCollapsedError as error:
            if attempt == ATTEMPTS:
                raise GopCollapsedError(
                    f"GOP {task.index} collapsed in {ATTEMPTS} trainings: {error}. It shows only "
                    "the static layer; try another --seed or a lower --gop.static-alpha-reg"
                ) from error
            log.warning("GOP %d: %s; it is trained again more gently", task.index, error)
            training = task.again(gentler(training.config), from_checkpoint=attempt == 1)
    return training


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
        layer = self._layer()
        return self._resumed(layer, stopwatch) or self.new(layer)

    def again(
        self, config: GopConfig, from_checkpoint: bool, layer: CanonicalGaussians | None = None
    ) -> GopTraining:
        """The training with other settings: as its last checkpoint left it, or from its start.

        Args:
            layer: see `new`; None takes that of the run.
        """
        layer = self._layer() if layer is None else layer
        start = replace(self.settings.start, gop=config)
        task = replace(self, settings=replace(self.settings, gop=config, start=start))
        resumed = task._resumed(layer, None) if from_checkpoint else None
        return resumed or task.new(layer)

    def _layer(self) -> CanonicalGaussians:
        """The static layer of the run, or, without a split, the Gaussians that move."""
        split = self.settings.static_split
        return (self.run.read_static() if split else self.run.read_coarse()).to(self.device)

    def _resumed(
        self, layer: CanonicalGaussians, stopwatch: Stopwatch | None
    ) -> GopTraining | None:
        """The training as its checkpoint left it; None where there is no checkpoint."""
        checkpoint = self.run.checkpoint_path(self.index)
        if not checkpoint.exists():
            return None
        state = load_checkpoint(checkpoint, self.device)
        medians, views = self._training_views()
        start, config = GopStart.of_checkpoint(state), self._config(medians, views)
        training = self._training(start, layer, views, config, self._rng())
        training.load_state_dict(state)
        if stopwatch is not None:
            stopwatch.before_s = state["spent_s"]
        log.info("GOP %d goes on at step %d", self.index, training.iteration)
        return training

    def new(self, layer: CanonicalGaussians) -> GopTraining:
        """The training before its first step; `layer` is static, or, without a split, moves."""
        medians, views = self._training_views()
        rng, config = self._rng(), self._config(medians, views)
        from_what = replace(self.settings.start, gop=config)
        ghosts = self.run.read_ghosts()
        ghosts = None if ghosts is None else ghosts.to(self.device)
        start = gop_start(views, medians, layer, self.capture, from_what, rng, ghosts)
        return self._training(start, layer, views, config, rng)

    def _config(self, medians: list[TemporalMedian], views: GopViews) -> GopConfig:
        """The settings of the fine stage for the motion in this GOP and the ghosts of the run."""
        threshold = self.settings.start.motion_threshold
        config = self.settings.gop.for_motion(moving_pixels(views, medians, threshold))
        ghosts = self.run.read_ghosts()
        return config if ghosts is None else config.with_room_for(len(ghosts))

    def validation(self) -> Validation:
        """Frames of the GOP by the held-out cameras."""
        meta, lengths = self.run.read_plan()
        frames, settings = (
            frames_of(lengths, self.index),
            RenderSettings(meta.background, meta.near),
        )
        medians = self.run.read_medians()
        metrics = PSNR, MOVING_PSNR
        return Validation.of_frames(self.capture, frames, settings, self.device, medians, metrics)

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
        self,
        start: GopStart,
        layer: CanonicalGaussians,
        views: GopViews,
        config: GopConfig,
        rng: Rng,
    ) -> GopTraining:
        split = self.settings.static_split
        static = layer.activate() if split else Gaussians.empty(self.device)
        scale, with_norms = self.capture.camera_distance, self.settings.reports.with_gradient_norms
        return GopTraining(start, static, views, scale, config, rng, with_norms)

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
        if record.iteration % settings.reports.report_every == 0:
            check_health(training)
        reporter.add(record)
        if record.iteration % settings.checkpoint_every == 0:
            check_health(training)
            reporter.flush()
            save_checkpoint(checkpoint, training.state_dict() | {"spent_s": stopwatch.spent_s})

    return report
