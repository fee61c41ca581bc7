"""Changes what an encoded scene tells of itself; nothing is encoded again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from streamstgs.codec.encoder.checked_manifest import write_checked
from streamstgs.codec.encoder.config import PosterSettings
from streamstgs.codec.encoder.poster_picture import with_poster
from streamstgs.codec.encoder.sound_encoding import write_sound
from streamstgs.codec.errors import EncodeError
from streamstgs.codec.package.dash import write_dash
from streamstgs.codec.package.file_entry import DASH_NAME, FileEntry
from streamstgs.codec.package.filmed_view import FilmedView
from streamstgs.codec.package.manifest import Manifest
from streamstgs.codec.package.manifest_json import read_manifest, write_manifest
from streamstgs.codec.package.paged_gops import PagedGops
from streamstgs.codec.package.sound_track import SoundTrack
from streamstgs.codec.package.writer import PackageWriter
from streamstgs.codec.scene import open_scene
from streamstgs.codec.streaming.address import clean_location
from streamstgs.codec.streaming.locate import open_uncached


@dataclass(frozen=True)
class SceneChanges:
    """What becomes different; None leaves a member as it is.

    Args:
        title, licence, attribution: texts that players show.
        filmed: what each camera of the capture saw.
        audio: an audio or video file with the sound of the scene.
    """

    title: str | None = None
    licence: str | None = None
    attribution: str | None = None
    filmed: tuple[FilmedView, ...] | None = None
    audio: Path | None = None


def edit_scene(location: str | Path, out: Path, changes: SceneChanges) -> None:
    """Write a copy of a scene with changes. Gaussians and videos stay, byte for byte.

    Args:
        location: path or URL of an encoded scene.
        out: path of a `.stgs` file, or of a directory; may be the scene itself.
        changes: what becomes different.

    Raises:
        CodecError: the scene cannot be read, EncodeError: or it is live or has lost its beginning,
            or it would be beyond the format.
        WriteError: `out` is something else than a scene, or cannot be written.
    """
    with PackageWriter(out) as package:
        files = open_uncached(clean_location(str(location)))
        try:
            manifest = read_manifest(files.manifest, files.read)
            _check_whole(manifest, files.location)
            kept = manifest if changes.audio is None else replace(manifest, sound=None)
            for file in files_of(kept):
                package.write(file.name, files.read(file))
            _write_changed(kept, package, changes)
        finally:
            files.close()
        package.commit()


def _check_whole(manifest: Manifest, location: str) -> None:
    """Raise EncodeError for a scene that grows, or whose beginning is gone."""
    if manifest.live is not None:
        raise EncodeError(f"{location} is live; it can be changed once it has ended.")
    gone = manifest.gops.pages.available if isinstance(manifest.gops, PagedGops) else 0
    if gone:
        raise EncodeError(
            f"{location} was published with a window: its first {gone} segments are gone, so it "
            "cannot be changed. Change the scene that was published."
        )


def files_of(manifest: Manifest) -> Iterator[FileEntry]:
    """Yield each file of a scene but scene.json and scene.mpd; reads its pages, if it has any."""
    yield from (entry.init for entry in manifest.representations)
    yield from (layer.file for layer in manifest.static)
    for gop in manifest.gops:
        yield from (layer.file for layer in gop.layers)
        yield gop.field
        yield from (segment.file for segment in gop.segments)
        if gop.sound is not None:  # pages list it, also where another sound replaces it
            yield gop.sound
    if isinstance(manifest.gops, PagedGops):
        yield from _pages_of(manifest.gops)
    if manifest.poster is not None:
        yield manifest.poster.file
    if manifest.sound is not None:
        yield manifest.sound.init
    if isinstance(manifest.sound, SoundTrack):
        yield from (segment.file for segment in manifest.sound.segments)


def _pages_of(gops: PagedGops) -> Iterator[FileEntry]:
    """Yield the index, the pages, and the static layers that only pages list."""
    if gops.pages.index is None:
        return
    yield gops.pages.index
    written: set[str] = set()
    for row in gops.page_index():
        yield row.file
        static = [layer.file for layer in gops.static(row.first) or ()]
        yield from (file for file in static if file.name not in written)
        written.update(file.name for file in static)


def _write_changed(manifest: Manifest, package: PackageWriter, changes: SceneChanges) -> None:
    """Write scene.json and all that depends on what became different."""
    named: dict[str, Any] = {
        "title": changes.title,
        "licence": changes.licence,
        "attribution": changes.attribution,
        "filmed": changes.filmed,
    }
    given = {name: value for name, value in named.items() if value is not None}
    manifest = replace(manifest, meta=replace(manifest.meta, **given))
    if changes.audio is not None:
        seconds = manifest.frame_count / manifest.meta.fps
        manifest = replace(manifest, sound=write_sound(changes.audio, seconds, package.write))
    write_checked(package, lambda: write_manifest(manifest))
    if changes.filmed is not None:  # drawing the opening view tells whether anything is around it
        with open_scene(package.root) as scene:
            drawn = with_poster(manifest, scene, PosterSettings(), package.write)
        write_checked(package, lambda: write_manifest(drawn))
        manifest = drawn
    package.write(DASH_NAME, write_dash(manifest))
