"""From a location as people type it to the files of the scene there."""

from __future__ import annotations

from pathlib import Path

from streamstgs.codec.cancel import NEVER, CancelToken
from streamstgs.codec.errors import NotAScene
from streamstgs.codec.limits import Limits
from streamstgs.codec.package.file_entry import DASH_NAME, MANIFEST_NAME
from streamstgs.codec.streaming.address import is_url, local_path
from streamstgs.codec.streaming.archive import ArchiveContainer, FileRanges
from streamstgs.codec.streaming.container import Container
from streamstgs.codec.streaming.directory import DirectoryContainer
from streamstgs.codec.streaming.disk_cache import CacheSettings, DiskCache
from streamstgs.codec.streaming.http.containers import HttpContainer, HttpRanges
from streamstgs.codec.streaming.http.settings import HttpSettings
from streamstgs.codec.streaming.scene_files import LocalFiles, RemoteFiles, SceneFiles
from streamstgs.codec.streaming.transport import Listener, Transport, ignore_progress

ARCHIVE_SUFFIXES = (".stgs", ".zip")


def open_files(
    location: str,
    limits: Limits,
    http: HttpSettings,
    cache: CacheSettings,
    listener: Listener,
    cancel: CancelToken = NEVER,
) -> SceneFiles:
    """Open the files of the scene at a path or URL and read its scene.json.

    Raises:
        NotAScene: the location does not exist, or is neither a directory nor an archive.
        MissingSegment, CorruptSegment: scene.json is missing or too long.
        SceneUnreachable: the server does not answer, or answers with an error.
        Cancelled: through `cancel`.
    """
    if is_url(location):
        from streamstgs.codec.streaming.http.client import HttpTransport

        transport = HttpTransport(http, listener=listener)
        return open_remote(location, limits, transport, cache, cancel)
    container = open_container(local_path(location), limits)
    try:
        return LocalFiles(container, limits.manifest_bytes)
    except BaseException:
        container.close()
        raise


def open_uncached(location: str) -> SceneFiles:
    """Open the files of a scene that is read once, within the usual limits; raises as
    `open_files`."""
    return open_files(
        location, Limits(), HttpSettings(), CacheSettings(max_bytes=0), ignore_progress
    )


def open_container(path: Path, limits: Limits) -> Container:
    """Open the container at a path on this machine; raises NotAScene."""
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
    try:
        return ArchiveContainer(ranges, limits)
    except BaseException:
        ranges.close()
        raise


def open_remote(
    url: str,
    limits: Limits,
    transport: Transport,
    cache: CacheSettings,
    cancel: CancelToken = NEVER,
) -> RemoteFiles:
    """Open the files at a URL. The transport is closed with them, or when opening fails."""
    url = _scene_url(url)

    def reach(fresh: bool, cancel: CancelToken) -> Container:
        if url.partition("?")[0].lower().endswith(ARCHIVE_SUFFIXES):
            ranges = HttpRanges(url, transport, fresh, cancel)
            return ArchiveContainer(ranges, limits, cancel)
        return HttpContainer(url, transport, fresh)

    kept = DiskCache(cache) if cache.max_bytes else None
    try:
        return RemoteFiles(url, reach, transport, kept, limits.manifest_bytes, cancel)
    except BaseException:
        transport.close()
        if kept is not None:
            kept.close()
        raise


def _scene_url(url: str) -> str:
    """Return the URL of the scene, also when that of its manifest is given; without fragment."""
    url = url.partition("#")[0]
    path, mark, query = url.partition("?")
    base, _, name = path.rpartition("/")
    return base + mark + query if name in (MANIFEST_NAME, DASH_NAME) else url
