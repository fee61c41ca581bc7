"""The sound track <-> its object in scene.json."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from msgspec import Raw
from streamstgs.codec.errors import NotAScene
from streamstgs.codec.package import schema
from streamstgs.codec.package.checked_json import decode_json
from streamstgs.codec.package.file_entry import MANIFEST_NAME, FileEntry
from streamstgs.codec.package.sound_track import (
    CODECS,
    PACKET_SAMPLES,
    SoundSegment,
    SoundTrack,
)


def sound_object(track: SoundTrack) -> dict[str, Any]:
    """Return the object of a track in scene.json."""
    return {
        "codecs": CODECS,
        "channels": track.channels,
        "delay": track.delay,
        "init": _file_object(track.init),
        "segments": [
            {"file": _file_object(segment.file), "samples": segment.samples}
            for segment in track.segments
        ],
    }


def read_sound_track(given: Raw) -> SoundTrack | None:
    """Return the declared sound track; None if there is none.

    Raises:
        NotAScene: it is declared wrongly. A scene that says it has sound never plays silently.
    """
    if not bytes(given):
        return None
    sound = decode_json(given, schema.Sound, f"{MANIFEST_NAME}: sound")
    names = {sound.init.name, *(segment.file.name for segment in sound.segments)}
    if len(names) != len(sound.segments) + 1:
        raise NotAScene(f"{MANIFEST_NAME}: sound: files should differ.")
    if any(segment.samples % PACKET_SAMPLES for segment in sound.segments):
        wanted = f"a multiple of {PACKET_SAMPLES}"
        raise NotAScene(f"{MANIFEST_NAME}: sound: samples of a segment should be {wanted}.")
    segments = tuple(SoundSegment(_file(s.file), s.samples) for s in sound.segments)
    return SoundTrack(sound.channels, sound.delay, _file(sound.init), segments)


def _file(file: schema.SoundFile) -> FileEntry:
    return FileEntry(file.name, file.size_bytes, file.crc32, file.sha256)


def _file_object(file: FileEntry) -> dict[str, Any]:
    return asdict(file, dict_factory=lambda items: {k: v for k, v in items if v is not None})
