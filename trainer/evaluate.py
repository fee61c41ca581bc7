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
from trainer.datasets import Capture, CapturedView, load_frames, open_capture
from trainer.errors import CaptureError
from trainer.losses import psnr, ssim

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
    """

    scene: str
    data: Path
    cameras: str = "test"
    frames: Sequence[int] | None = None
    rung: int | None = None
    backend: str | None = None


@dataclass(frozen=True)
class Reading:
    """Quality of one picture: PSNR in dB over all its pixels, SSIM (11x11 Gaussian window)."""

    camera: str
    frame: int
    psnr: float
    ssim: float


@torch.no_grad()
def evaluate(config: EvaluateConfig) -> dict[str, Any]:
    """Compare decoded, drawn pictures with the capture's frames.

    Returns:
        psnr and ssim (means over all pictures), per_camera and per_gop means, bytes_per_frame by
        part and in all, frames, cameras, rung, backend and why it was chosen; JSON-able.

    Raises:
        CaptureError: the capture has no such cameras, or fewer frames than the scene.
        CodecError, RenderError: the scene cannot be read or drawn.
    """
    capture = open_capture(config.data)
    views = capture.split(config.cameras)
    if not views:
        raise CaptureError(f"{config.data} has no cameras of the split {config.cameras!r}")
    choice = choose_backend(config.backend)
    with open_scene(config.scene) as scene:
        _check_fit(scene, capture)
        rung = scene.rungs[0] if config.rung is None else config.rung
        frames = list(range(scene.frame_count) if config.frames is None else config.frames)
        readings = list(_readings(scene, views, frames, rung, choice.backend))
        sizes = scene.bytes_per_frame(rung)
        starts = [scene.gop_start_frame(g) for g in range(scene.gop_count)]
    return {
        "psnr": _mean([r.psnr for r in readings]),
        "ssim": _mean([r.ssim for r in readings]),
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
        "pictures": [asdict(r) for r in readings],
    }


def _check_fit(scene: Scene, capture: Capture) -> None:
    if scene.frame_count > capture.frames:
        raise CaptureError(
            f"the scene has {scene.frame_count} frames, the capture {capture.frames}: "
            "it was not trained from this capture"
        )


def _readings(
    scene: Scene,
    views: tuple[CapturedView, ...],
    frames: list[int],
    rung: int,
    backend: Backend,
) -> Iterator[Reading]:
    settings = RenderSettings(scene.meta.background, scene.meta.near)
    for index in range(scene.gop_count):
        first = scene.gop_start_frame(index)
        inside = [f - first for f in frames if 0 <= f - first < scene.gop_frames(index)]
        if not inside:
            continue
        gop = scene.decode_gop(index, rung, device=backend.device)
        footage = load_frames(views, first, first + inside[-1] + 1)
        for frame in inside:
            gaussians = gop.gaussians_at(frame)
            for view, video in zip(views, footage, strict=True):
                picture = backend.render(gaussians, view.camera, settings)
                target = video[frame].to(picture.device).float() / 255
                yield _reading(view.name, first + frame, picture, target)
        log.info("GOP %d of %d compared", index + 1, scene.gop_count)


def _reading(camera: str, frame: int, picture: Tensor, target: Tensor) -> Reading:
    shown = (picture.clamp(0, 1) * 255).round() / 255  # what an 8-bit screen gets
    similarity = ssim(shown[None], target[None])
    return Reading(camera, frame, psnr(shown, target).item(), similarity.item())


def _per_gop(readings: list[Reading], starts: list[int]) -> list[float | None]:
    ends = [*starts[1:], max((r.frame for r in readings), default=0) + 1]
    return [
        _mean([r.psnr for r in readings if start <= r.frame < end])
        for start, end in zip(starts, ends, strict=True)
    ]


def _mean(values: list[float]) -> float | None:
    return sum(values) / len(values) if values else None
