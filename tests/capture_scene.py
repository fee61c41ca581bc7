"""A tiny multi-view capture on disk: the synthetic scene filmed by a ring of cameras."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import imageio.v3 as iio
import torch
from streamstgs.renderer import Camera, CanonicalGaussians, Gaussians, RenderSettings
from streamstgs.renderer.backends import reference
from streamstgs.trainer.points.point_cloud import PointCloud, write_ply

WIDTH, HEIGHT, FRAMES = 32, 24, 6  # one tile of the reference rasteriser
BACKGROUND = (0.2, 0.4, 0.6)


@contextmanager
def single_thread() -> Iterator[None]:
    """Threads that share pictures this small mostly wait for each other."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def ring_cameras(count: int) -> list[Camera]:
    up = torch.tensor([0.0, 0.0, 1.0])
    positions = [
        torch.tensor([4 * math.cos(a), 4 * math.sin(a), 1.5])
        for a in (2 * math.pi * k / count for k in range(count))
    ]
    return [Camera.look_at(p, torch.zeros(3), up, 0.7, WIDTH, HEIGHT) for p in positions]


def still_blobs() -> CanonicalGaussians:
    """Five blobs that stand still."""
    return _blobs(0)[:5]


def scene_at(frame: int) -> Gaussians:
    """Five still blobs and a red one that slides along x."""
    return _blobs(frame).activate()


def _blobs(frame: int) -> CanonicalGaussians:
    random = torch.Generator().manual_seed(3)
    means = torch.rand(6, 3, generator=random) * 1.6 - 0.8
    means[5] = torch.tensor([-0.8 + 0.32 * frame, 0.3, 0.6])
    colors = torch.rand(6, 3, generator=random)
    colors[5] = torch.tensor([1.0, 0.1, 0.1])
    return CanonicalGaussians(
        means=means,
        quats=torch.tensor([[1.0, 0, 0, 0]]).repeat(6, 1),
        log_scales=torch.full((6, 3), math.log(0.22)),
        opacity_logits=torch.full((6,), 4.0),
        colors=colors,
    )


def write_capture(folder: Path, cameras: int = 8) -> Path:
    """Write `cameras.json` and `ims/<id>/<frame>.png`; camera 0 is held out."""
    entries = []
    for number, camera in enumerate(ring_cameras(cameras)):
        images = folder / "ims" / str(number)
        images.mkdir(parents=True)
        for frame in range(FRAMES):
            colors, _ = reference.rasterize(scene_at(frame), camera, RenderSettings(BACKGROUND))
            pixels = (colors.clamp(0, 1) * 255).round().to(torch.uint8).numpy()
            iio.imwrite(images / f"{frame:06d}.png", pixels)
        entries.append(
            {
                "id": number,
                "split": "train" if number else "test",
                "w": WIDTH,
                "h": HEIGHT,
                "K": camera.K.tolist(),
                "w2c": camera.viewmat.tolist(),
            }
        )
    document = {"name": "blobs", "fps": 12, "frames": FRAMES, "cameras": entries}
    (folder / "cameras.json").write_text(json.dumps(document))
    _write_points(folder / "points3D.ply")
    return folder


def _write_points(path: Path) -> None:
    scene = scene_at(0)
    random = torch.Generator().manual_seed(0)
    chosen = torch.randint(5, (60,), generator=random)
    positions = scene.means[chosen] + 0.15 * torch.randn(60, 3, generator=random)
    write_ply(path, PointCloud(positions, scene.colors[chosen]))
