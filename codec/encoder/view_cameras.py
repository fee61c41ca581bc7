"""Cameras for measurements of the encoder: the presets of a scene, and rings around it."""

from __future__ import annotations

import math

import torch
from streamstgs.codec.package.scene_meta import SceneMeta
from streamstgs.renderer import Camera
from torch import Tensor

USUAL_FOV_Y_RAD = 0.7  # for scenes without presets


def preset_cameras(meta: SceneMeta, height_px: int, most: int) -> tuple[Camera, ...]:
    """Return cameras for the first presets of a scene; none if it has none."""
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
    """Return cameras on a ring around the centre, at a distance that shows the whole scene.

    Args:
        elevation_rad: angle of the ring above the plane through the centre.
        turn: rotation of the ring, in steps between neighbours.
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
    """Return a camera with the aspect ratio of the capture."""
    width = max(1, round(height_px * meta.width / meta.height))
    return Camera.look_at(position, target, torch.tensor(meta.up), fov_y_rad, width, height_px)
