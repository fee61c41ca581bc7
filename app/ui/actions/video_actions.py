"""Commands of the camera track, and of videos along it."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QStandardPaths, Signal
from PySide6.QtWidgets import QFileDialog, QWidget
from streamstgs.app.player.errors import CameraPathError
from streamstgs.app.player.export.settings import IMAGE_FORMATS, SUFFIXES, ExportSettings
from streamstgs.app.player.viewer_model import ViewerModel
from streamstgs.app.translation import tr
from streamstgs.app.ui.actions.file_actions import show_dialog
from streamstgs.app.ui.export_dialog import ExportDialog, keyframe_count
from streamstgs.app.ui.still_dialog import StillDialog
from streamstgs.app.ui.viewport.toast import Toast
from streamstgs.codec.errors import WriteError

if TYPE_CHECKING:  # they load torch, and a window exists before that
    from streamstgs.app.player.camera.keyframes import KeyframePath
    from streamstgs.app.player.export.progress import ExportProgress
    from streamstgs.app.player.export.queue import QueuedExport
    from streamstgs.app.player.time_track import TimeCurve

_REPORT_S = 1.0  # between two reports of progress


class VideoActions(QObject):
    """Edits the camera track of the model, and exports videos in the background.

    Args:
        window: Parent of the dialogs.
        model: Its camera track is edited and exported.
        toast: Tells of keyframes and of the progress of an export.
        picture_size: Gives the (width, height) px of the picture in the window.
    """

    export_changed = Signal(object)  # emitted in the thread of the queue, received in the GUI's

    def __init__(
        self,
        window: QWidget,
        model: ViewerModel,
        toast: Toast,
        picture_size: Callable[[], tuple[int, int]],
    ) -> None:
        super().__init__(window)
        self._picture_size = picture_size
        self._window, self._model, self._toast = window, model, toast
        self._reported_s = 0.0
        model.exports.changed.connect(self.export_changed.emit)
        self.export_changed.connect(self._report)

    def handlers(self) -> dict[str, Callable[[], object]]:
        """The commands by their names in `app.ui.commands`."""
        return {
            "add_keyframe": self.add_keyframe,
            "undo_film": self._undo,
            "redo_film": self._redo,
            "open_camera_path": self._ask_for_path,
            "save_camera_path": self._ask_where_to_save_path,
            "export_video": self._ask_how_to_export,
            "render_picture": self._ask_how_to_render,
            "cancel_export": self.cancel,
        }

    def close(self) -> None:
        """Cancel all exports, and wait for the end of their thread."""
        self._model.exports.close()

    def add_keyframe(self) -> None:
        """Add the camera at the time of the film; one at the same time is replaced."""
        from streamstgs.app.player.film.edits import add_keyframe

        keyframe = add_keyframe(self._model)
        if keyframe is not None:
            self._tell_count(tr("Keyframe at {time:.2f} s.", time=keyframe.time_s))

    def export(self, out: Path, settings: ExportSettings | None = None) -> None:
        """Export a video along the track; from the present camera if there is no keyframe."""
        from streamstgs.app.player.camera.framing import natural_aspect
        from streamstgs.app.player.camera.keyframes import KeyframePath
        from streamstgs.app.player.camera.track import capture

        meta = self._model.meta
        if meta is None:
            return
        aspect, track = natural_aspect(meta), self._model.track
        still = KeyframePath((capture(self._model.camera, 0.0),), aspect)
        curve = self._model.time_track.curve() if len(self._model.time_track) else None
        path = track.path(aspect) if len(track) else still
        self._enqueue(path, out, settings or ExportSettings(), curve)

    def render_picture(self, out: Path, settings: ExportSettings) -> None:
        """Render the shown moment from the present camera, at any size, in the background."""
        from streamstgs.app.player.camera.framing import natural_aspect
        from streamstgs.app.player.camera.keyframes import KeyframePath
        from streamstgs.app.player.camera.track import capture
        from streamstgs.app.player.time_track import TimeCurve, TimeKey

        meta, frame = self._model.meta, self._model.frame
        if meta is None or frame is None:
            return
        content_s = (frame.index + frame.frame % 1.0) / meta.fps
        path = KeyframePath((capture(self._model.camera, 0.0),), natural_aspect(meta))
        self._enqueue(path, out, settings, TimeCurve((TimeKey(0.0, content_s),)))

    def _enqueue(
        self, path: KeyframePath, out: Path, settings: ExportSettings, curve: TimeCurve | None
    ) -> None:
        from streamstgs.app.player.export.queue import ExportRequest

        scene = self._model.scene
        if scene is None:
            return
        backend = self._model.render_statistics.backend or None
        self._model.exports.add(ExportRequest(scene.location, path, out, settings, curve, backend))

    def cancel(self) -> None:
        """Cancel all exports; nothing is left of them."""
        self._model.exports.cancel()

    def _undo(self) -> None:
        undone = self._model.history.undo()
        self._tell_count(tr("Undone.") if undone else tr("There is nothing to undo."))

    def _redo(self) -> None:
        redone = self._model.history.redo()
        self._tell_count(tr("Done again.") if redone else tr("There is nothing to redo."))

    def _tell_count(self, message: str) -> None:
        count = len(self._model.track)
        has = tr("The camera track has {count}.", count=keyframe_count(count))
        self._toast.notify(f"{message} {has}")

    def _ask_for_path(self) -> None:
        if self._model.meta is None:
            return
        dialog = QFileDialog(self._window, tr("Open camera path"), "", tr("Camera paths (*.json)"))
        dialog.fileSelected.connect(lambda path: self.open_path(Path(path)))
        show_dialog(dialog)

    def open_path(self, file: Path) -> None:
        """Replace the camera track by that of a file; this can be undone."""
        from streamstgs.app.player.camera.track import CameraTrack

        if self._model.meta is None:
            return
        try:
            read = CameraTrack.read(file, self._model.meta)
        except CameraPathError as error:
            self._toast.warn(str(error))
        else:
            self._model.track.restore(read.snapshot())
            self._tell_count(tr("Opened {name}.", name=file.name))

    def _ask_where_to_save_path(self) -> None:
        if self._model.meta is None or not len(self._model.track):
            self._toast.warn(tr("The camera track has no keyframe. Add one with Ctrl+Enter first."))
            return
        dialog = self._save_dialog(
            tr("Save camera path"),
            tr("Camera paths (*.json)") + ";;" + tr("glTF for Blender (*.gltf)"),
            "path.json",
        )
        dialog.fileSelected.connect(lambda path: self.save_path(Path(path)))
        show_dialog(dialog)

    def save_path(self, file: Path) -> None:
        """Write the camera track to a file."""
        meta = self._model.meta
        if meta is None:
            return
        try:
            self._model.track.write(file, meta)
        except CameraPathError as error:
            self._toast.warn(str(error))
        except WriteError as error:
            self._toast.warn(tr("{error}. Choose another folder or name.", error=error))
        else:
            self._toast.notify(tr("Saved {path}", path=file))

    def _ask_how_to_render(self) -> None:
        if self._model.meta is None:
            return
        dialog = StillDialog(self._window, self._picture_size(), self._model.look)
        dialog.accepted.connect(lambda: self._ask_where_to_render(dialog.settings))
        show_dialog(dialog)

    def _ask_where_to_render(self, settings: ExportSettings) -> None:
        suffix = SUFFIXES[settings.format or "png"]
        files = tr("Pictures (*{suffix})", suffix=suffix)
        dialog = self._save_dialog(tr("Render picture"), files, f"picture{suffix}")
        dialog.fileSelected.connect(lambda path: self.render_picture(Path(path), settings))
        show_dialog(dialog)

    def _ask_how_to_export(self) -> None:
        meta = self._model.meta
        if meta is None:
            return
        size = (meta.width, meta.height) if meta.width > 0 and meta.height > 0 else (1280, 720)
        count, look = len(self._model.track), self._model.look
        dialog = ExportDialog(self._window, size, meta.fps, count, look)
        dialog.accepted.connect(lambda: self._ask_where_to_export(dialog.settings))
        show_dialog(dialog)

    def _ask_where_to_export(self, settings: ExportSettings) -> None:
        format = settings.format or "h264"
        name = "frames" if format in IMAGE_FORMATS else f"video{SUFFIXES[format]}"
        videos = tr("Videos (*{suffix})", suffix=SUFFIXES[format])
        files = tr("Folders (*)") if format in IMAGE_FORMATS else videos
        dialog = self._save_dialog(tr("Export video"), files, name)
        dialog.fileSelected.connect(lambda path: self.export(Path(path), settings))
        show_dialog(dialog)

    def _save_dialog(self, title: str, filters: str, name: str) -> QFileDialog:
        folder = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.MoviesLocation)
        dialog = QFileDialog(self._window, title, folder or ".", filters)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix(Path(name).suffix[1:])
        dialog.filterSelected.connect(
            lambda chosen: (
                dialog.setDefaultSuffix(chosen.rpartition("*.")[2].rstrip(")"))
                if "*." in chosen
                else None
            )
        )
        dialog.selectFile(name)
        return dialog

    def _report(self, export: QueuedExport) -> None:
        """Tell of an export: about once a second while it runs, and at its end."""
        from streamstgs.app.player.export.queue import ExportState

        name, progress = export.request.out.name, export.progress
        if export.state is ExportState.DONE:
            self._toast.notify(tr("Exported {path}", path=export.request.out))
        elif export.state is ExportState.FAILED:
            self._toast.warn(export.error)
        elif export.state is ExportState.CANCELLED:
            self._toast.notify(tr("The export of {name} was cancelled.", name=name))
        elif time.monotonic() - self._reported_s >= _REPORT_S:
            self._reported_s = time.monotonic()
            self._toast.notify(export_progress(name, progress))


def export_progress(name: str, progress: ExportProgress) -> str:
    """How far an export is, in words."""
    if progress.left_s is None:
        return tr("Exporting {name}: {share:.0%}", name=name, share=progress.share)
    return tr(
        "Exporting {name}: {share:.0%}, {left:.0f} s left",
        name=name,
        share=progress.share,
        left=progress.left_s,
    )
