"""The throughput of hosts in earlier sessions, so that a start need not be at the lowest quality.

One small file in the user's cache directory. It holds names of hosts and no addresses of scenes.
"""

from __future__ import annotations

import json
import logging
import math
import os
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from platformdirs import user_cache_path
from streamstgs.codec.streaming.adaptive.rule import parameter

log = logging.getLogger(__name__)

APPLICATION = "streamstgs-player"
FILE = "throughput-v1.json"
MOST_BYTES = 64 * 1024  # a larger file is not ours


@dataclass(frozen=True)
class MemorySettings:
    """What is remembered of hosts.

    Args:
        directory: where the file lies; None for the cache directory of the user.
        half_life_s: age at which half of the remembered throughput counts. Networks change with
            time and place, and a start that is too low costs less than one that stalls.
        forget_s: older entries are dropped.
        least_s: sessions with less transfer time than this are not remembered.
        most_hosts: the least recent ones beyond this are dropped.
    """

    directory: Path | None = None
    half_life_s: float = parameter(
        7 * 86_400.0, "s", "age at which half of the remembered throughput counts"
    )
    forget_s: float = 60 * 86_400.0
    least_s: float = 1.0
    most_hosts: int = 64


class ThroughputMemory:
    """Remembers one throughput per host. A broken file or disk makes it forget, never fail.

    Thread-safe. Programs that write at the same time overwrite each other's newest entry at worst.

    Args:
        clock: seconds since the epoch.
    """

    def __init__(
        self,
        settings: MemorySettings = MemorySettings(),
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._settings = settings
        self._path = (settings.directory or user_cache_path(APPLICATION)) / FILE
        self._clock = clock
        self._lock = threading.Lock()

    def recall(self, host: str) -> float | None:
        """Bits per second that are expected of a host, less the older they are; None if unknown."""
        with self._lock:
            entry = self._read().get(host)
        if entry is None:
            return None
        bps, seen_s = entry
        return bps * 0.5 ** (max(self._clock() - seen_s, 0.0) / self._settings.half_life_s)

    def remember(self, host: str, bps: float, measured_s: float) -> None:
        """Keep the throughput of a session.

        Args:
            bps: its mean.
            measured_s: transfer time that the mean rests on.
        """
        if not host or measured_s < self._settings.least_s or not 1.0 <= bps < math.inf:
            return
        with self._lock:
            hosts = self._read()
            hosts[host] = (bps, self._clock())
            newest = sorted(hosts.items(), key=lambda each: each[1][1], reverse=True)
            try:
                self._write(dict(newest[: self._settings.most_hosts]))
            except OSError as error:
                log.info("The throughput of %s is not remembered: %s", host, error)

    def _read(self) -> dict[str, tuple[float, float]]:
        """Host -> (bits per second, when). Entries that are no such thing are left out."""
        try:
            with self._path.open("rb") as file:
                data = file.read(MOST_BYTES + 1)
            if len(data) > MOST_BYTES:
                raise ValueError("the file is too large")
            hosts = json.loads(data)["hosts"]
            now_s, forget_s = self._clock(), self._settings.forget_s
            entries = {
                str(host): (float(entry["bps"]), float(entry["seen_s"]))
                for host, entry in hosts.items()
            }
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            log.info("The remembered throughput of hosts cannot be read: %s", error)
            return {}
        return {
            host: (bps, seen_s)
            for host, (bps, seen_s) in entries.items()
            if 1.0 <= bps < math.inf and abs(now_s - seen_s) <= forget_s
        }

    def _write(self, hosts: dict[str, tuple[float, float]]) -> None:
        """Replace the file at once; it is readable for its owner only."""
        entries = {host: {"bps": round(bps), "seen_s": at_s} for host, (bps, at_s) in hosts.items()}
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, name = tempfile.mkstemp(dir=self._path.parent, prefix=FILE)  # of mode 0600
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump({"hosts": entries}, file)
            os.replace(name, self._path)
        except OSError:
            with suppress(OSError):
                os.unlink(name)
            raise
