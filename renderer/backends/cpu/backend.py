"""The cpu backend: a compiled tile rasteriser for machines without GPU or display.

README.md in this folder describes the design.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from streamstgs.renderer.backends.base import Backend, Capabilities, RenderedChannels
from streamstgs.renderer.backends.cpu.blend import UNSEEN_TRANSMITTANCE, blend
from streamstgs.renderer.backends.cpu.kernels import (
    BLOCK,
    BLUE,
    RED,
    SPLAT_FIELDS,
    TILE_HEIGHT,
    TILE_WIDTH,
    is_compiled,
)
from streamstgs.renderer.backends.cpu.project import project
from streamstgs.renderer.backends.cpu.sort import bin_tiles, count_tiles, sort_lists
from streamstgs.renderer.backends.cpu.view_colors import view_colors
from streamstgs.renderer.camera import Camera
from streamstgs.renderer.field_inference import warm_up as warm_up_field
from streamstgs.renderer.gaussians import Gaussians
from streamstgs.renderer.settings import RenderSettings
from streamstgs.renderer.thread_pool import ThreadPool
from torch import Tensor

Array = NDArray[Any]
MAX_LIST_ENTRIES = 1 << 24  # of the tiles' lists, 128 MiB
LOOPS = (project, count_tiles, bin_tiles, blend)  # that draw a picture; they hold the others
_NO_FLOATS, _NO_BYTES = np.empty((0, 0, 3), np.float32), np.empty((0, 0, 3), np.uint8)


@dataclass(frozen=True)
class CpuSettings:
    """Settings of the cpu backend.

    Args:
        threads: number of threads that draw one picture; None takes as many as torch.
    """

    threads: int | None = None


class CpuBackend(Backend):
    """Draws on the CPU. Owner: any one thread, which works together with those of its own pool."""

    name = "cpu"
    capabilities = Capabilities(writes_rgb8=True)

    def __init__(self, settings: CpuSettings | None = None) -> None:
        self.device = torch.device("cpu")
        self._pool = ThreadPool((settings or CpuSettings()).threads, "rasterise")
        self._buffers = _Buffers()

    def render(self, gaussians: Gaussians, camera: Camera, settings: RenderSettings) -> Tensor:
        """See `renderer.backends.base.Backend.render`."""
        picture = np.empty((camera.height, camera.width, 3), np.float32)
        self._project(gaussians, camera, settings)
        self._blend(gaussians, camera, _behind(settings), picture, _NO_BYTES)
        return torch.from_numpy(picture)

    def render_rgb8(self, gaussians: Gaussians, camera: Camera, settings: RenderSettings) -> Tensor:
        """See `renderer.backends.base.Backend.render_rgb8`."""
        picture = np.empty((camera.height, camera.width, 3), np.uint8)
        self._project(gaussians, camera, settings)
        self._blend(gaussians, camera, _behind(settings), _NO_FLOATS, picture)
        return torch.from_numpy(picture)

    def render_channels(
        self, gaussians: Gaussians, camera: Camera, settings: RenderSettings
    ) -> RenderedChannels:
        """See `renderer.backends.base.Backend.render_channels`.

        The splats are blended a second time, with (depth, 1, 0) in place of their colours.
        """
        color, weighted = np.empty((2, camera.height, camera.width, 3), np.float32)
        self._project(gaussians, camera, settings)
        self._blend(gaussians, camera, _behind(settings), color, _NO_BYTES)
        buffers = self._buffers
        buffers.splats[:, RED] = buffers.depths
        buffers.splats[:, RED + 1 : BLUE + 1] = (1.0, 0.0)
        self._blend(gaussians, camera, (0.0, 0.0, 0.0), weighted, _NO_BYTES, limit=0.0)
        alpha = np.ascontiguousarray(weighted[..., 1])
        depth = weighted[..., 0] / np.maximum(alpha, np.float32(1e-10))
        return RenderedChannels(*(torch.from_numpy(c) for c in (color, alpha, depth)))

    def timed_steps(
        self, gaussians: Gaussians, camera: Camera, settings: RenderSettings
    ) -> dict[str, float]:
        """See `renderer.backends.base.Backend.timed_steps`; the steps are those of README.md.

        Lists are sorted tile by tile between binning and blending, so "sort" (with counting and
        binning) is timed on its own afterwards and taken from the time of both.
        """
        picture = np.empty((camera.height, camera.width, 3), np.uint8)
        project_ms = _timed_ms(lambda: self._project(gaussians, camera, settings))
        both_ms = _timed_ms(
            lambda: self._blend(gaussians, camera, _behind(settings), _NO_FLOATS, picture)
        )
        sort_ms = _timed_ms(lambda: self._sort(gaussians, camera))
        return {"project": project_ms, "sort": sort_ms, "blend": max(both_ms - sort_ms, 0.0)}

    def warm_up(self) -> None:
        """Compile, or load from the cache, all loops for drawing and for the deformation field.

        The field belongs to no backend, but with this one it runs on the CPU, too. May run in any
        thread.
        """
        ones = torch.ones(1, 4)
        one = Gaussians(ones[:, :3], ones, ones[:, :3], ones[:, 0], ones[:, :3])
        camera = Camera(torch.eye(4), torch.eye(3), 1, 1)
        CpuBackend(CpuSettings(threads=1)).render(one, camera, RenderSettings())
        warm_up_field()

    def close(self) -> None:
        """End the threads of the pool. The backend cannot draw afterwards."""
        self._pool.close()

    def _project(self, gaussians: Gaussians, camera: Camera, settings: RenderSettings) -> None:
        """Fill splats, rects, depths, counts."""
        buffers = self._buffers
        buffers.fit(len(gaussians), _columns(camera) * _rows(camera))
        size = np.array([camera.width, camera.height], np.float32)
        means, quats, scales, opacities = (
            _flat(t)
            for t in (gaussians.means, gaussians.quats, gaussians.scales, gaussians.opacities)
        )
        attributes = (means, quats, scales, opacities, self._colors(gaussians, camera, means))
        outputs = (buffers.splats, buffers.rects, buffers.depths, buffers.used_counts(gaussians))
        view = _view(camera)
        self._pool.run(project, *attributes, view, size, np.float32(settings.near), None, *outputs)

    def _colors(self, gaussians: Gaussians, camera: Camera, means: Array) -> Array:
        """[N * 3] colours as the camera sees them."""
        if gaussians.sh is None:
            return _flat(gaussians.colors)
        colors = np.empty_like(means)
        sh, size = _flat(gaussians.sh), gaussians.sh.shape[1]
        self._pool.run(view_colors, means, sh, size, camera.position.numpy(), None, colors)
        return colors

    def _blend(
        self,
        gaussians: Gaussians,
        camera: Camera,
        background: tuple[float, ...],
        out: Array,
        out_rgb8: Array,
        limit: float = UNSEEN_TRANSMITTANCE,
    ) -> None:
        """Draw the projected splats into `out` or, if that is empty, into `out_rgb8`.

        Args:
            background, limit: as of `blend`.
        """
        columns, behind = _columns(camera), np.array(background, np.float32)
        for starts, lists, longest, first, last in self._binned(gaussians, camera):
            task = (self._buffers.splats, starts, lists, longest, columns, first, last, behind)
            self._pool.run(blend, *task, np.float32(limit), None, out, out_rgb8)

    def _sort(self, gaussians: Gaussians, camera: Camera) -> None:
        """Bin and sort the projected splats, and draw nothing."""
        for task in self._binned(gaussians, camera):
            self._pool.run(sort_lists, *task, None)

    def _binned(
        self, gaussians: Gaussians, camera: Camera
    ) -> Iterator[tuple[Array, Array, int, int, int]]:
        """For each band: starts, lists, length of the longest list, first and past the last tile.

        The lists are overwritten by those of the next band.
        """
        buffers, columns = self._buffers, _columns(camera)
        starts = buffers.starts[: columns * _rows(camera) + 1]
        visible = (buffers.used_counts(gaussians), buffers.rects)
        longest = count_tiles(*visible, columns, starts)
        for first_row, last_row in _bands(starts[::columns]):
            first, last = first_row * columns, last_row * columns
            lists = buffers.lists(int(starts[last] - starts[first]))
            splits = self._row_splits(starts[first : last + 1 : columns], first_row)
            binned = (buffers.depths, *visible, columns, splits, starts, buffers.ends)
            self._pool.run(bin_tiles, *binned, None, lists)
            yield starts, lists, longest, first, last

    def _row_splits(self, row_starts: Array, first_row: int) -> Array:
        """Stretches of tile rows with about equally many list entries, one for each thread."""
        shares = np.linspace(row_starts[0], row_starts[-1], self._pool.size + 1)
        splits = first_row + np.searchsorted(row_starts, shares)
        splits[0], splits[-1] = first_row, first_row + len(row_starts) - 1
        return splits.astype(np.int64)


def can_draw_at_once() -> bool:
    """Whether all loops that draw a picture are compiled, here or in the cache."""
    return all(is_compiled(loop) for loop in LOOPS)


class _Buffers:
    """Arrays kept from picture to picture; they grow when needed and never shrink."""

    def __init__(self) -> None:
        self.starts = np.empty(0, np.int64)  # where each tile's list begins
        self.ends = np.empty(0, np.int64)
        self._lists = np.empty(0, np.uint64)
        self._fit_splats(1)

    def fit(self, splats: int, tiles: int) -> None:
        if splats > len(self.depths):
            self._fit_splats(splats)
        if tiles > len(self.ends):
            self.starts = np.empty(tiles + 1, np.int64)
            self.ends = np.empty(tiles, np.int64)

    def used_counts(self, gaussians: Gaussians) -> Array:
        return self._counts[: -(-len(gaussians) // BLOCK)]

    def lists(self, entries: int) -> Array:
        if entries > len(self._lists):
            self._lists = np.empty(entries + entries // 4, np.uint64)
        return self._lists

    def _fit_splats(self, count: int) -> None:
        self.splats = np.empty((count, SPLAT_FIELDS), np.float32)
        self.rects = np.empty((count, 4), np.int32)
        self.depths = np.empty(count, np.float32)
        self._counts = np.empty(-(-count // BLOCK), np.int64)


def _bands(row_starts: Array) -> Iterator[tuple[int, int]]:
    """Split tile rows into bands whose lists stay below MAX_LIST_ENTRIES; usually one band.

    Without bands a hostile scene of picture-filling splats would take N times tiles of memory.
    """
    first, rows = 0, len(row_starts) - 1
    while first < rows:
        fitting = np.searchsorted(row_starts, row_starts[first] + MAX_LIST_ENTRIES, side="right")
        last = max(first + 1, int(fitting) - 1)
        yield first, last
        first = last


def _behind(settings: RenderSettings) -> tuple[float, ...]:
    """What is blended behind the splats, as of `blend`."""
    own = settings.own_background if settings.replaces_background else None
    return settings.background + (own or ())


def _timed_ms(step: Callable[[], None]) -> float:
    start_s = time.perf_counter()
    step()
    return 1000 * (time.perf_counter() - start_s)


def _columns(camera: Camera) -> int:
    return -(-camera.width // TILE_WIDTH)


def _rows(camera: Camera) -> int:
    return -(-camera.height // TILE_HEIGHT)


def _flat(values: Tensor) -> Array:
    """The numbers of an attribute as float32, Gaussian after Gaussian."""
    return np.ascontiguousarray(values.detach().numpy(), np.float32).reshape(-1)


def _view(camera: Camera) -> Array:
    """[16] rotation row by row, translation, focal lengths, principal point."""
    viewmat, K = camera.viewmat.numpy(), camera.K.numpy()
    return np.concatenate(
        [viewmat[:3, :3].ravel(), viewmat[:3, 3], K.diagonal()[:2], K[:2, 2]]
    ).astype(np.float32)
