"""Pictures of a capture's cameras, read in a thread of their own."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
from streamstgs.app.player.compare.two_sides import TruePicture
from streamstgs.app.player.errors import PlayerError
from streamstgs.app.player.status import PlaybackFrame
from streamstgs.codec.errors import CodecError
from streamstgs.renderer import Camera
from torch import Tensor

log = logging.getLogger(__name__)
CLOSE_TIMEOUT_S = 5.0


class GroundTruth(Protocol):
    """The cameras of a capture and what they recorded. `picture` belongs to one thread."""

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the cameras, at least one."""
        ...

    def camera(self, name: str) -> Camera:
        """The camera, with the size of its pictures."""
        ...

    def picture(self, name: str, frame: int) -> Tensor:
        """[H, W, 3] uint8 picture of a content frame; may take a moment.

        Raises:
            PlayerError, CodecError, OSError: It cannot be read; the message says why.
        """
        ...


@dataclass(frozen=True, eq=False)
class FramedPicture:
    """A content frame with what a camera recorded at that time."""

    frame: PlaybackFrame
    name: str
    rgb8: Tensor


class TruthReader:
    """Reads the newest picture that is asked for, and never queues an older one.

    Args:
        truth: The capture.
        on_error: Called in the thread with a message for a person.
    """

    def __init__(self, truth: GroundTruth, on_error: Callable[[str], None]) -> None:
        self.truth, self._on_error = truth, on_error
        self._changed = threading.Condition()  # guards everything below
        self._wanted: tuple[PlaybackFrame, str] | None = None
        self._newest: FramedPicture | None = None
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="capture-pictures", daemon=True)
        self._thread.start()

    def ask(self, frame: PlaybackFrame, name: str) -> FramedPicture | None:
        """The newest picture that was read; the picture of this frame is read next."""
        with self._changed:
            newest = self._newest
            known = newest is not None and newest.frame.index == frame.index
            if not (known and newest is not None and newest.name == name):
                self._wanted = (frame, name)
                self._changed.notify_all()
            return newest if newest is not None and newest.name == name else None

    def close(self) -> None:
        """End the thread, and wait for it."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._thread.join(CLOSE_TIMEOUT_S)

    def _run(self) -> None:
        """The thread boundary: an error ends the comparison, not the player."""
        try:
            while (wanted := self._next()) is not None:
                frame, name = wanted
                picture = FramedPicture(frame, name, self.truth.picture(name, frame.index))
                with self._changed:
                    self._newest = picture
        except (PlayerError, CodecError, OSError, ValueError) as error:
            self._on_error(str(error))
        except Exception as error:
            log.exception("pictures of a capture")
            self._on_error(str(error))

    def _next(self) -> tuple[PlaybackFrame, str] | None:
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._wanted is not None)
            taken, self._wanted = self._wanted, None
            return None if self._closed else taken


def fitted(camera: Camera, width: int, height: int) -> tuple[Camera, tuple[int, int, int, int]]:
    """A capture's camera that fills a width x height px image as far as its shape allows.

    Returns:
        The camera, and (left, top, width, height) px of its picture in the image.
    """
    scale = min(width / camera.width, height / camera.height)
    wide, high = (max(round(side * scale), 1) for side in (camera.width, camera.height))
    left, top = (width - wide) // 2, (height - high) // 2
    K = camera.resized(wide, high).K.clone()
    K[0, 2] += left
    K[1, 2] += top
    return Camera(camera.viewmat, K, width, height), (left, top, wide, high)


def resized(rgb8: Tensor, width: int, height: int) -> Tensor:
    """A [H, W, 3] uint8 picture at another size, filtered against aliasing."""
    if rgb8.shape[:2] == (height, width):
        return rgb8
    planes = rgb8.permute(2, 0, 1)[None].float()
    small = torch.nn.functional.interpolate(
        planes, (height, width), mode="bilinear", antialias=True, align_corners=False
    )
    return small[0].permute(1, 2, 0).round().clamp(0, 255).to(torch.uint8).contiguous()


def shown_picture(rgb8: Tensor, place: tuple[int, int, int, int]) -> TruePicture:
    """A picture at its place in an image, as of `fitted`."""
    left, top, width, height = place
    return TruePicture(resized(rgb8, width, height), left, top)
