"""Commands that compare the shown scene with another quality, another scene or its capture."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QFileDialog, QWidget
from streamstgs.app.player.viewer.open_scene import OpenScene, SceneState
from streamstgs.app.player.viewer_model import ViewerModel
from streamstgs.app.translation import tr
from streamstgs.app.ui.actions.file_actions import show_dialog
from streamstgs.app.ui.drawing.active_renderer import ActiveRenderer
from streamstgs.app.ui.viewport.compare_bar import CompareBar
from streamstgs.app.ui.viewport.toast import Toast
from streamstgs.app.ui.viewport.viewport import Viewport

if TYPE_CHECKING:  # it loads torch
    from streamstgs.app.player.compare.ground_truth import GroundTruth

OpenCapture = Callable[[Path], "GroundTruth"]


class CompareActions(QObject):
    """Begins and ends comparisons. Owner: the GUI thread.

    Args:
        window: Parent of the dialogs.
        model: Its comparison is begun and ended.
        viewport: Gets the controls of the comparison, when there is one for the first time.
        renderer: Draws both sides.
        toast: Tells what cannot be compared.

    Attributes:
        open_capture: Opens the folder of a capture; None where this program cannot.
    """

    _opened = Signal(object)  # GroundTruth; these two cross from the thread that opens a capture
    _refused = Signal(str)

    def __init__(
        self,
        window: QWidget,
        model: ViewerModel,
        viewport: Viewport,
        renderer: ActiveRenderer,
        toast: Toast,
    ) -> None:
        super().__init__(window)
        self._window, self._model, self._viewport = window, model, viewport
        self._renderer, self._toast = renderer, toast
        self.bar: CompareBar | None = None
        self.open_capture: OpenCapture | None = None
        queued = Qt.ConnectionType.QueuedConnection
        self._opened.connect(self._take, queued)
        self._refused.connect(toast.warn, queued)

    def handlers(self) -> dict[str, Callable[[], object]]:
        """The commands by their names in `app.ui.commands`."""
        return {
            "compare_quality": self.with_quality,
            "compare_scene": self._ask_for_scene,
            "compare_capture": self._ask_for_capture,
            "compare_off": self.stop,
        }

    def with_quality(self) -> None:
        """Compare with the lowest quality, or with the best one while the lowest is shown."""
        available, shown = self._model.quality.available, self._model.quality.shown
        if len(available) < 2:
            self._toast.notify(tr("This scene has one quality only. Compare with another scene."))
            return
        self._make_bar()
        other = available[-1] if shown == available[0] else available[0]
        self._model.comparison.with_quality(other)

    def with_scene(self, location: str) -> None:
        """Compare with another scene."""
        if self._model.scene is not None:
            self._make_bar()
            self._model.comparison.with_scene(location)

    def with_capture(self, folder: Path) -> None:
        """Open a capture in a thread, and compare with its first camera."""
        open_capture = self.open_capture
        if open_capture is None or self._model.scene is None:
            return

        def look() -> None:
            """The thread boundary: every error becomes a message."""
            try:
                self._opened.emit(open_capture(folder))
            except Exception as error:
                self._refused.emit(
                    tr("{error}. Choose the folder of a capture.", error=str(error).rstrip("."))
                )

        threading.Thread(target=look, name="open-capture", daemon=True).start()

    def begin_with(self, folder: Path) -> None:
        """Compare the first scene that is shown with a capture."""

        def shown(scene: OpenScene) -> None:
            if scene is self._model.scene and scene.state is SceneState.READY:
                self._model.scene_changed.disconnect(shown)
                self.with_capture(folder)

        self._model.scene_changed.connect(shown)

    def stop(self) -> None:
        """End the comparison."""
        if self._model.compares:
            self._model.comparison.stop()

    def _take(self, truth: GroundTruth) -> None:
        self._make_bar()
        self._model.comparison.with_capture(truth)

    def _make_bar(self) -> None:
        if self.bar is None:
            self.bar = CompareBar(self._model, self._viewport)
            self.bar.end_wanted.connect(self.stop)
            self._model.comparison.changed.connect(self._show)

    def _show(self) -> None:
        """Follow the comparison."""
        assert self.bar is not None
        self._renderer.set_comparing(self._model.comparison.active)
        self.bar.refresh()

    def _ask_for_scene(self) -> None:
        if self._model.scene is None:
            return
        dialog = QFileDialog(self._window, tr("Compare with another scene"))
        dialog.fileSelected.connect(self.with_scene)
        show_dialog(dialog)

    def _ask_for_capture(self) -> None:
        if self.open_capture is None:
            self._toast.warn(tr("This program cannot read captures. Run streamstgs from Python."))
            return
        if self._model.scene is None:
            return
        dialog = QFileDialog(self._window, tr("Compare with the capture"))
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.fileSelected.connect(lambda folder: self.with_capture(Path(folder)))
        show_dialog(dialog)
