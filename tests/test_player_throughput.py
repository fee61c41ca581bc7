"""Throughput measured from transport progress, and qualities that are rendered in time."""

from __future__ import annotations

from dataclasses import astuple
from typing import Any

import pytest
from streamstgs.app.player.buffer.packet_queue import PacketQueue, StoredGop
from streamstgs.app.player.pipeline.throughput_probe import ThroughputProbe
from streamstgs.app.player.rendering.frame_pacing import DroppedFrameMonitor, DroppedFrameSettings
from streamstgs.codec.packets import FeaturePacket, KeyframePacket
from streamstgs.codec.quality import Quality
from streamstgs.codec.streaming.transport import RequestProgress

from tests.scripted_scene import ManualClock


class Line:
    """Requests on a line whose clock the test moves."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.probe = ThroughputProbe(monotonic=self.clock)

    def tell(self, request: int, state: Any, received: int = 0, after_s: float = 0.0) -> None:
        self.clock.advance(after_s)
        first_byte_s = None if state == "waiting" else 0.05
        step = RequestProgress(request, "url", state, received, 0.3, first_byte_s, 1)
        self.probe(step)

    def bps(self) -> float:
        estimate = self.probe.throughput()
        assert estimate is not None
        return estimate.bps


def test_throughput_is_bytes_over_body_time() -> None:
    line = Line()
    assert line.probe.throughput() is None
    line.tell(1, "waiting")
    line.tell(1, "receiving", 5_000, after_s=0.05)  # came with the headers: no sample
    for count in range(1, 11):
        line.tell(1, "receiving", 5_000 + 10_000 * count, after_s=0.1)
    line.tell(1, "done", 105_000)
    assert line.bps() == pytest.approx(800_000)
    line.clock.advance(100.0)  # a line at rest is not slow
    assert line.bps() == pytest.approx(800_000)
    estimate = line.probe.throughput()
    assert estimate is not None
    assert estimate.latency_s == pytest.approx(0.05)
    assert line.probe.total_bytes == 105_000


def test_asking_for_the_estimate_does_not_change_it() -> None:
    asked, quiet = Line(), Line()
    for line in (asked, quiet):
        line.tell(1, "waiting")
        line.tell(1, "receiving", 0, after_s=0.05)
        for count in range(1, 30):
            line.tell(1, "receiving", 1_000 * count * count, after_s=0.02)
            if line is asked:
                for _ in range(3):
                    line.probe.throughput()
                    line.clock.advance(0.01)
            else:
                line.clock.advance(0.03)
    estimates = asked.probe.throughput(), quiet.probe.throughput()
    assert estimates[0] is not None
    assert estimates[1] is not None
    assert astuple(estimates[0]) == pytest.approx(astuple(estimates[1]))


def test_silence_counts_while_a_request_is_in_flight() -> None:
    line = Line()
    line.clock.advance(60.0)
    assert line.probe.silent_s() == 0.0  # nothing was asked for
    line.tell(1, "waiting")
    line.tell(1, "waiting", after_s=4.0)  # another try of the same request
    assert line.probe.silent_s() == pytest.approx(4.0)
    line.tell(1, "receiving", 500, after_s=1.0)  # a drip
    assert line.probe.silent_s() == pytest.approx(5.0)
    line.tell(1, "receiving", 1500)
    assert line.probe.silent_s() == 0.0
    line.clock.advance(2.0)
    assert line.probe.silent_s() == pytest.approx(2.0)
    line.tell(1, "done", 1500)
    assert line.probe.silent_s() == 0.0


def test_concurrent_requests_share_the_throughput() -> None:
    line = Line()
    for request in (1, 2):
        line.tell(request, "waiting")
        line.tell(request, "receiving", 0)
    for count in range(1, 11):
        line.tell(1, "receiving", 5_000 * count, after_s=0.05)
        line.tell(2, "receiving", 5_000 * count, after_s=0.05)
    assert line.bps() == pytest.approx(800_000)


def test_stalled_transfer_lowers_the_estimate() -> None:
    line = Line()
    line.tell(1, "waiting")
    line.tell(1, "receiving", 0)
    line.tell(1, "receiving", 100_000, after_s=1.0)
    before = line.bps()
    line.clock.advance(4.0)
    assert line.bps() < before / 2
    line.tell(1, "cancelled", 100_000)
    after = line.bps()
    line.clock.advance(60.0)
    assert line.bps() == after


def test_small_files_give_a_lower_bound_of_throughput() -> None:
    line = Line()
    line.tell(1, "waiting")
    line.tell(1, "receiving", 3_000, after_s=0.3)
    line.tell(1, "done", 3_000)
    assert line.bps() == pytest.approx(8 * 3_000 / 0.3)


def test_late_rendering_gives_up_qualities_and_recovers() -> None:
    settings = DroppedFrameSettings(window_s=1.0, recover_s=5.0)
    watch, now_s = DroppedFrameMonitor(settings), 0.0

    def draw(seconds: int, late: int) -> int:
        nonlocal now_s
        for _ in range(10 * seconds):
            now_s += 0.1
            watch.count(now_s, shown=2, late=late, most_excluded=2)
        return watch.excluded_qualities

    assert draw(3, late=0) == 0
    assert draw(20, late=2) == 2  # never below the lowest
    assert draw(4, late=0) == 2
    assert draw(5, late=0) == 1
    assert draw(4, late=2) == 2  # that was too early: more patience from now on
    assert draw(8, late=0) == 2
    assert draw(30, late=0) == 0


def qps(store: PacketQueue) -> dict[int, int]:
    return {gop: quality.qp for gop, quality in store.qualities().items()}


def test_packets_needed_last_are_dropped_first() -> None:
    store = PacketQueue()
    for gop in range(6):
        keyframe = KeyframePacket((bytes(50),), bytes(20))
        store.put(gop, StoredGop(keyframe, FeaturePacket(Quality(0, 20, 0.0), b"", bytes(30))))
    store.trim(target=4, gop_count=6, most_bytes=250)
    assert sorted(qps(store)) == [4, 5]
    store.trim(target=4, gop_count=6, most_bytes=0)
    assert sorted(qps(store)) == [4]  # the one that is shown stays whatever it takes
    store.put(
        5, StoredGop(KeyframePacket((), b""), FeaturePacket(Quality(0, 20, 0.0), b"", bytes(100)))
    )
    store.trim(target=4, gop_count=6, most_bytes=100, decoded={4})
    assert sorted(qps(store)) == [5]  # what is decoded is not needed before the next round
    store.put(
        4,
        StoredGop(
            KeyframePacket((bytes(70),), b""), FeaturePacket(Quality(0, 20, 0.0), b"", bytes(30))
        ),
    )
    store.drop(5)
    store.drop(4, FeaturePacket(Quality(1, 28, 0.0), b"", b"another"))
    assert store.size_bytes == 100
    store.drop_features(4)
    assert qps(store) == {}
    assert store.size_bytes == 70
