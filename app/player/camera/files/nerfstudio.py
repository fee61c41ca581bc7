"""Camera path files of nerfstudio, for `ns-render camera-path`.

The source is github.com/nerfstudio-project/nerfstudio (Apache-2.0): `_write_json` in
nerfstudio/viewer/render_panel.py writes the format, and `get_path_from_json` in
nerfstudio/cameras/camera_paths.py reads it. `camera_path` holds one camera for each frame:
`camera_to_world`, a flattened 4x4 matrix with OpenGL axes (x right, y up, z back), and `fov`,
vertical, in degrees. `keyframes` holds the cameras that a person set.

World coordinates are taken as they are: nerfstudio moves and scales a capture
(dataparser_transforms.json), so both programs must show the scene in the same coordinates.
`render_time` is not read; a time track takes its place.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from streamstgs.app.player.camera.files.path_checks import (
    axes_of,
    checked_fov,
    checked_frame_count,
    checked_list,
    checked_numbers,
    checked_object,
    checked_order,
    checked_rate,
    keyframe_of_matrix,
)
from streamstgs.app.player.camera.keyframes import Array, CameraKeyframe, Easing, KeyframePath
from streamstgs.app.player.errors import CameraPathError

FLIP = np.diag([1.0, -1.0, -1.0, 1.0])  # OpenGL camera axes to those of OpenCV, and back
HEIGHT_PX = 1080  # of the render size that an exported file names
DEFAULT_FPS, DEFAULT_TRANSITION_S = 24.0, 2.0


def is_nerfstudio(data: dict[str, Any]) -> bool:
    """Whether a JSON object is a camera path of nerfstudio."""
    keyframes = data.get("keyframes")
    first = keyframes[0] if isinstance(keyframes, list) and keyframes else None
    return "camera_path" in data or (isinstance(first, dict) and "matrix" in first)


def read_nerfstudio(data: dict[str, Any]) -> tuple[CameraKeyframe, ...]:
    """The cameras of all frames; those of the keyframes if the file has no frames.

    Raises:
        CameraPathError: The file is malformed, or its cameras are not perspective.
    """
    kind = data.get("camera_type", "perspective")
    if kind != "perspective":
        raise CameraPathError(f"its cameras are of type {kind!r}; only perspective can be read.")
    if "camera_path" not in data:
        return _read_keyframes(data)
    entries = checked_list(data["camera_path"], "camera_path")
    if data.get("seconds") is not None:
        step_s = float(checked_numbers(data, "seconds", (), "of the path")) / len(entries)
    else:
        step_s = 1.0 / checked_rate(data, "fps", DEFAULT_FPS, "of the path")
    return checked_order(
        [
            _keyframe(entry, "camera_to_world", number * step_s, f"in frame {number}", "linear")
            for number, entry in enumerate(entries)
        ]
    )


def nerfstudio_json(path: KeyframePath, fps: float) -> dict[str, Any]:
    """A camera path as the JSON object of a nerfstudio file.

    `camera_path` holds the curve at `fps`, so that easings and constant speed arrive.
    """
    count = checked_frame_count(path.duration_s, fps)
    frames = [path.keyframe_at(number / fps) for number in range(count)]
    times = [keyframe.time_s for keyframe in path.keyframes]
    pauses = [DEFAULT_TRANSITION_S, *np.diff(times).tolist()]
    return {
        "camera_type": "perspective",
        "render_width": 2 * round(HEIGHT_PX * path.aspect / 2),
        "render_height": HEIGHT_PX,
        "fps": fps,
        "seconds": count / fps,
        "is_cycle": False,
        "smoothness_value": 0.0,
        "default_fov": math.degrees(path.keyframes[0].fov_y_rad),
        "default_transition_sec": DEFAULT_TRANSITION_S,
        "keyframes": [
            {
                "matrix": _matrix(keyframe),
                "fov": math.degrees(keyframe.fov_y_rad),
                "aspect": path.aspect,
                "override_transition_enabled": True,
                "override_transition_sec": pause_s,
            }
            for keyframe, pause_s in zip(path.keyframes, pauses, strict=True)
        ],
        "camera_path": [
            {
                "camera_to_world": _matrix(keyframe),
                "fov": math.degrees(keyframe.fov_y_rad),
                "aspect": path.aspect,
            }
            for keyframe in frames
        ],
    }


def _read_keyframes(data: dict[str, Any]) -> tuple[CameraKeyframe, ...]:
    pause_s = float(
        checked_numbers(
            {"default_transition_sec": DEFAULT_TRANSITION_S} | data,
            "default_transition_sec",
            (),
            "of the path",
        )
    )
    keyframes, time_s = [], 0.0
    for number, entry in enumerate(checked_list(data.get("keyframes"), "keyframes")):
        where = f"in keyframe {number}"
        entry = checked_object(entry, f"keyframe {number}")
        if number > 0:
            own = entry.get("override_transition_enabled")
            key = "override_transition_sec"
            time_s += float(checked_numbers(entry, key, (), where)) if own else pause_s
        keyframes.append(_keyframe(entry, "matrix", time_s, where, "smooth"))
    return checked_order(keyframes)


def _keyframe(entry: Any, key: str, time_s: float, where: str, easing: Easing) -> CameraKeyframe:
    entry = checked_object(entry, where.removeprefix("in "))
    matrix = checked_numbers(entry, key, (16,), where).reshape(4, 4)
    if not np.allclose(matrix[3], [0, 0, 0, 1]):
        matrix = matrix.T  # older viewers write the columns of keyframes
    if abs(np.linalg.det(matrix)) < 0.5:
        raise CameraPathError(f"{key} {where} is not a rotation and a translation.")
    fov = checked_fov(math.radians(float(checked_numbers(entry, "fov", (), where))), "fov", where)
    viewmat = np.asarray(np.linalg.inv(matrix @ FLIP), dtype=np.float64)
    return keyframe_of_matrix(viewmat, time_s, fov, easing, f"{key} {where}")


def _matrix(keyframe: CameraKeyframe) -> list[float]:
    """The 16 numbers of a camera-to-world matrix with OpenGL axes, row by row."""
    matrix: Array = np.eye(4)
    matrix[:3, :3] = axes_of(keyframe).T
    matrix[:3, 3] = keyframe.position
    flat: list[float] = (matrix @ FLIP).flatten().tolist()
    return flat
