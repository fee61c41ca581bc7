"""Writes the sound of a scene into its package."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

from streamstgs.codec import limits
from streamstgs.codec.errors import EncodeError
from streamstgs.codec.package.file_entry import FileEntry
from streamstgs.codec.package.sound_track import RATE_HZ, SoundSegment, SoundTrack
from streamstgs.codec.sound.sound_coding import encode_sound, read_sound

log = logging.getLogger(__name__)

FOLDER = "sound"


def write_sound(
    path: Path, duration_s: float, write: Callable[[str, bytes], FileEntry]
) -> SoundTrack:
    """Return the track of the sound of a file, after writing its segments.

    Args:
        path: an audio or video file; its sound starts with the scene and is cut off at its end.
        duration_s: of the scene.
        write: writes a file of the package.

    Raises:
        EncodeError: the file cannot be read, has no sound, or is too long.
    """
    samples = read_sound(path, duration_s)
    seconds = len(samples) / RATE_HZ
    if seconds < duration_s - 0.5:
        log.warning("%s ends after %.1f s; the scene goes on silently", path, seconds)
    init, delay, segments = encode_sound(samples)
    if len(segments) > limits.SOUND_SEGMENTS:
        raise EncodeError(f"The sound of {path} is too long for a scene: {seconds:.0f} s.")
    entries = tuple(
        SoundSegment(write(f"{FOLDER}/{number:04d}.m4s", media), count)
        for number, (media, count) in enumerate(segments)
    )
    return SoundTrack(samples.shape[1], delay, write(f"{FOLDER}/init.mp4", init), entries)
