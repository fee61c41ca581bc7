"""One row of an ablation: train the chosen GOPs, encode them, and compare with the capture."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from streamstgs.codec.encoder.config import EncoderConfig, PosterSettings, QualitySettings
from streamstgs.codec.encoder.encode import encode_scene
from streamstgs.codec.scene import Scene, open_scene
from streamstgs.renderer.backends import choose_backend
from streamstgs.trainer.config import TrainConfig
from streamstgs.trainer.datasets import Capture, CapturedView, open_capture
from streamstgs.trainer.datasets.capture import FrameReader
from streamstgs.trainer.datasets.identity import capture_identity
from streamstgs.trainer.evaluation.boundary_flicker import (
    BoundaryFlickerConfig,
    BoundaryFlickerMeter,
)
from streamstgs.trainer.evaluation.comparison import Comparison
from streamstgs.trainer.evaluation.contact_sheet import ContactSheet
from streamstgs.trainer.evaluation.perceptual import perceptual_metric
from streamstgs.trainer.gop_plan import frames_of
from streamstgs.trainer.gop_stage import train_one_gop
from streamstgs.trainer.joint_stage import finalise_static_layer
from streamstgs.trainer.run_directory import RunDirectory, TrainedScene
from streamstgs.trainer.training_record import plain_settings, summary
from torch import Tensor

SHARED_FILES = (
    "run.json",
    "coarse.json",
    "medians.safetensors",
    "points.safetensors",
    "color_correction.safetensors",
    "coarse.safetensors",
)


@dataclass(frozen=True)
class Measuring:
    """How rows are compared.

    Args:
        gops: Numbers of the GOPs that each row trains.
        qps: QPs.
        frame_step: Distance in frames of the images that are compared.
        backend: Backend that renders them; None chooses the best here.
    """

    gops: tuple[int, ...]
    qps: tuple[int, ...]
    frame_step: int
    backend: str | None


def adopt_coarse_stage(run: RunDirectory, shared: RunDirectory) -> None:
    """Link the results of a shared coarse stage into a run; the last file marks it as done."""
    run.path.mkdir(parents=True, exist_ok=True)
    for name in SHARED_FILES:
        if (shared.path / name).exists() and not (run.path / name).exists():
            os.link(shared.path / name, run.path / name)


def run_row(
    config: TrainConfig,
    sorts_by_lifetime: bool,
    shared: RunDirectory,
    measuring: Measuring,
    device: torch.device,
    static_layers: int | None = None,
) -> dict[str, Any]:
    """Train, encode and measure one row; returns its figures, JSON-able.

    Args:
        static_layers: Into how many layers the static Gaussians are divided, beside the far ones;
            None for the encoder's default. Few of them are encoded sooner.
        sorts_by_lifetime: The encoder may lay out by when Gaussians are seen.
        shared: Run directory of its coarse stage.
    """
    run = RunDirectory(config.out)
    capture = open_capture(config.data, config.capture)
    run.begin(plain_settings(config), capture_identity(capture))
    adopt_coarse_stage(run, shared)
    finalise_static_layer(config.joint_stage(), capture, run, measuring.gops, device)
    for index in measuring.gops:
        if not run.gop_path(index).exists():
            train_one_gop(config.gop_stage(), index, device)
    scene = config.out / "scene.stgs"
    source = TrainedScene(run, run.read_plan()[0], measuring.gops)
    started_s = time.monotonic()
    encoder = row_encoder(measuring.qps, sorts_by_lifetime)
    if static_layers is not None:
        encoder = replace(encoder, static=replace(encoder.static, layers=static_layers))
    encode_scene(source, scene, encoder)
    encoded_s = time.monotonic() - started_s
    frames = _frames_of(run, measuring.gops)
    costs = summary(plain_settings(config), run.read_stages(), len(frames))
    medians = {name: median.image for name, median in run.read_medians().items()}
    corrections = run.read_color_corrections() or {}
    return {
        "qualities": measure(scene, capture, frames, measuring, corrections, medians),
        "gaussians": [len(source.gop(k).canonical) for k in range(source.gop_count)],
        "static_gaussians": len(source.static),
        "static_seconds": sum(s["seconds"] for s in costs["stages"] if s["stage"] == "coarse"),
        "gop_seconds": sum(s["seconds"] for s in costs["stages"] if s["stage"] != "coarse"),
        "encode_seconds": encoded_s,
        "peak_memory_gib": costs["peak_memory_gib"],
        "devices": costs["devices"],
        "seed": config.seed,
        "settings": plain_settings(config),
        "encoder": asdict(encoder),
    }


def row_encoder(qps: tuple[int, ...], sorts_by_lifetime: bool) -> EncoderConfig:
    """Encoder settings of a row: without poster and quality figures, which no measurement needs."""
    return EncoderConfig(
        qps=qps,
        sort_by_lifetime=sorts_by_lifetime,
        poster=PosterSettings(width_px=0),
        quality=QualitySettings(cameras=0),
    )


def _frames_of(run: RunDirectory, gops: Sequence[int]) -> list[int]:
    """The frames of the capture in the GOPs, one GOP after the other."""
    _, lengths = run.read_plan()
    return [frame for k in gops for frame in frames_of(lengths, k)]


@dataclass(frozen=True)
class ChosenFrames:
    """Some frames of a camera, renumbered from 0 (`FrameReader`)."""

    reader: FrameReader
    frames: Sequence[int]

    def read(self, frames: Sequence[int]) -> np.ndarray:
        return self.reader.read([self.frames[f] for f in frames])

    def check(self, count: int) -> None:
        self.reader.check(max(self.frames) + 1)

    def length(self) -> int:
        return len(self.frames)

    def small(self, height_px: int) -> ChosenFrames:
        return replace(self, reader=self.reader.small(height_px))


@torch.no_grad()
def measure(
    path: Path,
    capture: Capture,
    frames: Sequence[int],
    measuring: Measuring,
    corrections: Mapping[str, Tensor],
    medians: Mapping[str, Tensor],
) -> list[dict[str, Any]]:
    """Figures of each quality of a scene that shows these frames of a capture.

    Bytes per frame spread the parts that are sent once for all GOPs over the whole capture.

    Args:
        medians: [H, W, 3] uint8 temporal median over the whole capture, by the camera's name.
    """
    views = [replace(v, reader=ChosenFrames(v.reader, frames)) for v in capture.views]
    with open_scene(str(path)) as scene:
        comparison = _comparison(scene, views, measuring, corrections, medians)
        readings = list(comparison.readings(views))
        return [
            {
                "qp": qp,
                "bytes_per_frame": _bytes_per_frame(scene, qp, capture.frames),
                **comparison.figures(qp, readings),
            }
            for qp in comparison.qps
        ]


def _comparison(
    scene: Scene,
    views: Sequence[CapturedView],
    measuring: Measuring,
    corrections: Mapping[str, Tensor],
    medians: Mapping[str, Tensor],
) -> Comparison:
    backend = choose_backend(measuring.backend).backend
    frames = list(range(0, scene.frame_count, measuring.frame_step))
    return Comparison(
        scene,
        measuring.qps,
        {"test": frames, "train": frames},
        backend,
        perceptual_metric(backend.device),
        BoundaryFlickerMeter(
            (scene.gop_start_frame(g) for g in range(scene.gop_count)), BoundaryFlickerConfig()
        ),
        ContactSheet([v.name for v in views if v.split == "test"]),
        corrections,
        medians,
    )


def _bytes_per_frame(scene: Scene, qp: int, frames: int) -> dict[str, float]:
    parts = scene.bytes_per_frame(scene.quality(qp))
    parts = {k: float(v) for k, v in parts.items() if k != "total"}
    parts["static"] *= scene.frame_count / frames
    return parts | {"total": sum(parts.values())}
