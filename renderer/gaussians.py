"""Gaussians before and after activation.

`CanonicalGaussians` hold the values that are stored and optimised, `Gaussians` the values that a
rasteriser draws. Quaternions are wxyz and colours are display-encoded RGB (docs/conventions.md).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace

import torch
from streamstgs.renderer.spherical_harmonics import sh_degree, sh_of_colors
from streamstgs.renderer.trajectories import Trajectories
from torch import Tensor


@dataclass(frozen=True)
class Gaussians:
    """Activated Gaussians, ready to rasterise.

    `sh` wins: where it is given, backends draw the colours that it gives in the direction of view,
    and `colors` serve code that needs one colour per Gaussian. `painted` replaces both.

    Args:
        means: [N, 3] centres, world units.
        quats: [N, 4] rotations wxyz, unit length.
        scales: [N, 3] standard deviations, world units, > 0.
        opacities: [N] 0..1.
        colors: [N, 3] RGB, >= 0, 1 is display white.
        sh: [N, K, 3] spherical harmonics of degree 0 to 3, K = (degree + 1)^2, in the convention
            of `renderer.spherical_harmonics`; None for colours that are the same from everywhere.

    Raises:
        ValueError: `sh` has another shape.
    """

    means: Tensor
    quats: Tensor
    scales: Tensor
    opacities: Tensor
    colors: Tensor
    sh: Tensor | None = None

    def __post_init__(self) -> None:
        if self.sh is not None:
            sh_degree(self.sh)

    def __len__(self) -> int:
        return len(self.means)

    def __getitem__(self, index: Tensor | slice) -> Gaussians:
        """The Gaussians that `index` selects."""
        return self.map(lambda t: t[index])

    def to(self, device: torch.device | str) -> Gaussians:
        return self.map(lambda t: t.to(device))

    def detach(self) -> Gaussians:
        """The same Gaussians without gradients."""
        return self.map(lambda t: t.detach())

    def clone(self) -> Gaussians:
        """A copy with memory of its own."""
        return self.map(lambda t: t.clone())

    def painted(self, colors: Tensor) -> Gaussians:
        """The same Gaussians with other colours [N, 3], the same from everywhere."""
        return replace(self, colors=colors, sh=None)

    def tensors(self) -> dict[str, Tensor]:
        """The attributes that these Gaussians have, by name; `sh` only where it is given."""
        return {name: value for name, value in vars(self).items() if value is not None}

    def map(self, change: Callable[[Tensor], Tensor]) -> Gaussians:
        """Gaussians of which each attribute is `change` of the attribute here."""
        return Gaussians(**{name: change(value) for name, value in self.tensors().items()})

    @staticmethod
    def concatenate(parts: list[Gaussians]) -> Gaussians:
        """One set of all parts, in their order.

        Where some parts have spherical harmonics, the others get those of their colours, and lower
        degrees are filled up with zeros.
        """
        joined = {
            name: torch.cat([part.tensors()[name] for part in parts])
            for name in ("means", "quats", "scales", "opacities", "colors")
        }
        return Gaussians(**joined, sh=_joined_sh(parts))

    @staticmethod
    def empty(device: torch.device | str = "cpu") -> Gaussians:
        return CanonicalGaussians.empty(device).activate()


def _joined_sh(parts: list[Gaussians]) -> Tensor | None:
    degrees = [sh_degree(part.sh) for part in parts if part.sh is not None]
    if not degrees:
        return None
    size = (max(degrees) + 1) ** 2
    filled = [sh_of_colors(part.colors) if part.sh is None else part.sh for part in parts]
    pad = torch.nn.functional.pad
    return torch.cat([pad(sh, (0, 0, 0, size - sh.shape[1])) for sh in filled])


@dataclass(frozen=True)
class CanonicalGaussians:
    """Gaussians before activation, as they are stored and optimised. They have no `sh`.

    Args:
        means: [N, 3] centres, world units.
        quats: [N, 4] rotations wxyz, any length > 0.
        log_scales: [N, 3] natural logarithm of the standard deviation in world units.
        opacity_logits: [N] inverse sigmoid of the opacity.
        colors: [N, 3] RGB before the ReLU.
        trajectories: where the Gaussians are and when; None where only the field moves them.
    """

    means: Tensor
    quats: Tensor
    log_scales: Tensor
    opacity_logits: Tensor
    colors: Tensor
    trajectories: Trajectories | None = None

    def __len__(self) -> int:
        return len(self.means)

    def to(self, device: torch.device | str) -> CanonicalGaussians:
        return self.map(lambda t: t.to(device))

    def __getitem__(self, index: Tensor | slice) -> CanonicalGaussians:
        return self.map(lambda t: t[index])

    def map(self, change: Callable[[Tensor], Tensor]) -> CanonicalGaussians:
        """Gaussians of which each attribute is `change` of the attribute here."""
        changed = {name: change(value) for name, value in self.tensors().items()}
        return CanonicalGaussians.of_tensors(changed)

    def tensors(self) -> dict[str, Tensor]:
        """All attributes by name; those of the trajectories only where there are some."""
        own = {name: value for name, value in vars(self).items() if name != "trajectories"}
        return own | ({} if self.trajectories is None else vars(self.trajectories))

    @staticmethod
    def of_tensors(tensors: Mapping[str, Tensor]) -> CanonicalGaussians:
        """The inverse of `tensors`; other tensors are ignored."""
        own = {f.name: tensors[f.name] for f in fields(CanonicalGaussians)[:-1]}
        paths = {f.name: tensors[f.name] for f in fields(Trajectories) if f.name in tensors}
        return CanonicalGaussians(**own, trajectories=Trajectories(**paths) if paths else None)

    def at(self, time: float | Tensor) -> CanonicalGaussians:
        """The Gaussians where their trajectories take them at a time (0..1 over the GOP), before
        the deformation field; they have no trajectories."""
        if self.trajectories is None:
            return self
        return replace(
            self,
            means=self.means + self.trajectories.offsets(time),
            opacity_logits=self.opacity_logits - self.trajectories.fading(time),
            trajectories=None,
        )

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
        shapes: dict[str, tuple[int, ...]] = {
            "means": (0, 3), "quats": (0, 4), "log_scales": (0, 3), "opacity_logits": (0,),
            "colors": (0, 3),
        }  # fmt: skip
        return CanonicalGaussians.of_tensors(
            {name: torch.zeros(shape, device=device) for name, shape in shapes.items()}
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
