"""How good an encoded scene is: decoded from its bytes, drawn, and compared with the capture."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from codec.scene import Scene, open_scene
from renderer import RenderSettings
from renderer.backends import choose_backend
from renderer.backends.base import Backend
from trainer.contact_sheet import ContactSheet
from trainer.datasets import Capture, CapturedView, load_frames, open_capture
from trainer.errors import CaptureError, EvaluationError
from trainer.losses import psnr, ssim
from trainer.perceptual import PerceptualMetric, perceptual_metric

log = logging.getLogger("trainer")


@dataclass(frozen=True)
class EvaluateConfig:
    """What to compare.

    Args:
        scene: path or URL of the encoded scene.
        data: folder of the capture it was trained from.
        cameras: "test", "train" or "all".
        frames: content frames; None takes all.
        rung: QP; None takes the best.
        backend: name of the renderer's backend; None chooses.
        sheet: PNG to write with ground truth, picture and error of a few cameras and frames.
    """

    scene: str
    data: Path
    cameras: str = "test"
    frames: Sequence[int] | None = None
    rung: int | None = None
    backend: str | None = None
    sheet: Path | None = None


@dataclass(frozen=True)
class Reading:
    """Quality of one picture: PSNR in dB over all its pixels, SSIM (11x11 Gaussian window)."""

    camera: str
    frame: int
    psnr: float
    ssim: float
    lpips: float | None


@torch.no_grad()
def evaluate(config: EvaluateConfig) -> dict[str, Any]:
    """Compare decoded, drawn pictures with the capture's frames.

    Returns:
        psnr, ssim and lpips (means over all pictures; lpips None with lpips_reason where there is
        no network for it), per_camera and per_gop means, bytes_per_frame by part and in all,
        frames, cameras, rung, backend and why it was chosen, sheet and its rows; JSON-able.

    Raises:
        CaptureError: the capture has no such cameras, or fewer frames than the scene.
        EvaluationError: the scene has no such rung or frame.
        CodecError, RenderError: the scene cannot be read or drawn.
    """
    capture = open_capture(config.data)
    views = capture.split(config.cameras)
    if not views:
        raise CaptureError(f"{config.data} has no cameras of the split {config.cameras!r}")
    choice = choose_backend(config.backend)
    metric = perceptual_metric(choice.backend.device)
    with open_scene(config.scene) as scene:
        _check_fit(scene, capture)
        rung, frames = _chosen_rung(scene, config.rung), _chosen_frames(scene, config.frames)
        sheet = ContactSheet([v.name for v in views], frames)
        comparison = Comparison(scene, rung, choice.backend, metric, sheet)
        readings = list(comparison.readings(views, frames))
        sizes = scene.bytes_per_frame(rung)
        starts = [scene.gop_start_frame(g) for g in range(scene.gop_count)]
    if config.sheet:
        sheet.write(config.sheet)
    return {
        "psnr": _mean([r.psnr for r in readings]),
        "ssim": _mean([r.ssim for r in readings]),
        "lpips": _mean([r.lpips for r in readings if r.lpips is not None]),
        "lpips_reason": metric.reason,
        "bytes_per_frame": sizes["total"],
        "bytes_per_frame_by_part": sizes,
        "frames": len(frames),
        "cameras": [v.name for v in views],
        "rung": rung,
        "backend": choice.backend.name,
        "backend_reason": choice.reason,
        "per_camera": {
            v.name: _mean([r.psnr for r in readings if r.camera == v.name]) for v in views
        },
        "per_gop": _per_gop(readings, starts),
        "sheet": {"path": str(config.sheet), "rows": sheet.rows} if config.sheet else None,
        "pictures": [asdict(r) for r in readings],
    }


def _check_fit(scene: Scene, capture: Capture) -> None:
    if scene.frame_count > capture.frames:
        raise CaptureError(
            f"the scene has {scene.frame_count} frames, the capture {capture.frames}: "
            "it was not trained from this capture"
        )


def _chosen_rung(scene: Scene, rung: int | None) -> int:
    if rung is not None and rung not in scene.rungs:
        known = ", ".join(map(str, scene.rungs))
        raise EvaluationError(f"the scene has no rung QP {rung}; it has {known}")
    return scene.rungs[0] if rung is None else rung


def _chosen_frames(scene: Scene, frames: Sequence[int] | None) -> list[int]:
    """Different frames in the order of time."""
    chosen = sorted(set(range(scene.frame_count) if frames is None else frames))
    if not chosen:
        raise EvaluationError("no frames to compare were named")
    for frame in (chosen[0], chosen[-1]):
        if not 0 <= frame < scene.frame_count:
            raise EvaluationError(f"there is no frame {frame}; the scene has {scene.frame_count}")
    return chosen


@dataclass(frozen=True)
class Comparison:
    """What is drawn, and what each picture is measured by."""

    scene: Scene
    rung: int
    backend: Backend
    metric: PerceptualMetric
    sheet: ContactSheet

    def readings(self, views: tuple[CapturedView, ...], frames: list[int]) -> Iterator[Reading]:
        """One for each picture; GOP by GOP, so that one of them is in memory."""
        scene = self.scene
        for index in range(scene.gop_count):
            first = scene.gop_start_frame(index)
            inside = [f for f in frames if first <= f < first + scene.gop_frames(index)]
            if inside:
                yield from self._of_gop(index, views, inside)
                log.info("GOP %d of %d compared", index + 1, scene.gop_count)

    def _of_gop(
        self, index: int, views: tuple[CapturedView, ...], frames: list[int]
    ) -> Iterator[Reading]:
        meta, first = self.scene.meta, self.scene.gop_start_frame(index)
        settings = RenderSettings(meta.background, meta.near)
        gop = self.scene.decode_gop(index, self.rung, device=self.backend.device)
        footage = load_frames(views, frames)
        for row, frame in enumerate(frames):
            gaussians = gop.gaussians_at(frame - first)
            for view, video in zip(views, footage, strict=True):
                picture = self.backend.render(gaussians, view.camera, settings)
                yield self._reading(view.name, frame, picture, video[row])

    def _reading(self, camera: str, frame: int, picture: Tensor, recorded: Tensor) -> Reading:
        target = recorded.to(picture.device).float() / 255
        shown = (picture.clamp(0, 1) * 255).round() / 255  # what an 8-bit screen gets
        self.sheet.add(camera, frame, target, shown)
        return Reading(
            camera,
            frame,
            psnr=psnr(shown, target).item(),
            ssim=ssim(shown[None], target[None]).item(),
            lpips=self.metric.read(shown, target),
        )


def _per_gop(readings: list[Reading], starts: list[int]) -> list[float | None]:
    ends = [*starts[1:], max((r.frame for r in readings), default=0) + 1]
    return [
        _mean([r.psnr for r in readings if start <= r.frame < end])
        for start, end in zip(starts, ends, strict=True)
    ]


def _mean(values: list[float]) -> float | None:
    return sum(values) / len(values) if values else None
