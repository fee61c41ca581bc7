"""Poses that make sense in two readings are judged by the pictures."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest
import torch
from PIL import Image
from streamstgs.renderer import Camera
from streamstgs.trainer.datasets import open_capture
from streamstgs.trainer.errors import CaptureError
from streamstgs.trainer.points.pose_check import agreeing_share, check_pictures
from streamstgs.trainer.points.projection import unproject
from torch import Tensor

WIDTH, HEIGHT = 160, 120
FLIP = torch.diag(torch.tensor([1.0, -1, -1, 1]))
Reading = Callable[[Tensor], Tensor]


def rig() -> list[Camera]:
    """Cameras in rows before the plane z = 0 that look nearly the same way, as light fields do."""
    up = torch.tensor([0.0, 1.0, 0.0])
    places = [(x, y, 3.0) for x in (-0.5, 0.0, 0.5) for y in (-0.3, 0.3)]
    return [
        Camera.look_at(
            torch.tensor(place),
            torch.tensor([0.9 * place[0], 0.9 * place[1], 0.0]),
            up,
            0.8,
            WIDTH,
            HEIGHT,
        )
        for place in places
    ]


def view_of_the_plane(camera: Camera, texture: Tensor) -> np.ndarray:
    """What a camera sees of the plane z = 0, whose texture [1, 3, H, W] reaches from -3 to 3."""
    rows, columns = torch.meshgrid(
        torch.arange(HEIGHT) + 0.5, torch.arange(WIDTH) + 0.5, indexing="ij"
    )
    pixels = torch.stack([columns, rows], dim=-1).reshape(-1, 2)
    rays = unproject(pixels, torch.ones(len(pixels)), camera) - camera.position
    hits = camera.position - rays * (camera.position[2] / rays[:, 2])[:, None]
    places = (hits[:, :2] / 3).reshape(1, HEIGHT, WIDTH, 2)
    colors = torch.nn.functional.grid_sample(texture, places, align_corners=False)
    return (colors[0].permute(1, 2, 0) * 255).byte().numpy()


def written(folder: Path, read: Reading, texture: Tensor) -> Path:
    """A capture whose w2c are what `read` makes of the right ones."""
    entries = []
    for number, camera in enumerate(rig()):
        images = folder / "ims" / str(number)
        images.mkdir(parents=True)
        Image.fromarray(view_of_the_plane(camera, texture)).save(images / "0.png")
        size = {"w": WIDTH, "h": HEIGHT, "K": camera.K.tolist()}
        entries.append({"id": number, "w2c": read(camera.viewmat).tolist(), **size})
    document = {"fps": 24, "frames": 1, "cameras": entries}
    (folder / "cameras.json").write_text(json.dumps(document))
    return folder


@pytest.fixture
def texture() -> Tensor:
    random = torch.Generator().manual_seed(4)
    coarse = torch.rand(1, 3, 140, 140, generator=random)
    return torch.nn.functional.interpolate(coarse, size=(700, 700), mode="bicubic").clamp(0, 1)


def test_pictures_agree_with_right_poses(tmp_path: Path, texture: Tensor) -> None:
    check_pictures(open_capture(written(tmp_path, lambda viewmat: viewmat, texture)))


@pytest.mark.parametrize(
    ("read", "named"),
    [
        (torch.linalg.inv, "as camera-to-world, and"),
        (lambda viewmat: torch.linalg.inv(FLIP @ viewmat), "as camera-to-world with the axes of"),
    ],
)
def test_pictures_tell_the_reading_that_geometry_cannot(
    tmp_path: Path, texture: Tensor, read: Reading, named: str
) -> None:
    capture = open_capture(written(tmp_path, read, texture))  # the poses alone make sense
    with pytest.raises(CaptureError, match=named):
        check_pictures(capture)


def test_pictures_without_texture_say_nothing(tmp_path: Path, texture: Tensor) -> None:
    flat = torch.full_like(texture, 0.5)
    check_pictures(open_capture(written(tmp_path, torch.linalg.inv, flat)))


def test_cameras_at_one_place_agree_on_nothing() -> None:
    """A wrong reading of the poses of a ring can put all cameras at its middle."""
    place, up = torch.zeros(3), torch.tensor([0.0, 1.0, 0.0])
    looks = [torch.tensor([math.sin(a), 0.0, math.cos(a)]) for a in (0.0, 0.5, 1.0, 2.0)]
    cameras = [Camera.look_at(place, look, up, 0.8, WIDTH, HEIGHT) for look in looks]
    pictures = [torch.full((HEIGHT, WIDTH, 3), 90, dtype=torch.uint8) for _ in cameras]
    with patch("streamstgs.trainer.points.pose_check.point_of_attention", lambda _: (0.0,) * 3):
        assert agreeing_share(cameras, pictures) == 0
