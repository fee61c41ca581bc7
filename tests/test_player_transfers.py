"""Transfers: what interrupts them, and that asking has no effects."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from streamstgs.app.player.pipeline.fetch_view import FetchView, PlayTarget
from streamstgs.app.player.pipeline.scheduler import (
    FetchSettings,
    LocalScheduler,
    NetworkScheduler,
    TransferInfo,
    delays_frame,
    is_preempted,
)
from streamstgs.app.player.pipeline.state import PipelineState
from streamstgs.app.player.pipeline.throughput_probe import ThroughputProbe
from streamstgs.app.player.pipeline.transfer import (
    FeaturesPart,
    KeyframePart,
    LayerPart,
    Part,
    PartThread,
    Transfer,
    TransferProgress,
)
from streamstgs.app.player.scene_info import OpenedScene
from streamstgs.codec.cancel import CancelToken
from streamstgs.codec.errors import Cancelled
from streamstgs.codec.packets import FeaturePacket, KeyframePacket
from streamstgs.codec.streaming.adaptive import SegmentInFlight, Throughput

from tests.scripted_scene import ManualClock, ScriptedScene
from tests.scripted_session import WAIT_S, Start

pytest_plugins = ["tests.session_fixtures"]

SCENE = ScriptedScene(static_layers=3)
OPENED = OpenedScene.of(SCENE)  # type: ignore[arg-type]
BEST, LOWEST = OPENED.best, OPENED.lowest
TARGET = PlayTarget(3, 1, None, loop=True, playing=True, speed=1.0)
VIEW = FetchView(
    OPENED,
    TARGET,
    position_s=3.0,
    best=BEST,
    ready={0: BEST},
    sizes={},
    most_bytes=1 << 30,
    static_layers=1,
    broken=frozenset(),
    throughput=Throughput(1e6, 1e6, 1e6, 0.01),
    keyframes=frozenset({0}),
)
ELSEWHERE = TransferInfo(gop=1, quality=LOWEST)
HERE = TransferInfo(gop=3, quality=LOWEST)
SCRUBBING = replace(VIEW, target=replace(TARGET, scrubbing=True))
BROKEN = replace(VIEW, broken=frozenset((3, quality) for quality in OPENED.qualities))
BY_HAND = replace(VIEW, target=replace(TARGET, quality=BEST))


@pytest.mark.parametrize(
    ("view", "transfer", "delays"),
    [
        (VIEW, ELSEWHERE, True),
        (VIEW, HERE, False),
        (replace(VIEW, ready={3: LOWEST}), ELSEWHERE, False),  # the frame is buffered
        (BROKEN, ELSEWHERE, False),  # the frame cannot be fetched
        (BY_HAND, HERE, True),
        (replace(BY_HAND, broken=frozenset({(3, BEST)})), HERE, False),
        (VIEW, TransferInfo(layer=1, serial=0), True),
        (VIEW, TransferInfo(layer=1, serial=1), False),  # decided for this seek
        (replace(VIEW, static_layers=0), TransferInfo(layer=0, serial=0), False),
    ],
)
def test_transfer_delays_the_frame(view: FetchView, transfer: TransferInfo, delays: bool) -> None:
    assert delays_frame(view, transfer) == delays
    assert is_preempted(view, transfer, rests=False, mostly_received=True) == delays


@pytest.mark.parametrize(
    ("transfer", "rests", "mostly_received", "ends"),
    [
        (ELSEWHERE, False, False, False),
        (ELSEWHERE, True, False, True),
        (ELSEWHERE, True, True, False),
        (replace(ELSEWHERE, is_new=False), False, False, True),  # only a better quality
        (TransferInfo(layer=1, serial=0), False, False, True),
    ],
)
def test_drag_interrupts_a_transfer_only_where_it_rests(
    transfer: TransferInfo, rests: bool, mostly_received: bool, ends: bool
) -> None:
    assert is_preempted(SCRUBBING, transfer, rests, mostly_received) == ends


@pytest.mark.parametrize("view", [VIEW, SCRUBBING, BROKEN, BY_HAND])
def test_decisions_have_no_effects(view: FetchView) -> None:
    network = NetworkScheduler(OPENED, FetchSettings(), lambda _: (), lambda _: False)
    flight = SegmentInFlight(1, LOWEST.index, 100, 2.0)
    for scheduler in (network, LocalScheduler(FetchSettings())):
        assert scheduler.next(view) == scheduler.next(view)
        assert scheduler.reconsider(view, flight) == scheduler.reconsider(view, flight)


def test_reading_the_state_does_not_change_it(start: Start) -> None:
    session = start(autoplay=False)
    session.settled()
    state = session.playback._pipeline._state
    before = state._version, state._progress, state.counters(), state.fetch_view(None)
    for _ in range(10):
        assert state.idle
        assert not state.failed
        assert not state.is_broken(0)
        assert state.opened is session.playback.opened
        state.ready_gops()
        state.is_acted_on()
    assert (state._version, state._progress, state.counters(), state.fetch_view(None)) == before


def test_polling_a_token_makes_no_decisions(start: Start) -> None:
    """The scene may ask its token as often as it likes: only bytes and time are acted on."""
    session = start()
    fetch, polls = session.scene.fetch_features, []

    def polling(index: int, quality: Any, cancel: CancelToken, held: Any) -> FeaturePacket:
        state = session.playback._pipeline._state
        assert state.wait(state.is_acted_on, WAIT_S)
        before = state._version, state.counters().step
        polls.append(sum(cancel.cancelled for _ in range(10_000)))
        assert (state._version, state.counters().step) == before or cancel.cancelled
        return fetch(index, quality, cancel, held)

    session.scene.fetch_features = polling  # type: ignore[method-assign, assignment]
    session.settled()
    assert polls
    assert set(polls) == {0}


# One list of parts


@pytest.fixture
def thread() -> Iterator[PartThread]:
    made = PartThread()
    yield made
    made.close(WAIT_S)


class GatedScene(ScriptedScene):
    """Each part waits until the test lets it go, or it is cancelled."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = threading.Event()

    def _fetch(self, part: tuple[int, int], size: int, cancel: CancelToken) -> None:
        self.fetched.append(part)
        while not self.gate.is_set():
            if cancel.wait(0.005):
                raise Cancelled("cancelled by the test")


def begin(scene: ScriptedScene, thread: PartThread, *parts: Part) -> Transfer:
    info = TransferInfo(gop=0, quality=BEST)
    if isinstance(parts[0], LayerPart):
        info = TransferInfo(layer=0)
    progress = TransferProgress(ThroughputProbe(), ManualClock(), 0.5)
    made: Any = scene
    return Transfer(
        made, info, list(parts), progress, 20_000, 0, thread, CancelToken(), lambda: None
    )


def test_parts_are_fetched_in_order(thread: PartThread) -> None:
    scene = ScriptedScene()
    transfer = begin(scene, thread, KeyframePart(0), FeaturesPart(0, BEST))
    assert transfer.start_part() == KeyframePart(0)
    assert isinstance(transfer.finish_part(3000), KeyframePacket)
    assert transfer.received_bytes >= 3000
    assert transfer.start_part() == FeaturesPart(0, BEST)
    assert transfer.finish_part(0).quality == BEST
    assert transfer.start_part() is None
    assert scene.fetched == [(0, -1), (0, BEST.qp)]


def test_another_quality_restarts_features_and_not_the_keyframe(thread: PartThread) -> None:
    scene = GatedScene()
    transfer = begin(scene, thread, KeyframePart(0), FeaturesPart(0, BEST))
    transfer.start_part()
    transfer.change_quality(OPENED.qualities[1], 15_000)
    assert not transfer.is_cancelled
    scene.gate.set()
    assert transfer.finish_part(3000) is not None
    scene.gate.clear()
    assert transfer.start_part() == FeaturesPart(0, OPENED.qualities[1])
    transfer.change_quality(LOWEST, 10_000)
    assert transfer.finish_part(0) is None
    scene.gate.set()
    assert transfer.start_part() == FeaturesPart(0, LOWEST)
    assert transfer.finish_part(0).quality == LOWEST
    assert scene.fetched == [(0, -1), (0, OPENED.qualities[1].qp), (0, LOWEST.qp)]


def test_cancel_ends_the_transfer_also_while_it_restarts(thread: PartThread) -> None:
    scene = GatedScene()
    transfer = begin(scene, thread, FeaturesPart(0, BEST))
    transfer.start_part()
    transfer.change_quality(LOWEST, 10_000)
    transfer.cancel()
    with pytest.raises(Cancelled):
        transfer.finish_part(0)


def test_received_bytes_of_a_layer_are_never_all(thread: PartThread) -> None:
    scene = ScriptedScene()
    transfer = begin(scene, thread, LayerPart(0))
    transfer.start_part()
    transfer.finish_part(50_000)
    assert transfer.received_bytes == 19_999


def test_state_is_failed_once() -> None:
    state = PipelineState()
    state.fail("first")
    state.fail("second")
    assert [event.message for event in state.take_events()] == ["first"]
    assert state.closing.cancelled
    assert state.failed
    assert state.idle
