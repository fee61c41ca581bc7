"""The shown GOP is fetched again at better quality, if enough of it is left."""

from __future__ import annotations

import threading

import pytest
from streamstgs.app.player.pipeline.pipeline import PipelineSettings
from streamstgs.app.player.pipeline.scheduler import FetchSettings
from streamstgs.app.player.status import PlaybackFrame, PlaybackState
from streamstgs.codec.streaming.adaptive import (
    AdaptiveSettings,
    BufferedSegment,
    Situation,
    Throughput,
    UpgradeRule,
)

from tests.scripted_scene import ScriptedNetwork, ScriptedScene
from tests.scripted_session import WAIT_S, Session, Start
from tests.synthetic import SyntheticSource

pytest_plugins = ["tests.session_fixtures"]

GOP_FRAMES = 40  # 4 s
SMALL_BUFFER = PipelineSettings(fetching=FetchSettings(AdaptiveSettings(most_buffer_s=9.0)))


def scene() -> ScriptedScene:
    """Ten GOPs of 4 s; QP 32 takes 8 kB, QP 20 takes 20 kB, 3 kB of which are the same."""
    return ScriptedScene(source=SyntheticSource(20, 10, (GOP_FRAMES,) * 10, fps=10.0))


def sought(start: Start, mbps: float, **settings: object) -> tuple[Session, ScriptedScene]:
    """Playing; then a seek to where nothing is, on a network where only little comes at once."""
    made = scene()
    session: Session = start(made, mbps=mbps, pipeline=SMALL_BUFFER, **settings)
    session.play(3.0)
    made.fetched.clear()
    session.playback.seek(24.0)
    return session, made


def qualities_of(frames: list[PlaybackFrame], gop: int) -> list[int]:
    """The qualities at which the frames of a GOP were shown, one after another."""
    qualities: list[int] = []
    for frame in frames:
        if frame.index // GOP_FRAMES == gop and qualities[-1:] != [frame.quality.qp]:
            qualities.append(frame.quality.qp)
    return qualities


def assert_in_order(frames: list[PlaybackFrame]) -> None:
    places = [frame.index for frame in frames if frame.serial == frames[-1].serial]
    assert places == sorted(places)


def test_shown_gop_is_replaced_after_a_seek(start: Start) -> None:
    seen = threading.Event()

    def waits(line: ScriptedNetwork, name: str) -> None:
        assert not name.startswith("(6, 2") or seen.wait(WAIT_S)

    session, made = sought(start, mbps=0.2, on_request=waits)
    first = session.until(lambda: session.playback.state is PlaybackState.PLAYING)
    seen.set()
    assert first is not None
    frames = [first, *session.play(7.0)]
    qualities = qualities_of(frames, 6)
    assert qualities[0] == 32
    assert qualities[-1] == 20
    swapped = next(
        frame for frame in frames if frame.index >= 240 and frame.quality.qp == qualities[1]
    )
    assert swapped.index <= 240 + GOP_FRAMES - 10  # a second of it was left
    assert made.fetched.count((6, -1)) == 1  # the keyframe came once
    assert_in_order(frames)
    assert session.playback.state is PlaybackState.PLAYING


def test_shown_gop_stays_on_a_slow_network(start: Start) -> None:
    session, _ = sought(start, mbps=0.03)
    frames = session.play(9.0)
    assert qualities_of(frames, 6) == [32]
    assert_in_order(frames)


def test_chosen_quality_stays_until_the_next_gop(start: Start) -> None:
    session, _ = sought(start, mbps=0.2, qp=28)
    frames = session.play(2.0)
    session.playback.set_quality(session.playback.opened.quality(20))
    frames += session.play(6.0)
    assert qualities_of(frames, 6) == [28]
    assert qualities_of(frames, 7)[0] in (20, 28)


def test_upgrade_of_the_shown_gop_is_aborted_on_a_drop(start: Start) -> None:
    begun: list[str] = []

    def collapses(line: ScriptedNetwork, name: str) -> None:
        line.bps = 60_000.0 if begun else line.bps
        if name.startswith("(6") and name.endswith((" 20)", " 28)")):
            begun.append(name)
            line.bps = 5_000.0

    session, made = sought(start, mbps=0.2, on_request=collapses)
    frames = session.play(12.0)
    assert begun
    assert session.line.cancelled[0] == begun[0]
    assert qualities_of(frames, 6) == [32]
    assert (7, -1) in made.fetched
    assert_in_order(frames)


@pytest.mark.parametrize(
    ("buffer_s", "left_s", "mbps", "chosen"),
    [
        (10.0, 3.5, 1.0, 2),  # 17 kB at 1 Mbit/s take 0.15 s
        (10.0, 1.12, 1.0, 1),  # only the 9 kB of the next quality come in time
        (10.0, 1.05, 1.0, None),
        (0.1, 3.5, 1.0, None),  # the next GOP would be late
        (10.0, 3.5, 0.06, 1),  # room for twice the bit rate of that one, not of the best
        (10.0, 3.5, 0.03, None),
    ],
)
def test_shown_gop_is_upgraded_if_time_and_throughput_allow(
    buffer_s: float, left_s: float, mbps: float, chosen: int | None
) -> None:
    throughput = Throughput(mbps * 1e6, mbps * 1e6, latency_s=0.01)
    buffered = (BufferedSegment(6, 0, 0.0, (2, 1)),)
    seen = Situation(buffer_s, 7, 0, 1, throughput, buffered=buffered, shown_left_s=left_s)
    decision = UpgradeRule().choose(scene().ladder(), seen)
    assert (decision.quality_index if decision else None) == chosen


@pytest.mark.parametrize(("coming", "chosen"), [(0, None), (1, 1), (2, 2)])
def test_shown_gop_is_not_better_than_the_next(coming: int, chosen: int | None) -> None:
    throughput = Throughput(1e6, 1e6, latency_s=0.01)
    buffered = (BufferedSegment(6, 0, 0.0, (2, 1)), BufferedSegment(7, coming, 3.5))
    seen = Situation(10.0, 8, 0, 1, throughput, buffered=buffered, shown_left_s=3.5)
    decision = UpgradeRule().choose(scene().ladder(), seen)
    assert (decision.quality_index if decision else None) == chosen
