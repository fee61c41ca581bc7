"""Measures throughput over all requests together, from the progress that a transport reports."""

from __future__ import annotations

import copy
import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from streamstgs.codec.streaming.adaptive import Throughput, ThroughputMeter, ThroughputSettings
from streamstgs.codec.streaming.transport import Listener, RequestProgress, ignore_progress

HEARD_BYTES = 1024  # a connection that delivers fewer counts as stalled
SHORTEST_S = 0.005  # shorter samples are added to the next one
NOTIFY_S = 0.03  # progress is passed on no more often


@dataclass
class _Request:
    """A request in flight.

    Args:
        alone: Whether no other request was in flight when it was sent.
        received: Bytes so far.
        at_once: Bytes that arrived with the headers, before time was measured.
        in_body: Whether its body is arriving.
        answered: Whether its latency was measured.
    """

    alone: bool
    received: int = 0
    at_once: int = 0
    in_body: bool = False
    answered: bool = False


class ThroughputProbe:
    """The listener of a transport. Counts bytes, and the time in which some body was arriving.

    Thread-safe: the thread of the transport calls it, the fetch thread and the GUI read it.

    Args:
        metering: How throughput is averaged.
        monotonic: Seconds that only grow.
        also: Another listener.
        prior_bps: Throughput of an earlier session with the same host; None if unknown.

    Attributes:
        on_progress: Called in the thread of the transport while bytes arrive, at most every
            `NOTIFY_S`; set before the first request.
    """

    def __init__(
        self,
        metering: ThroughputSettings = ThroughputSettings(),  # noqa: B008 (frozen)
        monotonic: Callable[[], float] = time.monotonic,
        also: Listener = ignore_progress,
        prior_bps: float | None = None,
    ) -> None:
        self._monotonic = monotonic
        self._also = also
        self.on_progress: Callable[[], None] = lambda: None
        self._lock = threading.Lock()  # guards everything below
        self._notified_s = -math.inf  # when `on_progress` was called last
        self._meter = ThroughputMeter(metering, prior_bps)  # of all samples
        self._requests: dict[int, _Request] = {}  # those in flight
        self._looked_s = monotonic()  # up to here time is counted
        self._new_bytes, self._busy_s = 0, 0.0  # of the next sample: bytes, and time of a body
        self._heard_s, self._unheard_bytes = self._looked_s, 0  # when bytes arrived, and since then
        self._total_bytes = 0

    def __call__(self, step: RequestProgress) -> None:
        with self._lock:
            self._pass_time()
            alone = not self._requests
            if alone:
                self._heard_s = self._looked_s
            request = self._requests.setdefault(step.request, _Request(alone))
            self._count(request, step)
            if self._busy_s >= SHORTEST_S:
                self._meter.add(self._new_bytes, self._busy_s)
                self._new_bytes, self._busy_s = 0, 0.0
            if step.state in ("done", "failed", "cancelled"):
                del self._requests[step.request]
            notifies = self._looked_s - self._notified_s >= NOTIFY_S
            if notifies:
                self._notified_s = self._looked_s
        self._also(step)
        if notifies:
            self.on_progress()

    @property
    def total_bytes(self) -> int:
        """Bytes of all bodies so far, repeated bytes included."""
        with self._lock:
            return self._total_bytes

    def silent_s(self) -> float:
        """Seconds for which a request has been in flight with hardly any bytes arriving."""
        with self._lock:
            return self._monotonic() - self._heard_s if self._requests else 0.0

    def throughput(self) -> Throughput | None:
        """The current estimate; None before the first transfer with an unknown host.

        Asking does not change it. Time in which a body stalls counts, although no sample was taken
        since its last bytes.
        """
        with self._lock:
            return self._meter_now().estimate()

    def session(self) -> tuple[float, float]:
        """Mean bits per second since the start, and the seconds of transfer that it rests on."""
        with self._lock:
            return self._meter_now().session

    # --- under the lock --------------------------------------------------------------------------

    def _meter_now(self) -> ThroughputMeter:
        """The meter with the time since the last sample; a copy, as asking changes nothing."""
        self._pass_time()
        if self._busy_s < SHORTEST_S:
            return self._meter
        meter = copy.deepcopy(self._meter)
        meter.add(self._new_bytes, self._busy_s)
        return meter

    def _pass_time(self) -> None:
        now_s = self._monotonic()
        if any(request.in_body for request in self._requests.values()):
            self._busy_s += now_s - self._looked_s
        self._looked_s = now_s

    def _count(self, request: _Request, step: RequestProgress) -> None:
        """Count the bytes of a report.

        Bytes that arrive with the headers are no sample of the throughput, because their time is
        unknown. A body that arrives as a whole like that tells the longest time it can have taken.
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
