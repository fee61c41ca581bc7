"""How long the decoding of a part of a scene may take, by the size that it declares."""

from __future__ import annotations

import time
from collections.abc import Callable

from streamstgs.codec import limits
from streamstgs.codec.cancel import CancelToken
from streamstgs.codec.errors import CorruptSegment


class TimeBudget(CancelToken):
    """The token of a decode, whose time is limited.

    Decoders ask it between two images or frames. Each of those is bounded by its declared size, so
    a decode ends at most one image or frame after its time.

    Args:
        samples: numbers that the decode yields, such as pixels of all channels and frames.
        cancel: ends the decode before.
        monotonic: the clock, seconds.
    """

    def __init__(
        self, samples: int, cancel: CancelToken, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(cancel)
        self._monotonic = monotonic
        self.seconds = limits.DECODE_S + samples / limits.DECODE_SAMPLES_PER_S
        self._ends_s = monotonic() + self.seconds

    def raise_if_cancelled(self, action: str) -> None:
        """Raise Cancelled once the token is cancelled, CorruptSegment once the time is over.

        Args:
            action: what ends, for the message: "decoding a.planes".
        """
        super().raise_if_cancelled(action)
        if self._monotonic() > self._ends_s:
            raise CorruptSegment(f"Given up after {self.seconds:.0f} s: {action}.")
