"""Gaussians before and after activation.

Conventions (docs/conventions.md): quaternions are wxyz; colours are display-encoded RGB;
`CanonicalGaussians` hold what is stored and optimised, `Gaussians` what a rasteriser draws.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import TypeVar

import torch
from torch import Tensor


@dataclass(frozen=True)
class Gaussians:
    """Activated Gaussians, ready to rasterise.

    Args:
        means: [N, 3] centres, world units.
        quats: [N, 4] rotations wxyz, unit length.
        scales: [N, 3] standard deviations, world units, > 0.
        opacities: [N] 0..1.
        colors: [N, 3] RGB, >= 0, 1 is display white.
    """

    means: Tensor
    quats: Tensor
    scales: Tensor
    opacities: Tensor
    colors: Tensor

    def __len__(self) -> int:
        return len(self.means)

    def to(self, device: torch.device | str) -> Gaussians:
        return _map(self, lambda t: t.to(device))

    def __getitem__(self, index: Tensor | slice) -> Gaussians:
        return _map(self, lambda t: t[index])

    def detach(self) -> Gaussians:
        """The same, to be drawn without a gradient."""
        return _map(self, lambda t: t.detach())

    @staticmethod
    def concatenate(parts: list[Gaussians]) -> Gaussians:
        """Join layers; the order of the parts is kept."""
        return Gaussians(
            *(torch.cat([getattr(p, f.name) for p in parts]) for f in fields(Gaussians))
        )

    @staticmethod
    def empty(device: torch.device | str = "cpu") -> Gaussians:
        return CanonicalGaussians.empty(device).activate()


@dataclass(frozen=True)
class CanonicalGaussians:
    """Gaussians as they are stored and optimised: before activation.

    Args:
        means: [N, 3] centres, world units.
        quats: [N, 4] rotations wxyz, any length > 0.
        log_scales: [N, 3] natural logarithm of the standard deviation in world units.
        opacity_logits: [N] inverse sigmoid of the opacity.
        colors: [N, 3] RGB before the ReLU.
    """

    means: Tensor
    quats: Tensor
    log_scales: Tensor
    opacity_logits: Tensor
    colors: Tensor

    def __len__(self) -> int:
        return len(self.means)

    def to(self, device: torch.device | str) -> CanonicalGaussians:
        return _map(self, lambda t: t.to(device))

    def __getitem__(self, index: Tensor | slice) -> CanonicalGaussians:
        return _map(self, lambda t: t[index])

    def activate(self) -> Gaussians:
        """Gaussians a rasteriser can draw (paper, Sec. 3: ReLU colours, no spherical harmonics)."""
        return Gaussians(
            means=self.means,
            quats=torch.nn.functional.normalize(self.quats, dim=-1),
            scales=torch.exp(self.log_scales),
            opacities=torch.sigmoid(self.opacity_logits),
            colors=torch.relu(self.colors),
        )

    @staticmethod
    def empty(device: torch.device | str = "cpu") -> CanonicalGaussians:
        return CanonicalGaussians(
            *(torch.zeros(shape, device=device) for shape in ((0, 3), (0, 4), (0, 3), (0,), (0, 3)))
        )


def rotation_matrices(quats: Tensor) -> Tensor:
    """[N, 3, 3] rotations of unit quaternions wxyz [N, 4]; columns are the rotated axes."""
    w, x, y, z = quats.unbind(-1)
    rows = [
        torch.stack([1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)], dim=-1),
        torch.stack([2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)], dim=-1),
        torch.stack([2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)], dim=-1),
    ]
    return torch.stack(rows, dim=-2)


_G = TypeVar("_G", Gaussians, CanonicalGaussians)


def _map(owner: _G, change: Callable[[Tensor], Tensor]) -> _G:
    return type(owner)(*(change(getattr(owner, f.name)) for f in fields(owner)))
