"""Posters of scenes that bring none: their first picture of the last time, in the user's cache."""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

from PySide6.QtCore import QBuffer, QIODevice, QObject
from PySide6.QtGui import QImage
from streamstgs.app.player.viewer.open_scene import OpenScene, SceneState
from streamstgs.app.player.viewer_model import ViewerModel
from streamstgs.codec.errors import CodecError
from streamstgs.codec.limits import POSTER_BYTES, POSTER_SIDE_PX
from streamstgs.codec.output import output_file
from streamstgs.codec.poster import Poster
from streamstgs.codec.streaming.address import is_url, local_path, without_password

log = logging.getLogger(__name__)
KEPT = 100
JPEG_QUALITY = 85
NUMBERS = ("width", "height", "fov_y_rad", "view_fov_y_rad", "aspect")
NEAR = 1e-4  # relative distance of two eyes that count as one


@dataclass(frozen=True)
class KeptPosters:
    """Reads and writes the posters of a folder. Thread-safe: files appear when they are complete.

    A file of a scene that has changed since is not found. What is damaged is left out.

    Args:
        find_folder: Returns the folder, which is made when the first poster is written. It may load
            a library.
    """

    find_folder: Callable[[], Path]

    @cached_property
    def folder(self) -> Path:
        """The folder of the posters."""
        return self.find_folder()

    def load(self, location: str) -> Poster | None:
        """The poster of a scene; None if none is kept."""
        place = self._place(location)
        try:
            found = json.loads(place.with_suffix(".json").read_text(encoding="utf-8"))
            numbers = {name: float(found[name]) for name in NUMBERS}
            jpeg = place.with_suffix(".jpg").read_bytes()
        except (OSError, ValueError, TypeError, KeyError):
            return None
        sides = numbers["width"], numbers["height"]
        fits = all(0 < value < math.inf for value in numbers.values())
        angles = max(numbers["fov_y_rad"], numbers["view_fov_y_rad"])
        if not fits or angles >= math.pi or max(sides) > POSTER_SIDE_PX or len(jpeg) > POSTER_BYTES:
            return None
        width, height = (int(side) for side in sides)
        shown = (numbers["fov_y_rad"], numbers["view_fov_y_rad"], numbers["aspect"])
        return Poster(jpeg, width, height, *shown, background=(0.0, 0.0, 0.0))

    def save(self, location: str, poster: Poster) -> None:
        """Keep the poster of a scene; the oldest ones are dropped."""
        place = self._place(location)
        try:
            with output_file(place.with_suffix(".jpg")) as partial_file:
                partial_file.write_bytes(poster.jpeg)
            numbers = {name: vars(poster)[name] for name in NUMBERS}
            with output_file(place.with_suffix(".json")) as partial_file:
                partial_file.write_text(json.dumps(numbers), encoding="utf-8")
            kept = sorted(self.folder.glob("*.json"), key=lambda file: file.stat().st_mtime)
            for old in kept[:-KEPT]:
                self._drop(old)
        except (CodecError, OSError) as error:
            log.info("no poster is kept: %s", error)

    def forget(self, location: str) -> None:
        """Drop the poster of a scene."""
        self._drop(self._place(location))

    def _drop(self, place: Path) -> None:
        for suffix in (".json", ".jpg"):
            with contextlib.suppress(OSError):
                place.with_suffix(suffix).unlink()

    def _place(self, location: str) -> Path:
        """Path of the files without suffix; other content of a file on this machine has another."""
        key = without_password(location)
        if not is_url(location):
            with contextlib.suppress(CodecError, OSError):
                state = local_path(location).stat()
                key = f"{key} {state.st_size} {state.st_mtime_ns}"
        return self.folder / hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


class PosterKeeper(QObject):
    """Keeps the first picture of each scene of another program. Owner: the GUI thread.

    Args:
        parent: Owns this.
        model: Its scenes are followed.
        capture: Renders what is on the screen, and passes the image on.
        posters: Keeps the picture.
    """

    def __init__(
        self,
        parent: QObject,
        model: ViewerModel,
        capture: Callable[[Callable[[QImage], None]], None],
        posters: KeptPosters,
    ) -> None:
        super().__init__(parent)
        self._model, self._capture, self._posters = model, capture, posters
        model.scene_changed.connect(self._scene_changed)
        model.scene_view.changed.connect(self._view_changed)

    def _scene_changed(self, scene: OpenScene) -> None:
        if scene is not self._model.scene or scene.state is not SceneState.READY:
            return
        from streamstgs.app.player.frame_pipeline import is_frames  # loads torch

        if self._is_opening_view() and is_frames(scene.location):
            self._capture(partial(self._keep, scene))

    def _is_opening_view(self) -> bool:
        """Whether the picture is the one that a person sees first when the scene opens."""
        camera, presets = self._model.camera, self._model.presets
        if not presets or not camera.available or not self._model.options.is_plain:
            return False
        away = math.dist(camera.position, presets[0].position)
        return away <= NEAR * math.dist(presets[0].position, presets[0].target)

    def _keep(self, scene: OpenScene, image: QImage) -> None:
        meta = scene.meta
        if meta is None or image.isNull() or max(image.width(), image.height()) > POSTER_SIDE_PX:
            return
        buffer = QBuffer()
        buffer.open(QIODevice.OpenModeFlag.WriteOnly)
        image.convertToFormat(QImage.Format.Format_RGB888).save(buffer, "JPEG", JPEG_QUALITY)  # type: ignore[call-overload]
        camera = self._model.camera.to_camera(image.width(), image.height())
        poster = Poster(
            jpeg=bytes(buffer.data().data()),
            width=image.width(),
            height=image.height(),
            fov_y_rad=2 * math.atan(image.height() / (2 * float(camera.K[1, 1]))),
            view_fov_y_rad=self._model.camera.fov_y_rad,
            aspect=meta.width / meta.height,
            background=(0.0, 0.0, 0.0),
        )
        if len(poster.jpeg) <= POSTER_BYTES:
            self._posters.save(scene.location, poster)

    def _view_changed(self) -> None:
        if self._model.scene is not None:
            self._posters.forget(self._model.scene.location)
