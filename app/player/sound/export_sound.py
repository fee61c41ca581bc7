"""The sound of a video that is exported."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from streamstgs.app.player.sound.sample_store import ReadSegment, SampleStore
from streamstgs.codec.cancel import NEVER
from streamstgs.codec.formats.reader import SceneReader
from streamstgs.codec.formats.stgs import StgsReader
from streamstgs.codec.package.sound_track import RATE_HZ, Sound

FORMATS = frozenset({"h264", "hevc", "av1", "prores"})  # whose files can have sound
SAME_SPEED = 0.01  # frames of content; so far may a step be from that of normal speed


class ExportSound:
    """Gives the sound of each frame of a video: silence where content does not play at 1x.

    Args:
        scene_fps: Content frames per second.
        track: The sound of the scene.
        read_segment: Fetches and decodes a segment of it.
    """

    def __init__(self, scene_fps: float, track: Sound, read_segment: ReadSegment) -> None:
        self._scene_fps = scene_fps
        self._store = SampleStore(track, read_segment)

    @staticmethod
    def of_scene(scene: SceneReader) -> ExportSound | None:
        """The sound of an open scene; None if it has none."""
        if not isinstance(scene, StgsReader) or scene.scene.sound is None:
            return None
        return ExportSound(scene.info.meta.fps, scene.scene.sound, scene.scene.read_sound)

    def samples(self, frames: Sequence[float], number: int, fps: float) -> NDArray[np.int16]:
        """[n, 2] the sound while a frame of the video is shown.

        Args:
            frames: The content frame that each frame of the video shows.
            number: The frame of the video.
            fps: Frames per second of the video.

        Raises:
            CodecError: A segment cannot be read.
        """
        begin, end = (round(k * RATE_HZ / fps) for k in (number, number + 1))
        step = self._scene_fps / fps
        neighbours = frames[max(number - 1, 0) : number + 2]
        steps = [b - a for a, b in pairwise(neighbours)]
        if not steps or all(abs(one - step) > SAME_SPEED for one in steps):
            return np.zeros((end - begin, 2), np.int16)
        first = round(frames[number] / self._scene_fps * RATE_HZ)
        last = first + end - begin
        while self._store.load_next(first, NEVER):
            if self._store.has(first, last):
                break
        return self._store.read(first, end - begin)
