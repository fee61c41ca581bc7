"""The deformation field at playback: the same numbers as `Gop.dynamic_at`, faster on the CPU.

What makes it fast: uint8 codes go straight into the first layer (dequantisation is folded into
its weights, gamma(t) into its bias), the opacity is found first and the other heads only look at
Gaussians that can be seen, their layers are one matrix each, and the rows are shared out to
threads in chunks that stay in the cache.
"""

from __future__ import annotations

import math
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
from renderer.settings import ALPHA_MIN

SHAPE_WIDTHS = {n: w for n, w in HEAD_WIDTHS.items() if n != "opacity_logits"}
HIDDEN_LOGIT = math.log(ALPHA_MIN / (1 - ALPHA_MIN))  # below it no backend draws a Gaussian
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

        A Gaussian too transparent to be drawn has its true opacity, and any old shape.
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
class _Heads:
    """H heads side by side.

    Args:
        first, first_bias: [width, H width], [H width] first layers.
        position: [6 * position_frequencies, H width] the same on gamma(X).
        last, last_bias: [H width, outputs], [outputs] last layers, block-diagonal.
    """

    first: Tensor
    first_bias: Tensor
    position: Tensor
    last: Tensor
    last_bias: Tensor

    def __call__(self, code: Tensor, position: Tensor, hidden: Tensor, out: Tensor) -> Tensor:
        """Deltas [rows, outputs] of codes [rows, width], in `out`; `hidden` is room to work in."""
        torch.addmm(self.first_bias, code, self.first, out=hidden)
        if self.position.shape[0]:
            hidden.addmm_(position, self.position)
        return torch.addmm(self.last_bias, hidden.relu_(), self.last, out=out)


@dataclass(frozen=True)
class _Layers:
    """The field's matrices, laid out for `torch.addmm(bias, x, weight)`.

    Args:
        codes: [W*F, width] first layer on uint8 codes.
        time: [width, 2 * time_frequencies] first layer on gamma(t).
        first_bias: [width] with the value of code 0 folded in.
        second, second_bias: [width, width], [width].
        opacity, shape: what is in the heads, see `_Heads`; `shape` is all but the opacity.
    """

    codes: Tensor
    time: Tensor
    first_bias: Tensor
    second: Tensor
    second_bias: Tensor
    opacity: _Heads
    shape: _Heads


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
        self._opacity_logits = gop.canonical.opacity_logits
        self._shapes = _shapes_as_rows(gop.canonical)
        self._position = sinusoidal_encoding(
            gop.canonical.means / config.extent, config.position_frequencies
        )
        threads = min(torch.get_num_threads(), -(-count // CHUNK_ROWS))
        self._workspaces = [_Workspace(config, min(CHUNK_ROWS, count)) for _ in range(threads)]
        self._pool = _single_minded_threads(threads)

    def write_at(self, frame: float, out: Gaussians) -> None:
        """Write the M moving Gaussians at a frame, activated, into the tensors of `out`."""
        chunks = iter(range(0, len(self._shapes), CHUNK_ROWS))  # shared by the threads
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
            rows = slice(start, min(start + CHUNK_ROWS, len(self._shapes)))
            space = workspace.rows(rows.stop - start)
            self._find_codes(frame, rows, first_bias, space)
            seen = self._write_opacities(rows, space, out.opacities[rows])
            self._write_shapes(rows, seen, workspace, space, out)

    def _find_codes(self, frame: float, rows: slice, first_bias: Tensor, space: _Workspace) -> None:
        """[rows, width] what the temporal layers make of the window, into `space.code`."""
        layers = self._layers
        window = self._window(frame, rows, space)
        torch.addmm(first_bias, window, layers.codes, out=space.first).relu_()
        torch.addmm(layers.second_bias, space.first, layers.second, out=space.code).relu_()

    def _write_opacities(self, rows: slice, space: _Workspace, out: Tensor) -> Tensor:
        """Write the opacities of a chunk; which of its rows can be seen, as indices."""
        deltas = self._layers.opacity(
            space.code, self._position[rows], space.opacity_hidden, space.opacity
        )
        logits = deltas[:, 0].add_(self._opacity_logits[rows])
        torch.sigmoid(logits, out=out)
        return (logits >= HIDDEN_LOGIT).nonzero()[:, 0]

    def _write_shapes(
        self, rows: slice, seen: Tensor, workspace: _Workspace, space: _Workspace, out: Gaussians
    ) -> None:
        """Write all but the opacity for the rows of a chunk that can be seen."""
        few = workspace.rows(len(seen))
        code = torch.index_select(space.code, 0, seen, out=few.first)
        moved = self._layers.shape(
            code, self._position[rows][seen], few.shape_hidden, few.shape
        ).add_(self._shapes[rows][seen])
        _activate(moved, seen, out[rows])

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
        self.first, self.code, self.opacity_hidden = torch.empty(3, rows, config.width)
        self.opacity = torch.empty(rows, 1)
        self.shape_hidden = torch.empty(rows, config.width * len(SHAPE_WIDTHS))
        self.shape = torch.empty(rows, sum(SHAPE_WIDTHS.values()))

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
    return _Layers(
        codes=(on_values * gop.feature_step.repeat(config.window)).T.contiguous(),
        time=on_time.contiguous(),
        first_bias=weights["temporal.0.bias"]
        + on_values @ gop.feature_offset.repeat(config.window),
        second=weights["temporal.2.weight"].T.contiguous(),
        second_bias=weights["temporal.2.bias"],
        opacity=_side_by_side(gop.field, ["opacity_logits"]),
        shape=_side_by_side(gop.field, list(SHAPE_WIDTHS)),
    )


def _side_by_side(field: DeformationField, names: list[str]) -> _Heads:
    """The named heads as one; positions get their unit, the extent."""
    width, weights = field.config.width, field.state_dict()
    units = [field.config.extent if name == "means" else 1.0 for name in names]
    first = torch.cat([weights[f"heads.{name}.0.weight"] for name in names])
    last = [weights[f"heads.{n}.2.weight"] * u for n, u in zip(names, units, strict=True)]
    bias = [weights[f"heads.{n}.2.bias"] * u for n, u in zip(names, units, strict=True)]
    return _Heads(
        first=first[:, :width].T.contiguous(),
        first_bias=torch.cat([weights[f"heads.{name}.0.bias"] for name in names]),
        position=first[:, width:].T.contiguous(),
        last=torch.block_diag(*last).T.contiguous(),
        last_bias=torch.cat(bias),
    )


def _shapes_as_rows(canonical: CanonicalGaussians) -> Tensor:
    """[M, 13] attributes before activation, in the order of SHAPE_WIDTHS."""
    return torch.cat([getattr(canonical, name) for name in SHAPE_WIDTHS], 1)


def _activate(moved: Tensor, seen: Tensor, out: Gaussians) -> None:
    """`CanonicalGaussians.activate` of [K, 13] into rows `seen` [K] of the tensors of `out`."""
    means, quats, log_scales, colors = moved.split(list(SHAPE_WIDTHS.values()), 1)
    out.means.index_copy_(0, seen, means)
    out.quats.index_copy_(0, seen, quats / quats.norm(dim=1, keepdim=True).clamp_(min=1e-12))
    out.scales.index_copy_(0, seen, log_scales.contiguous().exp_())
    out.colors.index_copy_(0, seen, colors.clamp(min=0.0))
