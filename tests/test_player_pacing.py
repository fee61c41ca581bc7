"""Frame pacing: frames of a moved camera must not delay the content."""

from __future__ import annotations

from dataclasses import replace

import pytest
from streamstgs.app.player.playback import Playback
from streamstgs.app.player.rendering.frame_pacing import leaves_time
from streamstgs.app.player.status import PlaybackFrame, PlaybackState, PlaybackStatus
from streamstgs.codec.quality import Quality

from tests.scripted_scene import ScriptedScene

GOP = ScriptedScene().decode_gop(0, ScriptedScene().qualities[-1])
FRAME = PlaybackFrame(GOP, 10, 10, Quality(0, 20, 0.0), 0)


@pytest.fixture
def status() -> PlaybackStatus:
    """A tenth of a frame after frame 10 of 20 per second became due: 45 ms are left."""
    playback = Playback("scripted.stgs", opener=lambda _: ScriptedScene())
    now = playback.status()
    playback.close()
    return replace(now, state=PlaybackState.PLAYING, fps=20.0, speed=1.0, position_s=10.1 / 20)


def test_extra_frame_is_rendered_only_if_fast(status: PlaybackStatus) -> None:
    assert leaves_time(status, FRAME, 44.0)
    assert not leaves_time(status, FRAME, 46.0)


def test_slow_motion_leaves_time_for_extra_frames(status: PlaybackStatus) -> None:
    assert leaves_time(replace(status, speed=0.5), FRAME, 89.0)
    assert not leaves_time(replace(status, speed=2.0), FRAME, 23.0)


def test_overdue_content_frame_comes_first(status: PlaybackStatus) -> None:
    assert not leaves_time(replace(status, position_s=11.5 / 20), FRAME, 1.0)


def test_extra_frames_while_scrubbing(status: PlaybackStatus) -> None:
    """The picture there is drawn once more, with all pixels."""
    assert leaves_time(replace(status, scrubbing=True), FRAME, 1e6)


@pytest.mark.parametrize("state", [s for s in PlaybackState if s is not PlaybackState.PLAYING])
def test_extra_frames_while_not_playing(status: PlaybackStatus, state: PlaybackState) -> None:
    assert leaves_time(replace(status, state=state), FRAME, 1e6)
