"""`params.npz` of Dynamic 3D Gaussians (Luiten et al. 2024): arrays of T frames and N Gaussians.

    means3D [T, N, 3]   unnorm_rotations [T, N, 4] wxyz   rgb_colors [T, N, 3] or [N, 3]
    logit_opacities [N, 1]   log_scales [N, 3]

Centres, rotations and colours between two frames are interpolated. Other arrays of the file, such
as cameras and segmentations, are ignored. Source: arXiv 2308.09713 and `visualize.py` of the
authors' repository JonathonLuiten/Dynamic3DGaussians. Arrays are read without pickle.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from streamstgs.codec.cancel import NEVER, CancelToken
from streamstgs.codec.errors import CorruptSegment, NotAScene
from streamstgs.codec.formats.counts import check_count
from streamstgs.codec.formats.file_sets import FileSet
from streamstgs.codec.formats.npz_arrays import read_array
from streamstgs.codec.formats.raw_gaussians import (
    LOG_SCALE_LIMITS,
    FloatArray,
    RawGaussians,
    tensor,
    unit_rotations,
    usable,
)
from streamstgs.codec.limits import SEQUENCE_FRAMES
from streamstgs.renderer import Gaussians
from torch import Tensor

NEEDED = ("means3D", "unnorm_rotations", "rgb_colors", "logit_opacities", "log_scales")


def is_dynamic_npz(files: FileSet) -> bool:
    """Whether an archive has the arrays of Dynamic 3D Gaussians."""
    return all(f"{name}.npy" in files.names for name in NEEDED)


def read_dynamic_npz(files: FileSet, name: str, cancel: CancelToken = NEVER) -> DynamicGaussians:
    """The Gaussians of an archive.

    Raises:
        CodecError: an array is missing, damaged, of another shape, or too large.
    """
    means = read_array(files, "means3D", name, cancel)
    if means.ndim != 3 or means.shape[2] != 3 or not 0 < len(means) <= SEQUENCE_FRAMES:
        raise CorruptSegment(f"{name}: means3D should be [T, N, 3], not {list(means.shape)}.")
    frames, count = means.shape[:2]
    check_count(count, name)
    quats = _shaped(files, "unnorm_rotations", (frames, count, 4), name, cancel)
    colors = read_array(files, "rgb_colors", name, cancel)
    if colors.shape == (count, 3):
        colors = np.broadcast_to(colors, (frames, count, 3))
    if colors.shape != (frames, count, 3):
        raise CorruptSegment(f"{name}: rgb_colors should be [T, N, 3], not {list(colors.shape)}.")
    logits = read_array(files, "logit_opacities", name, cancel).reshape(-1)
    log_scales = _shaped(files, "log_scales", (count, 3), name, cancel)
    if logits.shape != (count,):
        raise CorruptSegment(f"{name}: logit_opacities should be [N, 1].")
    kept = np.ones(count, dtype=bool)
    for frame in range(frames):
        sh = colors[frame][:, None]
        raw = RawGaussians(means[frame], quats[frame], log_scales, logits, sh)
        kept &= usable(raw, name, kept)
    return DynamicGaussians(
        means=tensor(means[:, kept]),
        quats=tensor(quats[:, kept]),
        scales=torch.exp(tensor(np.clip(log_scales[kept], *LOG_SCALE_LIMITS))),
        opacities=torch.sigmoid(tensor(logits[kept])),
        colors=tensor(colors[:, kept]).clamp(min=0.0),
    )


def _shaped(
    files: FileSet, key: str, shape: tuple[int, ...], name: str, cancel: CancelToken
) -> FloatArray:
    array = read_array(files, key, name, cancel)
    if array.shape != shape:
        raise CorruptSegment(f"{name}: {key} should be {list(shape)}, not {list(array.shape)}.")
    return array


def open_check(files: FileSet, name: str) -> None:
    """Raise NotAScene for an archive of other arrays."""
    if not is_dynamic_npz(files):
        raise NotAScene(f"{name} is not a scene: it has none of the arrays {', '.join(NEEDED)}.")


@dataclass(frozen=True)
class DynamicGaussians:
    """Implements `AnimatedGaussians` with an array of each frame; tensors of one device.

    Args:
        means: [T, N, 3]. quats: [T, N, 4]. colors: [T, N, 3].
        scales: [N, 3]. opacities: [N].
    """

    means: Tensor
    quats: Tensor
    scales: Tensor
    opacities: Tensor
    colors: Tensor

    @property
    def frames(self) -> int:
        """T."""
        return len(self.means)

    def to(self, device: torch.device | str) -> DynamicGaussians:
        """As of `AnimatedGaussians`."""
        return DynamicGaussians(*(value.to(device) for value in vars(self).values()))

    def at(self, frame: float) -> Gaussians:
        """As of `AnimatedGaussians`; rotations go the shorter way."""
        first = min(int(frame), self.frames - 1)
        share = frame - first
        if share == 0.0 or first + 1 == self.frames:
            means, quats, colors = self.means[first], self.quats[first], self.colors[first]
        else:
            means = torch.lerp(self.means[first], self.means[first + 1], share)
            colors = torch.lerp(self.colors[first], self.colors[first + 1], share)
            near, far = (unit_rotations(self.quats[k]) for k in (first, first + 1))
            ahead = (near * far).sum(dim=-1, keepdim=True) >= 0
            quats = torch.lerp(near, torch.where(ahead, far, -far), share)
        return Gaussians(
            means=means.clone(),
            quats=unit_rotations(quats),
            scales=self.scales.clone(),
            opacities=self.opacities.clone(),
            colors=colors.clone(),
        )
