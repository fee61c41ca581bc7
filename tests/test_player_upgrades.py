"""Buffered GOPs are fetched again at better quality before they are shown."""

from __future__ import annotations

from typing import Any

import pytest
from streamstgs.app.player.buffer.packet_queue import PacketQueue, StoredGop
from streamstgs.app.player.pipeline.pipeline import PipelineSettings
from streamstgs.app.player.pipeline.scheduler import FetchSettings
from streamstgs.app.player.pipeline.state import PipelineState
from streamstgs.app.player.status import PlaybackFrame, PlaybackState
from streamstgs.codec.errors import CodecError, CorruptSegment, MissingSegment
from streamstgs.codec.packets import FeaturePacket, KeyframePacket
from streamstgs.codec.quality import Quality
from streamstgs.codec.streaming.adaptive import AdaptiveSettings

from tests.scripted_scene import ScriptedNetwork, ScriptedScene, decoded_gops, gop_of
from tests.scripted_session import Session, Start
from tests.synthetic import SyntheticSource

pytest_plugins = ["tests.session_fixtures"]

WHOLE_SCENE = PipelineSettings(fetching=FetchSettings(AdaptiveSettings(most_buffer_s=20.0)))


def long_scene(failures: dict[tuple[int, int], CodecError] | None = None) -> ScriptedScene:
    """Twelve GOPs of 1 s, all of which the buffer takes."""
    source = SyntheticSource(20, 10, (10,) * 12, fps=10.0)
    return ScriptedScene(source=source, failures=failures or {})


def shown(frames: list[PlaybackFrame], gop: int) -> set[int]:
    """The QPs at which a GOP was shown."""
    return {frame.quality.qp for frame in frames if gop_of(frame) == gop and frame.gop.frames > 1}


def assert_in_order(frames: list[PlaybackFrame]) -> None:
    """Every GOP was shown, none twice."""
    indices = [frame.index for frame in frames]
    assert indices == sorted(set(indices))
    gops = [gop_of(frame) for frame in frames]
    assert set(gops) == set(range(gops[0], gops[-1] + 1))


def full_at_the_lowest(start: Start, scene: ScriptedScene, **more: Any) -> Session:
    """The buffer is full at QP 32; from now on better qualities may be fetched."""
    session: Session = start(scene, pipeline=WHOLE_SCENE, qp=32, **more)
    session.settled()
    features = [part for part in scene.fetched if part[1] > 0]
    assert features == [(gop, 32) for gop in range(len(features))]
    assert len(features) >= 4
    session.playback.set_quality(None)
    return session


def fetched_twice(scene: ScriptedScene) -> list[int]:
    """GOPs that came at QP 32 and again at QP 20."""
    return [gop for gop in range(12) if {(gop, 32), (gop, 20)} <= set(scene.fetched)]


def test_upgraded_gop_is_shown_at_better_quality(start: Start) -> None:
    scene = long_scene()
    session = full_at_the_lowest(start, scene)
    frames = session.play(6.0)
    better = [gop for gop in fetched_twice(scene) if 0 < gop < 6]  # 0 was being shown already
    assert len(better) >= 2
    for gop in better:
        assert shown(frames, gop) == {20}
        assert scene.fetched.count((gop, -1)) == 1  # the keyframe came once
    assert session.playback.status().state is PlaybackState.PLAYING
    assert_in_order(frames)


@pytest.mark.parametrize("error", [CorruptSegment("broken"), MissingSegment("HTTP 404")])
def test_failed_upgrade_keeps_the_buffered_gop(start: Start, error: Any) -> None:
    scene = long_scene({(gop, quality): error for gop in range(4) for quality in (20, 28)})
    session = full_at_the_lowest(start, scene)
    frames = session.play(6.0)
    assert fetched_twice(scene)
    for gop in range(4):
        assert shown(frames, gop) == {32}
        assert scene.fetched.count((gop, 32)) == 1
    assert_in_order(frames)
    assert session.playback.take_events() == []


def test_stalled_upgrade_is_aborted(start: Start) -> None:
    begun: list[str] = []

    def collapses(line: ScriptedNetwork, name: str) -> None:
        if name.endswith(", 20)") and not begun:
            begun.append(name)
            line.bps = 20_000.0  # its 17 kB would take 7 s

    scene = long_scene()
    session = full_at_the_lowest(start, scene, on_request=collapses)
    frames = session.play(3.0)
    gop = int(begun[0].strip("()").split(",")[0])
    assert shown(frames, gop) <= {32}
    assert session.line.cancelled[0] == begun[0]
    assert session.playback.take_events() == []


def qps(store: PacketQueue) -> dict[int, int]:
    return {gop: quality.qp for gop, quality in store.qualities().items()}


def packet(qp: int, size: int = 10) -> FeaturePacket:
    return FeaturePacket(Quality(0, qp, 0.0), b"", bytes(size))


def test_packet_queue_returns_to_replaced_features() -> None:
    keyframe = KeyframePacket((bytes(5),), bytes(5))
    store = PacketQueue()
    store.put(0, StoredGop(keyframe, packet(32)))
    store.put(0, StoredGop(keyframe, packet(20, 30)))
    assert (qps(store), store.size_bytes) == ({0: 20}, 50)
    store.drop_features(0)
    assert (qps(store), store.size_bytes) == ({0: 32}, 20)
    store.put(0, StoredGop(keyframe, packet(20, 30)))
    store.settle(0)
    assert (qps(store), store.size_bytes) == ({0: 20}, 40)
    store.drop_features(0)
    assert (qps(store), store.keyframes()) == ({}, frozenset({0}))


def test_change_during_a_decision_is_not_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fetch thread decides without the lock: it must not wait for a change that has come."""
    state = PipelineState()
    rests: list[float | None] = []
    monkeypatch.setattr(state._changed, "wait_for", lambda _, timeout_s: rests.append(timeout_s))
    seen = state._version
    state.end_step()  # a change
    state.rest(None, seen)
    assert rests == []
    state.rest(5.0, state._version)
    assert rests == [5.0]


def test_chosen_lower_quality_is_fetched_once(start: Start) -> None:
    """Everything is decoded at the best one, more than is decoded ahead of the position."""
    scene = ScriptedScene()
    session = start(scene, autoplay=False)
    for position_s in (1.5, 2.5, 3.5, 4.2, 0.5):
        session.playback.seek(position_s)
        session.settled()
    assert decoded_gops(session.playback) == 5
    scene.fetched.clear()
    session.playback.set_quality(session.playback.opened.quality(32))
    session.settled()
    features = [part for part in scene.fetched if part[1] > 0]
    assert sorted(features) == sorted(set(features))
    assert session.playback.status().quality.qp == 32
