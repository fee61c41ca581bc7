"""Captures as the player sees them: cameras and recorded pictures to compare a scene with."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from streamstgs.app.player.errors import PlayerError
from streamstgs.renderer import Camera
from streamstgs.trainer.datasets import Capture, open_capture
from streamstgs.trainer.errors import CaptureError

BLOCK = 8  # frames that are read at once: videos are decoded from their start


class CaptureTruth:
    """Implements `app.player.compare.ground_truth.GroundTruth`. Pictures belong to one thread.

    Args:
        capture: Its cameras; those that training did not see come first.
    """

    def __init__(self, capture: Capture) -> None:
        views = (*capture.split("test"), *capture.split("train"))
        self._views = {view.name: view for view in views}
        self._frames = capture.frames
        self._block: tuple[str, int, Tensor] | None = None  # camera, first frame, pictures

    @staticmethod
    def open(folder: Path) -> CaptureTruth:
        """The capture in a folder. Raises CaptureError."""
        return CaptureTruth(open_capture(folder))

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the cameras."""
        return tuple(self._views)

    def camera(self, name: str) -> Camera:
        """The camera, with the size of its pictures. Raises KeyError."""
        return self._views[name].camera

    def picture(self, name: str, frame: int) -> Tensor:
        """[H, W, 3] uint8 picture of a frame; the last one beyond the end of the capture."""
        frame = min(frame, self._frames - 1)
        first = frame - frame % BLOCK
        if self._block is None or self._block[:2] != (name, first):
            self._block = None  # two blocks need not fit into memory
            frames = range(first, min(first + BLOCK, self._frames))
            try:
                read = self._views[name].reader.read(frames)
            except CaptureError as error:
                raise PlayerError(str(error)) from error
            self._block = (name, first, torch.from_numpy(read))
        return self._block[2][frame - first]
