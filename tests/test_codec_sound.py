"""The sound of a scene: encoded, declared, decoded, and checked like video."""

from __future__ import annotations

import contextlib
import copy
import io
import json
import random
import struct
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from streamstgs.codec.errors import CorruptSegment, EncodeError, NotAScene
from streamstgs.codec.info import describe
from streamstgs.codec.limits import SOUND_SEGMENT_BYTES, SOUND_SEGMENTS
from streamstgs.codec.package.dash import write_dash
from streamstgs.codec.package.manifest_json import read_manifest, write_manifest
from streamstgs.codec.package.sound_track import PACKET_SAMPLES, RATE_HZ
from streamstgs.codec.scene import open_scene
from streamstgs.codec.sound.sound_coding import decode_sound, encode_sound, read_sound
from streamstgs.codec.video.mp4_boxes import find

from tests.golden.make_golden import golden_scene
from tests.sound_samples import document_of, scene_with_sound, tone_with_claps, write_wav

CLAPS_S = (0.5, 2.0, 3.7)
SECONDS = 4.5


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return scene_with_sound(tmp_path_factory.mktemp("sound"), tone_with_claps(SECONDS, CLAPS_S))


def test_decoded_sound_is_the_encoded_one_at_its_time(scene: Path) -> None:
    wanted = tone_with_claps(SECONDS, CLAPS_S).astype(float)
    with open_scene(scene) as opened:
        track = opened.sound
        assert track is not None
        parts = [opened.read_sound(k) for k in range(len(track.segments))]
        assert [len(part) for part in parts] == [s.samples for s in track.segments]
        assert track.samples >= len(wanted)
        assert track.segment_at(0) == 0
        assert track.segment_at(track.samples + 5) == len(parts) - 1
    found = np.concatenate(parts)[track.delay :][: len(wanted)].astype(float)
    correlation = np.corrcoef(found[:, 0], wanted[:, 0])[0, 1]
    assert correlation > 0.95  # in step to the sample: one sample off loses the noise of the claps
    assert np.corrcoef(found[:, 1], wanted[:, 1])[0, 1] > 0.95
    for clap_s in CLAPS_S:
        around = slice(round((clap_s - 0.1) * RATE_HZ), round((clap_s + 0.1) * RATE_HZ))
        loudest = int(np.abs(found[around, 0]).argmax()) / RATE_HZ - 0.1
        assert 0.0 <= loudest <= 0.006


def test_segments_join_without_a_gap(scene: Path) -> None:
    """A segment that is decoded alone with the one before equals the whole, decoded in one go."""
    with open_scene(scene) as opened:
        assert opened.sound is not None
        count = len(opened.sound.segments)
        parts = np.concatenate([opened.read_sound(k) for k in range(count)])
    root = scene / "sound"
    movie = b"".join((root / name).read_bytes() for name in ["init.mp4", *_media_names(count)])
    with av.open(io.BytesIO(movie)) as container:
        frames = [frame.to_ndarray() for frame in container.decode(audio=0)]
    whole = np.concatenate([f.T if f.shape[0] == 2 else f.reshape(-1, 2) for f in frames])
    whole = whole * 32767 if whole.dtype.kind == "f" else whole
    end = min(len(whole), len(parts))
    difference = parts[len(parts) - end :].astype(float) - whole[len(whole) - end :]
    assert np.sqrt(np.mean(difference[RATE_HZ:] ** 2)) < 30  # of 32767


def _media_names(count: int) -> list[str]:
    return [f"{k:04d}.m4s" for k in range(count)]


def test_sound_is_an_adaptation_set_that_others_can_play(scene: Path) -> None:
    manifest = read_manifest((scene / "scene.json").read_bytes())
    assert read_manifest(write_manifest(manifest)) == manifest
    mpd = ElementTree.fromstring(write_dash(manifest))
    space = {"m": "urn:mpeg:dash:schema:mpd:2011"}
    sets = [
        chosen
        for chosen in mpd.iterfind(".//m:AdaptationSet", space)
        if chosen.get("mimeType") == "audio/mp4"
    ]
    assert len(sets) == 1
    representation = sets[0].find("m:Representation", space)
    assert representation is not None
    assert representation.get("codecs") == "opus"
    assert representation.get("audioSamplingRate") == "48000"
    assert 100_000 < int(str(representation.get("bandwidth"))) < 400_000
    timeline = [
        int(str(s.get("d")))
        for s in representation.iterfind(".//m:S", space)
        for _ in range(1 + int(s.get("r", "0")))
    ]
    assert manifest.sound is not None
    assert timeline == [segment.samples for segment in manifest.sound.segments]


def test_info_tells_of_the_sound(scene: Path) -> None:
    with open_scene(scene) as opened:
        told = describe(opened)["sound"]
    assert told["codecs"] == "opus"
    assert told["channels"] == 2
    assert told["seconds"] == pytest.approx(SECONDS, abs=0.05)
    with open_scene(golden_scene("hevc")) as silent:
        assert silent.sound is None
        assert describe(silent)["sound"] is None


@pytest.mark.parametrize("rate_hz", [8_000, 44_100])
def test_any_rate_is_resampled_and_mono_stays_mono(tmp_path: Path, rate_hz: int) -> None:
    time_s = np.arange(3 * rate_hz) / rate_hz
    tone = (9000 * np.sin(2 * np.pi * 400 * time_s)).astype(np.int16)[:, None]
    samples = read_sound(write_wav(tmp_path / "mono.wav", tone, rate_hz), 2.0)
    assert samples.shape == (2 * RATE_HZ, 1)
    spectrum = np.abs(np.fft.rfft(samples[:RATE_HZ, 0]))
    assert int(spectrum.argmax()) == 400


def test_files_without_sound_are_refused(tmp_path: Path) -> None:
    (tmp_path / "text.wav").write_text("no sound")
    for path in (tmp_path / "text.wav", tmp_path / "missing.wav"):
        with pytest.raises(EncodeError, match=path.name):
            read_sound(path, 1.0)
    empty = write_wav(tmp_path / "empty.wav", np.empty((0, 1), np.int16))
    with pytest.raises(EncodeError, match="no sound"):
        read_sound(empty, 1.0)


# --- hostile ------------------------------------------------------------------------


def refused(scene: Path, edit: Callable[[dict[str, Any]], object], message: str) -> None:
    document: dict[str, Any] = copy.deepcopy(document_of(scene))
    edit(document["sound"])
    with pytest.raises(NotAScene, match=message):
        read_manifest(json.dumps(document).encode())


def test_wrong_declarations_are_refused(scene: Path) -> None:
    refused(scene, lambda s: s.update(codecs="mp3"), "codecs")
    refused(scene, lambda s: s.update(channels=6), "channels")
    refused(scene, lambda s: s.update(delay=-1), "delay")
    refused(scene, lambda s: s.update(segments=[]), "segments")
    refused(scene, lambda s: s["segments"][0].update(samples=10**9), "samples")
    refused(scene, lambda s: s["segments"][0].update(samples=961), "multiple of 960")
    refused(scene, lambda s: s["init"].update(name="../init.mp4"), "name")
    too_long = SOUND_SEGMENT_BYTES + 1
    refused(scene, lambda s: s["segments"][0]["file"].update(size_bytes=too_long), "size_bytes")
    refused(scene, lambda s: s["segments"].append(s["segments"][0]), "differ")
    many = SOUND_SEGMENTS + 1
    refused(scene, lambda s: s.update(segments=s["segments"][:1] * many), "at most")
    refused(scene, lambda s: s.clear(), "sound")


@pytest.fixture(scope="module")
def encoded() -> tuple[bytes, list[tuple[bytes, int]]]:
    init, _, segments = encode_sound(tone_with_claps(4.0, (1.0,)))
    return init, segments


def decode(init: bytes, media: bytes, samples: int, channels: int = 2) -> None:
    decode_sound(init, None, media, (channels, 0, samples), "sound/0000.m4s")


def test_segments_that_are_not_as_declared_are_corrupt(
    encoded: tuple[bytes, list[tuple[bytes, int]]],
) -> None:
    init, segments = encoded
    media, samples = segments[0]
    decode(init, media, samples)
    with pytest.raises(CorruptSegment, match="0000"):
        decode(init, media, samples + PACKET_SAMPLES)
    with pytest.raises(CorruptSegment, match="channels"):
        decode(init, media, samples, channels=1)
    with pytest.raises(CorruptSegment):
        decode(init, media[:-200], samples)
    with pytest.raises(CorruptSegment):
        decode(init[:-30], media, samples)
    with pytest.raises(CorruptSegment, match="Opus"):
        decode(init.replace(b"Opus", b"mp4a"), media, samples)
    run = find(media, ("moof", "traf", "trun"))
    many = media[: run.start + 4] + struct.pack(">I", 1 << 30) + media[run.start + 8 :]
    with pytest.raises(CorruptSegment, match="samples"):
        decode(init, many, samples)


@pytest.mark.parametrize("seed", range(40))
def test_damaged_segments_end_in_one_error_or_in_the_declared_length(
    encoded: tuple[bytes, list[tuple[bytes, int]]], seed: int
) -> None:
    dice = random.Random(seed)
    init, segments = encoded
    media, samples = segments[0]
    whole = bytearray(init + media)
    for _ in range(dice.choice((1, 3, 20))):
        whole[dice.randrange(len(whole))] = dice.randrange(256)
    damaged, rest = bytes(whole[: len(init)]), bytes(whole[len(init) :])
    found = None
    with contextlib.suppress(CorruptSegment):
        found = decode_sound(damaged, None, rest, (2, 0, samples), "sound/0000.m4s")
    assert found is None or found.shape == (samples, 2)
