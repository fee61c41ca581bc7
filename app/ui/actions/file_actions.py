"""Commands that open scenes and save images."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QStandardPaths, Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QDialog, QFileDialog, QWidget
from streamstgs.app.player.viewer_model import ViewerModel
from streamstgs.app.translation import tr
from streamstgs.app.ui.actions.picture_file import picture_filter, picture_name, write_picture
from streamstgs.app.ui.dialogs import OpenUrlDialog
from streamstgs.app.ui.drawing.render_loop import RenderLoop
from streamstgs.app.ui.preferences import Preferences
from streamstgs.app.ui.viewport.toast import Toast
from streamstgs.codec.errors import WriteError
from streamstgs.codec.scene_index import is_index_address

SCENE_PATTERNS = (
    "*.stgs scene.json *.ply *.spz *.sog *.splat *.ksplat *.glb *.gltf *.4dgs *.zip *.npz meta.json"
)


class FileActions:
    """Asks for files and addresses in dialogs of a window.

    Args:
        window: Parent of the dialogs.
        model: Opens scenes.
        loop: Renders the image that is saved.
        preferences: Know the scenes that were opened last.
        toast: Says whether an image was saved.
    """

    def __init__(
        self,
        window: QWidget,
        model: ViewerModel,
        loop: RenderLoop,
        preferences: Preferences,
        toast: Toast,
    ) -> None:
        self._window, self._model, self._loop = window, model, loop
        self._preferences, self._toast = preferences, toast

    def handlers(self) -> dict[str, Callable[[], object]]:
        """The commands by their names in `app.ui.commands`."""
        return {
            "open_file": self.ask_for_file,
            "open_folder": self.ask_for_folder,
            "open_url": self.ask_for_url,
            "save_picture": self.save_picture,
            "try_again": self._try_again,
        }

    def open(self, location: str, position_s: float = 0.0) -> None:
        """Open a scene at a content time, or show a list of scenes on the welcome page."""
        if is_index_address(location):
            self._model.index.load(location)
        else:
            self._model.open(location, position_s)

    def ask_for_file(self) -> None:
        """Ask for a scene file or a manifest, and open it."""
        recent = self._preferences.recent
        start = str(Path(recent[0]).parent) if recent and "://" not in recent[0] else ""
        chosen, _ = QFileDialog.getOpenFileName(
            self._window,
            tr("Open a scene"),
            start,
            scene_filter(),
        )
        if chosen:
            path = Path(chosen)
            self.open(str(path.parent if path.name == "scene.json" else path))

    def ask_for_folder(self) -> None:
        """Ask for a scene folder, and open it."""
        chosen = QFileDialog.getExistingDirectory(self._window, tr("Open a scene folder"))
        if chosen:
            self.open(chosen)

    def ask_for_url(self) -> None:
        """Ask for the address of a scene or of a list of scenes, and open it."""
        dialog = OpenUrlDialog(self._window)
        dialog.accepted.connect(lambda: self.open(dialog.url))
        show_dialog(dialog)

    def save_picture(self) -> None:
        """Render what is on the screen at the full size of the window, and ask for a file name.

        A scene that plays goes on meanwhile.
        """
        status = self._model.status
        if status is not None:
            self._loop.capture(partial(self._ask_where_to_save, status.position_s))

    def _try_again(self) -> None:
        if self._model.last_location is not None:
            self.open(self._model.last_location)

    def _ask_where_to_save(self, position_s: float, image: QImage) -> None:
        pictures = QStandardPaths.StandardLocation.PicturesLocation
        folder = QStandardPaths.writableLocation(pictures) or "."
        dialog = QFileDialog(self._window, tr("Save picture"), folder, picture_filter())
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix("png")
        dialog.filterSelected.connect(lambda chosen: follow_format(dialog, chosen))
        dialog.selectFile(picture_name(self._model.title, position_s))
        dialog.fileSelected.connect(lambda path: self._write(path, image))
        show_dialog(dialog)

    def _write(self, path: str, image: QImage) -> None:
        try:
            write_picture(path, image)
        except WriteError as error:
            self._toast.warn(tr("{error}. Choose another folder or name.", error=error))
        else:
            self._toast.notify(tr("Saved {path}", path=path))


def follow_format(dialog: QFileDialog, chosen: str) -> None:
    """Give the name in a dialog the ending of the file type that was chosen."""
    suffix = chosen.rpartition("*.")[2].rstrip(")")
    dialog.setDefaultSuffix(suffix)
    for file in dialog.selectedFiles()[:1]:
        dialog.selectFile(str(Path(file).with_suffix(f".{suffix}").name))


def scene_filter() -> str:
    """The file types of the dialog that opens a scene."""
    scenes = tr("Gaussian scenes ({patterns})", patterns=SCENE_PATTERNS)
    return scenes + ";;" + tr("All files (*)")


def show_dialog(dialog: QDialog) -> None:
    """Show a dialog that is modal to its window only: the scene plays on behind it."""
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.setWindowModality(Qt.WindowModality.WindowModal)
    dialog.show()
