"""What is read of a capture, and how open questions of its files are answered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from streamstgs.renderer import Camera
from streamstgs.trainer.setting_checks import Count, FrameRate, check_ranges, require

OFFSET_MAX = 100_000
WANTED = "CAMERA=FRAMES with whole frames, such as cam03=2 or cam05=-1, once for a camera"


@dataclass(frozen=True)
class CaptureConfig:
    """What is read of a capture, and how open questions of its files are answered.

    Args:
        height_px: Pictures that are higher are reduced to this height, px, at their own aspect
            ratio; calibrations follow. None reads them as they are recorded; `evaluate` then
            reads them at the height of the training.
        frames: No more frames than this are read, from the first one. None reads all.
        first_frame: The capture begins at this frame. None begins at the first one.
        untagged_matrix: Colour matrix of videos that name none. FFmpeg writes such videos with
            BT.601 unless it is told otherwise; many cameras write BT.709.
        ignore_start: The first picture of each video is frame 0, whatever its time stamp. Otherwise
            a video that starts later than the others is refused.
        trust_poses: Cameras need not look at anything in common. Otherwise poses that seem to be
            inverted, or to have other axes, are refused.
        fps: Frames per second of captures whose files do not tell it: images without a frame rate.
            None takes 30, with a warning.
        held_out: These cameras are kept out of training, and no others. By default the files of
            the capture say which.
        offset: How many frames later a camera shows the same moment than the others, such as
            cam03=2 cam05=-1, in place of the `offset` of cameras.json; `streamstgs capture check`
            measures it.
    """

    height_px: Count | None = None
    frames: Count | None = None
    first_frame: Count | None = None
    untagged_matrix: Literal["bt601", "bt709"] = "bt601"
    ignore_start: bool = False
    trust_poses: bool = False
    fps: FrameRate | None = None
    held_out: tuple[str, ...] = ()
    offset: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_ranges(self, "capture")
        _ = self.offsets

    @property
    def offsets(self) -> dict[str, int]:
        """The offsets in frames by the camera's name. Raises SettingError."""
        found: dict[str, int] = {}
        for text in self.offset:
            camera, _, frames = text.rpartition("=")
            whole = frames.removeprefix("-").isdecimal() and abs(int(frames)) <= OFFSET_MAX
            known = camera in found
            require(bool(camera) and whole and not known, "capture.offset", repr(text), WANTED)
            found[camera] = int(frames)
        return found

    def applied(self, camera: Camera) -> Camera:
        """The camera of the pictures as they are read."""
        if self.height_px is None or camera.height <= self.height_px:
            return camera
        width = max(1, round(camera.width * self.height_px / camera.height))
        return camera.resized(width, self.height_px)
