"""Cameras agree on what is shown when: names, frame numbers of images, start of videos, offsets."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from streamstgs.trainer.datasets.config import CaptureConfig
from streamstgs.trainer.datasets.files import check_steps
from streamstgs.trainer.datasets.readers import READERS, ImageFolderReader, VideoReader
from streamstgs.trainer.datasets.timing import common_start_s
from streamstgs.trainer.errors import CaptureError

if TYPE_CHECKING:
    from streamstgs.trainer.datasets.capture import Capture, CapturedView

log = logging.getLogger("streamstgs.trainer")


def synchronised(capture: Capture, config: CaptureConfig) -> Capture:
    """The capture with frame 0 at one moment: that of the earliest video, moved by the offsets.

    Offsets shorten a capture whose recordings do not reach beyond its frames.

    Raises CaptureError, naming the camera, where a video cannot be read or an offset belongs to no
    camera.
    """
    views = _with_common_start(capture.views, config)
    check_known("capture.offset", list(config.offsets), [v.name for v in views])
    given = offsets_of(views, config)
    first = min(given.values())
    skipped = config.first_frame or 0
    late = {name: offset - first + skipped for name, offset in given.items()}
    if not any(late.values()):
        return replace(capture, views=views)
    moved = tuple(replace(v, reader=_later(v.reader, late[v.name])) for v in views)
    frames = min(capture.frames, *(v.reader.length() for v in moved))
    frames = max(frames, capture.frames - max(late.values()))  # a shorter one is an error
    if frames < 1:
        raise CaptureError(f"offsets and first frame leave none of the {capture.frames} frames")
    if frames < capture.frames - skipped:
        log.warning("the offsets leave %d of %d frames", frames, capture.frames)
    return replace(capture, views=moved, frames=frames)


def offsets_of(views: Sequence[CapturedView], config: CaptureConfig) -> dict[str, int]:
    """The offset of each camera in frames: that of the settings, or else that of its files."""
    return {view.name: view.offset for view in views} | config.offsets


def check_known(option: str, names: Sequence[str], cameras: Sequence[str]) -> None:
    """Raises CaptureError where an option names a camera that the capture lacks."""
    for name in names:
        if name not in cameras:
            raise CaptureError(
                f"--{option}: there is no camera {name}; there are {', '.join(cameras)}"
            )


def check_names(names: Sequence[str]) -> None:
    """Raises CaptureError where two cameras have one name."""
    for name in names:
        if names.count(name) > 1:
            raise CaptureError(f"camera {name} is listed more than once")


def check_moments(readers: Sequence[Any], frames: int) -> None:
    """A gap in the images of one camera would shift its later frames in time.

    Raises CaptureError, naming camera and frame.
    """
    images = [r for r in readers if isinstance(r, ImageFolderReader)]
    recorded = {r.camera: dict(zip(r.numbers[:frames], r.paths, strict=False)) for r in images}
    names = {number: path.stem for found in recorded.values() for number, path in found.items()}
    gaps = [(min(names.keys() - found), c) for c, found in recorded.items() if names.keys() - found]
    if gaps:
        frame, camera = min(gaps)
        raise CaptureError(
            f"camera {camera}: frame {names[frame]} is missing, other cameras have it"
        )
    for reader in images:
        check_steps(reader.numbers[:frames], reader.camera)


def _with_common_start(
    views: tuple[CapturedView, ...], config: CaptureConfig
) -> tuple[CapturedView, ...]:
    """Views whose videos agree on the time of frame 0: that of the earliest first picture."""
    videos = [v.reader for v in views if isinstance(v.reader, VideoReader)]
    with ThreadPoolExecutor(READERS) as pool:
        times = dict(
            zip([r.camera for r in videos], pool.map(lambda r: r.times, videos), strict=True)
        )
    start_s = None if config.ignore_start else common_start_s(list(times.values()))
    return tuple(
        replace(v, reader=replace(v.reader, start_s=start_s, known_times=times[v.reader.camera]))
        if isinstance(v.reader, VideoReader)
        else v
        for v in views
    )


def _later(reader: Any, frames: int) -> Any:
    """The reader whose frame 0 is `frames` later."""
    if isinstance(reader, VideoReader):
        return replace(reader, offset=frames)
    return reader.later(frames)
