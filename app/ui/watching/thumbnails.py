"""Posters of scenes on this machine, small, for lists of scenes."""

from __future__ import annotations

import logging
import math
import threading

from PySide6.QtCore import QObject, QSize, Qt, Signal
from PySide6.QtGui import QImage
from streamstgs.app.ui.viewport.poster_view import decoded
from streamstgs.codec.cancel import CancelToken
from streamstgs.codec.poster import Poster, local_poster
from streamstgs.codec.streaming.address import redact_credentials

log = logging.getLogger(__name__)

SIZE_PX = QSize(216, 122)


class Thumbnails(QObject):
    """Reads posters one after the other in a thread. Owner: the GUI thread.

    `found` carries a location, its picture of `SIZE_PX` times `ratio` and the title of the scene,
    which may be empty; scenes without a poster and those on servers are left out.
    """

    found = Signal(str, QImage, str)

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._cancel = CancelToken()

    def look_for(self, locations: list[str], ratio: float) -> None:
        """Read the posters of these scenes; a former search ends."""
        self.cancel()
        self._cancel = CancelToken()
        threading.Thread(
            target=self._look, args=(locations, ratio, self._cancel), name="posters", daemon=True
        ).start()

    def cancel(self) -> None:
        """End a search early."""
        self._cancel.cancel()

    def _look(self, locations: list[str], ratio: float, cancel: CancelToken) -> None:
        """The thread boundary: a poster that cannot be read is left out."""
        for location in locations:
            if cancel.cancelled:
                return
            try:
                poster = local_poster(location)
                image = decoded(poster) if poster is not None else None
                if poster is not None and image is not None and not cancel.cancelled:
                    small = thumbnail(poster, image, SIZE_PX * ratio)
                    self.found.emit(location, small, poster.title)
            except Exception:
                log.exception("poster of %s", redact_credentials(location))


def thumbnail(poster: Poster, image: QImage, size: QSize) -> QImage:
    """The part of a poster that the opening view shows, cut to the aspect ratio of `size`.

    Posters show more above, below and at the sides, for windows of all shapes.
    """
    high = min(round(image.height() * _share(poster)), image.height())
    wide = min(round(high * poster.aspect), image.width())
    aspect = size.width() / size.height()
    wide, high = min(wide, round(high * aspect)), min(high, round(wide / aspect))
    part = image.copy((image.width() - wide) // 2, (image.height() - high) // 2, wide, high)
    return part.scaled(
        size,
        Qt.AspectRatioMode.IgnoreAspectRatio,
        Qt.TransformationMode.SmoothTransformation,
    )


def _share(poster: Poster) -> float:
    """The height of the opening view relative to that of the poster."""
    return math.tan(poster.view_fov_y_rad / 2) / math.tan(poster.fov_y_rad / 2)
