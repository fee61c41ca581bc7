"""Which picture of a video shows which frame of the capture, by its time stamp."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from streamstgs.trainer.errors import CaptureError

log = logging.getLogger("streamstgs.trainer")
SAME_RATE = 0.01  # relative difference of frame rates that are the same, as 23.976 and 24
SAME_CLOCK = 0.002  # of a declared rate and that of the videos; 23.976 and 24 differ by 0.001
DRIFT_MAX = 0.5  # frames that a camera may run ahead of the others until the end
OFF_GRID = 0.35  # of a picture's duration that a time stamp may be off


@dataclass(frozen=True)
class PictureTimes:
    """When the pictures of a video are shown.

    Args:
        camera, file: for messages.
        pts: [n] time stamps in their own unit, ascending.
        seconds: [n] the same in seconds.
    """

    camera: str
    file: str
    pts: tuple[int, ...]
    seconds: tuple[float, ...]

    @property
    def period_s(self) -> float:
        """Duration of a picture, seconds: the usual one, whatever is missing. 0 for one picture."""
        if len(self.seconds) < 2:
            return 0.0
        places = self._places()
        return (self.seconds[-1] - self.seconds[0]) / int(places[-1])

    @property
    def fps(self) -> float:
        """Pictures per second; 0 where there is one picture only."""
        period = self.period_s
        return 1 / period if period else 0.0

    def _places(self) -> np.ndarray:
        """[n] how many pictures after the first one each is, missing ones counted."""
        steps = np.diff(np.asarray(self.seconds))
        usual = float(np.median(steps))
        if usual <= 0:
            raise self._error("has pictures without different time stamps")
        return np.concatenate([[0], np.rint(steps / usual).cumsum()]).astype(np.int64)

    def placed(self, fps: float, count: int, start_s: float) -> tuple[int, ...]:
        """Time stamps of the capture's frames 0 to count - 1.

        A video of twice or three times the capture's rate gives every second or third picture.

        Args:
            fps: of the capture.
            start_s: time of frame 0 in the video's own seconds.

        Raises CaptureError: a frame has no picture, two pictures share a frame, or the rates of
        video and capture do not fit; names the camera and the frame.
        """
        if len(self.seconds) < 2:
            if count > 1 or not self.seconds:
                raise self._error(f"has {len(self.seconds)} frames, {count} are needed")
            return self.pts[:1]
        step, period = self._step(fps), self.period_s
        self._check_grid(period)
        late = round((self.seconds[0] - start_s) / period)
        places = (self._places() + late).tolist()
        by_place = dict(zip(places, self.pts, strict=True))
        if len(by_place) < len(places):
            twice = next(a for a, b in pairwise(places) if a == b)
            raise self._error(f"has two pictures at the time of frame {twice // step}")
        found = []
        for frame in range(count):
            if frame * step not in by_place:
                raise self._error(self._missing(frame, count, late, step, places[-1]))
            found.append(by_place[frame * step])
        return tuple(found)

    def frame_s(self, fps: float) -> float:
        """How long a frame of the capture lasts by the clock of this video, seconds."""
        return self.period_s * self._step(fps)

    def length(self, fps: float) -> int:
        """Frames of the capture that the video reaches to, from its own first picture."""
        if len(self.seconds) < 2:
            return len(self.seconds)
        return int(self._places()[-1]) // self._step(fps) + 1

    def _step(self, fps: float) -> int:
        ratio = self.fps / fps
        step = max(1, round(ratio))
        if abs(ratio / step - 1) > SAME_RATE:
            raise self._error(
                f"has {self.fps:.4g} pictures per second, the capture {fps:.4g}; "
                "a video must have the rate of the capture or a multiple of it"
            )
        return step

    def _check_grid(self, period: float) -> None:
        seconds = np.asarray(self.seconds)
        off = np.abs((seconds - seconds[0]) / period - self._places())
        worst = int(off.argmax())
        if off[worst] > OFF_GRID:
            raise self._error(
                f"has no constant frame rate: picture {worst} is at {seconds[worst]:.3f} s, "
                f"{off[worst]:.2f} pictures from its place"
            )

    def _missing(self, frame: int, count: int, late: int, step: int, last: int) -> str:
        if frame * step < late:
            return (
                f"has no picture for frame {frame}: it starts {late / step:.4g} frames after the "
                "other cameras (--capture.ignore-start takes the first picture as frame 0)"
            )
        if frame * step > last:
            return f"has {last // step + 1} frames, {count} are needed"
        return f"has no picture for frame {frame}; the time stamps leave it out"

    def _error(self, problem: str) -> CaptureError:
        return CaptureError(f"camera {self.camera}: {self.file} {problem}")


def check_clocks(videos: Sequence[PictureTimes], fps: float, frames: int) -> None:
    """Frame i of all cameras must be one moment until the end, not only at the start.

    Args:
        fps, frames: of the capture.

    Raises CaptureError, naming the camera, where a video runs ahead of the others or falls behind.
    """
    timed = [video for video in videos if len(video.seconds) > 1]
    lasting_s = [video.frame_s(fps) for video in timed]
    usual_s = float(np.median(lasting_s)) if timed else 0.0
    for video, frame_s in zip(timed, lasting_s, strict=True):
        drift = (frames - 1) * (frame_s / usual_s - 1)
        if abs(drift) > DRIFT_MAX:
            raise CaptureError(
                f"camera {video.camera}: {video.file} has {1 / frame_s:.6g} frames per second, "
                f"other cameras {1 / usual_s:.6g}: at frame {frames - 1} it is {abs(drift):.1f} "
                "frames off; give all videos one rate"
            )
    if timed and abs(fps * usual_s - 1) > SAME_CLOCK:
        log.warning(
            "the videos have %.4g frames per second, the capture is played at %.4g",
            1 / usual_s, fps,
        )  # fmt: skip


def common_rate(videos: Sequence[PictureTimes]) -> float:
    """Pictures per second of most videos."""
    rates = [round(v.fps, 2) for v in videos]
    usual = max(set(rates), key=rates.count)
    return next(v.fps for v, rate in zip(videos, rates, strict=True) if rate == usual)


def common_start_s(videos: Sequence[PictureTimes]) -> float:
    """Time of the earliest first picture, seconds: that of frame 0 of the capture."""
    return min((v.seconds[0] for v in videos if v.seconds), default=0.0)
