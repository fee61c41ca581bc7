"""The joint stage of a run: the static layer becomes final, together with the first part of GOPs.

See `trainer.fine.joint` for why.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from trainer.config import TrainConfig
from trainer.datasets import Capture
from trainer.fine.joint import JointTraining, joint_gops
from trainer.gop_stage import GopTask
from trainer.memory import free_bytes, gop_bytes
from trainer.parallel import make_current
from trainer.progress import Progress, log
from trainer.run_directory import RunDirectory, save_checkpoint
from trainer.training_record import Stopwatch


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
        run.write_static(run.read_coarse())


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
    progress = Progress("joint", training.iterations, device)
    while training.iteration < training.iterations:
        loss = training.step()
        if training.iteration % config.report_every == 0:
            progress.report(training.iteration, loss.item())
    static = training.static()
    log.info("joint: %d of %d static Gaussians stay", len(static), len(coarse))
    for index, gop in zip(gops, begun, strict=True):
        save_checkpoint(run.checkpoint_path(index), gop.state_dict() | {"spent_s": 0.0})
    run.write_stage(stopwatch.record())
    run.write_static(static)  # last: where it exists, the stage is done
