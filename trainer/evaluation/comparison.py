"""Drawn pictures of an encoded scene beside the recorded ones: one reading for each pair."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import torch
from streamstgs.codec.scene import Scene
from streamstgs.renderer import Gop, RenderSettings
from streamstgs.renderer.backends.base import Backend
from streamstgs.trainer.coarse.color_correction import correct_colors
from streamstgs.trainer.datasets import CapturedView, each_video, load_frames
from streamstgs.trainer.evaluation.boundary_flicker import BoundaryFlickerMeter
from streamstgs.trainer.evaluation.contact_sheet import ContactSheet
from streamstgs.trainer.evaluation.moving import moving_figures
from streamstgs.trainer.evaluation.perceptual import PerceptualMetric, ms_ssim
from streamstgs.trainer.moving_pixels import (
    MovingConfig,
    MovingQuality,
    moving_quality,
    temporal_median,
)
from streamstgs.trainer.optimization.losses import psnr, ssim
from torch import Tensor

log = logging.getLogger("streamstgs.trainer")


@dataclass(frozen=True)
class Reading:
    """Quality of one picture: PSNR in dB over all its pixels, SSIM (11x11 Gaussian window), and
    the same of what moves."""

    qp: int
    split: str
    camera: str
    frame: int
    psnr: float
    ssim: float
    ms_ssim: float | None
    lpips: float | None
    moving: MovingQuality | None = None


@dataclass(frozen=True)
class Comparison:
    """What is drawn, and what each picture is measured by.

    Args:
        qps: QPs; each GOP is decoded once at each of them, the recorded frames are read once.
        frames: split -> frames, in the order of time.
        sheet: shows the images of the first QP.
        medians: camera -> [H, W, 3] uint8 temporal median; without it what moves is not measured.
        moving: which pixels move.
        responses: camera -> [3, 4] colour response; what is drawn for such a camera is compared
            as that camera would have recorded it. Others are compared as drawn.
    """

    scene: Scene
    qps: Sequence[int]
    frames: Mapping[str, Sequence[int]]
    backend: Backend
    metric: PerceptualMetric
    boundary_flicker: BoundaryFlickerMeter
    sheet: ContactSheet
    responses: Mapping[str, Tensor] = field(default_factory=dict)
    medians: Mapping[str, Tensor] = field(default_factory=dict)
    moving: MovingConfig = field(default_factory=MovingConfig)

    def readings(self, views: Sequence[CapturedView]) -> Iterator[Reading]:
        """One for each picture; GOP by GOP, so that one of them is in memory."""
        for index in range(self.scene.gop_count):
            first = self.scene.gop_start_frame(index)
            last = first + self.scene.gop_frames(index)
            recorded = self._recorded(views, first, last)
            if recorded:
                yield from self._of_gop(index, first, views, recorded)
                log.info("GOP %d of %d compared", index + 1, self.scene.gop_count)

    def figures(self, qp: int, readings: Sequence[Reading]) -> dict[str, dict[str, object] | None]:
        """Split -> means over its readings at a quality."""
        starts = [self.scene.gop_start_frame(g) for g in range(self.scene.gop_count)]
        return {
            split: split_figures([r for r in readings if (r.qp, r.split) == (qp, split)], starts)
            for split in self.frames
        }

    def _recorded(
        self, views: Sequence[CapturedView], first: int, last: int
    ) -> dict[tuple[int, str], Tensor]:
        """(frame, camera) -> [H, W, 3] uint8 of the chosen frames first .. last - 1."""
        recorded: dict[tuple[int, str], Tensor] = {}
        for split, frames in self.frames.items():
            inside = [f for f in frames if first <= f < last]
            chosen = tuple(v for v in views if v.split == split)
            if inside and chosen:
                for view, video in zip(chosen, load_frames(chosen, inside), strict=True):
                    recorded |= {(f, view.name): video[row] for row, f in enumerate(inside)}
        return recorded

    def _of_gop(
        self,
        index: int,
        first: int,
        views: Sequence[CapturedView],
        recorded: dict[tuple[int, str], Tensor],
    ) -> Iterator[Reading]:
        device = self.backend.device
        gops = {
            qp: self.scene.decode_gop(index, self.scene.quality(qp), device=device)
            for qp in self.qps
        }
        for frame in sorted({f for f, _ in recorded}):
            shown = [v for v in views if (frame, v.name) in recorded]
            targets = [recorded[frame, v.name].to(device).float() / 255 for v in shown]
            for view, target in zip(shown, targets, strict=True):
                self.boundary_flicker.add_recorded(view.name, frame, target)
            for qp, gop in gops.items():
                yield from self._of_frame(qp, gop, frame, frame - first, shown, targets)

    def _of_frame(
        self,
        qp: int,
        gop: Gop,
        frame: int,
        inside: int,
        views: Sequence[CapturedView],
        targets: Sequence[Tensor],
    ) -> Iterator[Reading]:
        """All views of a frame; `inside` is its number in the GOP."""
        meta = self.scene.meta
        settings = RenderSettings(meta.background, meta.near)
        gaussians = gop.gaussians_at(inside)
        for view, target in zip(views, targets, strict=True):
            picture = self.backend.render(gaussians, view.camera, settings)
            if view.name in self.responses:
                matrix = self.responses[view.name][None].to(picture)
                picture = correct_colors(picture[None], matrix)[0]
            picture = picture.clamp(0, 1)
            self.boundary_flicker.add_drawn(qp, view.name, frame, picture)
            yield self._reading(qp, view, frame, picture, target)

    def _reading(
        self, qp: int, view: CapturedView, frame: int, picture: Tensor, target: Tensor
    ) -> Reading:
        shown = (picture * 255).round() / 255  # what an 8-bit screen gets
        moving = self._moving(view, shown, target)
        whole = psnr(shown, target).item()
        if qp == self.qps[0]:
            judged = moving.psnr if moving and moving.psnr is not None else whole
            self.sheet.add(view.name, frame, target, shown, judged)
        return Reading(
            qp,
            view.split,
            view.name,
            frame,
            psnr=whole,
            ssim=ssim(shown[None], target[None]).item(),
            ms_ssim=ms_ssim(shown, target),
            lpips=self.metric.read(shown, target),
            moving=moving,
        )

    def _moving(self, view: CapturedView, shown: Tensor, target: Tensor) -> MovingQuality | None:
        median = self.medians.get(view.name)
        if median is None:
            return None
        return moving_quality(shown, target, median.to(target.device).float() / 255, self.moving)


def camera_medians(
    frame_count: int, views: Sequence[CapturedView], config: MovingConfig
) -> dict[str, Tensor]:
    """Camera -> temporal median [H, W, 3] uint8 over the frames of a scene."""
    frames = range(0, frame_count, config.median_every)
    videos = zip(views, each_video(tuple(views), frames), strict=True)
    return {view.name: temporal_median(video) for view, video in videos}


def mean(values: Sequence[float | None]) -> float | None:
    """Of what was measured; None where nothing was."""
    known = torch.tensor([v for v in values if v is not None], dtype=torch.float64)
    return known.mean().item() if len(known) else None


def split_figures(
    readings: Sequence[Reading], gop_starts: Sequence[int]
) -> dict[str, object] | None:
    """Means over the readings of one quality and split; None where there are none.

    Args:
        gop_starts: first frame of each GOP; a GOP without readings has None in `per_gop`.
    """
    if not readings:
        return None
    cameras = sorted({r.camera for r in readings}, key=[r.camera for r in readings].index)
    ends = [*gop_starts[1:], max(r.frame for r in readings) + 1]
    return {
        **{name: mean([getattr(r, name) for r in readings])
           for name in ("psnr", "ssim", "ms_ssim", "lpips")},
        "pictures": len(readings),
        "per_camera": {c: mean([r.psnr for r in readings if r.camera == c]) for c in cameras},
        "per_gop": [
            mean([r.psnr for r in readings if start <= r.frame < end])
            for start, end in zip(gop_starts, ends, strict=True)
        ],
        **moving_figures(readings, gop_starts),
    }  # fmt: skip
