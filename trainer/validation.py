"""Validation during training: quality on cameras that training never sees.

PSNR is always measured; a stage may ask for more figures by more `Metric`s.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from streamstgs.renderer import Camera, Gaussians, RenderSettings
from streamstgs.trainer.coarse.temporal_median import TemporalMedian
from streamstgs.trainer.datasets import Capture, CapturedView, load_frames
from streamstgs.trainer.optimization.losses import psnr
from streamstgs.trainer.optimization.rasterizer import rasterize
from torch import Tensor

VALIDATED_FRAMES = 4


@dataclass(frozen=True)
class ValidationView:
    """One recorded image to compare with.

    Args:
        frame: Frame number that the scene is asked for.
        image: [H, W, 3] uint8, recorded.
        median: [H, W, 3] uint8 temporal median of the camera; None where it is not known.
    """

    frame: int
    camera: Camera
    image: Tensor
    median: Tensor | None = None

    @property
    def target(self) -> Tensor:
        """[H, W, 3] recorded, 0..1."""
        return self.image.float() / 255


@dataclass(frozen=True)
class Metric:
    """A figure of quality.

    Args:
        name: Name in messages and logs.
        unit: Unit in messages.
        measure: Rendered image [H, W, 3] in 0..1 and its view -> []; NaN where the figure has no
            meaning, such as for moving pixels where nothing moves.
    """

    name: str
    unit: str
    measure: Callable[[Tensor, ValidationView], Tensor]


PSNR = Metric("PSNR", "dB", lambda image, view: psnr(image, view.target))


@dataclass(frozen=True)
class Validation:
    """Compares a scene with recorded images.

    Args:
        views: The recorded images.
        settings: Render settings.
        name: The cameras, as messages name them.
        metrics: Figures to measure; the first one decides.
    """

    views: list[ValidationView]
    settings: RenderSettings
    name: str = "held-out"
    metrics: Sequence[Metric] = (PSNR,)

    @staticmethod
    def of_medians(
        capture: Capture,
        medians: Mapping[str, TemporalMedian],
        settings: RenderSettings,
        device: torch.device,
    ) -> Validation:
        """Compares with the temporal medians of the held-out cameras."""
        views = [
            ValidationView(0, v.camera, image, image)
            for v in _held_out(capture)
            for image in [medians[v.name].image.to(device)]
        ]
        return Validation(views, settings, _name(capture))

    @staticmethod
    def of_frames(
        capture: Capture,
        frames: range,
        settings: RenderSettings,
        device: torch.device,
        medians: Mapping[str, TemporalMedian] | None = None,
        metrics: Sequence[Metric] = (PSNR,),
    ) -> Validation:
        """Compares with a few of the frames of a GOP by the held-out cameras.

        Args:
            frames: Content frames of the GOP; the scene knows the first one as frame 0.
            medians: Temporal medians of the cameras, for metrics of moving pixels.
            metrics: Figures to measure; the first one decides.
        """
        cameras = _held_out(capture)
        count = min(VALIDATED_FRAMES, len(frames))
        ends = frames.start, frames.stop - 1
        chosen = torch.linspace(*ends, count).round().int().tolist()
        known = {n: m.image.to(device) for n, m in _of(cameras, medians or {}).items()}
        views = [
            ValidationView(
                frame - frames.start, view.camera, image.to(device), known.get(view.name)
            )
            for view, video in zip(cameras, load_frames(cameras, chosen), strict=True)
            for frame, image in zip(chosen, video, strict=True)
        ]
        return Validation(views, settings, _name(capture), metrics)

    @torch.no_grad()
    def measure(self, gaussians_at: Callable[[int], Gaussians]) -> dict[str, float]:
        """The mean of each metric over the views where it has a meaning, by the metric's name."""
        values: dict[str, list[Tensor]] = {metric.name: [] for metric in self.metrics}
        for view in self.views:
            image, _ = rasterize(gaussians_at(view.frame), [view.camera], self.settings)
            for metric in self.metrics:
                values[metric.name].append(metric.measure(image[0].clamp(0, 1), view))
        return {name: torch.stack(found).nanmean().item() for name, found in values.items()}

    def in_words(self, figures: Mapping[str, float]) -> str:
        """Figures of `measure` as a message shows them: `held-out 27.13 dB`."""
        said = []
        for number, metric in enumerate(self.metrics):
            value = figures[metric.name]
            label = f"{metric.name} " if number else ""
            if not math.isnan(value):
                said.append(f"{label}{value:.2f} {metric.unit}".rstrip())
        return f"{self.name} {', '.join(said)}"


def _of(
    views: tuple[CapturedView, ...], medians: Mapping[str, TemporalMedian]
) -> dict[str, TemporalMedian]:
    """The medians of some of the cameras, as far as they are known."""
    return {v.name: medians[v.name] for v in views if v.name in medians}


def _held_out(capture: Capture) -> tuple[CapturedView, ...]:
    """The held-out cameras; where there are none, the first training camera."""
    return capture.split("test") or capture.split("train")[:1]


def _name(capture: Capture) -> str:
    held_out, (first, *_) = capture.split("test"), capture.split("train")
    return "held-out" if held_out else f"training camera {first.name}"
