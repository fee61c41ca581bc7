"""Makes scene readers of what splat files hold; where the files come from does not matter here.

Opening reads the first frame, because a centre and an opening view have to be guessed from it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from streamstgs.codec.cancel import NEVER, CancelToken
from streamstgs.codec.errors import NotAScene
from streamstgs.codec.formats import dynamic_npz, sequence, sog
from streamstgs.codec.formats.converter import Converter
from streamstgs.codec.formats.exchange import fourdgs_file
from streamstgs.codec.formats.file_sets import FileSet
from streamstgs.codec.formats.frames_reader import AnimatedGaussians, AnimatedReader, FramesReader
from streamstgs.codec.formats.gaussian_ply import Vector, header_of, up_axis
from streamstgs.codec.formats.gaussians_4d_ply import is_4d_ply, read_4d_ply
from streamstgs.codec.formats.guessed_meta import guessed_meta
from streamstgs.codec.formats.npz_arrays import is_npz
from streamstgs.codec.formats.raw_gaussians import RawGaussians, activated
from streamstgs.codec.formats.reader import SceneInfo
from streamstgs.codec.formats.spacetime import is_spacetime_ply, read_spacetime_ply
from streamstgs.codec.formats.splat_files import (
    SplatKind,
    kind_of,
    read_gaussians,
    read_raw,
    read_sog_files,
)
from streamstgs.codec.limits import SPLAT_FILE_BYTES
from streamstgs.codec.ply import MAGIC
from streamstgs.renderer import Gaussians

SplatReader = FramesReader | AnimatedReader
GLTF_UP: Vector = (0.0, -1.0, 0.0)  # its specification says y, which is turned while reading


@dataclass(frozen=True)
class Origin:
    """Where a scene comes from, and how fast it plays.

    Args:
        location: path or URL for messages, without credentials.
        title: name of the file or folder, for people.
        fps: content frames per second.
        up: unit vector that points up, if files beside it tell it; what the file says wins.
    """

    location: str
    title: str
    fps: float
    up: Vector | None = None


def reader_of_data(
    data: bytes,
    name: str,
    origin: Origin,
    cancel: CancelToken = NEVER,
    beside: FileSet | None = None,
) -> SplatReader:
    """The reader of a single file that is no archive.

    Args:
        data: its content.
        name: its name, whose suffix tells some kinds.
        beside: the files beside it, for kinds that name others.

    Raises:
        CodecError: it is damaged, of no known kind, or declares too much; or `cancel`.
    """
    if data.startswith(MAGIC):
        header = header_of(data, name)
        if is_spacetime_ply(header):
            return animated_reader(read_spacetime_ply(data, name), "spacetime", origin, len(data))
        if is_4d_ply(header):
            born = read_4d_ply(data, name, origin.fps)
            return animated_reader(born, "4d ply", origin, len(data), up_axis(header))
    if data.startswith(fourdgs_file.MAGIC):
        moving, up = fourdgs_file.read_fourdgs(data, name, origin.fps, cancel)
        return animated_reader(moving, "4dgs", origin, len(data), up)
    kind = kind_of(data, name)
    raw = _with_converter(lambda converter: read_raw(data, name, converter, cancel, beside))
    up = GLTF_UP if kind is SplatKind.GLTF else _up_of(data, name)
    return still_reader(activated(raw, name), kind.value, origin, len(data), up)


def reader_of_archive(
    files: FileSet, name: str, origin: Origin, size_bytes: int, cancel: CancelToken = NEVER
) -> SplatReader:
    """The reader of the files of a ZIP archive: a .sog, a params.npz, or a sequence.

    Args:
        files: those of the archive; closed here or with the reader.
        name: of the archive, for messages.
        size_bytes: of the archive.
    """
    try:
        if name.lower().endswith(".npz") or is_npz(files):
            dynamic_npz.open_check(files, name)
            moving = dynamic_npz.read_dynamic_npz(files, name, cancel)
            reader: SplatReader = animated_reader(moving, "npz", origin, size_bytes)
        elif sog.is_sog(files):
            reader = sog_reader(files, name, origin, size_bytes, cancel)
        else:
            return sequence_reader(files, sequence.frame_names(files.names), origin, cancel)
    except BaseException:
        files.close()
        raise
    files.close()
    return reader


def sog_reader(
    files: FileSet, name: str, origin: Origin, size_bytes: int, cancel: CancelToken = NEVER
) -> FramesReader:
    """The reader of the files of one .sog, which the caller closes."""
    raw = _with_converter(lambda converter: read_sog_files(files, name, converter, cancel))
    return still_reader(activated(raw, name), "sog", origin, size_bytes)


def still_reader(
    gaussians: Gaussians, kind: str, origin: Origin, size_bytes: int, up: Vector | None = None
) -> FramesReader:
    """The reader of a scene of one frame, which is read already; raises NotAScene for an empty
    one."""
    _check_not_empty(len(gaussians) > 0, origin)
    info = _info(origin, kind, gaussians, (1,), up)
    return FramesReader(info, _NoFrames(), size_bytes, gaussians)


def _check_not_empty(is_filled: bool, origin: Origin) -> None:
    """Raise NotAScene for a file without Gaussians: a black picture would not tell it."""
    if not is_filled:
        raise NotAScene(f"{origin.location} is a splat file without Gaussians.")


class Animated(AnimatedGaussians, Protocol):
    """Gaussians that are known at any time of a clip."""

    @property
    def frames(self) -> int:
        """Content frames of the clip."""
        ...


def animated_reader(
    moving: Animated, kind: str, origin: Origin, size_bytes: int, up: Vector | None = None
) -> AnimatedReader:
    """The reader of a clip whose Gaussians are functions of time; raises NotAScene for an empty
    one."""
    _check_not_empty(any(len(moving.at(frame)) for frame in range(moving.frames)), origin)
    info = _info(origin, kind, moving.at(0), (moving.frames,), up)
    return AnimatedReader(info, moving, size_bytes)


def sequence_reader(
    files: FileSet, names: tuple[str, ...], origin: Origin, cancel: CancelToken = NEVER
) -> SplatReader:
    """The reader of a sequence; of a single file, as if that had been opened.

    Args:
        files: closed with the reader, or if the first frame cannot be read.
        names: of the frames, in the order of time.
    """
    if len(names) == 1:
        return _reader_of_one(files, names[0], origin, cancel)
    source = SequenceFrames(files, names)
    try:
        data = files.read(names[0], SPLAT_FILE_BYTES, cancel)
        first = source.decode(data, 0, cancel)
    except BaseException:
        source.close()
        raise
    up = _up_of(data, names[0])
    info = _info(origin, "sequence", first, (1,) * len(names), up)
    return FramesReader(info, source, len(names) * len(data), first)


def _reader_of_one(files: FileSet, name: str, origin: Origin, cancel: CancelToken) -> SplatReader:
    """The reader of the only file, which may hold a whole clip."""
    try:
        return reader_of_data(files.read(name, SPLAT_FILE_BYTES, cancel), name, origin, cancel)
    finally:
        files.close()


class SequenceFrames:
    """Implements `FrameSource` over numbered files.

    Args:
        files: closed with this.
        names: of the frames, in the order of time.
    """

    def __init__(self, files: FileSet, names: tuple[str, ...]) -> None:
        self._files = files
        self._names = names
        self._converter = Converter()

    def read(self, frame: int, cancel: CancelToken) -> Gaussians:
        """As of `FrameSource`."""
        return read_gaussians(self._files, self._names[frame], self._converter, cancel)

    def decode(self, data: bytes, frame: int, cancel: CancelToken) -> Gaussians:
        """The Gaussians of the content of a frame."""
        name = self._names[frame]
        return activated(read_raw(data, name, self._converter, cancel), name)

    def close(self) -> None:
        """As of `FrameSource`."""
        self._converter.close()
        self._files.close()


class _NoFrames:
    """The source of a scene whose only frame is read already."""

    def read(self, frame: int, cancel: CancelToken) -> Gaussians:
        raise IndexError(f"no frame {frame}")

    def close(self) -> None:
        """Nothing is open."""


def _with_converter(read: Callable[[Converter], RawGaussians]) -> RawGaussians:
    converter = Converter()
    try:
        return read(converter)
    finally:
        converter.close()


def _up_of(data: bytes, name: str) -> Vector | None:
    """The vertical axis that a comment of a PLY tells; None for other files."""
    return up_axis(header_of(data, name)) if data.startswith(MAGIC) else None


def _info(
    origin: Origin,
    kind: str,
    gaussians: Gaussians,
    segment_frames: tuple[int, ...],
    up: Vector | None,
) -> SceneInfo:
    meta = guessed_meta(gaussians, origin.title or "scene", origin.fps, up or origin.up)
    return SceneInfo(origin.location, kind, meta, segment_frames)
