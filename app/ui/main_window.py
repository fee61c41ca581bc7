"""The main window: puts the parts together and says what each command does."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QStandardPaths, Qt, QTimer
from PySide6.QtGui import QCloseEvent, QGuiApplication, QImage, QKeyEvent
from PySide6.QtWidgets import QApplication, QDialog, QFileDialog, QMainWindow
from streamstgs.app.player.status import PlaybackState, PlaybackStatus
from streamstgs.app.ui import theme
from streamstgs.app.ui.central_layout import CentralLayout
from streamstgs.app.ui.dialogs import AboutDialog, OpenUrlDialog, ShortcutsDialog
from streamstgs.app.ui.drawing.render_loop import RenderLoop
from streamstgs.app.ui.icons import app_icon
from streamstgs.app.ui.menus import CommandMenus
from streamstgs.app.ui.panel.camera_clipboard import camera_json, look_from_json
from streamstgs.app.ui.panel.side_panel import SidePanel
from streamstgs.app.ui.panel.statistics import rows
from streamstgs.app.ui.preferences import APPLICATION_NAME, Preferences
from streamstgs.app.ui.transport.key_repeat import KeyRepeat
from streamstgs.app.ui.transport.transport_bar import SPEEDS, TransportBar, speed_text
from streamstgs.app.ui.viewport.loading_overlay import LoadingOverlay
from streamstgs.app.ui.viewport.poster_loader import Posters
from streamstgs.app.ui.viewport.viewport import Viewport
from streamstgs.codec.quality import Quality

if TYPE_CHECKING:  # it needs torch, and the window is there before torch is
    pass

_DOUBLE_KEY_S = 0.4
_KEY_ORBIT_PX = 40.0
_CAMERA_MS = 80


class MainWindow(QMainWindow):
    """Owner: the GUI thread.

    Args:
        preferences: what it remembers.
        loop: plays scenes and draws them into the viewport.
        posters: finds what is shown until then.
        version: of the program, for the About box.
    """

    def __init__(
        self, preferences: Preferences, loop: RenderLoop, posters: Posters, version: str
    ) -> None:
        super().__init__()
        self.preferences, self.loop, self.version = preferences, loop, version
        self.posters = posters
        self.viewport: Viewport = loop.viewport
        self.bar = TransportBar()
        self.panel = SidePanel(preferences)
        self.stage = CentralLayout(self.viewport, self.bar, self.panel)
        self._last_f_s = 0.0
        self._second_key = KeyRepeat(lambda: self._seek_by(0.0), self)
        self._camera_timer = QTimer(self)
        self._camera_timer.setSingleShot(True)
        self._camera_waits = False
        self._curtain = LoadingOverlay(preferences, loop, posters)
        self.setCentralWidget(self.stage)
        self.setWindowIcon(app_icon())
        self.setMinimumSize(520, 360)
        self.setAcceptDrops(False)
        self.commands = CommandMenus(self, self._handlers())
        self._connect()
        self._restore()
        self._show_title()
        self.viewport.card.show_empty()
        self.viewport.setFocus()

    # what the commands do

    def _handlers(self) -> dict[str, Callable[[], None]]:
        handlers: dict[str, Callable[[], None]] = {
            "open_file": self.ask_for_file,
            "open_folder": self.ask_for_folder,
            "open_url": self.ask_for_url,
            "save_picture": self.save_picture,
            "quit": self._quit,
            "toggle": lambda: self._play("toggle"),
            "step_back": lambda: self._play("step", -1),
            "step_forward": lambda: self._play("step", 1),
            "second_back": lambda: self._seek_by(-1.0, self._second_key.press()),
            "second_forward": lambda: self._seek_by(1.0, self._second_key.press()),
            "go_start": lambda: self._play("seek_frame", 0),
            "go_end": lambda: self._play("seek_frame", 1 << 40),
            "slower": lambda: self._change_speed(-1),
            "faster": lambda: self._change_speed(1),
            "normal_speed": lambda: self.set_speed(1.0),
            "loop": self._toggle_loop,
            "better": lambda: self._change_quality(1),
            "smaller": lambda: self._change_quality(-1),
            "auto": self._toggle_auto,
            "full_screen": lambda: self.set_full_screen(not self.isFullScreen()),
            "leave": self._leave,
            "panel": lambda: self.set_panel(not self.stage.panel_open),
            "statistics": lambda: self.set_statistics(not self.viewport.statistics.isVisible()),
            "frame_all": self._frame_all,
            "reset_camera": self.loop.reset_camera,
            "copy_camera": self._copy_camera,
            "paste_camera": self._paste_camera,
            "orbit_left": lambda: self.loop.orbit_by(_KEY_ORBIT_PX, 0),
            "orbit_right": lambda: self.loop.orbit_by(-_KEY_ORBIT_PX, 0),
            "orbit_up": lambda: self.loop.orbit_by(0, _KEY_ORBIT_PX),
            "orbit_down": lambda: self.loop.orbit_by(0, -_KEY_ORBIT_PX),
            "dolly_in": lambda: self.loop.dolly_by(1),
            "dolly_out": lambda: self.loop.dolly_by(-1),
            "shortcuts": self.show_shortcuts,
            "about": self.show_about,
            "try_again": self._try_again,
            "cancel": self._cancel_opening,
            "dismiss": self.viewport.card.put_away,
        }
        for number in range(9):
            handlers[f"preset_{number + 1}"] = partial(self.loop.go_to_preset, number)
        return handlers

    def _connect(self) -> None:
        handlers = self._handlers()
        for part in (self.bar.asked, self.panel.camera.asked, self.viewport.card.asked):
            part.connect(lambda name: handlers[name]())
        self.bar.speed_chosen.connect(self.set_speed)
        self.bar.timeline.sought.connect(
            lambda time_s, final: self._play("seek", time_s, not final)
        )
        self.bar.time.sought.connect(lambda time_s: self._play("seek", time_s))
        self.panel.quality.chosen.connect(self.set_quality)
        self.panel.camera.preset_chosen.connect(self.loop.go_to_preset)
        self.panel.camera.moved.connect(self.loop.look_from)
        self.panel.display.changed.connect(self._display_changed)
        self.viewport.dropped.connect(self.open)
        self.loop.status_changed.connect(self._show_status)
        self._camera_timer.timeout.connect(self._show_camera_again)
        self.loop.camera_changed.connect(self._show_camera_soon)
        self.loop.statistics_changed.connect(self._show_statistics)
        self.loop.backend_changed.connect(self.panel.display.show_backend)
        self.loop.screening.opened.connect(self._show_opened)
        self.loop.screening.failed.connect(self._show_failure)
        self.loop.screening.warned.connect(self.viewport.toast.show_message)
        hints = QGuiApplication.styleHints()
        hints.colorSchemeChanged.connect(lambda _: self._apply_theme())

    # opening

    def open(self, location: str) -> None:
        self.loop.open(location)

    def ask_for_file(self) -> None:
        places = self.preferences.recent
        start = str(Path(places[0]).parent) if places and "://" not in places[0] else ""
        chosen, _ = QFileDialog.getOpenFileName(
            self, "Open a scene", start, "Gaussian scenes (*.stgs scene.json);;All files (*)"
        )
        if chosen:
            path = Path(chosen)
            self.open(str(path.parent if path.name == "scene.json" else path))

    def ask_for_folder(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self, "Open a scene folder")
        if chosen:
            self.open(chosen)

    def ask_for_url(self) -> None:
        dialog = OpenUrlDialog(self)
        dialog.accepted.connect(lambda: self.open(dialog.url))
        self._show_dialog(dialog)

    def _try_again(self) -> None:
        if self.loop.screening.last_location is not None:
            self.open(self.loop.screening.last_location)

    def _cancel_opening(self) -> None:
        self.loop.cancel_opening()
        self._curtain.put_poster_away()
        if self.loop.screening.playback is None:
            self.viewport.card.show_empty()
        else:
            self.viewport.card.put_away()

    def _show_opened(self) -> None:
        playback = self.loop.screening.playback
        assert playback is not None
        self.viewport.toast.hide()
        self.preferences.remember(playback.location)
        self._show_recent()
        self.bar.set_scene_open(True)
        presets = playback.meta.presets if playback.meta else ()
        self.panel.camera.set_presets(presets)
        self.commands.show_presets([preset.name for preset in presets])
        self._show_title()

    def _show_failure(self, message: str) -> None:
        self._curtain.put_poster_away()
        self.viewport.card.show_error(message, dismissable=self.loop.screening.playback is not None)

    # playing

    def _play(self, what: str, *arguments: float) -> None:
        """Pass a transport command on to the playback, where there is one."""
        playback = self.loop.screening.playback
        if playback is not None:
            paused = what in ("toggle", "step") and self.loop.stay_paused()
            if not (paused and what == "toggle"):
                getattr(playback, what)(*arguments)
            self.loop.show_status_now()

    def _seek_by(self, seconds: float, held: bool = False) -> None:
        """A key that is held is a drag: one seek, whose end is another."""
        status = self.loop.status
        if status is not None:
            self._play("seek", max(status.position_s + seconds, 0.0), held)

    def set_speed(self, speed: float) -> None:
        self.preferences.set("speed", speed)
        self._play("set_speed", speed)
        self._show_speed_and_loop()

    def _change_speed(self, steps: int) -> None:
        now = self.preferences.number("speed", 1.0, 0.1, 8.0)
        nearest = min(range(len(SPEEDS)), key=lambda place: abs(SPEEDS[place] - now))
        self.set_speed(SPEEDS[min(max(nearest + steps, 0), len(SPEEDS) - 1)])

    def _toggle_loop(self) -> None:
        on = not self.preferences.flag("loop", True)
        self.preferences.set("loop", on)
        self._play("set_loop", on)
        self._show_speed_and_loop()

    def _show_speed_and_loop(self) -> None:
        """What the next scene will start with; an open one has the same."""
        loop = self.preferences.flag("loop", True)
        self.bar.speed.setText(speed_text(self.preferences.number("speed", 1.0, 0.1, 8.0)))
        self.bar.loop.setChecked(loop)
        self.commands.check("loop", loop)

    def set_quality(self, quality: Quality | None) -> None:
        self.preferences.qp = None if quality is None else quality.qp
        playback = self.loop.screening.playback
        if playback is not None:
            playback.set_quality(quality)

    def _toggle_auto(self) -> None:
        status = self.loop.status
        if status is not None:
            self.set_quality(status.quality if status.auto else None)

    def _change_quality(self, steps: int) -> None:
        """Choose the quality that is `steps` better than the shown one (negative: worse)."""
        status = self.loop.status
        if status is not None and status.quality in status.qualities:
            place = status.quality.index + steps
            self.set_quality(status.qualities[min(max(place, 0), len(status.qualities) - 1)])

    # camera

    def _frame_all(self) -> None:
        now_s = time.monotonic()
        if now_s - self._last_f_s < _DOUBLE_KEY_S:
            self.set_full_screen(not self.isFullScreen())
        self._last_f_s = now_s
        self.loop.frame_all()

    def _copy_camera(self) -> None:
        if self.loop.motion is not None:
            QGuiApplication.clipboard().setText(camera_json(self.loop.motion.orbit))
            self.viewport.toast.show_message("The camera is on the clipboard.", warning=False)

    def _paste_camera(self) -> None:
        try:
            self.loop.look_from(*look_from_json(QGuiApplication.clipboard().text()))
        except ValueError:
            self.viewport.toast.show_message(
                "The clipboard holds no camera. Copy one first with Ctrl+Shift+C."
            )

    # saving

    def save_picture(self) -> None:
        """Take what is seen now at the full size of the window, however small it is drawn, and
        ask where it shall go; a scene that plays goes on meanwhile."""
        if self.loop.status is not None:
            self.loop.draw_still(partial(self._ask_where_to_save, self.loop.status.frame))

    def _ask_where_to_save(self, frame: int, picture: QImage) -> None:
        pictures = QStandardPaths.StandardLocation.PicturesLocation
        folder = QStandardPaths.writableLocation(pictures) or "."
        dialog = QFileDialog(self, "Save picture", folder, "PNG (*.png);;JPEG (*.jpg)")
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix("png")
        dialog.filterSelected.connect(
            lambda chosen: dialog.setDefaultSuffix("jpg" if "jpg" in chosen else "png")
        )
        dialog.selectFile(f"frame {frame}.png")
        dialog.fileSelected.connect(lambda path: self._write_picture(path, picture))
        self._show_dialog(dialog)

    def _write_picture(self, path: str, picture: QImage) -> None:
        if picture.save(path):
            self.viewport.toast.show_message(f"Saved {path}", warning=False)
        else:
            refusal = f"Could not write {path}. Choose another place or name."
            self.viewport.toast.show_message(refusal)

    # showing

    def _show_status(self, status: PlaybackStatus) -> None:
        self.bar.show_status(status)
        self.panel.quality.show_status(status)
        self.commands.check("loop", status.loop)
        self.commands.check("auto", status.auto)
        self.stage.may_fade = (
            status.state is PlaybackState.PLAYING and not self.bar.timeline.dragging
        )
        waiting = status.state is PlaybackState.BUFFERING and self.loop.waited_long
        self.viewport.toast.stand(status.message if waiting else "")
        waiting = waiting or self.viewport.poster.isVisible()
        self.viewport.spinner.set_running(waiting and not self.viewport.card.isVisible())

    def _show_camera_soon(self) -> None:
        """Numbers that run are not read: after the first, some of them a second are enough."""
        self._camera_waits = self._camera_timer.isActive()
        if not self._camera_waits:
            self._show_camera()
            self._camera_timer.start(_CAMERA_MS)

    def _show_camera_again(self) -> None:
        if self._camera_waits:
            self._show_camera_soon()

    def _show_camera(self) -> None:
        if self.loop.motion is not None:
            self.panel.camera.show_camera(self.loop.motion.orbit)

    def _show_statistics(self) -> None:
        lines = rows(self.loop.drawing, self.loop.status)
        if self.stage.panel_open:
            self.panel.statistics.show_rows(lines)
        if self.viewport.statistics.isVisible():
            self.viewport.statistics.show_rows(lines)

    def _show_title(self) -> None:
        playback = self.loop.screening.playback
        title = playback.meta.title if playback is not None and playback.meta else ""
        self.setWindowTitle(f"{title} — {APPLICATION_NAME}" if title else APPLICATION_NAME)

    def _show_recent(self) -> None:
        self.commands.show_recent(self.preferences.recent, self.open)

    def show_shortcuts(self) -> None:
        self._show_dialog(ShortcutsDialog(self))

    def show_about(self) -> None:
        playback = self.loop.screening.playback
        self._show_dialog(AboutDialog(self, self.version, playback.meta if playback else None))

    def _show_dialog(self, dialog: QDialog) -> None:
        """Modal to the window but not to the program: the scene plays on behind it."""
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setWindowModality(Qt.WindowModality.WindowModal)
        dialog.show()

    # window

    def set_full_screen(self, on: bool) -> None:
        self.menuBar().setVisible(not on)
        self.setWindowState(
            self.windowState() | Qt.WindowState.WindowFullScreen
            if on
            else self.windowState() & ~Qt.WindowState.WindowFullScreen
        )
        self.stage.set_immersive(on)
        self.bar.set_full_screen(on)
        self.commands.check("full_screen", on)
        self.set_panel(not on and self.preferences.flag("panel", True))

    def _leave(self) -> None:
        if self.isFullScreen():
            self.set_full_screen(False)
        elif self.loop.awaited is not None or (
            self.viewport.card.isVisible() and self.loop.screening.playback is not None
        ):
            self._cancel_opening()
        self.viewport.setFocus()

    def set_panel(self, on: bool) -> None:
        if not self.isFullScreen():
            self.preferences.set("panel", on)
        self.stage.set_panel_open(on)
        self.bar.panel.setChecked(on)
        self.commands.check("panel", on)

    def set_statistics(self, on: bool) -> None:
        self.preferences.set("statistics", on)
        self.viewport.statistics.setVisible(on)
        self.commands.check("statistics", on)
        self._show_statistics()

    def _display_changed(self, setting: str, value: str) -> None:
        self.preferences.set(setting, value)
        if setting == "theme":
            self._apply_theme()
        elif setting == "background":
            self.loop.set_background(value)
        elif setting == "scale":
            self.loop.set_scale(None if value == "auto" else float(value))
        elif setting == "backend":
            self.loop.set_backend(None if value == "auto" else value)

    def _apply_theme(self) -> None:
        application = QApplication.instance()
        assert isinstance(application, QApplication)
        theme.install(application, theme.resolve(self.preferences.theme))
        self.bar.refresh_icons()
        self.panel.refresh_icons()

    def _restore(self) -> None:
        self.resize(1280, 800)
        if self.preferences.geometry is not None:
            self.restoreGeometry(self.preferences.geometry)
        for key in self.panel.display.boxes:
            default = "system" if key == "theme" else "scene" if key == "background" else "auto"
            self.panel.display.select(key, self.preferences.text(key, default))
        self._show_speed_and_loop()
        self.set_panel(self.preferences.flag("panel", True))
        self.set_statistics(self.preferences.flag("statistics", False))
        self._show_recent()
        self.commands.show_presets([])

    def keyPressEvent(self, event: QKeyEvent) -> None:
        self.stage.wake()
        super().keyPressEvent(event)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        if not event.isAutoRepeat():
            self._second_key.end()
        super().keyReleaseEvent(event)

    def _quit(self) -> None:
        self.close()

    def closeEvent(self, event: QCloseEvent) -> None:
        if not self.isFullScreen():
            self.preferences.geometry = self.saveGeometry()
        self.preferences.flush()
        self.loop.close()
        super().closeEvent(event)
