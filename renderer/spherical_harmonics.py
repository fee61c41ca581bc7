"""Colours that depend on the direction of view, as spherical harmonics of degree 0 to 3.

The convention is that of 3D Gaussian Splatting (Kerbl et al. 2023), so coefficients of other
programs can be used as they are: the real basis with the Condon-Shortley sign, in the order
(l, m) = (0, 0), (1, -1), (1, 0), (1, 1), (2, -2) ...; colour = max(0, 0.5 + sum of basis times
coefficient); the direction points from the camera to the Gaussian.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

DEGREE_MAX = 3
# The constant factors of the basis functions; every backend uses these numbers.
C0 = 0.5 * math.sqrt(1 / math.pi)
C1 = math.sqrt(3 / (4 * math.pi))
C2 = (
    0.5 * math.sqrt(15 / math.pi),
    0.25 * math.sqrt(5 / math.pi),
    0.25 * math.sqrt(15 / math.pi),
)
C3 = (
    0.25 * math.sqrt(35 / (2 * math.pi)),
    0.5 * math.sqrt(105 / math.pi),
    0.25 * math.sqrt(21 / (2 * math.pi)),
    0.25 * math.sqrt(7 / math.pi),
    0.25 * math.sqrt(105 / math.pi),
)


def sh_degree(sh: Tensor) -> int:
    """Degree 0 to 3 of coefficients [N, K, 3], K = (degree + 1)^2.

    Raises:
        ValueError: another shape.
    """
    if sh.ndim == 3 and sh.shape[2] == 3:
        for degree in range(DEGREE_MAX + 1):
            if sh.shape[1] == (degree + 1) ** 2:
                return degree
    raise ValueError(
        f"spherical harmonics are [N, K, 3] with K of 1, 4, 9 or 16, not {list(sh.shape)}"
    )


def evaluate_sh(sh: Tensor, directions: Tensor) -> Tensor:
    """[N, 3] RGB colours seen along directions, >= 0; differentiable.

    Args:
        sh: [N, K, 3] coefficients, K = (degree + 1)^2.
        directions: [N, 3] from the camera to each Gaussian, of any length > 0.
    """
    basis = sh_basis(directions, sh_degree(sh))
    return (0.5 + (basis[..., None] * sh).sum(dim=1)).clamp(min=0.0)


def sh_basis(directions: Tensor, degree: int) -> Tensor:
    """[N, (degree + 1)^2] values of the basis functions in directions [N, 3] of any length > 0."""
    x, y, z = torch.nn.functional.normalize(directions, dim=-1).unbind(-1)
    basis = [torch.full_like(x, C0)]
    if degree >= 1:
        basis += [-C1 * y, C1 * z, -C1 * x]
    if degree >= 2:
        basis += [
            C2[0] * x * y,
            -C2[0] * y * z,
            C2[1] * (3 * z * z - 1),
            -C2[0] * x * z,
            C2[2] * (x * x - y * y),
        ]
    if degree >= 3:
        basis += [
            -C3[0] * y * (3 * x * x - y * y),
            C3[1] * x * y * z,
            -C3[2] * y * (5 * z * z - 1),
            C3[3] * z * (5 * z * z - 3),
            -C3[2] * x * (5 * z * z - 1),
            C3[4] * z * (x * x - y * y),
            -C3[0] * x * (x * x - 3 * y * y),
        ]
    return torch.stack(basis, dim=-1)


def sh_of_colors(colors: Tensor, degree: int = 0) -> Tensor:
    """[N, K, 3] coefficients that give the colours [N, 3] in every direction."""
    constant = (colors - 0.5)[:, None] / C0
    return torch.nn.functional.pad(constant, (0, 0, 0, (degree + 1) ** 2 - 1))


def colors_of_sh(sh: Tensor) -> Tensor:
    """[N, 3] RGB colours, >= 0, that coefficients [N, K, 3] give on average over all directions."""
    return (0.5 + C0 * sh[:, 0]).clamp(min=0.0)
