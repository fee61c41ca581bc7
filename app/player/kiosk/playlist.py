"""The order of the scenes of a kiosk; scenes that failed are left out for a while."""

from __future__ import annotations

from collections.abc import Sequence

from streamstgs.app.player.kiosk.settings import KioskScene

SHORTEST_S = 30.0  # a scene without a time of its own is shown for no less
RETRY_S_MAX = 300.0  # a scene that fails again and again is tried once in this time


class Playlist:
    """A ring of scenes with a place.

    Args:
        scenes: At least one.
        retry_s: Seconds before a scene that failed is tried again; doubles with each failure.
    """

    def __init__(self, scenes: Sequence[KioskScene], retry_s: float) -> None:
        self._scenes = tuple(scenes)
        self._retry_s = retry_s
        self._failures = [0] * len(self._scenes)
        self._again_s = [0.0] * len(self._scenes)  # a scene is left out until then
        self.place = 0

    def __len__(self) -> int:
        return len(self._scenes)

    @property
    def scene(self) -> KioskScene:
        """The scene at the place."""
        return self._scenes[self.place]

    @property
    def has_others(self) -> bool:
        """Whether there is more than one scene."""
        return len(self._scenes) > 1

    def step(self, steps: int, now_s: float) -> KioskScene | None:
        """Go on to the next scene that may be tried, or back; None if none may (the place stays).

        Args:
            steps: 1 or -1. The scene at the place comes last.
        """
        count = len(self._scenes)
        for distance in range(1, count + 1):
            place = (self.place + steps * distance) % count
            if self._again_s[place] <= now_s:
                self.place = place
                return self.scene
        return None

    def failed(self, now_s: float) -> None:
        """Leave the scene at the place out for a while."""
        self._failures[self.place] += 1
        pause_s = self._retry_s * 2.0 ** min(self._failures[self.place] - 1, 10)
        self._again_s[self.place] = now_s + min(pause_s, max(RETRY_S_MAX, self._retry_s))

    def succeeded(self) -> None:
        """Forget the failures of the scene at the place."""
        self._failures[self.place] = 0
        self._again_s[self.place] = 0.0

    def next_try_s(self) -> float:
        """The earliest time at which some scene may be tried."""
        return min(self._again_s)


def shown_for_s(scene: KioskScene, duration_s: float) -> float:
    """How long a scene is shown, in seconds: its own time, or whole rounds of `SHORTEST_S`."""
    if scene.show_s is not None:
        return scene.show_s
    if duration_s <= 0.0:
        return SHORTEST_S
    rounds = -(-SHORTEST_S // duration_s)
    return max(rounds, 1.0) * duration_s
