"""Sound of live scenes: a segment for each GOP, and a player that follows it at the live edge."""

from __future__ import annotations

import json
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from streamstgs.app.player.live.follower import LiveSettings
from streamstgs.app.player.playback import Playback, PlaybackSettings
from streamstgs.app.player.sound.sample_store import SampleStore
from streamstgs.app.player.sound.sound_player import SoundPlayer
from streamstgs.app.player.sound.sound_time import SoundTime
from streamstgs.app.player.viewer_model import ViewerModel
from streamstgs.codec.cancel import NEVER
from streamstgs.codec.encoder.edit import SceneChanges, edit_scene
from streamstgs.codec.errors import CorruptSegment, EncodeError, MissingSegment
from streamstgs.codec.info import describe
from streamstgs.codec.package.dash import write_dash
from streamstgs.codec.package.file_entry import FileEntry
from streamstgs.codec.package.gop_times import GopTimes
from streamstgs.codec.package.manifest_json import read_manifest
from streamstgs.codec.package.sound_track import PACKET_SAMPLES, RATE_HZ, GopSound, SoundTrack
from streamstgs.codec.publish.encoding import EncodingPublisher
from streamstgs.codec.publish.feed import SceneFeed
from streamstgs.codec.publish.live_sound import LiveSound, samples_of
from streamstgs.codec.publish.publisher import Publisher, PublishSettings
from streamstgs.codec.publish.store import Store
from streamstgs.codec.scene import open_scene
from streamstgs.codec.sound.sound_coding import Samples

from tests.scripted_scene import ManualClock
from tests.sound_samples import scene_with_sound, tone_with_claps, write_wav
from tests.test_player_sound import ManualDevice

FRAMES = 7  # of the scene: GOPs of 4 and 3 frames, 24 frames a second
FPS = 24.0
SETTINGS = PublishSettings(per_page=3, update_s=0.02)
WAIT_S = 60.0


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Path:
    samples = tone_with_claps(FRAMES / FPS, (0.05, 0.2))
    return scene_with_sound(tmp_path_factory.mktemp("source"), samples)


def publish(
    scene: Path,
    target: Path,
    count: int,
    settings: PublishSettings = SETTINGS,
    ends: bool = False,
) -> None:
    """Append GOPs as a publisher does that was just started; the event may end with them."""
    feed = SceneFeed(str(scene))
    publisher = Publisher(Store(str(target)), feed.header, settings)
    feed.publish_header(publisher)
    for _ in range(count):
        feed.publish(publisher, publisher.count, publisher.frames)
    if ends:
        publisher.finish()
    feed.close()


def sound_of(target: Path) -> Samples:
    """All of the sound of a published scene, from time 0 on."""
    with open_scene(target) as event:
        track = event.sound
        assert track is not None
        parts = [event.read_sound(k) for k in range(track.count)]
        assert [len(part) for part in parts] == [
            track.start(k + 1) - track.start(k) for k in range(track.count)
        ]
    return np.concatenate(parts)[track.delay :]


def test_sound_is_published_at_its_time_and_repeats_with_the_scene(
    scene: Path, tmp_path: Path
) -> None:
    """Two publishers, one after the other, leave no gap between their segments."""
    publish(scene, tmp_path / "event", 5)
    publish(scene, tmp_path / "event", 9)
    found = sound_of(tmp_path / "event").astype(float)
    once = tone_with_claps(FRAMES / FPS, (0.05, 0.2))
    wanted = np.tile(once, (7, 1))[: len(found)].astype(float)
    assert len(found) > (7 * FRAMES - 1) / FPS * RATE_HZ - 2 * PACKET_SAMPLES
    assert np.corrcoef(found[:, 0], wanted[:, 0])[0, 1] > 0.85  # it was encoded twice
    for start in range(0, len(wanted) - len(once), len(once)):
        clap = found[start + round(0.19 * RATE_HZ) : start + round(0.22 * RATE_HZ), 0]
        assert 0.01 <= np.abs(clap).argmax() / RATE_HZ <= 0.016


def test_dash_lists_the_sound_beside_the_video(scene: Path, tmp_path: Path) -> None:
    publish(scene, tmp_path / "event", 4)
    space = {"m": "urn:mpeg:dash:schema:mpd:2011"}
    mpd = ElementTree.parse(tmp_path / "event/scene.mpd")
    (sound,) = mpd.iterfind(".//m:AdaptationSet[@mimeType='audio/mp4']", space)
    template = sound.find(".//m:SegmentTemplate", space)
    assert template is not None
    assert (tmp_path / "event" / str(template.get("initialization"))).exists()
    spans = list(sound.iterfind(".//m:S", space))
    lengths = [int(str(span.get("d"))) * (1 + int(span.get("r", "0"))) for span in spans]
    with open_scene(tmp_path / "event") as event:
        assert event.sound is not None
        assert sum(lengths) == event.sound.start(4) + event.sound.delay
        told = describe(event)["sound"]
    assert told["seconds"] == pytest.approx(14 / FPS, abs=0.03)


def test_an_event_that_is_over_can_be_edited(scene: Path, tmp_path: Path) -> None:
    publish(scene, tmp_path / "event", 5, ends=True)
    edit_scene(tmp_path / "event", tmp_path / "named.stgs", SceneChanges(title="Named"))
    with open_scene(tmp_path / "event") as event, open_scene(tmp_path / "named.stgs") as named:
        assert named.meta.title == "Named"
        assert np.array_equal(named.read_sound(4), event.read_sound(4))
        assert b'mimeType="audio/mp4"' in write_dash(named.manifest)


@pytest.mark.parametrize("name", ["other.stgs", "other"])
def test_the_sound_of_an_event_that_is_over_can_be_replaced(
    scene: Path, tmp_path: Path, name: str
) -> None:
    """Pages go on listing the former sound, whose files stay with them."""
    publish(scene, tmp_path / "event", 9, ends=True)
    wav = write_wav(tmp_path / "clap.wav", tone_with_claps(1.0, (0.1,)))
    edit_scene(tmp_path / "event", tmp_path / name, SceneChanges(audio=wav))
    with open_scene(tmp_path / name) as other:
        assert isinstance(other.sound, SoundTrack)
        assert other.read_sound(0).any()
        other.decode_gop(8, other.qualities[0])


def test_an_event_whose_beginning_is_gone_is_not_edited(scene: Path, tmp_path: Path) -> None:
    settings = replace(SETTINGS, window_s=0.5, grace_pages=0)
    publish(scene, tmp_path / "event", 24, settings, ends=True)
    with pytest.raises(EncodeError, match="first 18 segments are gone"):
        edit_scene(tmp_path / "event", tmp_path / "named.stgs", SceneChanges(title="Named"))
    assert not (tmp_path / "named.stgs").exists()


def test_sound_leaves_the_window_with_its_segment(scene: Path, tmp_path: Path) -> None:
    settings = replace(SETTINGS, window_s=0.5, grace_pages=0)
    publish(scene, tmp_path / "event", 24, settings)
    with open_scene(tmp_path / "event") as event:
        first = event.first_gop
        assert first > 0
        names = {file.stem for file in (tmp_path / "event/sound").glob("0*.m4s")}
        assert min(map(int, names)) == first
        event.read_sound(first)
        with pytest.raises(MissingSegment):
            event.read_sound(first - 1)


def test_a_scene_may_be_published_silently(scene: Path, tmp_path: Path) -> None:
    from streamstgs.cli.publish import Publish

    for silent in (False, True):
        target = tmp_path / f"event-{silent}"
        assert Publish(str(scene), str(target), speed=1e3, silent=silent).run() == 0
        with open_scene(target) as event:
            assert (event.sound is None) is silent


def test_segments_get_their_sound_while_they_are_encoded(scene: Path, tmp_path: Path) -> None:
    """The encoder hands over segments; the sound is that of a file, here a little too short."""
    manifest = read_manifest((scene / "scene.json").read_bytes())
    wanted = tone_with_claps(0.2, (0.1,))
    wav = write_wav(tmp_path / "tone.wav", wanted)
    live = EncodingPublisher(Store(str(tmp_path / "event")), audio=(wav, FRAMES / FPS))
    header = replace(manifest, gops=(), sound=None, poster=None)
    for gop in manifest.gops:
        live(header, gop, lambda name: (scene / name).read_bytes())
    live.finish()
    found = sound_of(tmp_path / "event")
    assert np.corrcoef(found[: len(wanted), 0], wanted[:, 0])[0, 1] > 0.9
    assert np.abs(found[len(wanted) + 2 * PACKET_SAMPLES :]).max() < 50


def test_segments_too_long_for_sound_are_refused(scene: Path, tmp_path: Path) -> None:
    sound = LiveSound(1, fps=1.0)
    silence = samples_of(np.zeros((0, 1), np.int16))
    with pytest.raises(EncodeError, match=r"11\.0 s.*shorter groups"):
        sound.write_gop(0, (0, 11), silence, FileEntry.of)
    # Too long a segment in a scene is not decoded, and a GOP that lists none has no sound.
    publish(scene, tmp_path / "event", 2)
    path = tmp_path / "event/scene.json"
    document = json.loads(path.read_bytes())
    document["meta"]["fps"] = 0.1
    del document["gops"][1]["sound"]
    path.write_text(json.dumps(document))
    with open_scene(tmp_path / "event") as event:
        with pytest.raises(CorruptSegment, match="40 s of sound"):
            event.read_sound(0)
        with pytest.raises(MissingSegment):
            event.read_sound(1)


@pytest.mark.parametrize("fps", [24.0, 30_000 / 1001, 60.0])
def test_each_sample_belongs_to_one_segment(fps: float) -> None:
    track = GopSound(2, 312, FileEntry("x", 1, 0), GopTimes.of([7, 1, 30, 30, 2] * 20), fps)
    for segment in range(track.count):
        begin, end = track.start(segment), track.start(segment + 1)
        if begin < end:
            assert {track.segment_at(begin), track.segment_at(end - 1)} == {segment}
    assert track.segment_at(10**9) == track.count - 1


# --- the player -----------------------------------------------------------------------------------


def until(condition: Callable[[], object]) -> None:
    end_s = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < end_s
        time.sleep(0.002)


def test_player_loads_the_sound_that_arrives(scene: Path, tmp_path: Path) -> None:
    device = ManualDevice(ManualClock())
    settings = PlaybackSettings(live=LiveSettings(latency_s=0.1))
    model = ViewerModel(lambda location, clock: Playback(location, settings, clock=clock))
    model.sound = SoundPlayer(lambda: device, SoundTime())
    publish(scene, tmp_path / "event", 4)
    try:
        model.open(str(tmp_path / "event"), play=False)
        until(lambda: [model.tick(), model.sound.available][1])
        store = model.sound._store
        assert isinstance(store, SampleStore)
        until(lambda: [model.tick(), store.has(0, store.track.start(4))][1])
        publish(scene, tmp_path / "event", 3)
        until(lambda: [model.tick(), store.track.count == 7][1])
        model.sound.update(13 / FPS)  # as if it played there
        end = store.track.start(7)
        until(lambda: store.has(end - RATE_HZ // 10, end))
        assert np.abs(store.read(end - RATE_HZ // 10, RATE_HZ // 10)).max() > 200
        assert not store.load_next(end, NEVER)
        publish(scene, tmp_path / "event", 2, ends=True)
        until(lambda: [model.tick(), store.track.count == 9][1])
        assert model.playback is not None
        until(lambda: [model.tick(), model.playback.status().live is None][1])
    finally:
        model.close()


def test_sound_of_a_scene_that_took_the_place_is_played(scene: Path, tmp_path: Path) -> None:
    model = ViewerModel(lambda location, clock: Playback(location, clock=clock))
    model.sound = SoundPlayer(lambda: ManualDevice(ManualClock()), SoundTime())
    publish(scene, tmp_path / "event", 4)
    try:
        model.open(str(tmp_path / "event"), play=False)
        until(lambda: [model.tick(), model.sound.available][1])
        former = model.sound._store
        path = tmp_path / "event/scene.json"
        document = json.loads(path.read_bytes())
        document["meta"]["title"] = "Another"
        path.write_text(json.dumps(document))
        until(lambda: [model.tick(), model.sound._store is not former][1])
        assert model.sound.available
    finally:
        model.close()
