"""Live scenes: what a publisher writes, and how a playback follows it."""

from __future__ import annotations

import json
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from mpegdash.parser import MPEGDASHParser
from streamstgs.app.player.live.follower import LiveFollower, LiveSettings
from streamstgs.app.player.playback import Playback, PlaybackSettings
from streamstgs.app.player.status import PlaybackState
from streamstgs.app.player.viewer.open_scene import OpenScene, SceneState
from streamstgs.codec.cancel import NEVER, CancelToken
from streamstgs.codec.encoder.encode import OnGop, encode_scene
from streamstgs.codec.errors import MissingSegment, SceneChanged, WriteError
from streamstgs.codec.package.file_entry import FileEntry
from streamstgs.codec.package.manifest import GopEntry, Manifest
from streamstgs.codec.publish.encoding import EncodingPublisher
from streamstgs.codec.publish.feed import SceneFeed
from streamstgs.codec.publish.publisher import Publisher, PublishSettings
from streamstgs.codec.publish.store import Store
from streamstgs.codec.scene import Scene, open_scene
from streamstgs.codec.streaming.scene_files import LocalFiles

from tests.golden.make_golden import golden_scene
from tests.synthetic import SyntheticSource
from tests.test_codec_pages import QUICK

SCENE = golden_scene("h264")  # GOPs of 4 and 3 frames, 24 frames a second
SETTINGS = PublishSettings(per_page=3, update_s=0.02)
WAIT_S = 60.0


class Event:
    """A scene that is published at a location."""

    def __init__(self, location: str, settings: PublishSettings = SETTINGS) -> None:
        self.feed = SceneFeed(str(SCENE))
        self.location, self.settings = location, settings
        self.start()

    def start(self) -> None:
        self.publisher = Publisher(Store(self.location), self.feed.header, self.settings)
        self.feed.publish_header(self.publisher)

    def publish(self, count: int) -> None:
        for _ in range(count):
            self.feed.publish(self.publisher, self.publisher.count, self.publisher.frames)


@pytest.fixture
def event(tmp_path: Path) -> Iterator[Event]:
    event = Event(str(tmp_path / "event"))
    yield event
    event.feed.close()


def until(condition: Callable[[], object]) -> None:
    end_s = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < end_s
        time.sleep(0.002)


def test_published_scene_holds_the_content_of_the_feed(event: Event) -> None:
    event.publish(8)
    with open_scene(event.location) as live, open_scene(SCENE) as source:
        assert live.live is not None
        assert list(live.gop_times) == [4, 3] * 4
        for number in range(8):
            shown = live.decode_gop(number, live.qualities[-1])
            expected = source.decode_gop(number % 2, source.qualities[-1])
            assert shown.features.equal(expected.features)
    event.publisher.finish()
    with open_scene(event.location) as ended:
        assert ended.live is None
        assert ended.gop_count == 8


def test_open_scene_sees_what_is_published_later(event: Event) -> None:
    event.publish(2)
    with open_scene(event.location) as scene:
        assert not scene.refresh()
        event.publish(5)
        assert scene.refresh()
        assert scene.gop_count == 7
        scene.decode_gop(6, scene.qualities[0])
        scene.decode_gop(0, scene.qualities[0])


def test_segments_that_were_listed_are_read_without_the_index(event: Event) -> None:
    """The decoder asks for them when a page has taken them, and may not wait for a network."""
    event.publish(3)
    with open_scene(event.location) as scene:
        event.publish(2)
        assert scene.refresh()
        for file in (Path(event.location) / "pages").iterdir():
            file.unlink()
        assert scene.is_listed(1)
        scene.decode_gop(1, scene.qualities[0])


def test_a_publisher_goes_on_where_another_stopped(event: Event) -> None:
    event.publish(5)
    started_s = event.publisher._state.live.start_s
    event.start()
    assert event.publisher.count == 5
    event.publish(3)
    with open_scene(event.location) as scene:
        assert list(scene.gop_times) == [4, 3] * 4
        assert scene.live is not None
        assert (scene.live.start_s, scene.live.anchor_frame) == (started_s, 18)
        for number in range(8):
            scene.decode_gop(number, scene.qualities[0])


def test_publisher_refuses_the_place_of_another_scene(event: Event, tmp_path: Path) -> None:
    event.publish(1)
    meta = replace(event.feed.header.meta, title="Another")
    with pytest.raises(WriteError, match="another scene"):
        Publisher(Store(event.location), replace(event.feed.header, meta=meta))
    with zipfile.ZipFile(SCENE) as archive:
        archive.extractall(tmp_path / "finished")
    with pytest.raises(WriteError, match="another scene"):
        Publisher(Store(str(tmp_path / "finished")), event.feed.header)


def test_window_deletes_what_is_old(tmp_path: Path) -> None:
    settings = replace(SETTINGS, window_s=0.5, grace_pages=1)
    event = Event(str(tmp_path / "event"), settings)
    event.publish(30)
    with open_scene(event.location) as scene:
        assert 0 < scene.first_gop < 27
        scene.decode_gop(scene.first_gop, scene.qualities[0])
        with pytest.raises(MissingSegment, match="gone"):
            scene.decode_gop(scene.first_gop - 1, scene.qualities[0])
    assert not (tmp_path / "event/fields/000000.safetensors").exists()
    lists = len(list((tmp_path / "event/pages").glob("*.index")))
    assert lists <= 2  # and the one before, which caches may still name
    event.start()
    event.publish(1)
    event.feed.close()


def test_object_stores_are_reached_through_fsspec() -> None:
    event = Event("memory://live-test/event")
    event.publish(2)
    document = json.loads(Store(event.location).read("scene.json") or b"")
    assert document["pages"]["count"] == 2
    event.start()
    assert event.publisher.count == 2
    event.feed.close()


def test_addresses_of_unknown_stores_are_refused() -> None:
    with pytest.raises(WriteError, match="nowhere://"):
        Store("nowhere://bucket/event")


def test_dash_manifest_is_dynamic_until_the_end(event: Event) -> None:
    event.publish(4)
    document = MPEGDASHParser.parse((Path(event.location) / "scene.mpd").read_text())
    assert document.type == "dynamic"
    assert document.utc_timings[0].value == "scene.json"
    assert document.minimum_update_period == "PT0.020S"
    template = document.periods[0].adaptation_sets[0].representations[0].segment_templates[0]
    assert template.media == "features/qp20/$Number%06d$.m4s"
    lengths = [entry.d for entry in template.segment_timelines[0].Ss]
    assert sum(lengths) == 14 * 90000 / 24
    event.publisher.finish()
    document = MPEGDASHParser.parse((Path(event.location) / "scene.mpd").read_text())
    assert document.type == "static"


def test_another_scene_in_its_place_is_no_growth(event: Event) -> None:
    event.publish(3)
    with open_scene(event.location) as scene:
        path = Path(event.location) / "scene.json"
        document = json.loads(path.read_bytes())
        document["meta"]["title"] = "Another"
        path.write_text(json.dumps(document))
        with pytest.raises(SceneChanged):
            scene.refresh()


def test_segments_are_published_as_they_are_encoded(tmp_path: Path) -> None:
    """The second attempt goes on where the first one was stopped."""
    source, seen = SyntheticSource(9, 8, (2, 2, 2), fps=10.0), list[int]()
    store = Store(str(tmp_path / "event"))

    def watched(live: EncodingPublisher, stop_at: int) -> OnGop:
        def on_gop(header: Manifest, gop: GopEntry, read: Callable[[str], bytes]) -> None:
            if gop.start_frame == stop_at:
                raise KeyboardInterrupt
            live(header, gop, read)
            with open_scene(tmp_path / "event") as scene:
                assert scene.live is not None
                seen.append(scene.gop_count)

        return on_gop

    stopped = watched(EncodingPublisher(store), stop_at=4)
    with pytest.raises(KeyboardInterrupt):
        encode_scene(source, tmp_path / "scene", QUICK, on_gop=stopped)
    live = EncodingPublisher(store)
    encode_scene(source, tmp_path / "scene", QUICK, on_gop=watched(live, stop_at=-1))
    live.finish()
    assert seen == [1, 2, 2, 2, 3]
    with open_scene(tmp_path / "event") as event, open_scene(tmp_path / "scene") as whole:
        assert event.live is None
        for number in range(3):
            one, other = (s.decode_gop(number, s.qualities[-1]) for s in (event, whole))
            assert one.features.equal(other.features)
            assert one.static.means.equal(other.static.means)


# --- the player -----------------------------------------------------------------------------------


def test_playback_follows_waits_and_goes_on_to_the_end(event: Event) -> None:
    event.publish(12)
    settings = PlaybackSettings(live=LiveSettings(latency_s=0.3), resume_s=0.1)
    playback = Playback(event.location, settings)
    try:
        until(lambda: playback.tick() and playback.state is PlaybackState.PLAYING)
        status = playback.status()
        assert status.live is not None
        assert status.position_s > 0.5  # near the edge at 1.75 s, not at the start
        # The publisher is late: playback waits at the edge, and does not end.
        until(lambda: playback.tick() and playback.status().frame == 41)
        until(lambda: playback.tick() and playback.state is PlaybackState.BUFFERING)
        playback.pause()
        playback.play()
        assert playback.status().frame == 41
        playback.go_live()
        event.start()
        event.publish(8)
        until(lambda: (frame := playback.tick()) is not None and frame.index > 42)
        assert playback.status().duration_s == pytest.approx(70 / 24)
        playback.seek(0.2)
        until(lambda: (frame := playback.tick()) is not None and frame.index < 12)
        live = playback.status().live
        assert live is not None
        assert not live.following
        playback.go_live()
        until(lambda: (frame := playback.tick()) is not None and frame.index > 42)
        event.publisher.finish()
        until(lambda: playback.tick() and playback.state is PlaybackState.ENDED)
        assert playback.take_events() == []
    finally:
        playback.close()


def test_list_that_is_replaced_while_it_is_read_does_no_harm(
    event: Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The publisher deletes the list of pages that an older scene.json names."""
    event.publish(12)
    settings = PlaybackSettings(live=LiveSettings(latency_s=0.3), resume_s=0.1)
    playback = Playback(event.location, settings)
    read, lists = LocalFiles.read, list[str]()

    def late(files: LocalFiles, file: FileEntry, cancel: CancelToken = NEVER) -> bytes:
        if file.name.endswith(".index"):
            lists.append(file.name)
            if len(lists) == 1:
                event.publish(3)
        return read(files, file, cancel)

    try:
        until(lambda: playback.tick() and playback.status().frame == 41)
        monkeypatch.setattr(LocalFiles, "read", late)
        with monkeypatch.context() as away:  # the player sees all of it at once
            away.setattr(Scene, "refresh", lambda scene, cancel: False)
            event.publish(8)
        until(lambda: (frame := playback.tick()) is not None and frame.index > 42)
        assert len(lists) > 1
        assert playback.take_events() == []
    finally:
        playback.close()


def test_pause_keeps_the_frame_while_the_event_goes_on(event: Event) -> None:
    event.publish(12)
    playback = Playback(event.location, PlaybackSettings(live=LiveSettings(latency_s=0.3)))
    try:
        until(playback.tick)
        playback.pause()
        frame = playback.tick()
        assert frame is not None
        event.publish(6)
        until(lambda: playback.tick() and playback.status().duration_s > 2.0)
        shown = playback.tick()
        assert shown is not None
        assert shown.index == frame.index
    finally:
        playback.close()


def test_speed_is_normal_again_after_a_seek_from_the_edge(event: Event) -> None:
    event.publish(12)
    live = LiveSettings(latency_s=0.3, tolerance_s=0.0)  # so that it always comes nearer
    playback = Playback(event.location, PlaybackSettings(live=live, resume_s=0.05))
    clock = playback._playhead.clock
    try:
        until(lambda: playback.tick() and clock.rate != 1.0)
        assert playback.status().speed == 1.0
        playback.seek(0.2)
        until(lambda: playback.tick() and clock.rate == 1.0)
        playback.set_speed(0.5)
        until(lambda: (frame := playback.tick()) is not None and frame.index > 10)
        assert playback.status().speed == 0.5
    finally:
        playback.close()


def test_waiting_for_the_first_paint_does_not_leave_the_edge(event: Event) -> None:
    event.publish(12)
    settings = PlaybackSettings(live=LiveSettings(latency_s=0.3), resume_s=0.1)
    scene = OpenScene(event.location, waits_for_paint=True)
    scene.start(lambda location, clock: Playback(location, settings, clock=clock))
    playback = scene.playback
    assert playback is not None
    try:
        until(lambda: scene.tick() and scene.state is SceneState.DECODED)
        assert scene.held
        frame = scene.frame
        assert frame is not None
        scene.painted(frame)
        until(lambda: scene.tick() and playback.state is PlaybackState.PLAYING)
        live = playback.status().live
        assert live is not None
        assert live.following
        playback.seek_frame(0)
        live = playback.status().live
        assert live is not None
        assert not live.following
    finally:
        scene.close()
        scene.join()


def test_event_is_published_at_the_pace_of_its_content(tmp_path: Path) -> None:
    """The command, at twice the pace of the content."""
    from streamstgs.cli.publish import Publish

    target = tmp_path / "event"
    command = Publish(str(SCENE), str(target), speed=2.0, segments=6)
    begin_s = time.monotonic()
    thread = threading.Thread(target=command.run)
    thread.start()
    until((target / "scene.json").exists)
    playback = Playback(str(target), PlaybackSettings(live=LiveSettings(latency_s=0.1)))
    try:
        until(lambda: playback.tick() and playback.state is PlaybackState.ENDED)
    finally:
        thread.join()
        playback.close()
    assert time.monotonic() - begin_s >= 21 / 24 / 2
    with open_scene(target) as scene:
        assert (scene.live, scene.gop_count) == (None, 6)


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def test_follower_keeps_its_distance() -> None:
    clock = Clock()
    settings = LiveSettings(latency_s=4.0, tolerance_s=1.0, jump_s=8.0)
    follower = LiveFollower(settings, clock)
    follower.note_edge(98.0, 2.0)
    assert follower.goal_s() == 93.0  # somewhere within its step
    clock.now_s = 1.5
    follower.note_edge(100.0, 2.0)
    assert follower.goal_s() == 94.0
    clock.now_s = 3.0
    assert follower.goal_s() == 95.5
    clock.now_s = 9.0  # the next GOP is overdue: the goal waits
    assert follower.goal_s() == 97.0
    assert follower.jump_from(80.0) == 97.0
    assert follower.jump_from(90.0) is None
    follower.following = False
    assert follower.jump_from(0.0) is None
    assert follower.rate_at(0.0, 1.0) == 1.0


def test_edges_that_are_noticed_late_do_not_move_the_goal() -> None:
    """Players look for news once a second, so they notice an edge up to a second late."""
    clock = Clock()
    follower = LiveFollower(LiveSettings(latency_s=4.0), clock)
    for number, late_s in enumerate((0.7, 0.1, 0.9, 0.5, 0.0, 0.8, 0.3)):
        clock.now_s = 2.5 * number + late_s
        follower.note_edge(100.0 + 2.5 * number, 2.5)
        if number:
            assert follower.goal_s() == pytest.approx(clock.now_s + 93.5, abs=0.11)
    clock.now_s += 5.0 - 0.3
    follower.note_edge(120.0, 0.1)  # many short segments at once
    assert follower.goal_s() == pytest.approx(clock.now_s + 93.5, abs=0.11)
    clock.now_s += 60.0  # a publisher that was away: the goal follows it at once
    follower.note_edge(122.5, 2.5)
    assert follower.goal_s() == 122.5 - 2.5 - 4.0
