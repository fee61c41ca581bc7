"""The poster: an image of the opening view, shown until the first frame is rendered.

Reading it loads neither torch nor a library for video or images, so that a window can show it at
once. A scene plays without its poster: a broken one is logged and ignored.
`codec.encoder.poster_picture` makes posters.
"""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass

from msgspec import Raw, Struct, convert
from streamstgs.codec.cancel import NEVER, CancelToken
from streamstgs.codec.errors import Cancelled, CodecError, CorruptSegment
from streamstgs.codec.limits import Limits
from streamstgs.codec.package import schema
from streamstgs.codec.package.checked_json import decode_json
from streamstgs.codec.package.file_entry import MANIFEST_NAME
from streamstgs.codec.package.filmed_view import OpeningView
from streamstgs.codec.package.poster_entry import read_poster_entry
from streamstgs.codec.package.scene_meta import SceneMeta
from streamstgs.codec.streaming.address import clean_location, is_url, local_path
from streamstgs.codec.streaming.locate import open_container
from streamstgs.codec.streaming.scene_files import LocalFiles, SceneFiles

log = logging.getLogger(__name__)

START_OF_SCAN = b"\xff\xda"
SCANS_MAX = 64  # progressive JPEGs have about ten
PATIENCE_S = 3.0  # after this time the scene is fetched without it


@dataclass(frozen=True)
class Poster:
    """A poster, and where in the viewport it belongs.

    Args:
        jpeg: the JPEG file; only its length and checksum are checked.
        width, height: size that the JPEG should have, px.
        fov_y_rad: vertical field of view of the poster.
        view_fov_y_rad, aspect: vertical field of view and width over height of the opening view.
        background: RGB around the poster in windows that it does not fill, display-encoded.
        opening: the opening view, if its field of view depends on what was filmed.
        title: of the scene; may be empty.
    """

    jpeg: bytes
    width: int
    height: int
    fov_y_rad: float
    view_fov_y_rad: float
    aspect: float
    background: tuple[float, float, float]
    opening: OpeningView | None = None
    title: str = ""

    @property
    def focal_px(self) -> float:
        """Focal length of the camera that rendered it, px."""
        return self.height / (2 * math.tan(self.fov_y_rad / 2))


class _Opening(Struct):
    """The members of scene.json that show the opening view; the others may be broken."""

    meta: schema.SceneMeta
    poster: Raw = Raw(b"")


def read_poster(files: SceneFiles, cancel: CancelToken = NEVER) -> Poster | None:
    """Return the poster of an open scene; None if it has none, or if it is damaged or too slow.

    Raises:
        Cancelled: through `cancel`.
    """
    try:
        with cancel.expiring(PATIENCE_S) as limited:
            return _read(files, limited)
    except (CodecError, OSError) as problem:
        if isinstance(problem, Cancelled) and cancel.cancelled:
            raise
        log.info("no poster: %s", problem)
        return None


def local_poster(location: str) -> Poster | None:
    """Return the poster of a scene on this machine, or None; does not open the scene."""
    if is_url(location):
        return None
    limits = Limits()
    try:
        container = open_container(local_path(clean_location(location)), limits)
        try:
            return read_poster(LocalFiles(container, limits.manifest_bytes))
        finally:
            container.close()
    except (CodecError, OSError) as problem:  # opening the scene reports it
        log.info("no poster: %s", problem)
        return None


def _read(files: SceneFiles, cancel: CancelToken) -> Poster | None:
    opening = decode_json(files.manifest, _Opening, MANIFEST_NAME)
    entry = read_poster_entry(opening.poster)
    if entry is None or not opening.meta.presets:
        return None
    meta = opening.meta
    jpeg = files.read(entry.file, cancel)
    scans = jpeg.count(START_OF_SCAN)
    if scans > SCANS_MAX:  # each is a pass over the whole picture
        raise CorruptSegment(f"the poster has {scans} scans")
    described = convert(meta, SceneMeta, from_attributes=True)
    return Poster(
        jpeg=jpeg,
        width=entry.width,
        height=entry.height,
        fov_y_rad=entry.fov_y_rad,
        view_fov_y_rad=meta.presets[0].fov_y_rad,
        aspect=meta.width / meta.height,
        background=meta.background,
        opening=OpeningView.of_scene(described, described.presets[0]),
        title=described.title,
    )
