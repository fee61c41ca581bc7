"""Camera poses of SuperSplat: the editor's document.json and the viewer's settings.json.

The editor writes `poseSets` with `frame`, `position`, `target` and `fov` (src/camera-poses.ts) and
`timeline.frameRate` (src/timeline.ts) of github.com/playcanvas/supersplat (MIT); document.json is a
file inside a .ssproj archive. The viewer reads `animTracks` ("Experience Settings" on
developer.playcanvas.com), with times in frames and flat lists of numbers.

SuperSplat turns a loaded scene by 180 degrees around z, so that y points up
(`defaultOrientation` in src/asset-loader.ts); positions are turned back here. Its fields of view
are in degrees along the longer side of the image (src/camera.ts). It knows neither
roll nor easings: an exported camera is level.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from streamstgs.app.player.camera.files.path_checks import (
    checked_fov,
    checked_list,
    checked_numbers,
    checked_object,
    checked_order,
    checked_rate,
    keyframe_of_view,
)
from streamstgs.app.player.camera.keyframes import Array, CameraKeyframe, KeyframePath

TURN = np.array([-1.0, -1.0, 1.0])  # of the coordinates, its own inverse
UP = np.array([0.0, -1.0, 0.0])  # SuperSplat's y axis in the coordinates of a scene
DEFAULT_FPS, DEFAULT_FOV_DEG = 30.0, 60.0


def is_supersplat(data: dict[str, Any]) -> bool:
    """Whether a JSON object is a document or a settings file of SuperSplat."""
    return "poseSets" in data or "animTracks" in data


def read_supersplat(data: dict[str, Any], aspect: float) -> tuple[CameraKeyframe, ...]:
    """The first set of poses, or the first track.

    Args:
        data: The JSON object of the file.
        aspect: Width / height of a picture of the scene.

    Raises:
        CameraPathError: The file is malformed.
    """
    if "poseSets" in data:
        first = checked_object(checked_list(data["poseSets"], "poseSets")[0], "the first pose set")
        poses = [
            checked_object(pose, f"pose {number}")
            for number, pose in enumerate(checked_list(first.get("poses"), "poses"))
        ]
        timeline = checked_object(data.get("timeline", {}), "timeline")
        fps = checked_rate(timeline, "frameRate", DEFAULT_FPS, "of the timeline")
        default_fov = checked_object(data.get("camera", {}), "camera").get("fov", DEFAULT_FOV_DEG)
    else:
        track = checked_object(checked_list(data["animTracks"], "animTracks")[0], "the first track")
        fps = checked_rate(track, "frameRate", DEFAULT_FPS, "of the first track")
        poses, default_fov = _poses_of(track), DEFAULT_FOV_DEG
    keyframes = [
        _keyframe({"frame": number * fps, "fov": default_fov} | pose, number, fps, aspect)
        for number, pose in enumerate(poses)
    ]
    return checked_order(sorted(keyframes, key=lambda keyframe: keyframe.time_s))


def supersplat_json(path: KeyframePath, fps: float) -> dict[str, Any]:
    """A camera path as a JSON object for both the editor (`poseSets`) and the viewer."""
    poses = [
        {
            "name": f"camera_{number}",
            "frame": _frame(keyframe.time_s * fps),
            "position": (TURN * keyframe.position).tolist(),
            "target": (TURN * keyframe.target).tolist(),
            "fov": math.degrees(_long_side(keyframe.fov_y_rad, path.aspect)),
        }
        for number, keyframe in enumerate(path.keyframes)
    ]
    frames = math.floor(path.duration_s * fps) + 1
    values = {
        key: np.ravel([pose[key] for pose in poses]).tolist()
        for key in ("position", "target", "fov")
    }
    return {
        "poseSets": [{"name": "set0", "poses": poses}],
        "timeline": {"frames": frames, "frameRate": fps, "frame": 0, "smoothness": 1},
        "camera": {
            "position": poses[0]["position"],
            "target": poses[0]["target"],
            "fov": poses[0]["fov"],
            "startAnim": "animTrack",
            "animTrack": "cameraAnim",
        },
        "background": {"color": [0, 0, 0]},
        "animTracks": [
            {
                "name": "cameraAnim",
                "duration": frames / fps,
                "frameRate": fps,
                "target": "camera",
                "loopMode": "none",
                "interpolation": "spline",
                "smoothness": 1,
                "keyframes": {"times": [pose["frame"] for pose in poses], "values": values},
            }
        ],
    }


def _poses_of(track: dict[str, Any]) -> list[dict[str, Any]]:
    """The keyframes of a track of the viewer, one object each."""
    keyframes = checked_object(track.get("keyframes"), "`keyframes` of the first track")
    values = checked_object(keyframes.get("values"), "`values` of the first track")
    count = len(checked_list(keyframes.get("times"), "times"))
    where = "of the first track"
    times = checked_numbers(keyframes, "times", (count,), where)
    columns = {
        key: checked_numbers(values, key, (3 * count,), where).reshape(count, 3)
        for key in ("position", "target")
    }
    if "fov" in values:
        columns["fov"] = checked_numbers(values, "fov", (count,), where)
    return [
        {"frame": times[index], **{key: column[index] for key, column in columns.items()}}
        for index in range(count)
    ]


def _keyframe(pose: dict[str, Any], number: int, fps: float, aspect: float) -> CameraKeyframe:
    where = f"in pose {number}"
    position: Array = TURN * checked_numbers(pose, "position", (3,), where)
    target: Array = TURN * checked_numbers(pose, "target", (3,), where)
    fov = math.radians(float(checked_numbers(pose, "fov", (), where)))
    fov_y = _short_side(checked_fov(fov, "fov", where), aspect)
    time_s = float(checked_numbers(pose, "frame", (), where)) / fps
    return keyframe_of_view(time_s, position, target, UP, fov_y, "smooth", where)


def _short_side(fov_rad: float, aspect: float) -> float:
    """The vertical field of view, from that along the longer side."""
    return 2 * math.atan(math.tan(fov_rad / 2) / max(aspect, 1.0))


def _long_side(fov_y_rad: float, aspect: float) -> float:
    return 2 * math.atan(math.tan(fov_y_rad / 2) * max(aspect, 1.0))


def _frame(frame: float) -> float:
    """A frame number, whole where the keyframe lies on a frame."""
    return round(frame) if abs(frame - round(frame)) < 1e-6 else frame
