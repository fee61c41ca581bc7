"""Camera path files: this project's own JSON, nerfstudio's, SuperSplat's, and glTF for Blender.

The own format is a JSON object (docs/guide/camera-path.schema.json):

    {"constant_speed": false,
     "keyframes": [
      {"time_s": 0.0, "position": [0, -1, -4], "target": [0, 0, 0], "fov_y_rad": 0.8},
      {"time_s": 4.0, "position": [3, -1, -3], "target": [0, 0, 0], "fov_y_rad": 0.6,
       "up": [0, -1, 0], "easing": "ease-in-out"},
      {"time_s": 6.0, "viewmat": [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 4], [0, 0, 0, 1]],
       "fov_y_rad": 0.8}
    ]}

Times grow from keyframe to keyframe. A keyframe has either `position` and `target` (world units;
without `up` the scene's is used) or `viewmat` (world to camera, OpenCV axes). Between keyframes the
camera follows a smooth curve through them; before the first and after the last it does not move.
Windows narrower than the scene's aspect ratio keep its width in view.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from streamstgs.app.player.arguments import within
from streamstgs.app.player.camera.files.gltf import gltf_json
from streamstgs.app.player.camera.files.nerfstudio import (
    is_nerfstudio,
    nerfstudio_json,
    read_nerfstudio,
)
from streamstgs.app.player.camera.files.path_checks import (
    checked_list,
    checked_numbers,
    checked_order,
    keyframe_of_matrix,
    keyframe_of_view,
)
from streamstgs.app.player.camera.files.supersplat import (
    is_supersplat,
    read_supersplat,
    supersplat_json,
)
from streamstgs.app.player.camera.framing import Vector, natural_aspect
from streamstgs.app.player.camera.keyframes import (
    EASINGS,
    FOV_MAX_RAD,
    FOV_MIN_RAD,
    CameraKeyframe,
    Easing,
    KeyframePath,
)
from streamstgs.app.player.errors import CameraPathError
from streamstgs.codec.output import write_json
from streamstgs.codec.package.scene_meta import SceneMeta

PathFormat = Literal["streamstgs", "nerfstudio", "supersplat", "gltf"]
PATH_FORMATS: tuple[PathFormat, ...] = get_args(PathFormat)
FILE_BYTES_MAX = 16 << 20  # nerfstudio writes about 400 bytes for each frame
DIGITS = 6
FPS_MIN, FPS_MAX = 0.001, 1000.0


def read_camera_path(path: Path, meta: SceneMeta) -> KeyframePath:
    """Read a camera path file in any format but glTF; its contents tell which.

    Raises:
        CameraPathError: The file is missing, too large, or malformed; the message says where.
    """
    data = read_json_file(path, "a camera path")
    try:
        return parse_camera_path(data, meta.up, natural_aspect(meta))
    except CameraPathError as error:
        raise CameraPathError(f"{path}: {error}") from error


def write_camera_path(
    file: Path,
    path: KeyframePath,
    format: PathFormat = "streamstgs",
    fps: float = 30.0,
    up: Vector = (0.0, -1.0, 0.0),
) -> None:
    """Write a camera path file, whole or not at all.

    Args:
        file: The file to write; .json, or .gltf for glTF.
        path: The path, such as `CameraTrack.path(aspect)`.
        format: "streamstgs" keeps everything. "nerfstudio" and "gltf" hold the camera of each
            frame. "supersplat" holds the keyframes without roll and easings.
        fps: Frames per second of the other formats.
        up: The up direction of the scene, for glTF.

    Raises:
        CameraPathError: The path is too long for a file of each frame, or there is no such format.
        ArgumentError: The rate is not 0.001 to 1000 frames per second.
        WriteError: The file cannot be written.
    """
    fps = within("fps", fps, FPS_MIN, FPS_MAX)
    if format not in PATH_FORMATS:
        known = ", ".join(PATH_FORMATS)
        raise CameraPathError(f"There is no format {format!r}; choose one of {known}.")
    if format == "nerfstudio":
        document = nerfstudio_json(path, fps)
    elif format == "supersplat":
        document = supersplat_json(path, fps)
    elif format == "gltf":
        document = gltf_json(path, fps, up)
    else:
        document = json.loads(keyframes_json(path.keyframes, path.constant_speed))
    write_json(file, document)


def parse_camera_path(data: Any, up: Vector, aspect: float) -> KeyframePath:
    """The camera path in the JSON value of a file.

    Args:
        data: The JSON value.
        up: The up direction of the scene, for keyframes without one.
        aspect: Width / height of a picture of the scene.

    Raises:
        CameraPathError: The value is malformed.
    """
    if not isinstance(data, dict):
        raise CameraPathError("it needs a list `keyframes` with at least one entry.")
    if is_supersplat(data):
        return KeyframePath(read_supersplat(data, aspect), aspect)
    if is_nerfstudio(data):
        return KeyframePath(read_nerfstudio(data), aspect)
    constant_speed = data.get("constant_speed", False)
    if not isinstance(constant_speed, bool):
        raise CameraPathError("constant_speed should be true or false.")
    entries = checked_list(data.get("keyframes"), "keyframes")
    keyframes = [_keyframe(entry, number, up) for number, entry in enumerate(entries)]
    return KeyframePath(checked_order(keyframes), aspect, constant_speed)


def keyframes_json(keyframes: Sequence[CameraKeyframe], constant_speed: bool = False) -> str:
    """Keyframes as the text of a camera path file in the own format."""
    entries = [
        {
            "time_s": keyframe.time_s,
            "position": [round(value, DIGITS) for value in keyframe.position],
            "target": [round(value, DIGITS) for value in keyframe.target],
            "up": [round(value, DIGITS) for value in keyframe.up],
            "fov_y_rad": round(keyframe.fov_y_rad, DIGITS),
            **({} if keyframe.easing == "smooth" else {"easing": keyframe.easing}),
        }
        for keyframe in keyframes
    ]
    switches = {"constant_speed": True} if constant_speed else {}
    return json.dumps({**switches, "keyframes": entries})


def read_json_file(path: Path, kind: str) -> Any:
    """The JSON value of a file of bounded size.

    Args:
        kind: What the file should be, for the message.

    Raises:
        CameraPathError: The file is missing, too large, or no JSON.
    """
    try:
        if path.stat().st_size > FILE_BYTES_MAX:
            raise CameraPathError(f"{path} is too large for {kind}.")
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CameraPathError(f"{path} cannot be read: {error.strerror}.") from error
    except (ValueError, RecursionError) as error:
        raise CameraPathError(f"{path} is not JSON: {error}.") from error


def _keyframe(entry: Any, number: int, up: Vector) -> CameraKeyframe:
    if not isinstance(entry, dict):
        raise CameraPathError(f"keyframe {number} is not an object.")
    where = f"in keyframe {number}"
    fov = float(checked_numbers(entry, "fov_y_rad", (), where))
    if not FOV_MIN_RAD <= fov <= FOV_MAX_RAD:
        raise CameraPathError(f"fov_y_rad {where} is not {FOV_MIN_RAD} to {FOV_MAX_RAD}.")
    time_s = float(checked_numbers(entry, "time_s", (), where))
    easing = _easing(entry, where)
    if "viewmat" in entry:
        viewmat = checked_numbers(entry, "viewmat", (4, 4), where)
        return keyframe_of_matrix(viewmat, time_s, fov, easing, f"viewmat {where}")
    position = checked_numbers(entry, "position", (3,), where)
    target = checked_numbers(entry, "target", (3,), where)
    upward = checked_numbers(entry, "up", (3,), where) if "up" in entry else np.array(up)
    return keyframe_of_view(time_s, position, target, upward, fov, easing, where)


def _easing(entry: dict[str, Any], where: str) -> Easing:
    for easing in EASINGS:
        if entry.get("easing", "smooth") == easing:
            return easing
    raise CameraPathError(f"easing {where} is none of {', '.join(EASINGS)}.")
