"""How fast bytes come over all requests together, as the transport tells it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from streamstgs.codec.streaming.adaptive import Throughput, ThroughputMeter, ThroughputSettings
from streamstgs.codec.streaming.transport import Listener, Progress, nobody

HEARD_BYTES = 1024  # fewer are a drip, which counts as silence
SHORTEST_S = 0.005  # shorter looks at the line are added to the next one


@dataclass
class _Request:
    """One that runs.

    Args:
        alone: it was sent on a line at rest.
        received: bytes so far.
        at_once: bytes that came with the headers, while nobody looked at the time.
        in_body: its body comes.
        answered: its latency was told.
    """

    alone: bool
    received: int = 0
    at_once: int = 0
    in_body: bool = False
    answered: bool = False


class ThroughputProbe:
    """The listener of a transport. Counts bytes, and the time in which some request had a body.

    The thread of the transport calls it, the source thread asks it; a lock lies between.

    Args:
        metering: how throughput is averaged.
        monotonic: seconds that only grow.
        also: another listener.
    """

    def __init__(
        self,
        metering: ThroughputSettings = ThroughputSettings(),  # noqa: B008 (frozen)
        monotonic: Callable[[], float] = time.monotonic,
        also: Listener = nobody,
    ) -> None:
        self._lock = threading.Lock()
        self._monotonic = monotonic
        self._also = also
        self._meter = ThroughputMeter(metering)
        self._requests: dict[int, _Request] = {}
        self._looked_s = self._heard_s = monotonic()
        self._new_bytes = self._unheard_bytes = 0
        self._busy_s = 0.0
        self._total_bytes = 0

    def __call__(self, step: Progress) -> None:
        with self._lock:
            self._pass_time()
            alone = not self._requests
            if alone:
                self._heard_s = self._looked_s
            request = self._requests.setdefault(step.request, _Request(alone))
            self._count(request, step)
            if step.state in ("done", "failed", "cancelled"):
                del self._requests[step.request]
        self._also(step)

    @property
    def total_bytes(self) -> int:
        """Of all bodies so far, repeated bytes included."""
        with self._lock:
            return self._total_bytes

    def silent_s(self) -> float:
        """For how long hardly anything has come that was asked for, pauses included."""
        with self._lock:
            return self._monotonic() - self._heard_s if self._requests else 0.0

    def throughput(self) -> Throughput | None:
        """The estimate of now; None before anything came."""
        with self._lock:
            self._pass_time()
            if self._busy_s >= SHORTEST_S:
                self._meter.add(self._new_bytes, self._busy_s)
                self._new_bytes, self._busy_s = 0, 0.0
            return self._meter.estimate()

    # --- under the lock --------------------------------------------------------------------------

    def _pass_time(self) -> None:
        now_s = self._monotonic()
        if any(request.in_body for request in self._requests.values()):
            self._busy_s += now_s - self._looked_s
        self._looked_s = now_s

    def _count(self, request: _Request, step: Progress) -> None:
        """What comes with the headers is no sample of the line: nobody looked at the time.

        A body that came like that as a whole tells at least that it took no longer than it did.
        """
        fresh, request.received = step.received_bytes - request.received, step.received_bytes
        self._total_bytes += fresh
        self._unheard_bytes += fresh
        if self._unheard_bytes >= HEARD_BYTES or step.state == "done":
            self._heard_s, self._unheard_bytes = self._looked_s, 0
        if request.alone and step.first_byte_s is not None and not request.answered:
            request.answered = True
            self._meter.add_latency(step.first_byte_s)
        if step.state == "receiving" and not request.in_body and request.alone:
            request.at_once = fresh
        elif step.state == "done" and request.at_once == step.received_bytes:
            self._new_bytes += step.received_bytes
            self._busy_s += step.elapsed_s
        else:
            self._new_bytes += fresh
        request.in_body = step.state == "receiving"
