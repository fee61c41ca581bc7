"""Scene indexes: what is read, what is refused, and how the viewer model loads one."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from streamstgs.app.player.viewer_model import ViewerModel
from streamstgs.codec.errors import CodecError, CorruptSegment, NotAScene
from streamstgs.codec.package.file_entry import FileEntry
from streamstgs.codec.scene_index import SceneIndex, is_index_address

JPEG = b"\xff\xd8 a picture \xff\xda \xff\xd9"


@pytest.fixture
def index(tmp_path: Path) -> Path:
    file = FileEntry.of("posters/ball.jpg", JPEG)
    members = {k: v for k, v in vars(file).items() if v is not None}
    (tmp_path / "posters").mkdir()
    (tmp_path / "posters/ball.jpg").write_bytes(JPEG)
    document = {
        "format": "streamstgs-index",
        "version": 1,
        "title": "Dances",
        "scenes": [
            {
                "scene": "ball.stgs",
                "title": "Ball",
                "duration_s": 10,
                "poster": {"file": members, "width": 12, "height": 8},
            },
            {"scene": "https://example.org/event", "live": True},
        ],
    }
    path = tmp_path / "scenes.json"
    path.write_text(json.dumps(document))
    return path


def test_index_names_scenes_and_their_posters(index: Path) -> None:
    found = SceneIndex(str(index))
    ball, event = found.scenes
    assert (found.title, ball.title, ball.duration_s) == ("Dances", "Ball", 10)
    assert ball.location == str(index.parent / "ball.stgs")
    assert (event.location, event.live, event.poster) == ("https://example.org/event", True, None)
    assert found.read_poster(ball) == JPEG
    assert found.read_poster(event) is None


def test_other_posters_are_refused(index: Path) -> None:
    (index.parent / "posters/ball.jpg").write_bytes(JPEG[::-1])
    found = SceneIndex(str(index))
    with pytest.raises(CorruptSegment):
        found.read_poster(found.scenes[0])


Edit = Callable[[dict[str, Any]], object]
LIES: list[Edit] = [
    lambda d: d.update(format="other"),
    lambda d: d.update(version=2),
    lambda d: d.update(scenes=[]),
    lambda d: d.update(scenes=d["scenes"] * 501),
    lambda d: d["scenes"][0].update(scene="../secret.stgs"),
    lambda d: d["scenes"][0].update(scene="/etc/passwd"),
    lambda d: d["scenes"][0].update(scene="file:///etc/passwd"),
    lambda d: d["scenes"][0].update(scene="https://user:word@example.org/a"),
    lambda d: d["scenes"][0].update(title="x" * 20_000),
    lambda d: d["scenes"][0].update(duration_s=-1),
    lambda d: d["scenes"][0]["poster"]["file"].update(name="../../secret"),
    lambda d: d["scenes"][0]["poster"].update(width=10**6),
]


@pytest.mark.parametrize("lie", LIES)
def test_lies_are_refused(index: Path, lie: Edit) -> None:
    document = json.loads(index.read_text())
    lie(document)
    index.write_text(json.dumps(document))
    with pytest.raises(NotAScene):
        SceneIndex(str(index))


@pytest.mark.parametrize("content", [b"", b"[]", b"\x00" * 10, b" " * ((1 << 20) + 1)])
def test_what_is_no_index_is_refused(index: Path, content: bytes) -> None:
    index.write_bytes(content)
    with pytest.raises(CodecError):
        SceneIndex(str(index))


def test_urls_of_other_json_files_may_be_an_index() -> None:
    for index in ("https://a.org/dances.json", "http://a.org/x/List.JSON?key=1#top"):
        assert is_index_address(index)
    for other in ("https://a.org/ball/scene.json", "https://a.org/meta.json", "https://a.org/ball"):
        assert not is_index_address(other)
    assert not is_index_address("dances.json")  # a file


def test_posters_that_are_too_large_are_left_out(index: Path) -> None:
    document = json.loads(index.read_text())
    document["scenes"][0]["poster"]["file"]["size_bytes"] = (1 << 20) + 1
    index.write_text(json.dumps(document))
    assert SceneIndex(str(index)).scenes[0].poster is None


def test_viewer_model_loads_an_index_in_the_background(index: Path) -> None:
    model = ViewerModel()
    titles: list[str] = []
    posters: list[tuple[int, bytes]] = []
    errors: list[str] = []
    model.index.loaded.connect(lambda found: titles.append(found.title))
    model.index.poster_loaded.connect(lambda number, jpeg: posters.append((number, jpeg)))
    model.index.failed.connect(errors.append)
    model.index.load(str(index))
    end_s = time.monotonic() + 60.0
    while not posters and time.monotonic() < end_s:
        model.tick()
        time.sleep(0.002)
    assert (titles, posters, errors) == (["Dances"], [(0, JPEG)], [])
    model.index.load(str(index.with_name("missing.json")))
    while not errors and time.monotonic() < end_s:
        model.tick()
        time.sleep(0.002)
    assert "is not a list of scenes" in errors[0]
    model.close()
