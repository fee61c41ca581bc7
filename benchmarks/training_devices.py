"""The same GOPs trained on one device, on several, and on a Ray cluster whose worker is killed.

    python -m benchmarks.training_devices --data CAPTURE --out DIR --json report.json

One coarse stage serves all. Then the GOPs are trained by one process, by one process for each
device, and, where Ray is installed, as its tasks: there one worker is killed with SIGKILL after its
first checkpoint. Each result is compared with the held-out cameras. The schedule is short: times
and differences are of interest, not the quality.
"""

from __future__ import annotations

import importlib.util
import json
import logging
import os
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from statistics import mean
from typing import Any

import torch
import tyro
from streamstgs.app.console import write_figures
from streamstgs.app.player.bench.report import hardware
from streamstgs.codec.encoder.quality_measurement import trained_gop
from streamstgs.trainer.cluster.ray_cluster import ClusterSettings, train_on_cluster
from streamstgs.trainer.coarse_stage import train_coarse_stage
from streamstgs.trainer.config import TrainConfig
from streamstgs.trainer.datasets import Capture, CaptureConfig, open_capture
from streamstgs.trainer.gop_stage import GopTask, train_one_gop
from streamstgs.trainer.joint_stage import finalise_static_layer
from streamstgs.trainer.parallel import run_on_devices, training_devices
from streamstgs.trainer.progress import log
from streamstgs.trainer.recipes import draft_quality
from streamstgs.trainer.run_directory import RunDirectory, load_run
from streamstgs.trainer.stage_settings import GopStageSettings
from streamstgs.trainer.training_record import plain_settings
from streamstgs.trainer.validation import PSNR

POLL_S = 0.05


@dataclass(frozen=True)
class Options:
    """What is trained.

    Args:
        data: a capture.
        out: an empty folder for the runs.
        gops: number of GOPs.
        gop_frames: their length.
        height_px: of the pictures; None for that of the capture.
        coarse_iterations, gop_iterations: lengths of the two stages.
        checkpoint_every: steps between checkpoints.
        device: as of `streamstgs train`; "auto" takes all CUDA devices.
        ray: whether to train on Ray as well, if it is installed.
        kill_gop: the GOP whose worker is killed there.
        json: where to write the figures.
    """

    data: Path
    out: Path
    gops: int = 4
    gop_frames: int = 15
    height_px: int | None = 480
    coarse_iterations: int = 1_000
    gop_iterations: int = 1_000
    checkpoint_every: int = 250
    device: str = "auto"
    ray: bool = True
    kill_gop: int = 1
    json: Path | None = None


def config_of(options: Options) -> TrainConfig:
    """The draft quality of the default recipe, with a shorter schedule and no joint stage."""
    config = draft_quality(TrainConfig(options.data, options.out / "base"))
    read = CaptureConfig(options.height_px, frames=options.gops * options.gop_frames)
    return replace(
        config,
        gop_frames=options.gop_frames,
        device=options.device,
        validate_every=10 * options.gop_iterations,
        checkpoint_every=options.checkpoint_every,
        capture=read,
        coarse=replace(config.coarse, iterations=options.coarse_iterations),
        joint=replace(config.joint, iterations=0),
        gop=replace(config.gop, iterations=options.gop_iterations),
    )


def prepare(config: TrainConfig, capture: Capture, device: torch.device) -> float:
    """Train what all GOPs share; returns the seconds."""
    run, begin = RunDirectory(config.out), time.perf_counter()
    run.begin(plain_settings(config), {})
    if not run.coarse_path.exists():
        train_coarse_stage(config.coarse_stage(), capture, run, device)
    lengths = run.read_plan()[1]
    finalise_static_layer(config.joint_stage(), capture, run, range(len(lengths)), device)
    return time.perf_counter() - begin


def named(settings: GopStageSettings, index: int, device: torch.device) -> None:
    """Train a GOP, and write the number of the process into the run."""
    note = settings.out / f"worker-{index}"
    with note.open("a") as lines:
        lines.write(f"{os.getpid()}\n")
    train_one_gop(settings, index, device)


def copied(config: TrainConfig, name: str) -> GopStageSettings:
    """The settings of a copy of the prepared run."""
    target = config.out.parent / name
    shutil.copytree(config.out, target)
    return replace(config.gop_stage(), out=target)


def timed(work: Callable[[], None]) -> float:
    """Seconds that some work takes."""
    begin = time.perf_counter()
    work()
    return round(time.perf_counter() - begin, 1)


@contextmanager
def killing(settings: GopStageSettings, index: int) -> Iterator[dict[str, float]]:
    """Kill the worker of a GOP once it has written a checkpoint; yields what was done."""
    ended, begin, done = threading.Event(), time.perf_counter(), dict[str, float]()
    checkpoint = RunDirectory(settings.out).checkpoint_path(index)

    def watch() -> None:
        while not ended.wait(POLL_S):
            if checkpoint.exists():
                pid = int((settings.out / f"worker-{index}").read_text().split()[-1])
                os.kill(pid, signal.SIGKILL)
                done["killed_after_s"] = round(time.perf_counter() - begin, 1)
                return

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield done
    finally:
        ended.set()
        thread.join()


def results(
    settings: GopStageSettings, capture: Capture, device: torch.device
) -> dict[str, list[float]]:
    """Of each GOP of a finished run: seconds on its device, without the start of its process, and
    PSNR against the held-out cameras."""
    run, scene = RunDirectory(settings.out), load_run(settings.out)
    found = []
    for index in range(scene.gop_count):
        shown = trained_gop(scene, index, device)
        validation = GopTask(settings, capture, run, index, device).validation()
        found.append(round(validation.measure(shown.gaussians_at)[PSNR.name], 3))
    stages = [record for record in run.read_stages() if record.stage.startswith("gop")]
    return {"gop_s": [round(record.seconds, 1) for record in stages], "psnr_db": found}


def on_devices(
    config: TrainConfig, capture: Capture, gops: list[int], devices: list[torch.device]
) -> dict[str, Any]:
    """Train by one process for each device."""
    settings = copied(config, f"pool-{len(devices)}")
    seconds = timed(lambda: run_on_devices(partial(named, settings), gops, devices))
    return {"seconds": seconds} | results(settings, capture, devices[0])


def on_ray(
    config: TrainConfig, capture: Capture, gops: list[int], devices: list[torch.device], kill: int
) -> dict[str, Any]:
    """Train as tasks of Ray, and kill the worker of a GOP on the way."""
    settings = copied(config, "ray")
    share = 1.0 if devices[0].type == "cuda" else 0.0
    cluster = ClusterSettings("auto", gpu_share=share)
    with killing(settings, kill) as done:
        seconds = timed(lambda: train_on_cluster(named, settings, gops, cluster))
    assert done, "the worker was not killed: it wrote no checkpoint"
    workers = (settings.out / f"worker-{kill}").read_text().split()
    found = results(settings, capture, devices[0])
    return {"seconds": seconds, **done, "workers_of_killed_gop": len(workers), **found}


def main(options: Options) -> None:
    """Train, compare, and write the report; it is written after each part."""
    logging.basicConfig(format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    log.setLevel(logging.INFO)
    config, devices = config_of(options), training_devices(options.device)
    capture = open_capture(config.data, config.capture)
    report: dict[str, Any] = {
        "hardware": hardware(),
        "options": {name: str(value) for name, value in vars(options).items()},
        "coarse_s": round(prepare(config, capture, devices[0]), 1),
    }
    gops = list(range(options.gops))
    report["one device"] = on_devices(config, capture, gops, devices[:1])
    write_figures(options.json, report)
    if len(devices) > 1:
        name = f"{len(devices)} devices"
        report[name] = on_devices(config, capture, gops, devices)
        report["speed-up"] = round(report["one device"]["seconds"] / report[name]["seconds"], 2)
        write_figures(options.json, report)
    if options.ray and importlib.util.find_spec("ray") is not None:
        report["ray, one worker killed"] = on_ray(config, capture, gops, devices, options.kill_gop)
        lost = mean(report["one device"]["psnr_db"]) - mean(
            report["ray, one worker killed"]["psnr_db"]
        )
        report["ray lost dB"] = round(lost, 3)
    print(json.dumps(report, indent=1))
    write_figures(options.json, report)


if __name__ == "__main__":
    main(tyro.cli(Options))
