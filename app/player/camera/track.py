"""A camera that moves along keyframes, and the edits that a person makes to them."""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import replace

from psygnal import Signal
from streamstgs.app.player.camera.controller import CameraController
from streamstgs.app.player.camera.path import CameraKeyframe, KeyframePath

SAME_TIME_S = 1e-6  # closer keyframes are one


class CameraTrack:
    """Editable keyframes in the order of their times. Owner: the thread of the viewer model.

    A keyframe holds position, target, up (which carries the roll) and field of view. Between
    keyframes the camera follows a smooth curve (`KeyframePath`).

    Example:
        track.add(capture(viewer.camera, time_s=2.0))
        apply_keyframe(viewer.camera, track.keyframe_at(1.0))

    Args:
        keyframes: The keyframes at the start, in any order.
    """

    changed = Signal()

    def __init__(self, keyframes: Sequence[CameraKeyframe] = ()) -> None:
        self._keyframes: tuple[CameraKeyframe, ...] = ()
        for keyframe in keyframes:
            self._put(keyframe)

    def __len__(self) -> int:
        return len(self._keyframes)

    def __iter__(self) -> Iterator[CameraKeyframe]:
        return iter(self._keyframes)

    def __getitem__(self, index: int) -> CameraKeyframe:
        return self._keyframes[index]

    @property
    def duration_s(self) -> float:
        """The time of the last keyframe; 0 while there is none."""
        return self._keyframes[-1].time_s if self._keyframes else 0.0

    def add(self, keyframe: CameraKeyframe) -> int:
        """Add a keyframe and return its index; one at the same time is replaced."""
        index = self._put(keyframe)
        self.changed.emit()
        return index

    def replace(self, index: int, keyframe: CameraKeyframe) -> int:
        """Put another keyframe in the place of one and return its index.

        Raises:
            IndexError: There is no such keyframe.
        """
        self._take(index)
        return self.add(keyframe)

    def move(self, index: int, time_s: float) -> int:
        """Give a keyframe another time and return its new index.

        Raises:
            IndexError: There is no such keyframe.
        """
        return self.add(replace(self._take(index), time_s=time_s))

    def copy(self, index: int, time_s: float) -> int:
        """Repeat a keyframe at another time and return the index of the copy.

        Raises:
            IndexError: There is no such keyframe.
        """
        return self.add(replace(self[index], time_s=time_s))

    def remove(self, index: int) -> None:
        """Remove a keyframe.

        Raises:
            IndexError: There is no such keyframe.
        """
        self._take(index)
        self.changed.emit()

    def clear(self) -> None:
        """Remove all keyframes."""
        self.restore(())

    def snapshot(self) -> tuple[CameraKeyframe, ...]:
        """The keyframes of now, for `restore`; later edits do not change the snapshot."""
        return self._keyframes

    def restore(self, snapshot: Sequence[CameraKeyframe]) -> None:
        """Go back to the keyframes of a `snapshot`."""
        self._keyframes = ()
        for keyframe in snapshot:
            self._put(keyframe)
        self.changed.emit()

    def path(self, aspect: float) -> KeyframePath:
        """The track of now as a camera path, such as to export a video along it.

        Args:
            aspect: Width / height of a picture of the scene.

        Raises:
            ValueError: The track has no keyframe.
        """
        if not self._keyframes:
            raise ValueError("The camera track has no keyframe.")
        return KeyframePath(self._keyframes, aspect)

    def keyframe_at(self, time_s: float) -> CameraKeyframe:
        """The camera at a time on the curve, as a keyframe.

        Raises:
            ValueError: The track has no keyframe.
        """
        return self.path(1.0).keyframe_at(time_s)

    def to_json(self) -> str:
        """The track as the text of a camera path file (`app.player.camera.path`)."""
        return keyframes_json(self._keyframes)

    def _put(self, keyframe: CameraKeyframe) -> int:
        times = [other.time_s for other in self._keyframes]
        index = bisect_left(times, keyframe.time_s - SAME_TIME_S)
        same = index < len(times) and abs(times[index] - keyframe.time_s) <= SAME_TIME_S
        before, after = self._keyframes[:index], self._keyframes[index + same :]
        self._keyframes = (*before, keyframe, *after)
        return index

    def _take(self, index: int) -> CameraKeyframe:
        taken = self._keyframes[index]
        index %= len(self._keyframes)
        self._keyframes = self._keyframes[:index] + self._keyframes[index + 1 :]
        return taken


def capture(camera: CameraController, time_s: float) -> CameraKeyframe:
    """The asked-for pose of a camera as a keyframe at a time."""
    return CameraKeyframe(time_s, camera.position, camera.look_at, camera.up, camera.fov_y_rad)


def apply_keyframe(camera: CameraController, keyframe: CameraKeyframe) -> None:
    """Move a camera to a keyframe."""
    camera.look_from_up(keyframe.position, keyframe.target, keyframe.up, keyframe.fov_y_rad)


def keyframes_json(keyframes: Sequence[CameraKeyframe]) -> str:
    """Keyframes as the text of a camera path file."""
    entries = [
        {
            "time_s": keyframe.time_s,
            "position": [round(value, 6) for value in keyframe.position],
            "target": [round(value, 6) for value in keyframe.target],
            "up": [round(value, 6) for value in keyframe.up],
            "fov_y_rad": round(keyframe.fov_y_rad, 6),
        }
        for keyframe in keyframes
    ]
    return json.dumps({"keyframes": entries})
