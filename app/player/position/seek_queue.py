"""The queue of seeks: the newest request replaces the one that waits."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto


class SeekKind(Enum):
    """Where a seek comes from."""

    JUMP = auto()  # one place
    DRAG = auto()  # the timeline is being dragged: another seek follows soon
    STEP = auto()  # a frame step, repeated while a key is held


@dataclass(frozen=True)
class Seek:
    """A request to go to a content time.

    Args:
        position_s: Content time; clamped to the scene when the seek is executed.
        kind: Where it comes from.
        serial: Number of the seek. Frames of older serials are not shown after it.
    """

    position_s: float
    kind: SeekKind
    serial: int


class SeekQueue:
    """Holds at most one seek that waits, and numbers seeks. Belongs to the owner of the position.

    The moves of a drag are one seek, and so are steps that follow each other: they share a serial.
    With a serial for each, a frame that is slow to fetch or to render would never be shown while
    the position moves on.
    """

    def __init__(self, position_s: float = 0.0) -> None:
        self.serial = 0
        self._series = SeekKind.JUMP  # kind of the newest seek
        self._waiting: Seek | None = Seek(position_s, SeekKind.JUMP, 0)

    @property
    def waiting(self) -> Seek | None:
        """The newest request, until `take` hands it over."""
        return self._waiting

    @property
    def dragging(self) -> bool:
        """Whether the newest seek is a move of a drag that goes on."""
        return self._series is SeekKind.DRAG

    def request(self, position_s: float, kind: SeekKind) -> Seek:
        """Replace the waiting seek by this one."""
        continues = kind is not SeekKind.JUMP and kind is self._series
        self.serial += not continues
        self._series = kind
        self._waiting = Seek(position_s, kind, self.serial)
        return self._waiting

    def end_steps(self) -> None:
        """Make the next step a seek of its own."""
        if self._series is SeekKind.STEP:
            self._series = SeekKind.JUMP

    def take(self) -> Seek | None:
        """The waiting seek, to be executed now; None if no seek waits."""
        taken, self._waiting = self._waiting, None
        return taken
