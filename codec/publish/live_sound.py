"""The sound of a live scene: a segment for each GOP, encoded without what was encoded before.

A publisher may stop at any time and another one goes on, so that nothing of an encoder is kept: the
few packets before a segment are encoded again and left out.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np
from streamstgs.codec.errors import EncodeError
from streamstgs.codec.limits import SOUND_SEGMENT_SAMPLES
from streamstgs.codec.package.file_entry import FileEntry
from streamstgs.codec.package.gop_times import GopTimes
from streamstgs.codec.package.sound_track import PACKET_SAMPLES, RATE_HZ, GopSound, first_packet
from streamstgs.codec.scene import Scene
from streamstgs.codec.sound.sound_coding import Samples, encode_packets, encode_sound

FOLDER = "sound"
LEAD_PACKETS = 8  # an encoder and a decoder of Opus are in step after 80 ms
DECODED = 4  # segments of a scene that are kept

ReadSamples = Callable[[int, int], Samples]
WriteFile = Callable[[str, bytes], FileEntry]


class LiveSound:
    """Encodes the sound of GOPs.

    Args:
        channels: 1 or 2.
        fps: content frames per second.
    """

    def __init__(self, channels: int, fps: float) -> None:
        self._channels, self._fps = channels, fps
        init, delay, _ = encode_sound(np.zeros((PACKET_SAMPLES, channels), np.int16))
        name = f"{FOLDER}/init.mp4"
        self.init = init
        self.header = GopSound(channels, delay, FileEntry.of(name, init), GopTimes(()), fps)

    def check_length(self, frames: int) -> None:
        """Raise EncodeError if a GOP of so many frames is too long to carry sound."""
        seconds, most_s = frames / self._fps, (SOUND_SEGMENT_SAMPLES - PACKET_SAMPLES) / RATE_HZ
        if seconds > most_s:
            raise EncodeError(
                f"A segment of {seconds:.1f} s cannot be published with sound: {most_s:.2f} s at "
                "most. Encode the scene with shorter groups of frames, or publish it silently."
            )

    def write_gop(
        self, number: int, span: tuple[int, int], read: ReadSamples, write: WriteFile
    ) -> FileEntry | None:
        """Encode the sound of a GOP and write it; None where the GOP is shorter than a packet.

        Args:
            number: of the GOP.
            span: its first frame and that of the next GOP.
            read: returns [count, channels] samples from one on.
            write: writes a file of the scene.

        Raises:
            EncodeError: the GOP is too long.
        """
        begin, end = (first_packet(frame, self._fps) for frame in span)
        if begin == end:
            return None
        self.check_length(span[1] - span[0])
        lead = min(LEAD_PACKETS, begin)
        count = (end - begin + lead) * PACKET_SAMPLES
        samples = read((begin - lead) * PACKET_SAMPLES, count)
        return write(f"{FOLDER}/{number:06d}.m4s", encode_packets(samples, begin, lead))


def samples_of(sound: Samples) -> ReadSamples:
    """Return what reads from a sound that is decoded; beyond its end there is silence."""

    def read(first: int, count: int) -> Samples:
        part = sound[first : first + count]
        return np.pad(part, ((0, count - len(part)), (0, 0)))

    return read


class SceneSound:
    """The decoded sound of a finished scene, which repeats.

    Args:
        scene: one with sound.
    """

    def __init__(self, scene: Scene) -> None:
        assert scene.sound is not None
        self._track = scene.sound
        self._length = round(scene.duration_s * RATE_HZ)
        self._segment = lru_cache(DECODED)(scene.read_sound)

    def read(self, first: int, count: int) -> Samples:
        """Return [count, channels] samples from one on; raises CodecError."""
        parts = []
        while count:
            begin = first % self._length
            size = min(count, self._length - begin)
            parts.append(self._part(begin, size))
            first, count = first + size, count - size
        return np.concatenate(parts)

    def _part(self, first: int, count: int) -> Samples:
        """Samples of the scene; silence behind the end of its sound."""
        track = self._track
        out = np.zeros((count, track.channels), np.int16)
        numbers = range(track.segment_at(first), track.segment_at(first + count - 1) + 1)
        for number in numbers:
            start = track.start(number)
            begin, end = max(first, start), min(first + count, track.start(number + 1))
            if begin < end:
                part = self._segment(number)[begin - start : end - start]
                out[begin - first : end - first] = part
        return out
