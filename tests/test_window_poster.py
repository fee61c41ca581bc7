"""The poster: shown before torch is loaded, aligned with the image, and safe with hostile files."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import os
import struct
import subprocess
import sys
import threading
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtCore import QPoint, QRectF
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication, QWidget
from streamstgs.app.player.export.render import render_scene
from streamstgs.app.player.status import PlaybackState
from streamstgs.app.player.viewer.open_scene import PAINTED, OpenScene, SceneState
from streamstgs.app.ui.main_window import MainWindow
from streamstgs.app.ui.viewport.poster_loader import PosterLoader
from streamstgs.app.ui.viewport.poster_view import PosterView, decoded, poster_place
from streamstgs.codec.poster import Poster, local_poster
from streamstgs.codec.scene import OpenSettings, open_scene
from streamstgs.codec.streaming.disk_cache import CacheSettings

from tests.fault_server import Exchange, FaultServer
from tests.window_driver import WAIT_S, OpenWindow, drag, psnr_db, rgb, shown, state, wait_for

pytestmark = pytest.mark.window
pytest_plugins = ["tests.window_fixtures"]
ROOT = Path(__file__).resolve().parent.parent

# Prints what the window logs, and whether torch is loaded; ends with the first image.
START = """
import logging, os, sys
class Told(logging.Handler):
    def emit(self, record):
        print(record.getMessage(), "torch" in sys.modules, flush=True)
        if record.getMessage() == "first picture painted":
            os._exit(0)
ui = logging.getLogger("streamstgs.app.ui")
ui.setLevel(logging.DEBUG)
ui.addHandler(Told())
from streamstgs.cli import command_line as main
sys.exit(main.main(sys.argv[1:]))
"""


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine a poster can take longer than viewers are kept waiting for it."""
    monkeypatch.setattr("streamstgs.codec.poster.PATIENCE_S", WAIT_S)


def test_poster_is_painted_before_torch_is_loaded(scene_path: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", START, str(scene_path)],
        cwd=ROOT,
        env={**os.environ, "XDG_CONFIG_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=250,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "poster painted False",
        "player loaded True",
        "first picture painted True",
    ]


def test_first_frame_replaces_the_poster(open_window: OpenWindow, scene_path: Path) -> None:
    window = open_window(start=False)
    told: list[str] = []
    window.viewport.poster.painted.connect(lambda: told.append("poster"))

    def picture(scene: OpenScene) -> None:
        if scene.state in PAINTED:
            assert window.model.status is not None
            told.append(f"picture of frame {window.model.status.frame}")

    window.model.scene_changed.connect(picture)
    window.open(str(scene_path))
    wait_for(lambda: told == ["poster"], "the poster")
    assert not window.viewport.card.isVisible()
    window.loop.start()
    wait_for(lambda: shown(window), "the first picture")
    assert told == ["poster", "picture of frame 0"]
    assert not window.viewport.poster.isVisible()
    wait_for(lambda: state(window) is PlaybackState.PLAYING, "that it plays")


SHAPES = [(640, 360), (640, 350), (480, 360), (360, 360), (270, 480)]


@pytest.mark.parametrize("size", SHAPES)
def test_poster_aligns_with_the_image(
    qt: object, scene_path: Path, tmp_path: Path, size: tuple[int, int]
) -> None:
    poster = local_poster(str(scene_path))
    assert poster is not None
    seen = painted(poster, size)
    render_scene(str(scene_path), "Front", tmp_path / "x.png", size, frames=[0], backend="cpu")
    picture = rgb(QImage(str(tmp_path / "x.png")))
    aligned = psnr_db(seen, picture)
    assert aligned > 24.0
    for shift in ((2, 0), (0, 2), (-2, 0), (0, -2)):
        assert psnr_db(np.roll(seen, shift, (0, 1)), picture) < aligned


@pytest.mark.parametrize("size", [*SHAPES, (200, 480), (900, 360)])
def test_poster_edges_are_invisible(
    qt: object, scene_path: Path, tmp_path: Path, size: tuple[int, int]
) -> None:
    """The poster fills windows of common shapes; others show the background of the scene."""
    poster = local_poster(str(scene_path))
    assert poster is not None
    place, window = poster_place(poster, *size), QRectF(0, 0, *size)
    assert place.adjusted(-0.5, -0.5, 0.5, 0.5).contains(window) == (size in SHAPES)
    render_scene(str(scene_path), "Front", tmp_path / "x.png", size, frames=[0], backend="cpu")
    picture, seen = rgb(QImage(str(tmp_path / "x.png"))), painted(poster, size)
    for edge in (np.s_[0], np.s_[-1], np.s_[:, 0], np.s_[:, -1]):
        np.testing.assert_allclose(seen[edge].mean(0), picture[edge].mean(0), atol=4)


def painted(poster: Poster, size: tuple[int, int]) -> NDArray[np.uint8]:
    """The image of a poster in a window of this size."""
    parent = QWidget()
    parent.resize(*size)
    view = PosterView(parent)
    view.resize(*size)
    image = decoded(poster)
    assert image is not None
    view.show_poster(poster, image)
    return rgb(view.grab().toImage())


# What is no poster


def jpeg(width: int, height: int) -> bytes:
    return bytes(imagecodecs.jpeg8_encode(np.zeros((height, width, 3), np.uint8)))


def jpeg_that_claims(width: int, height: int) -> bytes:
    """A small JPEG whose header says that it is large."""
    data = bytearray(jpeg(16, 16))
    frame = data.index(b"\xff\xc0")
    data[frame + 5 : frame + 9] = struct.pack(">HH", height, width)
    return bytes(data)


def say(**values: Any) -> Callable[[dict[str, Any]], None]:
    return lambda entry: entry.update(values)


LIES: dict[str, tuple[bytes | None, Callable[[dict[str, Any]], None]]] = {
    "not an image": (b"hello" * 100, say()),
    "a PNG": (bytes(imagecodecs.png_encode(np.zeros((9, 9, 3), np.uint8))), say(width=9, height=9)),
    "an SVG": (b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>', say()),
    "cut off": (jpeg(64, 64)[:200], say(width=64, height=64)),
    "of another size": (jpeg(64, 64), say(width=65, height=64)),
    "a bomb": (jpeg_that_claims(65_500, 65_500), say(width=64, height=64)),
    "a declared bomb": (jpeg_that_claims(65_500, 65_500), say(width=65_500, height=65_500)),
    "of no size": (jpeg(64, 64), say(width=0, height=-3)),
    "of a wild angle": (jpeg(64, 64), say(width=64, height=64, fov_y_rad=1e9)),
    "not an object": (None, lambda entry: entry.clear()),
    "of another checksum": (None, lambda entry: entry["file"].update(crc32=1)),
    "too long": (None, lambda entry: entry["file"].update(size_bytes=1 << 40)),
    "missing": (None, lambda entry: entry["file"].update(name="nowhere.jpg")),
    "outside": (None, lambda entry: entry["file"].update(name="../../etc/passwd")),
}


def with_poster(
    scene: Path, root: Path, data: bytes | None, edit: Callable[[dict[str, Any]], None]
) -> Path:
    """The scene as a directory, with another poster."""
    with zipfile.ZipFile(scene) as archive:
        archive.extractall(root)
    document = json.loads((root / "scene.json").read_text())
    entry = document["poster"]
    if data is not None:
        (root / "poster.jpg").write_bytes(data)
        entry["file"].update(size_bytes=len(data), crc32=zlib.crc32(data))
    edit(entry)
    (root / "scene.json").write_text(json.dumps(document))
    return root


@pytest.mark.parametrize("lie", LIES)
def test_hostile_poster_is_left_out(scene_path: Path, tmp_path: Path, lie: str) -> None:
    root = with_poster(scene_path, tmp_path / "scene", *LIES[lie])
    poster = local_poster(str(root))
    assert poster is None or decoded(poster) is None
    with open_scene(root) as scene:
        assert scene.frame_count == 68


def test_scene_with_hostile_poster_plays(
    open_window: OpenWindow, scene_path: Path, tmp_path: Path
) -> None:
    window = open_window()
    told: list[str] = []
    window.viewport.poster.painted.connect(lambda: told.append("poster"))
    window.model.failed.connect(told.append)
    window.model.warned.connect(told.append)
    window.open(str(with_poster(scene_path, tmp_path / "scene", *LIES["a bomb"])))
    wait_for(lambda: shown(window), "the first picture")
    assert told == []


def test_other_files_have_no_poster(tmp_path: Path) -> None:
    (tmp_path / "x.stgs").write_bytes(b"PK\x03\x04 hello")
    for place in (tmp_path, tmp_path / "x.stgs", tmp_path / "nowhere", "http://127.0.0.1:9/x"):
        assert local_poster(str(place)) is None


def test_poster_is_fetched_first(open_window: OpenWindow, scene_path: Path) -> None:
    with zipfile.ZipFile(scene_path) as archive:
        files = {f"/ball/{name}": archive.read(name) for name in archive.namelist()}
    server = FaultServer(files)
    window = open_window()
    seen: list[str] = []
    window.viewport.poster.painted.connect(lambda: seen.append("poster"))
    try:
        window.open(f"{server.url}/ball")
        wait_for(lambda: shown(window), "the first picture")
    finally:
        server.stop()
    assert server.paths()[:2] == ["/ball/scene.json", "/ball/poster.jpg"]
    assert seen == ["poster"]


@dataclasses.dataclass
class HeldScene:
    """A window with a scene whose feature videos wait for `motion`."""

    window: MainWindow
    motion: threading.Event
    told: list[str]


@pytest.fixture
def held(open_window: OpenWindow, scene_path: Path) -> Iterator[HeldScene]:
    with zipfile.ZipFile(scene_path) as archive:
        files = {f"/ball/{name}": archive.read(name) for name in archive.namelist()}
    server, motion = FaultServer(files), threading.Event()

    async def wait(exchange: Exchange) -> None:
        while not motion.is_set():
            await asyncio.sleep(0.01)
        await exchange.answer()

    server.always = {path: wait for path in files if "/features/" in path}
    window, told = open_window(), []
    window.viewport.poster.painted.connect(lambda: told.append("poster"))
    words = {SceneState.PREVIEW: "still", SceneState.READY: "motion"}
    window.model.scene_changed.connect(
        lambda scene: told.append(words[scene.state]) if scene.state in words else None
    )
    try:
        window.open(f"{server.url}/ball")
        wait_for(lambda: "still" in told, "a picture without motion")
        assert told == ["poster", "still"]
        yield HeldScene(window, motion, told)
    finally:
        motion.set()
        server.stop()


def test_poster_stays_until_motion(held: HeldScene) -> None:
    poster = held.window.viewport.poster
    assert poster.isVisible()
    held.motion.set()
    wait_for(lambda: "motion" in held.told, "motion")
    assert not poster.isVisible()
    assert held.told == ["poster", "still", "motion"]


def test_camera_move_hides_the_poster(held: HeldScene) -> None:
    viewport = held.window.viewport
    middle = viewport.rect().center()
    drag(viewport, middle, middle + QPoint(30, 0))
    assert not viewport.poster.isVisible()
    assert "motion" not in held.told


def test_poster_hides_after_a_while_without_motion(held: HeldScene) -> None:
    wait_for(lambda: not held.window.viewport.poster.isVisible(), "the end of the poster")
    assert "motion" not in held.told


def test_missing_poster_does_not_delay_opening(
    monkeypatch: pytest.MonkeyPatch, scene_path: Path
) -> None:
    monkeypatch.setattr("streamstgs.codec.poster.PATIENCE_S", 0.0)
    with zipfile.ZipFile(scene_path) as archive:
        files = {f"/ball/{name}": archive.read(name) for name in archive.namelist()}
    server = FaultServer(files)
    offered: list[Poster] = []
    try:
        settings = OpenSettings(cache=CacheSettings(max_bytes=0), on_poster=offered.append)
        with open_scene(f"{server.url}/ball", settings) as scene:
            assert scene.frame_count == 68
    finally:
        server.stop()
    assert offered == []


@pytest.mark.parametrize("way", ["file", "server"])
def test_slow_poster_is_decoded_beside_the_scene(
    qt: QApplication, monkeypatch: pytest.MonkeyPatch, scene_path: Path, way: str
) -> None:
    """A progressive JPEG may have many scans: neither the window nor the opening waits for it."""
    begun, release, threads, found = threading.Event(), threading.Event(), [], list[str]()

    def slowly(poster: Poster) -> QImage | None:
        threads.append(threading.current_thread())
        begun.set()
        assert release.wait(60)
        return decoded(poster)

    monkeypatch.setattr("streamstgs.app.ui.viewport.poster_loader.decoded", slowly)
    loader = PosterLoader()
    loader.found.connect(lambda location, *_: found.append(location))
    if way == "file":
        loader.look_for(str(scene_path))
    else:
        poster = local_poster(str(scene_path))
        assert poster is not None
        loader.offer(str(scene_path), poster)
    assert begun.wait(60)
    assert threads[0] is not threading.current_thread()
    assert found == []
    release.set()
    wait_for(lambda: found == [str(scene_path)], "the poster")


def test_poster_records_its_camera(scene_path: Path) -> None:
    poster = local_poster(str(scene_path))
    assert poster is not None
    assert poster.view_fov_y_rad == pytest.approx(0.7)
    assert poster.focal_px * 2 * np.tan(0.35) == pytest.approx(poster.height / 3.161, rel=0.01)
    wider = dataclasses.replace(poster, fov_y_rad=1.2 * poster.fov_y_rad)
    assert poster_place(wider, 640, 360).height() > poster_place(poster, 640, 360).height()
