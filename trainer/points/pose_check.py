"""Whether the pictures agree with the poses: the last check of a calibration before training.

Poses of cameras that look about the same way also make sense when they are inverted: the rig is
mirrored, and nothing but the pictures tells. So depths are swept for a few textured pixels, and
counted is for how many of them neighbouring cameras agree on a depth.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from streamstgs.renderer import Camera
from streamstgs.trainer.datasets import Capture, CapturedView, load_frames
from streamstgs.trainer.datasets.calibration import plausible_readings
from streamstgs.trainer.datasets.capture import point_of_attention
from streamstgs.trainer.datasets.reduction import reduced
from streamstgs.trainer.errors import CaptureError
from streamstgs.trainer.points.plane_sweep import SweepConfig, swept_points
from streamstgs.trainer.rng import Rng
from torch import Tensor

CAMERAS = 5  # that are looked at
HEIGHT_PX = 180  # of the pictures as they are compared
SWEEP = SweepConfig(pixels=60, depths=64, patch_px=9, distinction=0.1)
AGREE = (
    0.05  # share of pixels with a depth; two captures have 0.09 and 0.19, read wrongly 0 to 0.01
)
ENOUGH = 0.1  # share from which on the poses are not doubted
BETTER = 4.0  # times as many pixels must agree with poses that are read in another way


def check_pictures(capture: Capture) -> None:
    """Raises CaptureError where the pictures agree with the poses only in another reading.

    Pictures without texture agree with none, and say nothing.
    """
    views = capture.split("train")
    readings = plausible_readings([view.camera for view in views])
    if not readings:
        return
    chosen = _neighbouring(views)
    frames = load_frames(tuple(views[k] for k in chosen), [0])
    pictures = [_reduced(shown[0], HEIGHT_PX) for shown in frames]
    cameras = [
        views[k].camera.resized(picture.shape[1], picture.shape[0])
        for k, picture in zip(chosen, pictures, strict=True)
    ]
    share = agreeing_share(cameras, pictures)
    if share >= ENOUGH:
        return
    found = {}
    for reading, viewmats in readings:
        read_so = [
            replace(camera, viewmat=viewmats[k].float())
            for camera, k in zip(cameras, chosen, strict=True)
        ]
        found[reading] = agreeing_share(read_so, pictures)
    best = max(found, key=lambda reading: found[reading])
    if found[best] >= max(AGREE, BETTER * share):
        raise CaptureError(
            f"the pictures agree with the poses if w2c is read as {best}, and not as they are; "
            "--capture.trust-poses takes the poses as they are"
        )


def agreeing_share(cameras: Sequence[Camera], pictures: Sequence[Tensor]) -> float:
    """For which share of textured pixels neighbouring cameras agree on a depth, 0..1.

    Args:
        pictures: [H, W, 3] uint8, of the cameras' size.
    """
    rig = list(cameras)
    center = torch.tensor(point_of_attention(rig))
    unit = torch.stack([(c.position - center).norm() for c in rig]).mean().item()
    if unit <= 0:  # all at one place, as a wrong reading of poses can have it: no depth is seen
        return 0.0
    found = swept_points(rig, list(pictures), unit, SWEEP, Rng(0, torch.device("cpu")))
    return len(found) / (SWEEP.pixels * len(rig))


def _neighbouring(views: Sequence[CapturedView]) -> list[int]:
    """Numbers of the camera in the middle of all, and of those next to it."""
    places = torch.stack([view.camera.position for view in views])
    apart = torch.cdist(places, places)
    return apart[apart.sum(dim=1).argmin()].argsort()[:CAMERAS].tolist()


def _reduced(picture: Tensor, height: int) -> Tensor:
    if picture.shape[0] <= height:
        return picture
    width = max(1, round(picture.shape[1] * height / picture.shape[0]))
    return torch.from_numpy(np.ascontiguousarray(reduced(picture.numpy(), width, height)))
