"""Commands of the scene: its axis and opening view, and its export as splat files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QStandardPaths
from PySide6.QtWidgets import QFileDialog, QWidget
from streamstgs.app.player.camera.framing import Vector
from streamstgs.app.player.viewer_model import ViewerModel
from streamstgs.app.translation import tr
from streamstgs.app.ui.actions.file_actions import show_dialog
from streamstgs.app.ui.panel.scene_section import SceneSection
from streamstgs.app.ui.scene_export_dialog import SceneExportDialog
from streamstgs.app.ui.viewport.toast import Toast

FOURDGS = ".4dgs"


class SceneActions:
    """Connects the model with the section of the side panel, and asks how a scene is exported.

    Args:
        window: Parent of the dialogs.
        model: Its scene is turned and exported.
        section: Shows the axis.
        toast: Confirms what is remembered.
    """

    def __init__(
        self, window: QWidget, model: ViewerModel, section: SceneSection, toast: Toast
    ) -> None:
        self._window, self._model, self._section, self._toast = window, model, section, toast
        section.up_chosen.connect(self._set_up)

    def handlers(self) -> dict[str, Callable[[], object]]:
        """The commands by their names in `app.ui.commands`."""
        return {
            "keep_opening_view": self._keep,
            "forget_opening_view": self._forget,
            "export_scene": self._ask_how_to_export,
        }

    def show_view(self) -> None:
        """Show the axis of the shown scene."""
        self._section.show_up(self._model.scene_view.up)

    def _set_up(self, up: Vector | None) -> None:
        self._model.scene_view.up = up

    def _keep(self) -> None:
        if self._model.scene is None:
            return
        self._model.scene_view.keep_opening()
        self._toast.notify(tr("This scene opens with this view from now on."))

    def _forget(self) -> None:
        if self._model.scene is None:
            return
        self._model.scene_view.forget()
        self._toast.notify(tr("This scene opens with its own view from now on."))

    def _ask_how_to_export(self) -> None:
        meta, status = self._model.meta, self._model.status
        if meta is None or status is None:
            return
        dialog = SceneExportDialog(self._window, meta, status.frames)
        dialog.accepted.connect(lambda: self._ask_where_to_export(dialog))
        show_dialog(dialog)

    def _ask_where_to_export(self, asked: SceneExportDialog) -> None:
        from streamstgs.codec.formats.convert import ConvertSettings

        whole, suffix = asked.whole, asked.suffix
        is_folder = whole and suffix != FOURDGS
        crop = None if asked.crop is None else (*asked.crop[0], *asked.crop[1])
        settings = ConvertSettings(crop, asked.keep, ".ply" if suffix == FOURDGS else suffix)
        files = tr("Folders") + " (*)" if is_folder else f"{suffix[1:]} (*{suffix})"
        places = QStandardPaths.StandardLocation.DocumentsLocation
        folder = QStandardPaths.writableLocation(places) or "."
        dialog = QFileDialog(self._window, tr("Export scene"), folder, files)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        if not is_folder:
            dialog.setDefaultSuffix(suffix[1:])
        dialog.selectFile("frames" if is_folder else f"scene{suffix}")
        dialog.fileSelected.connect(
            lambda path: self._model.exports.scene(Path(path), settings, whole)
        )
        show_dialog(dialog)
