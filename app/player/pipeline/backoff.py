"""How long a server that is out of reach is left alone before it is asked again."""

from __future__ import annotations

import random
from collections.abc import Callable

JITTER = 0.3  # of a pause, on top of it, so that many players do not ask all at once
LONGEST = 4  # times the first pause


class Backoff:
    """The pauses of one outage after the other.

    While somebody waits for a picture they stay short, at first; else they double.

    Args:
        retry_s: the shortest one.
        hurry_s: after so many seconds of short ones they are long for those who wait, too.
        chance: uniform in 0..1, for jitter.
    """

    def __init__(
        self, retry_s: float, hurry_s: float, chance: Callable[[], float] = random.random
    ) -> None:
        self._retry_s = retry_s
        self._hurry_s = hurry_s
        self._chance = chance
        self.failures = 0  # in a row
        self._hurried_s = 0.0
        self.soon_s = self.later_s = 0.0

    def failed(self) -> None:
        """The server did not answer: `soon_s` is the pause where somebody waits for a picture,
        `later_s` the one where nobody does."""
        self.failures += 1
        jitter = 1.0 + JITTER * self._chance()
        self.later_s = self._retry_s * min(2 ** min(self.failures - 1, LONGEST), LONGEST) * jitter
        hurries = self._hurried_s < self._hurry_s
        self.soon_s = self._retry_s * jitter if hurries else self.later_s
        self._hurried_s += self.soon_s

    def over(self) -> None:
        """It answered."""
        self.failures, self._hurried_s = 0, 0.0
