"""Fetched files on disk, so that a second viewing needs no network."""

from __future__ import annotations

import hashlib
import logging
import sqlite3
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from hishel import Request, Response, SqliteStorage
from platformdirs import user_cache_path

log = logging.getLogger(__name__)

APPLICATION = "streamstgs-player"
DATABASE = "fetched-v1.db"

# Shares of the bound. The storage looks at its size before it writes a file and not after, and
# SQLite writes into a journal first: what they take on top is set aside.
LARGEST_FILE = 1 / 10
ASIDE_FOR_ONE_FILE = 1 / 8
ASIDE_FOR_JOURNAL = 1 / 16
JOURNAL = 1 / 64
PAGE_BYTES = 4096  # of SQLite
MOST_JOURNAL_PAGES = 1000


@dataclass(frozen=True)
class CacheSettings:
    """What is kept of fetched scenes.

    Args:
        max_bytes: of all files together, on the disk; the one used longest ago goes first. A file
            of more than a tenth of that is not kept. 0 keeps nothing. Of several programs that
            write at the same moment each may exceed it by the file that it writes.
        directory: where; None for the cache directory of the user.
        grace_s: what was used or begun this recently is not thrown away, so that programs that
            share the cache do not take from each other what they are writing. While nothing is
            older, nothing more is kept.
    """

    max_bytes: int = 1 << 30
    directory: Path | None = None
    grace_s: float = 10.0


class DiskCache:
    """Bytes under a key, kept by hishel's storage: SQLite, shared by processes, no pickle.

    What comes out is as untrusted as what comes from a server: the caller checks it. A disk that
    is full or broken makes the cache forget, and never fails a caller. From several threads.
    """

    def __init__(self, settings: CacheSettings) -> None:
        directory = settings.directory or user_cache_path(APPLICATION)
        self._largest_bytes = int(settings.max_bytes * LARGEST_FILE)
        self._writing = threading.Lock()  # only one file at a time is on top of what was counted
        self._storage: SqliteStorage | None = None
        try:
            self._storage = _open(directory / DATABASE, settings)
        except (OSError, sqlite3.Error) as error:
            log.warning("Fetched files are not kept: %s cannot be used (%s).", directory, error)

    def get(self, key: str, most_bytes: int) -> bytes | None:
        """What was put last under a key, if it is still there."""
        if self._storage is None:
            return None
        try:
            entries = self._storage.get_entries(_digest(key))
            return _content(entries[-1].response, most_bytes) if entries else None
        except (RuntimeError, sqlite3.Error) as error:  # evicted while it was read, or unreadable
            log.info("A kept file cannot be read: %s", error)
            return None

    def has(self, key: str) -> bool:
        """Whether something was put under a key and is probably still there; cheap."""
        try:
            return bool(self._storage and self._storage.get_entries(_digest(key)))
        except (RuntimeError, sqlite3.Error) as error:
            log.info("The kept files cannot be listed: %s", error)
            return False

    def put(self, key: str, data: bytes) -> None:
        """Keep; what was under the key is replaced. Too large ones are not kept."""
        if self._storage is None or len(data) > self._largest_bytes:
            return
        try:
            with self._writing:
                self.drop(key)
                response = Response(200, stream=iter((data,)))
                made = self._storage.create_entry(Request("GET", ""), response, _digest(key))
                _content(made.response, len(data))  # it is kept once its stream has been read
        except (RuntimeError, sqlite3.Error) as error:
            log.info("A file cannot be kept: %s", error)

    def drop(self, key: str) -> None:
        """Forget a key."""
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
    """The body of an entry; None when it is longer than allowed."""
    content = bytearray()
    for chunk in cast(Iterator[bytes], response.stream):
        content += chunk
        if len(content) > most_bytes:
            return None
    return bytes(content)


def _digest(key: str) -> str:
    """Keys are URLs, which may hold secrets: only their hashes are written."""
    return hashlib.sha256(key.encode()).hexdigest()
