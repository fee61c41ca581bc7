"""A room with textured walls and a square that wanders over its floor, filmed by a few cameras.

It has what structure from motion needs: fine texture at different depths, and motion that all
cameras see.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from streamstgs.renderer import Camera

from tests.capture_samples import write_video

WIDTH, HEIGHT, FRAMES, FPS = 240, 180, 30, 20
TEXELS, SIDE = 22, 256  # for each world unit; of a texture


def room_cameras(count: int = 5) -> list[Camera]:
    """Cameras on an arc, 16 degrees apart, that look into the corner."""
    up = torch.tensor([0.0, 0.0, 1.0])
    cameras = []
    for k in range(count):
        angle = np.radians(-45 + 16 * (k - (count - 1) / 2))
        place = torch.tensor([4.5 * np.cos(angle), 4.5 * np.sin(angle), 2 + 0.25 * (k % 2)])
        target = torch.tensor([-0.3, 0.3, 0.7])
        cameras.append(Camera.look_at(place.float(), target, up, 0.75, WIDTH, HEIGHT))
    return cameras


@cache
def _texture(number: int) -> np.ndarray:
    """[SIDE, SIDE, 3] float32 noise of several sizes, 0..255."""
    rng = np.random.default_rng(number)
    total = np.zeros((SIDE, SIDE, 3), np.float32)
    for size, strength in ((1, 25), (2, 45), (8, 60)):
        grain = rng.normal(size=(SIDE // size, SIDE // size, 3)).astype(np.float32) * strength
        total += np.kron(grain, np.ones((size, size, 1), np.float32))
    return (total + 128).clip(0, 255)


@cache
def walk(frames: int) -> np.ndarray:
    """[frames, 2] places of the square; its speed changes all the time."""
    rng = np.random.default_rng(5)
    speeds = np.abs(np.convolve(rng.normal(size=frames + 2), [0.3, 0.4, 0.3], "valid"))
    turn = np.cumsum(speeds) * 0.35
    return np.stack([np.cos(turn) * 0.9, np.sin(2 * turn) * 0.7], axis=-1)


def render(camera: Camera, frame: int) -> np.ndarray:
    """[H, W, 3] uint8: walls x = -1.8 and y = 1.8, floor z = 0, the square on it."""
    picture, floor, places = _still(camera)
    shown = floor & (np.abs(places - walk(100)[frame]) < 0.4).all(axis=-1)
    return np.where(shown[..., None], np.array([255, 240, 30], np.uint8), picture)


def _still(camera: Camera) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The picture without the square, where the floor is [H, W], and its places [H, W, 2]."""
    key = (*camera.viewmat.flatten().tolist(), *camera.K.flatten().tolist(), camera.width)
    if key not in _STILL:
        _STILL[key] = _rendered(camera)
    return _STILL[key]


_STILL: dict[Any, tuple[np.ndarray, np.ndarray, np.ndarray]] = {}


def _rendered(camera: Camera) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    x, y = np.meshgrid(np.arange(camera.width) + 0.5, np.arange(camera.height) + 0.5)
    K, viewmat = camera.K.double().numpy(), camera.viewmat.double().numpy()
    local = np.stack([(x - K[0, 2]) / K[0, 0], (y - K[1, 2]) / K[1, 1], np.ones_like(x)], -1)
    rays, place = local @ viewmat[:3, :3], -viewmat[:3, :3].T @ viewmat[:3, 3]
    nearest = np.full(x.shape, np.inf)
    picture = np.zeros((*x.shape, 3), np.float32)
    for number, (axis, position) in enumerate(((0, -1.8), (1, 1.8), (2, 0.0))):
        with np.errstate(divide="ignore"):
            distance = (position - place[axis]) / rays[..., axis]
        shown = (distance > 0) & (distance < nearest)
        points = place + distance[..., None] * rays
        nearest[shown] = distance[shown]
        picture[shown] = _painted(number, np.delete(points[shown], axis, axis=1))
    return picture.round().astype(np.uint8), shown, points[..., :2]


def _painted(surface: int, places: np.ndarray) -> np.ndarray:
    """Colours [N, 3] of places [N, 2] on a surface; bilinear."""
    spots = (places * TEXELS) % (SIDE - 1)
    first = spots.astype(int)
    part = (spots - first)[..., None].astype(np.float32)
    texture = _texture(surface)
    (i, j), (a, b) = first.T, (part[:, 0], part[:, 1])
    upper = texture[i, j] * (1 - b) + texture[i, j + 1] * b
    lower = texture[i + 1, j] * (1 - b) + texture[i + 1, j + 1] * b
    return upper * (1 - a) + lower * a


def write_room(
    folder: Path,
    cameras: list[Camera] | None = None,
    frames: int = FRAMES,
    late: Mapping[int, int] | None = None,
    calibrated: list[Camera] | None = None,
) -> Path:
    """Videos of the room and `cameras.json`.

    Args:
        late: frames by which some cameras show each moment later.
        calibrated: what `cameras.json` says instead of the truth.
    """
    recorded = cameras or room_cameras()
    entries: list[dict[str, Any]] = []
    for number, camera in enumerate(recorded):
        lag = (late or {}).get(number, 0)
        shown = [render(camera, 20 + frame - lag) for frame in range(frames)]
        write_video(folder / f"cam{number:02d}.mp4", shown, FPS)
        told = (calibrated or recorded)[number]
        entries.append({
            "id": f"cam{number:02d}", "w": told.width, "h": told.height, "K": told.K.tolist(),
            "w2c": told.viewmat.tolist(), "split": "test" if number == 1 else "train",
        })  # fmt: skip
    document = {"name": "Room", "fps": FPS, "frames": frames, "cameras": entries}
    (folder / "cameras.json").write_text(json.dumps(document))
    return folder


def turned(camera: Camera, degrees: float) -> Camera:
    """The camera turned to the side, at its place."""
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    turn = torch.eye(4)
    turn[:3, :3] = torch.tensor([[cos, 0, sin], [0, 1, 0], [-sin, 0, cos]])
    return Camera(turn @ camera.viewmat, camera.K, camera.width, camera.height)
