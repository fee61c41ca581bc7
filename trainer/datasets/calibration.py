"""Checks of calibrations, the same for all layouts of captures.

A calibration is wrong in a few usual ways: the inverse of a pose, the axes of OpenGL, the K of
another picture size, a lens distortion that a pinhole does not have. Each is recognised and named.
"""

from __future__ import annotations

import logging
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from streamstgs.renderer import Camera
from streamstgs.trainer.errors import CaptureError
from torch import Tensor

log = logging.getLogger("streamstgs.trainer")
SIDE_MAX_PX = 16_384
SKEW_MAX = 1e-3  # of R R^T from the identity; calibrations are often printed with few digits
SAME_POSE = 1e-5  # of two world-to-camera matrices, relative to the distance from the origin
MOST, FEW = 0.9, 0.5  # scores of poses that make sense, and of poses that do not
LEAST_CONVERGENCE = 1e-3  # mean squared sine of the angles between optical axes, about 2 degrees
BEFORE_SHARE = 0.4  # of the distance between cameras; half of it on a full ring around the scene
OTHER_SIZE = 0.2  # relative distance of the principal point from the middle, equal in x and y
NORMALISED_MAX = 10.0  # a focal length below this is in units of the picture, not in px
OTHER_SIZE_OF_ALL = 0.04  # the same where all cameras agree on it
SAME_SCALE = 0.01  # relative difference of scales that are the same
WIDEST_PINHOLE_DEG = 150.0  # a wider picture has another lens, or K other units
# How many parameters of a camera model are no distortion.
MODELS = {
    "simple_pinhole": 3, "pinhole": 4, "perspective": 4, "opencv": 4, "full_opencv": 4,
    "simple_radial": 3, "radial": 3, "brown": 4, "radtan": 4, "plumb_bob": 4, "none": 4, "": 4,
}  # fmt: skip
REMEDY = "undistort the frames, or write it as the member lens"
COLMAP_MODELS = {  # by their numbers
    0: "simple_pinhole", 1: "pinhole", 2: "simple_radial", 3: "radial", 4: "opencv",
    6: "full_opencv",
}  # fmt: skip
MODEL_KEYS = ("model", "cameramodel", "type", "cameratype", "distortionmodel", "projection",
              "projectiontype", "lensmodel")  # fmt: skip
PARAMETER_KEYS = ("params", "parameters", "cameraparams", "intrinsicparams")
LENS_KEY = re.compile(  # of names without _ and -, in small letters
    r"(k[1-6]|p[12]|s[1-4]|b[12]|tau[xy]|kc|d|xi)\d?|.*(dist(?!ance)|radial|tangential|fisheye|"
    r"omni|coef).*"
)


def check_pinhole(camera: Camera, is_wide: bool = False) -> None:
    """Raises ValueError unless the matrices are a rotation, a translation and a pinhole's K.

    Args:
        is_wide: K is that of a lens which sees more than a pinhole does.
    """
    rotation = camera.viewmat[:3, :3]
    skew = (rotation @ rotation.T - torch.eye(3)).abs().max()
    if not (camera.viewmat.isfinite().all() and skew < SKEW_MAX and rotation.det() > 0):
        raise ValueError("w2c is no rotation and translation")
    if not torch.equal(camera.viewmat[3].abs(), torch.tensor([0.0, 0.0, 0.0, 1.0])):
        raise ValueError("the last row of w2c is not 0 0 0 1")
    check_matrix(camera.K.double().numpy())
    if not (0 < camera.width <= SIDE_MAX_PX and 0 < camera.height <= SIDE_MAX_PX):
        raise ValueError(f"no picture is {camera.width}x{camera.height}")
    _check_scale_of_k(camera, is_wide)


def check_matrix(K: np.ndarray) -> None:
    """Raises ValueError unless a matrix [3, 3] is that of a pinhole."""
    if not np.isfinite(K).all() or K[0, 0] <= 0 or K[1, 1] <= 0:
        raise ValueError("K has no positive focal lengths")
    rest = K[[0, 1, 2, 2, 2], [1, 0, 0, 1, 2]]
    if not np.allclose(rest, [0, 0, 0, 0, 1], atol=1e-6):
        raise ValueError("K is no pinhole: [[fx, 0, cx], [0, fy, cy], [0, 0, 1]]")


def _check_scale_of_k(camera: Camera, is_wide: bool) -> None:
    """Raises ValueError where K belongs to a picture of another size."""
    fx, fy = camera.K[0, 0].item(), camera.K[1, 1].item()
    cx, cy = camera.K[0, 2].item(), camera.K[1, 2].item()
    size = f"{camera.width}x{camera.height}"
    if max(fx, fy) < NORMALISED_MAX and max(abs(cx), abs(cy)) <= 1.5 and camera.width > 16:
        raise ValueError(f"K is normalised (fx {fx:g}); it must be in px of a picture of {size}")
    across, down = 2 * cx / camera.width, 2 * cy / camera.height
    if abs(across / down - 1) < 0.03 and abs(across - 1) > OTHER_SIZE if down else False:
        raise ValueError(
            f"K belongs to a picture of {2 * cx:.0f}x{2 * cy:.0f} by its principal point "
            f"({cx:g}, {cy:g}), the pictures are {size}"
        )
    if not (0 <= cx <= camera.width and 0 <= cy <= camera.height):
        raise ValueError(f"the principal point ({cx:g}, {cy:g}) is outside of a picture of {size}")
    widest = max(math.atan(camera.width / 2 / fx), math.atan(camera.height / 2 / fy))
    if 2 * math.degrees(widest) > WIDEST_PINHOLE_DEG and not is_wide:
        raise ValueError(
            f"a focal length of {fx:g} px sees {2 * math.degrees(widest):.0f} degrees of a picture "
            f"of {size}, which no pinhole does; K must be in px"
        )


def check_no_distortion(entry: Mapping[str, Any]) -> None:
    """Raises ValueError where a camera declares a lens that is no pinhole: it would be ignored.

    Looks into nested objects, too. A distortion of zeros is none.
    """
    kept = None
    for key, value in entry.items():
        name = key.lower().replace("_", "").replace("-", "")
        if name in MODEL_KEYS and isinstance(value, (str, int)):
            kept = MODELS.get(
                COLMAP_MODELS.get(value, "?") if isinstance(value, int) else value.lower()
            )
            if kept is None:
                raise ValueError(f"the {key} {value!r} is no pinhole; {REMEDY}")
        elif key != "K" and LENS_KEY.fullmatch(name):
            if _has_any(value):
                raise ValueError(f"{key} declares lens distortion; {REMEDY}")
        elif isinstance(value, Mapping):
            check_no_distortion(value)
    for key, value in entry.items():
        name = key.lower().replace("_", "").replace("-", "")
        is_list = name in PARAMETER_KEYS and isinstance(value, Sequence)
        if is_list and _has_any(value[4 if kept is None else kept :]):
            raise ValueError(f"{key} declares lens distortion; {REMEDY}")


def _has_any(value: Any) -> bool:
    """Whether a number of a nested value is not zero; numbers may be texts."""
    if isinstance(value, Mapping):
        return any(_has_any(v) for v in value.values())
    if isinstance(value, str):
        try:
            return float(value) != 0
        except ValueError:
            return False
    if isinstance(value, Sequence):
        return any(_has_any(v) for v in value)
    return isinstance(value, (int, float)) and value != 0


def check_intrinsics(names: Sequence[str], cameras: Sequence[Camera]) -> None:
    """Raises CaptureError where the K of all cameras belong to pictures of another size.

    The lens of one camera may be off the middle; not those of all cameras by the same share of
    width and height.
    """
    scales = torch.tensor(
        [[2 * c.K[0, 2] / c.width, 2 * c.K[1, 2] / c.height] for c in cameras], dtype=torch.float64
    )
    usual = scales.median().item()
    if abs(usual - 1) > OTHER_SIZE_OF_ALL and bool(((scales / usual - 1).abs() < SAME_SCALE).all()):
        first = cameras[0]
        raise CaptureError(
            f"the K of all cameras (first: {names[0]}) belong to pictures of "
            f"{2 * first.K[0, 2]:.0f}x{2 * first.K[1, 2]:.0f} by their principal points, the "
            f"pictures are {first.width}x{first.height}"
        )


def check_poses(names: Sequence[str], cameras: Sequence[Camera]) -> None:
    """Cameras have poses of their own and look at something in common.

    Raises CaptureError where two cameras share a pose, or where the poses make sense only when they
    are read in another way, and says which. Cameras that look elsewhere are named in a warning.
    """
    viewmats = torch.stack([c.viewmat for c in cameras]).double()
    _check_no_twins(names, viewmats)
    seen, score = _sees_the_middle(viewmats, cameras)
    if score < FEW:
        for reading, _ in plausible_readings(cameras):
            raise CaptureError(
                "the cameras do not look at anything in common, but they do if w2c is read "
                f"as {reading}; --capture.trust-poses takes the poses as they are"
            )
    if not seen.all():
        lost = ", ".join(n for n, sees in zip(names, seen.tolist(), strict=True) if not sees)
        log.warning("the middle of what the cameras look at is not seen by camera %s", lost)


def _check_no_twins(names: Sequence[str], viewmats: Tensor) -> None:
    for first in range(len(names)):
        apart = (viewmats[first + 1 :] - viewmats[first]).abs().amax(dim=(1, 2))
        near = apart <= SAME_POSE * viewmats[first].abs().max()
        if near.any():
            second = first + 1 + int(near.nonzero()[0, 0])
            raise CaptureError(f"cameras {names[first]} and {names[second]} have the same pose")


def plausible_readings(cameras: Sequence[Camera]) -> list[tuple[str, Tensor]]:
    """Other readings of w2c in which the cameras look at something in common.

    Returns:
        A name of each reading, and [C, 4, 4] float64 world-to-camera matrices.
    """
    viewmats = torch.stack([c.viewmat for c in cameras]).double()
    return [
        (name, other)
        for name, other in _other_readings(viewmats)
        if _sees_the_middle(other, cameras)[1] >= MOST
    ]


def _other_readings(viewmats: Tensor) -> list[tuple[str, Tensor]]:
    flip = torch.diag(torch.tensor([1.0, -1.0, -1.0, 1.0], dtype=torch.float64))
    inverse = torch.linalg.inv(viewmats)
    return [
        ("camera-to-world", inverse),
        ("world-to-camera with the axes of OpenGL (y up, z backward)", flip @ viewmats),
        ("camera-to-world with the axes of OpenGL (y up, z backward)", flip @ inverse),
    ]


def _sees_the_middle(viewmats: Tensor, cameras: Sequence[Camera]) -> tuple[Tensor, float]:
    """Which cameras see the point nearest to all optical axes, and how much sense that makes.

    Cameras side by side, whose axes meet nowhere, all count as seeing it.

    Returns:
        [C] bool: the point is before the camera, in its picture; and a score from 0 to 1: the
        share of these cameras, less where the point lies among the cameras rather than before
        them, as it does when inverted poses make a fan.
    """
    axes, rotations = viewmats[:, 2, :3], viewmats[:, :3, :3]
    places = -(rotations.mT @ viewmats[:, :3, 3:])[..., 0]
    across = torch.eye(3, dtype=torch.float64) - axes[:, :, None] * axes[:, None, :]
    normal, moment = across.mean(dim=0), (across @ places[:, :, None]).mean(dim=0)
    if torch.linalg.eigvalsh(normal)[0] <= LEAST_CONVERGENCE:
        return torch.ones(len(cameras), dtype=torch.bool), 1.0
    point = torch.linalg.solve(normal, moment)
    local = (rotations @ point)[..., 0] + viewmats[:, :3, 3]
    intrinsics = torch.stack([c.K for c in cameras]).double()
    sizes = torch.tensor([(c.width, c.height) for c in cameras], dtype=torch.float64)
    pixels = (intrinsics @ local[..., None])[..., 0]
    depth = local[:, 2].clamp(min=1e-12)
    inside = ((pixels[:, :2] / depth[:, None] - sizes / 2).abs() <= sizes / 2).all(dim=1)
    near = 1e-6 * (1 + places.norm(dim=1))  # a camera at the very point looks at nothing
    seen = (local[:, 2] > near) & inside
    apart = torch.cdist(places, places).max().item()
    before = local[:, 2].median().item() / max(BEFORE_SHARE * apart, 1e-12)
    return seen, seen.double().mean().item() * min(1.0, max(0.0, before))
