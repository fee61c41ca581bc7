"""Live scenes whose publisher errs, lies or breaks: the player waits, says so, and goes on."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from streamstgs.app.player.live.follower import LiveSettings
from streamstgs.app.player.pipeline.pipeline import PipelineSettings
from streamstgs.app.player.playback import Playback, PlaybackSettings
from streamstgs.codec.errors import CodecError, NotAScene, SceneChanged, SceneUnreachable
from streamstgs.codec.package.file_entry import FileEntry
from streamstgs.codec.package.gop_times import GopTimes
from streamstgs.codec.package.sound_track import GopSound
from streamstgs.codec.publish.publisher import Publisher
from streamstgs.codec.publish.store import Store
from streamstgs.codec.scene import OpenSettings, open_scene
from streamstgs.codec.streaming.disk_cache import CacheSettings
from streamstgs.codec.streaming.http.settings import HttpSettings

from tests.fault_server import FaultServer
from tests.served_scene import scene_files
from tests.test_stream_live import Event, until

Document = dict[str, Any]
Lie = Callable[[Document], object]


@pytest.fixture
def event(tmp_path: Path) -> Iterator[Event]:
    event = Event(str(tmp_path / "event"))
    yield event
    event.feed.close()


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
    live = LiveSettings(latency_s=0.1)
    settings = PlaybackSettings(
        live=live, resume_s=0.05, pipeline=PipelineSettings(retry_s=0.005, hurry_s=0.05)
    )
    playback = Playback(event.location, settings)
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
