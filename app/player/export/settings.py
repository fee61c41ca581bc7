"""Settings of an export as data: size, rate, length and format."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import msgspec
from streamstgs.app.player import arguments
from streamstgs.app.player.errors import OutputError
from streamstgs.app.player.rendering.view_settings import Look
from streamstgs.codec.output import check_output, check_output_directory

ExportFormat = Literal["h264", "hevc", "av1", "prores", "gif", "webp", "png", "exr"]
EXPORT_FORMATS: tuple[ExportFormat, ...] = get_args(ExportFormat)
SUFFIX_FORMATS: dict[str, ExportFormat] = {
    ".mp4": "h264", ".mov": "prores", ".gif": "gif", ".webp": "webp", ".png": "png", ".exr": "exr",
}  # fmt: skip
SUFFIXES: dict[ExportFormat, str] = {
    "h264": ".mp4", "hevc": ".mp4", "av1": ".mp4", "prores": ".mov",
    "gif": ".gif", "webp": ".webp", "png": ".png", "exr": ".exr",
}  # fmt: skip
IMAGE_FORMATS = ("png", "exr")
ALPHA_FORMATS = ("prores", "webp", "png", "exr")
EVEN_FORMATS = ("h264", "hevc", "av1", "prores")  # their colours have half the width or height
SIZE_PX_MAX = 8192
RENDERED_PX_MAX = 16384  # of a side, before supersampling is averaged
FRAMES_MAX = 1_000_000
FPS_MIN = 0.001
FRAME_NAME = "frame-{:06d}{}"
_NAMES = {"size[0]": "the width", "size[1]": "the height", "duration_s": "the duration in seconds"}


@dataclass(frozen=True)
class ExportSettings:
    """How a video is written, apart from what it shows. It can be stored as JSON.

    Args:
        size: (width, height) px, 1 to 8192 each; None for the size of the capture. Independent of
            any window.
        fps: Frames per second; None for those of the scene. Other rates show content times between
            its frames.
        duration_s: Length of the video in seconds; None for that of the time track, else of the
            camera path, else of the scene.
        supersampling: Each pixel is the mean of this number of pixels squared.
        format: "h264", "hevc" or "av1" (.mp4), "prores" (.mov), "gif" or "webp" (they loop), "png"
            or "exr" (a folder of images, or one image). None chooses by the name of the output.
        transparent: Whether the background is left out, for formats with alpha: prores, webp, png
            and exr.
        look: View mode, exposure, splat size, crop and background.
    """

    size: (
        tuple[
            Annotated[int, msgspec.Meta(ge=1, le=SIZE_PX_MAX)],
            Annotated[int, msgspec.Meta(ge=1, le=SIZE_PX_MAX)],
        ]
        | None
    ) = None
    fps: Annotated[float, msgspec.Meta(ge=FPS_MIN, le=240.0)] | None = None
    duration_s: Annotated[float, msgspec.Meta(gt=0.0, le=1e6)] | None = None
    supersampling: Annotated[int, msgspec.Meta(ge=1, le=8)] = 1
    format: ExportFormat | None = None
    transparent: bool = False
    look: Look = field(default_factory=Look)

    def to_json(self) -> str:
        """The settings as JSON."""
        return msgspec.json.encode(self).decode()

    @staticmethod
    def from_json(text: str | bytes) -> ExportSettings:
        """Settings of a text of `to_json`. Raises OutputError."""
        try:
            return msgspec.json.decode(text, type=ExportSettings)
        except (msgspec.MsgspecError, RecursionError) as error:
            raise OutputError(
                f"These are no export settings: {arguments.in_words(error, _NAMES)}."
            ) from error

    def checked(self) -> ExportSettings:
        """The same settings, if every value is in its range. Raises OutputError."""
        try:
            return msgspec.convert(msgspec.to_builtins(self), ExportSettings)
        except msgspec.ValidationError as error:
            raise OutputError(
                f"This cannot be exported: {arguments.in_words(error, _NAMES)}."
            ) from error


@dataclass(frozen=True)
class Target:
    """Where a video goes: a file, or a folder of images.

    Args:
        path: As it was given.
        format: Of the file or the images.
        kind: "video" for a moving file, "image" for one image, "sequence" for a folder.
    """

    path: Path
    format: ExportFormat
    kind: Literal["video", "image", "sequence"]

    @staticmethod
    def of(path: Path, format: ExportFormat | None = None, transparent: bool = False) -> Target:
        """The target of an export, if it can be written.

        Raises:
            OutputError: The name of the file, the format and the transparency do not go together.
            WriteError: The target must not be replaced, or there is no permission.
        """
        suffix = path.suffix.lower()
        chosen = format or SUFFIX_FORMATS.get(suffix)
        if chosen is None or (suffix in SUFFIX_FORMATS and path.is_dir()):
            known = ", ".join(list(SUFFIX_FORMATS)[:-1])
            raise OutputError(
                f"{path} should be a file that ends in {known} or .exr, or a folder with the "
                "format png or exr."
            )
        if transparent and chosen not in ALPHA_FORMATS:
            raise OutputError(
                f"{chosen} has no transparency; choose one of {', '.join(ALPHA_FORMATS)}."
            )
        if suffix == SUFFIXES[chosen]:
            check_output(path)
            return Target(path, chosen, "image" if chosen in IMAGE_FORMATS else "video")
        if chosen in IMAGE_FORMATS and suffix not in SUFFIX_FORMATS:
            check_output_directory(path, is_sequence)
            return Target(path, chosen, "sequence")
        raise OutputError(f"{path} should end in {SUFFIXES[chosen]} for the format {chosen}.")

    @property
    def needs_floats(self) -> bool:
        """Whether the format holds more than 8 bits, so that images are rendered as floats."""
        return self.format == "exr"


def is_sequence(folder: Path) -> bool:
    """Whether a folder holds images of an export and nothing else, so that it may be replaced."""
    names = {FRAME_NAME.format(0, "")[:6]}
    return all(
        entry.is_file() and entry.name[:6] in names and entry.suffix in (".png", ".exr")
        for entry in folder.iterdir()
    )


def checked_size(size: tuple[int, int], even: bool) -> tuple[int, int]:
    """(width, height) in px; made even for videos, because their colours need it.

    Raises:
        ArgumentError: These are not two whole numbers.
        OutputError: A side is not 1 to 8192 px long.
    """
    width, height = arguments.size("a picture", size)
    if not (1 <= width <= SIZE_PX_MAX and 1 <= height <= SIZE_PX_MAX):
        raise OutputError(f"A picture of {width}x{height} is not 1 to {SIZE_PX_MAX} px a side.")
    return (width + width % 2, height + height % 2) if even else (width, height)


def settings_schema() -> dict[str, Any]:
    """The JSON schema of export settings."""
    return msgspec.json.schema(ExportSettings)
