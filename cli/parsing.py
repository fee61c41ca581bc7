"""What arguments mean: sizes, qualities, frames of a scene."""

from __future__ import annotations

from collections.abc import Sequence


class UsageError(ValueError):
    """The command line does not make sense; the message says why."""


def parse_qps(text: str) -> list[int]:
    """`16,24` -> [16, 24]; `all` -> an empty list, which stands for all qualities.

    Raises:
        UsageError: the text is neither.
    """
    parts = [] if text.strip().lower() == "all" else text.split(",")
    if not all(part.strip().isdecimal() for part in parts):
        raise UsageError(f"{text!r} names no qualities; write quantisers such as 16,24, or all")
    return [int(part) for part in parts]


def parse_size(text: str) -> tuple[int, int]:
    """`1280x720` -> (1280, 720) px.

    Raises:
        UsageError: the text is no size.
    """
    width, _, height = text.lower().partition("x")
    if not (width.isdecimal() and height.isdecimal()):
        raise UsageError(f"{text!r} is no size; write WIDTHxHEIGHT, such as 1280x720")
    return int(width), int(height)


def parse_box(text: str) -> tuple[float, float, float, float, float, float]:
    """`-1,-1,-1,1,1,1` -> two corners of a box.

    Raises:
        UsageError: the text is no box.
    """
    try:
        x0, y0, z0, x1, y1, z1 = (float(part) for part in text.split(","))
    except ValueError:
        raise UsageError(f"{text!r} is no box; write X0,Y0,Z0,X1,Y1,Z1") from None
    return x0, y0, z0, x1, y1, z1


def parse_frame_choice(location: str, frames: str | None, qp: int | None) -> Sequence[int] | None:
    """The content frames that `start:stop:step` means in a scene; None for all of them.

    Raises:
        UsageError: the scene has no quality with this quantiser.
    """
    if frames is None and qp is None:
        return None
    from streamstgs.app.player.export.render import parse_frames
    from streamstgs.codec.errors import UnknownQuality
    from streamstgs.codec.formats.registry import open_reader
    from streamstgs.codec.quality import quality_with_qp

    with open_reader(location) as scene:
        if qp is not None:
            try:
                quality_with_qp(scene.qualities, qp)
            except UnknownQuality as error:
                raise UsageError(str(error)) from None
        return None if frames is None else parse_frames(frames, scene.info.frame_count)
