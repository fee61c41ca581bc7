"""The main window: composes the widgets and subscribes them to the viewer model."""

from __future__ import annotations

import logging
from collections.abc import Callable

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QCloseEvent, QColor, QGuiApplication, QKeyEvent
from PySide6.QtWidgets import QApplication, QColorDialog, QMainWindow
from streamstgs.app.player.measuring.bug_report import RecentLog, bug_report
from streamstgs.app.player.status import PlaybackState, PlaybackStatus
from streamstgs.app.player.viewer.open_scene import PAINTED, OpenScene, SceneState
from streamstgs.app.player.viewer.statistics import RenderStatistics
from streamstgs.app.player.viewer_model import ViewerModel
from streamstgs.app.translation import tr
from streamstgs.app.ui import language, theme
from streamstgs.app.ui.actions.camera_actions import CameraActions
from streamstgs.app.ui.actions.compare_actions import CompareActions
from streamstgs.app.ui.actions.file_actions import FileActions, show_dialog
from streamstgs.app.ui.actions.film_actions import FilmActions
from streamstgs.app.ui.actions.marker_actions import MarkerActions
from streamstgs.app.ui.actions.playback_actions import PlaybackActions
from streamstgs.app.ui.actions.scene_actions import SceneActions
from streamstgs.app.ui.actions.video_actions import VideoActions
from streamstgs.app.ui.central_layout import CentralLayout
from streamstgs.app.ui.dialogs import AboutDialog, ShortcutsDialog
from streamstgs.app.ui.drawing.active_renderer import ActiveRenderer
from streamstgs.app.ui.drawing.pivot_picker import PivotPicker
from streamstgs.app.ui.drawing.render_loop import RenderLoop
from streamstgs.app.ui.icons import app_icon
from streamstgs.app.ui.keyboard import FocusKeys, make_reachable
from streamstgs.app.ui.menus import CommandMenus
from streamstgs.app.ui.panel.camera_display import CameraDisplay
from streamstgs.app.ui.panel.display_section import CUSTOM
from streamstgs.app.ui.panel.side_panel import SidePanel
from streamstgs.app.ui.panel.statistics_rows import advanced_rows, basic_rows
from streamstgs.app.ui.preferences import APPLICATION_NAME, Preferences
from streamstgs.app.ui.transport.hover_preview import HoverPreview
from streamstgs.app.ui.transport.transport_bar import TransportBar
from streamstgs.app.ui.viewport.loading_overlay import LoadingOverlay
from streamstgs.app.ui.viewport.poster_loader import PosterLoader
from streamstgs.app.ui.viewport.viewport import Viewport
from streamstgs.app.ui.watching.sound_settings import SoundSettings
from streamstgs.app.ui.watching.watching import Watching
from streamstgs.app.ui.window_size import PanelFolding, first_size
from streamstgs.codec.package.scene_meta import SceneMeta
from streamstgs.codec.quality import Quality


class MainWindow(QMainWindow):
    """Owner: the GUI thread. The parts are made in `app.ui.application`.

    Args:
        preferences: Settings that are remembered.
        model: The scenes, the camera and the options that the window shows.
        viewport: Shows the image.
        renderer: Draws it; another one can be chosen in the window.
        loop: Asks the renderer for images.
        posters: Loads the poster of a scene that is opened.
        version: Shown in the About dialog.
    """

    def __init__(
        self,
        preferences: Preferences,
        model: ViewerModel,
        viewport: Viewport,
        renderer: ActiveRenderer,
        loop: RenderLoop,
        posters: PosterLoader,
        version: str,
    ) -> None:
        super().__init__()
        self.preferences, self.model, self.version = preferences, model, version
        self.viewport, self.renderer, self.loop = viewport, renderer, loop
        self.posters = posters
        self._card, self._toast, self._overlay = viewport.card, viewport.toast, viewport.statistics
        self._poster, self._spinner = viewport.poster, viewport.spinner
        self.bar = TransportBar()
        self.panel = SidePanel(preferences)
        self.central = CentralLayout(viewport, self.bar, self.panel)
        self.files = FileActions(self, model, loop, preferences, self._toast)
        self._playing = PlaybackActions(model, preferences, self._show_speed_and_loop, self)
        self._marking = MarkerActions(self, model, preferences, self._toast)
        self._moving = CameraActions(model, viewport, self._toast, self._toggle_full_screen)
        self.videos = VideoActions(self, model, self._toast, viewport.size_px)
        self.comparing = CompareActions(self, model, viewport, renderer, self._toast)
        self.film = FilmActions(model, self.central, preferences, self._check)
        self.scenes = SceneActions(self, model, self.panel.scene, self._toast)
        picker = PivotPicker(model, viewport)
        self._helpers = (
            CameraDisplay(model.camera, self.panel),
            LoadingOverlay(model, viewport, posters),
            HoverPreview(model, self.bar.timeline, self.central),
            picker,
        )
        self._log = RecentLog()
        logging.getLogger("streamstgs").addHandler(self._log)
        self.watching = Watching(model, viewport, preferences)
        self.sound = SoundSettings(model, self.bar.volume, preferences)
        picker.taken.connect(self.watching.pivot.show_pivot)
        self._folding = PanelFolding(
            self.central, lambda: self.central.panel_open, self._show_panel
        )
        self.setCentralWidget(self.central)
        self.setWindowIcon(app_icon())
        self.setMinimumSize(520, 360)
        self.setAcceptDrops(False)
        handlers = self._handlers()
        self.stays_full_screen = False  # in a kiosk
        self._compiling = False  # the renderer of the processor, while a slower one draws
        self.step_scene: Callable[[int], object] = self._step_scene_or_view
        self.commands = CommandMenus(self, handlers)
        self._connect_widgets(handlers)
        self._keys = FocusKeys(self)
        application = QApplication.instance()
        assert application is not None
        application.installEventFilter(self._keys)
        make_reachable(self)
        self._subscribe()
        self._restore()
        self._show_title()
        self._card.show_empty()
        self.watching.welcome_if_idle()
        self.viewport.setFocus()

    def _handlers(self) -> dict[str, Callable[[], object]]:
        """The commands of `app.ui.commands` and of the buttons, by name."""
        return {
            **self.files.handlers(),
            **self._playing.handlers(),
            **self._marking.handlers(),
            "go_to_time": self.bar.time.edit,
            **self._moving.handlers(),
            **self.videos.handlers(),
            **self.film.handlers(),
            **self.scenes.handlers(),
            **self.watching.handlers(),
            **self.sound.handlers(),
            **self.comparing.handlers(),
            "quit": self.close,
            "full_screen": self._toggle_full_screen,
            "leave": self._leave,
            "panel": lambda: self.set_panel(not self.central.panel_open),
            "titles": lambda: self.set_titles(not self.viewport.titles.isVisible()),
            "next_scene": lambda: self.step_scene(1),
            "previous_scene": lambda: self.step_scene(-1),
            "statistics": lambda: self.set_statistics(not self._overlay.isVisible()),
            "shortcuts": self.show_shortcuts,
            "copy_report": self.copy_report,
            "about": self.show_about,
            "cancel": self._cancel_opening,
            "dismiss": self._card.put_away,
        }

    def _connect_widgets(self, handlers: dict[str, Callable[[], object]]) -> None:
        """What a person does in a widget changes the model."""
        welcome = self.watching.welcome
        for part in (self.bar.asked, self.panel.asked, self._card.asked, welcome.asked):
            part.connect(lambda name: handlers[name]())
        self.film.asked = lambda name: handlers[name]()
        self.bar.speed_chosen.connect(self._playing.set_speed)
        self.bar.sought.connect(self._playing.seek)
        self.bar.timeline.marker_menu.connect(self._marking.show_menu)
        self.panel.quality_chosen.connect(self.model.quality.choose)
        self.panel.automatic_toggled.connect(self.model.quality.toggle_automatic)
        self.panel.preset_chosen.connect(self.model.go_to_preset)
        self.panel.camera_typed.connect(self.model.camera.look_from)
        self.panel.display_changed.connect(self._display_changed)
        closer = self.panel.display.closer
        closer.splat_scale_chosen.connect(
            lambda scale: setattr(self.model.options, "splat_scale", scale)
        )
        closer.crop_chosen.connect(lambda box: setattr(self.model.options, "crop", box))
        closer.crop_wanted.connect(self.model.crop_here)
        self.model.options.changed.connect(self._show_closer_look)
        self.viewport.dropped.connect(self.open)
        self.viewport.menu_wanted.connect(self._show_picture_menu)
        self.renderer.changed.connect(
            lambda adapter: self.panel.show_backend(adapter.backend_name, adapter.reason)
        )
        self.renderer.examined.connect(self.panel.display.show_obstacles)
        self.renderer.compiling.connect(self._show_compiling)
        hints = QGuiApplication.styleHints()
        hints.colorSchemeChanged.connect(lambda _: self._apply_theme())

    def _subscribe(self) -> None:
        """What changes in the model is shown in the widgets."""
        self.model.scene_changed.connect(self._scene_changed)
        self.model.failed.connect(self._show_failure)
        self.model.scene_view.changed.connect(self._show_presets)
        self.model.warned.connect(self._toast.warn)
        self.model.transport.status_changed.connect(self._show_status)
        self.model.statistics.changed.connect(self._show_statistics)
        self.model.quality.changed.connect(self._remember_quality)
        self.model.markers.changed.connect(
            lambda: self.bar.timeline.show_markers(tuple(self.model.markers))
        )
        self.model.transport.time_mapping_changed.connect(self._show_time_mapping)
        self.model.camera.free_flight_changed.connect(self._show_free_flight)
        self.model.camera.fly_mode_changed.connect(self._show_fly_mode)

    # --- opening ----------------------------------------------------------------------------------

    def open(self, location: str, position_s: float | None = None) -> None:
        """Open a path or URL; the shown scene stays until the first frame is decoded.

        Args:
            position_s: The content time to start at; None for where it was left.
        """
        if position_s is None:
            position_s = self.preferences.positions.of(location)
        self.files.open(location, position_s)

    def _remember_position(self) -> None:
        scene, status = self.model.scene, self.model.status
        if scene is None or status is None or status.duration_s <= 0.0:
            return
        if status.live is None:  # a live scene begins at its edge
            self.preferences.positions.remember(
                scene.location, status.position_s, status.duration_s
            )

    def _cancel_opening(self) -> None:
        self.model.cancel_opening()
        if self.model.scene is None:
            self._card.show_empty()
            self.watching.welcome_if_idle()
        else:
            self._card.put_away()

    def _scene_changed(self, scene: OpenScene) -> None:
        if scene.state is SceneState.REQUESTED and scene is self.model.pending:
            self._remember_position()
        if scene.state in PAINTED:
            self.renderer.examine()  # not before: it loads all of them
        if scene.state is not SceneState.DECODED or scene is not self.model.scene:
            return
        self._toast.hide()
        self._toast.show_persistent("")
        self.preferences.remember(scene.location)
        self._show_recent()
        self._marking.enter_scene(scene.location)
        self.film.enter_scene(scene.location)
        self.bar.set_scene_open(True)
        self._show_presets()
        self.viewport.titles.show_texts(self.model.title, credit_of(scene.meta))
        self._show_title()

    def _show_presets(self) -> None:
        """Show the vertical axis and the named views of the shown scene."""
        self.scenes.show_view()
        self.panel.set_presets(self.model.presets)
        self.commands.show_presets([preset.name for preset in self.model.presets])
        self.panel.show_camera(self.model.camera)

    def _show_picture_menu(self, place: QPoint) -> None:
        if self.model.scene is not None and not self.stays_full_screen:
            self.commands.picture_menu().popup(place)

    def _show_failure(self, message: str) -> None:
        shown = self.model.scene
        stopped = shown is not None and shown.state is SceneState.FAILED
        title = tr("Playback stopped") if stopped else tr("This scene could not be opened")
        self._card.show_error(title, message, dismissable=shown is not None)

    # --- changing ---------------------------------------------------------------------------------

    def _display_changed(self, setting: str, value: str) -> None:
        if (setting, value) == ("background", CUSTOM):
            self._ask_for_background()
            return
        if setting not in ("mode", "exposure", "stereo"):  # a scene opens in its own colours
            self.preferences.set(setting, value)
        options = self.model.options
        if setting == "theme":
            self._apply_theme()
        elif setting == "language":
            self._apply_language()
        elif setting == "motion":
            self._apply_motion()
        elif setting == "mode":
            options.mode = value
        elif setting == "exposure":
            options.exposure = float(value)
        elif setting == "stereo":
            options.stereo = value
        elif setting == "eyes":
            options.eye_distance = float(value)
        elif setting == "background":
            options.background = value
        elif setting == "scale":
            options.scale = None if value == "auto" else float(value)
        elif setting == "backend":
            self.renderer.set_backend(None if value == "auto" else value)

    def _show_closer_look(self) -> None:
        options, display = self.model.options, self.panel.display
        closer = display.closer
        display.select("mode", options.mode)
        display.select("background", options.background)
        exposure = f"{options.exposure:.1f}"
        if display.boxes["exposure"].findData(exposure) >= 0:  # a script may choose any
            display.select("exposure", exposure)
        closer.show_crop(options.crop)
        closer.show_splat_scale(options.splat_scale)

    def _ask_for_background(self) -> None:
        """Ask for a colour behind the scene; cancelling keeps the one that is shown."""
        options, display = self.model.options, self.panel.display
        shown = [round(255 * value) for value in self.model.render_settings().background]
        dialog = QColorDialog(QColor(*shown), self)
        dialog.setWindowTitle(tr("Background"))

        def take(colour: QColor) -> None:
            self._display_changed("background", colour.name())
            display.select("background", colour.name())

        dialog.colorSelected.connect(take)
        dialog.rejected.connect(lambda: display.select("background", options.background))
        show_dialog(dialog)

    # --- showing ----------------------------------------------------------------------------------

    def _show_status(self, status: PlaybackStatus) -> None:
        self.bar.show_status(status)
        self.film.refresh()
        self.panel.show_quality(self.model.quality, status)
        self.commands.check("loop", status.loop)
        self.commands.check("auto", status.auto)
        self.central.may_fade = status.state is PlaybackState.PLAYING and not self.bar.dragging
        buffering = status.state is PlaybackState.BUFFERING
        waiting = buffering and self.model.transport.waited_long
        self._show_state(status.message if waiting else "")
        waiting = waiting or self._poster.isVisible()
        self._spinner.set_running(waiting and not self._card.isVisible())

    def _show_compiling(self, on: bool) -> None:
        self._compiling = on
        self._show_state("")

    def _show_state(self, waits_for: str) -> None:
        """Show what playback waits for, or else why frames come slowly."""
        if waits_for or not self._compiling:
            self._toast.show_persistent(waits_for)
            return
        text = tr(
            "Preparing to draw faster on this processor. This takes up to a minute, once after an "
            "installation or an update."
        )
        self._toast.show_persistent(text, warning=False)

    def _show_statistics(self, rendering: RenderStatistics) -> None:
        status, quality = self.model.status, self.model.quality
        basic = basic_rows(rendering, status, quality)
        advanced = advanced_rows(rendering, status, quality)
        if self.central.panel_open:
            self.panel.show_statistics(basic, advanced)
            samples = self.model.statistics.history.samples
            self.panel.show_history(samples, len(quality.available))
        if self._overlay.isVisible():
            self._overlay.show_rows(basic + advanced if self.panel.advanced_shown else basic)

    def _show_speed_and_loop(self) -> None:
        """Show the settings that the next scene starts with; an open scene has the same."""
        loop = self.preferences.loop
        self.bar.show_speed_and_loop(self.preferences.speed, loop)
        self.commands.check("loop", loop)
        self.commands.check("smooth", self.preferences.smooth)

    def _check(self, name: str, on: bool) -> None:
        """Show in the menu whether a command is on."""
        self.commands.check(name, on)

    def _show_time_mapping(self) -> None:
        """Show the repeated part, and whether content turns back at its ends."""
        transport = self.model.transport
        self.bar.timeline.show_part(transport.part_s)
        self.commands.check("ping_pong", transport.bounces)

    def _step_scene_or_view(self, steps: int) -> None:
        if not self.watching.step_scene(steps):
            self._moving.step_preset(steps)

    def _show_fly_mode(self, flies: bool) -> None:
        self.commands.check("fly", flies)
        self.panel.camera.fly_mode.setChecked(flies)

    def _show_free_flight(self, free: bool) -> None:
        self.commands.check("free_flight", free)
        self.panel.camera.free_flight.setChecked(free)

    def _show_title(self) -> None:
        title = self.model.title
        self.setWindowTitle(f"{title} — {APPLICATION_NAME}" if title else APPLICATION_NAME)

    def _show_recent(self) -> None:
        self.commands.show_recent(self.preferences.recent, self.open)

    def show_shortcuts(self) -> None:
        """Show all keys and gestures."""
        show_dialog(ShortcutsDialog(self))

    def copy_report(self) -> None:
        """Put a bug report with versions, statistics and the last warnings on the clipboard."""
        rendering, status = self.model.render_statistics, self.model.status
        rows = [
            *basic_rows(rendering, status, self.model.quality),
            *advanced_rows(rendering, status, self.model.quality),
        ]
        scene = self.model.scene
        location = scene.location if scene is not None else None
        report = bug_report(self.version, location, rows, tuple(self._log.lines))
        QGuiApplication.clipboard().setText(report)
        self._toast.notify(tr("A bug report is on the clipboard. Paste it where you report."))

    def show_about(self) -> None:
        """Show the version and the credits of the scene."""
        show_dialog(AboutDialog(self, self.version, self.model.meta))

    # --- the window itself ------------------------------------------------------------------------

    def set_full_screen(self, on: bool) -> None:
        """Give the image the whole screen; the controls fade over it."""
        on = on or self.stays_full_screen
        self.menuBar().setVisible(not on)
        self.setWindowState(
            self.windowState() | Qt.WindowState.WindowFullScreen
            if on
            else self.windowState() & ~Qt.WindowState.WindowFullScreen
        )
        self.central.set_immersive(on)
        self.bar.set_full_screen(on)
        self.commands.check("full_screen", on)
        self.set_panel(not on and self.preferences.flag("panel", True))

    def _toggle_full_screen(self) -> None:
        self.set_full_screen(not self.isFullScreen())

    def _leave(self) -> None:
        """Leave full screen, else cancel opening or dismiss the card."""
        dismissable = self._card.isVisible() and self.model.scene is not None
        if self.isFullScreen():
            self.set_full_screen(False)
        elif self.model.pending is not None or dismissable:
            self._cancel_opening()
        self.viewport.setFocus()

    def set_panel(self, on: bool) -> None:
        """Show or hide the side panel."""
        if not self.isFullScreen():
            self.preferences.set("panel", on)
        self._show_panel(on)

    def _show_panel(self, on: bool) -> None:
        self.central.set_panel_open(on)
        self.bar.show_panel_open(on)
        self.commands.check("panel", on)

    def set_titles(self, on: bool) -> None:
        """Show or hide title and credit over the image."""
        self.preferences.set("titles", on)
        self.viewport.titles.set_on(on)
        self.commands.check("titles", on)

    def set_language(self, choice: str) -> None:
        """Show the texts in a language of `app.ui.language`."""
        self.preferences.set("language", choice)
        self.panel.appearance.select("language", choice)
        self._apply_language()

    def set_statistics(self, on: bool) -> None:
        """Show or hide the statistics over the image."""
        self.preferences.set("statistics", on)
        self._overlay.setVisible(on)
        self.commands.check("statistics", on)
        self._show_statistics(self.model.render_statistics)

    def _remember_quality(self, quality: Quality | None) -> None:
        self.preferences.quality_qp = None if quality is None else quality.qp

    def _apply_theme(self) -> None:
        application = QApplication.instance()
        assert isinstance(application, QApplication)
        theme.install(application, theme.resolve(self.preferences.theme))
        self.bar.refresh_icons()
        self.panel.refresh_icons()
        self.film.refresh_icons()

    def _apply_motion(self) -> None:
        smooth = self.preferences.text("motion", "full") != "reduced"
        self.model.camera.glides = smooth
        self.central.fades = smooth

    def _apply_language(self) -> None:
        application = QApplication.instance()
        assert isinstance(application, QApplication)
        language.install(application, self.preferences.text("language", language.SYSTEM))
        self._show_title()
        self.model.transport.refresh()
        self._show_statistics(self.model.render_statistics)

    def _restore(self) -> None:
        """Take the remembered size, panels and settings."""
        self.resize(first_size(self.screen().availableGeometry()))
        if self.preferences.geometry is not None:
            self.restoreGeometry(self.preferences.geometry)
        self.panel.restore_display(self.preferences)
        self._apply_motion()
        self._show_speed_and_loop()
        self.set_panel(self.preferences.flag("panel", True))
        self.set_statistics(self.preferences.flag("statistics", False))
        self.set_titles(self.preferences.flag("titles", False))
        self._show_recent()
        self.commands.show_presets([])

    def keyPressEvent(self, event: QKeyEvent) -> None:
        self.central.wake()
        super().keyPressEvent(event)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        if not event.isAutoRepeat():
            self._playing.key_released()
        super().keyReleaseEvent(event)

    def closeEvent(self, event: QCloseEvent) -> None:
        if not self.isFullScreen():
            self.preferences.geometry = self.saveGeometry()
        self.hide()  # at once; the threads need a moment
        self._remember_position()
        self.preferences.flush()
        self.videos.close()
        logging.getLogger("streamstgs").removeHandler(self._log)
        self.loop.close()
        super().closeEvent(event)


def credit_of(meta: SceneMeta | None) -> str:
    """Who made a scene, and its licence, in one line."""
    if meta is None:
        return ""
    licence = "" if meta.licence in meta.attribution else meta.licence
    return " · ".join(text for text in (meta.attribution, licence) if text)
