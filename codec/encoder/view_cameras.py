"""Cameras from which an encoder looks at a scene: its presets, and rings around it."""

from __future__ import annotations

import math

import torch
from streamstgs.codec.package.scene_meta import SceneMeta
from streamstgs.renderer import Camera
from torch import Tensor

USUAL_FOV_Y_RAD = 0.7  # of a scene without presets


def preset_cameras(meta: SceneMeta, height_px: int, most: int) -> tuple[Camera, ...]:
    """The first presets of a scene; none where it has none."""
    return tuple(
        _camera(
            meta,
            torch.tensor(preset.position),
            torch.tensor(preset.target),
            preset.fov_y_rad,
            height_px,
        )
        for preset in meta.presets[:most]
    )


def orbit_cameras(
    meta: SceneMeta, height_px: int, count: int, elevation_rad: float = 0.0, turn: float = 0.0
) -> tuple[Camera, ...]:
    """Cameras on a ring around the centre, as far away as shows all of the scene.

    Args:
        elevation_rad: above the plane through the centre.
        turn: shares of the step between neighbours by which the ring is turned.
    """
    up, center = torch.tensor(meta.up), torch.tensor(meta.center)
    fov_y_rad = meta.presets[0].fov_y_rad if meta.presets else USUAL_FOV_Y_RAD
    aside = torch.eye(3)[int(up.abs().argmin())]
    first = torch.nn.functional.normalize(torch.linalg.cross(up, aside), dim=0)
    second = torch.linalg.cross(up, first)
    cameras = []
    for k in range(count):
        angle = 2 * math.pi * (k + turn) / count
        level = math.cos(angle) * first + math.sin(angle) * second
        away = math.cos(elevation_rad) * level + math.sin(elevation_rad) * up
        cameras.append(_camera(meta, center + meta.radius * away, center, fov_y_rad, height_px))
    return tuple(cameras)


def _camera(
    meta: SceneMeta, position: Tensor, target: Tensor, fov_y_rad: float, height_px: int
) -> Camera:
    """The width keeps the aspect of the capture."""
    width = max(1, round(height_px * meta.width / meta.height))
    return Camera.look_at(position, target, torch.tensor(meta.up), fov_y_rad, width, height_px)
