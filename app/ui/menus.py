"""Menus and shortcuts, made from the table in `app.ui.commands`."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMainWindow, QMenu
from streamstgs.app.translation import tr
from streamstgs.app.ui.commands import COMMANDS, MENUS, Command

PICTURE_COMMANDS = (
    "frame_all", "reset_camera", "keep_opening_view", "save_picture", "export_scene",
)  # fmt: skip


class CommandMenus:
    """One QAction per command; `actions` holds them by name, `menus` menus and their parts.

    Raises:
        KeyError: A command of the table has no handler.
    """

    def __init__(self, window: QMainWindow, handlers: dict[str, Callable[[], object]]) -> None:
        self._window = window
        self.actions: dict[str, QAction] = {}
        self.menus: dict[str, QMenu] = {}
        for title in MENUS:
            self.menus[title] = window.menuBar().addMenu(f"&{tr(title)}")
        for command in COMMANDS:
            self._add(window, command, handlers[command.name])
        self.recent = QMenu(tr("Open recent"), window)
        self.menus["File"].insertMenu(self.actions["save_picture"], self.recent)
        self.presets = QMenu(tr("Presets"), window)
        self.menus["Camera"].insertMenu(self.actions["copy_camera"], self.presets)

    def _add(self, window: QMainWindow, command: Command, handler: Callable[[], object]) -> None:
        action = QAction(tr(command.text), window)
        action.setShortcuts([QKeySequence(key) for key in command.keys])
        action.setShortcutContext(Qt.ShortcutContext.WindowShortcut)
        action.setCheckable(command.checkable)
        action.triggered.connect(lambda _=False: handler())
        self.actions[command.name] = action
        window.addAction(action)  # the shortcut works while the menu bar is hidden
        menu = self.menus[command.menu]
        if command.gap:
            menu.addSeparator()
        if command.submenu:
            menu = self._submenu(menu, command.submenu)
        if command.listed:
            menu.addAction(action)

    def _submenu(self, menu: QMenu, title: str) -> QMenu:
        """A part of a menu, made when its first command comes."""
        if title not in self.menus:
            self.menus[title] = menu.addMenu(tr(title))
        return self.menus[title]

    def picture_menu(self) -> QMenu:
        """The commands for the picture, as a right click on it shows them."""
        menu = QMenu(self._window)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for name in PICTURE_COMMANDS:
            menu.addAction(self.actions[name])
        return menu

    def check(self, name: str, on: bool) -> None:
        self.actions[name].setChecked(on)

    def show_recent(self, places: list[str], opened: Callable[[str], None]) -> None:
        self.recent.clear()
        self.recent.setEnabled(bool(places))
        for place in places:
            text = place if len(place) <= 60 else f"…{place[-59:]}"
            action = self.recent.addAction(text.replace("&", "&&"))
            action.triggered.connect(lambda _=False, location=place: opened(location))

    def show_presets(self, names: list[str]) -> None:
        """Name the preset commands after the presets of the scene, and disable the others."""
        self.presets.clear()
        self.presets.setEnabled(bool(names))
        for number in range(1, 10):
            action = self.actions[f"preset_{number}"]
            action.setEnabled(number <= len(names))
            if number <= len(names):
                action.setText(names[number - 1].replace("&", "&&"))
                self.presets.addAction(action)
