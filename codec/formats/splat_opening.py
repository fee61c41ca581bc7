"""Opens the formats of other programs.

Opening reads the first frame, because a centre and an opening view have to be guessed from it.
"""

from __future__ import annotations

from pathlib import Path

from streamstgs.codec.cancel import NEVER, CancelToken
from streamstgs.codec.errors import CorruptSegment, MissingSegment, NotAScene
from streamstgs.codec.file_kind import ZIP_FILE
from streamstgs.codec.formats import dynamic_npz, sequence, sog
from streamstgs.codec.formats.converter import Converter
from streamstgs.codec.formats.file_sets import ArchiveFiles, FileSet, FolderFiles, read_file
from streamstgs.codec.formats.frames_reader import AnimatedReader, FramesReader
from streamstgs.codec.formats.gaussian_ply import Vector, header_of, up_axis
from streamstgs.codec.formats.guessed_meta import guessed_meta
from streamstgs.codec.formats.raw_gaussians import activated
from streamstgs.codec.formats.reader import SceneInfo
from streamstgs.codec.formats.spacetime import is_spacetime_ply, read_spacetime_ply
from streamstgs.codec.formats.splat_files import kind_of, read_gaussians, read_raw, read_sog_files
from streamstgs.codec.limits import SPLAT_FILE_BYTES
from streamstgs.codec.ply import MAGIC
from streamstgs.codec.streaming.address import local_path
from streamstgs.renderer import Gaussians

FPS = 30.0
FPS_MAX = 1_000.0
NPZ_FILES = 1_000


def open_splats(
    location: str, cancel: CancelToken = NEVER, fps: float | None = None
) -> FramesReader | AnimatedReader:
    """Open a splat file, a sequence or a research file; as of `SceneFormat.open`.

    Args:
        fps: content frames per second; None for 30.
    """
    rate = FPS if fps is None else fps
    if not 0 < rate <= FPS_MAX:
        raise NotAScene(f"{rate:g} is no frame rate; write frames per second up to {FPS_MAX:g}.")
    path = local_path(location)
    path = path.parent if path.name == sog.META else path
    try:
        if sequence.is_pattern(location) and not path.exists():
            files, names = sequence.open_pattern(str(path))
            return _sequence(location, path.parent.name, files, names, rate, cancel)
        if path.is_dir():
            return _open_folder(location, path, rate, cancel)
        return _open_file(location, path, rate, cancel)
    except (CorruptSegment, MissingSegment) as error:
        raise NotAScene(f"{location} is not a scene: {error}") from error
    except OSError as error:
        raise NotAScene(f"{location} cannot be read: {error.strerror}.") from error


def _open_folder(
    location: str, path: Path, fps: float, cancel: CancelToken
) -> FramesReader | AnimatedReader:
    if (path / sog.META).exists():
        files = FolderFiles(path, sog.FILES_MAX)
        if sog.is_sog(files):
            return _one_sog(location, path, files, fps, cancel)
    folder, names = sequence.open_folder(path)
    return _sequence(location, path.name, folder, names, fps, cancel)


def _open_file(
    location: str, path: Path, fps: float, cancel: CancelToken
) -> FramesReader | AnimatedReader:
    with path.open("rb") as file:
        head = file.read(len(ZIP_FILE))
    if head == ZIP_FILE:
        return _open_archive(location, path, fps, cancel)
    data = read_file(path, SPLAT_FILE_BYTES)
    if data.startswith(MAGIC):
        header = header_of(data, path.name)
        if is_spacetime_ply(header):
            moving = read_spacetime_ply(data, path.name)
            info = _info(location, "spacetime", path.stem, moving.at(0), fps, (moving.frames,))
            return AnimatedReader(info, moving, len(data))
    kind = kind_of(data, path.name)
    converter = Converter()
    try:
        raw = read_raw(data, path.name, converter, cancel)
    finally:
        converter.close()
    gaussians, up = activated(raw, path.name), _up_of(data, path.name)
    return _one_frame(location, kind.value, path, gaussians, fps, len(data), up)


def _open_archive(
    location: str, path: Path, fps: float, cancel: CancelToken
) -> FramesReader | AnimatedReader:
    if path.suffix.lower() == ".npz":
        files = ArchiveFiles.of_path(path, NPZ_FILES)
        try:
            dynamic_npz.open_check(files, path.name)
            moving = dynamic_npz.read_dynamic_npz(files, path.name)
        finally:
            files.close()
        info = _info(location, "npz", path.stem, moving.at(0), fps, (moving.frames,))
        return AnimatedReader(info, moving, path.stat().st_size)
    archive = ArchiveFiles.of_path(path, sequence.SEQUENCE_FRAMES + sequence.OTHER_FILES)
    if sog.is_sog(archive):
        return _one_sog(location, path, archive, fps, cancel)
    archive.close()
    numbered, names = sequence.open_archive(path)
    return _sequence(location, path.stem, numbered, names, fps, cancel)


def _one_sog(
    location: str, path: Path, files: FileSet, fps: float, cancel: CancelToken
) -> FramesReader:
    converter = Converter()
    try:
        gaussians = activated(read_sog_files(files, path.name, converter, cancel), path.name)
    finally:
        converter.close()
        files.close()
    return _one_frame(location, "sog", path, gaussians, fps, _size_bytes(path))


def _one_frame(
    location: str,
    kind: str,
    path: Path,
    gaussians: Gaussians,
    fps: float,
    size_bytes: int,
    up: Vector | None = None,
) -> FramesReader:
    info = _info(location, kind, path.stem, gaussians, fps, (1,), up)
    return FramesReader(info, _NoFrames(), size_bytes, gaussians)


def _sequence(
    location: str,
    title: str,
    files: FileSet,
    names: tuple[str, ...],
    fps: float,
    cancel: CancelToken,
) -> FramesReader:
    source = SequenceFrames(files, names)
    try:
        first = source.read(0, cancel)
        data = files.read(names[0], SPLAT_FILE_BYTES)
        size_bytes, up = len(names) * len(data), _up_of(data, names[0])
    except BaseException:
        source.close()
        raise
    info = _info(location, "sequence", title, first, fps, (1,) * len(names), up)
    return FramesReader(info, source, size_bytes, first)


def _up_of(data: bytes, name: str) -> Vector | None:
    """The vertical axis that a comment of a PLY tells; None for other files."""
    return up_axis(header_of(data, name)) if data.startswith(MAGIC) else None


def _info(
    location: str,
    kind: str,
    title: str,
    gaussians: Gaussians,
    fps: float,
    segment_frames: tuple[int, ...],
    up: Vector | None = None,
) -> SceneInfo:
    meta = guessed_meta(gaussians, title or "scene", fps, up)
    return SceneInfo(location, kind, meta, segment_frames)


def _size_bytes(path: Path) -> int:
    if path.is_dir():
        return sum(file.stat().st_size for file in path.iterdir() if file.is_file())
    return path.stat().st_size


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
