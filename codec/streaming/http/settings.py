"""How patient the client is with a server."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class HttpSettings:
    """Patience with a server.

    Args:
        connect_s: to reach it.
        stall_s: a try ends when fewer than `stall_bytes` came within this time.
        stall_bytes: progress that counts; a server that drips single bytes makes none.
        deadline_s: for one request in all tries, and on top of it ...
        slowest_bps: ... the time that its bytes take at this rate.
        tries: in a row that bring nothing, where the fault may pass (no connection, 5xx, 429).
        fresh_tries: the same of a request past all caches, which is a second attempt already.
        backoff_s: pause before the second try, doubled before each further one.
        longest_backoff_s: pauses grow no longer, whatever the server asks for.
        jitter: share of each pause that is left to chance, so that many players spread out.
        redirects: followed at most.
        connections: open at most.
        kept_bytes: what came of requests that were cancelled is kept up to so many bytes, and of
            the latest one in any case, so that asking again continues it.
    """

    connect_s: float = 5.0
    stall_s: float = 10.0
    stall_bytes: int = 1024
    deadline_s: float = 60.0
    slowest_bps: float = 128_000.0
    tries: int = 3
    fresh_tries: int = 1
    backoff_s: float = 0.2
    longest_backoff_s: float = 8.0
    jitter: float = 0.5
    redirects: int = 4
    connections: int = 6
    kept_bytes: int = 8 << 20

    def pause_s(self, failures: int, chance: float) -> float:
        """Pause after so many failures in a row; `chance` is uniform in 0..1."""
        doubled = self.backoff_s * 2.0 ** min(failures - 1, 30)
        return min(doubled, self.longest_backoff_s) * (1.0 - self.jitter * chance)

    def allowed_s(self, size_bytes: int) -> float:
        """Seconds that a request for so many bytes may take in all."""
        return self.deadline_s + size_bytes * 8 / self.slowest_bps
