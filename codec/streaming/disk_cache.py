"""A cache of fetched files on disk, so that a second viewing needs no network."""

from __future__ import annotations

import hashlib
import logging
import sqlite3
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

from platformdirs import user_cache_path

if TYPE_CHECKING:  # only scenes of servers need it, and it takes long to load
    from hishel import Response, SqliteStorage

log = logging.getLogger(__name__)
# The storage writes a traceback for each file that a full disk refuses; this module says it once.
logging.getLogger("hishel").setLevel(logging.CRITICAL)

APPLICATION = "streamstgs-player"
DATABASE = "fetched-v1.db"

# Shares of the bound. The storage checks its size before it writes a file, not after, and SQLite
# writes into a journal first; space for both is reserved.
LARGEST_FILE = 1 / 10
ASIDE_FOR_ONE_FILE = 1 / 8
ASIDE_FOR_JOURNAL = 1 / 16
JOURNAL = 1 / 64
PAGE_BYTES = 4096  # of SQLite
MOST_JOURNAL_PAGES = 1000


@dataclass(frozen=True)
class CacheSettings:
    """How large the cache of fetched files may become.

    Args:
        max_bytes: size of all files together on disk; the least recently used file is deleted
            first. A file of more than a tenth of this is not cached. 0 disables the cache. When
            several programs write at the same moment, each may exceed the bound by one file.
        directory: folder of the cache; None for the cache directory of the user.
        grace_s: files used or begun within this time are not deleted, so that programs that share
            the cache do not delete what another one is writing. While no file is older, no further
            file is cached.
    """

    max_bytes: int = 1 << 30
    directory: Path | None = None
    grace_s: float = 10.0


def cache_directory() -> Path:
    """The folder of the user's cache, which may not exist yet."""
    return user_cache_path(APPLICATION)


class DiskCache:
    """Stores bytes under keys with hishel's storage: SQLite, shared by processes, no pickle.

    Cached content is as untrusted as content from a server, and the caller checks it. On a full or
    broken disk the cache loses files; it never raises. Thread-safe.
    """

    def __init__(self, settings: CacheSettings) -> None:
        directory = settings.directory or cache_directory()
        self._largest_bytes = int(settings.max_bytes * LARGEST_FILE)
        self._writing = threading.Lock()  # so that only one file at a time exceeds the counted size
        self._storage: SqliteStorage | None = None
        try:
            self._storage = _open(directory / DATABASE, settings)
        except (OSError, sqlite3.Error) as error:
            log.warning("Fetched files are not cached: %s cannot be used (%s).", directory, error)

    def get(self, key: str, most_bytes: int) -> bytes | None:
        """Return the content last put under a key, or None if it is not cached."""
        if self._storage is None:
            return None
        try:
            entries = self._storage.get_entries(_digest(key))
            return _content(entries[-1].response, most_bytes) if entries else None
        except (RuntimeError, sqlite3.Error) as error:  # evicted while it was read, or unreadable
            log.info("A cached file cannot be read: %s", error)
            return None

    def has(self, key: str) -> bool:
        """Whether a key is probably cached; cheap."""
        try:
            return bool(self._storage and self._storage.get_entries(_digest(key)))
        except (RuntimeError, sqlite3.Error) as error:
            log.info("The cached files cannot be listed: %s", error)
            return False

    def put(self, key: str, data: bytes) -> None:
        """Store content under a key in place of its old one; too large content is ignored."""
        if self._storage is None or len(data) > self._largest_bytes:
            return
        from hishel import Request, Response

        try:
            with self._writing:
                self.drop(key)
                response = Response(200, stream=iter((data,)))
                made = self._storage.create_entry(Request("GET", ""), response, _digest(key))
                _content(made.response, len(data))  # the storage writes while its stream is read
        except (RuntimeError, sqlite3.Error) as error:
            log.info("A file cannot be cached: %s", error)

    def drop(self, key: str) -> None:
        """Delete a key."""
        if self._storage is not None:
            for entry in self._storage.get_entries(_digest(key)):
                self._storage.remove_entry(entry.id)

    def close(self) -> None:
        if self._storage is not None:
            self._storage.close()


def _open(path: Path, settings: CacheSettings) -> SqliteStorage:
    """The storage, for its owner alone; a file that is no database is thrown away.

    Raises:
        OSError, sqlite3.Error: the directory cannot be used, or the database is locked for long.
    """
    from hishel import SqliteStorage

    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.parent.chmod(0o700)  # also where it was made before, with the permissions of then
    path.touch(mode=0o600)
    path.chmod(0o600)
    journal_bytes = int(settings.max_bytes * JOURNAL)
    connection = _connect(path, journal_bytes)
    try:
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.OperationalError:  # locked by another program, or the disk fails
        connection.close()
        raise
    except sqlite3.DatabaseError:
        connection.close()
        path.unlink()
        connection = _connect(path, journal_bytes)
    fill = 1.0 - ASIDE_FOR_ONE_FILE - ASIDE_FOR_JOURNAL
    max_size = int(settings.max_bytes * fill)
    return SqliteStorage(connection=connection, max_size=max_size, soft_delete_ttl=settings.grace_s)


def _connect(path: Path, journal_bytes: int) -> sqlite3.Connection:
    connection = sqlite3.connect(str(path), check_same_thread=False, isolation_level=None)
    connection.execute("PRAGMA secure_delete=OFF")  # else what is deleted goes through the journal
    pages = max(journal_bytes // PAGE_BYTES, 1)  # 0 would never empty it
    connection.execute(f"PRAGMA wal_autocheckpoint={min(pages, MOST_JOURNAL_PAGES)}")
    return connection


def _content(response: Response, most_bytes: int) -> bytes | None:
    """Return the body of an entry; None if it is longer than allowed."""
    content = bytearray()
    for chunk in cast(Iterator[bytes], response.stream):
        content += chunk
        if len(content) > most_bytes:
            return None
    return bytes(content)


def _digest(key: str) -> str:
    """Keys are URLs, which may hold secrets: only their hashes are written."""
    return hashlib.sha256(key.encode()).hexdigest()
