"""The sound track <-> its object in scene.json."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from msgspec import UNSET, Raw
from streamstgs.codec.errors import NotAScene
from streamstgs.codec.package import schema
from streamstgs.codec.package.checked_json import decode_json
from streamstgs.codec.package.file_entry import MANIFEST_NAME, FileEntry
from streamstgs.codec.package.gop_times import GopTimes
from streamstgs.codec.package.sound_track import (
    CODECS,
    PACKET_SAMPLES,
    GopSound,
    SoundSegment,
    SoundTrack,
)


def sound_object(track: SoundTrack | GopSound) -> dict[str, Any]:
    """Return the object of a track in scene.json."""
    content: dict[str, Any] = {
        "codecs": CODECS,
        "channels": track.channels,
        "delay": track.delay,
        "init": sound_file_object(track.init),
    }
    if isinstance(track, SoundTrack):
        content["segments"] = [
            {"file": sound_file_object(segment.file), "samples": segment.samples}
            for segment in track.segments
        ]
    return content


def read_sound_track(given: Raw, times: GopTimes, fps: float) -> SoundTrack | GopSound | None:
    """Return the declared sound track; None if there is none.

    Args:
        times, fps: of the GOPs of the scene, which list the segments if the track does not.

    Raises:
        NotAScene: it is declared wrongly. A scene that says it has sound never plays silently.
    """
    if not bytes(given):
        return None
    sound = decode_json(given, schema.Sound, f"{MANIFEST_NAME}: sound")
    if sound.segments is UNSET:
        return GopSound(sound.channels, sound.delay, read_sound_file(sound.init), times, fps)
    names = {sound.init.name, *(segment.file.name for segment in sound.segments)}
    if len(names) != len(sound.segments) + 1:
        raise NotAScene(f"{MANIFEST_NAME}: sound: files should differ.")
    if any(segment.samples % PACKET_SAMPLES for segment in sound.segments):
        wanted = f"a multiple of {PACKET_SAMPLES}"
        raise NotAScene(f"{MANIFEST_NAME}: sound: samples of a segment should be {wanted}.")
    segments = tuple(SoundSegment(read_sound_file(s.file), s.samples) for s in sound.segments)
    return SoundTrack(sound.channels, sound.delay, read_sound_file(sound.init), segments)


def read_sound_file(file: schema.SoundFile) -> FileEntry:
    """Return the entry of a file; its members were checked by their types."""
    return FileEntry(file.name, file.size_bytes, file.crc32, file.sha256)


def sound_file_object(file: FileEntry) -> dict[str, Any]:
    """Return a file as its JSON object."""
    return asdict(file, dict_factory=lambda items: {k: v for k, v in items if v is not None})
