"""Commands of playback: play, seek, speed, loop and quality."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject
from streamstgs.app.player.viewer_model import ViewerModel
from streamstgs.app.ui.preferences import Preferences
from streamstgs.app.ui.transport.key_repeat import KeyRepeat
from streamstgs.app.ui.transport.transport_bar import SPEEDS

_LAST_FRAME = 1 << 40  # limited to the scene


class PlaybackActions:
    """Passes commands on to the model and remembers speed, loop and quality for the next scene.

    Args:
        model: Receives the commands.
        preferences: Keep what was chosen.
        show_settings: Called when speed or loop have changed.
        parent: Owns the timer of held keys.
    """

    def __init__(
        self,
        model: ViewerModel,
        preferences: Preferences,
        show_settings: Callable[[], None],
        parent: QObject,
    ) -> None:
        self._transport, self._quality = model.transport, model.quality
        self._preferences, self._show_settings = preferences, show_settings
        self._second_key = KeyRepeat(lambda: self._seek_by(0.0, held=False), parent)

    def handlers(self) -> dict[str, Callable[[], object]]:
        """The commands by their names in `app.ui.commands`."""
        return {
            "toggle": self._transport.toggle,
            "shuttle_back": lambda: self._transport.shuttle(-1),
            "shuttle_stop": self._stop_shuttle,
            "shuttle_forward": lambda: self._transport.shuttle(1),
            "step_back": lambda: self._transport.step(-1),
            "step_forward": lambda: self._transport.step(1),
            "second_back": lambda: self._seek_by(-1.0, self._second_key.press()),
            "second_forward": lambda: self._seek_by(1.0, self._second_key.press()),
            "go_start": lambda: self._transport.seek_frame(0),
            "go_end": lambda: self._transport.seek_frame(_LAST_FRAME),
            "go_live": self._transport.go_live,
            "slower": lambda: self._change_speed(-1),
            "faster": lambda: self._change_speed(1),
            "normal_speed": lambda: self.set_speed(1.0),
            "smooth": self._toggle_smooth,
            "loop": self._toggle_loop,
            "better": lambda: self._quality.step(1),
            "smaller": lambda: self._quality.step(-1),
            "auto": self._quality.toggle_automatic,
        }

    def seek(self, position_s: float, final: bool) -> None:
        """Go to a time of the timeline; `final` ends a drag."""
        self._transport.seek(position_s, scrubbing=not final)

    def set_speed(self, speed: float) -> None:
        """Play at another speed, also the next scenes."""
        self._preferences.set("speed", speed)
        self._transport.set_speed(speed)
        self._show_settings()

    def _stop_shuttle(self) -> None:
        """Pause, and play at the remembered speed the next time."""
        self._transport.pause()
        self._transport.set_speed(self._preferences.speed)

    def _toggle_smooth(self) -> None:
        on = not self._preferences.smooth
        self._preferences.set("smooth", on)
        self._transport.set_smooth(on)
        self._show_settings()

    def key_released(self) -> None:
        """End the seek of a held key."""
        self._second_key.end()

    def _seek_by(self, seconds: float, held: bool) -> None:
        """Seek relative to now; a held key is a drag, whose end is one more seek."""
        status = self._transport.status
        if status is not None:
            self._transport.seek(max(status.position_s + seconds, 0.0), scrubbing=held)

    def _change_speed(self, steps: int) -> None:
        now = self._preferences.speed
        nearest = min(range(len(SPEEDS)), key=lambda place: abs(SPEEDS[place] - now))
        self.set_speed(SPEEDS[min(max(nearest + steps, 0), len(SPEEDS) - 1)])

    def _toggle_loop(self) -> None:
        on = not self._preferences.loop
        self._preferences.set("loop", on)
        self._transport.set_loop(on)
        self._show_settings()
