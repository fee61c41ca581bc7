"""Sound in step with the pictures, without a device and without waiting for a clock."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
import pytest
from numpy.typing import NDArray
from streamstgs.app.player.position.clock import PlaybackClock
from streamstgs.app.player.sound.device import MiniaudioDevice, SoundUnavailable
from streamstgs.app.player.sound.sample_store import SampleStore
from streamstgs.app.player.sound.sound_player import SoundPlayer
from streamstgs.app.player.sound.sound_time import SoundTime
from streamstgs.codec.cancel import NEVER, CancelToken
from streamstgs.codec.errors import MissingSegment
from streamstgs.codec.package.file_entry import FileEntry
from streamstgs.codec.package.sound_track import PACKET_SAMPLES, RATE_HZ, SoundSegment, SoundTrack

from tests.scripted_scene import ManualClock

WAIT_S = 60.0
SECONDS = 12
SEGMENT = RATE_HZ  # samples
CLAP_S = 5.0
PERIOD = RATE_HZ // 100
TICK_S = 1 / 60


def track(delay: int = 312) -> SoundTrack:
    entry = FileEntry("sound/x", 1, 0)
    return SoundTrack(2, delay, entry, (SoundSegment(entry, SEGMENT),) * SECONDS)


def read_clap(segment: int, cancel: CancelToken) -> NDArray[np.int16]:
    """Silence with one loud click at `CLAP_S`."""
    sound = track()
    samples = np.zeros((SEGMENT, 2), np.int16)
    at = round(CLAP_S * RATE_HZ) - sound.starts[segment]
    if 0 <= at < SEGMENT:
        samples[at : at + 48] = 20_000
    return samples


@dataclass
class ManualDevice:
    """A device that plays when the test says so. `drift` makes its clock faster than the system's.

    Attributes:
        heard: (system time at which a sample is heard, samples) for each period.
    """

    clock: ManualClock
    drift: float = 0.0
    latency_frames: int = 2 * PERIOD
    render: Callable[[int], NDArray[np.int16]] | None = None
    heard: list[tuple[float, NDArray[np.int16]]] = field(default_factory=list)
    started_s: float = 0.0
    frames: int = 0
    closed: bool = False

    def start(self, render: Callable[[int], NDArray[np.int16]]) -> None:
        self.started_s, self.frames, self.render = self.clock(), 0, render

    def stop(self) -> None:
        self.render = None

    def close(self) -> None:
        self.closed = True

    def run(self) -> None:
        """Fill the buffer; one that ran dry meanwhile goes on from now."""
        dry_s = self.clock() - self.started_s - self.frames / RATE_HZ / (1 + self.drift)
        if self.frames and dry_s > 0.0:
            self.started_s += dry_s
        while self.render is not None:
            played = (self.clock() - self.started_s) * RATE_HZ * (1 + self.drift)
            if self.frames - self.latency_frames > played:
                return
            heard_s = self.started_s + self.frames / RATE_HZ / (1 + self.drift)
            self.heard.append((heard_s, self.render(PERIOD)))
            self.frames += PERIOD


def wait_for(condition: Callable[[], bool]) -> None:
    end_s = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < end_s
        time.sleep(0.002)


@dataclass
class Stage:
    """A player with a manual device and the clock of a scene."""

    system: ManualClock
    device: ManualDevice
    sound: SoundPlayer
    pictures: PlaybackClock

    def play(self, seconds: float, stall: Callable[[float], bool] = lambda _: False) -> None:
        """Tick as a window does; the device plays meanwhile."""
        self.pictures.play()
        self.sound.update(self.pictures.position_s(), self.pictures.rate)
        wait_for(lambda: self.device.render is not None)
        wait_for(lambda: not threading_loads(self.sound, self.pictures.position_s()))
        end_s = self.system() + seconds
        steps = 0
        while self.system() < end_s:
            self.system.advance(0.002)
            steps += 1
            if not stall(self.system()):
                self.device.run()
            if steps % 8 == 0:
                self.sound.update(self.pictures.position_s(), self.pictures.rate)
                wait_for(lambda: not threading_loads(self.sound, self.pictures.position_s()))


def threading_loads(sound: SoundPlayer, position_s: float) -> bool:
    """Whether some sound that the device may ask for soon is still missing."""
    store, first = sound._store, max(round(position_s * RATE_HZ), 0)
    return store is not None and not store.has(first, first + SEGMENT // 4)


@pytest.fixture
def stage(request: pytest.FixtureRequest) -> Iterator[Stage]:
    system = ManualClock()
    device = ManualDevice(system, drift=getattr(request, "param", 0.0))
    sound = SoundPlayer(lambda: device, SoundTime(system))
    sound.enter_scene(track(), read_clap)
    yield Stage(system, device, sound, PlaybackClock(sound.time.now, duration_s=float(SECONDS)))
    sound.close()
    assert device.closed
    assert not any(thread.name == "sound" for thread in threading.enumerate())


def clap_heard_s(device: ManualDevice) -> float:
    """System time at which the clap is heard."""
    for begin_s, samples in device.heard:
        loud = np.flatnonzero(np.abs(samples[:, 0].astype(int)) > 5_000)
        if len(loud):
            return begin_s + float(loud[0]) / RATE_HZ
    raise AssertionError("no clap was heard")


def clap_seen_s(stage: Stage) -> float:
    """System time at which the pictures are at the clap, when they have passed it."""
    return stage.system() - (stage.pictures.position_s() - CLAP_S)


@pytest.mark.parametrize("stage", [0.0, 0.002, -0.002], indirect=True)
def test_clap_is_heard_when_it_is_seen(stage: Stage) -> None:
    """Within 40 ms, also where the clocks of device and system differ by 2 in 1000."""
    stage.play(CLAP_S + 0.2)
    assert abs(clap_heard_s(stage.device) - clap_seen_s(stage)) < 0.040


@pytest.mark.parametrize("rate", [0.95, 1.05])
def test_clap_is_in_step_while_a_live_scene_comes_nearer_to_its_edge(
    stage: Stage, rate: float
) -> None:
    stage.pictures.set_rate(rate)
    stage.play(CLAP_S / rate + 0.2)
    seen_s = stage.system() - (stage.pictures.position_s() - CLAP_S) / rate
    assert abs(clap_heard_s(stage.device) - seen_s) < 0.040
    loud = [np.abs(samples[:, 0]) > 5_000 for _, samples in stage.device.heard]
    assert int(np.concatenate(loud).sum()) == pytest.approx(48 / rate, abs=2)  # without a gap


def test_clap_is_in_step_after_a_seek_and_after_an_interruption(stage: Stage) -> None:
    stage.play(1.0)
    stage.pictures.move(3.5)
    begun_s = stage.system()
    stage.play(1.8, stall=lambda now_s: 0.4 < now_s - begun_s < 0.7)  # the device stands still
    assert abs(clap_heard_s(stage.device) - clap_seen_s(stage)) < 0.040


@pytest.mark.parametrize("stage", [0.005], indirect=True)
def test_pictures_follow_the_clock_of_the_device(stage: Stage) -> None:
    stage.play(8.0)
    # 8 s of the system are 8.04 s of the device; the pictures went with the device.
    assert stage.pictures.position_s() == pytest.approx(8.04, abs=0.015)


def test_time_never_runs_backwards_and_is_the_systems_without_a_device() -> None:
    system = ManualClock()
    sound_time = SoundTime(system)
    before = sound_time.now()
    system.advance(2.0)
    assert sound_time.now() - before == pytest.approx(2.0)
    sound_time.follow()
    last, frames = sound_time.now(), 0
    for step in range(2000):
        system.advance(0.001 * (1 + step % 7))
        frames += 400 if step % 3 else 0  # a device that stutters
        sound_time.heard(frames)
        assert sound_time.now() >= last
        last = sound_time.now()
    sound_time.release()
    system.advance(1.0)
    assert sound_time.now() - last == pytest.approx(1.0)


def test_pausing_muting_and_volume(stage: Stage) -> None:
    stage.play(1.0)
    stage.sound.update(None)
    wait_for(lambda: stage.device.render is None)
    stage.sound.muted = True
    stage.pictures.move(4.9)
    stage.sound.update(stage.pictures.position_s())
    time.sleep(0.0)
    assert stage.device.render is None
    stage.sound.muted = False
    stage.sound.volume = 0.5
    stage.play(0.4)
    loudest = max(int(np.abs(samples).max()) for _, samples in stage.device.heard)
    assert 4_500 <= loudest <= 5_100  # a quarter of 20000
    with pytest.raises(ValueError, match="volume"):
        stage.sound.volume = 1.5


def test_a_jump_does_not_click(stage: Stage) -> None:
    stage.play(0.1)
    first = next(samples for _, samples in stage.device.heard)
    assert abs(int(first[0, 0])) == 0


def test_missing_segments_are_silent_and_the_next_ones_are_heard() -> None:
    tries: list[int] = []

    def read(segment: int, cancel: CancelToken) -> NDArray[np.int16]:
        tries.append(segment)
        if segment == 1:
            raise MissingSegment("sound/0001.m4s is missing.")
        return np.full((SEGMENT, 1), 7, np.int16)

    store = SampleStore(track(delay=0), read)
    for _ in range(20):
        try:
            if not store.load_next(0, NEVER):
                break
        except MissingSegment:
            pass
    assert tries.count(1) == 3
    samples = store.read(0, 3 * SEGMENT)
    assert (samples[:SEGMENT] == 7).all()
    assert (samples[SEGMENT : 2 * SEGMENT] == 0).all()
    assert (samples[2 * SEGMENT :] == 7).all()
    assert (store.read(-PACKET_SAMPLES, PACKET_SAMPLES) == 0).all()
    assert (store.read(SECONDS * SEGMENT + 5, 100) == 0).all()


def test_a_machine_without_a_device_plays_silently() -> None:
    def no_device() -> ManualDevice:
        raise SoundUnavailable("This machine has no sound device.")

    system = ManualClock()
    sound = SoundPlayer(no_device, SoundTime(system))
    sound.enter_scene(track(), read_clap)
    sound.update(0.0)
    wait_for(lambda: sound.problem != "")
    before = sound.time.now()
    system.advance(3.0)
    sound.update(3.0)
    assert sound.time.now() - before == pytest.approx(3.0)
    sound.close()


def test_miniaudio_plays_into_nothing() -> None:
    """The real library with its null device: it asks for samples until it is stopped."""
    pytest.importorskip("miniaudio")
    device = MiniaudioDevice(null=True)
    asked: list[int] = []

    def render(frames: int) -> NDArray[np.int16]:
        asked.append(frames)
        return np.zeros((frames, 2), np.int16)

    device.start(render)
    wait_for(lambda: sum(asked) > RATE_HZ // 10)
    device.stop()
    device.close()
    assert all(0 < frames <= RATE_HZ for frames in asked)
