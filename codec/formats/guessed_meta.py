"""Axes, centre and opening views of files that tell nothing of them, guessed from the Gaussians.

Up is what a file tells, such as a comment of a PLY, or else what `guessed_up` finds. The centre is
the median of the Gaussians that are at least 10 % opaque. The radius is 3 times the median distance
to it, which shows a filled ball as a whole at the opening field of view of 50 degrees; floaters and
a far background do not move medians. Five views look at the centre from that distance. The player
lets people correct all of it.
"""

from __future__ import annotations

import math
from dataclasses import replace

import torch
from streamstgs.codec.formats.guessed_up import Vector, guessed_up
from streamstgs.codec.package.scene_meta import CameraPreset, SceneMeta
from streamstgs.renderer import Gaussians

FOV_Y_RAD = math.radians(50.0)
RADIUS_FACTOR = 3.0  # the median distance in a ball is 0.79 of its radius; 0.79 * 3 * sin(25°) = 1
SAMPLES = 200_000
VISIBLE = 0.1
NEAR_SHARE = 0.002  # of the radius
ELEVATION_RAD = math.radians(10.0)
VIEWS = {"Front": 0.0, "Right": math.pi / 2, "Back": math.pi, "Left": -math.pi / 2}  # around up
TOP_RAD = math.radians(80.0)


def guessed_meta(
    gaussians: Gaussians, title: str, fps: float, up: Vector | None = None
) -> SceneMeta:
    """What a player needs to know of a scene, guessed from the Gaussians of a frame.

    Args:
        up: unit vector that points up, if the file tells it; None for a guess.
    """
    up = up or guessed_up(gaussians)
    center, radius = _bounds(gaussians)
    return SceneMeta(
        title=title,
        fps=fps,
        up=up,
        center=center,
        radius=radius,
        background=(0.0, 0.0, 0.0),
        has_background=False,
        width=1280,
        height=720,
        near=radius * NEAR_SHARE,
        presets=_presets(center, radius, up),
    )


def with_up(meta: SceneMeta, up: Vector) -> SceneMeta:
    """The description of a scene with another vertical axis; presets that were guessed from the
    former axis are guessed again, others stay."""
    guessed = meta.presets == _presets(meta.center, meta.radius, meta.up)
    presets = _presets(meta.center, meta.radius, up) if guessed else meta.presets
    return replace(meta, up=up, presets=presets)


def _presets(center: Vector, radius: float, up: Vector) -> tuple[CameraPreset, ...]:
    """Views around a scene; the first is the opening view."""
    presets = [
        CameraPreset(name, _eye(center, radius, up, turn_rad, ELEVATION_RAD), center, FOV_Y_RAD)
        for name, turn_rad in VIEWS.items()
    ]
    presets.append(CameraPreset("Top", _eye(center, radius, up, 0.0, TOP_RAD), center, FOV_Y_RAD))
    return tuple(presets)


def _bounds(gaussians: Gaussians) -> tuple[Vector, float]:
    """Centre and radius."""
    means = gaussians.means[gaussians.opacities >= VISIBLE]
    means = means if len(means) else gaussians.means
    if len(means) == 0:
        return (0.0, 0.0, 0.0), 1.0
    means = means[:: max(1, len(means) // SAMPLES)].double()
    center = means.median(dim=0).values
    distance = float((means - center).norm(dim=1).median())
    radius = max(distance * RADIUS_FACTOR, float(gaussians.scales.median()) * RADIUS_FACTOR, 1e-6)
    return (float(center[0]), float(center[1]), float(center[2])), radius


def _eye(
    center: Vector, radius: float, up: Vector, turn_rad: float, elevation_rad: float
) -> Vector:
    """A point at `radius` from the centre; turn 0 is in front: at -z, or at -y where z is up."""
    vertical = torch.tensor(up, dtype=torch.float64)
    ahead = torch.tensor([0.0, 0.0, -1.0] if abs(up[2]) < 0.9 else [0.0, -1.0, 0.0]).double()
    front = torch.nn.functional.normalize(ahead - vertical * (ahead @ vertical), dim=0)
    right = torch.linalg.cross(vertical, front)
    level = math.cos(turn_rad) * front + math.sin(turn_rad) * right
    away = math.cos(elevation_rad) * level + math.sin(elevation_rad) * vertical
    x, y, z = (torch.tensor(center, dtype=torch.float64) + radius * away).tolist()
    return x, y, z
