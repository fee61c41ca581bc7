"""The files of an open scene, each with the length and checksum that scene.json declares."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

from streamstgs.codec.cancel import NEVER, CancelToken
from streamstgs.codec.errors import (
    Cancelled,
    CorruptSegment,
    MissingSegment,
    NotAScene,
    SceneChanged,
    SceneUnreachable,
)
from streamstgs.codec.package.file_entry import MANIFEST_NAME, FileEntry
from streamstgs.codec.streaming.address import redact_credentials, split_login
from streamstgs.codec.streaming.container import Container
from streamstgs.codec.streaming.disk_cache import DiskCache
from streamstgs.codec.streaming.read_ahead import ReadAhead
from streamstgs.codec.streaming.transport import Transport

log = logging.getLogger(__name__)

OFFLINE_S = 5.0  # after this silence of the server a cached scene.json is used


class SceneFiles(Protocol):
    """The files of an open scene. Thread-safe."""

    location: str  # path or URL without credentials, for messages
    manifest: bytes  # content of scene.json

    def read(self, file: FileEntry, cancel: CancelToken = NEVER) -> bytes:
        """Return the content of a declared file, checked against its length and checksum.

        Raises:
            CorruptSegment: the content is not what scene.json declares, even when fetched again.
            MissingSegment: the file is missing, or the server delivers everything but this file.
            SceneUnreachable: the server does not answer, or answers with an error.
            SceneChanged: the scene at this location was replaced.
            Cancelled: through `cancel`.
        """
        ...

    def is_cached(self, file: FileEntry) -> bool:
        """Whether a file can probably be read without a network request."""
        ...

    def prefetch(self, files: Sequence[FileEntry]) -> None:
        """Start to fetch the files that will be read next, in this order.

        Replaces the list of the call before: transfers of other files are cancelled.
        """
        ...

    def refresh(self, cancel: CancelToken = NEVER) -> bytes:
        """Return the present scene.json, read past all caches; raises as `read`."""
        ...

    def accept(self, manifest: bytes) -> None:
        """Keep a scene.json that was checked as `manifest`, and for openings without a network."""
        ...

    def close(self) -> None:
        """Close files and connections; safe to call twice."""
        ...


def check(file: FileEntry, data: bytes) -> bytes:
    """Return `data` if it is what scene.json declares; raise CorruptSegment otherwise."""
    if len(data) != file.size_bytes:
        raise CorruptSegment(
            f"{file.name} has {len(data)} bytes, scene.json says {file.size_bytes}."
        )
    if not file.describes(data):
        raise CorruptSegment(f"{file.name} is damaged: its checksum is not the declared one.")
    return data


class LocalFiles:
    """Implements `SceneFiles` for a directory or an archive on this machine."""

    def __init__(self, container: Container, manifest_bytes: int) -> None:
        self.location = container.location
        self._container, self._manifest_bytes = container, manifest_bytes
        self.manifest = container.read(MANIFEST_NAME, manifest_bytes)

    def read(self, file: FileEntry, cancel: CancelToken = NEVER) -> bytes:
        cancel.raise_if_cancelled(f"reading {file.name}")
        return check(file, self._container.read(file.name, file.size_bytes, cancel, file.at))

    def is_cached(self, file: FileEntry) -> bool:
        return True

    def prefetch(self, files: Sequence[FileEntry]) -> None:
        """Does nothing: a disk needs no prefetching."""

    def refresh(self, cancel: CancelToken = NEVER) -> bytes:
        return self._container.read(MANIFEST_NAME, self._manifest_bytes, cancel)

    def accept(self, manifest: bytes) -> None:
        self.manifest = manifest

    def close(self) -> None:
        self._container.close()


class RemoteFiles:
    """Implements `SceneFiles` for a server, with a cache on disk.

    A damaged file is fetched once more past all caches. If it is still damaged, the present
    scene.json tells whether the file is corrupt or the whole scene was replaced.

    Args:
        url: of the scene; its query belongs to the keys of the cache, its password does not.
        reach: opens the container at the URL; takes `fresh` (bypass caches) and a token.
        transport: closed with this object.
        cache: closed with this object; None disables caching.
        manifest_bytes: the largest length of scene.json that is accepted.
        cancel: ends the fetching of scene.json.
    """

    def __init__(
        self,
        url: str,
        reach: Callable[[bool, CancelToken], Container],
        transport: Transport,
        cache: DiskCache | None,
        manifest_bytes: int,
        cancel: CancelToken = NEVER,
    ) -> None:
        self.location = redact_credentials(url).partition("?")[0].rstrip("/")
        self._reach = reach
        self._transport = transport
        self._cache = cache
        self._manifest_bytes = manifest_bytes
        self._lock = threading.Lock()  # guards the two fields below
        self._lost = False  # whether the server was out of reach when it was asked last
        self._probe: Future[None] | None = None  # a reader asks whether it is back
        self._container: Container | None = None  # None until a file is fetched
        self._scene_key = split_login(url)[0]  # with its query: another query is another scene
        self._manifest_key = f"{self._scene_key} {MANIFEST_NAME}"
        self.manifest = self._open(cancel)
        self._ahead = ReadAhead(self._read)

    def read(self, file: FileEntry, cancel: CancelToken = NEVER) -> bytes:
        cancel.raise_if_cancelled(f"reading {file.name}")
        data = self._ahead.take(file, cancel)
        return self._read(file, cancel) if data is None else data

    def is_cached(self, file: FileEntry) -> bool:
        return self._cache is not None and self._cache.has(self._key(file))

    def prefetch(self, files: Sequence[FileEntry]) -> None:
        self._ahead.request(files)

    def refresh(self, cancel: CancelToken = NEVER) -> bytes:
        self._wait_for_server(cancel)
        try:
            return self._manifest_now(self._reach_again(True, cancel), cancel)
        except SceneUnreachable:
            self._lost = True
            raise

    def accept(self, manifest: bytes) -> None:
        self.manifest = manifest
        if self._cache is not None:
            self._cache.put(self._manifest_key, manifest)

    def close(self) -> None:
        self._transport.close()
        self._ahead.close()
        if self._cache is not None:
            self._cache.close()

    # --- inside ----------------------------------------------------------------------------------

    def _read(self, file: FileEntry, cancel: CancelToken) -> bytes:
        """Return a file from the cache, or else from the server."""
        key = self._key(file)
        data = self._from_cache(key, file)
        if data is None:
            data = self._fetch(file, cancel)
            if self._cache is not None:
                self._cache.put(key, data)
        return data

    def _key(self, file: FileEntry) -> str:
        checksum = file.sha256 or f"{file.crc32:08x}"
        return f"{self._scene_key} {file.name} {file.size_bytes} {checksum}"

    def _open(self, cancel: CancelToken) -> bytes:
        """Return scene.json from the server, or the cached one if the server does not answer."""
        key = self._manifest_key
        kept = self._cache.get(key, self._manifest_bytes) if self._cache else None
        patience: AbstractContextManager[CancelToken] = nullcontext(cancel)
        if kept is not None:
            patience = cancel.expiring(OFFLINE_S, lambda: self._transport.heard_s)
        try:
            with patience as limited:
                self._container = self._reach(False, limited)
                return self._container.read(MANIFEST_NAME, self._manifest_bytes, limited)
        except (SceneUnreachable, Cancelled) as error:
            if kept is None or cancel.cancelled:
                raise
            silent = isinstance(error, Cancelled)  # by `expiring`, not by the caller
            why = f"{self.location} did not answer in {OFFLINE_S:g} s." if silent else error
            log.warning("%s Playing the cached copy.", why)
            return kept

    def _from_cache(self, key: str, file: FileEntry) -> bytes | None:
        data = self._cache.get(key, file.size_bytes) if self._cache else None
        try:
            return None if data is None else check(file, data)
        except CorruptSegment as error:
            log.warning("Fetched again, as the cached copy is damaged: %s", error)
            return None

    def _fetch(self, file: FileEntry, cancel: CancelToken) -> bytes:
        self._wait_for_server(cancel)
        try:
            if self._container is None:
                self._container = self._reach_again(False, cancel)
            return check(file, self._container.read(file.name, file.size_bytes, cancel, file.at))
        except (CorruptSegment, MissingSegment) as error:
            log.info("Fetched again: %s", error)
        except SceneUnreachable:
            if not self._server_answers(cancel):
                raise
        return self._fetch_again(file, cancel)

    def _fetch_again(self, file: FileEntry, cancel: CancelToken) -> bytes:
        """Fetch a file a second and last time, bypassing caches."""
        fresh = self._reach_again(True, cancel)
        manifest = self._manifest_now(fresh, cancel)
        if manifest != self.manifest:
            raise SceneChanged(f"The scene at {self.location} was replaced by another version.")
        try:
            return check(file, fresh.read(file.name, file.size_bytes, cancel, file.at))
        except SceneUnreachable as error:
            if self._server_answers(cancel):
                raise MissingSegment(f"The server delivers all but this file: {error}") from error
            raise

    def _server_answers(self, cancel: CancelToken) -> bool:
        try:
            self._manifest_now(self._reach_again(True, cancel), cancel)
        except SceneUnreachable:
            self._lost = True
            return False
        return True

    def _wait_for_server(self, cancel: CancelToken) -> None:
        """After an outage, ask for scene.json first: one reader asks, the others wait for it.

        Without this, each of several readers would try each of its files several times.

        Raises:
            SceneUnreachable: the server still does not answer; Cancelled.
        """
        with self._lock:
            if not self._lost:
                return
            probe, mine = self._probe or Future[None](), self._probe is None
            self._probe = probe
        if not mine:
            if not cancel.wait_for(probe):
                raise Cancelled("Waiting for a server was cancelled.")
            if probe.exception() is not None:
                raise SceneUnreachable(f"{self.location} is out of reach.")
            return
        try:
            self._manifest_now(self._reach_again(True, cancel), cancel)
        except BaseException as error:
            self._end_probe(lost=True)
            probe.set_exception(error)
            raise
        self._end_probe(lost=False)
        probe.set_result(None)

    def _end_probe(self, lost: bool) -> None:
        with self._lock:
            self._probe, self._lost = None, lost

    def _reach_again(self, fresh: bool, cancel: CancelToken) -> Container:
        """Open the container again; a vanished scene counts as unreachable, as it may return."""
        try:
            return self._reach(fresh, cancel)
        except NotAScene as error:
            raise SceneUnreachable(f"The scene has vanished: {error}") from error

    def _manifest_now(self, container: Container, cancel: CancelToken) -> bytes:
        try:
            return container.read(MANIFEST_NAME, self._manifest_bytes, cancel)
        except (MissingSegment, CorruptSegment) as error:
            raise SceneUnreachable(f"The scene has vanished: {error}") from error
