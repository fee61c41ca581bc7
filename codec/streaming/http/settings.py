"""Timeouts, retries and bounds of HTTP requests."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class HttpSettings:
    """Timeouts, retries and bounds of requests.

    Args:
        connect_s: time to establish a connection, seconds.
        stall_s: a try fails when fewer than `stall_bytes` arrive within this time, seconds.
        stall_bytes: bytes that count as progress.
        deadline_s: time for all tries of one request, seconds, added to the time that the file
            takes at `slowest_bps`.
        slowest_bps: the lowest rate that is waited for, bits per second.
        tries: tries in a row without progress before a request fails with an error that may pass,
            such as no connection or the statuses 5xx and 429.
        fresh_tries: the same for requests that bypass caches, which repeat a failed request.
        backoff_s: pause before the second try, seconds; it doubles before each further one.
        longest_backoff_s: the longest pause, also if the server asks for more.
        jitter: share of each pause that is random, so that many players spread their requests.
        redirects: the largest number of redirects that are followed.
        connections: the largest number of open connections.
        kept_bytes: received parts of cancelled requests are kept up to this size together, and the
            latest one always, so that a later request continues there.
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
        """Return the pause after a number of failures in a row; `chance` is uniform in 0..1."""
        doubled = self.backoff_s * 2.0 ** min(failures - 1, 30)
        return min(doubled, self.longest_backoff_s) * (1.0 - self.jitter * chance)

    def allowed_s(self, size_bytes: int) -> float:
        """Return the time that all tries of a request for `size_bytes` may take, seconds."""
        return self.deadline_s + size_bytes * 8 / self.slowest_bps
