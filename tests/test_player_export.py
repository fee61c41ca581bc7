"""Offline rendering, of a scene with marked corners."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import imageio.v3 as imageio
import numpy as np
import pytest
import torch
from streamstgs.app.player.errors import CameraPathError, OutputError
from streamstgs.app.player.export import render as headless
from streamstgs.app.player.export.render import parse_frames, render_preview, render_scene
from streamstgs.codec.errors import CorruptSegment
from streamstgs.codec.formats.stgs import StgsReader
from streamstgs.renderer import CanonicalGaussians

from tests.scripted_scene import ScriptedScene
from tests.synthetic import SyntheticSource

RED, GREEN, BLUE, WHITE = [1.0, 0, 0], [0, 1.0, 0], [0, 0, 1.0], [1.0, 1, 1]


@dataclass(frozen=True)
class MarkedSource(SyntheticSource):
    """Red up left, green up right, blue down left, white down right, seen from the front."""

    dynamic_count: int = 1
    frames_per_gop: tuple[int, ...] = (4, 3)
    fps: float = 10.0

    @property
    def static(self) -> CanonicalGaussians:
        means = torch.tensor([[-1.2, -0.7, 0], [1.2, -0.7, 0], [-1.2, 0.7, 0], [1.2, 0.7, 0]])
        return CanonicalGaussians(
            means=means,
            quats=torch.tensor([[1.0, 0, 0, 0]]).repeat(4, 1),
            log_scales=torch.full((4, 3), -2.0),
            opacity_logits=torch.full((4,), 8.0),
            colors=torch.tensor([RED, GREEN, BLUE, WHITE]),
        )


@pytest.fixture(autouse=True)
def scene(monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedScene]:
    made = ScriptedScene(MarkedSource())
    monkeypatch.setattr(headless, "open_reader", lambda location, fps=None: StgsReader(made))
    yield made
    assert made.closed


def corner_colors(picture: np.ndarray) -> list[str]:
    """Names of the colours at the four marks: up left, up right, down left, down right."""
    height, width, _ = picture.shape
    focal = height / (2 * np.tan(0.35))
    names = {(1, 0, 0): "red", (0, 1, 0): "green", (0, 0, 1): "blue", (1, 1, 1): "white"}
    found = []
    for x, y in ((-1.2, -0.7), (1.2, -0.7), (-1.2, 0.7), (1.2, 0.7)):
        column, row = int(width / 2 + x / 4 * focal), int(height / 2 + y / 4 * focal)
        bright = tuple(int(value > 128) for value in picture[row, column])
        found.append(names.get(bright, f"{picture[row, column]}"))
    return found


UPRIGHT = ["red", "green", "blue", "white"]


def test_image_is_upright_and_not_mirrored(tmp_path: Path) -> None:
    out = tmp_path / "new" / "front.png"
    report = render_scene("marked.stgs", "front", out, (161, 91), "reference", progress=_silent)
    picture = imageio.imread(out)
    assert picture.shape == (91, 161, 3)
    assert corner_colors(picture) == UPRIGHT
    assert (report.frames, report.quality.qp, report.backend) == (1, 20, "reference")


def test_video_is_upright_even_and_complete(tmp_path: Path) -> None:
    out = tmp_path / "front.mp4"
    told: list[tuple[int, int]] = []
    report = render_scene(
        "marked.stgs",
        "front",
        out,
        (161, 91),
        "reference",
        qp=32,
        progress=lambda *step: told.append(step),
    )
    film = imageio.imread(out, plugin="pyav")
    assert film.shape == (7, 92, 162, 3)
    assert all(corner_colors(picture) == UPRIGHT for picture in film)
    meta = imageio.immeta(out, plugin="pyav")
    assert (meta["codec"], meta["video_format"], meta["fps"]) == ("h264", "yuv420p", 10.0)
    assert told == [(done, 7) for done in range(1, 8)]
    assert report.quality.qp == 32
    assert list(tmp_path.iterdir()) == [out]


def test_video_and_image_agree_on_colours(tmp_path: Path) -> None:
    for name in ("front.mp4", "front.png"):
        render_scene("marked.stgs", "front", tmp_path / name, (160, 90), "reference", frames=[2])
    film = imageio.imread(tmp_path / "front.mp4", plugin="pyav")[0].astype(float)
    picture = imageio.imread(tmp_path / "front.png").astype(float)
    assert abs(film - picture).mean() < 2.0  # of 255


def test_interrupted_video_leaves_no_file(tmp_path: Path, scene: ScriptedScene) -> None:
    scene.failures[1, 20] = CorruptSegment("GOP 1 is cut short")
    with pytest.raises(CorruptSegment):
        render_scene("s", "front", tmp_path / "a.mp4", (32, 18), "reference", progress=_silent)
    assert list(tmp_path.iterdir()) == []


def test_preview_plays_the_scene_for_a_whole_turn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(headless, "PREVIEW_HEIGHT_PX", 18)
    film, picture = render_preview("some/marked.stgs", tmp_path, "reference")
    assert (film.name, picture.name) == ("marked-orbit.mp4", "marked.png")
    assert len(imageio.imread(film, plugin="pyav")) == 80  # 8 s at 10 fps
    assert imageio.imread(picture).shape == (18, 32, 3)
    said = capsys.readouterr()
    assert "80 of 80" in said.err
    assert said.out == ""


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"out": "film.avi"}, OutputError, r"ends in \.mp4, .*\.png"),
        ({"size": (0, 10)}, OutputError, "1 to 8192"),
        ({"qp": 99}, OutputError, "no quality of QP 99; it has 20, 28, 32"),
        ({"frames": [7]}, OutputError, "0 to 6"),
        ({"frames": []}, OutputError, "at least one"),
        ({"camera": "back"}, CameraPathError, "no camera called 'back'"),
    ],
)
def test_wrong_requests_are_refused_in_words(
    tmp_path: Path, scene: ScriptedScene, change: dict[str, Any], error: type, words: str
) -> None:
    request = {"camera": "front", "out": "a.png", "backend": "reference"} | change
    request["out"] = tmp_path / request["out"]
    with pytest.raises(error, match=words):
        render_scene("marked.stgs", **request)
    scene.close()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "frames"),
    [
        (None, list(range(10))),
        ("3", [3]),
        ("-1", [9]),
        ("2:5", [2, 3, 4]),
        ("::4", [0, 4, 8]),
        ("::-5", [9, 4]),
    ],
)
def test_frame_ranges(scene: ScriptedScene, text: str | None, frames: list[int]) -> None:
    scene.close()
    assert list(parse_frames(text, 10)) == frames


@pytest.mark.parametrize("text", ["a", "1:2:3:4", "::0", "12", "5:2"])
def test_wrong_frame_ranges(scene: ScriptedScene, text: str) -> None:
    scene.close()
    with pytest.raises(OutputError, match="frames"):
        parse_frames(text, 10)


def _silent(done: int, total: int) -> None:
    """No progress on the screen."""
