"""Meta data of a captured scene for players: its middle, its size, and a few camera presets."""

from __future__ import annotations

import math
from pathlib import Path

import torch
from streamstgs.codec.limits import FILMED_VIEWS
from streamstgs.codec.package.filmed_view import FilmedView
from streamstgs.codec.package.scene_meta import CameraPreset, SceneMeta
from streamstgs.renderer import Camera
from streamstgs.trainer.datasets.capture import Capture
from streamstgs.trainer.points.projection import distances
from torch import Tensor

PRESETS = 4
DECIMALS = 6  # of filmed views
NEAREST_TARGET = 0.02  # of the cameras' distance: a camera that looks away looks at something


def scene_meta(capture: Capture, background: tuple[float, float, float], near: float) -> SceneMeta:
    """Meta data of a capture; the presets are cameras of it, spread around the scene."""
    first = capture.split("train")[0].camera
    return SceneMeta(
        title=capture.title,
        fps=capture.fps,
        up=capture.up,
        center=capture.center,
        radius=capture.camera_distance,
        background=background,
        width=first.width,
        height=first.height,
        near=near,
        presets=_presets(capture),
        filmed=filmed_by(capture),
    )


def filmed_in(data: Path) -> tuple[FilmedView, ...]:
    """What the cameras of the capture in a folder saw. Raises CaptureError."""
    from streamstgs.trainer.datasets.layouts import open_capture

    return filmed_by(open_capture(data))


def filmed_by(capture: Capture) -> tuple[FilmedView, ...]:
    """What the cameras of a capture saw, at most as many as a scene may tell of."""
    return tuple(_filmed(view.camera) for view in capture.views[:FILMED_VIEWS])


def _filmed(camera: Camera) -> FilmedView:
    """Place and view cone of a camera, with as many decimals as its calibration is good for."""
    rotation = camera.viewmat[:3, :3]
    fov_x, fov_y = (
        2 * math.atan(side / (2 * camera.K[axis, axis].item()))
        for axis, side in enumerate((camera.width, camera.height))
    )
    return FilmedView(
        _rounded(camera.position),
        _rounded(rotation[2]),
        _rounded(-rotation[1]),
        round(fov_x, DECIMALS),
        round(fov_y, DECIMALS),
    )


def _rounded(vector: Tensor) -> tuple[float, float, float]:
    x, y, z = (round(value, DECIMALS) + 0.0 for value in vector.tolist())  # + 0.0: no -0.0
    return (x, y, z)


def _presets(capture: Capture) -> tuple[CameraPreset, ...]:
    """Cameras chosen one by one, each as far as can be from those before it."""
    positions = torch.stack([v.camera.position for v in capture.views])
    chosen = [0]
    while len(chosen) < min(PRESETS, len(positions)):
        nearest = distances(positions, positions[chosen]).amin(dim=1)
        chosen.append(int(nearest.argmax()))
    return tuple(
        _preset(f"View {number}", capture.views[index].camera, capture)
        for number, index in enumerate(chosen, 1)
    )


def _preset(name: str, camera: Camera, capture: Capture) -> CameraPreset:
    """The view of a camera; it looks at the point of its axis that is nearest to the centre."""
    position, axis = camera.position, camera.viewmat[2, :3]
    reach = torch.dot(torch.tensor(capture.center) - position, axis)
    reach = reach.clamp(min=NEAREST_TARGET * capture.camera_distance)
    fov_y = 2 * math.atan(camera.height / (2 * camera.K[1, 1].item()))
    return CameraPreset(
        name, tuple(position.tolist()), tuple((position + reach * axis).tolist()), fov_y
    )
