"""Playback of encoded scenes, intact and damaged, with random input."""

from __future__ import annotations

import random
import shutil
import threading
from pathlib import Path

import pytest
import torch
from streamstgs.app.player.playback import Playback, PlaybackSettings
from streamstgs.app.player.status import PlaybackState
from streamstgs.codec.encoder.encode import encode_scene

from tests.scripted_scene import ScriptedScene, gop_of
from tests.synthetic import SyntheticSource

WAIT_S = 60.0
SOURCE = SyntheticSource(static_count=64, dynamic_count=64)


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("scene") / "ball.stgs"
    encode_scene(SOURCE, out)
    return out


def test_an_encoded_scene_plays_and_steps_exactly(packed: Path) -> None:
    playback = Playback(str(packed), PlaybackSettings(autoplay=False))
    for index in (0, 7, 8, 20, 15):
        playback.seek_frame(index)
        assert playback.settle(WAIT_S)
        if index == 0:  # only now is the scene open
            playback.seek_frame(index)
        frame = playback.tick()
        assert frame is not None
        assert frame.index == index
        assert torch.isfinite(frame.gop.gaussians_at(frame.frame).means).all()
    status = playback.status()
    assert status.duration_s == pytest.approx(21 / 24)
    assert status.bitrate_bps > 0
    assert playback.meta is not None
    assert playback.meta.title == "Synthetic ball"
    playback.close()


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.99])
def test_truncated_file_fails_with_a_message(packed: Path, tmp_path: Path, share: float) -> None:
    broken = tmp_path / "broken.stgs"
    data = packed.read_bytes()
    broken.write_bytes(data[: int(share * len(data))])
    assert_fails(str(broken), "broken.stgs")


def test_scene_without_segments_fails_with_a_message(packed: Path, tmp_path: Path) -> None:
    folder = tmp_path / "scene"
    shutil.unpack_archive(packed, folder, "zip")
    for path in folder.rglob("*.m4s"):
        path.unlink()
    assert_fails(str(folder), "No part of this scene")


@pytest.mark.parametrize("location", ["nowhere.stgs", "http://127.0.0.1:9/scene", "pyproject.toml"])
def test_other_files_fail_with_a_message(location: str) -> None:
    assert_fails(location, "")


def assert_fails(location: str, words: str) -> None:
    playback = Playback(location)
    assert playback.settle(WAIT_S)
    for _ in range(10):  # skipping broken GOPs takes a few ticks
        playback.settle(WAIT_S)
    assert playback.state is PlaybackState.FAILED
    fatal = [event.message for event in playback.take_events() if event.fatal]
    assert len(fatal) == 1
    assert words in fatal[0]
    assert "Traceback" not in fatal[0]
    playback.close()


def test_random_input_never_shows_a_frame_from_before_a_seek() -> None:
    """Random input against a running decode thread; what is shown always fits the last seek."""
    hand = random.Random(5)
    before = set(threading.enumerate())
    scene = ScriptedScene()
    playback = Playback("scripted.stgs", opener=lambda _: scene)
    assert playback.settle(WAIT_S)
    serial = 0
    for _ in range(600):
        action = hand.choice(["tick", "tick", "seek", "step", "toggle", "quality", "loop", "speed"])
        if action == "seek":
            playback.seek_frame(hand.randrange(-5, 60))
        elif action == "step":
            playback.step(hand.choice([-1, 1, 15]))
        elif action == "toggle":
            playback.toggle()
        elif action == "quality":
            playback.set_quality(hand.choice([None, *playback.opened.qualities]))
        elif action == "loop":
            playback.set_loop(hand.random() < 0.5)
        elif action == "speed":
            playback.set_speed(hand.uniform(0.1, 8.0))
        frame = playback.tick()
        status = playback.status()
        assert 0 <= status.frame < 45
        if frame is not None:
            assert frame.serial >= serial
            serial = frame.serial
            assert scene.gop_start_frame(gop_of(frame)) + int(frame.frame) == frame.index
            assert 0 <= frame.frame < frame.gop.frames
    playback.pause()
    playback.seek_frame(33)
    assert playback.settle(WAIT_S)
    last = playback.tick()
    assert last is not None
    assert last.index == 33
    playback.close()
    assert set(threading.enumerate()) <= before
    assert playback.take_events() == []
