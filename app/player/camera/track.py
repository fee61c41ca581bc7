"""A camera that moves along keyframes, and the edits that a person makes to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from streamstgs.app.player.camera.controller import CameraController
from streamstgs.app.player.camera.files.path_files import (
    PathFormat,
    keyframes_json,
    read_camera_path,
    write_camera_path,
)
from streamstgs.app.player.camera.framing import natural_aspect
from streamstgs.app.player.camera.keyframes import CameraKeyframe, Easing, KeyframePath
from streamstgs.app.player.edit_track import EditTrack
from streamstgs.app.player.errors import CameraPathError

if TYPE_CHECKING:
    from streamstgs.codec.package.scene_meta import SceneMeta


class CameraTrack(EditTrack[CameraKeyframe]):
    """Editable keyframes in the order of their times. Owner: the thread of the viewer model.

    A keyframe holds position, target, up (which carries the roll), field of view and the easing to
    the next keyframe. Between keyframes the camera follows a smooth curve (`KeyframePath`).

    Example:
        track.add(capture(viewer.camera, time_s=2.0))
        track.set_easing(0, "ease-in-out")
        apply_keyframe(viewer.camera, track.keyframe_at(1.0))
        track.undo()

    Args:
        keyframes: The keyframes at the start, in any order.
        constant_speed: Whether the eye moves at one speed along the whole track.
    """

    def __init__(
        self, keyframes: Sequence[CameraKeyframe] = (), constant_speed: bool = False
    ) -> None:
        super().__init__(keyframes, constant_speed)
        self._made: tuple[object, KeyframePath] | None = None  # the last path, with its curve

    @staticmethod
    def of(path: KeyframePath) -> CameraTrack:
        """A track with the keyframes of a path, such as one that `read_camera_path` returns."""
        return CameraTrack(path.keyframes, path.constant_speed)

    @staticmethod
    def read(file: str | Path, meta: SceneMeta) -> CameraTrack:
        """The track of a camera path file of this program, nerfstudio or SuperSplat.

        Args:
            file: The file.
            meta: `scene.meta` of the scene that the camera moves in.

        Raises:
            CameraPathError: The file is missing or malformed.
        """
        return CameraTrack.of(read_camera_path(Path(file), meta))

    def write(
        self,
        file: str | Path,
        meta: SceneMeta,
        format: PathFormat | None = None,
        fps: float = 30.0,
    ) -> None:
        """Write a camera path file, whole or not at all.

        Args:
            file: The file to write.
            meta: `scene.meta` of the scene that the camera moves in.
            format: "streamstgs", "nerfstudio", "supersplat" (no roll, no easings) or "gltf"; None
                writes glTF to .gltf files, else "streamstgs".
            fps: Frames per second of the other formats.

        Raises:
            CameraPathError: The track has no keyframe or is too long for a file of each frame, or
                there is no such format.
            WriteError: The file cannot be written.
        """
        chosen = format or ("gltf" if Path(file).suffix.lower() == ".gltf" else "streamstgs")
        write_camera_path(Path(file), self.path(natural_aspect(meta)), chosen, fps, meta.up)

    @property
    def constant_speed(self) -> bool:
        """Whether the eye moves at one speed along the whole track; writing is an edit."""
        return self._state.switch

    @constant_speed.setter
    def constant_speed(self, constant_speed: bool) -> None:
        with self.one_edit():
            self._state = replace(self._state, switch=constant_speed)

    def set_easing(self, index: int, easing: Easing) -> None:
        """Change how the camera moves from a keyframe to the next one.

        Raises:
            IndexError: There is no such keyframe.
        """
        self.replace(index, replace(self[index], easing=easing))

    def path(self, aspect: float) -> KeyframePath:
        """The current track as a camera path, such as to export a video along it.

        Args:
            aspect: Width / height of a picture of the scene.

        Raises:
            CameraPathError: The track has no keyframe.
        """
        if not self._state.keys:
            raise CameraPathError("The camera track has no keyframe.")
        made = (self._state, aspect)
        if self._made is None or self._made[0] != made:
            self._made = made, KeyframePath(self._state.keys, aspect, self.constant_speed)
        return self._made[1]

    def keyframe_at(self, time_s: float) -> CameraKeyframe:
        """The camera at a time on the curve, as a keyframe.

        Raises:
            CameraPathError: The track has no keyframe.
        """
        return self.path(1.0).keyframe_at(time_s)

    def to_json(self) -> str:
        """The track as the text of a camera path file (`app.player.camera.files.path_files`)."""
        return keyframes_json(self._state.keys, self.constant_speed)


def capture(camera: CameraController, time_s: float) -> CameraKeyframe:
    """The asked-for pose of a camera as a keyframe at a time."""
    return CameraKeyframe(time_s, camera.position, camera.look_at, camera.up, camera.fov_y_rad)


def apply_keyframe(camera: CameraController, keyframe: CameraKeyframe) -> None:
    """Move a camera to a keyframe."""
    camera.look_from_up(keyframe.position, keyframe.target, keyframe.up, keyframe.fov_y_rad)
