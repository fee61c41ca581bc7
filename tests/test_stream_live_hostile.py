"""Live scenes whose publisher errs, lies or breaks: the player waits, says so, and goes on."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from mpegdash.parser import MPEGDASHParser
from streamstgs.app.player.live.follower import LiveSettings
from streamstgs.app.player.pipeline.pipeline import PipelineSettings
from streamstgs.app.player.playback import Playback, PlaybackSettings
from streamstgs.app.player.status import PlaybackError, PlaybackState
from streamstgs.codec.cancel import NEVER, CancelToken
from streamstgs.codec.encoder.encode import encode_scene
from streamstgs.codec.errors import (
    CodecError,
    MissingSegment,
    NotAScene,
    SceneChanged,
    SceneUnreachable,
)
from streamstgs.codec.package.file_entry import FileEntry
from streamstgs.codec.package.gop_times import GopTimes
from streamstgs.codec.package.sound_track import GopSound
from streamstgs.codec.publish.publisher import Publisher
from streamstgs.codec.publish.store import Store
from streamstgs.codec.scene import OpenSettings, open_scene
from streamstgs.codec.streaming.disk_cache import CacheSettings
from streamstgs.codec.streaming.http.settings import HttpSettings

from tests.fault_server import FaultServer
from tests.golden.make_golden import golden_scene
from tests.served_scene import scene_files
from tests.synthetic import SyntheticSource
from tests.test_codec_pages import QUICK
from tests.test_stream_live import SETTINGS, Event, until

Document = dict[str, Any]
Lie = Callable[[Document], object]
IMPATIENT = PlaybackSettings(
    live=LiveSettings(latency_s=0.1),
    resume_s=0.05,
    pipeline=PipelineSettings(retry_s=0.005, hurry_s=0.05),
)


@pytest.fixture
def event(tmp_path: Path) -> Iterator[Event]:
    event = Event(str(tmp_path / "event"))
    yield event
    event.feed.close()


def events(playback: Playback) -> list[PlaybackError]:
    """The errors since the last call."""
    return playback.take_events()


def isodate_seconds(text: str) -> float:
    return float(text.removeprefix("PT").removesuffix("S"))


def manifest_of(event: Event) -> Path:
    return Path(event.location) / "scene.json"


def edited(data: bytes, lie: Lie) -> bytes:
    document = json.loads(data)
    lie(document)
    return json.dumps(document).encode()


def edit_pages(**members: object) -> Lie:
    return lambda document: document["pages"].update(members)


def edit_live(**members: object) -> Lie:
    return lambda document: document["live"].update(members)


NO_MANIFESTS: dict[str, Callable[[bytes], bytes]] = {
    "nothing": lambda data: b"",
    "half of it": lambda data: data[: len(data) // 2],
    "a page of a captive portal": lambda data: b"<html>Please sign in</html>",
    "50 MB": lambda data: data + b" " * (50 << 20),
    "a gap in the GOPs": lambda data: edited(data, lambda d: d["gops"].pop(0)),
    "GOPs of other times": lambda data: edited(data, lambda d: d["gops"][0].update(frames=9)),
    "an index that went away": lambda data: edited(data, lambda d: d["pages"].pop("index")),
    "more GOPs than its times": lambda data: edited(data, edit_pages(count=100)),
    "GOPs that are gone": lambda data: edited(data, edit_pages(available=100)),
    "no news for years": lambda data: edited(data, edit_live(update_s=1e9)),
    "a time before 1970": lambda data: edited(data, edit_live(start_s=-1.0)),
}


@pytest.mark.parametrize("broken", NO_MANIFESTS.values(), ids=NO_MANIFESTS.keys())
def test_invalid_manifest_is_refused_each_time_it_is_read(
    event: Event, broken: Callable[[bytes], bytes]
) -> None:
    event.publish(8)
    with open_scene(event.location) as scene:
        whole = manifest_of(event).read_bytes()
        manifest_of(event).write_bytes(broken(whole))
        for _ in range(3):
            with pytest.raises(CodecError):
                scene.refresh()
        assert (scene.gop_count, scene.live is not None) == (8, True)
        scene.decode_gop(7, scene.qualities[0])
        manifest_of(event).write_bytes(whole)
        assert not scene.refresh()
        event.publish(1)
        assert scene.refresh()
        scene.decode_gop(8, scene.qualities[0])


def test_replaced_scene_is_reported_each_time(event: Event) -> None:
    event.publish(3)
    with open_scene(event.location) as scene:
        data = manifest_of(event).read_bytes()
        manifest_of(event).write_bytes(edited(data, lambda d: d["meta"].update(title="Other")))
        for _ in range(2):
            with pytest.raises(SceneChanged):
                scene.refresh()
        manifest_of(event).write_bytes(data)
        assert not scene.refresh()


def test_sound_that_changes_is_another_scene(tmp_path: Path) -> None:
    event = Event(str(tmp_path / "event"))
    init = b"initialisation segment"
    for channels in (1, 2):
        sound = GopSound(channels, 312, FileEntry.of("sound/init.mp4", init), GopTimes(()), 24.0)
        header = replace(event.feed.header, sound=sound)
        store = Store(event.location)
        store.delete("scene.json")
        event.publisher = Publisher(store, header, event.settings)
        event.publish(2)
        if channels == 1:
            scene = open_scene(event.location)
            event.publish(1)
            assert scene.refresh()
    with scene, pytest.raises(SceneChanged):
        scene.refresh()
    event.feed.close()


def test_invalid_manifest_does_not_replace_the_kept_one(tmp_path: Path) -> None:
    server = FaultServer(scene_files())
    quick = HttpSettings(connect_s=2.0, stall_s=2.0, tries=1, backoff_s=0.001)
    settings = OpenSettings(http=quick, cache=CacheSettings(directory=tmp_path))
    url, manifest = f"{server.url}/ball", server.files["/ball/scene.json"]
    try:
        with open_scene(url, settings) as scene:
            scene.decode_gop(0, scene.qualities[0])
            server.files["/ball/scene.json"] = b"<html>Please sign in</html>"
            with pytest.raises(NotAScene):
                scene.refresh()
            scene.decode_gop(1, scene.qualities[-1])
        with pytest.raises(NotAScene):
            open_scene(url, settings)
        server.vanish()
        with open_scene(url, settings) as scene:
            assert scene._files.manifest == manifest
            scene.decode_gop(0, scene.qualities[0])
            with pytest.raises(SceneUnreachable):
                scene.refresh()
    finally:
        server.stop()


def test_player_outlives_each_invalid_manifest(event: Event) -> None:
    event.publish(8)
    playback = Playback(event.location, IMPATIENT)
    try:
        until(playback.tick)
        for broken in NO_MANIFESTS.values():
            whole = manifest_of(event).read_bytes()
            manifest_of(event).write_bytes(broken(whole))
            until(lambda: playback.tick() and "Trying again" in playback.status().message)
            manifest_of(event).write_bytes(whole)
            event.publish(2)
            frames = event.publisher.frames
            until(lambda frames=frames: playback.tick() and playback.status().frames == frames)
            until(lambda: playback.status().message == "")
        newest = event.publisher.frames - 5
        until(lambda: (frame := playback.tick()) is not None and frame.index > newest)
        assert not any(error.fatal for error in playback.take_events())
    finally:
        playback.close()


def test_event_whose_beginning_is_gone_is_joined_at_its_edge(tmp_path: Path) -> None:
    event = Event(str(tmp_path / "event"), replace(SETTINGS, window_s=0.5, grace_pages=0))
    event.publish(30)
    live = LiveSettings(latency_s=0.1)
    playback = Playback(event.location, PlaybackSettings(live=live, resume_s=0.05))
    try:
        newest = event.publisher.frames - 5
        until(lambda: (frame := playback.tick()) is not None and frame.index > newest)
        playback.seek(0.0)
        until(lambda: (frame := playback.tick()) is not None and frame.index < newest)
        event.publish(30)
        playback.go_live()
        newest = event.publisher.frames - 5
        until(lambda: (frame := playback.tick()) is not None and frame.index > newest)
        assert not any(error.fatal for error in playback.take_events())
    finally:
        playback.close()
        event.feed.close()


def test_segment_is_decoded_that_left_the_window_after_it_was_fetched(tmp_path: Path) -> None:
    event = Event(str(tmp_path / "event"), replace(SETTINGS, window_s=0.5, grace_pages=0))
    event.publish(8)
    with open_scene(event.location) as scene:
        first, quality = scene.first_gop, scene.qualities[0]
        keyframe = scene.fetch_keyframe(first)
        features = scene.fetch_features(first, quality)
        event.publish(8)
        assert scene.refresh()
        assert scene.first_gop > first
        assert len(scene.decoder.keyframe(first, keyframe).canonical) > 0
        scene.decoder.features(first, features)
        with pytest.raises(MissingSegment):
            scene.decode_gop(first, quality)
    event.feed.close()


def test_first_segment_that_is_broken_does_not_end_a_live_scene(event: Event) -> None:
    """Those that follow may be whole."""
    event.publish(1)
    for file in (Path(event.location) / "fields").iterdir():
        file.write_bytes(b"")
    live = LiveSettings(latency_s=0.1)
    playback = Playback(event.location, PlaybackSettings(live=live, resume_s=0.05))
    try:
        until(lambda: playback.tick() or any("skipped" in e.message for e in events(playback)))
        event.publish(3)
        until(lambda: (frame := playback.tick()) is not None and frame.index > 10)
        assert playback.state is not PlaybackState.FAILED
    finally:
        playback.close()


def test_newest_segment_that_is_missing_does_not_end_a_live_scene(event: Event) -> None:
    """Playback waits before it, and passes over it once another one is there."""
    event.publish(6)
    newest = Path(event.location) / "fields/000005.safetensors"
    newest.unlink()
    live = LiveSettings(latency_s=0.1)
    playback = Playback(event.location, PlaybackSettings(live=live, resume_s=0.05))
    last = event.publisher.frames - 4  # of the segment before it
    try:
        until(lambda: (frame := playback.tick()) is not None and frame.index == last)
        until(lambda: playback.tick() and playback.state is PlaybackState.BUFFERING)
        event.publish(2)
        until(lambda: (frame := playback.tick()) is not None and frame.index > last + 3)
        assert playback.state is not PlaybackState.ENDED
    finally:
        playback.close()


def test_list_that_stays_away_is_waited_for(event: Event) -> None:
    """Caches may name a list that the publisher replaced, for longer than one attempt."""
    event.publish(8)
    whole = manifest_of(event).read_bytes()
    index = Path(event.location) / json.loads(whole)["pages"]["index"]["name"]
    content = index.read_bytes()
    index.unlink()
    playback = Playback(event.location, IMPATIENT)
    try:
        until(playback.tick)
        playback.seek(0.0)
        until(lambda: playback.tick() is None and "damaged" in playback.status().message)
        time.sleep(0.1)
        index.write_bytes(content)
        until(lambda: (frame := playback.tick()) is not None and frame.index < 5)
        assert not any(error.fatal for error in playback.take_events())
    finally:
        playback.close()


@pytest.mark.parametrize("finished", [False, True])
def test_another_event_in_the_place_is_followed_at_its_edge(event: Event, finished: bool) -> None:
    """The publisher begins again with another scene; that is shorter than what was watched."""
    event.publish(40)
    live = LiveSettings(latency_s=0.1)
    playback = Playback(event.location, PlaybackSettings(live=live, resume_s=0.05))
    try:
        until(lambda: (frame := playback.tick()) is not None and frame.index > 130)
        header = replace(event.feed.header, meta=replace(event.feed.header.meta, title="Second"))
        manifest_of(event).unlink()
        event.publisher = Publisher(Store(event.location), header, event.settings)
        event.publish(2)
        if finished:
            event.publisher.finish()
        until(lambda: playback.tick() and playback.status().frames == 7)
        serial = playback._playhead.serial
        until(lambda: (frame := playback.tick()) is not None and frame.index == 6)
        if not finished:
            event.publish(3)
            until(lambda: (frame := playback.tick()) is not None and frame.index > 14)
        assert playback._playhead.serial <= serial + 1
        assert playback._playhead.clock.rate == 1.0 or not finished
        assert not any(error.fatal for error in playback.take_events())
    finally:
        playback.close()


@pytest.mark.parametrize("wrong_s", [-1e9, -7200.0, 7200.0, 1e10])
def test_clock_of_the_publisher_does_not_matter_to_the_player(
    tmp_path: Path, wrong_s: float
) -> None:
    """Hours wrong, in the future, and running backwards after a restart."""
    event = Event(str(tmp_path / "event"))
    for jump_s in (0.0, -3600.0):
        store, header = Store(event.location), event.feed.header
        event.publisher = Publisher(
            store, header, event.settings, lambda jump_s=jump_s: 1.7e9 + wrong_s + jump_s
        )
        event.publish(4)
    document = MPEGDASHParser.parse((Path(event.location) / "scene.mpd").read_text())
    begins_s = isodate_seconds(document.periods[0].start)
    assert begins_s >= 0.0
    assert document.publish_time >= document.availability_start_time
    live = LiveSettings(latency_s=0.1)
    playback = Playback(event.location, PlaybackSettings(live=live, resume_s=0.05))
    try:
        until(lambda: (frame := playback.tick()) is not None and frame.index > 20)
        event.publish(2)
        until(lambda: (frame := playback.tick()) is not None and frame.index > 30)
        assert playback.take_events() == []
    finally:
        playback.close()
        event.feed.close()


@pytest.mark.parametrize("kind", ["of another codec", "of another geometry", "cut off"])
def test_segments_of_other_content_are_passed_over(
    event: Event, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """Their checksums are as declared: the publisher made them so."""
    other = golden_scene("hevc")
    if kind == "of another geometry":
        other = tmp_path / "other.stgs"
        source = SyntheticSource(9, 30, (4, 3), fps=24.0)
        encode_scene(source, other, replace(QUICK, qps=(20,), codec="h264"))
    with open_scene(other) as opened:
        files, segment = opened._files, opened.manifest.gops[0].segments[0].file
        video = files.read(segment)
    read = event.feed._files.read

    def changed(file: FileEntry, cancel: CancelToken = NEVER) -> bytes:
        data = read(file, cancel)
        if not file.name.endswith(".m4s"):
            return data
        return data[:-100] if kind == "cut off" else video

    event.publish(4)
    live = LiveSettings(latency_s=0.1)
    playback = Playback(event.location, PlaybackSettings(live=live, resume_s=0.05))
    try:
        until(lambda: (frame := playback.tick()) is not None and frame.index > 10)
        with monkeypatch.context() as wrong:
            wrong.setattr(event.feed._files, "read", changed)
            event.publish(1)
        bad = range(event.publisher.frames - 4, event.publisher.frames)
        event.publish(2)
        shown: set[int] = set()

        def passed() -> bool:
            frame = playback.tick()
            shown.update([] if frame is None else [frame.index])
            return max(shown, default=0) >= bad.stop + 3

        until(passed)
        assert not shown.intersection(bad)
        told = playback.take_events()
        assert any("skipped" in error.message for error in told)
        assert not any(error.fatal for error in told)
    finally:
        playback.close()
