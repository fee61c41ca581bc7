"""The joint stage of a run: the static layer becomes final, together with the first part of GOPs.

See `trainer.fine.joint` for why.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from streamstgs.renderer import CanonicalGaussians, RenderSettings
from streamstgs.trainer.coarse.free_space import FreeSpace
from streamstgs.trainer.config import TrainConfig
from streamstgs.trainer.datasets import Capture
from streamstgs.trainer.evaluation.held_out import HeldOutWatch
from streamstgs.trainer.fine.joint import JointTraining, joint_gops
from streamstgs.trainer.gop_stage import GopTask
from streamstgs.trainer.memory import free_bytes, gop_bytes
from streamstgs.trainer.parallel import make_current
from streamstgs.trainer.progress import TrainingProgress, log
from streamstgs.trainer.random_source import RandomSource
from streamstgs.trainer.run_directory import RunDirectory, save_checkpoint
from streamstgs.trainer.training_record import Stopwatch

MISSED_DB = 0.25  # on pictures of training cameras; so much worse, and it was no floater


def settle_static_layer(
    config: TrainConfig,
    capture: Capture,
    run: RunDirectory,
    gops: Sequence[int],
    device: torch.device,
) -> None:
    """Make the layer final that all of these GOPs share; where there is none, nothing is done."""
    if not config.static_split or run.static_path.exists():
        return
    if config.joint.iterations > 0:
        most = min(config.joint.gops, gops_in_memory(config, capture, device))
        chosen = joint_gops(gops, most)
        log.info("joint: %d of %d GOPs take part", len(chosen), len(gops))
        train_jointly(config, capture, run, chosen, device)
    else:
        run.write_static(without_floaters(run.read_coarse().to(device), config, capture, run))


def without_floaters(
    static: CanonicalGaussians, config: TrainConfig, capture: Capture, run: RunDirectory
) -> CanonicalGaussians:
    """A static layer without what hangs in space that is free; all of it where that is allowed, and
    where the training cameras would miss it."""
    if config.static.free_weight == 0:
        return static
    meta, _ = run.read_plan()
    views, stills, device = capture.split("train"), run.read_stills(), static.means.device
    space = FreeSpace([v.camera for v in views], capture.center, meta.near, run.read_points())
    hanging = space.floaters(static.activate(), RandomSource(config.seed, device))
    kept = static[~hanging]
    shots = [(0, v.camera, stills[v.name].median.to(device)) for v in views]
    seen = HeldOutWatch(shots, RenderSettings(meta.background, meta.near), "training")
    lost_db = seen.read(lambda _: static.activate()) - seen.read(lambda _: kept.activate())
    log.info("%d static Gaussians hang in free space, worth %.2f dB", int(hanging.sum()), lost_db)
    return kept if lost_db < MISSED_DB else static


def gops_in_memory(config: TrainConfig, capture: Capture, device: torch.device) -> int:
    """Of how many GOPs the footage fits into half of the device's free memory, at least one; as
    many as are wanted where that cannot be told."""
    free = free_bytes(device)
    if free is None:
        return config.joint.gops
    return max(1, free // (2 * gop_bytes(config, capture)))


def train_jointly(
    config: TrainConfig,
    capture: Capture,
    run: RunDirectory,
    gops: Sequence[int],
    device: torch.device,
) -> None:
    """The static layer with the first part of some GOPs, which go on from their checkpoints."""
    make_current(device)
    stopwatch = Stopwatch("joint", device)
    coarse = run.read_coarse().to(device)
    begun = [GopTask(config, capture, run, index, device).new(coarse) for index in gops]
    training = JointTraining(coarse, begun, capture.camera_distance, config.joint)
    progress = TrainingProgress("joint", training.iterations, device)
    while training.iteration < training.iterations:
        loss = training.step()
        if training.iteration % config.report_every == 0:
            progress.report(training.iteration, loss.item())
    static = without_floaters(training.static(), config, capture, run)
    log.info("joint: %d of %d static Gaussians stay", len(static), len(coarse))
    for index, gop in zip(gops, begun, strict=True):
        save_checkpoint(run.checkpoint_path(index), gop.state_dict() | {"spent_s": 0.0})
    run.write_stage(stopwatch.record())
    run.write_static(static)  # last: where it exists, the stage is done
