"""Keyboard and screen readers: every control is reachable, named and says its value."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("PySide6.QtWidgets", exc_type=ImportError)

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QAccessible, QAccessibleInterface
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSlider,
    QApplication,
    QComboBox,
    QLineEdit,
    QScrollBar,
    QWidget,
)
from streamstgs.app.player.rendering.view_settings import Look
from streamstgs.app.ui.dialogs import AboutDialog, OpenUrlDialog, ShortcutsDialog
from streamstgs.app.ui.export_dialog import ExportDialog
from streamstgs.app.ui.main_window import MainWindow
from streamstgs.app.ui.panel.quality_slider import QualitySlider
from streamstgs.app.ui.transport.timeline_bar import TimelineBar

from tests.window_driver import OpenWindow, key, pause, state, status, wait_for

pytestmark = pytest.mark.window
pytest_plugins = ["tests.window_fixtures"]
GOLDEN = Path(__file__).parent / "golden" / "synthetic-v1-hevc.stgs"
Role, Text = QAccessible.Role, QAccessible.Text
CONTROLS = {
    Role.Button, Role.ButtonMenu, Role.ButtonDropDown, Role.CheckBox, Role.RadioButton,
    Role.ComboBox, Role.Slider, Role.SpinBox, Role.EditableText, Role.PageTab,
}  # fmt: skip


@pytest.fixture
def window(open_window: OpenWindow) -> MainWindow:
    made = open_window(GOLDEN)
    pause(made)
    return made


def tree(root: QAccessibleInterface) -> Iterator[QAccessibleInterface]:
    yield root
    for place in range(root.childCount()):
        child = root.child(place)
        if child is not None and child.isValid():
            yield from tree(child)


def interface(widget: QWidget) -> QAccessibleInterface:
    return QAccessible.queryAccessibleInterface(widget)


def controls(widget: QWidget) -> list[QAccessibleInterface]:
    root = interface(widget)
    return [one for one in tree(root) if one.role() in CONTROLS and not one.state().invisible]


def name(one: QAccessibleInterface) -> str:
    return one.text(QAccessible.Text.Name)


def test_every_control_of_the_window_has_a_name(window: MainWindow) -> None:
    found = controls(window)
    assert len(found) > 20
    unnamed = [f"{one.role()} {one.object()}" for one in found if not name(one).strip()]
    assert unnamed == []


@pytest.mark.parametrize("kind", [OpenUrlDialog, ShortcutsDialog, ExportDialog, AboutDialog])
def test_every_control_of_a_dialog_has_a_name(window: MainWindow, kind: type) -> None:
    more = {
        ExportDialog: ((640, 360), 24.0, 2, Look("depth")),
        AboutDialog: ("Version 1", None),
    }.get(kind, ())
    dialog = kind(window, *more)
    dialog.show()
    unnamed = [f"{one.role()} {one.object()}" for one in controls(dialog) if not name(one)]
    dialog.close()
    assert unnamed == []


def test_sliders_say_their_role_and_value(window: MainWindow) -> None:
    timeline = QAccessible.queryAccessibleInterface(window.bar.timeline)
    assert timeline.role() is Role.Slider
    values = timeline.valueInterface()
    assert values.currentValue() == status(window).frame
    assert values.maximumValue() == status(window).frames - 1
    values.setCurrentValue(3)  # as a screen reader does
    wait_for(lambda: status(window).frame == 3, "the frame that was asked for")
    quality = QAccessible.queryAccessibleInterface(window.panel.quality.slider)
    assert quality.role() is Role.Slider
    best = quality.valueInterface().maximumValue()
    quality.valueInterface().setCurrentValue(0)
    wait_for(lambda: not status(window).auto, "the quality chosen by hand")
    assert best == len(status(window).qualities) - 1


def test_lanes_say_their_keys_and_times(window: MainWindow) -> None:
    key(window, Qt.Key.Key_L, Qt.KeyboardModifier.ControlModifier)
    panel = window.film.panel
    assert panel is not None
    for time_s in (0.0, 0.25):
        window.model.transport.seek(time_s)
        wait_for(lambda: window.loop.settled, "the frame")
        window.viewport.setFocus()
        key(window, Qt.Key.Key_Return)
    lists = [one for one in tree(interface(window)) if one.role() is Role.List]
    lanes = {name(one): one for one in lists if not one.state().invisible}
    if not hasattr(QAccessible, "installFactory"):
        pytest.skip("this PySide6 has no interfaces of one's own")
    lane = lanes["Camera track"]
    assert "2 keys" in lane.text(Text.Value)
    items = [lane.child(place) for place in range(lane.childCount())]
    assert [one.role() for one in items] == [Role.ListItem, Role.ListItem]
    assert [name(one) for one in items] == ["Key 1 of 2", "Key 2 of 2"]
    assert [one.text(Text.Value) for one in items] == ["00:00.00", "00:00.25"]
    assert [lane.indexOfChild(one) for one in items] == [0, 1]
    panel.camera.setFocus()
    panel.camera.select(1)
    assert [one.state().selected for one in items] == [False, True]
    assert lane.focusChild() is items[1]
    place = items[1].rect().center()
    assert lane.childAt(place.x(), place.y()) is items[1]
    panel.time.add_here()
    time = lanes["Time track"]
    assert time.childCount() >= 2
    assert time.child(0).text(Text.Value) == "00:00.00, shows 00:00.00 of the scene"
    panel.camera.remove_selected()
    assert lane.childCount() == 1
    assert not items[1].isValid()  # a screen reader may still hold it
    assert (items[1].text(Text.Name), items[1].rect().isNull()) == ("", True)


def test_lanes_end_with_their_window(window: MainWindow) -> None:
    """Interfaces that a screen reader holds outlive their window harmlessly."""
    key(window, Qt.Key.Key_L, Qt.KeyboardModifier.ControlModifier)
    panel = window.film.panel
    assert panel is not None
    panel.time.add_here()
    held = interface(panel.time).child(0)
    assert held.isValid()
    panel.camera.deleteLater()
    panel.time.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    gc.collect()
    assert not held.isValid()
    assert held.parent() is None


def test_tab_reaches_every_control_and_returns(window: MainWindow) -> None:
    key(window, Qt.Key.Key_0)
    window.viewport.setFocus()
    seen: list[QWidget] = []
    for _ in range(80):
        QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_Tab)
        focused = QApplication.focusWidget()
        assert focused is not None
        if focused is window.viewport:
            break
        seen.append(focused)
    assert QApplication.focusWidget() is window.viewport
    bar, panel = window.bar, window.panel
    reached = {id(one) for one in seen}
    for control in (
        bar.play, bar.step_back, bar.step_forward, bar.timeline, bar.speed, bar.loop,
        bar.full_screen, bar.panel, bar.time.label, panel.quality.slider, panel.quality.auto,
        panel.camera.presets, panel.camera.position, *panel.display.boxes.values(),
    ):  # fmt: skip
        assert id(control) in reached, control
    assert window.central.panel_open  # Tab no longer closes it


def test_a_button_that_tab_reached_takes_space_and_enter(window: MainWindow) -> None:
    button = window.bar.loop
    looped = status(window).loop
    button.setFocus(Qt.FocusReason.TabFocusReason)
    QTest.keyClick(button, Qt.Key.Key_Space)
    wait_for(lambda: status(window).loop is not looped, "the loop to change")
    QTest.keyClick(button, Qt.Key.Key_Return)
    wait_for(lambda: status(window).loop is looped, "the loop to change back")
    before = state(window)
    key(window, Qt.Key.Key_Escape)
    assert QApplication.focusWidget() is window.viewport
    QTest.keyClick(window.viewport, Qt.Key.Key_Space)  # it plays again, as everywhere else
    wait_for(lambda: state(window) is not before, "play")


def test_a_click_on_a_button_leaves_space_to_playing(window: MainWindow) -> None:
    QTest.mouseClick(window.bar.loop, Qt.MouseButton.LeftButton)
    assert QApplication.focusWidget() is window.viewport


def test_lists_leave_up_and_down_to_the_quality(window: MainWindow) -> None:
    box = window.panel.display.boxes["background"]
    before = box.currentIndex()
    box.setFocus(Qt.FocusReason.TabFocusReason)
    assert status(window).auto
    QTest.keyClick(box, Qt.Key.Key_Down)
    assert box.currentIndex() == before
    wait_for(lambda: not status(window).auto, "the quality to change")


def test_enter_on_the_time_lets_one_type(window: MainWindow) -> None:
    window.bar.time.label.setFocus(Qt.FocusReason.TabFocusReason)
    QTest.keyClick(window.bar.time.label, Qt.Key.Key_Return)
    assert QApplication.focusWidget() is window.bar.time.field
    QTest.keyClicks(window.bar.time.field, "4f")
    QTest.keyClick(window.bar.time.field, Qt.Key.Key_Return)
    wait_for(lambda: status(window).frame == 4, "the frame")


def test_every_control_of_bar_and_panel_has_a_tooltip(window: MainWindow) -> None:
    own = (TimelineBar, QualitySlider, QScrollBar)  # theirs depend on the place of the pointer
    without = []
    for part in (window.bar, window.panel):
        for kind in (QAbstractButton, QComboBox, QAbstractSlider, QLineEdit):
            without += [
                f"{type(one).__name__} {one.accessibleName()}"
                for one in part.findChildren(kind)
                if not one.toolTip() and not isinstance(one, own)
            ]
    assert without == []
