"""The fine stage of a run, for one GOP: begun or resumed, trained, written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from streamstgs.renderer import CanonicalGaussians, Gaussians, RenderSettings
from streamstgs.trainer.coarse.background import StillView
from streamstgs.trainer.config import TrainConfig
from streamstgs.trainer.datasets import Capture, open_capture
from streamstgs.trainer.evaluation.held_out import HeldOutWatch
from streamstgs.trainer.fine.footage import GopFootage, gop_footage
from streamstgs.trainer.fine.stage import GopTraining, train_gop
from streamstgs.trainer.fine.start import GopStart, gop_start
from streamstgs.trainer.gop_plan import frames_of
from streamstgs.trainer.parallel import make_current
from streamstgs.trainer.progress import TrainingProgress, log
from streamstgs.trainer.random_source import RandomSource
from streamstgs.trainer.run_directory import RunDirectory, load_checkpoint, save_checkpoint
from streamstgs.trainer.training_record import Stopwatch
from torch import Tensor


def train_one_gop(config: TrainConfig, index: int, device: torch.device) -> None:
    """Fine stage of one GOP, resumed from its checkpoint if there is one."""
    make_current(device)
    run = RunDirectory(config.out)
    stopwatch = Stopwatch(run.gop_path(index).stem, device)
    capture = open_capture(config.data, config.capture)
    task = GopTask(config, capture, run, index, device)
    training = task.begun(stopwatch)
    watch = task.held_out_watch()
    trained = train_gop(training, _reporting(task, training.iteration, watch, stopwatch))
    final = watch.read(training.gaussians_at)
    moving = len(trained.canonical)
    log.info("GOP %d: %d moving Gaussians, %s %.2f dB", index, moving, watch.name, final)
    run.write_stage(stopwatch.record())
    run.write_gop(index, trained)


@dataclass(frozen=True)
class GopTask:
    """One GOP that a run has to train, and the device that does it."""

    config: TrainConfig
    capture: Capture
    run: RunDirectory
    index: int
    device: torch.device

    def begun(self, stopwatch: Stopwatch) -> GopTraining:
        """The training as its checkpoint left it, with the time it took so far, or a new one."""
        split = self.config.static_split
        layer = (self.run.read_static() if split else self.run.read_coarse()).to(self.device)
        checkpoint = self.run.checkpoint_path(self.index)
        if not checkpoint.exists():
            return self.new(layer)
        state = load_checkpoint(checkpoint, self.device)
        _, footage = self._footage()
        training = self._training(GopStart.of_checkpoint(state), layer, footage, self._random())
        training.load_state_dict(state)
        stopwatch.before_s = state["spent_s"]
        log.info("GOP %d goes on at step %d", self.index, training.iteration)
        return training

    def new(self, layer: CanonicalGaussians) -> GopTraining:
        """The training before its first step; `layer` is static, or, without a split, moves."""
        stills, footage = self._footage()
        random = self._random()
        start = gop_start(footage, stills, layer, self.capture, self.config, random)
        return self._training(start, layer, footage, random)

    def held_out_watch(self) -> HeldOutWatch:
        """What held-out cameras saw in these frames."""
        meta, lengths = self.run.read_plan()
        frames = frames_of(lengths, self.index)
        settings = RenderSettings(meta.background, meta.near)
        return HeldOutWatch.of_frames(
            self.capture, frames.start, frames.stop, settings, self.device
        )

    def _footage(self) -> tuple[list[StillView], GopFootage]:
        """The still views of the training cameras, and what these saw in the GOP."""
        meta, lengths = self.run.read_plan()
        stills = self.run.read_stills()
        seen = [stills[v.name].to(self.device) for v in self.capture.split("train")]
        footage = gop_footage(
            self.capture, frames_of(lengths, self.index), seen, self.run.read_responses(),
            meta.near, self.config.background, self.config.gop.dynamic_density, self.device,
        )  # fmt: skip
        return seen, footage

    def _training(
        self,
        start: GopStart,
        layer: CanonicalGaussians,
        footage: GopFootage,
        random: RandomSource,
    ) -> GopTraining:
        split = self.config.static_split
        static = layer.activate() if split else Gaussians.empty(self.device)
        scale = self.capture.camera_distance
        return GopTraining(start, static, footage, scale, self.config.gop, random)

    def _random(self) -> RandomSource:
        return RandomSource(self.config.seed + 1 + self.index, self.device)


def _reporting(
    task: GopTask, done: int, watch: HeldOutWatch, stopwatch: Stopwatch
) -> Callable[[GopTraining, Tensor], None]:
    """Says after some steps how far training is and how good, and keeps checkpoints.

    Args:
        done: steps of an earlier run.
    """
    config, checkpoint = task.config, task.run.checkpoint_path(task.index)
    progress = TrainingProgress(
        f"GOP {task.index}", config.gop.iterations, task.device, done, watch.name
    )

    def report(training: GopTraining, loss: Tensor) -> None:
        step = training.iteration
        if step % config.report_every == 0:
            watched = step % config.watch_every == 0
            quality = watch.read(training.gaussians_at) if watched else None
            progress.report(step, loss.item(), quality)
        if step % config.checkpoint_every == 0:
            save_checkpoint(checkpoint, training.state_dict() | {"spent_s": stopwatch.spent_s})

    return report
