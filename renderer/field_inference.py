"""The deformation field at playback: the same numbers as `Gop.dynamic_at`, faster.

On a CUDA device one kernel does it all (`renderer.fused`). Three measures make it fast on the CPU.
The first layer takes the uint8 codes: dequantisation is folded into its weights and gamma(t) into
its bias. The opacity is computed first, and the other heads run only for Gaussians that can be
seen. Compiled loops take a few Gaussians through all layers at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from streamstgs.renderer import fused
from streamstgs.renderer.backends.cpu.kernels import is_compiled
from streamstgs.renderer.deformation import DeformationField, sinusoidal_encoding
from streamstgs.renderer.field_config import FieldConfig
from streamstgs.renderer.field_kernels import (
    HEAD_OUTPUTS,
    OUTPUTS,
    FieldLayers,
    Layer,
    deform,
    list_present,
)
from streamstgs.renderer.gaussians import CanonicalGaussians, Gaussians
from streamstgs.renderer.gop import Gop
from streamstgs.renderer.loop_compiler import compiler
from streamstgs.renderer.thread_pool import ThreadPool
from streamstgs.renderer.trajectories import Trajectories
from torch import Tensor

if TYPE_CHECKING:  # it loads Triton
    from streamstgs.renderer.fused.field import FusedField

SHAPE = ("means", "quats", "log_scales", "colors")
_Dense = tuple[Tensor, Tensor]  # weights [neurons, inputs], biases [neurons]


class GopDeformer:
    """Gives the Gaussians of a GOP at any of its frames. Owner: the thread that draws.

    The static Gaussians are copied once into tensors that all frames share. On the CPU compiled
    loops write the moving ones, on a CUDA device a Triton kernel. Where neither works, and while
    loops or kernel are compiled, the module `DeformationField` runs.

    Args:
        gop: decoded.
        pool: threads for the CPU; they serve one GOP after the other, so they are not closed here.
    """

    def __init__(self, gop: Gop, pool: ThreadPool) -> None:
        self._gop = gop
        self._frame: float | None = None
        self._fast = gop.device.type == "cpu" and len(gop.canonical) > 0 and gop.static.sh is None
        if gop.canonical.trajectories is not None and gop.field.config.position_frequencies:
            self._fast = False  # gamma(X) would change from frame to frame
        self._all = gop.static
        if self._fast:
            self._buffer = Gaussians.concatenate([gop.static, gop.canonical.activate()])
            self._field = FastField(gop, pool)
        self._fused = _fused_field(gop)

    def gaussians_at(self, frame: float) -> Gaussians:
        """All Gaussians at a frame (0 .. frames-1, may be fractional), the static ones first.

        Gaussians too transparent to be drawn have the right opacity, but an outdated shape. On a
        CUDA device those that are absent at the time may be among them.
        The next call for another frame overwrites the tensors. A second call for the same frame,
        when only the camera moved, costs nothing.
        """
        frame = min(max(frame, 0.0), self._gop.frames - 1.0)
        if frame != self._frame:
            if self._fast and not compiler.is_running():
                static = len(self._gop.static)
                count = self._field.write_at(frame, self._buffer[static:])
                self._all = self._buffer[: static + count]
            elif self._fused is not None and self._fused.is_compiled():
                self._all = self._fused.gaussians_at(frame)
            elif len(self._gop.canonical) > 0:
                self._all = self._gop.gaussians_at(frame)
            self._frame = frame
        return self._all


def _fused_field(gop: Gop) -> FusedField | None:
    """What moves the Gaussians with one kernel; None where that cannot be done."""
    if not fused.runs_on(gop.features):
        return None
    from streamstgs.renderer.fused.field import FusedField

    return FusedField(gop) if FusedField.supports(gop) else None


class FastField:
    """A GOP's deformation field for the CPU, without gradients. Owner: the thread that draws."""

    @torch.inference_mode()
    def __init__(self, gop: Gop, pool: ThreadPool) -> None:
        config, canonical = gop.field.config, gop.canonical
        self._gop, self._pool = gop, pool
        self._layers = _lay_out(gop)
        codes = config.window * config.features
        self._on_time = gop.field.state_dict()["temporal.0.weight"][:, codes:]
        self._features = gop.features.contiguous().numpy()
        self._positions = sinusoidal_encoding(
            canonical.means / config.extent, config.position_frequencies
        ).numpy()
        self._opacity_logits = canonical.opacity_logits.contiguous().numpy()
        self._shapes = _shapes_as_rows(canonical).numpy()
        self._rows = np.arange(len(canonical))
        self._offsets = np.zeros((len(canonical), 3), np.float32)
        if canonical.trajectories is not None:
            self._logits = np.empty_like(self._opacity_logits)
            self._trajectories = _centers_rates_velocities(canonical.trajectories)

    @torch.inference_mode()
    def write_at(self, frame: float, out: Gaussians) -> int:
        """Write the moving Gaussians at a frame, activated, into the first rows of the M rows of
        `out`; returns their number (see `Gop.dynamic_at`)."""
        first = int(frame)
        rows, logits, offsets = self._rows, self._opacity_logits, self._offsets
        if self._gop.canonical.trajectories is not None:
            rows, logits, offsets = self._present_at(frame)
        out = out[: len(rows)]
        outputs = (out.means, out.quats, out.scales, out.opacities, out.colors)
        self._pool.run(
            deform,
            self._features,
            first,
            np.float32(frame - first),
            self._layers_at(frame),
            rows,
            self._positions,
            logits,
            self._shapes,
            offsets,
            None,
            *(tensor.numpy() for tensor in outputs),
        )
        return len(out)

    def _present_at(self, frame: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Rows, logits and offsets of the Gaussians that are present (`Trajectories`)."""
        moment = np.float32(frame / self._gop.frames)
        present = (self._rows, self._logits, self._offsets)
        count = list_present(moment, *self._trajectories, self._opacity_logits, *present)
        return self._rows[:count], self._logits[:count], self._offsets[:count]

    def _layers_at(self, frame: float) -> FieldLayers:
        """The layers with gamma(t) in the biases of the first."""
        moment = torch.tensor([frame / self._gop.frames])
        gamma_t = sinusoidal_encoding(moment, self._gop.field.config.time_frequencies)
        weights, biases = self._layers.first
        biases = biases.copy()
        biases[: len(self._on_time)] += (self._on_time @ gamma_t).numpy()
        return self._layers._replace(first=Layer(weights, biases))


def runs_at_once() -> bool:
    """Whether the loops of the field are compiled, here or in the cache."""
    return is_compiled(deform) and is_compiled(list_present)


def warm_up() -> None:
    """Compile, or load from the cache, what the field needs on the CPU. May run in any thread."""
    config = FieldConfig()
    one = CanonicalGaussians.empty()
    one = one.map(lambda t: torch.ones(1, *t.shape[1:]))
    one = replace(one, trajectories=Trajectories(torch.ones(1, 3), torch.ones(1), torch.ones(1)))
    codes = torch.zeros(config.window, 1, config.features, dtype=torch.uint8)
    scale = torch.ones(config.features)
    gop = Gop(Gaussians.empty(), one, codes, scale, scale, DeformationField(config), frames=1)
    pool = ThreadPool(1, "deform")
    GopDeformer(gop, pool).gaussians_at(0.0)
    pool.close()


def _centers_rates_velocities(trajectories: Trajectories) -> tuple[np.ndarray, ...]:
    """As of `list_present`."""
    rates = trajectories.log_extents.neg().exp()
    parts = (trajectories.centers, rates, trajectories.velocities)
    return tuple(part.contiguous().numpy() for part in parts)


def _lay_out(gop: Gop) -> FieldLayers:
    """Fold dequantisation into the first layer, and put the heads of the shape side by side."""
    config, weights = gop.field.config, gop.field.state_dict()
    on_codes = weights["temporal.0.weight"][:, : config.window * config.features]
    bias = weights["temporal.0.bias"] + on_codes @ gop.feature_offset.repeat(config.window)
    opacity, opacity_last = _head(gop.field, "opacity_logits")
    shape, shape_last = zip(*(_head(gop.field, name) for name in SHAPE), strict=True)
    second = (weights["temporal.2.weight"], weights["temporal.2.bias"])
    return FieldLayers(
        first=_tiled([(on_codes * gop.feature_step.repeat(config.window), bias)]),
        second=_tiled([second], config.width),
        opacity=_tiled([opacity], config.width),
        opacity_last=_tiled([opacity_last], config.width, 1),
        shape=_tiled(shape, config.width),
        shape_last=_tiled(shape_last, config.width, HEAD_OUTPUTS),
    )


def _head(field: DeformationField, name: str) -> tuple[_Dense, _Dense]:
    """Both layers of a head; deltas of positions are in world units."""
    unit = field.config.extent if name == "means" else 1.0
    weights = field.state_dict()
    first, last = (f"heads.{name}.{layer}" for layer in (0, 2))
    return (
        (weights[f"{first}.weight"], weights[f"{first}.bias"]),
        (weights[f"{last}.weight"] * unit, weights[f"{last}.bias"] * unit),
    )


def _tiled(parts: Sequence[_Dense], width: int = 0, tile: int = OUTPUTS) -> Layer:
    """Layers side by side, as `Layer` wants them, each filled up with zeros to whole tiles.

    Args:
        parts: weights [neurons, inputs] and biases [neurons].
        width: how many of the inputs, the first ones, are a layer that was filled up itself.
        tile: neurons that are computed at once.
    """
    weights, biases = [], []
    for weight, bias in parts:
        new = weight.new_zeros(len(weight), -width % OUTPUTS)
        weight = torch.cat([weight[:, :width], new, weight[:, width:]], dim=1)
        missing = -len(bias) % tile
        weights.append(torch.nn.functional.pad(weight, (0, 0, 0, missing)))
        biases.append(torch.nn.functional.pad(bias, (0, missing)))
    rows = torch.cat(weights)
    tiles = rows.reshape(-1, tile, rows.shape[1]).transpose(1, 2)
    return Layer(tiles.flatten().numpy(), torch.cat(biases).numpy())


def _shapes_as_rows(canonical: CanonicalGaussians) -> Tensor:
    """[M, 13] attributes before activation, in the order of SHAPE."""
    return torch.cat([getattr(canonical, name) for name in SHAPE], 1)
