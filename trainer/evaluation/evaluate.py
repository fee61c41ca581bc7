"""How good an encoded scene is: decoded from its bytes, drawn, and compared with the capture."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from streamstgs.codec.scene import Scene, open_scene
from streamstgs.renderer.backends import choose_backend
from streamstgs.renderer.backends.base import Backend
from streamstgs.trainer.datasets import (
    Capture,
    CaptureConfig,
    CapturedView,
    open_capture,
)
from streamstgs.trainer.errors import CaptureError, EvaluationError
from streamstgs.trainer.evaluation.boundary_flicker import (
    BoundaryFlickerConfig,
    BoundaryFlickerMeter,
)
from streamstgs.trainer.evaluation.comparison import Comparison, Reading, camera_medians
from streamstgs.trainer.evaluation.contact_sheet import ContactSheet
from streamstgs.trainer.evaluation.perceptual import LpipsNetwork, perceptual_metric
from streamstgs.trainer.evaluation.rate_distortion import compare_figures
from streamstgs.trainer.evaluation.rate_plot import write_rate_plot
from streamstgs.trainer.moving_pixels import MovingConfig
from streamstgs.trainer.run_directory import RunDirectory
from streamstgs.trainer.setting_checks import require_at_least


@dataclass(frozen=True)
class EvaluateConfig:
    """What to compare.

    Args:
        scene: path or URL of the encoded scene.
        data: folder of the capture it was trained from.
        cameras: "test", "train" or "all".
        frames: content frames; None takes all.
        train_step: of the training cameras, every so many of the frames: they are many.
        qps: QPs; None takes the best, an empty list all.
        backend: name of the renderer's backend; None chooses.
        sheet: PNG to write with ground truth, picture and error of a few cameras and frames.
        plot: PNG to write with PSNR over bytes per frame, beside `compare` where it is given.
        compare: figures of another evaluation, to compare rates with.
        boundary_flicker: how the boundaries of GOPs are judged.
        moving: which pixels count as moving.
        run: run directory whose colour responses the training cameras are compared through.
        capture: how the capture is read; where it says no size, at that of the training.
        lpips: network of LPIPS, or "none": on a processor VGG16 takes seconds for each picture.
    """

    scene: str
    data: Path
    cameras: str = "test"
    frames: Sequence[int] | None = None
    train_step: int = 5
    qps: Sequence[int] | None = None
    backend: str | None = None
    sheet: Path | None = None
    plot: Path | None = None
    compare: Path | None = None
    boundary_flicker: BoundaryFlickerConfig = field(default_factory=BoundaryFlickerConfig)
    moving: MovingConfig = field(default_factory=MovingConfig)
    run: Path | None = None
    capture: CaptureConfig = field(default_factory=CaptureConfig)
    lpips: LpipsNetwork = "vgg"

    def __post_init__(self) -> None:
        require_at_least(1, self, "", "train_step")


@torch.no_grad()
def evaluate(config: EvaluateConfig) -> dict[str, Any]:
    """Compare decoded, drawn pictures with the capture's frames.

    Returns:
        JSON-able; of each of `qualities`: qp, bytes_per_frame by part and in all,
        boundary_flicker (see `BoundaryFlickerMeter.figures`), and for the held-out ("test") and
        the training ("train") cameras psnr, ssim, ms_ssim, lpips (means over all pictures; None
        where it cannot be had), and PSNR per_camera and per_gop, and the same of what moves:
        moving_psnr, moving_psnr_p10 (10th percentile), moving_psnr_worst (value, frame, camera),
        moving_ssim, moving_share of the pixels, moving_per_camera and moving_per_gop. Beside them
        scene, cameras, frames, sizes of the pictures as compared and as recorded, backend and why
        it was chosen, lpips_reason, sheet and its rows, plot, comparison, and all pictures.

    Raises:
        CaptureError: the capture has no such cameras, or fewer frames than the scene.
        EvaluationError: the scene has no such quality or frame, or `compare` is no evaluation or
            one of pictures of another size.
        CodecError, RenderError: the scene cannot be read or drawn.
    """
    other = read_figures(config.compare) if config.compare else None
    recorded = open_capture(config.data, replace(config.capture, height_px=None))
    _check_split(recorded, config)
    choice = choose_backend(config.backend)
    with open_scene(config.scene) as scene:
        _check_fit(scene, recorded)
        capture = open_capture(config.data, _compared_size(scene, recorded, config))
        views = _chosen_views(capture, config)
        _check_same_size(other, views)
        comparison = _comparison(scene, views, choice.backend, config)
        readings = list(comparison.readings(views))
        qualities = [_quality_figures(comparison, qp, readings) for qp in comparison.qps]
        title = scene.meta.title
        static_only = [k for k, g in enumerate(scene.manifest.gops) if g.is_static_only]
    figures: dict[str, Any] = {
        "scene": config.scene,
        "title": title,
        "qualities": qualities,
        "cameras": {s: [v.name for v in views if v.split == s] for s in comparison.frames},
        "frames": {split: len(frames) for split, frames in comparison.frames.items()},
        "picture_px": _sizes(views),
        "recorded_px": _sizes(recorded.split(config.cameras)),
        "backend": choice.backend.name,
        "backend_reason": choice.reason,
        "lpips_reason": comparison.metric.reason,
        "static_only_gops": static_only,
        "color_responses": sorted(comparison.responses),
    }
    if other:
        figures["comparison"] = {"with": other["scene"], **compare_figures(figures, other)}
    figures |= _written_pictures(config, comparison.sheet, [figures, *([other] if other else [])])
    return figures | {"pictures": [asdict(r) for r in readings]}


def read_figures(path: Path) -> dict[str, Any]:
    """What `evaluate` gave before, as JSON. Raises EvaluationError."""
    try:
        figures = json.loads(path.read_text(encoding="utf-8"))
        for quality in figures["qualities"]:
            if not quality["bytes_per_frame"]["total"] > 0:
                raise ValueError("a quality has no bytes")
        return {"scene": str(figures["scene"]), "title": str(figures["title"])} | figures
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise EvaluationError(f"{path} holds no figures of an evaluation: {error!r}") from error


def _check_split(capture: Capture, config: EvaluateConfig) -> None:
    if capture.split(config.cameras):
        return
    if config.cameras == "test":
        raise CaptureError(
            f"{config.data} has no held-out cameras; --cameras train compares training cameras"
        )
    raise CaptureError(f"{config.data} has no cameras of the split {config.cameras!r}")


def _chosen_views(capture: Capture, config: EvaluateConfig) -> tuple[CapturedView, ...]:
    """The held-out cameras first."""
    return tuple(sorted(capture.split(config.cameras), key=lambda view: view.split != "test"))


def _compared_size(scene: Scene, recorded: Capture, config: EvaluateConfig) -> CaptureConfig:
    """The size that was asked for, else that which the scene was trained at."""
    if config.capture.height_px is not None:
        return config.capture
    meta, cameras = scene.meta, [v.camera for v in recorded.split("train")]
    trained = replace(config.capture, height_px=meta.height)
    shown = [trained.applied(camera) for camera in cameras]
    fits = all((c.width, c.height) == (meta.width, meta.height) for c in shown)
    is_reduced = fits and any(c.height > meta.height for c in cameras)
    return trained if is_reduced else config.capture


def _check_same_size(other: Mapping[str, Any] | None, views: Sequence[CapturedView]) -> None:
    """Figures of other sizes say nothing about rates; those of before sizes were told pass."""
    sizes = _sizes(views)
    if other and other.get("picture_px", sizes) != sizes:
        compared, mine = ", ".join(other["picture_px"]), ", ".join(sizes)
        raise EvaluationError(
            f"the figures to compare with are of pictures of {compared} px, these of {mine} px; "
            "--capture.height-px makes them equal"
        )


def _sizes(views: Sequence[CapturedView]) -> list[str]:
    """Different ones, as WxH."""
    return sorted({f"{v.camera.width}x{v.camera.height}" for v in views})


def _check_fit(scene: Scene, capture: Capture) -> None:
    if scene.frame_count > capture.frames:
        raise CaptureError(
            f"the scene has {scene.frame_count} frames, the capture {capture.frames}: "
            "it was not trained from this capture"
        )


def _comparison(
    scene: Scene, views: Sequence[CapturedView], backend: Backend, config: EvaluateConfig
) -> Comparison:
    frames = _chosen_frames(scene, config.frames)
    thinned = {"test": frames, "train": frames[:: config.train_step]}
    splits = {v.split: thinned.get(v.split, frames) for v in views}
    return Comparison(
        scene,
        _chosen_qps(scene, config.qps),
        splits,
        backend,
        perceptual_metric(backend.device, config.lpips),
        BoundaryFlickerMeter(
            (scene.gop_start_frame(g) for g in range(scene.gop_count)), config.boundary_flicker
        ),
        ContactSheet([v.name for v in views]),
        RunDirectory(config.run).read_color_corrections() or {} if config.run else {},
        camera_medians(scene.frame_count, views, config.moving),
        config.moving,
    )


def _chosen_qps(scene: Scene, chosen: Sequence[int] | None) -> list[int]:
    """QPs to compare, the best quality first: the best for None, all for an empty list."""
    known = sorted(quality.qp for quality in scene.qualities)
    unknown = sorted({*(chosen or ())} - {*known})
    if unknown:
        names = ", ".join(map(str, known))
        raise EvaluationError(f"the scene has no quality of QP {unknown[0]}; it has {names}")
    return known[:1] if chosen is None else sorted(set(chosen or known))


def _chosen_frames(scene: Scene, frames: Sequence[int] | None) -> list[int]:
    """Different frames in the order of time."""
    chosen = sorted(set(range(scene.frame_count) if frames is None else frames))
    if not chosen:
        raise EvaluationError("no frames to compare were named")
    for frame in (chosen[0], chosen[-1]):
        if not 0 <= frame < scene.frame_count:
            raise EvaluationError(f"there is no frame {frame}; the scene has {scene.frame_count}")
    return chosen


def _quality_figures(comparison: Comparison, qp: int, readings: list[Reading]) -> dict[str, Any]:
    return {
        "qp": qp,
        "bytes_per_frame": comparison.scene.bytes_per_frame(comparison.scene.quality(qp)),
        "boundary_flicker": comparison.boundary_flicker.figures(qp),
        **comparison.figures(qp, readings),
    }


def _written_pictures(
    config: EvaluateConfig, sheet: ContactSheet, curves: list[dict[str, Any]]
) -> dict[str, Any]:
    """Writes the pictures that are wanted; what the figures say of them."""
    if config.sheet:
        sheet.write(config.sheet)
    if config.plot:
        write_rate_plot(config.plot, curves)
    return {
        "sheet": {"path": str(config.sheet), "rows": sheet.rows} if config.sheet else None,
        "plot": str(config.plot) if config.plot else None,
    }
