"""The deformation field at playback: the same numbers as `Gop.dynamic_at`, faster on the CPU.

What makes it fast: uint8 codes go straight into the first layer (dequantisation is folded into
its weights, gamma(t) into its bias), the first layers of all heads are one matrix and so are the
last ones, and rows are worked on in chunks that stay in the cache, in buffers made once.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from renderer.deformation import HEAD_WIDTHS, DeformationField, sinusoidal_encoding
from renderer.gaussians import CanonicalGaussians, Gaussians
from renderer.gop import Gop

CHUNK_ROWS = 4096  # Gaussians worked on at once


class GopDeformer:
    """The Gaussians of a GOP at any of its frames. Owner: the thread that draws.

    On the CPU the static Gaussians are copied once into buffers that every frame shares; on other
    devices the field's own module does the work.
    """

    def __init__(self, gop: Gop) -> None:
        self._gop = gop
        self._frame: float | None = None
        self._fast = gop.device.type == "cpu" and len(gop.canonical) > 0
        self._all = gop.static
        if self._fast:
            self._all = Gaussians.concatenate([gop.static, gop.canonical.activate()])
            self._field = FastField(gop)

    def gaussians_at(self, frame: float) -> Gaussians:
        """All Gaussians at a frame (0 .. frames-1, may be fractional), the static ones first.

        The tensors are written again by the next call for another frame. Asking for the same
        frame again, as when only the camera moved, costs nothing.
        """
        frame = min(max(frame, 0.0), self._gop.frames - 1.0)
        if frame != self._frame:
            if self._fast:
                self._field.write_at(frame, self._all[len(self._gop.static) :])
            elif len(self._gop.canonical) > 0:
                self._all = self._gop.gaussians_at(frame)
            self._frame = frame
        return self._all


@dataclass(frozen=True)
class _Layers:
    """The field's matrices, laid out for `torch.addmm(bias, x, weight)`.

    Args:
        codes: [W*F, width] first layer on uint8 codes.
        time: [width, 2 * time_frequencies] first layer on gamma(t).
        first_bias: [width] with the value of code 0 folded in.
        second, second_bias: [width, width], [width].
        heads, heads_bias: [width, 5 width], [5 width] first layers of all heads side by side.
        position: [6 * position_frequencies, 5 width] the same on gamma(X).
        deltas, deltas_bias: [5 width, 14], [14] last layers of all heads, block-diagonal.
    """

    codes: Tensor
    time: Tensor
    first_bias: Tensor
    second: Tensor
    second_bias: Tensor
    heads: Tensor
    heads_bias: Tensor
    position: Tensor
    deltas: Tensor
    deltas_bias: Tensor


class FastField:
    """A GOP's deformation field for the CPU, without gradients. Owner: the thread that draws."""

    @torch.inference_mode()
    def __init__(self, gop: Gop) -> None:
        config = gop.field.config
        self._gop = gop
        self._layers = _lay_out(gop)
        self._canonical = _as_rows(gop.canonical)
        frequencies = config.position_frequencies
        self._position = sinusoidal_encoding(gop.canonical.means / config.extent, frequencies)
        rows = min(CHUNK_ROWS, len(gop.canonical))
        self._codes, self._next_codes = torch.empty(2, rows, config.window * config.features)
        self._first, self._second = torch.empty(2, rows, config.width)
        self._heads = torch.empty(rows, self._layers.heads.shape[1])
        self._deltas = torch.empty(rows, sum(HEAD_WIDTHS.values()))

    @torch.inference_mode()
    def write_at(self, frame: float, out: Gaussians) -> None:
        """Write the M moving Gaussians at a frame, activated, into the tensors of `out`."""
        moment = torch.tensor([frame / self._gop.frames])
        gamma_t = sinusoidal_encoding(moment, self._gop.field.config.time_frequencies)
        first_bias = torch.addmv(self._layers.first_bias, self._layers.time, gamma_t)
        for start in range(0, len(self._canonical), CHUNK_ROWS):
            rows = slice(start, min(start + CHUNK_ROWS, len(self._canonical)))
            moved = self._deltas_at(frame, rows, first_bias).add_(self._canonical[rows])
            _activate(moved, out[rows])

    def _deltas_at(self, frame: float, rows: slice, first_bias: Tensor) -> Tensor:
        """[rows, 14] what the heads add before activation, in the order of HEAD_WIDTHS."""
        layers, count = self._layers, rows.stop - rows.start
        first, second, heads = self._first[:count], self._second[:count], self._heads[:count]
        torch.addmm(first_bias, self._window(frame, rows), layers.codes, out=first).relu_()
        torch.addmm(layers.second_bias, first, layers.second, out=second).relu_()
        torch.addmm(layers.heads_bias, second, layers.heads, out=heads)
        if layers.position.shape[0]:
            heads.addmm_(self._position[rows], layers.position)
        heads.relu_()
        return torch.addmm(layers.deltas_bias, heads, layers.deltas, out=self._deltas[:count])

    def _window(self, frame: float, rows: slice) -> Tensor:
        """[rows, W*F] codes around a frame, as in `Gop.windowed_features` before dequantising."""
        first, share = int(frame), frame - int(frame)
        codes = self._fill(self._codes, first, rows)
        if share > 0.0:
            codes.lerp_(self._fill(self._next_codes, first + 1, rows), share)
        return codes

    def _fill(self, buffer: Tensor, first: int, rows: slice) -> Tensor:
        window, features = self._gop.field.config.window, self._gop.field.config.features
        filled = buffer[: rows.stop - rows.start]
        planes = self._gop.features[first : first + window, rows]  # [W, rows, F]
        filled.view(-1, window, features).copy_(planes.transpose(0, 1))
        return filled


def _lay_out(gop: Gop) -> _Layers:
    """Fold dequantisation into the first layer, and put the heads together."""
    config, weights = gop.field.config, gop.field.state_dict()
    inputs = config.window * config.features
    first = weights["temporal.0.weight"]
    on_values, on_time = first[:, :inputs], first[:, inputs:]
    head_weights = torch.cat([weights[f"heads.{name}.0.weight"] for name in HEAD_WIDTHS])
    return _Layers(
        codes=(on_values * gop.feature_step.repeat(config.window)).T.contiguous(),
        time=on_time.contiguous(),
        first_bias=weights["temporal.0.bias"]
        + on_values @ gop.feature_offset.repeat(config.window),
        second=weights["temporal.2.weight"].T.contiguous(),
        second_bias=weights["temporal.2.bias"],
        heads=head_weights[:, : config.width].T.contiguous(),
        heads_bias=torch.cat([weights[f"heads.{name}.0.bias"] for name in HEAD_WIDTHS]),
        position=head_weights[:, config.width :].T.contiguous(),
        deltas=torch.block_diag(*_last_layers(gop.field, "weight")).T.contiguous(),
        deltas_bias=torch.cat(_last_layers(gop.field, "bias")),
    )


def _last_layers(field: DeformationField, kind: str) -> list[Tensor]:
    """ "weight" or "bias" of every head's last layer; positions get their unit, the extent."""
    weights = field.state_dict()
    unit = {"means": field.config.extent}
    return [weights[f"heads.{name}.2.{kind}"] * unit.get(name, 1.0) for name in HEAD_WIDTHS]


def _as_rows(canonical: CanonicalGaussians) -> Tensor:
    """[M, 14] attributes before activation, in the order of HEAD_WIDTHS."""
    return torch.cat(
        [getattr(canonical, name).reshape(len(canonical), -1) for name in HEAD_WIDTHS], 1
    )


def _activate(rows: Tensor, out: Gaussians) -> None:
    """`CanonicalGaussians.activate` of [rows, 14] into the tensors of `out`."""
    means, quats, log_scales, opacity_logits, colors = rows.split(list(HEAD_WIDTHS.values()), 1)
    out.means.copy_(means)
    torch.div(quats, quats.norm(dim=1, keepdim=True).clamp_(min=1e-12), out=out.quats)
    torch.exp(log_scales, out=out.scales)
    torch.sigmoid(opacity_logits[:, 0], out=out.opacities)
    torch.clamp(colors, min=0.0, out=out.colors)
