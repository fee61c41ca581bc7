"""The seek queue: the newest request replaces the waiting one, a drag is one seek."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from streamstgs.app.player.position.clock import PlaybackClock
from streamstgs.app.player.position.playhead import Playhead
from streamstgs.app.player.position.seek_queue import SeekKind, SeekQueue
from streamstgs.app.player.timeline import Timeline

from tests.scripted_scene import ManualClock

TIMELINE = Timeline(10.0, (10, 10, 10))
JUMP, DRAG, STEP = SeekKind.JUMP, SeekKind.DRAG, SeekKind.STEP


def test_newest_request_replaces_the_waiting_one() -> None:
    queue = SeekQueue()
    for position_s in (1.0, 2.0, 3.0):
        queue.request(position_s, JUMP)
    taken = queue.take()
    assert taken is not None
    assert (taken.position_s, taken.serial) == (3.0, 3)
    assert queue.take() is None


def test_start_of_the_scene_waits_until_it_is_open() -> None:
    taken = SeekQueue(2.5).take()
    assert taken is not None
    assert (taken.position_s, taken.serial) == (2.5, 0)


def test_moves_of_a_drag_share_a_serial_and_its_end_has_its_own() -> None:
    queue = SeekQueue()
    assert [queue.request(float(k), DRAG).serial for k in range(4)] == [1] * 4
    assert queue.dragging
    assert queue.request(4.0, JUMP).serial == 2
    assert not queue.dragging


def test_steps_share_a_serial_until_they_end() -> None:
    queue = SeekQueue()
    assert [queue.request(float(k), STEP).serial for k in range(3)] == [1] * 3
    queue.end_steps()
    assert queue.request(3.0, STEP).serial == 2
    queue.request(4.0, DRAG)
    queue.end_steps()  # a drag goes on
    assert queue.request(5.0, DRAG).serial == 3


@given(st.lists(st.tuples(st.floats(0.0, 3.0), st.sampled_from(SeekKind)), max_size=20))
def test_only_the_newest_request_is_executed(
    requests: list[tuple[float, SeekKind]],
) -> None:
    clock = PlaybackClock(ManualClock())
    playhead = Playhead(clock)
    serials = []
    for position_s, kind in requests:
        playhead.seek(position_s, kind, TIMELINE)
        serials.append(playhead.serial)
        assert clock.position_s() == 0.0  # nothing is executed before `advance`
    assert serials == sorted(serials)
    playhead.advance(TIMELINE)
    newest_s = requests[-1][0] if requests else 0.0
    assert TIMELINE.frame_at(clock.position_s()) == TIMELINE.frame_at(newest_s)
    assert playhead.position_s() == clock.position_s()


def test_position_is_that_of_the_waiting_seek() -> None:
    playhead = Playhead(PlaybackClock(ManualClock()))
    playhead.seek(-1.0, JUMP, None)  # before the scene is open
    assert playhead.position_s() == 0.0
    playhead.seek(99.0, JUMP, TIMELINE)
    assert playhead.frame(TIMELINE) == 29
    assert playhead.gop(TIMELINE) == 2
    assert playhead.is_at_end(TIMELINE)
    playhead.seek_frame(-5, JUMP, TIMELINE)
    assert playhead.frame(TIMELINE) == 0
