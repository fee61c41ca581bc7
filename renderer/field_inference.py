"""The deformation field at playback: the same numbers as `Gop.dynamic_at`, faster on the CPU.

What makes it fast: uint8 codes go straight into the first layer (dequantisation is folded into
its weights, gamma(t) into its bias), the first layers of all heads are one matrix and so are the
last ones, and the rows are shared out to threads in chunks that stay in the cache.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from copy import copy
from dataclasses import dataclass
from threading import Barrier

import torch
from torch import Tensor

from renderer.deformation import HEAD_WIDTHS, DeformationField, FieldConfig, sinusoidal_encoding
from renderer.gaussians import CanonicalGaussians, Gaussians
from renderer.gop import Gop

CHUNK_ROWS = 2048  # Gaussians worked on at once; few enough for the cache, many for Python


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
    """A GOP's deformation field for the CPU, without gradients. Owner: the thread that draws.

    Its threads each take chunk after chunk through all layers, with torch's own threads switched
    off: those would meet after every single operation, which takes a hundred times as long as
    the work once a decoder keeps one of the cores busy.
    """

    @torch.inference_mode()
    def __init__(self, gop: Gop) -> None:
        config, count = gop.field.config, len(gop.canonical)
        self._gop = gop
        self._layers = _lay_out(gop)
        self._canonical = _as_rows(gop.canonical)
        self._position = sinusoidal_encoding(
            gop.canonical.means / config.extent, config.position_frequencies
        )
        threads = min(torch.get_num_threads(), -(-count // CHUNK_ROWS))
        self._workspaces = [_Workspace(config, min(CHUNK_ROWS, count)) for _ in range(threads)]
        self._pool = _single_minded_threads(threads)

    def write_at(self, frame: float, out: Gaussians) -> None:
        """Write the M moving Gaussians at a frame, activated, into the tensors of `out`."""
        chunks = iter(range(0, len(self._canonical), CHUNK_ROWS))  # shared by the threads
        work = [self._pool.submit(self._write, frame, out, chunks, w) for w in self._workspaces]
        for done in work:
            done.result()

    @torch.inference_mode()
    def _write(
        self, frame: float, out: Gaussians, chunks: Iterator[int], workspace: _Workspace
    ) -> None:
        moment = torch.tensor([frame / self._gop.frames])
        gamma_t = sinusoidal_encoding(moment, self._gop.field.config.time_frequencies)
        first_bias = torch.addmv(self._layers.first_bias, self._layers.time, gamma_t)
        for start in chunks:
            rows = slice(start, min(start + CHUNK_ROWS, len(self._canonical)))
            space = workspace.rows(rows.stop - start)
            moved = self._deltas_at(frame, rows, first_bias, space).add_(self._canonical[rows])
            _activate(moved, out[rows])

    def _deltas_at(
        self, frame: float, rows: slice, first_bias: Tensor, space: _Workspace
    ) -> Tensor:
        """[rows, 14] what the heads add before activation, in the order of HEAD_WIDTHS."""
        layers = self._layers
        codes = self._window(frame, rows, space)
        torch.addmm(first_bias, codes, layers.codes, out=space.first).relu_()
        torch.addmm(layers.second_bias, space.first, layers.second, out=space.second).relu_()
        torch.addmm(layers.heads_bias, space.second, layers.heads, out=space.heads)
        if layers.position.shape[0]:
            space.heads.addmm_(self._position[rows], layers.position)
        space.heads.relu_()
        return torch.addmm(layers.deltas_bias, space.heads, layers.deltas, out=space.deltas)

    def _window(self, frame: float, rows: slice, space: _Workspace) -> Tensor:
        """[rows, W*F] codes around a frame, as in `Gop.windowed_features` before dequantising."""
        first, share = int(frame), frame - int(frame)
        self._fill(space.codes, first, rows)
        if share > 0.0:
            self._fill(space.next_codes, first + 1, rows)
            space.codes.lerp_(space.next_codes, share)
        return space.codes

    def _fill(self, codes: Tensor, first: int, rows: slice) -> None:
        config = self._gop.field.config
        planes = self._gop.features[first : first + config.window, rows]  # [W, rows, F]
        codes.view(-1, config.window, config.features).copy_(planes.transpose(0, 1))


class _Workspace:
    """The buffers in which one thread takes a chunk through the layers."""

    def __init__(self, config: FieldConfig, rows: int) -> None:
        self.codes, self.next_codes = torch.empty(2, rows, config.window * config.features)
        self.first, self.second = torch.empty(2, rows, config.width)
        self.heads = torch.empty(rows, config.width * len(HEAD_WIDTHS))
        self.deltas = torch.empty(rows, sum(HEAD_WIDTHS.values()))

    def rows(self, count: int) -> _Workspace:
        """The same buffers, only their first `count` rows."""
        if count == len(self.codes):
            return self
        part = copy(self)
        for name, buffer in vars(self).items():
            setattr(part, name, buffer[:count])
        return part


def _single_minded_threads(count: int) -> ThreadPoolExecutor:
    """Threads in which a torch operation starts no threads of its own.

    torch keeps that setting per thread, but remembers the newest one for threads still to come:
    so it is set back here.
    """
    usual = torch.get_num_threads()
    pool = ThreadPoolExecutor(count, thread_name_prefix="deform")
    together = Barrier(count)

    def start() -> None:
        torch.set_num_threads(1)
        together.wait(timeout=10.0)  # so that each thread gets one of these

    for started in [pool.submit(start) for _ in range(count)]:
        started.result()
    torch.set_num_threads(usual)
    return pool


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
    out.scales.copy_(log_scales).exp_()  # on strided rows exp takes ten times as long
    torch.sigmoid(opacity_logits[:, 0], out=out.opacities)
    torch.clamp(colors, min=0.0, out=out.colors)
