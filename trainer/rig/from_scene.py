"""`streamstgs capture from-scene`: pictures of a scene from cameras around it, as a capture.

It is for sequences whose Gaussians do not correspond, so that no motion can be fitted to them:
training on the pictures finds Gaussians that move. What no camera sees is lost.
"""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from streamstgs.codec.output import check_output_directory, output_directory
from streamstgs.codec.package.scene_meta import SceneMeta
from streamstgs.renderer import Camera, Gaussians, RenderSettings
from streamstgs.renderer.backends import choose_backend
from streamstgs.renderer.backends.base import Backend
from streamstgs.renderer.gaussians import rotation_matrices
from streamstgs.trainer.datasets import open_capture
from streamstgs.trainer.points.point_cloud import PointCloud, write_ply
from streamstgs.trainer.rig.config import SceneRigConfig
from streamstgs.trainer.trajectory_fit.frames import TrackedFrames

log = logging.getLogger("streamstgs.trainer")
ReportProgress = Callable[[str, float], None]
GOLDEN_TURN_RAD = math.pi * (3 - math.sqrt(5))  # between neighbours on the spiral of cameras
HELD_OUT_EVERY = 12  # cameras
USUAL_FOV_Y_RAD = 0.7  # of scenes without views
POINTS, POINTS_PER_GAUSSIAN = 50_000, 10  # at most, where training begins
VISIBLE = 0.3  # opacity of Gaussians that get points
SPREAD = 0.7  # of these points, in standard deviations
PNG_EFFORT = 1  # of 9: pictures are read once


def capture_of_scene(
    frames: TrackedFrames,
    meta: SceneMeta,
    out: Path,
    config: SceneRigConfig = SceneRigConfig(),  # noqa: B008 (frozen)
    size: tuple[int, int] = (800, 800),
    backend: str | None = None,
    progress: ReportProgress = lambda what, share: None,
) -> None:
    """Write `cameras.json`, `points3D.ply` and the pictures of a scene to a new folder.

    Args:
        frames: Of the scene.
        meta: Of the scene: its centre, the direction up, the distance of its opening view.
        out: The folder.
        size: Width and height of the pictures in px.
        backend: What renders them; None for the fastest of this machine.
        progress: Called with the present step and the share that is done, 0..1.

    Raises:
        CodecError: A frame cannot be read.
        RenderError: The pictures are too large for the backend, or it cannot run.
        WriteError: The folder cannot be written.
    """
    check_output_directory(out, lambda _: False)
    cameras = cameras_around(meta, config, size)
    chosen = choose_backend(backend)
    log.info("%d cameras, %d frames, rendered with %s", len(cameras), len(frames), chosen.reason)
    try:
        with output_directory(out, lambda _: False) as folder:
            document = _document(out.name, cameras, meta, len(frames))
            (folder / "cameras.json").write_text(json.dumps(document, indent=1), encoding="utf-8")
            write_ply(folder / "points3D.ply", initial_points(frames.gaussians(0)))
            for index in range(len(frames)):
                progress(f"frame {index + 1} of {len(frames)}", index / len(frames))
                _write_frame(folder, index, frames.gaussians(index), cameras, meta, chosen.backend)
            open_capture(folder)  # what is written can be trained on
    finally:
        chosen.backend.close()
    progress("pictures are written", 1.0)


def cameras_around(
    meta: SceneMeta, config: SceneRigConfig, size: tuple[int, int]
) -> tuple[Camera, ...]:
    """Cameras on a spiral around the centre of a scene, which all of them look at.

    Args:
        size: Width and height of the pictures in px. The smaller side shows what the height of the
            opening view shows.
    """
    up, center = torch.tensor(meta.up), torch.tensor(meta.center)
    aside = torch.eye(3)[int(up.abs().argmin())]
    first = torch.nn.functional.normalize(torch.linalg.cross(up, aside), dim=0)
    second = torch.linalg.cross(up, first)
    low, high = (math.sin(math.radians(d)) for d in (config.lowest_deg, config.highest_deg))
    found = []
    for k in range(config.cameras):
        height = low + (high - low) * (k + 0.5) / config.cameras
        level = math.sqrt(1 - height**2)
        turn = k * GOLDEN_TURN_RAD
        away = level * (math.cos(turn) * first + math.sin(turn) * second) + height * up
        position = center + config.distance * meta.radius * away
        found.append(Camera.look_at(position, center, up, _fov_y_rad(meta, size), *size))
    return tuple(found)


def _fov_y_rad(meta: SceneMeta, size: tuple[int, int]) -> float:
    """The vertical field of view at which the smaller side shows that of the opening view."""
    smaller = meta.presets[0].fov_y_rad if meta.presets else USUAL_FOV_Y_RAD
    return 2 * math.atan(math.tan(smaller / 2) * size[1] / min(size))


def initial_points(gaussians: Gaussians) -> PointCloud:
    """Points within visible Gaussians, where training begins: large ones get more of them."""
    visible = gaussians[gaussians.opacities >= VISIBLE]
    rng = torch.Generator().manual_seed(0)
    if not len(visible):
        return PointCloud(torch.zeros(0, 3), torch.zeros(0, 3))
    sizes = visible.scales.sort(dim=1).values[:, 1:].log().mean(dim=1).exp()
    count = min(POINTS, POINTS_PER_GAUSSIAN * len(visible))
    chosen = visible[torch.multinomial(sizes, count, replacement=True, generator=rng)]
    aside = chosen.scales * torch.randn(count, 3, generator=rng) * SPREAD
    turned = torch.einsum("nij,nj->ni", rotation_matrices(chosen.quats), aside)
    return PointCloud(chosen.means + turned, chosen.colors)


def _document(
    title: str, cameras: Sequence[Camera], meta: SceneMeta, frames: int
) -> dict[str, Any]:
    """The content of `cameras.json`."""
    entries = [
        {
            "id": _name(k),
            "split": "test" if k in held_out(len(cameras)) else "train",
            "w": camera.width, "h": camera.height,
            "K": camera.K.tolist(), "w2c": camera.viewmat.tolist(),
        }
        for k, camera in enumerate(cameras)
    ]  # fmt: skip
    placed = {"up": list(meta.up), "center": list(meta.center)}
    return {"name": title, "fps": meta.fps, "frames": frames, **placed, "cameras": entries}


def held_out(cameras: int) -> range:
    """The numbers of the cameras that training does not see: every 12th, at least one."""
    return range(min(HELD_OUT_EVERY, cameras) // 2, cameras, HELD_OUT_EVERY)


def _write_frame(
    folder: Path,
    index: int,
    gaussians: Gaussians,
    cameras: Sequence[Camera],
    meta: SceneMeta,
    backend: Backend,
) -> None:
    settings = RenderSettings(meta.background, meta.near)
    ready = gaussians.to(backend.device)
    for k, camera in enumerate(cameras):
        images = folder / "ims" / _name(k)
        images.mkdir(parents=True, exist_ok=True)
        picture = backend.render_rgb8(ready, camera, settings).cpu().contiguous().numpy()
        Image.fromarray(picture).save(images / f"{index:05d}.png", compress_level=PNG_EFFORT)


def _name(number: int) -> str:
    return f"cam{number:02d}"
