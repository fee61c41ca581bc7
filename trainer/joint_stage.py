"""The joint stage of a run: the static layer becomes final, together with the first part of GOPs.

See `trainer.fine.joint` for why.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import torch
from streamstgs.renderer import CanonicalGaussians, Gaussians, RenderSettings
from streamstgs.trainer.coarse.free_space import FreeSpace
from streamstgs.trainer.coarse.temporal_median import motion_mask
from streamstgs.trainer.datasets import Capture, each_video
from streamstgs.trainer.fine.collapse import GopCollapsedError, gentler
from streamstgs.trainer.fine.collapse import check as check_health
from streamstgs.trainer.fine.joint import JointTraining, joint_gops
from streamstgs.trainer.fine.static_ghosts import find_ghosts, hull_share
from streamstgs.trainer.gop_stage import GopTask
from streamstgs.trainer.memory import free_bytes, gop_bytes
from streamstgs.trainer.optimization.training_stage import StepRecord, run_schedule
from streamstgs.trainer.parallel import make_current
from streamstgs.trainer.progress import log
from streamstgs.trainer.rng import Rng
from streamstgs.trainer.run_directory import RunDirectory, save_checkpoint
from streamstgs.trainer.stage_reporter import StageReporter
from streamstgs.trainer.stage_settings import JointStageSettings
from streamstgs.trainer.training_record import Stopwatch
from streamstgs.trainer.validation import PSNR, Validation, ValidationView
from torch import Tensor

MISSED_DB = 0.25  # training cameras that lose this much PSNR show that it was no floater


def finalise_static_layer(
    settings: JointStageSettings,
    capture: Capture,
    run: RunDirectory,
    gops: Sequence[int],
    device: torch.device,
) -> None:
    """Finalise the static layer that these GOPs share; does nothing where there is none."""
    if not settings.gop.static_split or run.static_path.exists():
        return
    joint = settings.joint
    static, in_motion = without_ghosts(run.read_coarse().to(device), settings, capture, run)
    if joint.iterations > 0:
        most = gops_in_memory(joint.gops, capture, settings.gop_frames, device)
        chosen = joint_gops(gops, most)
        log.info("joint: %d of %d GOPs take part", len(chosen), len(gops))
        train_jointly(settings, capture, run, chosen, static, in_motion, device)
    else:
        run.write_static(without_floaters(static, settings, capture, run))


def without_ghosts(
    coarse: CanonicalGaussians, settings: JointStageSettings, capture: Capture, run: RunDirectory
) -> tuple[CanonicalGaussians, Tensor | None]:
    """The static Gaussians of the coarse stage without ghosts, which the run directory gets, so
    that every GOP starts with them; all of them where the settings say so.

    Returns:
        the Gaussians, and [S] the share of the sample frames in whose motion hull each lies; None
        where it is not wanted.
    """
    joint, hull = settings.joint, settings.gop.start.hull
    if joint.ghost_share <= 0 and joint.ghost_opacity_reg <= 0:
        return coarse, None
    near = run.read_plan()[0].near
    cameras = [v.camera for v in capture.split("train")]
    masks = _motion_masks(settings, capture, run, coarse.means.device)
    if joint.ghost_share > 0:
        ghosts = find_ghosts(coarse.activate(), cameras, masks, joint.ghost_share, hull, near)
        log.info("%d of %d static Gaussians are ghosts: they move", ghosts.sum(), len(coarse))
        run.write_ghosts(coarse[ghosts])
        coarse = coarse[~ghosts]
    return coarse, hull_share(coarse.activate(), cameras, masks, hull, near)


def _motion_masks(
    settings: JointStageSettings, capture: Capture, run: RunDirectory, device: torch.device
) -> list[Tensor]:
    """[T, H, W] bool moving pixels of sample frames of the video, one a training camera."""
    views, medians = capture.split("train"), run.read_medians()
    count = min(settings.joint.ghost_frames, capture.frames)
    sampled = torch.linspace(0, capture.frames - 1, count).round().int().tolist()
    threshold = settings.gop.start.motion_threshold
    return [
        motion_mask(frames.to(device), medians[view.name].image.to(device), threshold)
        for view, frames in zip(views, each_video(views, sampled), strict=True)
    ]


def without_floaters(
    static: CanonicalGaussians, settings: JointStageSettings, capture: Capture, run: RunDirectory
) -> CanonicalGaussians:
    """A static layer without the Gaussians in free space; all of it where the settings say so, and
    where the training cameras lose MISSED_DB without them."""
    if not settings.remove_floaters:
        return static
    meta, _ = run.read_plan()
    views, medians, device = capture.split("train"), run.read_medians(), static.means.device
    space = FreeSpace([v.camera for v in views], capture.center, meta.near, run.read_points())
    hanging = space.floaters(static.activate(), Rng(settings.seed, device))
    kept = static[~hanging]
    recorded = [ValidationView(0, v.camera, medians[v.name].image.to(device)) for v in views]
    seen = Validation(recorded, RenderSettings(meta.background, meta.near), "training")
    before, after = (
        seen.measure(partial(_always, layer.activate()))[PSNR.name] for layer in (static, kept)
    )
    lost_db = before - after
    log.info("%d static Gaussians are in free space, worth %.2f dB", int(hanging.sum()), lost_db)
    return kept if lost_db < MISSED_DB else static


def _always(gaussians: Gaussians, frame: int) -> Gaussians:
    """The same Gaussians at every frame."""
    return gaussians


def gops_in_memory(most: int, capture: Capture, gop_frames: int, device: torch.device) -> int:
    """Number of GOPs, 1 to `most`, whose training views fit into half of the device's free memory;
    `most` where the free memory is not known."""
    free = free_bytes(device)
    if free is None:
        return most
    return min(most, max(1, free // (2 * gop_bytes(capture, gop_frames))))


def train_jointly(
    settings: JointStageSettings,
    capture: Capture,
    run: RunDirectory,
    gops: Sequence[int],
    coarse: CanonicalGaussians,
    in_motion: Tensor | None,
    device: torch.device,
) -> None:
    """The static layer with the first part of some GOPs, which go on from their checkpoints.

    Args:
        coarse: The static layer before its training.
        in_motion: See `JointTraining`.
    """
    make_current(device)
    stopwatch = Stopwatch("joint", device)
    tasks = [GopTask(settings.gop, capture, run, index, device) for index in gops]
    begun = [task.new(coarse) for task in tasks]
    training = JointTraining(coarse, begun, capture.camera_distance, settings.joint, in_motion)
    reporter = StageReporter(
        "joint", "joint", training.iterations, settings.reports, run.path, device
    )

    def report(training: JointTraining, record: StepRecord) -> None:
        reporter.add(record)
        if record.iteration % settings.reports.report_every == 0:
            replace_collapsed(tasks, training)

    run_schedule(training, report)
    static = without_floaters(training.static(), settings, capture, run)
    log.info("joint: %d of %d static Gaussians stay", len(static), len(coarse))
    for index, gop in zip(gops, training.gops, strict=True):
        save_checkpoint(run.checkpoint_path(index), gop.state_dict() | {"spent_s": 0.0})
    run.write_stage(stopwatch.record())
    run.write_static(static)  # last: where it exists, the stage is done


def replace_collapsed(tasks: Sequence[GopTask], training: JointTraining) -> None:
    """Begin GOPs that have collapsed again, more gently, beside the static layer so far."""
    for k, (task, gop) in enumerate(zip(tasks, training.gops, strict=True)):
        try:
            check_health(gop)
        except GopCollapsedError as error:
            log.warning("GOP %d: %s; it begins again more gently", task.index, error)
            layer = training.parameters.detached()
            training.gops[k] = task.again(gentler(gop.config), from_checkpoint=False, layer=layer)
