"""Notices that a scene neither opens nor goes on, though no error was reported."""

from __future__ import annotations

from streamstgs.app.player.status import PlaybackState
from streamstgs.app.player.viewer_model import ViewerModel


class Watchdog:
    """Measures the time since the last sign of life.

    Args:
        stuck_s: Seconds without one after which a scene counts as stuck.
    """

    def __init__(self, stuck_s: float) -> None:
        self._stuck_s = stuck_s
        self._alive_s: float | None = None
        self.blames_picture = False  # playback runs, but no new picture reaches the screen

    def restart(self, now_s: float) -> None:
        """Count from now: a scene was asked for, or is shown."""
        self._alive_s, self.blames_picture = now_s, False

    def look(self, model: ViewerModel, now_s: float) -> str:
        """What is stuck, as a sentence for the log; empty while all is well."""
        if self._alive_s is None or _is_alive(model):
            self.restart(now_s)
            return ""
        if now_s - self._alive_s < self._stuck_s:
            return ""
        status = model.status
        self.blames_picture = (
            model.pending is None and status is not None and status.state is PlaybackState.PLAYING
        )
        what = "a new picture" if self.blames_picture else "content"
        return f"There was no sign of {what} for {self._stuck_s:g} s."


def _is_alive(model: ViewerModel) -> bool:
    if model.pending is not None:
        return False  # opening has to end in time
    status = model.status
    if status is None or model.scene is None:
        return False
    if status.state is PlaybackState.PLAYING:
        return status.frames < 2 or model.render_statistics.content_fps > 0.0
    return status.state in (PlaybackState.PAUSED, PlaybackState.ENDED)
