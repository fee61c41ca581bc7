"""Small captures that tests write: four cameras on an arc, whose frames say which they are."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image
from streamstgs.trainer.datasets import CaptureConfig, check_capture, load_frames, open_capture
from streamstgs.trainer.errors import CaptureError

WIDTH, HEIGHT, FRAMES, CAMERAS, FPS = 32, 24, 6, 4, 24


def entry(number: int, **changes: Any) -> dict[str, Any]:
    """A camera on an arc that looks at the origin; x right, y down, z forward."""
    angle = 0.3 * (number - 1.5)
    cos, sin = np.cos(angle), np.sin(angle)
    viewmat = np.eye(4)
    viewmat[:3, :3] = [[cos, 0, sin], [0, 1, 0], [-sin, 0, cos]]
    viewmat[:3, 3] = (0, 0, 4 + 0.3 * number)
    K = [[30, 0, WIDTH / 2], [0, 30, HEIGHT / 2], [0, 0, 1]]
    split = "train" if number else "test"
    camera = {"id": number, "split": split, "w": WIDTH, "h": HEIGHT, "K": K}
    return {k: v for k, v in (camera | {"w2c": viewmat.tolist()} | changes).items() if v is not ...}


def picture(camera: int, frame: int) -> np.ndarray:
    """Grey says which frame; the top half is brighter, a stripe says which camera."""
    pixels = np.full((HEIGHT, WIDTH, 3), 15 * frame + 20, np.uint8)
    pixels[: HEIGHT // 2] += 40
    pixels[:, :4] = 50 * camera + 20
    return pixels


def write_video(
    path: Path,
    camera: int = 0,
    pts: list[int] | None = None,
    rate: int = FPS,
    size: tuple[int, int] = (WIDTH, HEIGHT),
    rotation: int | None = None,
    tags: dict[str, int] | None = None,
    pixel_format: str = "yuv420p",
    codec: str = "libx264",
) -> None:
    """A video whose picture k is frame k of `picture`, shown at pts[k] / rate seconds."""
    stamps = list(range(FRAMES)) if pts is None else pts
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate)
        stream.width, stream.height = size
        stream.pix_fmt = pixel_format
        stream.codec_context.options = {"qp": "4", "bf": "0"} if codec == "libx264" else {}
        for name, value in (tags or {}).items():
            setattr(stream.codec_context, name, value)
        if rotation is not None:
            stream.set_display_rotation(rotation)
        for frame, stamp in enumerate(stamps):
            pixels = picture(camera, frame)
            if size != (WIDTH, HEIGHT):
                pixels = np.ascontiguousarray(pixels.swapaxes(0, 1))
            shown = av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(format=pixel_format)
            shown.pts, shown.time_base = stamp, Fraction(1, rate)
            container.mux(stream.encode(shown))
        container.mux(stream.encode())


def write_cameras(
    folder: Path, entries: list[dict[str, Any]] | None = None, **changes: Any
) -> None:
    document = {"name": "plain", "fps": FPS, "frames": FRAMES} | changes
    document["cameras"] = entries or [entry(k) for k in range(CAMERAS)]
    (folder / "cameras.json").write_text(json.dumps(document))


def video_capture(folder: Path, **changes: Any) -> Path:
    """Writes a capture of videos; the named arguments go to the video of camera 2."""
    for camera in range(CAMERAS):
        write_video(folder / f"{camera}.mp4", camera, **(changes if camera == 2 else {}))
    write_cameras(folder)
    return folder


def image_capture(folder: Path, template: str = "{frame:06d}.png", **changes: Any) -> Path:
    """Writes a capture of images with names as `template` makes them of camera and frame."""
    for camera in range(CAMERAS):
        images = folder / "ims" / str(camera)
        images.mkdir(parents=True)
        for frame in range(FRAMES):
            name = template.format(camera=camera, frame=frame)
            Image.fromarray(picture(camera, frame)).save(images / name)
    write_cameras(folder, **changes)
    return folder


def opened(folder: Path, config: CaptureConfig | None = None) -> Any:
    capture = open_capture(folder, config or CaptureConfig())
    check_capture(capture)
    return capture


def shown_frames(folder: Path, camera: int = 2, config: CaptureConfig | None = None) -> list[int]:
    """Which frames of `picture` a camera shows as frames 0, 1, 2 ... of the capture."""
    capture = opened(folder, config)
    read = load_frames(capture.views[camera : camera + 1], range(capture.frames))[0]
    return [round((int(v) - 20) / 15) for v in read[:, -4, -4, 0]]


def refused(folder: Path, *words: str, config: CaptureConfig | None = None) -> None:
    with pytest.raises(CaptureError) as refusal:
        opened(folder, config)
    message = str(refusal.value)
    assert [word for word in words if word not in message] == [], message
    assert len(message) < 600
    assert "\n" not in message
