"""Quantisation of values to integer codes and back, the only lossy step of attributes.

    y = curve(value);  code = round((y - offset) / step), clamped to 0 .. 2^bits - 1
    value = curve^-1(offset + step * code)

`curve` is the identity, or asinh((value - center) / unit): nearly linear within `unit` of the
centre and logarithmic far from it, so that one distant Gaussian does not coarsen all others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:  # a manifest is read without torch
    from torch import Tensor


@dataclass(frozen=True)
class SinhCurve:
    """value = center + unit * sinh(y), per channel.

    Args:
        center: C values.
        unit: > 0, distance over which the curve is nearly linear.
    """

    center: tuple[float, ...]
    unit: float


@dataclass(frozen=True)
class Quantiser:
    """How the values of one attribute become codes.

    Args:
        bits: bits of a code, 1..16.
        offset: C values of code 0, exact in float32.
        step: C differences between neighbouring codes, exact in float32, >= 0.
        curve: the curve that is applied first; None for the identity.
    """

    bits: int
    offset: tuple[float, ...]
    step: tuple[float, ...]
    curve: SinhCurve | None = None

    @property
    def channels(self) -> int:
        return len(self.offset)

    @property
    def highest_code(self) -> int:
        return (1 << self.bits) - 1

    def encode(self, values: Tensor) -> np.ndarray:
        """[N, C] values -> [N, C] codes, uint8 up to 8 bits, else uint16."""
        import torch

        y = _bend(values.double().cpu(), self.curve)
        step = torch.tensor(self.step, dtype=torch.float64)
        scaled = (y - torch.tensor(self.offset, dtype=torch.float64)) / step.clamp(min=1e-300)
        codes = torch.where(step > 0, scaled, 0.0).round().clamp(0, self.highest_code)
        return codes.numpy().astype(code_dtype(self.bits))

    def decode(self, codes: np.ndarray) -> Tensor:
        """[N, C] codes -> [N, C] float32 values."""
        import torch

        y = torch.from_numpy(codes.astype(np.float32))
        y = y * torch.tensor(self.step) + torch.tensor(self.offset)
        if self.curve is None:
            return y
        return torch.tensor(self.curve.center) + self.curve.unit * torch.sinh(y)


def code_dtype(bits: int) -> type[np.uint8] | type[np.uint16]:
    """Return the sample type of images with codes of so many bits."""
    return np.uint8 if bits <= 8 else np.uint16


def fit_quantiser(
    values: Tensor,
    bits: int,
    curve: SinhCurve | None = None,
    one_step: bool = False,
) -> Quantiser:
    """Return the quantiser whose codes span the values of each channel.

    Args:
        values: [N, C], N >= 1.
        bits: 1..16.
        curve: applied before the range is taken.
        one_step: whether all channels get the step of the widest channel.
    """
    y = _bend(values.double().cpu(), curve)
    low, high = y.amin(dim=0), y.amax(dim=0)
    offset = low.float()
    step = ((high - offset.double()) / ((1 << bits) - 1)).float().clamp(min=0)
    if one_step:
        step = step.max().expand_as(step)
    return Quantiser(bits, tuple(offset.tolist()), tuple(step.tolist()), curve)


def _bend(values: Tensor, curve: SinhCurve | None) -> Tensor:
    if curve is None:
        return values
    import torch

    return torch.asinh((values - torch.tensor(curve.center, dtype=torch.float64)) / curve.unit)
