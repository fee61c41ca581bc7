"""What lies over the picture shows its whole text and covers nothing, also in small windows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

import pytest

pytest.importorskip("PySide6.QtWidgets", exc_type=ImportError)

from PySide6.QtCore import QRect
from PySide6.QtWidgets import QPushButton, QWidget
from streamstgs.app.ui.main_window import MainWindow

from tests.window_driver import live, pause, wait_for

pytestmark = pytest.mark.window
pytest_plugins = ["tests.window_fixtures"]
SIZES = ((960, 600), (900, 600), (520, 360))
NARROWEST_PX = 400
LANGUAGES = ("en", "de")
MENU_PX = 560  # a menu of a screen of 600 px


def pairs(widgets: Sequence[QWidget]) -> Iterator[tuple[QWidget, QWidget]]:
    return combinations(widgets, 2)


def whole(widget: QWidget, room: QRect) -> bool:
    """Whether a widget and its buttons are in view with all of their text."""
    buttons = [one for one in widget.findChildren(QPushButton) if one.isVisible()]
    inside = all(widget.rect().contains(button.geometry()) for button in buttons)
    full = all(button.width() >= button.sizeHint().width() for button in buttons)
    apart = not any(one.geometry().intersects(two.geometry()) for one, two in pairs(buttons))
    return room.contains(widget.geometry()) and inside and full and apart


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_error_card_shows_its_buttons(
    window: MainWindow, language: str, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    window.set_language(language)
    window.resize(*size)
    live(50)
    card = window.viewport.card
    card.show_error("Something went wrong", "/a/long/path/to/a/scene.stgs is empty.", True)
    wait_for(lambda: whole(card, window.viewport.rect()), "all of the buttons")
    live(50)
    placed: list[None] = []
    monkeypatch.setattr(card, "place", lambda: placed.append(None))
    live(100)
    assert placed == []  # the layout has come to rest


def test_error_card_of_a_narrow_picture_stacks_its_buttons(window: MainWindow) -> None:
    window.set_language("de")
    card, host = window.viewport.card, window.viewport
    card.show_error("Something went wrong", "A scene is empty.", True)
    host.resize(NARROWEST_PX, 500)
    wait_for(lambda: whole(card, QRect(0, 0, NARROWEST_PX, 500)), "all of the buttons")
    host.resize(800, 500)
    wait_for(lambda: whole(card, QRect(0, 0, 800, 500)) and card.height() < 300, "one row")


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_bars_at_the_upper_edge_leave_each_other_free(
    window: MainWindow, language: str, size: tuple[int, int]
) -> None:
    pause(window)
    window.set_language(language)
    window.resize(*size)
    window.commands.actions["compare_quality"].trigger()
    wait_for(lambda: window.model.comparison.psnr_db is not None, "a comparison")
    window.model.camera.stopped.emit()
    live(50)  # for the layout
    bar, notice = window.comparing.bar, window.watching.edge
    assert bar is not None
    assert bar.isVisible()
    assert notice.isVisible()
    assert whole(notice, window.viewport.rect())
    assert whole(bar, window.viewport.rect())
    assert not bar.geometry().intersects(notice.geometry())
    if size[0] < 900:
        return
    window.set_statistics(True)
    live(50)
    shown = (bar, notice, window.viewport.statistics)
    for one, other in pairs(shown):
        assert not one.geometry().intersects(other.geometry())
    window.commands.actions["compare_off"].trigger()
    notice.hide()
    live(50)
    assert window.viewport.statistics.y() < 20  # back in its corner


def test_messages_leave_the_title_free(window: MainWindow) -> None:
    window.viewport.titles.show_texts("A scene", "by somebody with a very long name, " * 3)
    window.set_titles(True)
    window.viewport.toast.notify("Saved /home/somebody/Pictures/scene.png")
    live(50)
    toast, titles = window.viewport.toast.geometry(), window.viewport.titles.geometry()
    assert not toast.intersects(titles)
    window.set_titles(False)
    window.viewport.toast.notify("Saved /home/somebody/Pictures/scene.png")
    assert window.viewport.toast.geometry().bottom() > titles.center().y()


@pytest.mark.parametrize("language", LANGUAGES)
def test_menus_fit_on_a_small_screen(window: MainWindow, language: str) -> None:
    window.set_language(language)
    for name, menu in window.commands.menus.items():
        height = menu.sizeHint().height()
        assert height <= MENU_PX, f"the menu {name} is {height} px high"
        assert menu.actions(), f"the menu {name} is empty"
