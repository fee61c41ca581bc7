"""Writes scenes as `.4dgs` files, by the library fourdgs, in the model "gaussian-birth".

A Gaussian whose values stay is written once, with a window over all frames in which it is the same.
Otherwise each frame has its own Gaussians; where frames correspond, their velocity is that to the
next frame, so that players with another frame rate show what lies between.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from streamstgs.codec.errors import CodecError, EncodeError
from streamstgs.codec.formats.gaussian_ply import Vector
from streamstgs.codec.formats.raw_gaussians import RawGaussians
from streamstgs.codec.limits import GAUSSIANS_PER_FILE
from streamstgs.renderer.spherical_harmonics import C0

if TYPE_CHECKING:
    from fourdgs import CoordinateFrame

MISSING = "Writing .4dgs files needs the package fourdgs; install it with: pip install fourdgs"
SH_LOW, SH_HIGH = -4.0, 4.0
ALONG = 0.999  # cosine of the angle between an axis and a vector that counts as it
RIGHT_HANDED = 1


class FourdgsWriter:
    """Collects frames; Gaussians that stay from one to the next become one record.

    Args:
        fps: content frames per second.
        up: unit vector that points up.
        title: of the scene.
    """

    def __init__(self, fps: float, up: Vector, title: str) -> None:
        self._fps, self._up, self._title = fps, up, title
        self._rows: list[NDArray[np.float32]] = []  # of records whose window has ended
        self._windows: list[
            NDArray[np.int64]
        ] = []  # [N, 2] first frame, and the one after the last
        self._last: NDArray[np.float32] | None = None
        self._since = np.zeros(0, np.int64)  # first frame of the rows of `_last`
        self._frames = 0
        self._count = 0

    def add(self, raw: RawGaussians) -> None:
        """Append a frame.

        Raises:
            EncodeError: there are too many Gaussians over all frames.
        """
        rows = _rows_of(raw)
        since = np.full(len(rows), self._frames)
        last = self._last
        if last is not None and last.shape[1] == rows.shape[1]:
            both = min(len(last), len(rows))
            same = (last[:both] == rows[:both]).all(axis=1)
            since[:both][same] = self._since[:both][same]
            ended = np.ones(len(last), bool)
            ended[:both] = ~same
            moving = len(last) == len(rows)
            self._end(last[ended], self._since[ended], rows[ended] if moving else None)
        elif last is not None:
            self._end(last, self._since, None)
        self._last, self._since = rows, since
        self._frames += 1

    def content(self) -> bytes:
        """The file.

        Raises:
            EncodeError: there is nothing to write. CodecError: the library is not installed.
        """
        if self._last is not None:
            self._end(self._last, self._since, None)
            self._last = None
        if self._count == 0:
            raise EncodeError("There are no Gaussians to write.")
        degree = max(rows.shape[1] for rows in self._rows)
        padded = [np.pad(rows, ((0, 0), (0, degree - rows.shape[1]))) for rows in self._rows]
        return self._written(np.concatenate(padded), np.concatenate(self._windows))

    def _end(
        self,
        rows: NDArray[np.float32],
        since: NDArray[np.int64],
        following: NDArray[np.float32] | None,
    ) -> None:
        """Close the windows of rows before the present frame."""
        velocities = np.zeros((len(rows), 3), np.float32)
        windows = np.stack([since, np.full(len(rows), self._frames)], axis=1)
        if following is not None:
            single = windows[:, 1] - windows[:, 0] == 1  # others stood still for a while
            velocities[single] = (following[single, :3] - rows[single, :3]) * self._fps
        self._count += len(rows)
        if self._count > GAUSSIANS_PER_FILE:
            raise EncodeError(
                f"A .4dgs file of this scene would hold more than {GAUSSIANS_PER_FILE} Gaussians "
                "over all frames; choose fewer frames, or crop or decimate the scene."
            )
        self._rows.append(np.concatenate([velocities, rows], axis=1))
        self._windows.append(windows)

    def _written(self, rows: NDArray[np.float32], frames: NDArray[np.int64]) -> bytes:
        try:
            import fourdgs
        except ImportError as error:
            raise CodecError(MISSING) from error
        duration_s = self._frames / self._fps
        windows = frames / self._fps
        coefficients = (rows.shape[1] - 17) // 3
        low = windows[:, 0].astype(np.float32)
        scene = fourdgs.GaussianSet(
            motions=rows[:, :3],
            positions=rows[:, 3:6],
            scales=rows[:, 6:9],
            rotations=rows[:, 9:13],
            colors=rows[:, 13:17],
            mu_t=low,
            sigma_t=np.full(len(rows), np.inf, np.float32),
            win_lo=windows[:, 0],
            win_hi=windows[:, 1],
            sh=_bytes(rows[:, 17:]) if coefficients else None,
            sh_degree=math.isqrt(coefficients + 1) - 1,
        )
        packed = _Bytes()
        options = fourdgs.WriteOptions(
            profile="fine",
            metadata={"color_space": "srgb-rec709-display", "title": self._title},
            library="streamstgs",
            provenance=fourdgs.Provenance(frames=self._coordinate_frames(fourdgs.CoordinateFrame)),
        )
        fourdgs.write(packed, scene, duration_s, options=options)
        return packed.content

    def _coordinate_frames(self, frame: type[CoordinateFrame]) -> list[CoordinateFrame]:
        """The axes of the file, if up is one of them; forward is z, or y where z is up."""
        up = _axis(self._up)
        if up is None:
            return []
        forward = 2 if up % 3 != 2 else 1
        return [frame(name="world", handedness=RIGHT_HANDED, up_axis=up, forward_axis=forward)]


class _Bytes:
    """A file in memory, as the library writes to it."""

    content = b""

    def write(self, content: bytes) -> None:
        self.content += content


def _rows_of(raw: RawGaussians) -> NDArray[np.float32]:
    """[N, 14 + 3 K] positions, scales, rotations xyzw, RGBA, and harmonics, all of red first."""
    opacities = 1 / (1 + np.exp(-raw.logits.astype(np.float64)))
    length = np.maximum(np.linalg.norm(raw.quats, axis=1, keepdims=True), 1e-12)
    higher = raw.sh[:, 1:].transpose(0, 2, 1).reshape(len(raw), -1)
    parts: Sequence[np.ndarray] = (
        raw.means,
        np.exp(raw.log_scales),
        (raw.quats / length)[:, [1, 2, 3, 0]],
        np.clip(0.5 + C0 * raw.sh[:, 0], 0, 1),
        opacities[:, None],
        higher,
    )
    return np.concatenate(parts, axis=1).astype(np.float32)


def _bytes(coefficients: NDArray[np.float32]) -> NDArray[np.uint8]:
    shares = (coefficients - SH_LOW) / (SH_HIGH - SH_LOW)
    return np.clip(np.rint(shares * 255), 0, 255).astype(np.uint8)


def _axis(up: Vector) -> int | None:
    """Number of an axis in the registry: +x, +y, +z, -x, -y, -z; None for other directions."""
    for axis, value in enumerate(up):
        if abs(value) > ALONG:
            return axis if value > 0 else axis + 3
    return None
