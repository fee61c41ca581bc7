"""Finds the reader of a location among the built-in formats and those of other packages.

A package adds a format through an entry point in its pyproject.toml:

    [project.entry-points."streamstgs.readers"]
    myformat = "mypackage.module:FORMAT"

where FORMAT is an object with the members of `reader.SceneFormat`. An entry point that cannot be
loaded is reported in the log, and the other formats still work.
"""

from __future__ import annotations

import logging
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path

from streamstgs.codec.cancel import NEVER, CancelToken
from streamstgs.codec.errors import NotAScene
from streamstgs.codec.file_kind import HEAD_BYTES, describe_file
from streamstgs.codec.formats.reader import SceneFormat, SceneReader
from streamstgs.codec.formats.sequence import is_pattern
from streamstgs.codec.formats.splat_format import SplatFormat
from streamstgs.codec.formats.stgs import StgsFormat
from streamstgs.codec.scene import OpenSettings
from streamstgs.codec.streaming.address import (
    clean_location,
    is_url,
    local_path,
    redact_credentials,
)

log = logging.getLogger(__name__)

SHOWN_CHARACTERS = 60  # of a name that is too long

ENTRY_POINTS = "streamstgs.readers"
BUILT_IN: tuple[SceneFormat, ...] = (SplatFormat(), StgsFormat())  # the latter takes any folder


def open_reader(
    location: str | Path,
    cancel: CancelToken = NEVER,
    fps: float | None = None,
    settings: OpenSettings | None = None,
) -> SceneReader:
    """Open a scene of any known format.

    Args:
        location: path, file: URL or http(s) URL.
        cancel: ends the opening early.
        fps: content frames per second of a format that does not tell them, such as a folder of
            .ply files; None for the format's own choice.
        settings: patience with servers, cache and listener; formats of other packages have their
            own.

    Raises:
        NotAScene: no format knows the file; the message names what it is instead. Also if `fps` is
            given for a format that tells its own.
        CodecError: as of `SceneFormat.open`.
    """
    place = clean_location(str(location))
    scene_format = find_format(place)
    if isinstance(scene_format, SplatFormat):
        return scene_format.open(place, cancel, fps, settings)
    if fps is not None:
        raise NotAScene(f"{redact_credentials(place)} has its own frame rate; leave out `fps`.")
    if isinstance(scene_format, StgsFormat):
        return scene_format.open(place, cancel, settings)
    return scene_format.open(place, cancel)


def find_format(location: str) -> SceneFormat:
    """The format of a location; reads the first bytes of a file, or lists a folder.

    Raises:
        NotAScene: no format knows the file; the message names what it is instead.
    """
    head, name = _look(location)
    for scene_format in known_formats():
        if _claims(scene_format, head, name):
            return scene_format
    raise NotAScene(f"{redact_credentials(location)} is not a scene: it is {describe_file(head)}.")


@cache
def known_formats() -> tuple[SceneFormat, ...]:
    """All formats, the built-in ones first, then those of entry points by name."""
    found: list[SceneFormat] = []
    for entry in sorted(entry_points(group=ENTRY_POINTS), key=lambda entry: entry.name):
        try:
            loaded = entry.load()
            if not all(callable(getattr(loaded, part, None)) for part in ("can_open", "open")):
                raise TypeError("it has no can_open and open")
        except Exception as error:  # other people's code: whatever it raises is theirs
            log.warning("The reader %r (%s) cannot be loaded: %s", entry.name, entry.value, error)
        else:
            found.append(loaded)
    return (*BUILT_IN, *found)


def _claims(scene_format: SceneFormat, head: bytes, name: str) -> bool:
    try:
        return bool(scene_format.can_open(head, name))
    except Exception as error:  # other people's code, as above
        log.warning("The reader %r failed on %s: %s", scene_format, name, error)
        return False


def _look(location: str) -> tuple[bytes, str]:
    """Head and name of a location, as `SceneFormat.can_open` takes them. Raises NotAScene."""
    if is_url(location):
        return b"", redact_credentials(location).partition("#")[0].partition("?")[0]
    path = local_path(location)
    try:
        is_folder = path.is_dir()
    except OSError as error:  # such as a name that no file system takes
        raise NotAScene(
            f"{str(path)[:SHOWN_CHARACTERS]}… cannot be read: {error.strerror}."
        ) from error
    if is_folder:
        return b"", f"{path}/"
    if not path.is_file() and is_pattern(str(path)) and path.parent.is_dir():
        return b"", str(path)
    if not path.is_file():
        raise NotAScene(f"{path} does not exist or is neither a file nor a directory.")
    try:
        with path.open("rb") as file:
            return file.read(HEAD_BYTES), str(path)
    except OSError as error:
        raise NotAScene(f"{path} cannot be read: {error.strerror}.") from error
