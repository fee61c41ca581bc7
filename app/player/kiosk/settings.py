"""Settings of a kiosk, and the playlist files that hold them."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from streamstgs.app.player.arguments import in_words
from streamstgs.app.player.errors import PlaylistError
from streamstgs.codec.streaming.address import is_url

PLAYLIST_SUFFIX = ".toml"
PLAYLIST_BYTES_MAX = 1 << 20
SCENES_MAX = 200
ORBIT = "orbit"

Seconds = Annotated[float, msgspec.Meta(gt=0.0, le=86_400.0)]
_NAMES = {"scenes": "[[scene]]"}  # as in the file
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=4096)]


@dataclass(frozen=True)
class KioskScene:
    """One entry of the playlist.

    Args:
        location: A path or URL.
        camera: How the camera moves without a visitor: `orbit`, the name of a view of the
            scene, or the path of a camera path file.
        show_s: Seconds until the next scene; None for the length of the scene, at least
            `SHORTEST_S` of the playlist.
        title: Shown in place of the title of the scene.
        credit: Shown in place of the attribution of the scene.
    """

    location: Text
    camera: Text = ORBIT
    show_s: Seconds | None = None
    title: Text | None = None
    credit: Text | None = None


@dataclass(frozen=True)
class KioskSettings:
    """How a kiosk behaves.

    Args:
        scenes: The playlist, in its order.
        idle_s: Seconds without input after which a visitor counts as gone.
        turn_s: Seconds of one turn of an orbit around a scene.
        language: The language that the kiosk returns to; "system" for that of the desktop.
        titles: Whether title and credit of the scene are shown.
        retry_s: Seconds before a scene that failed is tried again.
        stuck_s: Seconds without a new picture after which the pipeline is restarted.
    """

    scenes: tuple[KioskScene, ...]
    idle_s: Seconds = 60.0
    turn_s: Seconds = 48.0
    language: Literal["system", "en", "de"] = "system"
    titles: bool = True
    retry_s: Seconds = 5.0
    stuck_s: Seconds = 20.0


def kiosk_settings(places: Sequence[str], camera: str | None = None) -> KioskSettings:
    """The settings that `--kiosk` names.

    Args:
        places: Scenes, or one playlist file alone.
        camera: The camera of all scenes that a playlist does not give one; None orbits.

    Raises:
        PlaylistError: No scene is named, a playlist is malformed or stands beside other places.
    """
    if not places:
        raise PlaylistError("The kiosk has no scene; name some, or a playlist such as booth.toml.")
    playlists = [place for place in places if Path(place).suffix.lower() == PLAYLIST_SUFFIX]
    if playlists and len(places) > 1:
        raise PlaylistError(f"{playlists[0]} is a playlist, which stands alone after --kiosk.")
    if playlists:
        read = read_playlist(Path(playlists[0]))
    else:
        read = KioskSettings(tuple(KioskScene(place) for place in places))
    if camera is None:
        return read
    moved = [replace(s, camera=camera) if s.camera == ORBIT else s for s in read.scenes]
    return replace(read, scenes=tuple(moved))


def read_playlist(file: Path) -> KioskSettings:
    """The settings in a playlist file; its paths are relative to its folder.

    Raises:
        PlaylistError: The file cannot be read, or holds something else; the message names the line
            or the key.
    """
    try:
        if file.stat().st_size > PLAYLIST_BYTES_MAX:
            raise PlaylistError(f"{file} is too large for a playlist.")
        data = tomllib.loads(file.read_text("utf-8"))
    except OSError as error:
        raise PlaylistError(f"{file} cannot be read: {error.strerror}.") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise PlaylistError(f"{file} is no playlist: {error}.") from error
    if unknown := _unknown_names(data):
        raise PlaylistError(f"{file} has unknown names: {', '.join(sorted(unknown))}.")
    if "scene" in data:
        data["scenes"] = data.pop("scene")
    try:
        settings = msgspec.convert(data, KioskSettings)
    except msgspec.ValidationError as error:
        raise PlaylistError(f"{file} is no playlist: {in_words(error, _NAMES)}.") from error
    if not 0 < len(settings.scenes) <= SCENES_MAX:
        raise PlaylistError(f"{file} should have 1 to {SCENES_MAX} scenes.")
    return replace(settings, scenes=tuple(_beside(file, scene) for scene in settings.scenes))


def _beside(file: Path, scene: KioskScene) -> KioskScene:
    """An entry whose relative paths start at the folder of the playlist."""
    folder = file.parent
    location = scene.location if is_url(scene.location) else str(folder / scene.location)
    is_file = scene.camera.casefold().endswith(".json")
    return replace(
        scene, location=location, camera=str(folder / scene.camera) if is_file else scene.camera
    )


def _unknown_names(data: dict[str, object]) -> set[str]:
    """Names in a playlist that mean nothing, such as misspelt ones."""
    known = {*KioskSettings.__dataclass_fields__, "scene"} - {"scenes"}
    unknown, scenes = set(data) - known, data.get("scene")
    for entry in scenes if isinstance(scenes, list) else ():
        if isinstance(entry, dict):
            unknown |= set(entry) - set(KioskScene.__dataclass_fields__)
    return unknown
