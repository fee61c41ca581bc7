"""Turns a main window into a kiosk: locks it, reports input, shows what the kiosk does."""

from __future__ import annotations

import logging

from PySide6.QtCore import QEvent, QObject, QPoint, Qt, QTimer
from PySide6.QtGui import QKeySequence, QMouseEvent, QShortcut
from PySide6.QtWidgets import QApplication, QWidget
from streamstgs.app.player.kiosk.host.awake import Awake
from streamstgs.app.player.kiosk.kiosk import Kiosk, KioskState
from streamstgs.app.ui import language
from streamstgs.app.ui.kiosk.language_bar import LanguageBar
from streamstgs.app.ui.main_window import MainWindow, credit_of
from streamstgs.app.ui.watching.first_hint import SEEN_KEY

log = logging.getLogger(__name__)

EXIT_KEY = "Ctrl+Shift+Q"
_TICK_MS = 200
# What visitors and presenters may do; everything else is switched off.
ALLOWED = frozenset(
    [
        "toggle",
        "shuttle_back",
        "shuttle_stop",
        "shuttle_forward",
        "step_back",
        "step_forward",
        "second_back",
        "second_forward",
        "go_start",
        "go_end",
        "slower",
        "faster",
        "normal_speed",
        "better",
        "smaller",
        "auto",
        "frame_all",
        "reset_camera",
        "orbit_left",
        "orbit_right",
        "orbit_up",
        "orbit_down",
        "roll_left",
        "roll_right",
        "dolly_in",
        "dolly_out",
        "next_scene",
        "previous_scene",
        "titles",
    ]
) | {f"preset_{number}" for number in range(1, 10)}
_INPUTS = frozenset(
    {
        QEvent.Type.MouseButtonPress,
        QEvent.Type.MouseButtonDblClick,
        QEvent.Type.MouseMove,
        QEvent.Type.Wheel,
        QEvent.Type.KeyPress,
        QEvent.Type.ShortcutOverride,
        QEvent.Type.TouchBegin,
        QEvent.Type.TouchUpdate,
        QEvent.Type.TabletPress,
        QEvent.Type.NativeGesture,
    }
)


class KioskMode(QObject):
    """Owner: the GUI thread.

    Args:
        window: Is locked; its preferences are written, so they should be of this run alone.
        kiosk: Plays in it.
        awake: Keeps the screen on; None leaves the screen alone.
    """

    def __init__(self, window: MainWindow, kiosk: Kiosk, awake: Awake | None = None) -> None:
        super().__init__(window)
        self._window, self._kiosk, self._awake = window, kiosk, awake
        self._viewport = window.viewport
        self._pointer: QPoint | None = None
        self._leaving = False
        self.languages = LanguageBar(window.viewport)
        self.languages.chosen.connect(self._use_language)
        self._timer = QTimer(self)
        self._timer.timeout.connect(kiosk.tick)
        self._lock()
        kiosk.changed.connect(self._show_state)
        kiosk.visitor_left.connect(self._reset)
        kiosk.picture_stuck.connect(window.renderer.restart)
        window.viewport.resized.connect(self.languages.place)
        window.step_scene = kiosk.step

    def show(self) -> None:
        """Show the window in full screen above all others, and keep the screen on."""
        self._window.setWindowFlag(Qt.WindowType.WindowStaysOnTopHint)
        self._window.show()
        self._window.set_full_screen(True)
        self._window.activateWindow()
        self._viewport.setFocus()
        self._reset()
        if self._awake is not None:
            self._awake.begin()

    def begin(self) -> None:
        """Start the kiosk, once the player is loaded."""
        self._timer.start(_TICK_MS)
        self._kiosk.begin()

    def leave(self) -> None:
        """Close the window; the only way out."""
        self._leaving = True
        self._window.close()

    # --- locking ----------------------------------------------------------------------------------

    def _lock(self) -> None:
        window = self._window
        window.stays_full_screen = True
        for name, action in window.commands.actions.items():
            action.setEnabled(name in ALLOWED)
            action.setVisible(name in ALLOWED)
        window.bar.full_screen.hide()
        window.bar.panel.hide()
        window.bar.loop.hide()
        self._viewport.setAcceptDrops(False)
        self._viewport.card.set_quiet(True)
        self._viewport.card.put_away()
        window.watching.welcome.hide()  # its buttons lead out
        window.preferences.set(SEEN_KEY, True)  # the bar tells visitors enough
        self._viewport.toast.set_quiet(True)
        exit_key = QShortcut(QKeySequence(EXIT_KEY), window)
        exit_key.setContext(Qt.ShortcutContext.ApplicationShortcut)
        exit_key.activated.connect(self.leave)
        application = QApplication.instance()
        assert application is not None
        application.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Report input, and refuse to close or minimise the window."""
        kind = event.type()
        if watched is self._window:
            if kind is QEvent.Type.Close:
                return self._refuses_to_close(event)
            if kind is QEvent.Type.WindowStateChange and self._window.isMinimized():
                self._window.set_full_screen(True)
        if kind in _INPUTS and isinstance(watched, QWidget) and self._is_new(event):
            self._kiosk.touch()
        return kind is QEvent.Type.ContextMenu

    def _refuses_to_close(self, event: QEvent) -> bool:
        if self._leaving:
            self._timer.stop()
            self._kiosk.close()
            if self._awake is not None:
                self._awake.end()
            return False
        event.ignore()
        return True

    def _is_new(self, event: QEvent) -> bool:
        """Whether a person caused an event; widgets that move below the pointer send moves too."""
        if not isinstance(event, QMouseEvent) or event.type() is not QEvent.Type.MouseMove:
            return True
        place = event.globalPosition().toPoint()
        moved = self._pointer is not None and place != self._pointer
        self._pointer = place
        return moved

    # --- showing ----------------------------------------------------------------------------------

    def _show_state(self) -> None:
        kiosk, window = self._kiosk, self._window
        self.languages.setVisible(kiosk.state is KioskState.VISITOR)
        self.languages.place()
        if kiosk.state is KioskState.ATTRACT:
            window.central.hide_controls()
        if kiosk.message:
            self._viewport.card.show_waiting(kiosk.message)
        else:
            self._viewport.card.put_away()
        entry, meta = kiosk.entry, window.model.meta
        if entry is not None and meta is not None:
            self._viewport.titles.show_texts(
                entry.title or meta.title, entry.credit or credit_of(meta)
            )

    def _reset(self) -> None:
        """Show language and overlays as at the start."""
        self._use_language(self._kiosk.language)
        self._window.set_titles(self._kiosk.titles)
        self._window.set_statistics(False)

    def _use_language(self, choice: str) -> None:
        self._window.set_language(choice)
        self.languages.show_choice(language.resolve(choice))
        self._show_state()
