"""Opens the formats of other programs, from this machine and from web servers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote

from streamstgs.codec.cancel import NEVER, CancelToken
from streamstgs.codec.errors import CorruptSegment, MissingSegment, NotAScene
from streamstgs.codec.file_kind import ZIP_FILE
from streamstgs.codec.formats import sequence, sog
from streamstgs.codec.formats.file_sets import ArchiveFiles, FolderFiles, PathsBeside, read_file
from streamstgs.codec.formats.npz_arrays import is_npz
from streamstgs.codec.formats.result_folders import result_file, told_up
from streamstgs.codec.formats.server_files import (
    REMOTE_FILE_BYTES,
    FramesAhead,
    NumberedFiles,
    ServedArchive,
    SiblingFiles,
    SplatServer,
    name_of,
    shown,
    title_of,
)
from streamstgs.codec.formats.splat_format import MOST_FILES
from streamstgs.codec.formats.splat_readers import (
    Origin,
    SplatReader,
    reader_of_archive,
    reader_of_data,
    sequence_reader,
    sog_reader,
)
from streamstgs.codec.formats.stgs import StgsFormat, StgsReader
from streamstgs.codec.limits import SPLAT_FILE_BYTES
from streamstgs.codec.package.file_entry import MANIFEST_NAME
from streamstgs.codec.scene import OpenSettings
from streamstgs.codec.streaming.address import is_url, local_path

FPS = 30.0
FPS_MAX = 1_000.0
ARCHIVES = (".sog", ".npz", ".zip")  # on servers, where the name decides


def open_splats(
    location: str,
    cancel: CancelToken = NEVER,
    fps: float | None = None,
    settings: OpenSettings | None = None,
) -> SplatReader | StgsReader:
    """Open a splat file, a sequence or a research file; as of `SceneFormat.open`.

    A `.zip` on a server may turn out to be a scene of ours.

    Args:
        fps: content frames per second; None for 30.
        settings: patience with servers, cache and listener.
    """
    rate = FPS if fps is None else fps
    if not 0 < rate <= FPS_MAX:
        raise NotAScene(f"{rate:g} is no frame rate; write frames per second up to {FPS_MAX:g}.")
    place = shown(location) if is_url(location) else location
    settings = settings or OpenSettings()
    try:
        if is_url(location):
            reader = _open_url(location, rate, settings, cancel)
            return reader or _open_package(location, fps, settings, cancel)
        return _open_path(location, rate, cancel)
    except (CorruptSegment, MissingSegment) as error:
        raise NotAScene(f"{place} is not a scene: {error}") from error
    except OSError as error:
        if isinstance(error, ConnectionError | InterruptedError):
            raise  # a server that is out of reach, or a cancelled opening: errors of the codec
        raise NotAScene(f"{place} cannot be read: {error.strerror}.") from error


# --- this machine --------------------------------------------------------------------------------


def _open_path(location: str, fps: float, cancel: CancelToken) -> SplatReader:
    path = local_path(location)
    path = path.parent if path.name == sog.META else path
    if sequence.is_pattern(location) and not path.exists():
        origin = Origin(location, path.parent.name, fps)
        return sequence_reader(*sequence.open_pattern(str(path)), origin, cancel)
    if path.is_dir():
        return _open_folder(path, Origin(location, path.name, fps), cancel)
    return _open_file(path, Origin(location, path.stem, fps), cancel)


def _open_folder(path: Path, origin: Origin, cancel: CancelToken) -> SplatReader:
    if (path / sog.META).exists():
        files = FolderFiles(path, sog.FILES_MAX)
        if sog.is_sog(files):
            return sog_reader(files, path.name, origin, _size_bytes(path), cancel)
    result = result_file(path)
    if result is not None:
        return _open_file(result, replace(origin, up=told_up(result)), cancel)
    return sequence_reader(*sequence.open_folder(path), origin, cancel)


def _open_file(path: Path, origin: Origin, cancel: CancelToken) -> SplatReader:
    with path.open("rb") as file:
        head = file.read(len(ZIP_FILE))
    if head == ZIP_FILE:
        archive = ArchiveFiles.of_path(path, MOST_FILES)
        return reader_of_archive(archive, path.name, origin, path.stat().st_size, cancel)
    data = read_file(path, SPLAT_FILE_BYTES)
    return reader_of_data(data, path.name, origin, cancel, PathsBeside(path))


def _size_bytes(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.iterdir() if file.is_file())


# --- web servers ---------------------------------------------------------------------------------


def _open_package(
    url: str, fps: float | None, settings: OpenSettings, cancel: CancelToken
) -> StgsReader:
    if fps is not None:
        raise NotAScene(f"{shown(url)} has its own frame rate; leave out `fps`.")
    return StgsFormat().open(url, cancel, settings)


def _open_url(
    url: str, fps: float, settings: OpenSettings, cancel: CancelToken
) -> SplatReader | None:
    """The reader; None if there is a scene of ours."""
    server = SplatServer(settings)
    try:
        reader, kept = _open_served(server, url, Origin(shown(url), title_of(url), fps), cancel)
    except BaseException:
        server.close()
        raise
    if not kept:
        server.close()
    return reader


def _open_served(
    server: SplatServer, url: str, origin: Origin, cancel: CancelToken
) -> tuple[SplatReader | None, bool]:
    """The reader, or None for a scene of ours; and whether it still needs the server, which it
    then closes."""
    name = name_of(url)
    if name == sog.META:
        return sog_reader(SiblingFiles(server, url), name, origin, 0, cancel), False
    if "*" in name:
        raise NotAScene(
            f"{origin.location} is no scene: a server does not list its files. Write the number "
            "of a frame as %d, or as %04d for four digits."
        )
    if sequence.is_pattern(name):
        files = NumberedFiles(server, url, cancel)
        ahead = FramesAhead(files, files.names, REMOTE_FILE_BYTES)
        return sequence_reader(ahead, files.names, origin, cancel), True
    if name.lower().endswith(ARCHIVES):
        archive = ServedArchive(server, url, MOST_FILES, cancel)
        size_bytes = archive.size_bytes
        if MANIFEST_NAME in archive.names:
            archive.close()
            return None, False
        if sog.is_sog(archive) or is_npz(archive) or name.lower().endswith(".npz"):
            return reader_of_archive(archive, unquote(name), origin, size_bytes, cancel), False
        names = sequence.frame_names(archive.names)
        ahead = FramesAhead(archive, names, REMOTE_FILE_BYTES)
        return sequence_reader(ahead, names, origin, cancel), True
    data = server.read(url, REMOTE_FILE_BYTES, cancel)
    beside = SiblingFiles(server, url)
    return reader_of_data(data, unquote(name), origin, cancel, beside), False
