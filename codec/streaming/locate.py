"""A location as people type it -> the container behind it."""

from __future__ import annotations

from pathlib import Path

from codec.errors import NotAScene
from codec.limits import Limits
from codec.manifest import DASH_NAME, MANIFEST_NAME
from codec.streaming.archive import ArchiveContainer, FileRanges
from codec.streaming.container import Container
from codec.streaming.directory import DirectoryContainer
from codec.streaming.http import HttpContainer, HttpRanges, HttpSettings, is_url

ARCHIVE_SUFFIX = ".stgs"


def open_container(location: str, limits: Limits, http: HttpSettings) -> Container:
    """The container of a path or URL.

    Raises:
        NotAScene: nothing is there, or neither a directory nor an archive.
        SceneUnreachable: the server does not answer as it should.
    """
    if is_url(location):
        return _open_url(location, limits, http)
    path = Path(location)
    if path.name in (MANIFEST_NAME, DASH_NAME) and path.is_file():
        path = path.parent
    if path.is_dir():
        return DirectoryContainer(path)
    if not path.is_file():
        raise NotAScene(f"{path} does not exist or is neither a file nor a directory.")
    try:
        ranges = FileRanges(path)
    except OSError as error:
        raise NotAScene(f"{path} cannot be read: {error.strerror}.") from error
    return _archive(ranges, limits)


def _open_url(location: str, limits: Limits, http: HttpSettings) -> Container:
    without_query = location.split("?")[0]
    if without_query.endswith(ARCHIVE_SUFFIX):
        return _archive(HttpRanges(location, http), limits)
    if without_query.rsplit("/", 1)[-1] in (MANIFEST_NAME, DASH_NAME):
        location = without_query.rsplit("/", 1)[0]
    return HttpContainer(location, http)


def _archive(ranges: FileRanges | HttpRanges, limits: Limits) -> ArchiveContainer:
    try:
        return ArchiveContainer(ranges, limits)
    except BaseException:
        ranges.close()
        raise
