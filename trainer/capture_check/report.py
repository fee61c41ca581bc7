"""What `capture check` found, for people and as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

from streamstgs.trainer.capture_check.epipolar import PoseFit
from streamstgs.trainer.capture_check.synchrony import CameraSync
from streamstgs.trainer.datasets import Capture
from streamstgs.trainer.datasets.layouts import layouts
from streamstgs.trainer.datasets.readers import ImageFolderReader, VideoReader
from streamstgs.trainer.points.point_cloud import read_point_file


@dataclass(frozen=True)
class CameraReport:
    """One camera as it will be read.

    Args:
        width, height: of the pictures that training sees, px.
        lens: COLMAP's name of the lens model that is undone; "PINHOLE" if there is none.
        kept: share of the recorded pixels that remain after cropping.
        source: the video, or the folder of the images, below the capture.
    """

    name: str
    split: str
    width: int
    height: int
    lens: str
    kept: float
    source: str


@dataclass(frozen=True)
class CaptureReport:
    """What will be read, and what is wrong with it.

    Args:
        layout: the file that the calibration comes from.
        points: number of points that training starts from; None where the capture has none.
        poses, sync: one for each camera, in their order; empty where they were not checked.
        problems: what must be repaired; `warnings`: what should be known.
    """

    folder: Path
    title: str = ""
    layout: str = ""
    fps: float = 0.0
    frames: int = 0
    points: int | None = None
    cameras: tuple[CameraReport, ...] = ()
    poses: tuple[PoseFit, ...] = ()
    sync: tuple[CameraSync, ...] = ()
    sheet: Path | None = None
    problems: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def is_good(self) -> bool:
        return not self.problems

    def figures(self) -> dict[str, Any]:
        """The report as JSON."""
        figures = asdict(self) | {"folder": str(self.folder), "good": self.is_good}
        figures["sheet"] = str(self.sheet) if self.sheet else None
        for key in ("poses", "sync"):
            figures[key] = {
                camera.name: {k: v for k, v in asdict(found).items() if k != "camera"}
                for camera, found in zip(self.cameras, getattr(self, key), strict=False)
            }
        return figures


def describe(folder: Path, capture: Capture) -> CaptureReport:
    """What will be read of a capture. Raises CaptureError where its points cannot be read."""
    points = None if capture.points_path is None else len(read_point_file(capture.points_path))
    return CaptureReport(
        folder=folder,
        title=capture.title,
        layout=next(iter(layouts(folder)), ""),
        fps=capture.fps,
        frames=capture.frames,
        points=points,
        cameras=tuple(_camera(folder, view) for view in capture.views),
    )


def _camera(folder: Path, view: Any) -> CameraReport:
    reader, lens, kept, source = view.reader, "PINHOLE", 1.0, ""
    if isinstance(reader, (VideoReader, ImageFolderReader)):
        path = reader.path if isinstance(reader, VideoReader) else reader.paths[0].parent
        source = path.relative_to(folder).as_posix()
        if reader.undistortion is not None:
            lens, kept = reader.undistortion.lens.model, reader.undistortion.kept
    camera = view.camera
    return CameraReport(view.name, view.split, camera.width, camera.height, lens, kept, source)


def for_people(report: CaptureReport) -> str:
    """The report in English, a few lines."""
    lines = [] if not report.cameras else _facts(report)
    for title, texts in (("Warnings", report.warnings), ("Problems", report.problems)):
        if texts:
            lines += ["", f"{title}:", *(f"- {text}" for text in texts)]
    if report.is_good:
        lines += ["", "No problems were found. Training can begin."]
    return "\n".join(lines).lstrip("\n")


def _facts(report: CaptureReport) -> list[str]:
    held_out = [c.name for c in report.cameras if c.split == "test"]
    sizes = Counter(f"{c.width}x{c.height}" for c in report.cameras)
    facts = {
        "capture": f"{report.title} ({report.layout})",
        "cameras": f"{len(report.cameras)}, held out of training: {', '.join(held_out) or 'none'}",
        "frames": f"{report.frames} at {report.fps:.6g} per second, "
        f"{report.frames / report.fps:.1f} s",
        "size": ", ".join(f"{size} ({n} cameras)" for size, n in sizes.most_common()),
        "lens": _lenses(report),
        "points": "none; training finds some" if report.points is None else f"{report.points:,}",
        "poses": _poses(report.poses),
        "sync": _sync(report.sync),
        "sheet": str(report.sheet or "not written"),
    }
    return [f"{name:<8} {text}" for name, text in facts.items()]


def _lenses(report: CaptureReport) -> str:
    bent = [c for c in report.cameras if c.lens != "PINHOLE"]
    if not bent:
        return "without distortion"
    models = ", ".join(sorted({c.lens for c in bent}))
    return (
        f"{models}, undone while reading for {len(bent)} cameras; "
        f"{100 * min(c.kept for c in bent):.0f} to {100 * max(c.kept for c in bent):.0f} % of the "
        "recorded pictures are kept, the rest is cropped"
    )


def _poses(fits: Sequence[PoseFit]) -> str:
    errors = [f.error_px for f in fits if f.error_px is not None]
    if not errors:
        return "not checked"
    wrong = sum(f.fits is False for f in fits)
    verdict = f"{wrong} do not fit" if wrong else "all of them fit"
    return (
        f"{len(errors)} of {len(fits)} cameras checked, {verdict}; matched pixels are "
        f"{median(errors):.2f} px off (median; limit {fits[0].limit_px:.1f})"
    )


def _sync(syncs: Sequence[CameraSync]) -> str:
    known = [s.offset for s in syncs if s.offset is not None]
    if not known:
        return "not checked" if not syncs else "motion says too little to tell"
    wrong = sum(bool(s.frames) for s in syncs)
    verdict = f"{wrong} off by a frame or more" if wrong else "all at the same moment"
    return (
        f"{len(known)} of {len(syncs)} cameras checked, {verdict} "
        f"(offsets {min(known):+.2f} to {max(known):+.2f} frames)"
    )
