"""The training run: capture -> coarse stage -> static layer -> fine stage per GOP -> run directory.

A run that was killed is resumed by running it again: finished parts are kept, a GOP goes on from
its last checkpoint. GOPs are independent and are spread over all CUDA devices, or over the machines
of a cluster.
"""

from __future__ import annotations

from functools import partial

import torch
from streamstgs.trainer.cluster.ray_cluster import ClusterSettings, check_cluster, train_on_cluster
from streamstgs.trainer.coarse_stage import train_coarse_stage
from streamstgs.trainer.config import TrainConfig
from streamstgs.trainer.datasets import Capture, check_capture, open_capture
from streamstgs.trainer.datasets.identity import capture_identity
from streamstgs.trainer.errors import RunError
from streamstgs.trainer.forecast import check_disk, forecast, in_words
from streamstgs.trainer.gop_stage import train_one_gop
from streamstgs.trainer.joint_stage import finalise_static_layer
from streamstgs.trainer.memory import check_memory, out_of_memory_guard
from streamstgs.trainer.parallel import run_on_devices, training_devices
from streamstgs.trainer.points.initial_points import check_points
from streamstgs.trainer.points.pose_check import check_pictures
from streamstgs.trainer.progress import log
from streamstgs.trainer.run_directory import RunDirectory
from streamstgs.trainer.statistics_log import check_log_format
from streamstgs.trainer.training_record import plain_settings, summary
from streamstgs.trainer.windows import window_configs, window_lengths, write_windows


def train(
    config: TrainConfig, cluster: ClusterSettings | None = None, dry_run: bool = False
) -> None:
    """Train the parts that are missing in the run directory.

    Args:
        cluster: Trains the GOPs; None trains them on the devices of this machine.
        dry_run: Check everything and log what the run will need, and do no work.

    Raises:
        CaptureError: Before any work; names the camera or file.
        MemoryNeedError: The capture is certain not to fit, before any work; or a GPU is full.
        RunError: The run directory belongs to another capture or other settings.
        SettingError: The package of a log format or of the cluster is missing.
    """
    check_log_format(config.log)
    if cluster is not None:
        check_cluster(cluster)
    devices = training_devices(config.device)
    capture = open_capture(config.data, config.capture)
    check_capture(capture)
    check_points(capture, config.points)
    if not config.capture.trust_poses:
        check_pictures(capture)
    check_memory(capture, config.gop_frames, config.coarse.frames_held, devices)
    need = forecast(config, capture, devices)
    log.info("%s", in_words(need, config.out, devices))
    if dry_run:
        return
    check_disk(need, config.out)
    lengths = window_lengths(capture.frames, config.window_frames)
    write_windows(config.out, lengths)
    for number, window in enumerate(window_configs(config, lengths)):
        if len(lengths) > 1:
            log.info("window %d of %d", number + 1, len(lengths))
            capture = open_capture(window.data, window.capture)
        shared = cluster and cluster.of_window(config.out, window.out)
        _train_window(window, capture, devices, shared)
    RunDirectory(config.out).keep_sound(config.data)


def _train_window(
    config: TrainConfig,
    capture: Capture,
    devices: list[torch.device],
    cluster: ClusterSettings | None,
) -> None:
    """Train a run whose GOPs share a static layer."""
    run = RunDirectory(config.out)
    with run.locked(), out_of_memory_guard(capture):
        run.begin(plain_settings(config), capture_identity(capture))
        _train_missing(config, capture, run, devices, cluster)
        _sum_up(run, config, capture.frames)


def _train_missing(
    config: TrainConfig,
    capture: Capture,
    run: RunDirectory,
    devices: list[torch.device],
    cluster: ClusterSettings | None,
) -> None:
    """Run the stages that are not done, in their order."""
    if not run.coarse_path.exists():
        train_coarse_stage(config.coarse_stage(), capture, run, devices[0])
    gops = range(_planned_gops(run, capture))
    finalise_static_layer(config.joint_stage(), capture, run, gops, devices[0])
    missing = [i for i in gops if not run.gop_path(i).exists()]
    if cluster is None:
        run_on_devices(partial(train_one_gop, config.gop_stage()), missing, devices)
    else:
        train_on_cluster(train_one_gop, config.gop_stage(), missing, cluster)
    for index in gops:
        if run.gop_path(index).exists():
            run.drop_checkpoint(index)


def _planned_gops(run: RunDirectory, capture: Capture) -> int:
    """Number of GOPs in the plan of a run. RunError: the plan does not fit the capture."""
    meta, lengths = run.read_plan()
    sizes = {(v.camera.width, v.camera.height) for v in capture.views}
    if (meta.width, meta.height) not in sizes:
        raise RunError(
            f"{run.path} was begun with pictures of {meta.width}x{meta.height} px, the capture has "
            + " and ".join(f"{width}x{height}" for width, height in sorted(sizes))
        )
    if sum(lengths) != capture.frames:
        raise RunError(
            f"{run.path} is planned for {sum(lengths)} frames, the capture has {capture.frames}"
        )
    return len(lengths)


def _sum_up(run: RunDirectory, config: TrainConfig, frames: int) -> None:
    document = summary(plain_settings(config), run.read_stages(), frames)
    run.write_summary(document)
    peak = document["peak_memory_gib"]
    log.info(
        "trained %d frames in %.0f s: %.2f s per frame%s",
        frames, document["seconds"], document["seconds_per_frame"],
        "" if peak is None else f", at most {peak:.1f} GiB of GPU memory",
    )  # fmt: skip
