"""A video of a capture: its time stamps, and its pictures upright and in sRGB.

What a file declares of orientation or colour is applied, or refused by name. What it does not
declare is taken from the settings of the capture.
"""

from __future__ import annotations

import logging
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.stream import Disposition
from av.video.reformatter import Colorspace
from streamstgs.trainer.datasets.color_codes import UNSPECIFIED, other_colors
from streamstgs.trainer.datasets.files import short
from streamstgs.trainer.datasets.timing import PictureTimes
from streamstgs.trainer.errors import CaptureError

log = logging.getLogger("streamstgs.trainer")
MATRICES = {1: Colorspace.ITU709, 5: Colorspace.ITU601, 6: Colorspace.ITU601}
MATRICES |= {7: Colorspace.SMPTE240M}
UNTAGGED = {"bt601": Colorspace.ITU601, "bt709": Colorspace.ITU709}
DOLBY_VISION = {"dvhe", "dvh1", "dva1", "dvav", "dav1"}  # kinds of sample entries in MP4
FIXED_ONE = 1 << 16  # 1.0 in a display matrix


@dataclass(frozen=True)
class VideoFile:
    """How to decode the video of one camera.

    Args:
        camera: its name, for messages.
        untagged_matrix: colour matrix of a video that names none, "bt601" or "bt709".
    """

    camera: str
    path: Path
    untagged_matrix: str = "bt601"

    @contextmanager
    def opened(self) -> Iterator[av.container.InputContainer]:
        """The container, which holds a video. Raises CaptureError, naming the camera."""
        try:
            with av.open(str(self.path)) as container:
                if not container.streams.video:
                    raise self.error("holds no video")
                if len(_recordings(container)) > 1:
                    raise self.error("holds more than one video; keep that of the camera")
                if container.streams.video[0].codec_context is None:
                    raise self.error("is of a codec that cannot be decoded here")
                self._check_metadata(container.streams.video[0])
                yield container
        except CaptureError:
            raise
        except (OSError, ValueError, av.FFmpegError) as error:  # ValueError: names that are no text
            raise self.error(f"cannot be decoded: {short(error)}") from error

    def times(self, fps: float | None) -> PictureTimes:
        """Time stamps of all pictures, from the packets; nothing is decoded.

        Args:
            fps: frame rate of a bare stream, which has no time stamps and names no rate of its own.
        """
        with self.opened() as container:
            base = float(container.streams.video[0].time_base or 0)
            packets = [p for p in container.demux(video=0) if p.size and not p.is_discard]
        stamps = [p.pts for p in packets]
        if stamps and (None in stamps or not base):
            if fps is None:
                raise self.error("has no time stamps; put it into a container such as MP4")
            log.warning(
                "camera %s: %s has no time stamps; its pictures are taken to follow each other "
                "at %g per second", self.camera, self.path.name, fps,
            )  # fmt: skip
            return self._times(tuple(range(len(stamps))), 1 / fps)
        return self._times(tuple(sorted(s for s in stamps if s is not None)), base)

    def _times(self, pts: tuple[int, ...], unit_s: float) -> PictureTimes:
        return PictureTimes(self.camera, self.path.name, pts, tuple(p * unit_s for p in pts))

    def first_size(self) -> tuple[int, int]:
        """(width, height) of its pictures as they are shown, px; decodes the first one."""
        with self.opened() as container:
            for picture in container.decode(video=0):
                height, width = self.pixels(picture).shape[:2]
                return width, height
        raise self.error("holds no picture")

    def says_matrix(self) -> bool:
        """False where the video leaves its colour matrix open."""
        with self.opened() as container:
            codec = container.streams.video[0].codec_context
            return "rgb" in str(codec.pix_fmt) or codec.colorspace != UNSPECIFIED

    def pixels(self, picture: av.VideoFrame) -> np.ndarray:
        """[H, W, 3] uint8 sRGB of a decoded picture, the way up that it is shown."""
        if picture.interlaced_frame:
            raise self.error("is interlaced: each picture shows two moments; deinterlace it")
        has_alpha = any(c.is_alpha for c in picture.format.components)
        matrix = self._matrix(picture)
        shown = picture.reformat(format="rgba" if has_alpha else "rgb24", src_colorspace=matrix)
        pixels = shown.to_ndarray()
        if has_alpha and (pixels[..., 3] != 255).any():
            raise self.error("is transparent; draw it over a background")
        return self._upright(picture, pixels[..., :3])

    def _matrix(self, picture: av.VideoFrame) -> Colorspace | None:
        """The matrix from YUV to RGB; None for RGB. Refuses other colours than those of sRGB."""
        problem = other_colors(int(picture.color_trc), int(picture.color_primaries))
        if problem is not None:
            raise self.error(problem)
        space = int(picture.colorspace)
        if picture.format.is_rgb or picture.format.name.startswith("gray"):
            return None
        if space == UNSPECIFIED:
            return UNTAGGED[self.untagged_matrix]
        if space not in MATRICES:
            raise self.error(f"has colour matrix {space} of H.273; convert it to BT.709")
        return MATRICES[space]

    def _upright(self, picture: av.VideoFrame, pixels: np.ndarray) -> np.ndarray:
        """Turned and mirrored as the display matrix says."""
        a, b, c, d = self._display_matrix(picture)
        if (abs(a), b, c, abs(d)) == (1, 0, 0, 1):
            return pixels[:: int(d), :: int(a)]
        if (a, abs(b), abs(c), d) == (0, 1, 1, 0):
            return pixels.swapaxes(0, 1)[:: int(b), :: int(c)]
        raise self.error(f"is to be shown turned by {-picture.rotation} degrees; turn its pictures")

    def _display_matrix(self, picture: av.VideoFrame) -> tuple[float, float, float, float]:
        """a, b, c, d of x' = a x + c y, y' = b x + d y; those of no turn where there is none."""
        found: Any = picture.side_data  # its type stub says a mapping, it is a sequence
        for index in range(len(found)):
            data = found[index]
            if data.type.name == "DISPLAYMATRIX":
                a, b, _, c, d = struct.unpack("<5i", bytes(data)[:20])
                return a / FIXED_ONE, b / FIXED_ONE, c / FIXED_ONE, d / FIXED_ONE
        return 1.0, 0.0, 0.0, 1.0

    def _check_metadata(self, stream: av.VideoStream) -> None:
        metadata = {key.lower(): value for key, value in stream.metadata.items()}
        if metadata.get("alpha_mode") == "1":  # WebM: a second stream that is not decoded
            raise self.error("is transparent (alpha_mode 1); draw it over a background")
        if stream.codec_context.codec_tag.lower() in DOLBY_VISION:
            raise self.error("is Dolby Vision, whose colours need its metadata; convert it to sRGB")

    def error(self, problem: str) -> CaptureError:
        """An error that names camera and file."""
        return CaptureError(f"camera {self.camera}: {self.path.name} {problem}")


def _recordings(container: av.container.InputContainer) -> list[av.VideoStream]:
    """Streams that are recorded, not pictures of a cover, which some cameras add."""
    cover = Disposition.attached_pic
    return [s for s in container.streams.video if not s.disposition & cover]
