"""The file of a saved picture: its name, and its formats."""

from __future__ import annotations

import re
from pathlib import Path

from PySide6.QtGui import QImage
from streamstgs.app.ui.transport.timecode import format_time
from streamstgs.codec.errors import WriteError
from streamstgs.codec.output import output_file

FORMATS = {"PNG": "png", "JPEG": "jpg", "WebP": "webp", "OpenEXR": "exr"}
JPEG_QUALITY = 95
_NAME_CHARACTERS_MAX = 80
_UNSAFE = re.compile(r'[\s\x00-\x1f\x7f<>:"/\\|?*]+')  # on any file system


def picture_filter() -> str:
    """The file types of the dialog that saves a picture."""
    return ";;".join(f"{name} (*.{suffix})" for name, suffix in FORMATS.items())


def picture_name(title: str, position_s: float) -> str:
    """A file name from the title of a scene, which is untrusted, and a content time."""
    time = format_time(position_s).replace(":", "-")
    safe = _UNSAFE.sub(" ", title).strip(" .")[:_NAME_CHARACTERS_MAX].strip()
    return f"{safe or 'scene'} {time}.png"


def write_picture(path: str, image: QImage) -> None:
    """Write an image in the format that the name ends in, whole or not at all.

    OpenEXR gets linear colours, as `app.player.export.writers.image_writer.exr_bytes` says.

    Raises:
        WriteError: The folder cannot be written to, or the format is none of `FORMATS`.
    """
    suffix = Path(path).suffix.lower().removeprefix(".")
    if suffix not in {*FORMATS.values(), "jpeg"}:
        raise WriteError(f"{path} ends in none of .{', .'.join(FORMATS.values())}")
    with output_file(path) as partial:
        if suffix == "exr":
            Path(partial).write_bytes(_exr(image))
        elif not image.save(str(partial), quality=JPEG_QUALITY if suffix != "png" else -1):
            raise WriteError(f"{path} cannot be written in this format")


def _exr(image: QImage) -> bytes:
    import numpy as np
    from streamstgs.app.player.export.writers.image_writer import exr_bytes

    rgba = image.convertToFormat(QImage.Format.Format_RGBA8888)
    rows = np.frombuffer(rgba.constBits(), np.uint8).reshape(rgba.height(), -1)
    pixels = rows[:, : 4 * rgba.width()].reshape(rgba.height(), rgba.width(), 4)
    return exr_bytes(pixels.astype(np.float32) / 255.0)
