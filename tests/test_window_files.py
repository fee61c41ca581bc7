"""Addresses that can be opened, and the files of saved pictures."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

pytest.importorskip("PySide6.QtWidgets", exc_type=ImportError)

from PySide6.QtGui import QColor, QImage
from streamstgs.app.ui.actions.picture_file import (
    FORMATS,
    picture_filter,
    picture_name,
    write_picture,
)
from streamstgs.app.ui.dialogs import address_problem
from streamstgs.codec.errors import WriteError


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", "Type or paste"),
        ("example.org/scene/", "should begin with"),
        ("https://", "no server"),
        ("ftp://example.org/a", "ftp:"),
        ("https://[::1/a", "no address"),
        ("https://example.org:99999/", "no address"),
        ("https://example.org/scene/", ""),
        ("file:///a.stgs", ""),
    ],
)
def test_an_address_that_cannot_be_opened_says_why(text: str, named: str) -> None:
    problem = address_problem(text)
    assert named in problem
    assert bool(problem) is bool(named)


def test_picture_is_named_after_scene_and_time() -> None:
    assert picture_name("Tokyo", 62.5) == "Tokyo 01-02.50.png"
    assert picture_name('a/b: "c"\x00', 0.0) == "a b c 00-00.00.png"
    assert picture_name("../..", 0.0).startswith("scene") or "/" not in picture_name("../..", 0.0)
    assert len(picture_name("x" * 500, 0.0)) < 120


@pytest.fixture
def image() -> QImage:
    made = QImage(64, 32, QImage.Format.Format_RGB888)
    made.fill(QColor(200, 100, 50))
    return made


@pytest.mark.parametrize("suffix", [*FORMATS.values(), "jpeg", "PNG"])
def test_picture_is_written_in_every_listed_format(
    tmp_path: Path, image: QImage, suffix: str
) -> None:
    path = tmp_path / f"a.{suffix}"
    write_picture(str(path), image)
    if suffix == "exr":
        with av.open(str(path)) as file:
            frame = next(file.decode(video=0)).to_ndarray(format="gbrapf32le")
        linear = ((200 / 255 + 0.055) / 1.055) ** 2.4
        assert frame[0, 0, 0] == pytest.approx(linear, abs=2e-3)
        assert frame.shape[:2] == (32, 64)
        return
    read = QImage(str(path))
    assert (read.width(), read.height()) == (64, 32)
    found = read.pixelColor(20, 20)
    assert np.abs(np.subtract(found.getRgb()[:3], (200, 100, 50))).max() <= 4


def test_picture_of_an_unknown_format_is_refused(tmp_path: Path, image: QImage) -> None:
    with pytest.raises(WriteError, match="ends in none of"):
        write_picture(str(tmp_path / "a.bmp"), image)
    assert list(tmp_path.iterdir()) == []


def test_dialog_lists_all_formats() -> None:
    assert picture_filter() == "PNG (*.png);;JPEG (*.jpg);;WebP (*.webp);;OpenEXR (*.exr)"
