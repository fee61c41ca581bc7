"""Lens models of recorded cameras, as COLMAP names them and orders their parameters."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

# Number in binary models, and names of the parameters. EQUIRECTANGULAR (17) is no picture of a
# plane, so it cannot be undone.
MODELS = {
    "SIMPLE_PINHOLE": (0, "f cx cy"),
    "PINHOLE": (1, "fx fy cx cy"),
    "SIMPLE_RADIAL": (2, "f cx cy k"),
    "RADIAL": (3, "f cx cy k1 k2"),
    "OPENCV": (4, "fx fy cx cy k1 k2 p1 p2"),
    "OPENCV_FISHEYE": (5, "fx fy cx cy k1 k2 k3 k4"),
    "FULL_OPENCV": (6, "fx fy cx cy k1 k2 p1 p2 k3 k4 k5 k6"),
    "FOV": (7, "fx fy cx cy omega"),
    "SIMPLE_RADIAL_FISHEYE": (8, "f cx cy k"),
    "RADIAL_FISHEYE": (9, "f cx cy k1 k2"),
    "THIN_PRISM_FISHEYE": (10, "fx fy cx cy k1 k2 p1 p2 k3 k4 sx1 sy1"),
    "RAD_TAN_THIN_PRISM_FISHEYE": (11, "fx fy cx cy k0 k1 k2 k3 k4 k5 p0 p1 s0 s1 s2 s3"),
    "SIMPLE_DIVISION": (12, "f cx cy k"),
    "DIVISION": (13, "fx fy cx cy k"),
    "SIMPLE_FISHEYE": (14, "f cx cy"),
    "FISHEYE": (15, "fx fy cx cy"),
    "EUCM": (16, "fx fy cx cy alpha beta"),
}
# Without distortion where all parameters after the principal point are 0.
LIKE_PINHOLE = {"SIMPLE_PINHOLE", "PINHOLE", "SIMPLE_RADIAL", "RADIAL", "OPENCV", "FULL_OPENCV"}
LIKE_PINHOLE |= {"SIMPLE_DIVISION", "DIVISION"}


@dataclass(frozen=True)
class Lens:
    """How a camera maps directions to pixels; the centre of the top left pixel is (0.5, 0.5).

    Args:
        model: a key of `MODELS`.
        width, height: of the recorded pictures, px.
        params: in COLMAP's order: focal lengths and principal point in px, then the distortion.

    Raises:
        ValueError: the model is unknown, or its parameters are not as many as it has, or not
            finite.
    """

    model: str
    width: int
    height: int
    params: tuple[float, ...]

    def __post_init__(self) -> None:
        if self.model not in MODELS:
            raise ValueError(
                f"the lens model {self.model!r} is unknown; one of {', '.join(MODELS)} is needed"
            )
        names = self.parameter_names
        if len(self.params) != len(names):
            raise ValueError(
                f"the lens model {self.model} has {len(names)} parameters ({', '.join(names)}), "
                f"not {len(self.params)}"
            )
        if not all(map(math.isfinite, self.params)):
            raise ValueError(f"parameters of the lens model {self.model} are not finite")

    @property
    def parameter_names(self) -> list[str]:
        return MODELS[self.model][1].split()

    @property
    def K(self) -> np.ndarray:
        """[3, 3] float64, without the distortion."""
        values = dict(zip(self.parameter_names, self.params, strict=True))
        fx = values["fx"] if "fx" in values else values["f"]
        fy = values["fy"] if "fy" in values else values["f"]
        return np.array([[fx, 0, values["cx"]], [0, fy, values["cy"]], [0, 0, 1]])

    @property
    def is_pinhole(self) -> bool:
        """True if there is no distortion to undo."""
        distortion = self.params[self.parameter_names.index("cy") + 1 :]
        return self.model in LIKE_PINHOLE and not any(distortion)


def pinhole(K: Sequence[Sequence[float]] | np.ndarray, width: int, height: int) -> Lens:
    """The lens of a matrix [3, 3] without distortion."""
    fx, fy, cx, cy = (float(K[i][j]) for i, j in ((0, 0), (1, 1), (0, 2), (1, 2)))
    return Lens("PINHOLE", width, height, (fx, fy, cx, cy))
