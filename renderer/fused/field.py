"""The deformation field as one kernel on a CUDA device; imports Triton.

It computes what `Gop.dynamic_at` does, for all moving Gaussians of a frame, and writes them
activated into tensors that hold the static ones before them, which it never touches. Gaussians
that are absent at the time stay in their rows, with an opacity that no backend draws.
"""

from __future__ import annotations

import logging
import threading
from typing import Any

import torch
from streamstgs.renderer.deformation import HEAD_WIDTHS, DeformationField
from streamstgs.renderer.fused import kernels
from streamstgs.renderer.gaussians import CanonicalGaussians, Gaussians
from streamstgs.renderer.gop import Gop
from streamstgs.renderer.trajectories import ABSENT_LOGIT
from torch import Tensor

log = logging.getLogger(__name__)

COLUMNS = {"means": 0, "opacity_logits": 3, "quats": 4, "log_scales": 8, "colors": 12}
ROW = 16  # columns of a row of attributes
SMALLEST = 16  # the least rows and columns that a matrix unit takes
PRECISION = "tf32x3"  # three products of tf32 numbers are about as exact as one of float32
BLOCK = 64
WARPS = 4

_compiled: dict[tuple[object, ...], bool] = {}  # by shape and device: done, or still compiling


class FusedField:
    """A GOP's deformation field for CUDA, without gradients. Owner: the thread that draws.

    Args:
        gop: with moving Gaussians, whose field takes no positions.
        precision: of products in Triton's words: "ieee", "tf32x3" or "tf32".
        block: Gaussians that go through the layers together.
        warps: groups of 32 threads that share a block.
    """

    @torch.no_grad()
    def __init__(
        self, gop: Gop, precision: str = PRECISION, block: int = BLOCK, warps: int = WARPS
    ) -> None:
        config, paths = gop.field.config, gop.canonical.trajectories
        self._features = gop.features.contiguous()
        self._frames, self._moving = gop.frames, len(gop.canonical)
        self._base = _rows(gop.canonical)
        self._paths = self._base
        if paths is not None:
            steepness = torch.exp(-paths.log_extents)[:, None]
            self._paths = torch.cat([paths.velocities, paths.centers[:, None], steepness], 1)
        self._weights = _weights(gop)
        self._static, self._all = len(gop.static), _shared_buffer(gop)
        self._block = block
        codes = config.window * config.features
        self._options = {
            "FEATURES": config.features,
            "CODES": codes,
            "INPUTS": _padded(codes),
            "WIDTH": _padded(config.width),
            "OCTAVES": config.time_frequencies,
            "ABSENT": ABSENT_LOGIT,
            "HAS_PATHS": paths is not None,
            "PRECISION": precision,
            "BLOCK": block,
            "num_warps": warps,
        }

    @staticmethod
    def supports(gop: Gop) -> bool:
        """Whether the kernel can move the Gaussians of this GOP."""
        plain = gop.static.sh is None and not gop.field.config.position_frequencies
        return plain and len(gop.canonical) > 0

    def gaussians_at(self, frame: float) -> Gaussians:
        """All Gaussians at a frame (0 .. frames-1): the static ones, then all moving ones.

        The next call overwrites the moving ones.
        """
        grid = (-(-self._moving // self._block),)
        kernels.deform[grid](*self._arguments(frame), **self._options)
        return self._all

    def is_compiled(self) -> bool:
        """Whether the kernel of this shape is ready; the first call begins to compile it.

        That takes some seconds, once on a machine. It happens in a thread of its own.
        """
        key = (*self._options.values(), self._features.device)
        if key not in _compiled:
            _compiled[key] = False
            thread = threading.Thread(target=self._compile, args=(key,), daemon=True)
            thread.start()
        return _compiled[key]

    def _compile(self, key: tuple[object, ...]) -> None:
        """The thread boundary: an error leaves the work to torch."""
        try:
            with torch.cuda.device(self._features.device):
                kernels.deform.warmup(*self._arguments(0.0), grid=(1,), **self._options)
            _compiled[key] = True
        except Exception as error:
            log.warning("Triton is not used for the deformation field: %s", error)

    def _arguments(self, frame: float) -> tuple[Any, ...]:
        """What the kernel takes before its constants."""
        first = int(frame)
        return (
            self._features,
            self._base,
            self._paths,
            *self._weights,
            self._all.means,
            self._all.quats,
            self._all.scales,
            self._all.opacities,
            self._all.colors,
            first,
            float(frame - first),
            float(frame / self._frames),
            self._moving,
            self._static,
            len(self._features) - 1,
        )


def _shared_buffer(gop: Gop) -> Gaussians:
    """Memory for all Gaussians of a GOP: the static ones, then room for the moving ones."""
    static, moving = gop.static, gop.canonical
    return Gaussians(
        means=torch.cat([static.means, moving.means]),
        quats=torch.cat([static.quats, moving.quats]),
        scales=torch.cat([static.scales, moving.log_scales]),
        opacities=torch.cat([static.opacities, moving.opacity_logits]),
        colors=torch.cat([static.colors, moving.colors]),
    )


def _rows(canonical: CanonicalGaussians) -> Tensor:
    """[M, ROW] attributes before activation, in the columns of COLUMNS."""
    rows = canonical.means.new_zeros(len(canonical), ROW)
    for name, start in COLUMNS.items():
        values = getattr(canonical, name).reshape(len(canonical), -1)
        rows[:, start : start + values.shape[1]] = values
    return rows


def _weights(gop: Gop) -> tuple[Tensor, ...]:
    """The layers, inputs first, filled up with zeros to sizes of matrix units, in the kernel's
    order. Dequantisation is folded into the first layer, the extent into the last ones."""
    config, weights = gop.field.config, gop.field.state_dict()
    codes = config.window * config.features
    inputs, width = _padded(codes), _padded(config.width)
    into = weights["temporal.0.weight"]
    on_codes, on_time = into[:, :codes], into[:, codes:]
    first = _filled((on_codes * gop.feature_step.repeat(config.window)).T, inputs, width)
    bias = weights["temporal.0.bias"] + on_codes @ gop.feature_offset.repeat(config.window)
    second = _filled(weights["temporal.2.weight"].T, width, width)
    return (
        first,
        _filled(bias, width),
        _filled(on_time.T, on_time.shape[1], width),
        second,
        _filled(weights["temporal.2.bias"], width),
        *_head_weights(gop.field, width),
    )


def _head_weights(field: DeformationField, width: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """[5, width, width] and [5, width] first layers of the heads; [5, width, ROW] and [ROW] last
    layers, each in the columns of its attribute."""
    weights = field.state_dict()
    names = list(HEAD_WIDTHS)
    first = torch.stack([weights[f"heads.{name}.0.weight"].T for name in names])
    bias = torch.stack([weights[f"heads.{name}.0.bias"] for name in names])
    ends = first.new_zeros(len(names), width, ROW)
    ends_bias = first.new_zeros(ROW)
    for head, name in enumerate(names):
        unit = field.config.extent if name == "means" else 1.0
        end = weights[f"heads.{name}.2.weight"].T * unit
        place = slice(COLUMNS[name], COLUMNS[name] + end.shape[1])
        ends[head, : len(end), place] = end
        ends_bias[place] = weights[f"heads.{name}.2.bias"] * unit
    return _filled(first, width, width), _filled(bias, width), ends, ends_bias


def _filled(values: Tensor, *sizes: int) -> Tensor:
    """A contiguous copy whose last dimensions are filled up with zeros to these sizes."""
    missing = [size - have for size, have in zip(sizes, values.shape[-len(sizes) :], strict=True)]
    padding = [side for more in reversed(missing) for side in (0, more)]
    return torch.nn.functional.pad(values, padding).contiguous()


def _padded(size: int) -> int:
    """The next power of two that matrix units take."""
    return max(SMALLEST, 1 << (size - 1).bit_length())
