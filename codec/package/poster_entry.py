"""The poster as scene.json declares it."""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass
from typing import Any

from msgspec import Raw, convert
from streamstgs.codec.errors import NotAScene
from streamstgs.codec.limits import POSTER_BYTES
from streamstgs.codec.package import schema
from streamstgs.codec.package.checked_json import decode_json
from streamstgs.codec.package.file_entry import MANIFEST_NAME, FileEntry

log = logging.getLogger(__name__)

POSTER_NAME = "poster.jpg"


@dataclass(frozen=True)
class PosterEntry:
    """The poster as scene.json declares it.

    Args:
        width, height: px.
        fov_y_rad: angle between its upper and lower edges; the view is that of the first preset.
    """

    file: FileEntry
    width: int
    height: int
    fov_y_rad: float


def read_poster_entry(declared: Raw) -> PosterEntry | None:
    """Return the poster that scene.json declares; None if it declares none, or an invalid one.

    Args:
        declared: the member `poster` of scene.json; empty where it has none.
    """
    if not bytes(declared):
        return None
    try:
        poster = decode_json(declared, schema.Poster, f"{MANIFEST_NAME}: poster")
    except NotAScene as problem:
        log.info("no poster: %s", problem)
        return None
    if poster.file.size_bytes > POSTER_BYTES:
        log.info("no poster: its %d bytes are too many", poster.file.size_bytes)
        return None
    return convert(poster, PosterEntry, from_attributes=True)


def poster_object(entry: PosterEntry) -> dict[str, Any]:
    """Return the member `poster` of scene.json."""
    return asdict(entry)
