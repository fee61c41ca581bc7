"""The poster as scene.json declares it."""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass
from typing import Any

from streamstgs.codec.errors import NotAScene
from streamstgs.codec.limits import Limits
from streamstgs.codec.package.checked_json import Node
from streamstgs.codec.package.file_entry import FileEntry, read_file_entry

log = logging.getLogger(__name__)

POSTER_NAME = "poster.jpg"


@dataclass(frozen=True)
class PosterEntry:
    """What scene.json says of the poster.

    Args:
        width, height: px.
        fov_y_rad: angle between its upper and lower edges; the view is that of the first preset.
    """

    file: FileEntry
    width: int
    height: int
    fov_y_rad: float


def read_poster_entry(root: Node, limits: Limits) -> PosterEntry | None:
    """The poster that scene.json declares; None where it declares none that can be used."""
    if not root.has("poster"):
        return None
    node = root.at("poster")
    try:
        return PosterEntry(
            file=read_file_entry(node.at("file"), limits.poster_bytes),
            width=node.at("width").integer(1, limits.poster_side_px),
            height=node.at("height").integer(1, limits.poster_side_px),
            fov_y_rad=node.at("fov_y_rad").number(1e-3, 3.14),
        )
    except NotAScene as problem:
        log.info("no poster: %s", problem)
        return None


def poster_object(entry: PosterEntry) -> dict[str, Any]:
    """The member of scene.json."""
    return asdict(entry)
