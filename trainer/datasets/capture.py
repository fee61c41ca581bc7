"""A calibrated multi-view capture: where its cameras stand and how to read their frames."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from streamstgs.renderer import Camera
from streamstgs.renderer.rotations import up_of_cameras
from streamstgs.trainer.datasets.calibration import check_intrinsics, check_poses
from streamstgs.trainer.datasets.config import CaptureConfig
from streamstgs.trainer.datasets.files import check_sources
from streamstgs.trainer.datasets.moments import check_moments, check_names
from streamstgs.trainer.datasets.readers import READERS, ImageFolderReader, VideoReader
from streamstgs.trainer.datasets.timing import check_clocks
from torch import Tensor

log = logging.getLogger("streamstgs.trainer")
LEAST_CONVERGENCE = 1e-3  # mean squared sine of the angles between optical axes, about 2 degrees


class FrameReader(Protocol):
    """Reads frames of one camera."""

    def read(self, frames: Sequence[int]) -> np.ndarray:
        """[len(frames), H, W, 3] uint8 RGB of different frames, at least one, of its view's size.

        Raises CaptureError, naming the camera.
        """
        ...

    def check(self, count: int) -> None:
        """Raises CaptureError unless there are `count` frames of the calibrated size."""
        ...

    def length(self) -> int:
        """Frames of the capture that there are."""
        ...

    def small(self, height_px: int) -> FrameReader:
        """Reads smaller pictures as they are recorded: the distortion of the lens stays."""
        ...


@dataclass(frozen=True)
class CapturedView:
    """One camera of a capture.

    Args:
        name: its id in the capture.
        split: "train" or "test".
        camera: calibration at the size of the frames as they are read.
        reader: its frames.
        offset: how many frames later it shows the same moment than the others, as its files say.
    """

    name: str
    split: str
    camera: Camera
    reader: FrameReader
    offset: int = 0


@dataclass(frozen=True)
class Capture:
    """A multi-view video.

    Args:
        views: all cameras, synchronised.
        fps, frames: of the video.
        up: unit vector that points up in the world.
        center: the point the cameras look at, world units.
        points_path: PLY with coloured surface points of the first frame, where there is one.
    """

    title: str
    views: tuple[CapturedView, ...]
    fps: float
    frames: int
    up: tuple[float, float, float]
    center: tuple[float, float, float]
    points_path: Path | None

    def split(self, name: str) -> tuple[CapturedView, ...]:
        """The views of a split; "all" gives every view."""
        return tuple(v for v in self.views if name in (v.split, "all"))

    def shortened(self, frames: int) -> Capture:
        """No more than its first frames."""
        return replace(self, frames=min(self.frames, frames))

    @property
    def camera_distance(self) -> float:
        """Mean distance of the cameras from `center`: the scale of the scene, world units."""
        center = torch.tensor(self.center)
        return torch.stack([(v.camera.position - center).norm() for v in self.views]).mean().item()


def load_frames(views: tuple[CapturedView, ...], frames: Sequence[int]) -> list[Tensor]:
    """Frames of each view as uint8 [T, H, W, 3] on the CPU, cameras read side by side."""
    return list(each_video(views, frames))


def each_video(views: tuple[CapturedView, ...], frames: Sequence[int]) -> Iterator[Tensor]:
    """What `load_frames` gives, one view after the other: no more than READERS are in memory."""
    with ThreadPoolExecutor(READERS) as pool:
        begun: deque[Future[np.ndarray]] = deque()
        for view in views:
            begun.append(pool.submit(view.reader.read, frames))
            if len(begun) == READERS:
                yield torch.from_numpy(begun.popleft().result())
        while begun:
            yield torch.from_numpy(begun.popleft().result())


def check_cameras(capture: Capture, config: CaptureConfig) -> None:
    """Checks that hold for the cameras of all layouts. Raises CaptureError, naming cameras.

    No two cameras share a name, a file or a pose, images are of the same moments, and the poses
    make sense together.
    """
    check_names([v.name for v in capture.views])
    check_moments([v.reader for v in capture.views], capture.frames)
    check_sources(
        [(v.name, v.reader.path) for v in capture.views if isinstance(v.reader, VideoReader)]
    )
    check_sources(
        [
            (v.name, v.reader.paths[0])
            for v in capture.views
            if isinstance(v.reader, ImageFolderReader)
        ]
    )
    check_intrinsics([v.name for v in capture.views], [v.camera for v in capture.views])
    if not config.trust_poses:
        check_poses([v.name for v in capture.views], [v.camera for v in capture.views])


def check_capture(capture: Capture) -> None:
    """Look at every camera's files before any work. Raises CaptureError, naming the camera."""
    with ThreadPoolExecutor(READERS) as pool:
        for _ in pool.map(lambda view: view.reader.check(capture.frames), capture.views):
            pass
    videos = [v.reader.times for v in capture.views if isinstance(v.reader, VideoReader)]
    check_clocks(videos, capture.fps, capture.frames)
    _tell_guesses(capture)


def _tell_guesses(capture: Capture) -> None:
    """Warnings about what files leave open, and about what is not read of them."""
    readers = [v.reader for v in capture.views if isinstance(v.reader, VideoReader)]
    untagged = [r for r in readers if not r.file.says_matrix()]
    if untagged:
        log.warning(
            "%d of %d videos (first: %s) name no colour matrix: %s is assumed "
            "(--capture.untagged-matrix)",
            len(untagged), len(readers), untagged[0].path.name, untagged[0].untagged_matrix,
        )  # fmt: skip
    for reader in readers:
        if reader.times.fps > 1.5 * capture.fps:
            log.warning(
                "camera %s: %s has %.4g pictures per second, the capture %.4g: one in %d is read",
                reader.camera, reader.path.name, reader.times.fps, capture.fps,
                round(reader.times.fps / capture.fps),
            )  # fmt: skip
    _tell_lengths(capture)
    _tell_crops(capture)
    _tell_sizes(capture)


def _tell_crops(capture: Capture) -> None:
    """Which lenses are undone, and how much of the recorded pictures is left."""
    kept: dict[str, list[float]] = {}
    for view in capture.views:
        if isinstance(view.reader, (VideoReader, ImageFolderReader)) and view.reader.undistortion:
            undone = view.reader.undistortion
            kept.setdefault(undone.lens.model, []).append(undone.kept)
    for model, shares in kept.items():
        log.info(
            "the distortion of %d lenses (%s) is undone while reading: pinhole cameras show "
            "%.0f to %.0f %% of the recorded pictures, the rest is cropped",
            len(shares), model, 100 * min(shares), 100 * max(shares),
        )  # fmt: skip


def _tell_lengths(capture: Capture) -> None:
    lengths = {}
    for view in capture.views:
        if isinstance(view.reader, VideoReader):
            lengths[view.name] = view.reader.times.length(capture.fps)
        elif isinstance(view.reader, ImageFolderReader):
            lengths[view.name] = view.reader.length()
    if len(set(lengths.values())) > 1:
        longest = max(lengths, key=lambda name: lengths[name])
        log.warning(
            "cameras differ in length, up to %d frames (camera %s): the first %d are read",
            lengths[longest], longest, capture.frames,
        )  # fmt: skip


def _tell_sizes(capture: Capture) -> None:
    sizes = {(v.camera.width, v.camera.height) for v in capture.split("train")}
    if len(sizes) > 1:
        listed = ", ".join(f"{width}x{height}" for width, height in sorted(sizes))
        log.info("training cameras have several sizes (%s): a batch has pictures of one", listed)


def up_direction(cameras: list[Camera]) -> tuple[float, float, float]:
    """The direction that is up for most cameras, which are mostly held level."""
    axes = torch.stack([c.viewmat[:2, :3] for c in cameras]).double().numpy()
    up = up_of_cameras(axes[:, 0], -axes[:, 1])
    if up is None:  # held in all ways: the first is as good as another
        up = -axes[0, 1]
    return _triple(torch.nn.functional.normalize(torch.from_numpy(up), dim=0))


def point_of_attention(
    cameras: list[Camera], reach: float | None = None
) -> tuple[float, float, float]:
    """The point nearest to all optical axes, in the least-squares sense.

    Axes that hardly converge, or behind the cameras, have none: of a flat array of cameras that
    look the same way it is a point before their middle.

    Args:
        reach: how far before it, world units; by default twice as far as cameras are apart.
    """
    axes = torch.stack([c.viewmat[2, :3] for c in cameras]).double()
    places = torch.stack([c.position for c in cameras]).double()
    across = torch.eye(3, dtype=torch.float64) - axes[:, :, None] * axes[:, None, :]
    normal, moment = across.mean(dim=0), (across @ places[:, :, None]).mean(dim=0)
    if torch.linalg.eigvalsh(normal)[0] > LEAST_CONVERGENCE:
        point = torch.linalg.solve(normal, moment)[:, 0]
        if ((point - places) * axes).sum(dim=1).median() > 0:
            return _triple(point)
    apart = torch.cdist(places, places).max()
    ahead = axes.mean(dim=0) * (2 * apart if reach is None else reach)
    return _triple(places.mean(dim=0) + ahead)


def _triple(vector: Tensor) -> tuple[float, float, float]:
    x, y, z = vector.tolist()
    return (x, y, z)
