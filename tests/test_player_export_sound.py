"""Exported videos carry the sound of a scene, in step, where it plays at its own speed."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray
from streamstgs.app.player.export.settings import Target
from streamstgs.app.player.export.video_export import VideoExport
from streamstgs.app.player.sound.export_sound import ExportSound
from streamstgs.codec.cancel import CancelToken
from streamstgs.codec.package.file_entry import FileEntry
from streamstgs.codec.package.sound_track import RATE_HZ, SoundSegment, SoundTrack
from streamstgs.renderer import Camera

from tests.sound_samples import tone_with_claps

FPS = 24.0
CLAP_S = 1.5
ENTRY = FileEntry("sound/x", 1, 0)
SECONDS = 3
TRACK = SoundTrack(2, 0, ENTRY, (SoundSegment(ENTRY, RATE_HZ),) * SECONDS)
SOUND = tone_with_claps(SECONDS, (CLAP_S,))


def read_segment(segment: int, cancel: CancelToken) -> NDArray[np.int16]:
    return SOUND[segment * RATE_HZ : (segment + 1) * RATE_HZ]


class FlashingFrames:
    """Black pictures, and a white one at the clap."""

    def __init__(self, sound: bool = True) -> None:
        self._sound = ExportSound(FPS, TRACK, read_segment) if sound else None

    def rgb8(self, frame: float, camera: Camera) -> NDArray[np.uint8]:
        white = abs(frame - CLAP_S * FPS) < 0.5
        return np.full((32, 32, 3), 255 if white else 0, np.uint8)

    def rgba(self, frame: float, camera: Camera, transparent: bool) -> NDArray[np.float32]:
        grey = self.rgb8(frame, camera).astype(np.float32) / 255
        return np.concatenate([grey, np.ones((32, 32, 1), np.float32)], axis=2)

    def sound(self) -> ExportSound | None:
        return self._sound


class StandingPath:
    """A camera that does not matter."""

    def camera_at(self, time_s: float, width: int, height: int) -> Camera:
        return None  # type: ignore[return-value]


def export(path: Path, frames: tuple[float, ...], fps: float = FPS, sound: bool = True) -> None:
    target = Target.of(path, None, False)
    video = VideoExport(target, StandingPath(), frames, fps, (32, 32))
    video.write(FlashingFrames(sound), lambda done, total: None)


def heard(path: Path) -> NDArray[np.float64]:
    """[n] the left channel, from time 0 on; empty without sound."""
    with av.open(str(path)) as container:
        if not container.streams.audio:
            return np.empty(0)
        parts = []
        for frame in container.decode(audio=0):
            samples = frame.to_ndarray()
            if samples.shape[0] == 1:  # interleaved
                samples = samples.reshape(-1, 2).T
            scale = 1.0 if samples.dtype.kind == "f" else 1 / 32768
            begin = round(float(frame.pts * frame.time_base) * RATE_HZ)
            parts.append((begin, samples[0] * scale))
        whole = np.zeros(max(begin + len(part) for begin, part in parts))
        for begin, part in parts:
            whole[max(begin, 0) : begin + len(part)] = part[max(-begin, 0) :]
        return whole


def seen_s(path: Path) -> float:
    """When the white picture begins."""
    with av.open(str(path)) as container:
        for picture in container.decode(video=0):
            if picture.to_ndarray(format="gray").mean() > 128:
                return float(picture.time)
    raise AssertionError("no white picture")


@pytest.mark.parametrize("name", ["clap.mp4", "clap.mov"])
def test_clap_is_heard_where_it_is_seen(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    export(path, tuple(float(k) for k in range(72)))
    samples = heard(path)
    assert len(samples) / RATE_HZ == pytest.approx(3.0, abs=0.05)
    clap_s = int(np.abs(samples).argmax()) / RATE_HZ
    assert abs(clap_s - seen_s(path)) < 0.040
    assert np.sqrt(np.mean(samples[:RATE_HZ] ** 2)) > 0.01  # the tone


def test_slow_held_and_backward_content_is_silent(tmp_path: Path) -> None:
    path = tmp_path / "parts.mp4"
    normal = [float(k) for k in range(48)]
    held = [47.0] * 24
    slow = [47.0 + k / 2 for k in range(24)]
    backwards = [60.0 - k for k in range(24)]
    export(path, (*normal, *held, *slow, *backwards))
    samples = heard(path)

    def loudness(begin_s: float, end_s: float) -> float:
        part = samples[round(begin_s * RATE_HZ) : round(end_s * RATE_HZ)]
        return float(np.sqrt(np.mean(part**2)))

    assert loudness(0.1, 1.4) > 0.01
    assert loudness(2.1, 2.9) < 1e-3
    assert loudness(3.1, 3.9) < 1e-3
    assert loudness(4.1, 4.9) < 1e-3


def test_another_rate_of_the_video_keeps_the_sound_in_step(tmp_path: Path) -> None:
    path = tmp_path / "fast.mp4"
    export(path, tuple(k * FPS / 60 for k in range(180)), fps=60.0)
    samples = heard(path)
    assert abs(int(np.abs(samples).argmax()) / RATE_HZ - seen_s(path)) < 0.040


def test_silent_scenes_and_loops_have_no_track(tmp_path: Path) -> None:
    export(tmp_path / "silent.mp4", (0.0, 1.0, 2.0), sound=False)
    assert not len(heard(tmp_path / "silent.mp4"))
    export(tmp_path / "loop.gif", (0.0, 1.0, 2.0))
    with av.open(str(tmp_path / "loop.gif")) as container:
        assert not container.streams.audio
