"""Dragging the timeline: a new frame is shown as often as the network allows."""

from __future__ import annotations

import threading

from streamstgs.app.player.pipeline.pipeline import PipelineSettings
from streamstgs.app.player.pipeline.scheduler import FetchSettings
from streamstgs.app.player.playback import Playback
from streamstgs.app.player.status import PlaybackFrame, PlaybackState
from streamstgs.codec.errors import MissingSegment
from streamstgs.codec.streaming.adaptive import AdaptiveSettings

from tests.scripted_scene import ScriptedNetwork, ScriptedScene, gop_of
from tests.scripted_session import WAIT_S, Session, Start
from tests.synthetic import SyntheticSource

pytest_plugins = ["tests.session_fixtures"]

ONE_GOP_AHEAD = PipelineSettings(fetching=FetchSettings(AdaptiveSettings(most_buffer_s=1.0)))


def long_scene() -> ScriptedScene:
    """45 GOPs of 1 s."""
    return ScriptedScene(source=SyntheticSource(20, 10, (10,) * 45, fps=10.0))


class Pauses:
    """The network waits for the test whenever a part of some kind is asked for."""

    def __init__(self, ending: str) -> None:
        self._ending = ending
        self.on = False
        self.asked, self.go_on = threading.Event(), threading.Event()

    def __call__(self, line: ScriptedNetwork, name: str) -> None:
        if self.on and name.endswith(self._ending):
            self.go_on.clear()
            self.asked.set()
            assert self.go_on.wait(WAIT_S)

    def let_go(self) -> None:
        self.asked.clear()
        self.go_on.set()

    def end(self) -> None:
        self.on = False
        self.let_go()


def begun(start: Start, pauses: Pauses, **settings: object) -> Session:
    """The first GOP is there, and hardly more; from now on the network waits."""
    session: Session = start(
        long_scene(), on_request=pauses, pipeline=ONE_GOP_AHEAD, autoplay=False, **settings
    )
    session.settled()
    pauses.on = True
    return session


def drag(session: Session, position_s: float) -> PlaybackFrame | None:
    session.playback.seek(position_s, scrubbing=True)
    return session.playback.tick()


def test_drag_faster_than_network_shows_arriving_segments(start: Start) -> None:
    """Each GOP comes when the hand has long moved on, and is shown nevertheless."""
    pauses = Pauses(", -1)")  # at each keyframe
    session = begun(start, pauses)
    shown = drag(session, 5.2)
    assert shown is not None
    assert gop_of(shown) < 5  # the nearest that was there
    seen = []
    for hand_s in range(9, 37, 4):
        session.until(pauses.asked.is_set)
        asked_for = session.scene.fetched[-1][0]
        assert asked_for == hand_s - 4  # where the hand was when the network was free
        drag(session, hand_s + 0.2)
        pauses.let_go()
        session.until(lambda gop=asked_for: gop_of(session.playback.tick()) == gop)  # type: ignore
        seen.append(asked_for)
    assert seen == list(range(5, 33, 4))
    assert session.line.cancelled == []
    assert session.playback.state is PlaybackState.BUFFERING
    pauses.end()


def test_drag_shows_nearest_decoded_frame(start: Start) -> None:
    pauses = Pauses(")")
    session = begun(start, pauses)
    ready = session.playback._pipeline.ready_gops()
    shown = drag(session, 38.0)
    assert shown is not None
    assert shown.index == 10 * max(ready) + 9
    assert shown.frame == 9
    assert session.playback.status().frame == 380  # the knob stays under the hand
    pauses.end()


def test_release_of_a_drag_shows_only_its_position(start: Start) -> None:
    pauses = Pauses(", -1)")
    session = begun(start, pauses)
    drag(session, 5.2)
    session.until(pauses.asked.is_set)
    drag(session, 20.2)
    session.playback.seek(20.2)
    assert session.playback.tick() is None
    pauses.on = False
    pauses.let_go()
    frame = session.settled()
    assert frame.index == 202
    assert session.line.cancelled == ["(5, -1)"]
    assert session.scene.fetched[session.scene.fetched.index((5, -1)) + 1] == (20, -1)


def test_drag_is_one_seek_and_its_release_another(start: Start) -> None:
    session = start(autoplay=False)
    before = session.settled().serial
    shown = [drag(session, position_s) for position_s in (0.1, 0.3, 0.5)]
    assert [frame.serial - before for frame in shown if frame] == [1, 1, 1]
    session.playback.seek(0.5)
    assert session.settled().serial == before + 2
    again = drag(session, 0.7)
    assert again is not None
    assert again.serial == before + 3
    assert session.playback.status().late_frames == 0  # a hand that leaps is not late


def test_resting_drag_interrupts_a_transfer_that_just_began(start: Start) -> None:
    pauses = Pauses(", -1)")
    session = begun(start, pauses)
    drag(session, 5.2)
    session.until(pauses.asked.is_set)
    drag(session, 20.2)
    session.line.bps = 8000.0  # 3 s for the keyframe
    pauses.end()
    assert session.settled().index == 202
    assert session.line.cancelled[0] == "(5, -1)"


def test_chosen_quality_does_not_interrupt_a_drag(start: Start) -> None:
    pauses = Pauses(", 32)")
    session = begun(start, pauses, qp=20)
    drag(session, 5.2)
    session.until(pauses.asked.is_set)
    drag(session, 5.4)
    session.line.bps = 8000.0
    pauses.end()
    session.until(lambda: (5, 32) in session.scene.decoded)
    assert session.line.cancelled == []
    session.playback.seek(5.4)
    assert session.settled().quality.qp == 20


def test_broken_segment_does_not_block_a_drag(start: Start) -> None:
    scene = long_scene()
    scene.failures = {(5, -1): MissingSegment("HTTP 404")}
    session = start(scene, pipeline=ONE_GOP_AHEAD, autoplay=False)
    session.settled()
    drag(session, 5.2)
    session.settled()  # it turns out to be broken
    assert gop_of(session.settled()) == 6
    drag(session, 12.2)
    assert gop_of(session.settled()) == 12


def read_by(playback: Playback, gop: int) -> bool:
    worker = playback._pipeline
    return worker.wait(lambda: gop in worker.ready_gops(), WAIT_S)


def test_drag_finishes_decoding_of_a_local_scene() -> None:
    """Decoding is brought to its end though the hand has moved on."""
    scene = long_scene()
    scene.open_gate = False
    playback = Playback("scripted.stgs", opener=lambda _: scene)
    scene.release(3)  # what is decoded ahead
    scene.wait_for(lambda: len(scene.decoded) == 3)
    playback.tick()
    playback.seek(10.2, scrubbing=True)
    playback.tick()
    for hand in (10, 20, 30):
        scene.wait_for(lambda hand=hand: (hand, 20) in scene.started)  # type: ignore[misc]
        playback.seek(hand + 10.2, scrubbing=True)
        playback.tick()
        read = frozenset({hand + 10})
        assert playback._pipeline.wait(
            lambda read=read: read <= playback._pipeline.ready_gops(), WAIT_S
        )
        scene.release()
        scene.wait_for(lambda hand=hand: (hand, 20) in scene.decoded)  # type: ignore[misc]
    assert scene.cancellations == []
    scene.open_the_gate()
    playback.seek(35.2)
    assert playback.settle(WAIT_S)
    frame = playback.tick()
    assert frame is not None
    assert frame.index == 352
    playback.close()


def test_frame_steps_of_a_held_key_are_one_seek(start: Start) -> None:
    session = start(autoplay=False)
    before = session.settled()
    serials = []
    for _ in range(5):
        session.playback.step(1)
        serials.append(session.settled().serial)
    assert serials == [before.serial + 1] * 5
    assert session.settled().index == before.index + 5
    session.playback.seek_frame(0)
    session.playback.step(1)
    assert session.settled().serial == before.serial + 3
    session.playback.step(3)
    assert session.settled().index == 4
    assert session.playback.status().late_frames == 0
