"""`.4dgs` files: Gaussians that move evenly, fade in time, and exist within a window.

With t in seconds from the start of the scene, from the file mu_t, sigma_t and the window:

    centre   = position + motion (t - mu_t)
    opacity  = alpha exp(-((t - mu_t) / sigma_t)^2 / 2), 0 where the factor is below the cut-off
    it is there while win_lo <= t < win_hi

Source: the specification of avala-ai/4dgs, sections 3 and 11. The library fourdgs, which reads the
container, runs in the process of `converter`.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import torch
from streamstgs.codec.cancel import NEVER, CancelToken
from streamstgs.codec.errors import CorruptSegment
from streamstgs.codec.formats.converter import Converter
from streamstgs.codec.formats.counts import check_count
from streamstgs.codec.formats.exchange.fourdgs_magic import MAGIC
from streamstgs.codec.formats.file_sets import ArchiveFiles
from streamstgs.codec.formats.gaussian_ply import Vector
from streamstgs.codec.formats.npz_arrays import read_array
from streamstgs.codec.formats.raw_gaussians import (
    FARTHEST,
    FloatArray,
    RawGaussians,
    tensor,
    unit_rotations,
    usable,
)
from streamstgs.codec.limits import GAUSSIANS_PER_FILE, SEQUENCE_FRAMES
from streamstgs.renderer import Gaussians
from streamstgs.renderer.spherical_harmonics import C0
from torch import Tensor

ARRAYS = 16  # at most, in the answer of the converter
ROW_BYTES = 4 * 21 + 8 * 2 + 45  # of a Gaussian there
SH_WIDTHS = (9, 24, 45)
SH_LOW, SH_STEP = -4.0, 8.0 / 255.0  # of a byte of the spherical harmonics
SHAPES = {
    "positions": 3, "scales": 3, "rotations": 4, "colors": 4, "motions": 3,
    "mu_t": 0, "sigma_t": 0, "win_lo": 0, "win_hi": 0,
}  # fmt: skip
UP_AXES: tuple[Vector, ...] = (
    (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0),
    (-1.0, 0.0, 0.0), (0.0, -1.0, 0.0), (0.0, 0.0, -1.0),
)  # fmt: skip
SOON_S = 1e-4  # a frame at the edge of a window is within it


def declared_count(data: bytes, name: str) -> int:
    """How many Gaussians the header of a file declares; raises CorruptSegment."""
    at = len(MAGIC) + 9  # the opcode and the length of the first record
    try:
        for _ in range(2):  # profile and library
            (length,) = struct.unpack_from("<I", data, at)
            at += 4 + length
        _, count = struct.unpack_from("<dQ", data, at)
    except struct.error as error:
        raise CorruptSegment(f"{name} is cut off.") from error
    return int(count)


def read_fourdgs(
    data: bytes, name: str, fps: float, cancel: CancelToken = NEVER
) -> tuple[BornGaussians, Vector | None]:
    """The Gaussians of a file, and the unit vector that points up, if the file tells it.

    Args:
        name: of the file, for messages.
        fps: content frames per second; the file has continuous time.

    Raises:
        CodecError: it is damaged, declares too much, or needs what is not known here: another
            model of time, objects on tracks, or linear colours.
    """
    check_count(declared_count(data, name), name)
    converter = Converter()
    try:
        most_bytes = GAUSSIANS_PER_FILE * ROW_BYTES
        packed = converter.convert(data, "4dgs", "npz", name, most_bytes, cancel)
    finally:
        converter.close()
    files = ArchiveFiles.of_bytes(packed, name, ARRAYS)
    duration_s, cutoff, up = read_array(files, "facts", name, cancel, np.float64).tolist()
    values = {key: read_array(files, key, name, cancel) for key in SHAPES}
    count = len(values["positions"])
    check_count(count, name)
    for key, width in SHAPES.items():
        if values[key].shape != ((count, width) if width else (count,)):
            raise CorruptSegment(f"{name}: its {key} are {list(values[key].shape)}.")
    sh = None
    if "sh.npy" in files.names:
        sh = read_array(files, "sh", name, cancel, np.uint8)
        if sh.shape[0] != count or sh.shape[1] not in SH_WIDTHS:
            raise CorruptSegment(f"{name}: its harmonics are {list(sh.shape)}.")
    if not 0 <= duration_s * fps <= SEQUENCE_FRAMES or not 0 < cutoff <= 1:
        raise CorruptSegment(
            f"{name} declares {duration_s:g} s, which is too long, or a bad cut-off."
        )
    frames = max(round(duration_s * fps), 1)
    return (
        _checked(values, sh, frames, fps, cutoff, name),
        UP_AXES[int(up)] if 0 <= up < len(UP_AXES) else None,
    )


def _checked(
    values: dict[str, FloatArray],
    sh: np.ndarray | None,
    frames: int,
    fps: float,
    cutoff: float,
    name: str,
) -> BornGaussians:
    """The Gaussians that can be drawn."""
    with np.errstate(divide="ignore", invalid="ignore"):
        raw = RawGaussians(
            values["positions"],
            values["rotations"],
            np.log(values["scales"]),
            values["colors"][:, 3],
            values["colors"][:, None, :3],
        )
        moves = (np.abs(values["motions"]) <= FARTHEST).all(axis=1)
        times = ~np.isnan(values["sigma_t"] + values["win_lo"] + values["win_hi"])
        timed = moves & (np.abs(values["mu_t"]) <= FARTHEST) & times & (values["sigma_t"] > 0)
    kept = usable(raw, name, timed)
    order = np.flatnonzero(kept)
    order = order[np.argsort(values["win_lo"][order], kind="stable")]
    held: dict[str, Any] = {key: tensor(value[order]) for key, value in values.items()}
    held["sh"] = None if sh is None else torch.from_numpy(np.ascontiguousarray(sh[order]))
    held |= {"frames": frames, "fps": fps, "cutoff": cutoff}
    return BornGaussians(**held)


@dataclass(frozen=True)
class BornGaussians:
    """Implements `AnimatedGaussians` by the formulas above; tensors of one device.

    Args:
        positions: [N, 3]. scales: [N, 3]. rotations: [N, 4] xyzw. colors: [N, 4] RGBA.
        motions: [N, 3] world units per second. mu_t, sigma_t: [N] seconds.
        win_lo, win_hi: [N] seconds; `win_lo` rises.
        sh: [N, 3 K] bytes, all of red first, without the first coefficient; None for none.
        frames: content frames of the clip; at least 1.
        fps: content frames per second.
        cutoff: fading below which a Gaussian is not there.
    """

    positions: Tensor
    scales: Tensor
    rotations: Tensor
    colors: Tensor
    motions: Tensor
    mu_t: Tensor
    sigma_t: Tensor
    win_lo: Tensor
    win_hi: Tensor
    sh: Tensor | None
    frames: int
    fps: float
    cutoff: float

    def to(self, device: torch.device | str) -> BornGaussians:
        """As of `AnimatedGaussians`."""
        held = {field.name: vars(self)[field.name] for field in fields(self)}
        there: dict[str, Any] = {
            k: v.to(device) if isinstance(v, Tensor) else v for k, v in held.items()
        }
        return BornGaussians(**there)

    def at(self, frame: float) -> Gaussians:
        """As of `AnimatedGaussians`; those that leave the range of numbers are left out."""
        time_s = frame / self.fps
        born = int(torch.searchsorted(self.win_lo, time_s + SOON_S, right=True))
        there = (self.win_hi[:born] > time_s + SOON_S).nonzero()[:, 0]
        age_s = time_s - self.mu_t[there]
        fading = torch.exp(-0.5 * (age_s / self.sigma_t[there]) ** 2)
        means = self.positions[there] + self.motions[there] * age_s[:, None]
        shown = ((means.abs() <= FARTHEST).all(dim=1) & (fading >= self.cutoff)).nonzero()[:, 0]
        there, means = there[shown], means[shown]
        xyzw, rgba = self.rotations[there], self.colors[there]
        return Gaussians(
            means=means,
            quats=unit_rotations(xyzw[:, [3, 0, 1, 2]]),
            scales=self.scales[there],
            opacities=(rgba[:, 3] * fading[shown]).clamp(0.0, 1.0),
            colors=rgba[:, :3].clamp(min=0.0),
            sh=None if self.sh is None else _harmonics(self.sh[there], rgba[:, :3]),
        )


def _harmonics(sh: Tensor, colors: Tensor) -> Tensor:
    """[N, K, 3] coefficients of bytes [N, 3 (K - 1)] and colours [N, 3]."""
    higher = SH_LOW + SH_STEP * sh.float().reshape(len(sh), 3, -1).transpose(1, 2)
    return torch.cat([(colors[:, None] - 0.5) / C0, higher], dim=1)
