"""The kiosk without a display: playlist, idle time, attract camera, recovery, preparation, log."""

from __future__ import annotations

import logging
import math
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from streamstgs.app.player.camera.controller import CameraController
from streamstgs.app.player.camera.orbit import OrbitCamera
from streamstgs.app.player.errors import CameraPathError, PlaylistError
from streamstgs.app.player.kiosk.attract import EASE_IN_S, AttractCamera, eased, to_and_fro
from streamstgs.app.player.kiosk.host.awake import Awake
from streamstgs.app.player.kiosk.host.log import start_log, stop_log
from streamstgs.app.player.kiosk.host.supervisor import supervise
from streamstgs.app.player.kiosk.idle import IdleTimer
from streamstgs.app.player.kiosk.kiosk import Kiosk, KioskState
from streamstgs.app.player.kiosk.playlist import RETRY_S_MAX, Playlist, shown_for_s
from streamstgs.app.player.kiosk.preparation import Preparation, read_scene
from streamstgs.app.player.kiosk.settings import (
    KioskScene,
    KioskSettings,
    kiosk_settings,
    read_playlist,
)
from streamstgs.app.player.playback import Playback, PlaybackSettings
from streamstgs.app.player.position.clock import PlaybackClock
from streamstgs.app.player.viewer.statistics import RenderStatistics
from streamstgs.app.player.viewer_model import ViewerModel
from streamstgs.codec.cancel import CancelToken
from streamstgs.codec.errors import CorruptSegment, NotAScene
from streamstgs.codec.package.scene_meta import SceneMeta
from streamstgs.codec.scene import OpenSettings, open_scene
from streamstgs.codec.streaming.address import redact_credentials
from streamstgs.codec.streaming.disk_cache import CacheSettings

from tests.fault_server import FaultServer
from tests.scripted_scene import ManualClock, ScriptedScene
from tests.served_scene import scene_files

WAIT_S = 60.0
PAINTING = RenderStatistics(content_fps=24.0)
META = SceneMeta(
    fps=24.0,
    title="Ball",
    center=(0.0, 0.0, 0.0),
    radius=1.0,
    up=(0.0, -1.0, 0.0),
    background=(0.0, 0.0, 0.0),
    width=640,
    height=360,
)


def scenes(*places: str) -> tuple[KioskScene, ...]:
    return tuple(KioskScene(place) for place in places)


# Settings


def test_playlist_file_gives_scenes_cameras_and_times(tmp_path: Path) -> None:
    file = tmp_path / "booth.toml"
    file.write_text(
        """
        idle_s = 20
        language = "de"
        [[scene]]
        location = "a.stgs"
        camera = "flight.json"
        show_s = 90
        credit = "Studio"
        [[scene]]
        location = "https://example.org/b/"
        camera = "Front"
        """
    )
    settings = read_playlist(file)
    assert settings.idle_s == 20.0
    assert settings.language == "de"
    first, second = settings.scenes
    assert first == KioskScene(
        str(tmp_path / "a.stgs"), str(tmp_path / "flight.json"), 90.0, credit="Studio"
    )
    assert second == KioskScene("https://example.org/b/", "Front")


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("idle_s = 0\n[[scene]]\nlocation = 'a'", "idle_s"),
        ("[[scene]]\nlocation = 1", "location"),
        ("[[scene]]\nlocation = 'a'\ncamra = 'orbit'", "camra"),
        ("scenes = 3", "unknown names: scenes"),
        ("scene = 3", r"\[\[scene\]\] must be a list"),
        ("scene = []", "1 to"),
        ("[[scene]]\nlocation = 'a'\n" * 201, "1 to"),
        ("idle_s = nan\n[[scene]]\nlocation = 'a'", "idle_s"),
        ("not toml", "line 1"),
    ],
)
def test_malformed_playlist_is_refused_by_name(tmp_path: Path, text: str, named: str) -> None:
    file = tmp_path / "booth.toml"
    file.write_text(text)
    with pytest.raises(PlaylistError, match=named):
        read_playlist(file)


def test_places_on_the_command_line_become_a_playlist(tmp_path: Path) -> None:
    assert kiosk_settings(["a", "b"]).scenes == scenes("a", "b")
    assert kiosk_settings(["a"], camera="Front").scenes == (KioskScene("a", "Front"),)
    with pytest.raises(PlaylistError, match="no scene"):
        kiosk_settings([])
    with pytest.raises(PlaylistError, match="stands alone"):
        kiosk_settings(["a", "booth.toml"])
    with pytest.raises(PlaylistError, match="cannot be read"):
        kiosk_settings([str(tmp_path / "missing.toml")])


# Playlist and idle time


def test_playlist_goes_round_in_both_directions() -> None:
    playlist = Playlist(scenes("a", "b", "c"), 5.0)
    assert [playlist.step(1, 0.0) for _ in range(3)] == list(scenes("b", "c", "a"))
    assert playlist.step(-1, 0.0) == KioskScene("c")


def test_failed_scenes_are_left_out_and_tried_again_more_and_more_rarely() -> None:
    playlist = Playlist(scenes("a", "b"), 5.0)
    playlist.failed(0.0)
    assert [playlist.step(1, 1.0), playlist.step(1, 2.0)] == list(scenes("b", "b"))
    assert playlist.step(1, 5.0) == KioskScene("a")
    for _ in range(20):
        playlist.failed(5.0)
    assert playlist.step(1, 4.0 + RETRY_S_MAX) == KioskScene("b")
    playlist.step(1, 6.0 + RETRY_S_MAX)
    playlist.succeeded()
    playlist.failed(400.0)
    assert playlist.next_try_s() < 400.0
    playlist.step(1, 404.0)
    playlist.failed(404.0)
    assert playlist.step(1, 404.5) is None
    assert playlist.next_try_s() == 405.0


def test_scene_is_shown_for_whole_rounds() -> None:
    assert shown_for_s(KioskScene("a"), 8.0) == 32.0
    assert shown_for_s(KioskScene("a"), 100.0) == 100.0
    assert shown_for_s(KioskScene("a"), 0.0) == 30.0
    assert shown_for_s(KioskScene("a", show_s=12.0), 8.0) == 12.0


def test_visitor_is_gone_after_the_idle_time_and_not_before() -> None:
    idle = IdleTimer(60.0)
    assert not idle.tick(1000.0)
    assert idle.touch(1000.0)
    assert not idle.touch(1050.0)
    assert not idle.tick(1109.9)
    assert idle.occupied
    assert idle.tick(1110.0)
    assert not idle.occupied
    assert not idle.tick(2000.0)


# Attract camera


@pytest.fixture
def camera() -> CameraController:
    controller = CameraController(glides=True)
    controller.enter_scene(META)
    return controller


def test_attract_orbit_starts_softly_at_the_opening_view(camera: CameraController) -> None:
    attract = AttractCamera(camera, turn_s=40.0)
    attract.enter("orbit", META)
    opening = OrbitCamera.from_meta(META).view
    attract.advance(0.01)
    assert camera.view == opening
    camera.finish_glide()
    yaws = []
    for _ in range(1000):
        attract.advance(0.01)
        yaws.append(camera.shown.yaw_rad)
    assert camera.shown.distance == opening.distance
    assert 0.0 < yaws[0] - opening.yaw_rad < 1e-4
    assert yaws[-1] - opening.yaw_rad == pytest.approx(
        2 * math.pi * (10.0 - EASE_IN_S / 2) / 40.0, rel=1e-3
    )


def test_attract_camera_glides_back_from_where_a_visitor_left_it(camera: CameraController) -> None:
    attract = AttractCamera(camera, turn_s=40.0)
    attract.enter("orbit", META)
    camera.drag_orbit(300.0, 50.0, (800, 600))
    left = camera.shown
    attract.restart()
    attract.advance(0.02)
    camera.advance(0.02)
    assert camera.gliding
    assert camera.shown != left
    for _ in range(400):
        attract.advance(0.02)
        camera.advance(0.02)
    assert not camera.gliding
    assert camera.shown.pitch_rad == pytest.approx(OrbitCamera.from_meta(META).view.pitch_rad)


def test_unknown_attract_camera_stands_still(camera: CameraController) -> None:
    attract = AttractCamera(camera, turn_s=40.0)
    with pytest.raises(CameraPathError, match="nowhere"):
        attract.enter("nowhere", META)
    before = camera.view
    attract.advance(1.0)
    assert camera.view == before


def test_keyframes_are_followed_to_and_fro() -> None:
    assert [to_and_fro(t, 4.0) for t in (0.0, 3.0, 5.0, 8.0, 9.0)] == [0.0, 3.0, 3.0, 0.0, 1.0]
    assert to_and_fro(3.0, 0.0) == 0.0
    assert eased(EASE_IN_S) == pytest.approx(EASE_IN_S / 2)


# The kiosk


class Booth:
    """A kiosk on scripted scenes, in time that the test moves.

    `broken` names locations that cannot be opened, `silent` those that never have a frame.
    """

    def __init__(self, settings: KioskSettings, preparation: Preparation | None = None) -> None:
        self.clock = ManualClock()
        self.broken: set[str] = set()
        self.silent: set[str] = set()
        self.opened: list[str] = []
        self.model = ViewerModel(self._open, glides=True)
        self.kiosk = Kiosk(self.model, settings, self.clock, preparation)
        self.paints = True

    def _open(self, location: str, clock: PlaybackClock) -> Playback:
        def opener(location: str) -> ScriptedScene:
            if location in self.broken:
                raise NotAScene(f"{redact_credentials(location)} is no scene.")
            return ScriptedScene(open_gate=location not in self.silent)

        self.opened.append(location)
        return Playback(location, PlaybackSettings(), opener=opener, clock=clock)

    def tick(self) -> None:
        frame = self.model.tick(0.01)
        if frame is not None and self.paints:
            self.model.frame_painted(frame)
            self.model.statistics.newest = PAINTING
        self.kiosk.tick()

    def until(self, condition: Callable[[], bool], what: str) -> None:
        """Tick in real time, while the time of the kiosk stands still."""
        end_s = time.monotonic() + WAIT_S
        while not condition():
            assert time.monotonic() < end_s, what
            self.tick()
            time.sleep(0.001)

    def shows(self, location: str) -> bool:
        scene = self.model.scene
        return scene is not None and scene.location == location and self.model.pending is None

    def pass_time(self, seconds: float, step_s: float = 1.0) -> None:
        """Let time pass for the kiosk, with a look in each step."""
        for _ in range(round(seconds / step_s)):
            self.clock.advance(step_s)
            self.tick()
            self.until(self._is_settled, "the scene to open or fail")

    def _is_settled(self) -> bool:
        pending = self.model.pending
        return pending is None or pending.location in self.silent


@pytest.fixture
def booth() -> Iterator[Callable[..., Booth]]:
    made: list[Booth] = []
    before = set(threading.enumerate())

    def make(*places: str, broken: str = "", silent: str = "", **settings: object) -> Booth:
        made.append(Booth(KioskSettings(scenes(*places), **settings)))  # type: ignore[arg-type]
        made[-1].broken, made[-1].silent = {broken}, {silent}
        made[-1].kiosk.begin()
        return made[-1]

    yield make
    for one in made:
        one.kiosk.close()
        one.model.close()
    end_s = time.monotonic() + WAIT_S
    while left := set(threading.enumerate()) - before:
        assert time.monotonic() < end_s, left
        time.sleep(0.01)


Make = Callable[..., Booth]


def test_playlist_plays_by_itself(booth: Make) -> None:
    one = booth("a", "b")
    one.until(lambda: one.shows("a"), "the first scene")
    assert one.kiosk.state is KioskState.ATTRACT
    one.pass_time(25.0)
    assert one.shows("a")
    one.pass_time(10.0)
    one.until(lambda: one.shows("b"), "the second scene")
    one.pass_time(40.0)
    one.until(lambda: one.shows("a"), "the first scene again")


def test_visitor_takes_over_and_hands_back(booth: Make) -> None:
    one = booth("a", "b", idle_s=60.0)
    left: list[bool] = []
    one.kiosk.visitor_left.connect(lambda: left.append(True))
    one.until(lambda: one.shows("a"), "the first scene")
    one.kiosk.touch()
    assert one.kiosk.state is KioskState.VISITOR
    one.model.camera.finish_glide()
    pose = one.model.camera.view
    one.model.transport.pause()
    one.model.transport.set_speed(0.5)
    one.model.options.mode = "depth"
    one.pass_time(50.0)
    assert one.shows("a")
    assert one.model.camera.view == pose  # nobody else moves the camera
    one.kiosk.touch()
    one.pass_time(55.0)
    assert not left
    one.pass_time(10.0)
    assert left == [True]
    assert one.kiosk.state is KioskState.ATTRACT
    status = one.model.status
    assert status is not None
    assert status.wants_play
    assert status.speed == 1.0
    assert one.model.options.mode == "color"
    assert one.shows("a")
    one.pass_time(40.0)
    one.until(lambda: one.shows("b"), "the playlist to go on")


def test_presenter_steps_through_the_playlist(booth: Make) -> None:
    one = booth("a", "b", "c")
    one.until(lambda: one.shows("a"), "the first scene")
    one.kiosk.step(1)
    one.until(lambda: one.shows("b"), "the next scene")
    one.kiosk.step(-1)
    one.until(lambda: one.shows("a"), "the scene before")


def test_deleted_scene_is_left_out_and_comes_back(booth: Make) -> None:
    one = booth("a", "b")
    one.until(lambda: one.shows("a"), "the first scene")
    one.broken.add("b")
    one.pass_time(40.0)
    one.until(lambda: "b" in one.opened, "the attempt")
    assert one.shows("a")
    assert one.opened == ["a", "b"]  # the first scene goes on
    one.broken.clear()
    one.pass_time(35.0)
    one.until(lambda: one.shows("b"), "the scene that is there again")


def test_only_scene_is_tried_again_until_it_is_there(booth: Make) -> None:
    one = booth("late", broken="late", retry_s=5.0)
    one.until(lambda: one.kiosk.message != "", "the message")
    assert one.opened == ["late"]
    one.pass_time(4.0)
    assert one.opened == ["late"]
    one.broken.clear()
    one.pass_time(2.0)
    one.until(lambda: one.shows("late"), "the scene")
    assert one.kiosk.message == ""


def test_scene_that_never_opens_is_given_up(booth: Make) -> None:
    one = booth("silent", "b", silent="silent", stuck_s=20.0)
    one.until(lambda: one.opened == ["silent"], "the first attempt")
    one.pass_time(18.0)
    assert one.opened == ["silent"]
    one.pass_time(4.0)
    one.until(lambda: one.shows("b"), "the other scene")


def test_picture_that_stands_still_restarts_the_pipeline(booth: Make) -> None:
    one = booth("a", stuck_s=20.0)
    stuck: list[bool] = []
    one.kiosk.picture_stuck.connect(lambda: stuck.append(True))
    one.until(lambda: one.shows("a"), "the first scene")
    one.pass_time(60.0)
    assert one.opened == ["a"]
    one.paints = False
    one.model.statistics.newest = RenderStatistics()
    one.pass_time(25.0)
    assert stuck == [True]
    one.paints = True
    one.pass_time(10.0)
    assert one.opened == ["a", "a"]


def test_an_hour_of_idle_shows_every_scene_and_leaks_no_thread(booth: Make) -> None:
    one = booth("a", "b", "c")
    one.until(lambda: one.shows("a"), "the first scene")
    one.broken.add("c")
    settled = 0
    for _ in range(60):
        one.pass_time(60.0, step_s=10.0)
        one.until(lambda: one.model.pending is None, "an open scene")
        settled = max(settled, threading.active_count())
        if len(one.opened) > 20:
            one.broken.clear()
    assert {"a", "b", "c"} <= set(one.opened)
    assert len(one.opened) > 40
    assert one.kiosk.state is KioskState.ATTRACT
    assert settled < 20


# Preparation, log, wake lock


def test_preparation_fetches_everything_into_the_cache(tmp_path: Path) -> None:
    cache = CacheSettings(max_bytes=1 << 30, directory=tmp_path / "cache")
    server = FaultServer(scene_files())
    try:
        preparation = Preparation([f"{server.url}/ball/"], cache)
        preparation.begin()
        end_s = time.monotonic() + WAIT_S
        while not preparation.state.done:
            assert time.monotonic() < end_s
            time.sleep(0.01)
        preparation.close()
        with open_scene(f"{server.url}/ball/", OpenSettings(cache=cache)) as scene:
            best = scene.qualities[-1]
            assert all(best in scene.kept_qualities(gop) for gop in range(scene.gop_count))
            assert scene.is_static_kept(0)
    finally:
        server.stop()


@pytest.fixture
def golden() -> Path:
    return Path(__file__).parent / "golden" / "synthetic-v1-hevc.stgs"


def test_preparation_goes_on_after_a_scene_that_cannot_be_read(
    caplog: pytest.LogCaptureFixture,
) -> None:
    read: list[str] = []

    def reader(place: str, cache: object, report: Callable[[float], None], cancel: object) -> None:
        report(0.5)
        read.append(place)
        if place == "damaged":
            raise CorruptSegment("a.planes is damaged.")
        if place == "faulty":
            raise RuntimeError("a fault")

    with caplog.at_level(logging.INFO, logger="streamstgs"):
        preparation = Preparation(["damaged", "faulty", "b", "b"], read=reader)
        preparation.begin()
        preparation.close()
    assert read[: len(read)] == ["damaged", "faulty", "b"][: len(read)]
    assert preparation.state.done
    assert "a.planes is damaged" in caplog.text


def test_preparation_is_cancelled(golden: Path) -> None:
    cancel = CancelToken()
    shares: list[float] = []

    def report(share: float) -> None:
        shares.append(share)
        cancel.cancel()

    with pytest.raises(InterruptedError):
        read_scene(str(golden), CacheSettings(max_bytes=0), report, cancel)
    assert len(shares) == 1


def test_kiosk_opens_after_its_preparation() -> None:
    ready = threading.Event()
    one = Booth(
        KioskSettings(scenes("a")),
        Preparation(["a"], read=lambda *_: ready.wait(WAIT_S) and None),
    )
    one.kiosk.begin()
    one.tick()
    assert one.kiosk.state is KioskState.PREPARING
    assert "scene 1 of 1" in one.kiosk.message
    assert one.opened == []
    ready.set()
    one.until(lambda: one.shows("a"), "the scene")
    one.kiosk.close()
    one.model.close()


def test_log_tells_what_was_shown(booth: Make, tmp_path: Path) -> None:
    file = tmp_path / "logs" / "kiosk.log"
    handler = start_log(file)
    try:
        one = booth("a", "https://user:secret@host/b", broken="https://user:secret@host/b")
        one.until(lambda: one.shows("a"), "the first scene")
        one.kiosk.touch()
        one.pass_time(100.0)
        one.pass_time(40.0)
        one.until(lambda: len(one.opened) > 1 and one.shows("a"), "the failure")
    finally:
        stop_log(handler)
    text = file.read_text()
    for part in ("a is shown", "A visitor came", "The visitor went", "is no scene"):
        assert part in text
    assert "secret" not in text
    assert "fetch segment" not in text  # thousands of lines a day
    with pytest.raises(PlaylistError, match="cannot be written"):
        start_log(file / "below.log")


def test_wake_lock_is_asked_for_and_refusal_is_no_error(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("WAKEPY_FAKE_SUCCESS", "yes")
    awake = Awake()
    awake.begin()
    assert awake.active
    awake.end()
    assert not awake.active
    monkeypatch.delenv("WAKEPY_FAKE_SUCCESS")
    monkeypatch.delenv("DBUS_SESSION_BUS_ADDRESS", raising=False)
    refused = Awake()
    refused.begin()
    refused.end()
    if not refused.active:
        assert "may go blank" in caplog.text or refused.active


# Supervisor


def crash_twice(counter: str) -> int:
    """The target of a child process: it crashes in its first two runs."""
    runs = Path(counter)
    runs.write_text(runs.read_text() + "x")
    if len(runs.read_text()) < 3:
        os._exit(9)
    return 0


def test_supervisor_starts_a_crashed_kiosk_again(tmp_path: Path) -> None:
    counter, pauses = tmp_path / "runs", list[float]()
    counter.write_text("")
    assert supervise(crash_twice, (str(counter),), pauses.append) == 0
    assert counter.read_text() == "xxx"
    assert pauses == [1.0, 2.0]
