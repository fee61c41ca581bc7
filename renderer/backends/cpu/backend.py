"""Draws on the processor: compiled tile rasteriser for machines without GPU or display."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from streamstgs.renderer.backends.cpu.blend import blend
from streamstgs.renderer.backends.cpu.kernels import BLOCK, SPLAT_FIELDS, TILE_HEIGHT, TILE_WIDTH
from streamstgs.renderer.backends.cpu.project import project
from streamstgs.renderer.backends.cpu.sort import bin_tiles, count_tiles
from streamstgs.renderer.camera import Camera
from streamstgs.renderer.field_inference import warm_up as warm_up_field
from streamstgs.renderer.gaussians import Gaussians
from streamstgs.renderer.settings import RenderSettings
from streamstgs.renderer.thread_pool import ThreadPool
from torch import Tensor

Array = NDArray[Any]
MAX_LIST_ENTRIES = 1 << 24  # of the tiles' lists, 128 MiB


@dataclass(frozen=True)
class CpuSettings:
    """How the processor is used.

    Args:
        threads: how many threads draw one picture; None takes as many as torch does.
    """

    threads: int | None = None


class CpuBackend:
    """Owner: any one thread, which draws together with the helpers of its own pool."""

    name = "cpu"
    output_bits = 32

    def __init__(self, settings: CpuSettings | None = None) -> None:
        self.device = torch.device("cpu")
        self._crew = ThreadPool((settings or CpuSettings()).threads, "rasterise")
        self._buffers = _Buffers()

    def render(self, gaussians: Gaussians, camera: Camera, settings: RenderSettings) -> Tensor:
        """See `renderer.backends.base.Backend.render`."""
        picture = np.empty((camera.height, camera.width, 3), np.float32)
        self._draw(gaussians, camera, settings, picture, np.empty((0, 0, 3), np.uint8))
        return torch.from_numpy(picture)

    def render_rgb8(
        self, gaussians: Gaussians, camera: Camera, settings: RenderSettings
    ) -> NDArray[np.uint8]:
        """[height, width, 3] uint8: the same picture clipped to 0..1 and rounded to 8 bits."""
        picture = np.empty((camera.height, camera.width, 3), np.uint8)
        self._draw(gaussians, camera, settings, np.empty((0, 0, 3), np.float32), picture)
        return picture

    def warm_up(self) -> None:
        """Compile, or load from the cache, what `render` and the field need. May run in any thread.

        The field belongs to no backend, but with this one it runs on the processor too.
        """
        ones = torch.ones(1, 4)
        one = Gaussians(ones[:, :3], ones, ones[:, :3], ones[:, 0], ones[:, :3])
        camera = Camera(torch.eye(4), torch.eye(3), 1, 1)
        CpuBackend(CpuSettings(threads=1)).render(one, camera, RenderSettings())
        warm_up_field()

    def close(self) -> None:
        """End the helper threads. The backend cannot draw afterwards."""
        self._crew.close()

    def _draw(
        self,
        gaussians: Gaussians,
        camera: Camera,
        settings: RenderSettings,
        out: Array,
        out_rgb8: Array,
    ) -> None:
        """Draw into `out` or, where that is empty, into `out_rgb8`."""
        buffers = self._buffers
        columns, rows = -(-camera.width // TILE_WIDTH), -(-camera.height // TILE_HEIGHT)
        buffers.fit(len(gaussians), columns * rows)
        self._project(gaussians, camera, settings)
        starts = buffers.starts[: columns * rows + 1]
        visible = (buffers.used_counts(gaussians), buffers.rects)
        longest = count_tiles(*visible, columns, starts)
        background = np.array(settings.background, np.float32)
        for first_row, last_row in _bands(starts[::columns]):
            first, last = first_row * columns, last_row * columns
            lists = buffers.lists(int(starts[last] - starts[first]))
            splits = self._row_splits(starts[first : last + 1 : columns], first_row)
            binned = (buffers.depths, *visible, columns, splits, starts, buffers.ends)
            self._crew.run(bin_tiles, *binned, None, lists)
            task = (buffers.splats, starts, lists, longest, columns, first, last, background)
            self._crew.run(blend, *task, None, out, out_rgb8)

    def _project(self, gaussians: Gaussians, camera: Camera, settings: RenderSettings) -> None:
        """Fill splats, rects, depths, counts."""
        buffers = self._buffers
        size = np.array([camera.width, camera.height], np.float32)
        inputs = (*_arrays(gaussians), _view(camera), size, np.float32(settings.near))
        outputs = (buffers.splats, buffers.rects, buffers.depths, buffers.used_counts(gaussians))
        self._crew.run(project, *inputs, None, *outputs)

    def _row_splits(self, row_starts: Array, first_row: int) -> Array:
        """Stretches of rows of tiles with about as many splats, one for each thread."""
        shares = np.linspace(row_starts[0], row_starts[-1], self._crew.size + 1)
        splits = first_row + np.searchsorted(row_starts, shares)
        splits[0], splits[-1] = first_row, first_row + len(row_starts) - 1
        return splits.astype(np.int64)


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
    """Split tile rows into bands whose lists stay below MAX_LIST_ENTRIES; commonly there is one.

    Without them a hostile scene of picture-filling splats would take N times tiles of memory.
    """
    first, rows = 0, len(row_starts) - 1
    while first < rows:
        fitting = np.searchsorted(row_starts, row_starts[first] + MAX_LIST_ENTRIES, side="right")
        last = max(first + 1, int(fitting) - 1)
        yield first, last
        first = last


def _arrays(gaussians: Gaussians) -> list[Array]:
    return [
        np.ascontiguousarray(t.detach().numpy(), np.float32).reshape(-1)
        for t in (
            gaussians.means,
            gaussians.quats,
            gaussians.scales,
            gaussians.opacities,
            gaussians.colors,
        )
    ]


def _view(camera: Camera) -> Array:
    """[16] rotation row by row, translation, focal lengths, principal point."""
    viewmat, K = camera.viewmat.numpy(), camera.K.numpy()
    return np.concatenate(
        [viewmat[:3, :3].ravel(), viewmat[:3, 3], K.diagonal()[:2], K[:2, 2]]
    ).astype(np.float32)
