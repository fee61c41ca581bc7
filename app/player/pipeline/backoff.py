"""The pauses between attempts to reach a server that does not answer."""

from __future__ import annotations

import random
from collections.abc import Callable

JITTER = 0.3  # of a pause, added to it, so that many players do not ask a server all at once
LONGEST_FACTOR = 4  # of the first pause


class Backoff:
    """The pauses between attempts to reach a server during an outage.

    While a frame is missing they stay short at first; otherwise they double.

    Args:
        retry_s: The shortest pause.
        hurry_s: After so many seconds of short pauses they are long while a frame is missing, too.
        random_share: Uniform in 0..1, for jitter.

    Attributes:
        failures: Attempts in this outage.
        soon_s, later_s: The next pause while a frame is missing, and otherwise.
    """

    def __init__(
        self, retry_s: float, hurry_s: float, random_share: Callable[[], float] = random.random
    ) -> None:
        self._retry_s = retry_s
        self._hurry_s = hurry_s
        self._random_share = random_share
        self.failures = 0
        self._hurried_s = 0.0
        self.soon_s = self.later_s = 0.0

    def failed(self) -> None:
        """Lengthen the pauses, because the server did not answer."""
        self.failures += 1
        jitter = 1.0 + JITTER * self._random_share()
        factor = min(2 ** min(self.failures - 1, LONGEST_FACTOR), LONGEST_FACTOR)
        self.later_s = self._retry_s * factor * jitter
        hurries = self._hurried_s < self._hurry_s
        self.soon_s = self._retry_s * jitter if hurries else self.later_s
        self._hurried_s += self.soon_s

    def over(self) -> None:
        """Start again with the shortest pause, because the server answered."""
        self.failures, self._hurried_s = 0, 0.0
