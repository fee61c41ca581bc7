"""The statistics in the window: rows without cut text and without false zeros, plots, report."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("PySide6.QtWidgets", exc_type=ImportError)

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QLabel
from streamstgs.app.player.measuring.history import Sample
from streamstgs.app.ui.main_window import MainWindow
from streamstgs.app.ui.panel.statistics_plots import StatisticsPlots, plots_of

from tests.window_driver import OpenWindow, key, rgb, screenshot, wait_for

pytestmark = pytest.mark.window
pytest_plugins = ["tests.window_fixtures"]
GOLDEN = Path(__file__).parent / "golden" / "synthetic-v1-hevc.stgs"


@pytest.fixture
def window(open_window: OpenWindow) -> MainWindow:
    return open_window(GOLDEN)


def texts(window: MainWindow) -> str:
    return " ".join(label.text() for label in window.panel.statistics.findChildren(QLabel))


def test_nothing_is_zero_before_it_is_measured(open_window: OpenWindow) -> None:
    window = open_window(start=False)
    window.set_statistics(True)
    rows = dict(window.viewport.statistics.rows)
    assert rows["Image size"] == "–"
    assert rows["Gaussians"] == "–"
    assert all(not value.startswith("0") for value in rows.values())


def test_long_values_are_wrapped_and_not_cut(window: MainWindow) -> None:
    overlay = window.viewport.statistics
    long = "software OpenGL would be slower; there is no GPU; " * 8
    overlay.show_rows([("Renderer choice", "short")])
    one_line = overlay.height()
    overlay.show_rows([("Renderer choice", long)])
    assert overlay.height() > 2 * one_line
    assert overlay.width() <= window.viewport.width()


def test_plots_draw_what_was_measured(window: MainWindow) -> None:
    wait_for(lambda: len(window.model.statistics.history.samples) > 4, "samples")
    assert any(sample.frame_ms for sample in window.model.statistics.history.samples)
    screenshot(window, "plots")
    plots = StatisticsPlots()
    plots.resize(300, plots.sizeHint().height())
    empty = rgb(plots.grab().toImage())
    samples = [
        Sample(step * 0.25, (20.0 + step, 30.0, 40.0), 2e6, 5e6, 2.0, 1) for step in range(200)
    ]
    plots.show_samples(samples, 4)
    drawn = rgb(plots.grab().toImage())
    changed = np.abs(drawn.astype(int) - empty.astype(int)).max(axis=(1, 2))
    for number in range(4):  # each of the four plots has a line
        top = number * drawn.shape[0] // 4
        assert changed[top + 18 : top + drawn.shape[0] // 4].max() > 40


def test_plots_tell_their_newest_values() -> None:
    plots = plots_of([Sample(1.0, (20.0, 30.0, 40.0), 2e6, None, 2.0, 3)], 4)
    assert [plot.newest for plot in plots] == [
        "20 ms, 95 %: 30 ms",
        "2.0 Mbit/s / –",
        "2.0 s",
        "Best",
    ]
    assert [plot.newest for plot in plots_of([], 0)] == ["–", "– / –", "–", "–"]


def test_one_key_copies_a_bug_report(window: MainWindow) -> None:
    held = (Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier)
    key(window, Qt.Key.Key_B, *held)
    report = QGuiApplication.clipboard().text()
    assert "## Statistics" in report
    assert "Renderer: cpu" in report
    assert "synthetic-v1-hevc.stgs" in report
