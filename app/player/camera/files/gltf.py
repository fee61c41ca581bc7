"""Camera paths as glTF 2.0, for Blender and other 3D programs.

A glTF camera looks along -z of its node with y up, and the world has y up; a parent node turns the
scene's axes to that. Translation and rotation are sampled at each frame. The field of view is the
camera's own where it does not change; else it is animated through KHR_animation_pointer (ratified
by Khronos), and programs without that extension show the field of view of the first frame.
"""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
from streamstgs.app.player.camera.files.path_checks import axes_of, checked_frame_count
from streamstgs.app.player.camera.framing import Vector
from streamstgs.app.player.camera.keyframes import Array, KeyframePath
from streamstgs.renderer.rotations import quaternion_of

FLOAT = 5126  # componentType of glTF
NEAR = 0.01
POINTER = "KHR_animation_pointer"
SAME_FOV_RAD = 1e-6


def gltf_json(path: KeyframePath, fps: float, up: Vector) -> dict[str, Any]:
    """A camera path as the JSON object of a .gltf file with its data inside.

    Args:
        path: The camera path.
        fps: Samples per second.
        up: The up direction of the scene.
    """
    count = checked_frame_count(path.duration_s, fps)
    times = np.arange(count) / fps
    keyframes = [path.keyframe_at(time_s) for time_s in times]
    fovs = np.array([keyframe.fov_y_rad for keyframe in keyframes])
    buffer = _Buffer()
    time = buffer.add(times, "SCALAR", bounds=True)
    tracks = {
        "translation": buffer.add(np.array([k.position for k in keyframes]), "VEC3"),
        "rotation": buffer.add(_short_turns([_quaternion(axes_of(k)) for k in keyframes]), "VEC4"),
    }
    targets: list[dict[str, Any]] = [{"node": 1, "path": name} for name in tracks]
    outputs = list(tracks.values())
    document: dict[str, Any] = {"asset": {"version": "2.0", "generator": "StreamSTGS"}}
    if np.ptp(fovs) > SAME_FOV_RAD:
        pointer = {"pointer": "/cameras/0/perspective/yfov"}
        targets.append({"path": "pointer", "extensions": {POINTER: pointer}})
        outputs.append(buffer.add(fovs, "SCALAR"))
        document["extensionsUsed"] = [POINTER]
    lens = {"yfov": float(fovs[0]), "aspectRatio": path.aspect, "znear": NEAR}
    return document | {
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [
            {"name": "Scene axes", "children": [1], "rotation": _upright(up)},
            {"name": "Camera", "camera": 0},
        ],
        "cameras": [{"type": "perspective", "perspective": lens}],
        "animations": [
            {
                "name": "Camera path",
                "samplers": [{"input": time, "output": output} for output in outputs],
                "channels": [
                    {"sampler": number, "target": target} for number, target in enumerate(targets)
                ],
            }
        ],
        **buffer.document(),
    }


class _Buffer:
    """Collects arrays as accessors of one buffer."""

    def __init__(self) -> None:
        self._bytes = b""
        self._accessors: list[dict[str, Any]] = []
        self._views: list[dict[str, Any]] = []

    def add(self, values: Array, kind: str, bounds: bool = False) -> int:
        """Append an array, and return the index of its accessor."""
        data = np.ascontiguousarray(values, dtype="<f4")
        index = len(self._accessors)
        accessor = {"bufferView": index, "componentType": FLOAT, "count": len(data), "type": kind}
        if bounds:
            accessor |= {"min": [float(data.min())], "max": [float(data.max())]}
        self._accessors.append(accessor)
        view = {"buffer": 0, "byteOffset": len(self._bytes), "byteLength": data.nbytes}
        self._views.append(view)
        self._bytes += data.tobytes()
        return index

    def document(self) -> dict[str, Any]:
        """The parts of a glTF document that hold the data."""
        uri = "data:application/octet-stream;base64," + base64.b64encode(self._bytes).decode()
        return {
            "accessors": self._accessors,
            "bufferViews": self._views,
            "buffers": [{"byteLength": len(self._bytes), "uri": uri}],
        }


def _quaternion(axes: Array) -> Array:
    """(x, y, z, w) rotation of a camera node with right, down and forward in the rows of `axes`."""
    matrix = np.stack([axes[0], -axes[1], -axes[2]], axis=1)  # columns: x right, y up, z back
    return np.roll(quaternion_of(matrix), -1)


def _short_turns(quaternions: list[Array]) -> Array:
    """[N, 4] quaternions with signs such that each is near the one before."""
    turned = np.array(quaternions)
    for number in range(1, len(turned)):
        if turned[number] @ turned[number - 1] < 0.0:
            turned[number] *= -1.0
    return turned


def _upright(up: Vector) -> list[float]:
    """(x, y, z, w) rotation that turns the scene's up direction to +y."""
    unit = np.array(up) / np.linalg.norm(up)
    if unit[1] < -1.0 + 1e-9:
        return [1.0, 0.0, 0.0, 0.0]  # half a turn around x
    axis = np.cross(unit, [0.0, 1.0, 0.0])
    quaternion = np.array([*axis, 1.0 + unit[1]])
    rotation: list[float] = (quaternion / np.linalg.norm(quaternion)).tolist()
    return rotation
